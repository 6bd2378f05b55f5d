"""What the home page, the dashboard, the calendar and the search get from management reviews."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from objectives.models import Objective
from qms import contributions
from qms.contributions import Entry, Panel, Tile
from reviews.models import Decision, Review, ReviewedObjective

contributions.navigation(
    "Check",
    "Management reviews",
    "reviews:review_list",
    icon="presentation",
    permission="reviews.view_review",
    order=20,
)
contributions.create_entry(
    "Management review",
    "reviews:review_create",
    icon="presentation",
    permission="reviews.add_review",
    order=45,
)


@contributions.tile(order=50, permission="reviews.view_review")
def reviews_tile(today: date, count: Mapping[str, int]) -> Tile:
    """When the system was last reviewed, what is still open of it, and when it is next."""
    last = Review.objects.held_by(today).order_by("-held_on", "-pk").first()
    ahead = Review.objects.ahead().order_by("planned_on", "pk").first()
    late = ahead is not None and ahead.planned_on < today
    rows = []
    if last is not None:
        decided = Decision.objects.filter(review=last, status="noted", action__isnull=False)
        waiting = decided.filter(action__status="open").count()
        rows = [("Its actions", str(decided.count())), ("Still open", str(waiting))]
    note = "No review is planned."
    if ahead is not None:
        note = f"Next: {ahead.planned_on:%-d %b %Y}{', which is past' if late else ''}."
    return Tile(
        title="Management review",
        figure=f"{last.held_on:%b %Y}" if last and last.held_on else "–",
        note=note,
        tone="late" if late else "plain" if ahead else "soon",
        url=ahead.get_absolute_url() if ahead else "/reviews/",
        rows=rows,
    )


@contributions.calendar
def review_days(person: Any, start: date, end: date) -> list[Entry]:
    """When reviews are planned and were held."""
    rows = Review.objects.visible_to(person).exclude(status="void")
    ahead = rows.ahead().filter(planned_on__range=(start, end))
    held = rows.held_between(start, end)
    return [
        Entry(each.planned_on, each.title, "Management review", each.get_absolute_url())
        for each in ahead.order_by("planned_on", "pk")[:100]
    ] + [
        Entry(each.held_on, each.title, "Management review", each.get_absolute_url(), "fine")
        for each in held.order_by("held_on", "pk")[:100]
    ]


@contributions.record_panel
def what_reviews_said(record: Any, person: Any) -> Panel | None:
    """On an objective: what each management review said of it, the latest first."""
    if not isinstance(record, Objective) or not person.has_perm("reviews.view_reviewedobjective"):
        return None
    rows = ReviewedObjective.objects.visible_to(person).filter(objective=record)
    said = rows.exclude(review__status="void").select_related("review").order_by("-pk")
    found = list(said[:12])
    return Panel("reviews/panel.html", {"reviewed": found}, order=20) if found else None
