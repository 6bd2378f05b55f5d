"""Forms of nonconformities."""

from typing import Any

from django import forms

from capa.models import Nonconformity
from qms.forms import ManyFilesField, RecordForm


class ProblemForm(RecordForm):
    """What anybody reports: one line, what was seen, where."""

    class Meta:
        model = Nonconformity
        fields = ("title", "evidence", "process", "detected_on")
        labels = {"evidence": "What you saw, and where"}
        widgets = {"evidence": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["detected_on"].required = False
        self.fields["detected_on"].help_text = "Empty: today."


class PhotographedProblemForm(ProblemForm):
    """The same on the page, with photos."""

    photos = ManyFilesField(label="Photos", required=False)

    def changes(self) -> dict[str, Any]:
        """The fields of the problem; the photos are attached by the view."""
        return {name: value for name, value in super().changes().items() if name != "photos"}


class NonconformityForm(RecordForm):
    """Requirement, evidence and statement, the grade and who answers."""

    class Meta:
        model = Nonconformity
        fields = (
            "title",
            "statement",
            "requirement",
            "clause",
            "evidence",
            "extent",
            "source",
            "grade",
            "process",
            "owner",
        )


class NewNonconformityForm(NonconformityForm):
    """The same for a new one, with the day it was detected."""

    class Meta:
        model = Nonconformity
        fields = (*NonconformityForm.Meta.fields, "detected_on")
