"""Forms of every page: what was typed is kept, people and records are chosen only where visible.

A form says nothing about what is allowed; the transitions, factories and amendments of the chapters
do. Serves 7.5.3: an edit carries the version it was made on and, where released, its reason.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from datetime import UTC, date, datetime
from functools import cache
from math import isfinite
from typing import Any, ClassVar

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.fields import BLANK_CHOICE_DASH
from django.forms.fields import InvalidJSONInput
from django.forms.renderers import BaseRenderer, DjangoTemplates, TemplatesSetting
from django.template import TemplateDoesNotExist
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.timezone import get_current_timezone

from qms.periods import EARLIEST, LATEST
from qms.refusals import Refused
from qms.workflow import Transition

# What an empty choice is called where nobody gave it words of its own.
NO_WORDS = (BLANK_CHOICE_DASH[0][1], "Choose", "None")
NOT_KNOWN = ("", "unknown")  # how selects of yes and no spell neither
SERVICE_FIELDS = ("version", "reason", "password")
REASON_HELP = "The reason is kept with the record, for everyone who reads its history."


class FaceRenderer(TemplatesSetting):
    """Fields drawn by our templates, widgets by Django's own where we have none."""

    field_template_name = "components/field.html"

    @cached_property
    def _django(self) -> DjangoTemplates:
        return DjangoTemplates()

    def get_template(self, template_name: str) -> Any:
        try:
            return super().get_template(template_name)
        except TemplateDoesNotExist:
            return self._django.get_template(template_name)


class DateInput(forms.DateInput):
    """The browser's own calendar; the value is ISO 8601 whatever the person's language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class TimeInput(forms.TimeInput):
    """The browser's own time field."""

    input_type = "time"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%H:%M")


class MomentInput(forms.DateTimeInput):
    """Date and time in one field, in the organisation's zone."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%dT%H:%M")


class ManyFilesInput(forms.ClearableFileInput):
    """Several files at once; on a phone it offers the camera too."""

    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Zero or more files; cleans to a list of uploaded files."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", ManyFilesInput())
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        given = data if isinstance(data, list | tuple) else [data] if data else []
        if not given and self.required:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return [super(ManyFilesField, self).clean(each, initial) for each in given]


class InOrderInput(forms.SelectMultiple):
    """One select for each choice made and two more: the order is the order of the selects."""

    template_name = "components/in_order.html"
    allow_multiple_selected = True
    SPARE = 2

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = [str(each) for each in value or () if str(each)]
        choices = [(str(key), label) for key, label in self.choices if str(key)]
        context["widget"]["places"] = [
            {"number": place, "chosen": key}
            for place, key in enumerate([*chosen, *[""] * self.SPARE], start=1)
        ]
        context["widget"]["choices"] = choices
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        given = super().value_from_datadict(data, files, name)
        many = given if isinstance(given, list | tuple) else [given]
        return [each for each in many if each not in (None, "")]


class InOrderField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Several records of one kind; cleans to a list in the order they were chosen."""

    widget = InOrderInput

    def clean(self, value: Any) -> Any:
        found = {str(each.pk): each for each in super().clean(value)}
        return [found[key] for key in dict.fromkeys(map(str, value or ())) if key in found]


class NumberField(forms.DecimalField):
    """A decimal number as people type it, with a point or a comma; never guessed at."""

    default_error_messages = {"invalid": "Write a number, like 12.5."}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal"}))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        typed = value.strip().replace("\N{MINUS SIGN}", "-") if isinstance(value, str) else value
        if isinstance(typed, str) and "," in typed:
            if "." in typed or typed.count(",") > 1:
                raise forms.ValidationError(f"Write “{typed}” without marks between thousands.")
            if re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", typed):
                raise forms.ValidationError(
                    f"“{typed}” can be read in two ways. Write it with a point, or without a mark."
                )
            typed = typed.replace(",", ".")
        return super().to_python(typed)


class MomentField(forms.DateTimeField):
    """A moment as the clock on the wall says it; of an hour that comes twice the first is meant."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except forms.ValidationError:
            wall = parse_datetime(value.strip()) if isinstance(value, str) else None
            if wall is None or wall.tzinfo is not None:
                raise
        here = get_current_timezone()
        moment = wall.replace(tzinfo=here).astimezone(UTC)
        if moment.astimezone(here).replace(tzinfo=None) != wall:
            raise forms.ValidationError("The clocks were put forward: that hour was left out.")
        return moment


class JsonField(forms.JSONField):
    """A value from a program: what cannot be read or kept is refused before anybody uses it."""

    def to_python(self, value: Any) -> Any:
        try:
            read = super().to_python(value)
        except (ValueError, RecursionError):  # a number of 5,000 digits, brackets in brackets
            raise forms.ValidationError("This cannot be read as JSON.", code="invalid") from None
        if why := unkeepable(read):
            raise forms.ValidationError(why)
        return read

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)


def unkeepable(value: Any) -> str:
    """Why the database cannot keep a JSON value; empty when it can."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple):
            waiting += each
        elif isinstance(each, float) and not isfinite(each):
            return "A value is no number that can be kept."
        elif isinstance(each, str) and re.search("[\0\ud800-\udfff]", each):
            return "A text holds a character that cannot be kept. Type it again."
    return ""


class FaceForm:
    """Mixed in before a form class: our look, the person's choices, and the typed values."""

    default_renderer: BaseRenderer | type[BaseRenderer] | None = FaceRenderer
    by: Any = None
    # Fields an edit keeps beside the record's own: `beside` writes them.
    BESIDE: ClassVar[Collection[str]] = ()

    def _prepare(self, by: Any) -> None:
        self.by = by
        prepare_fields(self, by)  # type: ignore[arg-type]
        self.use_required_attribute = False

    def changes(self) -> dict[str, Any]:
        """The clean values for the domain call, without version, reason and password."""
        cleaned: Mapping[str, Any] = self.cleaned_data  # type: ignore[attr-defined]
        left_out = {*SERVICE_FIELDS, *self.BESIDE}
        return {name: value for name, value in cleaned.items() if name not in left_out}

    def beside(self, record: Any, *, by: Any) -> dict[str, Any]:
        """Write the fields `BESIDE` the record's own; gives further changes of its own.

        Called in the transaction of the edit, which a refusal takes back.
        """
        return {}

    def refuse(self, refusal: Refused) -> None:
        """Put the refusal's sentence where it belongs: at its field, else above the form."""
        known = refusal.field if refusal.field in self.fields else None  # type: ignore[attr-defined]
        self.add_error(known, str(refusal))  # type: ignore[attr-defined]


class PlainForm(FaceForm, forms.Form):
    """A form without a model; give it `by=request.user`."""

    def __init__(self, *args: Any, by: Any = None, instance: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance = instance
        if instance is not None:
            add_service_fields(self, instance)
        self._prepare(by)


class LinksForm(PlainForm):
    """Which records belong to another. Give it the seal of `qms.links` as `initial["seen"]`.

    Two who choose at once do not undo each other unawares: see `show_again`.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def show_again(self) -> None:
        """Tell what somebody else chose meanwhile; the typed choice stays and can be saved."""
        stands = "; ".join(
            f"{field.label}: {self._named(name, field)}"
            for name, field in self.fields.items()
            if isinstance(field, forms.ModelMultipleChoiceField)
        )
        data: Any = self.data
        self.data = data.copy()
        self.data["seen"] = self.initial["seen"]  # type: ignore[index]
        self.add_error(
            None,
            f"Somebody chose anew while you did. It stands now: {stands}. Your choice is below;"
            " save it again to put it in the place of theirs.",
        )

    def _named(self, name: str, field: Any) -> str:
        keys = [getattr(each, "pk", each) for each in self.initial.get(name, ())]
        rows = field.queryset.model._base_manager.filter(pk__in=keys).order_by("pk")
        return ", ".join(str(each) for each in rows) or "none"


class RecordForm(FaceForm, forms.ModelForm):  # type: ignore[type-arg]
    """The form of a record: `by=request.user` limits its choices; a released one asks the reason.

    It never saves: `qms.pages.edit` hands `changes()` to the factory or to `workflow.amend`.
    """

    def __init__(self, *args: Any, by: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            add_service_fields(self, self.instance)
        self._prepare(by)

    def save(self, commit: bool = True) -> Any:
        raise TypeError("A form saves nothing; call the factory or workflow.amend with changes().")


def add_service_fields(form: forms.BaseForm, record: Any) -> None:
    """The version the page was opened on and, for a released record, the reason."""
    form.fields["version"] = forms.IntegerField(
        required=False, widget=forms.HiddenInput, initial=record.version
    )
    if record.is_released:
        form.fields["reason"] = reason_field("Why do you change it?")


def reason_field(label: str = "Why?", *, required: bool = True) -> forms.CharField:
    """The field every reason is asked in."""
    return forms.CharField(
        label=label,
        required=required,
        help_text=REASON_HELP,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why; the reason is kept with the record."},
    )


def prepare_fields(form: forms.BaseForm, by: Any) -> None:
    """Limit every choice to what this person may see, and give each field its fitting widget."""
    for name, field in form.fields.items():
        _say_what_to_do(field)
        name_the_empty_choice(field, "Choose" if field.required else "None")
        if isinstance(field, forms.ModelChoiceField):
            _limit_choices(field, by, _present(form, name))
        dated = isinstance(field, forms.DateField | forms.DateTimeField)
        if dated and within_reach not in field.validators:
            field.validators.append(within_reach)
        _choose_widget(field)


def within_reach(day: date) -> None:
    """Refuse a day of a year that is a typing error; sums of such days would leave the calendar."""
    day = day.date() if isinstance(day, datetime) else day
    if not EARLIEST <= day <= LATEST:
        raise forms.ValidationError(
            f"Check the year: {day.year} is before {EARLIEST.year} or after {LATEST.year}."
        )


def _say_what_to_do(field: forms.Field) -> None:
    """Django's own sentence for an empty field says what is wrong; ours says what to do."""
    if field.error_messages.get("required") == forms.Field.default_error_messages["required"]:
        choice = isinstance(field, forms.ChoiceField | forms.ModelChoiceField)
        words = "Choose one." if choice else "Fill this in."
        several = isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField)
        field.error_messages["required"] = "Choose at least one." if several else words


def name_the_empty_choice(field: forms.Field, words: str) -> None:
    """A row of dashes says nothing: the empty choice of a select gets words."""
    if isinstance(field.widget, forms.NullBooleanSelect):
        field.widget.choices = [("unknown", words), ("true", "Yes"), ("false", "No")]
    elif getattr(field, "empty_label", None):
        field.empty_label = words  # type: ignore[attr-defined]
        if not isinstance(field, forms.ModelChoiceField):
            # A copied field of django-filter still asks its original for the empty choice.
            field.choices = [each for each in field.choices if each[0] != ""]  # type: ignore[attr-defined]
    elif isinstance(field, forms.NullBooleanField) and isinstance(field.widget, forms.Select):
        choices: Any = field.widget.choices
        field.widget.choices = [(v, words if v in NOT_KNOWN else label) for v, label in choices]
    elif isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        given: Any = field.choices
        field.choices = [
            (v, words if v == "" and label in NO_WORDS else label) for v, label in given
        ]


def read_choices_at_once(field: Any) -> None:
    """The rows of a select, where it is drawn, in one question; Django would open a cursor.

    Of a model that says what it is `NAMED_BY` only these columns are read.
    """
    if not isinstance(field, forms.ModelChoiceField) or type(field.widget) is not forms.Select:
        return
    widget: Any = field.widget
    rows: Any = field.queryset
    label = field.label_from_instance

    @cache
    def choices() -> list[tuple[Any, str]]:
        empty = [("", str(field.empty_label))] if field.empty_label is not None else []
        if named := getattr(rows.model, "NAMED_BY", ()):
            ordered = rows if rows.ordered else rows.order_by(*named)
            told = ordered.values_list("pk", *named)
            return [*empty, *((key, " ".join(words)) for key, *words in told)]
        return [*empty, *((each.pk, label(each)) for each in list(rows))]

    widget.choices = choices


def _present(form: forms.BaseForm, name: str) -> Any:
    """The value a field has already, so that a form never loses somebody who has left."""
    present = form.get_initial_for_field(form.fields[name], name)
    return getattr(present, "pk", present)


def _limit_choices(field: Any, by: Any, present: Any) -> None:
    queryset = field.queryset
    if queryset is None:
        return
    if issubclass(queryset.model, get_user_model()):
        field.queryset = _people(queryset, present)
    elif by is not None and hasattr(queryset, "visible_to"):
        field.queryset = queryset.visible_to(by)


def offer_people_seen(field: Any, by: Any) -> None:
    """In a filter nobody is offered whom the person does not see; a form asks for whom it needs."""
    offered = getattr(field, "queryset", None)
    if offered is not None and issubclass(offered.model, get_user_model()):
        field.queryset = offered.visible_to(by)


def _people(queryset: Any, present: Any) -> Any:
    """Active people (the system is none), and whoever stands in the field already."""
    chosen: Iterable[Any] = present if isinstance(present, list | tuple) else [present]
    keys = [getattr(each, "pk", each) for each in chosen if each]
    active = Q(is_active=True, is_system=False)
    return queryset.filter(active | Q(pk__in=keys) if keys else active).order_by("name", "pk")


def _choose_widget(field: forms.Field) -> None:
    chosen: forms.Widget | None = None
    widget = field.widget
    if isinstance(field, forms.DateTimeField) and widget.__class__ is forms.DateTimeInput:
        chosen = MomentInput(widget.attrs)
    elif isinstance(field, forms.DateField) and widget.__class__ is forms.DateInput:
        chosen = DateInput(widget.attrs)
    elif isinstance(field, forms.TimeField) and widget.__class__ is forms.TimeInput:
        chosen = TimeInput(widget.attrs)
    elif widget.__class__ is forms.SelectMultiple:
        _tick_instead(field)
    elif widget.__class__ is forms.Textarea:
        widget.attrs.setdefault("rows", 3)
    if chosen is not None:
        chosen.is_localized = False
        field.localize = False
        field.widget = chosen


def _tick_instead(field: Any) -> None:
    """Several choices are ticked: in a list of lines one wrong click would undo all the others."""
    choices = field.choices
    field.widget = forms.CheckboxSelectMultiple(field.widget.attrs)
    field.widget.choices = choices


class TransitionForm(PlainForm):
    """What one transition asks: its details, the reason, the signature; and the version seen."""

    transition: Transition

    def changes(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.transition.details}

    @property
    def asks_nothing(self) -> bool:
        """Whether the button alone is enough, so that no page stands in between."""
        return all(field.widget.is_hidden for field in self.fields.values())


def transition_form(
    transition: Transition,
    record: Any,
    *,
    by: Any,
    data: Any = None,
    files: Any = None,
) -> TransitionForm:
    """The form of a transition of this record, unbound when `data` is None.

    A detail named like a field of the record starts with the record's value.
    """
    given = {
        name: getattr(record, name)
        for name, field in transition.details.items()
        if field.initial is None and hasattr(record, name)
    }
    form = TransitionForm(data, files, initial={k: getattr(v, "pk", v) for k, v in given.items()})
    form.transition, form.instance = transition, record
    form.fields.update({n: deepcopy(f) for n, f in transition.details.items()})
    if transition.needs_reason:
        form.fields["reason"] = reason_field()
    if transition.signs:
        form.fields["password"] = password_field(transition.signs)
    form.fields["version"] = forms.IntegerField(
        required=False, widget=forms.HiddenInput, initial=record.version
    )
    prepare_fields(form, by)
    return form


def password_field(meaning: str) -> forms.CharField:
    """The re-authentication a signature needs."""
    return forms.CharField(
        label="Your password",
        strip=False,
        help_text=f"It signs as “{meaning}”, in your name, for exactly this content.",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Give your password; it is your signature."},
    )
