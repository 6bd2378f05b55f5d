"""Joining PDFs without losing what a screen reader needs: tags, links, bookmarks, page numbers.

Merging drops the structure trees of the parts, so they are grafted: pages first, then each tree,
its parent tree renumbered, its table headers renamed so that two parts cannot mix them up.
Only `qms.pdf` calls this.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String

PART = "https://part.invalid/"


def join(whole: Pdf, parts: Sequence[Pdf], *, own: str) -> list[int]:
    """Append all parts; returns the index of the first page of each.

    `own` is the creator named in PDFs whose header cells bear names that are unique already.
    """
    trees = _Trees(whole, own)
    starts = []
    for source in parts:
        first = len(whole.pages)
        starts.append(first)
        _disarm(source)
        whole.add_pages_from(source, forms="strip")
        trees.graft(source, first)
    trees.finish()
    return starts


def _disarm(source: Pdf) -> None:
    """Nothing of a part may act by itself: no scripts, no actions on opening, no attachments."""
    for page in source.pages:
        _drop(page.obj, "/AA")
        for annotation in page.obj.get("/Annots", []):
            _drop(annotation, "/AA")
            action = annotation.get("/A")
            if action is not None and action.get("/S") not in (Name.URI, Name.GoTo):
                del annotation["/A"]


def _drop(thing: Any, name: str) -> None:
    if name in thing:
        del thing[name]


class _Trees:
    """The structure trees of the parts, on their way to one."""

    def __init__(self, whole: Pdf, own: str) -> None:
        self.whole, self.own = whole, own
        self.root = whole.make_indirect(Dictionary(Type=Name.StructTreeRoot))
        self.document = whole.make_indirect(
            Dictionary(Type=Name.StructElem, S=Name.Document, P=self.root, K=Array())
        )
        self.numbers: list[tuple[int, Any]] = []
        self.roles = Dictionary()
        self.next_key = 0
        self.parts = 0

    def graft(self, source: Pdf, first: int) -> None:
        """Take over the tree of a part whose pages are already appended from index `first`."""
        if "/StructTreeRoot" not in source.Root:
            self._untag(first)
            return
        self.parts += 1
        foreign = str(source.docinfo.get("/Creator", "")) != self.own
        # A copy of the tree refers to the copied pages, because those were copied before it.
        tree = self.whole.copy_foreign(source.make_indirect(source.Root.StructTreeRoot))
        highest = self._renumber(tree, first)
        self.next_key += highest + 1
        for kid in _list(tree.get("/K")):
            kid["/P"] = self.document
            self.document.K.append(kid)
            if foreign:
                _rename(kid, f"{self.parts}-")
        for name, role in tree.get("/RoleMap", {}).items():
            self.roles[name] = role

    def _untag(self, first: int) -> None:
        """Pages without a tree keep no numbers that would point into somebody else's."""
        for page in self._pages(first):
            _drop(page, "/StructParents")
            for annotation in page.get("/Annots", []):
                _drop(annotation, "/StructParent")

    def _renumber(self, tree: Any, first: int) -> int:
        """Move the part's keys behind all earlier ones; returns its highest key."""
        highest = -1
        for key, value in _entries(tree.get("/ParentTree")):
            self.numbers.append((self.next_key + key, value))
            highest = max(highest, key)
        for page in self._pages(first):
            highest = max(highest, self._shift(page, "/StructParents"))
            for annotation in page.get("/Annots", []):
                highest = max(highest, self._shift(annotation, "/StructParent"))
        return highest

    def _shift(self, thing: Any, name: str) -> int:
        if name not in thing:
            return -1
        key = int(thing[name])
        thing[name] = self.next_key + key
        return key

    def _pages(self, first: int) -> Iterator[Any]:
        for index in range(first, len(self.whole.pages)):
            yield self.whole.pages[index].obj

    def finish(self) -> None:
        """Hang the one tree into the document."""
        flat = Array()
        for key, value in sorted(self.numbers, key=lambda entry: entry[0]):
            flat.append(key)
            flat.append(value)
        self.root.K = Array([self.document])
        self.root.ParentTree = self.whole.make_indirect(Dictionary(Nums=flat))
        self.root.ParentTreeNextKey = self.next_key
        if len(self.roles):
            self.root.RoleMap = self.roles
        self.whole.Root.StructTreeRoot = self.root
        self.whole.Root.MarkInfo = Dictionary(Marked=True)


def _entries(tree: Any) -> Iterator[tuple[int, Any]]:
    """(key, value) of a number tree, whether flat or in branches."""
    waiting = [tree] if tree is not None else []
    while waiting:
        node = waiting.pop()
        numbers = node.get("/Nums", [])
        for index in range(0, len(numbers), 2):
            yield int(numbers[index]), numbers[index + 1]
        waiting.extend(node.get("/Kids", []))


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, Array) else [value]


def _rename(element: Any, prefix: str) -> None:
    """Give header cells of this part names that no other part uses."""
    waiting = [element]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Dictionary) or "/S" not in node:
            continue
        if "/ID" in node:
            node["/ID"] = String(prefix + str(node["/ID"]))
        for attributes in _list(node.get("/A")):
            if isinstance(attributes, Dictionary) and "/Headers" in attributes:
                attributes["/Headers"] = Array(
                    [String(prefix + str(name)) for name in attributes["/Headers"]]
                )
        waiting.extend(_list(node.get("/K")))


def link_contents(whole: Pdf, starts: Sequence[int]) -> None:
    """Turn the placeholders of the contents pages into links to the parts."""
    for page in whole.pages:
        for annotation in page.obj.get("/Annots", []):
            action = annotation.get("/A")
            address = str(action.get("/URI", "")) if action is not None else ""
            index = address.removeprefix(PART)
            if not address.startswith(PART) or not index.isdecimal():
                continue
            del annotation["/A"]
            if int(index) < len(starts):
                target = whole.pages[starts[int(index)]]
                annotation["/Dest"] = Array([target.obj, Name.Fit])
                annotation["/Contents"] = String(f"Go to page {starts[int(index)] + 1}")


def bookmark(whole: Pdf, entries: Sequence[tuple[str, int, int]]) -> None:
    """The outline: (title, level, page index); a level may be at most one deeper than before."""
    with whole.open_outline() as outline:
        branches = [outline.root]
        for title, level, index in entries:
            depth = max(1, min(level, len(branches)))
            item = pikepdf.OutlineItem(title, index, "Fit")
            del branches[depth:]
            branches[depth - 1].append(item)
            branches.append(item.children)


def describe(whole: Pdf, *, title: str, lang: str) -> None:
    """What a reader shows and a screen reader speaks."""
    whole.Root.Lang = String(lang)
    whole.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    whole.Root.PageMode = Name.UseOutlines
    whole.docinfo["/Title"] = title
    with whole.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        metadata["dc:title"] = title
        metadata["dc:language"] = [lang]


def stamp(whole: Pdf, mark: str) -> None:
    """ "Page x of y" and the mark at the foot of each page, hidden from screen readers."""
    font = whole.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type1,
            BaseFont=Name.Helvetica,
            Encoding=Name.WinAnsiEncoding,
        )
    )
    total = len(whole.pages)
    for number, page in enumerate(whole.pages, start=1):
        text = f"Page {number} of {total}"
        name = page.add_resource(font, Name.Font, name=Name("/QmsStamp"), replace_existing=True)
        left, bottom, right, _ = (float(edge) for edge in page.mediabox)
        drawn = [_line(name, text, right - 54 - 3.6 * len(text), bottom + 17)]
        if mark:
            drawn.append(_line(name, mark, left + 54, bottom + 17))
        page.contents_add(b"q\n", prepend=True)
        page.contents_add(
            b"\nQ /Artifact <</Type /Pagination /Subtype /Footer>> BDC\n"
            + b"".join(drawn)
            + b"EMC\n"
        )


def _line(font: Name, text: str, x: float, y: float) -> bytes:
    written = text.encode("cp1252", "replace")
    for special in (b"\\", b"(", b")"):
        written = written.replace(special, b"\\" + special)
    return b"BT 0.42 g %s 7.5 Tf %.2f %.2f Td (%s) Tj ET\n" % (
        str(font).encode(),
        x,
        y,
        written,
    )
