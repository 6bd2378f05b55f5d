"""Actions at `/api/v1/actions/`."""

from qms.actions import workflow
from qms.actions.forms import ActionForm
from qms.actions.models import Action
from qms.api import Resource

actions = Resource(
    "actions",
    Action,
    fields=(
        "number",
        "title",
        "description",
        "kind",
        "owner",
        "due",
        "original_due",
        "status",
        "result",
        "done_on",
        "done_by",
        "verified_by",
    ),
    form=ActionForm,
    create=workflow.plan_action,
)
