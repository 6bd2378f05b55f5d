"""Nonconformities and their corrective action (ISO 9001 10.2, 8.7)."""

from capa.models.causes import CauseAnalysis, EightD, EightDMember
from capa.models.corrective_actions import CaseAction, CorrectiveAction, CorrectiveActionQuerySet
from capa.models.nonconformities import Nonconformity, NonconformityQuerySet
from capa.models.proposals import Proposal, ProposalQuerySet
from capa.models.repeats import CaseWords, Repeat

__all__ = [
    "CaseAction",
    "CaseWords",
    "CauseAnalysis",
    "CorrectiveAction",
    "CorrectiveActionQuerySet",
    "EightD",
    "EightDMember",
    "Nonconformity",
    "NonconformityQuerySet",
    "Proposal",
    "ProposalQuerySet",
    "Repeat",
]
