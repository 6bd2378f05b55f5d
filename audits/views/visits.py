"""Pages of the body's visit on its days: the plan, and what its auditors ask for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from audits import workflow
from audits.forms import RequestForm, VisitSlotForm
from audits.models import CertificationAudit, VisitRequest, VisitSlot
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs


def _visit(request: HttpRequest, pk: int) -> CertificationAudit:
    rows = CertificationAudit.objects.select_related("certificate__body")
    found: CertificationAudit = pages.find(request, rows, pk=pk)
    return found


def _crumbs(visit: CertificationAudit) -> list[tuple[str, str]]:
    return [
        ("Certification", reverse("audits:certificate_list")),
        (visit.title, visit.get_absolute_url()),
    ]


@needs("audits.change_certificate")
def visit_slot_create(request: HttpRequest, pk: int) -> HttpResponse:
    """The plan of a visit, and the form of one more hour."""
    visit = _visit(request, pk)
    slots = workflow.plan_of(visit)

    def add(*, by: Any, **said: Any) -> VisitSlot:
        return workflow.plan_hour(visit, by=by, **said)

    last = slots[-1] if slots else None
    return pages.edit(
        request,
        form_class=VisitSlotForm,
        create=add,
        title=f"Plan of the {visit.get_kind_display().lower()}",
        template="audits/visit_plan.html",
        done=reverse("audits:visit_slot_create", args=[visit.pk]),
        initial={"starts_at": last.ends_at, "day": last.day, "body_auditor": last.body_auditor}
        if last
        else {"day": 1, "body_auditor": visit.auditors if "," not in visit.auditors else ""},
        context={
            "crumbs": [*_crumbs(visit), ("Plan", "")],
            "visit": visit,
            "slots": slots,
            "submit": "Add this hour",
            "cancel_url": visit.get_absolute_url(),
        },
    )


@needs("audits.view_visitslot")
def visit_slot_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One hour of the plan."""
    rows = VisitSlot.objects.select_related(
        "visit__certificate__body", "process", "auditee", "escort"
    )
    slot = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        slot,
        template="audits/visit_slot_detail.html",
        title=slot.title,
        crumbs=[*_crumbs(slot.visit), (slot.title, "")],
    )


@needs("audits.change_certificate")
def visit_slot_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Move or change an hour."""
    slot = pages.find(request, VisitSlot.objects.select_related("visit", "process"), pk=pk)
    return pages.edit(request, form_class=VisitSlotForm, instance=slot, title=f"Edit {slot}")


@needs(ANYONE_SIGNED_IN)
def visit_slot_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Call an hour off."""
    slot = pages.find(request, VisitSlot.objects.select_related("visit", "process"), pk=pk)
    return pages.do_transition(request, slot, name, slot.visit.get_absolute_url())


@needs("audits.view_visitrequest")
def visit_requests(request: HttpRequest, pk: int) -> HttpResponse:
    """What is asked for at a visit, what waits first; given with one press, on a phone."""
    visit = _visit(request, pk)
    rows = VisitRequest.objects.visible_to(request.user).filter(visit=visit)
    rows = rows.select_related("fetcher")
    found = list(rows.order_by("-asked_at", "-pk"))
    waiting = [each for each in found if each.status == VisitRequest.Status.ASKED]
    context = {
        "visit": visit,
        "waiting": [
            (each, workflow.only_who_fetches_it(each, request.user) is None) for each in waiting
        ],
        "settled": [each for each in found if each.status != VisitRequest.Status.ASKED],
        "may_ask": request.user.has_perm("audits.add_visitrequest")
        and workflow.the_visit_is_ahead(visit) is None,
        "crumbs": [*_crumbs(visit), ("What is asked for", "")],
        "submit": "Asked for",
        "cancel_url": visit.get_absolute_url(),
    }

    def note(*, by: Any, **said: Any) -> VisitRequest:
        return workflow.note_request(by=by, visit=visit, **said)

    return pages.edit(
        request,
        form_class=RequestForm,
        create=note,
        title="What is asked for",
        template="audits/visit_requests.html",
        done=reverse("audits:visit_requests", args=[visit.pk]),
        initial={"asked_by_whom": waiting[0].asked_by_whom if waiting else ""},
        context=context,
    )


@needs("audits.view_visitrequest")
def request_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: who asked when, who fetches it, what was shown when."""
    rows = VisitRequest.objects.select_related("visit__certificate__body", "fetcher", "created_by")
    found = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        found,
        template="audits/request_detail.html",
        title=found.title,
        crumbs=[
            *_crumbs(found.visit),
            ("What is asked for", reverse("audits:visit_requests", args=[found.visit_id])),
            ("Request", ""),
        ],
    )


@needs("audits.add_visitrequest")
def request_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct what was noted, or say who fetches it."""
    found = pages.find(request, VisitRequest.objects.select_related("visit"), pk=pk)
    return pages.edit(
        request,
        form_class=RequestForm,
        instance=found,
        title="Edit the request",
        done=reverse("audits:visit_requests", args=[found.visit_id]),
    )


@needs(ANYONE_SIGNED_IN)
def request_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Given, asked again, not needed any more."""
    found = pages.find(request, VisitRequest.objects.select_related("visit"), pk=pk)
    back = reverse("audits:visit_requests", args=[found.visit_id])
    return pages.do_transition(request, found, name, back)
