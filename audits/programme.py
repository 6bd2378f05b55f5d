"""An audit programme that plans itself: who audits what when, and which holes are left (9.2.1).

Plain data in, plain data out, so that the same facts always give the same proposal. A process is
weighed by what makes it matter; every process gets at least one audit in each programme year, as
near to twelve months after its last as the load allows. An auditor something stands against is
never proposed. What cannot be filled is listed as a hole, never left out.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from qms.periods import Period, add_months, months_between
from qms.refusals import Refused

MOST_MONTHS_BETWEEN = 15
USUAL_MONTHS_BETWEEN = 12
EVERY = {"high": 6, "raised": 12, "usual": 12}  # months between audits of a level, first year
FIRST_WITHIN = {"high": 3, "raised": 6, "usual": 12}  # months, of what was never audited
MOST_YEARS = 3
HIGH, RAISED = 70, 45  # points from which a process is of a level
IMPORTANCE_POINTS = 10
NEVER_POINTS = 25
SATURDAY = 5
MONTH_POINTS = 3  # for each month beyond the usual ones


@dataclass(frozen=True)
class Factor:
    """Something that makes a process want an audit sooner: in words, and in points (0 to 30)."""

    words: str
    points: int


@dataclass(frozen=True)
class Subject:
    """A process to be audited, as the programme sees it.

    `importance` goes from 1 to 5. `audited_on` are the days of its audits so far. `closed` are
    days on which nobody can be audited there (site calendars, holidays). `hours` is what an audit
    of it takes an auditor. `since` is the day it was entered; years before it have no hole.
    """

    key: int
    name: str
    importance: int = 3
    factors: tuple[Factor, ...] = ()
    audited_on: tuple[date, ...] = ()
    closed: frozenset[date] = frozenset()
    hours: Decimal = Decimal(8)
    since: date = date.min

    @property
    def last(self) -> date | None:
        return max(self.audited_on, default=None)


@dataclass(frozen=True)
class Auditor:
    """Somebody who audits: when they are away, and the audits they already lead, by day."""

    key: int
    name: str
    away: tuple[Period, ...] = ()
    booked: frozenset[date] = frozenset()
    hours: Decimal = Decimal(0)

    def is_free(self, day: date) -> bool:
        return day not in self.booked and not any(day in period for period in self.away)


# What stands against an auditor auditing a subject on a day: sentences, none if free.
Objections = Callable[[int, int, date], Sequence[str]]
# What has to be renewed before an auditor may audit on a day: sentences, none if nothing.
Lapses = Callable[[int, date], Sequence[str]]


@dataclass(frozen=True)
class Priority:
    """How much a process wants auditing: a level, the points it rests on, and why, in words."""

    level: str
    points: int
    why: tuple[str, ...]


@dataclass(frozen=True)
class Proposed:
    """An audit the programme proposes; without a day or an auditor it says why in `problem`.

    `renew` says which competence of the auditor ends before the day and is to be renewed.
    """

    subject: Subject
    window: Period
    priority: Priority
    day: date | None = None
    auditor: Auditor | None = None
    problem: str = ""
    renew: str = ""


class HoleKind(StrEnum):
    """What a programme can lack."""

    YEAR = "year"
    GAP = "gap"
    AUDITOR = "auditor"
    COMPETENCE = "competence"
    CLAUSE = "clause"


@dataclass(frozen=True)
class Hole:
    """Something the programme lacks, in a sentence; `key` is the process's, None for a clause."""

    kind: HoleKind
    key: int | None
    sentence: str
    window: Period | None = None
    clause: str = ""


@dataclass(frozen=True)
class Proposal:
    """What is proposed, by day and name, and what is left open."""

    years: tuple[Period, ...]
    audits: tuple[Proposed, ...]
    holes: tuple[Hole, ...]


def programme_years(start: date, years: int) -> tuple[Period, ...]:
    """The programme years from `start`, twelve months each, one to three of them."""
    if not 1 <= years <= MOST_YEARS:
        raise Refused(f"A programme covers one to {MOST_YEARS} years.", field="years")
    edges = [add_months(start, 12 * index) for index in range(years + 1)]
    return tuple(Period(one, other - timedelta(days=1)) for one, other in pairwise(edges))


# Weighing ----------------------------------------------------------------------------------


def priority_of(subject: Subject, on: date) -> Priority:
    """Importance, time since the last audit and the factors, added up; the heaviest word first."""
    weighed = [Factor(_importance(subject.importance), IMPORTANCE_POINTS * subject.importance)]
    if subject.last is None:
        weighed.append(Factor("It was never audited.", NEVER_POINTS))
    elif (beyond := months_between(subject.last, on) - USUAL_MONTHS_BETWEEN) > 0:
        words = f"Its last audit was {beyond + USUAL_MONTHS_BETWEEN} months ago."
        weighed.append(Factor(words, min(MONTH_POINTS * beyond, NEVER_POINTS)))
    weighed += subject.factors
    points = sum(each.points for each in weighed)
    level = "high" if points >= HIGH else "raised" if points >= RAISED else "usual"
    ordered = sorted(weighed, key=lambda each: (-each.points, each.words))
    return Priority(level, points, tuple(each.words for each in ordered))


def _importance(importance: int) -> str:
    return f"Its importance is {importance} of 5."


# Proposing ---------------------------------------------------------------------------------


def propose(
    subjects: Sequence[Subject],
    auditors: Sequence[Auditor],
    *,
    years: Sequence[Period],
    today: date,
    against: Objections,
    lapses: Lapses = lambda auditor, day: (),
    holidays: Collection[date] = (),
) -> Proposal:
    """Propose the audits of the programme years; the heaviest process is served first.

    `today` is the first day that can still be planned. Who may audit already comes before whose
    competence has to be renewed first. Raises nothing: what cannot be filled, and what has to be
    renewed, is in the proposal's holes.
    """
    weighed = [(subject, priority_of(subject, years[0].start)) for subject in subjects]
    weighed.sort(key=lambda pair: (-pair[1].points, pair[0].last or date.min, pair[0].key))
    planner = _Planner(auditors, against, lapses, frozenset(holidays))
    found: list[Proposed] = []
    for index, year in enumerate(years):
        if today > year.end:
            continue
        left = Period(max(year.start, today), year.end)
        for subject, priority in weighed:
            known = [each.day or each.window.start for each in found if each.subject is subject]
            months = EVERY[priority.level] if index == 0 else USUAL_MONTHS_BETWEEN
            done = sum(day in year for day in subject.audited_on)
            for _ in range(12 // months - done):
                last = max([*subject.audited_on, *known], default=None)
                made = planner.place(subject, priority, _window(last, months, priority, left), left)
                found.append(made)
                known.append(made.day or made.window.start)
    found.sort(key=lambda each: (each.day or each.window.start, each.subject.name))
    planned: defaultdict[int, list[date]] = defaultdict(list)
    for each in found:
        planned[each.subject.key] += [each.day] if each.day else []
    holes = [*holes_of(subjects, planned, years), *_unfilled(found)]
    return Proposal(tuple(years), tuple(found), tuple(holes))


def _window(last: date | None, months: int, priority: Priority, left: Period) -> Period:
    """A month to either side of the day that is due, within what is left of the year.

    What is overdue comes in the first month; after the last audit no more than fifteen months pass
    where that can still be.
    """
    if last is None:
        due = add_months(left.start, FIRST_WITHIN[priority.level] // 2)
    else:
        due = min(add_months(last, months), add_months(last, MOST_MONTHS_BETWEEN - 1))
    opens = min(max(left.start, add_months(due, -1)), add_months(left.end, -1))
    opens = max(opens, left.start)
    return Period(opens, min(left.end, max(add_months(due, 1), add_months(opens, 1))))


@dataclass
class _Planner:
    """Gives out days and auditors, and keeps what is given out so far."""

    auditors: Sequence[Auditor]
    against: Objections
    lapses: Lapses
    holidays: frozenset[date]
    months: defaultdict[tuple[int, int], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )
    hours: dict[int, Decimal] = field(default_factory=dict)
    days: set[tuple[int, date]] = field(default_factory=set)
    led: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.hours = {each.key: each.hours for each in self.auditors}

    def place(self, subject: Subject, priority: Priority, window: Period, left: Period) -> Proposed:
        """The auditor with the least to do who may, on a day of the window's emptiest month.

        Where nobody can, any later day of the year is better than none.
        """
        days = self._days(subject, window)
        told: dict[str, str] = {}
        found = self._first(subject, days, told)
        if found is None and window.end < left.end:
            late = Period(window.end + timedelta(days=1), left.end)
            found = self._first(subject, sorted(self._days(subject, late)), told)
            window = Period(window.start, left.end)
        if found is None:
            return Proposed(subject, window, priority, problem=self._why_nobody(days, told))
        auditor, day, renew = found
        self.months[day.year, day.month] += subject.hours
        self.hours[auditor.key] += subject.hours
        self.days.add((auditor.key, day))
        self.led.add((auditor.key, subject.key))
        return Proposed(subject, window, priority, day, auditor, renew=renew)

    def _days(self, subject: Subject, window: Period) -> list[date]:
        length = (window.end - window.start).days + 1
        days = (window.start + timedelta(days=n) for n in range(length))
        closed = subject.closed | self.holidays
        working = [day for day in days if day.weekday() < SATURDAY and day not in closed]
        limit = subject.last and add_months(subject.last, MOST_MONTHS_BETWEEN)
        late = {day: limit is not None and day > limit for day in working}
        return sorted(working, key=lambda day: (late[day], self.months[day.year, day.month], day))

    def _first(
        self, subject: Subject, days: Sequence[date], told: dict[str, str]
    ) -> tuple[Auditor, date, str] | None:
        """Who has the least to do first; somebody new to the process before who led it already."""
        later: tuple[Auditor, date, str] | None = None
        for auditor in sorted(
            self.auditors,
            key=lambda a: (self.hours[a.key], (a.key, subject.key) in self.led, a.key),
        ):
            for day in days:
                if not auditor.is_free(day) or (auditor.key, day) in self.days:
                    told.setdefault(auditor.name, f"{auditor.name} is busy or away.")
                elif said := self.against(auditor.key, subject.key, day):
                    told[auditor.name] = " ".join(said)
                elif ends := self.lapses(auditor.key, day):
                    later = later or (auditor, day, " ".join(ends))
                else:
                    return auditor, day, ""
        return later

    def _why_nobody(self, days: Sequence[date], told: Mapping[str, str]) -> str:
        if not self.auditors:
            return "There is no auditor."
        if not days:
            return "There is no working day in its window."
        return " ".join(told[name] for name in sorted(told))


# Holes -------------------------------------------------------------------------------------


def holes_of(
    subjects: Sequence[Subject],
    planned: Mapping[int, Sequence[date]],
    years: Sequence[Period],
    clauses: Mapping[str, Collection[date]] | None = None,
) -> list[Hole]:
    """Every hole of a programme, whoever made it: the planner may move everything, holes show.

    `planned` are the days of audits to come by process; `clauses` the days on which each clause
    that applies is covered. A process without an audit in a programme year, more than fifteen
    months between two of its audits, and a clause that nobody looks at in the whole cycle.
    """
    found: list[Hole] = []
    for subject in subjects:
        days = sorted({*subject.audited_on, *planned.get(subject.key, ())})
        found += _empty_years(subject, days, years)
        found += _long_gaps(subject, days, years)
    cycle = Period(years[0].start, years[-1].end)
    for clause, on in (clauses or {}).items():
        if not any(day in cycle for day in on):
            said = f"Clause {clause} is not audited between {_span(cycle)}."
            found.append(Hole(HoleKind.CLAUSE, None, said, cycle, clause))
    return found


def _empty_years(subject: Subject, days: Sequence[date], years: Sequence[Period]) -> Iterator[Hole]:
    for year in years:
        if subject.since <= year.end and not any(day in year for day in days):
            said = f"{subject.name} has no audit between {_span(year)}."
            yield Hole(HoleKind.YEAR, subject.key, said, year)


def _long_gaps(subject: Subject, days: Sequence[date], years: Sequence[Period]) -> Iterator[Hole]:
    """Gaps that reach into the programme; the last audit is followed to the programme's end."""
    cycle = Period(years[0].start, years[-1].end)
    for one, other in pairwise(days):
        if other >= cycle.start and add_months(one, MOST_MONTHS_BETWEEN) < other:
            said = (
                f"{subject.name} is audited on {_day(one)} and then not before {_day(other)}, "
                f"{months_between(one, other)} months later."
            )
            yield Hole(HoleKind.GAP, subject.key, said, Period(one, other))
    if days and add_months(days[-1], MOST_MONTHS_BETWEEN) < cycle.end:
        said = f"{subject.name} is audited on {_day(days[-1])} and not again by {_day(cycle.end)}."
        yield Hole(HoleKind.GAP, subject.key, said, Period(days[-1], cycle.end))


def _unfilled(found: Sequence[Proposed]) -> Iterator[Hole]:
    for each in found:
        if each.auditor is None:
            said = f"Nobody can audit {each.subject.name} between {_span(each.window)}: "
            yield Hole(HoleKind.AUDITOR, each.subject.key, said + each.problem, each.window)
        elif each.renew and each.day:
            said = f"{each.subject.name}, {_day(each.day)}: {each.renew}"
            yield Hole(HoleKind.COMPETENCE, each.subject.key, said, each.window)


def _span(period: Period) -> str:
    return f"{_day(period.start)} and {_day(period.end)}"


def _day(day: date) -> str:
    return f"{day:%-d %B %Y}"


# A way out when nobody qualifies -----------------------------------------------------------


@dataclass(frozen=True)
class Swap:
    """Another audit whose auditor may take this one, while this one's takes that."""

    other: int
    gives: int
    takes: int


def swaps(
    audit: int,
    assigned: Mapping[int, tuple[int, int, date]],
    against: Objections,
) -> list[Swap]:
    """Audits to exchange auditors with, so that nothing stands against either of them.

    `assigned` maps an audit to its (auditor, process, day).
    """
    mine, process, day = assigned[audit]
    found = []
    for other, (theirs, other_process, other_day) in sorted(assigned.items()):
        if other == audit or theirs == mine:
            continue
        if not against(theirs, process, day) and not against(mine, other_process, other_day):
            found.append(Swap(other, gives=mine, takes=theirs))
    return found
