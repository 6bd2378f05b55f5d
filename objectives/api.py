"""Objectives and their readings under `/api/v1/`."""

from objectives import workflow
from objectives.forms import NewReadingForm, ObjectiveForm
from objectives.models import Measurement, Objective
from qms.api import Resource

objectives = Resource(
    "objectives",
    Objective,
    fields=(
        "number",
        "title",
        "edition",
        "process",
        "owner",
        "policy_commitment",
        "metric",
        "unit",
        "decimals",
        "direction",
        "baseline",
        "target",
        "target_relative_to_baseline",
        "lower_band",
        "upper_band",
        "judged_by",
        "starts_on",
        "deadline",
        "frequency",
        "plan",
        "resources",
        "evaluation",
        "communicated_to",
        "status",
        "verdict",
        "concluded_by",
        "concluded_on",
    ),
    form=ObjectiveForm,
    create=workflow.set_objective,
)
measurements = Resource(
    "measurements",
    Measurement,
    fields=("objective", "measured_for", "value", "note", "happened_at", "corrects", "status"),
    form=NewReadingForm,
    create=workflow.record_reading,
)
