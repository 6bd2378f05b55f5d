"""Charts: the numbers as they are, gaps as gaps, and nothing that runs in the drawing."""

import re
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from qms import charts
from qms.charts import picture

pytestmark = pytest.mark.clause("9.1.3")
MONTHS = [date(2026, month, 1) for month in range(1, 13)]


def texts(drawing: str) -> str:
    return " ".join(etree.fromstring(drawing.encode()).itertext())


def lines(drawing: str) -> list[str]:
    """The paths of the data's line, one for each unbroken stretch."""
    root = etree.fromstring(drawing.encode())
    groups = [g for g in root.iter() if "mark-line" in g.get("class", "")]
    return [p.get("d") for g in groups for p in g.iter() if p.get("d")]


def numbers(*values: str | None) -> list[tuple[date, Decimal | None]]:
    return [
        (when, None if value is None else Decimal(value))
        for when, value in zip(MONTHS, values, strict=False)
    ]


def test_a_missing_value_is_a_gap_and_not_a_zero() -> None:
    whole = charts.run_chart(numbers("3", "4", "5", "6"), title="Defects")
    broken = charts.run_chart(numbers("3", "4", None, "5", "6"), title="Defects")
    assert len(lines(str(whole.svg))) == 1
    assert len(lines(str(broken.svg))) == 2
    assert broken.rows[2][1] == "–"
    assert "1 value is missing" in broken.description


def test_the_table_keeps_every_digit_of_a_decimal() -> None:
    exact = "0.1000000000000000055511151231257827"
    chart = charts.run_chart(numbers(exact), title="x", unit="mm")
    assert chart.rows[0][1] == f"{exact} mm"


def controlled(*values: str | None, **more: object) -> list[charts.Plotted]:
    """Values between the same limits."""
    facts = {"centre": Decimal("2.6"), "lower": Decimal("1.6"), "upper": Decimal("3.6")} | more
    return [
        charts.Plotted(when, value, **facts)  # type: ignore[arg-type]
        for when, value in numbers(*values)
    ]


def test_target_and_limits_are_two_things() -> None:
    points = controlled("2", "3", "2.5")
    drawn = texts(str(charts.control_chart(points, title="x", target=Decimal(2)).svg))
    for word in ("Target 2", "Centre 2.6", "Upper limit 3.6", "Lower limit 1.6"):
        assert word in drawn
    only = texts(str(charts.run_chart(numbers("2", "3"), title="x", target=Decimal(2)).svg))
    assert "Target 2" in only
    assert "limit" not in only


def test_a_rule_stands_beside_its_point_in_the_table_and_in_the_words() -> None:
    points = [*controlled("2", "2.4"), *controlled("9", marks=("1", "5"), answered=True)]
    chart = charts.control_chart(points, title="x", unit="h", ranges=controlled(None, "0.4", "6.6"))
    assert chart.rows[2][1:] == ("9 h", "1.6 h", "2.6 h", "3.6 h", "Rules 1, 5, answered", "6.6 h")
    assert "One signal: Jan 2026 (Rules 1, 5, answered)." in chart.description
    drawn = texts(str(chart.svg))
    assert "1 · 5" in drawn
    assert "Moving range" in drawn
    quiet = charts.control_chart(controlled("2", "2.4"), title="x")
    assert "No rule marks a signal." in quiet.description


def test_limits_that_vary_are_drawn_as_steps_and_a_missing_period_is_a_gap() -> None:
    points = [*controlled("2", upper=Decimal(5)), *controlled("3", None, "2")]
    chart = charts.control_chart(points, title="x", baselines=[(0, 1)])
    assert len(lines(str(chart.svg))) == 3 + 2
    assert chart.rows[2][1] == "–"
    assert "Baseline" in texts(str(chart.svg))


@pytest.mark.parametrize("count", [0, 1, 2, 600])
def test_a_control_chart_of_any_length_draws_or_says_why_not(count: int) -> None:
    points = [charts.Plotted(f"W{n}", Decimal(n % 7), Decimal(3)) for n in range(count)]
    chart = charts.control_chart(points, title="x")
    assert len(chart.rows) == count
    assert ("No value has been recorded yet." in str(chart.svg)) == (count == 0)


def test_words_at_the_ends_of_lines_never_cover_each_other() -> None:
    points = controlled("2", "3", lower=Decimal("2.59"), upper=Decimal("2.61"))
    drawing = str(charts.control_chart(points, title="x", target=Decimal("2.6")).svg)
    root = etree.fromstring(drawing.encode())
    words = [e for e in root.iter() if e.tag.endswith("text") and "imit" in "".join(e.itertext())]
    places = sorted(
        float(found[1])
        for e in words
        if (found := re.search(r"translate\([\d.]+,(-?[\d.]+)\)", e.get("transform", "")))
    )
    assert len(places) == 2
    assert places[1] - places[0] >= 13


# A busy machine draws slowly; that says nothing about the picture.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.decimals(-(10**6), 10**6, places=2), min_size=1, max_size=80))
def test_a_histogram_counts_every_value_once(values: list[Decimal]) -> None:
    chart = charts.histogram(values, title="x")
    assert sum(int(row[2]) for row in chart.rows) == len(values)
    edges = [Decimal(row[0]) for row in chart.rows]
    assert edges == sorted(set(edges))
    assert edges[0] <= min(values)
    assert Decimal(chart.rows[-1][1]) >= max(values)


def test_a_histogram_shows_the_specification() -> None:
    limits = [("Lower limit", Decimal(1), "late"), ("Upper limit", Decimal(9), "late")]
    chart = charts.histogram([Decimal(n % 5) for n in range(50)], title="x", accepted=limits)
    drawn = texts(str(chart.svg))
    assert "Lower limit 1" in drawn
    assert "Upper limit 9" in drawn
    assert str(charts.histogram([], title="x").svg).count("No value") == 1


def test_a_signal_is_said_in_the_table_and_to_a_screen_reader() -> None:
    chart = charts.run_chart(numbers("1", "9"), title="x", signals={1})
    assert [row[2] for row in chart.rows] == ["", "Signal"]
    assert "1 point is a signal" in chart.description
    assert 'role="img"' in chart.svg


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_a_run_chart_of_any_length_draws_or_says_why_not(count: int) -> None:
    points = [(f"W{n}", Decimal(n % 7)) for n in range(count)]
    chart = charts.run_chart(points, title="x", target=Decimal(3))
    assert len(chart.rows) == count
    assert ("<svg" in chart.svg) is (count > 0)
    if not count:
        assert "No value has been recorded yet." in chart.svg
    assert chart.img


def test_the_way_to_a_target_is_a_line_of_its_own_with_its_numbers() -> None:
    points = [("Jan", Decimal(4)), ("Feb", None), ("Mar", Decimal(5))]
    chart = charts.run_chart(
        points, title="Days", target=Decimal(9), way=[Decimal(3), Decimal(6), Decimal(9)]
    )
    assert [row[-1] for row in chart.rows] == ["3", "6", "9"]
    assert chart.headings[-1] == "On the way"
    assert chart.svg.count("The way") == 1
    plain = charts.run_chart(points, title="Days")
    assert "The way" not in plain.svg and len(plain.headings) == 3


def test_only_missing_values_are_no_chart() -> None:
    assert charts.run_chart(numbers(None, None), title="x").spec is None


def test_a_pareto_sorts_sums_and_puts_other_last() -> None:
    counts = {"Other small": 1, "B": 5, "A": 5, "Big": 30, "Zero": 0}
    counts |= {f"c{n}": 2 for n in range(8)}
    chart = charts.pareto(counts, title="Causes", most=5)
    assert [row[0] for row in chart.rows] == ["Big", "A", "B", "c0", "Other"]
    assert sum(int(row[1]) for row in chart.rows) == sum(counts.values())
    assert chart.rows[-1][2] == "100 %"
    assert "Zero" not in texts(str(chart.svg))


@pytest.mark.parametrize("counts", [{}, {"A": 0}])
def test_a_pareto_of_nothing_is_no_chart(counts: dict[str, int]) -> None:
    chart = charts.pareto(counts, title="Causes")
    assert chart.spec is None
    assert chart.rows == ()


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.integers(0, 99), max_size=20))
def test_a_pareto_never_loses_a_count(counts: dict[str, int]) -> None:
    chart = charts.pareto(counts, title="x")
    assert sum(int(row[1]) for row in chart.rows) == sum(counts.values())
    assert len(chart.rows) <= 8


def test_bars_show_their_values_as_words() -> None:
    chart = charts.bars(
        [("0 to 30 days", 12, "fine"), ("Over 90", Decimal("1.50"), "late")], title="x"
    )
    drawn = texts(str(chart.svg))
    assert "12" in drawn
    assert "1.50" in drawn
    assert charts.bars([], title="x").spec is None


def test_a_heat_map_has_a_word_in_each_cell() -> None:
    cells = [("Production", "8.5", "2026", "fine"), ("Production", "9.1", "Due", "late")]
    chart = charts.heat_map(cells, title="Coverage")
    drawn = texts(str(chart.svg))
    for word in ("Production", "8.5", "2026", "Due"):
        assert word in drawn
    assert chart.rows == tuple(cell[:3] for cell in cells)


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</svg><script>alert(1)</script>",
    "'+alert(1)+'",
    "\\u003cscript\\u003e",
    "]]><script>x</script>",
    "datum.value); fetch('x'); (",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_people_stays_text_in_every_chart(text: str) -> None:
    for chart in (
        charts.run_chart([(text, Decimal(1)), ("b", Decimal(2))], title=text, unit=text),
        charts.pareto({text: 3, "b": 1}, title=text),
        charts.bars([(text, 3, "late")], title=text),
        charts.heat_map([(text, text, text, "fine")], title=text),
        charts.control_chart([charts.Plotted(text, Decimal(1), marks=(text,))], title=text),
        charts.histogram([Decimal(1), Decimal(2)], title=text, unit=text),
    ):
        root = etree.fromstring(str(chart.svg).encode())
        for element in root.iter():
            assert element.tag.rpartition("}")[2] in picture._ELEMENTS
            for name in element.attrib:
                assert not name.lower().startswith("on")
                assert name not in ("style", "href", "{http://www.w3.org/1999/xlink}href")
        assert "<script" not in chart.img


def test_two_charts_on_a_page_share_no_names() -> None:
    one = charts.run_chart(numbers("1", "2"), title="x").svg
    two = charts.run_chart(numbers("1", "3"), title="x").svg
    found = [set(re.findall(r'\bid="([^"]+)"', drawing)) for drawing in (one, two)]
    assert not found[0] & found[1]


def test_a_page_uses_its_own_colours_and_paper_fixed_ones() -> None:
    chart = charts.run_chart(numbers("1", "2"), title="x", target=Decimal(2))
    assert "var(--tblr-primary,#0b6b66)" in chart.svg
    import base64

    data = re.search(r"base64,([^\"]+)", chart.img)
    assert data is not None
    drawing = base64.b64decode(data[1]).decode()
    assert "#0b6b66" in drawing
    for text in (chart.svg, drawing):
        assert not re.search(r"#0a000\d", text)
    assert "var(" not in drawing


def test_the_same_chart_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    chart = charts.run_chart(numbers("1", "2", "7"), title="x")
    first = chart.svg
    monkeypatch.setattr(picture, "_draw", lambda spec: pytest.fail("drawn again"))
    assert charts.run_chart(numbers("1", "2", "7"), title="x").svg == first


@settings(max_examples=200)
@given(st.lists(st.one_of(st.none(), st.decimals(-(10**9), 10**9, places=3)), max_size=60))
def test_a_sparkline_never_leaves_its_box(values: list[Decimal | None]) -> None:
    drawn = charts.sparkline(values, description="Trend")
    if all(value is None for value in values):
        assert drawn == ""
        return
    path = re.search(r' d="([^"]+)"', drawn)
    assert path is not None
    pairs = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path[1])
    assert len(pairs) == sum(value is not None for value in values)
    assert all(0 <= float(x) <= 96 and 0 <= float(y) <= 24 for x, y in pairs)


def test_importing_charts_loads_no_engine() -> None:
    code = "import sys, qms.charts; print('vl_convert' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
