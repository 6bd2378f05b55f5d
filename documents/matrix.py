"""The matrix people x documents: who has read what, what is open, what is late (ISO 9001 7.3).

Computed from a fixed number of questions, however many people and documents there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from documents.models import Document, ReadingTask
from documents.workflow import asked_revisions, readers_wanted
from qms.people.models import Person

Tone = Literal["fine", "soon", "late", "none"]


@dataclass(frozen=True)
class Cell:
    """One person and one document: how it stands, and the task behind it."""

    tone: Tone
    words: str
    url: str = ""


@dataclass(frozen=True)
class Line:
    """One person's cells, in the order of the documents."""

    person: Person
    cells: list[Cell]

    def count(self, tone: Tone) -> int:
        return sum(cell.tone == tone for cell in self.cells)

    @property
    def read(self) -> int:
        return self.count("fine")

    @property
    def open(self) -> int:
        return self.count("soon")

    @property
    def overdue(self) -> int:
        return self.count("late")


@dataclass(frozen=True)
class Matrix:
    """People, documents with the revision asked for, and the cells between them."""

    documents: list[tuple[Document, str]]
    lines: list[Line]

    def count(self, tone: Tone) -> int:
        return sum(line.count(tone) for line in self.lines)

    @property
    def read(self) -> int:
        return self.count("fine")

    @property
    def open(self) -> int:
        return self.count("soon")

    @property
    def overdue(self) -> int:
        return self.count("late")


NOT_ASKED = Cell("none", "")


def reading_matrix(day: date, documents: Any, people: Iterable[Person], viewer: Any) -> Matrix:
    """Everybody of `people` against those of `documents` that somebody is asked to read."""
    known = list(documents.order_by("number"))
    wanted = readers_wanted([each.pk for each in known])
    asked = asked_revisions({document for document, _person in wanted})
    shown = [each for each in known if each.pk in asked]
    cells = _cells(day, [revision.pk for revision in asked.values()], viewer)
    lines = [
        Line(person, [cells.get((person.pk, each.pk), NOT_ASKED) for each in shown])
        for person in people
    ]
    return Matrix([(each, asked[each.pk].label) for each in shown], lines)


def _cells(day: date, revisions: list[int], viewer: Any) -> dict[tuple[int, int], Cell]:
    rows = ReadingTask.objects.visible_to(viewer).filter(revision__in=revisions)
    told = rows.values_list("pk", "person_id", "document_id", "status", "due", "acknowledged_on")
    return {
        (person, document): _cell(day, key, status, due, read)
        for key, person, document, status, due, read in told
        if status in ("open", "acknowledged")
    }


def _cell(day: date, key: int, status: str, due: date, read: date | None) -> Cell:
    url = f"/documents/reading/{key}/"
    if status == ReadingTask.Status.ACKNOWLEDGED:
        return Cell("fine", f"{read:%-d %b %Y}", url)
    if due < day:
        return Cell("late", f"overdue since {due:%-d %b}", url)
    return Cell("soon", f"until {due:%-d %b}", url)
