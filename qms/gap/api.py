"""Gap assessments at `/api/v1/assessments/`, their answers at `/api/v1/gap-answers/`."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from qms.api import Invalid, Message, Resource, schema_of
from qms.gap import workflow
from qms.gap.forms import AnswerForm, AssessmentForm, NewAssessmentForm
from qms.gap.models import Assessment, GapAnswer


def of_assessment(rows: Any, request: HttpRequest) -> Any:
    """`?assessment=7` narrows the answers to one assessment."""
    asked = request.GET.get("assessment", "")
    return rows.filter(assessment_id=int(asked)) if asked.isascii() and asked.isdigit() else rows


assessments = Resource(
    "assessments",
    Assessment,
    fields=("number", "title", "edition", "status", "completed_on"),
    form=NewAssessmentForm,
    edit_form=AssessmentForm,
    create=workflow.start_assessment,
)
answers = Resource(
    "gap-answers",
    GapAnswer,
    fields=("assessment", "clause", "judgement", "evidence", "note", "answered_by", "answered_on"),
    filters=of_assessment,
)
Body = schema_of("GapAnswerBody", AnswerForm.base_fields)


class AnswerRequest(Body):  # type: ignore[misc, valid-type]
    """An answer, with the version it was made on."""

    version: int


def answer_clause(request: HttpRequest, pk: int, values: AnswerRequest) -> Any:
    """Judge one clause; what the page refuses is refused here in the same words."""
    person: Any = request.user
    if not person.has_perm(workflow.ANSWER):
        raise PermissionDenied
    found = answers.found(request, pk)
    given = {name: value for name, value in values.dict().items() if value is not None}
    form = AnswerForm(given, by=person)
    if not form.is_valid():
        raise Invalid(form)
    workflow.answer(found, by=person, version=values.version, **form.changes())
    return answers._shown(found)


answers._declare(
    "POST",
    "/{int:pk}/answer/",
    answer_clause,
    workflow.ANSWER,
    response={200: answers.read_schema, 403: Message, 404: Message, 409: Message, 422: Message},
    summary="Judge one clause",
    operation_id="gap-answers_answer",
)
