"""Sums of what failures cost: entries of cases, and what was spent on nonconforming outputs.

Internal failure is found before delivery, external failure after it. Amounts are in the currency
of the organisation's country; nothing is converted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from capa.models import CostEntry, NonconformingOutput
from capa.money import currency
from qms.charts import Chart, pareto
from qms.periods import Period

NONE = "Not said"


@dataclass(frozen=True)
class Spent:
    """One amount, with everything it is summed by."""

    amount: Decimal
    is_external: bool
    kind: str
    cause: str
    process: str
    customer: str


@dataclass(frozen=True)
class Costs:
    """The cost of poor quality of a period."""

    currency: str
    internal: Decimal
    external: Decimal
    entries: int
    kinds: Chart
    causes: Chart
    processes: Chart
    customers: Chart

    @property
    def total(self) -> Decimal:
        return self.internal + self.external


def costs_of(person: Any, period: Period) -> Costs:
    """What failures cost in a period, of what a person may see; a fixed number of questions."""
    spent = [*_of_cases(person, period), *_of_outputs(person, period)]
    money = currency()
    outside = [each for each in spent if each.is_external]

    def chart(title: str, name_of: Callable[[Spent], str]) -> Chart:
        return pareto(summed(spent, name_of), title=title, what=f"Amount ({money})", most=12)

    return Costs(
        currency=money,
        internal=sum((each.amount for each in spent if not each.is_external), Decimal(0)),
        external=sum((each.amount for each in outside), Decimal(0)),
        entries=len(spent),
        kinds=chart("Cost by kind", lambda each: each.kind),
        causes=chart("Cost by cause", lambda each: each.cause),
        processes=chart("Cost by process", lambda each: each.process),
        customers=chart("Cost by customer", lambda each: each.customer),
    )


def summed(spent: Iterable[Spent], name_of: Callable[[Spent], str]) -> dict[str, Decimal]:
    """The amounts by name; what says nothing is left out."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in spent:
        if (name := name_of(each)) != NONE:
            sums[name] += each.amount
    return dict(sums)


def _of_cases(person: Any, period: Period) -> list[Spent]:
    rows = CostEntry.objects.visible_to(person).counted().between(period.start, period.end)
    rows = rows.select_related("nonconformity__process", "nonconformity__customer")
    return [
        Spent(
            each.amount,
            each.is_external,
            str(each.get_kind_display()),
            _cause(each.nonconformity),
            _name(each.nonconformity.process),
            _name(each.nonconformity.customer),
        )
        for each in rows
    ]


def _of_outputs(person: Any, period: Period) -> list[Spent]:
    """What was held back and cost something; where a customer found it, it is external failure."""
    rows = NonconformingOutput.objects.visible_to(person).found_between(period.start, period.end)
    rows = rows.filter(cost__gt=0).select_related("process", "customer", "nonconformity")
    return [
        Spent(
            each.cost,
            each.found_at == NonconformingOutput.FoundAt.CUSTOMER,
            str(each.get_disposition_display() or "Held back"),
            _cause(each.nonconformity),
            _name(each.process),
            _name(each.customer),
        )
        for each in rows
    ]


def _cause(nc: Any) -> str:
    return str(nc.get_category_display()) if nc is not None and nc.category else NONE


def _name(record: Any) -> str:
    return NONE if record is None else str(record.name)
