"""What is found of objectives and indicators."""

from objectives.models import Analysis, Indicator, Objective
from qms.finding.workflow import Text, findable


@findable(Objective, "Objectives", order=15)
def describe(objective: Objective) -> Text:
    """An objective by number, words, what it is measured by and what is planned."""
    return Text(
        title=objective.title,
        number=objective.number,
        keywords=objective.metric,
        words=objective.plan,
        note=objective.aim_in_words,
    )


@findable(Indicator, "Indicators", order=16)
def describe_indicator(indicator: Indicator) -> Text:
    """An indicator by number, what is measured and where its figures come from."""
    return Text(
        title=indicator.title,
        number=indicator.number,
        keywords=indicator.unit,
        words=indicator.source,
        note=f"{indicator.get_frequency_display()}, in {indicator.unit}",
    )


@findable(Analysis, "Analyses", order=17)
def describe_analysis(analysis: Analysis) -> Text:
    """An analysis by number, title and what was concluded and decided."""
    return Text(
        title=analysis.title,
        number=analysis.number,
        words=f"{analysis.conclusions}\n{analysis.decisions}".strip(),
        note=analysis.get_status_display(),
    )
