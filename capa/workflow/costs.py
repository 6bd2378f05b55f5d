"""What cases cost: entered once, taken back with a reason, never changed."""

from datetime import date
from decimal import Decimal

from capa.models import CostEntry, Nonconformity
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.workflow import creates, voids


@creates(CostEntry, permission="capa.add_costentry")
def enter_cost(
    *,
    by: Person,
    nonconformity: Nonconformity,
    kind: str,
    amount: Decimal,
    arose_on: date | None = None,
    note: str = "",
) -> CostEntry:
    """Enter what a case cost; more than one entry is usual, also after it was closed."""
    if nonconformity.status == Nonconformity.Status.VOID:
        raise Refused("The case is void; it costs nothing.", field="nonconformity")
    if amount <= 0:
        raise Refused("An amount is above zero.", field="amount")
    if arose_on is not None and arose_on > today():
        raise Refused("It cannot have arisen in the future.", field="arose_on")
    entry = CostEntry(
        nonconformity=nonconformity,
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
