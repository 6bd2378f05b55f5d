"""What the scope keeps: organisation and sites, processes and flows, statements (4.3, 4.4)."""

from qms.scope.models.organisation import Organisation, OrganisationQuerySet, Site, known_zone
from qms.scope.models.processes import (
    EVERY,
    NO_PROCESS,
    TO_ITSELF,
    Flow,
    Process,
    ProcessDeputy,
    ProcessMember,
    ProcessQuerySet,
    ProcessSite,
)
from qms.scope.models.statements import (
    ALWAYS_APPLICABLE,
    FrozenWithStatement,
    NotApplicable,
    PlannedExtension,
    ScopeStatement,
    ScopeStatementQuerySet,
    StatementProcess,
    StatementSite,
)

__all__ = [
    "ALWAYS_APPLICABLE",
    "EVERY",
    "NO_PROCESS",
    "TO_ITSELF",
    "Flow",
    "FrozenWithStatement",
    "NotApplicable",
    "Organisation",
    "OrganisationQuerySet",
    "PlannedExtension",
    "Process",
    "ProcessDeputy",
    "ProcessMember",
    "ProcessQuerySet",
    "ProcessSite",
    "ScopeStatement",
    "ScopeStatementQuerySet",
    "Site",
    "StatementProcess",
    "StatementSite",
    "known_zone",
]
