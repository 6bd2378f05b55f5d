"""What the procedures of this chapter share: long text fields and the organisation's days."""

from django import forms

from qms.scope.models import Organisation

LONGEST = 10_000  # characters of a text; a pasted mail is mostly shorter


def text(label: str, rows: int = 3, *, required: bool = True, help_text: str = "") -> forms.Field:
    return forms.CharField(
        label=label,
        required=required,
        help_text=help_text,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


def days(name: str) -> int:
    """A default of the organisation, in days or months as its name says."""
    organisation = Organisation.objects.current() or Organisation()
    return int(getattr(organisation, name))
