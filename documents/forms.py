"""Forms of documents and revisions."""

from typing import Any

from django import forms

from documents.models import Document, Revision
from qms.forms import PlainForm, RecordForm
from qms.people.models import Person


class DocumentForm(RecordForm):
    """What the document is for; its number comes by itself."""

    class Meta:
        model = Document
        fields = (
            "title",
            "owner",
            "process",
            "clauses",
            "confidentiality",
            "review_months",
        )


class NewDocumentForm(RecordForm):
    """A new document with the text of its first draft."""

    body = forms.CharField(
        label="Text",
        required=False,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=Revision._meta.get_field("body").help_text,
    )
    reviewer = forms.ModelChoiceField(Person.objects.people(), required=False)
    approver = forms.ModelChoiceField(Person.objects.people(), required=False)

    class Meta:
        model = Document
        fields = ("title", "kind", "owner", "process", "clauses", "confidentiality")


class RevisionForm(RecordForm):
    """The content of a draft and who reviews and approves it."""

    upload = forms.FileField(
        label="Or upload the document",
        required=False,
        help_text="Word, OpenDocument, Excel or PDF. It takes the place of an earlier upload.",
    )

    class Meta:
        model = Revision
        fields = ("title", "body", "change_summary", "reviewer", "approver")
        widgets = {"body": forms.Textarea(attrs={"rows": 18})}

    def changes(self) -> dict[str, Any]:
        """The fields of the revision; the upload is attached by the view first."""
        return {name: value for name, value in super().changes().items() if name != "upload"}


class StartRevisionForm(PlainForm):
    """Why a new revision is started."""

    change_summary = forms.CharField(
        label="What will change, and why",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what will change; the next reader will thank you."},
    )
