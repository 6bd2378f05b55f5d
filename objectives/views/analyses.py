"""Pages of analyses: what a period showed, what was concluded and decided."""

from datetime import date
from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from objectives import workflow
from objectives.analysing import figures_of
from objectives.forms import ActionForm, AnalysisForm, NewAnalysisForm
from objectives.models import Analysis
from objectives.prints import analysis_pdf as pdf_of
from qms import pages, periods
from qms.access import ANYONE_SIGNED_IN, needs
from qms.actions.models import Action
from qms.pages import Column, PathStep
from qms.scope.models import Process

PEOPLE = ("process__owner", "owner", "created_by", "concluded_by")

COLUMNS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("title", "Analysis", sort="title"),
    Column("about", "About", sort="process__code"),
    Column("period", "Period", sort="period_end"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("concluded_on", "Concluded", sort="concluded_on", kind="date"),
    Column("status", "State", sort="status", kind="state"),
]


class AnalysisFilter(django_filters.FilterSet):
    """Filters of the analyses."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    status = django_filters.ChoiceFilter(choices=Analysis.Status.choices, label="State")
    year = django_filters.NumberFilter(
        field_name="period_end__year", label="Year", min_value=1990, max_value=2190
    )

    class Meta:
        model = Analysis
        fields = ("title", "process", "status", "year")


@needs("objectives.view_analysis")
def analysis_list(request: HttpRequest) -> HttpResponseBase:
    """Every analysis, the newest period first."""
    rows = Analysis.objects.visible_to(request.user).select_related("process", "owner")
    return pages.show_list(
        request,
        rows,
        columns=COLUMNS,
        filterset=AnalysisFilter,
        default_sort="-period",
        title="Analyses",
        intro="What the figures of a period show, what is concluded and what is decided.",
        create_url=reverse("objectives:analysis_create"),
        create_label="Begin an analysis",
        empty="No period is analysed yet. Begin with one process and its last year.",
    )


@needs("objectives.view_analysis")
def analysis_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One analysis: the figures, what they show, what is decided."""
    analysis = pages.find(request, Analysis.objects.select_related(*PEOPLE), pk=pk)
    actions = Action.objects.visible_to(request.user).raised_from(analysis)
    may = request.user.has_perm("actions.add_action") and analysis.status != "void"
    return pages.show_record(
        request,
        analysis,
        template="objectives/analysis_detail.html",
        title=analysis.title,
        crumbs=[("Analyses", reverse("objectives:analysis_list")), (analysis.number, "")],
        path=path_of(analysis),
        figures=_shown(analysis),
        actions=list(actions.select_related("owner").order_by("due", "pk")),
        may_act=may and not workflow.only_who_analyses(analysis, request.user),
    )


def _shown(analysis: Analysis) -> dict[str, list[Any]]:
    """Kept figures of what is concluded, else those of today."""
    figures = analysis.figures
    if analysis.status == Analysis.Status.DRAFT:
        figures = figures_of(analysis.process, analysis.period, periods.today())
    return {
        "indicators": [line for line in figures if line["kind"] == "indicator"],
        "objectives": [line for line in figures if line["kind"] == "objective"],
    }


def path_of(analysis: Analysis) -> list[PathStep]:
    """Begun, concluded."""
    begun = PathStep("Begun", "done", periods.day_of(analysis.recorded_at))
    if analysis.status == "void":
        return [begun, PathStep("Void", "now")]
    over = analysis.status == "concluded"
    return [begun, PathStep("Concluded", "done" if over else "later", analysis.concluded_on or "")]


@needs("objectives.add_analysis")
def analysis_create(request: HttpRequest) -> HttpResponse:
    """Begin an analysis; the address may name process and period."""
    return pages.edit(
        request,
        form_class=NewAnalysisForm,
        create=workflow.begin_analysis,
        title="Begin an analysis",
        initial=_asked(request),
        context={
            "cancel_url": "objectives:analysis_list",
            "intro": "The figures are computed; you say what they show and what is decided.",
        },
    )


def _asked(request: HttpRequest) -> dict[str, Any]:
    """The last twelve months that are over, unless the address says otherwise."""
    end = periods.today().replace(day=1) - date.resolution
    begun: dict[str, Any] = {
        "period_start": periods.add_months(end + date.resolution, -12),
        "period_end": end,
    }
    for name in begun:
        try:
            begun[name] = date.fromisoformat(request.GET.get(name, ""))
        except ValueError:
            continue
    if (process := pages.named_in(request, "process", Process)) is not None:
        begun["process"] = process.pk
    return begun


@needs("objectives.change_analysis")
def analysis_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what the figures show and what is decided."""
    analysis = pages.find(request, Analysis.objects.select_related(*PEOPLE), pk=pk)
    return pages.edit(
        request, form_class=AnalysisForm, instance=analysis, title=f"Edit {analysis.number}"
    )


@needs("actions.add_action")
def analysis_action(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan something it decides."""
    analysis = pages.find(request, Analysis.objects.select_related(*PEOPLE), pk=pk)

    def save(*, by: Any, **said: Any) -> Any:
        workflow.plan_action_of(analysis, by=by, **said)
        return analysis

    return pages.edit(
        request,
        form_class=ActionForm,
        create=save,
        title=f"An action from {analysis.number}",
        initial={"owner": analysis.owner_id},
        context={
            "intro": analysis.title,
            "submit": "Plan it",
            "cancel_url": analysis.get_absolute_url(),
        },
    )


@needs(ANYONE_SIGNED_IN)
def analysis_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Conclude, void."""
    rows = Analysis.objects.select_related(*PEOPLE)
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


@needs("objectives.view_analysis")
def analysis_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The analysis as a PDF."""
    analysis = pages.find(request, Analysis.objects.select_related(*PEOPLE), pk=pk)
    return pages.send_pdf(pdf_of(analysis), analysis.number)
