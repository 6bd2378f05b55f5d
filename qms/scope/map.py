"""The interaction map: where each process stands and how its lines run, computed from the flows.

Serves 4.4.1 b, sequence and interaction. Processes stand in a grid of columns and rows, in three
bands (management, core, support); the core runs from left to right in the order of its flows. Lines
run only in the channels between columns and rows, so none can cross a box. All lines of one process
share a trunk. The same processes and flows give the same picture, byte for byte.

All lengths are CSS pixels; x grows to the right, y downwards.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

BANDS = ("management", "core", "support")
LEAST_COLUMNS, MOST_COLUMNS = 3, 8
BOX, PADDING = 148.0, 10.0  # width of a box, and its text's distance from the edge
NAME_SIZE, NOTE_SIZE, NAME_LINE, NOTE_LINE = 13.0, 10.5, 16.0, 13.0
PORT = 8.0  # from one line's end at a box to the next; a line leaves between two of them
TRACK, EDGE = 7.0, 11.0  # from line to line in a channel, and from the outermost to the boxes
LABEL, GAP, MARGIN = 22.0, 14.0, 2.0  # a band's heading, the space between bands, the border
FEWEST_SIGNS = 4  # of a piece of a word that had to be parted
NARROW, WIDE = frozenset("iljtfrI.,:;'|!()[] -"), frozenset("mwMW@%&—")

Cell = tuple[int, int]  # column, row
Pair = tuple[int, int]  # from, to
Point = tuple[float, float]


@dataclass(frozen=True)
class Node:
    """A process as the map needs it.

    `notes` are short lines under its name; `starts` that something reaches it from outside.
    """

    key: int
    code: str
    name: str
    band: str = "core"
    notes: tuple[str, ...] = ()
    starts: bool = False


@dataclass(frozen=True)
class Text:
    """One line of a box: where it begins, its size, and what it says, cut to fit."""

    words: str
    x: float
    y: float
    size: float
    kind: str


@dataclass(frozen=True)
class Box:
    """A process on the map."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class Line:
    """What runs from one process to another: the corners of its way, the last one at the box."""

    source: int
    target: int
    points: tuple[Point, ...]

    @property
    def path(self) -> str:
        """The way with rounded corners, as the `d` of an SVG path."""
        return rounded(self.points)


@dataclass(frozen=True)
class Band:
    """The ground behind the processes of one kind."""

    name: str
    y: float
    height: float
    label_x: float

    @property
    def label_y(self) -> float:
        """Where its heading stands."""
        return self.y + LABEL * 0.75


@dataclass(frozen=True)
class Picture:
    """The whole map; `boxes` by code, `lines` by source and target."""

    width: float
    height: float
    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()
    bands: tuple[Band, ...] = ()


def draw(nodes: Sequence[Node], pairs: Iterable[Pair], *, width: float, height: float) -> Picture:
    """The map that is drawn largest on a sheet of `width` × `height`; a height of 0 is endless.

    `pairs` are the keys of who hands something to whom; pairs with unknown keys or with the same
    key twice are left out.
    """
    keys = {node.key for node in nodes}
    drawn = sorted({(a, b) for a, b in pairs if a in keys and b in keys and a != b})
    if not nodes:
        return Picture(width, 0)
    most = min(MOST_COLUMNS, max(LEAST_COLUMNS, len(nodes)))
    tried = [_picture(nodes, drawn, count) for count in range(LEAST_COLUMNS, most + 1)]

    def smallness(picture: Picture) -> tuple[float, float]:
        scale = min(1.0, width / picture.width)
        if height:
            scale = min(scale, height / picture.height)
        return -round(scale, 2), picture.height

    return min(tried, key=smallness)


# --- order ----------------------------------------------------------------------------------------


def acyclic(keys: Sequence[int], pairs: Sequence[Pair], starts: Collection[int] = ()) -> list[Pair]:
    """The pairs with those of a circle turned back, so that no circle is left.

    After Eades, Lin and Smyth: who only receives goes last, who only gives first, else whoever
    gives most more than it receives. Ties go to who is in `starts`, then by the order of `keys`.
    """
    rank = {key: at for at, key in enumerate(_in_order(keys, pairs, starts))}
    return [(a, b) if rank[a] < rank[b] else (b, a) for a, b in pairs]


def _in_order(keys: Sequence[int], pairs: Sequence[Pair], starts: Collection[int]) -> list[int]:
    rest, first, last = list(keys), [], []
    while rest:
        left = set(rest)
        gives = {key: sum(a == key and b in left for a, b in pairs) for key in rest}
        takes = {key: sum(b == key and a in left for a, b in pairs) for key in rest}
        sink = next((key for key in reversed(rest) if not gives[key] and takes[key]), None)
        if sink is not None:
            last.append(sink)
            rest.remove(sink)
            continue
        chosen = max(rest, key=lambda key: _first(key, gives, takes, starts))
        first.append(chosen)
        rest.remove(chosen)
    return first + last[::-1]


def _first(
    key: int, gives: dict[int, int], takes: dict[int, int], starts: Collection[int]
) -> tuple[bool, int, bool]:
    return not takes[key], gives[key] - takes[key], key in starts


def layers(
    keys: Sequence[int], pairs: Sequence[Pair], starts: Collection[int] = ()
) -> list[list[int]]:
    """Layers by the longest way from a beginning; circles are opened first."""
    forward = acyclic(keys, pairs, starts)
    depth = dict.fromkeys(keys, 0)
    for _ in keys:
        moved = False
        for a, b in forward:
            if depth[b] < depth[a] + 1:
                depth[b], moved = depth[a] + 1, True
        if not moved:
            break
    found: list[list[int]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for key in keys:
        found[depth[key]].append(key)
    return found


def sweep(columns: list[list[int]], pairs: Sequence[Pair], rounds: int = 4) -> list[list[int]]:
    """The columns with their rows ordered by the mean row of their neighbours (barycentre)."""
    near: dict[int, list[int]] = {}
    for a, b in pairs:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    for turn in range(rounds):
        for column in columns if turn % 2 == 0 else columns[::-1]:
            row = {key: at for each in columns for at, key in enumerate(each)}

            def mean(key: int, row: dict[int, int] = row) -> float:
                known = [row[other] for other in near.get(key, ()) if other in row]
                return fmean(known) if known else row[key]

            column.sort(key=mean)
    return columns


@dataclass
class Grid:
    """Which cell each process has, and which rows belong to which band."""

    cells: dict[int, Cell] = field(default_factory=dict)
    bands: list[tuple[str, int, int]] = field(default_factory=list)  # name, first row, one beyond
    columns: int = 0
    rows: int = 0


def arrange(nodes: Sequence[Node], pairs: Sequence[Pair], columns: int) -> Grid:
    """Give every process its cell; the core is placed first, the others towards what they serve."""
    ordered = sorted(nodes, key=lambda node: (node.code, node.key))
    starts = {node.key for node in nodes if node.starts}
    placed: dict[str, dict[int, Cell]] = {}
    for band in ("core", "management", "support"):
        keys = [node.key for node in ordered if node.band == band]
        inner = [(a, b) for a, b in pairs if a in keys and b in keys]
        known = {key: cell for cells in placed.values() for key, cell in cells.items()}
        if inner:
            least = 2 if band == "core" else 1
            placed[band] = _in_layers(layers(keys, inner, starts), inner, columns, least)
        else:
            placed[band] = _in_rows(keys, _towards(keys, pairs, known), columns)
    grid = Grid()
    for band in BANDS:
        cells = placed[band]
        if not cells:
            continue
        first = grid.rows
        grid.cells |= {key: (column, first + row) for key, (column, row) in cells.items()}
        grid.rows = first + 1 + max(row for _column, row in cells.values())
        grid.bands.append((band, first, grid.rows))
    grid.columns = 1 + max((column for column, _row in grid.cells.values()), default=0)
    return grid


def _in_layers(
    found: list[list[int]], pairs: Sequence[Pair], columns: int, least: int
) -> dict[int, Cell]:
    """Layer after layer to the right; what does not fit goes on below, as lines of text do.

    At least `least` processes of a layer stand above each other.
    """
    deepest = max(least, -(-sum(len(layer) for layer in found) // columns))
    stacks = [
        layer[at : at + deepest]
        for layer in sweep(found, pairs)
        for at in range(0, len(layer), deepest)
    ]
    cells: dict[int, Cell] = {}
    top = 0
    for start in range(0, len(stacks), columns):
        block = sweep(stacks[start : start + columns], pairs)
        rows = max(len(stack) for stack in block)
        for column, stack in enumerate(block):
            inset = (rows - len(stack)) // 2
            cells |= {key: (column, top + inset + at) for at, key in enumerate(stack)}
        top += rows
    return cells


def _towards(
    keys: Sequence[int], pairs: Sequence[Pair], known: dict[int, Cell]
) -> dict[int, float]:
    """The mean column of the placed neighbours of each process; 0 where there is none."""
    near: dict[int, list[int]] = {}
    for a, b in pairs:
        for key, other in ((a, b), (b, a)):
            if other in known:
                near.setdefault(key, []).append(known[other][0])
    return {key: fmean(near[key]) if key in near else 0.0 for key in keys}


def _in_rows(keys: Sequence[int], wanted: dict[int, float], columns: int) -> dict[int, Cell]:
    """Side by side, each as near as can be to the column it wants."""
    cells: dict[int, Cell] = {}
    ordered = sorted(keys, key=lambda key: wanted[key])
    for row, start in enumerate(range(0, len(ordered), columns)):
        part, free = ordered[start : start + columns], 0
        for at, key in enumerate(part):
            last = columns - (len(part) - at)
            column = max(free, min(round(wanted[key]), last))
            cells[key], free = (column, row), column + 1
    return cells


# --- ways -----------------------------------------------------------------------------------------


@dataclass
class Net:
    """All lines of one process: which channels they use and between which places.

    A vertical channel `v` lies left of column `v`, a horizontal one `h` above row `h`. Places along
    a vertical channel are 2h for the horizontal channel h and 2r + 1 for row r; along a horizontal
    one they are the vertical channels.
    """

    source: int
    targets: list[int]
    down: dict[int, set[int]] = field(default_factory=dict)
    across: dict[int, set[int]] = field(default_factory=dict)
    by: dict[int, int] = field(default_factory=dict)  # target → its horizontal channel


def _nets(grid: Grid, pairs: Sequence[Pair]) -> list[Net]:
    targets: dict[int, list[int]] = {}
    for a, b in pairs:
        targets.setdefault(a, []).append(b)
    return [
        _net(grid, Net(key, targets[key])) for key in sorted(targets, key=grid.cells.__getitem__)
    ]


def _net(grid: Grid, net: Net) -> Net:
    column, row = grid.cells[net.source]
    out = column + 1
    net.down[out] = {2 * row + 1}
    for target in net.targets:
        into, at = grid.cells[target]
        net.down.setdefault(into, set()).add(2 * at + 1)
        if into == out:
            continue
        by = at if row <= at else at + 1
        net.by[target] = by
        net.down[out].add(2 * by)
        net.down[into].add(2 * by)
        net.across.setdefault(by, set()).update((out, into))
    return net


def packed(spans: Sequence[tuple[int, int]]) -> list[int]:
    """A track for each span (both ends inclusive), so that spans on one track do not touch."""
    ends: list[int] = []
    given = [0] * len(spans)
    for at in sorted(range(len(spans)), key=lambda each: spans[each]):
        start, end = spans[at]
        track = next((t for t, last in enumerate(ends) if last < start), len(ends))
        if track == len(ends):
            ends.append(end)
        ends[track], given[at] = end, track
    return given


def _tracks(
    used: dict[int, dict[int, set[int]]],
) -> tuple[dict[tuple[int, int], int], dict[int, int]]:
    """(channel, source) → track, and channel → how many tracks it has."""
    tracks: dict[tuple[int, int], int] = {}
    many: dict[int, int] = {}
    for channel, nets in used.items():
        sources = list(nets)
        given = packed([(min(nets[key]), max(nets[key])) for key in sources])
        tracks |= {(channel, key): track for key, track in zip(sources, given, strict=True)}
        many[channel] = max(given) + 1
    return tracks, many


# --- the picture ----------------------------------------------------------------------------------


@dataclass
class Measures:
    """Where columns, rows and tracks lie."""

    columns: list[float]
    rows: list[float]
    heights: list[float]
    down: dict[tuple[int, int], float]
    across: dict[tuple[int, int], float]
    bands: list[Band]
    width: float
    height: float


def _picture(nodes: Sequence[Node], pairs: Sequence[Pair], columns: int) -> Picture:
    grid = arrange(nodes, pairs, columns)
    nets = _nets(grid, pairs)
    ports = _ports(grid, nets)
    by_key = {node.key: node for node in nodes}
    texts = {key: _words(node) for key, node in by_key.items()}
    heights = [0.0] * grid.rows
    for key, (_column, row) in grid.cells.items():
        need = max(_text_height(texts[key]), PORT * (len(ports[key]) + 2))
        heights[row] = max(heights[row], need)
    lies = _measure(grid, nets, heights)
    boxes = [
        _box(by_key[key], lies.columns[column], lies.rows[row], heights[row], texts[key])
        for key, (column, row) in grid.cells.items()
    ]
    lines = [_line(grid, net, target, ports, lies) for net in nets for target in net.targets]
    return Picture(
        lies.width,
        lies.height,
        tuple(sorted(boxes, key=lambda box: (box.node.code, box.node.key))),
        tuple(lines),
        tuple(lies.bands),
    )


def _ports(grid: Grid, nets: Sequence[Net]) -> dict[int, list[int]]:
    """Who comes in at each process, from the top of its left side downwards."""
    found: dict[int, list[int]] = {key: [] for key in grid.cells}
    for net in nets:
        for target in net.targets:
            found[target].append(net.source)
    for sources in found.values():
        sources.sort(key=lambda key: (grid.cells[key][1], grid.cells[key][0]))
    return found


def _measure(grid: Grid, nets: Sequence[Net], heights: list[float]) -> Measures:
    down, many_down = _tracks(_used(nets, "down"))
    across, many_across = _tracks(_used(nets, "across"))
    xs: dict[tuple[int, int], float] = {}
    columns, x = [], MARGIN
    for channel in range(grid.columns + 1):
        many = many_down.get(channel, 0)
        xs |= {
            place: x + EDGE + TRACK * track for place, track in down.items() if place[0] == channel
        }
        x += 2 * EDGE + TRACK * max(0, many - 1) if many else EDGE
        if channel < grid.columns:
            columns.append(x)
            x += BOX
    ys: dict[tuple[int, int], float] = {}
    rows, bands, y = [], [], MARGIN
    starts = {first: name for name, first, _end in grid.bands}
    top = y
    for channel in range(grid.rows + 1):
        if channel in starts:
            y += GAP if channel else 0
            top = y
            y += LABEL
        many = many_across.get(channel, 0)
        ys |= {
            place: y + EDGE + TRACK * track
            for place, track in across.items()
            if place[0] == channel
        }
        y += 2 * EDGE + TRACK * max(0, many - 1) if many else EDGE
        if channel < grid.rows:
            rows.append(y)
            y += heights[channel]
        name = next((n for n, _first, end in grid.bands if end == channel + 1), "")
        if name:
            bands.append(Band(name, top, y + EDGE - top, columns[0]))
            y += EDGE
    return Measures(columns, rows, heights, xs, ys, bands, x + MARGIN, y + MARGIN)


def _used(nets: Sequence[Net], side: str) -> dict[int, dict[int, set[int]]]:
    """Channel → source → the places its net touches there."""
    found: dict[int, dict[int, set[int]]] = {}
    for net in nets:
        for channel, places in getattr(net, side).items():
            found.setdefault(channel, {})[net.source] = places
    return found


def _line(grid: Grid, net: Net, target: int, ports: dict[int, list[int]], lies: Measures) -> Line:
    column, row = grid.cells[net.source]
    into, at = grid.cells[target]
    middle = max(1, round(lies.heights[row] / 2 / PORT))
    leaves = lies.rows[row] + PORT * (middle + 0.5)
    arrives = lies.rows[at] + PORT * (ports[target].index(net.source) + 1)
    trunk = lies.down[column + 1, net.source]
    points: list[Point] = [(lies.columns[column] + BOX, leaves), (trunk, leaves)]
    if target in net.by:
        across = lies.across[net.by[target], net.source]
        last = lies.down[into, net.source]
        points += [(trunk, across), (last, across), (last, arrives)]
    else:
        points.append((trunk, arrives))
    points.append((lies.columns[into], arrives))
    return Line(net.source, target, tuple(points))


def rounded(points: Sequence[Point], radius: float = 3.0) -> str:
    """An SVG path along the points, its corners rounded where there is room."""
    parts = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        near = min(radius, _length(before, corner) / 2, _length(corner, after) / 2)
        start, end = _towards_point(corner, before, near), _towards_point(corner, after, near)
        parts.append(
            f"L{start[0]:g} {start[1]:g}Q{corner[0]:g} {corner[1]:g} {end[0]:g} {end[1]:g}"
        )
    parts.append(f"L{points[-1][0]:g} {points[-1][1]:g}")
    return "".join(parts)


def _length(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _towards_point(start: Point, end: Point, step: float) -> Point:
    whole = _length(start, end) or 1.0
    return (
        start[0] + (end[0] - start[0]) * step / whole,
        start[1] + (end[1] - start[1]) * step / whole,
    )


# --- words ----------------------------------------------------------------------------------------


def wide(words: str, size: float) -> float:
    """About how wide words are in a sans-serif face, rather too wide than too narrow."""
    return size * sum(_share(sign) for sign in words)


def _share(sign: str) -> float:
    if sign in NARROW:
        return 0.36
    if sign in WIDE:
        return 0.95
    if ord(sign) >= 0x1100:
        return 1.1
    return 0.74 if sign.isupper() or sign.isdigit() else 0.6


def cut(words: str, room: float, size: float) -> str:
    """The words, or as many signs as fit with an ellipsis."""
    if wide(words, size) <= room:
        return words
    kept = words
    while kept and wide(f"{kept}…", size) > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def wrapped(words: str, room: float, size: float, most: int) -> list[str]:
    """The words in at most `most` lines; the last one is cut where they do not fit."""
    lines = [""]
    for word in (piece for whole in words.split() for piece in _pieces(whole, room, size)):
        longer = f"{lines[-1]} {word}".strip()
        if wide(longer, size) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [cut(line, room, size) for line in lines]


def _pieces(word: str, room: float, size: float) -> list[str]:
    """A word that is wider than the room, parted by hyphens; no piece is left nearly empty."""
    pieces = []
    while wide(word, size) > room:
        kept = len(word) - 1
        while kept > 1 and wide(f"{word[:kept]}-", size) > room:
            kept -= 1
        kept = max(1, min(kept, len(word) - FEWEST_SIGNS))
        pieces.append(f"{word[:kept]}-")
        word = word[kept:]
    return [*pieces, word]


def _words(node: Node) -> list[tuple[str, float, str]]:
    """(words, size, kind) of a box, from the top."""
    room = BOX - 2 * PADDING
    named = wrapped(f"{node.code} {node.name}", room * 0.96, NAME_SIZE, 3)
    notes = [(cut(note, room, NOTE_SIZE), NOTE_SIZE, "note") for note in node.notes]
    return [(line, NAME_SIZE, "name") for line in named] + notes


def _text_height(words: Sequence[tuple[str, float, str]]) -> float:
    return 2 * PADDING + sum(NAME_LINE if kind == "name" else NOTE_LINE for _, _, kind in words)


def _box(
    node: Node, x: float, y: float, height: float, words: Sequence[tuple[str, float, str]]
) -> Box:
    texts = []
    at = y + (height - _text_height(words)) / 2 + PADDING
    for said, size, kind in words:
        line = NAME_LINE if kind == "name" else NOTE_LINE
        texts.append(Text(said, x + PADDING, at + line * 0.78, size, kind))
        at += line
    return Box(node, x, y, BOX, height, tuple(texts))


def segments(line: Line) -> list[tuple[Point, Point]]:
    """The straight parts of a line."""
    return list(pairwise(line.points))
