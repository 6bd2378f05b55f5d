"""Pages of documents: the master list, a document, what holds for a kind."""

from typing import Any

import django_filters
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse

from documents import workflow
from documents.forms import DocumentForm, KindRuleForm, NewDocumentForm
from documents.models import Disposition, Document, KindRule, Revision
from documents.shown import on_page
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.finding.workflow import find
from qms.pages import Column
from qms.people.models import Person
from qms.periods import today
from qms.scope.models import Process

MASTER_LIST = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Title", sort="title"),
    Column("kind", "Kind", value="get_kind_display", sort="kind"),
    Column("effective_label", "Revision", sort="effective_label"),
    Column("effective_from", "Effective from", sort="effective_from", kind="date"),
    Column("process", "Process", sort="process__code"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("next_review", "Next review", sort="next_review", kind="due"),
    Column("in_work", "In work", value="is_in_work", kind="yes_no"),
    Column("status", "State", sort="status", kind="state", shown=False),
]


class DocumentFilter(django_filters.FilterSet):
    """Filters of the master list."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    kind = django_filters.ChoiceFilter(choices=Document.Kind.choices, label="Kind")
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")
    status = django_filters.ChoiceFilter(choices=Document.Status.choices, label="State")

    class Meta:
        model = Document
        fields = ("title", "kind", "process", "owner", "status")


@needs("documents.view_document")
def document_list(request: HttpRequest) -> HttpResponseBase:
    """The master list of controlled documents."""
    workflow.make_due_revisions_effective(today())
    rows = Document.objects.visible_to(request.user).with_effective()
    return pages.show_list(
        request,
        rows.select_related("owner", "process"),
        columns=MASTER_LIST,
        filterset=DocumentFilter,
        default_sort="number",
        title="Documents",
        intro="The master list: every controlled document and the revision in force.",
        create_url=reverse("documents:document_create"),
        create_label="New document",
        empty="No document is kept here yet. Write the first procedure.",
    )


@needs("documents.view_document")
def document_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A document: the text in force, its revisions, who keeps it current."""
    workflow.make_due_revisions_effective(today())
    document = pages.find(request, Document.objects.select_related("owner", "process"), pk=pk)
    people = ("created_by", "reviewed_by", "approved_by")
    visible = Revision.objects.visible_to(request.user).filter(document=document)
    revisions = list(visible.select_related("document", *people).order_by("-number"))
    in_force = next((each for each in revisions if each.status == "effective"), None)
    return pages.show_record(
        request,
        document,
        template="documents/document_detail.html",
        title=document.title,
        subtitle=f"{document.number} · {document.get_kind_display()}",
        crumbs=[("Documents", reverse("documents:document_list")), (document.number, "")],
        due=document.next_review,
        revisions=revisions,
        disposed=(
            document.dispositions.filter(status=Disposition.Status.DONE).first()
            if document.status == Document.Status.WITHDRAWN
            else None
        ),
        in_force=in_force,
        text=on_page(in_force, request.user) if in_force else "",
        in_work=next((each for each in revisions if each.status in Revision.OPEN_STATES), None),
        may_revise=request.user.has_perm("documents.add_revision"),
    )


@needs("documents.add_document")
def document_create(request: HttpRequest) -> HttpResponse:
    """Write a new document; saving leads to its first draft."""
    return pages.edit(
        request,
        form_class=NewDocumentForm,
        create=workflow.create_document,
        title="New document",
        template="documents/document_form.html",
        done=lambda document: document.revisions.get(number=1).get_absolute_url(),
    )


@needs("documents.change_document")
def document_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what the document is for."""
    document = pages.find(request, Document.objects, pk=pk)
    return pages.edit(
        request, form_class=DocumentForm, instance=document, title=f"Edit {document.number}"
    )


@needs(ANYONE_SIGNED_IN)
def document_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Withdraw the document."""
    return pages.do_transition(request, pages.find(request, Document.objects, pk=pk), name)


@needs("documents.view_kindrule")
def kind_rule_list(request: HttpRequest) -> HttpResponse:
    """What holds for each kind of document."""
    rules = [KindRule.objects.of(kind) for kind in Document.Kind.values]
    may = request.user.has_perm("documents.change_kindrule")
    return pages.respond(
        request,
        "documents/kind_rule_list.html",
        "documents/kind_rule_list.html",
        {"rules": rules, "may_change": may, "title": "Kinds of documents"},
    )


@needs("documents.view_kindrule")
def kind_rule_detail(request: HttpRequest, kind: str) -> HttpResponse:
    """What holds for a kind of document, and how that came."""
    rule = pages.find(request, KindRule.objects, kind=kind)
    return pages.show_record(
        request,
        rule,
        template="documents/kind_rule_detail.html",
        crumbs=[
            ("Documents", "documents:document_list"),
            ("Kinds", "documents:kind_rule_list"),
            (rule.get_kind_display(), ""),
        ],
    )


@needs("documents.change_kindrule")
def kind_rule_edit(request: HttpRequest, kind: str) -> HttpResponse:
    """Change what holds for a kind of document."""
    if kind not in Document.Kind.values:
        raise Http404("There is no such kind.")
    rule = KindRule.objects.of(kind)

    def create(*, by: Any, **fields: Any) -> KindRule:
        return workflow.change_rule(by=by, kind=kind, **fields)

    known: dict[str, Any] = {"instance": rule} if rule.pk else {"create": create}
    return pages.edit(
        request,
        form_class=KindRuleForm,
        title=str(rule),
        initial={} if rule.pk else {"prefix": rule.prefix},
        done="documents:kind_rule_list",
        context={"cancel_url": "documents:kind_rule_list"},
        **known,
    )


@needs("documents.view_document")
def document_choose(request: HttpRequest) -> JsonResponse:
    """Documents by number or words, for the editor: what the person may see, best first."""
    query = request.GET.get("q", "")[:100]
    hits = find(request.user, query, of=[Document], limit=12).hits
    return JsonResponse(
        {"found": [{"id": hit.pk, "name": f"{hit.number} {hit.title}"} for hit in hits]}
    )
