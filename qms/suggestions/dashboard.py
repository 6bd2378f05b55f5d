"""What the frame, the search, and “My role” get from suggestions."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from qms import contributions
from qms.contributions import Related, Tile
from qms.periods import Period, add_months
from qms.suggestions.models import Suggestion

contributions.navigation(
    "Act",
    "Suggestions",
    "suggestions:suggestion_list",
    icon="flag",
    permission="suggestions.view_suggestion",
    order=60,
)
contributions.create_entry(
    "Suggestion",
    "suggestions:suggestion_create",
    icon="flag",
    permission="suggestions.add_suggestion",
    order=15,
)


@contributions.mine("My suggestions", order=70)
def my_suggestions(person: Any) -> list[Related]:
    """What somebody suggested, and what became of it."""
    rows = Suggestion.objects.visible_to(person).filter(created_by=person).order_by("-pk")
    return [
        Related(each.title, each.number, each.get_absolute_url(), each.get_status_display())
        for each in rows[:20]
    ]


@contributions.tile(
    order=35,
    permission="suggestions.view_suggestion",
    counts=lambda today: {
        "waiting": Suggestion.objects.waiting(),
        "done": Suggestion.objects.done_between(add_months(today, -12), today),
        "under_way": Suggestion.objects.filter(status=Suggestion.Status.TAKEN_UP),
    },
)
def ideas_tile(today: date, count: Mapping[str, int]) -> Tile:
    """Ideas of everybody that became improvements in the last year."""
    waiting = count["waiting"]
    return Tile(
        title="Ideas put into practice",
        figure=f"{count['done']} in a year",
        note=f"{waiting} wait for an answer." if waiting else "Every idea is answered.",
        tone="plain" if waiting else "fine",
        url="/suggestions/",
        rows=[("Being put into practice", str(count["under_way"]))],
    )


@contributions.momentum(
    "Ideas put into practice",
    url="/suggestions/?status=done",
    permission="suggestions.view_suggestion",
    order=55,
)
def ideas_done(period: Period) -> int:
    """Ideas that became improvements."""
    return Suggestion.objects.done_between(period.start, period.end).count()
