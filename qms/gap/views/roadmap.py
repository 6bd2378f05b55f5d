"""The roadmap: what was promised, when it really ends, and what each person has to carry."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from qms import pages
from qms.access import needs
from qms.actions.models import Action
from qms.gap import planning, workflow
from qms.gap.drawing import timeline
from qms.gap.forms import CapacityForm
from qms.gap.models import Assessment
from qms.pages import Column
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused

WEEKS_SHOWN = 16


@needs("gap.view_assessment")
def assessment_roadmap(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The actions of the gaps on a timeline and as a list, with the load of each person."""
    assessment = pages.find(request, Assessment.objects.select_related("delta_from"), pk=pk)
    day = today()
    planned = planning.roadmap_of(assessment)
    try:
        plan = planning.laid_out(planned, today=day)
        problem = ""
    except Refused as refusal:
        plan, problem = None, str(refusal)
    context: dict[str, Any] = {
        "assessment": assessment,
        "plan": plan,
        "problem": problem,
        "picture": timeline(plan, planned.actions, today=day) if plan else None,
        "sentence": planning.in_a_sentence(planned, plan, day) if plan else "",
        "load": planning.load_of(planned, today=day, most=WEEKS_SHOWN),
        "unestimated": sum(a.effort is None and a.status == "open" for a in planned.own),
        "may_give_time": request.user.has_perm("gap.change_assessment"),
        "printing": request.GET.get("print") == "1",
        "base": "layouts/print.html" if request.GET.get("print") == "1" else "base.html",
    }
    return pages.show_list(
        request,
        _rows(request, planned),
        columns=_columns(planned, plan),
        default_sort="due",
        title=f"Roadmap of {assessment.number}",
        template="gap/roadmap.html",
        empty="No action is planned yet. Open a gap and say what will be done.",
        **context,
    )


def _rows(request: HttpRequest, planned: planning.Planned) -> Any:
    keys = [each.pk for each in planned.own]
    return Action.objects.visible_to(request.user).filter(Q(pk__in=keys)).select_related("owner")


def _columns(planned: planning.Planned, plan: Any) -> list[Column]:
    ends: dict[int, date] = {p.task.key: p.end for p in plan.placed} if plan else {}
    numbers = {key: action.number for key, action in planned.actions.items()}
    after = {task.key: [numbers[need] for need in task.needs] for task in planned.tasks}
    return [
        Column("number", "Number", sort="number", kind="link"),
        Column("clause", "Clause", value=lambda row: planned.clauses.get(row.pk, "")),
        Column("title", "What will be done", sort="title"),
        Column("owner", "Owner", sort="owner__name", kind="person"),
        Column("effort", "Days", sort="effort", kind="number", numeric=True),
        Column("after", "After", value=lambda row: ", ".join(after.get(row.pk, []))),
        Column("due", "Promised", sort="due", kind="due", settled=lambda row: row.status != "open"),
        Column("ends", "Realistic", value=lambda row: ends.get(row.pk), kind="date"),
        Column("status", "State", sort="status", kind="state"),
    ]


@needs("gap.change_assessment")
def capacity_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """How many days a week a person has for the roadmap."""
    assessment = pages.find(request, Assessment.objects, pk=pk)
    back = reverse("gap:assessment_roadmap", args=[assessment.pk])
    asked = request.GET.get("person", "")
    initial: dict[str, Any] = {}
    if asked.isascii() and asked.isdigit() and len(asked) < 12:
        person = Person.objects.people().filter(pk=int(asked)).first()
        known = planning.capacities().get(person.pk, Decimal(1)) if person else Decimal(1)
        initial = {"person": person, "days_a_week": known}
    return pages.edit(
        request,
        form_class=CapacityForm,
        create=workflow.give_time,
        title="Time for the roadmap",
        initial=initial,
        done=back,
        context={
            "cancel_url": back,
            "intro": "Days a week beside the daily work. Nobody said: one day is counted.",
        },
    )
