"""Briefings of top management: who was there, what was granted, what was decided, signed."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from qms import links, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.journey import workflow
from qms.journey.forms import AttendeesForm, BriefingForm, NewBriefingForm
from qms.journey.models import Briefing, BriefingAttendee
from qms.pages import Column, PathStep

COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("held_on", "Held on", sort="held_on", kind="date"),
    Column("decision", "Decision", value="get_decision_display", sort="decision"),
    Column("hours", "Hours", sort="hours", numeric=True),
    Column("budget", "Budget", sort="budget", numeric=True),
    Column("currency", "Currency"),
    Column("signed_by", "Signed by", sort="signed_by__name", kind="person"),
    Column("status", "State", sort="status", kind="state"),
]


@needs("journey.view_briefing")
def briefing_list(request: HttpRequest) -> HttpResponseBase:
    """Every briefing there was."""
    return pages.show_list(
        request,
        Briefing.objects.visible_to(request.user).select_related("signed_by"),
        columns=COLUMNS,
        default_sort="-held_on",
        title="Briefings of top management",
        intro="What was explained, what was granted, and the decision to begin.",
        create_url="journey:briefing_create",
        create_label="Record a briefing",
        empty="Top management was not briefed yet. Say what it brings; ask for the go-ahead.",
    )


@needs("journey.view_briefing")
def briefing_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One briefing with everybody who attended."""
    rows = Briefing.objects.select_related("created_by", "signed_by")
    briefing = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        briefing,
        template="journey/briefing_detail.html",
        title=briefing.title,
        subtitle=briefing.number,
        crumbs=[("Briefings", "journey:briefing_list")],
        path=_path(briefing),
        attendees=workflow.attendees_of(briefing),
        may_change=workflow.editing_briefing.permitted(briefing, request.user)
        and briefing.status == Briefing.Status.DRAFT,
    )


def _path(briefing: Briefing) -> list[PathStep]:
    if briefing.status == Briefing.Status.VOID:
        return [PathStep("Held", "done", briefing.held_on), PathStep("Void", "now")]
    signed = briefing.status == Briefing.Status.SIGNED
    return [
        PathStep("Held", "done", briefing.held_on),
        PathStep("Signed", "done" if signed else "now", briefing.signed_on or ""),
    ]


@needs("journey.add_briefing")
def briefing_create(request: HttpRequest) -> HttpResponse:
    """Record a briefing."""
    return pages.edit(
        request,
        form_class=NewBriefingForm,
        create=workflow.record_briefing,
        title="Record a briefing",
        context={
            "intro": "Whoever leads the company signs it afterwards with their password.",
            "cancel_url": "journey:briefing_list",
        },
    )


@needs("journey.change_briefing")
def briefing_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit a draft."""
    briefing = pages.find(request, Briefing.objects, pk=pk)
    return pages.edit(request, form_class=BriefingForm, instance=briefing, title=f"Edit {briefing}")


@needs("journey.change_briefing")
def briefing_attendees(request: HttpRequest, pk: int) -> HttpResponse:
    """Say who was there."""
    briefing = pages.find(request, Briefing.objects, pk=pk)
    present = [each.pk for each in workflow.attendees_of(briefing)]
    return pages.edit(
        request,
        form_class=AttendeesForm,
        create=lambda *, by, **chosen: workflow.set_attendees(briefing, by=by, **chosen),
        title=f"Who was at {briefing}",
        initial={
            "attendees": present,
            "seen": links.seal({"briefing": briefing}, BriefingAttendee),
        },
        context={"cancel_url": briefing.get_absolute_url()},
    )


@needs(ANYONE_SIGNED_IN)
def briefing_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Sign or void a briefing."""
    return pages.do_transition(request, pages.find(request, Briefing.objects, pk=pk), name)
