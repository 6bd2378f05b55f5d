"""Suggestions at `/api/v1/suggestions/`."""

from qms.api import Resource
from qms.suggestions import workflow
from qms.suggestions.forms import SuggestionForm
from qms.suggestions.models import Suggestion

suggestions = Resource(
    "suggestions",
    Suggestion,
    fields=(
        "number",
        "title",
        "details",
        "status",
        "answer",
        "decided_by",
        "decided_on",
        "done_on",
    ),
    form=SuggestionForm,
    create=workflow.suggest,
)
