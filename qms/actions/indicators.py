"""What an indicator may be computed from: actions done in time, and those that are late (9.1.3)."""

from decimal import Decimal
from typing import Any

from django.db.models import F, Q

from qms.actions.models import Action
from qms.contributions import Figure, indicator_source
from qms.periods import Period

GROUP = "Actions"
CORRECTIVE = (Action.Kind.CORRECTION, Action.Kind.CORRECTIVE)


def _in_time(rows: Any) -> Figure | None:
    """Done by the day promised first, of all that were promised for a day of the period.

    What is still open counts as late: only days that are past are asked for.
    """
    total = rows.count()
    if not total:
        return None
    return Figure(
        Decimal(0),
        counted=Decimal(rows.filter(done_on__lte=F("original_due")).count()),
        size=total,
    )


def _promised(period: Period) -> Any:
    rows = Action.objects.exclude(status=Action.Status.VOID)
    return rows.filter(original_due__range=(period.start, period.end))


@indicator_source(
    "actions.in_time",
    "Actions done by the day promised first",
    "%",
    asks="count",
    direction="higher",
    per=Decimal(100),
    per_process=False,
    group=GROUP,
)
def in_time(period: Period, process: Any) -> Figure | None:
    """Of all actions that were promised for a day of the period."""
    return _in_time(_promised(period))


@indicator_source(
    "actions.corrective_in_time",
    "Corrections and corrective actions done by the day promised first",
    "%",
    asks="count",
    direction="higher",
    per=Decimal(100),
    per_process=False,
    group=GROUP,
)
def corrective_in_time(period: Period, process: Any) -> Figure | None:
    """The same for what mends and what prevents."""
    return _in_time(_promised(period).filter(kind__in=CORRECTIVE))


@indicator_source(
    "actions.overdue",
    "Actions overdue at the period's end",
    "actions",
    per_process=False,
    group=GROUP,
)
def overdue(period: Period, process: Any) -> Figure:
    """Due before the last day and not done by it."""
    rows = Action.objects.exclude(status=Action.Status.VOID).filter(due__lt=period.end)
    late = rows.filter(Q(done_on__isnull=True) | Q(done_on__gt=period.end))
    return Figure(Decimal(late.count()))
