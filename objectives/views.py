"""Pages of objectives: list, record with its chart, readings."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from objectives import schedule, workflow
from objectives.charts import chart_of, spark_of
from objectives.forms import ObjectiveForm, ReadingForm
from objectives.models import Measurement, Objective, aims_of, readings_of
from objectives.prints import objective_pdf as pdf_of
from objectives.status import Aim, forecast_in_words, standing_of
from qms import pages, periods
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.scope.models import Process
from qms.templatetags.face import badge

PEOPLE = ("owner", "process__owner", "created_by", "concluded_by")


def last_value(objective: Any) -> str:
    """The newest reading in words."""
    readings = readings_of(objective)
    return objective.shown(readings[-1][1]) if readings else ""


def stands(objective: Any) -> Any:
    """How a pursued one stands by its readings; any other by its state."""
    if objective.status != Objective.Status.ACTIVE:
        tone = Objective.STATE_TONES.get(objective.status, "")
        return badge(objective.get_status_display(), tone)
    standing = standing_of(objective, periods.today())
    return badge(standing.words, standing.tone)


def stands_in_words(objective: Any) -> str:
    if objective.status != Objective.Status.ACTIVE:
        return ""
    return standing_of(objective, periods.today()).words


COLUMNS = [
    Column("number", "Number", sort="number", kind="number"),
    Column("title", "Objective", sort="title"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("aim", "Target", value="aim_in_words"),
    Column("last", "Last", value=last_value, numeric=True),
    Column("spark", "Course", value=spark_of, export=False),
    Column("standing", "How it stands", value=stands, sort="status", export=False),
    Column("standing_words", "By its readings", value=stands_in_words, shown=False),
    Column("status", "State", kind="state", shown=False),
    Column("deadline", "Deadline", sort="deadline", kind="due", settled=lambda o: o.is_settled),
    Column("process", "Process", sort="process__code", shown=False),
]


class ObjectiveFilter(django_filters.FilterSet):
    """Filters of the list of objectives."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Objective.Status.choices, label="State")
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")

    class Meta:
        model = Objective
        fields = ("title", "status", "process", "owner")


@needs("objectives.view_objective")
def objective_list(request: HttpRequest) -> HttpResponseBase:
    """Every objective with its course."""
    rows = Objective.objects.visible_to(request.user).with_readings()
    return pages.show_list(
        request,
        rows.select_related("owner", "process"),
        columns=COLUMNS,
        filterset=ObjectiveFilter,
        default_sort="-number",
        title="Objectives",
        intro="What the organisation wants to reach, measured; how each stands is computed.",
        create_url=reverse("objectives:objective_create"),
        create_label="Set an objective",
        empty="No objective is set yet. Set the first one: what, by how much, by when, by whom.",
    )


@needs("objectives.view_objective")
def objective_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One objective: plan, chart, readings, how it stands."""
    objective = pages.find(request, Objective.objects.select_related(*PEOPLE), pk=pk)
    today = periods.today()
    readings = objective.measurements.select_related("created_by", "objective", "corrects")
    live = readings_of(objective, until=today)
    drawn = chart_of(objective, today)
    return pages.show_record(
        request,
        objective,
        template="objectives/objective_detail.html",
        title=objective.title,
        crumbs=[("Objectives", reverse("objectives:objective_list")), (objective.number, "")],
        path=path_of(objective),
        due=objective.deadline,
        settled=objective.is_settled,
        standing=standing_of(objective, today),
        forecast=forecast_in_words(Aim.of(objective), live) if objective.status == "active" else "",
        chart=drawn,
        readings=list(readings.order_by("-measured_for", "-pk")[:200]),
        aims=aims_of(objective),
        may_measure=objective.status in ("draft", "active")
        and not workflow.only_who_answers(objective, request.user),
    )


def path_of(objective: Objective) -> list[PathStep]:
    """Set, active, concluded: how far it is."""
    if objective.status == "void":
        return [PathStep("Set", "done"), PathStep("Void", "now")]
    ends = {"achieved": "Achieved", "missed": "Missed", "withdrawn": "Withdrawn"}
    active = objective.status == "active"
    over = objective.status in ends
    return [
        PathStep("Set", "done", periods.day_of(objective.recorded_at)),
        PathStep(
            "Pursued",
            "now" if active else "done" if over else "later",
            objective.activated_on or "",
        ),
        PathStep(
            ends.get(objective.status, "Concluded"),
            "done" if over else "later",
            objective.concluded_on or objective.deadline or "",
        ),
    ]


@needs("objectives.add_objective")
def objective_create(request: HttpRequest) -> HttpResponse:
    """Set an objective."""
    return pages.edit(
        request,
        form_class=ObjectiveForm,
        create=workflow.set_objective,
        title="Set an objective",
        template="objectives/objective_form.html",
        initial={"starts_on": periods.today()},
        context={"cancel_url": "objectives:objective_list"},
    )


@needs("objectives.change_objective")
def objective_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the objective; while it is pursued, with the reason."""
    objective = pages.find(request, Objective.objects.select_related(*PEOPLE), pk=pk)
    return pages.edit(
        request,
        form_class=ObjectiveForm,
        instance=objective,
        title=f"Edit {objective.number}",
        template="objectives/objective_form.html",
    )


@needs(ANYONE_SIGNED_IN)
def objective_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Activate, conclude, withdraw, void."""
    rows = Objective.objects.select_related(*PEOPLE)
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


@needs("objectives.view_objective")
def objective_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The objective with its chart and readings as a PDF."""
    objective = pages.find(request, Objective.objects.select_related(*PEOPLE), pk=pk)
    return pages.send_pdf(pdf_of(objective), objective.number)


@needs("objectives.measure_objective")
def measurement_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter the value of a period."""
    objective = pages.find(request, Objective.objects.select_related(*PEOPLE), pk=pk)
    return pages.edit(
        request,
        form_class=ReadingForm,
        create=lambda *, by, **fields: workflow.record_reading(
            by=by, objective=objective, **fields
        ),
        title=f"Enter a reading: {objective.title}",
        done=objective.get_absolute_url(),
        initial={"measured_for": suggested_day(objective)},
        context={
            "intro": f"{objective.metric or objective.title}, in {objective.unit or 'its unit'}; "
            f"to reach: {objective.aim_in_words}.",
            "submit": "Enter",
            "cancel_url": objective.get_absolute_url(),
        },
    )


def suggested_day(objective: Objective) -> Any:
    """The last day of the period whose reading comes next, never a day to come."""
    days = [day for day, _ in readings_of(objective)]
    period = schedule.next_reading(
        objective.frequency, objective.starts_on, objective.deadline, days
    )
    return min(period.end, periods.today()) if period else periods.today()


@needs("objectives.view_measurement")
def measurement_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One reading, and what corrects it or was corrected by it."""
    rows = Measurement.objects.select_related("objective", "created_by", "corrects__objective")
    reading = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        reading,
        template="objectives/measurement_detail.html",
        title=reading.title,
        crumbs=[
            ("Objectives", reverse("objectives:objective_list")),
            (reading.objective.number, reading.objective.get_absolute_url()),
            (reading.title, ""),
        ],
        corrected_by=reading.corrections.select_related("objective").first(),
    )


@needs(ANYONE_SIGNED_IN)
def measurement_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Correct a reading, or take it back."""
    rows = Measurement.objects.select_related("objective__process")
    reading = pages.find(request, rows, pk=pk)
    return pages.do_transition(request, reading, name, reading.objective.get_absolute_url())
