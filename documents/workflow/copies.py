"""Controlled copies: issued, recalled with the next revision, accounted for (ISO 9001 7.5.3.2)."""

import hmac
from typing import Any

from documents.models import ControlledCopy, Document, Revision
from documents.models.copies import digest_of
from documents.workflow.documents import DocumentWithdrawn
from documents.workflow.revisions import RevisionBecameEffective
from qms import contributions
from qms.contributions import Step
from qms.events import handles
from qms.people.models import Person
from qms.periods import due_in, today
from qms.refusals import Refused
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition

Status = ControlledCopy.Status
BACK_WITHIN = 7  # days from the recall


@creates(ControlledCopy, permission="documents.add_controlledcopy")
def issue_copy(
    document: Document,
    *,
    by: Person,
    holder: Person | None = None,
    place: str = "",
    replaces: ControlledCopy | None = None,
) -> ControlledCopy:
    """A numbered copy of the revision in force, for a person or a place.

    `replaces` is a recalled copy whose holder gets this one instead.
    """
    locked = Document._base_manager.select_for_update(of=("self",)).get(pk=document.pk)
    in_force = Revision.objects.effective().filter(document=locked).first()
    if in_force is None:
        raise Refused("No revision is in force; there is nothing to copy.")
    place = " ".join(place.split())
    if (holder is None) == (not place):
        raise Refused("Name a person or a place, one of the two.", field="holder")
    if holder is not None and not _works_here(holder):
        raise Refused(f"{holder.name} has left. Choose somebody who works here.", field="holder")
    if replaces is not None:
        _check_replaced(replaces, locked)
    copy = ControlledCopy(
        document=locked,
        revision=in_force,
        holder=holder,
        place=place,
        issued_on=today(),
        replaces=replaces,
        created_by=by,
    )
    copy.save()
    return copy


def _check_replaced(replaced: ControlledCopy, document: Document) -> None:
    if replaced.document_id != document.pk or replaced.status == Status.ISSUED:
        raise Refused("Only a recalled copy of this document is replaced.")
    if ControlledCopy.objects.filter(replaces=replaced).exists():
        raise Refused(f"{replaced.number} was replaced already.")


def who_answers_for_it(copy: ControlledCopy, by: Any) -> str | None:
    if by.pk in (copy.holder_id, copy.document.owner_id) or by.holds("quality_manager"):
        return None
    return "Only its holder, the owner of the document or the quality manager says so."


def who_keeps_the_document(copy: ControlledCopy, by: Any) -> str | None:
    if by.is_system or by.pk == copy.document.owner_id or by.holds("quality_manager"):
        return None
    return "Only the owner of the document or the quality manager recalls a copy."


@transition(
    ControlledCopy,
    source=Status.ISSUED,
    target=Status.RECALLED,
    permission="documents.recall_controlledcopy",
    only=who_keeps_the_document,
    reason=True,
    label="Recall",
    primary=False,
)
def recall(copy: ControlledCopy, *, by: Any) -> None:
    """Call the copy back; whoever holds it is asked to return or destroy it."""
    copy.recalled_on = today()
    newer = Revision.objects.effective().filter(document=copy.document_id)
    copy.recalled_for = newer.exclude(pk=copy.revision_id).first()


@transition(
    ControlledCopy,
    source=ControlledCopy.OUT,
    target=Status.RETURNED,
    permission="documents.settle_controlledcopy",
    only=who_answers_for_it,
    label="It came back",
    primary=False,
)
def return_copy(copy: ControlledCopy, *, by: Any) -> None:
    """The copy was given back."""
    copy.settled_on = today()


@transition(
    ControlledCopy,
    source=ControlledCopy.OUT,
    target=Status.DESTROYED,
    permission="documents.settle_controlledcopy",
    only=who_answers_for_it,
    label="It was destroyed",
    primary=False,
)
def destroy_copy(copy: ControlledCopy, *, by: Any) -> None:
    """The copy was destroyed where it was."""
    copy.settled_on = today()


@transition(
    ControlledCopy,
    source=ControlledCopy.OUT,
    target=Status.LOST,
    permission="documents.settle_controlledcopy",
    only=who_answers_for_it,
    reason=True,
    label="It is lost",
    primary=False,
)
def lose_copy(copy: ControlledCopy, *, by: Any) -> None:
    """The copy cannot be found; the reason says what was done to find it."""
    copy.settled_on = today()


def it_is_out(copy: ControlledCopy, by: Any) -> str | None:
    return None if copy.is_out else f"It is {copy.get_status_display().lower()}."


passing_on = amendment(
    ControlledCopy,
    permission="documents.add_controlledcopy",
    fields=("holder", "place"),
    states=ControlledCopy.OUT,
    checks=[lambda copy, changes: _one_holder(copy, changes)],
)


def _one_holder(copy: ControlledCopy, changes: Any) -> str | None:
    holder = changes.get("holder", copy.holder)
    place = changes.get("place", copy.place)
    if (holder is None) == (not place):
        return "Name a person or a place, one of the two."
    if holder is not None and holder.pk != copy.holder_id and not _works_here(holder):
        return f"{holder.name} has left. Choose somebody who works here."
    return None


def _works_here(holder: Person) -> bool:
    return holder.is_active and not holder.is_system


def who_prints_it(copy: ControlledCopy, by: Any) -> str | None:
    """Whoever else prints it would make a second copy with the same number."""
    if by.pk == copy.holder_id or by.has_perm("documents.add_controlledcopy"):
        return None
    return "Only its holder, or who issues copies, prints a controlled copy."


def standing_of(token: str) -> bool | None:
    """Whether the copy with this token is current; None where there is none.

    Asks the same whatever the token, and compares in constant time.
    """
    digest = digest_of(token)
    found = (
        ControlledCopy._base_manager.filter(digest=digest)
        .values_list("token", "status", "revision__status", "document__status")
        .first()
    )
    known, copy, revision, document = found or ("", "", "", "")
    if not hmac.compare_digest(known.encode(), token.encode()) or not known:
        return None
    return (copy, revision, document) == (
        Status.ISSUED,
        Revision.Status.EFFECTIVE,
        Document.Status.ACTIVE,
    )


@handles(RevisionBecameEffective, order=42)
def recall_the_old(event: RevisionBecameEffective) -> None:
    """Whatever is out of an earlier revision is called back."""
    reason = f"Revision {event.revision.label} took effect."
    _recall_all(event.revision.document, reason, keep=event.revision)


@handles(DocumentWithdrawn, order=42)
def recall_the_withdrawn(event: DocumentWithdrawn) -> None:
    """Copies of a withdrawn document are called back."""
    _recall_all(event.document, "The document was withdrawn.", keep=None)


def _recall_all(document: Document, reason: str, *, keep: Revision | None) -> None:
    issued = ControlledCopy.objects.filter(document=document, status=Status.ISSUED)
    rows = list(issued.exclude(revision=keep).select_related("document").order_by("pk"))
    clockwork = Person.objects.system() if rows else None
    for copy in rows:
        try:
            recall(copy, by=clockwork, reason=reason)
        except Refused:  # it came back at the same moment
            refresh(copy)


@contributions.work(ControlledCopy)
def bring_it_back(copy: ControlledCopy) -> list[Step]:
    """The holder of a recalled copy returns it; for a place the owner of the document does."""
    if copy.status != Status.RECALLED or copy.recalled_on is None:
        return []
    who = copy.holder or copy.document.owner
    return [Step("return", "Return it", person=who, due=due_in(BACK_WITHIN, copy.recalled_on))]
