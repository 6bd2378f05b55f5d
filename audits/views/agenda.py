"""Pages of agendas: the hours of an audit, its invitation, and one's own calendar link."""

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from audits import calendars, workflow
from audits.forms import SlotForm
from audits.models import Audit, AuditSlot, CalendarFeed
from audits.models.audits import SUBJECTS_OF_AUDIT
from qms import ical, pages
from qms.access import ANYONE_SIGNED_IN, PUBLIC, looks_too_often, needs
from qms.mail import full_address
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused


def _audit(request: HttpRequest, pk: int) -> Audit:
    rows = Audit.objects.select_related("process__owner", "provider", "customer", "site", "lead")
    found: Audit = pages.find(request, rows, pk=pk)
    return found


@needs("audits.change_auditslot")
def slot_create(request: HttpRequest, pk: int) -> HttpResponse:
    """The agenda of an audit, and the form of one more part."""
    audit = _audit(request, pk)
    slots = workflow.agenda_of(audit)
    here = reverse("audits:slot_create", args=[audit.pk])

    def add(*, by: Any, **said: Any) -> AuditSlot:
        return workflow.add_slot(audit, by=by, **said)

    last = slots[-1] if slots else None
    return pages.edit(
        request,
        form_class=SlotForm,
        create=add,
        title=f"Agenda of {audit.number}",
        template="audits/agenda.html",
        done=here,
        initial={"starts_at": last.ends_at, "day": last.day} if last else {"day": 1},
        context={
            "crumbs": [
                ("Audits", reverse("audits:audit_list")),
                (audit.number, audit.get_absolute_url()),
                ("Agenda", ""),
            ],
            "audit": audit,
            "slots": slots,
            "submit": "Add this part",
            "cancel_url": audit.get_absolute_url(),
        },
    )


@needs("audits.change_auditslot")
@require_POST
def agenda_begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin with a usual day."""
    audit = _audit(request, pk)
    try:
        workflow.begin_usual_agenda(audit, by=cast(Person, request.user))
    except Refused as refusal:
        return pages.refused(request, refusal)
    return pages.go_to(request, reverse("audits:slot_create", args=[audit.pk]))


@needs("audits.view_auditslot")
def slot_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One part of an agenda."""
    rows = AuditSlot.objects.select_related(*SUBJECTS_OF_AUDIT, "process", "auditor")
    slot = pages.find(request, rows, pk=pk)
    audit = slot.audit
    return pages.show_record(
        request,
        slot,
        template="audits/slot_detail.html",
        title=slot.title,
        crumbs=[
            ("Audits", "audits:audit_list"),
            (audit.number, audit.get_absolute_url()),
            (slot.title, ""),
        ],
    )


@needs("audits.change_auditslot")
def slot_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Move or change a part."""
    rows = AuditSlot.objects.select_related(*SUBJECTS_OF_AUDIT, "audit__lead")
    slot = pages.find(request, rows, pk=pk)
    return pages.edit(request, form_class=SlotForm, instance=slot, title=f"Edit {slot}")


@needs(ANYONE_SIGNED_IN)
def slot_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Call a part off."""
    rows = AuditSlot.objects.select_related(*SUBJECTS_OF_AUDIT, "process")
    slot = pages.find(request, rows, pk=pk)
    back = slot.audit.get_absolute_url()
    return pages.do_transition(request, slot, name, back)


@needs("audits.view_audit")
@require_safe
def audit_invitation(request: HttpRequest, pk: int) -> HttpResponse:
    """The invitation to the audit, for any calendar."""
    audit = _audit(request, pk)
    return _calendar(calendars.invitation(audit), f"{audit.number}.ics")


def _calendar(content: bytes, name: str) -> HttpResponse:
    disposition = content_disposition_header(True, name)
    return HttpResponse(
        content,
        content_type=ical.MEDIA_TYPE,
        headers={"Content-Disposition": disposition or "attachment"},
    )


# One's own feed


@never_cache
@sensitive_variables("address")
@needs("audits.add_calendarfeed")
def feed_mine(request: HttpRequest) -> HttpResponse:
    """One's own planner in one's own calendar: make the link, see it once, revoke it."""
    address = ""
    if request.method == "POST":
        made = workflow.open_feed(by=cast(Person, request.user))
        address = full_address(reverse("calendar_feed", args=[made.token]))
    feeds = CalendarFeed.objects.visible_to(request.user)
    context = {
        "title": "In my own calendar",
        "crumbs": [("Audits", reverse("audits:audit_list")), ("My calendar", "")],
        "live": feeds.filter(status=CalendarFeed.Status.LIVE).first(),
        "address": address,
    }
    return render(request, "audits/feed_mine.html", context)


@needs("audits.view_calendarfeed")
def feed_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One's own link, in use or revoked."""
    feed = pages.find(request, CalendarFeed.objects.select_related("person"), pk=pk)
    return pages.show_record(
        request,
        feed,
        title="Calendar link",
        subtitle="Whoever has the link reads your audits and your planner, until you revoke it.",
        crumbs=[("My calendar", reverse("audits:feed_mine")), ("Link", "")],
    )


@needs(ANYONE_SIGNED_IN)
def feed_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Revoke one's own link."""
    feed = pages.find(request, CalendarFeed.objects.select_related("person"), pk=pk)
    return pages.do_transition(request, feed, name, reverse("audits:feed_mine"))


LOOKS, WINDOW = 60, 60  # looks at feeds from one address, in seconds


@never_cache
@sensitive_variables("token")
@needs(PUBLIC)
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """The planner of whoever made the link, for a program that cannot sign in."""
    if looks_too_often(request, "calendar-feed", most=LOOKS, seconds=WINDOW):
        answer = HttpResponse("Wait a minute.", status=429, content_type="text/plain")
        answer["Retry-After"] = str(WINDOW)
        return answer
    found = workflow.feed_of(token)
    if found is None:
        answer = HttpResponse("There is no such calendar.", status=404, content_type="text/plain")
    else:
        answer = _calendar(calendars.feed(found.person, today()), "quality-management.ics")
    answer["X-Robots-Tag"] = "noindex"
    answer["Referrer-Policy"] = "no-referrer"
    return answer
