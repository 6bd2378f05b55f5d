"""Forms of changes."""

from typing import Any

from django import forms

from qms.changes.models import Change
from qms.changes.workflow import CHANGE_FIELDS
from qms.forms import PlainForm, RecordForm
from qms.people.models import Person
from qms.picking import TouchingForm, touches_field

LEFT = "That person no longer works here. Choose somebody who does."
FIND = "changes:record_find"


class ChangeForm(RecordForm):
    """The plan of a change, in the order in which people think it through."""

    class Meta:
        model = Change
        fields = CHANGE_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].error_messages["invalid_choice"] = LEFT
        if not self.instance.pk:
            self.initial.setdefault("owner", getattr(self.by, "pk", None))
            self.fields["check_on"].required = False
            self.fields["check_on"].help_text = "Left empty, 60 days after it is finished."


class NewChangeForm(TouchingForm, ChangeForm):
    """A new change, with what it bears on."""

    touches = touches_field(FIND)

    def _get_validation_exclusions(self) -> Any:
        """An empty day of the check is set by the factory, which also orders the days."""
        return {*super()._get_validation_exclusions(), "check_on"}  # type: ignore[misc]


class TouchForm(TouchingForm, PlainForm):
    """What a change bears on."""

    touches = touches_field(FIND)


class StepForm(PlainForm):
    """One action of a change."""

    title = forms.CharField(label="What will be done", max_length=200)
    owner = forms.ModelChoiceField(Person.objects.people(), label="Done by")
    due = forms.DateField(label="Due")
