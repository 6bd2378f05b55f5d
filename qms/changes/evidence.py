"""What changes give the pack, readiness and the management review (ISO 9001 6.3, 8.5.6, 9.3.2)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from qms import contributions
from qms.changes.models import Change
from qms.contributions import Line
from qms.periods import Period, day_of
from qms.proofs import Blocker, Proofs, as_it_was, counted, proves


def changes_of(period: Period) -> Any:
    """Changes planned in a period, or carried out or judged in it."""
    start, before = period.instants()
    days = (period.start, period.end)
    touched = Q(done_on__range=days) | Q(judged_on__range=days) | Q(approved_on__range=days)
    rows = Change.objects.filter(touched | Q(recorded_at__gte=start, recorded_at__lt=before))
    return rows.select_related("owner", "approved_by", "judged_by").order_by("number")


@contributions.evidence(
    folder="04-risks-objectives",
    title="Planned changes",
    clauses=("6.3",),
    template="changes/evidence/changes.html",
    order=60,
)
def change_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """Every change of the period with its purpose, consequences, approval and effect."""
    return {"changes": list(changes_of(period))}


@contributions.register(
    name="changes",
    title="Planned changes",
    columns=(
        "Number",
        "Change",
        "Purpose",
        "Consequences",
        "Integrity",
        "Resources",
        "Owner",
        "Begins",
        "Finished by",
        "Approved by",
        "Approved on",
        "Effectiveness decision",
        "State",
    ),
)
def change_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a change."""
    for each in Change.objects.select_related("owner", "approved_by").order_by("number"):
        yield (
            each.number,
            each.title,
            each.purpose,
            each.consequences,
            each.integrity,
            each.resources,
            each.owner.name,
            each.starts_on,
            each.due,
            each.approved_by.name if each.approved_by else "",
            each.approved_on,
            each.verdict,
            each.get_status_display(),
        )


@contributions.review_input(key="changes", title="Planned changes", order=70)
def changes_for_review(period: Period) -> list[Line]:
    """How changes went in this period and the one before; a line for the chairing person."""
    now, then = _counts(period), _counts(period.previous())
    if not any((*now, *then)):
        return []
    labels = ("Changes approved", "Changes done", "Changes that worked", "Changes that did not")
    return [
        Line(label, str(a), str(b), url="/changes/")
        for label, a, b in zip(labels, now, then, strict=True)
    ]


def _counts(period: Period) -> tuple[int, int, int, int]:
    days = (period.start, period.end)
    judged = Change.objects.filter(judged_on__range=days)
    return (
        Change.objects.filter(approved_on__range=days).count(),
        Change.objects.filter(done_on__range=days).count(),
        judged.filter(status="effective").count(),
        judged.filter(status="closed").count(),
    )


@proves("6.3")
def changes_prove(edition: str, as_of: datetime) -> Proofs:
    """Changes that were planned and approved, and those that are late."""
    rows = list(as_it_was(Change, as_of).exclude(status="cancelled").order_by("-number"))
    approved = [row for row in rows if row.approved_on is not None]
    return counted("changes planned", Change, approved, _named, _late(rows, day_of(as_of)))


def _named(row: Any) -> tuple[str, date | None]:
    return f"{row.number} {row.title}", row.approved_on


def _late(rows: list[Any], day: date) -> Iterable[Blocker]:
    for row in rows:
        waits = row.status in ("approved", "in_progress") and row.due < day
        unjudged = row.status == "done" and row.check_on < day
        if waits or unjudged:
            record = Change(pk=row.id)
            by = row.due if waits else row.check_on
            what = "was to be finished" if waits else "was to be judged"
            yield Blocker(
                f"{row.number} {row.title} {what} by {by:%-d %B %Y}.",
                record.get_absolute_url(),
                "Open",
                of=record,
            )
