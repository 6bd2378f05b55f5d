"""The turtle sheet of a process: everything about it on one page (ISO 9001 4.4.1)."""

from typing import Any

from qms import contributions
from qms.contributions import Related
from qms.people.models import Person
from qms.scope.models import Flow, Process, ProcessDeputy, ProcessMember, ProcessSite, Site
from qms.scope.workflow import touching


def of(process: Process, person: Any = None) -> dict[str, Any]:
    """What the sheet needs. `person` None shows everything, for paper and the pack."""
    rows = Flow.objects.live().with_ends()
    flows = [*rows.filter(target=process), *rows.filter(source=process)]
    inputs, outputs = touching(flows, process)
    related = contributions.related_to(Process, [process.pk], person)[process.pk]
    return {
        "inputs": inputs,
        "outputs": outputs,
        "deputies": deputies_of(process),
        "members": members_of(process),
        "sites": sites_of(process),
        "related": related,
        "documents": related.get("Documents"),
        "indicators": related.get("Indicators"),
        "risks": related.get("Risks"),
        "others": [(k, r) for k, r in related.items() if k not in SHOWN],
        "last_audit": last_audit(related),
    }


SHOWN = ("Documents", "Indicators", "Risks")


def last_audit(related: dict[str, list[Related]]) -> Related | None:
    """The latest audit of the programme that has a day; the chapter gives the latest first."""
    return next((row for row in related.get("Audits", []) if row.day and row.counts), None)


def deputies_of(process: Process) -> list[Person]:
    """Who stands in for the owner, by name."""
    links = ProcessDeputy.objects.live().filter(process=process).select_related("person")
    return [link.person for link in links.order_by("person__name", "pk")]


def members_of(process: Process) -> list[Person]:
    """Who works in a process, by name."""
    links = ProcessMember.objects.live().filter(process=process).select_related("person")
    return [link.person for link in links.order_by("person__name", "pk")]


def sites_of(process: Process) -> list[Site]:
    """Where a process runs, by name."""
    links = ProcessSite.objects.live().filter(process=process).select_related("site")
    return [link.site for link in links.order_by("site__name")]
