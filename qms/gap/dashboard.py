"""What the frame, the leadership's screen and the search get from gap assessments."""

from collections.abc import Mapping
from datetime import date

from qms import contributions
from qms.contributions import Tile
from qms.gap import readiness  # noqa: F401 - importing it registers what the ground proves
from qms.gap.models import Assessment
from qms.gap.overview import answers_of, counts_of
from qms.gap.workflow import actions_of

contributions.navigation(
    "Plan",
    "Gap assessment",
    "gap:assessment_list",
    icon="list-check",
    permission="gap.view_assessment",
    order=30,
)


contributions.navigation(
    "Certify",
    "Readiness",
    "readiness:show",
    icon="checklist",
    permission="gap.view_assessment",
    order=20,
)


@contributions.tile(order=20, permission="gap.view_assessment")
def gap_tile(today: date, count: Mapping[str, int]) -> Tile:
    """The gaps of the newest assessment and how the roadmap stands."""
    newest = Assessment.objects.exclude(status=Assessment.Status.VOID).order_by("-pk").first()
    if newest is None:
        return Tile("Gaps", "–", "No assessment was made yet.", "plain", "/gap/")
    answers = answers_of(newest)
    actions = actions_of([each for each in answers if each.is_gap])
    late = actions.overdue(today).count()
    gaps = sum(each.is_gap for each in answers)
    return Tile(
        title="Gaps",
        figure=f"{gaps} gap{'' if gaps == 1 else 's'}",
        note=f"{late} of their actions late." if late else f"In {newest.number}.",
        tone="late" if late else "plain",
        url=newest.get_absolute_url(),
        rows=[(label, str(count)) for label, count, _tone in counts_of(answers)],
    )
