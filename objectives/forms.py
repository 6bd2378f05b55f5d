"""Forms of indicators, objectives, readings and sheets of readings."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from capa.models import Nonconformity
from objectives.figures import FigureField, figure_words, number_in, subgroup_in
from objectives.models import Analysis, Indicator, Measurement, Objective, SignalAnswer
from objectives.workflow.objectives import NEW_INDICATOR, indicator_for
from qms import contributions
from qms.forms import MomentField, NumberField, PlainForm, RecordForm, within_reach
from qms.people.models import Person
from qms.refusals import Refused

MOST_STAGES = 24
FIGURES = ("baseline", "target", "lower_band", "upper_band")
_STAGE = re.compile(r"(\d{4}-\d{2}-\d{2})[\s:;,]+(\S.*)")


class StagesField(forms.CharField):
    """Interim targets, one a line: a day and a value; cleans to what `Objective.interim` keeps."""

    widget = forms.Textarea
    unit = ""  # that of the objective, in which values may be written

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("max_length", 2000)
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{each['on']}  {each['value']}" for each in value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            value = self.prepare_value(value)
        typed = super().to_python(value) or ""
        lines = [line.strip() for line in typed.splitlines() if line.strip()]
        if len(lines) > MOST_STAGES:
            raise ValidationError(f"These are {len(lines)} interim targets. Set at most 24.")
        found = [self._stage(line) for line in lines]
        days = [each["on"] for each in found]
        if len(set(days)) < len(days):
            raise ValidationError("Two interim targets are for one day. Keep one of them.")
        return sorted(found, key=lambda each: each["on"])

    def _stage(self, line: str) -> dict[str, str]:
        told = _STAGE.fullmatch(line)
        if told is None:
            raise ValidationError(f"“{line}” is no day and value. Write it like 2027-03-31 85.")
        try:
            day = date.fromisoformat(told[1])
        except ValueError:
            raise ValidationError(f"{told[1]} is no day of the calendar.") from None
        within_reach(day)
        try:
            value = number_in(told[2], self.unit)
        except Refused as refusal:
            raise ValidationError(f"“{line}”: {refusal}") from None
        return {"on": day.isoformat(), "value": f"{value:f}"}

    def validate(self, value: Any) -> None:
        """Nothing more to ask; an empty list is fine."""

    def run_validators(self, value: Any) -> None:
        """The lines were judged one by one."""


class ObjectiveForm(RecordForm):
    """What is to be reached, by when, by whom; with the indicator that judges it, or a new one."""

    metric = forms.CharField(
        label="What is measured",
        max_length=200,
        required=False,
        help_text="Where no indicator fits: a new one is made. For instance: orders on time.",
    )
    unit = forms.CharField(
        label="Unit", max_length=20, required=False, help_text="%, days, ppm, points."
    )
    decimals = forms.IntegerField(
        label="Decimals shown", min_value=0, max_value=6, required=False, initial=1
    )
    frequency = forms.ChoiceField(
        label="Measured",
        choices=Indicator.Frequency.choices,
        required=False,
        initial=Indicator.Frequency.MONTHLY,
    )
    interim = StagesField(
        label="Interim targets",
        help_text="One a line, a day and the value by then: 2027-03-31 85.",
    )

    BESIDE = NEW_INDICATOR

    class Meta:
        model = Objective
        fields = (
            "title",
            "owner",
            "process",
            "site",
            "parent",
            "policy_commitment",
            "indicator",
            "direction",
            "baseline",
            "target",
            "target_relative_to_baseline",
            "lower_band",
            "upper_band",
            "judged_by",
            "starts_on",
            "deadline",
            "interim",
            "plan",
            "resources",
            "evaluation",
            "communicated_to",
            "edition",
        )
        field_classes: ClassVar = dict.fromkeys(FIGURES, FigureField)
        help_texts: ClassVar = {
            "owner": "Empty: the owner of the process.",
            "indicator": "One that is measured already; or leave it empty and describe a new one.",
            "lower_band": "Only where it stays within a band.",
            "upper_band": "Only where it stays within a band.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.pk is not None
        if stored and self.instance.status == Objective.Status.ACTIVE:
            for name in ("indicator", *self.BESIDE):
                del self.fields[name]
        self._limit_parents()
        self._limit_indicators()

    def _limit_parents(self) -> None:
        field: Any = self.fields["parent"]
        running = (Objective.Status.DRAFT, Objective.Status.ACTIVE)
        rows = field.queryset.filter(status__in=running)
        field.queryset = rows.exclude(pk=self.instance.pk).order_by("-number")

    def _limit_indicators(self) -> None:
        field: Any = self.fields.get("indicator")
        if field is None:
            return
        chosen = [self.instance.indicator_id] if self.instance.indicator_id else []
        rows = field.queryset
        field.queryset = (rows.in_use() | rows.filter(pk__in=chosen)).order_by("title", "pk")

    def _clean_fields(self) -> None:
        """Numbers may be typed with their unit, which stands in another field of this form."""
        unit = self._unit()
        for name in FIGURES:
            field = self.fields[name]
            if isinstance(field, FigureField):
                percent = name == "target" and self._is_relative()
                field.unit = "%" if percent else unit
        stages: Any = self.fields["interim"]
        stages.unit = unit
        super()._clean_fields()  # type: ignore[misc]

    def _is_relative(self) -> bool:
        return bool(self.data.get(self.add_prefix("target_relative_to_baseline")))

    def _unit(self) -> str:
        typed = str(self.data.get(self.add_prefix("unit")) or "").strip()
        if typed:
            return typed
        chosen: Any = self.data.get(self.add_prefix("indicator")) or self.instance.indicator_id
        if str(chosen or "").isascii() and str(chosen or "").isdigit() and len(str(chosen)) < 19:
            found = Indicator.objects.filter(pk=chosen).values_list("unit", flat=True).first()
            return found or ""
        return ""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        metric = (cleaned.get("metric") or "").strip()
        if metric and cleaned.get("indicator"):
            self.add_error("metric", "Choose an indicator or describe a new one, not both.")
        elif metric and not (cleaned.get("unit") or "").strip():
            self.add_error("unit", "Say in which unit, like % or days.")
        return cleaned

    def changes(self) -> dict[str, Any]:
        """For a new objective with what a new indicator needs; an edit makes that one beside."""
        told = super().changes()
        if self.instance.pk is None:
            told |= {name: self.cleaned_data.get(name) for name in self.BESIDE}
        return told

    def beside(self, record: Any, *, by: Any) -> dict[str, Any]:
        """A draft that names something new to measure gets its indicator now."""
        metric = (self.cleaned_data.get("metric") or "").strip()
        if not metric:
            return {}
        told: dict[str, Any] = {name: self.cleaned_data.get(name) for name in self.BESIDE}
        more = ("owner", "process", "site", "direction", "evaluation", "starts_on")
        told |= {name: self.cleaned_data.get(name) for name in more}
        return {"indicator": indicator_for(by=by, **told)}


class IndicatorForm(RecordForm):
    """What is measured, how often, from where, and who answers for it."""

    computed_by = forms.ChoiceField(
        label="Computed from",
        required=False,
        help_text="Only where the program computes it from our own records.",
    )

    class Meta:
        model = Indicator
        fields = (
            "title",
            "unit",
            "decimals",
            "direction",
            "frequency",
            "starts_on",
            "responsible",
            "process",
            "site",
            "source",
            "collection",
            "computed_by",
            "lower_limit",
            "upper_limit",
            "chart",
            "rules",
            "per",
        )
        field_classes: ClassVar = dict.fromkeys(("lower_limit", "upper_limit", "per"), NumberField)
        help_texts: ClassVar = {
            "responsible": "Who is asked for the reading of every period.",
            "lower_limit": "What is acceptable; it is no target and no control limit.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["computed_by"]
        field.choices = source_choices(self.instance.computed_by)
        if self.instance.pk is None:
            self.fields["responsible"].required = False
            self.fields["responsible"].help_text = "Empty: the owner of the process, else you."


def source_choices(present: str = "") -> list[Any]:
    """What can be computed, by group; what stands there already stays a choice."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for each in contributions.indicator_sources():
        groups.setdefault(each.group or "Our records", []).append((each.key, each.words))
    known = {key for rows in groups.values() for key, _ in rows}
    gone = [(present, "No longer computed")] if present and present not in known else []
    return [("", "Nothing: readings are entered"), *gone, *groups.items()]


class ReadingForm(RecordForm):
    """The reading of a period, as its indicator asks: a value, a count of n, or a subgroup."""

    values = forms.CharField(label="Values of the subgroup", required=False, max_length=300)
    field_order = ("indicator", "measured_for", *Measurement.FIGURES, "note", "happened_at")

    class Meta:
        model = Measurement
        fields = ("measured_for", "value", "counted", "size", "note")
        field_classes: ClassVar = {"value": FigureField, "counted": NumberField}
        widgets: ClassVar = {"note": forms.Textarea(attrs={"rows": 2})}
        help_texts: ClassVar = {
            "measured_for": "The day the value stands for, usually the period's last."
        }

    def __init__(self, *args: Any, indicator: Indicator | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.indicator = indicator
        if indicator is not None:
            self._ask_for(indicator)
        for name in Measurement.FIGURES:
            if name in self.fields:
                self.fields[name].required = indicator is not None

    def _ask_for(self, indicator: Indicator) -> None:
        kept = {"count": ("counted", "size"), "subgroup": ("values",), "value": ("value",)}
        asked = kept[indicator.asks]
        for name in Measurement.FIGURES:
            if name not in asked:
                del self.fields[name]
        for name in asked:
            self.fields[name].widget.attrs["autofocus"] = True
            break
        value = self.fields.get("value")
        if isinstance(value, FigureField):
            value.unit = indicator.unit
            value.help_text = figure_words(indicator)
        if "size" in self.fields:
            self.fields["size"].widget.attrs["inputmode"] = "numeric"
        if "values" in self.fields:
            self.fields["values"].help_text = figure_words(indicator)

    def clean_values(self) -> list[Decimal]:
        typed = self.cleaned_data.get("values") or ""
        unit = self.indicator.unit if self.indicator else ""
        try:
            return subgroup_in(typed, unit)
        except Refused as refusal:
            raise ValidationError(str(refusal)) from None

    def _post_clean(self) -> None:
        """The factory judges; the model's own rules would ask for what it computes."""


class NewReadingForm(ReadingForm):
    """The same for programs, which also name the indicator and may say when it was read."""

    happened_at = MomentField(label="Read at", required=False, help_text="Empty: now.")

    class Meta(ReadingForm.Meta):
        fields = ("indicator", *ReadingForm.Meta.fields, "happened_at")  # type: ignore[assignment]


class ActionForm(PlainForm):
    """One thing of the plan: what will be done, by whom, by when."""

    title = forms.CharField(label="What will be done", max_length=200)
    description = forms.CharField(
        label="Details", required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    owner = forms.ModelChoiceField(Person.objects.people(), label="Who")
    due = forms.DateField(label="By when")


class AnalysisForm(RecordForm):
    """What the figures of a period show, and what is decided."""

    class Meta:
        model = Analysis
        fields = ("title", "period_start", "period_end", "owner", "conclusions", "decisions")
        widgets: ClassVar = {
            "conclusions": forms.Textarea(attrs={"rows": 5}),
            "decisions": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts: ClassVar = {
            "decisions": "Actions are planned on its page; if nothing is needed, say why.",
        }


class NewAnalysisForm(AnalysisForm):
    """Of which process, and which days; the rest may be said later."""

    title = forms.CharField(max_length=200, required=False, help_text="Empty: by its period.")

    class Meta(AnalysisForm.Meta):
        fields = ("process", *AnalysisForm.Meta.fields)  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].required = False
        self.fields["owner"].help_text = "Empty: the owner of the process, else you."


class SheetForm(PlainForm):
    """A sheet of readings."""

    sheet = forms.FileField(
        label="Sheet",
        help_text="Excel (.xlsx) or CSV, with a header: indicator, date or period, value; n and"
        " note may be added.",
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv,.tsv,.txt"}),
    )
    indicator = forms.ModelChoiceField(
        Indicator.objects.in_use().order_by("title"),
        label="All values are of",
        required=False,
        help_text="Empty: a column of the sheet names the indicator of each row.",
    )


def interim_of(typed: Mapping[str, Any]) -> tuple[tuple[date, Decimal], ...]:
    """The interim targets of clean form values, by day."""
    stages = typed.get("interim") or []
    return tuple((date.fromisoformat(each["on"]), Decimal(each["value"])) for each in stages)


class LimitsForm(PlainForm):
    """Which readings the limits of a control chart are computed from, and why."""

    first_on = forms.DateField(label="From the reading of")
    last_on = forms.DateField(label="To the reading of", help_text="Twenty to 25 are customary.")
    holds_from = forms.DateField(
        label="Hold from",
        required=False,
        help_text="Empty: from the first of these readings on.",
    )
    left_out = forms.CharField(
        label="Readings to leave out",
        required=False,
        max_length=500,
        help_text="Days of readings with a known special cause, like 2026-03-31, 2026-05-31.",
    )
    because = forms.CharField(
        label="Why these limits", max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def clean_left_out(self) -> list[date]:
        words = re.split(r"[\s,;]+", self.cleaned_data["left_out"].strip())
        try:
            return [date.fromisoformat(word) for word in words if word]
        except ValueError:
            raise ValidationError("Write days like 2026-03-31, with commas between.") from None


class AnswerForm(PlainForm):
    """What is behind a signal."""

    found = forms.ChoiceField(
        label="What was found", choices=SignalAnswer.Found.choices, widget=forms.RadioSelect
    )
    words = forms.CharField(
        label="In words", max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )
    grade = forms.ChoiceField(
        label="Grade of the nonconformity",
        choices=Nonconformity.Grade.choices,
        initial=Nonconformity.Grade.MINOR,
        required=False,
        help_text="Only where one is raised.",
    )

    def clean_grade(self) -> str:
        return str(self.cleaned_data["grade"] or Nonconformity.Grade.MINOR)


class NewLimitsForm(LimitsForm):
    """The same, and of which indicator."""

    indicator = forms.ModelChoiceField(Indicator.objects.all())


class NewAnswerForm(AnswerForm):
    """The same, and which signal of which indicator."""

    indicator = forms.ModelChoiceField(Indicator.objects.all())
    day = forms.DateField()
