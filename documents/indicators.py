"""What an indicator may be computed from: overdue documents and reading, numbers of forms (9.1)."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Avg, Count, Sum

from documents import design
from documents.entered import latest_parts, number_at
from documents.models import Document, Entry
from qms.contributions import (
    Figure,
    IndicatorSource,
    indicator_source,
    more_indicator_sources,
)
from qms.periods import Period, start_of
from qms.proofs import as_it_was

FIELD = "documents.field:"
STEP = Decimal("0.000001")
WAYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "mean": ("mean", Avg),
    "sum": ("in all", Sum),
    "count": ("entries", Count),
}


@indicator_source(
    "documents.overdue",
    "Documents past their review at the period's end",
    "documents",
    per_process=False,
    group="Documents",
)
def overdue(period: Period, process: Any) -> Figure:
    """As it was on the last evening: in force, and the review's day was past."""
    evening = start_of(period.end + timedelta(days=1))
    rows = as_it_was(Document, evening).filter(next_review__lte=period.end)
    return Figure(Decimal(rows.exclude(status="withdrawn").count()))


@more_indicator_sources(FIELD)
def numbers_of_forms() -> Iterable[IndicatorSource]:
    """Every number that the forms in force ask for: its mean, its sum, how many entries."""
    forms = Document.objects.filter(kind="form").exclude(status="withdrawn").order_by("number")
    for form in forms:
        for part in design.of_kind(latest_parts(form), "number"):
            for way, (words, of) in WAYS.items():
                yield IndicatorSource(
                    key=f"{FIELD}{form.pk}:{part['key']}:{way}",
                    words=f"{form.number} {part['label']}, {words}",
                    unit="entries" if way == "count" else part["unit"] or "points",
                    compute=partial(of_field, form.pk, part["key"], of),
                    decimals=0 if way == "count" else part["decimals"],
                    per_process=False,
                    group="Numbers entered in forms",
                )


def of_field(
    form: int, key: str, of: Callable[[Any], Any], period: Period, process: Any
) -> Figure | None:
    """One number of the entries that happened in the period and stand; nothing without any."""
    begins, ends = start_of(period.start), start_of(period.end + timedelta(days=1))
    rows = Entry.objects.standing().filter(form=form).happened_between(begins, ends)
    found = rows.order_by().aggregate(value=of(number_at(key)), n=Count(number_at(key)))
    if not found["n"]:
        return Figure(Decimal(0)) if of is Count else None
    return Figure(Decimal(found["value"]).quantize(STEP), size=found["n"])
