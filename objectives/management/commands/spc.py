"""`manage.py spc`: a control chart of a CSV file, printed as JSON."""

import csv
import io
import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from objectives import spc
from objectives.spc import Baseline, ControlChart, Kind, Point, Row
from qms.refusals import Refused

HELP = """\
Computes a control chart of a CSV file and prints it as JSON.

The file has one column of values; or value,n (p, np, u: the count found, and in how many); or one
subgroup a row (xbar-r). A header is optional, an empty row is a missing period, and decimals are
written with a point (or with a comma where the columns are separated by semicolons).

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
zones are not applied to counts, and an ewma knows only its limits.
"""
BLANK = frozenset({"", "na", "n/a"})


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
            "--lambda", dest="weight", type=_number, default=Decimal("0.2"), metavar="L",
            help="weight of the newest value in an ewma (0.2)",
        )  # fmt: skip
        parser.add_argument(
            "--start", type=_number, metavar="S", help="centre of an ewma, and where it starts"
        )
        parser.add_argument(
            "--sigma", type=_number, metavar="S", help="standard deviation of a value in an ewma"
        )
        parser.add_argument(
            "--width", type=_number, default=Decimal(3), metavar="W",
            help="limits of an ewma, in sigmas (3)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        kind = Kind(options["chart"])
        try:
            rows, lines = read(options["file"], kind)
            if found := spc.problems(kind, rows):
                told = [f"Row {lines[each.index]}: {each.sentence}" for each in found]
                raise CommandError("\n".join(told))
            chart = spc.chart(
                _baseline(kind, rows, options),
                rows,
                rules=options["rules"],
                weight=options["weight"],
                width=options["width"],
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(json.dumps(as_json(chart), indent=2))


def _baseline(kind: Kind, rows: spc.Rows, options: dict[str, Any]) -> Baseline:
    first, start, sigma = options["baseline"], options["start"], options["sigma"]
    if kind != Kind.EWMA and not (start is None and sigma is None):
        raise Refused("--start and --sigma belong to the ewma chart.")
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
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError from None
    if not value.is_finite():
        raise ValueError
    return value


# Reading -----------------------------------------------------------------------------------


def read(path: Path, kind: Kind) -> tuple[list[Row | None], list[int]]:
    """The rows of a CSV file and the line each stands on; None for an empty row between others.

    Raises Refused naming every line that holds something else than numbers.
    """
    rows: list[Row | None] = []
    lines: list[int] = []
    wrong: list[str] = []
    for line, cells, comma in _cells(_text_of(path)):
        try:
            row = _row([_decimal(cell, comma=comma) for cell in cells], kind)
        except ValueError as error:
            if rows or wrong or _has_number(cells, comma=comma):
                wrong.append(f"Row {line}: {error}")
            continue  # else it is the header
        if row is not None or rows:
            rows.append(row)
            lines.append(line)
    if wrong:
        raise Refused("\n".join(wrong))
    while rows and rows[-1] is None:
        rows.pop()
    if not rows:
        raise Refused(f"{path} holds no values.")
    return rows, lines


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise Refused(f"{path} is not a text file in UTF-8; save it as CSV.") from None


def _cells(text: str) -> Iterator[tuple[int, list[str], bool]]:
    """(line, cells without empty ones at the end, whether a comma is the decimal mark)."""
    separator = next((mark for mark in ";\t" if mark in text), ",")
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    for cells in reader:
        kept = [cell.strip() for cell in cells]
        while kept and not kept[-1]:
            kept.pop()
        yield reader.line_num, kept, separator != ","


def _decimal(cell: str, *, comma: bool) -> Decimal | None:
    if cell.casefold() in BLANK:
        return None
    plain = cell.replace("\N{MINUS SIGN}", "-")
    if comma and plain.count(",") == 1 and "." not in plain:
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


def _has_number(cells: list[str], *, comma: bool) -> bool:
    """Whether a first row that cannot be read holds a number, and so is no header."""
    for cell in cells:
        try:
            if _decimal(cell, comma=comma) is not None:
                return True
        except ValueError:
            if cell.casefold().lstrip("+-") in {"nan", "inf", "infinity"}:
                return True
    return False


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
    if chart.has_steady_limits:
        return float(chart.drawn[0].variance) ** 0.5
    return [None if point is None else float(point.variance) ** 0.5 for point in chart.points]
