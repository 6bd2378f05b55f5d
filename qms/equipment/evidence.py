"""What measuring equipment gives the pack, readiness and the management review (7.1.5, 9.3.2)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse

from qms import contributions
from qms.contributions import Line
from qms.equipment.models import Calibration, Equipment, ImpactAssessment, Result
from qms.periods import Period, day_of, start_of
from qms.proofs import Blocker, Proofs, as_it_was, counted, proves


def _calibrated_in(period: Period) -> Any:
    return Calibration.objects.standing().filter(calibrated_on__range=(period.start, period.end))


def _impacts_of(period: Period) -> Any:
    """Assessments opened or decided in a period."""
    days = (period.start, period.end)
    rows = ImpactAssessment.objects.exclude(status="void")
    return rows.filter(Q(until__range=days) | Q(decided_on__range=days))


@contributions.evidence(
    folder="07-operation",
    title="Monitoring and measuring equipment",
    clauses=("7.1.5.1", "7.1.5.2"),
    template="equipment/evidence/equipment.html",
    order=20,
)
def equipment_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """The register at the end of the period, its calibrations, and what was in doubt."""
    at = min(as_of, start_of(period.end + timedelta(days=1)))
    rows = as_it_was(Equipment, at).exclude(status="retired")
    calibrations = _calibrated_in(period).filter(recorded_at__lte=as_of)
    impacts = _impacts_of(period).filter(recorded_at__lte=as_of)
    return {
        "equipment": list(rows.order_by("number")),
        "calibrations": list(
            calibrations.select_related("equipment", "calibrated_by").order_by(
                "calibrated_on", "pk"
            )
        ),
        "impacts": list(
            impacts.select_related("calibration__equipment", "decided_by").order_by("number")
        ),
    }


@contributions.register(
    name="measuring-equipment",
    title="Monitoring and measuring equipment",
    columns=(
        "Number",
        "Equipment",
        "Maker and type",
        "Serial number",
        "Measures",
        "Range",
        "Resolution",
        "Deviation accepted",
        "Unit",
        "Site",
        "Where it is",
        "Owner",
        "Every (months)",
        "Last calibrated",
        "Result",
        "Next calibration",
        "State",
    ),
)
def equipment_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row an instrument, retired ones too."""
    for each in Equipment.objects.select_related("owner", "site").order_by("number"):
        yield (
            each.number,
            each.name,
            each.maker,
            each.serial,
            each.measures,
            each.span,
            each.resolution,
            each.tolerance,
            each.unit,
            each.site.name if each.site else "",
            each.location,
            each.owner.name,
            each.every_months,
            each.last_on,
            each.get_last_result_display(),
            each.next_due,
            each.get_status_display(),
        )


@contributions.register(
    name="calibrations",
    title="Calibrations",
    columns=(
        "Number",
        "Equipment",
        "Day",
        "By",
        "Reference",
        "As found",
        "As left",
        "Accepted",
        "Unit",
        "Result",
        "Next due",
        "State",
    ),
)
def calibration_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """Every calibration made by the end of the period, the void ones too."""
    rows = Calibration.objects.filter(calibrated_on__lte=period.end, recorded_at__lte=as_of)
    for each in rows.select_related("equipment", "calibrated_by").order_by("number"):
        yield (
            each.number,
            f"{each.equipment.number} {each.equipment.name}",
            each.calibrated_on,
            each.done_by,
            each.reference,
            each.as_found,
            each.as_left,
            each.tolerance,
            each.unit,
            each.get_result_display(),
            each.next_due,
            each.get_status_display(),
        )


# The management review


@contributions.review_input(key="c5", title="Measuring equipment", order=30)
def equipment_for_review(period: Period) -> list[Line]:
    """Calibrations of this period and the one before, and what they put in doubt."""
    now, then = _figures(period), _figures(period.previous())
    if not any((*now.values(), *then.values())):
        return []
    url = reverse("equipment:equipment_list")
    return [Line(label, str(now[label] or ""), str(then[label] or ""), url=url) for label in now]


def _figures(period: Period) -> dict[str, int]:
    made = _calibrated_in(period)
    return {
        "Calibrations": made.count(),
        "Calibrations failed": made.filter(result=Result.FAIL).count(),
        "Results found not to hold": _impacts_of(period).filter(status="not_valid").count(),
    }


# Readiness


@proves()
def equipment_proves(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """Instruments that were looked after, and their calibrations, with what was in the way."""
    day = day_of(as_of)
    rows = list(as_it_was(Equipment, as_of).exclude(status="retired").order_by("number"))
    made = list(
        as_it_was(Calibration, as_of).filter(status="recorded").order_by("-calibrated_on", "-id")
    )
    if not rows and not made:
        return {}
    late = [_late(row) for row in rows if _is_late(row, day)]
    fit = [row for row in rows if row.status == "in_use"]
    return {
        "7.1.5.1": counted(
            "instruments looked after",
            Equipment,
            fit,
            lambda row: (f"{row.number} {row.name}", row.last_on),
            late,
            shows=("retain",),
        ),
        "7.1.5.2": counted(
            "calibrations",
            Calibration,
            made,
            lambda row: (f"{row.number}: {Result(row.result).label.lower()}", row.calibrated_on),
            [*late, *_undecided(as_of, day)],
            shows=("retain",),
        ),
    }


def _is_late(row: Any, day: date) -> bool:
    """Overdue; what failed is known to be out of use and waits for its repair."""
    return row.next_due is not None and row.next_due < day and row.last_result != Result.FAIL


def _late(row: Any) -> Blocker:
    record = Equipment(pk=row.id)
    return Blocker(
        f"{row.number} {row.name} was to be calibrated by {row.next_due:%-d %B %Y}.",
        record.get_absolute_url(),
        "Open",
        of=record,
    )


def _undecided(as_of: datetime, day: date) -> Iterable[Blocker]:
    for row in as_it_was(ImpactAssessment, as_of).filter(status="open", due__lt=day):
        record = ImpactAssessment(pk=row.id)
        yield Blocker(
            f"{row.number} was to be decided by {row.due:%-d %B %Y}: earlier results are in doubt.",
            record.get_absolute_url(),
            "Decide",
            of=record,
        )
