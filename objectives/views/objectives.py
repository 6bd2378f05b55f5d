"""Pages of objectives: list, record with its chart, form with a writing help, how all stand."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from objectives import workflow, writing
from objectives.charts import chart_of, spark_of
from objectives.forms import ActionForm, ObjectiveForm, interim_of
from objectives.models import Indicator, Objective, aims_of, readings_of
from objectives.prints import objective_pdf as pdf_of
from objectives.standings import Row, rows_of
from objectives.starters import example, examples
from objectives.status import Aim, forecast_in_words, standing_of, trend_in_words
from objectives.workflow.objectives import plan_action_for
from qms import pages, periods
from qms.access import ANYONE_SIGNED_IN, needs
from qms.actions.models import Action
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.scope.models import Process, Site
from qms.templatetags.face import badge

PEOPLE = ("owner", "process__owner", "created_by", "concluded_by", "indicator", "site", "parent")
PERIOD_DAYS = {"daily": 1, "weekly": 7, "monthly": 30, "quarterly": 91, "yearly": 365}


def last_value(record: Any) -> str:
    """The newest reading in words."""
    readings = readings_of(record)
    return record.shown(readings[-1][1]) if readings else ""


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
    Column("site", "Site", sort="site__name", shown=False),
    Column("indicator", "Indicator", sort="indicator__number", shown=False),
]


class ObjectiveFilter(django_filters.FilterSet):
    """Filters of the list of objectives."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Objective.Status.choices, label="State")
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    site = django_filters.ModelChoiceFilter(queryset=Site.objects.all(), label="Site")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")

    class Meta:
        model = Objective
        fields = ("title", "status", "process", "site", "owner")


@needs("objectives.view_objective")
def objective_list(request: HttpRequest) -> HttpResponseBase:
    """Every objective with its course."""
    rows = Objective.objects.visible_to(request.user).with_readings()
    return pages.show_list(
        request,
        rows.select_related("owner", "process", "site", "indicator"),
        columns=COLUMNS,
        template="objectives/objective_list.html",
        filterset=ObjectiveFilter,
        default_sort="-number",
        title="Objectives",
        intro="What the organisation wants to reach, measured; how each stands is computed.",
        create_url=reverse("objectives:objective_create"),
        create_label="Set an objective",
        empty="No objective is set yet. Set the first one: what, by how much, by when, by whom.",
    )


@needs("objectives.view_objective")
@require_safe
def objective_standing(request: HttpRequest) -> HttpResponse:
    """How every objective pursued now stands: value, target, trend, forecast, in one table."""
    rows = rows_of(Objective.objects.visible_to(request.user).active(), periods.today())
    printing = request.GET.get("print") == "1"
    context = {
        "title": "How the objectives stand",
        "rows": rows,
        "counts": _counts(rows),
        "today": periods.today(),
        "crumbs": [("Objectives", reverse("objectives:objective_list")), ("How they stand", "")],
        "base": "layouts/print.html" if printing else "base.html",
    }
    return render(request, "objectives/standing.html", context)


def _counts(rows: list[Row]) -> list[tuple[str, str, int]]:
    """(words, tone, how many) of each state there is, in the order of the table."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for each in rows:
        found[each.standing.words, each.standing.tone] += 1
    return [(words, tone, count) for (words, tone), count in found.items()]


@needs("objectives.view_objective")
@require_safe
def objective_tree(request: HttpRequest) -> HttpResponse:
    """What is part of what: objectives of the organisation, its processes and sites."""
    rows = Objective.objects.visible_to(request.user).exclude(status="void").with_readings()
    known = list(rows.select_related("owner", "process", "site", "indicator").order_by("number"))
    return render(
        request,
        "objectives/tree.html",
        {
            "title": "Objectives by what they are part of",
            "rows": in_order(known),
            "crumbs": [("Objectives", reverse("objectives:objective_list")), ("Tree", "")],
        },
    )


def in_order(known: list[Any]) -> list[tuple[int, Any, Any]]:
    """(level, objective, how it stands) from the top, each followed by its parts."""
    keys = {each.pk for each in known}
    parts: dict[int | None, list[Any]] = defaultdict(list)
    for each in known:
        parts[each.parent_id if each.parent_id in keys else None].append(each)
    found: list[tuple[int, Any, Any]] = []

    def walk(of: int | None, level: int) -> None:
        for each in parts[of]:
            found.append((level, each, stands(each)))
            walk(each.pk, level + 1)

    walk(None, 0)
    return found


@needs("objectives.view_objective")
def objective_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One objective: how it stands, chart, plan and actions, the indicator, what it is part of."""
    objective = pages.find(request, Objective.objects.select_related(*PEOPLE), pk=pk)
    today = periods.today()
    live = readings_of(objective, until=today)
    mine = not workflow.only_who_answers(objective, request.user)
    actions = Action.objects.visible_to(request.user).raised_from(objective)
    parts = Objective.objects.visible_to(request.user).filter(parent=objective).with_readings()
    indicator = objective.indicator
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
        trend=trend_in_words(objective.direction, live),
        forecast=forecast_in_words(Aim.of(objective), live) if objective.status == "active" else "",
        chart=chart_of(objective, today),
        stages=objective.stages,
        aims=aims_of(objective),
        advice=_advice_of(objective) if objective.status == "draft" else [],
        actions=list(actions.select_related("owner").order_by("due", "pk")),
        parts=[(each, stands(each)) for each in parts.select_related("owner").order_by("number")],
        may_act=mine and not objective.is_settled and request.user.has_perm("actions.add_action"),
        may_measure=indicator is not None
        and indicator.status == Indicator.Status.ACTIVE
        and not indicator.is_computed
        and not objective.is_settled
        and not workflow.only_who_measures(indicator, request.user),
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


def _advice_of(objective: Objective) -> list[writing.Advice]:
    draft = writing.Draft(
        title=objective.title,
        metric=objective.metric,
        unit=objective.unit,
        direction=objective.direction,
        baseline=objective.baseline,
        target=objective.target,
        relative=objective.target_relative_to_baseline,
        lower=objective.lower_band,
        upper=objective.upper_band,
        starts_on=objective.starts_on,
        deadline=objective.deadline,
        period_days=PERIOD_DAYS[objective.frequency],
        has_owner=objective.owner_id is not None,
        plan=objective.plan,
        resources=objective.resources,
        evaluation=objective.evaluation,
        stages=tuple(objective.stages),
    )
    return writing.look_at(draft, periods.today())


@needs("objectives.add_objective")
def objective_create(request: HttpRequest) -> HttpResponse:
    """Set an objective; a helper beside the form says what it does not say yet."""
    begun = {"starts_on": periods.today(), **_asked(request)}
    form = ObjectiveForm(request.POST or None, by=request.user, initial=begun)
    if request.method == "POST" and "look" in request.POST:
        return _looked_at(request, form, "Set an objective")
    return pages.edit(
        request,
        form_class=ObjectiveForm,
        create=workflow.set_objective,
        title="Set an objective",
        template="objectives/objective_form.html",
        initial=begun,
        context={
            "cancel_url": "objectives:objective_list",
            "advice": advice_on(form, request.user),
            "examples": examples() if request.method != "POST" else (),
        },
    )


def _asked(request: HttpRequest) -> dict[str, Any]:
    """What the address begins the form with: an example, a process, what it is part of."""
    chosen = example(request.GET.get("example", ""))
    begun: dict[str, Any] = dict(chosen.values) if chosen else {}
    for name, known in (
        ("process", Process.objects),
        ("parent", Objective.objects),
        ("indicator", Indicator.objects),
    ):
        asked = request.GET.get(name, "")
        if asked.isascii() and asked.isdigit() and len(asked) < 10:
            found = known.visible_to(request.user).filter(pk=asked).first()
            if found is not None:
                begun[name] = found.pk
    return begun


def _looked_at(request: HttpRequest, form: Any, title: str, record: Any = None) -> HttpResponse:
    """The form as typed with what the helper says; nothing is saved."""
    context = {"form": form, "title": title, "record": record}
    context |= {"advice": advice_on(form, request.user), "looked": True}
    context["cancel_url"] = reverse("objectives:objective_list")
    return render(request, "objectives/objective_form.html", context)


@needs("objectives.add_objective")
@require_POST
def objective_help(request: HttpRequest) -> HttpResponse:
    """What the helper says of an objective while it is written; saves nothing."""
    form = ObjectiveForm(request.POST, by=request.user)
    return render(request, "objectives/advice.html", {"advice": advice_on(form, request.user)})


def advice_on(form: Any, person: Any) -> list[writing.Advice]:
    """What the helper says of a form as it stands; what cannot be read counts as not said."""
    if form.is_bound:
        form.is_valid()
        told = form.cleaned_data
    else:
        told = {name: form.get_initial_for_field(f, name) for name, f in form.fields.items()}
    chosen = _indicator_in(told, person) or getattr(form.instance, "indicator", None)
    draft = writing.Draft(
        title=told.get("title") or "",
        metric=chosen.title if chosen else told.get("metric") or "",
        unit=chosen.unit if chosen else told.get("unit") or "",
        direction=told.get("direction") or "higher",
        baseline=_number(told.get("baseline")),
        target=_number(told.get("target")),
        relative=bool(told.get("target_relative_to_baseline")),
        lower=_number(told.get("lower_band")),
        upper=_number(told.get("upper_band")),
        starts_on=told.get("starts_on"),
        deadline=told.get("deadline"),
        period_days=PERIOD_DAYS[
            (chosen.frequency if chosen else told.get("frequency")) or "monthly"
        ],
        has_owner=bool(told.get("owner") or told.get("process")),
        plan=told.get("plan") or "",
        resources=told.get("resources") or "",
        evaluation=told.get("evaluation") or "",
        stages=interim_of(told),
    )
    return writing.look_at(draft, periods.today())


def _indicator_in(told: dict[str, Any], person: Any) -> Indicator | None:
    chosen = told.get("indicator")
    if isinstance(chosen, int):
        found: Indicator | None = Indicator.objects.visible_to(person).filter(pk=chosen).first()
        return found
    return chosen if isinstance(chosen, Indicator) else None


def _number(value: Any) -> Decimal | None:
    """A number of the form; an example's file spells it as text."""
    return None if value in (None, "") else Decimal(str(value))


@needs("objectives.change_objective")
def objective_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the objective; while it is pursued, with the reason."""
    objective = pages.find(request, Objective.objects.select_related(*PEOPLE), pk=pk)
    title = f"Edit {objective.number}"
    if request.method == "POST" and "look" in request.POST:
        form = ObjectiveForm(request.POST, by=request.user, instance=objective)
        return _looked_at(request, form, title, objective)
    return pages.edit(
        request,
        form_class=ObjectiveForm,
        instance=objective,
        title=title,
        template="objectives/objective_form.html",
        context={"advice": _advice_of(objective)},
    )


@needs("actions.add_action")
def objective_action(request: HttpRequest, pk: int) -> HttpResponse:
    """One more action of the plan: what, who, by when."""
    objective = pages.find(request, Objective.objects.select_related(*PEOPLE), pk=pk)

    def save(*, by: Any, **said: Any) -> Any:
        plan_action_for(objective, by=by, **said)
        return objective

    return pages.edit(
        request,
        form_class=ActionForm,
        create=save,
        title=f"An action for {objective.number}",
        initial={"owner": objective.owner_id},
        context={
            "intro": objective.title,
            "submit": "Plan it",
            "cancel_url": objective.get_absolute_url(),
        },
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
