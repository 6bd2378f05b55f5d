"""The questions of an audit and how they are answered (9.2.2)."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction as db
from django.db.models import Max

from audits.models import (
    Audit,
    ChecklistItem,
)
from audits.workflow.teams import only_the_team
from qms import clauses, clock
from qms.people.models import Person
from qms.records import insert_together
from qms.refusals import Refused, Stale

Status = Audit.Status


def there_is_a_checklist(audit: Audit, by: Any) -> str | None:
    return None if audit.items.exists() else "Prepare the checklist first."


def every_question_is_answered(audit: Audit, by: Any) -> str | None:
    left = audit.items.filter(answer="").count()
    if left:
        return f"{left} question{'s are' if left > 1 else ' is'} still open."
    return None


def draft_checklist(audit: Audit, *, by: Person) -> None:
    """One item for each question the catalogue asks for the audit's clauses."""
    asked = [(key, each) for key in audit.clauses for each in clauses.clause(key).questions]
    insert_together(
        [
            ChecklistItem(
                audit=audit, position=position, clause=key, question=question, created_by=by
            )
            for position, (key, question) in enumerate(asked, start=1)
        ]
    )


def add_question(audit: Audit, *, by: Person, question: str, clause: str = "") -> ChecklistItem:
    """Add a question of one's own."""
    if not by.has_perm("audits.conduct_audit"):
        raise PermissionDenied("Your role does not allow you to change a checklist.")
    if not question.strip():
        raise Refused("Write the question.", field="question")
    with db.atomic():
        locked = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
        if locked.status not in (Status.PLANNED, Status.CONFIRMED, Status.IN_PROGRESS):
            raise Refused("The report is issued; its checklist stands.")
        last = locked.items.aggregate(last=Max("position"))["last"] or 0
        item = ChecklistItem(
            audit=locked,
            position=last + 1,
            clause=clause,
            question=question.strip(),
            created_by=by,
        )
        item.save()
    return item


def answer(
    item: ChecklistItem, *, by: Person, answer: str, note: str = "", version: int | None = None
) -> ChecklistItem:
    """Record the answer to a question; only the team, only while the audit is in progress."""
    if not by.has_perm("audits.conduct_audit"):
        raise PermissionDenied("Your role does not allow you to conduct audits.")
    if answer not in ChecklistItem.Answer.values:
        raise Refused("Choose one of the answers.", field="answer")
    with db.atomic():
        audit = Audit._base_manager.select_for_update(of=("self",)).get(pk=item.audit_id)
        if why := only_the_team(audit, by):
            raise PermissionDenied(why)
        if audit.status != Status.IN_PROGRESS:
            raise Refused("Start the audit first; answers are recorded while it is in progress.")
        current = ChecklistItem._base_manager.select_for_update(of=("self",)).get(pk=item.pk)
        if version is not None and current.version != version:
            raise Stale
        current.answer, current.note = answer, note
        current.answered_by, current.happened_at = by, clock.now()
        current.save_because("Answered.", by=by)
    item.refresh_from_db()
    return item
