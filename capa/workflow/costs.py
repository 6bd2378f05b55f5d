"""What failures cost: entered once, taken back with a reason, never changed."""

from datetime import date
from decimal import Decimal
from typing import Any

from capa.models import CostEntry, NonconformingOutput, Nonconformity
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.workflow import creates, voids

VOID = {Nonconformity.Status.VOID, NonconformingOutput.Status.VOID}


@creates(CostEntry, permission="capa.add_costentry")
def enter_cost(
    *,
    by: Person,
    kind: str,
    amount: Decimal,
    nonconformity: Nonconformity | None = None,
    output: NonconformingOutput | None = None,
    arose_on: date | None = None,
    note: str = "",
) -> CostEntry:
    """Enter what a case or an output cost; several are usual, also after it was settled."""
    if (nonconformity is None) == (output is None):
        raise Refused(
            "Say what it is the cost of: one nonconformity or one nonconforming output.",
            field="nonconformity",
        )
    subject: Any = nonconformity or output
    if subject.status in VOID:
        name = "nonconformity" if nonconformity else "output"
        raise Refused(f"{subject.number} is void; it costs nothing.", field=name)
    if amount <= 0:
        raise Refused("An amount is above zero.", field="amount")
    if arose_on is not None and arose_on > today():
        raise Refused("It cannot have arisen in the future.", field="arose_on")
    entry = CostEntry(
        nonconformity=nonconformity,
        output=output,
        kind=kind,
        amount=amount,
        arose_on=arose_on or today(),
        note=note.strip(),
        created_by=by,
    )
    entry.save()
    return entry


void_cost = voids(
    CostEntry,
    source=CostEntry.Status.COUNTED,
    permission="capa.void_costentry",
)
