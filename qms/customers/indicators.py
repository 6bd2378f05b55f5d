"""What an indicator may be computed from: how satisfied customers were found (9.1.2)."""

from decimal import Decimal
from typing import Any

from qms.contributions import Figure, indicator_source
from qms.customers.models import SatisfactionReview, Verdict
from qms.periods import Period


@indicator_source(
    "customers.satisfied",
    "Customers found satisfied, of those asked",
    "%",
    asks="count",
    direction="higher",
    per=Decimal(100),
    per_process=False,
    group="Customers",
)
def satisfied(period: Period, process: Any) -> Figure | None:
    """Fully satisfied ones, of all reviews of the period."""
    days = (period.start, period.end)
    rows = SatisfactionReview.objects.standing().filter(reviewed_on__range=days)
    total = rows.count()
    if not total:
        return None
    good = rows.filter(verdict=Verdict.SATISFIED).count()
    return Figure(Decimal(0), counted=Decimal(good), size=total)
