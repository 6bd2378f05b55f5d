"""What an indicator may be computed from: audits done as planned, and their findings (9.1.3)."""

from decimal import Decimal
from typing import Any

from audits.models import Audit, Finding
from qms.contributions import Figure, indicator_source
from qms.periods import Period

GROUP = "Audits"


@indicator_source("audits.nonconformities", "Nonconformities of audits", "findings", group=GROUP)
def nonconformities(period: Period, process: Any) -> Figure:
    """Major and minor ones of the reports issued in the period."""
    return _count(Finding.objects.nonconformities(), period, process)


@indicator_source("audits.findings", "Findings of audits, of every grade", "findings", group=GROUP)
def findings(period: Period, process: Any) -> Figure:
    """Everything the reports issued in the period found, good practice included."""
    return _count(Finding.objects.all(), period, process)


def _count(rows: Any, period: Period, process: Any) -> Figure:
    found = rows.of_processes().released_between(period.start, period.end)
    if process is not None:
        found = found.filter(audit__process=process)
    return Figure(Decimal(found.count()))


@indicator_source(
    "audits.as_planned",
    "Audits done in the period they were first planned for",
    "%",
    asks="count",
    direction="higher",
    per=Decimal(100),
    group=GROUP,
)
def as_planned(period: Period, process: Any) -> Figure | None:
    """Conducted by the period's end, of all that were first planned for a day of it."""
    days = (period.start, period.end)
    rows = Audit.objects.counting().exclude(status=Audit.Status.VOID)
    rows = rows.filter(originally_planned_on__range=days)
    if process is not None:
        rows = rows.filter(process=process)
    total = rows.count()
    if not total:
        return None
    done = rows.filter(conducted_on__lte=period.end).count()
    return Figure(Decimal(0), counted=Decimal(done), size=total)
