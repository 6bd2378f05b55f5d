"""What the frame, the search, and “My role” get from suggestions."""

from typing import Any

from qms import contributions
from qms.contributions import Related
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
