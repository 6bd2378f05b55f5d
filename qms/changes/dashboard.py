"""What the frame, the search, the calendar and other records get from changes (ISO 9001 6.3)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count

from qms import contributions
from qms.changes.models import Change, ChangeLink
from qms.contributions import Entry, Holding, Panel, Related, held
from qms.picking import owners_touching
from qms.scope.models import Process

contributions.navigation(
    "Plan",
    "Changes",
    "changes:change_list",
    icon="arrows-exchange",
    permission="changes.view_change",
    order=40,
)
contributions.create_entry(
    "Change",
    "changes:change_create",
    icon="arrows-exchange",
    permission="changes.add_change",
    order=72,
)


@contributions.calendar
def days_of_changes(person: Any, start: date, end: date) -> list[Entry]:
    """When changes are to be finished, and when their effect is looked at."""
    rows = Change.objects.visible_to(person).open().order_by("pk")
    found = []
    for each in rows.filter(due__range=(start, end)).exclude(status=Change.Status.DONE):
        found.append(Entry(each.due, f"Finish {each}", "Change", each.get_absolute_url()))
    for each in rows.filter(check_on__range=(start, end), status=Change.Status.DONE):
        found.append(Entry(each.check_on, f"Judge {each}", "Change", each.get_absolute_url()))
    return found


@contributions.relates(
    Process, "Changes", permission="changes.view_change", add="changes:change_create"
)
def changes_of_processes(ids: Iterable[int], person: Any) -> dict[int, list[Related]]:
    """The open changes that touch a process."""
    kind = ContentType.objects.get_for_model(Process)
    links = ChangeLink.objects.live().filter(record_type=kind, record_id__in=list(ids))
    pairs = list(links.values_list("record_id", "change_id"))
    rows = Change.objects.open().filter(pk__in=[change for _process, change in pairs])
    known = (rows.visible_to(person) if person else rows).in_bulk()
    found: dict[int, list[Related]] = {}
    for process, key in sorted(pairs):
        if (each := known.get(key)) is not None:
            found.setdefault(process, []).append(
                Related(
                    each.title,
                    each.number,
                    each.get_absolute_url(),
                    each.get_status_display(),
                    day=each.due,
                )
            )
    return found


@contributions.hand_over("Changes", order=38)
def changes_to_hand_over(person: Any) -> list[Holding]:
    """Changes somebody carries out that are not closed."""
    rows = Change.objects.open().filter(owner=person).order_by("pk")
    return held(rows, "owner", permission="changes.change_change")


@contributions.owns("Changes", permission="changes.view_change", order=37)
def changes_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many open changes each person carries out."""
    rows = Change.objects.open().filter(owner__in=list(ids))
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.record_panel
def changes_touching_it(record: Any, person: Any) -> Panel | None:
    """On every record: the open changes that touch it."""
    if not person.has_perm("changes.view_change") or isinstance(record, Process):
        return None  # the sheet of a process has them among what is related
    keys = owners_touching(record, ChangeLink)
    if not keys:
        return None
    found = list(Change.objects.visible_to(person).open().filter(pk__in=keys).order_by("pk"))
    return Panel("changes/panel.html", {"changes": found}, order=36) if found else None
