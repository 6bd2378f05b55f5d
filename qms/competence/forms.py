"""Forms of competences, findings and trainings."""

from typing import Any

from django import forms

from qms.competence.models import (
    Competence,
    CompetenceRecord,
    CompetenceRequirement,
    Trainee,
    Training,
)
from qms.competence.workflow import trainees_of
from qms.forms import LinksForm, RecordForm
from qms.links import seal
from qms.people.models import Person


class CompetenceForm(RecordForm):
    """What people must be able to do."""

    class Meta:
        model = Competence
        fields = ("name", "meaning", "method", "validity_months")


class RequirementForm(RecordForm):
    """Who needs a competence: a role, or a job title."""

    class Meta:
        model = CompetenceRequirement
        fields = ("competence", "role", "job_title", "level")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_use: Any = self.fields["competence"]
        in_use.queryset = in_use.queryset.filter(status=Competence.Status.IN_USE).order_by("name")


class FindingForm(RecordForm):
    """That somebody was found able."""

    class Meta:
        model = CompetenceRecord
        fields = (
            "person",
            "competence",
            "level",
            "method",
            "assessed_on",
            "valid_until",
            "evidence",
            "training",
        )
        help_texts = {"valid_until": "Left empty, it holds as long as the competence says."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        in_use: Any = self.fields["competence"]
        in_use.queryset = in_use.queryset.filter(status=Competence.Status.IN_USE).order_by("name")


def participants_field() -> forms.ModelMultipleChoiceField:
    return forms.ModelMultipleChoiceField(
        Person.objects.people(),
        label="Participants",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class TrainingForm(RecordForm):
    """A training that is planned."""

    class Meta:
        model = Training
        fields = ("title", "content", "competence", "owner", "planned_on")


class NewTrainingForm(TrainingForm):
    """A new training, with who takes part."""

    participants = participants_field()


class ParticipantsForm(LinksForm):
    """Who takes part."""

    participants = participants_field()

    def __init__(self, *args: Any, training: Training, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["participants"] = [each.pk for each in trainees_of(training)]
        self.initial["seen"] = seal({"training": training}, Trainee)
