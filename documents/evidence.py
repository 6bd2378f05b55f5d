"""What the evidence pack and the management review get from documents (7.5)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse

from documents.models import Disposition, Document, EvidencePointer, Revision
from documents.prints import TEMPLATE, revision_context
from qms import contributions
from qms.clauses import ClauseRef
from qms.contributions import ClauseLine, Concern, Line, Withheld
from qms.periods import Period, day_of
from qms.proofs import (
    Blocker,
    GapSignal,
    Proofs,
    as_it_was,
    by_clause,
    counted,
    gap_signal,
    proves,
)
from qms.scope.models import Process


def revisions_of(period: Period) -> Any:
    """The revisions in force at any time in the period, by document."""
    people = ("document__owner", "document__process", "approved_by", "reviewed_by", "created_by")
    rows = Revision.objects.in_force_during(period.start, period.end)
    return rows.select_related(*people).order_by("document__number", "number")


@contributions.evidence(
    folder="05-documents",
    title="Controlled documents",
    clauses=("7.5.1", "7.5.2", "7.5.3", "7.5.3.1", "7.5.3.2", "5.2.1", "5.2.2"),
    template="documents/evidence/master_list.html",
)
def master_list(period: Period, as_of: datetime) -> dict[str, Any]:
    """The master list with every revision that was in force in the period."""
    return {"revisions": list(revisions_of(period)), "period": period}


@contributions.register(
    name="documents",
    title="Controlled documents and their revisions",
    columns=(
        "Number",
        "Title",
        "Kind",
        "Process",
        "Owner",
        "Revision",
        "State",
        "Reviewed by",
        "Reviewed on",
        "Approved by",
        "Approved on",
        "Effective from",
        "Ended on",
    ),
)
def register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a revision."""
    for each in revisions_of(period):
        document = each.document
        yield (
            document.number,
            each.title,
            document.get_kind_display(),
            str(document.process or ""),
            document.owner.name,
            each.label,
            each.get_status_display(),
            each.reviewed_by.name if each.reviewed_by else "",
            each.reviewed_on,
            each.approved_by.name if each.approved_by else "",
            each.approved_on,
            each.effective_from,
            each.ended_on,
        )


@contributions.printed(
    folder="05-documents",
    model_label="documents.Revision",
    template=TEMPLATE,
    context=revision_context,
)
def printed_revisions(period: Period, as_of: datetime) -> Iterable[tuple[Revision, str]]:
    """Each revision in force in the period as a page of its own; restricted ones only by name."""
    for each in revisions_of(period):
        if each.document.confidentiality == Document.Confidentiality.OPEN:
            yield each, f"{each.document.number}-rev{each.label}"


@contributions.register(
    name="evidence-pointers",
    title="Evidence that lives elsewhere",
    columns=(
        *("Number", "What it shows", "System", "Where", "Owner", "Kept there for"),
        *("Last sample", "What it showed", "Next sample", "State"),
    ),
)
def pointers(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a pointer."""
    for each in EvidencePointer.objects.select_related("owner").order_by("number"):
        yield (
            *(each.number, each.title, each.system, each.query, each.owner.name),
            *(each.retention, each.sampled_on, each.seen, each.next_sample),
            each.get_status_display(),
        )


@contributions.register(
    name="dispositions",
    title="Documents that were disposed of",
    columns=(
        "Number",
        "Document",
        "Kept until",
        "Why",
        "Proposed by",
        "Approved by",
        "On",
        "Files",
    ),
)
def dispositions(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a disposition that was carried out."""
    rows = Disposition.objects.filter(status=Disposition.Status.DONE)
    for each in rows.select_related("document", "created_by", "approved_by").order_by("number"):
        yield (
            *(each.number, each.document.number, each.kept_until, each.why),
            each.created_by.name,
            each.approved_by.name if each.approved_by else "",
            *(each.done_on, each.destroyed),
        )


@contributions.review_input(key="documents", title="Documented information", order=80)
def review_input(period: Period) -> list[Line]:
    """How current the documents are; a line for the chairing person, not an input of the list."""
    overdue = Document.objects.review_due(period.end).count()
    effective = Revision.objects.filter(
        effective_from__range=(period.start, period.end), status__in=Revision.RELEASED_STATES
    ).count()
    return [
        Line("Revisions that took effect", str(effective)),
        Line("Documents past their review", str(overdue)),
    ]


@contributions.clause_evidence
def sampled_elsewhere(edition: str) -> list[ClauseLine]:
    """A dated sample of outside evidence shows the clauses it serves, kept by its owner."""
    rows = EvidencePointer.objects.active().exclude(sampled_on=None).exclude(clauses=[])
    return [
        ClauseLine(
            ref.number,
            "Sample of outside evidence",
            f"{each.title} ({each.system})",
            each.number,
            each.owner.name,
            each.sampled_on,
            each.get_absolute_url(),
            of=each,
        )
        for each in rows.select_related("owner").order_by("number")
        for ref in map(ClauseRef.parse, each.clauses)
        if ref.edition == edition
    ]


@contributions.clause_evidence
def clause_lines(edition: str) -> list[ClauseLine]:
    """A document in force shows the clauses it serves, approved by a person on a day."""
    rows = Revision.objects.effective().exclude(document__clauses=[])
    found = []
    for each in rows.select_related("document", "approved_by").order_by("document__number"):
        for ref in map(ClauseRef.parse, each.document.clauses):
            if ref.edition == edition:
                found.append(
                    ClauseLine(
                        ref.number,
                        "Document",
                        f"{each.title}, revision {each.label}",
                        each.document.number,
                        each.approved_by.name if each.approved_by else "",
                        each.approved_on,
                        each.document.get_absolute_url(),
                        of=each.document,
                    )
                )
    return found


def _named(document: Document) -> str:
    """A restricted document goes by its number where not only its readers look."""
    is_open = document.confidentiality == Document.Confidentiality.OPEN
    return str(document) if is_open else document.number


@contributions.preflight
def concerns(period: Period) -> list[Concern]:
    """Documents past their review, and revisions that wait for an approval."""
    late = Document.objects.review_due(period.end).order_by("next_review")
    found = [
        Concern(
            f"{_named(each)} was due for review on {each.next_review:%-d %b %Y}.",
            each.get_absolute_url(),
            "late",
        )
        for each in late[:20]
    ]
    waiting = Revision.objects.filter(status__in=("in_review", "reviewed")).count()
    if waiting:
        words = "revision waits" if waiting == 1 else "revisions wait"
        found.append(Concern(f"{waiting} {words} for review or approval.", "/documents/", "soon"))
    return found


@contributions.withholds
def restricted(period: Period, as_of: datetime) -> Iterable[Withheld]:
    """Restricted documents are named in a pack and shown on site."""
    for each in revisions_of(period).exclude(
        document__confidentiality=Document.Confidentiality.OPEN
    ):
        yield Withheld(
            "05-documents",
            f"{each.document.number} {each.title}, revision {each.label}",
            "The document is restricted.",
        )


# What the records prove, and what they betray -------------------------------------------------


def in_force_then(as_of: datetime) -> list[Any]:
    """The documents that had a revision in force at an instant, as they were, by number."""
    revisions = as_it_was(Revision, as_of).filter(status=Revision.Status.EFFECTIVE)
    rows = as_it_was(Document, as_of).filter(id__in=revisions.values("document_id"))
    return list(rows.order_by("number"))


def _told(row: Any) -> tuple[str, date | None]:
    return f"{row.number} {row.title}", None


@proves()
def documents_prove(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """What was in force, by the clauses it serves; the policy, and how current it all is."""
    rows = in_force_then(as_of)
    found = {
        number: counted("documents in force", Document, some, _told, shows=("maintain",))
        for number, some in by_clause(rows, edition, lambda row: row.clauses).items()
    }
    policies = [row for row in rows if row.kind == Document.Kind.POLICY]
    write = Blocker(
        "No quality policy is in force.", reverse("documents:document_create"), "Write it"
    )
    found |= {
        number: counted(
            "quality policies in force", Document, policies, _told, () if policies else (write,)
        )
        for number in ("5.2.1", "5.2.2")
    }
    late = [row for row in rows if row.next_review and row.next_review < day_of(as_of)]
    words = "document is" if len(late) == 1 else "documents are"
    review = Blocker(
        f"{len(late)} {words} past the day of review.", reverse("documents:document_list"), "Review"
    )
    start = Blocker("No document is in force.", reverse("documents:document_create"), "Write one")
    found["7.5.1"] = counted("documents in force", Document, rows, _told, () if rows else (start,))
    found["7.5.3.2"] = counted(
        "documents in force", Document, rows, _told, (review,) if late else ()
    )
    return found


@gap_signal(order=20)
def processes_without_documents(edition: str, today: date) -> list[GapSignal]:
    """A running process that no document in force tells about."""
    told = Revision.objects.effective().filter(document__process=OuterRef("pk"))
    bare = Process.objects.active().filter(~Exists(told)).select_related("owner")
    return [
        GapSignal(
            f"documents:{process.pk}",
            "4.4.2",
            f"No document in force tells how {process.name} is done.",
            process.get_absolute_url(),
            f"Write down how {process.name} is done",
            process.owner,
        )
        for process in bare.order_by("code")
    ]
