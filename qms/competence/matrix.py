"""The matrix people x competences: who needs what, who has it, what ends soon (ISO 9001 7.2).

Computed from a fixed number of queries, however many people and competences there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from qms.competence.models import Competence, CompetenceRecord, CompetenceRequirement
from qms.people.models import Person, RoleAssignment
from qms.people.roles import EMPLOYEE

SOON_DAYS = 60
Tone = Literal["fine", "soon", "late", "plain", "none"]


@dataclass(frozen=True)
class Cell:
    """One person and one competence: what is asked for, what was found, and how it stands."""

    person: Person
    competence: Competence
    asked: int
    record: CompetenceRecord | None
    tone: Tone
    words: str

    @property
    def is_gap(self) -> bool:
        return self.tone == "late"


@dataclass(frozen=True)
class Line:
    """One person's cells, in the order of the competences."""

    person: Person
    cells: list[Cell]

    @property
    def gaps(self) -> int:
        return sum(cell.is_gap for cell in self.cells)


@dataclass(frozen=True)
class Matrix:
    """People, competences, and the cells between them."""

    competences: list[Competence]
    lines: list[Line]

    @property
    def gaps(self) -> list[Cell]:
        return [cell for line in self.lines for cell in line.cells if cell.is_gap]

    @property
    def ending(self) -> list[Cell]:
        """What ends soon, the earliest first."""
        found = [cell for line in self.lines for cell in line.cells if cell.tone == "soon"]
        return sorted(found, key=lambda cell: (cell.record.valid_until, cell.person.name))  # type: ignore[union-attr]


def matrix(day: date, people: Iterable[Person] | None = None) -> Matrix:
    """Everybody active (or `people`) against every competence in use, as of a day."""
    known = list(Person.objects.people().filter(access_until=None) if people is None else people)
    competences = list(
        Competence.objects.filter(status=Competence.Status.IN_USE).order_by("name", "pk")
    )
    roles = _roles_of(known)
    asked = _asked()
    latest = {
        (each.person_id, each.competence_id): each
        for each in CompetenceRecord.objects.newest(day).of(known)
    }
    lines = []
    for person in known:
        job = person.job_title.strip().lower()
        cells = [
            cell_of(
                person,
                competence,
                max(
                    [asked.get((competence.pk, role, ""), 0) for role in roles[person.pk]]
                    + [asked.get((competence.pk, "", job), 0) if job else 0]
                ),
                latest.get((person.pk, competence.pk)),
                day,
            )
            for competence in competences
        ]
        lines.append(Line(person, cells))
    return Matrix(competences, lines)


def _roles_of(people: list[Person]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {each.pk: {EMPLOYEE.name} for each in people}
    held = RoleAssignment.objects.filter(person__in=people, status=RoleAssignment.Status.HELD)
    for person, role in held.values_list("person_id", "role"):
        found[person].add(role)
    return found


def _asked() -> dict[tuple[int, str, str], int]:
    """(competence, role, job title) → level asked for."""
    rows = CompetenceRequirement.objects.filter(status=CompetenceRequirement.Status.IN_FORCE)
    return {
        (each.competence_id, each.role, each.job_title.strip().lower()): each.level for each in rows
    }


def cell_of(
    person: Person,
    competence: Competence,
    asked: int,
    record: CompetenceRecord | None,
    day: date,
) -> Cell:
    """How one finding stands against what is asked for on a day."""
    tone, words = _standing(asked, record, day)
    return Cell(person, competence, asked, record, tone, words)


def _standing(asked: int, record: CompetenceRecord | None, day: date) -> tuple[Tone, str]:
    if record is None:
        return ("late", "not assessed") if asked else ("none", "")
    until = record.valid_until
    if until and until < day:
        return ("late" if asked else "plain"), f"ended {until:%-d %b %Y}"
    if record.level < asked:
        return "late", f"level {record.level} of {asked}"
    if until and (until - day).days <= SOON_DAYS:
        return "soon", f"level {record.level}, ends {until:%-d %b %Y}"
    return ("fine" if asked else "plain"), f"level {record.level}"
