"""Forms of the organisation, sites, processes and scope statements."""

from typing import Any

from django import forms

from qms.clauses import ClauseFormField
from qms.forms import LinksForm, PlainForm, RecordForm
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.scope import workflow
from qms.scope.models import (
    ClimateDecision,
    ClosedTime,
    Flow,
    InterestedParty,
    Issue,
    Organisation,
    PartyRequirement,
    PlannedExtension,
    Process,
    Requirement,
    ScopeStatement,
    Site,
)


class OrganisationForm(RecordForm):
    """Who the organisation is, which edition it works to, and how many days each step takes."""

    class Meta:
        model = Organisation
        fields = workflow.ORGANISATION_FIELDS
        help_texts = {
            "time_zone": "Like America/Toronto, America/Chicago or Europe/London.",
            "preparing": "While you move from one edition to the other.",
        }


class SiteForm(RecordForm):
    """A place where the organisation works."""

    class Meta:
        model = Site
        fields = ("name", "address", "headcount", "shifts")


class ClosedTimeForm(RecordForm):
    """From when to when nothing is planned, where, and why."""

    class Meta:
        model = ClosedTime
        fields = ("why", "starts_on", "ends_on", "site")


class ClosedTimeEditForm(RecordForm):
    """The same for one that is known, and whether it takes place at all."""

    class Meta:
        model = ClosedTime
        fields = (*ClosedTimeForm.Meta.fields, "taken_back")


def _people(label: str, words: str) -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        Person.objects.people(), label=label, required=False, help_text=words
    )


def _members() -> forms.ModelMultipleChoiceField:
    return _people("Who works in it", "Whoever works in a process does not audit it.")


def _deputies() -> forms.ModelMultipleChoiceField:
    return _people("Deputies of the owner", "They decide when the owner is away, and do not audit.")


def _sites() -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        Site.objects.filter(status=Site.Status.ACTIVE).order_by("name"),
        label="Sites",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class ProcessForm(RecordForm):
    """What a process is for, how it works, and who answers for it."""

    class Meta:
        model = Process
        fields = workflow.PROCESS_FIELDS

    def clean_code(self) -> str:
        """Codes are written in capitals, so that two of them never differ by that alone."""
        return str(self.cleaned_data["code"]).strip().upper()

    def clean_owner(self) -> Person | None:
        """A process that runs keeps somebody who answers for it."""
        owner: Person | None = self.cleaned_data["owner"]
        if owner is None and self.instance.status == Process.Status.ACTIVE:
            raise forms.ValidationError(
                "It runs, so one person answers for it. Choose another owner, or retire it."
            )
        return owner


class NewProcessForm(ProcessForm):
    """The same for a new one, with who works in it and where."""

    deputies = _deputies()
    members = _members()
    sites = _sites()


class StaffForm(LinksForm):
    """Who stands in for the owner, who works in a process, and where it runs."""

    deputies = _deputies()
    members = _members()
    sites = _sites()


class StatementForm(RecordForm):
    """The words of a scope statement."""

    class Meta:
        model = ScopeStatement
        fields = ("edition", "statement", "products_and_services", "boundaries")
        widgets = {"statement": forms.Textarea(attrs={"rows": 5})}


class CoverageForm(LinksForm):
    """Which processes and sites a statement covers."""

    processes = forms.ModelMultipleChoiceField(
        Process.objects.exclude(status=Process.Status.RETIRED).order_by("code"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    sites = _sites()


class NewStatementForm(StatementForm):
    """The same for a new one, with what it covers."""

    processes = CoverageForm.base_fields["processes"]
    sites = _sites()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organisation = Organisation.objects.current()
        if organisation:
            self.initial.setdefault("edition", organisation.edition)


class LeaveOutForm(PlainForm):
    """A requirement that does not apply, and why."""

    justification = forms.CharField(
        label="Why it cannot apply to what you do",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
        help_text="Who does the work is no reason: what others do for you stays yours.",
    )

    def __init__(self, *args: Any, edition: str = "2026", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        clause = ClauseFormField(
            edition=edition, assessable=True, required=False, label="Requirement"
        )
        # Nothing is left out because it stood first in a list.
        offered: Any = clause.choices
        clause.choices = [("", "Choose"), *(each for each in offered if each[0] != "")]
        clause.required = True
        self.fields = {"clause": clause, **self.fields}
        self._prepare(self.by)


class JustifyForm(PlainForm):
    """A better justification."""

    justification = LeaveOutForm.base_fields["justification"]


PARTY_HELP = "A customer, a supplier. Leave all three empty when nobody is known yet."


class ProcessChoice(forms.ModelChoiceField):
    """A process by its id, found among the choices that are read for the field anyway."""

    def to_python(self, value: Any) -> Process | None:
        if value in self.empty_values:
            return None
        key = str(getattr(value, "pk", value))
        found = next((each for each in self.queryset or () if str(each.pk) == key), None)
        if found is None:
            raise forms.ValidationError(self.error_messages["invalid_choice"], "invalid_choice")
        return found


class FlowForm(RecordForm):
    """What flows from where to where: a process, all of them, or somebody outside."""

    class Meta:
        model = Flow
        fields: tuple[str, ...] = workflow.FLOW_FIELDS
        field_classes = {"source": ProcessChoice, "target": ProcessChoice}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("source", "target"):
            if name in self.fields:
                chosen: Any = self.fields[name]
                rows = Process.objects.exclude(status=Process.Status.RETIRED)
                present = Process.objects.filter(pk=getattr(self.instance, f"{name}_id", None) or 0)
                chosen.queryset = (rows | present).order_by("code")

    def _post_clean(self) -> None:
        """The rules of a flow stand at the form's fields, also when it is only changed."""
        super()._post_clean()  # type: ignore[misc]
        if self.instance.pk and not self.errors:
            try:
                workflow.check_flow(self.instance)
            except Refused as refusal:
                self.refuse(refusal)


class InputForm(FlowForm):
    """What a process needs, and who provides it."""

    class Meta(FlowForm.Meta):
        fields = ("what", "source", "source_all", "source_party")
        help_texts = {"source_party": PARTY_HELP}


class OutputForm(FlowForm):
    """What a process gives, and who receives it."""

    class Meta(FlowForm.Meta):
        fields = ("what", "target", "target_all", "target_party")
        help_texts = {"target_party": PARTY_HELP}


class ExtensionForm(RecordForm):
    """What the scope takes in later, why not now, and when."""

    class Meta:
        model = PlannedExtension
        fields = workflow.EXTENSION_FIELDS


LEFT = "That person no longer works here. Choose somebody who does."


class OwnedForm(RecordForm):
    """What somebody answers for: who has left is refused in words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "owner" in self.fields:
            self.fields["owner"].error_messages["invalid_choice"] = LEFT
            self.initial.setdefault("owner", getattr(self.by, "pk", None))
        if "review_on" in self.fields:
            self.fields["review_on"].required = bool(self.instance.pk)
            if not self.instance.pk:
                self.fields["review_on"].help_text = "Left empty, in a year."


class IssueForm(OwnedForm):
    """What goes on inside or outside that bears on what you want to achieve."""

    class Meta:
        model = Issue
        fields = workflow.ISSUE_FIELDS


class PartyForm(OwnedForm):
    """Who can touch your work or is touched by it."""

    class Meta:
        model = InterestedParty
        fields = workflow.PARTY_FIELDS

    def clean_name(self) -> str:
        """A name stands once among those that are relevant."""
        name: str = self.cleaned_data["name"].strip()
        others = InterestedParty.objects.live().exclude(pk=self.instance.pk)
        if self.instance.pk and others.filter(name__iexact=name).exists():
            raise forms.ValidationError(f"“{name}” are on the list already.")
        return name


class NeedForm(RecordForm):
    """What a party needs or expects, and whether the system takes it up."""

    class Meta:
        model = PartyRequirement
        fields: tuple[str, ...] = workflow.NEED_FIELDS
        help_texts = {"how": "Needed as soon as it is decided."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "review_on" in self.fields and not self.instance.pk:
            self.fields["review_on"].required = False
            self.fields["review_on"].help_text = "Left empty, with the party."


class NewNeedForm(NeedForm):
    """The same for a new one, with whose it is."""

    class Meta(NeedForm.Meta):
        fields = ("party", *workflow.NEED_FIELDS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        party: Any = self.fields["party"]
        party.queryset = party.queryset.live().order_by("name")


class ClimateForm(RecordForm):
    """Is climate change a relevant issue for the quality system?"""

    relevant = forms.TypedChoiceField(
        label="Is climate change a relevant issue?",
        choices=[("yes", "Yes, it is relevant"), ("no", "No, it is not relevant")],
        coerce=lambda value: value == "yes",
        empty_value=None,
        widget=forms.RadioSelect,
    )

    class Meta:
        model = ClimateDecision
        fields = ("relevant", "reason", "decided_on")
        help_texts = {
            "reason": "“No” is an answer. Say what you looked at: sites, supply, customers, law."
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("decided_on", today())


class RequirementForm(OwnedForm):
    """A law, a regulation, a contract: what it asks and how it is met."""

    class Meta:
        model = Requirement
        fields = workflow.REQUIREMENT_FIELDS


def _running() -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        Process.objects.exclude(status=Process.Status.RETIRED).order_by("code"),
        label="Processes that meet it",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class NewRequirementForm(RequirementForm):
    """The same for a new one, with the processes that meet it."""

    processes = _running()


class BindingForm(LinksForm):
    """Which processes meet a requirement."""

    processes = _running()
