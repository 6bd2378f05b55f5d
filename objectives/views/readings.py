"""Pages of readings: entering one, entering all of one's own at once, one reading."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms as django_forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from objectives import schedule, workflow
from objectives.figures import read
from objectives.forms import ReadingForm
from objectives.models import Indicator, Measurement, Objective, readings_of
from objectives.workflow.readings import CameBy, Offered, keep_together
from qms import pages, periods
from qms.access import ANYONE_SIGNED_IN, needs
from qms.refusals import Refused

MOST_ROWS = 200  # indicators on the page that takes many readings at once
PURSUED = (Objective.Status.DRAFT, Objective.Status.ACTIVE)


@needs("objectives.measure_indicator")
def measurement_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter the reading of a period."""
    rows = Indicator.objects.select_related("process", "responsible")
    indicator = pages.find(request, rows, pk=pk)
    if indicator.is_computed:
        return pages.refused(request, Refused("It is computed from our own records."))
    return pages.edit(
        request,
        form_class=ReadingForm,
        create=lambda *, by, **fields: workflow.record_reading(
            by=by, indicator=indicator, **fields
        ),
        title=f"Enter a reading: {indicator.title}",
        done=indicator.get_absolute_url(),
        initial={"measured_for": suggested_day(indicator)},
        indicator=indicator,
        context={
            "intro": f"{indicator.get_frequency_display()}, in {indicator.unit}."
            f" {last_said(indicator)}",
            "submit": "Enter",
            "cancel_url": indicator.get_absolute_url(),
        },
    )


def last_said(indicator: Any) -> str:
    """The last reading as a sentence."""
    readings = readings_of(indicator)
    if not readings:
        return "It is the first reading."
    return f"The last: {indicator.shown(readings[-1][1])} on {readings[-1][0]:%-d %B %Y}."


def next_period(indicator: Any) -> periods.Period | None:
    """The period whose reading comes next."""
    days = [day for day, _ in readings_of(indicator)[-1:]]
    return schedule.next_reading(indicator.frequency, indicator.starts_on, None, days)


def suggested_day(indicator: Any) -> date:
    """The last day of the period whose reading comes next, never a day to come."""
    period = next_period(indicator)
    return min(period.end, periods.today()) if period else periods.today()


@dataclass
class Line:
    """One indicator on the page that takes many readings: what is asked, what was typed."""

    indicator: Any
    period: str
    day: str
    last: str
    is_due: bool
    typed: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        return f"value-{self.indicator.pk}"

    @property
    def asks_more(self) -> str:
        """An example of what is typed, where it is more than a number."""
        return {"count": "3 of 120", "subgroup": "10.1; 10.3; 9.8"}.get(self.indicator.asks, "")

    @property
    def day_name(self) -> str:
        return f"day-{self.indicator.pk}"


@needs("objectives.measure_indicator")
def readings_enter(request: HttpRequest) -> HttpResponse:
    """Enter the readings of everything one answers for; all that are typed are kept, or none."""
    lines = _lines(request)
    status = 200
    if request.method == "POST":
        if _save(request, lines):
            return pages.go_to(request, reverse("objectives:readings_enter") + "?entered=1")
        status = 422
    context = {
        "title": "Enter readings",
        "lines": lines,
        "entered": request.GET.get("entered") == "1",
        "crumbs": [("Indicators", reverse("objectives:indicator_list")), ("Enter readings", "")],
        "wrong": sum(bool(each.error) for each in lines),
    }
    return render(request, "objectives/readings_enter.html", context, status=status)


def _lines(request: HttpRequest) -> list[Line]:
    """What this person answers for and enters by hand, what is due first."""
    person: Any = request.user
    mine = Q(responsible=person) | Q(
        objectives__in=Objective.objects.filter(owner=person, status__in=PURSUED).values("pk")
    )
    rows = Indicator.objects.visible_to(person).in_use().exclude(collection="computed")
    keys = rows.filter(mine).values("pk")
    known = Indicator.objects.filter(pk__in=keys).with_readings().select_related("process")
    lines = [_line(request, each) for each in known.order_by("title", "pk")[:MOST_ROWS]]
    return sorted(lines, key=lambda each: not each.is_due)


def _line(request: HttpRequest, indicator: Any) -> Line:
    period, today = next_period(indicator), periods.today()
    assert period is not None  # noqa: S101 - without a deadline there is always a next one
    readings = readings_of(indicator)
    line = Line(
        indicator,
        schedule.name_of(indicator.frequency, period),
        suggested_day(indicator).isoformat(),
        indicator.shown(readings[-1][1]) if readings else "–",
        is_due=period.end <= today,
    )
    if request.method == "POST":
        line.typed = request.POST.get(line.name, "").strip()[:300]
        line.day = request.POST.get(line.day_name, line.day).strip()[:20]
    return line


def _save(request: HttpRequest, lines: list[Line]) -> bool:
    """Keep every reading that was typed, or say at each line why not and keep none."""
    typed = [each for each in lines if each.typed]
    if not typed:
        return False
    person: Any = request.user
    found = keep_together([_offered(each) for each in typed], by=person, came_by=CameBy.HAND)
    for line, what in zip(typed, found, strict=True):
        line.error = str(what) if isinstance(what, Refused) else ""
    return not any(each.error for each in lines)


def _offered(line: Line) -> Offered | Refused:
    try:
        day = django_forms.DateField().clean(line.day)
    except django_forms.ValidationError:
        return Refused(f"“{line.day}” is no date. Write it like 2026-03-31.")
    try:
        return Offered(line.indicator, day, read(line.indicator, line.typed))
    except Refused as refusal:
        return refusal


@needs("objectives.view_measurement")
def measurement_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One reading, and what corrects it or was corrected by it."""
    rows = Measurement.objects.select_related("indicator", "created_by", "corrects__indicator")
    reading = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        reading,
        template="objectives/measurement_detail.html",
        title=reading.title,
        crumbs=[
            ("Indicators", reverse("objectives:indicator_list")),
            (reading.indicator.number, reading.indicator.get_absolute_url()),
            (reading.title, ""),
        ],
        corrected_by=reading.corrections.select_related("indicator").first(),
    )


@needs(ANYONE_SIGNED_IN)
def measurement_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Correct a reading, compute it again, or take it back."""
    rows = Measurement.objects.select_related("indicator__process")
    reading = pages.find(request, rows, pk=pk)
    return pages.do_transition(request, reading, name, reading.indicator.get_absolute_url())
