"""What the management review and the evidence pack get from suggestions (9.3.2, 10.1, 10.3)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from qms import contributions
from qms.contributions import Line
from qms.periods import Period, day_of, start_of
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


# The evidence pack; who had an idea stays inside -------------------------------------------------


def ideas_of(period: Period) -> Any:
    """Every idea that was open at any time in the period."""
    until = start_of(period.end + timedelta(days=1))
    rows = Suggestion.objects.filter(recorded_at__lt=until).since(period.start)
    return rows.with_votes().order_by("number")


@contributions.evidence(
    folder="08-performance",
    title="Ideas of our people",
    clauses=("10.1", "10.3"),
    template="suggestions/evidence/ideas.html",
    order=90,
)
def ideas_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """What was suggested, what was answered, what is put into practice."""
    return {"ideas": list(ideas_of(period))}


@contributions.register(
    name="ideas",
    title="Ideas of our people",
    columns=(
        "Number",
        "Idea",
        "What would get better",
        "Handed in",
        "Wanted by",
        "State",
        "Answer",
        "Decided on",
        "Put into practice",
    ),
)
def register_of_ideas(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row an idea."""
    for each in ideas_of(period):
        yield (
            each.number,
            each.title,
            each.details,
            day_of(each.recorded_at),
            each.votes,
            each.get_status_display(),
            each.answer,
            each.decided_on,
            each.done_on,
        )
