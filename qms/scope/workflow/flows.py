"""What flows between processes and the world: drawn, changed, ended, never lost (ISO 9001 4.4.1).

A flow is one record for both sides, so that an output and the input it becomes cannot contradict
each other. Whoever may edit one of its processes may draw it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from qms.events import handles, publish
from qms.people.models import Person
from qms.records import RecordSaved
from qms.refusals import Refused
from qms.scope.models import NO_PROCESS, TO_ITSELF, Flow, Process
from qms.scope.workflow.processes import ProcessChanged, only_owner_or_quality_manager
from qms.workflow import amendment, creates

ALL_WORDS = frozenset({"all", "all processes", "every process", "everyone", "everybody"})
FLOW_FIELDS = (
    "what",
    "source",
    "source_all",
    "source_party",
    "target",
    "target_all",
    "target_party",
)
FROM = ("source", "source_all", "source_party")
TO = ("target", "target_all", "target_party")


# Guards


def only_who_edits_one_end(flow: Flow, by: Any) -> str | None:
    ends = [each for each in (flow.source, flow.target) if each is not None]
    if any(only_owner_or_quality_manager(each, by) is None for each in ends):
        return None
    return "Only the owner of one of its processes, a deputy or the quality manager changes a flow."


def still_flows(flow: Flow, by: Any) -> str | None:
    return "It was ended. Draw it again instead." if flow.ended else None


# Factories


@creates(Flow, permission="scope.add_flow")
def add_flow(
    *,
    by: Person,
    what: str,
    source: Process | None = None,
    source_all: bool = False,
    source_party: str = "",
    target: Process | None = None,
    target_all: bool = False,
    target_party: str = "",
) -> Flow:
    """What one process hands to another, or takes from and gives to somebody outside.

    Raises Refused when it touches no process, leads back to itself, has two answers to one
    question, or is drawn already; PermissionDenied for people who edit neither of its processes.
    """
    flow = Flow(
        what=what.strip(),
        source=source,
        source_all=source_all,
        source_party=source_party.strip(),
        target=target,
        target_all=target_all,
        target_party=target_party.strip(),
        created_by=by,
    )
    check_flow(flow)
    if why := only_who_edits_one_end(flow, by):
        raise PermissionDenied(why)
    flow.save()
    return flow


def check_flow(flow: Flow) -> None:
    """Refuse a flow that says too little, too much, or what is said already."""
    if not flow.what:
        raise Refused("Say what is handed over.", field="what")
    _check_ends(flow)
    for process in (flow.source, flow.target):
        if process is not None and process.status == Process.Status.RETIRED:
            raise Refused(f"{process} was retired. Bring it back first, or name another one.")
    if found := _same(flow):
        raise Refused(f"“{found.what}” flows there already.", field="what")


def _check_ends(flow: Flow) -> None:
    for field, names, word in (("source", FROM, "comes from"), ("target", TO, "goes to")):
        if sum(1 for name in names if getattr(flow, name)) > 1:
            raise Refused(f"Say one thing it {word}, not two.", field=field)
    if flow.source_id is None and flow.target_id is None:
        raise Refused(NO_PROCESS, field="target")
    if flow.source_id == flow.target_id:
        raise Refused(TO_ITSELF, field="target")


def _same(flow: Flow) -> Flow | None:
    """The live flow that says the same already."""
    said = {name: getattr(flow, name) for name in FLOW_FIELDS if name != "what"}
    rows = Flow.objects.live().filter(what__iexact=flow.what, **said)
    return rows.exclude(pk=flow.pk).first()


editing_flow = amendment(
    Flow,
    permission="scope.change_flow",
    fields=FLOW_FIELDS,
    only=only_who_edits_one_end,
    guards=[still_flows],
)


def end_flow(flow: Flow, *, by: Person, reason: str = "") -> Flow:
    """It no longer flows; the line stays in the history of both processes."""
    with db.atomic():
        locked: Flow = Flow._base_manager.select_for_update(of=("self",)).get(pk=flow.pk)
        if not editing_flow.permitted(locked, by):
            raise PermissionDenied(
                only_who_edits_one_end(locked, by) or "Your role does not allow you to end a flow."
            )
        if not locked.ended:
            locked.ended = True
            locked.save_because(reason or "It no longer flows.", by=by)
    flow.refresh_from_db()
    return flow


# From a list


def draw_flows(told: Mapping[str, Mapping[str, Any]], *, by: Person) -> list[Flow]:
    """Draw every flow a starter file names; what is there already is left alone.

    `told` maps the code of a process (it must exist) to its `inputs`, a list of `{what, from}`, and
    its `outputs`, a list of `{what, to}`:

        PU:
          inputs:  [{what: Material needs, from: PL}, {what: Deliveries, from: Suppliers}]
          outputs: [{what: Released material, to: PR}, {what: Supplier list, to: all processes}]

    `from` and `to` are the code or name of a process, `all processes`, or the name of a party
    outside; left empty, the end is open and the checks will say so. A flow may be told at one end
    or at both: the same words between the same two ends are one flow.
    """
    drawn = []
    for code, lines in told.items():
        process = Process.objects.named(code)
        if process is None:
            raise Refused(f"There is no process {code}. Create the processes first.")
        for line in lines.get("inputs") or ():
            ends = {"target": process, **end_of("source", line.get("from"))}
            drawn.append(_drawn(str(line["what"]), ends, by))
        for line in lines.get("outputs") or ():
            ends = {"source": process, **end_of("target", line.get("to"))}
            drawn.append(_drawn(str(line["what"]), ends, by))
    return drawn


def end_of(side: str, word: str | None) -> dict[str, Any]:
    """One end as the fields of a flow; `side` is "source" or "target"."""
    word = (word or "").strip()
    if not word:
        return {}
    if word.casefold() in ALL_WORDS:
        return {f"{side}_all": True}
    process = Process.objects.named(word)
    return {side: process} if process else {f"{side}_party": word}


def _drawn(what: str, ends: dict[str, Any], by: Person) -> Flow:
    return _same(Flow(what=what.strip(), **ends)) or add_flow(by=by, what=what, **ends)


@handles(RecordSaved, order=61)
def a_flow_changed(event: RecordSaved) -> None:
    """A running process whose inputs or outputs changed may need a look at what describes it."""
    flow = event.record
    if not isinstance(flow, Flow):
        return
    by = flow.history.latest().history_user
    for process, field in ((flow.source, "outputs"), (flow.target, "inputs")):
        if process is not None and process.status == Process.Status.ACTIVE:
            publish(ProcessChanged(process, (field,), by))


def touching(flows: Iterable[Flow], process: Process) -> tuple[list[Flow], list[Flow]]:
    """(inputs, outputs) of one process among flows, by what is handed over."""
    rows = sorted(flows, key=lambda flow: (flow.what.casefold(), flow.pk))
    taken = [flow for flow in rows if flow.target_id == process.pk]
    given = [flow for flow in rows if flow.source_id == process.pk]
    return taken, given
