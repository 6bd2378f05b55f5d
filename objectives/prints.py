"""An objective on paper: its plan, how it stands, the chart and every reading."""

from datetime import datetime
from typing import Any

from objectives.charts import chart_of
from objectives.models import Objective, aims_of
from objectives.status import standing_of
from qms import pdf
from qms.contributions import letterhead
from qms.periods import day_of, today

TEMPLATE = "objectives/objective_print.html"


def objective_context(objective: Objective, as_of: datetime | None = None) -> dict[str, Any]:
    """What `TEMPLATE` needs of one objective, as of an instant."""
    day = day_of(as_of) if as_of else today()
    readings = objective.measurements.select_related("created_by", "objective")
    standing = standing_of(objective, day)
    return letterhead(
        objective,
        as_of=as_of,
        kind="Quality objective",
        title=objective.title,
        objective=objective,
        standing=standing,
        chart=chart_of(objective, day),
        aims=aims_of(objective),
        readings=list(readings.filter(measured_for__lte=day).order_by("measured_for", "pk")),
        facts=[
            ("State", objective.get_status_display()),
            ("How it stands", f"{standing.words}. {standing.sentence}"),
            ("Measured", f"{objective.metric or '–'}, {objective.get_frequency_display().lower()}"),
            ("Baseline", objective.shown(objective.baseline)),
            ("Target", objective.aim_in_words),
            ("Judged by", objective.get_judged_by_display()),
            ("Runs", f"{_day(objective.starts_on)} to {_day(objective.deadline)}"),
            ("Owner", objective.owner.name if objective.owner else "–"),
            ("Process", str(objective.process or "The whole organisation")),
            ("Edition", objective.get_edition_display()),
        ],
    )


def _day(day: Any) -> str:
    return f"{day:%-d %B %Y}" if day else "–"


def objective_pdf(objective: Objective) -> bytes:
    """The objective as PDF."""
    context = objective_context(objective)
    return pdf.render(TEMPLATE, context, paper=context["paper"])
