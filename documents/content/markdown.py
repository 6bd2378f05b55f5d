"""Markdown to a text and back: starters, imports, programs, and people without a script.

Beside plain Markdown: `1)` begins steps (`1.` a numbered list), a quotation that begins with
`[!NOTE]`, `[!IMPORTANT]` or `[!WARNING]` is a callout, `[[QP-01]]` points at a document, and
`![words](picture:12)` shows the attached picture 12.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from documents.content.schema import CALLOUTS, Node, check, safe_link

Find = Callable[[str], int | None]
Number = Callable[[int], str]

_reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_POINTER = re.compile(r"\[\[([^\[\]\n]{1,60})\]\]")
_CALLOUT = re.compile(r"\[!([A-Za-z]+)\]\s*")
_PICTURE = re.compile(r"picture:(\d{1,12})")
_MARKS = {"strong": "bold", "em": "italic", "s": "strike"}
_BLOCKS = {"paragraph": "paragraph", "bullet_list": "bulletList", "list_item": "listItem"}


def from_markdown(text: str, *, find: Find = lambda number: None) -> Node:
    """A text from Markdown; `find` gives the id of a document by its number."""
    top: Node = {"type": "doc", "content": []}
    _Reading(find).fill(top, _reader.parse(text.replace("\0", "")))
    return check(top)


class _Reading:
    """Turns the reader's flat tokens into a tree."""

    def __init__(self, find: Find) -> None:
        self.find = find

    def fill(self, top: Node, tokens: Sequence[Token]) -> None:
        open_nodes = [top]
        for token in tokens:
            if token.nesting == 1:
                self._open(open_nodes, token)
            elif token.nesting == -1:
                self._close(open_nodes, token)
            else:
                self._single(open_nodes[-1], token)

    def _open(self, open_nodes: list[Node], token: Token) -> None:
        if token.type in ("thead_open", "tbody_open"):
            return
        node = self._node(token)
        open_nodes[-1].setdefault("content", []).append(node)
        open_nodes.append(node)
        if node["type"] in ("tableCell", "tableHeader"):
            inner: Node = {"type": "paragraph"}
            node["content"] = [inner]
            open_nodes.append(inner)

    def _close(self, open_nodes: list[Node], token: Token) -> None:
        if token.type in ("thead_close", "tbody_close"):
            return
        closed = open_nodes.pop()
        if token.type in ("td_close", "th_close"):
            closed = open_nodes.pop()
        if closed["type"] == "blockquote":
            _into_callout(closed)
        if closed["type"] == "paragraph":
            _lift_pictures(open_nodes[-1], closed)

    def _node(self, token: Token) -> Node:
        name = token.type.removesuffix("_open")
        if name == "heading":
            return {"type": "heading", "attrs": {"level": min(int(token.tag[1]), 4)}}
        if name == "ordered_list":
            if token.markup == ")":
                return {"type": "steps"}
            start = int(token.attrGet("start") or 1)
            return {"type": "orderedList", "attrs": {"start": start}}
        names = {"table": "table", "tr": "tableRow", "td": "tableCell", "th": "tableHeader"}
        return {"type": _BLOCKS.get(name) or names.get(name) or name}

    def _single(self, parent: Node, token: Token) -> None:
        inside = parent.setdefault("content", [])
        if token.type == "inline":
            inside.extend(self._inline(token.children or []))
        elif token.type in ("fence", "code_block"):
            code = token.content.rstrip("\n")
            inside.append({"type": "codeBlock", "content": _words(code, [])})
        elif token.type == "hr":
            inside.append({"type": "horizontalRule"})

    def _inline(self, tokens: Sequence[Token]) -> list[Node]:
        found: list[Node] = []
        marks: list[Node] = []
        for token in tokens:
            name = token.type.removesuffix("_open").removesuffix("_close")
            if token.nesting == 1:
                marks = [*marks, _mark(name, token)]
            elif token.nesting == -1:
                marks = marks[:-1]
            else:
                found.extend(self._leaf(token, [each for each in marks if each]))
        return found

    def _leaf(self, token: Token, marks: list[Node]) -> list[Node]:
        if token.type == "text":
            return self._with_pointers(token.content, marks)
        if token.type == "code_inline":
            return _words(token.content, [*marks, {"type": "code"}])
        if token.type == "hardbreak":
            return [{"type": "hardBreak"}]
        if token.type == "softbreak":
            return _words(" ", marks)
        if token.type == "image":
            return [_picture(token)]
        return _words(token.content, marks)

    def _with_pointers(self, text: str, marks: list[Node]) -> list[Node]:
        found, at = [], 0
        for match in _POINTER.finditer(text):
            document = self.find(match[1].strip())
            if document is not None:
                found += _words(text[at : match.start()], marks)
                found.append({"type": "documentLink", "attrs": {"document": document}})
                at = match.end()
        return found + _words(text[at:], marks)


def _words(text: str, marks: list[Node]) -> list[Node]:
    if not text:
        return []
    node: Node = {"type": "text", "text": text}
    return [node | {"marks": marks}] if marks else [node]


def _mark(name: str, token: Token) -> Node:
    if name == "link":
        href = safe_link(token.attrGet("href"))
        return {"type": "link", "attrs": {"href": href}} if href else {}
    return {"type": _MARKS[name]}


def _picture(token: Token) -> Node:
    """A picture that is attached; of any other only its words stay."""
    matched = _PICTURE.fullmatch(str(token.attrGet("src") or ""))
    if matched is None:
        return {"type": "text", "text": token.content or "picture"}
    attrs = {"attachment": int(matched[1]), "alt": token.content}
    return {"type": "image", "attrs": attrs}


def _into_callout(quotation: Node) -> None:
    """A quotation that says what it warns of is a callout."""
    first = (quotation.get("content") or [{}])[0]
    words = (first.get("content") or [{}])[0]
    matched = _CALLOUT.match(str(words.get("text", "")))
    if matched is None or matched[1].lower() not in CALLOUTS:
        return
    quotation |= {"type": "callout", "attrs": {"kind": matched[1].lower()}}
    words["text"] = words["text"][matched.end() :]
    if not words["text"]:
        first["content"].pop(0)
    if first["content"] and first["content"][0].get("text") == " ":
        first["content"].pop(0)
    if not first["content"]:
        quotation["content"].pop(0)


def _lift_pictures(parent: Node, paragraph: Node) -> None:
    """Pictures are blocks: a paragraph with one is split around it."""
    inside = paragraph.get("content", [])
    if not any(each["type"] == "image" for each in inside):
        return
    parts: list[Node] = []
    for each in inside:
        if each["type"] == "image":
            parts.append(each)
        elif parts and parts[-1]["type"] == "paragraph":
            parts[-1]["content"].append(each)
        else:
            parts.append({"type": "paragraph", "content": [each]})
    parent["content"].remove(paragraph)
    parent["content"] += parts


# Back to Markdown -------------------------------------------------------------------------------


def to_markdown(text: Node, *, number: Number = lambda document: str(document)) -> str:
    """The text as Markdown; `number` gives the number of a document it points at."""
    return "\n\n".join(_block(each, number) for each in text.get("content", ())).strip()


def _block(node: Node, number: Number) -> str:
    return _WRITE[node["type"]](node, number)


def _paragraph(node: Node, number: Number) -> str:
    return _begin_safely(_line(node.get("content", []), number))


def _heading(node: Node, number: Number) -> str:
    return f"{'#' * node['attrs']['level']} {_line(node.get('content', []), number)}"


def _quotation(node: Node, number: Number) -> str:
    words = "\n\n".join(_block(each, number) for each in node.get("content", []))
    head = f"[!{node['attrs']['kind'].upper()}]\n" if node["type"] == "callout" else ""
    return "\n".join(f"> {line}".rstrip() for line in f"{head}{words}".splitlines())


def _code(node: Node, number: Number) -> str:
    code = "".join(str(each["text"]) for each in node.get("content", []))
    fence = "`" * (max([2, *(len(run) for run in re.findall("`+", code))]) + 1)
    return f"{fence}\n{code}\n{fence}"


def _image(node: Node, number: Number) -> str:
    return f"![{_escaped(node['attrs']['alt'])}](picture:{node['attrs']['attachment']})"


def _list(node: Node, number: Number) -> str:
    start = node.get("attrs", {}).get("start", 1)
    lines = []
    for place, item in enumerate(node.get("content", [])):
        sign = {"bulletList": "-", "steps": f"{place + 1})"}.get(node["type"], f"{start + place}.")
        words = "\n\n".join(_block(each, number) for each in item.get("content", []))
        indent = " " * (len(sign) + 1)
        lines.append(f"{sign} " + f"\n{indent}".join(words.split("\n")) if words else sign)
    return "\n".join(line.replace(f"\n{' ' * 2}\n", "\n\n") for line in lines)


def _table(node: Node, number: Number) -> str:
    """The first row is the head: Markdown has no table without one."""
    rows: list[Node] = node.get("content", [])
    lines = [
        [
            " ".join(_cell(each, number) for each in cell.get("content", [])).replace("|", "\\|")
            for cell in row.get("content", [])
        ]
        for row in rows
    ]
    width = max((len(line) for line in lines), default=0)
    drawn = [f"| {' | '.join([*line, *[''] * (width - len(line))])} |" for line in lines]
    return "\n".join([*drawn[:1], f"|{' --- |' * width}", *drawn[1:]])


def _cell(block: Node, number: Number) -> str:
    return " ".join(_block(block, number).split())


def _line(nodes: list[Node], number: Number) -> str:
    return "".join(_inline(each, number) for each in nodes)


def _inline(node: Node, number: Number) -> str:
    if node["type"] == "hardBreak":
        return "\\\n"
    if node["type"] == "documentLink":
        return f"[[{number(node['attrs']['document'])}]]"
    words = str(node["text"])
    marks: list[Any] = [mark["type"] for mark in node.get("marks", ())]
    words = f"`{words}`" if "code" in marks else _escaped(words)
    for mark, sign in (("bold", "**"), ("italic", "*"), ("strike", "~~")):
        if mark in marks and words.strip():
            bare = words.strip()
            words = words.replace(bare, f"{sign}{bare}{sign}", 1)
    for each in node.get("marks", ()):
        if each["type"] == "link":
            words = f"[{words}](<{each['attrs']['href']}>)"
    return words


def _escaped(words: str) -> str:
    return re.sub(r"([\\`*_\[\]<>~])", r"\\\1", words)


def _begin_safely(line: str) -> str:
    """A paragraph that begins like a list, a heading or a rule stays one."""
    line = re.sub(r"^(\s*\d{1,9})([.)])(?=\s|$)", r"\1\\\2", line)
    return re.sub(r"^(\s*)(#|[-+]|=)", r"\1\\\2", line)


_WRITE: dict[str, Callable[[Node, Number], str]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "bulletList": _list,
    "orderedList": _list,
    "steps": _list,
    "blockquote": _quotation,
    "callout": _quotation,
    "codeBlock": _code,
    "horizontalRule": lambda node, number: "---",
    "image": _image,
    "table": _table,
}
