"""What the frame, the search, the calendar and other records get from external providers (8.4)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Count

from qms import contributions
from qms.contributions import Entry, Related
from qms.periods import today
from qms.providers.models import Provider, ProviderProcess
from qms.scope.models import Process

contributions.navigation(
    "Do",
    "External providers",
    "providers:provider_list",
    icon="truck-delivery",
    permission="providers.view_provider",
    order=60,
)


@contributions.calendar
def days_of_providers(person: Any, start: date, end: date) -> list[Entry]:
    """When providers are evaluated again, and when their certificates end."""
    rows = Provider.objects.visible_to(person).open().order_by("pk")
    found = [
        Entry(each.next_due, f"Evaluate {each}", "External provider", each.get_absolute_url())
        for each in rows.due_between(start, end)
    ]
    for each in rows.filter(certificate_until__range=(start, end)):
        title = f"The certificate of {each} ends"
        found.append(
            Entry(
                each.certificate_until, title, "External provider", each.get_absolute_url(), "soon"
            )
        )
    return found


@contributions.relates(
    Process,
    "External providers",
    permission="providers.view_provider",
    add="providers:provider_create",
)
def providers_of_processes(ids: Iterable[int], person: Any) -> dict[int, list[Related]]:
    """Who serves a process from outside."""
    links = ProviderProcess.objects.live().filter(process__in=list(ids))
    pairs = list(links.values_list("process_id", "provider_id"))
    rows = Provider.objects.open().filter(pk__in=[provider for _process, provider in pairs])
    known = (rows.visible_to(person) if person else rows).in_bulk()
    found: dict[int, list[Related]] = {}
    for process, key in sorted(pairs):
        if (each := known.get(key)) is not None:
            found.setdefault(process, []).append(_related(each))
    return found


def _related(provider: Provider) -> Related:
    tone = {"approved": "fine", "conditional": "soon", "suspended": "late"}.get(provider.status)
    return Related(
        provider.name,
        provider.number,
        provider.get_absolute_url(),
        provider.get_status_display(),
        tone or "plain",  # type: ignore[arg-type]
        day=provider.next_due,
    )


@contributions.owns("External providers", permission="providers.view_provider", order=40)
def providers_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many providers each person answers for."""
    rows = Provider.objects.open().filter(owner__in=list(ids))
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.mine("External providers I answer for", order=70)
def my_providers(person: Any) -> list[Related]:
    """The next to be evaluated first."""
    day = today()
    rows = Provider.objects.visible_to(person).open().filter(owner=person)
    return [
        Related(
            each.name,
            each.number,
            each.get_absolute_url(),
            each.get_status_display(),
            "late" if each.is_overdue(day) else "plain",
            day=each.next_due,
        )
        for each in rows.order_by("next_due", "pk")[:20]
    ]
