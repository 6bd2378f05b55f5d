"""Pages of what entries of forms propose."""

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from capa import workflow
from capa.models import Proposal
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.people.models import Person

PROPOSALS = [
    Column("found", "What was found", value="title", sort="found"),
    Column("entry", "Entry", value="entry.number", sort="entry__number"),
    Column("owner", "Decides", sort="owner__name", kind="person"),
    Column("due", "Due", sort="due", kind="due", settled=lambda each: each.is_settled),
    Column("status", "State", sort="status", kind="state"),
    Column("recorded_at", "Proposed", sort="recorded_at", kind="moment", shown=False),
]

READ_BY_ALL = (
    "What was measured, with its name and limit, becomes the text of the case, which most people"
    " may read."
)


class ProposalFilter(django_filters.FilterSet):
    """Filters of proposals."""

    status = django_filters.ChoiceFilter(choices=Proposal.Status.choices, label="State")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Decides")

    class Meta:
        model = Proposal
        fields = ("status", "owner")


@needs("capa.view_proposal")
def proposal_list(request: HttpRequest) -> HttpResponseBase:
    """What entries of forms propose as nonconformities."""
    rows = Proposal.objects.visible_to(request.user).select_related("entry", "owner")
    return pages.show_list(
        request,
        rows,
        columns=PROPOSALS,
        filterset=ProposalFilter,
        default_sort="due",
        title="Proposed nonconformities",
        intro="Something in an entry of a form lies beyond its limit. Somebody decides what it is.",
        crumbs=[("Nonconformities", reverse("capa:nc_list")), ("Proposed", "")],
        empty="Nothing is beyond a limit. It appears here when an entry of a form says so.",
    )


@needs("capa.view_proposal")
def proposal_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One proposal, and what came of it."""
    rows = Proposal.objects.select_related("entry__form", "owner")
    proposal = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        proposal,
        template="capa/proposal_detail.html",
        title=proposal.title,
        subtitle=f"From {proposal.entry.number} {proposal.entry.form.title}",
        crumbs=[
            ("Nonconformities", reverse("capa:nc_list")),
            ("Proposed", reverse("capa:proposal_list")),
            (proposal.entry.number, ""),
        ],
        due=proposal.due,
        settled=proposal.is_settled,
        nonconformity=workflow.raised_of(proposal, request.user),
    )


@needs(ANYONE_SIGNED_IN)
def proposal_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take it up, or decline it."""
    rows = Proposal.objects.select_related("entry__form", "owner")
    proposal = pages.find(request, rows, pk=pk)
    context: dict[str, str] = {}
    if name == "take_up" and not proposal.entry.form.is_open:
        context["notice"] = f"{proposal.entry.form.number} is restricted. {READ_BY_ALL}"
    return pages.do_transition(request, proposal, name, context=context)
