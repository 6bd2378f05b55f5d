"""Forms of gap assessments."""

from typing import Any

from django import forms

from qms.forms import PlainForm, RecordForm
from qms.gap.models import Assessment, GapAnswer
from qms.people.models import Person
from qms.scope.models import Organisation


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


class AssessmentForm(RecordForm):
    """The title of an assessment."""

    class Meta:
        model = Assessment
        fields = ("title",)


class AnswerForm(PlainForm):
    """The judgement of one clause, and what closes its gap."""

    judgement = forms.ChoiceField(
        choices=[each for each in GapAnswer.Judgement.choices if each[0] != "open"],
        widget=forms.RadioSelect,
        label="How do you stand?",
    )
    evidence = forms.CharField(
        label="What shows it",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=5000,
        help_text="A record, a document, an example; with its number, so that others find it.",
    )
    note = forms.CharField(
        label="What is missing, or why it does not apply",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=5000,
    )
    plan = forms.CharField(
        label="What will be done about the gap",
        required=False,
        max_length=200,
        help_text="It becomes an action on the roadmap. It can also be planned later.",
    )
    owner = forms.ModelChoiceField(Person.objects.people(), label="Who does it", required=False)
    due = forms.DateField(label="By when", required=False)
