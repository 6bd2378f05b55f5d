"""What an indicator may be computed from: how satisfied customers were found, what they answered.

Figures of surveys are counted from the answers of the period, whichever survey they belong to.
"""

from decimal import Decimal
from typing import Any

from qms.contributions import Figure, indicator_source
from qms.customers.models import Feedback, SatisfactionReview, Survey, Verdict
from qms.customers.results import Result, answers_in, invitations_to, result_of
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


def _answered_in(period: Period) -> Result:
    return result_of(answers_in(period.start, period.end), invitations_to(()))


@indicator_source(
    "customers.survey_satisfied",
    "Answers to surveys that are satisfied (4 or 5 of 5)",
    "%",
    asks="count",
    direction="higher",
    per=Decimal(100),
    per_process=False,
    group="Customers",
)
def survey_satisfied(period: Period, process: Any) -> Figure | None:
    """The top-two-box share of every rating given in the period."""
    found = _answered_in(period)
    if not found.rated:
        return None
    return Figure(Decimal(0), counted=Decimal(found.top), size=found.rated)


@indicator_source(
    "customers.recommendation",
    "Recommendation score of surveys",
    "points",
    direction="higher",
    decimals=1,
    per_process=False,
    group="Customers",
)
def recommendation(period: Period, process: Any) -> Figure | None:
    """Percent of 9 and 10 less percent of 0 to 6; nothing where too few answered."""
    found = _answered_in(period)
    if found.score is None or found.is_thin:
        return None
    return Figure(found.score, size=found.scored)


@indicator_source(
    "customers.survey_answered",
    "Surveys answered, of those sent out",
    "%",
    asks="count",
    direction="higher",
    per=Decimal(100),
    per_process=False,
    group="Customers",
)
def survey_answered(period: Period, process: Any) -> Figure | None:
    """Of the surveys that were closed in the period."""
    closed = list(
        Survey.objects.filter(status="closed", closed_on__range=(period.start, period.end))
    )
    asked = invitations_to(closed).filter(ended=False, sent_on__isnull=False)
    total = asked.count()
    if not total:
        return None
    return Figure(
        Decimal(0), counted=Decimal(asked.filter(answer__isnull=False).count()), size=total
    )


@indicator_source(
    "customers.complaints",
    "Complaints written down",
    "complaints",
    direction="lower",
    per_process=False,
    group="Customers",
)
def complaints(period: Period, process: Any) -> Figure | None:
    """By the day they were heard; whether they became nonconformities or not."""
    days = (period.start, period.end)
    return Figure(Decimal(Feedback.objects.complaints().filter(heard_on__range=days).count()))
