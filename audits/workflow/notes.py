"""The free line of inquiry: notes first, what they are afterwards (9.2.2, ISO 19011)."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied

from audits.models import Audit, AuditNote, ChecklistItem, Finding
from audits.workflow.checklists import answer as answer_question
from audits.workflow.findings import other_edition, record_finding
from audits.workflow.teams import only_the_team
from qms.people.models import Person
from qms.refusals import Refused
from qms.scope.models import Process
from qms.workflow import amendment, creates, transition, voids

Status = AuditNote.Status
MAY = "audits.conduct_audit"


def only_their_team(note: AuditNote, by: Any) -> str | None:
    return only_the_team(note.audit, by)


def the_audit_runs(note: AuditNote, by: Any) -> str | None:
    if note.audit.status == Audit.Status.IN_PROGRESS:
        return None
    return "The audit is not in progress; its notes stand as they are."


@creates(AuditNote, permission=MAY)
def take_note(
    audit: Audit, *, by: Person, words: str, clause: str = "", process: Process | None = None
) -> AuditNote:
    """Write down what was seen or heard; what it is may be said later."""
    locked = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
    if why := only_the_team(locked, by):
        raise PermissionDenied(why)
    if locked.status != Audit.Status.IN_PROGRESS:
        raise Refused("Start the audit first; notes are taken while it is in progress.")
    if not words.strip():
        raise Refused("Write down what you saw or heard.", field="words")
    if why := other_edition(locked, clause):
        raise Refused(why, field="clause")
    note = AuditNote(
        audit=locked, words=words.strip(), clause=clause, process=process, created_by=by
    )
    note.save()
    return note


def stays_in_the_edition(note: AuditNote, changed: Mapping[str, Any]) -> str | None:
    if "words" in changed and not str(changed["words"]).strip():
        return "Write down what you saw or heard."
    return other_edition(note.audit, str(changed.get("clause") or ""))


editing_note = amendment(
    AuditNote,
    permission=MAY,
    fields=("words", "clause", "process"),
    only=only_their_team,
    guards=[the_audit_runs],
    states=(Status.OPEN,),
    checks=[stays_in_the_edition],
)


def _lock_its_audit(note: AuditNote) -> None:
    Audit._base_manager.select_for_update(of=("self",)).get(pk=note.audit_id)


def _evidence(note: AuditNote) -> str:
    """The words of a note, with the process it was taken in where that is another one."""
    if note.process is None or note.process_id == note.audit.process_id:
        return note.words
    return f"{note.words}\n(Seen in {note.process.name}.)"


@transition(
    AuditNote,
    source=Status.OPEN,
    target=Status.FINDING,
    permission=MAY,
    only=only_their_team,
    guards=[the_audit_runs],
    locks=_lock_its_audit,
    details={"grade": forms.ChoiceField(label="Grade", choices=Finding.Grade.choices)},
    label="Make it a finding",
)
def make_finding(note: AuditNote, *, by: Any, grade: str) -> None:
    """Make a draft finding of it; the note becomes its evidence."""
    note.finding = record_finding(
        note.audit, by=by, grade=grade, evidence=_evidence(note), clause=note.clause
    )


@transition(
    AuditNote,
    source=Status.OPEN,
    target=Status.ANSWER,
    permission=MAY,
    only=only_their_team,
    guards=[the_audit_runs],
    locks=_lock_its_audit,
    details={
        "question": forms.IntegerField(label="Number of the question", min_value=1, max_value=9999),
        "answer": forms.ChoiceField(
            label="Answer",
            choices=[each for each in ChecklistItem.Answer.choices if each[0]],
        ),
    },
    label="Make it an answer",
    primary=False,
)
def make_answer(note: AuditNote, *, by: Any, question: int, answer: str) -> None:
    """Answer a question of the checklist with it; what was noted there stays before it."""
    item = note.audit.items.filter(position=question).first()
    if item is None:
        last = note.audit.items.count()
        raise Refused(f"There is no question {question}; the last one is {last}.", field="question")
    words = "\n".join(each for each in (item.note, _evidence(note)) if each)
    note.item = answer_question(item, by=by, answer=answer, note=words)


def only_theirs_or_who_wrote(note: AuditNote, by: Any) -> str | None:
    return None if by.pk == note.created_by_id else only_their_team(note, by)


void_note = voids(
    AuditNote, source=Status.OPEN, permission=MAY, guards=[the_audit_runs, only_theirs_or_who_wrote]
)
