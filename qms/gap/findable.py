"""What is found of gap assessments."""

from qms.finding.workflow import Text, findable
from qms.gap.models import Assessment


@findable(Assessment, "Gap assessments", order=25)
def describe(assessment: Assessment) -> Text:
    """An assessment by number and title."""
    return Text(
        title=assessment.title, number=assessment.number, note=assessment.get_status_display()
    )
