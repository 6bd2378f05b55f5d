"""The organisation, sites, processes and scope statements under `/api/v1/`."""

from qms.api import Resource
from qms.scope import workflow
from qms.scope.forms import (
    ExtensionForm,
    FlowForm,
    NewProcessForm,
    NewStatementForm,
    ProcessForm,
    SiteForm,
    StatementForm,
)
from qms.scope.models import (
    Flow,
    Organisation,
    PlannedExtension,
    Process,
    ScopeStatement,
    Site,
)

organisation = Resource(
    "organisation",
    Organisation,
    fields=("name", "country", "time_zone", "edition", "preparing", "headcount"),
)
sites = Resource(
    "sites",
    Site,
    fields=("name", "address", "headcount", "shifts", "status"),
    form=SiteForm,
    create=workflow.add_site,
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
