"""A text as clean HTML for pages and print, and as plain words for search and comparison.

Everything is escaped here and cleaned once more at the end; pictures and links to documents are
asked of the caller, because a page shows them by address and a print by content.
"""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

import nh3

from documents.content.schema import CALLOUTS, Node

Picture = Callable[[int], str]
Linked = Callable[[int], tuple[str, str] | None]

_TAGS = {
    *("p", "h2", "h3", "h4", "h5", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "br"),
    *("strong", "em", "u", "s", "a", "img", "figure", "figcaption", "div", "span", "aside"),
    *("table", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {
    "*": {"id"},
    "a": {"href"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "th": {"colspan", "rowspan", "scope"},
    "td": {"colspan", "rowspan"},
}
_CLASSES = {
    "ol": {"steps"},
    "aside": {"callout", *(f"callout-{kind}" for kind in CALLOUTS)},
    "a": {"document-link"},
    "span": {"missing"},
    "div": {"table-scroll"},
}
_MARK_TAGS = {"bold": "strong", "italic": "em", "underline": "u", "strike": "s", "code": "code"}
_SIMPLE = {
    "paragraph": "p",
    "bulletList": "ul",
    "listItem": "li",
    "blockquote": "blockquote",
    "tableRow": "tr",
    "tableCell": "td",
    "tableHeader": "th",
}


def as_html(
    text: Node,
    *,
    picture: Picture = lambda attachment: "",
    linked: Linked = lambda document: None,
) -> str:
    """Clean HTML. `picture` gives the address or data URI of an attachment, empty where it is not
    to be had; `linked` gives (address, name) of a document, None where the reader may not see it.

    Blocks of the first level have the ids b0, b1, …, in order.
    """
    drawing = _Drawing(picture, linked)
    blocks = [
        drawing.node(block, f' id="b{place}"')
        for place, block in enumerate(text.get("content", ()))
    ]
    return clean("\n".join(blocks))


def clean(html: str, *, more: Iterable[str] = ()) -> str:
    """HTML with only our own tags (and `more`), attributes and classes; nothing that runs."""
    return nh3.clean(
        html,
        tags={*_TAGS, *more},
        attributes=_ATTRIBUTES,
        attribute_filter=_allowed,
        allowed_classes=_CLASSES,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )


def _allowed(element: str, attribute: str, value: str) -> str | None:
    """The attribute's value, or None to drop it."""
    if attribute == "id":
        return value if value[:1] == "b" and value[1:].isdigit() else None
    if attribute == "href" and value.strip().lower().startswith("data:"):
        return None
    if attribute == "src" and not value.startswith(("/", "data:image/")):
        return None
    return value


class _Drawing:
    """Draws nodes one inside the other."""

    def __init__(self, picture: Picture, linked: Linked) -> None:
        self.picture, self.linked = picture, linked

    def inside(self, node: Node) -> str:
        return "".join(self.node(child) for child in node.get("content", ()))

    def node(self, node: Node, mark: str = "") -> str:
        kind, attrs = node["type"], node.get("attrs", {})
        special = getattr(self, f"_{kind}", None)
        if special is not None:
            return str(special(node, attrs, mark))
        tag = _SIMPLE[kind]
        spans = "".join(f' {name}="{int(span)}"' for name, span in sorted(attrs.items()))
        return f"<{tag}{mark}{spans}>{self.inside(node)}</{tag}>"

    def _text(self, node: Node, attrs: Any, mark: str) -> str:
        html = escape(node["text"])
        for each in node.get("marks", ()):
            if each["type"] == "link":
                html = f'<a href="{escape(each["attrs"]["href"])}">{html}</a>'
            else:
                tag = _MARK_TAGS[each["type"]]
                html = f"<{tag}>{html}</{tag}>"
        return html

    def _hardBreak(self, node: Node, attrs: Any, mark: str) -> str:
        return "<br>"

    def _horizontalRule(self, node: Node, attrs: Any, mark: str) -> str:
        return f"<hr{mark}>"

    def _heading(self, node: Node, attrs: Any, mark: str) -> str:
        # The page's own title is the first level.
        tag = f"h{attrs['level'] + 1}"
        return f"<{tag}{mark}>{self.inside(node)}</{tag}>"

    def _orderedList(self, node: Node, attrs: Any, mark: str) -> str:
        start = f' start="{attrs["start"]}"' if "start" in attrs else ""
        return f"<ol{mark}{start}>{self.inside(node)}</ol>"

    def _steps(self, node: Node, attrs: Any, mark: str) -> str:
        return f'<ol{mark} class="steps">{self.inside(node)}</ol>'

    def _callout(self, node: Node, attrs: Any, mark: str) -> str:
        kind = attrs["kind"]
        words = f"<p><strong>{CALLOUTS[kind]}</strong></p>{self.inside(node)}"
        return f'<aside{mark} class="callout callout-{kind}">{words}</aside>'

    def _codeBlock(self, node: Node, attrs: Any, mark: str) -> str:
        return f"<pre{mark}><code>{self.inside(node)}</code></pre>"

    def _table(self, node: Node, attrs: Any, mark: str) -> str:
        table = f"<table><tbody>{self.inside(node)}</tbody></table>"
        return f'<div{mark} class="table-scroll">{table}</div>'

    def _image(self, node: Node, attrs: Any, mark: str) -> str:
        address, alt = self.picture(attrs["attachment"]), escape(attrs["alt"])
        if not address:
            return f'<p{mark}><span class="missing">[Picture: {alt or "not available"}]</span></p>'
        caption = f"<figcaption>{alt}</figcaption>" if alt else ""
        return f'<figure{mark}><img src="{escape(address)}" alt="{alt}">{caption}</figure>'

    def _documentLink(self, node: Node, attrs: Any, mark: str) -> str:
        found = self.linked(attrs["document"])
        if found is None:
            return '<span class="missing">[a document you may not see]</span>'
        address, name = found
        return f'<a class="document-link" href="{escape(address)}">{escape(name)}</a>'


def as_text(text: Node, *, linked: Linked = lambda document: None) -> str:
    """Plain words, a line a paragraph; pictures by their description."""
    lines: list[str] = []
    _write(text, lines, linked)
    return "\n".join(line for line in (" ".join(each.split()) for each in lines) if line)


def _write(node: Node, lines: list[str], linked: Linked) -> None:
    kind = node["type"]
    if kind in ("paragraph", "heading", "codeBlock"):
        lines.append("".join(_inline(child, linked) for child in node.get("content", ())))
    elif kind == "image":
        lines.append(node["attrs"]["alt"])
    else:
        for child in node.get("content", ()):
            _write(child, lines, linked)


def _inline(node: Node, linked: Linked) -> str:
    if node["type"] == "hardBreak":
        return " "
    if node["type"] == "documentLink":
        found = linked(node["attrs"]["document"])
        return found[1] if found else ""
    return str(node["text"])
