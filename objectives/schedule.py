"""When readings are expected: the periods of an objective, and which of them have none (9.1.1)."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from qms.periods import Period

# Days after a period's end within which its reading is entered.
GRACE = {"weekly": 3, "monthly": 7, "quarterly": 14}


def period_of(frequency: str, day: date) -> Period:
    """The week (from Monday), month or quarter that a day lies in."""
    if frequency == "weekly":
        start = day - timedelta(days=day.weekday())
        return Period(start, start + timedelta(days=6))
    if frequency == "quarterly":
        return Period.quarter(day.year, (day.month + 2) // 3)
    return Period.month(day.year, day.month)


def following(frequency: str, period: Period) -> Period:
    """The period after this one."""
    return period_of(frequency, period.end + timedelta(days=1))


def periods(frequency: str, start: date, end: date) -> Iterator[Period]:
    """The whole periods that touch the days from `start` to `end`, in order."""
    each = period_of(frequency, start)
    while each.start <= end:
        yield each
        each = following(frequency, each)


def due_on(frequency: str, period: Period) -> date:
    """The day by which a period's reading is entered."""
    return period.end + timedelta(days=GRACE[frequency])


def next_reading(
    frequency: str, start: date, deadline: date | None, days: Collection[date]
) -> Period | None:
    """The period whose reading comes next; None when none is expected before the deadline.

    It follows the last period that has a reading: an earlier gap stays a gap in the chart, but
    nobody is sent back to it.
    """
    since = [day for day in days if day >= start]
    first = period_of(frequency, start)
    period = following(frequency, period_of(frequency, max(since))) if since else first
    return None if deadline is not None and period.start > deadline else period


def expected_by(frequency: str, start: date, deadline: date | None, day: date) -> list[Period]:
    """The periods whose readings were due before a day (that day itself is not yet late)."""
    end = min(deadline, day) if deadline is not None else day
    if end < start:
        return []
    return [each for each in periods(frequency, start, end) if due_on(frequency, each) < day]


def without_reading(expected: list[Period], days: Collection[date]) -> list[Period]:
    """Those of the periods in which no reading lies."""
    return [each for each in expected if not any(day in each for day in days)]


def name_of(frequency: str, period: Period) -> str:
    """What a period is called: "Week 7, 2026", "Feb 2026", "Q1 2026"."""
    if frequency == "weekly":
        year, week, _ = period.start.isocalendar()
        return f"Week {week}, {year}"
    if frequency == "quarterly":
        return f"Q{(period.start.month + 2) // 3} {period.start.year}"
    return f"{period.start:%b %Y}"
