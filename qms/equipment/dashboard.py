"""What the frame, the search and the calendar get from measuring equipment (ISO 9001 7.1.5)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Count

from qms import contributions
from qms.contributions import Entry, Related
from qms.equipment.models import Equipment, ImpactAssessment
from qms.periods import today

contributions.navigation(
    "Do",
    "Measuring equipment",
    "equipment:equipment_list",
    icon="ruler-measure",
    permission="equipment.view_equipment",
    order=62,
)


@contributions.calendar
def days_of_equipment(person: Any, start: date, end: date) -> list[Entry]:
    """When instruments are calibrated again, and impact assessments decided."""
    rows = Equipment.objects.visible_to(person).open().due_between(start, end)
    found = [
        Entry(each.next_due, f"Calibrate {each}", "Equipment", each.get_absolute_url())
        for each in rows.order_by("pk")
    ]
    impacts = ImpactAssessment.objects.visible_to(person).open().filter(due__range=(start, end))
    for each in impacts.select_related("calibration__equipment").order_by("pk"):
        found.append(
            Entry(each.due, f"Decide {each}", "Impact assessment", each.get_absolute_url(), "soon")
        )
    return found


@contributions.owns("Measuring equipment", permission="equipment.view_equipment", order=42)
def equipment_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many instruments each person answers for."""
    rows = Equipment.objects.open().filter(owner__in=list(ids))
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.mine("Measuring equipment I answer for", order=72)
def my_equipment(person: Any) -> list[Related]:
    """The next to be calibrated first."""
    day = today()
    rows = Equipment.objects.visible_to(person).open().filter(owner=person)
    return [
        Related(
            each.name,
            each.number,
            each.get_absolute_url(),
            each.get_status_display(),
            "late" if each.why_not_fit(day) else "plain",
            day=each.next_due,
        )
        for each in rows.order_by("next_due", "pk")[:20]
    ]
