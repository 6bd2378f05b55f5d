"""Changes under `/api/v1/`."""

from qms.api import Resource
from qms.changes import workflow
from qms.changes.forms import ChangeForm, NewChangeForm
from qms.changes.models import Change

changes = Resource(
    "changes",
    Change,
    fields=(
        "number",
        *workflow.CHANGE_FIELDS,
        "status",
        "approved_by",
        "approved_on",
        "result",
        "done_on",
        "verdict",
    ),
    form=NewChangeForm,
    edit_form=ChangeForm,
    create=workflow.plan_change,
)
