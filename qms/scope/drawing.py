"""The map of the processes for screen and paper, and the same as a list (ISO 9001 4.4.1)."""

from base64 import b64encode
from dataclasses import dataclass

from django.template.loader import render_to_string

from qms.scope import map as layout
from qms.scope.checks import System
from qms.scope.map import Box, Line, Node, Picture
from qms.scope.models import EVERY, Flow, Process

SCREEN = (1150.0, 0.0)
# What is left of a landscape sheet inside its margins, in CSS pixels, with room for the heading.
SHEETS = {"A4": (1005.0, 565.0), "Letter": (938.0, 585.0)}
COLUMN = (650.0, 860.0)  # a page upright, inside its margins, as in the evidence pack
# More boxes than these are no picture any more; the list shows them all.
MOST_DRAWN = 80


@dataclass(frozen=True)
class DrawnBox:
    """A box with what it leads to."""

    box: Box
    process: Process


@dataclass(frozen=True)
class DrawnLine:
    """A line with what runs along it, in words, and whose line it is."""

    line: Line
    words: str
    kind: str


@dataclass(frozen=True)
class Drawing:
    """The whole map, ready for a template."""

    picture: Picture
    boxes: list[DrawnBox]
    lines: list[DrawnLine]

    @property
    def inner_width(self) -> float:
        return self.picture.width - 2

    @property
    def title(self) -> str:
        return f"{len(self.boxes)} processes and what they hand to each other"


@dataclass(frozen=True)
class Row:
    """A process of the list: what it takes and gives, in words."""

    process: Process
    takes: list[Flow]
    gives: list[Flow]


def on_screen(system: System) -> Drawing | None:
    """The map for a wide screen, None beyond `MOST_DRAWN`; narrow screens show the list."""
    return _draw(system, SCREEN)


def on_paper(system: System, paper: str) -> Drawing | None:
    """The map for one landscape sheet of "A4" or "Letter", None beyond `MOST_DRAWN`."""
    return _draw(system, SHEETS[paper])


def in_a_column(system: System) -> Drawing | None:
    """The map for a page upright, None beyond `MOST_DRAWN`."""
    return _draw(system, COLUMN)


def as_picture(drawing: Drawing) -> str:
    """The map as a data URI, for paper."""
    markup = render_to_string("scope/map_svg.html", {"drawing": drawing})
    return f"data:image/svg+xml;base64,{b64encode(markup.encode()).decode()}"


def _draw(system: System, sheet: tuple[float, float]) -> Drawing | None:
    if not 0 < len(system.processes) <= MOST_DRAWN:
        return None
    known = system.by_key
    outside = _outside(system)
    started = {flow.target_id for flow in system.flows if flow.source_party}
    nodes = [
        Node(each.pk, each.code, each.name, each.kind, outside[each.pk], each.pk in started)
        for each in system.processes
    ]
    words: dict[tuple[int, int], list[str]] = {}
    for flow in system.flows:
        source, target = known.get(flow.source_id), known.get(flow.target_id)
        if source and target:
            words.setdefault((source.pk, target.pk), []).append(flow.what)
    picture = layout.draw(nodes, words, width=sheet[0], height=sheet[1])
    return Drawing(
        picture,
        [DrawnBox(box, known[box.node.key]) for box in picture.boxes],
        [
            DrawnLine(
                line,
                f"{known[line.source]} gives {known[line.target]}:"
                f" {', '.join(sorted(words[line.source, line.target]))}",
                known[line.source].kind,
            )
            for line in picture.lines
        ],
    )


def _outside(system: System) -> dict[int, tuple[str, ...]]:
    """Whom outside, or all, each process takes from and gives to: short lines."""
    takes: dict[int, set[str]] = {}
    gives: dict[int, set[str]] = {}
    for flow in system.flows:
        takes.setdefault(flow.target_id or 0, set()).add(_party(flow, "source"))
        gives.setdefault(flow.source_id or 0, set()).add(_party(flow, "target"))
    said: dict[int, tuple[str, ...]] = {}
    for process in system.processes:
        lines = [("from", takes.get(process.pk, set())), ("to", gives.get(process.pk, set()))]
        named = [(word, sorted(parties - {""})) for word, parties in lines]
        said[process.pk] = tuple(f"{word} {', '.join(each)}" for word, each in named if each)
    return said


def _party(flow: Flow, side: str) -> str:
    """The end of a flow that is no process, in words."""
    return EVERY if getattr(flow, f"{side}_all") else str(getattr(flow, f"{side}_party"))


def as_list(system: System) -> list[Row]:
    """Every process with its inputs and outputs, in the order of kind and code."""
    order = {kind: at for at, kind in enumerate(layout.BANDS)}
    takes: dict[int, list[Flow]] = {}
    gives: dict[int, list[Flow]] = {}
    for flow in sorted(system.flows, key=lambda flow: (flow.what.casefold(), flow.pk)):
        takes.setdefault(flow.target_id or 0, []).append(flow)
        gives.setdefault(flow.source_id or 0, []).append(flow)
    rows = sorted(system.processes, key=lambda each: (order[each.kind], each.code))
    return [Row(each, takes.get(each.pk, []), gives.get(each.pk, [])) for each in rows]
