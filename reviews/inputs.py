"""Compiling the inputs of a management review from what every chapter contributes (9.3.2).

The two editions letter the same topics differently, so the one place that knows which letter of
which edition a contribution answers is here. A contribution is registered under the letter of the
2015 edition, or under a name of its own when no item of the list asks for it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from qms import clauses, contributions
from qms.contributions import Line
from qms.periods import Period

# The item of the 2026 edition → the key under which chapters contribute to that topic.
TOPICS_2026: Mapping[str, str] = {
    "a": "a",
    "b": "b",
    "c": "parties",
    "d1": "c4",
    "d2": "c5",
    "d3": "c6",
    "d4": "c1",
    "d5": "c2",
    "d6": "c3",
    "d7": "c7",
    "e": "f",
    "f": "d",
    "g": "e",
}


@dataclass(frozen=True)
class Compiled:
    """One input as compiled: which item it answers, and what the records say."""

    key: str
    title: str
    trend: bool
    required: bool
    lines: tuple[Line, ...]

    @property
    def stored(self) -> list[dict[str, str]]:
        """The lines as they are frozen with the review."""
        return [asdict(line) for line in self.lines]


def topic_of(edition: str, item: str) -> str:
    """The key chapters contribute under, for an item of an edition's list."""
    return TOPICS_2026[item] if edition == "2026" else item


def compiled(edition: str, period: Period) -> list[Compiled]:
    """Every item of the edition's list in its order, then what is contributed beside the list."""
    items = list(clauses.review_inputs(edition))
    found = []
    for item in items:
        topic = topic_of(edition, item.id)
        found.append(Compiled(item.id, item.text, item.trend, True, lines_of(topic, period)))
    asked = {topic_of(edition, item.id) for item in items}
    return found + [
        Compiled(f"+{each.key}", each.title, False, False, tuple(each.compile(period)))
        for each in contributions.review_inputs()
        if each.key not in asked
    ]


def lines_of(topic: str, period: Period) -> tuple[Line, ...]:
    """What every chapter says about a topic, in the order they give."""
    return tuple(
        line for each in contributions.review_inputs(topic) for line in each.compile(period)
    )
