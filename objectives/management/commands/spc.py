"""`manage.py spc`: a control chart of a CSV file, printed as JSON."""

import csv
import io
import json
import re
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from objectives import spc
from objectives.cells import decoded
from objectives.spc import Baseline, ControlChart, Kind, Point, Row
from qms.refusals import Refused

HELP = """\
Computes a control chart of a CSV file and prints it as JSON.

The file has one column of values; or value,n (p, np, u: the count found, and in how many); or one
subgroup a row (xbar-r). A header is optional; an empty row, “NA” or “-” is a missing period; and
decimals are written with a point (or with a comma where the columns are separated by semicolons).
Empty rows before the first value and after the last one are no periods.

The answer:
  centre     the centre line
  sigma      the standard deviation within the baseline (i-mr, xbar-r, ewma);
             of the points for counts, a list where n varies
  limits     {"lower": …, "upper": …}, a list of them, one a point, where n varies
  points     what is drawn, null for a missing period
  signals    [index, rule] pairs, the index counted from 1, at the point that completes the rule
  explained  the same signals as sentences
  range      the same of the moving ranges (i-mr) or ranges (xbar-r)

Without --rules only values strictly beyond the limits are signals (rule 1). Rules that look at
zones are not applied to counts, and an ewma knows only its limits: those they come to, or with
--exact the narrower ones of its first values, one a point.

Where something is wrong, every row of it is named on the error output and the exit code is 1.
"""
BLANK = frozenset({"", "na", "n/a", "-", "\N{EN DASH}", "null", "none"})
OF_HOW_MANY = frozenset({"n", "size", "n inspected", "sample size", "inspected"})
# A first row is a header unless a cell of it begins like a number: then it is one, or a mistake.
BEGINS_LIKE_A_NUMBER = re.compile(r"[-+\N{MINUS SIGN}<>≤≥~]?\s*[.,]?\d(?!\d*(st|nd|rd|th)\b)")
THOUSANDS = re.compile(r",\d{3}$")
EWMA_ALONE = ("weight", "start", "sigma", "width", "exact")


class Command(BaseCommand):
    """Reads the file, says everything that is wrong with it, or prints the chart."""

    help = HELP
    requires_system_checks: list[str] = []  # it needs neither database nor settings

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs["formatter_class"] = RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--chart", required=True, choices=[kind.value for kind in Kind])
        parser.add_argument("--rules", default="limits", choices=sorted(spc.RULES))
        parser.add_argument(
            "--baseline", type=int, metavar="N", help="limits from the first N rows only"
        )
        parser.add_argument(
            "--lambda", dest="weight", type=_number, metavar="L",
            help="weight of the newest value in an ewma (0.2)",
        )  # fmt: skip
        parser.add_argument(
            "--start", type=_number, metavar="S", help="centre of an ewma, and where it starts"
        )
        parser.add_argument(
            "--sigma", type=_number, metavar="S", help="standard deviation of a value in an ewma"
        )
        parser.add_argument(
            "--width", type=_number, metavar="W", help="limits of an ewma, in sigmas (3)"
        )
        parser.add_argument(
            "--exact", action="store_true", default=None,
            help="limits of an ewma that widen from its start",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        kind = Kind(options["chart"])
        try:
            told = _of_an_ewma(kind, options)
            rows = read(options["file"], kind)
            baseline = _baseline(kind, rows, options)
            chart = spc.chart(baseline, rows, rules=options["rules"], **told)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(json.dumps(as_json(chart), indent=2, allow_nan=False))


def _of_an_ewma(kind: Kind, options: dict[str, Any]) -> dict[str, Any]:
    """What was said of how an EWMA is smoothed; refused for any other chart."""
    given = [name for name in EWMA_ALONE if options[name] is not None]
    if kind != Kind.EWMA and given:
        names = ["--lambda" if name == "weight" else f"--{name}" for name in given]
        verb = "belongs" if len(names) == 1 else "belong"
        raise Refused(f"{' and '.join(names)} {verb} to the ewma chart, not to {kind}.")
    return {name: options[name] for name in given if name in {"weight", "width", "exact"}}


def _baseline(kind: Kind, rows: spc.Rows, options: dict[str, Any]) -> Baseline:
    first, start, sigma = options["baseline"], options["start"], options["sigma"]
    if first is not None and not 1 <= first <= len(rows):
        raise Refused(f"--baseline lies between 1 and {len(rows)}, as many rows as there are.")
    if start is not None and sigma is not None:
        return Baseline(kind, Fraction(start), Fraction(sigma))
    found = spc.baseline_of(kind, rows[:first])
    centre = found.centre if start is None else Fraction(start)
    spread = found.spread if sigma is None else Fraction(sigma)
    return Baseline(kind, centre, spread, found.size, found.periods)


def _number(text: str) -> Decimal:
    try:
        value = _decimal(text.strip(), comma=False)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    if value is None:
        raise ArgumentTypeError(f"“{text}” is not a number.")
    return value


# Reading -----------------------------------------------------------------------------------


def read(path: Path, kind: Kind) -> list[Row | None]:
    """The rows of a CSV file; None for a missing period.

    Raises Refused naming every line that cannot be read or does not fit the chart.
    """
    rows: list[Row | None] = []
    lines: list[int] = []
    wrong: list[tuple[int, str]] = []
    empty, headed = 0, False  # empty rows at the end are no periods
    for line, cells, comma in _cells(_text_of(path)):
        try:
            row = _row([_decimal(cell, comma=comma) for cell in cells], kind)
        except ValueError as error:
            if rows or wrong or headed or any(_is_like_a_number(cell) for cell in cells):
                wrong.append((line, str(error)))
            else:
                _check_header(cells, kind)
                headed = True
            continue
        if cells or rows:
            rows.append(row)
            lines.append(line)
            empty = 0 if cells else empty + 1
    wrong += [(lines[each.index], each.sentence) for each in spc.problems(kind, rows)]
    if wrong:
        raise Refused("\n".join(f"Row {line}: {said}" for line, said in sorted(wrong)))
    rows = rows[: len(rows) - empty]
    if not any(rows):
        raise Refused(f"{path} holds no values.")
    return rows


def _check_header(cells: list[str], kind: Kind) -> None:
    """Refuse columns that stand the other way round, which would pass for numbers."""
    named = [cell.casefold() for cell in cells]
    if kind in spc.COUNTED and len(named) == 2 and named[0] in OF_HOW_MANY:
        raise Refused(f"The columns are “{cells[0]}” and “{cells[1]}”; write the count first.")


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    text = decoded(content)
    if "\x00" in text:
        raise Refused(f"{path} is not a text file; save it as CSV.")
    return text


def _cells(text: str) -> Iterator[tuple[int, list[str], bool]]:
    """(line, cells without empty ones at the end, whether a comma is the decimal mark)."""
    bare = re.sub(r'"[^"\n]*"', "", text)
    separator = next((mark for mark in ";\t" if mark in bare), ",")
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=separator)
    try:
        for cells in reader:
            kept = [cell.strip() for cell in cells]
            while kept and not kept[-1]:
                kept.pop()
            yield reader.line_num, kept, separator != ","
    except csv.Error as error:
        raise Refused(f"Row {reader.line_num} cannot be read as CSV: {error}.") from None


def _decimal(cell: str, *, comma: bool) -> Decimal | None:
    if cell.casefold() in BLANK:
        return None
    plain = cell.replace("\N{MINUS SIGN}", "-")
    # Between commas a cell with a comma was quoted; “1,234” could be either of two numbers.
    if plain.count(",") == 1 and "." not in plain and (comma or not THOUSANDS.search(plain)):
        plain = plain.replace(",", ".")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise ValueError(f"“{cell}” is not a number.") from None
    if not value.is_finite() or "_" in plain:
        raise ValueError(f"“{cell}” is not a number.")
    if value and abs(value.adjusted()) > spc.DIGITS:
        raise ValueError(f"“{cell}” is no size a measurement has.")
    return value


def _is_like_a_number(cell: str) -> bool:
    """Whether a cell of a first row that cannot be read was meant as a number, so is no header."""
    if cell.casefold().lstrip("+-") in {"nan", "inf", "infinity"}:
        return True
    return BEGINS_LIKE_A_NUMBER.match(cell) is not None


def _row(values: list[Decimal | None], kind: Kind) -> Row | None:
    if all(value is None for value in values):
        return None
    if kind in spc.COUNTED and len(values) == 2:
        if values[0] is None:
            return None
        return Row((values[0],), values[1])
    if None in values:
        raise ValueError("A value of it is missing; give all of them, or leave the row empty.")
    return Row(tuple(value for value in values if value is not None))


# Writing -----------------------------------------------------------------------------------


def as_json(chart: ControlChart) -> dict[str, Any]:
    """A chart as plain numbers, indexes counted from 1."""
    sigma = chart.baseline.sigma
    told: dict[str, Any] = {
        "chart": chart.baseline.kind.value,
        "rules": chart.rules,
        "baseline": chart.baseline.periods,
        "centre": float(chart.centre),
        "sigma": _sigma_of_points(chart) if sigma is None else float(sigma),
        "limits": _limits(chart),
        "points": [None if point is None else float(point.value) for point in chart.points],
        "signals": [[signal.index + 1, signal.rule] for signal in chart.signals],
        "explained": [
            f"{signal.index + 1}: {spc.words_of(signal, chart.rules)}" for signal in chart.signals
        ],
    }
    if chart.ranges is not None:
        below = chart.ranges
        told["range"] = {
            "centre": float(below.centre),
            "limits": _limits(below),
            "points": [None if point is None else float(point.value) for point in below.points],
            "signals": [[signal.index + 1, signal.rule] for signal in below.signals],
        }
    return told


def _limits(chart: ControlChart) -> Any:
    each = [None if point is None else _edges(point) for point in chart.points]
    return _edges(chart.drawn[0]) if chart.drawn and chart.has_steady_limits else each


def _edges(point: Point) -> dict[str, float]:
    return {"lower": float(point.lower), "upper": float(point.upper)}


def _sigma_of_points(chart: ControlChart) -> Any:
    """One, or one a point where n varies: limits that are cut off at 0 and 1 may hide that."""
    if len({each.variance for each in chart.drawn}) == 1:
        return float(chart.drawn[0].variance) ** 0.5
    return [None if point is None else float(point.variance) ** 0.5 for point in chart.points]
