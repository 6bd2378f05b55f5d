"""When readings are expected: the periods of an indicator, and which of them have none (9.1.1)."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from qms.periods import Period

# Days after a period's end within which its reading is entered.
GRACE = {"daily": 1, "weekly": 3, "monthly": 7, "quarterly": 14, "yearly": 30}


def period_of(frequency: str, day: date) -> Period:
    """The day itself, or the week (from Monday), month, quarter or year that it lies in."""
    if frequency == "daily":
        return Period(day, day)
    if frequency == "weekly":
        start = day - timedelta(days=day.weekday())
        return Period(start, start + timedelta(days=6))
    if frequency == "quarterly":
        return Period.quarter(day.year, (day.month + 2) // 3)
    return Period.year(day.year) if frequency == "yearly" else Period.month(day.year, day.month)


def following(frequency: str, period: Period) -> Period:
    """The period after this one."""
    return period_of(frequency, period.end + timedelta(days=1))


def before(frequency: str, period: Period) -> Period:
    """The period before this one."""
    return period_of(frequency, period.start - timedelta(days=1))


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
    last = max((day for day in days if day >= start), default=None)
    period = period_of(frequency, start)
    if last is not None:
        period = following(frequency, period_of(frequency, last))
    return None if deadline is not None and period.start > deadline else period


def latest_expected(frequency: str, start: date, deadline: date | None, day: date) -> Period | None:
    """The last period whose reading was due before a day; None where none was."""
    end = min(deadline, day) if deadline is not None else day
    if end < start:
        return None
    each = period_of(frequency, end)
    while each.end >= start:
        if due_on(frequency, each) < day:
            return each
        each = before(frequency, each)
    return None


def expected_by(frequency: str, start: date, deadline: date | None, day: date) -> list[Period]:
    """The periods whose readings were due before a day (that day itself is not yet late)."""
    last = latest_expected(frequency, start, deadline, day)
    return list(periods(frequency, start, last.start)) if last else []


def without_reading(expected: list[Period], days: Collection[date]) -> list[Period]:
    """Those of the periods, all of one rhythm and in order, in which no reading lies."""
    ordered, found = sorted(days), []
    at = 0
    for each in expected:
        while at < len(ordered) and ordered[at] < each.start:
            at += 1
        if at == len(ordered) or ordered[at] > each.end:
            found.append(each)
    return found


def name_of(frequency: str, period: Period) -> str:
    """What a period is called: "3 Feb 2026", "Week 7, 2026", "Feb 2026", "Q1 2026", "2026"."""
    if frequency == "daily":
        return f"{period.start:%-d %b %Y}"
    if frequency == "weekly":
        year, week, _ = period.start.isocalendar()
        return f"Week {week}, {year}"
    if frequency == "quarterly":
        return f"Q{(period.start.month + 2) // 3} {period.start.year}"
    return f"{period.start:%Y}" if frequency == "yearly" else f"{period.start:%b %Y}"
