"""Forms of evidence packs."""

from typing import Any

from django import forms

from qms.forms import RecordForm
from qms.pack.models import Pack


class PackForm(RecordForm):
    """For which visit, of which days, and which earlier pack it corrects."""

    class Meta:
        model = Pack
        fields = ("preset", "period_start", "period_end", "replaces")
        help_texts = {"replaces": "Only when it corrects a pack that left the building."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["replaces"].queryset = self.fields["replaces"].queryset.ready()  # type: ignore[attr-defined]


class NewPackForm(PackForm):
    """The same for a new one, whose days are the usual ones unless somebody says others."""

    period_start = forms.DateField(
        label="From", required=False, help_text="Empty: the usual days of what it is for."
    )
    period_end = forms.DateField(label="To", required=False, help_text="Empty: today.")
