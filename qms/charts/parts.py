"""The parts that specifications are put together from: axes, rules, numbers in words."""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import dateformat

from qms.charts.picture import FONT, HEIGHT, LINE, MUTED, NO_VALUE, WIDTH, Number


def specification(body: dict[str, Any]) -> dict[str, Any]:
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


def order_axis(points: Sequence[tuple[date | str, Any]]) -> dict[str, Any]:
    """An axis by position, so that every period has its place, also a missing one."""
    names = [period_name(when) for when, _ in points]
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


def amount_axis(title: str | None) -> dict[str, Any]:
    return {
        "type": "quantitative",
        "scale": {"zero": True, "nice": True},
        "axis": {"title": title, "tickCount": 5, "tickMinStep": 1, "domain": False},
    }


def value_axis(name: str = "value") -> dict[str, Any]:
    return {
        "field": name,
        "type": "quantitative",
        "scale": {"zero": False, "nice": True},
        "axis": {"title": None, "tickCount": 5, "domain": False},
    }


def rule(at: Decimal | int, colour: str, dash: list[int], text: str) -> list[dict[str, Any]]:
    data = {"values": [{"at": plain(at)}]}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": colour, "strokeDash": dash, "strokeWidth": 1.25},
            "encoding": {"y": value_axis("at"), "x": {"value": 0}, "x2": {"value": WIDTH}},
        },
        {
            "data": data,
            "mark": {"type": "text", "align": "left", "dx": 6, "color": colour, "text": text},
            "encoding": {"y": value_axis("at"), "x": {"value": WIDTH}},
        },
    ]


def plain(value: Number) -> float:
    """For drawing only: a picture has fewer digits than a float. Tables keep the decimal."""
    return float(value)


def shown(value: Number | None, unit: str = "") -> str:
    if value is None:
        return NO_VALUE
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return f"{text} {unit}".strip()


def period_name(when: date | str) -> str:
    return when if isinstance(when, str) else dateformat.format(when, "M Y")
