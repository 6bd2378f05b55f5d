"""Pages of evidence that lives elsewhere, of holds, and of what was kept long enough."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from documents import workflow
from documents.forms import DispositionForm, HoldForm, PointerForm
from documents.models import Disposition, Document, EvidencePointer, LegalHold
from documents.views.tabs import tabs
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.people.models import Person
from qms.scope.models import Process

WITHDRAWN = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Title", sort="title"),
    Column(
        "kept_until",
        "Kept until",
        value=lambda row: row.keeping.until or "for good",
        sort="kept_until",
    ),
    Column("now", "Now", value=lambda row: row.keeping.stays or "It was kept long enough."),
]
POINTERS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("title", "What it shows", sort="title"),
    Column("system", "Outside system", sort="system"),
    Column("process", "Process", sort="process__code"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("sampled_on", "Last sample", sort="sampled_on", kind="date"),
    Column("next_sample", "Next sample", sort="next_sample", kind="due"),
    Column("status", "State", sort="status", kind="state"),
]

HOLDS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("title", "What it is about", sort="title"),
    Column("covers", "Covers", value=lambda row: row.process or "everything"),
    Column("created_by", "Placed by", sort="created_by__name", kind="person"),
    Column("recorded_at", "Placed", sort="recorded_at", kind="moment"),
    Column("status", "State", sort="status", kind="state"),
]
DISPOSITIONS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("document", "Document", sort="document__number"),
    Column("kept_until", "Kept until", sort="kept_until", kind="date"),
    Column("created_by", "Proposed by", sort="created_by__name", kind="person"),
    Column("approved_by", "Approved by", sort="approved_by__name", kind="person"),
    Column("done_on", "Disposed of on", sort="done_on", kind="date"),
    Column("destroyed", "Files destroyed", sort="destroyed", numeric=True),
    Column("status", "State", sort="status", kind="state"),
]
SHOWN = 20  # holds in force and proposals on the page of retention; the lists have all


class HoldFilter(django_filters.FilterSet):
    """Filters of the holds."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    status = django_filters.ChoiceFilter(choices=LegalHold.Status.choices, label="State")

    class Meta:
        model = LegalHold
        fields = ("title", "process", "status")


class DispositionFilter(django_filters.FilterSet):
    """Filters of the log of dispositions."""

    document__title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    since = django_filters.DateFilter("done_on", lookup_expr="gte", label="Disposed of from")
    until = django_filters.DateFilter("done_on", lookup_expr="lte", label="Until")
    status = django_filters.ChoiceFilter(choices=Disposition.Status.choices, label="State")

    class Meta:
        model = Disposition
        fields = ("document__title", "since", "until", "status")


class PointerFilter(django_filters.FilterSet):
    """Filters of the evidence that lives elsewhere."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    system = django_filters.CharFilter(lookup_expr="icontains", label="System")
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")

    class Meta:
        model = EvidencePointer
        fields = ("title", "system", "process", "owner")


@needs("documents.view_evidencepointer")
def pointer_list(request: HttpRequest) -> HttpResponseBase:
    """Evidence that lives elsewhere, with its dated samples."""
    rows = EvidencePointer.objects.visible_to(request.user).select_related("owner", "process")
    return pages.show_list(
        request,
        rows,
        template="documents/tabbed_list.html",
        tabs=tabs(request, "documents:pointer_list"),
        columns=POINTERS,
        filterset=PointerFilter,
        default_sort="next_sample",
        title="Evidence elsewhere",
        intro="What tickets, repositories or an ERP can show, and a dated sample of it kept here.",
        create_url=reverse("documents:pointer_create"),
        create_label="Point at evidence",
        empty="Nothing is pointed at yet. Name the first system that holds evidence.",
    )


@needs("documents.view_evidencepointer")
def pointer_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Where the evidence is, who can show it, and the samples kept here."""
    rows = EvidencePointer.objects.select_related("owner", "process", "created_by")
    pointer = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        pointer,
        template="documents/pointer_detail.html",
        title=pointer.title,
        subtitle=f"{pointer.number} · {pointer.system}",
        due=pointer.next_sample,
        crumbs=[("Evidence elsewhere", "documents:pointer_list")],
    )


@needs("documents.add_evidencepointer")
def pointer_create(request: HttpRequest) -> HttpResponse:
    """Point at evidence that lives elsewhere."""
    return pages.edit(
        request,
        form_class=PointerForm,
        create=workflow.point_at_evidence,
        title="Point at evidence",
        context={"cancel_url": "documents:pointer_list"},
    )


@needs("documents.change_evidencepointer")
def pointer_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change where it is or who shows it."""
    pointer = pages.find(request, EvidencePointer.objects, pk=pk)
    return pages.edit(
        request, form_class=PointerForm, instance=pointer, title=f"Edit {pointer.number}"
    )


@needs(ANYONE_SIGNED_IN)
def pointer_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Keep a sample, or end the pointer."""
    return pages.do_transition(request, pages.find(request, EvidencePointer.objects, pk=pk), name)


@needs("documents.view_legalhold")
def retention(request: HttpRequest) -> HttpResponseBase:
    """What was kept long enough, what is held, and what was disposed of."""
    holds = LegalHold.objects.visible_to(request.user).filter(status=LegalHold.Status.HOLDS)
    waiting = Disposition.objects.visible_to(request.user).filter(
        status=Disposition.Status.PROPOSED
    )
    return pages.show_list(
        request,
        Document.objects.visible_to(request.user).kept_no_longer().with_keeping(),
        shown_with=_with_what_keeps_it,
        columns=WITHDRAWN,
        default_sort="kept_until",
        template="documents/retention.html",
        rows_template="documents/retention_rows.html",
        title="Retention",
        intro="What is no longer in use, how long it is kept, and what was disposed of.",
        tabs=tabs(request, "documents:retention"),
        holds=list(holds.select_related("process").order_by("-pk")[: SHOWN + 1]),
        proposals=list(
            waiting.select_related("document", "created_by").order_by("pk")[: SHOWN + 1]
        ),
        shown=SHOWN,
        may_hold=request.user.has_perm("documents.add_legalhold"),
        may_propose=request.user.has_perm("documents.add_disposition"),
        empty="Every document is in use.",
    )


def _with_what_keeps_it(rows: Any) -> list[Document]:
    """Documents with `keeping`: until when each is kept and why it stays."""
    found = list(rows)
    kept = workflow.keeping_of(found)
    for each in found:
        each.keeping = kept[each.pk]
    return found


@needs("documents.view_legalhold")
def hold_list(request: HttpRequest) -> HttpResponseBase:
    """Every hold, also those that were lifted."""
    return pages.show_list(
        request,
        LegalHold.objects.visible_to(request.user).select_related("process", "created_by"),
        columns=HOLDS,
        filterset=HoldFilter,
        default_sort="-number",
        template="documents/tabbed_list.html",
        tabs=tabs(request, "documents:retention"),
        title="Holds",
        intro="While one stands, nothing that it covers is disposed of.",
        create_url=reverse("documents:hold_create"),
        create_label="Place a hold",
        empty="Nothing was ever held. A claim, a recall or an authority may ask for it.",
    )


@needs("documents.view_disposition")
def disposition_list(request: HttpRequest) -> HttpResponseBase:
    """The log: what was proposed, disposed of or declined, by whom and when."""
    rows = Disposition.objects.visible_to(request.user)
    return pages.show_list(
        request,
        rows.select_related("document", "created_by", "approved_by"),
        columns=DISPOSITIONS,
        filterset=DispositionFilter,
        default_sort="-number",
        template="documents/tabbed_list.html",
        tabs=tabs(request, "documents:retention"),
        title="Dispositions",
        intro="What was disposed of and what was not, who proposed it and who decided.",
        empty="Nothing was disposed of.",
    )


@needs("documents.add_legalhold")
def hold_create(request: HttpRequest) -> HttpResponse:
    """Forbid to dispose of something."""
    return pages.edit(
        request,
        form_class=HoldForm,
        create=workflow.place_hold,
        title="Place a hold",
        context={"cancel_url": "documents:retention"},
    )


@needs("documents.view_legalhold")
def hold_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One hold and its history."""
    hold = pages.find(request, LegalHold.objects.select_related("process"), pk=pk)
    return pages.show_record(
        request,
        hold,
        template="documents/hold_detail.html",
        title=hold.title,
        subtitle=hold.number,
        crumbs=[("Retention", "documents:retention")],
    )


@needs(ANYONE_SIGNED_IN)
def hold_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Lift a hold."""
    return pages.do_transition(request, pages.find(request, LegalHold.objects, pk=pk), name)


@needs("documents.add_disposition")
def disposition_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose to dispose of a document."""
    document = pages.find(request, Document.objects, pk=pk)

    def create(*, by: Any, why: str) -> Disposition:
        return workflow.propose_disposition(by=by, document=document, why=why)

    return pages.edit(
        request,
        form_class=DispositionForm,
        create=create,
        title=f"Dispose of {document.number}",
        context={"cancel_url": "documents:retention", "submit": "Propose"},
    )


@needs("documents.view_disposition")
def disposition_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One disposition: what goes, why, who decided."""
    rows = Disposition.objects.select_related("document", "created_by", "approved_by")
    disposition = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        disposition,
        template="documents/disposition_detail.html",
        title=f"Disposition of {disposition.document}",
        subtitle=disposition.number,
        crumbs=[("Dispositions", "documents:disposition_list")],
    )


@needs(ANYONE_SIGNED_IN)
def disposition_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Approve a disposition, or decline it."""
    rows = Disposition.objects.select_related("document")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)
