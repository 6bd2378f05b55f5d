"""The form of a suggestion: one line is enough."""

from qms.forms import RecordForm
from qms.suggestions.models import Suggestion


class SuggestionForm(RecordForm):
    """An idea, and what would get better."""

    class Meta:
        model = Suggestion
        fields = ("title", "details")
