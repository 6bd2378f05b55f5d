"""Indicators, readings and objectives under `/api/v1/`."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja import Schema, Status
from pydantic import AwareDatetime, Field

from objectives import workflow
from objectives.forms import (
    AnalysisForm,
    IndicatorForm,
    NewAnalysisForm,
    NewAnswerForm,
    NewLimitsForm,
    NewReadingForm,
    ObjectiveForm,
)
from objectives.models import (
    Analysis,
    ControlLimits,
    Indicator,
    Measurement,
    Objective,
    ReadingSheet,
    SignalAnswer,
)
from objectives.workflow.readings import MOST_AT_ONCE, Sent
from qms.api import Message, Resource
from qms.people.models import Person

MEASURE = "objectives.measure_indicator"

objectives = Resource(
    "objectives",
    Objective,
    fields=(
        "number",
        "title",
        "edition",
        *Objective.PLACE,
        *Objective.AIM,
        *Objective.PLAN,
        "status",
        "verdict",
        "concluded_by",
        "concluded_on",
    ),
    form=ObjectiveForm,
    create=workflow.set_objective,
)
analyses = Resource(
    "analyses",
    Analysis,
    fields=(
        "number",
        "title",
        "process",
        "period_start",
        "period_end",
        "owner",
        "conclusions",
        "decisions",
        "figures",
        "status",
        "concluded_by",
        "concluded_on",
    ),
    form=NewAnalysisForm,
    edit_form=AnalysisForm,
    create=workflow.begin_analysis,
)
indicators = Resource(
    "indicators",
    Indicator,
    fields=("number", *Indicator.DEFINITION, "status"),
    form=IndicatorForm,
    create=workflow.add_indicator,
)
limits = Resource(
    "control-limits",
    ControlLimits,
    fields=(
        "indicator",
        "chart",
        "holds_from",
        "first_on",
        "last_on",
        "left_out",
        "because",
        "periods",
        "status",
    ),
    form=NewLimitsForm,
    create=workflow.freeze_limits,
)
answers = Resource(
    "signal-answers",
    SignalAnswer,
    fields=("indicator", "day", "rules", "found", "words", "nonconformity"),
    form=NewAnswerForm,
    create=workflow.answer_signal,
)
measurements = Resource(
    "measurements",
    Measurement,
    fields=(
        "indicator",
        "measured_for",
        "period_start",
        *Measurement.FIGURES,
        "note",
        "happened_at",
        "came_by",
        "corrects",
        "status",
    ),
    form=NewReadingForm,
    create=workflow.record_reading,
)
imports = Resource(
    "reading-imports",
    ReadingSheet,
    fields=("number", "name", "indicator", "written", "left_out", "failure", "status"),
)


class Reading(Schema):
    """A reading: a value, or how many were counted of how many, or the values of a subgroup."""

    measured_for: date
    value: Decimal | None = None
    counted: Decimal | None = None
    size: int | None = Field(None, ge=-(2**31), le=2**31 - 1)
    values: list[Decimal] = Field(default_factory=list, max_length=100)
    note: str = Field("", max_length=2000)
    happened_at: AwareDatetime | None = None


class Readings(Schema):
    """Several readings of one indicator; all are kept or none."""

    readings: list[Reading] = Field(..., min_length=1, max_length=MOST_AT_ONCE)


class Kept(Schema):
    """What became of a reading: its record, and whether it is new or was known already."""

    id: int
    url: str
    measured_for: date
    period_start: date
    value: Decimal
    new: bool


class AllKept(Schema):
    """What became of each, in the order sent."""

    readings: list[Kept]


def _may_measure(request: HttpRequest) -> Person:
    person: Any = request.user
    if not person.has_perm(MEASURE):
        raise PermissionDenied
    return person


def _kept(sent: Sent) -> dict[str, Any]:
    reading = sent.reading
    return {
        "id": reading.pk,
        "url": reading.get_absolute_url(),
        "measured_for": reading.measured_for,
        "period_start": reading.period_start,
        "value": reading.value,
        "new": sent.is_new,
    }


def send_reading(request: HttpRequest, pk: int, values: Reading) -> Any:
    """Send the reading of a period; the same again changes nothing."""
    by = _may_measure(request)
    sent = workflow.send_readings(indicators.found(request, pk), [values.dict()], by=by)[0]
    return Status(201 if sent.is_new else 200, _kept(sent))


def send_many(request: HttpRequest, pk: int, values: Readings) -> Any:
    """Send the readings of several periods; all are kept or none, known ones stay as they are."""
    by = _may_measure(request)
    rows = [each.dict() for each in values.readings]
    sent = workflow.send_readings(indicators.found(request, pk), rows, by=by)
    return {"readings": [_kept(each) for each in sent]}


REFUSALS = {403: Message, 404: Message, 422: Message}
indicators._declare(
    "POST",
    "/{int:pk}/measurements/",
    send_reading,
    MEASURE,
    response={200: Kept, 201: Kept, **REFUSALS},
    summary="Send the reading of a period",
    operation_id="indicators_send_reading",
)
indicators._declare(
    "POST",
    "/{int:pk}/measurements/many/",
    send_many,
    MEASURE,
    response={200: AllKept, **REFUSALS},
    summary="Send the readings of several periods",
    operation_id="indicators_send_readings",
)
