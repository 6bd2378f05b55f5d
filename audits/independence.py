"""Independence of auditors, computed from what they own, do and wrote (ISO 9001 9.2.2, ISO 19011).

A hard block by default; an exception needs a reason, a mitigation and somebody else's approval.
"""

from datetime import date
from itertools import pairwise
from typing import Any

from capa.models import Nonconformity
from documents.models import Revision
from qms.periods import add_months
from qms.scope.models import Process, ProcessDeputy, ProcessMember

LOOK_BACK_MONTHS = 24


def objections(person: Any, process: Process, on: date) -> list[str]:
    """What stands against this person auditing this process on a day: sentences, none if free."""
    since = add_months(on, -LOOK_BACK_MONTHS)
    name = person.name
    said = []
    if process.owner_id == person.pk:
        said.append(f"{name} owns the process.")
    if ProcessMember.objects.live().filter(process=process, person=person).exists():
        said.append(f"{name} works in the process.")
    if ProcessDeputy.objects.live().filter(process=process, person=person).exists():
        said.append(f"{name} stands in for the owner of the process.")
    if owned_until := _owned_since(person, process, since):
        said.append(f"{name} owned the process until {owned_until:%-d %B %Y}.")
    numbers = (
        Revision.objects.filter(
            document__process=process, created_by=person, recorded_at__date__gte=since
        )
        .exclude(status="void")
        .values_list("document__number", flat=True)
        .distinct()
    )
    if wrote := sorted(numbers):
        said.append(f"{name} wrote {', '.join(wrote[:3])} of the process.")
    answered = Nonconformity.objects.filter(
        process=process, owner=person, detected_on__gte=since
    ).exclude(status="void")
    if found := list(answered.order_by("-pk").values_list("number", flat=True)[:3]):
        said.append(f"{name} answers {', '.join(found)} of the process.")
    return said


def _owned_since(person: Any, process: Process, since: date) -> date | None:
    """The last day in the look-back on which the person still owned the process before."""
    if process.owner_id == person.pk:
        return None
    rows = list(process.history.order_by("history_id").values_list("owner_id", "history_date"))
    ends = [
        until.date()
        for (owner, _), (_next, until) in pairwise(rows)
        if owner == person.pk and _next != person.pk
    ]
    return ends[-1] if ends and ends[-1] >= since else None
