"""Pages of risks and opportunities: lists, matrix, record, forms, steps.

Both kinds have the same pages; what differs stands in `Pages`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import django_filters
from django.forms import CheckboxInput, HiddenInput
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from qms import contributions, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.actions.models import Action
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.periods import today
from qms.picking import ANY_RECORD, touched
from qms.risks import forms, overview, workflow
from qms.risks.models import HIGH_FROM, MIDDLE_FROM, PARTS, Opportunity, Outlook, Risk
from qms.scope.models import Process

LEVELS = {"low": (1, MIDDLE_FROM - 1), "middle": (MIDDLE_FROM, HIGH_FROM - 1), "high": (10, 25)}


@dataclass(frozen=True)
class Pages:
    """What the pages of one kind need."""

    kind: type[Any]
    name: str
    new: type[Any]
    form: type[Any]
    again: type[Any]
    create: Callable[..., Any]
    evaluate: Callable[..., Any]
    intro: str
    empty: str

    @property
    def plural(self) -> str:
        return str(self.kind._meta.verbose_name_plural).capitalize()

    def url(self, page: str, *args: Any) -> str:
        return reverse(f"risks:{self.name}_{page}", args=args)


RISKS = Pages(
    Risk,
    "risk",
    forms.NewRiskForm,
    forms.RiskForm,
    forms.RiskAgainForm,
    workflow.identify_risk,
    workflow.evaluate_risk_again,
    "What might keep the system from what it is for, and what is done about it.",
    "No risk is written down yet. Ask of each process what would hurt a customer most.",
)
OPPORTUNITIES = Pages(
    Opportunity,
    "opportunity",
    forms.NewOpportunityForm,
    forms.OpportunityForm,
    forms.OpportunityAgainForm,
    workflow.identify_opportunity,
    workflow.evaluate_opportunity_again,
    "What might help the system to do more or better, and what is made of it.",
    "No opportunity is written down yet. Ask what customers would thank you for.",
)


def columns_of(kind: type[Outlook]) -> list[Column]:
    """The columns of a list, named by the scales of the kind."""
    one, two = kind.SCALES
    return [
        Column("number", "Number", sort="number", kind="link"),
        Column("title", str(kind._meta.verbose_name).capitalize(), sort="title"),
        Column("process", "Process", value="process.code", sort="process__code"),
        Column("first", one, sort="first", numeric=True, shown=False),
        Column("second", two, sort="second", numeric=True, shown=False),
        Column("score", "Score", sort="score", numeric=True),
        Column("level", "Level", sort="score"),
        Column("decision", "Decision", value="get_decision_display", sort="decision"),
        Column("owner", "Owner", sort="owner__name", kind="person"),
        Column(
            "review_on",
            "Look again",
            sort="review_on",
            kind="due",
            settled=lambda row: bool(row.is_settled),
        ),
        Column("status", "State", sort="status", kind="state"),
    ]


class OutlookFilter(django_filters.FilterSet):
    """Filters of both lists."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Outlook.Status.choices, label="State")
    level = django_filters.ChoiceFilter(
        choices=[("high", "High"), ("middle", "Medium"), ("low", "Low")],
        method="of_level",
        label="Level",
    )
    process = django_filters.ModelChoiceFilter(
        queryset=Process.objects.order_by("code"), label="Process"
    )
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")
    # The matrix leads here with both values; nobody types them.
    first = django_filters.NumberFilter(min_value=1, max_value=5, widget=HiddenInput)
    second = django_filters.NumberFilter(min_value=1, max_value=5, widget=HiddenInput)
    open = django_filters.BooleanFilter(
        method="only_open", label="Only open ones", widget=CheckboxInput
    )

    def of_level(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(score__range=LEVELS[value]) if value in LEVELS else rows

    def only_open(self, rows: Any, name: str, value: bool) -> Any:
        return rows.open() if value else rows


class RiskFilter(OutlookFilter):
    """Filters of the risks."""

    class Meta:
        model = Risk
        fields = ("title", "status", "level", "process", "owner", "first", "second", "open")


class OpportunityFilter(OutlookFilter):
    """Filters of the opportunities."""

    class Meta:
        model = Opportunity
        fields = ("title", "status", "level", "process", "owner", "first", "second", "open")


FILTERS: dict[type[Any], type[Any]] = {Risk: RiskFilter, Opportunity: OpportunityFilter}


def tabs(own: Pages, current: str) -> list[tuple[str, str, bool]]:
    """The views of one kind as tabs."""
    return [
        ("List", own.url("list"), current == "list"),
        ("Matrix and trend", own.url("matrix"), current == "matrix"),
    ]


# What both kinds share


def _list(request: HttpRequest, own: Pages) -> HttpResponseBase:
    rows = own.kind.objects.visible_to(request.user).select_related("owner", "process")
    return pages.show_list(
        request,
        rows,
        columns=columns_of(own.kind),
        filterset=FILTERS[own.kind],
        default_sort="-score",
        title=own.plural,
        intro=own.intro,
        template="risks/list.html",
        tabs=tabs(own, "list"),
        proposals=_proposals(request, own),
        at_point=_point(request, own.kind),
        create_url=own.url("create"),
        create_label=f"New {own.kind._meta.verbose_name}",
        empty=own.empty,
    )


def _point(request: HttpRequest, kind: type[Outlook]) -> str:
    """In words, which field of the matrix the list is narrowed to; empty for none."""
    told = [
        f"{scale.lower()} {value}"
        for scale, name in zip(kind.SCALES, ("first", "second"), strict=True)
        if (value := request.GET.get(name, "")) in "12345" and value
    ]
    return " and ".join(told)


def _proposals(request: HttpRequest, own: Pages) -> list[str]:
    """Lines of the opening answers that nobody has taken up as a risk."""
    if own is not RISKS or not request.user.has_perm("risks.add_risk"):
        return []
    lines = [need.text.strip() for need in contributions.proposals("risk")]
    if not lines:
        return []
    known = {text.casefold() for text in Risk.objects.values_list("title", flat=True)}
    return [line for line in lines if line.casefold() not in known]


def _matrix(request: HttpRequest, own: Pages) -> HttpResponse:
    rows = own.kind.objects.visible_to(request.user)
    waiting = rows.open().filter(score=None).count()
    return pages.respond(
        request,
        "risks/matrix.html",
        "risks/matrix.html",
        {
            "title": own.plural,
            "intro": own.intro,
            "tabs": tabs(own, "matrix"),
            "kind": own.kind,
            "scales": own.kind.SCALES,
            "second": list(own.kind.SECOND.items()),
            "lines": overview.matrix(own.kind, rows),
            "waiting": waiting,
            "list_url": own.url("list"),
            "chart": overview.trend(own.kind, today()),
            "levels": own.kind.LEVELS,
        },
    )


def _detail(request: HttpRequest, own: Pages, pk: int) -> HttpResponse:
    people = ("owner", "process", "created_by", "decided_by", "judged_by", "origin_type")
    record = pages.find(request, own.kind.objects.select_related(*people), pk=pk)
    evaluation, link, side = PARTS[own.kind]
    said = evaluation.objects.filter(**{side: record}).select_related("created_by", side)
    mine = workflow.only_its_owner(record, request.user) is None
    may = mine and request.user.has_perm(f"risks.change_{own.name}") and not record.is_settled
    actions = Action.objects.visible_to(request.user).raised_from(record)
    return pages.show_record(
        request,
        record,
        template="risks/detail.html",
        title=record.title,
        crumbs=[(own.plural, own.url("list"))],
        path=path_of(record),
        due=record.review_on,
        settled=record.is_settled,
        evaluations=list(said.order_by("pk")),
        actions=list(actions.select_related("owner").order_by("due", "pk")),
        touched=touched(link.objects.live().filter(**{side: record}).order_by("pk"), request.user),
        urls={page: own.url(page, pk) for page in ("again", "action", "touch")},
        may_change=may,
        may_act=may and record.status in ("evaluated", "treated"),
        may_look=may and record.status != "identified",
    )


def path_of(record: Outlook) -> list[PathStep]:
    """Seen, evaluated, decided, judged: how far it is."""
    order = ["identified", "evaluated", "treated", "effective"]
    if record.status == Outlook.Status.CLOSED:
        return [
            PathStep("Identified", "done", record.recorded_at.date()),
            PathStep("Closed", "now", record.closed_on or ""),
        ]
    at = order.index(record.status)
    notes = [record.recorded_at.date(), record.evaluated_on, record.decided_on, record.judged_on]
    return [
        PathStep(name, "done" if i <= at else "now" if i == at + 1 else "later", note or "")
        for i, (name, note) in enumerate(
            zip(("Identified", "Evaluated", "Decided", "Effective"), notes, strict=True)
        )
    ]


def _create(request: HttpRequest, own: Pages) -> HttpResponse:
    origin = ANY_RECORD.at_address(request.GET.get("from", ""), request.user)
    initial = {"touches": request.GET.get("from", "")} if origin is not None else {}
    for name in ("title", "process"):
        if request.GET.get(name):
            initial[name] = request.GET[name]
    return pages.edit(
        request,
        form_class=own.new,
        create=own.create,
        title=f"New {own.kind._meta.verbose_name}",
        template="layouts/touching.html",
        initial=initial,
        context={"cancel_url": own.url("list")},
    )


def _edit(request: HttpRequest, own: Pages, pk: int) -> HttpResponse:
    record = pages.find(request, own.kind.objects, pk=pk)
    return pages.edit(request, form_class=own.form, instance=record, title=f"Edit {record.number}")


def _again(request: HttpRequest, own: Pages, pk: int) -> HttpResponse:
    record = pages.find(request, own.kind.objects, pk=pk)

    def save(*, by: Any, **said: Any) -> Any:
        return own.evaluate(by=by, **{own.name: record}, **said)

    return pages.edit(
        request,
        form_class=own.again,
        create=save,
        title=f"Evaluate {record.number} again",
        initial={"first": record.first, "second": record.second},
        context={"intro": record.title, "cancel_url": record.get_absolute_url()},
    )


def _action(request: HttpRequest, own: Pages, pk: int) -> HttpResponse:
    record = pages.find(request, own.kind.objects, pk=pk)

    def save(*, by: Any, **said: Any) -> Any:
        workflow.plan_treatment(record, by=by, **said)
        return record

    return pages.edit(
        request,
        form_class=forms.TreatmentForm,
        create=save,
        title=f"One more action for {record.number}",
        context={"intro": record.title, "cancel_url": record.get_absolute_url()},
    )


def _touch(request: HttpRequest, own: Pages, pk: int) -> HttpResponse:
    record = pages.find(request, own.kind.objects, pk=pk)
    _evaluation, link, side = PARTS[own.kind]
    known = touched(link.objects.live().filter(**{side: record}).order_by("pk"), request.user)

    def save(*, by: Any, touches: Any) -> Any:
        return workflow.touch(record, by=by, touches=touches)

    return pages.edit(
        request,
        form_class=forms.TouchForm,
        create=save,
        title=f"What {record.number} bears on",
        template="layouts/touching.html",
        initial={"touches": ", ".join(each.url for each in known if each.url)},
        context={"intro": record.title, "cancel_url": record.get_absolute_url()},
    )


# Risks


@needs("risks.view_risk")
def risk_list(request: HttpRequest) -> HttpResponseBase:
    """Every risk, the highest first."""
    return _list(request, RISKS)


@needs("risks.view_risk")
def risk_matrix(request: HttpRequest) -> HttpResponse:
    """Where the open risks stand, and how that moved."""
    return _matrix(request, RISKS)


@needs("risks.view_risk")
def risk_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One risk: evaluations, treatment, actions, verdict."""
    return _detail(request, RISKS, pk)


@needs("risks.add_risk")
def risk_create(request: HttpRequest) -> HttpResponse:
    """Write down a risk."""
    return _create(request, RISKS)


@needs("risks.change_risk")
def risk_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is written, with the reason."""
    return _edit(request, RISKS, pk)


@needs("risks.change_risk")
def risk_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Evaluate it again."""
    return _again(request, RISKS, pk)


@needs("risks.change_risk")
def risk_action(request: HttpRequest, pk: int) -> HttpResponse:
    """One more action of the treatment."""
    return _action(request, RISKS, pk)


@needs("risks.change_risk")
def risk_touch(request: HttpRequest, pk: int) -> HttpResponse:
    """What it bears on."""
    return _touch(request, RISKS, pk)


@needs("risks.view_risk")
def record_find(request: HttpRequest) -> HttpResponse:
    """What the search finds for a word, to be put into the field “What it bears on”."""
    query = request.GET.get("touches", "").rpartition(",")[2].strip()
    hits = ANY_RECORD.found_by(query, request.user)[:8]
    return render(request, "components/found_records.html", {"hits": hits, "query": query})


@needs(ANYONE_SIGNED_IN)
def risk_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One step of the procedure."""
    return pages.do_transition(request, pages.find(request, Risk.objects, pk=pk), name)


# Opportunities


@needs("risks.view_opportunity")
def opportunity_list(request: HttpRequest) -> HttpResponseBase:
    """Every opportunity, the best first."""
    return _list(request, OPPORTUNITIES)


@needs("risks.view_opportunity")
def opportunity_matrix(request: HttpRequest) -> HttpResponse:
    """Where the open opportunities stand, and how that moved."""
    return _matrix(request, OPPORTUNITIES)


@needs("risks.view_opportunity")
def opportunity_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One opportunity: evaluations, decision, actions, verdict."""
    return _detail(request, OPPORTUNITIES, pk)


@needs("risks.add_opportunity")
def opportunity_create(request: HttpRequest) -> HttpResponse:
    """Write down an opportunity."""
    return _create(request, OPPORTUNITIES)


@needs("risks.change_opportunity")
def opportunity_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is written, with the reason."""
    return _edit(request, OPPORTUNITIES, pk)


@needs("risks.change_opportunity")
def opportunity_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Evaluate it again."""
    return _again(request, OPPORTUNITIES, pk)


@needs("risks.change_opportunity")
def opportunity_action(request: HttpRequest, pk: int) -> HttpResponse:
    """One more action."""
    return _action(request, OPPORTUNITIES, pk)


@needs("risks.change_opportunity")
def opportunity_touch(request: HttpRequest, pk: int) -> HttpResponse:
    """What it bears on."""
    return _touch(request, OPPORTUNITIES, pk)


@needs(ANYONE_SIGNED_IN)
def opportunity_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One step of the procedure."""
    return pages.do_transition(request, pages.find(request, Opportunity.objects, pk=pk), name)
