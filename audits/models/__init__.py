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
from audits.models.findings import Finding, FindingQuerySet
from audits.models.programme import AuditProgramme

__all__ = [
    "Audit",
    "AuditProgramme",
    "AuditQuerySet",
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
    "FindingQuerySet",
    "IndependenceException",
]
