"""What is found of nonconformities."""

from capa.models import CorrectiveAction, Nonconformity
from qms.finding.workflow import Text, findable


@findable(Nonconformity, "Nonconformities", order=30, edition=2)
def describe(nonconformity: Nonconformity) -> Text:
    """A nonconformity by number, title, statement, root cause, product and lot."""
    return Text(
        title=nonconformity.title,
        number=nonconformity.number,
        words="\n".join(
            (
                nonconformity.statement,
                nonconformity.root_cause,
                nonconformity.product,
                nonconformity.lot,
            )
        ).strip(),
        note=nonconformity.get_status_display(),
    )


@findable(CorrectiveAction, "Corrective actions", order=31)
def describe_action(action: CorrectiveAction) -> Text:
    """A corrective action by number, title, cause and criterion."""
    return Text(
        title=action.title,
        number=action.number,
        words=f"{action.cause}\n{action.criterion}".strip(),
        note=action.get_status_display(),
    )
