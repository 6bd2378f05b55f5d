"""Forms of objectives and readings."""

from django import forms

from objectives.models import Measurement, Objective
from qms.forms import RecordForm


class ObjectiveForm(RecordForm):
    """What is to be reached, by when, by whom, and how it will be judged."""

    class Meta:
        model = Objective
        fields = (
            "title",
            "owner",
            "process",
            "policy_commitment",
            "metric",
            "unit",
            "decimals",
            "direction",
            "baseline",
            "target",
            "target_relative_to_baseline",
            "lower_band",
            "upper_band",
            "judged_by",
            "starts_on",
            "deadline",
            "frequency",
            "plan",
            "resources",
            "evaluation",
            "communicated_to",
            "edition",
        )
        help_texts = {
            "owner": "Empty: the owner of the process.",
            "lower_band": "Only where it stays within a band.",
            "upper_band": "Only where it stays within a band.",
        }


class ReadingForm(RecordForm):
    """The value of a day."""

    class Meta:
        model = Measurement
        fields = ("measured_for", "value", "note")
        widgets = {"note": forms.Textarea(attrs={"rows": 2})}
        help_texts = {"measured_for": "The day the value stands for, usually the period's last."}


class NewReadingForm(ReadingForm):
    """The same for programs, which also name the objective and may say when it was read."""

    happened_at = forms.DateTimeField(label="Read at", required=False, help_text="Empty: now.")

    class Meta(ReadingForm.Meta):
        fields = ("objective", *ReadingForm.Meta.fields, "happened_at")  # type: ignore[assignment]
