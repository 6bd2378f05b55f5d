"""The document procedure: draft, review, approval, in force, superseded (ISO 9001 7.5.2, 7.5.3).

The author does not review or approve what they wrote. One exception, for small organisations: top
management may approve its own document when another person has signed the review.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.db.models import Max

from documents.models import Document, Revision
from qms import contributions
from qms.contributions import Step
from qms.events import publish
from qms.files.workflow import guards_attaching
from qms.people.models import Person
from qms.periods import add_months, due_in, today
from qms.records import authors_of
from qms.refusals import Refused
from qms.scope.models import Organisation
from qms.workflow import amendment, creates, transition, voids

Status = Revision.Status


@dataclass(frozen=True)
class RevisionBecameEffective:
    """A revision took into force; what it causes (reading, recalls, audit questions) follows."""

    revision: Revision
    replaced: Revision | None


@dataclass(frozen=True)
class DocumentWithdrawn:
    """A document is no longer in force and has no successor."""

    document: Document


# Guards


def reviewer_and_approver_are_named(revision: Revision, by: Any) -> str | None:
    if not revision.reviewer_id or not revision.approver_id:
        return "Name a reviewer and an approver first."
    return None


def there_is_content(revision: Revision, by: Any) -> str | None:
    if not revision.body.strip() and not revision.source_id:
        return "Write the text or upload the document first."
    return None


def writers_of(revision: Revision) -> set[int]:
    """The ids of everybody who wrote a part of this revision."""
    return authors_of(revision, ("title", "body", "source_id", "change_summary"))


def reviewer_wrote_none_of_it(revision: Revision, by: Any) -> str | None:
    if by.pk in writers_of(revision):
        return "Who wrote a part of it does not review it. Name another reviewer."
    return None


def approver_wrote_none_of_it(revision: Revision, by: Any) -> str | None:
    if by.pk not in writers_of(revision):
        return None
    reviewed_by_another = revision.reviewed_by_id and revision.reviewed_by_id != by.pk
    if by.holds("top_management") and reviewed_by_another:
        return None
    return "Who wrote a part of it does not approve it. Name another approver."


def only_the_named_reviewer(revision: Revision, by: Any) -> str | None:
    if by.pk == revision.reviewer_id:
        return None
    return "Only the named reviewer signs the review."


def only_the_named_approver(revision: Revision, by: Any) -> str | None:
    if by.pk == revision.approver_id:
        return None
    return "Only the named approver approves."


def only_who_takes_part(revision: Revision, by: Any) -> str | None:
    named = {revision.reviewer_id, revision.approver_id, revision.created_by_id}
    if by.pk in named or by.holds("quality_manager"):
        return None
    return "Only its author, reviewer, approver or the quality manager sends it back."


def document_is_active(revision: Revision, by: Any) -> str | None:
    if revision.document.status != Document.Status.ACTIVE:
        return "The document was withdrawn; it takes no new revision."
    return None


def the_day_has_come(revision: Revision, by: Any) -> str | None:
    if revision.effective_from and revision.effective_from > today():
        return f"It takes effect on {revision.effective_from:%-d %B %Y}."
    return None


@guards_attaching(Revision)
def only_a_draft_takes_files(revision: Revision, by: Any) -> str | None:
    """What was sent to review stands still, with everything attached to it."""
    if revision.status == Status.DRAFT:
        return None
    return "Only a draft takes files. Send it back, or start a new revision."


def the_document(revision: Revision) -> None:
    """Revisions of one document change one after the other."""
    Document._base_manager.select_for_update(of=("self",)).get(pk=revision.document_id)


# Factories


@creates(Document, permission="documents.add_document")
def create_document(
    *,
    by: Person,
    title: str,
    kind: str,
    owner: Person,
    process: Any = None,
    clauses: list[str] | None = None,
    confidentiality: str = Document.Confidentiality.OPEN,
    language: str = "en",
    review_months: int = 24,
    number: str = "",
    body: str = "",
    reviewer: Person | None = None,
    approver: Person | None = None,
) -> Document:
    """A new document with its first draft. `number` is given only for imported registers."""
    if not title.strip():
        raise Refused("Give the document a title.", field="title")
    if number and Document.objects.filter(number=number).exists():
        raise Refused(f"There is a document {number} already.", field="number")
    document = Document(
        number=number,
        title=title.strip(),
        kind=kind,
        owner=owner,
        process=process,
        clauses=clauses or [],
        confidentiality=confidentiality,
        language=language,
        review_months=review_months,
        created_by=by,
    )
    document.save()
    Revision(
        document=document,
        number=1,
        title=document.title,
        body=body,
        change_summary="First issue.",
        reviewer=reviewer,
        approver=approver,
        created_by=by,
    ).save()
    return document


@creates(Revision, permission="documents.add_revision")
def start_revision(
    document: Document,
    *,
    by: Person,
    change_summary: str = "",
    body: str | None = None,
    reviewer: Person | None = None,
    approver: Person | None = None,
) -> Revision:
    """Start the next revision from the one in force."""
    locked = Document._base_manager.select_for_update(of=("self",)).get(pk=document.pk)
    if locked.status != Document.Status.ACTIVE:
        raise Refused("The document was withdrawn; it takes no new revision.")
    base = locked.revisions.effective().first() or locked.revisions.order_by("-number").first()
    latest = locked.revisions.aggregate(latest=Max("number"))["latest"] or 0
    revision = Revision(
        document=locked,
        number=latest + 1,
        title=locked.title,
        body=body if body is not None else (base.body if base else ""),
        source=base.source if base and body is None else None,
        change_summary=change_summary,
        reviewer=reviewer or (base.reviewer if base else None),
        approver=approver or (base.approver if base else None),
        created_by=by,
    )
    revision.save()
    return revision


# Transitions


@transition(
    Revision,
    source=Status.DRAFT,
    target=Status.IN_REVIEW,
    permission="documents.change_revision",
    guards=[document_is_active, there_is_content, reviewer_and_approver_are_named],
    label="Send to review",
)
def submit(revision: Revision, *, by: Any) -> None:
    """Send it to the reviewer; from now on its content stands still."""
    revision.submitted_on = today()


@transition(
    Revision,
    source=Status.IN_REVIEW,
    target=Status.REVIEWED,
    permission="documents.review_revision",
    only=only_the_named_reviewer,
    guards=[reviewer_wrote_none_of_it],
    signs="Reviewed",
    label="Sign the review",
)
def review(revision: Revision, *, by: Any) -> None:
    """Confirm that it is suitable and adequate, and hand it to the approver."""
    revision.reviewed_by, revision.reviewed_on = by, today()


@transition(
    Revision,
    source=Status.REVIEWED,
    target=Status.APPROVED,
    permission="documents.approve_revision",
    only=only_the_named_approver,
    guards=[document_is_active, approver_wrote_none_of_it],
    signs="Approved",
    label="Approve",
    details={
        "effective_from": forms.DateField(
            label="Effective from", required=False, help_text="Empty: at once."
        )
    },
    locks=the_document,
    then=lambda revision, by: take_effect_if_due(revision),
)
def approve(revision: Revision, *, by: Any, effective_from: date | None = None) -> None:
    """Approve it; it takes effect at once or on the given day, in place of the one before."""
    day = today()
    if effective_from and effective_from < day:
        raise Refused("It cannot take effect in the past.", field="effective_from")
    revision.approved_by, revision.approved_on = by, day
    revision.effective_from = effective_from or day


@transition(
    Revision,
    source=Status.APPROVED,
    target=Status.EFFECTIVE,
    permission="documents.make_effective",
    guards=[the_day_has_come, document_is_active],
    label="Make effective",
    locks=the_document,
    then=lambda revision, by: tell_effective(revision, by),
)
def make_effective(revision: Revision, *, by: Any) -> None:
    """Take effect in place of the revision before."""
    for old in revision.document.revisions.effective():
        supersede(old, by=by, reason=f"Superseded by revision {revision.number}.")


@transition(
    Revision,
    source=Status.EFFECTIVE,
    target=Status.SUPERSEDED,
    permission="documents.make_effective",
    guards=[lambda revision, by: a_successor_takes_over(revision)],
    reason=True,
    label="Supersede",
    locks=the_document,
    primary=False,
)
def supersede(revision: Revision, *, by: Any) -> None:
    """Give way to the next revision."""
    revision.ended_on = today()


@transition(
    Revision,
    source=[Status.IN_REVIEW, Status.REVIEWED, Status.APPROVED],
    target=Status.DRAFT,
    permission="documents.review_revision",
    only=only_who_takes_part,
    reason=True,
    label="Send back",
    primary=False,
)
def send_back(revision: Revision, *, by: Any) -> None:
    """Send it back to the author; review and approval start anew."""
    revision.reviewed_by = revision.reviewed_on = revision.submitted_on = None
    revision.approved_by = revision.approved_on = revision.effective_from = None


@transition(
    Revision,
    source=Status.EFFECTIVE,
    target=Status.WITHDRAWN,
    permission="documents.withdraw_revision",
    guards=[lambda revision, by: withdrawn_with_its_document(revision)],
    reason=True,
    label="Withdraw the revision",
    locks=the_document,
    primary=False,
)
def withdraw_revision(revision: Revision, *, by: Any) -> None:
    """Take the revision out of force without a successor."""
    revision.ended_on = today()


void = voids(Revision, source=Status.DRAFT, permission="documents.change_revision")


@transition(
    Document,
    source=Document.Status.ACTIVE,
    target=Document.Status.WITHDRAWN,
    permission="documents.withdraw_revision",
    guards=[lambda document, by: no_open_revision(document)],
    reason=True,
    label="Withdraw",
    primary=False,
    then=lambda document, by: end_of_document(document, by),
)
def withdraw(document: Document, *, by: Any) -> None:
    """Withdraw the document; it stays readable, marked as withdrawn."""
    document.next_review = None


def a_successor_takes_over(revision: Revision) -> str | None:
    successors = revision.document.revisions.due_to_take_effect(today())
    if successors.exclude(pk=revision.pk).exists():
        return None
    return "It gives way only to an approved revision."


def withdrawn_with_its_document(revision: Revision) -> str | None:
    if Document._base_manager.get(pk=revision.document_id).status == Document.Status.WITHDRAWN:
        return None
    return "Withdraw the document; its revision goes with it."


def no_open_revision(document: Document) -> str | None:
    if document.revisions.filter(status__in=Revision.OPEN_STATES).exists():
        return "A revision is in work. Finish or void it first."
    return None


def end_of_document(document: Document, by: Any) -> None:
    """What was in force goes with its document."""
    for revision in document.revisions.effective():
        withdraw_revision(revision, by=by, reason="The document was withdrawn.")
    publish(DocumentWithdrawn(document))


def take_effect_if_due(revision: Revision) -> None:
    """The clock's part: an approved revision whose day has come takes effect."""
    if revision.effective_from and revision.effective_from <= today():
        make_effective(revision, by=Person.objects.system())


def tell_effective(revision: Revision, by: Any) -> None:
    """The document is due for review again, and whoever listens is told."""
    document = Document._base_manager.get(pk=revision.document_id)
    document.title = revision.title
    document.next_review = add_months(revision.effective_from or today(), document.review_months)
    document.save_because(f"Revision {revision.number} took effect.", by=by)
    replaced = document.revisions.filter(
        status=Status.SUPERSEDED, number__lt=revision.number
    ).order_by("-ended_on", "-number")
    publish(RevisionBecameEffective(revision, replaced.first()))


def make_due_revisions_effective(on: date) -> int:
    """Every approved revision whose day has come takes effect; returns how many.

    Runs daily and at every start; a stopped scheduler is caught up, and twice is once.
    """
    count = 0
    for revision in Revision.objects.due_to_take_effect(on).order_by("effective_from", "number"):
        make_effective(revision, by=Person.objects.system())
        count += 1
    return count


editing_document = amendment(
    Document,
    permission="documents.change_document",
    fields=(
        "title",
        "owner",
        "process",
        "clauses",
        "confidentiality",
        "language",
        "review_months",
    ),
    states=(Document.Status.ACTIVE,),
)
editing = amendment(
    Revision,
    permission="documents.change_revision",
    fields=("title", "body", "source", "change_summary", "reviewer", "approver"),
    states=(Status.DRAFT,),
)


# Who has to do what next


@contributions.work(Revision)
def next_steps(revision: Revision) -> list[Step]:
    """The author writes, the reviewer reviews, the approver approves."""
    organisation = Organisation.objects.current()
    days = organisation.approval_days if organisation else 3
    if revision.status == Status.DRAFT:
        return [Step("write", "Continue", person=revision.created_by, remind=False)]
    if revision.status == Status.IN_REVIEW:
        due = due_in(days, revision.submitted_on or today())
        return [Step("review", "Review", person=revision.reviewer, due=due)]
    if revision.status == Status.REVIEWED:
        due = due_in(days, revision.reviewed_on or today())
        return [Step("approve", "Approve", person=revision.approver, due=due)]
    return []


@contributions.work(Document)
def reviews_due(document: Document) -> list[Step]:
    """The owner looks at the document again when its interval has passed."""
    if document.status == Document.Status.ACTIVE and document.next_review:
        return [Step("periodic", "Review", person=document.owner, due=document.next_review)]
    return []
