"""Pages of complaints: how each is handled, the letter, and what they have in common."""

from collections import Counter
from datetime import date
from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from capa import workflow
from capa.forms import ComplaintForm
from capa.letters import letter_pdf
from capa.models import Complaint
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.charts import Chart, bars, stacked
from qms.customers.models import Customer, Feedback
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.periods import Period, add_months, today
from qms.refusals import Refused

COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "What they said"),
    Column("customer", "Customer", value="feedback.from_whom", sort="feedback__customer__name"),
    Column("about", "About", value="feedback.about", sort="feedback__about"),
    Column("owner", "Who answers", sort="owner__name", kind="person"),
    Column("status", "State", sort="status", kind="state"),
    Column("due", "Due", sort="due", kind="due", settled=lambda each: each.is_settled),
    Column("heard_on", "Heard", value="feedback.heard_on", sort="feedback__heard_on", kind="date"),
    Column("justified", "Justified", value="get_justified_display", sort="justified"),
    Column("verdict", "Verdict", value="get_verdict_display", sort="verdict"),
]
RELATED = ("feedback__customer", "owner")
PEOPLE = ("acknowledged_by", "answered_by", "closed_by", "created_by")
MONTHS = 12
MOST = 10  # customers and products a picture names


class ComplaintFilter(django_filters.FilterSet):
    """Filters of the list."""

    words = django_filters.CharFilter(
        field_name="feedback__words", lookup_expr="icontains", label="Text"
    )
    status = django_filters.ChoiceFilter(choices=Complaint.Status.choices, label="State")
    justified = django_filters.ChoiceFilter(choices=Complaint.Justified.choices, label="Justified")
    verdict = django_filters.ChoiceFilter(choices=Complaint.Verdict.choices, label="Verdict")
    customer = django_filters.ModelChoiceFilter(
        field_name="feedback__customer", queryset=Customer.objects.all(), label="Customer"
    )
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Who answers")

    class Meta:
        model = Complaint
        fields = ("words", "status", "justified", "verdict", "customer", "owner")


def tabs(current: str) -> list[tuple[str, str, bool]]:
    """The list, and what complaints have in common."""
    shown = (("Complaints", "capa:complaint_list"), ("Trend", "capa:complaint_trend"))
    return [(label, reverse(name), name == current) for label, name in shown]


@needs("capa.view_complaint")
def complaint_list(request: HttpRequest) -> HttpResponseBase:
    """Every complaint that is or was handled."""
    rows = Complaint.objects.visible_to(request.user).select_related(*RELATED)
    return pages.show_list(
        request,
        rows,
        columns=COLUMNS,
        filterset=ComplaintFilter,
        default_sort="-number",
        title="Complaints",
        template="layouts/tabbed.html",
        tabs=tabs("capa:complaint_list"),
        create_url="customers:feedback_create",
        create_label="Write down a complaint",
        empty="No complaint is handled. Write down what a customer says as feedback; from there it"
        " is taken up.",
    )


@needs("capa.view_complaint")
def complaint_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One complaint: their words, the answer, what they said to it."""
    complaint = pages.find(request, Complaint.objects.select_related(*RELATED, *PEOPLE), pk=pk)
    return pages.show_record(
        request,
        complaint,
        template="capa/complaint_detail.html",
        title=complaint.title,
        crumbs=[("Complaints", "capa:complaint_list")],
        path=path_of(complaint),
        due=complaint.due,
        settled=complaint.is_settled,
    )


def path_of(complaint: Complaint) -> list[PathStep]:
    """Received, acknowledged, answered, closed."""
    received = PathStep("Received", "done", complaint.feedback.heard_on)
    if complaint.status == "void":
        return [received, PathStep("Void", "now")]
    order = ["received", "acknowledged", "answered", "closed"]
    at = order.index(complaint.status)
    names = [
        ("Acknowledged", complaint.acknowledged_on),
        ("Answered", complaint.answered_on if at > 1 else None),
        ("Closed", complaint.closed_on),
    ]
    return [
        received,
        *(
            PathStep(
                name,
                "done" if at > place else "now" if at == place else "later",
                day or (complaint.due if at == place and complaint.due else ""),
            )
            for place, (name, day) in enumerate(names)
        ),
    ]


@needs("capa.answer_complaint")
def complaint_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Who answers, and the letter before it is sent."""
    complaint = pages.find(request, Complaint.objects.select_related(*RELATED), pk=pk)
    return pages.edit(
        request, form_class=ComplaintForm, instance=complaint, title=f"Edit {complaint.number}"
    )


@needs(ANYONE_SIGNED_IN)
def complaint_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Acknowledge, answer, close, answer again."""
    complaint = pages.find(request, Complaint.objects.select_related(*RELATED), pk=pk)
    return pages.do_transition(request, complaint, name)


@needs("capa.view_complaint")
def complaint_letter(request: HttpRequest, pk: int) -> HttpResponse:
    """The letter to the customer as a PDF; before the answer it is marked as a draft."""
    complaint = pages.find(request, Complaint.objects.select_related(*RELATED, *PEOPLE), pk=pk)
    return pages.send_pdf(letter_pdf(complaint), f"{complaint.number}-letter")


@needs("capa.add_complaint")
@require_POST
def complaint_take_up(request: HttpRequest, pk: int) -> HttpResponse:
    """Handle what a customer complained of."""
    feedback = pages.find(request, Feedback.objects.select_related("customer"), pk=pk)
    try:
        made = workflow.take_up_complaint(by=request.user, feedback=feedback)
    except Refused as refusal:
        return pages.refused(request, refusal)
    return pages.go_to(request, made.get_absolute_url())


@needs("capa.view_complaint")
def complaint_trend(request: HttpRequest) -> HttpResponse:
    """What customers complained of in twelve months: month by month, by customer, by product."""
    day = today()
    months = [add_months(day.replace(day=1), at - MONTHS + 1) for at in range(MONTHS)]
    period = Period(months[0], day)
    heard = Feedback.objects.visible_to(request.user).complaints().select_related("customer")
    rows = list(heard.filter(heard_on__range=(period.start, period.end)).order_by("heard_on", "pk"))
    found = Complaint.objects.visible_to(request.user).standing().filter(feedback__in=rows)
    judged = dict(found.values_list("feedback_id", "justified"))
    context = {
        "title": "Trend of complaints",
        "tabs": tabs("capa:complaint_trend"),
        "charts": [
            _by_month(months, rows, judged),
            _ranked("By customer", "Customer", Counter(each.from_whom for each in rows)),
            _ranked(
                "By product or service", "About", Counter(each.about or "not said" for each in rows)
            ),
        ],
        "crumbs": [("Complaints", reverse("capa:complaint_list")), ("Trend", "")],
        "base": "layouts/print.html" if request.GET.get("print") == "1" else "base.html",
    }
    return render(request, "capa/complaint_trend.html", context)


def _by_month(months: list[date], rows: list[Feedback], judged: dict[int, str]) -> Chart:
    """How many were heard in each month, and whether they were justified."""
    names = [f"{month:%b %Y}" for month in months]
    kinds = ("Justified", "Not justified", "Not yet judged")
    counts = {kind: [0] * MONTHS for kind in kinds}
    for each in rows:
        place = sum(month <= each.heard_on for month in months) - 1
        word = judged.get(each.pk, "")
        kind = kinds[1] if word == "no" else kinds[0] if word else kinds[2]
        counts[kind][place] += 1
    tones = ("late", "fine", "info")
    parts = [(kind, tone, counts[kind]) for kind, tone in zip(kinds, tones, strict=True)]
    return stacked(names, parts, title="Complaints heard", heading="Month")


def _ranked(title: str, heading: str, counts: Counter[str]) -> Chart:
    """The most first; what a picture has no room for is told together."""
    ordered: list[tuple[str, Any]] = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    if len(ordered) > MOST:
        rest = sum(count for _name, count in ordered[MOST:])
        ordered = [*ordered[:MOST], ("All others", rest)]
    return bars(ordered, title=title, headings=(heading, "Complaints"))
