"""What the home page, the dashboard, the calendar and the search get from objectives."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models import Count, Q

from objectives.models import Objective
from objectives.status import (
    AT_RISK,
    MISSED,
    NO_DATA,
    OFF_TRACK,
    ON_TRACK,
    TONES,
    WORDS,
    standing_of,
)
from qms import contributions
from qms.contributions import Entry, Holding, Related, Tile, held
from qms.periods import today as today_here
from qms.scope.models import Process, ProcessMember

contributions.navigation(
    "Plan",
    "Objectives",
    "objectives:objective_list",
    icon="target",
    permission="objectives.view_objective",
    order=40,
)
contributions.create_entry(
    "Objective",
    "objectives:objective_create",
    icon="target",
    permission="objectives.add_objective",
    order=50,
)


@contributions.tile(order=10, permission="objectives.view_objective")
def objectives_tile(today: date, count: Mapping[str, int]) -> Tile:
    """How many of the objectives pursued now are on track, by their readings."""
    active = list(Objective.objects.active().with_readings())
    counts = Counter(standing_of(each, today).state for each in active)
    good = counts[ON_TRACK] + counts["achieved"]
    if not active:
        return Tile("Objectives", "–", "No objective is pursued.", "plain", "/objectives/")
    off = counts[OFF_TRACK] + counts[MISSED]
    blind = counts[NO_DATA]
    note = "Every one is on track." if good == len(active) else "on track by their readings."
    if blind:
        note = f"{blind} cannot be judged: readings are missing."
    tone = "late" if off else "soon" if counts[AT_RISK] or blind else "fine"
    return Tile(
        title="Objectives",
        figure=f"{good} of {len(active)}",
        note=note,
        tone=tone,  # type: ignore[arg-type]
        url="/objectives/",
        rows=[(WORDS[state], str(counts[state])) for state in WORDS if counts[state]],
    )


@contributions.calendar
def deadlines(person: Any, start: date, end: date) -> list[Entry]:
    """When objectives are to be reached."""
    rows = Objective.objects.visible_to(person).active().filter(deadline__range=(start, end))
    return [
        Entry(each.deadline, each.title, "Objective", each.get_absolute_url())
        for each in rows.order_by("deadline", "pk")[:200]
    ]


@contributions.relates(
    Process, "Indicators", permission="objectives.view_objective", add="objectives:objective_create"
)
def indicators_of_processes(ids: Iterable[int], person: Any) -> dict[int, list[Related]]:
    """What a process is measured by: its objectives pursued now, with how they stand."""
    rows = Objective.objects.active().filter(process__in=list(ids)).with_readings()
    day = today_here()
    found: dict[int, list[Related]] = {}
    for each in (rows.visible_to(person) if person else rows).order_by("number"):
        state = standing_of(each, day).state
        row = Related(
            each.title,
            each.number,
            each.get_absolute_url(),
            f"{each.metric}: {WORDS[state].lower()}",
            TONES[state] or "plain",  # type: ignore[arg-type]
        )
        found.setdefault(each.process_id or 0, []).append(row)
    return found


@contributions.owns("Objectives", permission="objectives.view_objective", order=40)
def objectives_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many objectives pursued now each person answers for."""
    rows = Objective.objects.active().filter(owner__in=list(ids))
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.hand_over("Objectives", order=40)
def objectives_to_hand_over(person: Any) -> list[Holding]:
    """Objectives somebody pursues."""
    running = (Objective.Status.DRAFT, Objective.Status.ACTIVE)
    rows = Objective.objects.filter(owner=person, status__in=running).order_by("deadline", "pk")
    return held(rows, "owner", permission="objectives.measure_objective")


@contributions.mine("Objectives I contribute to", order=40)
def my_objectives(person: Any) -> list[Related]:
    """Running objectives of the processes somebody works in, and their own."""
    member = ProcessMember.objects.live().filter(person=person)
    mine = Q(owner=person) | Q(process__owner=person) | Q(process__in=member.values("process_id"))
    rows = Objective.objects.visible_to(person).filter(mine, status=Objective.Status.ACTIVE)
    return [
        Related(str(each.title), "", each.get_absolute_url(), day=each.deadline)
        for each in rows.order_by("deadline", "pk")[:100]
    ]
