"""Measuring equipment, calibrations and impact assessments under `/api/v1/`."""

from qms.api import Resource
from qms.equipment import workflow
from qms.equipment.forms import CalibrationEntryForm, EquipmentForm, ImpactForm
from qms.equipment.models import Calibration, Equipment, ImpactAssessment

equipment = Resource(
    "equipment",
    Equipment,
    fields=(
        "number",
        *workflow.EQUIPMENT_FIELDS,
        "status",
        "last_on",
        "last_result",
        "next_due",
    ),
    form=EquipmentForm,
    create=workflow.enter_equipment,
)
calibrations = Resource(
    "calibrations",
    Calibration,
    fields=(
        "number",
        "equipment",
        "calibrated_on",
        "calibrated_by",
        "laboratory",
        "reference",
        "unit",
        "tolerance",
        "as_found",
        "as_left",
        "result",
        "note",
        "next_due",
        "status",
    ),
    form=CalibrationEntryForm,
    create=workflow.record_calibration,
)
impacts = Resource(
    "impact-assessments",
    ImpactAssessment,
    fields=(
        "number",
        "calibration",
        "since",
        "until",
        "owner",
        "due",
        "measured",
        "conclusion",
        "consequences",
        "decided_by",
        "decided_on",
        "status",
    ),
    edit_form=ImpactForm,
)
