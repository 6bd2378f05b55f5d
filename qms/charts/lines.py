"""Values in order of time: run charts, control charts, and the small line of a list."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from qms.charts.parts import order_axis, period_name, plain, rule, shown, specification, value_axis
from qms.charts.picture import (
    FINE,
    HEIGHT,
    LATE,
    LINE,
    MUTED,
    PAPER,
    PRIMARY,
    STATES,
    WIDTH,
    Chart,
    Number,
)

LABEL_HEIGHT = 13
CONTROL_HEADINGS = ("Period", "Value", "Lower limit", "Centre", "Upper limit", "Signal")


def run_chart(
    points: Sequence[tuple[date | str, Number | None]],
    *,
    title: str,
    unit: str = "",
    target: Number | None = None,
    median: Number | None = None,
    accepted: Sequence[tuple[str, Number, str]] = (),
    signals: Collection[int] = (),
    way: Sequence[Number | None] = (),
) -> Chart:
    """Values in order of time, with the target and the median.

    `points` are (period, value); None is a missing value and breaks the line. `accepted` are the
    lines of a specification, (words, value, state). `signals` are the indexes of points that a
    rule marked. `way` is where each value should be to come to the target in time.
    """
    known = [value for _, value in points if value is not None]
    rows: tuple[tuple[str, ...], ...] = tuple(
        (period_name(when), shown(value, unit), "Signal" if index in signals else "")
        for index, (when, value) in enumerate(points)
    )
    headings: tuple[str, ...] = ("Period", "Value", "Signal")
    if way:
        headings = (*headings, "On the way")
        rows = tuple((*row, shown(at, unit)) for row, at in zip(rows, way, strict=True))
    said = _run_words(points, known, unit, target, signals=len(signals))
    said = " ".join([said, *(f"{words} {shown(at, unit)}." for words, at, _ in accepted)])
    if way and way[-1] is not None:
        said = f"{said} On the way it would be at {shown(way[-1], unit)} by now."
    if not known:
        return Chart(None, title, said, headings, rows, "No value has been recorded yet.")
    data = [
        {
            "order": index,
            "period": period_name(when),
            "value": None if value is None else plain(value),
            "signal": index in signals,
            "run": run,
            "way": None if at is None else plain(at),
        }
        for (index, (when, value)), run, at in zip(
            enumerate(points),
            _runs([v for _, v in points]),
            way or [None] * len(points),
            strict=True,
        )
    ]
    layers: list[dict[str, Any]] = _target_layers(target, unit)
    if median is not None:
        layers += rule(median, MUTED, [2, 3], f"Median {shown(median, unit)}")
    for words, at, state in accepted:
        layers += rule(at, STATES[state], [6, 4], f"{words} {shown(at, unit)}")
    layers += _way_layers(way)
    layers += [_line_layer(), _point_layer(len(points))]
    spec = specification(
        {
            "data": {"values": data},
            "encoding": {"x": order_axis(points)},
            "layer": layers,
        }
    )
    return Chart(spec, title, said, headings, rows, of_time=True)


@dataclass(frozen=True)
class Plotted:
    """One period of a control chart; every number as it is to be read, `value` None if missing.

    `marks` are the rules that it completes; a signal that was `answered` is drawn hollow, a value
    that was `left_out` of the baseline as a cross.
    """

    when: date | str
    value: Number | None
    centre: Number | None = None
    lower: Number | None = None
    upper: Number | None = None
    marks: tuple[str, ...] = ()
    answered: bool = False
    left_out: bool = False


def control_chart(
    points: Sequence[Plotted],
    *,
    title: str,
    unit: str = "",
    target: Number | None = None,
    baselines: Sequence[tuple[int, int]] = (),
    ranges: Sequence[Plotted] = (),
    ranges_title: str = "Moving range",
) -> Chart:
    """Values between their limits, with the rules they complete; `ranges` stand below.

    `baselines` are (first, last) indexes of the periods that limits were computed from. The
    target is drawn apart from the limits: it says what is wanted, they say what is usual.
    """
    headings: tuple[str, ...] = CONTROL_HEADINGS
    rows = tuple(_control_row(each, unit) for each in points)
    said = _control_words(points, unit, target)
    if not any(each.value is not None for each in points):
        return Chart(None, title, said, headings, rows, "No value has been recorded yet.")
    panels = [_panel(points, HEIGHT + 40, unit, target=target, baselines=baselines)]
    if any(each.value is not None for each in ranges):
        said = " ".join([said, *_range_words(ranges, ranges_title)])
        panels.append(_panel(ranges, 96, unit, title=ranges_title))
        headings = (*headings, ranges_title)
        rows = tuple(
            (*row, shown(below.value, unit)) for row, below in zip(rows, ranges, strict=True)
        )
    spec = specification({"vconcat": panels, "spacing": 18})
    del spec["width"], spec["height"]
    return Chart(spec, title, said, headings, rows, of_time=True)


def _range_words(ranges: Sequence[Plotted], title: str) -> list[str]:
    """What the chart below shows, where it shows something."""
    marked = [period_name(each.when) for each in ranges if each.marks]
    if not marked:
        return []
    latest = "the latest " if len(marked) > 6 else ""
    return [f"{title} beyond its limit: {latest}{', '.join(marked[-6:])}."]


def _control_row(point: Plotted, unit: str) -> tuple[str, ...]:
    limits = (shown(each, unit) for each in (point.lower, point.centre, point.upper))
    return (period_name(point.when), shown(point.value, unit), *limits, _signal_words(point))


def _signal_words(point: Plotted) -> str:
    words = []
    if point.marks:
        rules = "Rule" if len(point.marks) == 1 else "Rules"
        words.append(f"{rules} {', '.join(point.marks)}{', answered' if point.answered else ''}")
    if point.left_out:
        words.append("not in the baseline")
    return "; ".join(words)


def _control_words(points: Sequence[Plotted], unit: str, target: Number | None) -> str:
    known = [each.value for each in points if each.value is not None]
    pairs = [(each.when, each.value) for each in points]
    signals = [each for each in points if each.marks]
    said = [_run_words(pairs, known, unit, target, signals=0)]
    last = next((each for each in reversed(points) if each.value is not None), None)
    if last is not None and last.centre is not None:
        said.append(
            f"The limits lie at {shown(last.lower, unit)} and {shown(last.upper, unit)}, "
            f"the centre at {shown(last.centre, unit)}."
        )
    if signals:
        told = ", ".join(
            f"{period_name(each.when)} ({_signal_words(each)})" for each in signals[-6:]
        )
        some = f"{len(signals)} periods show a signal" if len(signals) > 1 else "One signal"
        said.append(f"{some}: {'the latest ' if len(signals) > 6 else ''}{told}.")
    elif known:
        said.append("No rule marks a signal.")
    return " ".join(said)


def _panel(
    points: Sequence[Plotted],
    height: int,
    unit: str,
    *,
    title: str | None = None,
    target: Number | None = None,
    baselines: Sequence[tuple[int, int]] = (),
) -> dict[str, Any]:
    """One of the two pictures above each other."""
    low, high = _span(points, target)
    axis = value_axis() | {"scale": {"domain": [low, high], "nice": False, "zero": False}}
    axis["axis"] = {**axis["axis"], "title": title, "tickCount": 5 if height > 100 else 3}
    data = [
        {
            "order": index,
            "value": None if each.value is None else plain(each.value),
            "marks": " · ".join(each.marks),
            "kind": _kind_of(each),
            "run": run,
        }
        for (index, each), run in zip(
            enumerate(points), _runs([each.value for each in points]), strict=True
        )
    ]
    layers = [
        *_baseline_layers(baselines),
        *(_step_layer(points, name, axis) for name in ("lower", "centre", "upper")),
    ]
    if target is not None:
        layers.append(rule(target, FINE, [6, 4], "")[0])
    layers += [_line_layer(axis), *_kind_layers(len(points), axis)]
    layers += _labels(_told(points, target, unit), (low, high), height)
    return {
        "width": WIDTH,
        "height": height,
        "data": {"values": data},
        "encoding": {"x": order_axis([(each.when, each.value) for each in points])},
        "layer": layers,
    }


def _span(points: Sequence[Plotted], target: Number | None) -> tuple[float, float]:
    """The lowest and the highest of all that is drawn, with some air."""
    found = [
        plain(number)
        for each in points
        for number in (each.value, each.lower, each.upper, each.centre)
        if number is not None
    ]
    found += [plain(target)] if target is not None else []
    low, high = min(found), max(found)
    air = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    floor = 0.0 if low >= 0 else low - air
    return max(floor, low - air), high + air


def _kind_of(point: Plotted) -> str:
    if point.marks:
        return "answered" if point.answered else "signal"
    return "left out" if point.left_out else "plain"


def _baseline_layers(baselines: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """A band behind the periods that limits were computed from."""
    if not baselines:
        return []
    data = [{"from": first - 0.5, "to": last + 0.5} for first, last in baselines]
    x = {"field": "from", "type": "quantitative"}
    return [
        {
            "data": {"values": data},
            "mark": {"type": "rect", "color": LINE, "opacity": 0.35},
            "encoding": {
                "x": x,
                "x2": {"field": "to"},
                "y": {"value": 0},
                "y2": {"value": "height"},
            },
        },
        {
            "data": {"values": data},
            "mark": {
                "type": "text",
                "text": "Baseline",
                "align": "left",
                "baseline": "top",
                "color": MUTED,
                "fontSize": 10,
                "dx": 5,
                "dy": 4,
            },
            "encoding": {"x": x, "y": {"value": 0}},
        },
    ]


def _step_layer(points: Sequence[Plotted], name: str, axis: dict[str, Any]) -> dict[str, Any]:
    """A limit or the centre as steps, half a period to either side of each point."""
    corners: list[dict[str, Any]] = []
    run = 0
    for index, each in enumerate(points):
        at = getattr(each, name)
        if at is None:
            run += 1
            continue
        for side in (-0.5, 0.5):
            corners.append({"at": index + side, "level": plain(at), "run": run, "no": len(corners)})
    dash = [] if name == "centre" else [5, 3]
    return {
        "data": {"values": corners},
        "mark": {"type": "line", "color": MUTED, "strokeDash": dash, "strokeWidth": 1.25},
        "encoding": {
            "x": {"field": "at", "type": "quantitative"},
            "y": axis | {"field": "level"},
            "detail": {"field": "run", "type": "nominal"},
            "order": {"field": "no"},
        },
    }


def _kind_layers(count: int, axis: dict[str, Any]) -> list[dict[str, Any]]:
    """The points: what a signal is shows by its shape, what was answered by being hollow."""
    size = 36 if count <= 40 else 14 if count <= 150 else 6
    looks: tuple[tuple[str, dict[str, Any]], ...] = (
        ("plain", {"shape": "circle", "fill": PRIMARY, "size": size}),
        ("left out", {"shape": "cross", "fill": MUTED, "size": size + 40}),
        ("answered", {"shape": "diamond", "fill": PAPER, "stroke": LATE, "size": size + 60}),
        ("signal", {"shape": "diamond", "fill": LATE, "size": size + 60}),
    )
    layers: list[dict[str, Any]] = [
        {
            "transform": [{"filter": f"isValid(datum.value) && datum.kind === '{kind}'"}],
            "mark": {"type": "point", "opacity": 1, "strokeWidth": 1.5, "stroke": None} | look,
            "encoding": {"y": axis},
        }
        for kind, look in looks
    ]
    layers.append(
        {
            "transform": [{"filter": "isValid(datum.value) && datum.marks !== ''"}],
            "mark": {"type": "text", "dy": -12, "color": LATE, "fontSize": 10, "fontWeight": 600},
            "encoding": {"y": axis, "text": {"field": "marks"}},
        }
    )
    return layers


def _told(
    points: Sequence[Plotted], target: Number | None, unit: str
) -> list[tuple[Number, str, str]]:
    """What the lines at the right end are: (at, words, colour)."""
    last = next((each for each in reversed(points) if each.centre is not None), None)
    told: list[tuple[Number, str, str]] = []
    if last is not None:
        names = (("Upper limit", last.upper), ("Centre", last.centre), ("Lower limit", last.lower))
        told = [(at, f"{name} {shown(at, unit)}", MUTED) for name, at in names if at is not None]
    if target is not None:
        told.append((target, f"Target {shown(target, unit)}", FINE))
    return told


def _labels(
    told: Sequence[tuple[Number, str, str]], span: tuple[float, float], height: int
) -> list[dict[str, Any]]:
    """Words beside the lines' ends, moved apart where lines are close together."""
    low, high = span
    places = sorted(((high - plain(at)) / (high - low) * height, text, c) for at, text, c in told)
    drawn, lowest = [], float("-inf")
    for wanted, text, colour in places:
        lowest = max(wanted, lowest + LABEL_HEIGHT)
        drawn.append((lowest, text, colour))
    over = max(0.0, lowest - height) if drawn else 0.0
    return [
        {
            "data": {"values": [{}]},
            "mark": {
                "type": "text",
                "align": "left",
                "dx": 6,
                "color": colour,
                "text": text,
            },
            "encoding": {"x": {"value": WIDTH}, "y": {"value": place - over}},
        }
        for place, text, colour in drawn
    ]


def sparkline(
    values: Sequence[Number | None], *, description: str, width: int = 96, height: int = 24
) -> SafeString:
    """A small line for lists, drawn by ourselves in microseconds; missing values are gaps."""
    known = [Decimal(v) for v in values if v is not None]
    if not known:
        return SafeString("")
    low, high = min(known), max(known)
    span, step = (high - low) or Decimal(1), Decimal(width - 4) / max(1, len(values) - 1)
    drawn, pen, last = [], "M", (Decimal(0), Decimal(0))
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        share = (Decimal(value) - low) / span if high > low else Decimal("0.5")
        last = (2 + index * step, (height - 4) * (1 - share) + 2)
        drawn.append(f"{pen}{last[0]:.1f} {last[1]:.1f}")
        pen = "L"
    return format_html(
        '<svg class="sparkline" role="img" aria-label="{}" width="{}" height="{}" '
        'viewBox="0 0 {} {}"><path d="{}" fill="none" stroke="currentColor" stroke-width="1.5" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
        '<circle cx="{}" cy="{}" r="2" fill="currentColor"/></svg>',
        description,
        width,
        height,
        width,
        height,
        " ".join(drawn),
        f"{last[0]:.1f}",
        f"{last[1]:.1f}",
    )


def _line_layer(axis: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "transform": [{"filter": "isValid(datum.value)"}],
        "mark": {"type": "line", "color": PRIMARY, "strokeWidth": 2, "strokeJoin": "round"},
        "encoding": {"y": axis or value_axis(), "detail": {"field": "run", "type": "nominal"}},
    }


def _point_layer(count: int) -> dict[str, Any]:
    size = 36 if count <= 40 else 12 if count <= 150 else 4
    return {
        "transform": [{"filter": "isValid(datum.value)"}],
        "mark": {"type": "point", "filled": True, "opacity": 1},
        "encoding": {
            "y": value_axis(),
            "size": {"condition": {"test": "datum.signal", "value": size + 50}, "value": size},
            "shape": {"condition": {"test": "datum.signal", "value": "diamond"}, "value": "circle"},
            "color": {"condition": {"test": "datum.signal", "value": LATE}, "value": PRIMARY},
        },
    }


def _target_layers(target: Number | None, unit: str) -> list[dict[str, Any]]:
    if target is None:
        return []
    return rule(target, FINE, [6, 4], f"Target {shown(target, unit)}")


def _way_layers(way: Sequence[Number | None]) -> list[dict[str, Any]]:
    """A thin line from the baseline to the target, named at its beginning."""
    if not any(at is not None for at in way):
        return []
    axis = {**value_axis(), "field": "way"}
    first = next(index for index, at in enumerate(way) if at is not None)
    return [
        {
            "transform": [{"filter": "isValid(datum.way)"}],
            "mark": {"type": "line", "color": MUTED, "strokeDash": [2, 3], "strokeWidth": 1.25},
            "encoding": {"y": axis},
        },
        {
            "transform": [{"filter": f"datum.order === {first}"}],
            "mark": {"type": "text", "align": "left", "dy": 14, "color": MUTED, "text": "The way"},
            "encoding": {"y": axis},
        },
    ]


def _runs(values: Sequence[Number | None]) -> list[int]:
    """Which unbroken stretch each value belongs to."""
    found, run = [], 0
    for before, value in zip([None, *values], values, strict=False):
        run += value is not None and before is None
        found.append(run)
    return found


def _run_words(
    points: Sequence[tuple[date | str, Number | None]],
    known: Sequence[Number],
    unit: str,
    target: Number | None,
    *,
    signals: int,
) -> str:
    if not known:
        return "No value has been recorded yet."
    missing = len(points) - len(known)
    said = [
        f"{len(known)} {'value' if len(known) == 1 else 'values'} from "
        f"{period_name(points[0][0])} to {period_name(points[-1][0])}; the last is "
        f"{shown(known[-1], unit)}, lowest {shown(min(known), unit)}, "
        f"highest {shown(max(known), unit)}."
    ]
    if target is not None:
        said.append(f"The target is {shown(target, unit)}.")
    if missing:
        said.append(f"{missing} {'value is' if missing == 1 else 'values are'} missing.")
    if signals:
        said.append(f"{signals} {'point is' if signals == 1 else 'points are'} a signal.")
    return " ".join(said)
