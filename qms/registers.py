"""Registers from elsewhere: a messy spreadsheet, with every problem named by row and column.

People's lists have title lines above the header, merged cells, three date formats, blank rows,
numbers given twice and names instead of addresses. `read()` makes rows of it, `Importer.preview()`
says what each row would become and what stands in the way; nothing is written before a person
accepts it, and then through the chapter's own factory.
"""

import csv
import difflib
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from django.contrib.auth import get_user_model
from django.db import transaction

from qms.refusals import Refused

MOST_ROWS, MOST_BYTES = 20_000, 25_000_000
HEADER_WITHIN = 25  # rows from the top in which a header may stand
Kind = Literal["text", "date", "choice", "person", "record", "number", "clauses"]
DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%Y%m%d",
)
_SLASHED = re.compile(r"^(\d{1,2})[/-](\d{1,2})[/-](\d{2}|\d{4})$")


# --- reading -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A row of the sheet: its number as the spreadsheet shows it, and its cells by position."""

    number: int
    cells: tuple[Any, ...]

    @property
    def is_blank(self) -> bool:
        return all(cell is None or not str(cell).strip() for cell in self.cells)


def read(path: Path) -> list[Row]:
    """The rows of the first sheet of an XLSX or of a CSV file; merged cells repeat their value.

    Raises Refused in words when it is no such file or far too large.
    """
    if not path.is_file():
        raise Refused(f"There is no file {path}.")
    if path.stat().st_size > MOST_BYTES:
        raise Refused("The file is larger than 25 MB. Leave out pictures and old sheets.")
    content = path.read_bytes()
    if content[:2] == b"PK":
        return _read_workbook(content)
    if content[:4] == b"\xd0\xcf\x11\xe0":
        raise Refused("This is an old .xls file. Save it as .xlsx or CSV, then import that.")
    return _read_csv(content)


def _read_workbook(content: bytes) -> list[Row]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), data_only=True)
    except Exception as error:
        raise Refused(f"The workbook cannot be read ({type(error).__name__}).") from error
    sheet = book.worksheets[0]
    if sheet.max_row > MOST_ROWS:
        raise Refused(f"The sheet has {sheet.max_row} rows; at most {MOST_ROWS} are read.")
    values = {(cell.row, cell.column): cell.value for line in sheet.iter_rows() for cell in line}
    for merged in sheet.merged_cells.ranges:
        first = values.get((merged.min_row, merged.min_col))
        for row, column in merged.cells:
            values[(row, column)] = first
    width = sheet.max_column
    return [
        Row(number, tuple(values.get((number, column)) for column in range(1, width + 1)))
        for number in range(1, sheet.max_row + 1)
    ]


def _read_csv(content: bytes) -> list[Row]:
    for encoding in (
        "utf-8-sig",
        "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8",
    ):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = content.decode("cp1252", errors="replace")
    if "\x00" in text:
        raise Refused("This is neither a workbook nor a CSV file.")
    try:
        dialect: Any = csv.Sniffer().sniff(text[:10_000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    lines = list(csv.reader(io.StringIO(text), dialect))
    if len(lines) > MOST_ROWS:
        raise Refused(f"The file has {len(lines)} rows; at most {MOST_ROWS} are read.")
    return [Row(number, tuple(line)) for number, line in enumerate(lines, start=1)]


def plain(text: Any) -> str:
    """A text for comparing: no case, no accents, no punctuation, single spaces."""
    folded = unicodedata.normalize("NFKD", str(text or "")).casefold()
    kept = "".join(c if c.isalnum() else " " for c in folded if not unicodedata.combining(c))
    return " ".join(kept.split())


def letter(column: int) -> str:
    """The letter of a column as spreadsheets show it: 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


# --- what a register holds -----------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Field:
    """A column we look for: our name, how people call it, what it holds.

    `choices` maps words (in `plain` form) to values, `find` looks a record up by its text.
    """

    name: str
    label: str
    also: tuple[str, ...] = ()
    kind: Kind = "text"
    required: bool = False
    choices: Mapping[str, Any] = field(default_factory=dict)
    find: Callable[[str], Any] | None = None
    unique: bool = False

    def is_called(self, header: str) -> bool:
        known = {plain(self.name), plain(self.label), *(plain(each) for each in self.also)}
        return plain(header) in known


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell, in words; an error keeps its row out, a warning does not."""

    row: int
    column: str
    sentence: str
    is_error: bool = True

    def __str__(self) -> str:
        where = f"Row {self.row}, {self.column}" if self.column else f"Row {self.row}"
        return f"{where}: {self.sentence}"


@dataclass
class Preview:
    """What an import would do: clean values by row, and every problem in order."""

    rows: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        return [each for each in self.problems if each.is_error]

    @property
    def good(self) -> list[tuple[int, dict[str, Any]]]:
        bad = {each.row for each in self.errors}
        return [(number, values) for number, values in self.rows if number not in bad]


@dataclass(frozen=True)
class Importer:
    """How one kind of register becomes records: `create(by=, **values)` is the chapter's own.

    `check(values)` says what is wrong with a row as a whole, or nothing.
    """

    name: str
    title: str
    fields: tuple[Field, ...]
    create: Callable[..., Any]
    permission: str
    taken: Callable[[str], bool]
    check: Callable[[dict[str, Any]], str | None] = lambda values: None

    def preview(self, rows: Sequence[Row]) -> Preview:
        """Read every row; writes nothing."""
        head, places = self._header(rows)
        found = Preview(columns={f.name: letter(at + 1) for f, at in places.items()})
        named = set(places.values())
        found.unknown = [
            f"{letter(at + 1)} “{cell}”"
            for at, cell in enumerate(head.cells)
            if cell and str(cell).strip() and at not in named
        ]
        body = [row for row in rows if row.number > head.number and not row.is_blank]
        read_dates = {
            f: DateReader(row.cells[at] for row in body if at < len(row.cells))
            for f, at in places.items()
            if f.kind == "date"
        }
        seen: dict[tuple[str, str], int] = {}
        for row in body:
            values: dict[str, Any] = {}
            for each in self.fields:
                at = places.get(each)
                raw = row.cells[at] if at is not None and at < len(row.cells) else None
                where = f"column {letter(at + 1)} ({each.label})" if at is not None else each.label
                cell = _Cell(row.number, where, raw, each, found)
                values[each.name] = cell.value(read_dates.get(each))
                if each.unique and values[each.name]:
                    self._check_taken(cell, str(values[each.name]), seen)
            if why := self.check(values):
                found.problems.append(Problem(row.number, "", why))
            found.rows.append((row.number, values))
        return found

    def accept(self, preview: Preview, *, by: Any, skip: bool = False) -> list[Any]:
        """Create a record for each good row, all or none; refused while rows have errors.

        `skip` leaves rows with errors out on purpose. Raises Refused or PermissionDenied.
        """
        if preview.errors and not skip:
            count = len({each.row for each in preview.errors})
            raise Refused(
                f"{count} rows have problems. Mend the sheet, or leave these rows out on purpose."
            )
        made = []
        with transaction.atomic():
            for number, values in preview.good:
                try:
                    made.append(self.create(by=by, **values))
                except Refused as refusal:
                    raise Refused(f"Row {number}: {refusal} Nothing was imported.") from refusal
        return made

    def _header(self, rows: Sequence[Row]) -> tuple[Row, dict[Field, int]]:
        """The row that names at least two of our columns, among the first rows."""
        best: tuple[int, Row | None, dict[Field, int]] = (0, None, {})
        for row in rows[:HEADER_WITHIN]:
            places: dict[Field, int] = {}
            for at, cell in enumerate(row.cells):
                for each in self.fields:
                    if each not in places and each.is_called(str(cell or "")):
                        places[each] = at
                        break
            if len(places) > best[0]:
                best = (len(places), row, places)
        count, found, places = best
        missing = [f.label for f in self.fields if f.required and f not in places]
        if found is None or count < 2 or missing:
            names = ", ".join(f.label for f in self.fields if f.required)
            what = f"It lacks: {', '.join(missing)}. " if found is not None and missing else ""
            raise Refused(f"No header row was found. {what}It must name at least: {names}.")
        return found, places

    def _check_taken(self, cell: "_Cell", value: str, seen: dict[tuple[str, str], int]) -> None:
        key = (cell.field.name, plain(value))
        if key in seen:
            cell.problem(f"“{value}” stands in row {seen[key]} already.")
        elif self.taken(value):
            cell.problem(f"“{value}” is in the system already.")
        else:
            seen[key] = cell.row


@dataclass(frozen=True)
class _Cell:
    """One cell on its way to a clean value."""

    row: int
    where: str
    raw: Any
    field: Field
    preview: Preview

    def problem(self, sentence: str, *, is_error: bool = True) -> None:
        self.preview.problems.append(Problem(self.row, self.where, sentence, is_error))

    def value(self, dates: "DateReader | None") -> Any:
        text = " ".join(str(self.raw).split()) if self.raw is not None else ""
        if not text or plain(text) in {"", "n a", "none", "tbd"}:
            if self.field.required:
                self.problem("It is empty.")
            return [] if self.field.kind == "clauses" else None if self._is_thing else ""
        if self.field.kind == "text":
            kept = self.raw if isinstance(self.raw, str) else text
            return _number_as_text(kept)
        reader: Callable[[str, Any], Any] = getattr(self, f"_{self.field.kind}")
        return reader(text, dates)

    @property
    def _is_thing(self) -> bool:
        return self.field.kind in ("date", "person", "record", "number")

    def _date(self, text: str, dates: "DateReader | None") -> date | None:
        read_date = dates.read(self.raw) if dates else None
        if read_date is None:
            self.problem(f"“{text}” is no date. Write it like 2026-03-31.")
        elif dates and dates.is_guess(self.raw):
            day = f"{read_date:%-d %B %Y}"
            self.problem(f"“{text}” was read as {day}; day and month are a guess.", is_error=False)
        return read_date

    def _choice(self, text: str, dates: Any) -> Any:
        choices = self.field.choices
        if plain(text) in choices:
            return choices[plain(text)]
        near = difflib.get_close_matches(plain(text), choices, 1, 0.75)
        if near:
            self.problem(f"“{text}” was read as “{near[0]}”.", is_error=False)
            return choices[near[0]]
        self.problem(f"“{text}” is none of: {', '.join(sorted(set(choices)))}.")
        return None

    def _person(self, text: str, dates: Any) -> Any:
        found, near = find_person(text)
        if found is None:
            hint = f" Do you mean {near}?" if near else " Add the person first, or name another."
            self.problem(f"Nobody is called “{text}”.{hint}")
        return found

    def _record(self, text: str, dates: Any) -> Any:
        found = self.field.find(text) if self.field.find else None
        if found is None:
            self.problem(f"“{text}” was not found.")
        return found

    def _number(self, text: str, dates: Any) -> int | None:
        digits = re.sub(r"[^\d-]", "", text.split(".")[0])
        if not digits.lstrip("-").isdigit():
            self.problem(f"“{text}” is no number.")
            return None
        return int(digits)

    def _clauses(self, text: str, dates: Any) -> list[str]:
        from qms.clauses import ClauseRef, clause

        found = []
        for part in re.findall(r"\d+(?:\.\d+)*", text):
            try:
                found.append(clause(ClauseRef("2026", part)).key)
            except (KeyError, ValueError, LookupError):
                self.problem(f"There is no clause {part} in the 2026 edition.", is_error=False)
        return found


def _number_as_text(value: Any) -> str:
    """A cell that looks like a number, as people read it: 12.0 is 12."""
    return str(value).strip()


class DateReader:
    """Reads the dates of one column; whether day or month comes first is told by the column."""

    def __init__(self, values: Iterable[Any]) -> None:
        slashed = [m for v in values if (m := _SLASHED.match(str(v or "").strip()))]
        self.day_first = sum(int(m[1]) > 12 for m in slashed)
        self.month_first = sum(int(m[2]) > 12 for m in slashed)

    def read(self, value: Any) -> date | None:
        """The date of a cell, or None."""
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        text = " ".join(str(value).split())
        if match := _SLASHED.match(text):
            return self._slashed(match)
        for form in DATE_FORMATS:
            try:
                return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                continue
        return None

    def is_guess(self, value: Any) -> bool:
        """Whether day and month could be the other way round, and the column does not tell."""
        match = _SLASHED.match(str(value).strip()) if isinstance(value, str) else None
        if not match or int(match[1]) > 12 or int(match[2]) > 12 or match[1] == match[2]:
            return False
        return bool(self.day_first) == bool(self.month_first)

    def _slashed(self, match: re.Match[str]) -> date | None:
        first, second, year = int(match[1]), int(match[2]), int(match[3])
        year += 2000 if year < 100 else 0
        day_first = first > 12 or (second <= 12 and self.day_first > self.month_first)
        day, month = (first, second) if day_first else (second, first)
        try:
            return date(year, month, day)
        except ValueError:
            return None


def find_person(text: str) -> tuple[Any, str]:
    """(person, "") by e-mail or name in any usual form; (None, who is nearest) when unknown."""
    people = list(get_user_model().objects.people())
    wanted = plain(text)
    for person in people:
        if (person.email or "").casefold() == text.strip().casefold():
            return person, ""
    turned = plain(" ".join(reversed(text.split(",", 1)))) if "," in text else wanted
    fitting = [p for p in people if wanted == plain(p.name) or turned == plain(p.name)]
    fitting = fitting or [p for p in people if _is_short_for(turned, plain(p.name))]
    if len(fitting) == 1:
        return fitting[0], ""
    names = {plain(p.name): p.name for p in people}
    near = difflib.get_close_matches(turned, names, 1, 0.6)
    return None, names[near[0]] if near else ""


def _is_short_for(short: str, name: str) -> bool:
    """Whether “c bouchard” or “bouchard” may stand for “claire bouchard”."""
    parts, words = short.split(), name.split()
    if not parts or not words or parts[-1] != words[-1]:
        return False
    return len(parts) == 1 or (len(parts[0]) == 1 and words[0].startswith(parts[0]))


_importers: dict[str, Importer] = {}


def register_importer(importer: Importer) -> Importer:
    """Make an importer known by its name."""
    _importers[importer.name] = importer
    return importer


def importers() -> dict[str, Importer]:
    return dict(_importers)
