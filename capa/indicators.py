"""What an indicator may be computed from: nonconformities and how fast they close (9.1)."""

from decimal import Decimal
from typing import Any

from django.db.models import Q

from capa.models import CorrectiveAction, Nonconformity
from qms.contributions import Figure, indicator_source
from qms.periods import Period

GROUP = "Nonconformities and complaints"
USUAL_DAYS = 90  # within which a nonconformity is usually closed


def _of(rows: Any, process: Any) -> Any:
    return rows if process is None else rows.filter(process=process)


def _count(rows: Any, process: Any) -> Figure:
    return Figure(Decimal(_of(rows, process).count()))


@indicator_source("capa.raised", "Nonconformities detected", "nonconformities", group=GROUP)
def raised(period: Period, process: Any) -> Figure:
    """Detected in the period, void ones left out."""
    return _count(Nonconformity.objects.raised_between(period.start, period.end), process)


@indicator_source("capa.complaints", "Customer complaints received", "complaints", group=GROUP)
def complaints(period: Period, process: Any) -> Figure:
    """Nonconformities of the period that a customer complained about."""
    rows = Nonconformity.objects.raised_between(period.start, period.end)
    return _count(rows.filter(source=Nonconformity.Source.COMPLAINT), process)


@indicator_source(
    "capa.open", "Nonconformities open at the period's end", "nonconformities", group=GROUP
)
def still_open(period: Period, process: Any) -> Figure:
    """Detected by the last day and not closed by it."""
    rows = Nonconformity.objects.exclude(status="void").filter(detected_on__lte=period.end)
    return _count(rows.filter(Q(closed_on__isnull=True) | Q(closed_on__gt=period.end)), process)


@indicator_source(
    "capa.days_to_close",
    "Days from detection to closure, mean",
    "days",
    decimals=1,
    group=GROUP,
)
def days_to_close(period: Period, process: Any) -> Figure | None:
    """The mean over what was closed in the period; nothing where nothing was."""
    rows = _of(Nonconformity.objects.closed_between(period.start, period.end), process)
    days = [nc.days_open(period.end) for nc in rows.only("detected_on", "closed_on")]
    if not days:
        return None
    mean = (Decimal(sum(days)) / len(days)).quantize(Decimal("0.000001"))
    return Figure(mean, size=len(days))


@indicator_source(
    "capa.closed_in_time",
    f"Nonconformities closed within {USUAL_DAYS} days, of those closed",
    "%",
    asks="count",
    direction="higher",
    decimals=0,
    per=Decimal(100),
    group=GROUP,
)
def closed_in_time(period: Period, process: Any) -> Figure | None:
    """Closed within the usual days, of all that were closed in the period."""
    rows = _of(Nonconformity.objects.closed_between(period.start, period.end), process)
    closed = list(rows.only("detected_on", "closed_on"))
    if not closed:
        return None
    quick = sum(nc.days_open(period.end) <= USUAL_DAYS for nc in closed)
    return Figure(Decimal(0), counted=Decimal(quick), size=len(closed))


@indicator_source(
    "capa.effective",
    "Corrective actions found effective, of those judged",
    "%",
    asks="count",
    direction="higher",
    decimals=0,
    per=Decimal(100),
    group=GROUP,
    per_process=False,
)
def effective(period: Period, process: Any) -> Figure | None:
    """Found effective, of all whose effectiveness was decided in the period."""
    judged = CorrectiveAction.objects.judged_between(period.start, period.end)
    count = judged.count()
    if not count:
        return None
    good = judged.filter(status=CorrectiveAction.Status.EFFECTIVE).count()
    return Figure(Decimal(0), counted=Decimal(good), size=count)
