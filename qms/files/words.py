"""The words of a file, for search and comparison; read in the limited process, a line a paragraph.

What cannot be read has no words; that is no reason to refuse a file that was accepted.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from qms import isolated
from qms.files.inspection import ODF, OOXML, PDF

MOST_CHARACTERS = 2_000_000
MOST_CELLS = 200_000
_TEXT_OF_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}t"
_ODF_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def read(blob: bytes, *, media_type: str) -> tuple[dict[str, Any], bytes]:
    """({}, the words as UTF-8); runs in the limited process only."""
    isolated.close_doors()
    lines: list[str] = []
    length = 0
    for line in _READERS.get(media_type, _none)(blob):
        clean = " ".join(line.replace("\0", " ").split())
        if clean:
            lines.append(clean)
            length += len(clean) + 1
        if length > MOST_CHARACTERS:
            break
    return {}, "\n".join(lines)[:MOST_CHARACTERS].encode("utf-8", "ignore")


def _none(blob: bytes) -> Iterator[str]:
    yield from ()


def _of_pdf(blob: bytes) -> Iterator[str]:
    import pypdfium2

    document = pypdfium2.PdfDocument(blob)
    for page in document:
        yield from page.get_textpage().get_text_bounded().splitlines()


def _of_word(blob: bytes) -> Iterator[str]:
    import docx
    from docx.table import Table

    document = docx.Document(io.BytesIO(blob))
    for section in document.sections:
        yield from (each.text for each in section.header.paragraphs)
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            for row in block.rows:
                yield " | ".join(cell.text for cell in row.cells)
        else:
            yield block.text


def _of_workbook(blob: bytes) -> Iterator[str]:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(blob), read_only=True, data_only=True)
    cells = 0
    for sheet in book.worksheets:
        yield sheet.title
        for row in sheet.iter_rows(values_only=True):
            filled = [str(value) for value in row if value is not None]
            cells += len(row)
            if filled:
                yield " | ".join(filled)
            if cells > MOST_CELLS:
                return


def _of_slides(blob: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(blob)) as inside:
        names = [n for n in inside.namelist() if n.startswith("ppt/slides/slide")]
        for name in sorted(names):
            yield " ".join(
                node.text or "" for node in _parse(inside.read(name)).iter(_TEXT_OF_DRAWING)
            )


def _of_open_document(blob: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(blob)) as inside:
        for node in _parse(inside.read("content.xml")).iter(f"{_ODF_TEXT}p", f"{_ODF_TEXT}h"):
            yield "".join(node.itertext())


def _parse(xml: bytes) -> Any:
    """XML without entities, DTD or network."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(xml, parser)


def _of_text(blob: bytes) -> Iterator[str]:
    try:
        yield from blob.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        yield from blob.decode("cp1252", "replace").splitlines()


_READERS: dict[str, Callable[[bytes], Iterator[str]]] = {
    PDF: _of_pdf,
    f"{OOXML}wordprocessingml.document": _of_word,
    f"{OOXML}spreadsheetml.sheet": _of_workbook,
    f"{OOXML}presentationml.presentation": _of_slides,
    f"{ODF}text": _of_open_document,
    f"{ODF}spreadsheet": _of_open_document,
    f"{ODF}presentation": _of_open_document,
    "text/plain": _of_text,
    "text/csv": _of_text,
}
