"""What is found of suggestions."""

from qms.finding.workflow import Text, findable
from qms.suggestions.models import Suggestion


@findable(Suggestion, "Suggestions", order=74)
def describe(suggestion: Suggestion) -> Text:
    """An idea by number, its words and the answer."""
    return Text(
        title=suggestion.title,
        number=suggestion.number,
        words=f"{suggestion.details}\n{suggestion.answer}".strip(),
        note=suggestion.get_status_display(),
    )
