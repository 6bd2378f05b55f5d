"""What the home page, the dashboard, the calendar and the search get from documents."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse

from documents.models import (
    ControlledCopy,
    Document,
    Entry,
    FollowUp,
    ReadingTask,
    Revision,
    Signatory,
)
from documents.subjects import register_of
from documents.workflow import why_not_successor
from qms import contributions
from qms.contributions import Holding, Panel, Related, Tile, held
from qms.periods import today as today_here
from qms.scope.models import Process, ProcessDeputy, ProcessMember

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


@contributions.tile(
    order=40,
    permission="documents.view_document",
    counts=lambda today: {
        "current": Document.objects.current().exclude(next_review=None),
        "late": Document.objects.review_due(today),
    },
)
def documents_tile(today: date, count: Mapping[str, int]) -> Tile:
    """How current the documents are."""
    late = count["late"]
    return Tile(
        title="Documents",
        figure=str(count["current"]),
        note=f"{late} past their review." if late else "None is past its review.",
        tone="late" if late else "fine",
        url="/documents/",
    )


@contributions.calendar
def review_days(person: Any, start: date, end: date) -> list[contributions.Entry]:
    """When documents are due for review."""
    rows = Document.objects.visible_to(person).current()
    return [
        contributions.Entry(
            each.next_review, f"Review {each.number}", "Document", each.get_absolute_url()
        )
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
            Related(
                each.title if person else each.told_outside(),
                each.number,
                each.get_absolute_url(),
                each.get_kind_display(),
            )
        )
    return found


@contributions.owns("Documents", permission="documents.view_document", order=20)
def documents_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many documents in use each person answers for."""
    rows = Document.objects.filter(owner__in=list(ids), status=Document.Status.ACTIVE)
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.hand_over("Documents", order=20)
def documents_to_hand_over(person: Any) -> list[Holding]:
    """Documents in use that somebody owns."""
    rows = Document.objects.filter(owner=person, status=Document.Status.ACTIVE).order_by("number")
    return held(rows, "owner", permission="documents.change_document")


@contributions.hand_over("Documents to review", order=21)
def reviews_waiting(person: Any) -> list[Holding]:
    """Reviews that somebody is to sign."""
    return _seats_of(person, "review", (Revision.Status.DRAFT, Revision.Status.IN_REVIEW))


@contributions.hand_over("Documents to approve", order=22)
def approvals_waiting(person: Any) -> list[Holding]:
    """Approvals that somebody is to sign."""
    waiting = (Revision.Status.DRAFT, Revision.Status.IN_REVIEW, Revision.Status.REVIEWED)
    return _seats_of(person, "approval", waiting)


def _seats_of(person: Any, part: str, states: Iterable[str]) -> list[Holding]:
    rows = Signatory.objects.of(person).filter(part=part, signed_on=None)
    rows = rows.filter(revision__status__in=list(states)).select_related("revision__document")
    return held(
        rows.order_by("revision__document__number", "pk"),
        "person",
        why_not=why_not_successor,
    )


@contributions.hand_over("Controlled copies", order=23)
def copies_held(person: Any) -> list[Holding]:
    """Controlled copies that somebody holds."""
    rows = ControlledCopy.objects.out().filter(holder=person).select_related("revision__document")
    return held(rows.order_by("number"), "holder")


@contributions.hand_over("Follow-ups of documents", order=24)
def follow_ups_waiting(person: Any) -> list[Holding]:
    """What names a document with a new revision, and somebody brings into line."""
    rows = FollowUp.objects.open().filter(person=person).select_related("revision__document")
    return held(rows.order_by("due", "pk"), "person")


@contributions.mine("Documents of my processes", order=30)
def my_documents(person: Any) -> list[Related]:
    """What is in force in the processes somebody owns, stands in for or works in."""
    links = {"person": person}
    mine = Q(process__owner=person)
    for link in (ProcessMember, ProcessDeputy):
        mine |= Q(process__in=link.objects.live().filter(**links).values("process_id"))
    rows = Document.objects.visible_to(person).in_force().filter(mine)
    return [
        Related(each.title, each.number, each.get_absolute_url())
        for each in rows.order_by("number")[:100]
    ]


@contributions.mine("To read", order=25)
def my_reading(person: Any) -> list[Related]:
    """What somebody is asked to read, the most urgent first."""
    rows = ReadingTask.objects.of(person).open().select_related("document", "revision")
    return [
        Related(
            each.document.title,
            each.document.number,
            each.get_absolute_url(),
            f"revision {each.revision.label}",
            tone="late" if each.due < today_here() else "soon",
            day=each.due,
        )
        for each in rows.order_by("due", "pk")[:50]
    ]


# Forms and entries -------------------------------------------------------------------------------

contributions.navigation(
    "Do",
    "Forms",
    "documents:form_list",
    icon="clipboard-list",
    permission="documents.add_entry",
    order=11,
    also=("documents:entry_list",),
)
contributions.create_entry(
    "Form entry",
    "documents:form_list",
    icon="clipboard-list",
    permission="documents.add_entry",
    order=20,
)


@contributions.record_panel
def forms_about(record: Any, person: Any) -> Panel | None:
    """On the page of a provider, an instrument or a customer: its forms, and what was filled in."""
    register = register_of(type(record))
    if register is None or not person.has_perm("documents.view_entry"):
        return None
    asking = {
        revision.document_id: revision.document
        for revision in Revision.objects.effective()
        .filter(
            document__in=Document.objects.visible_to(person)
            .filter(kind=Document.Kind.FORM, status=Document.Status.ACTIVE)
            .values("pk"),
            fields__contains=[{"of": register.kind, "subject": True}],
        )
        .select_related("document")
        .order_by("document__title")
    }
    rows = Entry.objects.visible_to(person).evidence().naming(register.kind, record.pk)
    entries = list(rows.select_related("form").order_by("-happened_at", "-pk")[:6])
    if not asking and not entries:
        return None
    forms = [
        (each.title, f"{reverse('documents:entry_create', args=[key])}?about={record.pk}")
        for key, each in asking.items()
    ]
    return Panel("documents/forms_panel.html", {"forms": forms, "entries": entries}, order=40)
