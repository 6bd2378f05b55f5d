"""What is found of objectives."""

from objectives.models import Objective
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
