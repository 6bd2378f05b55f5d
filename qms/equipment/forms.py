"""Forms of measuring equipment, calibrations and impact assessments."""

from typing import Any

from django import forms

from qms.equipment.models import Equipment, ImpactAssessment
from qms.equipment.workflow import CALIBRATION, EQUIPMENT_FIELDS
from qms.forms import ManyFilesField, NumberField, PlainForm, RecordForm
from qms.people.models import Person

LEFT = "That person no longer works here. Choose somebody who does."


class EquipmentForm(RecordForm):
    """What it is, what it measures, how good it must be, and how often it is calibrated."""

    resolution = NumberField(required=False, max_digits=20, decimal_places=8)
    tolerance = NumberField(
        label="Deviation accepted (±)",
        required=False,
        max_digits=20,
        decimal_places=8,
        help_text="In the unit above. What is found beyond it puts earlier results in doubt.",
    )

    class Meta:
        model = Equipment
        fields = EQUIPMENT_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].error_messages["invalid_choice"] = LEFT
        if not self.instance.pk:
            self.initial.setdefault("owner", getattr(self.by, "pk", None))


class CalibrationForm(PlainForm):
    """A calibration as it was done."""

    calibrated_on = CALIBRATION["calibrated_on"]
    calibrated_by = CALIBRATION["calibrated_by"]
    laboratory = CALIBRATION["laboratory"]
    reference = CALIBRATION["reference"]
    as_found = CALIBRATION["as_found"]
    as_left = CALIBRATION["as_left"]
    unit = CALIBRATION["unit"]
    result = CALIBRATION["result"]
    note = CALIBRATION["note"]
    sooner_on = CALIBRATION["sooner_on"]
    papers = ManyFilesField(label="Certificate", required=False)


class CalibrationEntryForm(CalibrationForm):
    """The same for programs, which also name the instrument."""

    equipment = forms.ModelChoiceField(Equipment.objects.all())


class ImpactForm(RecordForm):
    """What was measured in the time in doubt."""

    class Meta:
        model = ImpactAssessment
        fields = ("measured", "owner", "due")
        widgets = {"measured": forms.Textarea(attrs={"rows": 6})}


class StepForm(PlainForm):
    """One action that follows from an impact."""

    title = forms.CharField(label="What will be done", max_length=200)
    owner = forms.ModelChoiceField(Person.objects.people(), label="Done by")
    due = forms.DateField(label="Due")
