"""Periods, due dates and today, in the organisation's calendar.

A deadline is a date and an event an instant (UTC); the organisation's zone stands between the two.
`today()` is asked once by a view or a task and passed on. Serves every clause that plans (6.2,
9.1, 9.2, 9.3, 10.2).
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from django.utils import dateformat

from qms import clock
from qms.refusals import Refused

DueState = Literal["fine", "soon", "today", "overdue"]
SOON_DAYS = 7
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)


def zone() -> ZoneInfo:
    """The organisation's time zone, as the chapter that keeps the organisation tells it."""
    from qms import contributions  # here, because contributions speak of periods

    return contributions.zone()


def today() -> date:
    """The organisation's calendar day at this instant."""
    return day_of(clock.now())


def day_of(moment: datetime) -> date:
    """The organisation's calendar day of an aware instant."""
    if moment.tzinfo is None:
        raise ValueError("A naive datetime belongs to no day; give it a zone.")
    return moment.astimezone(zone()).date()


def start_of(day: date, *, at: time = time.min) -> datetime:
    """The instant (UTC) at which a calendar day begins, or a given wall-clock time on it.

    A wall time that the change to summer time skips is read with the offset before the change, so
    that it lies as far after midnight as the clock said; one that happens twice means the first.
    A day without midnight begins at its first instant.
    """
    return datetime.combine(day, at, tzinfo=zone()).astimezone(UTC)


def due_in(days: int, start: date) -> date:
    """The deadline `days` calendar days after `start`; `days` is at least 0."""
    if days < 0:
        raise ValueError("A deadline does not lie before its start.")
    return start + timedelta(days=days)


def due_state(due: date | None, today: date, soon: int = SOON_DAYS) -> DueState:
    """How a deadline stands: due today is not yet late; no deadline is fine."""
    if due is None:
        return "fine"
    left = (due - today).days
    if left < 0:
        return "overdue"
    if left == 0:
        return "today"
    return "soon" if left <= soon else "fine"


@lru_cache(maxsize=4000)
def day_in_words(day: date) -> str:
    """A day as people write it: 24 Nov 2026. A page has the same days again and again."""
    return dateformat.format(day, "j M Y")


def in_words(due: date | None, today: date) -> str:
    """What a due badge says: "4 days late", "Due today", "Tomorrow", "Tue 24 Nov"."""
    if due is None:
        return "No date"
    left = (due - today).days
    if left < 0:
        return "1 day late" if left == -1 else f"{-left} days late"
    if left <= 1:
        return ("Due today", "Tomorrow")[left]
    return dateformat.format(due, "D j M" if due.year == today.year else "D j M Y")


def add_months(day: date, months: int) -> date:
    """The same day `months` later (or earlier); the month's last day where it has no such day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def months_between(start: date, end: date) -> int:
    """Whole months from `start` to `end`, rounded towards zero; negative when `end` is earlier."""
    if end < start:
        return -months_between(end, start)
    months = (end.year - start.year) * 12 + end.month - start.month
    return months - (1 if add_months(start, months) > end else 0)


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """Days from `start` to `end`, both included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise Refused("The period ends before it starts. Swap the two dates.", field="end")

    @classmethod
    def year(cls, year: int) -> "Period":
        return cls(date(year, 1, 1), date(year, 12, 31))

    @classmethod
    def quarter(cls, year: int, quarter: int) -> "Period":
        start = date(year, 3 * quarter - 2, 1)
        return cls(start, add_months(start, 3) - timedelta(days=1))

    @classmethod
    def month(cls, year: int, month: int) -> "Period":
        return cls(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))

    @classmethod
    def last_months(cls, months: int, until: date) -> "Period":
        """The `months` months that end on `until`."""
        return cls(add_months(until + timedelta(days=1), -months), until)

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Read "2026", "2026-Q3", "2026-07" or "2026-01-01..2026-06-30"; refuses the rest."""
        try:
            return cls._read(text.strip())
        except ValueError:
            raise Refused(
                f"“{text}” is not a period. Write it like 2026, 2026-Q3, 2026-07 or "
                "2026-01-01..2026-06-30."
            ) from None

    @classmethod
    def _read(cls, text: str) -> "Period":
        start, found, end = text.partition(".." if ".." in text else "/")
        if found:
            return cls._within(date.fromisoformat(start.strip()), date.fromisoformat(end.strip()))
        match = re.fullmatch(r"(\d{4})(?:-(?:Q([1-4])|(\d{2})))?", text, re.ASCII)
        if match is None:
            raise ValueError(text)
        year, quarter, month = match.groups()
        if quarter:
            period = cls.quarter(int(year), int(quarter))
        else:
            period = cls.month(int(year), int(month)) if month else cls.year(int(year))
        return cls._within(period.start, period.end)

    @classmethod
    def _within(cls, start: date, end: date) -> "Period":
        """Years outside living memory are typing errors, and would overflow later sums."""
        if start < EARLIEST or end > LATEST:
            raise ValueError("out of range")
        return cls(start, end)

    @property
    def days(self) -> int:
        """How many days, both ends included: at least 1."""
        return (self.end - self.start).days + 1

    @property
    def is_whole_months(self) -> bool:
        """Whether it begins on a first and ends on a last day of a month."""
        return self.start.day == 1 and (self.end + timedelta(days=1)).day == 1

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def contains(self, day: date) -> bool:
        """Whether the day lies in the period; both ends do."""
        return day in self

    def overlaps(self, other: "Period") -> bool:
        """Whether the two share at least one day."""
        return self.start <= other.end and other.start <= self.end

    def previous(self) -> "Period":
        """The period just before, of the same months when it is made of months, else of days."""
        end = self.start - timedelta(days=1)
        if self.is_whole_months:
            return Period(add_months(self.start, -len(self.months())), end)
        return Period(self.start - timedelta(days=self.days), end)

    def months(self) -> tuple["Period", ...]:
        """The calendar months it touches, cut to it."""
        return tuple(self._cut())

    def _cut(self) -> Iterator["Period"]:
        start = self.start
        while start <= self.end:
            whole = Period.month(start.year, start.month)
            yield Period(start, min(whole.end, self.end))
            start = whole.end + timedelta(days=1)

    def instants(self) -> tuple[datetime, datetime]:
        """(from, before) in UTC: the half-open span of instants that lie on its days."""
        return start_of(self.start), start_of(self.end + timedelta(days=1))

    def isoformat(self) -> str:
        """For files and addresses; `parse` reads it back."""
        return f"{self.start.isoformat()}..{self.end.isoformat()}"

    def __str__(self) -> str:
        if self == Period.year(self.start.year):
            return str(self.start.year)
        if self == Period.month(self.start.year, self.start.month):
            return dateformat.format(self.start, "F Y")
        return f"{dateformat.format(self.start, 'j M Y')} – {dateformat.format(self.end, 'j M Y')}"
