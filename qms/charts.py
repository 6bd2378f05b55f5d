"""Charts: plain data to one Vega-Lite specification, drawn the same for browser and PDF (9.1.3).

Every chart carries its numbers as a table. In pages the SVG stands inline with our colour
variables, so that light and dark need one picture; on paper it is an image with a text. Missing
periods stay gaps, values stay decimals, and a target is never drawn as a control limit.
"""

import base64
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.utils import dateformat
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

Number = Decimal | int
FONT = "Inter, 'Liberation Sans', 'DejaVu Sans', sans-serif"
WIDTH, HEIGHT = 640, 240
CACHED_SECONDS = 7 * 24 * 3600
VEGA_LITE = "6.4"
NO_VALUE = "–"

# What stands in the specification → the variable of the page, and the colour on paper. The keys
# are colours no chart would use by itself, so that they are found again in the drawing.
COLOURS = {
    "#0a0001": ("--ink", "#1c2b2a"),
    "#0a0002": ("--muted", "#5c6b68"),
    "#0a0003": ("--tblr-border-color", "#dfe4e0"),
    "#0a0004": ("--tblr-primary", "#0b6b66"),
    "#0a0005": ("--late", "#b3261e"),
    "#0a0006": ("--soon", "#9a5b00"),
    "#0a0007": ("--fine", "#2f6f3e"),
    "#0a0008": ("--paper", "#ffffff"),
    "#0a0009": ("--info", "#1f5fa8"),
}
INK, MUTED, LINE, PRIMARY, LATE, SOON, FINE, PAPER, INFO = COLOURS
STATES = {"fine": FINE, "soon": SOON, "late": LATE, "info": INFO, "quiet": MUTED, "none": LINE}

_ELEMENTS = frozenset({"svg", "g", "path", "rect", "text", "tspan", "line", "clipPath", "defs"})
_ATTRIBUTES = frozenset(
    {
        *("width", "height", "viewBox", "transform", "d", "x", "y", "x1", "x2", "y1", "y2"),
        *("fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray"),
        *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "opacity", "text-anchor"),
        *("font-family", "font-size", "font-weight", "font-style", "clip-path", "id", "class"),
    }
)


@dataclass(frozen=True)
class Limits:
    """Control limits from a frozen baseline; never a target or a specification."""

    centre: Decimal
    lower: Decimal | None = None
    upper: Decimal | None = None


@dataclass(frozen=True)
class Chart:
    """A picture and the numbers behind it.

    For `components/chart.html`: `svg`, `caption`, `headings`, `rows`. `spec` is None when there is
    nothing to draw; then `svg` is one sentence. `description` is what a screen reader says.
    """

    spec: dict[str, Any] | None
    caption: str
    description: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = field(default="There is nothing to draw yet.")

    @property
    def svg(self) -> SafeString:
        """Inline SVG for a page, in the page's own colours."""
        if self.spec is None:
            return format_html('<p class="muted">{}</p>', self.empty)
        return mark_safe(_for_page(svg(self.spec), self.description))  # noqa: S308  (rebuilt from an allow-list)

    @property
    def img(self) -> SafeString:
        """An `<img>` for print, with its text."""
        if self.spec is None:
            return format_html('<p class="muted">{}</p>', self.empty)
        data = base64.b64encode(_for_paper(svg(self.spec)).encode()).decode()
        return format_html(
            '<img class="chart" src="data:image/svg+xml;base64,{}" alt="{}">',
            data,
            self.description,
        )


# The charts --------------------------------------------------------------------------------


def run_chart(
    points: Sequence[tuple[date | str, Number | None]],
    *,
    title: str,
    unit: str = "",
    target: Number | None = None,
    limits: Limits | None = None,
    accepted: Sequence[tuple[str, Number, str]] = (),
    signals: Collection[int] = (),
) -> Chart:
    """Values in order of time, with the target and, where there is a baseline, its limits.

    `points` are (period, value); None is a missing value and breaks the line. `accepted` are the
    lines of a specification, (words, value, state). `signals` are the indexes of points that a
    rule marked.
    """
    known = [value for _, value in points if value is not None]
    rows = tuple(
        (_period(when), _shown(value, unit), "Signal" if index in signals else "")
        for index, (when, value) in enumerate(points)
    )
    headings = ("Period", "Value", "Signal")
    said = _run_words(points, known, unit, target, limits, signals=len(signals))
    if not known:
        return Chart(None, title, said, headings, rows, "No value has been recorded yet.")
    data = [
        {
            "order": index,
            "period": _period(when),
            "value": None if value is None else _plain(value),
            "signal": index in signals,
            "run": run,
        }
        for (index, (when, value)), run in zip(
            enumerate(points), _runs([v for _, v in points]), strict=True
        )
    ]
    layers: list[dict[str, Any]] = [*_limit_layers(limits), *_target_layers(target, unit)]
    for words, at, state in accepted:
        layers += _rule(at, STATES[state], [6, 4], f"{words} {_shown(at, unit)}")
    layers += [_line_layer(), _point_layer(len(points))]
    spec = _spec(
        {
            "data": {"values": data},
            "encoding": {"x": _order_axis(points)},
            "layer": layers,
        }
    )
    return Chart(spec, title, said, headings, rows)


def pareto(counts: Mapping[str, int], *, title: str, most: int = 8) -> Chart:
    """Counts by category, largest first, with the cumulative share; the rest is "Other", last.

    A zero total draws nothing.
    """
    ordered = sorted(((n, c) for n, c in counts.items() if c > 0), key=lambda i: (-i[1], i[0]))
    if len(ordered) > most:
        rest = sum(count for _, count in ordered[most - 1 :])
        ordered = [*ordered[: most - 1], ("Other", rest)]
    total, running, data, rows = sum(c for _, c in ordered), 0, [], []
    for index, (name, count) in enumerate(ordered):
        running += count
        share = Decimal(100 * running) / total
        data.append({"order": index, "name": name, "count": count, "share": _plain(share)})
        rows.append((name, str(count), f"{share:.0f} %"))
    headings = ("Category", "Count", "Cumulative share")
    if not total:
        return Chart(None, title, f"{title}: nothing to count.", headings, ())
    named = ordered[0]
    said = f"{title}: {total} in all; most often {named[0]} with {named[1]}."
    spec = _spec(
        {
            "data": {"values": data},
            "encoding": {
                "x": {
                    "field": "name",
                    "type": "nominal",
                    "sort": {"field": "order"},
                    "axis": {"title": None, "labelAngle": -30, "labelLimit": 130},
                }
            },
            "layer": [
                {
                    "mark": {"type": "bar", "color": PRIMARY, "cornerRadiusEnd": 2},
                    "encoding": {"y": {"field": "count", **_amount("Count")}},
                },
                {
                    "mark": {
                        "type": "line",
                        "color": MUTED,
                        "strokeWidth": 1.5,
                        "point": {"color": MUTED, "size": 24},
                    },
                    "encoding": {
                        "y": {
                            "field": "share",
                            "type": "quantitative",
                            "scale": {"domain": [0, 100]},
                            "axis": {"title": "Cumulative %", "orient": "right", "grid": False},
                        }
                    },
                },
            ],
            "resolve": {"scale": {"y": "independent"}},
        }
    )
    return Chart(spec, title, said, headings, tuple(rows))


def bars(
    rows: Sequence[tuple[str, Number] | tuple[str, Number, str]],
    *,
    title: str,
    headings: tuple[str, str] = ("Group", "Count"),
    unit: str = "",
) -> Chart:
    """Lying bars in the order given, for instance open items by age.

    A row is (label, value) or (label, value, state), the state one of fine, soon, late, info.
    """
    states = [str(row[2]) if len(row) > 2 else "" for row in rows]
    values = [(str(row[0]), row[1]) for row in rows]
    table = tuple((name, _shown(value, unit)) for name, value in values)
    if not values:
        return Chart(None, title, f"{title}: nothing to show.", headings, ())
    said = f"{title}: " + ", ".join(f"{name} {shown}" for name, shown in table[:12]) + "."
    data = [
        {
            "order": index,
            "name": name,
            "value": _plain(value),
            "shown": _shown(value, unit),
            "colour": STATES.get(state, PRIMARY),
        }
        for index, ((name, value), state) in enumerate(zip(values, states, strict=True))
    ]
    spec = _spec(
        {
            "data": {"values": data},
            "height": max(60, 30 * len(values)),
            "encoding": {
                "y": {
                    "field": "name",
                    "type": "nominal",
                    "sort": {"field": "order"},
                    "axis": {"title": None, "labelLimit": 200, "domain": False},
                },
                "x": {"field": "value", **_amount(None), "axis": None},
            },
            "layer": [
                {
                    "mark": {"type": "bar", "cornerRadiusEnd": 2, "height": {"band": 0.62}},
                    "encoding": {"color": {"field": "colour", "type": "nominal", "scale": None}},
                },
                {
                    "mark": {"type": "text", "align": "left", "dx": 6, "color": INK},
                    "encoding": {"text": {"field": "shown"}},
                },
            ],
        }
    )
    return Chart(spec, title, said, headings, table)


def stacked(
    names: Sequence[str],
    parts: Sequence[tuple[str, str, Sequence[int]]],
    *,
    title: str,
    heading: str = "Period",
) -> Chart:
    """Standing columns of counts, one for each name, each made of the same parts.

    A part is (label, state, counts), the lowest first; the state is one of `STATES`.
    """
    headings = (heading, *(label for label, _state, _counts in parts))
    rows = tuple(
        (name, *(str(counts[at]) for _label, _state, counts in parts))
        for at, name in enumerate(names)
    )
    if not any(sum(counts) for _label, _state, counts in parts):
        return Chart(None, title, f"{title}: nothing to show.", headings, rows)
    last = ", ".join(f"{counts[-1]} {label.lower()}" for label, _state, counts in parts)
    said = f"{title}, from {names[0]} to {names[-1]}; at the end {last}."
    data = [
        {"order": at, "part": label, "level": level, "value": counts[at]}
        for level, (label, _state, counts) in enumerate(parts)
        for at in range(len(names))
    ]
    colours = {
        "domain": [label for label, _state, _counts in parts],
        "range": [STATES.get(state, PRIMARY) for _label, state, _counts in parts],
    }
    legend = {"title": None, "orient": "top", "labelColor": MUTED, "labelFontSize": 11}
    amount = _amount(None) | {"field": "value", "stack": "zero"}
    spec = _spec(
        {
            "data": {"values": data},
            "encoding": {
                "x": _order_axis([(name, None) for name in names]),
                "order": {"field": "level"},
            },
            "layer": [
                {
                    "mark": {
                        "type": "bar",
                        "size": min(44, WIDTH // (2 * len(names))),
                        "stroke": PAPER,
                    },
                    "encoding": {
                        "y": amount,
                        "color": {
                            "field": "part",
                            "type": "nominal",
                            "scale": colours,
                            "legend": legend | {"symbolType": "square"},
                        },
                    },
                },
                {
                    "transform": [{"filter": "datum.value > 0"}],
                    "mark": {"type": "text", "color": PAPER, "fontWeight": 600},
                    "encoding": {
                        "y": amount | {"bandPosition": 0.5},
                        "text": {"field": "value"},
                        "detail": {"field": "part"},
                    },
                },
            ],
        }
    )
    return Chart(spec, title, said, headings, rows)


def heat_map(
    cells: Sequence[tuple[str, str, str, str]],
    *,
    title: str,
    headings: tuple[str, str, str] = ("Row", "Column", "What"),
) -> Chart:
    """A matrix of (row, column, word, state), for instance process × clause coverage.

    The word stands in the cell, so that colour is never alone; state is one of fine, soon, late,
    info, none. Rows and columns keep the order in which they first come.
    """
    table = tuple((row, column, word) for row, column, word, _ in cells)
    if not cells:
        return Chart(None, title, f"{title}: nothing to show.", headings, ())
    down = list(dict.fromkeys(row for row, *_ in cells))
    across = list(dict.fromkeys(column for _, column, *_ in cells))
    holes = sum(state in ("none", "late") for *_, state in cells)
    said = f"{title}: {len(down)} rows by {len(across)} columns, {holes} of {len(cells)} open."
    data = [
        {"row": r, "column": c, "word": w, "colour": STATES.get(s, LINE), "faint": s == "none"}
        for r, c, w, s in cells
    ]
    place = {
        "x": {
            "field": "column",
            "type": "nominal",
            "sort": across,
            "axis": {"title": None, "orient": "top", "labelAngle": 0, "domain": False},
        },
        "y": {
            "field": "row",
            "type": "nominal",
            "sort": down,
            "axis": {"title": None, "labelLimit": 220, "domain": False},
        },
    }
    spec = _spec(
        {
            "data": {"values": data},
            "width": max(120, min(900, 46 * len(across))),
            "height": 26 * len(down),
            "encoding": place,
            "layer": [
                {
                    "mark": {"type": "rect", "stroke": PAPER, "strokeWidth": 2, "cornerRadius": 3},
                    "encoding": {
                        "color": {"field": "colour", "type": "nominal", "scale": None},
                    },
                },
                {
                    "mark": {"type": "text", "fontSize": 10, "fontWeight": 600},
                    "encoding": {
                        "text": {"field": "word"},
                        "color": {
                            "condition": {"test": "datum.faint", "value": MUTED},
                            "value": PAPER,
                        },
                    },
                },
            ],
        }
    )
    return Chart(spec, title, said, headings, table)


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


# Parts of specifications -------------------------------------------------------------------


def _spec(body: dict[str, Any]) -> dict[str, Any]:
    axis = {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "titleFontWeight": 400,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "gridColor": LINE,
        "domainColor": LINE,
        "ticks": False,
        "labelPadding": 6,
    }
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "background": None,
        "padding": 4,
        "autosize": {"type": "pad", "contains": "padding"},
        "config": {
            "font": FONT,
            "axis": axis,
            "view": {"stroke": None},
            "text": {"fontSize": 11, "font": FONT},
        },
    } | body


def _order_axis(points: Sequence[tuple[date | str, Any]]) -> dict[str, Any]:
    """An axis by position, so that every period has its place, also a missing one."""
    names = [_period(when) for when, _ in points]
    every = max(1, -(-len(names) // 8))
    picks = list(range(0, len(names), every))
    labels = json.dumps(names, ensure_ascii=False)
    return {
        "field": "order",
        "type": "quantitative",
        "scale": {"domain": [-0.5, len(names) - 0.5], "nice": False},
        "axis": {
            "title": None,
            "grid": False,
            "values": picks,
            "labelExpr": f"{labels}[datum.value]",
            "labelOverlap": True,
        },
    }


def _amount(title: str | None) -> dict[str, Any]:
    return {
        "type": "quantitative",
        "scale": {"zero": True, "nice": True},
        "axis": {"title": title, "tickCount": 5, "tickMinStep": 1, "domain": False},
    }


def _value(name: str = "value") -> dict[str, Any]:
    return {
        "field": name,
        "type": "quantitative",
        "scale": {"zero": False, "nice": True},
        "axis": {"title": None, "tickCount": 5, "domain": False},
    }


def _line_layer() -> dict[str, Any]:
    return {
        "transform": [{"filter": "isValid(datum.value)"}],
        "mark": {"type": "line", "color": PRIMARY, "strokeWidth": 2, "strokeJoin": "round"},
        "encoding": {"y": _value(), "detail": {"field": "run", "type": "nominal"}},
    }


def _point_layer(count: int) -> dict[str, Any]:
    size = 36 if count <= 40 else 12 if count <= 150 else 4
    return {
        "transform": [{"filter": "isValid(datum.value)"}],
        "mark": {"type": "point", "filled": True, "opacity": 1},
        "encoding": {
            "y": _value(),
            "size": {"condition": {"test": "datum.signal", "value": size + 50}, "value": size},
            "shape": {"condition": {"test": "datum.signal", "value": "diamond"}, "value": "circle"},
            "color": {"condition": {"test": "datum.signal", "value": LATE}, "value": PRIMARY},
        },
    }


def _rule(at: Decimal | int, colour: str, dash: list[int], text: str) -> list[dict[str, Any]]:
    data = {"values": [{"at": _plain(at)}]}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": colour, "strokeDash": dash, "strokeWidth": 1.25},
            "encoding": {"y": _value("at"), "x": {"value": 0}, "x2": {"value": WIDTH}},
        },
        {
            "data": data,
            "mark": {"type": "text", "align": "left", "dx": 6, "color": colour, "text": text},
            "encoding": {"y": _value("at"), "x": {"value": WIDTH}},
        },
    ]


def _target_layers(target: Number | None, unit: str) -> list[dict[str, Any]]:
    if target is None:
        return []
    return _rule(target, FINE, [6, 4], f"Target {_shown(target, unit)}")


def _limit_layers(limits: Limits | None) -> list[dict[str, Any]]:
    if limits is None:
        return []
    layers = _rule(limits.centre, MUTED, [], "Mean")
    for at, text in ((limits.upper, "Upper limit"), (limits.lower, "Lower limit")):
        if at is not None:
            layers += _rule(at, MUTED, [2, 3], text)
    return layers


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
    limits: Limits | None,
    *,
    signals: int,
) -> str:
    if not known:
        return "No value has been recorded yet."
    missing = len(points) - len(known)
    said = [
        f"{len(known)} {'value' if len(known) == 1 else 'values'} from "
        f"{_period(points[0][0])} to {_period(points[-1][0])}; the last is "
        f"{_shown(known[-1], unit)}, lowest {_shown(min(known), unit)}, "
        f"highest {_shown(max(known), unit)}."
    ]
    if target is not None:
        said.append(f"The target is {_shown(target, unit)}.")
    if limits is not None:
        said.append(f"The mean of the baseline is {_shown(limits.centre, unit)}.")
    if missing:
        said.append(f"{missing} {'value is' if missing == 1 else 'values are'} missing.")
    if signals:
        said.append(f"{signals} {'point is' if signals == 1 else 'points are'} a signal.")
    return " ".join(said)


def _plain(value: Number) -> float:
    """For drawing only: a picture has fewer digits than a float. Tables keep the decimal."""
    return float(value)


def _shown(value: Number | None, unit: str = "") -> str:
    if value is None:
        return NO_VALUE
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return f"{text} {unit}".strip()


def _period(when: date | str) -> str:
    return when if isinstance(when, str) else dateformat.format(when, "M Y")


# Drawing -----------------------------------------------------------------------------------


def svg(spec: Mapping[str, Any]) -> str:
    """The drawing of a specification, kept under the hash of what it shows.

    65–95 ms when it is new. Colours are still our placeholders; see `COLOURS`.
    """
    text = json.dumps(spec, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(f"{VEGA_LITE}:{text}".encode()).hexdigest()
    found: str | None = cache.get(f"chart:{digest}")
    if found is None:
        found = _harmless(_draw(spec), digest[:8])
        cache.set(f"chart:{digest}", found, CACHED_SECONDS)
    return found


def _draw(spec: Mapping[str, Any]) -> str:
    import vl_convert  # here: it loads a JavaScript engine

    return str(vl_convert.vegalite_to_svg(dict(spec), vl_version=VEGA_LITE, allowed_base_urls=[]))


def _harmless(drawing: str, prefix: str) -> str:
    """The drawing rebuilt from an allow-list, with names that no other chart on the page has."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    root = etree.fromstring(drawing.encode(), parser)
    _keep_allowed(root, prefix)
    return str(etree.tostring(root, encoding="unicode"))


def _keep_allowed(element: Any, prefix: str) -> None:
    for name in list(element.attrib):
        if name not in _ATTRIBUTES:
            del element.attrib[name]
    if "id" in element.attrib:
        element.set("id", f"c{prefix}-{element.get('id')}")
    if "clip-path" in element.attrib:
        element.set("clip-path", element.get("clip-path").replace("#", f"#c{prefix}-"))
    for child in list(element):
        tag = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else ""
        if tag in _ELEMENTS:
            _keep_allowed(child, prefix)
        else:
            element.remove(child)


def _for_page(drawing: str, description: str) -> str:
    for placeholder, (variable, colour) in COLOURS.items():
        drawing = drawing.replace(placeholder, f"var({variable},{colour})")
    opening = format_html('<svg class="chart" role="img" aria-label="{}" ', description)
    return drawing.replace('class="marks" ', "", 1).replace("<svg ", opening, 1)


def _for_paper(drawing: str) -> str:
    for placeholder, (_, colour) in COLOURS.items():
        drawing = drawing.replace(placeholder, colour)
    return drawing
