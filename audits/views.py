"""Pages of audits: list, record, checklist, findings, certificates."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from audits import workflow
from audits.forms import (
    AuditForm,
    CertificateForm,
    ExceptionForm,
    FindingForm,
    NewAuditForm,
    NewFindingForm,
    QuestionForm,
    TeamForm,
    VisitForm,
)
from audits.models import Audit, Certificate, CertificationAudit, Finding
from audits.prints import report_pdf as pdf_of
from capa.models import Nonconformity
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.files.workflow import attach_all
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.scope.models import Process

AUDITS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("process", "Process", value="process.name", sort="process__name"),
    Column("site", "Site", sort="site__name"),
    Column("lead", "Lead auditor", sort="lead__name", kind="person"),
    Column("status", "State", sort="status", kind="state"),
    Column(
        "planned_on",
        "Planned for",
        sort="planned_on",
        kind="due",
        settled=lambda audit: audit.status not in ("planned", "confirmed"),
    ),
    Column("issued_on", "Report issued", sort="issued_on", kind="date"),
]
FINDINGS = [
    Column("number", "Finding", sort="audit__number", kind="link"),
    Column("grade", "Grade", value="get_grade_display", sort="grade"),
    Column("title", "What was found"),
    Column("process", "Process", value="audit.process.name", sort="audit__process__name"),
    Column("clause", "Clause", sort="clause"),
    Column("status", "State", sort="status", kind="state"),
    Column("issued_on", "Report", value="audit.issued_on", sort="audit__issued_on", kind="date"),
]


class AuditFilter(django_filters.FilterSet):
    """Filters of the list of audits."""

    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    status = django_filters.ChoiceFilter(choices=Audit.Status.choices, label="State")
    lead = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Lead")
    year = django_filters.NumberFilter(
        field_name="planned_on__year", label="Year", min_value=1990, max_value=2190
    )

    class Meta:
        model = Audit
        fields = ("process", "status", "lead", "year")


class FindingFilter(django_filters.FilterSet):
    """Filters of the list of findings."""

    grade = django_filters.ChoiceFilter(choices=Finding.Grade.choices, label="Grade")
    status = django_filters.ChoiceFilter(choices=Finding.Status.choices, label="State")
    process = django_filters.ModelChoiceFilter(
        field_name="audit__process", queryset=Process.objects.all(), label="Process"
    )
    text = django_filters.CharFilter(field_name="statement", lookup_expr="icontains", label="Text")

    class Meta:
        model = Finding
        fields = ("grade", "status", "process", "text")


# Audits


@needs("audits.view_audit")
def audit_list(request: HttpRequest) -> HttpResponseBase:
    """The programme: every audit, the next first."""
    rows = Audit.objects.visible_to(request.user).select_related("process", "site", "lead")
    return pages.show_list(
        request,
        rows,
        columns=AUDITS,
        filterset=AuditFilter,
        default_sort="-planned_on",
        title="Audits",
        intro="Internal audits: each active process at least once a year, by somebody else.",
        create_url=reverse("audits:audit_create"),
        create_label="Plan an audit",
        empty="No audit is planned yet. Plan the first one; every process wants one a year.",
    )


@needs("audits.view_audit")
def audit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One audit: plan, team, checklist, findings, report, follow-up."""
    audit = pages.find(
        request, Audit.objects.select_related("process__owner", "site", "lead", "created_by"), pk=pk
    )
    findings = list(
        Finding.objects.visible_to(request.user)
        .filter(audit=audit)
        .select_related("audit")
        .order_by("position")
    )
    raised = Nonconformity.objects.raised_from(*findings).select_related("owner")
    items = list(audit.items.order_by("position"))
    team = workflow.team_of(audit)
    return pages.show_record(
        request,
        audit,
        template="audits/audit_detail.html",
        title=audit.title,
        crumbs=[("Audits", reverse("audits:audit_list")), (audit.number, "")],
        path=path_of(audit),
        due=audit.planned_on,
        settled=audit.status not in ("planned", "confirmed"),
        team=team,
        items=items,
        answered=sum(1 for item in items if item.answer),
        findings=findings,
        nonconformities={nc.origin_id: nc for nc in raised},
        exceptions=list(audit.exceptions.select_related("person", "created_by")),
        is_team=request.user in team,
        may_staff=audit.status == "planned" and request.user.has_perm("audits.change_audit"),
        may_prepare=audit.status in ("planned", "confirmed", "in_progress")
        and request.user.has_perm("audits.conduct_audit"),
        objection=workflow.team_is_independent(audit, request.user)
        if audit.status in ("planned", "confirmed")
        else None,
        lacking=workflow.what_the_team_lacks(audit)
        if audit.status in ("planned", "confirmed")
        else [],
        may_find=request.user.has_perm("competence.add_competencerecord"),
    )


def path_of(audit: Audit) -> list[PathStep]:
    """Planned, confirmed, conducted, reported, closed: how far the audit is."""
    if audit.status == "void":
        return [PathStep("Planned", "done", audit.planned_on), PathStep("Void", "now")]
    steps = [
        ("Planned", audit.planned_on),
        ("Confirmed", ""),
        ("Conducted", audit.conducted_on or ""),
        ("Report issued", audit.issued_on or ""),
        ("Closed", audit.closed_on or ""),
    ]
    # How many steps are behind it: an audit in progress is still at its third.
    behind = {"planned": 1, "confirmed": 2, "in_progress": 2, "issued": 4, "closed": 5}
    at = behind[audit.status]
    return [
        PathStep(name, "done" if i < at else "now" if i == at else "later", note)
        for i, (name, note) in enumerate(steps)
    ]


@needs("audits.add_audit")
def audit_create(request: HttpRequest) -> HttpResponse:
    """Plan an audit."""
    return pages.edit(
        request, form_class=NewAuditForm, create=workflow.plan_audit, title="Plan an audit"
    )


@needs("audits.change_audit")
def audit_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the plan."""
    audit = pages.find(request, Audit.objects, pk=pk)
    return pages.edit(request, form_class=AuditForm, instance=audit, title=f"Edit {audit.number}")


@needs(ANYONE_SIGNED_IN)
def audit_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm, postpone, start, issue the report, close, void."""
    rows = Audit.objects.select_related("process", "lead")
    audit = pages.find(request, rows, pk=pk)
    # Whoever starts it wants the first question, not the plan once more.
    done = reverse("audits:field_start", args=[audit.pk]) if name == "start" else None
    return pages.do_transition(request, audit, name, done)


@needs("audits.conduct_audit")
def question_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a question of one's own."""
    audit = pages.find(request, Audit.objects, pk=pk)
    return pages.edit(
        request,
        form_class=QuestionForm,
        create=lambda *, by, **fields: workflow.add_question(audit, by=by, **fields),
        title=f"Add a question to {audit.number}",
        done=audit.get_absolute_url(),
    )


@needs("audits.change_audit")
def team_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the team anew."""
    audit = pages.find(request, Audit.objects.select_related("process", "lead"), pk=pk)
    return pages.edit(
        request,
        form_class=TeamForm,
        create=lambda *, by, **fields: workflow.set_team(audit, by=by, **fields),
        title=f"Team of {audit.number}",
        done=audit.get_absolute_url(),
        initial={"team": [person.pk for person in workflow.team_of(audit)[1:]]},
    )


@needs("audits.change_audit")
def exception_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Record why an auditor who is not independent may audit."""
    audit = pages.find(request, Audit.objects.select_related("process", "lead"), pk=pk)
    return pages.edit(
        request,
        form_class=ExceptionForm,
        create=lambda *, by, **fields: workflow.record_exception(audit, by=by, **fields),
        title=f"Exception for {audit.number}",
        done=audit.get_absolute_url(),
    )


@needs("audits.view_audit")
def audit_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The report as a PDF."""
    rows = Audit.objects.select_related("process", "site", "lead", "created_by")
    audit = pages.find(request, rows, pk=pk)
    return pages.send_pdf(pdf_of(audit, request.user), audit.number)


# Findings


@needs("audits.view_finding")
def finding_list(request: HttpRequest) -> HttpResponseBase:
    """Every finding of every audit."""
    rows = Finding.objects.visible_to(request.user).exclude(status="void")
    return pages.show_list(
        request,
        rows.select_related("audit__process"),
        columns=FINDINGS,
        filterset=FindingFilter,
        default_sort="-number",
        title="Findings",
        empty="No audit has found anything yet.",
    )


@needs("audits.view_finding")
def finding_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One finding and the nonconformity it raised."""
    rows = Finding.objects.select_related("audit__process", "item", "created_by")
    finding = pages.find(request, rows, pk=pk)
    raised = Nonconformity.objects.raised_from(finding).first()
    return pages.show_record(
        request,
        finding,
        template="audits/finding_detail.html",
        title=finding.title,
        crumbs=[
            ("Audits", reverse("audits:audit_list")),
            (finding.audit.number, finding.audit.get_absolute_url()),
            (f"Finding {finding.position}", ""),
        ],
        nonconformity=raised,
    )


@needs("audits.conduct_audit")
def finding_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a finding with its photos."""
    audit = pages.find(request, Audit.objects.select_related("process", "lead"), pk=pk)
    asked = request.GET.get("question", "")
    item = audit.items.filter(position=int(asked)).first() if asked.isdigit() else None

    class WithPhotos(NewFindingForm):
        def record(self, *, by: Any, **fields: Any) -> Finding:
            finding = workflow.record_finding(audit, by=by, item=item, **fields)
            if item is not None and not item.answer:
                workflow.answer(item, by=by, answer=workflow.answer_of(finding), note=item.note)
            attach_all(finding, self.cleaned_data["photos"], by=by)
            return finding

    return finding_form(request, WithPhotos, audit, item)


def finding_form(request: HttpRequest, form_class: Any, audit: Audit, item: Any) -> HttpResponse:
    """The form of a new finding; it returns to the question it came from."""
    forms_made: list[Any] = []

    class Remembered(form_class):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            if item is not None:
                grade = request.GET.get("grade", "")
                known = {"clause": item.clause} | ({"grade": grade} if grade else {})
                kwargs.setdefault("initial", known)
            super().__init__(*args, **kwargs)
            forms_made.append(self)

    back = item.get_absolute_url() if item is not None else audit.get_absolute_url()
    return pages.edit(
        request,
        form_class=Remembered,
        create=lambda *, by, **fields: forms_made[-1].record(by=by, **fields),
        title=f"Finding in {audit.number}",
        done=back,
        context={"intro": item.question if item is not None else ""},
    )


@needs("audits.conduct_audit")
def finding_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Complete or correct a draft finding."""
    rows = Finding.objects.select_related("audit__process", "audit__lead")
    finding = pages.find(request, rows, pk=pk)
    return pages.edit(request, form_class=FindingForm, instance=finding, title=f"Edit {finding}")


@needs(ANYONE_SIGNED_IN)
def finding_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Void a draft finding."""
    rows = Finding.objects.select_related("audit__process", "audit__lead")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


# Certificates


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
