"""Pages of controlled copies; and the public one that says whether a copy is current."""

from typing import Any

import django_filters
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from documents import workflow
from documents.forms import CopyForm, NewCopyForm
from documents.models import ControlledCopy, Document, Revision
from documents.prints import copy_pdf as pdf_of
from documents.views.tabs import tabs
from qms import pages
from qms.access import ANYONE_SIGNED_IN, PUBLIC, looks_too_often, needs
from qms.mail import full_address
from qms.pages import Column

LOOKS, WINDOW = 120, 60  # looks at copies from one address, in seconds

COPIES = [
    Column("number", "Copy", kind="number", sort="number"),
    Column("document", "Document", value="document", sort="document__number"),
    Column("revision", "Revision", value="revision.label"),
    Column("held_by", "Held by"),
    Column("issued_on", "Issued on", sort="issued_on", kind="date"),
    Column("recalled_on", "Recalled on", sort="recalled_on", kind="date"),
    Column("settled_on", "Settled on", sort="settled_on", kind="date", shown=False),
    Column("status", "State", sort="status", kind="state"),
]


class CopyFilter(django_filters.FilterSet):
    """Filters of the copies."""

    document = django_filters.ModelChoiceFilter(
        queryset=lambda request: Document.objects.visible_to(request.user).order_by("number"),
        label="Document",
    )
    status = django_filters.ChoiceFilter(choices=ControlledCopy.Status.choices, label="State")

    class Meta:
        model = ControlledCopy
        fields = ("document", "status")


@needs("documents.view_controlledcopy")
def copy_list(request: HttpRequest) -> HttpResponseBase:
    """Every controlled copy: what it is of, who holds it, whether it is out."""
    rows = ControlledCopy.objects.visible_to(request.user)
    return pages.show_list(
        request,
        rows.select_related("document", "revision", "holder").defer(
            "revision__text", "revision__fields", "revision__questions"
        ),
        columns=COPIES,
        filterset=CopyFilter,
        default_sort="-number",
        title="Controlled copies",
        intro="Numbered prints. With the next revision each is recalled from whoever holds it.",
        template="documents/tabbed_list.html",
        tabs=tabs(request, "documents:copy_list"),
        empty="No controlled copy is out. Issue one from a document's page.",
    )


def _copy(request: HttpRequest, pk: int) -> Any:
    rows = ControlledCopy.objects.select_related(
        "document__owner", "document__process", "revision__document", "holder", "replaces"
    )
    return pages.find(request, rows, pk=pk)


@needs("documents.view_controlledcopy")
def copy_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One copy: of what, with whom, and how far its recall is."""
    copy = _copy(request, pk)
    following = ControlledCopy.objects.filter(replaces=copy).first()
    may = request.user.has_perm("documents.add_controlledcopy")
    kept = Revision.objects.kept().filter(pk=copy.revision_id).exists()
    return pages.show_record(
        request,
        copy,
        template="documents/copy_detail.html",
        title=f"{copy.number}: {copy.document.title}",
        subtitle=f"{copy.document.number} · revision {copy.revision.label}",
        crumbs=[
            ("Documents", "documents:document_list"),
            (copy.document.number, copy.document.get_absolute_url()),
            (copy.number, ""),
        ],
        following=following,
        may_issue=may and copy.status != "issued" and following is None,
        may_print=kept and workflow.who_prints_it(copy, request.user) is None,
    )


@needs("documents.add_controlledcopy")
def copy_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Issue a copy of the revision in force; `replaces` names the recalled one it is for."""
    document = pages.find(request, Document.objects, pk=pk)
    asked = request.POST.get("replaces") or request.GET.get("replaces", "")
    replaced = None
    if asked.isascii() and asked.isdigit() and len(asked) < 18:
        rows = ControlledCopy.objects.visible_to(request.user).filter(document=document)
        replaced = rows.filter(pk=int(asked)).select_related("holder").first()

    def issue(*, by: Any, **fields: Any) -> ControlledCopy:
        return workflow.issue_copy(document, by=by, replaces=replaced, **fields)

    return pages.edit(
        request,
        form_class=NewCopyForm,
        create=issue,
        title=f"Controlled copy of {document.number}",
        initial={"holder": replaced.holder, "place": replaced.place} if replaced else {},
        context={
            "submit": "Issue the copy",
            "cancel_url": document.get_absolute_url(),
            "intro": f"In place of {replaced.number}." if replaced else "",
        },
    )


@needs("documents.add_controlledcopy")
def copy_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Say who holds it now."""
    copy = _copy(request, pk)
    return pages.edit(
        request, form_class=CopyForm, instance=copy, title=f"Who holds {copy.number}?"
    )


@needs(ANYONE_SIGNED_IN)
def copy_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Recall it, or say what became of it."""
    return pages.do_transition(request, _copy(request, pk), name)


@needs("documents.view_controlledcopy")
def copy_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The copy on paper, with its number, its holder and its QR code."""
    copy = _copy(request, pk)
    if why := workflow.who_prints_it(copy, request.user):
        raise PermissionDenied(why)
    if not Revision.objects.kept().filter(pk=copy.revision_id).exists():
        raise Http404("What it said was disposed of.")
    return pages.send_pdf(
        pdf_of(copy, full_address(reverse("copy_standing", args=[copy.token]))), copy.number
    )


@never_cache
@needs(PUBLIC)
def copy_standing(request: HttpRequest, token: str) -> HttpResponse:
    """Whether the copy with this code is current: one word, for whoever scans it."""
    if looks_too_often(request, "copy", most=LOOKS, seconds=WINDOW):
        response = render(request, "documents/copy_wait.html", status=429)
        response["Retry-After"] = str(WINDOW)
        return response
    current = workflow.standing_of(token)
    status = 404 if current is None else 200
    response = render(request, "documents/copy_standing.html", {"current": current}, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response
