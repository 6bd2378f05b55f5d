"""The scheduler: nothing begins before what it waits for, nobody carries more than they have."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qms.gap.roadmap import (
    USUAL_DAYS,
    WHOLE_DAY,
    Plan,
    Task,
    monday,
    promised_load,
    schedule,
)
from qms.refusals import Refused

pytestmark = [pytest.mark.clause("6.2.2")]

TODAY = date(2026, 11, 23)  # a Monday


def task(key: int, days: str = "1", owner: int = 1, due: int = 30, *needs: int) -> Task:
    return Task(key, owner, TODAY + timedelta(days=due), Decimal(days), needs)


@st.composite
def roadmaps(draw: st.DrawFn) -> list[Task]:
    count = draw(st.integers(1, 14))
    found = []
    for key in range(count):
        needs = draw(st.sets(st.integers(0, key - 1), max_size=3)) if key else set()
        effort = draw(st.none() | st.decimals("0.1", "12", places=1))
        done = draw(st.none() | st.integers(-40, 0)) if draw(st.booleans()) else None
        found.append(
            Task(
                key,
                draw(st.integers(1, 3)),
                TODAY + timedelta(days=draw(st.integers(-60, 200))),
                effort,
                tuple(sorted(needs)),
                TODAY + timedelta(days=done) if done is not None else None,
            )
        )
    return draw(st.permutations(found))


CAPACITIES = st.dictionaries(st.integers(1, 3), st.decimals("0.5", "5", places=1), max_size=3)


@given(roadmaps(), CAPACITIES, st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_any_roadmap_keeps_order_capacity_and_weekends(
    tasks: list[Task], capacity: dict[int, Decimal], later: int
) -> None:
    today = TODAY + timedelta(days=later)
    plan = schedule(tasks, today=today, capacity=capacity)
    assert {each.task.key for each in plan.placed} == {each.key for each in tasks}
    ends = {each.task.key: each for each in plan.placed}
    for each in plan.placed:
        if each.is_done:
            assert (each.start, each.load) == (each.task.done_on, ())
            continue
        assert each.start >= today
        assert sum(share for _day, share in each.load) == each.task.days
        for need in each.task.needs:
            assert ends[need].is_done or each.start > ends[need].end
    _nobody_is_overloaded(plan, capacity)
    assert schedule(list(reversed(tasks)), today=today, capacity=capacity) == plan


def _nobody_is_overloaded(plan: Plan, capacity: dict[int, Decimal]) -> None:
    days: dict[tuple[int, date], Decimal] = defaultdict(Decimal)
    weeks: dict[tuple[int, date], Decimal] = defaultdict(Decimal)
    for each in plan.placed:
        for day, share in each.load:
            assert day.weekday() < 5
            assert share > 0
            days[each.task.owner, day] += share
            weeks[each.task.owner, monday(day)] += share
    assert all(share <= WHOLE_DAY for share in days.values())
    assert all(used <= capacity.get(who, USUAL_DAYS) for (who, _week), used in weeks.items())


@given(roadmaps())
@settings(max_examples=30, deadline=None)
def test_more_time_never_ends_later_for_one_person(tasks: list[Task]) -> None:
    alone = [Task(t.key, 1, t.due, t.effort, t.needs, t.done_on) for t in tasks]
    slow = schedule(alone, today=TODAY, usual=Decimal(1)).realistic_end
    quick = schedule(alone, today=TODAY, usual=Decimal(5)).realistic_end
    assert slow is not None
    assert quick is not None
    assert quick <= slow


def test_one_day_a_week_takes_three_weeks_for_three_days() -> None:
    plan = schedule([task(1, "3")], today=TODAY)
    assert plan.of(1).end == TODAY + timedelta(days=14)
    assert plan.weekly_load() == {1: {TODAY + timedelta(weeks=n): Decimal(1) for n in range(3)}}


def test_what_is_due_first_goes_first_and_a_follower_waits_for_the_next_working_day() -> None:
    tasks = [task(1, "1", 1, 40), task(2, "1", 1, 10), task(3, "1", 2, 5, 2)]
    plan = schedule(tasks, today=TODAY, usual=Decimal(5))
    assert plan.of(2).end == TODAY
    assert plan.of(1).start == TODAY + timedelta(days=1)
    assert plan.of(3).start == TODAY + timedelta(days=1)


def test_it_moves_when_reality_does() -> None:
    tasks = [task(1, "2", 1, 7), task(2, "1", 2, 10, 1)]
    before = schedule(tasks, today=TODAY).realistic_end
    done = [Task(1, 1, tasks[0].due, tasks[0].effort, (), TODAY), tasks[1]]
    assert schedule(done, today=TODAY).realistic_end == TODAY < (before or TODAY)
    a_month_on = schedule(tasks, today=TODAY + timedelta(days=30))
    assert len(a_month_on.late) == 2
    assert a_month_on.promised_end == tasks[1].due


def test_a_circle_is_refused_and_so_is_a_roadmap_without_end() -> None:
    with pytest.raises(Refused, match="circle"):
        schedule([task(1, "1", 1, 5, 2), task(2, "1", 1, 5, 1)], today=TODAY)
    endless = [task(key, "260") for key in range(40)]
    with pytest.raises(Refused, match="this century"):
        schedule(endless, today=TODAY, usual=Decimal("0.5"))


def test_a_promise_at_the_last_moment_loads_the_days_before_its_day() -> None:
    friday = TODAY + timedelta(days=4)
    load = promised_load([Task(1, 1, friday, Decimal(7))], today=TODAY)
    assert load == {1: {TODAY: Decimal(7)}}, "more than the days there are falls on the first"
    spread = promised_load([Task(1, 1, friday + timedelta(weeks=1), Decimal(7))], today=TODAY)
    assert spread == {1: {TODAY: Decimal(2), TODAY + timedelta(weeks=1): Decimal(5)}}
    assert promised_load([Task(1, 1, friday, Decimal(1), (), TODAY)], today=TODAY) == {}


def test_nothing_planned_has_no_end() -> None:
    assert schedule([], today=TODAY) == Plan((), None, None)
    with pytest.raises(ValueError, match="capacity"):
        schedule([task(1)], today=TODAY, usual=Decimal(0))


def test_a_long_roadmap_of_one_person_takes_a_day_after_the_other_and_no_longer() -> None:
    asked = []

    class Counted(Decimal):
        """A week's capacity that counts how often it is compared."""

        def __sub__(self, other: Decimal) -> Decimal:  # type: ignore[override]
            asked.append(other)
            return Decimal(self) - other

    tasks = [task(key, "1", due=key % 90) for key in range(1000)]
    plan = schedule(tasks, today=TODAY, capacity={1: Counted(1)})
    assert plan.realistic_end == TODAY + timedelta(weeks=999)
    assert len(asked) < 3 * len(tasks), "full weeks are passed in one step"
