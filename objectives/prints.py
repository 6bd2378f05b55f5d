"""Objectives and indicators on paper: plan, standing, chart and readings."""

from datetime import datetime
from typing import Any

from objectives.analysing import figures_of
from objectives.charts import chart_of, chart_of_indicator
from objectives.control import control_of
from objectives.models import Analysis, Indicator, Measurement, Objective, aims_of, readings_of
from objectives.status import Aim, forecast_in_words, standing_of, trend_in_words
from qms import contributions, pdf
from qms.actions.models import Action
from qms.contributions import letterhead
from qms.periods import day_of, today

TEMPLATE = "objectives/objective_print.html"
INDICATOR = "objectives/indicator_print.html"
ANALYSIS = "objectives/analysis_print.html"
MOST_SIGNALS = 60  # on paper, the newest
MOST_PRINTED = 400  # readings on paper; the register has them all


def objective_context(objective: Objective, as_of: datetime | None = None) -> dict[str, Any]:
    """What `TEMPLATE` needs of one objective, as of an instant."""
    day = day_of(as_of) if as_of else today()
    readings = Measurement.objects.filter(
        indicator=objective.indicator_id, measured_for__range=(objective.starts_on, day)
    ).select_related("created_by", "indicator")
    standing, live = standing_of(objective, day), readings_of(objective, until=day)
    ahead = forecast_in_words(Aim.of(objective), live) if objective.status == "active" else ""
    return letterhead(
        objective,
        as_of=as_of,
        kind="Quality objective",
        title=objective.title,
        objective=objective,
        standing=standing,
        chart=chart_of(objective, day),
        aims=aims_of(objective),
        readings=_newest(readings),
        stages=objective.stages,
        actions=list(
            Action.objects.raised_from(objective).select_related("owner").order_by("due", "pk")
        ),
        facts=[
            ("State", objective.get_status_display()),
            ("How it stands", f"{standing.words}. {standing.sentence}"),
            ("Trend", trend_in_words(objective.direction, live) or "Too few readings"),
            ("Forecast", ahead or "–"),
            (
                "Measured",
                f"{objective.indicator or '–'}, {objective.get_frequency_display().lower()}",
            ),
            ("Baseline", objective.shown(objective.baseline)),
            ("Target", objective.aim_in_words),
            ("Judged by", objective.get_judged_by_display()),
            ("Runs", f"{_day(objective.starts_on)} to {_day(objective.deadline)}"),
            ("Owner", objective.owner.name if objective.owner else "–"),
            ("Process", str(objective.process or "The whole organisation")),
            ("Site", str(objective.site or "Every site")),
            ("Part of", str(objective.parent or "–")),
            ("Edition", objective.get_edition_display()),
        ],
    )


def _day(day: Any) -> str:
    return f"{day:%-d %B %Y}" if day else "–"


def objective_pdf(objective: Objective) -> bytes:
    """The objective as PDF."""
    context = objective_context(objective)
    return pdf.render(TEMPLATE, context, paper=context["paper"])


def indicator_context(indicator: Indicator, as_of: datetime | None = None) -> dict[str, Any]:
    """What `INDICATOR` needs of one indicator, as of an instant."""
    day = day_of(as_of) if as_of else today()
    readings = indicator.measurements.filter(measured_for__lte=day)
    source = contributions.source_named(indicator.computed_by) if indicator.is_computed else None
    limits = (indicator.lower_limit, indicator.upper_limit)
    found = control_of(indicator, day) if indicator.chart != Indicator.Chart.RUN else None
    return letterhead(
        indicator,
        as_of=as_of,
        kind="Indicator",
        title=indicator.title,
        indicator=indicator,
        chart=chart_of_indicator(indicator, day, found),
        control=found,
        signals=found.by_period[-MOST_SIGNALS:] if found else (),
        readings=_newest(readings.select_related("created_by", "indicator")),
        facts=[
            ("State", indicator.get_status_display()),
            ("Measured", f"{indicator.get_frequency_display()}, in {indicator.unit}"),
            ("Direction", indicator.get_direction_display()),
            ("Acceptable", _between(indicator, *limits)),
            ("Since", _day(indicator.starts_on)),
            ("Collected", indicator.get_collection_display()),
            ("From", source.words if source else indicator.source or "–"),
            ("Responsible", indicator.responsible.name),
            ("Process", str(indicator.process or "The whole organisation")),
            ("Site", str(indicator.site or "Every site")),
            ("Chart", indicator.get_chart_display()),
            ("Rules", indicator.get_rules_display() if found else "–"),
        ],
    )


def _between(indicator: Indicator, low: Any, high: Any) -> str:
    """What is acceptable in words: "2 to 4 h", "from 2 h", "up to 4 h"."""
    if low is None and high is None:
        return "–"
    if low is None or high is None:
        edge = indicator.shown(low if high is None else high)
        return f"from {edge}" if high is None else f"up to {edge}"
    return f"{indicator.shown(low)} to {indicator.shown(high)}"


def indicator_pdf(indicator: Indicator) -> bytes:
    """The indicator as PDF."""
    context = indicator_context(indicator)
    return pdf.render(INDICATOR, context, paper=context["paper"])


def analysis_context(analysis: Analysis, as_of: datetime | None = None) -> dict[str, Any]:
    """What `ANALYSIS` needs of one analysis; of a draft the figures of today."""
    figures = analysis.figures or figures_of(analysis.process, analysis.period, today())
    actions = Action.objects.raised_from(analysis).select_related("owner")
    return letterhead(
        analysis,
        as_of=as_of,
        kind="Analysis and evaluation",
        title=analysis.title,
        analysis=analysis,
        marking="" if analysis.concluded_on else "Draft: it is not concluded.",
        actions=list(actions.order_by("due", "pk")),
        figures={
            "indicators": [line for line in figures if line["kind"] == "indicator"],
            "objectives": [line for line in figures if line["kind"] == "objective"],
        },
        facts=[
            ("State", analysis.get_status_display()),
            ("About", analysis.about),
            ("Period", str(analysis.period)),
            ("Owner", analysis.owner.name),
            ("Concluded", _day(analysis.concluded_on)),
        ],
    )


def analysis_pdf(analysis: Analysis) -> bytes:
    """The analysis as PDF."""
    context = analysis_context(analysis)
    return pdf.render(ANALYSIS, context, paper=context["paper"])


def _newest(readings: Any) -> list[Any]:
    """The newest readings, oldest first, with those that were corrected."""
    return list(readings.order_by("-measured_for", "-pk")[:MOST_PRINTED])[::-1]
