"""An import of readings: brought, read by a worker, accepted by a person, written as a whole."""

from collections.abc import Mapping
from typing import Any

from django.core.cache import cache

from objectives.models import Indicator, ReadingSheet, SheetProgress
from qms import clock
from qms.files.workflow import attach, guards_attaching
from qms.outbox import workflow as outbox
from qms.people.models import Person
from qms.refusals import Refused
from qms.workflow import creates, transition

Status = ReadingSheet.Status
READ, WRITE = "objectives.read_sheet", "objectives.write_sheet"


# Guards


def only_who_brought_it(sheet: ReadingSheet, by: Any) -> str | None:
    """What is imported is entered in the name of who brought it."""
    if by.pk == sheet.created_by_id or by.holds("quality_manager"):
        return None
    return "Only who brought the sheet or the quality manager decides about it."


def only_who_accepts(sheet: ReadingSheet, by: Any) -> str | None:
    """The rows were checked for who brought them: for what they answer for."""
    if by.pk == sheet.created_by_id:
        return None
    return "Only who brought the sheet accepts it; it is entered in their name."


def something_can_be_kept(sheet: ReadingSheet, by: Any) -> str | None:
    if SheetProgress.objects.filter(sheet=sheet, good__gt=0).exists():
        return None
    return "No row of the sheet can be kept. Mend it, and bring it again."


@guards_attaching(ReadingSheet)
def holds_its_sheet(sheet: ReadingSheet, by: Any) -> str | None:
    """What was read is what is attached."""
    if sheet.progress_or_none() is None:
        return None
    return "An import holds the one sheet it was read from. Bring another sheet instead."


# Factory


@creates(ReadingSheet, permission="objectives.import_measurement")
def bring_sheet(*, by: Person, sheet: Any, indicator: Indicator | None = None) -> ReadingSheet:
    """Bring a CSV or Excel sheet; it is read, and shown with every problem before it is kept."""
    if indicator is not None and indicator.is_computed:
        raise Refused("It is computed from our own records; nothing is imported for it.")
    name = str(getattr(sheet, "name", "") or "sheet")
    if not name.casefold().endswith((".csv", ".xlsx", ".txt", ".tsv")):
        raise Refused("Bring a sheet as .xlsx or .csv; save others as one of these.", field="sheet")
    made = ReadingSheet(indicator=indicator, name=name[-200:], created_by=by)
    made.save()
    attach(made, sheet, by=by)
    SheetProgress.objects.create(sheet=made, message="Waiting for a worker.")
    outbox.add(READ, f"sheet-read:{made.pk}", sheet=made.pk)
    return made


# Transitions


@transition(
    ReadingSheet,
    source=Status.READING,
    target=Status.CHECKED,
    permission="objectives.read_sheet",
    label="Read",
)
def has_been_read(sheet: ReadingSheet, *, by: Any) -> None:
    """The worker has read every row."""


def ask_to_write(sheet: ReadingSheet, by: Any) -> None:
    """Ask a worker to write the good rows."""
    message = "Waiting for a worker."
    SheetProgress.objects.filter(sheet=sheet).update(done=0, message=message)
    outbox.add(WRITE, f"sheet-write:{sheet.pk}", sheet=sheet.pk)


@transition(
    ReadingSheet,
    source=Status.CHECKED,
    target=Status.WRITING,
    permission="objectives.import_measurement",
    only=only_who_accepts,
    guards=[something_can_be_kept],
    label="Import the good rows",
    then=ask_to_write,
)
def accept(sheet: ReadingSheet, *, by: Any) -> None:
    """Keep the good rows, all of them or none; rows with problems are left out."""


@transition(
    ReadingSheet,
    source=Status.WRITING,
    target=Status.DONE,
    permission="objectives.read_sheet",
    label="Finish",
)
def finish(sheet: ReadingSheet, *, by: Any, written: int, left_out: int) -> None:
    """Every good row is kept."""
    sheet.written, sheet.left_out = written, left_out


@transition(
    ReadingSheet,
    source=ReadingSheet.UNDER_WAY,
    target=Status.FAILED,
    permission="objectives.read_sheet",
    label="Fail",
    primary=False,
)
def fail(sheet: ReadingSheet, *, by: Any, why: str) -> None:
    """The sheet could not be imported; nothing of it is kept."""
    sheet.failure = why[:2000]


@transition(
    ReadingSheet,
    source=(*ReadingSheet.UNDER_WAY, Status.CHECKED),
    target=Status.CANCELLED,
    permission="objectives.import_measurement",
    only=only_who_brought_it,
    primary=False,
)
def cancel(sheet: ReadingSheet, *, by: Any) -> None:
    """Stop it. Nothing of it is kept."""


def tell(sheet: ReadingSheet, **values: Any) -> None:
    """Say how far it is; outside the history, and lost without harm."""
    known: Mapping[str, Any] = values | {"updated_at": clock.now()}
    SheetProgress.objects.filter(sheet=sheet).update(**known)


def note_rows(sheet: ReadingSheet, done: int, total: int) -> None:
    """How many rows are done; seen by others also while nothing is committed yet."""
    cache.set(f"sheet:{sheet.pk}", (done, total), timeout=3600)


def rows_done(sheet: ReadingSheet) -> tuple[int, int]:
    """(rows done, rows in all) of what runs now."""
    found: tuple[int, int] = cache.get(f"sheet:{sheet.pk}", (0, 0))
    return found
