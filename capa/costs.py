"""Sums of what failures cost: the entries of cases and of nonconforming outputs.

Internal failure is found before delivery, external failure after it. Amounts are in the currency
of the organisation's country; nothing is converted.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from capa.models import CostEntry
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
    by_kind: dict[tuple[bool, str], Decimal]  # (external?, kind) → amount
    kinds: Chart
    causes: Chart
    processes: Chart
    customers: Chart

    @property
    def total(self) -> Decimal:
        return self.internal + self.external


def costs_of(person: Any, period: Period) -> Costs:
    """What failures cost in a period, of what a person may see; a fixed number of questions."""
    return summed_up(CostEntry.objects.visible_to(person), period)


def summed_up(entries: Any, period: Period) -> Costs:
    """The same of these entries."""
    spent = _spent(entries, period)
    money = currency()
    outside = [each for each in spent if each.is_external]

    def chart(title: str, name_of: Callable[[Spent], str]) -> Chart:
        return pareto(summed(spent, name_of), title=title, what=f"Amount ({money})", most=12)

    return Costs(
        currency=money,
        internal=sum((each.amount for each in spent if not each.is_external), Decimal(0)),
        external=sum((each.amount for each in outside), Decimal(0)),
        entries=len(spent),
        by_kind=_by_kind(spent),
        kinds=chart("Cost by kind", lambda each: each.kind),
        causes=chart("Cost by cause", lambda each: each.cause),
        processes=chart("Cost by process", lambda each: each.process),
        customers=chart("Cost by customer", lambda each: each.customer),
    )


def _by_kind(spent: Iterable[Spent]) -> dict[tuple[bool, str], Decimal]:
    sums: defaultdict[tuple[bool, str], Decimal] = defaultdict(Decimal)
    for each in spent:
        sums[each.is_external, each.kind] += each.amount
    return dict(sums)


def summed(spent: Iterable[Spent], name_of: Callable[[Spent], str]) -> dict[str, Decimal]:
    """The amounts by name; what says nothing is left out."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in spent:
        if (name := name_of(each)) != NONE:
            sums[name] += each.amount
    return dict(sums)


BESIDE = (
    "nonconformity__process",
    "nonconformity__customer",
    "output__process",
    "output__customer",
    "output__nonconformity",
)


def _spent(entries: Any, period: Period) -> list[Spent]:
    rows = entries.counted().between(period.start, period.end).select_related(*BESIDE)
    return [
        Spent(
            each.amount,
            each.is_external,
            str(each.get_kind_display()),
            _cause(each.nonconformity or each.output.nonconformity),
            _name(each.subject.process),
            _name(each.subject.customer),
        )
        for each in rows
    ]


def _cause(nc: Any) -> str:
    return str(nc.get_category_display()) if nc is not None and nc.category else NONE


def _name(record: Any) -> str:
    return NONE if record is None else str(record.name)
