"""Amounts side by side: Pareto, bars, columns and the histogram."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from qms.charts.parts import amount_axis, order_axis, plain, shown, specification
from qms.charts.picture import INK, MUTED, PAPER, PRIMARY, STATES, WIDTH, Chart, Number


def pareto(
    counts: Mapping[str, Number], *, title: str, most: int = 8, what: str = "Count"
) -> Chart:
    """Counts or amounts by category, largest first, with the cumulative share; "Other" comes last.

    A zero total draws nothing.
    """
    ordered = sorted(((n, c) for n, c in counts.items() if c > 0), key=lambda i: (-i[1], i[0]))
    if len(ordered) > most:
        rest = sum(count for _, count in ordered[most - 1 :])
        ordered = [*ordered[: most - 1], ("Other", rest)]
    total: Number = sum(c for _, c in ordered)
    running: Number = 0
    data, rows = [], []
    for index, (name, count) in enumerate(ordered):
        running += count
        share = Decimal(100 * running) / total
        data.append({"order": index, "name": name, "count": plain(count), "share": plain(share)})
        rows.append((name, f"{count:,}", f"{share:.0f} %"))
    headings = ("Category", what, "Cumulative share")
    if not total:
        return Chart(None, title, f"{title}: nothing to count.", headings, ())
    named = ordered[0]
    said = f"{title}: {total} in all; most of it {named[0]} with {named[1]:,}."
    spec = specification(
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
                    "encoding": {"y": {"field": "count", **amount_axis(what)}},
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
    table = tuple((name, shown(value, unit)) for name, value in values)
    if not values:
        return Chart(None, title, f"{title}: nothing to show.", headings, ())
    said = f"{title}: " + ", ".join(f"{name} {shown}" for name, shown in table[:12]) + "."
    data = [
        {
            "order": index,
            "name": name,
            "value": plain(value),
            "shown": shown(value, unit),
            "colour": STATES.get(state, PRIMARY),
        }
        for index, ((name, value), state) in enumerate(zip(values, states, strict=True))
    ]
    spec = specification(
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
                "x": {"field": "value", **amount_axis(None), "axis": None},
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
    amount = amount_axis(None) | {"field": "value", "stack": "zero"}
    spec = specification(
        {
            "data": {"values": data},
            "encoding": {
                "x": order_axis([(name, None) for name in names]),
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


def histogram(
    values: Sequence[Decimal],
    *,
    title: str,
    unit: str = "",
    accepted: Sequence[tuple[str, Number, str]] = (),
) -> Chart:
    """How often values of each size come; `accepted` are lines, (words, value, state)."""
    headings = ("From", "To below", "Values")
    if not values:
        none = "No value has been recorded yet."
        return Chart(None, title, none, headings, (), none)
    edges = _edges(values)
    counts = [0] * (len(edges) - 1)
    for value in values:
        counts[min(bisect_right(edges, value), len(counts)) - 1] += 1
    rows = tuple(
        (shown(low, unit), shown(high, unit), str(count))
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    )
    fullest = counts.index(max(counts))
    said = (
        f"{len(values)} values between {shown(min(values), unit)} and {shown(max(values), unit)}; "
        f"most, {counts[fullest]}, from {rows[fullest][0]} to below {rows[fullest][1]}."
    )
    data = [
        {"from": plain(low), "to": plain(high), "count": count}
        for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]
    ends = [*edges, *(at for _words, at, _state in accepted)]
    x = {
        "field": "from",
        "type": "quantitative",
        "scale": {"domain": [plain(min(ends)), plain(max(ends))], "nice": True, "zero": False},
        "axis": {"title": unit or None, "grid": False},
    }
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rect", "color": PRIMARY, "xOffset": 0.75, "x2Offset": -0.75},
            "encoding": {
                "x": x,
                "x2": {"field": "to"},
                "y": {"field": "count", **amount_axis("Values")},
                "y2": {"datum": 0},
            },
        }
    ]
    for level, (words, at, state) in enumerate(accepted):
        line = {"data": {"values": [{"at": plain(at)}]}}
        across = {"field": "at", "type": "quantitative"}
        colour = STATES[state]
        layers += [
            line
            | {
                "mark": {"type": "rule", "color": colour, "strokeDash": [6, 4], "strokeWidth": 1.5},
                "encoding": {"x": across},
            },
            line
            | {
                "mark": {
                    "type": "text",
                    "align": "left",
                    "dx": 4,
                    "color": colour,
                    "text": f"{words} {shown(at, unit)}",
                },
                "encoding": {"x": across, "y": {"value": 8 + 13 * level}},
            },
        ]
    spec = specification({"data": {"values": data}, "layer": layers})
    return Chart(spec, title, said, headings, rows)


def _edges(values: Sequence[Decimal]) -> list[Decimal]:
    """Round edges of about as many classes as Sturges counts, 1 + log2 n."""
    low, high = min(values), max(values)
    if low == high:
        return [low - 1, low, low + 1]
    wanted = (high - low) / (1 + len(values).bit_length())
    size = Decimal(1).scaleb(wanted.adjusted())
    step = next(size * each for each in (1, 2, 5, 10) if size * each >= wanted)
    edges = [(low / step).to_integral_value(ROUND_FLOOR) * step]
    while edges[-1] <= high:
        edges.append(edges[-1] + step)
    return edges
