"""Effectiveness by an indicator: counted from its readings, and not before its time."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine

from capa import workflow
from capa.models import CorrectiveAction
from capa.progress import progress_of
from objectives import workflow as objectives
from objectives.models import Indicator
from qms.actions.workflow import complete
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("10.2.1")]
START = date(2026, 1, 12)


class Line:
    """A corrective action that 500 orders and a limit must show to be effective."""

    def __init__(self) -> None:
        self.manager = factories.person("quality_manager", name="Mia Manager")
        self.owner = factories.person("process_owner", name="Ola Owner")
        self.orders: Indicator = objectives.add_indicator(
            by=self.manager,
            title="Orders delivered",
            unit="orders",
            starts_on=START,
            responsible=self.owner,
        )

    def action(self, **more: object) -> CorrectiveAction:
        said: dict[str, object] = {
            "indicator": self.orders.pk,
            "count_target": 500,
            "count_of": "orders",
            "check_on": today() + timedelta(days=60),
        }
        action = workflow.raise_corrective_action(
            by=self.owner,
            title="Materials by name",
            owner=self.owner,
            cause="The order names no material.",
            criterion="No wrong gasket in 500 orders.",
            **{**said, **more},
        )
        workflow.add_task(action, by=self.owner, title="Form", owner=self.owner, due=today())
        workflow.start_plan(action, by=self.owner)
        [task] = workflow.tasks_of(action)
        complete(task, by=self.owner, result="Changed.")
        return workflow.implement_action(action, by=self.owner)

    def delivered(self, on: date, count: int) -> None:
        objectives.record_reading(
            by=self.owner, indicator=self.orders, measured_for=on, value=Decimal(count)
        )

    def judge(self, action: CorrectiveAction, by: Person) -> CorrectiveAction:
        proof = factories.proof(by)
        return workflow.judge_effective(action, by=by, proof=proof, verdict="None was wrong.")


@pytest.fixture
def line() -> Line:
    return Line()


def test_progress_is_counted_from_the_readings_since_it_was_in_place(
    line: Line, time_machine: time_machine.TimeMachineFixture
) -> None:
    time_machine.move_to("2026-01-15T15:00:00Z", tick=False)
    action = line.action()
    told = progress_of(action, today())
    assert told is not None
    assert told.sentence.startswith("Not yet assessable: 0 of 500 orders.")
    time_machine.move_to("2026-03-02T15:00:00Z", tick=False)
    line.delivered(date(2026, 1, 31), 200)
    line.delivered(date(2026, 2, 28), 212)
    told = progress_of(action, today())
    assert told is not None
    assert (told.short, told.share, told.assessable) == ("412 of 500 orders", 82, False)
    with pytest.raises(Refused, match="needs time"):
        line.judge(action, line.manager)
    time_machine.move_to("2026-04-02T15:00:00Z", tick=False)
    with pytest.raises(Refused, match="Not yet assessable: 412 of 500 orders"):
        line.judge(action, line.manager)
    line.delivered(date(2026, 3, 31), 130)
    assert line.judge(action, line.manager).status == "effective"


def test_what_was_delivered_before_does_not_count(
    line: Line, time_machine: time_machine.TimeMachineFixture
) -> None:
    time_machine.move_to("2026-02-02T15:00:00Z", tick=False)
    line.delivered(date(2026, 1, 31), 5000)
    told = progress_of(line.action(), today())
    assert told is not None
    assert told.counted == 0


def test_values_beyond_the_limit_are_said(
    line: Line, time_machine: time_machine.TimeMachineFixture
) -> None:
    time_machine.move_to("2026-01-15T15:00:00Z", tick=False)
    limit = {"counts": "readings", "count_target": 2, "count_of": "months"}
    action = line.action(**limit, bound="at_most", limit=Decimal("210.0"))
    time_machine.move_to("2026-04-02T15:00:00Z", tick=False)
    line.delivered(date(2026, 1, 31), 200)
    line.delivered(date(2026, 2, 28), 212)
    told = progress_of(action, today())
    assert told is not None
    assert (told.beyond, told.assessable) == (1, True)
    assert told.sentence == "2 of 2 months. 1 of 2 values at most 210."
    with pytest.raises(Refused, match="1 of 2 values is not at most 210"):
        line.judge(action, line.manager)


def test_half_a_limit_is_refused(line: Line) -> None:
    with pytest.raises(Refused, match="Say both"):
        line.action(bound="at_most")
