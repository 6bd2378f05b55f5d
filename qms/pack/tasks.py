"""What a worker does for packs: one effect, many short steps."""

import logging
from datetime import timedelta

from qms.outbox.models import Effect
from qms.outbox.workflow import TryLater, effect, renew
from qms.pack import building, gathering, shelf, workflow
from qms.pack.models import Pack, PackProgress
from qms.people.models import Person
from qms.refusals import Refused

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=4)  # one step ends well before


def gave_up(dead: Effect) -> None:
    """Every try went wrong, or killed its worker: the pack says so instead of waiting for ever."""
    pack = Pack.objects.filter(pk=dead.payload["pack"]).first()
    if pack is not None and pack.is_under_way:
        _end(
            pack,
            "Something went wrong while it was built; the administrator sees what in the outbox. "
            "Try again.",
        )


@effect("pack.build", outside=True, lease=LEASE, died=gave_up, words="Evidence pack")
def build_pack(leased: Effect) -> None:
    """One step: gather, or draw for a while, or put together. Raises TryLater while more is left.

    Nothing is built twice: a step that was done is seen in the pack's state and in the kept pages.
    """
    pack = Pack.objects.select_related("replaces").get(pk=leased.payload["pack"])
    if not pack.is_under_way:
        _forget(pack)
        return
    try:
        _step(pack, leased)
    except Refused as refusal:
        _end(pack, str(refusal))


def _step(pack: Pack, leased: Effect) -> None:
    if pack.status == Pack.Status.REQUESTED:
        _gather(pack, leased)
        raise TryLater
    progress = PackProgress.objects.get(pack=pack)
    plan = shelf.get_json(f"{progress.plan}/plan.json")
    if not building.draw_some(pack, plan, go_on=lambda: _still_mine(pack, leased)):
        raise TryLater
    building.tell(pack, "assembling", "Putting it together and signing it.")
    made = building.assemble(pack, plan)
    if not _still_mine(pack, leased):
        raise TryLater
    workflow.finish(pack, by=Person.objects.system(), made=made)
    building.tell(pack, "done", "Ready.")
    _forget(pack)


def _gather(pack: Pack, leased: Effect) -> None:
    building.tell(pack, "gathering", "Reading the records.")
    folder = shelf.new_folder(pack)
    requester = workflow.requester_of(pack).name
    as_of = gathering.gather(pack, folder, requested_by=requester)
    plan = shelf.get_json(f"{folder}/plan.json")
    if plan["missing"] and not pack.accepted_because:
        shelf.clear(folder)
        names = ", ".join(each["what"] for each in plan["missing"][: workflow.MISSING])
        raise Refused(
            f"These files are missing or altered: {names}. Bring them back, or try again and say "
            "why the pack may leave without them."
        )
    if not renew(leased):
        shelf.clear(folder)
        raise TryLater
    workflow.begin(pack, by=Person.objects.system(), as_of=as_of, plan=folder)


def _still_mine(pack: Pack, leased: Effect) -> bool:
    """Whether this worker shall go on: it holds the lease, and nobody cancelled the pack."""
    wanted = Pack.objects.filter(pk=pack.pk, status=Pack.Status.BUILDING).exists()
    return renew(leased) and wanted


def _end(pack: Pack, why: str) -> None:
    pack.refresh_from_db()
    if not pack.is_under_way:  # somebody cancelled it, or another worker was faster
        return
    workflow.fail(pack, by=Person.objects.system(), why=why)
    building.tell(pack, "failed", "It could not be built.")
    _forget(pack)


def _forget(pack: Pack) -> None:
    progress = PackProgress.objects.filter(pack=pack).first()
    if progress and progress.plan:
        shelf.clear(progress.plan)
        PackProgress.objects.filter(pack=pack).update(plan="")
