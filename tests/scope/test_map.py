"""The map: whatever the flows, boxes never overlap, words fit, and no line runs through a box."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qms.scope.map import (
    BANDS,
    BOX,
    MOST_COLUMNS,
    NAME_SIZE,
    PADDING,
    Box,
    Node,
    Picture,
    acyclic,
    cut,
    draw,
    layers,
    segments,
    wide,
    wrapped,
)

pytestmark = pytest.mark.clause("4.4.1")
SCREEN, A4, LETTER = (1160.0, 0.0), (972.0, 560.0), (930.0, 600.0)
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=120
)


@st.composite
def companies(draw_one: Any) -> tuple[list[Node], list[tuple[int, int]]]:
    count = draw_one(st.integers(0, 40))
    nodes = [
        Node(
            key,
            f"P{key:02}",
            draw_one(NAMES) if key < 3 else "Receiving inspection and stores",
            draw_one(st.sampled_from(BANDS)),
            ("From customers and other parties", "To all processes")[: key % 3],
        )
        for key in range(count)
    ]
    ends = st.integers(0, max(0, count - 1))
    pairs = draw_one(st.lists(st.tuples(ends, ends), max_size=90))
    return nodes, pairs


def overlap(a: Box, b: Box) -> bool:
    return (
        a.x < b.x + b.width
        and b.x < a.x + a.width
        and a.y < b.y + b.height
        and b.y < a.y + a.height
    )


def runs_through(line: Any, box: Box) -> bool:
    """Whether any straight part of a line enters the inside of a box."""
    return any(
        min(x1, x2) < box.x + box.width
        and max(x1, x2) > box.x
        and min(y1, y2) < box.y + box.height
        and max(y1, y2) > box.y
        for (x1, y1), (x2, y2) in segments(line)
    )


def lie_on_each_other(picture: Picture) -> list[tuple[Any, Any]]:
    """Straight parts of lines of different processes that run along each other."""
    parts = [(line.source, *each) for line in picture.lines for each in segments(line)]
    found = []
    for (one, *a), (other, *b) in combinations(parts, 2):
        if one == other:
            continue
        for axis in (0, 1):
            fixed = 1 - axis
            same = {a[0][fixed], a[1][fixed], b[0][fixed], b[1][fixed]}
            first, second = sorted(p[axis] for p in a), sorted(p[axis] for p in b)
            if len(same) == 1 and max(first[0], second[0]) < min(first[1], second[1]):
                found.append((a, b))
    return found


@settings(max_examples=60, deadline=None)
@given(companies(), st.sampled_from([SCREEN, A4, LETTER]))
@pytest.mark.slow
def test_nothing_on_the_map_is_in_the_way_of_anything(
    company: tuple[list[Node], list[tuple[int, int]]], sheet: tuple[float, float]
) -> None:
    nodes, pairs = company
    picture = draw(nodes, pairs, width=sheet[0], height=sheet[1])
    assert {box.node.key for box in picture.boxes} == {node.key for node in nodes}
    wanted = {(a, b) for a, b in pairs if a != b and nodes}
    assert {(line.source, line.target) for line in picture.lines} == wanted
    assert not any(overlap(a, b) for a, b in combinations(picture.boxes, 2))
    for line in picture.lines:
        assert not [box.node.code for box in picture.boxes if runs_through(line, box)]
        assert all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in line.points)
        assert all(a[0] == b[0] or a[1] == b[1] for a, b in segments(line))
    for box in picture.boxes:
        assert box.x >= 0 and box.x + box.width <= picture.width
        assert box.y >= 0 and box.y + box.height <= picture.height
        for text in box.texts:
            assert text.x + wide(text.words, text.size) <= box.x + box.width - PADDING + 0.01
            assert box.y < text.y <= box.y + box.height
        assert any(
            band.y <= box.y and box.y + box.height <= band.y + band.height for band in picture.bands
        )
        for text in box.texts:
            assert text.y <= box.y + box.height
    left = min((box.x for box in picture.boxes), default=0)
    for band in picture.bands:
        # No line runs down where the heading of a band stands.
        assert band.label_x == left and band.label_y < min(
            box.y for box in picture.boxes if box.node.band == band.name
        )
    assert lie_on_each_other(picture) == []


@settings(max_examples=60, deadline=None)
@given(companies())
@pytest.mark.slow
def test_circles_are_opened_and_every_line_leads_to_a_later_layer(
    company: tuple[list[Node], list[tuple[int, int]]],
) -> None:
    nodes, pairs = company
    keys = [node.key for node in nodes]
    drawn = sorted({(a, b) for a, b in pairs if a != b and nodes})
    depth = {key: at for at, layer in enumerate(layers(keys, drawn)) for key in layer}
    assert sorted(depth) == keys
    assert all(depth[a] < depth[b] for a, b in acyclic(keys, drawn))


def thirty() -> tuple[list[Node], list[tuple[int, int]]]:
    """A company of thirty processes as companies are: a chain, helpers, and ways back."""
    bands = ["management"] * 4 + ["core"] * 16 + ["support"] * 10
    nodes = [
        Node(at, f"P{at:02}", f"Process number {at} of this company", band, ("From customers",))
        for at, band in enumerate(bands)
    ]
    chain = [(at, at + 1) for at in range(4, 19)]
    side = [(at, at + 3) for at in range(4, 16, 2)]
    help_ = [(at, 4 + (at * 5) % 16) for at in range(20, 30)]
    steer = [(at, 4 + at * 3) for at in range(4)] + [(19, 0), (12, 1)]
    return nodes, [*chain, *side, *help_, *steer, (15, 5), (18, 9)]


@pytest.mark.parametrize("sheet", [SCREEN, A4, LETTER])
def test_thirty_processes_are_legible_on_the_screen_and_on_paper(
    sheet: tuple[float, float],
) -> None:
    nodes, pairs = thirty()
    picture = draw(nodes, pairs, width=sheet[0], height=sheet[1])
    scale = min(1.0, sheet[0] / picture.width, (sheet[1] or 9e9) / picture.height)
    assert scale * NAME_SIZE >= (11 if sheet is SCREEN else 7.5), scale
    assert lie_on_each_other(picture) == []


def test_the_same_flows_give_the_same_picture_whatever_their_order() -> None:
    nodes, pairs = thirty()
    once = draw(nodes, pairs, width=1160, height=0)
    again = draw(nodes[::-1], pairs[::-1], width=1160, height=0)
    assert once == again


def test_the_core_runs_from_left_to_right() -> None:
    nodes = [Node(at, f"P{at}", "Step") for at in range(5)]
    picture = draw(nodes, [(4, 3), (3, 2), (2, 1), (1, 0)], width=1160, height=0)
    left = {box.node.key: box.x for box in picture.boxes}
    assert sorted(left, key=left.__getitem__) == [4, 3, 2, 1, 0]


def test_a_circle_begins_where_something_comes_in_from_outside() -> None:
    nodes = [Node(1, "A", "Plan"), Node(2, "B", "Sell", starts=True)]
    picture = draw(nodes, [(1, 2), (2, 1)], width=1160, height=0)
    left = {box.node.key: box.x for box in picture.boxes}
    assert left[2] < left[1]


def test_bands_stand_one_below_the_other_and_only_where_somebody_is() -> None:
    nodes = [Node(1, "A", "Help", "support"), Node(2, "B", "Make", "core")]
    bands = draw(nodes, [(1, 2)], width=1160, height=0).bands
    assert [band.name for band in bands] == ["core", "support"]
    assert bands[0].y + bands[0].height < bands[1].y


def test_words_are_cut_with_an_ellipsis_only_where_they_do_not_fit() -> None:
    assert cut("Sales", BOX, NAME_SIZE) == "Sales"
    said = cut("W" * 200, BOX, NAME_SIZE)
    assert said.endswith("…") and wide(said, NAME_SIZE) <= BOX


def test_a_word_that_is_too_wide_is_parted_by_hyphens() -> None:
    word = "Rechtsschutzversicherungsgesellschaftenprüfung"
    lines = wrapped(f"RS {word}", BOX, NAME_SIZE, 9)
    assert "".join(line.removesuffix("-") for line in lines) == f"RS{word}"
    assert all(line.endswith("-") for line in lines[1:-1])
    assert all(wide(line, NAME_SIZE) <= BOX for line in lines)
    assert len(lines[-1]) >= 4


def test_nobody_gives_an_empty_map_and_one_gives_one_box() -> None:
    assert draw([], [(1, 2)], width=1160, height=0) == Picture(1160, 0)
    one = draw([Node(1, "A", "Alone")], [(1, 1)], width=1160, height=0)
    assert len(one.boxes) == 1 and one.lines == ()
    assert MOST_COLUMNS * BOX < 1300
