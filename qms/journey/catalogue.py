"""The clause catalogue as people browse it: a tree, a search that forgives, both editions at once.

The data is `qms.clauses`; here is what the pages make of it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache

from qms import clauses
from qms.clauses import Clause, ClauseRef, Mapped

KIND_WORDS = {
    "same": ("Unchanged", ""),
    "wording": ("Reworded", ""),
    "retitled": ("New title", ""),
    "changed": ("Changed", "soon"),
    "note_only": ("A note only", ""),
    "split": ("Split", "soon"),
    "merged": ("Merged", "soon"),
    "moved": ("Moved", "soon"),
    "unverified": ("To be checked", "info"),
}
# What an answer of the former edition must be looked at again for; the rest is editorial.
TO_ASSESS = ("changed", "split", "merged", "moved")
NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){0,4}")
CLOSE = 0.75  # how alike a mistyped word must be to a known one


@dataclass(frozen=True)
class Branch:
    """A clause in the tree with what lies directly below it."""

    clause: Clause
    below: tuple["Branch", ...]
    mapped: "Change"


@dataclass(frozen=True)
class Change:
    """What became of a clause between the editions, in words."""

    mapped: Mapped
    words: str
    tone: str

    @property
    def matters(self) -> bool:
        return self.mapped.kind in TO_ASSESS


def change_of(ref: ClauseRef) -> Change:
    """What became of a clause in the other edition."""
    mapped = clauses.mapping_of(ref)
    words, tone = KIND_WORDS[mapped.kind]
    return Change(mapped, words, tone)


@cache
def tree(edition: str) -> tuple[Branch, ...]:
    """The chapters of an edition with everything below them."""
    return tuple(_branch(each) for each in clauses.clauses(edition) if each.level == 1)


def _branch(clause: Clause) -> Branch:
    below = tuple(_branch(each) for each in clauses.children(clause.ref))
    return Branch(clause, below, change_of(clause.ref))


def find(text: str, edition: str) -> tuple[tuple[Clause, ...], str]:
    """Clauses for a search, best first, and the words that were searched for if others were meant.

    A number finds itself and what lies below. When nothing holds every word, each unknown word is
    taken for the known word most like it ("calibraton" for "calibration").
    """
    typed = " ".join(text.split())[:100]
    if number := _number(typed, edition):
        return number, ""
    found = clauses.search(typed, edition)
    if found or not typed:
        return found, ""
    meant = " ".join(_likest(word, edition) for word in typed.casefold().split())
    return (clauses.search(meant, edition), meant) if meant != typed.casefold() else ((), "")


def _number(typed: str, edition: str) -> tuple[Clause, ...]:
    """The clause with this number and everything below it; nothing when it is no number."""
    word = typed.removesuffix(".").removeprefix("§").strip()
    if not NUMBER.fullmatch(word):
        return ()
    ref = ClauseRef(edition, word)
    return tuple(each for each in clauses.clauses(edition) if each.ref.is_within(ref))


@lru_cache(maxsize=1000)
def _likest(word: str, edition: str) -> str:
    known = vocabulary(edition)
    if any(word in each for each in known):
        return word
    close = get_close_matches(word, known, n=1, cutoff=CLOSE)
    return close[0] if close else word


@cache
def vocabulary(edition: str) -> tuple[str, ...]:
    """Every word of an edition's explanations, in order."""
    words = {word for each in clauses.clauses(edition) for word in _words_of(each)}
    return tuple(sorted(words))


def _words_of(clause: Clause) -> Iterable[str]:
    text = (
        clause.title,
        clause.paraphrase,
        *clause.typical_evidence,
        *clause.questions,
        *clause.processes,
    )
    for word in " ".join(text).casefold().replace("/", " ").split():
        clean = word.strip(".,;:!?()“”‘’'\"–-")
        if len(clean) > 2:
            yield clean


@dataclass(frozen=True)
class MappingRow:
    """One line of the mapping: a clause of the former edition and where it went."""

    clause: Clause
    change: Change
    targets: tuple[Clause, ...]


@cache
def mapping(edition: str) -> tuple[MappingRow, ...]:
    """Every clause of an edition with its counterparts in the other, in order."""
    return tuple(
        MappingRow(each, change, tuple(clauses.clause(ref) for ref in change.mapped.refs))
        for each in clauses.clauses(edition)
        if (change := change_of(each.ref))
    )


def neighbours(ref: ClauseRef) -> tuple[Clause | None, Clause | None]:
    """The clauses before and after in reading order."""
    order = clauses.clauses(ref.edition)
    at = next(index for index, each in enumerate(order) if each.ref == ref)
    before = order[at - 1] if at else None
    return before, order[at + 1] if at + 1 < len(order) else None


def above(ref: ClauseRef) -> list[Clause]:
    """The clauses a clause lies in, from the chapter down."""
    found = []
    parent = clauses.clause(ref).parent
    while parent is not None:
        found.append(clauses.clause(parent))
        parent = found[-1].parent
    return found[::-1]
