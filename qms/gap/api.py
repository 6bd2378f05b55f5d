"""Gap assessments, their answers and roadmap, and readiness, at `/api/v1/`."""

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja import Query, Schema, Status

from qms.api import Invalid, Message, Resource, schema_of
from qms.gap import planning, readiness, workflow
from qms.gap.forms import AnswerForm, AssessmentForm, NewAssessmentForm
from qms.gap.linking import links_of
from qms.gap.models import Assessment, GapAnswer
from qms.people.models import Person
from qms.periods import EARLIEST, today
from qms.picking import shown
from qms.refusals import Refused


def of_assessment(rows: Any, request: HttpRequest) -> Any:
    """`?assessment=7` narrows the answers to one assessment."""
    asked = request.GET.get("assessment", "")
    return rows.filter(assessment_id=int(asked)) if asked.isascii() and asked.isdigit() else rows


assessments = Resource(
    "assessments",
    Assessment,
    fields=("number", "title", "edition", "delta_from", "status", "completed_on"),
    form=NewAssessmentForm,
    edit_form=AssessmentForm,
    create=workflow.start_assessment,
)
answers = Resource(
    "gap-answers",
    GapAnswer,
    fields=(
        "assessment",
        "clause",
        "rating",
        "evidence",
        "linked",
        "note",
        "copy_checked",
        "assessor",
        "earlier",
        "taken_over",
        "answered_by",
        "answered_on",
    ),
    filters=of_assessment,
)
Body = schema_of("GapAnswerBody", AnswerForm.base_fields)


class AnswerRequest(Body):  # type: ignore[misc, valid-type]
    """An answer, with the version it was made on."""

    version: int


def answer_clause(request: HttpRequest, pk: int, values: AnswerRequest) -> Any:
    """Rate one clause; what the page refuses is refused here in the same words."""
    person = _allowed(request, workflow.ANSWER)
    found = answers.found(request, pk)
    given = {name: value for name, value in values.dict().items() if value is not None}
    linked = shown(links_of([found]).get(found.pk, []), person).values()
    known = [each.record for each in linked if each.record is not None]
    form = AnswerForm(given, by=person, known=known)
    if not form.is_valid():
        raise Invalid(form)
    changes = form.changes()
    if "copy_checked" not in given:
        changes.pop("copy_checked")
    workflow.answer(found, by=person, version=values.version, **changes)
    return answers._shown(found)


def _allowed(request: HttpRequest, permission: str) -> Person:
    person: Any = request.user
    if not person.has_perm(permission):
        raise PermissionDenied
    return person


answers._declare(
    "POST",
    "/{int:pk}/answer/",
    answer_clause,
    workflow.ANSWER,
    response={200: answers.read_schema, 403: Message, 404: Message, 409: Message, 422: Message},
    summary="Rate one clause",
    operation_id="gap-answers_answer",
)


def begin_delta(request: HttpRequest, pk: int) -> Any:
    """Start a look at the next edition from this completed assessment."""
    person = _allowed(request, "gap.add_assessment")
    earlier = assessments.found(request, pk)
    return Status(201, assessments._shown(workflow.start_delta(by=person, earlier=earlier)))


assessments._declare(
    "POST",
    "/{int:pk}/delta/",
    begin_delta,
    "gap.add_assessment",
    response={201: assessments.read_schema, 403: Message, 404: Message, 422: Message},
    summary="Start a delta assessment of the next edition",
    operation_id="assessments_delta",
)


class Sharing(Schema):
    """Clauses or chapters ("2026:7", "2026:9.2.2"), and who assesses them; null takes them back."""

    parts: list[str]
    person: int | None = None


class Shared(Schema):
    """How many clauses changed hands."""

    changed: int


def share_out(request: HttpRequest, pk: int, values: Sharing) -> Any:
    """Ask a person to assess clauses."""
    by = _allowed(request, "gap.change_assessment")
    assessment = assessments.found(request, pk)
    person = None
    if values.person is not None:
        person = Person.objects.people().filter(pk=values.person).first()
        if person is None:
            raise Refused("There is no such person.", field="person")
    return {"changed": workflow.assign(assessment, by=by, person=person, parts=values.parts)}


assessments._declare(
    "POST",
    "/{int:pk}/assign/",
    share_out,
    "gap.change_assessment",
    response={200: Shared, 403: Message, 404: Message, 422: Message},
    summary="Ask a person to assess clauses",
    operation_id="assessments_assign",
)


class PlannedAction(Schema):
    """An action of a roadmap with its promised and its realistic days."""

    action: int
    number: str
    owner: int
    effort: Decimal | None
    needs: list[int]
    promised: date
    starts: date
    ends: date
    done: bool


class RoadmapAnswer(Schema):
    """The whole roadmap, the earliest action first, and what it comes to in a sentence."""

    sentence: str
    promised_end: date | None
    realistic_end: date | None
    actions: list[PlannedAction]


def show_roadmap(request: HttpRequest, pk: int) -> Any:
    """When the roadmap of an assessment really ends."""
    _allowed(request, "gap.view_assessment")
    planned = planning.roadmap_of(assessments.found(request, pk))
    plan = planning.laid_out(planned, today=today())
    return {
        "sentence": planning.in_a_sentence(planned, plan, today()),
        "promised_end": plan.promised_end,
        "realistic_end": plan.realistic_end,
        "actions": [
            {
                "action": each.task.key,
                "number": planned.actions[each.task.key].number,
                "owner": each.task.owner,
                "effort": each.task.effort,
                "needs": list(each.task.needs),
                "promised": each.task.due,
                "starts": each.start,
                "ends": each.end,
                "done": each.is_done,
            }
            for each in plan.placed
        ],
    }


assessments._declare(
    "GET",
    "/{int:pk}/roadmap/",
    show_roadmap,
    "gap.view_assessment",
    response={200: RoadmapAnswer, 403: Message, 404: Message, 422: Message},
    summary="The roadmap with its realistic end",
    operation_id="assessments_roadmap",
)


class ReadinessQuery(Schema):
    """The day at whose end the records are looked at, and the edition; today and ours if left."""

    on: date | None = None
    edition: Literal["2015", "2026"] | None = None


class Shows(Schema):
    """Records of one kind that show something for a clause."""

    what: str
    count: int


class StandingAnswer(Schema):
    """One clause on that day."""

    clause: str
    title: str
    status: str
    shown: list[Shows]
    blockers: list[str]
    not_applicable_because: str


class ReadinessAnswer(Schema):
    """Every assessable clause as the records stood at the end of a day."""

    edition: str
    day: date
    rows: list[StandingAnswer]


def show_readiness(request: HttpRequest, asked: Query[ReadinessQuery]) -> Any:
    """What the records show for each clause at the end of a day."""
    person = _allowed(request, "gap.view_assessment")
    day = asked.on or today()
    if day > today():
        raise Refused("What will be on record nobody knows yet. Ask for a day up to today.")
    edition = asked.edition or readiness.edition_in_use(max(day, EARLIEST))
    found = readiness.readiness(edition, day, person)
    return {
        "edition": edition,
        "day": day,
        "rows": [
            {
                "clause": row.clause.number,
                "title": row.clause.title,
                "status": row.status,
                "shown": [{"what": each.what, "count": each.count} for each in row.shown],
                "blockers": [each.sentence for each in row.blockers],
                "not_applicable_because": row.why_not,
            }
            for row in found.rows
        ],
    }


assessments._declare(
    "GET",
    "/readiness/",
    show_readiness,
    "gap.view_assessment",
    response={200: ReadinessAnswer, 403: Message, 422: Message},
    summary="What the records show for each clause at the end of a day",
    operation_id="readiness",
)
