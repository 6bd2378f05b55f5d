"""What the evidence pack and the management review get from documents (7.5)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from documents.models import Document, Revision
from documents.prints import TEMPLATE, revision_context
from qms import contributions
from qms.clauses import ClauseRef
from qms.contributions import ClauseLine, Concern, Line, Withheld
from qms.periods import Period


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
            each.number,
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
            yield each, f"{each.document.number}-rev{each.number}"


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
                        f"{each.title}, revision {each.number}",
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
            f"{each.document.number} {each.title}, revision {each.number}",
            "The document is restricted.",
        )
