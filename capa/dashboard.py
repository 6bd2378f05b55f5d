"""What the home page, the dashboard, the calendar and the search get from nonconformities."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Count
from django.urls import reverse

from capa.complaints import raised_from
from capa.models import (
    Complaint,
    CorrectiveAction,
    CostEntry,
    NonconformingOutput,
    Nonconformity,
    Report,
)
from capa.money import currency
from capa.origins import ORIGINS
from capa.workflow.nonconformities import not_to_who_judged_it
from qms import contributions
from qms.contributions import Entry, Holding, Panel, Related, Tile, held
from qms.customers.models import Feedback
from qms.customers.workflow import answer_feedback
from qms.periods import today as today_here
from qms.providers.models import Provider
from qms.scope.models import Process
from qms.suggestions.models import Suggestion

contributions.navigation(
    "Act",
    "Nonconformities",
    "capa:nc_list",
    icon="alert-triangle",
    permission="capa.view_nonconformity",
    order=10,
    also=(
        "capa:board",
        "capa:figures",
        "capa:recurring",
        "capa:repeat_list",
        "capa:costs",
        "capa:cost_list",
    ),
    count=lambda person: Nonconformity.objects.visible_to(person).open(),
)
contributions.navigation(
    "Act",
    "Corrective actions",
    "capa:corrective_action_list",
    icon="tool",
    permission="capa.view_correctiveaction",
    order=20,
    count=lambda person: CorrectiveAction.objects.visible_to(person).open(),
)
contributions.navigation(
    "Act",
    "Complaints",
    "capa:complaint_list",
    icon="message",
    permission="capa.view_complaint",
    order=12,
    count=lambda person: Complaint.objects.visible_to(person).open(),
)
contributions.navigation(
    "Act",
    "Nonconforming outputs",
    "capa:output_list",
    icon="archive-off",
    permission="capa.view_nonconformingoutput",
    order=15,
    count=lambda person: NonconformingOutput.objects.visible_to(person).open(),
)
contributions.navigation(
    "Act",
    "Sort reports",
    "capa:triage",
    icon="inbox",
    permission="capa.sort_report",
    order=8,
    count=lambda person: Report.objects.visible_to(person).open(),
)
contributions.create_entry(
    "Nonconforming output",
    "capa:output_create",
    icon="archive-off",
    permission="capa.add_nonconformingoutput",
    order=12,
)
contributions.create_entry(
    "Problem",
    "capa:problem_create",
    icon="alert-triangle",
    permission="capa.add_report",
    order=10,
)


@contributions.tile(
    order=30,
    permission="capa.view_nonconformity",
    counts=lambda today: {
        "open": Nonconformity.objects.open(),
        "majors": Nonconformity.objects.open().majors(),
        "late": Nonconformity.objects.overdue(today),
    },
)
def nonconformities_tile(today: date, count: Mapping[str, int]) -> Tile:
    """What is open, what is late, how long closing takes."""
    late = count["late"]
    recent = Nonconformity.objects.closed_between(today - timedelta(days=365), today)
    days = [nc.days_open(today) for nc in recent.only("detected_on", "closed_on")]
    return Tile(
        title="Nonconformities",
        figure=f"{count['open']} open",
        note=f"{late} past the day of their step." if late else "None is late.",
        tone="late" if late else "fine",
        url="/nonconformities/",
        rows=[
            ("Major, open", str(count["majors"])),
            ("Closed in the last year", str(len(days))),
            ("Median days to close", f"{median(days):g}" if days else "–"),
        ],
    )


@contributions.relates(Provider, "Nonconformities", permission="capa.view_nonconformity")
def problems_of_providers(ids: Iterable[int], person: Any) -> dict[int, list[Related]]:
    """The nonconformities of a provider, open and closed, the newest first."""
    rows = Nonconformity.objects.filter(provider__in=list(ids)).exclude(status="void")
    found: dict[int, list[Related]] = {}
    for each in (rows.visible_to(person) if person else rows).order_by("-detected_on", "-pk"):
        found.setdefault(each.provider_id or 0, []).append(
            Related(
                each.title,
                each.number,
                each.get_absolute_url(),
                f"{each.get_grade_display()}, {each.get_status_display().lower()}",
                "plain" if each.is_settled else "soon",
                day=each.detected_on,
            )
        )
    return found


@contributions.relates(Process, "Nonconformities", permission="capa.view_nonconformity")
def open_problems_of_processes(ids: Iterable[int], person: Any) -> dict[int, list[Related]]:
    """The open nonconformities of a process, the oldest first."""
    rows = Nonconformity.objects.open().filter(process__in=list(ids))
    day = today_here()
    found: dict[int, list[Related]] = {}
    for each in (rows.visible_to(person) if person else rows).order_by("pk"):
        late = each.due is not None and each.due < day
        row = Related(
            each.title,
            each.number,
            each.get_absolute_url(),
            each.get_status_display(),
            "late" if late else "plain",
            each.detected_on,
        )
        found.setdefault(each.process_id or 0, []).append(row)
    return found


@contributions.owns("Nonconformities", permission="capa.view_nonconformity", order=50)
def nonconformities_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many open nonconformities each person answers for."""
    rows = Nonconformity.objects.open().filter(owner__in=list(ids))
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.hand_over("Nonconformities", order=50)
def nonconformities_to_hand_over(person: Any) -> list[Holding]:
    """Nonconformities somebody answers for that are not closed."""
    rows = Nonconformity.objects.filter(owner=person)
    settled = (Nonconformity.Status.CLOSED, Nonconformity.Status.VOID)
    return held(
        rows.exclude(status__in=settled).order_by("number"),
        "owner",
        permission="capa.answer_nonconformity",
        why_not=lambda nc, successor: not_to_who_judged_it(nc, None, successor) or "",
    )


@contributions.calendar
def checks_ahead(person: Any, start: date, end: date) -> list[Entry]:
    """The days on which effectiveness is checked."""
    rows = CorrectiveAction.objects.visible_to(person).filter(
        due__range=(start, end), status=CorrectiveAction.Status.IMPLEMENTED
    )
    return [
        Entry(each.check_day, f"Judge {each}", "Corrective action", each.get_absolute_url())
        for each in rows.order_by("due", "pk")
    ]


@contributions.owns("Corrective actions", permission="capa.view_correctiveaction", order=51)
def corrective_actions_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many open corrective actions each person answers for."""
    rows = CorrectiveAction.objects.open().filter(owner__in=list(ids))
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.hand_over("Corrective actions", order=51)
def corrective_actions_to_hand_over(person: Any) -> list[Holding]:
    """Corrective actions somebody answers for that are not judged."""
    rows = CorrectiveAction.objects.open().filter(owner=person)
    return held(
        rows.order_by("number"),
        "owner",
        permission="capa.change_correctiveaction",
        why_not=_approved_it,
    )


def _approved_it(action: CorrectiveAction, successor: Any) -> str:
    """Who approved a plan or judged it does not come to own it."""
    if successor.pk == action.approved_by_id:
        return f"{successor.name} approved the plan of {action.number}; choose somebody else."
    return ""


@contributions.record_panel
def origin_panel(record: Any, person: Any) -> Panel | None:
    """On a risk, an indicator or an analysis: the corrective actions it asked for."""
    label = record._meta.label
    if label not in ORIGINS:
        return None
    rows = CorrectiveAction.objects.visible_to(person).raised_from(record).standing()
    found = list(rows.order_by("pk"))
    may = person.has_perm("capa.add_correctiveaction")
    if not found and not may:
        return None
    context = {"corrective": found, "may": may, "origin": f"{label}:{record.pk}"}
    return Panel("capa/origin_panel.html", context, order=60)


@contributions.record_panel
def complaint_panel(record: Any, person: Any) -> Panel | None:
    """On a complaint, heard or handled: how it is handled, and its nonconformity."""
    handled = isinstance(record, Complaint)
    feedback = record.feedback if handled else record
    if not isinstance(feedback, Feedback) or feedback.kind != Feedback.Kind.COMPLAINT:
        return None
    answers = answer_feedback.permitted(feedback, person)
    stands = feedback.status != Feedback.Status.VOID
    complaint = None
    if not handled:
        rows = Complaint.objects.visible_to(person).standing().filter(feedback=feedback)
        complaint = rows.order_by("pk").first()
    found = raised_from(feedback)
    may = stands and answers and person.has_perm("capa.add_nonconformity")
    may_take_up = stands and answers and not handled and person.has_perm("capa.add_complaint")
    if not (found or complaint or may or may_take_up):
        return None
    context = {
        "nonconformity": found,
        "feedback": feedback,
        "complaint": complaint,
        "may": may,
        "may_take_up": may_take_up,
    }
    return Panel("capa/complaint_panel.html", context, order=10)


@contributions.owns("Complaints", permission="capa.view_complaint", order=52)
def complaints_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many open complaints each person answers."""
    rows = Complaint.objects.open().filter(owner__in=list(ids))
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.hand_over("Complaints", order=52)
def complaints_to_hand_over(person: Any) -> list[Holding]:
    """Complaints somebody answers that are not answered yet."""
    states = (Complaint.Status.RECEIVED, Complaint.Status.ACKNOWLEDGED)
    rows = Complaint.objects.filter(owner=person, status__in=states)
    return held(
        rows.select_related("feedback").order_by("number"),
        "owner",
        permission="capa.answer_complaint",
    )


@contributions.mine("My reports", order=65)
def my_reports(person: Any) -> list[Related]:
    """What somebody reported, and what became of it."""
    rows = Report.objects.visible_to(person).filter(created_by=person).order_by("-pk")
    return [
        Related(each.title, each.number, each.get_absolute_url(), each.get_status_display())
        for each in rows[:20]
    ]


BECAME = (Complaint, NonconformingOutput, Nonconformity, Suggestion)


@contributions.record_panel
def report_panel(record: Any, person: Any) -> Panel | None:
    """On what a report became: the report, with its photos and its voice note."""
    if not isinstance(record, BECAME):
        return None
    kind = ContentType.objects.get_for_model(record)
    rows = Report.objects.visible_to(person).filter(became_type=kind, became_id=record.pk)
    found = rows.select_related("created_by").order_by("pk").first()
    if found is None:
        return None
    return Panel("capa/report_panel.html", {"report": found}, order=20)


ENTER_COST: dict[type[Any], str] = {
    Nonconformity: "capa:cost_create",
    NonconformingOutput: "capa:output_cost_create",
}


@contributions.record_panel
def costs_panel(record: Any, person: Any) -> Panel | None:
    """On the page of a case or output: what it cost so far, for those who may see money."""
    address = ENTER_COST.get(type(record))
    if address is None or not person.has_perm("capa.view_costentry"):
        return None
    rows = CostEntry.objects.visible_to(person).of(record)
    entries = list(rows.select_related("nonconformity", "output").order_by("arose_on", "pk"))
    may_enter = record.status != "void" and person.has_perm("capa.add_costentry")
    if not entries and not may_enter:
        return None
    context = {
        "entries": entries,
        "total": sum((each.amount for each in entries if not each.is_settled), Decimal(0)),
        "currency": currency(),
        "enter_url": reverse(address, args=[record.pk]) if may_enter else "",
    }
    return Panel("capa/costs_panel.html", context, order=60)
