"""Two scope statements side by side: words, processes, sites, what is left out (ISO 9001 4.3)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from qms import clauses
from qms.scope.models import ScopeStatement

Kind = Literal["same", "gone", "new"]
TEXTS = (
    ("Scope", "statement"),
    ("Products and services", "products_and_services"),
    ("Outside, and why", "boundaries"),
)


@dataclass(frozen=True)
class Piece:
    """Words that stayed, went or came."""

    kind: Kind
    words: str


@dataclass(frozen=True)
class Part:
    """A text of both statements; `before` and `after` are the two sides, `changed` whether."""

    label: str
    before: list[Piece]
    after: list[Piece]

    @property
    def changed(self) -> bool:
        return any(piece.kind != "same" for piece in [*self.before, *self.after])


@dataclass(frozen=True)
class Members:
    """A list of both statements: what came in, what went, what stayed."""

    label: str
    came: list[str]
    went: list[str]
    stayed: list[str]


def words_of(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces: on the left what went is marked, on the right what came."""
    a, b = re.findall(r"\s+|[^\s]+", before), re.findall(r"\s+|[^\s]+", after)
    left: list[Piece] = []
    right: list[Piece] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        same = what == "equal"
        if i1 < i2:
            left.append(Piece("same" if same else "gone", "".join(a[i1:i2])))
        if j1 < j2:
            right.append(Piece("same" if same else "new", "".join(b[j1:j2])))
    return left, right


def parts(before: ScopeStatement, after: ScopeStatement) -> list[Part]:
    """The texts of two statements, word by word."""
    return [
        Part(label, *words_of(getattr(before, name), getattr(after, name))) for label, name in TEXTS
    ]


def members(before: ScopeStatement, after: ScopeStatement) -> list[Members]:
    """Processes, sites and requirements left out: what came, went and stayed."""
    lists: tuple[tuple[str, Callable[[ScopeStatement], Iterable[str]]], ...] = (
        ("Edition", lambda each: [clauses.standard(each.edition)]),
        ("Processes", lambda each: [str(row) for row in each.processes()]),
        ("Sites", lambda each: [row.name for row in each.sites()]),
        ("Not applicable", lambda each: [_left_out(row) for row in each.left_out()]),
    )
    return [_members(label, list(find(before)), list(find(after))) for label, find in lists]


def _left_out(line: object) -> str:
    return f"{clauses.label(line.clause)}: {line.justification}"  # type: ignore[attr-defined]


def _members(label: str, before: list[str], after: list[str]) -> Members:
    return Members(
        label,
        [each for each in after if each not in before],
        [each for each in before if each not in after],
        [each for each in after if each in before],
    )
