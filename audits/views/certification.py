"""Pages of certificates and of the visits of the certification body."""

from typing import Any

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from audits import cycles, workflow
from audits.certification import major_due_on
from audits.forms import (
    BodyForm,
    CertificateEditForm,
    CertificateForm,
    SitesForm,
    VisitEditForm,
    VisitForm,
)
from audits.models import (
    BodyFinding,
    Certificate,
    CertificateSite,
    CertificationAudit,
    CertificationBody,
    MarkUse,
    VisitRequest,
)
from audits.readiness import asked_at
from qms import clock, links, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.periods import today

CERTIFICATES = [
    Column("title", "Certificate", kind="link"),
    Column("body", "Certification body", sort="body__name"),
    Column("edition", "Edition", value="get_edition_display", sort="edition"),
    Column("cycle", "Cycle", sort="cycle", numeric=True),
    Column("status", "State", sort="status", kind="state"),
    Column("decided_on", "Decision", sort="decided_on", kind="date"),
    Column("issued_on", "Issued", sort="issued_on", kind="date", shown=False),
    Column(
        "expires_on",
        "Valid through",
        sort="expires_on",
        kind="due",
        settled=lambda certificate: not certificate.is_held,
    ),
    Column("accreditation", "Accreditation mark", shown=False),
]


@needs("audits.view_certificate")
def certificate_list(request: HttpRequest) -> HttpResponseBase:
    """Certificates and applications, the newest cycle first."""
    return pages.show_list(
        request,
        Certificate.objects.visible_to(request.user).select_related("body"),
        columns=CERTIFICATES,
        default_sort="-cycle",
        title="Certification",
        create_url=reverse("audits:certificate_create")
        if request.user.has_perm("audits.change_certificate")
        else "",
        create_label="Record an application",
        empty="No certification body is involved yet. Record the application when you apply.",
    )


@needs("audits.view_certificate")
def certificate_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One certificate with its cycle: what is due, which visit met it, what comes next."""
    rows = Certificate.objects.select_related("created_by", "body", "predecessor__body")
    certificate = pages.find(request, rows, pk=pk)
    visits = cycles.visits_of(certificate)
    may_change = request.user.has_perm("audits.change_certificate")
    following = workflow.follower_of(certificate)
    sites = CertificateSite.objects.live().filter(certificate=certificate).select_related("site")
    return pages.show_record(
        request,
        certificate,
        template="audits/certificate_detail.html",
        title=certificate.title,
        subtitle=f"{certificate.body.name} · {certificate.get_edition_display()}",
        crumbs=[("Certification", reverse("audits:certificate_list"))],
        due=certificate.expires_on,
        settled=not certificate.is_held,
        visits=visits,
        warnings=workflow.warnings_of(visits),
        course=cycles.course_of(certificate, visits, today()),
        transition=cycles.transition_window(certificate),
        sites=[link.site for link in sites.order_by("site__name")],
        suspensions=certificate.suspensions.order_by("began_on"),
        following=following,
        may_follow=may_change and not workflow.cannot_be_followed(certificate),
        may_change=may_change,
        uses=list(_uses_of(certificate, request.user)),
        lost=workflow.not_in_force(certificate) if certificate.decided_on else "",
    )


def _uses_of(certificate: Certificate, person: Any) -> Any:
    """Where it is shown; what was taken down comes last."""
    rows = MarkUse.objects.visible_to(person).filter(certificate=certificate)
    return rows.select_related("owner").order_by("-status", "place", "pk")


@needs("audits.change_certificate")
def certificate_create(request: HttpRequest) -> HttpResponse:
    """Record an application."""
    return pages.edit(
        request,
        form_class=CertificateForm,
        create=workflow.apply_for_certificate,
        title="Record an application",
        initial=_carried_over(request),
        template="audits/certificate_form.html",
    )


def _carried_over(request: HttpRequest) -> dict[str, Any]:
    """What the application for the next cycle takes over from the certificate it follows."""
    key = request.GET.get("predecessor", "")
    rows = Certificate.objects.visible_to(request.user)
    before = rows.filter(pk=key).first() if key.isascii() and key.isdecimal() else None
    if before is None:
        return {"body": request.GET.get("body")}
    covered = CertificateSite.objects.live().filter(certificate=before)
    return {
        "predecessor": before.pk,
        "body": request.GET.get("body") if before.transferred_to else before.body_id,
        "edition": before.edition,
        "scope_text": before.scope_text,
        "accreditation": "" if before.transferred_to else before.accreditation,
        "cycle": before.cycle + (0 if before.transferred_to else 1),
        "sites": list(covered.values_list("site_id", flat=True)),
    }


@needs("audits.change_certificate")
def certificate_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what an application says, or correct what was typed from the certificate."""
    certificate = pages.find(request, Certificate.objects, pk=pk)
    return pages.edit(
        request,
        form_class=CertificateEditForm,
        instance=certificate,
        title=f"Edit {certificate.title[:1].lower()}{certificate.title[1:]}",
    )


@needs("audits.change_certificate")
def certificate_sites(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which sites are on the certificate."""
    certificate = pages.find(request, Certificate.objects, pk=pk)
    covered = CertificateSite.objects.live().filter(certificate=certificate)

    def save(*, by: Any, **chosen: Any) -> Certificate:
        return workflow.cover_sites(certificate, by=by, **chosen)

    return pages.edit(
        request,
        form_class=SitesForm,
        create=save,
        title=f"Sites on {certificate.title}",
        initial={
            "sites": list(covered.values_list("site_id", flat=True)),
            "seen": links.seal({"certificate": certificate}, CertificateSite),
        },
        context={"cancel_url": certificate.get_absolute_url()},
    )


@needs(ANYONE_SIGNED_IN)
def certificate_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Certificate received, suspended, restored, reduced, transferred, withdrawn, expired."""
    return pages.do_transition(request, pages.find(request, Certificate.objects, pk=pk), name)


@needs("audits.change_certificate")
def visit_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan a visit of the certification body."""
    certificate = pages.find(request, Certificate.objects, pk=pk)
    return pages.edit(
        request,
        form_class=VisitForm,
        create=workflow.plan_visit,
        title="Plan a visit",
        initial={"certificate": certificate.pk},
    )


@needs("audits.view_certificationaudit")
def visit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One visit of the certification body."""
    rows = CertificationAudit.objects.select_related("created_by", "certificate__body")
    visit = pages.find(request, rows, pk=pk)
    certificate = visit.certificate
    return pages.show_record(
        request,
        visit,
        template="audits/visit_detail.html",
        title=visit.title,
        crumbs=[
            ("Certification", reverse("audits:certificate_list")),
            (certificate.title, certificate.get_absolute_url()),
        ],
        due=visit.planned_on,
        settled=visit.status != CertificationAudit.Status.PLANNED,
        findings=BodyFinding.objects.visible_to(request.user)
        .filter(visit=visit)
        .order_by("reference"),
        warnings=workflow.warnings_of([visit]),
        major_due=major_due_on(visit.done_on)
        if visit.kind == CertificationAudit.Kind.STAGE2 and visit.done_on
        else None,
        slots=workflow.plan_of(visit),
        requests=VisitRequest.objects.visible_to(request.user).filter(visit=visit),
        waiting=VisitRequest.objects.visible_to(request.user).filter(visit=visit).waiting(),
        may_plan=request.user.has_perm("audits.change_certificate")
        and visit.status == CertificationAudit.Status.PLANNED,
        may_prepare=request.user.has_perm("audits.view_bodyfinding"),
        may_record=request.user.has_perm("audits.change_certificate")
        and visit.status != CertificationAudit.Status.VOID,
    )


@needs("audits.view_bodyfinding")
def visit_readiness(request: HttpRequest, pk: int) -> HttpResponse:
    """What the body will ask at a visit, with what shows it or what is in the way."""
    rows = CertificationAudit.objects.select_related("certificate__body")
    visit = pages.find(request, rows, pk=pk)
    printing = request.GET.get("print") == "1"
    context: dict[str, Any] = {
        "title": f"Ready for {visit.get_kind_display().lower()}",
        "visit": visit,
        "asked": asked_at(visit, clock.now(), request.user),
        "today": today(),
        "base": "layouts/print.html" if printing else "base.html",
    }
    name = "audits/visit_readiness.html"
    return pages.respond(request, name, name, context)


@needs("audits.change_certificate")
def visit_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a visit while it is planned."""
    visit = pages.find(request, CertificationAudit.objects, pk=pk)
    return pages.edit(
        request, form_class=VisitEditForm, instance=visit, title="Edit the planned visit"
    )


@needs(ANYONE_SIGNED_IN)
def visit_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Record the result of a visit, or void it."""
    rows = CertificationAudit.objects.select_related("certificate")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


BODIES = [
    Column("name", "Certification body", sort="name", kind="link"),
    Column("accreditation", "Accredited by", sort="accreditation"),
    Column("contract_from", "Contract from", sort="contract_from", kind="date"),
    Column("contract_until", "Contract until", sort="contract_until", kind="date"),
    Column("plan_days_major", "Plan on a major, days", numeric=True, sort="plan_days_major"),
    Column("plan_days_minor", "Plan on a minor, days", numeric=True, sort="plan_days_minor"),
]


@needs("audits.view_certificationbody")
def body_list(request: HttpRequest) -> HttpResponseBase:
    """Certification bodies with their terms."""
    return pages.show_list(
        request,
        CertificationBody.objects.visible_to(request.user),
        columns=BODIES,
        default_sort="name",
        title="Certification bodies",
        create_url=reverse("audits:body_create")
        if request.user.has_perm("audits.change_certificate")
        else "",
        create_label="Enter a certification body",
        empty="No certification body is entered yet. Enter the one you ask for an offer.",
    )


@needs("audits.view_certificationbody")
def body_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One certification body: its terms, its certificates, and what its visits come to."""
    body = pages.find(request, CertificationBody.objects.select_related("created_by"), pk=pk)
    visits = CertificationAudit.objects.visible_to(request.user).exclude(status="void")
    visits = visits.filter(certificate__body=body).select_related("certificate__body")
    certificates = Certificate.objects.visible_to(request.user).filter(body=body)
    return pages.show_record(
        request,
        body,
        template="audits/body_detail.html",
        title=body.name,
        crumbs=[
            ("Certification", reverse("audits:certificate_list")),
            ("Certification bodies", reverse("audits:body_list")),
        ],
        certificates=certificates.select_related("body").order_by("-cycle", "-pk"),
        visits=visits.order_by("planned_on", "pk"),
        totals=visits.aggregate(days=Sum("audit_days"), cost=Sum("cost")),
        may_change=request.user.has_perm("audits.change_certificate"),
    )


@needs("audits.change_certificate")
def body_create(request: HttpRequest) -> HttpResponse:
    """Enter a certification body."""
    return pages.edit(
        request,
        form_class=BodyForm,
        create=workflow.enter_body,
        title="Enter a certification body",
    )


@needs("audits.change_certificate")
def body_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the terms of a certification body, with the reason."""
    body = pages.find(request, CertificationBody.objects, pk=pk)
    return pages.edit(request, form_class=BodyForm, instance=body, title=f"Edit {body.name}")
