"""Real office files of different make for tests: python-docx, LibreOffice itself, openpyxl."""

import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from PIL import Image

from qms.files.office import program


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (640, 360), (11, 107, 102)).save(buffer, "PNG")
    return buffer.getvalue()


def word(paragraphs: list[str], *, table: list[list[str]] | None = None) -> bytes:
    """A Word document with a header, a footer, a heading, a picture and a landscape page."""
    import docx
    from docx.enum.section import WD_ORIENT, WD_SECTION
    from docx.shared import Inches

    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = "Northgate Valves, goods-in"
    document.sections[0].footer.paragraphs[0].text = "Printed by whoever printed it"
    document.add_heading("Receiving inspection", level=1)
    for each in paragraphs:
        document.add_paragraph(each)
    document.add_picture(io.BytesIO(picture()), width=Inches(3))
    wide = document.add_section(WD_SECTION.NEW_PAGE)
    wide.orientation = WD_ORIENT.LANDSCAPE
    wide.page_width, wide.page_height = wide.page_height, wide.page_width
    document.add_paragraph("Faults and what to do")
    if table:
        drawn = document.add_table(rows=0, cols=len(table[0]))
        drawn.style = "Table Grid"
        for line in table:
            for cell, text in zip(drawn.add_row().cells, line, strict=True):
                cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def workbook() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "Gauges"
    for row in (["Gauge", "Interval"], ["Torque wrench TW-3", "6 months"], ["Caliper", 12]):
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def converted(content: bytes, ending: str, target: str, folder: Path) -> bytes:
    """The same document as LibreOffice writes it in another format (odt, docx, pdf, ods)."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"source{ending}"
    source.write_bytes(content)
    subprocess.run(
        [
            *(str(program()), "--headless", "--norestore"),
            *(f"-env:UserInstallation=file://{folder}/making", "--convert-to", target),
            *("--outdir", str(folder / "made"), str(source)),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return (folder / "made" / f"source.{target}").read_bytes()


def word_that_calls(address: str) -> bytes:
    """A Word document whose picture lies at an address: opening it must ask nobody."""
    plain = word(["A picture from elsewhere follows."])
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.infolist():
            content = old.read(entry.filename)
            if entry.filename == "word/_rels/document.xml.rels":
                content = content.replace(
                    b'Target="media/image1.png"',
                    f'Target="{address}" TargetMode="External"'.encode(),
                )
            if entry.filename == "word/document.xml":
                content = content.replace(b"r:embed=", b"r:link=")
            new.writestr(entry, content)
    return buffer.getvalue()
