"""Pages of corrective actions."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import django_filters
from django.apps import apps
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from capa import workflow
from capa.forms import CasesForm, CorrectiveActionForm, NewCorrectiveActionForm, TaskForm
from capa.models import CorrectiveAction, Nonconformity
from capa.origins import ORIGINS
from capa.progress import progress_of
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.periods import today

COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "What it changes", sort="title"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("status", "State", sort="status", kind="state"),
    Column("due", "Due", sort="due", kind="due", settled=lambda each: each.is_settled),
    Column("case_count", "Cases", sort="case_count", kind="number"),
    Column("check_on", "Checked on", sort="check_on", kind="date"),
    Column("verified_on", "Decided", sort="verified_on", kind="date", shown=False),
    Column("criterion", "Effective when", shown=False),
]
PEOPLE = ("owner", "created_by", "approved_by", "verified_by", "predecessor", "origin_type")


class CorrectiveActionFilter(django_filters.FilterSet):
    """Filters of the list."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=CorrectiveAction.Status.choices, label="State")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")

    class Meta:
        model = CorrectiveAction
        fields = ("title", "status", "owner")


@needs("capa.view_correctiveaction")
def corrective_action_list(request: HttpRequest) -> HttpResponseBase:
    """Every corrective action."""
    rows = CorrectiveAction.objects.visible_to(request.user).select_related("owner")
    rows = rows.annotate(case_count=Count("case_links", filter=Q(case_links__ended=False)))
    return pages.show_list(
        request,
        rows,
        columns=COLUMNS,
        filterset=CorrectiveActionFilter,
        default_sort="-number",
        title="Corrective actions",
        crumbs=[("Nonconformities", reverse("capa:nc_list")), ("Corrective actions", "")],
        create_url=reverse("capa:corrective_action_create"),
        create_label="Plan a corrective action",
        empty="No cause is being removed yet. One begins with the answer to a nonconformity.",
    )


@needs("capa.view_correctiveaction")
def corrective_action_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One corrective action: its cases, tasks, criterion, progress and decision."""
    rows = CorrectiveAction.objects.select_related(*PEOPLE)
    action = pages.find(request, rows, pk=pk)
    cases = Nonconformity.objects.visible_to(request.user).served_by(action)
    plannable = action.status in ("draft", "submitted", "planned")
    answers = plannable and not workflow.only_who_answers_for_it(action, request.user)
    return pages.show_record(
        request,
        action,
        template="capa/corrective_action_detail.html",
        title=action.title,
        subtitle=action.number,
        crumbs=[
            ("Nonconformities", reverse("capa:nc_list")),
            ("Corrective actions", reverse("capa:corrective_action_list")),
        ],
        path=path_of(action),
        due=action.due,
        settled=action.is_settled,
        cases=list(cases.order_by("number")),
        tasks=list(workflow.tasks_of(action).select_related("owner").order_by("due", "pk")),
        progress=progress_of(action, today(), request.user),
        successors=list(CorrectiveAction.objects.visible_to(request.user).filter(predecessor=pk)),
        may_plan=answers and request.user.has_perm("capa.change_correctiveaction"),
    )


def path_of(action: CorrectiveAction) -> list[PathStep]:
    """Planned, in place, judged: how far it is."""
    if action.status == "void":
        return [PathStep("Begun", "done"), PathStep("Void", "now")]
    order = ["draft", "submitted", "planned", "implemented", "effective"]
    at = order.index("effective" if action.status == "ineffective" else action.status)
    steps = [
        ("Plan", (0, 1), action.planned_on),
        ("In action", (2,), action.implemented_on),
        ("Effectiveness", (3,), action.verified_on or action.check_day),
        ("Not effective" if action.status == "ineffective" else "Effective", (4,), ""),
    ]
    return [
        PathStep(
            name,
            "now" if at in places else "done" if at > max(places) else "later",
            note or (action.due if at in places and action.due else ""),
        )
        for name, places, note in steps
    ]


def buttons_of(action: CorrectiveAction, person: Any, back: str) -> pages.Steps:
    """Its next steps as another page shows them; a dialog comes back there."""

    def leads(button: pages.StepButton | None) -> Any:
        return button and replace(button, url=f"{button.url}?{urlencode({'next': back})}")

    steps = pages.steps_of(action, person)
    return pages.Steps(
        leads(steps.first), [leads(each) for each in steps.others], list(steps.waiting)
    )


def _origin(request: HttpRequest) -> Any:
    """The trend or risk the address names, if this person may see it."""
    label, _, key = request.GET.get("origin", "").partition(":")
    if label not in ORIGINS or not (key.isascii() and key.isdigit() and len(key) < 10):
        return None
    model: Any = apps.get_model(label)
    return model.objects.visible_to(request.user).filter(pk=int(key)).first()


@needs("capa.add_correctiveaction")
def corrective_action_create(request: HttpRequest) -> HttpResponse:
    """Begin a corrective action for several cases, a trend or a risk."""
    origin = _origin(request)

    def create(*, by: Any, **said: Any) -> CorrectiveAction:
        return workflow.raise_corrective_action(by=by, origin=origin, **said)

    return pages.edit(
        request,
        form_class=NewCorrectiveActionForm,
        create=create,
        title="Plan a corrective action",
        initial={"owner": request.user.pk},
        context={
            "submit": "Begin",
            "intro": f"For {origin}" if origin else "",
            "cancel_url": reverse("capa:corrective_action_list"),
        },
    )


@needs("capa.change_correctiveaction")
def corrective_action_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the plan before it is started."""
    action = pages.find(request, CorrectiveAction.objects, pk=pk)
    return pages.edit(
        request, form_class=CorrectiveActionForm, instance=action, title=f"Edit {action.number}"
    )


@needs("capa.change_correctiveaction")
def corrective_action_cases(request: HttpRequest, pk: int) -> HttpResponse:
    """Which nonconformities it serves."""
    action = pages.find(request, CorrectiveAction.objects, pk=pk)

    def save(*, by: Any, cases: Any, seen: str) -> CorrectiveAction:
        workflow.choose_cases(action, by=by, cases=cases, seen=seen)
        return action

    return pages.edit(
        request,
        form_class=CasesForm,
        create=save,
        title=f"Cases of {action.number}",
        action=action,
        context={"intro": action.title, "cancel_url": action.get_absolute_url()},
    )


@needs("capa.change_correctiveaction")
def corrective_action_task(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan one more task of it."""
    action = pages.find(request, CorrectiveAction.objects, pk=pk)

    def save(*, by: Any, **said: Any) -> CorrectiveAction:
        workflow.add_task(action, by=by, **said)
        return action

    return pages.edit(
        request,
        form_class=TaskForm,
        create=save,
        title=f"A task of {action.number}",
        initial={"owner": action.owner_id},
        context={
            "intro": action.title,
            "submit": "Plan it",
            "cancel_url": action.get_absolute_url(),
        },
    )


@needs(ANYONE_SIGNED_IN)
def corrective_action_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Plan, approve, implement, judge, void."""
    rows = CorrectiveAction.objects.select_related("owner")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)
