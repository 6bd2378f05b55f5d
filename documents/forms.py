"""Forms of documents and revisions."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.urls import reverse

from documents import content
from documents.models import (
    ControlledCopy,
    Document,
    EvidencePointer,
    KindRule,
    LegalHold,
    Revision,
    Signatory,
)
from documents.questions import HELP, QuestionsField
from documents.workflow import name_signatories, set_sites
from documents.workflow.signatories import Part
from qms.files.workflow import attach
from qms.forms import InOrderField, LinksForm, PlainForm, RecordForm
from qms.people.models import Person
from qms.people.roles import ROLES
from qms.refusals import Refused
from qms.scope.models import Process, Site

AS_MARKDOWN = (
    "A heading begins with #, a list with -, steps with 1), a blank line ends a paragraph."
    " [[QP-01]] points at a document, > [!WARNING] begins a warning."
)


def document_numbered(number: str) -> int | None:
    """The id of a document by its number."""
    found = Document.objects.filter(number__iexact=number).values_list("pk", flat=True).first()
    return found if found is None else int(found)


def number_of(document: int) -> str:
    """The number of a document by its id."""
    return str(Document.objects.filter(pk=document).values_list("number", flat=True).first() or "?")


class ContentInput(forms.Textarea):
    """Markdown for people without a script; the editor takes its place where one runs."""

    template_name = "documents/content_input.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        tree = value if isinstance(value, dict) else _tree_of(str(value or ""))
        shown = content.to_markdown(tree, number=number_of) if tree else value
        context = super().get_context(name, shown, attrs)
        pointed = content.documents_in(tree or content.EMPTY)
        names = {str(each.pk): str(each) for each in Document.objects.filter(pk__in=pointed)}
        context["widget"]["tree"] = json.dumps(tree or content.EMPTY, ensure_ascii=False)
        context["widget"]["names"] = json.dumps(names, ensure_ascii=False)
        return context

    def format_value(self, value: Any) -> str | None:
        return None if value is None else str(value)


def _tree_of(typed: str) -> Any:
    """The tree that was typed, or None where it is not one."""
    try:
        return content.check(json.loads(typed)) if typed.startswith("{") else None
    except (ValueError, Refused):
        return None


class ContentField(forms.Field):
    """A text: the editor sends its tree as JSON, people without a script and programs Markdown."""

    widget = ContentInput

    def clean(self, value: Any) -> Any:
        typed = str(value or "")
        if typed.startswith("{") and '"doc"' in typed[:40]:
            return self._from_editor(typed)
        tree = content.from_markdown(typed, find=document_numbered)
        if self.required and content.is_empty(tree):
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return tree

    def _from_editor(self, typed: str) -> Any:
        try:
            return content.check(json.loads(typed))
        except ValueError:
            raise forms.ValidationError("The text did not arrive whole. Save it again.") from None
        except (Refused, RecursionError) as refusal:
            raise forms.ValidationError(
                str(refusal) if isinstance(refusal, Refused) else "The text is nested too deeply."
            ) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.clean(data) != (initial or content.EMPTY))


def people_in_order(label: str, **more: Any) -> InOrderField:
    return InOrderField(Person.objects.people(), label=label, required=False, **more)


class DocumentForm(RecordForm):
    """What the document is for; its number comes by itself."""

    BESIDE = ("sites",)

    sites = forms.ModelMultipleChoiceField(
        Site.objects.all(), required=False, help_text="None chosen: at all sites."
    )

    class Meta:
        model = Document
        fields = (
            "title",
            "owner",
            "process",
            "clauses",
            "sites",
            "confidentiality",
            "language",
            "review_months",
            "issuer",
            "edition",
            "watch_on",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.is_released:
            self.fields["title"].widget.attrs["readonly"] = True
            self.fields["title"].help_text = "As it was approved. A new revision changes it."
        if self.instance.pk:
            live = self.instance.site_links.live()
            self.initial["sites"] = list(live.values_list("site_id", flat=True))
            if self.instance.kind != Document.Kind.EXTERNAL:
                for name in ("issuer", "edition", "watch_on"):
                    del self.fields[name]

    def beside(self, record: Any, *, by: Any) -> dict[str, Any]:
        reason = self.cleaned_data.get("reason") or ""
        set_sites(record, self.cleaned_data["sites"], by=by, reason=reason)
        return {}


class Writing:
    """Mixed in before a form with a text: its fields in the groups in which a page shows them."""

    ABOUT: ClassVar[Sequence[str]] = ()
    CONTENT: ClassVar[Sequence[str]] = ()
    MORE: ClassVar[Sequence[str]] = ()

    def _group(self, names: Sequence[str]) -> list[forms.BoundField]:
        return [self[name] for name in names if name in self.fields]  # type: ignore[attr-defined,index]

    @property
    def about(self) -> list[forms.BoundField]:
        """What it is."""
        return self._group(self.ABOUT)

    @property
    def content(self) -> list[forms.BoundField]:
        """What comes with the text."""
        return self._group(self.CONTENT)

    @property
    def more(self) -> list[forms.BoundField]:
        """What few need: order, quorum, day."""
        return self._group(self.MORE)

    @property
    def more_is_used(self) -> bool:
        """Whether any of these is filled in or wrong."""
        return any(field.value() or field.errors for field in self.more)


class NewDocumentForm(Writing, RecordForm):
    """A new document with the text of its first draft."""

    ABOUT = (
        *("title", "kind", "owner", "process", "clauses", "confidentiality"),
        *("issuer", "edition", "watch_on"),
    )

    text = ContentField(label="Text", required=False, help_text=AS_MARKDOWN)
    reviewers = people_in_order("Reviewers")
    approvers = people_in_order("Approvers")

    class Meta:
        model = Document
        fields = (
            "title",
            "kind",
            "owner",
            "process",
            "clauses",
            "confidentiality",
            "issuer",
            "edition",
            "watch_on",
            "text",
            "reviewers",
            "approvers",
        )


class RevisionForm(Writing, RecordForm):
    """The content of a draft and who reviews and approves it."""

    ABOUT = ("title",)
    CONTENT = ("upload", "change_summary", "why_minor")
    MORE = ("in_order", "review_quorum", "approval_quorum", "effective_from")
    BESIDE = ("upload", "reviewers", "approvers")

    text = ContentField(label="Text", required=False, help_text=AS_MARKDOWN)
    upload = forms.FileField(
        label="Or upload the document",
        required=False,
        help_text="Word, OpenDocument, Excel or PDF. It takes the place of an earlier upload.",
    )
    questions = QuestionsField(label="Questions to the reader", required=False, help_text=HELP)
    reviewers = people_in_order("Reviewers")
    approvers = people_in_order("Approvers")

    class Meta:
        model = Revision
        fields = (
            "title",
            "text",
            "upload",
            "change_summary",
            "why_minor",
            "questions",
            "reviewers",
            "approvers",
            "in_order",
            "review_quorum",
            "approval_quorum",
            "effective_from",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            if not self.instance.is_minor:
                del self.fields["why_minor"]
            address = reverse("documents:revision_picture", args=[self.instance.pk])
            self.fields["text"].widget.attrs["pictures"] = address
            for part, name in (("review", "reviewers"), ("approval", "approvers")):
                seats = self.instance.signatories.seated().filter(part=part)
                self.initial[name] = list(seats.values_list("person_id", flat=True))

    def beside(self, record: Any, *, by: Any) -> dict[str, Any]:
        """Who signs; and an upload becomes an attachment of the revision."""
        for part, name in ((Part.REVIEW, "reviewers"), (Part.APPROVAL, "approvers")):
            name_signatories(record, part, self.cleaned_data[name], by=by)
        upload = self.cleaned_data.get("upload")
        return {"source": attach(record, upload, by=by)} if upload else {}


class AudienceForm(LinksForm):
    """Who is asked to read a document."""

    everyone = forms.BooleanField(label="Everyone", required=False)
    roles = forms.MultipleChoiceField(
        label="Roles",
        required=False,
        choices=[(role.name, role.label) for role in ROLES.values() if role.name != "employee"],
    )
    processes = forms.ModelMultipleChoiceField(
        Process.objects.active(),
        label="Processes",
        required=False,
        help_text="Their owners, deputies and everybody who works in them.",
    )
    people = forms.ModelMultipleChoiceField(
        Person.objects.people().filter(access_until=None), label="People", required=False
    )


class CommentForm(PlainForm):
    """What somebody says of a passage."""

    words = forms.CharField(
        label="Comment",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write what you want to say."},
    )
    block = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    quote = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)


class StartRevisionForm(PlainForm):
    """Why a new revision is started."""

    change_summary = forms.CharField(
        label="What will change, and why",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what will change; the next reader will thank you."},
    )
    is_minor = forms.BooleanField(
        label="A minor change",
        required=False,
        help_text=Revision._meta.get_field("is_minor").help_text,
    )


class PointerForm(RecordForm):
    """Where evidence lives that is not kept here."""

    class Meta:
        model = EvidencePointer
        fields = (
            *("title", "system", "query", "owner", "process", "clauses"),
            *("retention", "sample_months"),
        )


class HoldForm(RecordForm):
    """What may not be disposed of, and why."""

    class Meta:
        model = LegalHold
        fields = ("title", "why", "process")


class DispositionForm(PlainForm):
    """Why a document may go."""

    why = forms.CharField(
        label="Why it may go",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why it may go; somebody else decides."},
    )


class KindRuleForm(RecordForm):
    """How documents of a kind are numbered, reviewed, read and kept."""

    class Meta:
        model = KindRule
        fields = ("prefix", "with_process", "review_months", "reading_days", "retention_years")


class SignatoryForm(PlainForm):
    """One more who signs a draft."""

    revision = forms.ModelChoiceField(Revision.objects.all())
    part = forms.ChoiceField(choices=Signatory.Part.choices)
    person = forms.ModelChoiceField(Person.objects.people())


class HandOnForm(RecordForm):
    """Who signs instead."""

    class Meta:
        model = Signatory
        fields = ("person",)


class NewCopyForm(PlainForm):
    """Who gets a controlled copy."""

    holder = forms.ModelChoiceField(Person.objects.people(), label="Held by", required=False)
    place = forms.CharField(
        label="Or kept at",
        max_length=100,
        required=False,
        help_text="A place: bench 3, the gate, the van. Its recall is for the document's owner.",
    )


class CopyForm(RecordForm):
    """Who holds a controlled copy now."""

    class Meta:
        model = ControlledCopy
        fields = ("holder", "place")
