"""Nonconformities and their corrective action (ISO 9001 10.2, 8.7)."""

from capa.models.nonconformities import Nonconformity, NonconformityQuerySet
from capa.models.proposals import Proposal, ProposalQuerySet

__all__ = ["Nonconformity", "NonconformityQuerySet", "Proposal", "ProposalQuerySet"]
