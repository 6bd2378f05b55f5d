"""The Ishikawa picture: a spine, a bone for each category, its causes along it.

Plain numbers for one SVG (`templates/capa/fishbone_svg.html`), on the page and on paper.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string

WIDTH, HEAD, MARGIN = 960, 190, 16
LINE, BONE_LEAST, SLANT = 17, 74, 46
MOST_CHARACTERS = 34


@dataclass(frozen=True)
class Cause:
    """A line of a cause, beside its bone; a long one has several."""

    x: int
    y: int
    words: str
    first: bool


@dataclass(frozen=True)
class Bone:
    """A category with its causes; it meets the spine at (x2, y2)."""

    name: str
    x: int
    y: int
    x2: int
    y2: int
    label_y: int
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Fishbone:
    """The whole picture; `spine` is the height of the spine."""

    width: int
    height: int
    spine: int
    head_x: int
    bones: tuple[Bone, ...]
    effect: tuple[tuple[int, str], ...]
    words: str

    @property
    def head_y(self) -> int:
        return self.spine - self.head_height // 2

    @property
    def head_height(self) -> int:
        return len(self.effect) * LINE + 20

    @property
    def head_text_x(self) -> int:
        return self.head_x + HEAD // 2

    @property
    def image(self) -> str:
        """The picture as a data URI, for paper."""
        markup = render_to_string("capa/fishbone_svg.html", {"drawing": self})
        return f"data:image/svg+xml;base64,{b64encode(markup.encode()).decode()}"


def draw(effect: str, branches: Sequence[tuple[str, Sequence[str]]]) -> Fishbone:
    """Bones above and below by turns; as high as its fullest side needs."""
    written = [(name, [_wrapped(cause) for cause in causes]) for name, causes in branches]
    above, below = written[::2], written[1::2]
    up, down = _height(above), _height(below)
    spine = MARGIN + LINE + up
    head_x = WIDTH - HEAD - MARGIN
    pitch = (head_x - MARGIN) // max(1, len(above))
    bones = [
        *_side(above, pitch, spine, up, up_side=True),
        *_side(below, pitch, spine, down, up_side=False),
    ]
    lines = _wrapped(effect, 24)[:6]
    first = spine - (len(lines) - 1) * LINE // 2 + 4
    said = "; ".join(f"{name}: {', '.join(causes) or 'none'}" for name, causes in branches)
    return Fishbone(
        WIDTH,
        spine + down + LINE + MARGIN,
        spine,
        head_x,
        tuple(bones),
        tuple((first + at * LINE, line) for at, line in enumerate(lines)),
        f"Causes of “{effect}”. {said}.",
    )


def _height(side: Sequence[tuple[str, Sequence[Sequence[str]]]]) -> int:
    lines = [sum(len(cause) for cause in causes) for _name, causes in side]
    return max([BONE_LEAST, *((count + 1) * LINE + 8 for count in lines)])


def _side(
    side: Sequence[tuple[str, Sequence[Sequence[str]]]],
    pitch: int,
    spine: int,
    height: int,
    *,
    up_side: bool,
) -> list[Bone]:
    found = []
    for at, (name, causes) in enumerate(side):
        foot = MARGIN + (at + 1) * pitch - 8
        far = spine - height if up_side else spine + height
        top = far + 16 if up_side else spine + LINE + 4
        lines: list[Cause] = []
        for cause in causes:
            for number, words in enumerate(cause):
                y = top + len(lines) * LINE
                share = (y - far) / (spine - far)
                bone_x = foot - SLANT + int(SLANT * share)
                lines.append(Cause(bone_x - 10, y, words, number == 0))
        label_y = far - 6 if up_side else far + 14
        found.append(Bone(name, foot - SLANT, far, foot, spine, label_y, tuple(lines)))
    return found


def _wrapped(words: str, most: int = MOST_CHARACTERS) -> list[str]:
    """The words in lines of a length; a word that is longer is cut."""
    lines = [""]
    for word in words.split():
        while len(word) > most:
            lines.append(word[:most])
            word = word[most:]
        if lines[-1] and len(lines[-1]) + len(word) + 1 > most:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return [line for line in lines if line] or [""]
