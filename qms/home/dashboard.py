"""The entries of the navigation that come first, and the tile of actions."""

from collections.abc import Mapping
from datetime import date, timedelta

from qms import contributions
from qms.actions.models import Action
from qms.contributions import Tile
from qms.periods import today
from qms.work.models import WorkItem

AHEAD = timedelta(days=60)  # as on the page itself

contributions.navigation(
    "",
    "My work",
    "home:my_work",
    icon="inbox",
    permission="actions.view_action",
    order=1,
    count=lambda person: WorkItem.objects.of(person).by(today() + AHEAD),
)
contributions.navigation(
    "", "Calendar", "home:calendar", icon="calendar", permission="actions.view_action", order=2
)
contributions.navigation(
    "",
    "Leadership",
    "home:leadership",
    icon="layout-dashboard",
    permission="home.view_leadership",
    order=3,
)


@contributions.tile(
    order=50,
    permission="actions.view_action",
    counts=lambda day: {"open": Action.objects.open(), "late": Action.objects.overdue(day)},
)
def actions_tile(day: date, count: Mapping[str, int]) -> Tile:
    """What was promised and is late, from all chapters."""
    late = count["late"]
    return Tile(
        title="Actions",
        figure=f"{count['open']} open",
        note=f"{late} overdue." if late else "None is overdue.",
        tone="late" if late else "fine",
        url="/actions/?status=open",
    )
