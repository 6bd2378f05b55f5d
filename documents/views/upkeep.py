"""Pages of the periodic review: what is due or flagged, and why."""

from typing import Any

import django_filters
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from documents import workflow
from documents.models import Document, FollowUp, ReviewFlag
from documents.simplify import HEADINGS, proposals_for
from documents.views.tabs import tabs
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.people.models import Person
from qms.periods import add_months, today
from qms.scope.models import Process

REVIEWS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Title", sort="title"),
    Column("effective_label", "Revision"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("process", "Process", sort="process__code"),
    Column("next_review", "Next review", sort="next_review", kind="due"),
    Column("flags", "Flags", value="flag_count", sort="flag_count", kind="number"),
    Column("in_work", "In work", value="is_in_work", kind="yes_no"),
]


class ReviewFilter(django_filters.FilterSet):
    """Filters of the reviews due."""

    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    flagged = django_filters.BooleanFilter(method="only_flagged", label="Flagged")

    class Meta:
        model = Document
        fields = ("owner", "process", "flagged")

    def only_flagged(self, rows: Any, name: str, value: bool) -> Any:
        """What something was flagged of, or what nothing was."""
        return rows.filter(is_flagged=value)


@needs("documents.view_document")
def review_list(request: HttpRequest) -> HttpResponseBase:
    """Documents to look at again: overdue, due within a quarter, or flagged."""
    workflow.make_due_revisions_effective(today())
    rows = Document.objects.visible_to(request.user).current().with_effective().with_flags()
    soon = add_months(today(), 3)
    return pages.show_list(
        request,
        rows.filter(Q(next_review__lte=soon) | Q(is_flagged=True)).select_related(
            "owner", "process"
        ),
        columns=REVIEWS,
        filterset=ReviewFilter,
        default_sort="next_review",
        title="Reviews due",
        intro="What is to be looked at within three months, and what something it depends on has"
        " changed. Reaffirm it by signature, or start a revision.",
        template="documents/tabbed_list.html",
        tabs=tabs(request, "documents:review_list"),
        empty="Nothing is due within three months, and nothing is flagged.",
    )


@needs("documents.view_reviewflag")
def flag_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Why a document should be looked at again, and what became of it."""
    rows = ReviewFlag.objects.select_related("document", "revision", "caused_by")
    flag = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        flag,
        template="documents/flag_detail.html",
        title=flag.why,
        crumbs=[
            ("Documents", "documents:document_list"),
            (flag.document.number, flag.document.get_absolute_url()),
            ("Flag", ""),
        ],
    )


@needs(ANYONE_SIGNED_IN)
def flag_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """A flag goes by reaffirming or by a revision; this answers who tries it by hand."""
    rows = ReviewFlag.objects.select_related("document")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


def _follow_up(request: HttpRequest, pk: int) -> Any:
    rows = FollowUp.objects.select_related("document", "revision__document", "person")
    return pages.find(request, rows, pk=pk)


@needs("documents.view_followup")
def followup_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Something that names a document with a new revision."""
    follow_up = _follow_up(request, pk)
    return pages.show_record(
        request,
        follow_up,
        template="documents/followup_detail.html",
        title=f"{follow_up.kind}: {follow_up.title}",
        due=follow_up.due,
        settled=follow_up.status == FollowUp.Status.DONE,
        crumbs=[
            ("Documents", "documents:document_list"),
            (follow_up.document.number, follow_up.document.get_absolute_url()),
            ("Follow-up", ""),
        ],
    )


@needs(ANYONE_SIGNED_IN)
def followup_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Say that it is in line."""
    return pages.do_transition(request, _follow_up(request, pk), name)


@needs("documents.simplify")
def simplify(request: HttpRequest) -> HttpResponse:
    """What could be simpler: merged, shortened, withdrawn, or asked about."""
    found = proposals_for(request.user, today())
    context = {
        "title": "Keep it simple",
        "groups": [(HEADINGS[kind], some) for kind, some in found.items()],
        "tabs": tabs(request, "documents:simplify"),
    }
    template = "documents/simplify.html"
    return pages.respond(request, template, template, context)
