"""Audits, findings and certificates under `/api/v1/`."""

from audits import workflow
from audits.forms import (
    AuditForm,
    CertificateForm,
    FindingForm,
    NewAuditForm,
    NewProgrammeForm,
    ProgrammeForm,
    VisitForm,
)
from audits.models import Audit, AuditProgramme, Certificate, CertificationAudit, Finding
from qms.api import Resource

programmes = Resource(
    "audit-programmes",
    AuditProgramme,
    fields=(
        "number",
        "title",
        "starts_on",
        "ends_on",
        "years",
        "edition",
        "objectives",
        "risks",
        "methods",
        "resources",
        "status",
        "approved_by",
        "approved_on",
    ),
    form=NewProgrammeForm,
    edit_form=ProgrammeForm,
    create=workflow.create_programme,
)
audits = Resource(
    "audits",
    Audit,
    fields=(
        "number",
        "process",
        "site",
        "edition",
        "clauses",
        "objectives",
        "criteria",
        "scope",
        "method",
        "programme",
        "window_start",
        "window_end",
        "why_now",
        "planned_on",
        "lead",
        "auditees",
        "status",
        "conducted_on",
        "conclusions",
        "issued_on",
        "closed_on",
    ),
    form=NewAuditForm,
    edit_form=AuditForm,
    create=workflow.plan_audit,
)
findings = Resource(
    "findings",
    Finding,
    fields=(
        "audit",
        "position",
        "grade",
        "clause",
        "requirement",
        "evidence",
        "statement",
        "status",
    ),
    edit_form=FindingForm,
    related=("audit__process", "audit__lead"),
)
certificates = Resource(
    "certificates",
    Certificate,
    fields=(
        "body",
        "edition",
        "scope_text",
        "number",
        "cycle",
        "decided_on",
        "expires_on",
        "status",
    ),
    form=CertificateForm,
    create=workflow.apply_for_certificate,
)
visits = Resource(
    "certification-audits",
    CertificationAudit,
    fields=(
        "certificate",
        "kind",
        "planned_on",
        "done_on",
        "auditors",
        "result",
        "majors",
        "minors",
        "status",
    ),
    form=VisitForm,
    create=workflow.plan_visit,
)
