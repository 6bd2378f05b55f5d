"""The cells of a foreign sheet as plain texts; runs in the isolated process (`qms.isolated`)."""

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from qms.refusals import Refused

MOST_ROWS, MOST_COLUMNS, LONGEST = 100_000, 60, 500
FINEST = 6  # decimals of a value, as fine as it is kept


def cells_of(blob: bytes) -> tuple[dict[str, Any], bytes]:
    """The rows of the first sheet of a workbook, or of a CSV file: ({}, JSON list of lists).

    Dates are ISO 8601; a share that a spreadsheet keeps as 0.125 and shows as 12.5 % is 12.5 %.
    """
    rows = _workbook(blob) if blob[:2] == b"PK" else _text(blob)
    return {"rows": len(rows)}, json.dumps(rows).encode()


def _workbook(blob: bytes) -> list[list[str]]:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(blob), read_only=True, data_only=True)
    sheet = book.worksheets[0]
    rows = []
    for number, line in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS), start=1):
        if number > MOST_ROWS:
            raise Refused(f"The sheet has more than {MOST_ROWS} rows. Split it.")
        rows.append([_cell(each) for each in line])
    return rows


def _cell(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)[:LONGEST]
    number = Decimal(repr(value))
    if "%" in str(cell.number_format or ""):
        return f"{_as_kept(number * 100).normalize():f} %"
    return f"{_as_kept(number):f}"


def _as_kept(number: Decimal) -> Decimal:
    """What a spreadsheet computed has up to 17 digits: rounded to six decimals, unless to nothing.

    What is too large or too small to be kept stays as it is, and is named by its row.
    """
    if number.as_tuple().exponent >= -FINEST or abs(number) >= Decimal(10) ** 14:  # type: ignore[operator]
        return number
    rounded = round(number, FINEST)
    return rounded if rounded else number


def _text(blob: bytes) -> list[list[str]]:
    text = decoded(blob)
    if "\x00" in text:
        raise Refused("This is neither a workbook nor a CSV file.")
    try:
        dialect: Any = csv.Sniffer().sniff(text[:10_000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = []
    try:
        for number, line in enumerate(csv.reader(io.StringIO(text), dialect), start=1):
            if number > MOST_ROWS:
                raise Refused(f"The file has more than {MOST_ROWS} rows. Split it.")
            rows.append([each.strip()[:LONGEST] for each in line[:MOST_COLUMNS]])
    except csv.Error as error:
        raise Refused("The file cannot be read as CSV. Save it again as CSV or .xlsx.") from error
    return rows


def decoded(blob: bytes) -> str:
    """The text of a file, whichever of the usual ways it was saved."""
    wide = blob[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16" if wide else "utf-8-sig", "cp1252"):
        try:
            return blob.decode(encoding)
        except UnicodeDecodeError:
            continue
    return blob.decode("cp1252", errors="replace")
