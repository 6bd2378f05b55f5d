"""What management reviews give the journey: the milestones of steps 8 and 10, and their beat."""

from datetime import date

from qms import contributions
from qms.contributions import Milestone
from qms.periods import Period, add_months
from reviews.models import Review


@contributions.journey_step(8, order=10)
def review_held(day: date) -> list[Milestone]:
    """A review is planned, held, and its minutes are signed."""
    rows = Review.objects.exclude(status="void").order_by("-pk")
    newest = rows.first()
    held = rows.exclude(held_on=None).first()
    closed = rows.filter(status="closed").first()
    url = newest.get_absolute_url() if newest else "/reviews/new/"
    return [
        Milestone(
            "A review planned",
            newest is not None,
            f"{newest.number}." if newest else "",
            url,
            "Plan a review",
        ),
        Milestone(
            "Held with every input looked at",
            held is not None,
            f"On {held.held_on:%-d %B %Y}." if held and held.held_on else "",
            held.get_absolute_url() if held else url if newest else "",
            "Prepare the review",
            started=newest is not None,
        ),
        Milestone(
            "Minutes signed by top management",
            closed is not None,
            f"{closed.number}." if closed else "",
            (closed or held).get_absolute_url() if closed or held else "",  # type: ignore[union-attr]
            "Sign the minutes",
            started=held is not None,
        ),
    ]


@contributions.journey_step(10, order=20)
def reviewed_every_year(day: date) -> list[Milestone]:
    """The whole is looked at once a year."""
    since = add_months(day, -12)
    lately = Review.objects.filter(status="closed", held_on__gte=since).exists()
    first = Review.objects.filter(status="closed").exists()
    return [
        Milestone(
            "Reviewed within the last year",
            lately,
            "",
            "/reviews/" if first else "",
            "Plan the next",
            started=first,
        )
    ]


@contributions.momentum(
    "Management reviews held", url="/reviews/", permission="reviews.view_review", order=70
)
def held(period: Period) -> int:
    """Meetings that took place."""
    days = (period.start, period.end)
    return Review.objects.exclude(status="void").filter(held_on__range=days).count()
