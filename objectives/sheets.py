"""What the rows of a sheet would become: readings, or problems named by row and column (9.1.1).

Nothing is written here and nothing is guessed: a day, a number or an indicator that can be read in
two ways is a problem of its row.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from objectives import schedule
from objectives.figures import STEP, figure_of, number_in, subgroup_in
from objectives.models import Indicator, Measurement
from objectives.workflow.indicators import only_who_measures
from objectives.workflow.readings import OF_ONE_SIZE, check_day
from qms.contributions import Figure
from qms.periods import Period
from qms.refusals import Refused
from qms.registers import DateReader, letter, plain

HEADER_WITHIN = 25  # rows from the top in which a header may stand
NAMES: dict[str, tuple[str, ...]] = {
    "indicator": ("indicator", "kpi", "metric", "measure", "number", "name"),
    "day": (
        "date",
        "day",
        "period",
        "month",
        "week",
        "quarter",
        "year",
        "value of",
        "measured for",
    ),
    "value": ("value", "reading", "result", "figure", "counted", "count", "nonconforming"),
    "size": ("n", "size", "of", "of how many", "sample size", "total"),
    "note": ("note", "remark", "comment", "notes"),
}
LABELS = {
    "indicator": "indicator",
    "day": "date or period",
    "value": "value",
    "size": "n",
    "note": "note",
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@dataclass(frozen=True)
class Problem:
    """What is wrong in one cell, in words; the row is left out."""

    row: int
    column: str
    sentence: str

    def __str__(self) -> str:
        where = f"Row {self.row}, {self.column}" if self.column else f"Row {self.row}"
        return f"{where}: {self.sentence}"


@dataclass(frozen=True)
class Good:
    """A row that can be kept."""

    row: int
    indicator: Indicator
    day: date
    figure: Figure
    note: str


@dataclass
class Checked:
    """What a sheet holds: rows that can be kept, rows that are kept already, and every problem."""

    total: int = 0
    good: list[Good] = field(default_factory=list)
    known: int = 0
    problems: list[Problem] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)

    @property
    def bad_rows(self) -> int:
        return len({each.row for each in self.problems})


class _Bad(Exception):
    """A cell is wrong; carries its column and what is wrong."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name, self.sentence = name, sentence


Tell = Callable[[int, int], None]


def check(
    rows: Sequence[Sequence[str]],
    *,
    by: Any,
    indicator: Indicator | None = None,
    tell: Tell = lambda done, total: None,
) -> Checked:
    """Read every row; raises Refused where the sheet as a whole cannot be read.

    `tell(done, total)` is called every thousand rows.
    """
    head, places = _header(rows, indicator)
    body = [
        (number, cells)
        for number, cells in enumerate(rows, start=1)
        if number > head and any(each.strip() for each in cells)
    ]
    if not body:
        raise Refused("The sheet has no row of values below its header.")
    reader = _Reader(places, by, indicator, [cells for _, cells in body])
    found = Checked(total=len(body))
    found.columns = [f"{letter(at + 1)}: {LABELS[name]}" for name, at in places.items()]
    for count, (number, cells) in enumerate(body, start=1):
        try:
            good = reader.read(number, cells)
        except _Bad as bad:
            at = places.get(bad.name)
            column = f"column {letter(at + 1)} ({LABELS[bad.name]})" if at is not None else ""
            found.problems.append(Problem(number, column, bad.sentence))
        else:
            if good is None:
                found.known += 1
            else:
                found.good.append(good)
        if count % 1000 == 0:
            tell(count, len(body))
    return found


def indicators_in(rows: Sequence[Sequence[str]], only: Indicator | None = None) -> set[int]:
    """The keys of the indicators that a sheet names; raises Refused where it has no header."""
    head, places = _header(rows, only)
    return _named(rows[head:], places, only, _known_indicators(only))


def _named(
    body: Sequence[Sequence[str]],
    places: dict[str, int],
    only: Indicator | None,
    known: dict[str, list[Indicator]],
) -> set[int]:
    if only:
        return {only.pk}
    at = places["indicator"]
    names = {plain(cells[at].strip()) for cells in body if at < len(cells)}
    return {each.pk for name in names for each in known.get(name, ())}


def _header(
    rows: Sequence[Sequence[str]], indicator: Indicator | None
) -> tuple[int, dict[str, int]]:
    """(row number of the header, place of each column we know)."""
    needed = ["day", "value"] if indicator else ["indicator", "day", "value"]
    for number, cells in enumerate(rows[:HEADER_WITHIN], start=1):
        places: dict[str, int] = {}
        for at, cell in enumerate(cells):
            called = plain(cell)
            for name, words in NAMES.items():
                if name not in places and called in words:
                    places[name] = at
                    break
        if all(name in places for name in needed):
            return number, places
    names = ", ".join(LABELS[name] for name in needed)
    raise Refused(f"No header row was found. Name the columns: {names}; n and note may be added.")


class _Reader:
    """Reads one row after the other, and knows what the rows before it held."""

    def __init__(
        self, places: dict[str, int], by: Any, only: Indicator | None, body: list[Sequence[str]]
    ) -> None:
        self.places, self.by, self.only = places, by, only
        self.indicators = _known_indicators(only)
        self.allowed: dict[int, str] = {}
        self.seen: dict[tuple[int, date], int] = {}
        self.kept = _kept(_named(body, places, only, self.indicators))
        self.sizes = _sizes(self.kept)
        self.dates = DateReader(self._cell(cells, "day") for cells in body)

    def _cell(self, cells: Sequence[str], name: str) -> str:
        at = self.places.get(name)
        return cells[at].strip() if at is not None and at < len(cells) else ""

    def read(self, number: int, cells: Sequence[str]) -> Good | None:
        """A row that can be kept, None where it is kept already; raises _Bad."""
        indicator = self._indicator(self._cell(cells, "indicator"))
        day = self._day(indicator, self._cell(cells, "day"))
        figure = self._figure(indicator, self._cell(cells, "value"), self._cell(cells, "size"))
        key = (indicator.pk, schedule.period_of(indicator.frequency, day).start)
        name = schedule.name_of(indicator.frequency, schedule.period_of(indicator.frequency, day))
        if key in self.seen:
            raise _Bad("day", f"{name} stands in row {self.seen[key]} already.")
        there = self.kept.get(key)
        if there is not None:
            self.seen[key] = number
            if there == _comparable(figure):
                return None
            raise _Bad(
                "day",
                f"There is another reading for {name} already: {indicator.shown(there[0])}. If it"
                " is wrong, correct it on its page.",
            )
        self._check_size(indicator, figure)
        self.seen[key] = number
        return Good(number, indicator, day, figure, self._cell(cells, "note"))

    def _indicator(self, typed: str) -> Indicator:
        if self.only:
            found = [self.only]
        else:
            if not typed:
                raise _Bad("indicator", "It is empty.")
            found = self.indicators.get(plain(typed), [])
        if not found:
            raise _Bad("indicator", f"There is no indicator “{typed}” in use.")
        if len(found) > 1:
            numbers = ", ".join(each.number for each in found)
            raise _Bad("indicator", f"“{typed}” can be {numbers}. Write the number.")
        indicator = found[0]
        if indicator.pk not in self.allowed:
            why = only_who_measures(indicator, self.by) or ""
            if indicator.is_computed:
                why = f"{indicator} is computed from our own records; nothing is imported for it."
            self.allowed[indicator.pk] = why
        if why := self.allowed[indicator.pk]:
            raise _Bad("indicator", why)
        return indicator

    def _day(self, indicator: Indicator, typed: str) -> date:
        if not typed:
            raise _Bad("day", "It is empty.")
        period = period_in(typed)
        day = period.end if period else self.dates.read(typed)
        if day is None:
            raise _Bad("day", f"“{typed}” is no date. Write it like 2026-03-31, or 2026-03.")
        if period is None and self.dates.is_guess(typed):
            raise _Bad("day", f"“{typed}” can be read in two ways. Write it like 2026-03-31.")
        if period is not None and indicator.frequency == Indicator.Frequency.DAILY:
            raise _Bad("day", f"“{typed}” is no single day, and it is measured every day.")
        try:
            check_day(day)
        except Refused as refusal:
            raise _Bad("day", str(refusal)) from None
        return day

    def _figure(self, indicator: Indicator, typed: str, size: str) -> Figure:
        if not typed:
            raise _Bad("value", "It is empty.")
        name = "value"
        try:
            if indicator.asks == "subgroup":
                return figure_of(indicator, values=subgroup_in(typed, indicator.unit))
            number = number_in(typed, indicator.unit if indicator.asks == "value" else "")
            name = "size"
            n = _whole(size) if size else None
            told: dict[str, Decimal] = (
                {"counted": number} if indicator.asks == "count" else {"value": number}
            )
            return figure_of(indicator, size=n, **told)  # type: ignore[arg-type]
        except Refused as refusal:
            wrong = "size" if refusal.field == "size" or (name == "size" and size) else "value"
            wrong = "value" if refusal.field in ("counted", "values") else wrong
            known = wrong if wrong in self.places else "value"
            raise _Bad(known, str(refusal)) from None

    def _check_size(self, indicator: Indicator, figure: Figure) -> None:
        if indicator.chart not in OF_ONE_SIZE:
            return
        usual = self.sizes.setdefault(indicator.pk, figure.size)
        if usual != figure.size:
            where = "size" if "size" in self.places else "value"
            raise _Bad(where, f"Its readings are of {usual} each; this one is of {figure.size}.")


def _whole(typed: str) -> int:
    number = number_in(typed)
    if number != number.to_integral_value():
        raise Refused("n is a whole number; it says of how many.", field="size")
    return int(number)


def _known_indicators(only: Indicator | None) -> dict[str, list[Indicator]]:
    """Indicators in use by number and by name, as `plain` texts."""
    if only:
        return {}
    found: dict[str, list[Indicator]] = {}
    for each in Indicator.objects.in_use().select_related("process").order_by("number"):
        for name in {plain(each.number), plain(each.title)}:
            found.setdefault(name, []).append(each)
    return found


Comparable = tuple[Decimal, Decimal | None, int | None, tuple[str, ...]]


def _comparable(figure: Figure) -> Comparable:
    values = tuple(f"{each:f}" for each in figure.values)
    return figure.value.quantize(STEP), figure.counted, figure.size, values


def _kept(keys: set[int]) -> dict[tuple[int, date], Comparable]:
    """What counts already for these indicators, by indicator and period."""
    rows = Measurement.objects.live().filter(indicator__in=keys)
    names = ("indicator_id", "period_start", "value", "counted", "size", "values")
    return {
        (indicator, start): (value, counted, size, tuple(values))
        for indicator, start, value, counted, size, values in rows.values_list(*names).iterator()
    }


def _sizes(kept: dict[tuple[int, date], Comparable]) -> dict[int, int | None]:
    """The n of the latest reading of each indicator."""
    return {indicator: told[2] for (indicator, _), told in sorted(kept.items(), key=_by_day)}


def _by_day(item: tuple[tuple[int, date], Comparable]) -> tuple[int, date]:
    return item[0]


def period_in(typed: str) -> Period | None:
    """The period people write: "2026", "2026-03", "Mar 2026", "2026-Q1", "Q1 2026", "2026-W07"."""
    text = " ".join(typed.split()).casefold()
    if found := re.fullmatch(r"(\d{4})(?:-(\d{2}))?", text):
        return _month(int(found[1]), int(found[2])) if found[2] else _year(int(found[1]))
    if found := re.fullmatch(r"(?:(\d{4})[- ]?q([1-4])|q([1-4])[- ]?(\d{4}))", text):
        year = int(found[1] or found[4])
        return Period.quarter(year, int(found[2] or found[3])) if _known_year(year) else None
    if found := re.fullmatch(r"(?:(\d{4})[- ]?w(\d{1,2})|week (\d{1,2}),? (\d{4}))", text):
        return _week(int(found[1] or found[4]), int(found[2] or found[3]))
    if found := re.fullmatch(r"([a-z]{3,9})\.? (\d{4})", text):
        place = found[1][:3]
        return _month(int(found[2]), _MONTHS.index(place) + 1) if place in _MONTHS else None
    return None


def _known_year(year: int) -> bool:
    return 1900 <= year <= 2199


def _year(year: int) -> Period | None:
    return Period.year(year) if _known_year(year) else None


def _month(year: int, month: int) -> Period | None:
    return Period.month(year, month) if _known_year(year) and 1 <= month <= 12 else None


def _week(year: int, week: int) -> Period | None:
    try:
        return schedule.period_of("weekly", date.fromisocalendar(year, week, 1))
    except ValueError:
        return None


def chunks(rows: Sequence[Good], size: int) -> Iterator[Sequence[Good]]:
    """The rows in parts of `size`."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
