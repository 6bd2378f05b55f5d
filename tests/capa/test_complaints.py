"""Complaints: acknowledged and answered by working days, a letter fit to send, their verdict."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied

from capa import workflow
from capa.complaints import raise_from_complaint
from capa.letters import letter_context, letter_pdf
from capa.models import Complaint, Nonconformity
from qms.customers.workflow import take_feedback
from qms.periods import today
from qms.refusals import Refused
from qms.scope.workflow import set_up_organisation, working_days_after
from qms.work.models import WorkItem
from qms.workflow import amend
from tests.reviews.test_views import signed_in
from tests.scenes import Cast, a_complaint, a_handled_complaint

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.1.2")]


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


@pytest.fixture
def complaint(cast: Cast) -> Complaint:
    return a_handled_complaint(cast)


def answered(cast: Cast, complaint: Complaint, **more: Any) -> Complaint:
    if complaint.status == "received":
        workflow.acknowledge(complaint, by=cast.owner, acknowledged_how="phone")
    said = {
        "justified": "yes",
        "justified_because": "They leaked.",
        "outcome": "Two new valves.",
        "letter": "You get two new valves.",
    }
    made: Complaint = workflow.answer_complaint(complaint, by=cast.owner, **said | more)
    return made


def test_it_is_taken_up_once_and_the_feedback_says_where(cast: Cast, complaint: Complaint) -> None:
    feedback = complaint.feedback
    feedback.refresh_from_db()
    assert feedback.status == "answered"
    assert complaint.number in feedback.follows
    with pytest.raises(Refused, match="already"):
        workflow.take_up_complaint(by=cast.owner, feedback=feedback)
    workflow.void_complaint(complaint, by=cast.manager, reason="Another firm.")
    again = workflow.take_up_complaint(by=cast.owner, feedback=feedback)
    assert again.status == "received"


def test_only_who_answers_for_the_customer_takes_it_up(cast: Cast) -> None:
    with pytest.raises(PermissionDenied):
        workflow.take_up_complaint(by=cast.newcomer, feedback=a_complaint(cast))
    assert not Complaint.objects.exists()


def test_praise_is_no_complaint(cast: Cast) -> None:
    praise = take_feedback(
        by=cast.owner,
        said_by="A shop",
        heard_on=today(),
        kind="praise",
        came_by="visit",
        words="Good.",
    )
    with pytest.raises(Refused, match="Only a complaint"):
        workflow.take_up_complaint(by=cast.owner, feedback=praise)


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        (date(2026, 6, 5), 1, date(2026, 6, 8)),  # a Friday: Monday
        (date(2026, 6, 6), 2, date(2026, 6, 9)),  # a Saturday
        (date(2026, 6, 29), 2, date(2026, 7, 2)),  # Canada Day is the first of July
        (date(2026, 12, 24), 1, date(2026, 12, 29)),  # Christmas, a weekend, Boxing Day observed
        (date(2026, 6, 8), 0, date(2026, 6, 8)),
    ],
)
def test_its_days_are_working_days(cast: Cast, start: date, count: int, end: date) -> None:
    set_up_organisation(
        by=cast.manager,
        name="Nova",
        country="CA",
        region="ON",
        time_zone="America/Toronto",
    )
    assert working_days_after(start, count) == end


def test_each_step_waits_with_its_day_for_who_answers(cast: Cast) -> None:
    with time_machine.travel("2026-06-08 15:00Z"):
        complaint = a_handled_complaint(cast)
        item = WorkItem.objects.get(record_type__model="complaint")
        assert (item.person, item.due) == (cast.owner, date(2026, 6, 10))
        answered(cast, complaint)
        assert complaint.answered_in_time is True
        assert complaint.due == date(2026, 6, 22)


def test_an_answer_after_its_day_is_told_as_late_and_stays_so(cast: Cast) -> None:
    with time_machine.travel("2026-06-08 15:00Z") as clock:
        complaint = a_handled_complaint(cast)
        clock.shift(timedelta(days=30))
        answered(cast, complaint)
        assert complaint.answered_in_time is False
        workflow.answer_again(complaint, by=cast.owner, verdict_words="Two are not enough.")
        answered(cast, complaint)
        assert (complaint.answered_in_time, complaint.answers) == (False, 2)


def test_the_letter_begins_with_their_own_words(cast: Cast, complaint: Complaint) -> None:
    workflow.acknowledge(complaint, by=cast.owner, acknowledged_how="phone")
    assert "“Two valves leaked at the stem.”" in complaint.letter


def test_the_letter_names_nobody_of_ours_unless_it_is_chosen(
    cast: Cast, complaint: Complaint
) -> None:
    cast.owner.name = "Olga Stein"
    cast.owner.save_because("Her name.", by=None)
    letter = "Our Olga Stein forgot the gasket."
    with pytest.raises(Refused, match="names Olga Stein"):
        answered(cast, complaint, letter=letter)
    answered(cast, complaint, letter=letter, with_name=True)
    assert letter_context(complaint)["signs"] == cast.owner


def test_the_letter_tells_a_cause_only_where_it_is_chosen_and_found(
    cast: Cast, complaint: Complaint
) -> None:
    with pytest.raises(Refused, match="No cause is found yet"):
        answered(cast, complaint, with_cause=True)
    case = a_case_with_a_cause(cast, complaint)
    answered(cast, complaint)
    assert letter_context(complaint)["cause"] == ""
    workflow.answer_again(complaint, by=cast.owner, verdict_words="Why?")
    answered(cast, complaint, with_cause=True)
    assert letter_context(complaint)["cause"] == case.root_cause


def a_case_with_a_cause(cast: Cast, complaint: Complaint) -> Nonconformity:
    made = raise_from_complaint(complaint.feedback, by=cast.manager)
    changes = {"owner": cast.owner, "statement": "It leaks.", "requirement": "No leak."}
    amend(made, by=cast.manager, changes=changes, reason="Known now.")
    workflow.contain(made, by=cast.owner, containment="Blocked.")
    said = {"root_cause": "Soft gasket.", "category": "material", "similar": "None."}
    found: Nonconformity = workflow.find_cause(made, by=cast.owner, **said)
    return found


def test_it_is_not_closed_while_its_nonconformity_is_open(cast: Cast, complaint: Complaint) -> None:
    case = raise_from_complaint(complaint.feedback, by=cast.manager)
    assert (case.customer, case.origin) == (complaint.feedback.customer, complaint.feedback)
    answered(cast, complaint)
    with pytest.raises(Refused, match="still open"):
        workflow.close_complaint(complaint, by=cast.owner, verdict="satisfied")


@pytest.mark.parametrize("verdict", ["partly", "not", "silent"])
def test_who_is_not_satisfied_hears_what_is_done_then(
    cast: Cast, complaint: Complaint, verdict: str
) -> None:
    answered(cast, complaint)
    with pytest.raises(Refused, match="what was done then"):
        workflow.close_complaint(complaint, by=cast.owner, verdict=verdict)
    workflow.close_complaint(complaint, by=cast.owner, verdict=verdict, what_then="A talk.")
    assert (complaint.status, complaint.due) == ("closed", None)


def test_a_sent_letter_stays_as_it_was_sent(cast: Cast, complaint: Complaint) -> None:
    answered(cast, complaint)
    with pytest.raises(Refused):
        amend(complaint, by=cast.owner, changes={"letter": "Other."}, reason="Better.")


def test_the_letter_is_a_draft_until_the_answer(cast: Cast, complaint: Complaint) -> None:
    workflow.acknowledge(complaint, by=cast.owner, acknowledged_how="phone")
    assert letter_context(complaint)["marking"] == "Draft"
    answered(cast, complaint)
    assert letter_context(complaint)["marking"] == ""
    assert letter_pdf(complaint).startswith(b"%PDF")


@pytest.mark.slow
def test_one_click_on_the_feedback_takes_it_up_and_the_trend_counts_it(cast: Cast) -> None:
    heard = a_complaint(cast)
    client = signed_in(cast.owner)
    assert "Handle the complaint" in client.get(heard.get_absolute_url()).content.decode()
    answer = client.post(f"/nonconformities/complaints/take-up/{heard.pk}/")
    made = Complaint.objects.get()
    assert answer["Location"] == made.get_absolute_url()
    page = client.get(made.get_absolute_url()).content.decode()
    assert "Raise a nonconformity" in page
    trend = client.get("/nonconformities/complaints/trend/").content.decode()
    assert "Not yet judged" in trend
    assert heard.from_whom in trend
