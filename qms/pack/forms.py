"""Forms of evidence packs."""

from typing import Any

from qms.forms import RecordForm
from qms.pack.models import Pack


class PackForm(RecordForm):
    """For which visit, of which days, and which earlier pack it corrects."""

    class Meta:
        model = Pack
        fields = ("preset", "period_start", "period_end", "replaces")
        help_texts = {
            "period_start": "Empty: the usual days of what it is for.",
            "period_end": "Empty: today.",
            "replaces": "Only when it corrects a pack that left the building.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["replaces"].queryset = self.fields["replaces"].queryset.ready()  # type: ignore[attr-defined]
        if not self.instance.pk:
            for name in ("period_start", "period_end"):
                self.fields[name].required = False
