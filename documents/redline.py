"""What changed between two revisions: rendered with insertions and deletions, or as plain lines.

Written texts are compared block by block as they are shown; where one of them is an uploaded file
its words are compared. lxml does the comparing; what it gives is cleaned like every foreign HTML.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from html import escape
from typing import Any

from lxml.html.diff import htmldiff

from documents import content, design
from documents.content.html import clean
from documents.models import Revision
from documents.shown import in_words, on_page
from qms.files.models import Rendition

# lxml compares word by word; beyond this only lines are compared.
MOST_WORDS = 40_000
MOST_MINOR = 10  # percent of the words; beyond it a minor revision says why it is one
LONG = 4_000  # lines, or words of a line
LEAST_WORDS = 50  # in a text of a few words a single one is no tenth of it
HIDDEN = ("label", "key", "question", "right")  # the right answers are for those who write them
_BESIDE = {
    "Title": "its title",
    "Uploaded file": "its uploaded file",
    "Pictures": "its pictures",
    "Fields of the form": "the fields of the form",
    "Questions to the reader": "the questions to the reader",
}
_TAG = re.compile(r"<[^>]+>")
_INSERTED = re.compile(r"<ins>(.*?)</ins>", re.DOTALL)
_DELETED = re.compile(r"<del>(.*?)</del>", re.DOTALL)


@dataclass(frozen=True)
class Redline:
    """The comparison of two revisions. `html` is clean; counts are words."""

    html: str
    added: int
    removed: int
    facts: list[tuple[str, str, str]]
    waiting: bool = False

    @property
    def is_same(self) -> bool:
        return not (self.added or self.removed or self.facts)


def compare(before: Revision, after: Revision, *, person: Any, as_text: bool = False) -> Redline:
    """The redline from one revision to another for this reader.

    `as_text` compares plain lines instead of what is drawn. `waiting` says that the words of an
    uploaded file are still being read.
    """
    uploaded = bool(before.source_id or after.source_id)
    waiting = False
    if uploaded or as_text:
        (old, first), (new, second) = _lines(before), _lines(after)
        waiting = first or second
        html = _compare_lines(old, new)
    else:
        html = _compare_html(on_page(before, person), on_page(after, person))
    drawn = clean(html, more=("ins", "del"))
    return Redline(
        drawn,
        sum(_words(each) for each in _INSERTED.findall(drawn)),
        sum(_words(each) for each in _DELETED.findall(drawn)),
        _facts(before, after),
        waiting,
    )


# How much of it


@dataclass(frozen=True)
class Extent:
    """How much of what was read a revision changes: words in percent, and what beside the text.

    `share` is None while the words of an uploaded file are still being read.
    """

    since: str
    share: int | None
    beside: list[str] = field(default_factory=list)

    @property
    def is_small(self) -> bool:
        return self.share is not None and self.share <= MOST_MINOR and not self.beside

    @property
    def in_words(self) -> str:
        read = self.share is not None
        told = [f"{self.share} % of the words" if read else "words still being read", *self.beside]
        return " and ".join(filter(None, [", ".join(told[:-1]), told[-1]]))


def extent_of(before: Revision, after: Revision) -> Extent:
    """How much of an earlier revision a later one changes."""
    (old, first), (new, second) = _lines(before), _lines(after)
    changed, whole = _words_changed(old, new), max(_count(old), _count(new), LEAST_WORDS)
    share = None if first or second else -(-100 * changed // whole)
    differs = {name for name, *_ in _facts(before, after)}
    if _reads(before) and _reads(after):
        differs.discard("Uploaded file")  # its words were compared
    if content.pictures_in(before.text) != content.pictures_in(after.text):
        differs.add("Pictures")
    return Extent(
        before.label, share, [words for name, words in _BESIDE.items() if name in differs]
    )


def _reads(revision: Revision) -> bool:
    """Whether the words of the uploaded file are known; a scan has none."""
    blob = revision.source.blob_id if revision.source else None
    return Rendition.objects.filter(blob=blob).exclude(words="").exists()


def _words_changed(old: list[str], new: list[str]) -> int:
    """Words that are gone or new, whichever are more; what moved elsewhere is both."""
    changed = 0
    for kind, a, b, c, d in _matcher(old, new).get_opcodes():
        if kind != "equal":
            gone, come = (Counter(" ".join(lines).split()) for lines in (old[a:b], new[c:d]))
            changed += max((gone - come).total(), (come - gone).total())
    return changed


def _count(lines: Iterable[str]) -> int:
    return sum(len(line.split()) for line in lines)


def _words(html: str) -> int:
    return len(_TAG.sub(" ", html).split())


def _compare_html(before: str, after: str) -> str:
    if before == after:
        return after
    if _words(before) + _words(after) > MOST_WORDS:
        return _compare_lines(_TAG.sub("\n", before).split("\n"), _TAG.sub("\n", after).split("\n"))
    return str(htmldiff(before, after))


def _lines(revision: Revision) -> tuple[list[str], bool]:
    """(lines of a revision's text and of its uploaded file, whether the file is still read)."""
    lines = in_words(revision).splitlines()
    if revision.source is None:
        return lines, False
    made = Rendition.objects.filter(blob=revision.source.blob_id).first()
    return (
        lines + (made.words.splitlines() if made else []),
        made is None or made.state == Rendition.State.WAITING,
    )


def _matcher(before: list[str], after: list[str]) -> SequenceMatcher[str]:
    """What two texts have in common; in a long one what stands everywhere is no landmark.

    Ten thousand equal lines would else be compared each with each.
    """
    return SequenceMatcher(None, before, after, autojunk=len(before) + len(after) > LONG)


def _compare_lines(before: list[str], after: list[str]) -> str:
    """Line by line; within lines that changed, word by word."""
    drawn: list[str] = []
    for kind, a, b, c, d in _matcher(before, after).get_opcodes():
        if kind == "equal":
            drawn += [f"<p>{escape(line)}</p>" for line in after[c:d]]
        elif kind == "replace" and b - a == d - c:
            drawn += [_compare_words(o, n) for o, n in zip(before[a:b], after[c:d], strict=True)]
        else:
            drawn += [f"<p><del>{escape(line)}</del></p>" for line in before[a:b] if line.strip()]
            drawn += [f"<p><ins>{escape(line)}</ins></p>" for line in after[c:d] if line.strip()]
    return "\n".join(drawn)


def _compare_words(before: str, after: str) -> str:
    old, new = before.split(" "), after.split(" ")
    parts = []
    for kind, a, b, c, d in _matcher(old, new).get_opcodes():
        gone, come = escape(" ".join(old[a:b])), escape(" ".join(new[c:d]))
        if kind == "equal":
            parts.append(come)
            continue
        parts += [f"<del>{gone}</del>"] if gone else []
        parts += [f"<ins>{come}</ins>"] if come else []
    return f"<p>{' '.join(parts)}</p>"


def _facts(before: Revision, after: Revision) -> list[tuple[str, str, str]]:
    """(name, before, after) of what changed beside the text."""
    pairs = [
        ("Title", before.title, after.title),
        ("Uploaded file", _source(before), _source(after)),
        ("Fields of the form", _fields(before), _fields(after)),
        ("Questions to the reader", _labels(before.questions), _labels(after.questions)),
    ]
    return [(name, old or "–", new or "–") for name, old, new in pairs if old != new]


def _source(revision: Revision) -> str:
    if revision.source is None:
        return ""
    return f"{revision.source.name} ({revision.source.blob.sha256[:12]})"


def _fields(revision: Revision) -> str:
    return "; ".join(design.described(part) for part in revision.fields)


def _labels(parts: list[dict[str, Any]]) -> str:
    """The parts of a form or the questions, each in a few words."""
    shown = (
        ", ".join(f"{k} {v}" for k, v in sorted(part.items()) if k not in HIDDEN and v)
        for part in parts
    )
    labels = (str(part.get("label") or part.get("question") or "?") for part in parts)
    return "; ".join(f"{label} ({more})" for label, more in zip(labels, shown, strict=True))
