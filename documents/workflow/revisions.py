"""The way of a revision: written, reviewed, approved, in force, superseded (ISO 9001 7.5.2)."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from django import forms
from django.db.models import Max

from documents import content, design
from documents.models import Document, ReviewFlag, Revision
from documents.redline import Extent, extent_of
from documents.workflow.signatories import (
    Part,
    begin_anew,
    name_signatories,
    sign_off,
    signatories_of,
    unfit,
    writers_of,
)
from documents.workflow.writing import comments_are_settled, nobody_else_writes
from qms import contributions
from qms.contributions import Step
from qms.events import handles, publish
from qms.files.models import Attachment
from qms.files.workflow import guards_attaching, render, shows_pictures
from qms.people.models import Person
from qms.periods import add_months, day_of, due_in, today
from qms.records import RecordSaved
from qms.refusals import Refused
from qms.scope.models import Organisation
from qms.signing.models import Signature
from qms.workflow import amendment, creates, transition, voids

log = logging.getLogger(__name__)
Status = Revision.Status
REVIEWED, APPROVED = "Reviewed", "Approved"
LOOK_WITHIN = 30  # days from a flag to the look at the document
MOST_AHEAD = 60  # months from today to the day a revision takes effect


@dataclass(frozen=True)
class RevisionSubmitted:
    """A revision was sent to review."""

    revision: Revision


@dataclass(frozen=True)
class RevisionBecameEffective:
    """A revision took into force; what it causes (reading, recalls, audit questions) follows."""

    revision: Revision
    replaced: Revision | None


# Guards


def signatories_are_named(revision: Revision, by: Any) -> str | None:
    for part, words in ((Part.REVIEW, "a reviewer"), (Part.APPROVAL, "an approver")):
        if not signatories_of(revision, part).seats:
            return f"Name {words} first."
    return None


def signatories_may_sign(revision: Revision, by: Any) -> str | None:
    """Better said now than when somebody has waited for it."""
    for part in Part:
        for seat in signatories_of(revision, part).seats:
            if why := unfit(revision, part, seat.person):
                return why
    return None


def quorum_can_be_reached(revision: Revision, by: Any) -> str | None:
    for part, asked, words in (
        (Part.REVIEW, revision.review_quorum, "reviews"),
        (Part.APPROVAL, revision.approval_quorum, "approvals"),
    ):
        named = len(signatories_of(revision, part).seats)
        if asked and asked > named:
            return f"{asked} {words} are needed, but only {named} can be given. Name more people."
    return None


def there_is_content(revision: Revision, by: Any) -> str | None:
    if content.is_empty(revision.text) and not revision.source_id and not revision.fields:
        return "Write the text or upload the document first."
    return None


def a_form_can_be_filled_in(revision: Revision, by: Any) -> str | None:
    """A form asks something, or is an uploaded one that is filled in on paper."""
    if revision.document.kind != Document.Kind.FORM or revision.source_id:
        return None
    if not revision.fields:
        return "A form without fields cannot be filled in. Design its fields first."
    return not_given_to_its_register(revision.fields) or None


def not_given_to_its_register(fields: list[design.Part]) -> str:
    """Why entries could never become records of the register they are about; empty where they
    can, or are not meant to."""
    subject = design.subject_of(fields)
    taking = {each.kind: each for each in contributions.form_subjects()}
    register = taking.get(subject["of"]) if subject else None
    gives = {part["gives"] for part in fields if part.get("gives")}
    if not gives:
        return ""
    if register is None:
        return "Its fields are given to a register, but no field says what an entry is about."
    if foreign := sorted(gives - set(register.takes)):
        return f"{register.label} does not take “{foreign[0]}”. Take that out of the field."
    missing = [
        str(asked.label or name)
        for name, asked in register.takes.items()
        if asked.required and name not in gives and not isinstance(asked, forms.DateField)
    ]
    if missing:
        return f"{register.label} needs this too: {', '.join(missing)}. Say which field gives it."
    return ""


def what_it_changes(revision: Revision) -> Extent | None:
    """How much a minor revision changes of the major one that people have read.

    Not of the one before it: many small steps are a long way. None where nothing was read.
    """
    if not revision.is_minor:
        return None
    released = revision.document.revisions.released().select_related("source__blob")
    major = released.filter(number__lt=revision.number, is_minor=False).order_by("-number").first()
    read = major or released.order_by("number").first()
    return extent_of(read, revision) if read is not None and read.pk != revision.pk else None


def a_minor_change_is_small(revision: Revision, by: Any) -> str | None:
    """Who changes much says why nobody has to read it again; it is signed with the revision."""
    extent = what_it_changes(revision)
    if extent is None or extent.is_small or revision.why_minor.strip():
        return None
    return (
        f"Nobody is asked to read a minor revision, but this one changes {extent.in_words} since"
        f" revision {extent.since}. Say in the draft why it is minor all the same, or make it a"
        " major one."
    )


def files_are_its_own(revision: Revision, by: Any) -> str | None:
    """Its original and its pictures are attached to this document, so that readers may see them."""
    pictures = set(content.pictures_in(revision.text))
    wanted = pictures | ({revision.source_id} if revision.source_id else set())
    if not wanted:
        return None
    revisions = Revision._base_manager.filter(document=revision.document_id)
    known = Attachment.objects.of(*revisions).kept().filter(pk__in=wanted)
    missing = wanted - set(known.values_list("pk", flat=True))
    if missing & pictures:
        return "A picture in the text is not attached to this document. Insert it again."
    return "The uploaded document is no longer attached. Upload it again." if missing else None


def reviewer_wrote_none_of_it(revision: Revision, by: Any) -> str | None:
    if by.pk in writers_of(revision):
        return "Who wrote a part of it does not review it. Name another reviewer."
    return None


def approver_wrote_none_of_it(revision: Revision, by: Any) -> str | None:
    if by.pk not in writers_of(revision):
        return None
    reviews = signatories_of(revision, Part.REVIEW).seats
    reviewed_by_another = any(seat.signed_on and seat.person_id != by.pk for seat in reviews)
    if by.holds("top_management") and reviewed_by_another:
        return None
    return "Who wrote a part of it does not approve it. Name another approver."


def only_named_reviewers(revision: Revision, by: Any) -> str | None:
    if signatories_of(revision, Part.REVIEW).seat_of(by):
        return None
    return "Only the named reviewers sign the review."


def only_named_approvers(revision: Revision, by: Any) -> str | None:
    if signatories_of(revision, Part.APPROVAL).seat_of(by):
        return None
    return "Only the named approvers approve."


def it_is_their_turn(part: Part) -> Any:
    """A guard: the person has not signed yet, and nobody has to sign before."""

    def guard(revision: Revision, by: Any) -> str | None:
        plan = signatories_of(revision, part)
        seat = plan.seat_of(by)
        if seat is None or seat in plan.next:
            return None
        if seat.signed_on is not None:
            return "You have signed it already."
        return f"{plan.next[0].person.name} signs first." if plan.next else "Enough have signed."

    return guard


def what_was_reviewed_is_unchanged(revision: Revision, by: Any) -> str | None:
    """The review stands under exactly this content, by its hash."""
    signed = Signature.objects.of(revision).filter(
        meaning=REVIEWED, content_hash=revision.content_hash
    )
    reviewers = {s.person_id for s in signatories_of(revision, Part.REVIEW).seats if s.signed_on}
    if reviewers and reviewers <= set(signed.values_list("person_id", flat=True)):
        return None
    return "This is not what was reviewed. Send it back, so that it is reviewed again."


def only_who_takes_part(revision: Revision, by: Any) -> str | None:
    parts = (signatories_of(revision, part) for part in Part)
    signs = any(plan.seat_of(by) for plan in parts)
    if signs or by.pk == revision.created_by_id or by.holds("quality_manager"):
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


@shows_pictures(Revision)
def is_in_a_text_they_read(picture: Attachment, person: Any) -> bool:
    """A picture is for the readers of any revision of its document that shows it.

    It is attached to the draft it came with, which they may never see.
    """
    came_with: Any = picture.record
    read = Revision.objects.visible_to(person).filter(document=came_with.document_id)
    return any(picture.pk in content.pictures_in(each.text) for each in read.only("text"))


def the_document(revision: Revision) -> None:
    """Revisions of one document change one after the other."""
    Document._base_manager.select_for_update(of=("self",)).get(pk=revision.document_id)


# Factory


@creates(Revision, permission="documents.add_revision")
def start_revision(
    document: Document,
    *,
    by: Person,
    change_summary: str = "",
    is_minor: bool = False,
    text: Any = None,
    reviewers: Sequence[Person] | None = None,
    approvers: Sequence[Person] | None = None,
) -> Revision:
    """Start the next revision from the one in force; a document has one in work at a time."""
    locked = Document._base_manager.select_for_update(of=("self",)).get(pk=document.pk)
    if locked.status != Document.Status.ACTIVE:
        raise Refused("The document was withdrawn; it takes no new revision.")
    if in_work := locked.revisions.filter(status__in=Revision.OPEN_STATES).first():
        raise Refused(
            f"Revision {in_work.label} is in work already ({in_work.get_status_display().lower()})."
            " Go on with it, or void it first."
        )
    base = locked.revisions.effective().first() or locked.revisions.order_by("-number").first()
    latest = locked.revisions.aggregate(latest=Max("number"))["latest"] or 0
    revision = Revision(
        document=locked,
        number=latest + 1,
        label=next_label(locked, minor=is_minor),
        is_minor=is_minor,
        title=locked.title,
        text=content.check(text) if text is not None else (base.text if base else content.EMPTY),
        source=base.source if base and text is None else None,
        fields=base.fields if base else [],
        questions=base.questions if base else [],
        change_summary=change_summary,
        in_order=bool(base and base.in_order),
        review_quorum=base.review_quorum if base else None,
        approval_quorum=base.approval_quorum if base else None,
        created_by=by,
    )
    revision.save()
    for part, people in ((Part.REVIEW, reviewers), (Part.APPROVAL, approvers)):
        if people is None and base is not None:
            seats = signatories_of(base, part).seats
            people = [seat.person for seat in seats if not unfit(revision, part, seat.person)]
        name_signatories(revision, part, people or (), by=by)
    return revision


def next_label(document: Document, *, minor: bool) -> str:
    """2 after 1 or 1.3; 1.4 after 1.3 for a minor change. A voided draft's label is free again."""
    labels = document.revisions.exclude(status=Status.VOID).values_list("label", flat=True)
    known = [(*map(int, label.split(".")), 0)[:2] for label in labels]
    if not known:
        return "1"
    major, count = max(known)
    return f"{major}.{count + 1}" if minor else str(major + 1)


# Transitions


@transition(
    Revision,
    source=Status.DRAFT,
    target=Status.DRAFT,
    permission="documents.change_revision",
    only=lambda revision, by: None if revision.is_minor else "It is a major revision already.",
    guards=[nobody_else_writes],
    label="Make it a major revision",
    locks=the_document,
    primary=False,
)
def make_major(revision: Revision, *, by: Any) -> None:
    """Its readers are asked to read it; its text stays, its number becomes the next whole one."""
    revision.is_minor, revision.why_minor = False, ""
    revision.label = next_label(revision.document, minor=False)


@transition(
    Revision,
    source=Status.DRAFT,
    target=Status.IN_REVIEW,
    permission="documents.change_revision",
    guards=[
        document_is_active,
        there_is_content,
        a_form_can_be_filled_in,
        files_are_its_own,
        signatories_are_named,
        signatories_may_sign,
        quorum_can_be_reached,
        a_minor_change_is_small,
        nobody_else_writes,
        comments_are_settled,
    ],
    label="Send to review",
    then=lambda revision, by: publish(RevisionSubmitted(revision)),
)
def submit(revision: Revision, *, by: Any) -> None:
    """Send it to the reviewers; from now on its content stands still."""
    revision.submitted_on = today()


@transition(
    Revision,
    source=Status.IN_REVIEW,
    target=Status.IN_REVIEW,
    permission="documents.review_revision",
    only=only_named_reviewers,
    guards=[reviewer_wrote_none_of_it, it_is_their_turn(Part.REVIEW)],
    signs=REVIEWED,
    label="Sign the review",
    then=lambda revision, by: pass_review_if_complete(revision),
)
def review(revision: Revision, *, by: Any) -> None:
    """Confirm that it is suitable and adequate; the last review hands it to the approvers."""
    sign_off(revision, Part.REVIEW, by=by, on=today())


@transition(
    Revision,
    source=Status.IN_REVIEW,
    target=Status.REVIEWED,
    permission="documents.pass_revision",
    guards=[lambda revision, by: enough_have_signed(revision, Part.REVIEW)],
    label="Pass on to the approvers",
)
def pass_review(revision: Revision, *, by: Any) -> None:
    """Enough have signed the review; the approvers are next."""
    last = _last_to_sign(revision, Part.REVIEW)
    revision.reviewed_by, revision.reviewed_on = last.person, last.signed_on


@transition(
    Revision,
    source=Status.REVIEWED,
    target=Status.REVIEWED,
    permission="documents.approve_revision",
    only=only_named_approvers,
    guards=[
        document_is_active,
        approver_wrote_none_of_it,
        it_is_their_turn(Part.APPROVAL),
        what_was_reviewed_is_unchanged,
        comments_are_settled,
    ],
    signs=APPROVED,
    label="Approve",
    details={
        "effective_from": forms.DateField(
            label="Effective from",
            required=False,
            help_text="Empty: on the day that is planned, else at once.",
        )
    },
    locks=the_document,
    then=lambda revision, by: approve_if_complete(revision),
)
def approve(revision: Revision, *, by: Any, effective_from: date | None = None) -> None:
    """Approve it; it takes effect at once or on the given day, in place of the one before.

    Without a day the planned one stays; what somebody approved for a day takes no effect sooner.
    """
    planned, refuse = revision.effective_from, partial(Refused, field="effective_from")
    if effective_from and effective_from < today():
        raise refuse(
            "It cannot take effect in the past. Choose a day from today on, or leave it empty."
        )
    if effective_from and (why := too_far_ahead(effective_from)):
        raise refuse(why)
    if effective_from and planned and effective_from < planned:
        seats = signatories_of(revision, Part.APPROVAL).seats
        first = next((seat for seat in seats if seat.signed_on and seat.person_id != by.pk), None)
        if first is not None:
            raise refuse(
                f"{first.person.name} approved it for {planned:%-d %B %Y}. It takes no effect"
                " sooner; send it back if it has to."
            )
    revision.effective_from = effective_from or planned
    sign_off(revision, Part.APPROVAL, by=by, on=today())


def too_far_ahead(day: date) -> str | None:
    """A day that is a typing error: nobody approves for the next generation."""
    if day <= add_months(today(), MOST_AHEAD):
        return None
    return f"It would take effect in {day.year}, more than five years from now. Check the year."


@transition(
    Revision,
    source=Status.REVIEWED,
    target=Status.APPROVED,
    permission="documents.pass_revision",
    guards=[
        document_is_active,
        what_was_reviewed_is_unchanged,
        lambda revision, by: enough_have_signed(revision, Part.APPROVAL),
    ],
    label="Release",
    locks=the_document,
    then=lambda revision, by: take_effect_if_due(revision),
)
def approve_for_good(revision: Revision, *, by: Any) -> None:
    """Enough have approved it; it takes effect on its day."""
    last = _last_to_sign(revision, Part.APPROVAL)
    revision.approved_by, revision.approved_on = last.person, last.signed_on
    revision.effective_from = max(revision.effective_from or today(), today())


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
        supersede(old, by=by, reason=f"Superseded by revision {revision.label}.")


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
    """Give way to the next revision, from the day on which that one takes effect."""
    successors = revision.document.revisions.due_to_take_effect(today()).exclude(pk=revision.pk)
    revision.ended_on = min(each.effective_from or today() for each in successors)


@transition(
    Revision,
    source=[Status.IN_REVIEW, Status.REVIEWED, Status.APPROVED],
    target=Status.DRAFT,
    permission="documents.review_revision",
    only=only_who_takes_part,
    reason=True,
    label="Send back",
    primary=False,
    then=lambda revision, by: begin_anew(revision, by=by, reason="The revision was sent back."),
)
def send_back(revision: Revision, *, by: Any) -> None:
    """Send it back to the author; review and approval start anew."""
    revision.reviewed_by = revision.reviewed_on = revision.submitted_on = None
    revision.approved_by = revision.approved_on = None


@transition(
    Revision,
    source=Status.EFFECTIVE,
    target=Status.WITHDRAWN,
    permission="documents.withdraw_revision",
    guards=[lambda revision, by: withdrawn_with_its_document(revision)],
    reason=True,
    label="Withdraw the revision",
    primary=False,
)
def withdraw_revision(revision: Revision, *, by: Any) -> None:
    """Take the revision out of force without a successor."""
    revision.ended_on = today()


void = voids(
    Revision,
    source=Status.DRAFT,
    permission="documents.change_revision",
    guards=[nobody_else_writes],
)


def enough_have_signed(revision: Revision, part: Part) -> str | None:
    plan = signatories_of(revision, part)
    if plan.is_complete:
        return None
    return f"{plan.signed} of {plan.needed} have signed. It moves on by itself with the last."


def _last_to_sign(revision: Revision, part: Part) -> Any:
    """The signatory who completed a part: the newest signature's."""
    seats = {s.person_id: s for s in signatories_of(revision, part).seats if s.signed_on}
    meaning = REVIEWED if part == Part.REVIEW else APPROVED
    newest = Signature.objects.of(revision).filter(meaning=meaning, person__in=list(seats))
    return seats[newest.latest("pk").person_id]


def pass_review_if_complete(revision: Revision) -> None:
    """The last review passes the revision on; nobody has to press anything."""
    if signatories_of(revision, Part.REVIEW).is_complete:
        pass_review(revision, by=Person.objects.system())


def approve_if_complete(revision: Revision) -> None:
    """The last approval releases the revision."""
    if signatories_of(revision, Part.APPROVAL).is_complete:
        approve_for_good(revision, by=Person.objects.system())


def a_successor_takes_over(revision: Revision) -> str | None:
    successors = revision.document.revisions.due_to_take_effect(today())
    if successors.exclude(pk=revision.pk).exists():
        return None
    return "It gives way only to an approved revision."


def withdrawn_with_its_document(revision: Revision) -> str | None:
    if revision.document.status == Document.Status.WITHDRAWN:
        return None
    return "Withdraw the document; its revision goes with it."


def take_effect_if_due(revision: Revision) -> None:
    """The clock's part: an approved revision whose day has come takes effect."""
    if revision.effective_from and revision.effective_from <= today():
        make_effective(revision, by=Person.objects.system())


def tell_effective(revision: Revision, by: Any) -> None:
    """The document is due for review again, and whoever listens is told."""
    document = Document._base_manager.get(pk=revision.document_id)
    document.title = revision.title
    document.next_review = add_months(revision.effective_from or today(), document.review_months)
    document.save_because(f"Revision {revision.label} took effect.", by=by)
    replaced = document.revisions.filter(
        status=Status.SUPERSEDED, number__lt=revision.number
    ).order_by("-ended_on", "-number")
    publish(RevisionBecameEffective(revision, replaced.first()))


def make_due_revisions_effective(on: date) -> int:
    """Every approved revision whose day has come takes effect; returns how many.

    Runs by the clock and before a page shows what is in force: a stopped scheduler is caught up,
    and twice is once. What cannot take effect stops none of the others.
    """
    count = 0
    due = Revision.objects.due_to_take_effect(on)
    if not due.exists():  # asked by every page of documents
        return count
    for revision in list(due.order_by("effective_from", "number")):
        try:
            make_effective(revision, by=Person.objects.system())
        except Refused as refusal:  # somebody else was quicker
            log.info("%s did not take effect: %s", revision, refusal)
        else:
            count += 1
    return count


editing = amendment(
    Revision,
    permission="documents.change_revision",
    fields=(
        "title",
        "text",
        "source",
        "fields",
        "questions",
        "change_summary",
        "why_minor",
        "in_order",
        "review_quorum",
        "approval_quorum",
        "effective_from",
    ),
    states=(Status.DRAFT,),
    guards=[nobody_else_writes],
    checks=[
        lambda revision, changes: text_is_clean(revision, changes),
        lambda revision, changes: fields_are_clean(revision, changes),
        lambda revision, changes: the_day_is_near(changes.get("effective_from")),
    ],
)


def the_day_is_near(planned: date | None) -> str | None:
    if planned and planned < today():
        return "It cannot take effect in the past. Plan a day from today on, or leave it empty."
    return too_far_ahead(planned) if planned else None


def text_is_clean(revision: Revision, changes: Mapping[str, Any]) -> str | None:
    """Whoever writes it: only what the schema knows is kept."""
    if "text" in changes and content.check(changes["text"]) != changes["text"]:
        return "The text holds something it may not. Write it in the editor or as Markdown."
    return None


def fields_are_clean(revision: Revision, changes: Mapping[str, Any]) -> str | None:
    """Only forms have fields, they hold, and what was in force keeps its meaning."""
    if "fields" not in changes:
        return None
    fields = changes["fields"]
    if fields and revision.document.kind != Document.Kind.FORM:
        return "Only a form has fields."
    try:
        if design.check(fields) != fields:
            return "The fields hold something they may not. Design them on their page."
    except Refused as refusal:
        return str(refusal)
    for before in revision.document.revisions.released().order_by("-number"):
        if why := design.is_stable(before.fields, fields):
            return why
    return None


@handles(RecordSaved, order=70)
def ask_for_its_words(event: RecordSaved) -> None:
    """What was uploaded gets its words and its PDF, in the background."""
    revision = event.record
    if isinstance(revision, Revision) and revision.source is not None:
        render(revision.source.blob)


# Who has to do what next


@contributions.work(Revision)
def next_steps(revision: Revision) -> list[Step]:
    """The author writes, the reviewers review, the approvers approve."""
    if revision.status == Status.DRAFT:
        return [Step("write", "Continue", person=revision.created_by, remind=False)]
    if revision.status == Status.IN_REVIEW:
        due = due_in(_days_to_sign(), revision.submitted_on or today())
        seats = signatories_of(revision, Part.REVIEW).next
        return [Step("review", "Review", person=seat.person, due=due) for seat in seats]
    if revision.status == Status.REVIEWED:
        due = due_in(_days_to_sign(), revision.reviewed_on or today())
        seats = signatories_of(revision, Part.APPROVAL).next
        return [Step("approve", "Approve", person=seat.person, due=due) for seat in seats]
    return []


def _days_to_sign() -> int:
    organisation = Organisation.objects.current()
    return organisation.approval_days if organisation else 3


@contributions.work(Document)
def reviews_due(document: Document) -> list[Step]:
    """The owner looks at the document again when its interval has passed."""
    if document.status != Document.Status.ACTIVE:
        return []
    steps = []
    if document.next_review:
        steps.append(Step("periodic", "Review", person=document.owner, due=document.next_review))
    flagged = ReviewFlag.objects.open().filter(document=document).order_by("pk").first()
    if flagged is not None:
        due = due_in(LOOK_WITHIN, day_of(flagged.recorded_at) if flagged.recorded_at else today())
        steps.append(Step("flagged", "Look again", person=document.owner, due=due))
    if document.watch_on:
        steps.append(
            Step("watch", "Look for an edition", person=document.owner, due=document.watch_on)
        )
    return steps
