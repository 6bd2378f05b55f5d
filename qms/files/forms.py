"""The form by which files come to a record."""

from django import forms

from qms.files.inspection import KINDS, WELCOME
from qms.forms import ManyFilesField, ManyFilesInput, PlainForm

ACCEPT = ",".join(ending for kind in KINDS.values() for ending in kind.endings)


class AttachForm(PlainForm):
    """Files, one or many, with one caption."""

    file = ManyFilesField(
        label="Files",
        widget=ManyFilesInput(attrs={"accept": ACCEPT}),
        help_text=f"{WELCOME[0].upper()}{WELCOME[1:]}. Place and camera are taken out of pictures.",
    )
    caption = forms.CharField(label="Caption", max_length=200, required=False)
