"""Pages of control charts: freezing limits, one decision about them, answering a signal."""

from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from objectives import workflow
from objectives.control import CUSTOMARY, Seen, control_of
from objectives.forms import AnswerForm, LimitsForm
from objectives.models import ControlLimits, Indicator
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.refusals import Refused


def _indicator(request: HttpRequest, pk: int) -> Indicator:
    rows = Indicator.objects.select_related("process", "responsible")
    found: Indicator = pages.find(request, rows, pk=pk)
    return found


@needs("objectives.change_indicator")
def limits_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze control limits from a stretch of readings."""
    indicator = _indicator(request, pk)
    if indicator.chart == Indicator.Chart.RUN:
        return pages.refused(
            request, Refused("A run chart has no control limits. Choose a control chart first.")
        )
    return pages.edit(
        request,
        form_class=LimitsForm,
        create=lambda *, by, **fields: workflow.freeze_limits(by=by, indicator=indicator, **fields),
        title=f"Control limits: {indicator.title}",
        done=indicator.get_absolute_url(),
        initial=_suggested(indicator),
        context={
            "intro": "They stay as they are until somebody decides on others; "
            "the ones before stay on the chart.",
            "submit": "Freeze these limits",
            "cancel_url": indicator.get_absolute_url(),
        },
    )


def _suggested(indicator: Indicator) -> dict[str, Any]:
    """The first readings there are; after a decision, those since then."""
    found = control_of(indicator)
    days = [each.day for each in found.taken if each is not None]
    if found.last is not None:
        days = [day for day in days if day > found.last.last_on] or days
    days = days[:CUSTOMARY]
    return {"first_on": days[0], "last_on": days[-1]} if days else {}


@needs("objectives.view_indicator")
def limits_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One decision about control limits."""
    rows = ControlLimits.objects.select_related("indicator__process", "created_by")
    limits = pages.find(request, rows, pk=pk)
    indicator = limits.indicator
    return pages.show_record(
        request,
        limits,
        template="objectives/limits_detail.html",
        title=limits.title,
        crumbs=[
            ("Indicators", reverse("objectives:indicator_list")),
            (indicator.number, indicator.get_absolute_url()),
            ("Control limits", ""),
        ],
    )


@needs(ANYONE_SIGNED_IN)
def limits_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take limits back that were a mistake."""
    rows = ControlLimits.objects.select_related("indicator__process")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


@needs("objectives.measure_indicator")
def signal_answer(request: HttpRequest, pk: int, day: str) -> HttpResponse:
    """Say what is behind a signal."""
    indicator = _indicator(request, pk)
    try:
        asked = date.fromisoformat(day)
    except ValueError:
        raise Http404("There is no such day.") from None
    if indicator.chart == Indicator.Chart.RUN:
        return pages.go_to(request, indicator.get_absolute_url())
    seen = [each for each in control_of(indicator).signals if each.day == asked]
    if not seen:
        return pages.refused(request, Refused("The chart shows no signal there any more."))
    if all(each.answer and each.answer.day == asked for each in seen):
        return pages.go_to(request, indicator.get_absolute_url())
    return pages.edit(
        request,
        form_class=AnswerForm,
        create=lambda *, by, **fields: workflow.answer_signal(
            by=by, indicator=indicator, day=asked, **fields
        ),
        title=f"Signal of {seen[0].name}: {indicator.title}",
        done=indicator.get_absolute_url(),
        context={
            "intro": _said(indicator, seen),
            "submit": "Answer",
            "cancel_url": indicator.get_absolute_url(),
        },
    )


def _said(indicator: Indicator, seen: list[Seen]) -> str:
    words = " ".join(dict.fromkeys(line for each in seen for line in each.words))
    return f"{seen[0].name}: {indicator.shown(seen[0].value)}. {words}"
