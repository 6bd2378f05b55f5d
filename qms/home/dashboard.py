"""The entries of the navigation that come first, and the tile of actions."""

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


@contributions.tile(order=50, permission="actions.view_action")
def actions_tile(day: date) -> Tile:
    """What was promised and is late, from all chapters."""
    open_ones, late = Action.objects.open().count(), Action.objects.overdue(day).count()
    return Tile(
        title="Actions",
        figure=f"{open_ones} open",
        note=f"{late} overdue." if late else "None is overdue.",
        tone="late" if late else "fine",
        url="/actions/?status=open",
    )
