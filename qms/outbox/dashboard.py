"""The outbox in the navigation, with the number of what failed for good."""

from qms import contributions
from qms.outbox.models import Effect

contributions.navigation(
    "Settings",
    "Outbox",
    "outbox:effect_list",
    icon="inbox",
    permission="outbox.view_effect",
    order=80,
    count=lambda person: Effect.objects.dead(),
)
