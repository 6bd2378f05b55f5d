"""Reminders of audits and of the body's visits: before, on and after the day, each once.

The scheduler is run as the clock would run it: all day long, twice, late, or not at all for some
days. What is read is the mail that left.
"""

import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail

from audits import workflow
from audits.models import Audit
from qms.mail import address_of
from qms.outbox import workflow as outbox
from qms.periods import start_of, today
from qms.scope.workflow import set_up_organisation
from qms.work.models import Reminder, WorkItem
from qms.work.tasks import remind
from qms.work.workflow import STAGES
from tests import factories, scenes
from tests.sampling import spread
from tests.scenes import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.2.2")]
PLANNED = date(2026, 6, 10)
BEFORE = PLANNED - timedelta(days=12)
Sent = Counter[tuple[str, date]]


@pytest.fixture
def cast() -> Cast:
    return Cast()


def confirmed(cast: Cast) -> Audit:
    """An audit of 10 June, confirmed long before: lead and team are to conduct it."""
    with time_machine.travel(datetime(2026, 5, 1, 9, tzinfo=UTC), tick=False):
        audit = workflow.plan_audit(
            by=cast.lead,
            process=cast.process(),
            planned_on=PLANNED,
            lead=cast.lead,
            team=[cast.member],
        )
        return workflow.confirm(audit, by=cast.lead)


def looks(*moments: datetime) -> Sent:
    """What the scheduler sends when it looks at these moments: (to whom, on which day)."""
    mail.outbox.clear()
    sent: Sent = Counter()
    for moment in moments:
        with time_machine.travel(moment, tick=False):
            before = len(mail.outbox)
            remind()
            outbox.drain("default")
            for message in mail.outbox[before:]:
                sent[message.to[0], today()] += 1
    return sent


def at(day: date, hour: int = 6, minute: int = 0) -> datetime:
    return start_of(day, at=time(hour, minute))


def to(sent: Sent, person: Any) -> list[date]:
    """The days on which somebody got a mail, one for each mail."""
    name = address_of(person)
    return sorted(day for (who, day), many in sent.items() if who == name for _ in range(many))


def after(*stages: int) -> list[date]:
    return [PLANNED + timedelta(days=stage) for stage in stages]


@pytest.mark.slow
def test_a_scheduler_that_runs_all_day_long_sends_each_reminder_once(
    cast: Cast,
) -> None:
    confirmed(cast)
    days = [BEFORE + timedelta(days=n) for n in range(45)]
    sent = looks(*(at(day, hour) for day in days for hour in (0, 6, 12, 23)))
    assert to(sent, cast.lead) == to(sent, cast.member) == after(*STAGES)
    assert min(STAGES) < 0 < max(STAGES), "before, on and after the day"
    assert 0 in STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_run_twice_it_sends_once(cast: Cast, stage: int) -> None:
    confirmed(cast)
    (day,) = after(stage)
    sent = looks(at(day, 6), at(day, 6), at(day, 6, 15), at(day, 23, 59))
    assert to(sent, cast.lead) == [day]


@pytest.mark.parametrize("first_day_off", spread(range(-9, 9), quick=4))
@pytest.mark.slow
def test_after_three_stopped_days_nothing_is_lost_and_nothing_comes_twice(
    cast: Cast, first_day_off: int
) -> None:
    """What fell into the pause comes on the first day after it, as one mail of the latest stage."""
    confirmed(cast)
    off = set(after(*range(first_day_off, first_day_off + 3)))
    days = [BEFORE + timedelta(days=n) for n in range(45)]
    running = [day for day in days if day not in off]
    sent = looks(*(at(day, hour) for day in running for hour in (6, 18)))
    caught_up = max(off) + timedelta(days=1)
    expected = {day if day not in off else caught_up for day in after(*STAGES)}
    assert to(sent, cast.lead) == sorted(expected)
    assert to(sent, cast.member) == sorted(expected)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_whatever_the_scheduler_does_no_stage_comes_twice_and_the_last_is_not_missed(
    cast: Cast, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same pauses every time
    confirmed(cast)
    days = [BEFORE + timedelta(days=n) for n in range(60)]
    moments = [
        at(day, chance.randrange(24), chance.randrange(60))
        for day in days
        if chance.random() < 0.4
        for _ in range(chance.choice([1, 1, 2, 5]))
    ]
    sent = looks(*sorted(moments))
    rows = Reminder.objects.filter(person=cast.member).order_by("pk")
    stages = list(rows.values_list("stage", flat=True))
    assert stages == sorted(set(stages)), "each stage at most once, in order"
    assert stages[-1] == max(STAGES)
    assert len(to(sent, cast.member)) == len(stages)


def test_late_in_the_evening_it_is_still_the_organisations_day(cast: Cast) -> None:
    """At eleven in the evening of Toronto it is the next day in UTC already."""
    set_up_organisation(by=cast.manager, name="Roy", country="CA", time_zone="America/Toronto")
    confirmed(cast)
    looks(at(PLANNED - timedelta(days=1)))
    assert not looks(at(PLANNED - timedelta(days=1), 23, 30))
    assert to(looks(at(PLANNED, 0, 15)), cast.lead) == [PLANNED]


@pytest.mark.slow
def test_a_postponed_audit_is_reminded_of_by_its_new_day_only(cast: Cast) -> None:
    audit = confirmed(cast)
    looks(at(PLANNED - timedelta(days=7)))
    later = PLANNED + timedelta(days=21)
    with time_machine.travel(at(PLANNED - timedelta(days=6)), tick=False):
        audit = workflow.postpone(audit, by=cast.lead, planned_on=later, reason="Illness.")
        workflow.confirm(audit, by=cast.lead)
    days = [PLANNED + timedelta(days=n) for n in range(-5, 60)]
    sent = looks(*(at(day) for day in days))
    assert to(sent, cast.member) == [later + timedelta(days=stage) for stage in STAGES]


@pytest.mark.slow
def test_once_it_began_the_team_is_left_alone_and_the_lead_reports(cast: Cast) -> None:
    audit = confirmed(cast)
    looks(at(PLANNED))
    with time_machine.travel(at(PLANNED, 8), tick=False):
        workflow.start(audit, by=cast.lead)
    report = WorkItem.objects.get(record_id=audit.pk, step="report").due
    assert report is not None
    days = [PLANNED + timedelta(days=n) for n in range(1, 60)]
    sent = looks(*(at(day) for day in days))
    assert to(sent, cast.member) == []
    assert to(sent, cast.lead) == [report + timedelta(days=stage) for stage in STAGES]


def test_an_audit_that_was_called_off_reminds_nobody(cast: Cast) -> None:
    audit = confirmed(cast)
    workflow.void(audit, by=cast.manager, reason="Called off.")
    assert not looks(*(at(day) for day in after(*STAGES)))


@pytest.mark.slow
def test_a_visit_of_the_body_is_announced_to_who_prepares_it(cast: Cast) -> None:
    with time_machine.travel(datetime(2026, 5, 1, 9, tzinfo=UTC), tick=False):
        certificate = scenes.an_application(cast)
        workflow.plan_visit(
            by=cast.manager, certificate=certificate, kind="stage2", planned_on=PLANNED
        )
    days = [BEFORE + timedelta(days=n) for n in range(45)]
    sent = looks(*(at(day) for day in days for _ in range(2)))
    assert to(sent, cast.manager) == after(*STAGES)
    assert factories.person().email not in str(sent)
