"""The start: questions asked once, a briefing signed by who was there, a plan that moves."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from qms import clock
from qms.actions.workflow import complete
from qms.journey import steps, workflow
from qms.journey.models import (
    Briefing,
    BriefingAttendee,
    OpeningAnswer,
    PrincipleAnswer,
    Project,
    guide,
)
from qms.people.models import Person
from qms.periods import add_months, today
from qms.refusals import Refused
from qms.scope.workflow import set_up_organisation
from qms.workflow import amend
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager", name="Mara Keeper")


@pytest.fixture
def boss() -> Person:
    return factories.person("top_management", name="Bo Leader")


@pytest.fixture
def project(manager: Person) -> Project:
    set_up_organisation(by=manager, name="Acme", country="GB", time_zone="Europe/London")
    made = workflow.start_project(by=manager)
    return workflow.begin(made, by=manager, starts_on=today(), months=9)


def a_briefing(by: Person, *attendees: Person, **more: Any) -> Briefing:
    facts = {"held_on": today(), "topics": "All of it.", "hours": 300, "budget": Decimal(9000)}
    return workflow.record_briefing(by=by, attendees=attendees, **{**facts, **more})


# The plan


@pytest.mark.clause("6.2.2")
def test_a_plan_is_actions_with_owners_by_role_and_first_dates(
    project: Project, manager: Person, boss: Person
) -> None:
    rows = workflow.planned(project, today())
    assert [row.action.title for row in rows] == [line.title for line in guide.plan_lines()]
    assert {row.action.owner for row in rows} == {manager}  # nobody led when it was laid
    assert rows[-1].action.due >= add_months(today(), 9) - timedelta(days=1)
    assert not any(row.moved or row.slips for row in rows)


def test_a_plan_needs_the_organisation_first(manager: Person) -> None:
    made = workflow.start_project(by=manager)
    with pytest.raises(Refused, match="Describe the organisation first"):
        workflow.begin(made, by=manager, starts_on=today(), months=9)
    with pytest.raises(Refused, match="begun already"):
        workflow.start_project(by=manager)


@pytest.mark.slow
def test_what_is_late_is_told_and_moves_on_one_step_while_first_dates_stay(
    project: Project, manager: Person, time_machine: time_machine.TimeMachineFixture
) -> None:
    first = {row.action.pk: row.action.due for row in workflow.planned(project, today())}
    time_machine.move_to(clock.now() + timedelta(days=60))
    rows = workflow.planned(project, today())
    assert rows[0].slips > 0 and rows[-1].slips > 0
    complete(rows[0].action, by=manager, result="Held.")
    until = today() + timedelta(days=250)
    moved = workflow.replan(project, by=manager, until=until, reason="The fair took two months.")
    after = workflow.planned(project, today())
    assert moved == len(rows) - 1
    assert after[0].action.due == first[after[0].action.pk], "what is done stays"
    assert all(row.action.original_due == first[row.action.pk] for row in after)
    assert all(row.slips == 0 and row.moved for row in after[1:])
    reason = after[-1].action.history.latest().history_change_reason
    assert reason == "The fair took two months."


@pytest.mark.parametrize(
    ("days", "reason", "words"),
    [(0, "x", "a day to come"), (3000, "x", "two years"), (100, " ", "Say why")],
)
def test_a_plan_is_not_moved_to_the_past_far_away_or_without_a_reason(
    project: Project, manager: Person, days: int, reason: str, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        workflow.replan(project, by=manager, until=today() + timedelta(days=days), reason=reason)


def test_only_who_may_moves_the_plan(project: Project) -> None:
    with pytest.raises(PermissionDenied):
        workflow.replan(
            project,
            by=factories.person("process_owner"),
            until=today() + timedelta(days=90),
            reason="Because.",
        )


# Opening questions and principles


@pytest.mark.clause("4.1")
def test_opening_questions_are_asked_once_and_empty_takes_nothing_away(manager: Person) -> None:
    workflow.answer_opening(by=manager, answers={"services": "- Valves\n\n* Repairs ", "rules": ""})
    assert workflow.opening_lines("services") == ["Valves", "Repairs"]
    workflow.answer_opening(by=manager, answers={"services": " "})
    assert workflow.opening_lines("services") == ["Valves", "Repairs"]
    workflow.answer_opening(by=manager, answers={"services": "Pumps"})
    assert OpeningAnswer.objects.get().history.count() == 2
    with pytest.raises(Refused, match="no opening question"):
        workflow.answer_opening(by=manager, answers={"secret": "x"})
    with pytest.raises(PermissionDenied):
        workflow.answer_opening(by=factories.person(), answers={"services": "Mine"})


def test_a_principle_is_looked_at_again_every_year_also_when_it_still_holds(
    manager: Person, time_machine: time_machine.TimeMachineFixture
) -> None:
    answers = {"leadership.1": "She comes to the line every Friday.", "leadership.2": ""}
    workflow.answer_principle(by=manager, principle="leadership", answers=answers)
    time_machine.move_to(clock.now() + timedelta(days=400))
    answer = PrincipleAnswer.objects.get()
    assert list(PrincipleAnswer.objects.due(today())) == [answer]
    workflow.answer_principle(by=manager, principle="leadership", answers=answers)
    answer.refresh_from_db()
    assert answer.review_on == add_months(today(), 12)
    assert "still holds" in answer.history.latest().history_change_reason
    assert not PrincipleAnswer.objects.due(today()).exists()


@pytest.mark.parametrize(
    ("principle", "answers", "words"),
    [
        ("luck", {}, "seven principles"),
        ("leadership", {"evidence.1": "x"}, "no question"),
        ("leadership", {"leadership.1": "  "}, "at least one"),
    ],
)
def test_a_foreign_or_empty_answer_is_refused_in_words(
    manager: Person, principle: str, answers: dict[str, str], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        workflow.answer_principle(by=manager, principle=principle, answers=answers)


# The briefing


@pytest.mark.clause("5.1.1")
def test_a_briefing_is_signed_by_top_management_that_was_there(
    manager: Person, boss: Person
) -> None:
    absent = factories.person("top_management")
    briefing = a_briefing(manager, boss)
    with pytest.raises(PermissionDenied):
        workflow.sign(briefing, by=manager, proof=factories.proof(manager))
    with pytest.raises(Refused, match="was at the briefing"):
        workflow.sign(briefing, by=absent, proof=factories.proof(absent))
    signed = workflow.sign(briefing, by=boss, proof=factories.proof(boss))
    assert signed.signed_by == boss and Briefing.objects.go_ahead().get() == signed


def test_a_briefing_to_come_or_without_people_is_not_signed(manager: Person, boss: Person) -> None:
    coming = a_briefing(manager, boss, held_on=today() + timedelta(days=1))
    with pytest.raises(Refused, match="signed afterwards"):
        workflow.sign(coming, by=boss, proof=factories.proof(boss))
    with pytest.raises(Refused, match="Say who was there"):
        workflow.sign(a_briefing(manager), by=boss, proof=factories.proof(boss))


def test_not_yet_needs_a_reason_and_begins_nothing(manager: Person, boss: Person) -> None:
    with pytest.raises(Refused, match="conditions"):
        a_briefing(manager, boss, decision="not_yet")
    briefing = a_briefing(manager, boss, decision="not_yet", conditions="After the move.")
    workflow.sign(briefing, by=boss, proof=factories.proof(boss))
    assert not Briefing.objects.go_ahead().exists()


def test_who_attended_a_signed_briefing_stays_also_in_the_database(
    manager: Person, boss: Person
) -> None:
    briefing = a_briefing(manager)
    workflow.set_attendees(briefing, by=manager, attendees=[boss])
    briefing = workflow.sign(briefing, by=boss, proof=factories.proof(boss))
    with pytest.raises(Refused, match="already signed"):
        workflow.set_attendees(briefing, by=manager, attendees=[manager])
    link = BriefingAttendee(briefing=briefing, person=manager, created_by=manager)
    with pytest.raises(IntegrityError), transaction.atomic():
        link.save()


def test_an_edit_never_leaves_a_decision_without_its_reason(manager: Person, boss: Person) -> None:
    briefing = a_briefing(manager, boss)
    with pytest.raises(Refused, match="conditions"):
        amend(briefing, by=manager, changes={"decision": "not_yet"})
    amend(briefing, by=manager, changes={"decision": "not_yet", "conditions": "After the move."})
    with pytest.raises(PermissionDenied):
        workflow.set_attendees(briefing, by=factories.person("process_owner"), attendees=[])


# The ten steps


def test_the_steps_are_computed_from_records_and_nothing_is_done_at_first() -> None:
    found = steps.standings(today())
    assert [each.step.number for each in found] == list(range(1, 11))
    assert all(each.milestones for each in found)
    assert not any(each.is_done for each in found)
    assert steps.current(found) == found[0] and not steps.is_certified(found)
    assert all(each.next and each.next.url for each in found[:9])


@pytest.mark.slow
def test_a_step_is_done_when_its_records_say_so(
    project: Project, manager: Person, boss: Person
) -> None:
    workflow.sign(a_briefing(manager, boss), by=boss, proof=factories.proof(boss))
    asked = {each.key: "One\nTwo" for each in guide.questions()}
    workflow.answer_opening(by=manager, answers=asked)
    for principle in guide.principles():
        answers = {key: "Like this." for key, _text in principle.asked()}
        workflow.answer_principle(by=manager, principle=principle.key, answers=answers)
    found = steps.standings(today())
    assert found[0].is_done and found[0].target
    assert steps.current(found) == found[1]


def test_what_stops_is_told_by_the_momentum() -> None:
    going = steps.Pulse("Audits", "/audits/", (3, 4, 3, 4))
    slower = steps.Pulse("Audits", "/audits/", (4, 4, 4, 1))
    stopped = steps.Pulse("Readings", "/objectives/", (1, 2, 1, 0))
    yearly = steps.Pulse("Reviews", "/reviews/", (0, 0, 1, 0))
    tones = [each.tone for each in (going, slower, stopped, yearly)]
    assert tones == ["fine", "soon", "late", "fine"]
    assert "readings" in steps.said_of([going, stopped])
    none = steps.Pulse("Audits", "/audits/", (0, 0, 0, 0))
    assert (none.tone, none.words) == ("plain", "not yet")
    assert "Nothing has happened yet" in steps.said_of([none])
    spans = steps.quarters(today())
    assert spans[-1].end == today() and all(
        later.start == earlier.end + timedelta(days=1) for earlier, later in pairwise(spans)
    )
