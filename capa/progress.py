"""How far the proof of effectiveness is, counted from the indicator that was named for it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from capa.models import CorrectiveAction
from qms import contributions
from qms.periods import Period, day_in_words


@dataclass(frozen=True)
class Progress:
    """What the indicator has shown since the action was in place.

    `counted` of `wanted` (None where no number was asked for); `beyond` are readings on the wrong
    side of the limit. `assessable` says whether enough is known to decide; `sentence` says it all.
    """

    title: str
    url: str
    counted: Decimal
    wanted: int | None
    of: str
    readings: int
    beyond: int
    assessable: bool
    sentence: str

    @property
    def share(self) -> int:
        """Percent of what is wanted, never above 100."""
        if not self.wanted:
            return 100 if self.assessable else 0
        return min(100, int(self.counted * 100 / self.wanted))

    @property
    def short(self) -> str:
        """As a list shows it: 412 of 500 orders."""
        if self.wanted is None:
            return f"{self.readings} readings"
        return f"{_plain(self.counted)} of {self.wanted} {self.of}".strip()


def progress_of(action: CorrectiveAction, today: date, person: Any = None) -> Progress | None:
    """The progress of one corrective action; None without an indicator or where it is not seen."""
    told = contributions.indicators()
    if action.indicator is None or told is None:
        return None
    start = action.implemented_on or today
    # Nothing is read before the action is in place; the period then holds today alone and is empty.
    period = Period(min(start, today), today)
    course = told.course(action.indicator, period, person)
    if course is None:
        return None
    values = course.values if action.implemented_on else ()
    by_values = action.counts == CorrectiveAction.Counts.VALUES
    counted = sum(values, Decimal(0)) if by_values else Decimal(len(values))
    beyond = sum(is_beyond(action, value) for value in values)
    enough = bool(values) and (action.count_target is None or counted >= action.count_target)
    in_time = action.check_day is None or action.check_day <= today
    assessable = bool(action.implemented_on) and enough and in_time
    of = action.count_of or (course.unit if by_values else "readings")
    return Progress(
        course.title,
        course.url,
        counted,
        action.count_target,
        of,
        len(values),
        beyond,
        assessable,
        _sentence(action, counted, of, len(values), beyond, assessable=assessable, in_time=in_time),
    )


def is_beyond(action: CorrectiveAction, value: Decimal) -> bool:
    """Whether a value lies on the wrong side of the limit."""
    if action.limit is None:
        return False
    if action.bound == CorrectiveAction.Bound.AT_MOST:
        return value > action.limit
    return value < action.limit


def limit_in_words(action: CorrectiveAction) -> str:
    """At most 210, say; empty without a limit."""
    if action.limit is None:
        return ""
    return f"{action.get_bound_display()} {_plain(action.limit)}"


def _sentence(
    action: CorrectiveAction,
    counted: Decimal,
    of: str,
    readings: int,
    beyond: int,
    *,
    assessable: bool,
    in_time: bool,
) -> str:
    said = f"{_plain(counted)} of {action.count_target} {of}." if action.count_target else ""
    if action.limit is not None and readings:
        values = f"{readings} value{'' if readings == 1 else 's'}"
        said += f" {readings - beyond} of {values} {limit_in_words(action)}."
    if not action.implemented_on:
        return "Not yet assessable: the action is not in place."
    if assessable:
        return said.strip() or f"{readings} reading{'' if readings == 1 else 's'} since."
    if not in_time and action.check_day:
        said += f" The check is planned for {day_in_words(action.check_day)}."
    return f"Not yet assessable: {said.strip() or 'no reading since the action was in place.'}"


def _plain(value: Decimal) -> str:
    """A number without idle zeros."""
    return f"{value.normalize():f}" if value else "0"
