"""What the management review gets from suggestions (9.3.2, 10.3)."""

from datetime import timedelta

from qms import contributions
from qms.contributions import Line
from qms.periods import Period, start_of
from qms.suggestions.models import Suggestion


@contributions.review_input(key="f", title="Ideas of our people", order=10)
def ideas_for_review(period: Period) -> list[Line]:
    """Handed in and put into practice, this period beside the one before."""
    before = period.previous()
    return [
        Line("Ideas handed in", str(_received(period)), str(_received(before)), url=LIST),
        Line("Ideas put into practice", str(_done(period)), str(_done(before)), url=LIST),
    ]


LIST = "/suggestions/"


def _received(period: Period) -> int:
    until = start_of(period.end + timedelta(days=1))
    rows = Suggestion.objects.filter(recorded_at__gte=start_of(period.start), recorded_at__lt=until)
    return int(rows.count())


def _done(period: Period) -> int:
    return int(Suggestion.objects.done_between(period.start, period.end).count())
