"""Pages of suggestions: everybody hands in, everybody sees what became of it."""

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_POST

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column, PathStep
from qms.refusals import Refused
from qms.suggestions import workflow
from qms.suggestions.forms import SuggestionForm
from qms.suggestions.models import Suggestion

COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Idea", sort="title"),
    Column("created_by", "From", sort="created_by__name", kind="person"),
    Column("recorded_at", "Received", sort="recorded_at", kind="moment"),
    Column("votes", "Want it", sort="votes", numeric=True),
    Column("status", "State", sort="status", kind="state"),
    Column("answer", "Answer"),
]


class SuggestionFilter(django_filters.FilterSet):
    """Filters of the list."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Suggestion.Status.choices, label="State")

    class Meta:
        model = Suggestion
        fields = ("title", "status")


@needs("suggestions.view_suggestion")
def suggestion_list(request: HttpRequest) -> HttpResponseBase:
    """Every idea and its answer."""
    return pages.show_list(
        request,
        Suggestion.objects.visible_to(request.user).with_votes().select_related("created_by"),
        columns=COLUMNS,
        filterset=SuggestionFilter,
        default_sort="-number",
        title="Suggestions",
        create_url="suggestions:suggestion_create",
        create_label="Suggest something",
        empty="Nobody has handed in an idea yet. Be the first; one line is enough.",
    )


@needs("suggestions.view_suggestion")
def suggestion_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One idea, its answer and what came of it."""
    related = ("created_by", "decided_by")
    rows = Suggestion.objects.with_votes().select_related(*related)
    found = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        found,
        template="suggestions/suggestion_detail.html",
        title=found.title,
        subtitle=found.number,
        crumbs=[("Suggestions", "suggestions:suggestion_list")],
        path=path_of(found),
        action=found.action,
        is_mine=found.created_by_id == request.user.pk,
        may_vote=workflow.may_vote(found, request.user),
        wants_it=workflow.has_voted(found, request.user),
    )


def path_of(suggestion: Suggestion) -> list[PathStep]:
    """Received, decided, done."""
    status = suggestion.status
    if status == Suggestion.Status.DECLINED:
        return [
            PathStep("Received", "done", suggestion.recorded_at),
            PathStep("Declined", "now", suggestion.decided_on),
        ]
    decided = status != Suggestion.Status.RECEIVED
    done = status == Suggestion.Status.DONE
    return [
        PathStep("Received", "done", suggestion.recorded_at),
        PathStep("Taken up", "done" if decided else "now", suggestion.decided_on or ""),
        PathStep(
            "Done", "done" if done else "now" if decided else "later", suggestion.done_on or ""
        ),
    ]


@needs("suggestions.add_suggestion")
def suggestion_create(request: HttpRequest) -> HttpResponse:
    """Hand in an idea."""
    return pages.edit(
        request,
        form_class=SuggestionForm,
        create=workflow.suggest,
        title="Suggest something",
        context={
            "intro": "One line is enough. You get an answer within two weeks and see what becomes"
            " of it.",
            "submit": "Hand it in",
        },
    )


@needs("suggestions.add_suggestion")
def suggestion_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Word one's own idea anew until it is answered."""
    found = pages.find(request, Suggestion.objects, pk=pk)
    return pages.edit(
        request, form_class=SuggestionForm, instance=found, title=f"Edit {found.number}"
    )


@needs("suggestions.vote_suggestion")
@require_POST
def suggestion_vote(request: HttpRequest, pk: int) -> HttpResponse:
    """Want it too, or take that back."""
    found = pages.find(request, Suggestion.objects, pk=pk)
    try:
        workflow.vote(found, by=request.user, wants=request.POST.get("wants") == "1")
    except Refused as refusal:
        return pages.refused(request, refusal)
    return pages.go_to(request, found.get_absolute_url())


@needs(ANYONE_SIGNED_IN)
def suggestion_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take up, decline, finish."""
    return pages.do_transition(request, pages.find(request, Suggestion.objects, pk=pk), name)
