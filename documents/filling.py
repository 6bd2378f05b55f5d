"""The form that fills in a form: one field for each part of its design, on any screen.

A draft is saved with anything, so nothing typed here is refused; what an entry lacks is said when
it is submitted (`documents.workflow.entries`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.utils.timezone import make_naive

from documents import answers, design
from documents.design import Part
from documents.models import Document, Entry, Revision
from documents.subjects import MOST_LISTED, Register, registers
from documents.workflow import start_entry
from qms.contributions import Related
from qms.files.models import Attachment
from qms.files.workflow import attach_all, attachments_of
from qms.forms import (
    DateInput,
    JsonField,
    ManyFilesInput,
    MomentField,
    PlainForm,
    RecordForm,
)
from qms.people.models import Person
from qms.refusals import Refused
from qms.workflow import amend

PREFIX = "a_"
FEW = 6  # choices shown as buttons; more become a list
ROWS, MORE_ROWS = 2, 5
CAMERA = {"accept": "image/*", "capture": "environment"}
NO_LONGER = "no longer offered"


class FilesInput(ManyFilesInput):
    """Files to add, and those that are kept, each with a tick."""

    template_name = "documents/files_input.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        keys = [each for each in value or () if isinstance(each, int)]
        context["widget"]["kept"] = list(Attachment.objects.filter(pk__in=keys).order_by("pk"))
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        many = files.getlist(name) if hasattr(files, "getlist") else []
        kept = data.getlist(f"{name}-kept") if hasattr(data, "getlist") else []
        return {"kept": kept, "new": many}


class RecordInput(forms.TextInput):
    """A row of a long register, found by number or words; the browser offers what fits."""

    template_name = "documents/record_input.html"

    def __init__(self, register: Register, person: Any) -> None:
        super().__init__({"autocomplete": "off", "placeholder": "Number or name"})
        self.register, self.person = register, person

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"] |= {
            "kind": self.register.kind,
            "offered": self.register.offered(self.person),
        }
        return context

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, int):
            row = self.register.found(value, self.person)
            return str(row) if row is not None else ""
        return str(value).strip("“”") if value else None

    def read(self, text: str) -> str:
        """The key of the row that was meant; else the words, so that nobody takes them for one."""
        row = self.register.meant(text, self.person)
        return str(row.pk) if row is not None else f"“{text[:76]}”"


class TableInput(forms.Widget):
    """Rows and columns of inputs; `rows` more than are filled in."""

    template_name = "documents/table_input.html"

    def __init__(self, part: Part, spare: int) -> None:
        super().__init__()
        self.part, self.spare = part, spare

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        given = value if isinstance(value, list) else []
        rows = [*given, *({} for _ in range(max(self.spare, ROWS - len(given), 1)))]
        context["widget"] |= {
            "part": self.part,
            "columns": self.part["columns"],
            "rows": [
                [_cell(name, at, column, row.get(column["key"])) for column in self.part["columns"]]
                for at, row in enumerate(rows[: answers.MOST_SENT + MORE_ROWS])
            ],
        }
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Also more rows than fit: that is said, not cut off."""
        rows = []
        keys = [column["key"] for column in self.part["columns"]]
        for at in range(answers.MOST_SENT + 1):
            row = {key: data.get(f"{name}-{at}-{key}") for key in keys}
            if all(value is None for value in row.values()):
                break
            rows.append(row)
        return rows


def _cell(name: str, at: int, column: Part, value: Any) -> dict[str, Any]:
    shown = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
    choices = column.get("choices") or (["yes", "no"] if column["kind"] == "yes_no" else [])
    if shown and choices and shown not in choices:
        choices = [*choices, shown]
    return {
        "name": f"{name}-{at}-{column['key']}",
        "label": f"{column['label']}, row {at + 1}",
        "column": column,
        "value": "" if shown is None else shown,
        "choices": choices,
    }


class Answer(forms.Field):
    """One part of a form. Whatever is typed is kept; `answers.read` says what it means."""

    def __init__(self, part: Part, widget: forms.Widget) -> None:
        super().__init__(
            label=part["label"],
            help_text=_help(part),
            required=part["required"],
            widget=widget,
        )
        self.part = part

    def clean(self, value: Any) -> Any:
        if self.part["kind"] in design.UPLOADS:
            given = value if isinstance(value, Mapping) else {}
            return {"kept": answers.read(self.part, given.get("kept"))[0] or [], **_new(given)}
        if isinstance(self.widget, RecordInput) and str(value or "").strip():
            value = self.widget.read(str(value))
        return answers.read(self.part, value)[0]


def _new(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"new": list(given.get("new") or ())}


def _help(part: Part) -> str:
    said = [part["help"], design.limits_in_words(part)]
    if part["kind"] == "signature":
        said.append("It signs exactly these answers and files, in your name.")
    return " ".join(filter(None, said))


def _listed(part: Part, present: Any, rows: Iterable[Any] = ()) -> list[tuple[str, str]]:
    """The choices of a field, with the one that was made and is no longer offered."""
    if part["kind"] == "yes_no":
        return [("yes", "Yes"), ("no", "No")]
    if part["kind"] == "person":
        people = Person.objects.people().filter(is_active=True).order_by("name", "pk")
        offered = [(str(pk), name) for pk, name in people.values_list("pk", "name")]
    elif part["kind"] == "record":
        offered = [(str(each.pk), str(each)) for each in rows]
    else:
        offered = [(each, each) for each in part["choices"]]
    chosen = present if isinstance(present, list) else [present]
    known = {key for key, _label in offered}
    for each in chosen:
        if not answers.is_empty(each) and str(each) not in known:
            offered.append((str(each), f"{_called(part, each)} ({NO_LONGER})"))
    return offered


def _called(part: Part, value: Any) -> str:
    if part["kind"] == "person" and isinstance(value, int):
        return str(Person.objects.filter(pk=value).values_list("name", flat=True).first() or "?")
    return str(value)


def _register_widget(part: Part, present: Any, person: Any) -> forms.Widget:
    """A list of the rows of a register; of a long one, what is typed finds the row."""
    register = registers().get(part["of"]) if person else None
    rows = register.offered(person, limit=MOST_LISTED + 1) if register else []
    if register and len(rows) > MOST_LISTED:
        return RecordInput(register, person)
    return _one_of(_listed(part, present, rows), buttons=False)


def _one_of(offered: list[tuple[str, str]], *, buttons: bool) -> forms.Widget:
    if buttons and len(offered) <= FEW:
        return forms.RadioSelect(choices=offered)
    return forms.Select(choices=[("", "Choose"), *offered])


def _widget(part: Part, present: Any, person: Any, spare: int) -> forms.Widget:
    kind, text = part["kind"], {"data-answer": part["key"]}
    if kind == "record":
        return _register_widget(part, present, person)
    if kind in ("choice", "yes_no", "person"):
        return _one_of(_listed(part, present), buttons=kind != "person")
    if kind == "choices":
        return forms.CheckboxSelectMultiple(choices=_listed(part, present))
    if kind == "table":
        return TableInput(part, spare)
    if kind in design.UPLOADS:
        return FilesInput(
            {"accept": "image/*", "capture": "environment"} if kind == "photo" else {}
        )
    made: dict[str, forms.Widget] = {
        "text": forms.TextInput({**text, "maxlength": answers.MOST_SHORT}),
        "long_text": forms.Textarea({**text, "rows": 3}),
        "number": forms.TextInput(
            {
                **text,
                "inputmode": "decimal" if part.get("decimals") else "numeric",
                "autocomplete": "off",
            }
        ),
        "date": DateInput(text),
    }
    return made[kind]


def answer_fields(
    parts: list[Part], values: Mapping[str, Any], person: Any, *, spare: Mapping[str, int]
) -> dict[str, Answer]:
    """A field for everything that is asked, by its name in the form."""
    return {
        PREFIX + part["key"]: Answer(
            part, _widget(part, values.get(part["key"]), person, spare.get(part["key"], 0))
        )
        for part in design.asked(parts)
    }


def as_initial(parts: list[Part], values: Mapping[str, Any]) -> dict[str, Any]:
    """Stored answers as the fields show them."""
    shown = {}
    for part in parts:
        value = values.get(part["key"])
        if isinstance(value, bool):
            value = "yes" if value else "no"
        shown[PREFIX + part["key"]] = value
    return shown


class OwnPassword(forms.CharField):
    """The password that signs. A draft is saved without it."""

    def validate(self, value: Any) -> None:
        """Nothing: `documents.views.entries` asks for it when the entry is submitted."""


class EntryForm(RecordForm):
    """An entry: when it happened, and every answer. Anything can be saved as a draft."""

    BESIDE: ClassVar[Any] = ("once", "password")

    once = forms.UUIDField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Entry
        fields = ("happened_at",)
        field_classes: ClassVar[Any] = {"happened_at": MomentField}

    def clean_happened_at(self) -> Any:
        """As it stands where the clock on the wall says the same: that hour may have come twice."""
        told, stands = self.cleaned_data["happened_at"], self.initial.get("happened_at")
        same = told and stands and make_naive(told) == make_naive(stands)
        return stands if same else told

    def __init__(
        self,
        *args: Any,
        revision: Revision,
        values: Mapping[str, Any] | None = None,
        rows: str = "",
        **kwargs: Any,
    ) -> None:
        self.revision = revision
        self.spare = {rows: MORE_ROWS} if rows else {}
        instance = kwargs.get("instance")
        self.given = dict(instance.values if instance is not None else values or {})
        initial = {"once": uuid4()} | (kwargs.pop("initial", None) or {})
        kwargs["initial"] = initial | as_initial(revision.fields, self.given)
        super().__init__(*args, **kwargs)

    def _prepare(self, by: Any) -> None:
        parts: list[Part] = self.revision.fields
        present = self.given | self._typed(parts)
        fields: Any = self.fields
        asked = answer_fields(parts, present, by, spare=self.spare)
        fields.update(asked)
        fields["happened_at"] = fields.pop("happened_at")
        mine = [each for each in design.of_kind(parts, "signature") if each["signer"] == "author"]
        if mine:
            fields["password"] = OwnPassword(
                label=" and ".join(each["label"] for each in mine) + ": your password",
                required=any(each["required"] for each in mine),
                strip=False,
                help_text=_help(mine[0]),
                widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
            )
        self.BESIDE = ("once", "password", *asked)  # type: ignore[misc]
        super()._prepare(by)

    def _typed(self, parts: list[Part]) -> dict[str, Any]:
        """What was chosen in the fields just sent, so that a choice is never lost."""
        if not self.is_bound:
            return {}
        keys = [each["key"] for each in design.of_kind(parts, "choice", "person", "record")]
        return {key: value for key in keys if (value := self.data.get(PREFIX + key))}

    @property
    def answers(self) -> dict[str, Any]:
        """The clean answers by key, without empty ones and without new files."""
        found = {}
        for part in design.asked(self.revision.fields):
            value = self.cleaned_data.get(PREFIX + part["key"])
            if part["kind"] in design.UPLOADS:
                value = value["kept"] if value else []
            if not answers.is_empty(value):
                found[part["key"]] = value
        return found

    @property
    def uploads(self) -> dict[str, list[Any]]:
        """New files by the key of their field."""
        return {
            part["key"]: value["new"]
            for part in design.of_kind(self.revision.fields, *design.UPLOADS)
            if (value := self.cleaned_data.get(PREFIX + part["key"])) and value["new"]
        }

    def begin(self, *, by: Any, form: Document, happened_at: Any) -> Entry:
        """The draft of a new entry with its answers and files; the same once for two clicks."""
        made = start_entry(
            by=by,
            form=form,
            happened_at=happened_at,
            values=self.answers,
            once=self.cleaned_data.get("once"),
        )
        if self.uploads and made.version == 1:
            amend(made, by=by, changes={"values": self._with_files(made, self.answers, by)})
        return made

    def beside(self, record: Any, *, by: Any) -> dict[str, Any]:
        """The answers, with new files attached; what is no longer asked stays as it was."""
        known = {part["key"] for part in design.asked(self.revision.fields)}
        left = {key: value for key, value in record.values.items() if key not in known}
        return {"values": left | self._with_files(record, self.answers, by)}

    def _with_files(self, entry: Entry, values: dict[str, Any], by: Any) -> dict[str, Any]:
        kept = dict(values)
        for key, uploads in self.uploads.items():
            part = design.part_with(self.revision.fields, key) or {}
            attached = attach_all(entry, uploads, by=by, caption=str(part.get("label", "")))
            wrong = next((each for each in attached if not each.blob.is_picture), None)
            if part.get("kind") == "photo" and wrong is not None:
                raise Refused(
                    f"“{wrong.name}” is no picture. Take a photo, or choose a JPEG, PNG or WebP.",
                    field=PREFIX + key,
                )
            kept[key] = [*kept.get(key, []), *(each.pk for each in attached)]
        return kept

    def show(self, problems: Mapping[str, str]) -> None:
        """Say at each field what the entry lacks; `password` for a signature that is missing."""
        self.full_clean()
        self.cleaned_data = {}
        for key, why in problems.items():
            name = PREFIX + key if PREFIX + key in self.fields else None
            self.add_error("password" if key == "password" else name, why)

    def says_the_same(self) -> bool:
        """Whether what was sent is what stands: the second of two clicks."""
        if not self.is_valid() or self.uploads:
            return False
        stands = {k: v for k, v in self.instance.values.items() if not answers.is_empty(v)}
        return bool(
            self.answers == stands
            and self.cleaned_data.get("happened_at") == self.instance.happened_at
        )


class PreviewForm(PlainForm):
    """A form as it will be filled in."""

    def __init__(self, *args: Any, parts: list[Part], **kwargs: Any) -> None:
        self.parts = parts
        super().__init__(*args, **kwargs)

    def _prepare(self, by: Any) -> None:
        fields: Any = self.fields
        fields.update(answer_fields(self.parts, {}, by, spare={}))
        for each in design.of_kind(self.parts, "signature"):
            fields[PREFIX + each["key"]] = forms.CharField(
                label=each["label"],
                help_text=design.SIGNERS[each["signer"]] + " signs with the password.",
                required=each["required"],
                widget=forms.PasswordInput(),
            )
        super()._prepare(by)


def preview_of(revision: Revision | None, person: Any) -> PreviewForm | None:
    """What a revision asks, as it is filled in; None where it asks nothing."""
    if revision is None or not revision.fields:
        return None
    return PreviewForm(parts=revision.fields, by=person)


class NewEntryForm(PlainForm):
    """An entry from a program: its form, when it happened, the answers by key."""

    form = forms.ModelChoiceField(Document.objects.filter(kind="form"))
    happened_at = MomentField(required=False)
    values = JsonField(required=False)

    def clean_values(self) -> Any:
        return _answers_of_program(self.cleaned_data["values"])


class EntryValuesForm(RecordForm):
    """The answers of a draft, from a program."""

    values = JsonField(required=False)

    class Meta:
        model = Entry
        fields = ("happened_at", "values")

    def clean_values(self) -> Any:
        return _answers_of_program(self.cleaned_data["values"])


def _answers_of_program(values: Any) -> Any:
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise forms.ValidationError("Give the answers by the keys of the fields.")
    return values


class CorrectionForm(PlainForm):
    """Why an entry is corrected."""

    why = forms.CharField(
        label="What is wrong with it",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The entry stays, marked as corrected. The new one says this.",
        error_messages={"required": "Say what is wrong with it."},
    )


def files_of(entry: Entry) -> dict[int, Attachment]:
    """The files of an entry, and of the one it corrects, by id."""
    sources = [entry] if entry.corrects is None else [entry, entry.corrects]
    return {each.pk: each for each in attachments_of(*sources)}


def about(entry: Entry) -> Related | None:
    """What the entry is about, for its page."""
    subject = entry.subject
    if subject is None:
        return None
    return Related(str(subject), url=subject.get_absolute_url())
