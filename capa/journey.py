"""What nonconformities give the journey: the milestones of step 10, and their beat."""

from datetime import date

from capa.models import Nonconformity
from qms import contributions
from qms.contributions import Milestone
from qms.periods import Period, add_months


@contributions.journey_step(10, order=10)
def problems_stay_mended(day: date) -> list[Milestone]:
    """Problems are reported, and some have been closed by their effect."""
    cases = Nonconformity.objects.exclude(status="void")
    count, closed = cases.count(), cases.filter(status="closed").count()
    lately = cases.filter(status="closed", closed_on__gte=add_months(day, -6)).exists()
    return [
        Milestone(
            "Problems are reported",
            count > 0,
            f"{count} so far." if count else "",
            "/nonconformities/" if count else "/nonconformities/report/",
            "Report a problem",
        ),
        Milestone(
            "Problems closed in the last six months",
            lately,
            f"{closed} closed in all." if closed else "",
            "/nonconformities/" if count else "",
            "See the open ones",
            started=count > 0,
        ),
    ]


@contributions.momentum(
    "Nonconformities closed",
    url="/nonconformities/?status=closed",
    permission="capa.view_nonconformity",
    order=50,
)
def closed(period: Period) -> int:
    """Cases closed by their effect, or with a reason why no action was needed."""
    days = (period.start, period.end)
    return Nonconformity.objects.filter(status="closed", closed_on__range=days).count()


@contributions.momentum(
    "Problems and ideas reported",
    url="/nonconformities/",
    permission="capa.view_nonconformity",
    order=40,
)
def reported(period: Period) -> int:
    """Reports that were no mistake."""
    days = (period.start, period.end)
    rows = Nonconformity.objects.exclude(status="void")
    return rows.filter(detected_on__range=days).count()
