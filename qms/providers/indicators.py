"""What an indicator may be computed from: how external providers were evaluated (8.4, 9.1.3)."""

from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count

from qms.contributions import Figure, indicator_source
from qms.periods import Period
from qms.providers.models import ProviderEvaluation


@indicator_source(
    "providers.score",
    "Score of the external providers evaluated, mean",
    "points",
    direction="higher",
    decimals=2,
    per_process=False,
    group="External providers",
)
def score(period: Period, process: Any) -> Figure | None:
    """The mean of the evaluations made in the period and not taken back."""
    days = (period.start, period.end)
    rows = ProviderEvaluation.objects.exclude(status="void").filter(evaluated_on__range=days)
    found = rows.order_by().aggregate(mean=Avg("score"), n=Count("score"))
    if not found["n"]:
        return None
    return Figure(Decimal(found["mean"]).quantize(Decimal("0.000001")), size=found["n"])
