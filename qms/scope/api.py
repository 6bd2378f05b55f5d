"""The organisation, sites, processes and scope statements under `/api/v1/`."""

from qms.api import Resource
from qms.scope import workflow
from qms.scope.forms import NewProcessForm, NewStatementForm, ProcessForm, SiteForm, StatementForm
from qms.scope.models import Organisation, Process, ScopeStatement, Site

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
