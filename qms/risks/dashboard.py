"""What the frame, the leadership's screen, the search and other records get from risks (6.1)."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models import Count

from qms import contributions
from qms.contributions import Entry, Holding, Panel, Related, Tile, held
from qms.periods import today
from qms.picking import owners_touching
from qms.risks.models import PARTS, Opportunity, Risk
from qms.scope.models import Process

contributions.navigation(
    "Plan",
    "Risks",
    "risks:risk_list",
    icon="alert-triangle",
    permission="risks.view_risk",
    order=30,
)
contributions.navigation(
    "Plan",
    "Opportunities",
    "risks:opportunity_list",
    icon="bulb",
    permission="risks.view_opportunity",
    order=32,
)
contributions.create_entry(
    "Risk", "risks:risk_create", icon="alert-triangle", permission="risks.add_risk", order=70
)
contributions.create_entry(
    "Opportunity",
    "risks:opportunity_create",
    icon="bulb",
    permission="risks.add_opportunity",
    order=71,
)


@contributions.tile(
    order=15,
    permission="risks.view_risk",
    counts=lambda today: {
        "open": Risk.objects.open(),
        "high": Risk.objects.high(),
        "late": Risk.objects.review_due(today),
        "undecided": Risk.objects.high().filter(status__in=["identified", "evaluated"]),
    },
)
def risk_tile(today: date, count: Mapping[str, int]) -> Tile:
    """How many high risks are open, and whether somebody looks after them."""
    high, late, undecided = count["high"], count["late"], count["undecided"]
    note = f"{undecided} of them without a decision." if undecided else "Each has its treatment."
    if late:
        note = f"{late} to be looked at again."
    return Tile(
        title="High risks",
        figure=str(high),
        note=note if count["open"] else "No risk is written down yet.",
        tone="late" if undecided else "soon" if late or high else "fine",
        url="/risks/matrix/",
        rows=[("Open risks", str(count["open"]))],
    )


@contributions.calendar
def reviews_of_risks(person: Any, start: date, end: date) -> list[Entry]:
    """When risks and opportunities are to be looked at again."""
    found = []
    for kind in (Risk, Opportunity):
        rows = kind.objects.visible_to(person).open().filter(review_on__range=(start, end))
        name = str(kind._meta.verbose_name).capitalize()
        found += [
            Entry(each.review_on, f"Look at {each}", name, each.get_absolute_url(), "plain")
            for each in rows.order_by("pk")
        ]
    return found


@contributions.relates(Process, "Risks", permission="risks.view_risk", add="risks:risk_create")
def risks_of_processes(ids: Iterable[int], person: Any) -> dict[int, list[Related]]:
    """The open risks and opportunities of a process, the highest first."""
    found: dict[int, list[Related]] = {}
    for kind in (Risk, Opportunity):
        rows = kind.objects.open().filter(process__in=list(ids)).order_by("-score", "pk")
        for each in rows.visible_to(person) if person else rows:
            tone = each.level_tone if each.level_tone in ("fine", "soon", "late") else "plain"
            found.setdefault(each.process_id or 0, []).append(
                Related(
                    each.title,
                    each.number,
                    each.get_absolute_url(),
                    each.level or each.get_status_display(),
                    tone,  # type: ignore[arg-type]
                )
            )
    return found


@contributions.hand_over("Risks", order=36)
def risks_to_hand_over(person: Any) -> list[Holding]:
    """Risks somebody watches that are not closed."""
    rows = Risk.objects.open().filter(owner=person).order_by("pk")
    return held(rows, "owner", permission="risks.change_risk")


@contributions.hand_over("Opportunities", order=37)
def opportunities_to_hand_over(person: Any) -> list[Holding]:
    """Opportunities somebody pursues that are not closed."""
    rows = Opportunity.objects.open().filter(owner=person).order_by("pk")
    return held(rows, "owner", permission="risks.change_opportunity")


def _counts(kind: Any) -> Callable[[Iterable[int]], dict[int, int]]:
    def owned(ids: Iterable[int]) -> dict[int, int]:
        rows = kind.objects.open().filter(owner__in=list(ids))
        return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())

    return owned


contributions.owns("Risks", permission="risks.view_risk", order=35)(_counts(Risk))
contributions.owns("Opportunities", permission="risks.view_opportunity", order=36)(
    _counts(Opportunity)
)


@contributions.record_panel
def what_bears_on_it(record: Any, person: Any) -> Panel | None:
    """On every record: the open risks and opportunities that bear on it."""
    found = []
    for kind, (_evaluation, link, side) in PARTS.items():
        if person.has_perm(f"risks.view_{side}") and (keys := owners_touching(record, link)):
            rows = kind.objects.visible_to(person).open().filter(pk__in=keys)
            if isinstance(record, Process):  # its sheet has those that belong to it
                rows = rows.exclude(process=record)
            found += list(rows.order_by("pk"))
    if not found:
        return None
    return Panel("risks/panel.html", {"outlooks": found, "today": today()}, order=35)
