"""Lists: columns, sorting by an allow-list, cheap counts, pages, and the export of what is shown.

Serves 7.5.3.2: documented information is found, retrieved and read, also outside this program.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from django.db.models import F, Model, QuerySet
from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.text import slugify

from qms.periods import zone

COUNT_CAP = 1000
# The last four are the wide forms that East Asian keyboards type.
SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
FORMULA_STARTS = (*SIGNS, "\uff1d", "\uff0b", "\uff0d", "\uff20")
Kind = Literal["text", "link", "number", "state", "due", "person", "date", "moment", "yes_no"]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Column:
    """One column of a list and of its export.

    `value` is a callable of the row or a path such as "process.owner" (the name when omitted);
    `sort` the ORM field it may be sorted by; `kind` how it is drawn; `settled` tells for a `due`
    column whether the row is finished, so that its date is no longer late. `beside` says that it
    shows what only the rows of a page are read with (`shown_with` of a list).
    """

    name: str
    label: str
    value: Callable[[Any], Any] | str | None = None
    sort: str | None = None
    kind: Kind = "text"
    numeric: bool = False
    export: bool = True
    shown: bool = True
    settled: Callable[[Any], bool] | None = None
    beside: bool = False

    def of(self, row: Any) -> Any:
        """The plain value of this column for a row; None where there is none."""
        source = self.value if self.value is not None else self.name
        if callable(source):
            return source(row)
        return follow(row, source)


def follow(row: Any, path: str) -> Any:
    """The value at the end of a path of attributes or keys; None as soon as one is missing."""
    found = row
    for part in path.split(".") if "." in path else (path,):
        if found is None:
            return None
        found = found.get(part) if isinstance(found, dict) else getattr(found, part)
        if callable(found) and not isinstance(found, type):
            found = found()
    return found


class Cell(NamedTuple):
    """A value in its column, with the row it belongs to; a page has hundreds."""

    column: Column
    value: Any
    row: Any

    @property
    def settled(self) -> bool:
        return bool(self.column.settled and self.column.settled(self.row))

    @property
    def is_empty(self) -> bool:
        return self.value in (None, "")


@dataclass(frozen=True)
class Heading:
    """A column's head: how it is sorted now, and what its link asks for."""

    column: Column
    direction: Literal["", "up", "down"]
    ask: str


@dataclass(frozen=True)
class ListPage:
    """One page of a list. `count_words` says how many rows there are, "1,000+" beyond the cap."""

    headings: list[Heading]
    rows: list[tuple[Any, str, list[Cell]]]
    number: int
    size: int
    count: int
    capped: bool
    has_next: bool
    sort: str
    numbers: list[int | None] = field(default_factory=list)

    @property
    def count_words(self) -> str:
        return f"{COUNT_CAP:,}+" if self.capped else f"{self.count:,}"

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return (self.number - 1) * self.size + len(self.rows)

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def several(self) -> bool:
        return self.has_next or self.has_previous


def sorted_by(
    queryset: QuerySet[Any], columns: Sequence[Column], asked: str, default: str
) -> tuple[QuerySet[Any], str]:
    """The queryset in the asked order when the columns allow it, else in the default one.

    Ties are broken by the primary key, so that no row is shown twice or never across pages.
    """
    allowed = {column.name: column.sort for column in columns if column.sort}
    if default.lstrip("-") not in allowed:
        raise ValueError(f"{default} is no sortable column; give that column a `sort`.")
    chosen = asked if asked.lstrip("-") in allowed and not asked.startswith("--") else default
    down = chosen.startswith("-")
    by = F(str(allowed[chosen.lstrip("-")]))
    order = by.desc(nulls_last=True) if down else by.asc(nulls_last=True)
    return queryset.order_by(order, "-pk" if down else "pk"), chosen


Rows = Callable[[Any], Any]


def as_they_are(rows: Any) -> Any:
    """Rows with nothing beside."""
    return rows


def page_of(
    queryset: QuerySet[Any],
    columns: Sequence[Column],
    *,
    number: int,
    size: int,
    sort: str,
    shown_with: Rows = as_they_are,
) -> ListPage:
    """Read one page in two queries, three beyond the end, which is the last known page.

    First the keys in their order, which also tells how many there are; then only the rows of the
    page with what they are `shown_with`, so that nothing is computed for rows passed over.
    """
    if any(column.beside and column.name == sort.lstrip("-") for column in columns):
        queryset, shown_with = shown_with(queryset), as_they_are
    ordered = queryset.values_list("pk", flat=True)
    start = (number - 1) * size
    # Behind the last row that is counted, what is there tells that there are more.
    wanted = list(ordered[start : start + size + 1]) if start + size > COUNT_CAP else []
    count = start + len(wanted)
    if not wanted:
        keys = list(ordered[: COUNT_CAP + 1])
        count = len(keys)
        if count <= COUNT_CAP:
            number = min(number, max(1, -(-count // size)))
        start = (number - 1) * size
        known = count <= COUNT_CAP or start + size <= COUNT_CAP
        wanted = keys[start : start + size + 1] if known else []
    capped = count > COUNT_CAP
    found = list(shown_with(queryset.filter(pk__in=wanted)))
    shown = [column for column in columns if column.shown]
    rows = [(each, _address(each), _cells(each, shown)) for each in found[:size]]
    headings = [_heading(column, sort) for column in shown]
    has_next = len(found) > size
    last = None if capped else max(1, -(-count // size))
    return ListPage(
        headings, rows, number, size, count, capped, has_next, sort, _numbers(number, last)
    )


def cells_of(rows: Iterable[Any], columns: Sequence[Column]) -> list[tuple[Any, str, list[Cell]]]:
    """Rows that are read already, each with its address and cells, for `{% list_rows %}`."""
    return [(row, _address(row), _cells(row, columns)) for row in rows]


def _cells(row: Any, columns: Sequence[Column]) -> list[Cell]:
    return [Cell(column, column.of(row), row) for column in columns]


def _address(row: Any) -> str:
    find = getattr(row, "get_absolute_url", None)
    return str(find()) if find else ""


def _heading(column: Column, sort: str) -> Heading:
    mine = sort.lstrip("-") == column.name
    if not mine:
        return Heading(column, "", column.name)
    down = sort.startswith("-")
    return Heading(column, "down" if down else "up", column.name if down else f"-{column.name}")


def _numbers(now: int, last: int | None) -> list[int | None]:
    """The page numbers to offer; None stands for a gap."""
    if last is None:
        return [each for each in range(now - 2, now + 1) if each >= 1]
    wanted = sorted({1, 2, now - 1, now, now + 1, last - 1, last} & set(range(1, last + 1)))
    offered: list[int | None] = []
    for before, each in zip([0, *wanted], wanted, strict=False):
        if each - before > 1:
            offered.append(None)
        offered.append(each)
    return offered


# --- export -------------------------------------------------------------------------------------


def export(
    queryset: QuerySet[Any] | Sequence[Any],
    columns: Sequence[Column],
    *,
    title: str,
    kind: str,
    today: date,
) -> HttpResponseBase:
    """The whole list (of a table, or of computed rows), in its order, as "csv" or "xlsx"."""
    chosen = [column for column in columns if column.export]
    name = f"{slugify(title) or 'list'}-{today.isoformat()}.{kind}"
    rows = _plain_rows(queryset, chosen)
    if kind == "xlsx":
        return FileResponse(
            _workbook(title, chosen, rows), as_attachment=True, filename=name, content_type=XLSX
        )
    response = StreamingHttpResponse(_csv(chosen, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _plain_rows(
    queryset: QuerySet[Any] | Sequence[Any], columns: Sequence[Column]
) -> Iterator[list[Any]]:
    rows = queryset.iterator(chunk_size=500) if isinstance(queryset, QuerySet) else queryset
    for row in rows:
        yield [plain(column, row) for column in columns]


def plain(column: Column, row: Any) -> str | int | float | Decimal | date | None:
    """A value as a file holds it: dates in the organisation's zone, choices and people in words."""
    value = column.of(row)
    if column.kind == "state" and isinstance(row, Model):
        return state_words(row, column.value if isinstance(column.value, str) else column.name)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if value is None or isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, datetime):
        return value.astimezone(zone()).replace(tzinfo=None, microsecond=0)
    return value if isinstance(value, date) else str(value)


def state_words(row: Any, name: str) -> str:
    """A choice in words, where the row knows them."""
    show = getattr(row, f"get_{name}_display", None)
    return str(show() if show else follow(row, name) or "")


def harmless(value: str) -> str:
    """Text that a spreadsheet reads as text: a leading formula sign gets an apostrophe."""
    return f"'{value}" if value.lstrip(" ").startswith(FORMULA_STARTS) else value


def _csv(columns: Sequence[Column], rows: Iterable[list[Any]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield "\ufeff"
    for row in [[column.label for column in columns]]:
        writer.writerow([harmless(each) for each in row])
    for row in rows:
        writer.writerow([_csv_value(each) for each in row])
        if buffer.tell() > 32_000:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _csv_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    return harmless(value) if isinstance(value, str) else value


def _workbook(title: str, columns: Sequence[Column], rows: Iterable[list[Any]]) -> Any:
    import xlsxwriter  # here, so that pages that export nothing do not pay for it

    target = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it)
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(target, options)
    sheet = book.add_worksheet(_sheet_name(title))
    head = book.add_format({"bold": True, "bottom": 1})
    formats: dict[type, Any] = {
        datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        date: book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    for at, column in enumerate(columns):
        sheet.set_column(at, at, 34 if column.kind in ("text", "link") else 16)
        sheet.write_string(0, at, column.label, head)
    sheet.freeze_panes(1, 0)
    last = 0
    for last, row in enumerate(rows, start=1):
        for at, value in enumerate(row):
            _write(sheet, last, at, value, formats)
    sheet.autofilter(0, 0, last, max(0, len(columns) - 1))
    book.close()
    target.seek(0)
    return target


def _write(sheet: Any, row: int, at: int, value: Any, formats: dict[type, Any]) -> None:
    if value is None:
        return
    if isinstance(value, date):
        sheet.write_datetime(row, at, value, formats[type(value)])
    elif isinstance(value, str):
        sheet.write_string(row, at, value[:32_767])
    else:
        sheet.write_number(row, at, value)


def _sheet_name(title: str) -> str:
    return "".join(" " if sign in "[]:*?/\\'" else sign for sign in title)[:31].strip() or "List"
