"""When the roadmap really ends: the promised actions laid out over the people's working days.

A small scheduler (ISO 9001 6.2.2, 6.3): an action begins when what it waits for is finished, nobody
gives it more days a week than they have, and weekends are free. Same actions, same plan. It reads
plain values and no database, so that its rules can be tested on any roadmap.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from qms.periods import LATEST
from qms.refusals import Refused

USUAL_DAYS = Decimal(1)  # a week, for a person who has a daily job beside the roadmap
USUAL_EFFORT = Decimal(1)  # for an action whose effort nobody estimated
WHOLE_DAY = Decimal(1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Task:
    """An action as the scheduler sees it: whose, how many days, by when, after what.

    `done_on` is set once it is finished; it then takes no more time.
    """

    key: int
    owner: int
    due: date
    effort: Decimal | None = None
    needs: tuple[int, ...] = ()
    done_on: date | None = None

    @property
    def days(self) -> Decimal:
        """Working days it takes; one where nobody said."""
        return USUAL_EFFORT if self.effort is None else self.effort


@dataclass(frozen=True)
class Placed:
    """A task with its first and last day, and how much of each day it takes."""

    task: Task
    start: date
    end: date
    load: tuple[tuple[date, Decimal], ...] = ()

    @property
    def is_done(self) -> bool:
        return self.task.done_on is not None

    @property
    def days_late(self) -> int:
        """Calendar days after the promised day; 0 when it is in time."""
        return max(0, (self.end - self.task.due).days)


@dataclass(frozen=True)
class Plan:
    """Every task laid out, the earliest first; the promised and the realistic end."""

    placed: tuple[Placed, ...]
    promised_end: date | None
    realistic_end: date | None

    @property
    def late(self) -> tuple[Placed, ...]:
        """What is not finished and will not be in time."""
        return tuple(each for each in self.placed if not each.is_done and each.days_late)

    def of(self, key: int) -> Placed:
        return next(each for each in self.placed if each.task.key == key)

    def weekly_load(self) -> dict[int, dict[date, Decimal]]:
        """Days of work by person and week (its Monday)."""
        return _by_week((p.task.owner, p.load) for p in self.placed)


@dataclass
class Calendar:
    """What people have left on each day and in each week."""

    capacity: Mapping[int, Decimal]
    usual: Decimal
    used_day: dict[tuple[int, date], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    used_week: dict[tuple[int, date], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    next_week: dict[tuple[int, date], date] = field(default_factory=dict)  # after a full one

    def free(self, owner: int, day: date) -> Decimal:
        """The share of a day (0 to 1) this person can still give."""
        if day.weekday() > 4:
            return Decimal(0)
        week = self.capacity.get(owner, self.usual) - self.used_week[owner, monday(day)]
        return max(Decimal(0), min(WHOLE_DAY - self.used_day[owner, day], week))

    def take(self, owner: int, day: date, share: Decimal) -> None:
        week = monday(day)
        self.used_day[owner, day] += share
        self.used_week[owner, week] += share
        if self.used_week[owner, week] >= self.capacity.get(owner, self.usual):
            self.next_week[owner, week] = week + WEEK

    def after_full_weeks(self, owner: int, day: date) -> date:
        """The day itself, or the Monday after the full weeks that begin with its own.

        A long roadmap asks this for each action: a row of full weeks is passed in one step.
        """
        week, passed = monday(day), []
        while (owner, week) in self.next_week:
            passed.append(week)
            week = self.next_week[owner, week]
        for each in passed:
            self.next_week[owner, each] = week
        return week if passed else day


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def schedule(
    tasks: Iterable[Task],
    *,
    today: date,
    capacity: Mapping[int, Decimal] | None = None,
    usual: Decimal = USUAL_DAYS,
) -> Plan:
    """Lay out the tasks from `today` on.

    `capacity` gives days a week by owner, `usual` those of everybody else; both above 0. Needs
    that are not among the tasks are ignored. Raises Refused for a circle, and for a roadmap that
    does not end in this century.
    """
    known = {task.key: task for task in tasks}
    calendar = Calendar(capacity or {}, usual)
    if any(days <= 0 for days in (usual, *calendar.capacity.values())):
        raise ValueError("A capacity is more than no time at all.")
    done = {key: _finished(task) for key, task in known.items() if task.done_on}
    placed = dict(done)
    left = {key: task for key, task in known.items() if key not in done}
    waiting = {key: {need for need in task.needs if need in left} for key, task in left.items()}
    ready = [(task.due, key) for key, task in left.items() if not waiting[key]]
    heapq.heapify(ready)
    followers: dict[int, list[int]] = defaultdict(list)
    for key, needs in waiting.items():
        for need in needs:
            followers[need].append(key)
    while ready:
        _due, key = heapq.heappop(ready)
        task = known[key]
        ends = [placed[need].end for need in task.needs if need in left]
        first = max([today, *(end + DAY for end in ends)])
        placed[key] = _place(task, first, calendar)
        for follower in followers[key]:
            waiting[follower].discard(key)
            if not waiting[follower]:
                heapq.heappush(ready, (known[follower].due, follower))
    if len(placed) < len(known):
        raise Refused("These actions wait for each other in a circle. Take one link away.")
    return _plan(placed.values())


def _finished(task: Task) -> Placed:
    assert task.done_on  # noqa: S101 - asked for finished tasks only
    return Placed(task, task.done_on, task.done_on)


def _place(task: Task, first: date, calendar: Calendar) -> Placed:
    """The task on the first days its owner has time for it."""
    left, day, load = task.days, first, []
    while left > 0:
        day = calendar.after_full_weeks(task.owner, day)
        share = min(left, calendar.free(task.owner, day))
        if share > 0:
            calendar.take(task.owner, day, share)
            load.append((day, share))
            left -= share
        day += DAY
        if day > LATEST:
            raise Refused(
                "This roadmap does not end in this century. Give the actions less effort or the "
                "people more days a week."
            )
    return Placed(task, load[0][0], load[-1][0], tuple(load))


def _plan(placed: Iterable[Placed]) -> Plan:
    ordered = tuple(sorted(placed, key=lambda each: (each.start, each.end, each.task.key)))
    return Plan(
        ordered,
        max((each.task.due for each in ordered), default=None),
        max((each.end for each in ordered), default=None),
    )


def promised_load(tasks: Iterable[Task], *, today: date) -> dict[int, dict[date, Decimal]]:
    """Days of work by person and week (its Monday) if every promise is kept at the last moment.

    The work of each open task lies on the working days that end with its day; what is late or too
    short for that falls on the days from today on. No capacity is asked: that is the point.
    """
    loads = []
    for task in tasks:
        if task.done_on is None:
            loads.append((task.owner, tuple(_backwards(task, today))))
    return _by_week(loads)


def _backwards(task: Task, today: date) -> list[tuple[date, Decimal]]:
    left, day, load = task.days, task.due, []
    while left > 0 and day >= today:
        if day.weekday() < 5:
            share = min(left, WHOLE_DAY)
            load.append((day, share))
            left -= share
        day -= DAY
    if left > 0:  # more work than days: all of it lies on the first working day there is
        first = today
        while first.weekday() > 4:
            first += DAY
        load.append((first, left))
    return load


def _by_week(
    loads: Iterable[tuple[int, Sequence[tuple[date, Decimal]]]],
) -> dict[int, dict[date, Decimal]]:
    found: dict[int, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for owner, load in loads:
        for day, share in load:
            found[owner][monday(day)] += share
    return {owner: dict(weeks) for owner, weeks in found.items()}
