"""Pages of external providers and their evaluations."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from qms import contributions, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.contributions import Related
from qms.pages import Column
from qms.people.models import Person
from qms.periods import today
from qms.providers import workflow
from qms.providers.forms import EvaluationForm, NewProviderForm, ProcessesForm, ProviderForm
from qms.providers.models import Provider, ProviderEvaluation, ProviderProcess, Verdict
from qms.scope.models import Process

EVALUATIONS_SHOWN = 12
TABS = (
    ("Providers", "providers:provider_list"),
    ("Evaluations", "providers:evaluation_list"),
)


def tabs(current: str) -> list[tuple[str, str, bool]]:
    return [(label, reverse(name), name == current) for label, name in TABS]


PROVIDERS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("name", "Provider", sort="name"),
    Column("provides", "What they provide"),
    Column("kind", "Kind", value="get_kind_display", sort="kind", shown=False),
    Column("weight", "Weight", value="get_weight_display", sort="weight", kind="number"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("last_on", "Evaluated", sort="last_on", kind="date", shown=False),
    Column("score", "Score", sort="score", numeric=True),
    Column("verdict", "Last verdict", value="get_verdict_display", sort="verdict", shown=False),
    Column("certificate", "Certificate", shown=False),
    Column("certificate_until", "Until", sort="certificate_until", kind="date", shown=False),
    Column(
        "next_due", "Next evaluation", sort="next_due", kind="due", settled=lambda p: p.is_settled
    ),
    Column("status", "State", sort="status", kind="state"),
]


class ProviderFilter(django_filters.FilterSet):
    """Filters of the register."""

    text = django_filters.CharFilter(method="with_words", label="Text")
    status = django_filters.ChoiceFilter(choices=Provider.Status.choices, label="State")
    weight = django_filters.ChoiceFilter(choices=Provider.Weight.choices, label="Weight")
    kind = django_filters.ChoiceFilter(choices=Provider.Kind.choices, label="Kind")
    process = django_filters.ModelChoiceFilter(
        queryset=Process.objects.order_by("code"), method="of_process", label="Process"
    )
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")
    late = django_filters.BooleanFilter(method="only_late", label="Overdue")

    class Meta:
        model = Provider
        fields = ("text", "status", "weight", "kind", "process", "owner", "late")

    def with_words(self, rows: Any, name: str, value: str) -> Any:
        return rows.known_as(value)

    def of_process(self, rows: Any, name: str, process: Process | None) -> Any:
        if process is None:
            return rows
        links = ProviderProcess.objects.live().filter(process=process)
        return rows.filter(pk__in=links.values("provider_id"))

    def only_late(self, rows: Any, name: str, value: bool) -> Any:
        return rows.open().overdue(today()) if value else rows


@needs("providers.view_provider")
def provider_list(request: HttpRequest) -> HttpResponseBase:
    """Every external provider."""
    return pages.show_list(
        request,
        Provider.objects.visible_to(request.user).select_related("owner"),
        columns=PROVIDERS,
        filterset=ProviderFilter,
        default_sort="number",
        title="External providers",
        intro="Who provides what to us, how good they are, and whether we may order from them.",
        template="layouts/tabbed.html",
        tabs=tabs("providers:provider_list"),
        create_url="providers:provider_create",
        create_label="New provider",
        empty="No external provider is entered yet. Begin with the one you depend on most.",
    )


@needs("providers.view_provider")
def provider_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One provider: what they provide, how they were found, whether they may."""
    people = ("owner", "created_by", "approved_by")
    provider = pages.find(request, Provider.objects.select_related(*people), pk=pk)
    rows = ProviderEvaluation.objects.visible_to(request.user).filter(provider=provider)
    evaluations = list(
        rows.select_related("created_by", "provider").newest_first()[:EVALUATIONS_SHOWN]
    )
    links = ProviderProcess.objects.live().filter(provider=provider).select_related("process")
    scores = [each.score for each in reversed(evaluations) if each.score and not each.is_void]
    mine = workflow.only_its_owner(provider, request.user) is None
    return pages.show_record(
        request,
        provider,
        template="providers/provider_detail.html",
        title=provider.name,
        crumbs=[("External providers", "providers:provider_list")],
        due=provider.next_due,
        settled=provider.is_settled,
        evaluations=evaluations,
        scores=scores,
        processes=[link.process for link in links.order_by("process__code")],
        beside=_beside(provider, request.user),
        may_evaluate=not provider.is_settled
        and request.user.has_perm("providers.add_providerevaluation"),
        may_bind=mine
        and not provider.is_settled
        and request.user.has_perm("providers.change_provider"),
    )


def _beside(provider: Provider, person: Any) -> list[dict[str, Any]]:
    """What other chapters keep of a provider, with the page on which one more is made."""
    found = contributions.related_to(Provider, [provider.pk], person)[provider.pk]
    return [
        {"kind": kind, "rows": rows, "add": contributions.page_to_add(Provider, kind, person)}
        for kind, rows in found.items()
    ]


def _since(provider: Provider, person: Any) -> list[tuple[str, list[Related]]]:
    """What happened since the last evaluation and is to be weighed at this one."""
    found = contributions.related_to(Provider, [provider.pk], person)[provider.pk]
    last = provider.last_on
    fresh = {
        kind: [row for row in rows if last is None or (row.day and row.day > last)]
        for kind, rows in found.items()
    }
    return [(kind, rows) for kind, rows in fresh.items() if rows]


@needs("providers.add_provider")
def provider_create(request: HttpRequest) -> HttpResponse:
    """Propose a provider."""
    return pages.edit(
        request,
        form_class=NewProviderForm,
        create=workflow.propose_provider,
        title="New external provider",
        initial={"processes": request.GET.getlist("process")},
        context={
            "intro": "Proposed first; after an evaluation it is decided whether you may order.",
            "cancel_url": "providers:provider_list",
        },
    )


@needs("providers.change_provider")
def provider_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is known of a provider."""
    provider = pages.find(request, Provider.objects, pk=pk)
    return pages.edit(
        request, form_class=ProviderForm, instance=provider, title=f"Edit {provider.number}"
    )


@needs("providers.change_provider")
def provider_processes(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which processes they serve."""
    provider = pages.find(request, Provider.objects, pk=pk)
    links = ProviderProcess.objects.live().filter(provider=provider)

    def save(*, by: Any, processes: Any) -> Provider:
        return workflow.serve_processes(provider, by=by, processes=processes)

    return pages.edit(
        request,
        form_class=ProcessesForm,
        create=save,
        title=f"Processes that {provider.name} serves",
        initial={"processes": list(links.values_list("process_id", flat=True))},
        context={"cancel_url": provider.get_absolute_url()},
    )


@needs(ANYONE_SIGNED_IN)
def provider_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Approve, suspend, end, take up again."""
    return pages.do_transition(request, pages.find(request, Provider.objects, pk=pk), name)


# Evaluations

EVALUATIONS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("provider", "Provider", value="provider.name", sort="provider__name"),
    Column("evaluated_on", "Evaluated", sort="evaluated_on", kind="date"),
    Column("score", "Score", sort="score", numeric=True),
    Column("verdict", "Verdict", value="get_verdict_display", sort="verdict"),
    Column("by", "By", value="created_by", sort="created_by__name", kind="person"),
    Column("next_due", "Next one due", sort="next_due", kind="date"),
    Column("status", "State", sort="status", kind="state"),
]


class EvaluationFilter(django_filters.FilterSet):
    """Filters of the evaluations."""

    provider = django_filters.CharFilter(
        field_name="provider__name", lookup_expr="icontains", label="Provider"
    )
    verdict = django_filters.ChoiceFilter(choices=Verdict.choices, label="Verdict")

    class Meta:
        model = ProviderEvaluation
        fields = ("provider", "verdict")


@needs("providers.view_providerevaluation")
def evaluation_list(request: HttpRequest) -> HttpResponseBase:
    """Every evaluation, the newest first."""
    rows = ProviderEvaluation.objects.visible_to(request.user)
    return pages.show_list(
        request,
        rows.select_related("provider", "created_by"),
        columns=EVALUATIONS,
        filterset=EvaluationFilter,
        default_sort="-evaluated_on",
        title="Evaluations of external providers",
        template="layouts/tabbed.html",
        tabs=tabs("providers:evaluation_list"),
        empty="No provider is evaluated yet. Open a provider and evaluate it.",
    )


@needs("providers.view_providerevaluation")
def evaluation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One evaluation: criteria, verdict, conclusion."""
    rows = ProviderEvaluation.objects.select_related("provider", "created_by")
    evaluation = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        evaluation,
        template="providers/evaluation_detail.html",
        title=f"Evaluation of {evaluation.provider.name}",
        crumbs=[
            ("External providers", "providers:provider_list"),
            (evaluation.provider.number, evaluation.provider.get_absolute_url()),
        ],
    )


@needs("providers.add_providerevaluation")
def evaluation_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Evaluate a provider."""
    provider = pages.find(request, Provider.objects, pk=pk)

    def save(*, by: Any, **said: Any) -> ProviderEvaluation:
        made: ProviderEvaluation = workflow.record_evaluation(provider, by=by, **said)
        return made

    return pages.edit(
        request,
        form_class=EvaluationForm,
        create=save,
        provider=provider,
        title=f"Evaluate {provider.name}",
        done=provider.get_absolute_url(),
        template="providers/evaluation_form.html",
        context={
            "intro": provider.provides,
            "cancel_url": provider.get_absolute_url(),
            "last": provider.last_on,
            "since": _since(provider, request.user),
        },
    )


@needs(ANYONE_SIGNED_IN)
def evaluation_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take an evaluation back."""
    return pages.do_transition(
        request, pages.find(request, ProviderEvaluation.objects, pk=pk), name
    )
