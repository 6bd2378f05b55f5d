"""The organisation, sites, processes and scope statements under `/api/v1/`."""

from qms.api import Resource
from qms.scope import workflow
from qms.scope.forms import (
    ClimateForm,
    ClosedTimeEditForm,
    ClosedTimeForm,
    ExtensionForm,
    FlowForm,
    IssueForm,
    NeedForm,
    NewNeedForm,
    NewProcessForm,
    NewRequirementForm,
    NewStatementForm,
    PartyForm,
    ProcessForm,
    RequirementForm,
    SiteForm,
    StatementForm,
)
from qms.scope.models import (
    ClimateDecision,
    ClosedTime,
    Flow,
    InterestedParty,
    Issue,
    Organisation,
    PartyRequirement,
    PlannedExtension,
    Process,
    Requirement,
    ScopeStatement,
    Site,
)

organisation = Resource(
    "organisation",
    Organisation,
    fields=("name", "country", "region", "time_zone", "edition", "preparing", "headcount"),
)
sites = Resource(
    "sites",
    Site,
    fields=("name", "address", "headcount", "shifts", "status"),
    form=SiteForm,
    create=workflow.add_site,
)
closed_times = Resource(
    "closed-times",
    ClosedTime,
    fields=("site", "starts_on", "ends_on", "why", "taken_back"),
    form=ClosedTimeForm,
    edit_form=ClosedTimeEditForm,
    create=workflow.close_for,
)
processes = Resource(
    "processes",
    Process,
    fields=(*workflow.PROCESS_FIELDS, "status"),
    form=NewProcessForm,
    edit_form=ProcessForm,
    create=workflow.create_process,
)
statements = Resource(
    "scope-statements",
    ScopeStatement,
    fields=(
        "number",
        "edition",
        "statement",
        "products_and_services",
        "boundaries",
        "status",
        "approved_by",
        "approved_on",
    ),
    form=NewStatementForm,
    edit_form=StatementForm,
    create=workflow.draft_statement,
)
flows = Resource(
    "flows",
    Flow,
    fields=(*workflow.FLOW_FIELDS, "ended"),
    form=FlowForm,
    create=workflow.add_flow,
)
extensions = Resource(
    "planned-extensions",
    PlannedExtension,
    fields=(*workflow.EXTENSION_FIELDS, "status"),
    form=ExtensionForm,
    create=workflow.plan_extension,
)
issues = Resource(
    "issues",
    Issue,
    fields=(*workflow.ISSUE_FIELDS, "reviewed_on", "status"),
    form=IssueForm,
    create=workflow.raise_issue,
)
parties = Resource(
    "interested-parties",
    InterestedParty,
    fields=(*workflow.PARTY_FIELDS, "reviewed_on", "status"),
    form=PartyForm,
    create=workflow.add_party,
)
needs = Resource(
    "party-requirements",
    PartyRequirement,
    fields=("party", *workflow.NEED_FIELDS, "status"),
    form=NewNeedForm,
    edit_form=NeedForm,
    create=workflow.add_need,
)
climate = Resource(
    "climate-decisions",
    ClimateDecision,
    fields=("relevant", "reason", "decided_on", "decided_by", "status"),
    form=ClimateForm,
    create=workflow.decide_climate,
)
requirements = Resource(
    "requirements",
    Requirement,
    fields=("number", *workflow.REQUIREMENT_FIELDS, "reviewed_on", "status"),
    form=NewRequirementForm,
    edit_form=RequirementForm,
    create=workflow.register_requirement,
)
