"""The journey at `/api/v1/`: project, plan, briefings, opening answers, principles, clauses.

Clauses are no records: `/api/v1/clauses/2026/` lists an edition with its mapping, read-only.
"""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from qms import clauses
from qms.access import ANYONE_SIGNED_IN
from qms.api import Message, Operation, Resource, api, operations
from qms.clauses import EDITIONS
from qms.journey import catalogue, workflow
from qms.journey.forms import BriefingForm, NewBriefingForm
from qms.journey.models import Briefing, OpeningAnswer, PlanStep, PrincipleAnswer, Project

projects = Resource("projects", Project, fields=("starter", "starts_on", "months", "status"))
steps = Resource("plan-steps", PlanStep, fields=("project", "position", "step", "share"))
openings = Resource("opening-answers", OpeningAnswer, fields=("question", "text"))
principles = Resource(
    "principle-answers",
    PrincipleAnswer,
    fields=("question", "answer", "looked_at_on", "looked_at_by", "review_on"),
)
briefings = Resource(
    "briefings",
    Briefing,
    fields=(
        "number",
        "held_on",
        "topics",
        "hours",
        "budget",
        "currency",
        "decision",
        "conditions",
        "guests",
        "status",
        "signed_by",
        "signed_on",
    ),
    form=NewBriefingForm,
    edit_form=BriefingForm,
    create=workflow.record_briefing,
)

router = Router(tags=["clauses"])


class ClauseOut(Schema):
    """One clause in our own words, with where it is found in the other edition."""

    edition: str
    number: str
    title: str
    assessable: bool
    paraphrase: str
    documented_information: list[str]
    typical_evidence: list[str]
    questions: list[str]
    change: str
    counterparts: list[str]


def list_clauses(request: HttpRequest, edition: str) -> Any:
    """Every clause of an edition."""
    if edition not in EDITIONS:
        return Status(404, {"detail": "There is no such edition. Ask for 2015 or 2026."})
    return [_shown(each) for each in clauses.clauses(edition)]


def _shown(clause: clauses.Clause) -> dict[str, Any]:
    change = catalogue.change_of(clause.ref)
    return {
        "edition": clause.edition,
        "number": clause.number,
        "title": clause.title,
        "assessable": clause.assessable,
        "paraphrase": clause.paraphrase,
        "documented_information": [each.what for each in clause.documented_information],
        "typical_evidence": list(clause.typical_evidence),
        "questions": list(clause.questions),
        "change": change.mapped.kind,
        "counterparts": [ref.key for ref in change.mapped.refs],
    }


router.add_api_operation(
    "/{edition}/",
    ["GET"],
    list_clauses,
    response={200: list[ClauseOut], 404: Message},
    summary="List the clauses of an edition",
    operation_id="clauses_list",
)
operations.append(Operation("GET", "/api/v1/clauses/{edition}/", ANYONE_SIGNED_IN, "list_clauses"))
api.add_router("/clauses/", router)
