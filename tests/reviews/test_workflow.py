"""A management review looks at everything, with top management, and decides (9.3)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from capa.workflow import raise_nonconformity
from qms.actions.models import Action
from qms.people.models import Person
from qms.periods import Period, today
from qms.refusals import Refused
from qms.signing.models import Signature
from qms.work.models import WorkItem
from qms.workflow import amend
from reviews import evidence, inputs, workflow
from reviews.models import Decision, Review, ReviewInput
from tests import factories
from tests.kernel.test_workflow import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.3.2")]


class Cast:
    """The people of a review, and a review at each of its stages."""

    def __init__(self) -> None:
        self.boss = factories.person("top_management", name="Bea Boss")
        self.manager = factories.person("quality_manager", name="Quinn Manager")

    def planned(self, **more: Any) -> Review:
        facts = {"chair": self.boss, "planned_on": today(), "edition": "2026"}
        return workflow.plan_review(by=self.manager, **(facts | more))

    def compiled(self, **more: Any) -> Review:
        return workflow.compile_inputs(self.planned(**more), by=self.manager)

    def answered(self, **more: Any) -> Review:
        review = self.compiled(**more)
        for given in workflow.inputs_of(review):
            if given.required and not given.is_answered:
                self.comment(given, no_change_because="Looked at it in May; nothing is new.")
        return review

    def comment(self, given: ReviewInput, **changes: str) -> ReviewInput:
        return amend(given, by=self.manager, changes=changes)

    def held(self, **more: Any) -> Review:
        return self.hold(self.answered(**more))

    def hold(self, review: Review, **details: Any) -> Review:
        said = {
            "held_on": today(),
            "attendees": [self.boss, self.manager],
            "conclusions": "Suitable and adequate; effective but for complaints.",
        }
        return workflow.hold(review, by=self.manager, **(said | details))

    def decide(self, review: Review, kind: str, **fields: Any) -> Decision:
        fields = fields or {"none_because": "What we have is enough."}
        return workflow.decide(by=self.manager, review=review, kind=kind, **fields)

    def decided(self, **more: Any) -> Review:
        review = self.held(**more)
        for kind in Decision.Kind.values:
            self.decide(review, kind)
        return review

    def closed(self, **more: Any) -> Review:
        return workflow.close(self.decided(**more), by=self.boss, proof=factories.proof(self.boss))


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.mark.parametrize(("edition", "rows"), [("2015", 12), ("2026", 13)])
def test_each_edition_asks_for_its_own_inputs(cast: Cast, edition: str, rows: int) -> None:
    review = cast.compiled(edition=edition)
    asked = [each for each in workflow.inputs_of(review) if each.required]
    assert len(asked) == rows
    assert len({each.title for each in asked}) == rows
    beside = [each.key for each in workflow.inputs_of(review) if not each.required]
    assert "+documents" in beside


@pytest.mark.parametrize("edition", ["2015", "2026"])
def test_what_chapters_contribute_reaches_the_item_of_its_topic(cast: Cast, edition: str) -> None:
    raise_nonconformity(by=cast.manager, title="Late delivery")
    review = cast.compiled(edition=edition, period_end=today())
    by_title = {each.title: each for each in workflow.inputs_of(review)}
    found = by_title["Nonconformities and corrective actions"]
    assert found.lines[0]["label"] == "Nonconformities raised"
    assert (found.lines[0]["value"], found.lines[0]["before"]) == ("1", "0")
    assert found.is_answered


def test_every_topic_of_both_editions_is_a_key_of_the_list() -> None:
    from qms import clauses

    assert set(inputs.TOPICS_2026) == {item.id for item in clauses.review_inputs("2026")}
    known = {item.id for item in clauses.review_inputs("2015")} | {"parties"}
    assert set(inputs.TOPICS_2026.values()) == known


def test_inputs_stay_as_compiled_whatever_happens_afterwards(cast: Cast) -> None:
    review = cast.compiled(period_end=today())
    raise_nonconformity(by=cast.manager, title="Late delivery")
    given = next(each for each in workflow.inputs_of(review) if each.key == "d1")
    assert given.lines[0]["value"] == "0"
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE reviews_reviewinput SET lines = '[]' WHERE id = %s", [given.pk])
    workflow.reopen_inputs(review, by=cast.manager, reason="A complaint came in")
    workflow.compile_inputs(review, by=cast.manager)
    given.refresh_from_db()
    assert given.lines[0]["value"] == "1"


def test_comments_survive_compiling_again_but_not_another_question(cast: Cast) -> None:
    review = cast.compiled(edition="2015")
    keyed = {each.key: each for each in workflow.inputs_of(review)}
    cast.comment(keyed["a"], comment="All done.")
    cast.comment(keyed["f"], comment="A new press.")
    workflow.reopen_inputs(review, by=cast.manager, reason="Edition")
    amend(review, by=cast.manager, changes={"edition": "2026"})
    workflow.compile_inputs(review, by=cast.manager)
    keyed = {each.key: each for each in workflow.inputs_of(review)}
    assert keyed["a"].comment == "All done."
    assert keyed["f"].comment == ""  # it asks for resources now
    assert not keyed["c1"].required


@pytest.mark.parametrize("edition", ["2015", "2026"])
@pytest.mark.slow
def test_an_empty_input_blocks_the_meeting_until_it_is_explained(cast: Cast, edition: str) -> None:
    review = cast.compiled(edition=edition)
    with pytest.raises(Refused, match=r"inputs are empty \(a, b"):
        cast.hold(review)
    for given in workflow.inputs_of(review):
        if given.key not in ("a", "g") and not given.is_answered:
            cast.comment(given, comment="It is so.")
    if edition == "2026":
        given = review.inputs.get(key="g")
        cast.comment(given, comment="Risks: yes.")
        with pytest.raises(Refused, match=r"\(a, g\)"):
            cast.hold(review)
        cast.comment(given, comment_opportunities="Opportunities: partly.")
    with pytest.raises(Refused, match=r"^Input a is empty"):
        cast.hold(review)
    cast.comment(review.inputs.get(key="a"), no_change_because="It is the first review.")
    assert cast.hold(review).status == "held"


def test_a_trend_needs_two_periods(cast: Cast) -> None:
    line = {"label": "Complaints", "value": "3", "before": "", "url": ""}
    given = ReviewInput(key="d4", trend=True, lines=[line])
    assert not given.is_answered
    given.lines = [line | {"before": "5"}]
    assert given.is_answered
    assert ReviewInput(key="b", trend=False, lines=[line]).is_answered


def test_it_is_the_review_of_top_management(cast: Cast) -> None:
    with pytest.raises(Refused, match="does not belong to top management"):
        cast.planned(chair=cast.manager)
    review = cast.answered()
    with pytest.raises(Refused, match="does not belong to top management"):
        amend(review, by=cast.manager, changes={"chair": cast.manager})
    with pytest.raises(Refused, match="Nobody of top management took part"):
        cast.hold(review, attendees=[cast.manager])
    with pytest.raises(Refused, match="in the future"):
        cast.hold(review, held_on=today() + timedelta(days=1))
    assert not review.attendee_links.exists()


@pytest.mark.slow
def test_a_decision_is_owned_and_dated_or_explained(cast: Cast) -> None:
    review = cast.held()
    half = {"text": "Buy a press", "owner": cast.manager}
    with pytest.raises(Refused, match="by when"):
        cast.decide(review, "resources", **half)
    with pytest.raises(Refused, match="who does it"):
        cast.decide(review, "resources", text="Buy a press", due=today())
    with pytest.raises(Refused, match="what is decided"):
        cast.decide(review, "resources", text=" ")
    with pytest.raises(Refused, match="Empty one"):
        cast.decide(review, "resources", **half, none_because="No money")
    decision = cast.decide(review, "resources", **half, due=today() + timedelta(days=30))
    assert decision.action is not None
    assert (decision.action.origin, decision.action.kind) == (review, "resource")
    assert decision.action.owner == cast.manager


@pytest.mark.slow
def test_the_database_holds_decisions_to_it_too(cast: Cast) -> None:
    review = cast.held()
    with pytest.raises(IntegrityError, match="owned_or_explained"), transaction.atomic():
        Decision(review=review, position=9, kind="change", created_by=cast.manager).save()


def test_minutes_wait_for_an_entry_under_each_output(cast: Cast) -> None:
    review = cast.held()
    proof = factories.proof(cast.boss)
    cast.decide(review, "improvement")
    with pytest.raises(Refused, match="changes to the system and resources"):
        workflow.close(review, by=cast.boss, proof=proof)
    cast.decide(review, "change")
    last = cast.decide(review, "resources")
    workflow.take_back(last, by=cast.manager, reason="Typed under the wrong output")
    with pytest.raises(Refused, match="about resources"):
        workflow.close(review, by=cast.boss, proof=proof)


@pytest.mark.clause("9.3.3")
@pytest.mark.slow
def test_minutes_are_signed_by_top_management_that_was_there(cast: Cast) -> None:
    review = cast.decided()
    absent = factories.person("top_management")
    with pytest.raises(Refused, match="who took part"):
        workflow.close(review, by=absent, proof=factories.proof(absent))
    with pytest.raises(PermissionDenied):
        workflow.close(review, by=cast.manager, proof=factories.proof(cast.manager))
    with pytest.raises(Refused, match="password"):
        workflow.close(review, by=cast.boss)
    workflow.close(review, by=cast.boss, proof=factories.proof(cast.boss))
    [signature] = Signature.objects.of(review)
    assert (signature.meaning, signature.person) == ("Approved the minutes", cast.boss)
    assert signature.still_fits


@pytest.mark.clause("9.3.3")
def test_signed_minutes_stay_with_everything_in_them(cast: Cast) -> None:
    review = cast.closed()
    with pytest.raises(Refused, match="cannot be edited"):
        amend(review, by=cast.manager, changes={"conclusions": "Better"}, reason="Nicer")
    with pytest.raises(Refused, match="until the minutes are signed"):
        cast.decide(review, "change")
    with pytest.raises(Refused, match="their decisions stay"):
        workflow.take_back(review.decisions.first(), by=cast.manager, reason="x")
    with pytest.raises(Refused, match="until the review is held"):
        cast.comment(review.inputs.first(), comment="Oh")
    for statement in (
        "UPDATE reviews_review SET conclusions = 'x' WHERE id = %s",
        "UPDATE reviews_reviewinput SET comment = 'x' WHERE review_id = %s",
        "UPDATE reviews_decision SET none_because = 'x' WHERE review_id = %s",
        "UPDATE reviews_reviewattendee SET ended = true WHERE review_id = %s",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [review.pk])


def test_a_decision_taken_back_takes_its_action_along(cast: Cast) -> None:
    review = cast.held()
    decision = cast.decide(review, "change", text="New form", owner=cast.manager, due=today())
    workflow.take_back(decision, by=cast.manager, reason="Wrong review")
    assert Action.objects.get().status == "void"
    assert review.decisions.get().status == "void"


def test_the_next_review_begins_with_the_actions_of_the_last(cast: Cast) -> None:
    period = Period(today() - timedelta(days=30), today())
    assert evidence.earlier_actions(period) == []
    review = cast.held()
    cast.decide(review, "change", text="New form", owner=cast.manager, due=today())
    lines = {line.label: (line.value, line.before) for line in evidence.earlier_actions(period)}
    assert lines["Actions decided by earlier reviews"] == ("1", "0")
    assert lines["Open"] == ("1", "0")
    assert any("New form" in label for label in lines)


def test_who_is_asked_for_what(cast: Cast) -> None:
    def work(review: Review) -> list[tuple[str, str, bool]]:
        rows = WorkItem.objects.filter(record_id=review.pk, kind="management review")
        return sorted((r.step, r.role or r.person.name, bool(r.obstacle)) for r in rows)  # type: ignore[union-attr]

    review = cast.planned()
    assert work(review) == [("compile", "quality_manager", False)]
    workflow.compile_inputs(review, by=cast.manager)
    assert work(review) == [("answer", "quality_manager", False), ("hold", "Bea Boss", True)]
    for given in workflow.inputs_of(review):
        if given.required and not given.is_answered:
            cast.comment(given, no_change_because="Nothing new.")
    assert work(review) == [("hold", "Bea Boss", False)]
    cast.hold(review)
    assert work(review) == [("close", "Bea Boss", True)]
    for kind in Decision.Kind.values:
        cast.decide(review, kind)
    assert work(review) == [("close", "Bea Boss", False)]
    workflow.close(review, by=cast.boss, proof=factories.proof(cast.boss))
    assert work(review) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_no_decision_slips_in_while_the_minutes_are_signed() -> None:
    cast = Cast()
    review = cast.decided()

    def close() -> object:
        proof = factories.proof(cast.boss)
        return workflow.close(Review.objects.get(pk=review.pk), by=cast.boss, proof=proof)

    calls: list[Callable[[], object]] = [close, lambda: cast.decide(review, "change")]
    at_once(*calls)
    review.refresh_from_db()
    assert review.status == "closed"
    [signature] = Signature.objects.of(review)
    assert signature.still_fits


def test_the_default_period_is_the_year_up_to_the_meeting(cast: Cast) -> None:
    review = cast.planned(planned_on=date(2026, 4, 1))
    assert review.period == Period(date(2025, 4, 1), date(2026, 3, 31))
    assert review.number.startswith("MR-2026-")
    assert review.title == "Management review April 2026"


@pytest.mark.slow
def test_people_without_the_role_do_nothing(cast: Cast) -> None:
    owner: Person = factories.person("process_owner")
    with pytest.raises(PermissionDenied):
        workflow.plan_review(by=owner, chair=cast.boss, planned_on=today())
    review = cast.held()
    with pytest.raises(PermissionDenied):
        workflow.decide(by=owner, review=review, kind="change", none_because="x")
