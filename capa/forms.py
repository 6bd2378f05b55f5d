"""Forms of nonconformities and their corrective action."""

from collections.abc import Collection
from typing import Any, ClassVar

from django import forms

from capa.models import (
    CaseAction,
    CauseAnalysis,
    Complaint,
    CorrectiveAction,
    CostEntry,
    EightD,
    EightDMember,
    NonconformingOutput,
    Nonconformity,
    Report,
)
from capa.whys import row
from capa.workflow import (
    choose_team,
    contain,
    find_cause,
    indicator_choices,
    plan,
    whys_of,
)
from capa.workflow.details import text
from capa.workflow.reports import in_a_line
from qms.actions.models import Action
from qms.customers.models import Feedback
from qms.forms import LinksForm, ManyFilesField, ManyFilesInput, PlainForm, RecordForm
from qms.links import seal
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Stale


class ReportForm(RecordForm):
    """What anybody reports on one screen: what happened, where, with a photo or a voice note."""

    photos = ManyFilesField(
        label="Photos", required=False, widget=ManyFilesInput(attrs={"accept": "image/*"})
    )
    voice = ManyFilesField(
        label="Voice note",
        required=False,
        widget=ManyFilesInput(attrs={"accept": "audio/*", "capture": "user"}),
        help_text="On a phone it can be spoken at once.",
    )

    class Meta:
        model = Report
        fields = ("title", "evidence", "place", "process", "site", "detected_on")
        widgets = {"evidence": forms.Textarea(attrs={"rows": 4})}

    field_order = ("title", "evidence", "photos", "voice", "place", "process", "site")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["detected_on"].required = False
        self.fields["detected_on"].help_text = "Empty: today."
        self.fields["title"].help_text = "Empty: the first line of the text below."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        line = in_a_line(cleaned.get("title", ""), cleaned.get("evidence", ""))
        if not line and not self.has_error("title"):
            self.add_error("title", "Say in a line what happened.")
        return {**cleaned, "title": line}

    def changes(self) -> dict[str, Any]:
        said = super().changes()
        papers = [*said.pop("photos", ()), *said.pop("voice", ())]
        return said | {"papers": papers}


class NonconformityForm(RecordForm):
    """Requirement, evidence and statement, the grade and who answers; what and how far it went."""

    class Meta:
        model = Nonconformity
        fields = (
            "title",
            "statement",
            "requirement",
            "clause",
            "evidence",
            "source",
            "grade",
            "severity",
            "process",
            "site",
            "product",
            "lot",
            "customer",
            "provider",
            "detected_by",
            *Nonconformity.EXTENT,
            "owner",
            "close_by",
        )


class NewNonconformityForm(NonconformityForm):
    """The same for a new one, with the day it was detected; its last day follows from that."""

    class Meta:
        model = Nonconformity
        fields = (*NonconformityForm.Meta.fields[:-1], "detected_on")


class AnswerForm(LinksForm):
    """A whole answer on one page: what is still open of it, each part optional after the first."""

    TITLES = {
        "complete": "What is wrong",
        "contain": "What was done at once",
        "find_cause": "Why it happened",
        "plan": "What removes the cause",
    }
    NEEDED = {
        "contain": ("containment",),
        "find_cause": ("root_cause", "category", "similar"),
        "plan": ("action", "effectiveness_criterion"),
    }
    STEPS = {"contain": contain, "find_cause": find_cause, "plan": plan}
    KEPT = frozenset(
        name
        for step in (contain, find_cause, plan)
        for name, field in step.details.items()
        if type(field) is forms.CharField
    )

    def __init__(self, *args: Any, nonconformity: Nonconformity, **kwargs: Any) -> None:
        self.nc = nonconformity
        super().__init__(*args, **kwargs)
        self.initial["seen"] = nonconformity.version

    def show_again(self) -> None:
        """Tell that somebody was faster; what was typed stays and can be sent again."""
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        data["seen"] = str(Nonconformity._base_manager.get(pk=self.nc.pk).version)
        self.data = data
        self.add_error(
            None,
            "Someone changed this meanwhile. Look at the case as it is now; your answer is below"
            " and can be sent again.",
        )

    def _prepare(self, by: Any) -> None:
        """The fields of the steps that are still ahead, before they are prepared like any other."""
        self.parts: dict[str, list[str]] = {}
        if self.nc.status == Nonconformity.Status.OPEN:
            lacking = [n for n in ("requirement", "evidence", "statement") if not self._has(n)]
            fields = {n: text(Nonconformity.column(n).verbose_name.capitalize()) for n in lacking}
            self._add("complete", fields)
        for name, step in self.STEPS.items():
            if self._is_ahead(step):
                self._add(name, dict(step.details))
        if "find_cause" in self.parts:
            chain = [each["why"] for each in whys_of(self.nc)]
            self.initial = {
                **self.initial,
                "why_chain": "\n".join(chain),
                "root_cause": self.nc.root_cause,
                "escape_cause": self.nc.escape_cause,
                "category": self.nc.category,
            }
        super()._prepare(by)

    @property
    def overtaken(self) -> list[tuple[str, str]]:
        """What was typed for parts that somebody answered meanwhile: (label, words)."""
        told = []
        for part, step in self.STEPS.items():
            for name, field in step.details.items() if part not in self.parts else ():
                typed = str(self.data.get(name) or "").strip()
                if typed and name in self.KEPT:
                    told.append((str(field.label), typed))
        return told

    def _has(self, name: str) -> bool:
        return bool(getattr(self.nc, name).strip())

    def _is_ahead(self, step: Any) -> bool:
        order = ["open", "contained", "analysed"]
        at = self.nc.status
        return at in order and order.index(step.source[0]) >= order.index(at)

    def _add(self, part: str, fields: dict[str, forms.Field]) -> None:
        fields.pop("method", None)  # it is told by what is filled in
        for name, field in fields.items():
            self.fields[name] = field
            # A part that is left out needs nothing: `clean` takes such a refusal back.
            field.required = name in self.NEEDED.get(part, ())
            if name == "category":
                choices = [("", "Choose one"), *Nonconformity.Category.choices]
                self.fields[name] = forms.ChoiceField(label=field.label, choices=choices)
        self.parts[part] = list(fields)

    def sections(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """(name, title, fields) of every part, in order."""
        return [
            (name, self.TITLES[name], [self[field] for field in fields])
            for name, fields in self.parts.items()
            if fields
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        ahead = [name for name in self.NEEDED if name in self.parts]
        begun = [name for name in ahead if self._typed(name)]
        wanted = ahead[: ahead.index(begun[-1]) + 1] if begun else ahead[:1]
        for name in ahead:
            for field in self.NEEDED[name]:
                if (name not in wanted or self.overtaken) and self.has_error(field, "required"):
                    del self.errors[field]
        return cleaned

    def _typed(self, part: str) -> bool:
        """Whether somebody wrote into a part; what has a default does not count."""
        given = [n for n in self.parts[part] if n != "action_owner"]
        return any(self.cleaned_data.get(name) for name in given)

    def changes(self) -> dict[str, Any]:
        """What `capa.workflow.answer` takes; Stale where somebody was faster with a part."""
        if self.overtaken:
            raise Stale
        said = self.cleaned_data
        parts = {
            name: {field: said.get(field) for field in self.parts[name]}
            for name in self.NEEDED
            if name in self.parts and self._typed(name)
        }
        complete = {n: said[n] for n in self.parts.get("complete", ()) if said[n]}
        seen = str(said.get("seen") or "")
        version = int(seen) if seen.isascii() and seen.isdigit() else None
        return {"parts": parts, "complete": complete, "version": version}


def as_key(value: Any) -> int | None:
    """The key a select of indicators posts."""
    return int(value) if value not in (None, "") else None


class CorrectiveActionForm(RecordForm):
    """Which cause it removes, when it counts as effective, and by which figures."""

    indicator = forms.TypedChoiceField(
        label="Indicator that shows it",
        required=False,
        coerce=as_key,
        empty_value=None,
        help_text="Its readings since the action was in place are counted by themselves.",
    )

    class Meta:
        model = CorrectiveAction
        fields = CorrectiveAction.PLAN
        widgets = {
            "cause": forms.Textarea(attrs={"rows": 3}),
            "criterion": forms.Textarea(attrs={"rows": 2}),
            "measure": forms.Textarea(attrs={"rows": 2}),
        }
        help_texts = {
            "criterion": "Something to measure: no repeat in 500 orders, back within the limits.",
            "check_on": "Left empty, the organisation's usual time after the last task.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["counts"].required = False
        chosen: Any = self.fields["indicator"]
        chosen.choices = [("", "None"), *indicator_choices(self.by)] if self.by else [("", "None")]
        present = self.instance.indicator
        if present and present not in {key for key, _words in chosen.choices if key}:
            chosen.choices = [*chosen.choices, (present, "The indicator that is named now")]

    def clean_counts(self) -> str:
        return self.cleaned_data["counts"] or CorrectiveAction.Counts.VALUES


class NewCorrectiveActionForm(CorrectiveActionForm):
    """The same for a new one, with the cases it serves."""

    nonconformities = forms.ModelMultipleChoiceField(
        Nonconformity.objects.waiting_for_action().order_by("-pk"),
        label="Nonconformities it serves",
        required=False,
        help_text="Those whose cause is known and that wait for a decision.",
    )


class CasesForm(LinksForm):
    """Which cases a corrective action serves."""

    cases = forms.ModelMultipleChoiceField(
        Nonconformity.objects.none(),
        label="Nonconformities it serves",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, action: CorrectiveAction, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = set(Nonconformity.objects.served_by(action).values_list("pk", flat=True))
        waiting = Nonconformity.objects.waiting_for_action().order_by("-pk")
        offered = chosen | set(waiting.values_list("pk", flat=True)[:100])
        cases: Any = self.fields["cases"]
        rows = Nonconformity.objects.visible_to(self.by).filter(pk__in=offered)
        cases.queryset = rows.order_by("number")
        self.initial["cases"] = sorted(chosen)
        self.initial["seen"] = seal({"corrective_action": action}, CaseAction)


class TaskForm(RecordForm):
    """One task of a corrective action."""

    class Meta:
        model = Action
        fields = ("title", "description", "owner", "due")


# Complaints


class ComplaintForm(RecordForm):
    """Who answers, and the letter before it is sent."""

    class Meta:
        model = Complaint
        fields = ("owner", "letter", "with_name", "with_cause")
        widgets = {"letter": forms.Textarea(attrs={"rows": 12})}


class NewComplaintForm(RecordForm):
    """Which feedback is handled, and who answers."""

    feedback = forms.ModelChoiceField(Feedback.objects.complaints(), label="Feedback")

    class Meta:
        model = Complaint
        fields = ("owner",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].required = False


# Nonconforming outputs


class OutputForm(RecordForm):
    """What is held back, and what is known of it."""

    class Meta:
        model = NonconformingOutput
        fields = (*NonconformingOutput.WHAT, "nonconformity")
        widgets = {"requirement": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("unit", "found_at", "found_on"):
            self.fields[name].required = False
        self.fields["found_on"].help_text = "Empty: today."

    def clean_found_on(self) -> Any:
        return self.cleaned_data["found_on"] or self.instance.found_on or today()

    def clean_found_at(self) -> str:
        return self.cleaned_data["found_at"] or NonconformingOutput.FoundAt.PROCESS

    def clean_unit(self) -> str:
        return self.cleaned_data["unit"] or "pieces"


class CostForm(RecordForm):
    """What something cost: the kind, the amount, the day."""

    class Meta:
        model = CostEntry
        fields = ("kind", "amount", "arose_on", "note")


class NewCostForm(CostForm):
    """The same with what it is the cost of, for the API."""

    nonconformity = forms.ModelChoiceField(
        Nonconformity.objects.all(), label="Nonconformity", required=False
    )
    output = forms.ModelChoiceField(
        NonconformingOutput.objects.all(), label="Nonconforming output", required=False
    )


class HeldOutputForm(OutputForm):
    """The same for a new one, with photos and papers."""

    papers = ManyFilesField(label="Photos and papers", required=False)

    def changes(self) -> dict[str, Any]:
        return super().changes() | {"papers": self.cleaned_data["papers"]}


# Looking for the cause

WHY_ROWS = 10


class CauseForm(RecordForm):
    """The tables as they are stored, for the API."""

    class Meta:
        model = CauseAnalysis
        fields = ("whys", "scheme", "fishbone", "is_is_not")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields:
            self.fields[name].required = name == "version"


class CauseTablesForm(PlainForm):
    """The same as people fill it in: rows of whys, causes by category, is and is not."""

    scheme = forms.ChoiceField(
        label="Categories of the picture", choices=CauseAnalysis.Scheme.choices, required=False
    )

    def _prepare(self, by: Any) -> None:
        analysis: CauseAnalysis | None = self.instance
        known = list(analysis.whys) if analysis else []
        self.initial["scheme"] = analysis.scheme if analysis else CauseAnalysis.Scheme.CLASSIC
        for at in range(1, max(WHY_ROWS, len(known) + 2) + 1):
            self._add_why(at, known[at - 1] if at <= len(known) else {})
        names = dict.fromkeys(n for names in CauseAnalysis.CATEGORIES.values() for n in names)
        for name in names:
            causes = (analysis.fishbone if analysis else {}).get(name, [])
            self._add(f"bone_{name.lower()}", _lines(name), "\n".join(causes))
        table = list(analysis.is_is_not) if analysis else []
        for at, asked in enumerate(CauseAnalysis.ASKED):
            said = table[at] if at < len(table) else {}
            for column, words in (("is", "is"), ("is_not", "is not"), ("so", "what differs")):
                field = forms.CharField(label=f"{asked}: {words}", max_length=500, required=False)
                self._add(f"{column}_{at}", field, said.get(column, ""))
        super()._prepare(by)

    def _add(self, name: str, field: forms.Field, initial: Any) -> None:
        self.fields[name], self.initial[name] = field, initial

    def _add_why(self, at: int, known: dict[str, Any]) -> None:
        why = forms.CharField(label=f"Why {at}", max_length=500, required=False)
        self._add(f"why_{at}", why, known.get("why", ""))
        parent = forms.IntegerField(
            label=f"Why {at} answers number", min_value=0, max_value=99, required=False
        )
        self._add(f"parent_{at}", parent, known.get("parent", at - 1))
        evidence = forms.CharField(label=f"Evidence for {at}", max_length=500, required=False)
        self._add(f"evidence_{at}", evidence, known.get("evidence", ""))
        root = forms.BooleanField(label=f"{at} is a root cause", required=False)
        self._add(f"root_{at}", root, known.get("root", False))

    def clean(self) -> dict[str, Any]:
        """What stands in a category the picture does not have would be lost: it is refused."""
        cleaned = super().clean() or {}
        scheme = cleaned.get("scheme") or CauseAnalysis.Scheme.CLASSIC
        drawn = {f"bone_{name.lower()}" for name in CauseAnalysis.CATEGORIES[scheme]}
        for name, field in self.fields.items():
            if name.startswith("bone_") and name not in drawn and cleaned.get(name):
                why = f"{field.label} is not in these categories. Choose the others, or move this."
                self.add_error(name, why)
        return cleaned

    @property
    def why_rows(self) -> list[dict[str, Any]]:
        """The fields of each row of whys."""
        count = sum(name.startswith("why_") for name in self.fields)
        names = ("why", "parent", "evidence", "root")
        return [
            {"number": at, **{n: self[f"{n}_{at}"] for n in names}} for at in range(1, count + 1)
        ]

    @property
    def bones(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("bone_")]

    @property
    def is_rows(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [
            (asked, [self[f"{column}_{at}"] for column in ("is", "is_not", "so")])
            for at, asked in enumerate(CauseAnalysis.ASKED)
        ]

    def changes(self) -> dict[str, Any]:
        said = self.cleaned_data
        numbers = range(1, sum(name.startswith("why_") for name in self.fields) + 1)
        whys = [
            row(
                at,
                said[f"parent_{at}"] or 0,
                said[f"why_{at}"],
                said[f"evidence_{at}"],
                root=said[f"root_{at}"],
            )
            for at in numbers
            if said[f"why_{at}"]
        ]
        scheme = said["scheme"] or CauseAnalysis.Scheme.CLASSIC
        fishbone = {
            name: causes
            for name in CauseAnalysis.CATEGORIES[scheme]
            if (causes := _typed_lines(said[f"bone_{name.lower()}"]))
        }
        columns = ("is", "is_not", "so")
        table = [
            {"asked": asked, **{column: said[f"{column}_{at}"] for column in columns}}
            for at, asked in enumerate(CauseAnalysis.ASKED)
        ]
        filled = any(each[column] for each in table for column in columns)
        return {
            "whys": whys,
            "scheme": scheme,
            "fishbone": fishbone,
            "is_is_not": table if filled else [],
        }


def _lines(name: str) -> forms.CharField:
    return forms.CharField(
        label=name,
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One cause a line.",
    )


def _typed_lines(typed: str) -> list[str]:
    return [line.strip() for line in typed.splitlines() if line.strip()]


class EightDForm(RecordForm):
    """Team, description, choice, prevention and thanks of an 8D."""

    BESIDE: ClassVar[Collection[str]] = ("members",)
    members = forms.ModelMultipleChoiceField(
        Person.objects.all(), label="D1 · members of the team", required=False
    )

    class Meta:
        model = EightD
        fields = ("emergency", "leader", *EightD.PARTS[1:])

    field_order = ("emergency", "leader", "members")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        instance = kwargs.get("instance")
        if instance is not None and instance.pk:
            links = EightDMember.objects.live().filter(eight_d=instance)
            members = list(links.values_list("person_id", flat=True))
            kwargs["initial"] = {"members": members} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)

    def beside(self, record: Any, *, by: Any) -> dict[str, Any]:
        choose_team(record, self.cleaned_data["members"], by=by)
        return {}


class OmitEightDForm(PlainForm):
    """Why a serious case needs no 8D."""

    because = text("Why it needs no 8D")


class NewEightDForm(EightDForm):
    """The same for a new one: the team goes to the factory."""

    BESIDE = ()
