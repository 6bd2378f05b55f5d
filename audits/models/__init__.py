"""Internal audits, their checklists and findings (ISO 9001 9.2), and certificates."""

from audits.models.audits import Audit, AuditQuerySet, AuditTeamMember, IndependenceException
from audits.models.body_findings import BodyFinding, BodyFindingQuerySet, DeadlineExtension
from audits.models.certification import (
    Certificate,
    CertificateQuerySet,
    CertificateSite,
    CertificateSuspension,
    CertificationAudit,
    CertificationBody,
)
from audits.models.checklists import ChecklistItem
from audits.models.findings import Finding, FindingQuerySet, FindingResponse
from audits.models.grades import FindingGrade
from audits.models.programme import AuditProgramme
from audits.models.reports import (
    Addendum,
    AuditReport,
    MeetingAttendance,
    ReportRecipient,
)

__all__ = [
    "Addendum",
    "Audit",
    "AuditProgramme",
    "AuditQuerySet",
    "AuditReport",
    "AuditTeamMember",
    "BodyFinding",
    "BodyFindingQuerySet",
    "Certificate",
    "CertificateQuerySet",
    "CertificateSite",
    "CertificateSuspension",
    "CertificationAudit",
    "CertificationBody",
    "ChecklistItem",
    "DeadlineExtension",
    "Finding",
    "FindingGrade",
    "FindingQuerySet",
    "FindingResponse",
    "IndependenceException",
    "MeetingAttendance",
    "ReportRecipient",
]
