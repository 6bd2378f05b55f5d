"""Pages of certificates and of the visits of the certification body."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from audits import workflow
from audits.forms import (
    CertificateForm,
    VisitForm,
)
from audits.models import Certificate, CertificationAudit
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column

CERTIFICATES = [
    Column("title", "Certificate", kind="link"),
    Column("body", "Certification body", sort="body"),
    Column("edition", "Edition", value="get_edition_display", sort="edition"),
    Column("cycle", "Cycle", sort="cycle", numeric=True),
    Column("status", "State", sort="status", kind="state"),
    Column("decided_on", "Decision", sort="decided_on", kind="date"),
    Column("expires_on", "Valid through", sort="expires_on", kind="due"),
]


@needs("audits.view_certificate")
def certificate_list(request: HttpRequest) -> HttpResponseBase:
    """Certificates and applications, the newest cycle first."""
    return pages.show_list(
        request,
        Certificate.objects.visible_to(request.user),
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
    """One certificate with its visits."""
    certificate = pages.find(request, Certificate.objects.select_related("created_by"), pk=pk)
    visits = list(certificate.visits.exclude(status="void").order_by("planned_on", "pk"))
    return pages.show_record(
        request,
        certificate,
        template="audits/certificate_detail.html",
        title=certificate.title,
        subtitle=f"{certificate.body} · {certificate.get_edition_display()}",
        crumbs=[("Certification", reverse("audits:certificate_list"))],
        due=certificate.expires_on,
        visits=visits,
        may_change=request.user.has_perm("audits.change_certificate"),
    )


@needs("audits.change_certificate")
def certificate_create(request: HttpRequest) -> HttpResponse:
    """Record an application."""
    return pages.edit(
        request,
        form_class=CertificateForm,
        create=workflow.apply_for_certificate,
        title="Record an application",
    )


@needs(ANYONE_SIGNED_IN)
def certificate_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Certificate received, suspended, lifted, withdrawn, expired."""
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


@needs(ANYONE_SIGNED_IN)
def visit_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Record the result of a visit, or void it."""
    rows = CertificationAudit.objects.select_related("certificate")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)
