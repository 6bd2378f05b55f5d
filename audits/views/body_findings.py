"""Pages of what the certification body found: the answer, its deadlines, what the body said."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.http import content_disposition_header

from audits import workflow
from audits.forms import BodyFindingEditForm, BodyFindingForm, ExtensionForm, GradeChangeForm
from audits.models import BodyFinding, CertificationAudit, DeadlineExtension, GradeChange
from audits.prints import answer_bundle
from capa.models import Nonconformity
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.periods import today

COLUMNS = [
    Column("reference", "Number", sort="reference", kind="link"),
    Column("title", "Statement"),
    Column("body", "Body", value="visit.certificate.body.name", sort="visit__certificate__body"),
    Column("grade", "Grade", value="get_grade_display", sort="grade"),
    Column("status", "State", kind="state", sort="status"),
    Column("next_due", "Next due", kind="due"),
    Column("found_on", "Handed over", kind="date", sort="found_on"),
]


@needs("audits.view_bodyfinding")
def body_finding_list(request: HttpRequest) -> HttpResponseBase:
    """Findings of the certification body, the newest first."""
    rows = BodyFinding.objects.visible_to(request.user).select_related("visit__certificate__body")
    return pages.show_list(
        request,
        rows,
        columns=COLUMNS,
        default_sort="-found_on",
        title="Findings of the certification body",
        empty="No finding of a certification body is recorded. Record one from its visit.",
    )


@needs("audits.view_bodyfinding")
def body_finding_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One finding of the body with its answer and its days."""
    rows = BodyFinding.objects.select_related("created_by", "visit__certificate__body")
    finding = pages.find(request, rows, pk=pk)
    seen = Nonconformity.objects.visible_to(request.user)
    return pages.show_record(
        request,
        finding,
        template="audits/body_finding_detail.html",
        title=finding.title,
        crumbs=[
            ("Certification", reverse("audits:certificate_list")),
            (finding.visit.title, finding.visit.get_absolute_url()),
        ],
        due=finding.next_due,
        settled=finding.next_due is None,
        nonconformity=seen.raised_from(finding).first(),
        lacking=workflow.lacking_of(finding),
        extensions=finding.extensions.order_by("pk"),
        may_extend=workflow.may_extend(finding, request.user),
        grade_changes=finding.grade_changes.order_by("pk"),
        may_regrade=request.user.has_perm("audits.change_certificate")
        and finding.status != BodyFinding.Status.CLOSED,
    )


@needs("audits.change_certificate")
def body_finding_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Record what the body found at a visit."""
    visit = pages.find(request, CertificationAudit.objects, pk=pk)
    return pages.edit(
        request,
        form_class=BodyFindingForm,
        create=workflow.record_body_finding,
        title="Finding of the certification body",
        initial={"visit": visit.pk, "found_on": visit.done_on or today()},
        context={"cancel_url": visit.get_absolute_url()},
    )


@needs("audits.change_certificate")
def body_finding_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct what was typed, before it is answered."""
    finding = pages.find(request, BodyFinding.objects, pk=pk)
    return pages.edit(
        request,
        form_class=BodyFindingEditForm,
        instance=finding,
        title=f"Edit {finding.reference}",
    )


@needs("audits.change_certificate")
def body_finding_extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a deadline with the consent of the body."""
    finding = pages.find(request, BodyFinding.objects, pk=pk)

    def extend(*, by: Any, **said: Any) -> DeadlineExtension:
        return workflow.extend_deadline(finding, by=by, **said)

    return pages.edit(
        request,
        form_class=ExtensionForm,
        create=extend,
        title=f"Extend a deadline of {finding.reference}",
        done=finding.get_absolute_url(),
        context={"cancel_url": finding.get_absolute_url()},
    )


@needs("audits.change_certificate")
def body_finding_regrade(request: HttpRequest, pk: int) -> HttpResponse:
    """Record that the body changed the grade, with its letter."""
    finding = pages.find(request, BodyFinding.objects, pk=pk)

    def change(*, by: Any, **said: Any) -> GradeChange:
        return workflow.change_grade(finding, by=by, **said)

    return pages.edit(
        request,
        form_class=GradeChangeForm,
        create=change,
        title=f"The body changed the grade of {finding.reference}",
        done=finding.get_absolute_url(),
        initial={"decided_on": today()},
        context={
            "intro": f"So far: {finding.get_grade_display().lower()}.",
            "cancel_url": finding.get_absolute_url(),
        },
    )


@needs("audits.view_bodyfinding")
def body_finding_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """The answer to send: the PDF and the evidence in one ZIP."""
    rows = BodyFinding.objects.select_related("visit__certificate__body")
    finding = pages.find(request, rows, pk=pk)
    disposition = content_disposition_header(True, f"answer-{finding.pk}.zip")
    return HttpResponse(
        answer_bundle(finding, request.user),
        content_type="application/zip",
        headers={"Content-Disposition": disposition or "attachment"},
    )


@needs(ANYONE_SIGNED_IN)
def body_finding_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Answer sent, accepted, sent back, verified, closed."""
    return pages.do_transition(request, pages.find(request, BodyFinding.objects, pk=pk), name)
