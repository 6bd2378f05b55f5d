"""A picture and its numbers: one drawing, in the colours of the page or of paper."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.core.cache import cache
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
class Chart:
    """A picture and the numbers behind it.

    For `components/chart.html`: `svg`, `caption`, `headings`, `rows`. `spec` is None when there is
    nothing to draw; then `svg` is one sentence. `description` is what a screen reader says. One
    `of_time` begins at its newest end on a narrow screen.
    """

    spec: dict[str, Any] | None
    caption: str
    description: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = field(default="There is nothing to draw yet.")
    of_time: bool = False

    @cached_property
    def svg(self) -> SafeString:
        """Inline SVG for a page, in the page's own colours."""
        if self.spec is None:
            return format_html('<p class="muted">{}</p>', self.empty)
        drawing = _for_page(svg(self.spec), self.description, of_time=self.of_time)
        return mark_safe(drawing)  # noqa: S308  (rebuilt from an allow-list)

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


def _for_page(drawing: str, description: str, *, of_time: bool) -> str:
    for placeholder, (variable, colour) in COLOURS.items():
        drawing = drawing.replace(placeholder, f"var({variable},{colour})")
    kind = "chart chart-of-time" if of_time else "chart"
    opening = format_html('<svg class="{}" role="img" aria-label="{}" ', kind, description)
    return drawing.replace('class="marks" ', "", 1).replace("<svg ", opening, 1)


def _for_paper(drawing: str) -> str:
    for placeholder, (_, colour) in COLOURS.items():
        drawing = drawing.replace(placeholder, colour)
    return drawing
