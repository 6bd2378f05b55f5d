"""Competences, requirements, findings and trainings at `/api/v1/`."""

from qms.api import Resource
from qms.competence import workflow
from qms.competence.forms import (
    CompetenceForm,
    FindingForm,
    NewTrainingForm,
    RequirementForm,
    TrainingForm,
)
from qms.competence.models import Competence, CompetenceRecord, CompetenceRequirement, Training

competences = Resource(
    "competences",
    Competence,
    fields=("name", "meaning", "method", "validity_months", "status"),
    form=CompetenceForm,
    create=workflow.define_competence,
)
requirements = Resource(
    "competence-requirements",
    CompetenceRequirement,
    fields=("competence", "role", "job_title", "level", "status"),
    form=RequirementForm,
    create=workflow.require,
    related=("competence",),
)
findings = Resource(
    "competence-records",
    CompetenceRecord,
    fields=(
        "person",
        "competence",
        "level",
        "assessed_by",
        "method",
        "assessed_on",
        "valid_until",
        "evidence",
        "training",
        "status",
    ),
    form=FindingForm,
    create=workflow.record_competence,
)
trainings = Resource(
    "trainings",
    Training,
    fields=(
        "number",
        "title",
        "content",
        "competence",
        "owner",
        "planned_on",
        "done_on",
        "status",
        "result",
        "judged_by",
        "judged_on",
    ),
    form=NewTrainingForm,
    edit_form=TrainingForm,
    create=workflow.plan_training,
)
