"""Keeping and letting go: samples of outside evidence, holds, and disposition by two people."""

from datetime import date
from typing import Any

from django import forms

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
from qms.files.workflow import attachments_of, destroy
from qms.people.models import Person
from qms.periods import add_months, today
from qms.refusals import Refused
from qms.workflow import amendment, creates, transition

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


def a_sample_is_attached(pointer: EvidencePointer, by: Any) -> str | None:
    """A sample is a file that came after the last one."""
    newest = attachments_of(pointer).order_by("-pk").first()
    if newest is None:
        return "Attach the sample first: an export, a picture, a PDF."
    taken = pointer.history.filter(history_change_reason=take_sample.sentence)
    since = taken.order_by("-history_id").first()
    if since is not None and newest.recorded_at <= since.history_date:
        return "Attach the new sample first; the last one is kept already."
    return None


@transition(
    EvidencePointer,
    source=EvidencePointer.Status.ACTIVE,
    target=EvidencePointer.Status.ACTIVE,
    permission="documents.change_evidencepointer",
    guards=[a_sample_is_attached],
    details={
        "seen": forms.CharField(
            label="What the sample shows",
            widget=forms.Textarea(attrs={"rows": 2}),
            error_messages={"required": "Say what it shows, and for which days."},
        )
    },
    label="Sample taken",
)
def take_sample(pointer: EvidencePointer, *, by: Any, seen: str) -> None:
    """A dated sample is kept here; the next one is due after the interval."""
    pointer.seen, pointer.sampled_on = seen.strip(), today()
    pointer.next_sample = add_months(today(), pointer.sample_months)


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


def holds_on(document: Document) -> list[LegalHold]:
    """What forbids to dispose of a document now."""
    holds = LegalHold.objects.filter(status=LegalHold.Status.HOLDS).order_by("pk")
    return [each for each in holds if each.process_id in (None, document.process_id)]


# Disposition


def kept_until(document: Document) -> date | None:
    """The day until which the rule of its kind keeps a withdrawn document; None: for good."""
    years = KindRule.objects.of(document.kind).retention_years
    ends = document.revisions.exclude(ended_on=None).order_by("-ended_on")
    last = ends.values_list("ended_on", flat=True).first()
    return add_months(last, years * 12) if years and last else None


def why_it_stays(document: Document) -> str:
    """Why a document may not be disposed of now; empty when it may."""
    if document.status != Document.Status.WITHDRAWN:
        return "It is in use. Withdraw it first."
    until = kept_until(document)
    if until is None:
        return "Documents of this kind are kept for good; see the rules of the kind."
    if until > today():
        return f"It is kept until {until:%-d %B %Y}."
    if holds := holds_on(document):
        return f"{holds[0].number} holds it: {holds[0].title}."
    return ""


@creates(Disposition, permission="documents.add_disposition")
def propose_disposition(*, by: Person, document: Document, why: str) -> Disposition:
    """Propose to dispose of a document that was kept long enough."""
    locked = Document._base_manager.select_for_update(of=("self",)).get(pk=document.pk)
    until, stays = kept_until(locked), why_it_stays(locked)
    if stays or until is None:
        raise Refused(stays)
    if not why.strip():
        raise Refused("Say why it may go.", field="why")
    if Disposition.objects.filter(document=locked).exclude(status="declined").exists():
        raise Refused("Its disposition is proposed already.")
    made = Disposition(document=locked, why=why.strip(), kept_until=until, created_by=by)
    made.save()
    return made


def another_approves(disposition: Disposition, by: Any) -> str | None:
    if by.pk == disposition.created_by_id:
        return "Who proposed it does not approve it."
    return None


def it_still_may_go(disposition: Disposition, by: Any) -> str | None:
    return why_it_stays(disposition.document) or None


@transition(
    Disposition,
    source=Disposition.Status.PROPOSED,
    target=Disposition.Status.DONE,
    permission="documents.approve_disposition",
    only=another_approves,
    guards=[it_still_may_go],
    signs="Disposition approved",
    label="Approve and dispose of it",
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
