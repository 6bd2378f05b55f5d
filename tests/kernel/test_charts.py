"""Charts: the numbers as they are, gaps as gaps, and nothing that runs in the drawing."""

import re
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from qms import charts

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


def test_target_and_limits_are_two_things() -> None:
    limits = charts.Limits(Decimal("2.6"), Decimal("1.6"), Decimal("3.6"))
    points = numbers("2", "3", "2.5")
    drawn = texts(str(charts.run_chart(points, title="x", target=Decimal(2), limits=limits).svg))
    for word in ("Target 2", "Mean", "Upper limit", "Lower limit"):
        assert word in drawn
    only = texts(str(charts.run_chart(points, title="x", target=Decimal(2)).svg))
    assert "Target 2" in only
    assert "limit" not in only


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
    ):
        root = etree.fromstring(str(chart.svg).encode())
        for element in root.iter():
            assert element.tag.rpartition("}")[2] in charts._ELEMENTS
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
    monkeypatch.setattr(charts, "_draw", lambda spec: pytest.fail("drawn again"))
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
