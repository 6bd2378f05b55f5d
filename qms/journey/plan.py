"""The dates of the plan: laid out, forecast from what has happened, laid out anew (ISO 9001 6.2.2).

Pure functions of dates: no database, no clock. A plan is a list of lines in the order of the work;
a line that is done late pushes what follows, and the plan says so before anybody has to move it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from qms.periods import add_months

WEEKEND = 5  # Saturday


@dataclass(frozen=True, slots=True)
class Line:
    """One line: where in the project it ends (thousandths), when it is due, when it was done.

    `moved` says that the day is another than the one first promised.
    """

    share: int
    due: date
    done_on: date | None = None
    moved: bool = False


def working_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= WEEKEND else 0)


def lay_out(shares: Sequence[int], start: date, months: int) -> list[date]:
    """A due day for each share of a project that begins on `start` and lasts `months`.

    Days never lie on a weekend, never before the start, and never run against the order.
    """
    length = (add_months(start, months) - start).days
    days: list[date] = []
    for share in shares:
        day = working_day(start + timedelta(days=length * share // 1000))
        days.append(max(day, days[-1]) if days else day)
    return days


def forecast(lines: Sequence[Line], today: date) -> list[date]:
    """When each line will really end if nothing is caught up.

    What is done keeps its day. What is open keeps its distance to the line before it: the delay of
    the last line that was done late, or of an open one whose day has passed, is carried on. A line
    whose day was moved is believed as far as done lines go: whoever moved it had seen them. Being
    early pulls nothing forward; people have other work planned.
    """
    by_done = by_open = timedelta(0)
    found: list[date] = []
    for line in lines:
        if line.done_on is not None:
            by_done = max(timedelta(0), line.done_on - line.due)
            found.append(line.done_on)
            continue
        delay = by_open if line.moved else max(by_open, by_done)
        expected = working_day(max(line.due + delay, today))
        by_open = max(by_open, expected - line.due)
        found.append(expected)
    return found


def lay_out_anew(lines: Sequence[Line], start: date, end: date) -> list[date]:
    """New days for the open lines, spread over the time from `start` to `end`; done ones stay.

    The open lines share the time in the proportion they had; the last of them ends on `end` (or
    the Monday after).
    """
    left = [line.share for line in lines if line.done_on is None]
    if not left:
        return [line.due for line in lines]
    settled = [line.share for line in lines if line.done_on is not None and line.share < left[0]]
    first = max(settled, default=0)
    span, days = max(1, left[-1] - first), max(0, (end - start).days)
    found: list[date] = []
    latest = start
    for line in lines:
        if line.done_on is not None:
            found.append(line.due)
            continue
        share = max(0, line.share - first)
        latest = max(latest, working_day(start + timedelta(days=days * share // span)))
        found.append(latest)
    return found
