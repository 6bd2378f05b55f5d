"""What is found of risks and opportunities."""

from qms.finding.workflow import Text, findable
from qms.risks.models import Opportunity, Outlook, Risk


def _text(outlook: Outlook) -> Text:
    return Text(
        title=outlook.title,
        number=outlook.number,
        words=outlook.description,
        note=outlook.get_status_display(),
    )


@findable(Risk, "Risks", order=30)
def describe_risk(risk: Risk) -> Text:
    """A risk by number and words."""
    return _text(risk)


@findable(Opportunity, "Opportunities", order=31)
def describe_opportunity(opportunity: Opportunity) -> Text:
    """An opportunity by number and words."""
    return _text(opportunity)
