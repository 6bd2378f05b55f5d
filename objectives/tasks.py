"""What a worker does for objectives: computes readings by the clock, reads and writes sheets."""

import json
from datetime import timedelta

from celery import shared_task
from django.db import transaction as db

from objectives import sheets
from objectives.cells import MOST_ROWS
from objectives.models import Indicator, Measurement, ReadingSheet
from objectives.workflow.computing import compute_due
from objectives.workflow.readings import CameBy, reading_of, tell_work
from objectives.workflow.sheets import (
    READ,
    WRITE,
    fail,
    finish,
    has_been_read,
    note_rows,
    tell,
)
from qms import isolated
from qms.files.workflow import attachments_of, content_of
from qms.outbox.models import Effect
from qms.outbox.workflow import effect, renew
from qms.people.models import Person
from qms.periods import today
from qms.records import insert_together
from qms.refusals import Refused

LEASE = timedelta(minutes=20)  # a hundred thousand rows are written well within
AT_ONCE = 1000  # rows of one statement
SHOWN = 500  # problems that are kept in words
SECONDS = 90  # to take a foreign sheet apart


@shared_task(name="objectives.compute", ignore_result=True)
def compute() -> int:
    """Every reading that follows from our own records and whose period has ended."""
    return compute_due(today())


def gave_up(dead: Effect) -> None:
    """Every try went wrong: the import says so instead of waiting for ever."""
    sheet = ReadingSheet.objects.filter(pk=dead.payload["sheet"]).first()
    if sheet is not None:
        _end(sheet, "Something went wrong; the administrator sees what in the outbox.")


@effect(READ, outside=True, lease=LEASE, died=gave_up, words="Reading a sheet")
def read_sheet(leased: Effect) -> None:
    """Take the sheet apart and check every row; writes no reading."""
    sheet = ReadingSheet.objects.get(pk=leased.payload["sheet"])
    if sheet.status != ReadingSheet.Status.READING:
        return
    try:
        found = _checked(sheet, _rows(sheet), leased)
    except Refused as refusal:
        _end(sheet, str(refusal))
        return
    tell(
        sheet,
        done=found.total,
        total=found.total,
        message="Read.",
        good=len(found.good),
        bad=found.bad_rows,
        known=found.known,
        columns=found.columns,
        problems=[str(each) for each in found.problems[:SHOWN]],
        problem_count=len(found.problems),
        sample=_sample(found.good),
    )
    if _is(sheet, ReadingSheet.Status.READING):
        has_been_read(sheet, by=Person.objects.system())


@effect(WRITE, outside=True, lease=LEASE, died=gave_up, words="Importing a sheet")
def write_sheet(leased: Effect) -> None:
    """Write every good row in one transaction; who cancels meanwhile takes all of it back."""
    sheet = ReadingSheet.objects.select_related("created_by").get(pk=leased.payload["sheet"])
    if sheet.status != ReadingSheet.Status.WRITING:
        return
    try:
        _write(sheet, leased)
    except _Stopped:
        tell(sheet, message="Cancelled; nothing was kept.")
    except Refused as refusal:
        _end(sheet, str(refusal))


class _Stopped(Exception):
    """Somebody cancelled the import."""


def _write(sheet: ReadingSheet, leased: Effect) -> None:
    rows = _rows(sheet)
    with db.atomic():
        _hold_indicators(sheets.indicators_in(rows, sheet.indicator))
        # Again: what was entered meanwhile counts, and stays.
        found = _checked(sheet, rows, leased, words="Checking once more")
        done, total = 0, len(found.good)
        for part in sheets.chunks(found.good, AT_ONCE):
            insert_together([_reading(sheet, each) for each in part])
            done += len(part)
            note_rows(sheet, done, total)
            if not _is(sheet, ReadingSheet.Status.WRITING):
                raise _Stopped
        tell_work({each.indicator.pk: each.indicator for each in found.good}.values())
        tell(sheet, message="Imported.")
        finish(
            sheet,
            by=Person.objects.system(),
            written=total,
            left_out=found.bad_rows + found.known,
        )


def _reading(sheet: ReadingSheet, row: sheets.Good) -> Measurement:
    reading = reading_of(
        row.indicator,
        row.day,
        row.figure,
        by=sheet.created_by,
        note=row.note,
        came_by=CameBy.SHEET,
    )
    reading.comes_together = True
    return reading


def _hold_indicators(keys: set[int]) -> None:
    """No reading of these comes or goes meanwhile; always in one order."""
    rows = Indicator.objects.filter(pk__in=keys).order_by("pk")
    list(rows.select_for_update().values_list("pk", flat=True))


def _checked(
    sheet: ReadingSheet, rows: list[list[str]], leased: Effect, words: str = "Reading"
) -> sheets.Checked:
    def going_on(done: int, total: int) -> None:
        note_rows(sheet, done, total)
        if not db.get_connection().in_atomic_block:
            tell(sheet, done=done, total=total, message=f"{words} row {done:,} of {total:,}.")
            renew(leased)

    by = Person.objects.get(pk=sheet.created_by_id)
    return sheets.check(rows, by=by, indicator=sheet.indicator, tell=going_on)


def _rows(sheet: ReadingSheet) -> list[list[str]]:
    attached = attachments_of(sheet).first()
    if attached is None:
        raise Refused("The sheet is no longer there. Bring it again.")
    try:
        _, content = isolated.call(
            "objectives.cells:cells_of", content_of(attached), seconds=SECONDS
        )
    except isolated.Ended:
        raise Refused(
            f"The sheet cannot be read. Save it as CSV, with at most {MOST_ROWS:,} rows."
        ) from None
    rows: list[list[str]] = json.loads(content)
    return rows


def _sample(good: list[sheets.Good]) -> list[list[str]]:
    """The first rows as they would be kept, for people to see that it was understood."""
    return [
        [
            str(each.row),
            f"{each.indicator.number} {each.indicator.title}",
            f"{each.day:%-d %B %Y}",
            f"{each.figure.value.normalize():f} {each.indicator.unit}",
            each.note,
        ]
        for each in good[:10]
    ]


def _is(sheet: ReadingSheet, status: str) -> bool:
    """Whether the import still stands so; asked of the database, where others commit."""
    return ReadingSheet.objects.filter(pk=sheet.pk, status=status).exists()


def _end(sheet: ReadingSheet, why: str) -> None:
    sheet.refresh_from_db()
    if sheet.is_under_way:
        fail(sheet, by=Person.objects.system(), why=why)
        tell(sheet, message="It could not be imported.")
