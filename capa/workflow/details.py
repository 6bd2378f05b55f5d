"""What the procedures of this chapter share: long text fields and the organisation's days."""

from typing import Any

from django import forms

from qms.people.models import Person
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


def another_role(owner: Any) -> str:
    """Who closes or judges: the quality manager, or top management where it is their own."""
    own = owner is not None and owner.holds("quality_manager")
    return "top_management" if own and _alone(owner) else "quality_manager"


def _alone(owner: Person) -> bool:
    """Whether nobody else holds the role of the quality manager."""
    return not Person.objects.holding("quality_manager").exclude(pk=owner.pk).exists()
