"""Customers are asked by a mailed link, answer once, and are counted honestly (9.1.2)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from qms import contributions
from qms.customers import results, workflow
from qms.customers.models import Customer, Survey, SurveyAnswer, SurveyInvitation
from qms.customers.results import Result, score_interval, share_interval
from qms.outbox.models import Effect
from qms.outbox.workflow import drain
from qms.periods import Period, today
from qms.refusals import Refused
from qms.workflow import amend
from tests.kernel.test_workflow import at_once
from tests.reviews.test_views import signed_in
from tests.scenes import Cast, a_survey, an_answer, an_invitation

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.1.2")]


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


def the_link(invitation: SurveyInvitation) -> str:
    return reverse("survey_answer", args=[invitation.token])


# --- the procedure --------------------------------------------------------------------------------


def test_nothing_is_sent_before_it_is_opened_and_each_mail_goes_once(cast: Cast) -> None:
    survey = a_survey(cast, many=2)
    assert not Effect.objects.filter(kind=workflow.INVITE).exists()
    workflow.open_survey(survey, by=cast.manager)
    drain("default")
    drain("default")
    assert sorted(each.to[0] for each in mail.outbox) == [
        "Works 1 <quality1@works.example>",
        "Works 2 <quality2@works.example>",
    ]
    links = {the_link(each) for each in survey.invitations.all()}
    assert all(any(link in each.body for link in links) for each in mail.outbox)
    assert len(links) == 2


def test_only_who_is_silent_is_reminded_and_only_once(cast: Cast) -> None:
    survey = an_answer(cast, many=2).survey
    drain("default")
    mail.outbox.clear()
    workflow.remind(survey, by=cast.owner)
    drain("default")
    assert [each.to[0] for each in mail.outbox] == ["Works 2 <quality2@works.example>"]
    assert "only reminder" in mail.outbox[0].body
    with pytest.raises(Refused, match="one reminder is enough"):
        workflow.remind(survey, by=cast.owner)


def test_an_invitation_that_waits_past_the_end_is_not_sent(cast: Cast) -> None:
    survey = workflow.open_survey(a_survey(cast), by=cast.manager)
    workflow.close_survey(survey, by=cast.manager)
    drain("default")
    assert mail.outbox == []


def test_a_survey_asks_something_of_somebody_who_can_be_reached(cast: Cast) -> None:
    survey = a_survey(cast)
    changes = {"asks_satisfaction": False, "asks_recommendation": False, "questions": ""}
    amend(survey, by=cast.owner, changes=changes)
    with pytest.raises(Refused, match="asks nothing yet"):
        workflow.open_survey(survey, by=cast.manager)
    amend(survey, by=cast.owner, changes={"asks_satisfaction": True})
    mute = workflow.enter_customer(by=cast.manager, name="Mute", buys="Seals", owner=cast.owner)
    workflow.ask_customers(survey, by=cast.owner, customers=[mute])
    with pytest.raises(Refused, match=f"No mail address is known of {mute.number}"):
        workflow.open_survey(survey, by=cast.manager)
    workflow.ask_customers(survey, by=cast.owner, customers=[])
    with pytest.raises(Refused, match="Nobody is asked yet"):
        workflow.open_survey(survey, by=cast.manager)
    with pytest.raises(Refused, match="at most 5 free questions"):
        amend(survey, by=cast.owner, changes={"questions": "\n".join("abcdef")})


def test_what_was_asked_stays_once_it_is_sent_and_its_end_may_move(cast: Cast) -> None:
    survey = workflow.open_survey(a_survey(cast), by=cast.manager)
    with pytest.raises(Refused, match="stays as it was"):
        amend(survey, by=cast.owner, changes={"title": "Other"}, reason="Better.")
    with pytest.raises(Refused, match="stands still"):
        workflow.ask_customers(survey, by=cast.owner, customers=[])
    later = {"closes_on": today() + timedelta(days=40)}
    assert amend(survey, by=cast.owner, changes=later, reason="Holidays.").closes_on > today()
    earlier = {"closes_on": today() - timedelta(days=1)}
    with pytest.raises(Refused, match="before it was opened"):
        amend(survey, by=cast.owner, changes=earlier, reason="Enough.")


def test_another_process_owner_runs_it_not(cast: Cast) -> None:
    survey = a_survey(cast)
    with pytest.raises(PermissionDenied):
        workflow.open_survey(survey, by=cast.author)
    with pytest.raises(PermissionDenied):
        workflow.ask_customers(survey, by=cast.author, customers=[])


# --- the public page ------------------------------------------------------------------------------


def test_a_customer_answers_without_signing_in_and_only_once(cast: Cast) -> None:
    invitation = an_invitation(cast)
    client, link = Client(), the_link(invitation)
    page = client.get(link)
    assert page.status_code == 200
    assert "What should we change?" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    said = {"satisfaction": "5", "recommendation": "9", "words_0": "More colours.", "comment": ""}
    assert "Thank you" in client.post(link, said).content.decode()
    answer = SurveyAnswer.objects.get()
    assert (answer.satisfaction, answer.recommendation) == (5, 9)
    assert answer.words == [["What should we change?", "More colours."]]
    assert answer.created_by == cast.system
    assert "Thank you" in client.get(link).content.decode()
    client.post(link, said | {"satisfaction": "1"})
    assert SurveyAnswer.objects.get().satisfaction == 5
    with pytest.raises(Refused, match="answered already"):
        workflow.answer_survey(invitation, by=cast.system, satisfaction=1)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"satisfaction": "6"},
        {"recommendation": "-1"},
        {"satisfaction": "²"},
        {"comment": "x" * 2001},
        {"comment": "   "},
    ],
)
def test_an_answer_that_says_nothing_or_nonsense_is_asked_again(
    said: dict[str, str], cast: Cast
) -> None:
    page = Client().post(the_link(an_invitation(cast)), said)
    assert page.status_code == 422
    assert not SurveyAnswer.objects.exists()


def test_a_link_ends_with_its_survey_and_a_guessed_one_opens_nothing(cast: Cast) -> None:
    invitation = an_invitation(cast)
    link = the_link(invitation)
    for guess in ("x", invitation.seed, invitation.digest, invitation.token[:-1] + "é"):
        assert Client().get(reverse("survey_answer", args=[guess])).status_code == 404
    workflow.close_survey(invitation.survey, by=cast.manager)
    assert Client().get(link).status_code == 410
    assert Client().post(link, {"satisfaction": "5"}).status_code == 410
    with pytest.raises(Refused, match="has ended"):
        workflow.answer_survey(invitation, by=cast.system, satisfaction=5)


def test_a_link_that_was_not_mailed_yet_opens_nothing(cast: Cast) -> None:
    invitation = a_survey(cast).invitations.first()
    assert Client().get(the_link(invitation)).status_code == 404


def test_the_link_stands_nowhere_in_the_database(cast: Cast) -> None:
    invitation = an_invitation(cast)
    drain("default")
    stored = SurveyInvitation.objects.filter(pk=invitation.pk).values().get()
    kept = [*stored.values(), *Effect.objects.values_list("payload", flat=True)]
    assert not any(invitation.token in str(each) for each in kept)
    assert invitation.token not in str(list(SurveyInvitation.history.values()))


def test_who_looks_too_often_waits(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr("qms.customers.views.public.LOOKS", 3)
    client = Client(REMOTE_ADDR="198.51.100.7")
    codes = [client.get(reverse("survey_answer", args=["x"])).status_code for _ in range(5)]
    assert codes == [404, 404, 404, 429, 429]


def test_an_answer_never_changes(cast: Cast) -> None:
    answer = an_answer(cast)
    with pytest.raises(Refused, match="is not edited"):
        amend(answer, by=cast.manager, changes={"satisfaction": 5})
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        answer.satisfaction = 5
        answer.save_because("Nicer.", by=cast.manager)


# --- results --------------------------------------------------------------------------------------


def test_thirty_percent_for_and_twenty_against_are_ten_points() -> None:
    found = Result(asked=200, answered=100, scored=100, promoters=30, detractors=20)
    assert found.score == Decimal("10.0")
    assert found.response == Decimal("50.0")


def test_the_interval_of_a_score_is_the_adjusted_wald() -> None:
    """By hand: n 103, shares 30.75/103 and 20.75/103, their difference 0.09709."""
    low, high = score_interval(30, 20, 100)  # type: ignore[misc]
    assert (low, high) == (Decimal("-3.8"), Decimal("23.2"))
    assert score_interval(0, 0, 0) is None
    low, high = score_interval(3, 0, 3)  # type: ignore[misc]
    assert Decimal(-100) <= low < high <= 100


def test_the_interval_of_a_share_is_wilsons() -> None:
    """8 of 10, a textbook figure: 49.0 to 94.3 percent."""
    assert share_interval(8, 10) == (Decimal("49.0"), Decimal("94.3"))
    low, high = share_interval(10, 10)  # type: ignore[misc]
    assert (low < 100, high) == (True, Decimal("100.0"))


def test_the_top_two_boxes_and_the_mean_say_of_how_many(cast: Cast) -> None:
    answer = an_answer(cast, many=2)
    found = results.result_of(SurveyAnswer.objects.all(), results.invitations_to([answer.survey]))
    assert (found.asked, found.answered, found.rated, found.top) == (2, 1, 1, 1)
    assert (found.mean, found.satisfied, found.score) == (
        Decimal("4.00"),
        Decimal("100.0"),
        Decimal("100.0"),
    )
    said = dict(results.in_words(found))
    assert said["Answered"] == "1 of 2, 50 %"
    assert "too few" in said["Reading it"]
    assert (said["Satisfied (4 or 5)"], "Recommendation score" in said) == ("1 of 1", False)


def test_groups_are_counted_anew_and_never_averaged(cast: Cast) -> None:
    first = an_answer(cast, many=2).survey
    second = workflow.draft_survey(
        by=cast.manager,
        title="And the seals?",
        about="Seals",
        closes_on=today(),
        customers=Customer.objects.all(),
    )
    workflow.open_survey(second, by=cast.manager)
    for place, invitation in enumerate(second.invitations.order_by("pk")):
        workflow.answer_survey(invitation, by=cast.system, satisfaction=5 - 3 * place)
    answers, sent = SurveyAnswer.objects.all(), results.invitations_to([first, second])
    by_product = results.results_by("survey__about", answers, sent)
    assert (by_product["Gate valves"].satisfied, by_product["Seals"].satisfied) == (100, 50)
    assert results.result_of(answers, sent).satisfied == Decimal("66.7")
    by_customer = results.results_by("customer", answers, sent)
    assert sum(each.answered for each in by_customer.values()) == 3
    page = signed_in(cast.manager).get("/customers/surveys/results/?about=Seals")
    assert "1 of 2" in page.content.decode()
    assert "And the seals?" in page.content.decode()


def test_surveys_feed_indicators_and_the_management_review(cast: Cast) -> None:
    an_answer(cast)
    period = Period(today(), today())
    source = contributions.source_named("customers.survey_satisfied")
    assert source is not None
    figure = source.compute(period, None)
    assert figure is not None
    assert (figure.counted, figure.size) == (1, 1)
    thin = contributions.source_named("customers.recommendation")
    assert thin is not None
    assert thin.compute(period, None) is None
    lines = {
        line.label: line.value
        for each in contributions.review_inputs("c1")
        for line in each.compile(period)
    }
    assert lines["Surveys: satisfied (4 or 5)"] == "1 of 1"


def test_the_page_of_a_survey_shows_answers_and_hides_addresses(cast: Cast) -> None:
    survey = an_answer(cast).survey
    page = signed_in(cast.newcomer).get(survey.get_absolute_url()).content.decode()
    assert "Go on." in page
    assert "works.example" not in page
    assert "Whom it asks" not in page
    assert Survey.objects.counting_answers().get().answered == 1


@pytest.mark.django_db(transaction=True)
def test_a_link_that_is_pressed_twice_at_once_keeps_one_answer() -> None:
    cast = Cast()
    invitation = an_invitation(cast)
    assert cast.system.is_system  # by whom the answers are kept; the clock has made it long ago

    def press() -> None:
        page = Client().post(the_link(invitation), {"satisfaction": "5", "recommendation": "9"})
        assert page.status_code in {200, 422}, page.content

    assert at_once(press, press) == ["ok", "ok"]
    assert SurveyAnswer.objects.count() == 1
