"""Control charts: which changes of an indicator are more than its usual noise (ISO 9001 9.1.3).

Limits come from the variation within a frozen baseline, never from a target, a specification or
the overall standard deviation. Everything is computed in exact fractions, so that a value on a
limit is never taken for one beyond it; a square root is drawn only to show a limit. A missing
period breaks moving ranges and runs. Why not a library: docs/decisions/0024.

Sources: W. A. Shewhart (1931) for limits at three standard errors; Western Electric, Statistical
Quality Control Handbook (1956), and L. S. Nelson, Journal of Quality Technology 16 (1984) 237 for
the rules; S. W. Roberts, Technometrics 1 (1959) 239 for EWMA; D. C. Montgomery, Introduction to
Statistical Quality Control, for the constants; J. Anhøj and A. Olesen, PLoS ONE 9 (2014) e113825
for runs about the median.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import comb, log2
from typing import Self

from qms.refusals import Refused

Number = Decimal | Fraction | int
DIGITS = 34  # of a limit that is shown
FEWEST_FOR_CAPABILITY = 20
SIGMAS = 3


class Kind(StrEnum):
    """The charts, each named as in the command `manage.py spc`."""

    I_MR = "i-mr"
    XBAR_R = "xbar-r"
    P = "p"
    NP = "np"
    C = "c"
    U = "u"
    EWMA = "ewma"


COUNTED = frozenset({Kind.P, Kind.NP, Kind.C, Kind.U})
SIZED = frozenset({Kind.P, Kind.NP, Kind.U})


@dataclass(frozen=True)
class Constants:
    """Of ranges in subgroups of normal values: d2, and the factors A2, D3 and D4 made from it."""

    d2: Fraction
    a2: Fraction
    d3: Fraction
    d4: Fraction

    @classmethod
    def of(cls, d2: str, a2: str, d3: str, d4: str) -> Self:
        return cls(Fraction(d2), Fraction(a2), Fraction(d3), Fraction(d4))


# Three decimals, as the tables print them, so that published examples come out to the digit.
CONSTANTS = {
    2: Constants.of("1.128", "1.880", "0", "3.267"),
    3: Constants.of("1.693", "1.023", "0", "2.574"),
    4: Constants.of("2.059", "0.729", "0", "2.282"),
    5: Constants.of("2.326", "0.577", "0", "2.114"),
    6: Constants.of("2.534", "0.483", "0", "2.004"),
    7: Constants.of("2.704", "0.419", "0.076", "1.924"),
    8: Constants.of("2.847", "0.373", "0.136", "1.864"),
    9: Constants.of("2.970", "0.337", "0.184", "1.816"),
    10: Constants.of("3.078", "0.308", "0.223", "1.777"),
    11: Constants.of("3.173", "0.285", "0.256", "1.744"),
    12: Constants.of("3.258", "0.266", "0.283", "1.717"),
    13: Constants.of("3.336", "0.249", "0.307", "1.693"),
    14: Constants.of("3.407", "0.235", "0.328", "1.672"),
    15: Constants.of("3.472", "0.223", "0.347", "1.653"),
    16: Constants.of("3.532", "0.212", "0.363", "1.637"),
    17: Constants.of("3.588", "0.203", "0.378", "1.622"),
    18: Constants.of("3.640", "0.194", "0.391", "1.608"),
    19: Constants.of("3.689", "0.187", "0.403", "1.597"),
    20: Constants.of("3.735", "0.180", "0.415", "1.585"),
    21: Constants.of("3.778", "0.173", "0.425", "1.575"),
    22: Constants.of("3.819", "0.167", "0.434", "1.566"),
    23: Constants.of("3.858", "0.162", "0.443", "1.557"),
    24: Constants.of("3.895", "0.157", "0.451", "1.548"),
    25: Constants.of("3.931", "0.153", "0.459", "1.541"),
}
LARGEST_SUBGROUP = max(CONSTANTS)


@dataclass(frozen=True)
class Row:
    """What was measured for one period.

    One value; or the count and the `size` it was counted in (p, np, u); or the values of a
    subgroup (xbar-r). A missing period is None in place of a row.
    """

    values: tuple[Decimal, ...]
    size: Decimal | None = None

    @classmethod
    def of(cls, *values: Number | str, size: Number | str | None = None) -> Self:
        """A row of whatever can be read as a decimal."""
        read = tuple(Decimal(str(each)) for each in values)
        return cls(read, None if size is None else Decimal(str(size)))

    @property
    def value(self) -> Fraction:
        return Fraction(self.values[0])


Rows = Sequence[Row | None]


@dataclass(frozen=True)
class Problem:
    """What keeps a row from a chart: its index from 0, and a sentence about it."""

    index: int
    sentence: str


@dataclass(frozen=True)
class Baseline:
    """What the limits rest on, frozen: it never moves with the values that come later.

    `spread` is the mean moving range (i-mr), the mean range (xbar-r) or the standard deviation of
    a single value (ewma), and 0 for counts. `size` is the subgroup's (xbar-r), the number
    inspected (np), else 1. `periods` is how many of them it was computed from.
    """

    kind: Kind
    centre: Fraction
    spread: Fraction = Fraction(0)
    size: Fraction = Fraction(1)
    periods: int = 0

    @property
    def sigma(self) -> Fraction | None:
        """The standard deviation within; None for counts, where it follows from the centre."""
        if self.kind == Kind.I_MR:
            return self.spread / CONSTANTS[2].d2
        if self.kind == Kind.XBAR_R:
            return self.spread / CONSTANTS[int(self.size)].d2
        return self.spread if self.kind == Kind.EWMA else None


@dataclass(frozen=True)
class Point:
    """A drawn value with the limits of its period; `variance` is of what is drawn."""

    value: Fraction
    lower: Decimal
    upper: Decimal
    variance: Fraction
    side: int  # -1 below the centre, 0 on it, 1 above
    zone: int  # how many whole sigmas it is strictly beyond, 3 meaning the limit


Points = tuple[Point | None, ...]


@dataclass(frozen=True, order=True)
class Signal:
    """A rule that a point completes: the point's index from 0, and the rule's number."""

    index: int
    rule: int


@dataclass(frozen=True)
class ControlChart:
    """The drawn values with their limits and signals; `ranges` is the chart of ranges below."""

    baseline: Baseline
    rules: str
    points: Points
    signals: tuple[Signal, ...]
    ranges: "ControlChart | None" = None
    width: Fraction = Fraction(SIGMAS)

    @property
    def centre(self) -> Fraction:
        return self.baseline.centre

    @property
    def drawn(self) -> list[Point]:
        """The points there are, missing periods left out."""
        return [each for each in self.points if each is not None]

    @property
    def has_steady_limits(self) -> bool:
        """Whether every point has the same limits."""
        return len({(each.lower, each.upper) for each in self.drawn}) <= 1

    @property
    def is_stable(self) -> bool:
        """Whether nothing but noise was found, in the ranges neither."""
        return not self.signals and (self.ranges is None or not self.ranges.signals)


# The rules ---------------------------------------------------------------------------------

Window = Sequence[Point]


@dataclass(frozen=True)
class Rule:
    """A pattern that chance alone seldom makes.

    `reach` is how many points in a row it looks at; `fits` judges the unbroken points up to the
    last, at most that many. Rules of zones are left out where zones mean little.
    """

    number: int
    reach: int
    words: str
    fits: Callable[[Window], bool]
    of_zones: bool = False


def _beyond_the_limit(window: Window) -> bool:
    return window[-1].zone >= SIGMAS


def _on_one_side(count: int) -> Callable[[Window], bool]:
    def fits(window: Window) -> bool:
        sides = {each.side for each in window}
        return len(window) == count and len(sides) == 1 and 0 not in sides

    return fits


def _some_beyond(some: int, zone: int) -> Callable[[Window], bool]:
    """The last point and enough of those before it lie beyond the zone's edge on its side."""

    def fits(window: Window) -> bool:
        last = window[-1]
        alike = [each for each in window if each.side == last.side and each.zone >= zone]
        return last.zone >= zone and len(alike) >= some

    return fits


def _steadily(count: int) -> Callable[[Window], bool]:
    def fits(window: Window) -> bool:
        steps = _steps(window)
        return len(window) == count and len(steps) == 1 and 0 not in steps

    return fits


def _steps(window: Window) -> set[int]:
    return {_sign(after.value - before.value) for before, after in pairwise(window)}


def _alternately(count: int) -> Callable[[Window], bool]:
    def fits(window: Window) -> bool:
        if len(window) < count:
            return False
        steps = [_sign(after.value - before.value) for before, after in pairwise(window)]
        return all(one * other < 0 for one, other in pairwise(steps))

    return fits


def _all_within(count: int) -> Callable[[Window], bool]:
    def fits(window: Window) -> bool:
        return len(window) == count and all(each.zone == 0 for each in window)

    return fits


def _none_within(count: int) -> Callable[[Window], bool]:
    """On both sides of the centre: those on one side alone are a shift, which others mark."""

    def fits(window: Window) -> bool:
        sides = {each.side for each in window if each.zone >= 1}
        return len(window) == count and all(each.zone >= 1 for each in window) and len(sides) == 2

    return fits


_LIMIT = Rule(1, 1, "The value lies beyond the control limit.", _beyond_the_limit)
RULES: dict[str, tuple[Rule, ...]] = {
    "limits": (_LIMIT,),
    "western-electric": (
        _LIMIT,
        Rule(
            2,
            3,
            "Two of three values in a row lie more than two sigma out, on the same side.",
            _some_beyond(2, 2),
            of_zones=True,
        ),
        Rule(
            3,
            5,
            "Four of five values in a row lie more than one sigma out, on the same side.",
            _some_beyond(4, 1),
            of_zones=True,
        ),
        Rule(4, 8, "Eight values in a row lie on one side of the centre.", _on_one_side(8)),
    ),
    # Numbered as Nelson did, and SAS and JMP do.
    "nelson": (
        _LIMIT,
        Rule(2, 9, "Nine values in a row lie on one side of the centre.", _on_one_side(9)),
        Rule(3, 6, "Six values in a row rise steadily, or fall steadily.", _steadily(6)),
        Rule(4, 14, "Fourteen values in a row go up and down in turn.", _alternately(14)),
        Rule(
            5,
            3,
            "Two of three values in a row lie more than two sigma out, on the same side.",
            _some_beyond(2, 2),
            of_zones=True,
        ),
        Rule(
            6,
            5,
            "Four of five values in a row lie more than one sigma out, on the same side.",
            _some_beyond(4, 1),
            of_zones=True,
        ),
        Rule(
            7,
            15,
            "Fifteen values in a row lie within one sigma: less variation than there should be.",
            _all_within(15),
            of_zones=True,
        ),
        Rule(
            8,
            8,
            "Eight values in a row lie more than one sigma out, on both sides of the centre.",
            _none_within(8),
            of_zones=True,
        ),
    ),
}


def rules_for(kind: Kind, rules: str) -> tuple[Rule, ...]:
    """The rules of a set that mean something on a chart of this kind.

    Zones suppose values that spread like the normal distribution, so counts are asked only for
    runs and trends; the values of an EWMA hang together, so only its limits count.
    """
    if kind == Kind.EWMA:
        return (_LIMIT,)
    return tuple(each for each in RULES[rules] if not (each.of_zones and kind in COUNTED))


def words_of(signal: Signal, rules: str) -> str:
    """A signal in a sentence."""
    return next(each.words for each in RULES[rules] if each.number == signal.rule)


# Making a chart ----------------------------------------------------------------------------


def problems(kind: Kind, rows: Rows) -> list[Problem]:
    """Everything that keeps rows from this chart, each named by its index."""
    found = [
        Problem(index, sentence)
        for index, row in enumerate(rows)
        if row is not None and (sentence := _problem_of(kind, row))
    ]
    bad = {each.index for each in found}
    good = [(i, row) for i, row in enumerate(rows) if row is not None and i not in bad]
    if kind == Kind.XBAR_R and good:
        usual = len(good[0][1].values)
        found += [
            Problem(i, f"It has {len(row.values)} values; the first subgroup has {usual}.")
            for i, row in good
            if len(row.values) != usual
        ]
    if kind in {Kind.NP, Kind.C} and good:
        first = good[0][1].size
        other = "p" if kind == Kind.NP else "u"
        found += [
            Problem(
                i, f"Its n is {row.size}, the first is {first}; use the {other} chart for that."
            )
            for i, row in good
            if row.size != first
        ]
    return sorted(found, key=lambda each: each.index)


def _problem_of(kind: Kind, row: Row) -> str:
    if not all(each.is_finite() for each in row.values):
        return "It is not a number."
    if kind == Kind.XBAR_R:
        return _problem_of_subgroup(row)
    if len(row.values) != 1 or (kind not in COUNTED and row.size is not None):
        return (
            f"The {kind} chart takes one value a period; this one has more. (Decimals are written"
            " with a point, or the columns separated by semicolons.)"
        )
    if kind in SIZED:
        if row.size is None or not row.size.is_finite():
            return "It says no n: write the count and how many were inspected."
        if row.size <= 0:
            return "Its n is not above 0: nothing was inspected, so leave the period empty."
    return _problem_of_count(kind, row) if kind in COUNTED else ""


def _problem_of_subgroup(row: Row) -> str:
    count = len(row.values)
    if count == 1:
        return "A subgroup of one has no range; use the i-mr chart."
    if count > LARGEST_SUBGROUP:
        return f"A subgroup has at most {LARGEST_SUBGROUP} values; this one has {count}."
    return ""


def _problem_of_count(kind: Kind, row: Row) -> str:
    value = row.values[0]
    if value < 0 or value != value.to_integral_value():
        return f"{value:f} is not a count; write how many were found, as a whole number."
    if kind not in {Kind.P, Kind.NP} or row.size is None:
        return ""
    if row.size != row.size.to_integral_value():
        return f"n is {row.size:f}; write how many were inspected, as a whole number."
    return f"{value:f} of {row.size:f} is more than all." if value > row.size else ""


def check(kind: Kind, rows: Rows) -> None:
    """Refuse rows that do not fit the chart, naming the first."""
    if found := problems(kind, rows):
        more = f" ({len(found) - 1} more like it.)" if len(found) > 1 else ""
        raise Refused(f"Value {found[0].index + 1}: {found[0].sentence}{more}")


def baseline_of(kind: Kind, rows: Rows, *, leaving_out: Collection[int] = ()) -> Baseline:
    """The baseline from these rows; indexes to be left out break moving ranges as missing ones do.

    Raises Refused when rows do not fit the chart or are too few for limits.
    """
    check(kind, rows)
    used = [None if index in leaving_out else row for index, row in enumerate(rows)]
    known = [row for row in used if row is not None]
    if not known:
        raise Refused("There is no value to compute limits from.")
    if kind == Kind.XBAR_R:
        means = [_mean(row) for row in known]
        ranges = [Fraction(max(row.values) - min(row.values)) for row in known]
        size = Fraction(len(known[0].values))
        return Baseline(kind, _average(means), _average(ranges), size, len(known))
    total = sum((row.value for row in known), Fraction(0))
    if kind in COUNTED:
        return _baseline_of_counts(kind, known, total)
    moves = [each for each in moving_ranges(used) if each is not None]
    if not moves:
        raise Refused("Limits need at least two values in a row, without a missing period between.")
    spread = _average(moves)
    spread = spread / CONSTANTS[2].d2 if kind == Kind.EWMA else spread
    return Baseline(kind, total / len(known), spread, periods=len(known))


def _baseline_of_counts(kind: Kind, known: Sequence[Row], total: Fraction) -> Baseline:
    if kind == Kind.C:
        return Baseline(kind, total / len(known), periods=len(known))
    sizes = [Fraction(row.size or 1) for row in known]
    if kind == Kind.NP:
        return Baseline(kind, total / len(known), size=sizes[0], periods=len(known))
    return Baseline(kind, total / sum(sizes), periods=len(known))


def moving_ranges(rows: Rows) -> list[Fraction | None]:
    """The step from each value to the next; None for the first and after a missing period."""
    steps: list[Fraction | None] = [None] * min(1, len(rows))
    for before, after in pairwise(rows):
        gap = before is None or after is None
        steps.append(None if gap else abs(after.value - before.value))  # type: ignore[union-attr]
    return steps


def chart(
    baseline: Baseline,
    rows: Rows,
    *,
    rules: str = "limits",
    weight: Number = Decimal("0.2"),
    width: Number = SIGMAS,
    exact: bool = False,
) -> ControlChart:
    """The chart of `rows` by the limits of a frozen baseline.

    `rules` is a key of `RULES`. `weight` (lambda, above 0 and at most 1), `width` (L, in sigmas)
    and `exact` (limits that widen from the start, in place of those they come to) are of the EWMA
    alone. Raises Refused when the rows do not fit.
    """
    check(baseline.kind, rows)
    if baseline.kind == Kind.NP:
        _check_sizes(rows, baseline.size, "n")
    if baseline.kind == Kind.EWMA:
        smoothing = _Smoothing(Fraction(weight), Fraction(width), exact)
        return _ewma(baseline, rows, rules, smoothing)
    if baseline.kind == Kind.XBAR_R:
        _check_subgroups(rows, baseline.size)
    points = _points(baseline, rows)
    signals = _signals(points, rules_for(baseline.kind, rules))
    return ControlChart(baseline, rules, points, signals, _ranges(baseline, rows))


def _check_sizes(rows: Rows, size: Fraction, name: str) -> None:
    for index, row in enumerate(rows):
        if row is not None and row.size != size:
            raise Refused(f"Value {index + 1}: its {name} is {row.size}, the baseline's {size}.")


def _check_subgroups(rows: Rows, size: Fraction) -> None:
    for index, row in enumerate(rows):
        if row is not None and len(row.values) != size:
            count = len(row.values)
            raise Refused(f"Value {index + 1}: it has {count} values, the baseline's have {size}.")


@dataclass(frozen=True)
class _Band:
    """The variance of a drawn value, and the limits that follow from it."""

    centre: Fraction
    variance: Fraction
    width: Fraction
    lower: Decimal
    upper: Decimal

    @classmethod
    def of(
        cls,
        centre: Fraction,
        variance: Fraction,
        *,
        width: Fraction = Fraction(SIGMAS),
        floor: Number | None = None,
        roof: Number | None = None,
    ) -> Self:
        reach = _shown(width) * _root(variance)
        lower, upper = _shown(centre) - reach, _shown(centre) + reach
        if floor is not None:
            lower = max(lower, _shown(Fraction(floor)))
        if roof is not None:
            upper = min(upper, _shown(Fraction(roof)))
        return cls(centre, variance, width, lower, upper)

    def place(self, value: Fraction) -> Point:
        """A point between the limits; squares are compared, so that no root is ever rounded."""
        away = value - self.centre
        square, variance = away**2, self.variance
        if square <= variance:
            zone = 0
        elif square > self.width**2 * variance:
            zone = SIGMAS
        else:
            zone = 2 if square > 4 * variance else 1
        return Point(value, self.lower, self.upper, variance, _sign(away), zone)


def _band(baseline: Baseline, size: Fraction) -> _Band:
    """The limits of a value that was counted in so many; measured values know no size."""
    kind, centre = baseline.kind, baseline.centre
    if kind == Kind.XBAR_R:
        error = CONSTANTS[int(baseline.size)].a2 * baseline.spread / SIGMAS
        return _Band.of(centre, error**2)
    if kind == Kind.I_MR:
        return _Band.of(centre, (baseline.spread / CONSTANTS[2].d2) ** 2)
    if kind == Kind.C:
        return _Band.of(centre, centre, floor=0)
    if kind == Kind.NP:
        return _Band.of(centre, centre * (1 - centre / size), floor=0, roof=size)
    if kind == Kind.P:
        return _Band.of(centre, centre * (1 - centre) / size, floor=0, roof=1)
    return _Band.of(centre, centre / size, floor=0)


def _points(baseline: Baseline, rows: Rows) -> Points:
    """The drawn values between their limits, which are computed once for each n."""
    bands: dict[Decimal | None, _Band] = {}
    points: list[Point | None] = []
    for row in rows:
        if row is None:
            points.append(None)
            continue
        size = Fraction(row.size or 1)
        band = bands.get(row.size) or bands.setdefault(row.size, _band(baseline, size))
        value = _mean(row) if baseline.kind == Kind.XBAR_R else row.value
        points.append(band.place(value / size if baseline.kind in {Kind.P, Kind.U} else value))
    return tuple(points)


def _ranges(baseline: Baseline, rows: Rows) -> ControlChart | None:
    """The chart of ranges that stands below i-mr and xbar-r; only its limits are a rule."""
    if baseline.kind == Kind.XBAR_R:
        factors = CONSTANTS[int(baseline.size)]
        values = [
            None if row is None else Fraction(max(row.values) - min(row.values)) for row in rows
        ]
    elif baseline.kind == Kind.I_MR:
        factors, values = CONSTANTS[2], moving_ranges(rows)
    else:
        return None
    centre = baseline.spread
    lower, upper = factors.d3 * centre, factors.d4 * centre
    shown = (_shown(lower), _shown(upper))
    variance = ((upper - centre) / SIGMAS) ** 2
    points = tuple(
        None
        if value is None
        else Point(
            value,
            *shown,
            variance,
            _sign(value - centre),
            SIGMAS if not lower <= value <= upper else 0,
        )
        for value in values
    )
    below = Baseline(baseline.kind, centre, periods=baseline.periods)
    return ControlChart(below, "limits", points, _signals(points, (_LIMIT,)))


@dataclass(frozen=True)
class _Smoothing:
    """How an EWMA is made: lambda, L, and whether its limits are those of each value's age."""

    weight: Fraction
    width: Fraction
    exact: bool

    def check(self) -> None:
        if not 0 < self.weight <= 1:
            raise Refused("Lambda lies above 0 and is at most 1.")
        if self.width <= 0:
            raise Refused("The width of the limits, L, is above 0.")


def _ewma(baseline: Baseline, rows: Rows, rules: str, how: _Smoothing) -> ControlChart:
    """z = lambda x + (1 - lambda) z, started at the centre; a missing period leaves z as it was.

    The variance comes to that of a value times lambda / (2 - lambda); after i values it is
    (1 - (1 - lambda)^2i) of that (Montgomery, 9.2), which is what `exact` asks for.
    """
    how.check()
    if baseline.spread < 0:
        raise Refused("Sigma is not below 0.")
    rest = 1 - how.weight
    final = baseline.spread**2 * how.weight / (2 - how.weight)
    band = _Band.of(baseline.centre, final, width=how.width)
    smoothed, faded, points = baseline.centre, Fraction(1), list[Point | None]()
    for row in rows:
        if row is None:
            points.append(None)
            continue
        smoothed = _rounded(how.weight * row.value + rest * smoothed)
        if how.exact:
            faded = _rounded(faded * rest**2)
            band = _Band.of(baseline.centre, final * (1 - faded), width=how.width)
        points.append(band.place(smoothed))
    drawn = tuple(points)
    signals = _signals(drawn, rules_for(Kind.EWMA, rules))
    return ControlChart(baseline, rules, drawn, signals, width=how.width)


def _signals(points: Points, rules: Sequence[Rule]) -> tuple[Signal, ...]:
    """Every rule that a point completes together with the unbroken points before it."""
    found: list[Signal] = []
    reach = max(rule.reach for rule in rules)
    stretch: list[Point] = []
    for index, point in enumerate(points):
        if point is None:
            stretch = []
            continue
        stretch = [*stretch[-(reach - 1) :], point] if reach > 1 else [point]
        for rule in rules:
            if rule.of_zones and not point.variance:
                continue
            if rule.fits(stretch[-rule.reach :]):
                found.append(Signal(index, rule.number))
    return tuple(found)


# Capability --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Capability:
    """How a stable process fits its specification.

    `cp` and `cpk` take the sigma within the baseline, `pp` and `ppk` the overall standard
    deviation of all values; Cp and Pp are None for a specification with one side.
    """

    cp: Decimal | None
    cpk: Decimal
    pp: Decimal | None
    ppk: Decimal
    values: int


def indices(
    mean: Number, sigma: Number, *, lower: Number | None = None, upper: Number | None = None
) -> tuple[Decimal | None, Decimal]:
    """(Cp, Cpk) of a mean and a standard deviation: (USL - LSL) / 6 s, min(…) / 3 s.

    Raises Refused without a specification, with one that is closed, or without variation.
    """
    centre, spread = Fraction(mean), Fraction(sigma)
    if lower is None and upper is None:
        raise Refused("Capability needs a lower or an upper limit of the specification.")
    if spread <= 0:
        raise Refused("The values do not vary, so there is no capability to compute.")
    edges = [Fraction(upper) - centre] if upper is not None else []
    edges += [centre - Fraction(lower)] if lower is not None else []
    nearest = min(edges)
    cpk = _shown(nearest / (3 * spread))
    if lower is None or upper is None:
        return None, cpk
    if Fraction(lower) >= Fraction(upper):
        raise Refused("The lower limit of the specification lies below the upper one.")
    return _shown((Fraction(upper) - Fraction(lower)) / (6 * spread)), cpk


def capability(
    found: ControlChart, rows: Rows, *, lower: Number | None = None, upper: Number | None = None
) -> Capability:
    """The capability that a chart of values (i-mr, xbar-r) shows; refused unless it is stable."""
    sigma = found.baseline.sigma
    if found.baseline.kind not in {Kind.I_MR, Kind.XBAR_R} or sigma is None:
        raise Refused("Capability is computed from measured values, in an i-mr or xbar-r chart.")
    if not found.is_stable:
        raise Refused(
            "The chart shows signals. Capability means something only once the process is stable."
        )
    values = [Fraction(each) for row in rows if row is not None for each in row.values]
    if len(values) < FEWEST_FOR_CAPABILITY:
        few = f"Capability needs at least {FEWEST_FOR_CAPABILITY} values; there are {len(values)}."
        raise Refused(few)
    mean = _average(values)
    overall = sum(((each - mean) ** 2 for each in values), Fraction(0)) / (len(values) - 1)
    cp, cpk = indices(mean, sigma, lower=lower, upper=upper)
    pp, ppk = indices(mean, Fraction(_root(overall)), lower=lower, upper=upper)
    return Capability(cp, cpk, pp, ppk, len(values))


# Runs about the median ---------------------------------------------------------------------


@dataclass(frozen=True)
class Runs:
    """Runs about the median: `longest` beyond `most`, or `crossings` below `fewest`, is a shift."""

    median: Fraction
    useful: int
    longest: int
    most: int
    crossings: int
    fewest: int

    @property
    def is_shifted(self) -> bool:
        return self.longest > self.most or self.crossings < self.fewest


def runs(values: Sequence[Number | None]) -> Runs | None:
    """The runs of values about their median; None without a value.

    A value on the median is passed over; a missing period ends a run and is not a crossing.
    """
    known = sorted(Fraction(each) for each in values if each is not None)
    if not known:
        return None
    half = len(known) // 2
    median = known[half] if len(known) % 2 else (known[half - 1] + known[half]) / 2
    useful = longest = crossings = length = side = 0
    for each in values:
        here = 0 if each is None else _sign(Fraction(each) - median)
        if each is None:
            length = side = 0
        if not here:
            continue
        crossings += side * here < 0
        length = length + 1 if here == side else 1
        useful, longest, side = useful + 1, max(longest, length), here
    most = round(log2(useful) + 3) if useful else 0
    return Runs(median, useful, longest, most, crossings, _fewest_crossings(useful))


def _fewest_crossings(useful: int) -> int:
    """The lower 5 % quantile of crossings that chance alone makes, binomial with p = 1/2."""
    tries, below = useful - 1, 0
    if tries < 1:
        return 0
    for crossings in range(tries + 1):
        below += comb(tries, crossings)
        if 20 * below >= 2**tries:
            return crossings
    return tries


# Arithmetic --------------------------------------------------------------------------------


def _mean(row: Row) -> Fraction:
    return _average([Fraction(each) for each in row.values])


def _average(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


def _shown(value: Fraction) -> Decimal:
    with localcontext(prec=DIGITS):
        return Decimal(value.numerator) / Decimal(value.denominator)


def _root(value: Fraction) -> Decimal:
    with localcontext(prec=DIGITS):
        return _shown(value).sqrt()


def _rounded(value: Fraction) -> Fraction:
    """To 60 digits: the exact one would grow with every period."""
    with localcontext(prec=60):
        return Fraction(Decimal(value.numerator) / Decimal(value.denominator))
