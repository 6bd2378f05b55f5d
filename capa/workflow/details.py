"""What the procedures of this chapter share: long texts, the organisation's days, who decides."""

from collections.abc import Collection
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


def another_role(owner: Any, others: Collection[int | None] = ()) -> str:
    """Who decides: the quality manager, or top management where everybody of them is involved.

    `others` are the ids of who may not decide beside the owner.
    """
    involved = {owner.pk if owner else None, *others}
    if not others and not (owner is not None and owner.holds("quality_manager")):
        return "quality_manager"
    holders = set(Person.objects.holding("quality_manager").values_list("pk", flat=True))
    return "top_management" if holders and holders <= involved else "quality_manager"
