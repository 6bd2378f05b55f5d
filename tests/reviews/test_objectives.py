"""At each management review every objective pursued is confirmed, revised or closed (6.2, 9.3)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from zeal import zeal_ignore

from objectives import workflow as objectives
from objectives.models import Objective
from qms.periods import Period, today
from qms.refusals import Refused
from qms.work.models import WorkItem
from qms.workflow import amend
from reviews import evidence, workflow
from reviews.models import Review, ReviewedObjective
from reviews.prints import minutes_context
from tests import factories, scenes
from tests.reviews.test_views import signed_in
from tests.reviews.test_workflow import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("6.2.1"), pytest.mark.clause("9.3.2")]


@pytest.fixture
def cast() -> Cast:
    return Cast()


def an_active_objective(cast: Cast) -> Objective:
    made = scenes.an_objective(scenes.Cast())
    return objectives.activate(made, by=cast.manager)


def answer(cast: Cast, row: ReviewedObjective, said: str = "confirmed") -> ReviewedObjective:
    return amend(row, by=cast.manager, changes={"answer": said, "because": "It still fits."})


def test_compiling_lays_out_every_objective_pursued_as_it_stands(cast: Cast) -> None:
    objective = an_active_objective(cast)
    scenes.an_objective(scenes.Cast())  # a draft is not asked about
    review = cast.compiled()
    (row,) = workflow.objectives_of(review)
    assert row.objective == objective
    assert (row.standing, row.seen_version) == ("No data", objective.version)
    assert row.sentence
    assert row.aim.startswith(objective.aim_in_words)


def test_minutes_wait_for_every_objective_to_be_answered_with_a_reason(cast: Cast) -> None:
    objective = an_active_objective(cast)
    review = cast.decided()
    proof = factories.proof(cast.boss)
    with pytest.raises(Refused, match=f"{objective.number} is neither confirmed nor revised"):
        workflow.close(review, by=cast.boss, proof=proof)
    (row,) = workflow.objectives_of(review)
    with pytest.raises(Refused, match="Say why"):
        amend(row, by=cast.manager, changes={"answer": "confirmed", "because": " "})
    with pytest.raises(Refused, match="Say whether"):
        amend(row, by=cast.manager, changes={"answer": "", "because": "It still fits."})
    answer(cast, row)
    assert workflow.close(review, by=cast.boss, proof=proof).status == "closed"


def test_an_objective_that_ended_before_it_was_answered_is_not_asked(cast: Cast) -> None:
    objective = an_active_objective(cast)
    review = cast.decided()
    objectives.withdraw(objective, by=cast.manager, reason="The line is sold.")
    assert workflow.objectives_of(review) == []
    assert workflow.every_objective_is_answered(review, cast.boss) is None


def test_an_objective_begun_while_the_inputs_are_compiled_is_asked_at_the_meeting(
    cast: Cast,
) -> None:
    review = cast.answered()
    objective = an_active_objective(cast)
    cast.hold(review)
    assert [row.objective for row in workflow.objectives_of(review)] == [objective]


@pytest.mark.slow
def test_compiling_again_looks_anew_and_keeps_the_answers(cast: Cast) -> None:
    objective = an_active_objective(cast)
    review = cast.compiled()
    answer(cast, workflow.objectives_of(review)[0])
    changes = {"plan": "Two presses more."}
    amend(objective, by=cast.manager, changes=changes, reason="Agreed.")
    workflow.reopen_inputs(review, by=cast.manager, reason="A month more.")
    workflow.compile_inputs(review, by=cast.manager)
    (row,) = workflow.objectives_of(review)
    assert (row.seen_version, row.answer) == (objective.version, "confirmed")


@pytest.mark.slow
def test_answers_stay_with_signed_minutes_and_stand_under_the_signature(cast: Cast) -> None:
    an_active_objective(cast)
    review = cast.decided()
    (row,) = workflow.objectives_of(review)
    answer(cast, row)
    workflow.close(review, by=cast.boss, proof=factories.proof(cast.boss))
    with pytest.raises(Refused, match="until the minutes are signed"):
        answer(cast, row, "closed")
    before = Review.objects.get(pk=review.pk).content_hash
    with pytest.raises(DatabaseError, match="stays with its review"), transaction.atomic():
        row.refresh_from_db()
        row.because = "Another reason."
        row.save_because("Smuggled.", by=cast.manager)
    assert Review.objects.get(pk=review.pk).content_hash == before
    assert "objectives" in review.signed_content()


def test_minutes_signed_without_objectives_keep_what_was_signed(cast: Cast) -> None:
    assert '"objectives"' not in cast.closed().signed_content()


def steps(row: ReviewedObjective) -> list[tuple[str, Any]]:
    items = WorkItem.objects.filter(record_type__model="reviewedobjective", record_id=row.pk)
    return [(item.step, item.person or item.role) for item in items]


def test_what_is_to_be_revised_waits_for_its_owner_until_it_is(cast: Cast) -> None:
    objective = an_active_objective(cast)
    review = cast.answered()
    (row,) = workflow.objectives_of(review)
    answer(cast, row, "revised")
    assert steps(row) == []
    cast.hold(review)
    assert steps(row) == [("revise", objective.owner)]
    amend(objective, by=cast.manager, changes={"plan": "Slower."}, reason="As the review wanted.")
    assert steps(row) == []


def test_what_is_to_be_closed_waits_for_the_quality_manager_until_it_is(cast: Cast) -> None:
    objective = an_active_objective(cast)
    review = cast.held()
    (row,) = workflow.objectives_of(review)
    answer(cast, row, "closed")
    assert steps(row) == [("end", "quality_manager")]
    objectives.withdraw(objective, by=cast.manager, reason="The review closed it.")
    assert steps(row) == []


def typed(rows: list[ReviewedObjective], **said: str) -> dict[str, Any]:
    return {
        f"objective-{row.pk}-{name}": value
        for row in rows
        for name, value in (said | {"version": str(row.version)}).items()
    }


@pytest.mark.slow
def test_twelve_objectives_are_answered_in_one_form(cast: Cast) -> None:
    for _ in range(12):
        an_active_objective(cast)
    review = cast.compiled()
    rows = workflow.objectives_of(review)
    client = signed_in(cast.manager)
    page = client.get(review.get_absolute_url()).content.decode()
    assert "0 of 12 answered" in page
    told = typed(rows, answer="confirmed", because="It still fits.")
    with zeal_ignore():  # each answer is a record of its own: one write each
        answered = client.post(f"{review.get_absolute_url()}objectives/", told)
    assert answered.status_code == 303
    assert {row.answer for row in workflow.objectives_of(review)} == {"confirmed"}
    assert "12 of 12 answered" in client.get(review.get_absolute_url()).content.decode()


def test_one_wrong_answer_keeps_none_and_says_which(cast: Cast) -> None:
    for _ in range(2):
        an_active_objective(cast)
    review = cast.compiled()
    first, second = workflow.objectives_of(review)
    told = typed([first], answer="confirmed", because="It still fits.")
    told |= typed([second], answer="closed", because="")
    page = signed_in(cast.manager).post(f"{review.get_absolute_url()}objectives/", told)
    assert page.status_code == 422
    assert "Say why; the reason is kept with the minutes." in page.content.decode()
    assert not any(row.is_answered for row in workflow.objectives_of(review))


def test_who_was_slower_is_told_and_keeps_what_was_typed(cast: Cast) -> None:
    an_active_objective(cast)
    review = cast.compiled()
    (row,) = workflow.objectives_of(review)
    told = typed([row], answer="closed", because="Nobody needs it.")
    answer(cast, row)
    page = signed_in(cast.manager).post(f"{review.get_absolute_url()}objectives/", told)
    assert page.status_code == 422
    assert "Someone changed this meanwhile" in page.content.decode()
    assert "Nobody needs it." in page.content.decode()
    assert workflow.objectives_of(review)[0].answer == "confirmed"


def test_process_owners_read_the_answers_and_give_none(cast: Cast) -> None:
    an_active_objective(cast)
    review = cast.compiled()
    client: Client = signed_in(factories.person("process_owner"))
    page = client.get(review.get_absolute_url()).content.decode()
    assert "Not answered yet" in page
    assert "Keep the answers" not in page
    assert client.post(f"{review.get_absolute_url()}objectives/", {}).status_code == 403


def test_the_objective_shows_what_reviews_said(cast: Cast) -> None:
    objective = an_active_objective(cast)
    review = cast.held()
    answer(cast, workflow.objectives_of(review)[0])
    page = signed_in(cast.manager).get(objective.get_absolute_url()).content.decode()
    assert review.number in page
    assert "Confirmed as it is" in page
    worker = signed_in(factories.person()).get(objective.get_absolute_url()).content.decode()
    assert review.number not in worker


def test_the_minutes_and_the_pack_carry_the_answers(cast: Cast) -> None:
    objective = an_active_objective(cast)
    review = cast.held()
    answer(cast, workflow.objectives_of(review)[0], "revised")
    (printed,) = minutes_context(review)["objectives"]
    assert printed.answer == "revised"
    period = Period(today() - timedelta(days=30), today())
    (line,) = list(evidence.objective_register(period, review.recorded_at))
    assert line[:2] == (review.number, objective.number)
