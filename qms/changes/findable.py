"""What is found of changes."""

from qms.changes.models import Change
from qms.finding.workflow import Text, findable


@findable(Change, "Changes", order=32)
def describe(change: Change) -> Text:
    """A change by number, title, what changes and what for."""
    return Text(
        title=change.title,
        number=change.number,
        words=f"{change.purpose}\n{change.what}".strip(),
        note=change.get_status_display(),
    )
