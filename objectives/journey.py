"""What objectives give the journey: the milestones of step 4, and the drafts of a starter."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from objectives.models import Measurement, Objective
from objectives.workflow import set_objective
from qms import contributions
from qms.contributions import Milestone, Sketch
from qms.people.models import Person
from qms.periods import Period, add_months, today


@contributions.journey_step(4, order=20)
def objectives_run(day: date) -> list[Milestone]:
    """Objectives are pursued, and measured."""
    pursued = Objective.objects.filter(status__in=["active", "achieved", "missed"]).count()
    drafts = Objective.objects.filter(status="draft").count()
    measured = Measurement.objects.filter(status="live").exists()
    return [
        Milestone(
            "Objectives pursued",
            pursued > 0,
            f"{pursued} pursued{f', {drafts} drafted' if drafts else ''}."
            if pursued or drafts
            else "",
            "/objectives/?status=draft" if drafts and not pursued else "/objectives/",
            "Complete and activate them" if drafts else "Set an objective",
            started=drafts > 0,
        ),
        Milestone(
            "The first readings entered",
            measured,
            "",
            "/objectives/readings/" if pursued else "",
            "Enter a reading",
            started=False,
        ),
    ]


@contributions.momentum(
    "Readings entered",
    url="/objectives/indicators/",
    permission="objectives.view_indicator",
    order=10,
)
def readings(period: Period) -> int:
    """Readings of the days of a period that hold."""
    days = (period.start, period.end)
    return Measurement.objects.filter(status="live", measured_for__range=days).count()


def titles_known(titles: Sequence[str]) -> dict[str, str]:
    """Which of these objectives there are already, by title → address."""
    rows = Objective.objects.exclude(status="void").filter(title__in=titles)
    return {each.title: each.get_absolute_url() for each in rows}


@contributions.drafts("objective", existing=titles_known)
def draft_objective(sketch: Sketch, *, by: Person) -> Objective:
    """A draft over a year; the baseline is the owner's to find before it is activated."""
    day = today()
    target = sketch.more.get("target")
    return set_objective(
        by=by,
        title=sketch.title,
        starts_on=day,
        deadline=add_months(day, 12),
        process=sketch.process,
        owner=sketch.owner or by,
        metric=sketch.more["metric"],
        unit=sketch.more["unit"],
        direction=sketch.more["direction"],
        target=Decimal(target) if target else None,
        evaluation=sketch.more["evaluation"],
    )
