"""Pages of documents: the master list, a document, what holds for a kind."""

from typing import Any

import django_filters
from django.db.models import Count, Min, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse

from documents import workflow
from documents.filling import preview_of
from documents.forms import DocumentForm, KindRuleForm, NewDocumentForm
from documents.models import (
    ControlledCopy,
    Disposition,
    Document,
    KindRule,
    ReadingTask,
    ReviewFlag,
    Revision,
)
from documents.shown import on_page
from documents.views.tabs import tabs
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.finding.workflow import find
from qms.pages import Column
from qms.people.models import Person
from qms.periods import add_months, today
from qms.scope.models import Process

MASTER_LIST = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Title", sort="title"),
    Column("kind", "Kind", value="get_kind_display", sort="kind"),
    Column("effective_label", "Revision", sort="effective_label", beside=True),
    Column("effective_from", "Effective from", sort="effective_from", kind="date", beside=True),
    Column("process", "Process", sort="process__code"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("next_review", "Next review", sort="next_review", kind="due"),
    Column("in_work", "In work", value="is_in_work", kind="yes_no"),
    Column("flags", "Flags", value="flag_count", kind="number", shown=False),
    Column("status", "State", sort="status", kind="state", shown=False),
]
# What a row of the master list shows; a page of it reads nothing else of its fifty rows.
LISTED = (
    "number",
    "title",
    "kind",
    "next_review",
    "status",
    "owner__name",
    "process__code",
    "process__name",
)


class DocumentFilter(django_filters.FilterSet):
    """Filters of the master list."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    kind = django_filters.ChoiceFilter(choices=Document.Kind.choices, label="Kind")
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")
    status = django_filters.ChoiceFilter(choices=Document.Status.choices, label="State")
    flagged = django_filters.BooleanFilter(method="by_flags", label="To look at again")

    class Meta:
        model = Document
        fields = ("title", "kind", "process", "owner", "status", "flagged")

    def by_flags(self, rows: Any, name: str, value: bool) -> Any:
        return rows.with_flags().filter(is_flagged=value)


@needs("documents.view_document")
def document_list(request: HttpRequest) -> HttpResponseBase:
    """The master list of controlled documents."""
    workflow.make_due_revisions_effective(today())
    return pages.show_list(
        request,
        Document.objects.visible_to(request.user).select_related("owner", "process"),
        shown_with=lambda rows: rows.with_effective().only(*LISTED),
        in_file=lambda rows: rows.with_flags(),
        columns=MASTER_LIST,
        filterset=DocumentFilter,
        default_sort="number",
        title="Documents",
        intro="The master list: every controlled document and the revision in force.",
        create_url=reverse("documents:document_create"),
        create_label="New document",
        template="documents/tabbed_list.html",
        tabs=tabs(request, "documents:document_list"),
        empty="No document is kept here yet. Write the first procedure.",
    )


@needs("documents.view_document")
def document_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A document: the text in force, its revisions, who keeps it current."""
    workflow.make_due_revisions_effective(today())
    document = pages.find(
        request, Document.objects.with_effective().select_related("owner", "process__owner"), pk=pk
    )
    workflow.note_opened(document.pk, by=request.user)
    people = ("created_by", "reviewed_by", "approved_by")
    visible = Revision.objects.visible_to(request.user).filter(document=document)
    revisions = list(visible.select_related("document", *people).order_by("-number"))
    in_force = next((each for each in revisions if each.status == "effective"), None)
    reading = _reading_of(document, revisions, request.user)
    return pages.show_record(
        request,
        document,
        template="documents/document_detail.html",
        title=document.title,
        subtitle=f"{document.number} · {document.get_kind_display()}",
        crumbs=[("Documents", reverse("documents:document_list")), (document.number, "")],
        due=document.next_review,
        revisions=revisions,
        sites=[
            link.site.name
            for link in document.site_links.live().select_related("site").order_by("pk")
        ],
        disposed=(
            document.dispositions.filter(status=Disposition.Status.DONE).first()
            if document.status == Document.Status.WITHDRAWN
            else None
        ),
        in_force=in_force,
        asks=preview_of(in_force, request.user),
        text=on_page(in_force, request.user) if in_force else "",
        in_work=next((each for each in revisions if each.status in Revision.OPEN_STATES), None),
        may_revise=request.user.has_perm("documents.add_revision"),
        flags=list(
            ReviewFlag.objects.visible_to(request.user)
            .open()
            .filter(document=document)
            .select_related("caused_by")
            .order_by("pk")
        ),
        is_due=bool(document.next_review and document.next_review <= add_months(today(), 1)),
        may_reaffirm=workflow.who_keeps_it(document, request.user) is None,
        readers=workflow.audience_of(document),
        reading=reading,
        mine=ReadingTask.objects.get(pk=reading["mine"]) if reading["mine"] else None,
        may_choose=request.user.has_perm("documents.change_audience"),
        copies=list(
            ControlledCopy.objects.visible_to(request.user)
            .out()
            .filter(document=document)
            .select_related("holder")
            .order_by("number")
        ),
        may_issue=request.user.has_perm("documents.add_controlledcopy"),
    )


def _reading_of(document: Document, revisions: list[Revision], person: Any) -> dict[str, Any]:
    """How many were asked for the revision in force, have read it, and are late; and one's own."""
    released = [each for each in reversed(revisions) if each.status in Revision.RELEASED_STATES]
    in_use = document.status == Document.Status.ACTIVE and document.effective_id  # type: ignore[attr-defined]
    asked = Q(revision=workflow.asked_among(released) if in_use else None)
    is_open, read = Q(status="open"), Q(status="acknowledged")
    return ReadingTask.objects.filter(document=document).aggregate(
        asked=Count("pk", filter=asked & (is_open | read)),
        read=Count("pk", filter=asked & read),
        overdue=Count("pk", filter=asked & is_open & Q(due__lt=today())),
        mine=Min("pk", filter=is_open & Q(person=person)),
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
        {
            "rules": rules,
            "may_change": may,
            "title": "Kinds of documents",
            "tabs": tabs(request, "documents:kind_rule_list"),
        },
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
