"""Nonconformities and their corrective action (ISO 9001 10.2, 8.7)."""

from capa.models.causes import CauseAnalysis, EightD, EightDMember
from capa.models.complaints import Complaint, ComplaintQuerySet
from capa.models.corrective_actions import CaseAction, CorrectiveAction, CorrectiveActionQuerySet
from capa.models.costs import CostEntry
from capa.models.nonconformities import Nonconformity, NonconformityQuerySet
from capa.models.outputs import NonconformingOutput, NonconformingOutputQuerySet
from capa.models.proposals import Proposal, ProposalQuerySet
from capa.models.repeats import CaseWords, Repeat
from capa.models.reports import Report, ReportQuerySet

__all__ = [
    "CaseAction",
    "CaseWords",
    "CauseAnalysis",
    "Complaint",
    "ComplaintQuerySet",
    "CorrectiveAction",
    "CorrectiveActionQuerySet",
    "CostEntry",
    "EightD",
    "EightDMember",
    "NonconformingOutput",
    "NonconformingOutputQuerySet",
    "Nonconformity",
    "NonconformityQuerySet",
    "Proposal",
    "ProposalQuerySet",
    "Repeat",
    "Report",
    "ReportQuerySet",
]
