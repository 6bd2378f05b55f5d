"""Forms of evidence packs."""

from typing import Any

from django import forms

from qms import contributions
from qms.forms import RecordForm
from qms.pack.models import Pack


class PackForm(RecordForm):
    """For which visit, of which days, and which earlier pack it corrects."""

    extras = forms.MultipleChoiceField(
        label="Also holds",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Sections that not everybody sees; they leave only where you choose so.",
    )

    class Meta:
        model = Pack
        fields = ("preset", "period_start", "period_end", "replaces", "extras")
        help_texts = {"replaces": "Only when it corrects a pack that left the building."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["replaces"].queryset = self.fields["replaces"].queryset.ready()  # type: ignore[attr-defined]
        known = contributions.restricted_sections()
        seen = [each.title for each in known if self.by and self.by.has_perm(each.permission)]
        self.fields["extras"].choices = [(each, each) for each in seen]  # type: ignore[attr-defined]
        if self.by and not seen:
            del self.fields["extras"]


class NewPackForm(PackForm):
    """The same for a new one, whose days are the usual ones unless somebody says others."""

    period_start = forms.DateField(
        label="From", required=False, help_text="Empty: the usual days of what it is for."
    )
    period_end = forms.DateField(label="To", required=False, help_text="Empty: today.")
