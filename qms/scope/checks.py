"""What is missing in the description of the processes, found in the data (ISO 9001 4.4.1, 5.3).

Each check is a plain function of processes and flows and gives sentences, each with the page that
mends it. A check warns; it never loses or blocks anything.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.urls import reverse

from qms import contributions
from qms.scope.models import Flow, Process

INDICATORS = "Indicators"


@dataclass(frozen=True)
class Found:
    """Something to mend: which check says it, of which process, where it is mended, and how."""

    check: str
    process_id: int
    sentence: str
    url: str
    mend: str


@dataclass(frozen=True)
class System:
    """What the checks look at: processes that are not retired, their live flows, who is measured.

    `measured` are the ids of processes with an indicator; None where nobody tells.
    """

    processes: Sequence[Process]
    flows: Sequence[Flow]
    measured: Collection[int] | None = None

    @cached_property
    def by_key(self) -> dict[int | None, Process]:
        return {each.pk: each for each in self.processes}


# Owners and indicators


def without_owner(system: System) -> list[Found]:
    """A process nobody answers for."""
    return [
        _of(each, "without_owner", f"{each} has no owner.", "edit", "Give it an owner")
        for each in system.processes
        if each.owner_id is None
    ]


def owner_left(system: System) -> list[Found]:
    """A process whose owner has left."""
    return [
        _of(
            each,
            "owner_left",
            f"{each.owner.name} owned {each} and is no longer active.",
            "edit",
            "Give it another owner",
        )
        for each in system.processes
        if each.owner is not None and not each.owner.is_active
    ]


def without_indicator(system: System) -> list[Found]:
    """A running process of which nobody knows how well it runs."""
    if system.measured is None:
        return []
    name = contributions.page_to_add(Process, INDICATORS)
    return [
        Found(
            "without_indicator",
            each.pk,
            f"{each} has no indicator; nobody can say how well it runs.",
            f"{reverse(name)}?process={each.pk}" if name else each.get_absolute_url(),
            "Set an objective",
        )
        for each in system.processes
        if each.status == Process.Status.ACTIVE and each.pk not in system.measured
    ]


# Flows


def orphans(system: System) -> list[Found]:
    """A process that takes nothing from anybody and gives nothing to anybody."""
    touched = {key for flow in system.flows for key in (flow.source_id, flow.target_id)}
    return [
        _of(
            each,
            "orphans",
            f"{each} stands alone: nothing goes in and nothing comes out.",
            "inputs/new",
            "Say what goes in",
        )
        for each in system.processes
        if each.pk not in touched
    ]


def inputs_without_source(system: System) -> list[Found]:
    """Something a process needs, and nobody is named who provides it."""
    return [
        _at(flow, "inputs_without_source", f"{process} needs “{flow.what}”; nobody provides it.")
        for flow in system.flows
        if not flow.giver and (process := system.by_key.get(flow.target_id))
    ]


def outputs_nobody_receives(system: System) -> list[Found]:
    """Something a process makes, and nobody is named who receives it."""
    return [
        _at(flow, "outputs_nobody_receives", f"{process} gives “{flow.what}”; nobody receives it.")
        for flow in system.flows
        if not flow.receiver and (process := system.by_key.get(flow.source_id))
    ]


def flows_of_retired(system: System) -> list[Found]:
    """A flow that leads to or from a process that no longer runs."""
    known = {each.pk for each in system.processes}
    found = []
    for flow in system.flows:
        for process, other, word in (
            (flow.source, flow.target, "comes from"),
            (flow.target, flow.source, "goes to"),
        ):
            if process is not None and process.pk not in known and other is not None:
                said = f"“{flow.what}” of {other} {word} {process}, which was retired."
                found.append(_at(flow, "flows_of_retired", said, other.pk))
    return found


def circles_without_start(system: System) -> list[Found]:
    """Processes that feed each other in a circle which nothing from elsewhere ever starts."""
    pairs = {(f.source_id, f.target_id) for f in system.flows if f.source_id and f.target_id}
    fed = {f.target_id for f in system.flows if f.source_all or f.source_party}
    found = []
    for circle in circles([each.pk for each in system.processes], pairs):
        entered = any(b in circle and a not in circle for a, b in pairs)
        if entered or fed & circle:
            continue
        named = [each for each in system.processes if each.pk in circle]
        said = (
            f"{', '.join(str(each) for each in named)} feed each other in a circle, and nothing"
            " starts it. Say what comes in from outside."
        )
        found += [
            _of(each, "circles_without_start", said, "inputs/new", "Say what starts it")
            for each in named[:1]
        ]
    return found


def circles(keys: Sequence[int], pairs: Iterable[tuple[Any, Any]]) -> list[set[int]]:
    """The largest groups of two or more keys that all lead to each other (Tarjan, no recursion)."""
    follow: dict[int, list[int]] = {key: [] for key in keys}
    for a, b in sorted(pairs):
        if a in follow and b in follow:
            follow[a].append(b)
    order: list[int] = []
    seen: set[int] = set()
    for key in keys:
        _after(key, follow, seen, order)
    backward: dict[int, list[int]] = {key: [] for key in keys}
    for a, targets in follow.items():
        for b in targets:
            backward[b].append(a)
    seen, found = set(), []
    for key in reversed(order):
        group: list[int] = []
        _after(key, backward, seen, group)
        if len(group) > 1:
            found.append(set(group))
    return found


def _after(start: int, follow: dict[int, list[int]], seen: set[int], order: list[int]) -> None:
    """Append every unseen key reached from `start`, each after all it leads to."""
    if start in seen:
        return
    seen.add(start)
    stack = [(start, iter(follow[start]))]
    while stack:
        key, rest = stack[-1]
        further = next((each for each in rest if each not in seen), None)
        if further is None:
            order.append(key)
            stack.pop()
        else:
            seen.add(further)
            stack.append((further, iter(follow[further])))


CHECKS: tuple[Callable[[System], list[Found]], ...] = (
    without_owner,
    owner_left,
    circles_without_start,
    orphans,
    inputs_without_source,
    outputs_nobody_receives,
    flows_of_retired,
    without_indicator,
)


def everything(system: System) -> list[Found]:
    """What every check says, in the order of `CHECKS`."""
    return [found for check in CHECKS for found in check(system)]


def of_system(*, measured: bool = True) -> System:
    """The processes and flows as they are now, in two queries and, if `measured`, the chapters'."""
    rows = Process.objects.exclude(status=Process.Status.RETIRED).select_related("owner")
    processes = list(rows.order_by("code"))
    flows = list(Flow.objects.live().with_ends().order_by("pk"))
    if not measured:
        return System(processes, flows)
    told = contributions.related_to(Process, [each.pk for each in processes], kinds=(INDICATORS,))
    known = any(INDICATORS in kinds for kinds in told.values())
    shown = {key for key, kinds in told.items() if kinds.get(INDICATORS)}
    return System(processes, flows, shown if known else None)


def of_process(found: Iterable[Found], process: Process) -> list[Found]:
    """What concerns one process."""
    return [each for each in found if each.process_id == process.pk]


def _of(process: Process, check: str, sentence: str, page: str, mend: str) -> Found:
    return Found(check, process.pk, sentence, f"{process.get_absolute_url()}{page}/", mend)


def _at(flow: Flow, check: str, sentence: str, process_id: int | None = None) -> Found:
    key = process_id or flow.target_id or flow.source_id or 0
    return Found(check, key, sentence, f"{flow.get_absolute_url()}edit/", "Name them")
