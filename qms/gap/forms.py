"""Forms of gap assessments."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms

from qms import clauses
from qms.actions.models import LEAST_EFFORT, MOST_EFFORT
from qms.clauses import EDITION_CHOICES
from qms.forms import PlainForm, RecordForm
from qms.gap.linking import EVIDENCE
from qms.gap.models import LEAST_DAYS, MOST_DAYS, Assessment, GapAnswer
from qms.people.models import Person
from qms.picking import MOST_LINKS
from qms.refusals import Refused
from qms.scope.models import Organisation

LONGEST_ADDRESS = 300


class NewAssessmentForm(RecordForm):
    """Which edition is looked at."""

    class Meta:
        model = Assessment
        fields = ("edition", "title")
        help_texts = {"title": "Empty: named by the edition."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].required = False
        organisation = Organisation.objects.current()
        if organisation:
            self.initial["edition"] = organisation.preparing or organisation.edition


class DeltaForm(PlainForm):
    """From which assessment the look at the next edition begins."""

    earlier = forms.ModelChoiceField(
        Assessment.objects.completed().filter(edition="2015").order_by("-completed_on", "-pk"),
        label="Begin from",
        help_text="A completed assessment of the edition before.",
    )
    title = forms.CharField(
        label="Title", required=False, max_length=160, help_text="Empty: named by both editions."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["earlier"]
        newest = field.queryset.first()
        if newest is not None:
            self.initial.setdefault("earlier", newest.pk)


class AssessmentForm(RecordForm):
    """The title of an assessment."""

    class Meta:
        model = Assessment
        fields = ("title",)


class AddressesField(forms.MultipleChoiceField):
    """Addresses or numbers of records; which there are, the search says when they are used."""

    def valid_value(self, value: str) -> bool:
        return len(value) <= LONGEST_ADDRESS


class AnswerForm(PlainForm):
    """The rating of one clause, what shows it, and what closes its gap."""

    rating = forms.ChoiceField(
        choices=[each for each in GapAnswer.Rating.choices if each[0] != "open"],
        widget=forms.RadioSelect,
        label="How far is it?",
    )
    links = AddressesField(
        label="Records that show it",
        required=False,
        help_text="Addresses or numbers; those left out are unlinked.",
    )
    another = forms.CharField(
        label="Another record",
        required=False,
        max_length=LONGEST_ADDRESS,
        help_text="Its number, its address, or a word of it. Several with commas between them.",
    )
    evidence = forms.CharField(
        label="What shows it beside records",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=5000,
        help_text="What you saw, heard or know from elsewhere.",
    )
    note = forms.CharField(
        label="What is missing, or why it does not apply",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=5000,
    )
    copy_checked = forms.BooleanField(
        label="I have read this clause in our own copy of the standard.", required=False
    )
    plan = forms.CharField(
        label="What will be done about the gap",
        required=False,
        max_length=200,
        help_text="It becomes an action on the roadmap. It can also be planned later.",
    )
    owner = forms.ModelChoiceField(Person.objects.people(), label="Who does it", required=False)
    due = forms.DateField(label="By when", required=False)
    effort = forms.DecimalField(
        label="Effort (days)",
        required=False,
        min_value=LEAST_EFFORT,
        max_value=MOST_EFFORT,
        decimal_places=1,
    )

    def __init__(self, *args: Any, known: Sequence[Any] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known

    def clean(self) -> dict[str, Any]:
        """Turn addresses and numbers into records; what is not found is said at its field.

        Where `links` is not part of what was sent, the records linked already stay.
        """
        found: dict[str, Any] = super().clean() or {}
        typed = [each for each in found.pop("another", "").split(",") if each.strip()]
        asked = "links" in self.data or "links_shown" in self.data
        chosen = found.pop("links", [])
        if not asked and not typed:
            return found
        try:
            kept = EVIDENCE.records_at(chosen, self.by) if asked else list(self.known)
            extra = EVIDENCE.records_at(typed, self.by)
        except Refused as refusal:
            self.add_error("another", str(refusal))
            return found
        known = {(type(each), each.pk) for each in kept}
        found["links"] = [*kept, *(e for e in extra if (type(e), e.pk) not in known)]
        if len(found["links"]) > MOST_LINKS:
            self.add_error("another", f"Link at most {MOST_LINKS} records to an answer.")
        return found


class AssignForm(PlainForm):
    """Who is asked to assess which chapters or clauses."""

    person = forms.ModelChoiceField(
        Person.objects.people(),
        label="Who assesses them",
        required=False,
        help_text="Process owners and quality managers may. None takes the clauses back.",
    )
    parts = forms.MultipleChoiceField(
        label="Chapters and clauses", widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, edition: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person: Any = self.fields["person"]
        person.queryset = Person.objects.holding("process_owner", "quality_manager")
        field: Any = self.fields["parts"]
        field.choices = [
            (each.key, str(each))
            for each in clauses.clauses(edition)
            if each.level == 1 or each.assessable
        ]


class CapacityForm(PlainForm):
    """How many days a week a person has."""

    person = forms.ModelChoiceField(Person.objects.people(), label="Person")
    days_a_week = forms.DecimalField(
        label="Days a week",
        min_value=LEAST_DAYS,
        max_value=MOST_DAYS,
        decimal_places=1,
        initial=Decimal(1),
    )


class ReadinessForm(PlainForm):
    """Which day and which edition."""

    on = forms.DateField(label="At the end of", required=False)
    edition = forms.ChoiceField(label="Edition", choices=EDITION_CHOICES, required=False)
