"""Process × clause × year: what audits looked at, what is planned, what nobody looks at (9.2)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from audits.models import Audit, AuditProgramme, Finding
from audits.planning import applicable_clauses, looks_of
from audits.programme import Hole, HoleKind
from qms import clauses
from qms.clauses import ClauseRef
from qms.periods import Period, day_of, today
from qms.scope.models import Process

DONE, PLANNED, MISSING = "done", "planned", "missing"
SIGNS = {DONE: "●", PLANNED: "○", MISSING: "–"}
WORDS = {DONE: "audited", PLANNED: "planned", MISSING: "not planned", "": ""}


@dataclass(frozen=True)
class Cell:
    """One clause in one process: audited, planned, missing where the process serves the clause."""

    state: str = ""
    done: int = 0
    planned: int = 0
    findings: int = 0
    audit: int | None = None

    @property
    def sign(self) -> str:
        return SIGNS.get(self.state, "")

    @property
    def words(self) -> str:
        told = WORDS[self.state]
        if self.findings:
            told += f", {self.findings} nonconformit{'ies' if self.findings > 1 else 'y'}"
        return told


@dataclass(frozen=True)
class Line:
    """A clause with a cell for each process."""

    ref: ClauseRef
    title: str
    cells: tuple[Cell, ...]

    @property
    def is_seen(self) -> bool:
        return any(cell.state in {DONE, PLANNED} for cell in self.cells)


@dataclass(frozen=True)
class Matrix:
    """The coverage of a period: lines of clauses, columns of processes, and what is missing."""

    period: Period
    processes: tuple[Process, ...]
    lines: tuple[Line, ...]
    holes: tuple[Hole, ...]


@dataclass(frozen=True)
class Row:
    """One cell as a row of a file."""

    clause: str
    title: str
    process: str
    state: str
    planned: int
    done: int
    findings: int


def matrix(programme: AuditProgramme, person: Any, period: Period | None = None) -> Matrix:
    """The coverage of the whole programme or of one of its years, as a person may see it."""
    period = period or programme.period
    processes = tuple(Process.objects.active().visible_to(person).order_by("code", "pk"))
    asked = applicable_clauses(programme.edition)
    titles = _titles(programme.edition)
    below = _below(asked)
    found = _counted(programme, person, period, below)
    lines = []
    for ref in asked:
        cells = tuple(
            _cell(found, ref, process, wants=ref in _served(process, below))
            for process in processes
        )
        lines.append(Line(ref, titles[ref], cells))
    return Matrix(period, processes, tuple(lines), tuple(_holes(lines, processes, period)))


def _titles(edition: str) -> dict[ClauseRef, str]:
    """The titles of clauses; one that is only "General" says what of."""
    every = {each.ref: each for each in clauses.clauses(edition)}
    return {
        ref: f"{every[each.parent].title}: {each.title.lower()}"
        if each.title == "General" and each.parent in every
        else each.title
        for ref, each in every.items()
    }


def _below(asked: Sequence[ClauseRef]) -> dict[str, list[ClauseRef]]:
    """For each clause and each clause above it, the asked ones it stands for."""
    found: dict[str, list[ClauseRef]] = {}
    for ref in asked:
        for length in range(1, len(ref.parts) + 1):
            above = ".".join(str(part) for part in ref.parts[:length])
            found.setdefault(f"{ref.edition}:{above}", []).append(ref)
    return found


def _served(process: Process, below: dict[str, list[ClauseRef]]) -> set[ClauseRef]:
    return {ref for key in process.clauses for ref in below.get(key, ())}


Counted = dict[tuple[ClauseRef, int], Counter[str]]


def _counted(
    programme: AuditProgramme, person: Any, period: Period, below: dict[str, list[ClauseRef]]
) -> Counted:
    found: Counted = {}
    for audit, day, looked_at in looks_of(programme, today()):
        if day not in period:
            continue
        kind = PLANNED if audit.conducted_on is None else DONE
        for ref in {ref for other in looked_at for ref in below.get(other.key, ())}:
            counter = found.setdefault((ref, audit.process_id or 0), Counter())
            counter[kind] += 1
            counter["audit"] = audit.pk
    findings = Finding.objects.visible_to(person).released().nonconformities()
    findings = findings.filter(audit__kind=Audit.Kind.INTERNAL)
    rows = findings.filter(audit__conducted_on__range=(period.start, period.end))
    for key, process in rows.values_list("clause", "audit__process_id"):
        for ref in below.get(key, ()):
            if (ref, process) in found:
                found[ref, process]["findings"] += 1
    return found


def _cell(found: Counted, ref: ClauseRef, process: Process, *, wants: bool) -> Cell:
    counter = found.get((ref, process.pk))
    if counter is None:
        return Cell(MISSING if wants else "")
    return Cell(
        DONE if counter[DONE] else PLANNED,
        counter[DONE],
        counter[PLANNED],
        counter["findings"],
        counter["audit"],
    )


def _holes(lines: Sequence[Line], processes: Sequence[Process], period: Period) -> Iterator[Hole]:
    """Clauses nobody looks at, and processes without an audit, within the period shown."""
    span = f"{period.start:%-d %B %Y} and {period.end:%-d %B %Y}"
    for at, process in enumerate(processes):
        if min(day_of(process.recorded_at), today()) > period.end:
            continue  # it was not there yet
        if not any(line.cells[at].state in {DONE, PLANNED} for line in lines):
            said = f"{process.name} has no audit between {span}."
            yield Hole(HoleKind.YEAR, process.pk, said, period)
    for line in lines:
        if not line.is_seen:
            said = f"Clause {line.ref.number}, {line.title}, is not audited between {span}."
            yield Hole(HoleKind.CLAUSE, None, said, period)


def rows_of(found: Matrix) -> list[Row]:
    """The matrix as rows for a file, without the empty cells."""
    return [
        Row(
            line.ref.number,
            line.title,
            process.name,
            WORDS[cell.state],
            cell.planned,
            cell.done,
            cell.findings,
        )
        for line in found.lines
        for process, cell in zip(found.processes, line.cells, strict=True)
        if cell.state
    ]
