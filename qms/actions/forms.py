"""Forms of actions."""

from qms.actions.models import Action
from qms.forms import RecordForm


class ActionForm(RecordForm):
    """What will be done, by whom, by when."""

    class Meta:
        model = Action
        fields = ("title", "description", "kind", "owner", "due")
