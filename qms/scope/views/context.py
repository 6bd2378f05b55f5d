"""Pages of the context: issues, interested parties, the climate decision, requirements (4.1, 4.2).

Lines that were written at the start of the journey stand above the registers until they are taken
up, so that nothing is asked twice.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import urlencode

import django_filters
from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from qms import contributions, links, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.contributions import Need
from qms.pages import Column
from qms.people.models import Person
from qms.periods import add_months, today
from qms.scope import workflow, yearly
from qms.scope.forms import (
    BindingForm,
    ClimateForm,
    IssueForm,
    NeedForm,
    NewNeedForm,
    NewRequirementForm,
    PartyForm,
    RequirementForm,
)
from qms.scope.models import (
    ClimateDecision,
    InterestedParty,
    Issue,
    PartyRequirement,
    Process,
    Requirement,
    RequirementProcess,
)

MONTHS = 12
MOST_PROPOSED = 12


def settled(row: Any) -> bool:
    return bool(row.is_settled)


OWNER = Column("owner", "Owner", sort="owner__name", kind="person")
REVIEW = Column("review_on", "Look again", sort="review_on", kind="due", settled=settled)
STATE = Column("status", "State", sort="status", kind="state")
ISSUES = [
    Column("what", "Issue", sort="what", kind="link"),
    Column("kind", "Kind", value="get_kind_display", sort="kind"),
    Column("category", "Category", value="get_category_display", sort="category"),
    Column("why", "Why it matters", shown=False),
    Column("effect", "What it does to the system", shown=False),
    OWNER,
    REVIEW,
    Column("reviewed_on", "Looked at", sort="reviewed_on", kind="date"),
    STATE,
]
PARTIES = [
    Column("name", "Interested party", sort="name", kind="link"),
    Column("kind", "Kind", value="get_kind_display", sort="kind"),
    Column("why", "Why they are relevant"),
    OWNER,
    REVIEW,
    STATE,
]
NEEDS = [
    Column("what", "What they need or expect", sort="what", kind="link"),
    Column("party", "Interested party", sort="party__name"),
    Column("addressed", "Taken up?", value="get_addressed_display", sort="addressed"),
    Column("how", "How, or why not"),
    Column("about_climate", "Climate", sort="about_climate", kind="yes_no"),
    Column("review_on", "Look again", sort="review_on", kind="due", settled=settled),
    STATE,
]
REQUIREMENTS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("what", "Requirement", sort="what"),
    Column("kind", "Kind", value="get_kind_display", sort="kind"),
    Column("source", "Source", sort="source"),
    Column("how_met", "How it is met", shown=False),
    OWNER,
    REVIEW,
    STATE,
]


class DueFilter(django_filters.FilterSet):
    """What every register of the context can be narrowed by."""

    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")
    late = django_filters.BooleanFilter(
        method="only_late", label="Only to look at again", widget=forms.CheckboxInput
    )

    def only_late(self, rows: Any, name: str, value: bool) -> Any:
        return rows.review_due(today()) if value else rows


class IssueFilter(DueFilter):
    """Filters of the issues."""

    what = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    kind = django_filters.ChoiceFilter(choices=Issue.Kind.choices, label="Kind")
    category = django_filters.ChoiceFilter(choices=Issue.Category.choices, label="Category")
    status = django_filters.ChoiceFilter(choices=Issue.Status.choices, label="State")

    class Meta:
        model = Issue
        fields = ("what", "kind", "category", "owner", "status", "late")


class PartyFilter(DueFilter):
    """Filters of the interested parties."""

    name = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    kind = django_filters.ChoiceFilter(choices=InterestedParty.Kind.choices, label="Kind")
    status = django_filters.ChoiceFilter(choices=InterestedParty.Status.choices, label="State")

    class Meta:
        model = InterestedParty
        fields = ("name", "kind", "owner", "status", "late")


class NeedFilter(django_filters.FilterSet):
    """Filters of what the parties require."""

    what = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    addressed = django_filters.ChoiceFilter(
        choices=PartyRequirement.Answer.choices, label="Taken up?"
    )
    about_climate = django_filters.BooleanFilter(label="About climate")
    status = django_filters.ChoiceFilter(choices=PartyRequirement.Status.choices, label="State")

    class Meta:
        model = PartyRequirement
        fields = ("what", "addressed", "about_climate", "status")


class RequirementFilter(DueFilter):
    """Filters of the register of requirements."""

    what = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    kind = django_filters.ChoiceFilter(choices=Requirement.Kind.choices, label="Kind")
    process = django_filters.ModelChoiceFilter(
        queryset=Process.objects.order_by("code"), label="Process", method="of_process"
    )
    status = django_filters.ChoiceFilter(choices=Requirement.Status.choices, label="State")

    class Meta:
        model = Requirement
        fields = ("what", "kind", "process", "owner", "status", "late")

    def of_process(self, rows: Any, name: str, process: Process | None) -> Any:
        if process is None:
            return rows
        links = RequirementProcess.objects.live().filter(process=process)
        return rows.filter(pk__in=links.values("requirement_id"))


TABS = (
    ("Context", "scope:context", "overview"),
    ("Issues", "scope:issue_list", "issues"),
    ("Interested parties", "scope:party_list", "parties"),
    ("Their requirements", "scope:need_list", "needs"),
    ("Climate", "scope:climate_list", "climate"),
    ("Register of requirements", "scope:requirement_list", "requirements"),
)


def tabs(current: str) -> list[tuple[str, str, bool]]:
    """The registers of the context as tabs."""
    return [(label, reverse(name), key == current) for label, name, key in TABS]


def proposed(kind: str, known: Iterable[str], url_name: str, **more: str) -> list[tuple[Need, str]]:
    """Lines written elsewhere that are not in the register yet, each with its form filled in.

    A line such as “Insurer: no recall” names somebody before the colon and what follows.
    """
    lines = contributions.proposals(kind)
    taken = {text.strip().casefold() for text in known} if lines else set()
    found = []
    for need in lines:
        who, _colon, what = need.text.partition(":")
        if {need.text.strip().casefold(), who.strip().casefold()} & taken:
            continue
        values = {"party": {"name": who.strip(), "why": what.strip()}}.get(
            kind, {"what": need.text.strip()}
        )
        found.append((need, f"{reverse(url_name)}?{urlencode({**values, **more})}"))
    return found[:MOST_PROPOSED]


def given(request: HttpRequest, *names: str) -> dict[str, str]:
    """What the address proposes for a new form."""
    return {name: request.GET[name] for name in names if request.GET.get(name)}


@needs("scope.view_issue")
def context(request: HttpRequest) -> HttpResponse:
    """The context at a glance, and what changed in it since a day."""
    day = today()
    since = _day(request.GET.get("since", ""), add_months(day, -MONTHS), day)
    deltas = yearly.in_context(since, day)
    names = ("scope:issue_list", "scope:party_list", "scope:need_list", "scope:requirement_list")
    return pages.respond(
        request,
        "scope/context.html",
        "scope/context.html",
        {
            "title": "Context",
            "tabs": tabs("overview"),
            "since": since,
            "today": day,
            "deltas": deltas,
            "climate": ClimateDecision.objects.live().select_related("decided_by").first(),
            "climate_then": yearly.climate(since),
            "registers": [(d, reverse(name)) for d, name in zip(deltas, names, strict=True)],
            "open_needs": PartyRequirement.objects.live().filter(addressed="open").count(),
            "may_decide": request.user.has_perm("scope.decide_climate"),
        },
    )


def _day(text: str, otherwise: date, latest: date) -> date:
    """The day of an address; what is no day of the past gives `otherwise`."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if date(1990, 1, 1) <= found < latest else otherwise


# Issues


@needs("scope.view_issue")
def issue_list(request: HttpRequest) -> HttpResponseBase:
    """Every internal and external issue."""
    return pages.show_list(
        request,
        Issue.objects.visible_to(request.user).select_related("owner"),
        columns=ISSUES,
        filterset=IssueFilter,
        default_sort="what",
        title="Issues",
        template="scope/context_list.html",
        tabs=tabs("issues"),
        create_url="scope:issue_create",
        create_label="New issue",
        empty="No issue is written down yet. Begin with what would change your plans.",
    )


@needs("scope.view_issue")
def issue_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One issue, why it matters, and what it does to the system."""
    issue = pages.find(request, Issue.objects.select_related("owner", "created_by"), pk=pk)
    return pages.show_record(
        request,
        issue,
        template="scope/issue_detail.html",
        title=issue.what,
        subtitle=f"{issue.get_kind_display()} issue · {issue.get_category_display()}",
        crumbs=[("Context", "scope:context"), ("Issues", "scope:issue_list")],
        due=issue.review_on,
        settled=issue.is_settled,
    )


@needs("scope.add_context")
def issue_create(request: HttpRequest) -> HttpResponse:
    """Write down an issue."""
    return pages.edit(
        request,
        form_class=IssueForm,
        create=workflow.raise_issue,
        title="New issue",
        initial=given(request, "what"),
        context={"cancel_url": "scope:issue_list"},
    )


@needs("scope.change_context")
def issue_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an issue, with the reason."""
    issue = pages.find(request, Issue.objects, pk=pk)
    return pages.edit(request, form_class=IssueForm, instance=issue, title="Edit the issue")


@needs(ANYONE_SIGNED_IN)
def issue_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm, close, take up again."""
    return pages.do_transition(request, pages.find(request, Issue.objects, pk=pk), name)


# Interested parties and what they require


@needs("scope.view_interestedparty")
def party_list(request: HttpRequest) -> HttpResponseBase:
    """Every interested party, and those the opening answers name."""
    rows = InterestedParty.objects.visible_to(request.user).select_related("owner")
    known = InterestedParty.objects.values_list("name", flat=True)
    return pages.show_list(
        request,
        rows,
        columns=PARTIES,
        filterset=PartyFilter,
        default_sort="name",
        title="Interested parties",
        template="scope/context_list.html",
        tabs=tabs("parties"),
        proposals=_offered(request, "scope.add_context", "party", known, "scope:party_create"),
        create_url="scope:party_create",
        create_label="New interested party",
        empty="Nobody is written down yet. Customers come first, then the law, then your people.",
    )


def _offered(
    request: HttpRequest, permission: str, kind: str, known: Iterable[str], url_name: str
) -> list[tuple[Need, str]]:
    if not request.user.has_perm(permission):
        return []
    return proposed(kind, known, url_name)


@needs("scope.view_interestedparty")
def party_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One interested party with everything it requires."""
    rows = InterestedParty.objects.select_related("owner", "created_by")
    party = pages.find(request, rows, pk=pk)
    required = PartyRequirement.objects.visible_to(request.user).filter(party=party)
    return pages.show_record(
        request,
        party,
        template="scope/party_detail.html",
        title=party.name,
        subtitle=party.get_kind_display(),
        crumbs=[("Context", "scope:context"), ("Interested parties", "scope:party_list")],
        due=party.review_on,
        settled=party.is_settled,
        required=list(required.order_by("status", "pk")),
        may_add=not party.is_settled and request.user.has_perm("scope.add_context"),
    )


@needs("scope.add_context")
def party_create(request: HttpRequest) -> HttpResponse:
    """Write down an interested party."""
    return pages.edit(
        request,
        form_class=PartyForm,
        create=workflow.add_party,
        title="New interested party",
        initial=given(request, "name", "why"),
        context={"cancel_url": "scope:party_list"},
    )


@needs("scope.change_context")
def party_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a party, with the reason."""
    party = pages.find(request, InterestedParty.objects, pk=pk)
    return pages.edit(request, form_class=PartyForm, instance=party, title=f"Edit {party}")


@needs(ANYONE_SIGNED_IN)
def party_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm, close, take up again."""
    return pages.do_transition(request, pages.find(request, InterestedParty.objects, pk=pk), name)


@needs("scope.view_partyrequirement")
def need_list(request: HttpRequest) -> HttpResponseBase:
    """What every interested party requires, and whether the system takes it up."""
    known = PartyRequirement.objects.values_list("what", flat=True)
    return pages.show_list(
        request,
        PartyRequirement.objects.visible_to(request.user).select_related("party"),
        columns=NEEDS,
        filterset=NeedFilter,
        default_sort="party",
        title="What interested parties require",
        template="scope/context_list.html",
        tabs=tabs("needs"),
        proposals=_offered(request, "scope.add_context", "need", known, "scope:need_create"),
        create_url="scope:need_create",
        create_label="New requirement of a party",
        empty="Nothing is written down yet. Say what each party needs, and whether you take it up.",
    )


@needs("scope.view_partyrequirement")
def need_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One requirement of a party and the answer to it."""
    rows = PartyRequirement.objects.select_related("party__owner", "created_by")
    need = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        need,
        template="scope/need_detail.html",
        title=need.what,
        subtitle=f"Required by {need.party}",
        crumbs=[
            ("Interested parties", "scope:party_list"),
            (need.party.name, need.party.get_absolute_url()),
        ],
        due=need.review_on,
        settled=need.is_settled,
    )


@needs("scope.add_context")
def need_create(request: HttpRequest) -> HttpResponse:
    """Write down what a party requires."""
    return pages.edit(
        request,
        form_class=NewNeedForm,
        create=workflow.add_need,
        title="New requirement of a party",
        initial=given(request, "what", "party"),
        done=lambda made: made.party.get_absolute_url(),
        context={"cancel_url": "scope:need_list"},
    )


@needs("scope.change_context")
def need_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the answer, with the reason."""
    need = pages.find(request, PartyRequirement.objects, pk=pk)
    return pages.edit(
        request, form_class=NeedForm, instance=need, title=f"What {need.party} require"
    )


@needs(ANYONE_SIGNED_IN)
def need_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Withdraw, take up again."""
    return pages.do_transition(request, pages.find(request, PartyRequirement.objects, pk=pk), name)


# The climate decision


@needs("scope.view_climatedecision")
def climate_list(request: HttpRequest) -> HttpResponseBase:
    """The decision in force and those before it."""
    return pages.show_list(
        request,
        ClimateDecision.objects.visible_to(request.user).select_related("decided_by"),
        columns=[
            Column("decided_on", "Decided on", sort="decided_on", kind="date"),
            Column("relevant", "Climate change is", value="answer", sort="relevant"),
            Column("reason", "Reason"),
            Column("decided_by", "By", kind="person"),
            STATE,
        ],
        default_sort="-decided_on",
        title="Climate decision",
        template="scope/context_list.html",
        tabs=tabs("climate"),
        create_url="scope:climate_create",
        create_label="Decide",
        empty="Nobody has decided yet whether climate change is a relevant issue. “No” is an "
        "answer, too; it needs its reason.",
    )


@needs("scope.view_climatedecision")
def climate_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One climate decision."""
    rows = ClimateDecision.objects.select_related("decided_by", "created_by")
    decision = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        decision,
        template="scope/climate_detail.html",
        title=f"Climate change: {decision.answer.lower()}",
        crumbs=[("Context", "scope:context"), ("Climate", "scope:climate_list")],
        concerned=list(
            PartyRequirement.objects.visible_to(request.user)
            .live()
            .filter(about_climate=True)
            .select_related("party")
            .order_by("party__name", "pk")
        ),
    )


@needs("scope.decide_climate")
def climate_create(request: HttpRequest) -> HttpResponse:
    """Decide whether climate change is a relevant issue."""
    return pages.edit(
        request,
        form_class=ClimateForm,
        create=workflow.decide_climate,
        title="Climate decision",
        context={"submit": "Decide", "cancel_url": "scope:climate_list"},
    )


@needs(ANYONE_SIGNED_IN)
def climate_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """A decision gives way to the next one by itself."""
    return pages.do_transition(request, pages.find(request, ClimateDecision.objects, pk=pk), name)


# The register of requirements


@needs("scope.view_requirement")
def requirement_list(request: HttpRequest) -> HttpResponseBase:
    """Every statutory, regulatory and customer requirement."""
    known = Requirement.objects.values_list("what", flat=True)
    return pages.show_list(
        request,
        Requirement.objects.visible_to(request.user).select_related("owner"),
        columns=REQUIREMENTS,
        filterset=RequirementFilter,
        default_sort="-number",
        title="Register of requirements",
        template="scope/context_list.html",
        tabs=tabs("requirements"),
        proposals=_offered(
            request, "scope.add_requirement", "requirement", known, "scope:requirement_create"
        ),
        create_url="scope:requirement_create",
        create_label="New requirement",
        empty="No requirement is entered yet. Begin with the law your products must meet.",
    )


@needs("scope.view_requirement")
def requirement_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One requirement, how it is met, and by which processes."""
    rows = Requirement.objects.select_related("owner", "created_by")
    requirement = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        requirement,
        template="scope/requirement_detail.html",
        title=requirement.what,
        subtitle=f"{requirement.number} · {requirement.get_kind_display()}",
        crumbs=[("Register of requirements", "scope:requirement_list")],
        due=requirement.review_on,
        settled=requirement.is_settled,
        processes=requirement.processes(),
        may_bind=not requirement.is_settled and request.user.has_perm("scope.change_requirement"),
    )


@needs("scope.add_requirement")
def requirement_create(request: HttpRequest) -> HttpResponse:
    """Enter a requirement."""
    return pages.edit(
        request,
        form_class=NewRequirementForm,
        create=workflow.register_requirement,
        title="New requirement",
        initial=given(request, "what"),
        context={"cancel_url": "scope:requirement_list"},
    )


@needs("scope.change_requirement")
def requirement_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a requirement, with the reason."""
    found = pages.find(request, Requirement.objects, pk=pk)
    return pages.edit(
        request, form_class=RequirementForm, instance=found, title=f"Edit {found.number}"
    )


@needs("scope.change_requirement")
def requirement_bind(request: HttpRequest, pk: int) -> HttpResponse:
    """Which processes must meet it."""
    found = pages.find(request, Requirement.objects, pk=pk)

    def save(*, by: Any, **chosen: Any) -> Requirement:
        return workflow.bind_processes(found, by=by, **chosen)

    return pages.edit(
        request,
        form_class=BindingForm,
        create=save,
        title=f"Processes that meet {found.number}",
        initial={
            "processes": [each.pk for each in found.processes()],
            "seen": links.seal({"requirement": found}, RequirementProcess),
        },
        context={"intro": found.what, "cancel_url": found.get_absolute_url()},
    )


@needs(ANYONE_SIGNED_IN)
def requirement_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm, withdraw, reinstate."""
    return pages.do_transition(request, pages.find(request, Requirement.objects, pk=pk), name)
