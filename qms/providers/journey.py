"""What external providers give the journey: whether they are looked at again and again."""

from qms import contributions
from qms.periods import Period
from qms.providers.models import ProviderEvaluation


@contributions.momentum(
    "Providers evaluated",
    url="/providers/evaluations/",
    permission="providers.view_providerevaluation",
    order=24,
)
def evaluations(period: Period) -> int:
    """Evaluations made in a period that stand."""
    rows = ProviderEvaluation.objects.standing()
    return rows.filter(evaluated_on__range=(period.start, period.end)).count()
