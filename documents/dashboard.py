"""What the home page, the dashboard, the calendar and the search get from documents."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db.models import Count, Q

from documents.models import Document
from qms import contributions
from qms.contributions import Entry, Hit, Related, Tile
from qms.scope.models import Process

contributions.navigation(
    "Do",
    "Documents",
    "documents:document_list",
    icon="file-text",
    permission="documents.view_document",
    order=10,
)
contributions.create_entry(
    "Document",
    "documents:document_create",
    icon="file-text",
    permission="documents.add_document",
    order=30,
)


@contributions.tile(order=40, permission="documents.view_document")
def documents_tile(today: date) -> Tile:
    """How current the documents are."""
    current = Document.objects.current().exclude(next_review=None).count()
    late = Document.objects.review_due(today).count()
    return Tile(
        title="Documents",
        figure=str(current),
        note=f"{late} past their review." if late else "None is past its review.",
        tone="late" if late else "fine",
        url="/documents/",
    )


@contributions.search("Documents", order=10)
def find_documents(person: Any, query: str, limit: int) -> list[Hit]:
    """Documents by number, title or the text in force."""
    words = Q(number__icontains=query) | Q(title__icontains=query)
    text = Q(revisions__status="effective", revisions__body__icontains=query)
    rows = Document.objects.visible_to(person).filter(words | text).distinct()
    return [
        Hit(each.title, "Document", each.number, each.get_absolute_url(), each.get_kind_display())
        for each in rows.order_by("number")[:limit]
    ]


@contributions.calendar
def review_days(person: Any, start: date, end: date) -> list[Entry]:
    """When documents are due for review."""
    rows = Document.objects.visible_to(person).current()
    return [
        Entry(each.next_review, f"Review {each.number}", "Document", each.get_absolute_url())
        for each in rows.filter(next_review__range=(start, end)).order_by("next_review", "pk")[:200]
    ]


@contributions.relates(
    Process, "Documents", permission="documents.view_document", add="documents:document_create"
)
def documents_of_processes(ids: Iterable[int], person: Any) -> dict[int, list[Related]]:
    """The documents in use that describe a process."""
    rows = Document.objects.filter(process__in=list(ids), status=Document.Status.ACTIVE)
    found: dict[int, list[Related]] = {}
    for each in (rows.visible_to(person) if person else rows).order_by("number"):
        found.setdefault(each.process_id or 0, []).append(
            Related(each.title, each.number, each.get_absolute_url(), each.get_kind_display())
        )
    return found


@contributions.owns("Documents", permission="documents.view_document", order=20)
def documents_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many documents in use each person answers for."""
    rows = Document.objects.filter(owner__in=list(ids), status=Document.Status.ACTIVE)
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())
