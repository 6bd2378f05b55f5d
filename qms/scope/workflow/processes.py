"""Processes: one owner for each that runs, and who works in it where (ISO 9001 4.4, 5.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction as db

from qms import contributions
from qms.contributions import Step
from qms.events import handles, publish
from qms.links import refuse_stale, set_links
from qms.people.models import Person
from qms.records import RecordSaved
from qms.refusals import Refused
from qms.scope.models import Process, ProcessDeputy, ProcessMember, ProcessSite, Site
from qms.scope.workflow.permission import check_may
from qms.workflow import amendment, creates, transition

STAFF = (ProcessDeputy, ProcessMember, ProcessSite)


@dataclass(frozen=True)
class ProcessChanged:
    """The description of a running process changed; what describes it may need a look."""

    process: Process
    fields: tuple[str, ...]
    by: Any


@dataclass(frozen=True)
class OwnerChanged:
    """A process has another owner than before."""

    process: Process
    before: Person | None
    by: Any


def only_owner_or_quality_manager(process: Process, by: Any) -> str | None:
    if by.pk == process.owner_id or by.holds("quality_manager") or stands_in(process, by):
        return None
    return "Only the owner of a process, a deputy or the quality manager changes it."


def stands_in(process: Process, person: Any) -> bool:
    """Whether the person is a deputy of the owner."""
    return ProcessDeputy.objects.live().filter(process=process, person=person).exists()


def has_an_owner(process: Process, by: Any) -> str | None:
    if process.owner is None:
        return "Give it an owner first; a process that runs has one person who answers for it."
    if not process.owner.is_active:
        return f"{process.owner.name} is no longer active. Give it another owner first."
    return None


@creates(Process, permission="scope.add_process")
def create_process(
    *,
    by: Person,
    code: str,
    name: str,
    owner: Person | None = None,
    purpose: str = "",
    kind: str = Process.Kind.CORE,
    criteria: str = "",
    resources: str = "",
    importance: int = 3,
    is_outsourced: bool = False,
    is_regulated: bool = False,
    clauses: Iterable[str] = (),
    members: Iterable[Person] = (),
    deputies: Iterable[Person] = (),
    sites: Iterable[Site] = (),
) -> Process:
    """A process as a draft, with who works in it and where it runs.

    What it takes and gives is said by flows, once both ends exist: see `flows.draw_flows`.
    """
    code = code.strip().upper()
    if not code or not name.strip():
        raise Refused("Give the process a code and a name.", field="code" if not code else "name")
    if Process.objects.filter(code__iexact=code).exists():
        raise Refused(f"There is a process {code} already.", field="code")
    check_owner(owner)
    process = Process(
        code=code,
        name=name.strip(),
        owner=owner,
        purpose=purpose,
        kind=kind,
        criteria=criteria,
        resources=resources,
        importance=importance,
        is_outsourced=is_outsourced,
        is_regulated=is_regulated,
        clauses=list(clauses),
        created_by=by,
    )
    process.save()
    _link_process(process, by=by, members=members, deputies=deputies, sites=sites)
    return process


def staff_process(
    process: Process,
    *,
    by: Person,
    members: Iterable[Person],
    sites: Iterable[Site],
    deputies: Iterable[Person] | None = None,
    reason: str = "",
    seen: str | None = None,
) -> Process:
    """Say who works in a process and where it runs; what was there before is ended, not deleted.

    `deputies` None leaves them as they are; `seen` is the seal of `STAFF` on the page. Raises
    PermissionDenied, Refused, Stale.
    """
    check_may(editing_process, process, by)
    with db.atomic():
        locked = Process._base_manager.select_for_update(of=("self",)).get(pk=process.pk)
        if why := editing_process.obstacles(locked, by):
            raise Refused(" ".join(why))
        refuse_stale(seen, {"process": locked}, *STAFF)
        _link_process(locked, by=by, members=members, deputies=deputies, sites=sites, reason=reason)
    return process


def _link_process(
    process: Process,
    *,
    by: Person,
    members: Iterable[Person],
    deputies: Iterable[Person] | None,
    sites: Iterable[Site],
    reason: str = "",
) -> None:
    owner = {"process": process}
    if deputies is not None:
        standing_in = list(deputies)
        _check_deputies(process, standing_in)
        set_links(
            ProcessDeputy, owner=owner, target="person", targets=standing_in, by=by, reason=reason
        )
    set_links(ProcessMember, owner=owner, target="person", targets=members, by=by, reason=reason)
    set_links(ProcessSite, owner=owner, target="site", targets=sites, by=by, reason=reason)


def _check_deputies(process: Process, deputies: list[Person]) -> None:
    for each in deputies:
        if each.pk == process.owner_id:
            raise Refused(f"{each.name} owns it already. Choose somebody else.", field="deputies")


def check_owner(owner: Person | None) -> None:
    """Refuse somebody who has left as the one who answers for a process."""
    if owner is not None and not owner.is_active:
        raise Refused(
            f"{owner.name} is no longer active. Choose somebody who works here.", field="owner"
        )


@transition(
    Process,
    source=Process.Status.DRAFT,
    target=Process.Status.ACTIVE,
    permission="scope.change_process",
    only=only_owner_or_quality_manager,
    guards=[has_an_owner],
    label="Activate",
)
def activate(process: Process, *, by: Any) -> None:
    """Put it into operation: it is audited, measured and covered from now on."""


@transition(
    Process,
    source=Process.Status.ACTIVE,
    target=Process.Status.RETIRED,
    permission="scope.change_process",
    only=lambda process, by: (
        None if by.holds("quality_manager") else "Only the quality manager retires a process."
    ),
    reason=True,
    label="Retire",
    primary=False,
)
def retire(process: Process, *, by: Any) -> None:
    """Retire it; its records stay and nothing new is planned for it."""


@transition(
    Process,
    source=Process.Status.RETIRED,
    target=Process.Status.ACTIVE,
    permission="scope.change_process",
    only=lambda process, by: (
        None if by.holds("quality_manager") else "Only the quality manager brings it back."
    ),
    guards=[has_an_owner],
    reason=True,
    label="Bring back",
)
def reactivate(process: Process, *, by: Any) -> None:
    """Put it into operation again."""


def is_not_retired(process: Process, by: Any) -> str | None:
    return "It was retired. Bring it back first." if process.status == "retired" else None


PROCESS_FIELDS = (
    "code",
    "name",
    "kind",
    "purpose",
    "criteria",
    "resources",
    "owner",
    "importance",
    "is_outsourced",
    "is_regulated",
    "clauses",
)
editing_process = amendment(
    Process,
    permission="scope.change_process",
    fields=PROCESS_FIELDS,
    only=only_owner_or_quality_manager,
    guards=[is_not_retired],
)


@handles(RecordSaved, order=60)
def a_process_changed(event: RecordSaved) -> None:
    """Tell what a change of a running process may touch: its documents, objectives and audits."""
    process = event.record
    if not isinstance(process, Process) or event.created or process.status != Process.Status.ACTIVE:
        return
    now, before = list(process.history.order_by("-history_id")[:2])
    by = now.history_user
    changed = tuple(n for n in PROCESS_FIELDS if _value(now, n) != _value(before, n))
    if "owner" in changed:
        former = Person.objects.filter(pk=before.owner_id).first()
        publish(OwnerChanged(process, former, by))
    if changed:
        publish(ProcessChanged(process, changed, by))


def _value(row: Any, name: str) -> Any:
    return getattr(row, row._meta.get_field(name).attname)


@handles(OwnerChanged)
def an_owner_stands_in_for_nobody(event: OwnerChanged) -> None:
    """Who becomes the owner of a process is no longer a deputy there."""
    links = ProcessDeputy.objects.live().filter(process=event.process, person=event.process.owner)
    for each in links:
        each.ended = True
        each.save_because("Owns the process now.", by=event.by)


@contributions.work(Process)
def processes_without_owner(process: Process) -> list[Step]:
    """A draft needs an owner before it runs."""
    if process.status != Process.Status.DRAFT:
        return []
    if process.owner_id is None:
        return [Step("owner", "Give an owner", role="quality_manager", remind=False)]
    return [Step("activate", "Activate", person=process.owner, remind=False)]
