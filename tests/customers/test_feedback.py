"""What customers say unasked is written down; a complaint becomes a nonconformity once (9.1.2)."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from capa.complaints import raise_from_complaint
from capa.models import Nonconformity
from qms import contributions
from qms.customers import workflow
from qms.customers.models import Feedback
from qms.periods import Period, today
from qms.refusals import Refused
from qms.work.models import WorkItem
from tests.reviews.test_views import signed_in
from tests.scenes import Cast, a_complaint

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.1.2")]


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


def test_anybody_writes_down_what_a_customer_said(cast: Cast) -> None:
    client = signed_in(cast.newcomer)
    said = {
        "said_by": "Harbour authority",
        "heard_on": today().isoformat(),
        "kind": "praise",
        "came_by": "visit",
        "words": "Best crates on the quay.",
    }
    made = client.post("/customers/feedback/new/", said)
    assert made.status_code == 303
    feedback = Feedback.objects.get()
    assert (feedback.taken_by, feedback.from_whom) == (cast.newcomer, "Harbour authority")
    assert not WorkItem.objects.filter(record_type__model="feedback").exists()


def test_it_says_who_said_what_and_when(cast: Cast) -> None:
    said = {"kind": "wish", "came_by": "mail", "words": "Blue ones.", "heard_on": today()}
    with pytest.raises(Refused, match="Choose the customer"):
        workflow.take_feedback(by=cast.owner, **said)
    with pytest.raises(Refused, match="still ahead"):
        ahead = {"heard_on": today() + timedelta(days=1)}
        workflow.take_feedback(by=cast.owner, said_by="A shop", **said | ahead)
    with pytest.raises(Refused, match="Say what they said"):
        workflow.take_feedback(by=cast.owner, said_by="A shop", **said | {"words": " "})


def test_a_complaint_waits_for_an_answer(cast: Cast) -> None:
    complaint = a_complaint(cast)
    item = WorkItem.objects.get(record_type__model="feedback")
    assert (item.person, item.due) == (cast.owner, today() + timedelta(days=7))
    with pytest.raises(PermissionDenied):
        workflow.answer_feedback(complaint, by=cast.newcomer, follows="Nothing.")
    workflow.answer_feedback(complaint, by=cast.owner, follows="Two new valves.")
    assert not WorkItem.objects.filter(record_type__model="feedback").exists()


def test_one_click_makes_a_complaint_a_nonconformity_and_each_shows_the_other(cast: Cast) -> None:
    complaint = a_complaint(cast)
    client = signed_in(cast.owner)
    assert "Raise a nonconformity" in client.get(complaint.get_absolute_url()).content.decode()
    answer = client.post(f"/nonconformities/from-complaint/{complaint.pk}/")
    made = Nonconformity.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, made.get_absolute_url())
    assert (made.source, made.origin, made.evidence) == (
        "complaint",
        complaint,
        "Two valves leaked at the stem.",
    )
    complaint.refresh_from_db()
    assert (complaint.status, made.number in complaint.follows) == ("answered", True)
    page = client.get(complaint.get_absolute_url()).content.decode()
    assert made.get_absolute_url() in page
    assert "Raise a nonconformity" not in page
    assert complaint.number in client.get(made.get_absolute_url()).content.decode()


def test_a_complaint_becomes_a_nonconformity_once(cast: Cast) -> None:
    complaint = a_complaint(cast)
    made = raise_from_complaint(complaint, by=cast.owner)
    with pytest.raises(Refused, match=f"{made.number} was raised from it already"):
        raise_from_complaint(complaint, by=cast.manager)
    assert (
        signed_in(cast.owner).post(f"/nonconformities/from-complaint/{complaint.pk}/").status_code
        == 422
    )
    assert Nonconformity.objects.count() == 1


def test_only_who_may_answer_makes_it_one_and_praise_never_is(cast: Cast) -> None:
    complaint = a_complaint(cast)
    with pytest.raises(PermissionDenied):
        raise_from_complaint(complaint, by=cast.newcomer)
    assert not Nonconformity.objects.exists()
    praise = workflow.take_feedback(
        by=cast.owner,
        said_by="A shop",
        heard_on=today(),
        kind="praise",
        came_by="review",
        words="Fine.",
    )
    with pytest.raises(Refused, match="Only a complaint"):
        raise_from_complaint(praise, by=cast.owner)


def test_feedback_goes_to_the_management_review_and_an_indicator(cast: Cast) -> None:
    a_complaint(cast)
    period = Period(today(), today())
    lines = {
        line.label: line.value
        for each in contributions.review_inputs("c1")
        for line in each.compile(period)
    }
    assert lines["Feedback: complaint"] == "1"
    source = contributions.source_named("customers.complaints")
    assert source is not None
    figure = source.compute(period, None)
    assert figure is not None
    assert figure.value == 1
