"""What may be in a text: which blocks, which marks, which attributes; anything else is refused.

A text comes from a browser or a program and is trusted with nothing: what is not in these tables
never reaches a page.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from qms.refusals import Refused

Node = dict[str, Any]
EMPTY: Final[Node] = {"type": "doc", "content": []}
MOST_NODES, MOST_DEPTH, MOST_CHARACTERS = 30_000, 24, 1_000_000
CALLOUTS = {"note": "Note", "important": "Important", "warning": "Warning"}

_BLOCKS = frozenset(
    {
        *("paragraph", "heading", "bulletList", "orderedList", "steps", "callout"),
        *("blockquote", "codeBlock", "horizontalRule", "table", "image"),
    }
)
_INLINE = frozenset({"text", "hardBreak", "documentLink"})
_CELLS = frozenset({"tableCell", "tableHeader"})
# Which kinds of node may stand in which.
_INSIDE: dict[str, frozenset[str]] = {
    "doc": _BLOCKS,
    "paragraph": _INLINE,
    "heading": _INLINE,
    "bulletList": frozenset({"listItem"}),
    "orderedList": frozenset({"listItem"}),
    "steps": frozenset({"listItem"}),
    "listItem": _BLOCKS,
    "callout": _BLOCKS,
    "blockquote": _BLOCKS,
    "codeBlock": frozenset({"text"}),
    "horizontalRule": frozenset(),
    "table": frozenset({"tableRow"}),
    "tableRow": _CELLS,
    "tableCell": _BLOCKS,
    "tableHeader": _BLOCKS,
    "image": frozenset(),
    "text": frozenset(),
    "hardBreak": frozenset(),
    "documentLink": frozenset(),
}
_MARKS = frozenset({"bold", "italic", "underline", "strike", "code", "link"})
_SAFE_LINK = re.compile(r"(?:https?://|mailto:|/(?!/)|#)[^\s<>\"'`\\]*", re.IGNORECASE)


def check(text: Any) -> Node:
    """The text with only what the tables know; raises Refused where something else is in it.

    Unknown attributes (a pasted style, a class) are left out silently; unknown blocks are not.
    """
    if not isinstance(text, Mapping) or text.get("type") != "doc":
        raise Refused("This is not a text of the editor.", field="content")
    budget = _Budget()
    return _clean(text, budget, 0)


class _Budget:
    """How much has been read of a text that may be built to exhaust us."""

    def __init__(self) -> None:
        self.nodes = self.characters = 0

    def spend(self, node: Mapping[str, Any], depth: int) -> None:
        self.nodes += 1
        self.characters += len(str(node.get("text", "")))
        if depth > MOST_DEPTH:
            raise Refused("The text is nested too deeply. Use fewer levels.", field="content")
        if self.nodes > MOST_NODES or self.characters > MOST_CHARACTERS:
            raise Refused("The text is too long. Split it into several documents.", field="content")


def _clean(node: Mapping[str, Any], budget: _Budget, depth: int) -> Node:
    budget.spend(node, depth)
    kind = str(node["type"])
    cleaned: Node = {"type": kind}
    if kind == "text":
        cleaned["text"] = _words(node)
        if marks := _marks(node):
            cleaned["marks"] = marks
        return cleaned
    given = node.get("attrs")
    if attrs := _attributes(kind, given if isinstance(given, Mapping) else {}):
        cleaned["attrs"] = attrs
    inside = _children(node, kind, budget, depth)
    if inside or kind == "doc":
        cleaned["content"] = inside
    return cleaned


def _children(node: Mapping[str, Any], kind: str, budget: _Budget, depth: int) -> list[Node]:
    given = node.get("content") or []
    if not isinstance(given, list):
        raise Refused("This is not a text of the editor.", field="content")
    kept = []
    for child in given:
        if not isinstance(child, Mapping) or child.get("type") not in _INSIDE[kind]:
            what = str(child.get("type"))[:40] if isinstance(child, Mapping) else "nothing"
            raise Refused(f"The text holds something it may not: “{what}”.", field="content")
        kept.append(_clean(child, budget, depth + 1))
    return kept


def _words(node: Mapping[str, Any]) -> str:
    words = node.get("text")
    if not isinstance(words, str) or not words:
        raise Refused("This is not a text of the editor.", field="content")
    # What PostgreSQL cannot keep and no printer can show.
    return "".join(c for c in words if c >= " " or c in "\n\t") or " "


def _marks(node: Mapping[str, Any]) -> list[Node]:
    given = node.get("marks")
    kept: list[Node] = []
    for mark in given if isinstance(given, list) else []:
        kind = mark.get("type") if isinstance(mark, Mapping) else None
        if kind not in _MARKS or any(each["type"] == kind for each in kept):
            continue
        if kind == "link":
            href = safe_link((mark.get("attrs") or {}).get("href"))
            if href:
                kept.append({"type": "link", "attrs": {"href": href}})
            continue
        kept.append({"type": str(kind)})
    return sorted(kept, key=lambda each: str(each["type"]))


def safe_link(href: Any) -> str:
    """The address if a click on it is harmless, else an empty text."""
    text = str(href or "").strip()
    return text if len(text) <= 2000 and _SAFE_LINK.fullmatch(text) else ""


def _attributes(kind: str, given: Mapping[str, Any]) -> Node:
    """What this kind of block keeps of what it was given."""
    read = _READ.get(kind)
    return read(given) if read else {}


def _start(given: Mapping[str, Any]) -> Node:
    start = _whole(given.get("start"), 1, 9999, 1)
    return {"start": start} if start != 1 else {}


def _callout(given: Mapping[str, Any]) -> Node:
    told = str(given.get("kind"))
    return {"kind": told if told in CALLOUTS else "note"}


def _spans(given: Mapping[str, Any]) -> Node:
    spans = {name: _whole(given.get(name), 1, 100, 1) for name in ("colspan", "rowspan")}
    return {name: span for name, span in spans.items() if span != 1}


def _picture(given: Mapping[str, Any]) -> Node:
    alt = " ".join(str(given.get("alt") or "").split())[:300]
    return {"attachment": _key(given.get("attachment"), "picture"), "alt": alt}


def _whole(value: Any, least: int, most: int, otherwise: int) -> int:
    text = str(value)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise
    return number if least <= number <= most else otherwise


def _key(value: Any, what: str) -> int:
    number = _whole(value, 1, 99999, 0) if not isinstance(value, int) else value
    if isinstance(value, bool) or not 0 < number < 2**62:
        raise Refused(f"A {what} in the text cannot be found. Take it out.", field="content")
    return number


_READ: dict[str, Callable[[Mapping[str, Any]], Node]] = {
    "heading": lambda given: {"level": _whole(given.get("level"), 1, 4, 2)},
    "orderedList": _start,
    "callout": _callout,
    "image": _picture,
    "documentLink": lambda given: {"document": _key(given.get("document"), "document")},
    "tableCell": _spans,
    "tableHeader": _spans,
}


def nodes_of(text: Node) -> Iterator[Node]:
    """Every node, in reading order."""
    yield text
    for child in text.get("content", ()):
        yield from nodes_of(child)


def blocks_of(text: Node) -> list[Node]:
    """The blocks of the first level: what a comment is anchored to."""
    return list(text.get("content", ()))


def pictures_in(text: Node) -> list[int]:
    """The ids of the attachments shown as pictures, in order, each once."""
    return _ids(text, "image", "attachment")


def documents_in(text: Node) -> list[int]:
    """The ids of the documents the text points at, in order, each once."""
    return _ids(text, "documentLink", "document")


def _ids(text: Node, kind: str, name: str) -> list[int]:
    found = (int(n["attrs"][name]) for n in nodes_of(text) if n["type"] == kind)
    return list(dict.fromkeys(found))


def is_empty(text: Node) -> bool:
    """Whether there is nothing to read in it."""
    for node in nodes_of(text):
        if node["type"] in ("image", "documentLink"):
            return False
        if node["type"] == "text" and node["text"].strip():
            return False
    return True


def without_title(text: Node, title: str) -> Node:
    """The text without a first heading that only says the title again: the page shows it."""
    blocks = blocks_of(text)
    if not blocks or blocks[0]["type"] != "heading":
        return text
    words = "".join(str(each.get("text", "")) for each in blocks[0].get("content", ()))
    return {**text, "content": blocks[1:]} if words.strip() == title.strip() else text
