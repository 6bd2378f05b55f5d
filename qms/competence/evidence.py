"""What the evidence pack and readiness get from competence and trainings (ISO 9001 7.2, 5.3)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from qms import contributions, proofs
from qms.competence.matrix import matrix
from qms.competence.models import CompetenceRecord, Training
from qms.periods import Period, day_of, today
from qms.proofs import Blocker, Proofs, as_it_was


@contributions.register(
    name="competence",
    title="Findings about competence",
    columns=("Who", "Competence", "Level", "How", "Assessed by", "On", "Holds until", "State"),
)
def competence_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """Every finding made by the end of the period, the void ones too."""
    rows = CompetenceRecord.objects.filter(assessed_on__lte=period.end, recorded_at__lte=as_of)
    rows = rows.select_related("person", "competence", "assessed_by")
    for each in rows.order_by("person__name", "competence__name", "assessed_on", "pk"):
        yield (
            each.person.name,
            each.competence.name,
            each.get_level_display(),
            each.get_method_display(),
            each.assessed_by.name,
            each.assessed_on,
            each.valid_until,
            each.get_status_display(),
        )


@contributions.register(
    name="trainings",
    title="Trainings and how they worked",
    columns=("Number", "Training", "Towards", "Planned on", "Held on", "State", "How it worked"),
)
def training_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """Trainings planned by the end of the period."""
    rows = Training.objects.filter(planned_on__lte=period.end, recorded_at__lte=as_of)
    for each in rows.select_related("competence").order_by("number"):
        yield (
            each.number,
            each.title,
            each.competence.name if each.competence else "",
            each.planned_on,
            each.done_on,
            each.get_status_display(),
            each.result,
        )


@proofs.proves("7.2")
def competence_proofs(edition: str, as_of: datetime) -> Proofs:
    """Findings that stood then; what is asked for and missing is named for today only."""
    rows = list(as_it_was(CompetenceRecord, as_of).filter(status="recorded").order_by("-id"))
    blockers: list[Blocker] = []
    if day_of(as_of) >= today():
        blockers = [
            Blocker(
                f"{cell.person.name} lacks “{cell.competence.name}”: {cell.words}.",
                cell.competence.get_absolute_url(),
                of=cell.competence,
            )
            for cell in matrix(today()).gaps[:10]
        ]
    return proofs.counted(
        "findings about competence",
        CompetenceRecord,
        rows,
        lambda row: (f"Competence assessed at level {row.level}", row.assessed_on),
        blockers,
        shows=("retain",),
    )
