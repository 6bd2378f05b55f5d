"""Keeping and letting go: samples of outside evidence, holds, and disposition by two people."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.db import connection
from django.db.models import Max

from documents.models import (
    Disposition,
    Document,
    EvidencePointer,
    KindRule,
    LegalHold,
    Revision,
)
from qms import contributions
from qms.contributions import Step
from qms.files.workflow import attachments_of, destroy, guards_attaching
from qms.people.models import Person
from qms.periods import add_months, day_of, today
from qms.refusals import Refused
from qms.workflow import amendment, creates, transition

LOCK = 7_302_012  # what is held and what goes is decided one after the other

# Evidence that lives elsewhere


@creates(EvidencePointer, permission="documents.add_evidencepointer")
def point_at_evidence(*, by: Person, **told: Any) -> EvidencePointer:
    """Say where evidence lives that is not kept here; its first sample is due now."""
    for name, words in (("title", "what it shows"), ("system", "the system it lives in")):
        if not str(told.get(name, "")).strip():
            raise Refused(f"Say {words}.", field=name)
    made = EvidencePointer(next_sample=today(), created_by=by, **told)
    made.save()
    return made


def who_keeps_samples(pointer: EvidencePointer, by: Any) -> str | None:
    process = pointer.process
    if by.pk in (pointer.owner_id, process.owner_id if process else None):
        return None
    if by.holds("quality_manager"):
        return None
    return "Only its owner, the owner of its process or the quality manager keeps a sample."


@guards_attaching(EvidencePointer)
def only_who_keeps_samples_attaches(pointer: EvidencePointer, by: Any) -> str | None:
    """A sample is evidence; it comes from who answers for it."""
    if pointer.status != EvidencePointer.Status.ACTIVE:
        return "It has ended; it takes no more samples."
    return who_keeps_samples(pointer, by)


def a_sample_is_attached(pointer: EvidencePointer, by: Any) -> str | None:
    """A sample is a file that came after the last one and says something else."""
    attached = list(attachments_of(pointer).order_by("-pk"))
    if not attached:
        return "Attach the sample first: an export, a picture, a PDF."
    newest, *before = attached
    last = pointer.sample_id or 0
    # Of samples taken before their file was kept with them only the day is known.
    only_day = not last and pointer.sampled_on and day_of(newest.recorded_at) <= pointer.sampled_on
    if newest.pk <= last or only_day:
        return "Attach the new sample first; the last one is kept already."
    if any(each.pk <= last and each.blob_id == newest.blob_id for each in before):
        return "This file was kept as a sample before. Take a new one from the outside system."
    return None


@transition(
    EvidencePointer,
    source=EvidencePointer.Status.ACTIVE,
    target=EvidencePointer.Status.ACTIVE,
    permission="documents.sample_evidencepointer",
    only=who_keeps_samples,
    guards=[a_sample_is_attached],
    details={
        "seen": forms.CharField(
            label="What the sample shows",
            initial="",  # said anew each time, not what the last one showed
            widget=forms.Textarea(attrs={"rows": 2}),
            error_messages={"required": "Say what it shows, and for which days."},
        ),
        "taken_on": forms.DateField(
            label="Taken from the outside system on", required=False, help_text="Empty: today."
        ),
    },
    label="Sample taken",
)
def take_sample(
    pointer: EvidencePointer, *, by: Any, seen: str, taken_on: date | None = None
) -> None:
    """A dated sample is kept here; the next one is due after the interval."""
    day, last = taken_on or today(), pointer.sampled_on
    if day > today():
        raise Refused("It cannot be taken in the future. Say when it was taken.", field="taken_on")
    if last and day < last:
        raise Refused(
            f"The last sample is of {last:%-d %B %Y}; a new one is not older.", field="taken_on"
        )
    pointer.sample = attachments_of(pointer).order_by("-pk").first()
    pointer.seen, pointer.sampled_on = seen.strip(), day
    pointer.next_sample = add_months(day, pointer.sample_months)


@transition(
    EvidencePointer,
    source=EvidencePointer.Status.ACTIVE,
    target=EvidencePointer.Status.ENDED,
    permission="documents.change_evidencepointer",
    reason=True,
    label="End",
    primary=False,
)
def end_pointer(pointer: EvidencePointer, *, by: Any) -> None:
    """End it: the evidence no longer lives there. Samples stay."""
    pointer.next_sample = None


changing_pointer = amendment(
    EvidencePointer,
    permission="documents.change_evidencepointer",
    fields=(
        *("title", "system", "query", "owner", "process", "clauses"),
        *("retention", "sample_months"),
    ),
    states=(EvidencePointer.Status.ACTIVE,),
)


@contributions.work(EvidencePointer)
def sample_due(pointer: EvidencePointer) -> list[Step]:
    """The owner keeps a sample when its day has come."""
    if pointer.status != EvidencePointer.Status.ACTIVE or pointer.next_sample is None:
        return []
    return [Step("sample", "Keep a sample", person=pointer.owner, due=pointer.next_sample)]


# Holds


@creates(LegalHold, permission="documents.add_legalhold")
def place_hold(*, by: Person, title: str, why: str, process: Any = None) -> LegalHold:
    """Nothing it covers is disposed of until it is lifted."""
    if not title.strip() or not why.strip():
        raise Refused("Say what is held and why.", field="why" if title.strip() else "title")
    one_after_the_other()
    made = LegalHold(title=title.strip(), why=why.strip(), process=process, created_by=by)
    made.save()
    return made


@transition(
    LegalHold,
    source=LegalHold.Status.HOLDS,
    target=LegalHold.Status.LIFTED,
    permission="documents.add_legalhold",
    reason=True,
    label="Lift",
)
def lift(hold: LegalHold, *, by: Any) -> None:
    """Lift the hold: the matter is settled."""


def one_after_the_other(record: Any = None) -> None:
    """Whoever places a hold or disposes of something waits for who does so now.

    Always the first lock that is taken, so that two never wait for each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


# Disposition


@dataclass(frozen=True)
class Keeping:
    """Until when a document is kept (None: for good), and why it stays; empty when it may go."""

    until: date | None
    stays: str


def keeping_of(documents: Collection[Document]) -> dict[int, Keeping]:
    """What keeps each of these documents, by id; asked in a fixed number of questions."""
    keys = [each.pk for each in documents]
    years = dict(KindRule.objects.values_list("kind", "retention_years"))
    rows = Revision._base_manager.filter(document__in=keys).values("document_id")
    last = dict(rows.annotate(last=Max("ended_on")).values_list("document_id", "last"))
    holds = list(LegalHold.objects.filter(status=LegalHold.Status.HOLDS).order_by("pk"))
    served = _processes_of(keys) if any(each.process_id for each in holds) else {}
    return {
        each.pk: _keeping(each, years, last.get(each.pk), holds, served.get(each.pk, set()))
        for each in documents
    }


def _processes_of(keys: Collection[int]) -> dict[int, set[int]]:
    """Every process these documents ever belonged to: a hold is not escaped by moving one."""
    found: dict[int, set[int]] = {}
    rows = Document.history.filter(id__in=keys).exclude(process_id=None)
    for key, process in rows.values_list("id", "process_id").distinct():
        found.setdefault(key, set()).add(process)
    return found


def _keeping(
    document: Document,
    years: Mapping[str, int | None],
    last: date | None,
    holds: Collection[LegalHold],
    served: Collection[int],
) -> Keeping:
    kept_for = years.get(document.kind)
    until = add_months(last, kept_for * 12) if kept_for and last else None
    held = next((each for each in holds if each.process_id in (None, *served)), None)
    stays = ""
    if document.status != Document.Status.WITHDRAWN:
        stays = "It is in use. Withdraw it first."
    elif until is None:
        stays = "Documents of this kind are kept for good; see the rules of the kind."
    elif until > today():
        stays = f"It is kept until {until:%-d %B %Y}."
    elif held is not None:
        stays = f"{held.number} holds it: {held.title}."
    return Keeping(until, stays)


@creates(Disposition, permission="documents.add_disposition")
def propose_disposition(*, by: Person, document: Document, why: str) -> Disposition:
    """Propose to dispose of a document that was kept long enough."""
    locked = Document._base_manager.select_for_update(of=("self",)).get(pk=document.pk)
    keeping = keeping_of([locked])[locked.pk]
    if keeping.stays or keeping.until is None:
        raise Refused(keeping.stays)
    if not why.strip():
        raise Refused("Say why it may go.", field="why")
    if Disposition.objects.filter(document=locked).exclude(status="declined").exists():
        raise Refused("Its disposition is proposed already.")
    made = Disposition(document=locked, why=why.strip(), kept_until=keeping.until, created_by=by)
    made.save()
    return made


def another_approves(disposition: Disposition, by: Any) -> str | None:
    if by.pk == disposition.created_by_id:
        return "Who proposed it does not approve it."
    return None


def it_still_may_go(disposition: Disposition, by: Any) -> str | None:
    document = Document._base_manager.get(pk=disposition.document_id)
    return keeping_of([document])[document.pk].stays or None


@transition(
    Disposition,
    source=Disposition.Status.PROPOSED,
    target=Disposition.Status.DONE,
    permission="documents.approve_disposition",
    only=another_approves,
    guards=[it_still_may_go],
    signs="Disposition approved",
    label="Approve and dispose of it",
    locks=one_after_the_other,
)
def dispose(disposition: Disposition, *, by: Any) -> None:
    """Its words are shown to nobody any more and its files are destroyed; the log stays."""
    disposition.approved_by, disposition.done_on = by, today()
    revisions = list(Revision._base_manager.filter(document=disposition.document_id))
    disposition.destroyed = destroy(attachments_of(*revisions), why=str(disposition))


@transition(
    Disposition,
    source=Disposition.Status.PROPOSED,
    target=Disposition.Status.DECLINED,
    permission="documents.approve_disposition",
    reason=True,
    label="Decline",
    primary=False,
)
def decline_disposition(disposition: Disposition, *, by: Any) -> None:
    """Decline it: the document stays."""


@contributions.work(Disposition)
def approve_it(disposition: Disposition) -> list[Step]:
    """Top management, or the quality manager who did not propose it, decides."""
    if disposition.status != Disposition.Status.PROPOSED:
        return []
    return [Step("dispose", "Decide", role="top_management", remind=False)]
