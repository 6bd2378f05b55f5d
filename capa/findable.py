"""What is found of nonconformities."""

from capa.models import Nonconformity
from qms.finding.workflow import Text, findable


@findable(Nonconformity, "Nonconformities", order=30)
def describe(nonconformity: Nonconformity) -> Text:
    """A nonconformity by number, title, statement and root cause."""
    return Text(
        title=nonconformity.title,
        number=nonconformity.number,
        words=f"{nonconformity.statement}\n{nonconformity.root_cause}".strip(),
        note=nonconformity.get_status_display(),
    )
