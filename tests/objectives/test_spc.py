"""A control chart tells noise from change, by limits that were frozen (9.1.3).

The published examples are those of the NIST/SEMATECH e-Handbook of Statistical Methods, section
6.3 (individuals 6.3.2.2, EWMA 6.3.2.4, c 6.3.3.1) and 6.1.6 (capability), and of D. C. Montgomery,
Introduction to Statistical Quality Control (cans, purchase orders, printed circuit boards, dyed
cloth; the flow widths and the cost of loans by their means; EWMA of example 9.2).
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from math import erfc, exp, pi, sqrt
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from objectives import spc
from objectives.spc import CONSTANTS, Baseline, Kind, Row, Signal, baseline_of, chart
from qms.refusals import Refused

pytestmark = pytest.mark.clause("9.1.3")

NIST_INDIVIDUALS = "49.6 47.6 49.9 51.3 47.8 51.2 52.6 52.4 53.6 52.1"
NIST_EWMA_DATA = (
    "52.0 47.0 53.0 49.3 50.1 47.0 51.0 50.1 51.2 50.5 "
    "49.6 47.6 49.9 51.3 47.8 51.2 52.6 52.4 53.6 52.1"
)
NIST_EWMA = (
    "50.60 49.52 50.56 50.18 50.16 49.21 49.75 49.85 50.26 50.33 "
    "50.11 49.36 49.52 50.05 49.38 49.92 50.73 51.23 51.94 51.99"
)
NIST_WAFERS = "16 14 28 16 12 20 10 12 10 17 19 17 14 16 15 13 14 16 11 20 11 19 16 31 13"
CANS = "12 15 8 10 4 7 16 9 14 10 5 6 17 12 22 8 10 5 13 11 20 18 24 15 9 12 7 13 9 6"

ORDERS = "12 8 6 9 10 12 11 16 10 6 20 15 9 8 6 8 10 7 5 8 5 8 10 6 9"
ORDER_SIZES = (
    "100 80 80 100 110 110 100 100 90 90 110 120 120 120 110 80 80 80 90 100 100 100 100 90 90"
)
BOARDS = "21 24 16 12 15 5 28 20 31 25 20 24 16 19 10 17 13 22 18 39 30 24 16 19 17 15"
CLOTH = "14 12 20 11 7 10 21 16 19 23"
CLOTH_UNITS = "10.0 8.0 13.0 10.0 9.5 10.0 12.0 10.5 12.0 12.5"
CLOTH_UPPER = "2.55 2.68 2.41 2.55 2.58 2.55 2.45 2.52 2.45 2.43"
CLOTH_LOWER = "0.29 0.16 0.43 0.29 0.26 0.29 0.39 0.32 0.39 0.41"
MONTGOMERY_EWMA_DATA = (
    "9.45 7.99 9.29 11.66 12.16 10.18 8.04 11.46 9.20 10.34 9.03 11.47 10.51 9.40 10.08 "
    "9.37 10.62 10.31 8.52 10.84 10.90 9.33 12.29 11.50 10.60 11.08 10.38 11.62 11.31 10.52"
)


def rows(text: str | Sequence[object], size: object = None) -> list[Row | None]:
    """A row for each word; “-” is a missing period."""
    words = text.split() if isinstance(text, str) else text
    return [None if each == "-" else Row.of(str(each), size=size) for each in words]  # type: ignore[arg-type]


def drawn(values: str | Sequence[object], **more: Any) -> spc.ControlChart:
    """The chart of values standing that many sigmas from a centre of 0."""
    return chart(Baseline(Kind.I_MR, Fraction(0), CONSTANTS[2].d2), rows(values), **more)


def completed(rule: int, found: spc.ControlChart) -> list[int]:
    """Where a rule was completed, counted from 1."""
    return [each.index + 1 for each in found.signals if each.rule == rule]


def printed(value: Any, digits: int) -> str:
    return f"{float(value):.{digits}f}"


# Published examples ------------------------------------------------------------------------


def test_the_individuals_of_nist_come_out_to_the_printed_digit() -> None:
    values = rows(NIST_INDIVIDUALS)
    found = chart(baseline_of(Kind.I_MR, values), values, rules="nelson")
    assert printed(found.centre, 2) == "50.81"
    assert printed(found.drawn[0].upper, 4) == "55.8041"
    assert printed(found.drawn[0].lower, 4) == "45.8159"
    assert found.is_stable


def test_the_ewma_of_nist_comes_out_to_the_printed_digit() -> None:
    frozen = Baseline(Kind.EWMA, Fraction(50), Fraction("2.0539"))
    found = chart(frozen, rows(NIST_EWMA_DATA), weight=Decimal("0.3"))
    assert [printed(each.value, 2) for each in found.drawn] == NIST_EWMA.split()
    assert printed(found.drawn[0].upper, 4) == "52.5884"
    # The handbook prints 47.4115: it goes on with a root rounded to 0.4201.
    assert abs(found.drawn[0].lower - Decimal("47.4115")) < Decimal("0.0001")
    assert not found.signals


def test_the_wafers_of_nist_a_count_on_the_limit_is_not_beyond_it() -> None:
    values = rows(NIST_WAFERS)
    found = chart(baseline_of(Kind.C, values), values)
    assert (found.centre, found.drawn[0].lower, found.drawn[0].upper) == (16, 4, 28)
    assert found.signals == (Signal(23, 1),)  # 31; the 28 of wafer 3 stands on the limit


def test_the_cans_of_montgomery_come_out_to_the_printed_digit() -> None:
    values = rows(CANS, size=50)
    found = chart(baseline_of(Kind.P, values), values)
    assert printed(found.centre, 4) == "0.2313"
    assert printed(found.drawn[0].lower, 4) == "0.0524"
    assert printed(found.drawn[0].upper, 4) == "0.4102"
    assert [each.index + 1 for each in found.signals] == [15, 23]


def test_the_orders_of_montgomery_have_limits_of_their_own_n() -> None:
    orders = [Row.of(d, size=n) for d, n in zip(ORDERS.split(), ORDER_SIZES.split(), strict=True)]
    found = chart(baseline_of(Kind.P, orders), orders)
    assert printed(found.centre, 3) == "0.096"
    assert not found.has_steady_limits
    assert [each.index + 1 for each in found.signals] == [11]


def test_the_boards_of_montgomery_come_out_to_the_printed_digit() -> None:
    values = rows(BOARDS)
    found = chart(baseline_of(Kind.C, values), values)
    assert printed(found.centre, 2) == "19.85"
    assert printed(found.drawn[0].upper, 2) == "33.21"
    assert printed(found.drawn[0].lower, 2) == "6.48"
    assert [each.index + 1 for each in found.signals] == [6, 20]


def test_the_cloth_of_montgomery_is_counted_in_parts_of_units() -> None:
    cloth = [Row.of(d, size=n) for d, n in zip(CLOTH.split(), CLOTH_UNITS.split(), strict=True)]
    assert printed(baseline_of(Kind.U, cloth).centre, 2) == "1.42"
    # The book goes on with the centre as it printed it.
    found = chart(Baseline(Kind.U, Fraction("1.42")), cloth)
    assert [printed(each.upper, 2) for each in found.drawn] == CLOTH_UPPER.split()
    assert [printed(each.lower, 2) for each in found.drawn] == CLOTH_LOWER.split()
    assert not found.signals


def test_the_numbers_of_cans_stand_between_the_printed_limits() -> None:
    values = rows(CANS, size=50)
    found = chart(baseline_of(Kind.NP, values), values)
    assert (printed(found.drawn[0].lower, 2), printed(found.drawn[0].upper, 2)) == ("2.62", "20.51")
    assert [each.index + 1 for each in found.signals] == [15, 23]


def test_means_and_ranges_of_montgomery_make_the_printed_limits() -> None:
    widths = Baseline(Kind.XBAR_R, Fraction("1.5056"), Fraction("0.32521"), Fraction(5))
    found = chart(widths, [Row.of(1.5, 1.5, 1.5, 1.5, 1.5)])
    assert printed(found.drawn[0].upper, 5) == "1.69325"
    assert printed(found.drawn[0].lower, 5) == "1.31795"
    assert found.ranges is not None
    assert printed(found.ranges.drawn[0].upper, 5) == "0.68749"
    loans = chart(Baseline(Kind.I_MR, Fraction("300.5"), Fraction("7.79")), rows("300 301"))
    assert printed(loans.drawn[0].upper, 2) == "321.22"
    assert printed(loans.drawn[0].lower, 2) == "279.78"
    assert loans.ranges is not None
    assert printed(loans.ranges.drawn[0].upper, 2) == "25.45"


def test_the_limits_of_an_ewma_widen_from_its_start_where_they_are_to_be_exact() -> None:
    frozen = Baseline(Kind.EWMA, Fraction(10), Fraction(1))
    smoothing: dict[str, Any] = {"weight": Decimal("0.1"), "width": Decimal("2.7")}
    found = chart(frozen, rows(MONTGOMERY_EWMA_DATA), exact=True, **smoothing)
    assert [printed(each.upper, 2) for each in found.drawn[:2]] == ["10.27", "10.36"]
    assert [printed(each.lower, 2) for each in found.drawn[:2]] == ["9.73", "9.64"]
    assert printed(found.drawn[-1].upper, 2) == "10.62"
    assert [printed(each.value, 5) for each in found.drawn[:3]] == ["9.94500", "9.74950", "9.70355"]
    assert [each.index + 1 for each in found.signals] == [29, 30]
    settled = chart(frozen, rows(MONTGOMERY_EWMA_DATA), **smoothing)
    assert {printed(each.upper, 4) for each in settled.drawn} == {"10.6194"}
    assert settled.signals == found.signals


def test_capability_as_nist_computes_it() -> None:
    cp, cpk = spc.indices(16, 2, lower=8, upper=20)
    assert printed(cp, 4) == "1.0000"
    assert printed(cpk, 4) == "0.6667"


def test_the_constants_are_those_of_the_range_of_normal_values() -> None:
    """Recomputed from the integrals; tables round the third decimal either way."""

    def below(x: float) -> float:
        return 0.5 * erfc(-x / sqrt(2))

    step = 0.02
    grid = [below(-7 + step * index) for index in range(701)]
    assert (
        abs(sum(exp(-((-7 + step * i) ** 2) / 2) for i in range(701)) * step - sqrt(2 * pi)) < 1e-6
    )
    for size in (2, 3, 5, 10, 25):
        mean = sum(1 - (1 - p) ** size - p**size for p in grid) * step
        square = 0.0
        for index, p in enumerate(grid):
            square += (1 - p**size - (1 - p) ** size) / 2
            square += sum(1 - p**size - (1 - q) ** size + (p - q) ** size for q in grid[:index])
        deviation = sqrt(2 * square * step**2 - mean**2)
        table = CONSTANTS[size]
        said = (table.d2, table.a2, table.d3, table.d4)
        true = (
            mean,
            3 / (mean * sqrt(size)),
            max(0.0, 1 - 3 * deviation / mean),
            1 + 3 * deviation / mean,
        )
        for one, other in zip(said, true, strict=True):
            assert abs(float(one) - other) < 0.001, (size, float(one), other)


# Limits ------------------------------------------------------------------------------------


def test_a_subgroup_chart_takes_its_limits_from_the_ranges_within() -> None:
    values: list[Row | None] = [Row.of(9, 11), Row.of(10, 12), Row.of(8, 12)]
    found = chart(baseline_of(Kind.XBAR_R, values), values)
    mean_range = Fraction(8, 3)
    assert found.centre == Fraction(31, 3)
    assert found.ranges is not None
    assert found.ranges.centre == mean_range
    assert Fraction(found.ranges.drawn[0].upper) - Fraction("3.267") * mean_range < Fraction(
        1, 10**9
    )
    wide = Fraction(found.drawn[0].upper) - found.centre
    assert abs(wide - Fraction("1.880") * mean_range) < Fraction(1, 10**9)


def test_limits_of_shares_follow_the_number_inspected_and_stay_between_0_and_1() -> None:
    values = [Row.of(1, size=10), Row.of(3, size=1000), None, Row.of(9, size=10)]
    found = chart(baseline_of(Kind.P, values), values)
    assert not found.has_steady_limits
    assert found.drawn[0].lower == 0
    assert found.drawn[1].upper < found.drawn[0].upper <= 1
    assert found.signals == (Signal(3, 1),)


def test_the_overall_deviation_never_makes_the_limits() -> None:
    """A shift half way leaves the limits narrow, and is seen."""
    values = rows(["0", "1"] * 10 + ["20", "21"] * 10)
    found = chart(baseline_of(Kind.I_MR, values), values)
    assert len(found.signals) == 40


def test_excluded_values_stay_on_the_chart_and_do_not_move_the_limits() -> None:
    quiet = rows("10 12 11 13 11 12")
    loud = [*quiet[:3], Row.of(90), *quiet[3:]]
    assert (
        baseline_of(Kind.I_MR, loud, leaving_out={3}).centre == baseline_of(Kind.I_MR, quiet).centre
    )
    frozen = baseline_of(Kind.I_MR, loud, leaving_out={3})
    found = chart(frozen, loud)
    assert len(found.drawn) == 7
    assert Signal(3, 1) in found.signals
    # The steps to and from the excluded one are no moving ranges.
    assert frozen.spread == baseline_of(Kind.I_MR, [*quiet[:3], None, *quiet[3:]]).spread


def test_capability_is_refused_before_the_process_is_stable() -> None:
    calm = rows(["10", "12", "11", "13", "12"] * 6)
    found = chart(baseline_of(Kind.I_MR, calm), calm)
    able = spc.capability(found, calm, lower=5, upper=18)
    assert able.cp is not None
    assert able.cpk <= able.cp
    with pytest.raises(Refused, match="stable"):
        wild = [*calm, Row.of(99)]
        spc.capability(chart(found.baseline, wild), wild, upper=18)
    with pytest.raises(Refused, match="at least 20"):
        spc.capability(chart(found.baseline, calm[:9]), calm[:9], upper=18)
    with pytest.raises(Refused, match="lies below"):
        spc.indices(1, 1, lower=3, upper=3)


# Rules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "rule", "values", "at"),
    [
        ("nelson", 1, "0 3.01 0 -3.01", [2, 4]),
        ("nelson", 2, "1 " * 8 + "0 " + "1 " * 10, [18, 19]),
        ("western-electric", 4, "-1 " * 9, [8, 9]),
        ("nelson", 3, "0 0.1 0.2 0.3 0.4 0.5 0.5 0.6", [6]),
        ("nelson", 4, "0 1 " * 7 + "0", [14, 15]),
        ("nelson", 5, "2.1 0 2.1 0 0 -2.1 2.1 2.5", [3, 8]),
        ("western-electric", 2, "2.1 2.1 0", [2]),
        ("nelson", 6, "1.1 1.1 0 1.1 1.1 0", [5]),
        ("western-electric", 3, "-1.1 -1.1 -1.1 -1.1 -1.1", [4, 5]),
        ("nelson", 7, "1 -1 " * 8, [15, 16]),
        ("nelson", 8, "1.1 -1.1 " * 4, [8]),
    ],
)
def test_a_rule_is_completed_by_its_last_point(
    rules: str, rule: int, values: str, at: list[int]
) -> None:
    assert completed(rule, drawn(values, rules=rules)) == at


@pytest.mark.parametrize(
    ("rules", "rule", "values"),
    [
        ("nelson", 1, "3 -3"),
        ("nelson", 5, "2 2 2"),
        ("nelson", 6, "1 1 1 1 1"),
        ("nelson", 8, "1 -1 " * 6),
        ("nelson", 3, "0 0.1 0.2 0.3 0.3 0.4"),
        ("nelson", 4, "0 1 " * 6 + "1 0"),
        ("nelson", 7, "1 -1 " * 7 + "1.1"),
        ("nelson", 8, "1.1 " * 12),
    ],
)
def test_a_value_on_a_line_is_inside_it(rules: str, rule: int, values: str) -> None:
    assert completed(rule, drawn(values, rules=rules)) == []


def test_counts_are_not_asked_for_zones_and_an_ewma_only_for_its_limits() -> None:
    assert [each.number for each in spc.rules_for(Kind.P, "nelson")] == [1, 2, 3, 4]
    assert [each.number for each in spc.rules_for(Kind.C, "western-electric")] == [1, 4]
    assert [each.number for each in spc.rules_for(Kind.EWMA, "nelson")] == [1]
    assert [each.number for each in spc.rules_for(Kind.I_MR, "nelson")] == list(range(1, 9))


def test_runs_about_the_median_find_a_shift() -> None:
    found = spc.runs([1, 2, 1, 2, 1, 2, 1, 2])
    assert found is not None
    assert (found.longest, found.crossings, found.is_shifted) == (1, 7, False)
    shifted = spc.runs([1] * 5 + [2] * 6 + [9] * 11)
    assert shifted is not None
    assert (shifted.useful, shifted.longest, shifted.most) == (22, 11, 7)
    assert shifted.is_shifted
    assert spc.runs([None, None]) is None
    few = spc.runs([4])
    assert few is not None
    assert not few.is_shifted


# Properties --------------------------------------------------------------------------------

values_of = st.decimals(-1000, 1000, allow_nan=False, places=2)
series = st.lists(st.one_of(values_of, st.none()), min_size=3, max_size=60)
factors = st.decimals("0.001", 1000, places=3).filter(bool)
# A busy machine draws slowly; that says nothing about the rules.
at_leisure = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
KINDS = st.sampled_from([Kind.I_MR, Kind.EWMA])


def _moved(values: Sequence[Row | None], factor: Decimal, shift: Decimal) -> list[Row | None]:
    return [row and Row(tuple(each * factor + shift for each in row.values)) for row in values]


def _made(values: list[Decimal | None]) -> list[Row | None]:
    return [None if each is None else Row((each,)) for each in values]


def _chart_or_none(kind: Kind, values: list[Row | None]) -> spc.ControlChart | None:
    try:
        return chart(baseline_of(kind, values), values, rules="nelson")
    except Refused:
        return None


@at_leisure
@given(KINDS, series, factors, values_of)
def test_another_unit_or_zero_changes_no_signal(
    kind: Kind, values: list[Decimal | None], factor: Decimal, shift: Decimal
) -> None:
    found = _chart_or_none(kind, _made(values))
    again = _chart_or_none(kind, _moved(_made(values), factor, shift))
    assert (found is None) == (again is None)
    if found is None or again is None:
        return
    # Sixty digits are kept of an EWMA, which a factor cannot tell apart from a tie.
    assert found.signals == again.signals
    assert again.centre == found.centre * Fraction(factor) + Fraction(shift)


@at_leisure
@given(series, series)
def test_frozen_limits_never_move(old: list[Decimal | None], new: list[Decimal | None]) -> None:
    found = _chart_or_none(Kind.I_MR, _made(old))
    if found is None:
        return
    longer = chart(found.baseline, _made([*old, *new]), rules="nelson")
    assert longer.points[: len(old)] == found.points
    assert [each for each in longer.signals if each.index < len(old)] == list(found.signals)
    limits = {(each.lower, each.upper) for each in longer.drawn}
    assert len(limits) == 1


@at_leisure
@given(
    st.sampled_from([Kind.I_MR, Kind.C, Kind.XBAR_R]),
    st.integers(0, 10**6),
    st.integers(1, 10**4),
    st.sampled_from([-1, 1]),
)
def test_a_value_on_the_limit_never_signals(kind: Kind, centre: int, root: int, side: int) -> None:
    """Squares and multiples of the constants make limits that can be met exactly."""
    if kind == Kind.C:
        middle, away = Fraction(root**2), Fraction(3 * root)
        frozen = Baseline(kind, middle)
        on = [Row((_exactly(middle + away),))]
    elif kind == Kind.XBAR_R:
        middle, frozen = (
            Fraction(centre),
            Baseline(kind, Fraction(centre), Fraction(root), Fraction(2)),
        )
        at = _exactly(middle + side * CONSTANTS[2].a2 * root)
        on = [Row((at, at))]
    else:
        middle = Fraction(centre)
        frozen = Baseline(kind, middle, Fraction(root) * CONSTANTS[2].d2)
        on = [Row((_exactly(middle + side * 3 * root),))]
    assert not chart(frozen, on, rules="nelson").signals
    further = Decimal(side if kind != Kind.C else 1)
    beyond = [replace(row, values=tuple(each + further for each in row.values)) for row in on]
    assert chart(frozen, beyond).signals == (Signal(0, 1),)


def _exactly(value: Fraction) -> Decimal:
    found = Decimal(value.numerator) / Decimal(value.denominator)
    assert Fraction(found) == value
    return found


@at_leisure
@given(st.lists(values_of, min_size=2, max_size=40), st.data())
def test_a_missing_period_breaks_every_run(values: list[Decimal], data: st.DataObject) -> None:
    gap = data.draw(st.integers(1, len(values) - 1))
    frozen = Baseline(Kind.I_MR, Fraction(0), Fraction(300))
    broken = chart(frozen, _made([*values[:gap], None, *values[gap:]]), rules="nelson")
    before = chart(frozen, _made(list(values[:gap])), rules="nelson")
    after = chart(frozen, _made(list(values[gap:])), rules="nelson")
    later = [Signal(each.index + gap + 1, each.rule) for each in after.signals]
    assert list(broken.signals) == [*before.signals, *later]
    assert broken.ranges is not None
    assert broken.ranges.points[gap + 1] is None


@at_leisure
@given(st.sampled_from(["nelson", "western-electric"]), series)
def test_more_rules_never_take_a_signal_away(rules: str, values: list[Decimal | None]) -> None:
    found = _chart_or_none(Kind.I_MR, _made(values))
    if found is None:
        return
    some = chart(found.baseline, _made(values))
    more = chart(found.baseline, _made(values), rules=rules)
    assert {(each.index, each.rule) for each in some.signals} <= {
        (each.index, each.rule) for each in more.signals
    }


# The command -------------------------------------------------------------------------------


def run(tmp_path: Path, text: str, *options: str, name: str = "values.csv") -> dict[str, Any]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    out = StringIO()
    call_command("spc", *options, str(path), stdout=out)
    return dict(json.loads(out.getvalue()))


def test_the_command_prints_the_chart(tmp_path: Path) -> None:
    found = run(tmp_path, "value\n" + "\n".join(NIST_INDIVIDUALS.split()), "--chart", "i-mr")
    assert found["centre"] == 50.81
    assert printed(found["limits"]["upper"], 4) == "55.8041"
    assert printed(found["range"]["limits"]["upper"], 4) == "6.1347"
    assert found["signals"] == []


def test_the_command_starts_an_ewma_where_it_is_told(tmp_path: Path) -> None:
    options = ("--lambda", "0.3", "--start", "50", "--sigma", "2.0539", "--width", "3")
    found = run(tmp_path, NIST_EWMA_DATA.replace(" ", "\n"), "--chart", "ewma", *options)
    assert printed(found["limits"]["upper"], 4) == "52.5884"
    assert printed(found["points"][-1], 2) == "51.99"


def test_the_command_counts_signals_from_1_and_gives_limits_where_n_varies(tmp_path: Path) -> None:
    text = "found,n\n1,100\n2,200\n\n40,100\n"
    found = run(tmp_path, text, "--chart", "p", "--baseline", "2")
    assert found["signals"] == [[4, 1]]
    assert found["limits"][2] is None
    assert found["limits"][0]["upper"] > found["limits"][1]["upper"]
    assert found["points"][2] is None


def test_the_command_reads_subgroups_and_decimal_commas(tmp_path: Path) -> None:
    found = run(tmp_path, "9,5;10,5\n10;12\n8;12\n", "--chart", "xbar-r")
    assert printed(found["centre"], 4) == "10.3333"
    assert found["range"]["points"] == [1, 2, 4]


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("i-mr", "value\n1\nNaN\n3\nx\n", ("Row 3: “NaN”", "Row 5: “x”")),
        ("i-mr", "NaN\n1\n2\n", ("Row 1: “NaN”",)),
        ("i-mr", "1,2\n3,4\n", ("Row 1:", "takes one value a period")),
        ("p", "1,10\n1,0\n2,-5\n", ("Row 2: Its n is not above 0", "Row 3:")),
        ("p", "1,10\n1,0\nx,10\n12,10\n", ("Row 2: Its n", "Row 3: “x”", "Row 4: 12 of 10")),
        ("i-mr", "12,5\n13,1\n", ("Row 2: The i-mr chart takes one", "separated by semicolons")),
        ("p", "11,10\n1,10", ("Row 1: 11 of 10 is more than all",)),
        ("p", "0.5,10\n1,10", ("Row 1: 0.5 is not a count",)),
        ("p", "1\n2\n", ("Row 1: It says no n",)),
        ("np", "1,10\n1,12\n", ("Row 2: Its n is 12",)),
        ("xbar-r", "1\n2\n", ("Row 1: A subgroup of one has no range",)),
        ("xbar-r", "1,2\n1,2,3\n", ("Row 2: It has 3 values",)),
        ("xbar-r", "1,2\n1,,3\n", ("Row 2: A value of it is missing",)),
        ("c", "1\n-2\n", ("Row 2: -2 is not a count",)),
        ("i-mr", "7\n", ("at least two values in a row",)),
        ("i-mr", "\n\n", ("holds no values",)),
        ("i-mr", "1\n1e999\n", ("no size a measurement has",)),
        ("i-mr", "1e999\n1\n2\n", ("Row 1: “1e999”",)),
        ("i-mr", "12.5 %\n12\n13\n", ("Row 1: “12.5 %”",)),
        ("i-mr", "1_000\n12\n13\n", ("Row 1: “1_000”",)),
        ("i-mr", "<5\n12\n13\n", ("Row 1: “<5”",)),
        ("i-mr", "value\nx\n12\n13\n", ("Row 2: “x”",)),
        ("i-mr", "inf\n12\n-Infinity\n", ("Row 1: “inf”", "Row 3: “-Infinity”")),
        ("i-mr", '"1,234"\n"12,5"\n1\n', ("Row 1: “1,234”",)),
        ("i-mr", "NA\nNA\n", ("holds no values",)),
        ("u", "n,found\n50,12\n50,10\n", ("“n” and “found”; write the count first",)),
        ("i-mr", f"1\n{'7' * 140_000}\n", ("Row 2 cannot be read as CSV",)),
        ("i-mr", "1\n2\n\x00\n", ("not a text file",)),
    ],
)
def test_the_command_names_every_row_that_is_wrong(
    tmp_path: Path, kind: str, text: str, said: tuple[str, ...]
) -> None:
    with pytest.raises(CommandError) as refused:
        run(tmp_path, text, "--chart", kind)
    for words in said:
        assert words in str(refused.value)


def test_the_command_refuses_a_baseline_longer_than_the_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="between 1 and 2"):
        run(tmp_path, "1\n2\n", "--chart", "i-mr", "--baseline", "3")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("spc", "--chart", "i-mr", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="above 0"):
        run(tmp_path, "1\n2\n", "--chart", "ewma", "--lambda", "0")


def test_what_is_said_of_an_ewma_is_refused_for_another_chart(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--lambda belongs to the ewma chart, not to c"):
        run(tmp_path, "1\n2\n", "--chart", "c", "--lambda", "0.3")
    with pytest.raises(CommandError, match="--start and --sigma belong to the ewma chart"):
        run(tmp_path, "1\n2\n", "--chart", "i-mr", "--start", "1", "--sigma", "1")
    for wrong in ("x", "nan", "1e999"):
        with pytest.raises(CommandError, match=f"“{wrong}” is n"):
            run(tmp_path, "1\n2\n", "--chart", "ewma", "--lambda", wrong)


def test_a_missing_period_keeps_its_place_wherever_it_stands(tmp_path: Path) -> None:
    found = run(tmp_path, "value\n\nNA\n10\n\n12\n11\n-\n\n\n", "--chart", "i-mr")
    assert found["points"] == [None, 10, None, 12, 11, None]
    assert found["range"]["points"] == [None, None, None, None, 1, None]


def test_a_file_may_be_saved_in_any_of_the_usual_ways(tmp_path: Path) -> None:
    path = tmp_path / "values.csv"
    text = "Temperature °C\r\n12.5\r\n12.75\r\n13\r\n"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        path.write_bytes(text.encode(encoding))
        out = StringIO()
        call_command("spc", "--chart", "i-mr", str(path), stdout=out)
        assert json.loads(out.getvalue())["points"] == [12.5, 12.75, 13]
    assert run(tmp_path, '"12,5"\n"13,25"\n', "--chart", "i-mr")["points"] == [12.5, 13.25]
    assert run(tmp_path, '"a; b"\n1.5\n2.5\n', "--chart", "i-mr")["points"] == [1.5, 2.5]


def test_sigma_is_told_for_each_point_also_where_limits_are_cut_off(tmp_path: Path) -> None:
    found = run(tmp_path, "1,2\n2,4\n", "--chart", "p")
    assert found["limits"] == {"lower": 0, "upper": 1}
    assert [round(each, 4) for each in found["sigma"]] == [0.3536, 0.25]


def test_equal_values_make_a_chart_without_a_signal(tmp_path: Path) -> None:
    for kind, text in (
        ("i-mr", "5\n" * 30),
        ("c", "0\n" * 30),
        ("p", "0,50\n" * 30),
        ("u", "0,1.5\n" * 30),
        ("ewma", "5\n" * 30),
        ("xbar-r", "5,5\n" * 30),
    ):
        found = run(tmp_path, text, "--chart", kind, "--rules", "nelson")
        assert found["signals"] == []
        assert found["limits"]["lower"] == found["limits"]["upper"] == found["centre"]
