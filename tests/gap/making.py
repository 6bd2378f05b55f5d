"""Short words for what the tests of gap do again and again."""

from datetime import timedelta
from typing import Any

from qms.gap import workflow
from qms.gap.models import Assessment, GapAnswer
from qms.people.models import Person
from qms.periods import today
from qms.work.workflow import refresh
from tests.many import repeat


def at(assessment: Assessment, number: str) -> GapAnswer:
    return assessment.answers.get(clause=f"{assessment.edition}:{number}")


def all_in_place(assessment: Assessment, by: Person) -> None:
    """Rate every open clause: the first by the procedure, the others as it left that one."""
    first = assessment.answers.filter(rating="open").order_by("pk").first()
    if first is None:
        return
    more: dict[str, Any] = {"copy_checked": True} if assessment.delta_from_id else {}
    rated = workflow.answer(first, by=by, rating="in_place", evidence="Seen.", **more)
    left = assessment.answers.filter(rating="open")
    written = ("rating", "evidence", "note", "answered_by", "answered_on", "taken_over")
    repeat(rated, left, *written, *more)
    refresh(assessment)


def gap(assessment: Assessment, number: str, by: Person, **more: Any) -> GapAnswer:
    return workflow.answer(
        at(assessment, number), by=by, rating="partly", note="Half is missing.", **more
    )


def planned(by: Person) -> dict[str, Any]:
    return {"plan": "Write it down", "owner": by, "due": today() + timedelta(days=30)}
