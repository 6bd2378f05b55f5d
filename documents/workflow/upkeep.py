"""Periodic review: reaffirmed by signature, or flagged when what it depends on changed (7.5.2)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.db.models import F, Q

from documents.models import Document, DocumentSite, Opening, ReviewFlag, Revision
from documents.models.revisions import Pointers
from documents.workflow.documents import DocumentWithdrawn, no_open_revision
from documents.workflow.revisions import RevisionBecameEffective
from qms.events import handles
from qms.people.models import Person
from qms.periods import add_months, today
from qms.records import RecordSaved
from qms.refusals import Refused
from qms.scope.models import Process, ScopeStatement, Site
from qms.scope.workflow import ProcessChanged
from qms.signing.models import Signature
from qms.work.workflow import refresh
from qms.workflow import creates, transition

REAFFIRMED = "Reaffirmed"
# What a document says of its process, in the words of a flag.
TOLD = {
    "owner": "has another owner",
    "purpose": "has another purpose",
    "criteria": "has other criteria",
}
ABOUT_THE_SCOPE = Q(kind__in=("policy", "manual")) | Q(clauses__overlap=["2015:4.3", "2026:4.3"])


# Reaffirming


def who_keeps_it(document: Document, by: Any) -> str | None:
    process = document.process
    if by.pk in (document.owner_id, process.owner_id if process else None):
        return None
    if by.holds("quality_manager"):
        return None
    return "Only its owner, the owner of its process or the quality manager reaffirms it."


def something_is_in_force(document: Document, by: Any) -> str | None:
    read = document.__dict__  # a page has read it with the document
    if read["effective_id"] if "effective_id" in read else document.revisions.effective().exists():
        return None
    return "No revision is in force; there is nothing to reaffirm."


@transition(
    Document,
    source=Document.Status.ACTIVE,
    target=Document.Status.ACTIVE,
    permission="documents.reaffirm_document",
    only=who_keeps_it,
    guards=[something_is_in_force, lambda document, by: no_open_revision(document)],
    signs=REAFFIRMED,
    details={
        "again_on": forms.DateField(
            label="Look at it again on",
            required=False,
            help_text="Sooner than its interval asks. Empty: after its interval.",
        )
    },
    label="Reaffirm",
    primary=False,
    then=lambda document, by: settle_flags(document, f"Reaffirmed by {by.name}."),
)
def reaffirm(document: Document, *, by: Any, again_on: date | None = None) -> None:
    """Confirm that the revision in force still holds; nothing is changed."""
    latest = add_months(today(), document.review_months)
    if again_on and not today() < again_on <= latest:
        raise Refused(
            f"Choose a day from tomorrow to {latest:%-d %B %Y}, or leave it empty.",
            field="again_on",
        )
    document.next_review = again_on or latest


# Flags


@creates(ReviewFlag, permission="documents.keep_flag")
def raise_flag(
    *,
    by: Person,
    document: Document,
    revision: Revision,
    key: str,
    why: str,
    url: str = "",
    cause: Revision | None = None,
    caused_by: Person | None = None,
) -> ReviewFlag:
    """Say why a document should be looked at again."""
    flag = ReviewFlag(
        document=document,
        revision=revision,
        key=key,
        why=why[:300],
        url=url,
        cause=cause,
        caused_by=caused_by,
        created_by=by,
    )
    flag.save()
    return flag


def it_was_looked_at(flag: ReviewFlag, by: Any) -> str | None:
    """A flag goes with a signature or a new revision, never by hand alone."""
    document = Document._base_manager.get(pk=flag.document_id)
    in_force = document.revisions.effective().values_list("pk", flat=True).first()
    if document.status != Document.Status.ACTIVE or in_force != flag.revision_id:
        return None
    signed = Signature.objects.of(document).filter(
        meaning=REAFFIRMED, signed_at__gte=flag.recorded_at
    )
    return None if signed.exists() else "Reaffirm the document, or bring a revision into force."


@transition(
    ReviewFlag,
    source=ReviewFlag.Status.OPEN,
    target=ReviewFlag.Status.SETTLED,
    permission="documents.keep_flag",
    guards=[it_was_looked_at],
    reason=True,
    label="Settle",
)
def settle_flag(flag: ReviewFlag, *, by: Any) -> None:
    """The document was looked at since."""


def settle_flags(document: Document, reason: str) -> None:
    """Settle whatever was to be looked at."""
    flags = list(ReviewFlag.objects.open().filter(document=document).order_by("pk"))
    clockwork = Person.objects.system() if flags else None
    for flag in flags:
        settle_flag(flag, by=clockwork, reason=reason)


def flag_all(documents: Any, *, key: str, why: str, **more: Any) -> int:
    """Flag each of these documents that has a revision in force and no such flag; how many."""
    flagged = ReviewFlag.objects.open().filter(key=key).values("document_id")
    in_force = Revision.objects.effective().filter(
        document__in=documents.filter(status=Document.Status.ACTIVE).values("pk")
    )
    rows = list(in_force.exclude(document__in=flagged).select_related("document"))
    if not rows:
        return 0
    clockwork = Person.objects.system()
    for revision in rows:
        raise_flag(
            by=clockwork, document=revision.document, revision=revision, key=key, why=why, **more
        )
    return len(rows)


def pointing_at(document: Document) -> Any:
    """The documents whose text in force points at this one, by number."""
    rows = Revision.objects.effective().annotate(pointers=Pointers(F("text")))
    keys = rows.filter(pointers__contains=document.pk).values("document_id")
    return Document.objects.filter(pk__in=keys).exclude(pk=document.pk).order_by("number")


# What makes a document drift


@handles(ProcessChanged, order=60)
def its_process_changed(event: ProcessChanged) -> None:
    """Who answers for a process and what it is for stands in its documents."""
    process = event.process
    for field in event.fields:
        if field in TOLD:
            flag_all(
                Document.objects.filter(process=process),
                key=f"process:{process.pk}:{field}",
                why=f"{process.name} {TOLD[field]}.",
                url=process.get_absolute_url(),
                caused_by=event.by,
            )


@handles(RecordSaved, order=87)
def what_it_holds_for_ended(event: RecordSaved) -> None:
    """A retired process or a closed site leaves documents to be withdrawn, or to be rewritten."""
    ended = event.record
    if isinstance(ended, Process) and ended.status == Process.Status.RETIRED:
        documents, words = Document.objects.filter(process=ended), "was retired"
    elif isinstance(ended, Site) and ended.status == Site.Status.CLOSED:
        links = DocumentSite.objects.live().filter(site=ended)
        documents, words = Document.objects.filter(pk__in=links.values("document_id")), "was closed"
    else:
        return
    now, *before = ended.history.order_by("-history_id")[:2]
    if before and before[0].status != now.status:
        flag_all(
            documents,
            key=f"{ended._meta.model_name}:{ended.pk}:ended",
            why=f"{ended.name} {words}.",
            url=ended.get_absolute_url(),
            caused_by=now.history_user,
        )


@handles(RecordSaved, order=88)
def the_scope_changed(event: RecordSaved) -> None:
    """A newly approved scope statement against the one before it."""
    now = event.record
    if not isinstance(now, ScopeStatement) or now.status != ScopeStatement.Status.APPROVED:
        return
    known = ScopeStatement.objects.filter(status__in=("approved", "superseded"))
    before = known.exclude(pk=now.pk).order_by("-approved_on", "-pk").first()
    if before is None:
        return
    common = {"url": now.get_absolute_url(), "caused_by": now.approved_by}
    was, covered = set(before.processes()), set(now.processes())
    for processes, words in ((covered - was, "is now in"), (was - covered, "is no longer in")):
        _flag_processes(processes, words, now, common)
    told = ("statement", "products_and_services", "boundaries")
    if any(getattr(before, name) != getattr(now, name) for name in told):
        flag_all(
            Document.objects.filter(ABOUT_THE_SCOPE),
            key=f"scope:{now.pk}",
            why=f"The scope changed: {now.number} was approved.",
            **common,
        )


def _flag_processes(
    processes: Iterable[Process], words: str, statement: ScopeStatement, common: dict[str, Any]
) -> None:
    for process in sorted(processes, key=lambda each: each.code):
        flag_all(
            Document.objects.filter(process=process),
            key=f"scope:{statement.pk}:{process.pk}",
            why=f"{process.name} {words} the scope.",
            **common,
        )


@handles(RevisionBecameEffective, order=44)
def a_revision_took_effect(event: RevisionBecameEffective) -> None:
    """It settles what was flagged of its own document, and flags what points at it."""
    revision = event.revision
    settle_flags(revision.document, f"Revision {revision.label} took effect.")
    if event.replaced is None or revision.is_minor:
        return
    flag_all(
        pointing_at(revision.document),
        key=f"document:{revision.document_id}:{revision.pk}",
        why=f"{revision.document.number}, which it points at, has a new revision.",
        url=revision.document.get_absolute_url(),
        cause=revision,
        caused_by=revision.approved_by,
    )


@handles(DocumentWithdrawn, order=44)
def a_document_was_withdrawn(event: DocumentWithdrawn) -> None:
    """What points at it leads to nothing; its own flags have no more to ask."""
    document = event.document
    settle_flags(document, "The document was withdrawn.")
    flag_all(
        pointing_at(document),
        key=f"document:{document.pk}:withdrawn",
        why=f"{document.number}, which it points at, was withdrawn.",
        url=document.get_absolute_url(),
    )


@handles(RecordSaved, order=89)
def tell_the_owner(event: RecordSaved) -> None:
    """What the owner of a document has to do follows its flags."""
    if isinstance(event.record, ReviewFlag):
        refresh(event.record.document)


def note_opened(document_id: int, *, by: Any) -> None:
    """Keep that somebody opened the document today; once a day is enough."""
    seen = Opening(document_id=document_id, person=by, day=today())
    Opening.objects.bulk_create([seen], ignore_conflicts=True)
