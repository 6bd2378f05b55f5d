"""An objective is pursued only when it is complete, and concluded only by its readings (6.2)."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from objectives import workflow
from objectives.models import Measurement, Objective, aims_of
from objectives.status import standing_of
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused, Stale
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories
from tests.kernel.test_workflow import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.clause("6.2.1")]
Make = Callable[..., Objective]


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager")


@pytest.fixture
def owner() -> Person:
    return factories.person(name="Olive Owner")


@pytest.fixture
def make(manager: Person, owner: Person) -> Make:
    def made(**fields: Any) -> Objective:
        return workflow.set_objective(by=manager, **(complete(owner) | fields))

    return made


def complete(owner: Person) -> dict[str, Any]:
    return {
        "title": "Answer inquiries within a day",
        "metric": "Inquiries answered within 24 hours",
        "unit": "%",
        "baseline": Decimal(80),
        "target": Decimal(90),
        "starts_on": today() - timedelta(days=60),
        "deadline": today() + timedelta(days=300),
        "owner": owner,
        "evaluation": "Counted from the mailbox at each month's end.",
    }


def enter(objective: Objective, by: Person, value: object, day: date | None = None) -> Measurement:
    assert objective.indicator is not None
    return workflow.record_reading(
        by=by,
        indicator=objective.indicator,
        measured_for=day or today(),
        value=Decimal(str(value)),
    )


def active(make: Make, manager: Person, **fields: Any) -> Objective:
    return workflow.activate(make(**fields), by=manager)


@pytest.mark.parametrize(
    ("field", "empty", "words"),
    [
        ("metric", "", "what is measured and in which unit"),
        ("baseline", None, "the baseline"),
        ("target", None, "the target"),
        ("deadline", None, "by when"),
        ("owner", None, "who owns it"),
        ("evaluation", "", "how the result is evaluated"),
    ],
)
def test_it_is_not_pursued_while_something_is_missing_and_says_what(
    make: Make, manager: Person, field: str, empty: object, words: str
) -> None:
    objective = make(**{field: empty})
    with pytest.raises(Refused, match=f"^Before it starts, say {words}\\.$"):
        workflow.activate(objective, by=manager)
    assert objective.status == "draft"


def test_a_band_asks_for_its_ends_instead_of_a_target(make: Make, manager: Person) -> None:
    objective = make(direction="within", target=None)
    with pytest.raises(Refused, match="both ends of the band"):
        workflow.activate(objective, by=manager)
    amend(objective, by=manager, changes={"lower_band": Decimal(2), "upper_band": Decimal(4)})
    assert workflow.activate(objective, by=manager).status == "active"


def test_the_database_refuses_an_incomplete_objective_too(make: Make, manager: Person) -> None:
    objective = make(evaluation="")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE objectives_objective SET status = 'active' WHERE id = %s", [objective.pk]
        )


def test_what_is_pursued_cannot_lose_its_target(make: Make, manager: Person) -> None:
    objective = active(make, manager)
    with pytest.raises(Refused, match="cannot lose the target and by when"):
        amend(objective, by=manager, changes={"target": None, "deadline": None}, reason="Unclear")


def test_a_reduction_by_percent_is_taken_from_the_baseline(make: Make, manager: Person) -> None:
    objective = make(
        direction="lower",
        baseline=Decimal(40),
        target=Decimal(15),
        target_relative_to_baseline=True,
        unit="defects",
    )
    assert objective.goal == Decimal(34)
    assert objective.aim_in_words == "at most 34.0 defects"
    amend(objective, by=manager, changes={"baseline": Decimal(0)})
    with pytest.raises(Refused, match="cannot be zero"):
        workflow.activate(objective, by=manager)


def test_a_change_by_percent_of_a_baseline_below_zero_still_goes_the_right_way(
    make: Make,
) -> None:
    rise = make(
        title="Raise the score by a fifth",
        direction="higher",
        baseline=Decimal(-10),
        target=Decimal(20),
        target_relative_to_baseline=True,
    )
    assert rise.goal == Decimal(-8)
    fall = make(
        title="Lower the balance by a fifth",
        direction="lower",
        baseline=Decimal(-10),
        target=Decimal(20),
        target_relative_to_baseline=True,
    )
    assert fall.goal == Decimal(-12)


@pytest.mark.parametrize("target", [Decimal(-15), Decimal(0)])
def test_by_how_many_percent_is_written_without_a_sign(make: Make, target: Decimal) -> None:
    with pytest.raises(Refused, match="above 0; the direction says"):
        make(direction="lower", target=target, target_relative_to_baseline=True)


def test_what_is_pursued_never_becomes_a_share_of_nothing(make: Make, manager: Person) -> None:
    objective = make(direction="lower", target=Decimal(15), target_relative_to_baseline=True)
    workflow.activate(objective, by=manager)
    with pytest.raises(Refused, match="the baseline cannot be zero"):
        amend(objective, by=manager, changes={"baseline": Decimal(0)}, reason="Measured anew")


def test_a_revised_target_keeps_the_old_one_visible_with_its_reason(
    make: Make, manager: Person
) -> None:
    objective = active(make, manager)
    with pytest.raises(Refused, match="Say why"):
        amend(objective, by=manager, changes={"target": Decimal(95)})
    amend(objective, by=manager, changes={"target": Decimal(95)}, reason="Too easy")
    amend(objective, by=manager, changes={"communicated_to": "All"}, reason="Told")
    aims = aims_of(objective)
    assert [each.aim for each in aims] == ["at least 90.0 %", "at least 95.0 %"]
    assert (aims[-1].reason, aims[-1].by) == ("Too easy", manager)


def test_the_deadline_lies_after_the_start(make: Make) -> None:
    with pytest.raises(Refused, match="after the start"):
        make(deadline=today() - timedelta(days=61))


def test_its_owner_enters_readings_and_a_stranger_does_not(
    make: Make, manager: Person, owner: Person
) -> None:
    objective = active(make, manager)
    assert enter(objective, owner, 82).value == 82
    with pytest.raises(PermissionDenied, match="Only who is responsible"):
        enter(objective, factories.person("process_owner"), 99, today() - timedelta(days=40))


@pytest.mark.parametrize("day", [1, 400])
def test_a_reading_is_never_of_a_day_to_come(
    make: Make, manager: Person, owner: Person, day: int
) -> None:
    with pytest.raises(Refused, match="day to come"):
        enter(active(make, manager), owner, 82, today() + timedelta(days=day))


def test_there_is_one_live_reading_for_a_period(make: Make, manager: Person, owner: Person) -> None:
    objective = active(make, manager)
    enter(objective, owner, 82)
    with pytest.raises(Refused, match="If it is wrong, correct it"):
        enter(objective, owner, 83)


def test_a_value_never_changes_not_even_in_the_database(
    make: Make, manager: Person, owner: Person
) -> None:
    reading = enter(active(make, manager), owner, 82)
    reading.value = Decimal(92)
    with pytest.raises(Refused):
        reading.save_because("Nicer", by=owner)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE objectives_measurement SET value = 92 WHERE id = %s", [reading.pk])


def test_a_correction_is_an_entry_of_its_own_and_the_wrong_one_stays(
    make: Make, manager: Person, owner: Person
) -> None:
    objective = active(make, manager)
    wrong = enter(objective, owner, 28)
    with pytest.raises(Refused, match="what was wrong"):
        workflow.correct(wrong, by=owner, figure="82", measured_for=today(), because=" ")
    assert wrong.status == "live"
    workflow.correct(wrong, by=owner, figure="82 %", measured_for=today(), because="Digits swapped")
    right = objective.indicator.measurements.live().get()
    assert (wrong.status, wrong.value) == ("corrected", 28)
    assert (right.value, right.corrects, right.note) == (82, wrong, "Digits swapped")
    assert standing_of(objective, today()).value == 82
    with pytest.raises(Refused, match="already corrected"):
        workflow.correct(wrong, by=owner, figure="81", measured_for=today(), because="Again")


def test_a_reading_taken_back_stays_visible_with_the_reason(
    make: Make, manager: Person, owner: Person
) -> None:
    objective = active(make, manager)
    reading = workflow.take_back(
        enter(objective, owner, 82), by=owner, reason="Of another objective"
    )
    assert reading.history.first().history_change_reason == "Of another objective"
    assert enter(objective, owner, 83).status == "live"


def test_it_is_not_concluded_before_its_deadline(make: Make, manager: Person) -> None:
    objective = active(make, manager)
    for move in (workflow.achieve, workflow.miss):
        with pytest.raises(Refused, match="It runs until"):
            move(objective, by=manager, verdict="Done")


@pytest.fixture
def over(make: Make, manager: Person, owner: Person) -> Objective:
    """An objective of one month that has passed, without a reading yet."""
    start = date(2026, 9, 1)
    return active(make, manager, starts_on=start, deadline=date(2026, 9, 30))


def test_it_is_achieved_by_its_readings_not_by_a_verdict(
    over: Objective, manager: Person, owner: Person
) -> None:
    with time_machine.travel("2026-10-05T12:00Z"):
        with pytest.raises(Refused, match="The reading for Sep 2026 is not entered yet"):
            workflow.achieve(over, by=manager, verdict="Well done")
        enter(over, owner, 89, date(2026, 9, 30))
        with pytest.raises(Refused, match=r"does not reach the target of 90\.0 %"):
            workflow.achieve(over, by=manager, verdict="Nearly")
        workflow.miss(over, by=manager, verdict="One short; we answer on weekends now.")
    assert (over.status, over.concluded_by) == ("missed", manager)
    assert enter(over, owner, 91).status == "live"  # the indicator lives on
    assert standing_of(over, today()).value == 89
    with pytest.raises(Refused, match="cannot be edited"):
        amend(over, by=manager, changes={"target": Decimal(89)}, reason="Then it was achieved")


def test_a_reading_that_reaches_the_target_concludes_it(
    over: Objective, manager: Person, owner: Person
) -> None:
    with time_machine.travel("2026-10-05T12:00Z"):
        enter(over, owner, 90, date(2026, 9, 30))
        with pytest.raises(PermissionDenied):
            workflow.achieve(over, by=owner, verdict="Yes")
        workflow.achieve(over, by=manager, verdict="Reached.")
    assert over.status == "achieved"


def test_a_page_that_went_stale_is_refused(make: Make, manager: Person) -> None:
    objective = active(make, manager)
    with pytest.raises(Stale):
        workflow.withdraw(objective, by=manager, reason="No longer", version=1)


def test_the_owner_is_asked_for_each_reading_and_then_for_none(
    make: Make, manager: Person, owner: Person
) -> None:
    objective = active(make, manager, starts_on=date(2026, 8, 1), deadline=date(2026, 9, 30))
    indicator = objective.indicator
    assert work(indicator) == [("measure", owner, date(2026, 9, 7))]
    enter(objective, owner, 81, date(2026, 8, 31))
    assert work(indicator) == [("measure", owner, date(2026, 10, 7))]
    assert work(objective) == []
    last = enter(objective, owner, 91, date(2026, 9, 30))
    assert work(objective) == [("conclude", None, date(2026, 10, 14))]
    workflow.take_back(last, by=owner, reason="Not final")
    assert work(objective) == []
    assert work(indicator) == [("measure", owner, date(2026, 10, 7))]


def work(record: Any) -> list[tuple[str, Person | None, date | None]]:
    kind = record._meta.verbose_name
    rows = WorkItem.objects.filter(record_id=record.pk, kind=kind)
    return [(row.step, row.person, row.due) for row in rows.select_related("person")]


@pytest.mark.django_db(transaction=True)
def test_of_two_readings_for_a_day_at_once_one_is_refused_in_words() -> None:
    manager, owner = factories.person("quality_manager"), factories.person()
    objective = workflow.set_objective(by=manager, **complete(owner))
    answers = at_once(lambda: enter(objective, owner, 1), lambda: enter(objective, manager, 2))
    assert answers[0] == "ok" or answers[1] == "ok"
    assert sum("correct it" in each for each in answers) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_corrections_at_once_one_is_refused_in_words() -> None:
    manager, owner = factories.person("quality_manager"), factories.person()
    objective = workflow.set_objective(by=manager, **complete(owner))
    wrong = enter(objective, owner, 1)

    def correct(value: int, by: Person) -> Callable[[], object]:
        fields = {"figure": str(value), "measured_for": today(), "because": "Wrong"}
        return lambda: workflow.correct(Measurement.objects.get(pk=wrong.pk), by=by, **fields)

    answers = at_once(correct(2, owner), correct(3, manager))
    assert sorted(each == "ok" for each in answers) == [False, True]
    assert objective.indicator.measurements.live().count() == 1
