"""The life of an evidence pack: planned, checked, signed for, built by a worker, taken along.

Everything a worker does is caused by an outbox effect, so that a worker that dies is replaced and
a pack is built once.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.db import transaction as db

from qms import clock, contributions
from qms.files.workflow import guards_attaching
from qms.outbox import workflow as outbox
from qms.pack import gathering, layout
from qms.pack.models import Pack, PackDownload, PackProgress
from qms.people.models import Person
from qms.periods import Period, today
from qms.refusals import Refused
from qms.signing.workflow import signatures_of
from qms.workflow import amendment, creates, transition

Status = Pack.Status
QUEUE = "pack"
STAYED = timedelta(seconds=15)  # who asked for the page this recently is still looking at it
REQUESTED = "Requested the pack"
MISSING = 5  # names shown in a sentence


# Guards


def was_not_replaced(pack: Pack, by: Any) -> str | None:
    """A pack that names another one as its predecessor names one that left the building."""
    if pack.replaces_id and pack.replaces and pack.replaces.status != Status.READY:
        return f"{pack.replaces} was never built, so it cannot be replaced. Choose another one."
    return None


def has_begun(pack: Pack, by: Any) -> str | None:
    """Evidence of days that have not come yet cannot be complete."""
    if pack.period_end > today():
        return "The last day of the pack lies ahead. Choose today or an earlier day."
    return None


@guards_attaching(Pack)
def holds_what_it_says(pack: Pack, by: Any) -> str | None:
    """What belongs into a pack is attached to the record it shows something about."""
    return "A pack holds what the records hold. Attach the file to its record instead."


def only_what_they_see(pack: Pack | None, by: Any, extras: Iterable[str]) -> str | None:
    """Nobody lets a section leave that they may not see themselves."""
    known = {each.title: each.permission for each in contributions.restricted_sections()}
    for title in extras:
        if title not in known:
            return f"There is no section “{title}” to ask for."
        if not by.has_perm(known[title]):
            return f"Your role does not see “{title}”; ask somebody whose role does."
    return None


# The factory and the amendment


@creates(Pack, permission="pack.add_pack")
def plan_pack(
    *,
    by: Any,
    preset: str = Pack.Preset.STAGE1,
    period_start: date | None = None,
    period_end: date | None = None,
    replaces: Pack | None = None,
    extras: Iterable[str] = (),
) -> Pack:
    """A pack that is still to be checked; days that are not given are the usual ones."""
    usual = layout.usual_period(preset, today())
    end = period_end or usual.end
    start = period_start or min(usual.start, end)
    period = Period(start, end)
    if replaces is not None and replaces.status != Status.READY:
        raise Refused(
            "Only a pack that was built can be replaced. Choose another one.", field="replaces"
        )
    wanted = sorted(set(extras))
    if why := only_what_they_see(None, by, wanted):
        raise Refused(why, field="extras")
    pack = Pack(
        extras=wanted,
        preset=preset,
        period_start=period.start,
        period_end=period.end,
        replaces=replaces,
        created_by=by,
    )
    pack.save()
    return pack


editing = amendment(
    Pack,
    permission="pack.change_pack",
    fields=("preset", "period_start", "period_end", "replaces", "extras"),
    states=(Status.DRAFT,),
    reserves={"extras": only_what_they_see},
)


# Transitions


def start_building(pack: Pack, by: Any) -> None:
    """Ask a worker to build it; each request has a key of its own."""
    PackProgress.objects.update_or_create(
        pack=pack,
        defaults={
            "step": "waiting",
            "done": 0,
            "total": 0,
            "plan": "",
            "message": "Waiting for a worker.",
            "updated_at": clock.now(),
            "seen_at": clock.now(),
        },
    )
    outbox.add("pack.build", f"pack:{pack.pk}:{pack.version}", queue=QUEUE, pack=pack.pk)


def _accept(pack: Pack, accepted_because: str) -> None:
    """Keep why files may be missing, or refuse when some are and nobody said so."""
    pack.accepted_because = accepted_because.strip()
    missing = [] if pack.accepted_because else gathering.missing_files(pack)
    if missing:
        names = ", ".join(each["what"] for each in missing[:MISSING])
        more = f" and {len(missing) - MISSING} more" if len(missing) > MISSING else ""
        raise Refused(
            f"These files are missing or altered: {names}{more}. Bring them back, or say why the "
            "pack may leave without them.",
            field="accepted_because",
        )


def _details() -> Mapping[str, forms.Field]:
    return {
        "accepted_because": forms.CharField(
            label="Why it may leave without missing files",
            required=False,
            max_length=2000,
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text="Only when files are missing. It stands on the cover.",
        )
    }


@transition(
    Pack,
    source=Status.DRAFT,
    target=Status.REQUESTED,
    permission="pack.build_pack",
    guards=[was_not_replaced, has_begun],
    signs=REQUESTED,
    details=_details(),
    then=start_building,
)
def build(pack: Pack, *, by: Any, accepted_because: str = "") -> None:
    """Build it from the records as they are now; you are told when it is ready."""
    _accept(pack, accepted_because)


@transition(
    Pack,
    source=Status.FAILED,
    target=Status.REQUESTED,
    permission="pack.build_pack",
    guards=[was_not_replaced],
    signs=REQUESTED,
    details=_details(),
    label="Try again",
    then=start_building,
)
def try_again(pack: Pack, *, by: Any, accepted_because: str = "") -> None:
    """Build it again from the records as they are now."""
    _accept(pack, accepted_because or pack.accepted_because)
    pack.failure = ""


@transition(
    Pack,
    source=Status.REQUESTED,
    target=Status.BUILDING,
    permission="pack.assemble_pack",
    label="Begin",
)
def begin(pack: Pack, *, by: Any, as_of: datetime, plan: str) -> None:
    """The worker has read everything in one snapshot and begins to draw."""
    pack.as_of = as_of
    PackProgress.objects.filter(pack=pack).update(plan=plan)


@transition(
    Pack,
    source=Status.BUILDING,
    target=Status.READY,
    permission="pack.assemble_pack",
    label="Finish",
    then=lambda pack, by: tell_requester(pack, "ready"),
)
def finish(pack: Pack, *, by: Any, made: Mapping[str, Any]) -> None:
    """The pack is written, signed and can be downloaded."""
    for name in ("path", "size", "sha256", "manifest_sha256", "key_fingerprint", "left_out"):
        setattr(pack, name, made[name])


@transition(
    Pack,
    source=Pack.UNDER_WAY,
    target=Status.FAILED,
    permission="pack.assemble_pack",
    label="Fail",
    primary=False,
    then=lambda pack, by: tell_requester(pack, "failed"),
)
def fail(pack: Pack, *, by: Any, why: str) -> None:
    """The pack could not be built."""
    pack.failure = why[:2000]


@transition(
    Pack,
    source=(Status.DRAFT, *Pack.UNDER_WAY, Status.FAILED),
    target=Status.CANCELLED,
    permission="pack.change_pack",
    primary=False,
)
def cancel(pack: Pack, *, by: Any) -> None:
    """Stop it. Its number stays used, nothing of it is kept."""


# What follows


def requester_of(pack: Pack) -> Person:
    """Who signed for it last; before that, who planned it."""
    signed = signatures_of(pack)
    person: Person = signed[-1].person if signed else pack.created_by
    return person


def tell_requester(pack: Pack, outcome: str) -> None:
    """A mail to whoever asked for the pack, unless they are still looking at its page."""
    progress = PackProgress.objects.filter(pack=pack).first()
    if progress and progress.seen_at and clock.now() - progress.seen_at < STAYED:
        return
    sentence = (
        f"The {pack.title.lower()} of {pack.period} is ready. It was signed and can be downloaded."
        if outcome == "ready"
        else f"The {pack.title.lower()} could not be built. {pack.failure}"
    )
    outbox.send_mail(
        "notice",
        requester_of(pack),
        key=f"pack-{outcome}:{pack.pk}:{pack.version}",
        act=pack.get_absolute_url(),
        subject_line=f"{pack.number} is ready" if outcome == "ready" else f"{pack.number} failed",
        sentence=sentence,
        act_label="Download it" if outcome == "ready" else "See why",
    )


def log_download(pack: Pack, *, by: Any, address: str | None) -> PackDownload:
    """Keep who takes a pack along, before the first byte leaves."""
    if pack.status != Status.READY:
        raise Refused("This pack is not built, so there is nothing to download.")
    with db.atomic():
        return PackDownload.objects.create(pack=pack, person=by, address=address)
