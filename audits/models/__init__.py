"""Internal audits, their checklists and findings (ISO 9001 9.2), and certificates."""

from audits.models.agenda import AuditSlot, Slot, VisitSlot
from audits.models.audits import Audit, AuditQuerySet, AuditTeamMember, IndependenceException
from audits.models.body_findings import (
    BodyFinding,
    BodyFindingQuerySet,
    DeadlineExtension,
    GradeChange,
)
from audits.models.certification import (
    Certificate,
    CertificateQuerySet,
    CertificateSite,
    CertificateSuspension,
    CertificationAudit,
    CertificationBody,
)
from audits.models.checklists import ChecklistItem, ChecklistTemplate
from audits.models.feeds import CalendarFeed, CalendarFeedQuerySet
from audits.models.findings import Finding, FindingQuerySet, FindingResponse
from audits.models.grades import FindingGrade
from audits.models.marks import MarkUse, MarkUseQuerySet
from audits.models.notes import AuditNote, AuditNoteQuerySet
from audits.models.programme import AuditProgramme
from audits.models.reports import (
    Addendum,
    AuditReport,
    MeetingAttendance,
    ReportRecipient,
)
from audits.models.requests import VisitRequest, VisitRequestQuerySet

__all__ = [
    "Addendum",
    "Audit",
    "AuditNote",
    "AuditNoteQuerySet",
    "AuditProgramme",
    "AuditQuerySet",
    "AuditReport",
    "AuditSlot",
    "AuditTeamMember",
    "BodyFinding",
    "BodyFindingQuerySet",
    "CalendarFeed",
    "CalendarFeedQuerySet",
    "Certificate",
    "CertificateQuerySet",
    "CertificateSite",
    "CertificateSuspension",
    "CertificationAudit",
    "CertificationBody",
    "ChecklistItem",
    "ChecklistTemplate",
    "DeadlineExtension",
    "Finding",
    "FindingGrade",
    "FindingQuerySet",
    "FindingResponse",
    "GradeChange",
    "IndependenceException",
    "MarkUse",
    "MarkUseQuerySet",
    "MeetingAttendance",
    "ReportRecipient",
    "Slot",
    "VisitRequest",
    "VisitRequestQuerySet",
    "VisitSlot",
]
