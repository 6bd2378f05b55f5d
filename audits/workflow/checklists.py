"""The questions of an audit, where they come from and how they are answered (9.2.2)."""

from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction as db
from django.db.models import Max

from audits.models import (
    Audit,
    ChecklistItem,
    ChecklistTemplate,
)
from audits.models.checklists import numbered_lines
from audits.questions import proposed_for
from audits.workflow.teams import only_the_team
from qms import clauses, clock
from qms.clauses import ClauseRef
from qms.people.models import Person
from qms.providers.models import Provider
from qms.records import insert_together
from qms.refusals import Refused, Stale
from qms.workflow import amendment, creates, transition

Status = Audit.Status
Source = ChecklistItem.Source
BEFORE_THE_REPORT = (Status.PLANNED, Status.CONFIRMED, Status.IN_PROGRESS)
MOST_QUESTIONS = 300


def there_is_a_checklist(audit: Audit, by: Any) -> str | None:
    """Our auditors have questions; a customer's bring their own."""
    if audit.is_theirs or audit.items.exists():
        return None
    return "Prepare the checklist first."


def every_question_is_answered(audit: Audit, by: Any) -> str | None:
    left = audit.items.filter(answer="").count()
    if left:
        return f"{left} question{'s are' if left > 1 else ' is'} still open."
    return None


def draft_checklist(audit: Audit, *, by: Person) -> None:
    """What is agreed with a provider, then what the catalogue asks for the audit's clauses."""
    if audit.is_theirs:
        return
    asked = [
        {
            "clause": key,
            "question": question,
            "source": Source.CLAUSE,
            "origin": f"Clause {ClauseRef.parse(key).number}",
        }
        for key in audit.clauses
        for question in clauses.clause(key).questions
    ]
    if audit.provider is not None:
        asked = [*_agreed(audit.provider), *asked]
    insert_together(
        [
            ChecklistItem(audit=audit, position=position, created_by=by, **said)
            for position, said in enumerate(asked, start=1)
        ]
    )


def _agreed(provider: Provider) -> list[dict[str, str]]:
    """A question for each criterion the provider is evaluated by."""
    return [
        {
            "question": f"How is it met, and what shows it: {criterion}?",
            "source": Source.AGREED,
            "origin": f"Criteria of {provider.number}",
            "origin_url": provider.get_absolute_url(),
        }
        for criterion in provider.criteria_list
    ]


def add_question(audit: Audit, *, by: Person, question: str, clause: str = "") -> ChecklistItem:
    """Add a question of one's own."""
    if not by.has_perm("audits.conduct_audit"):
        raise PermissionDenied(MAY_NOT_CHANGE)
    if not question.strip():
        raise Refused("Write the question.", field="question")
    with db.atomic():
        locked = _open_to_questions(audit)
        item = ChecklistItem(
            audit=locked,
            position=_last(locked) + 1,
            clause=clause,
            question=question.strip(),
            source=Source.OWN,
            created_by=by,
        )
        item.save()
    return item


MAY_NOT_CHANGE = "Your role does not allow you to change a checklist."


def _open_to_questions(audit: Audit) -> Audit:
    """The audit, locked; refuses one whose report is issued."""
    locked: Audit = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
    if locked.status not in BEFORE_THE_REPORT:
        raise Refused("The report is issued; its checklist stands.")
    return locked


def _last(audit: Audit) -> int:
    return audit.items.aggregate(last=Max("position"))["last"] or 0


def take_over_questions(
    audit: Audit, *, by: Person, chosen: Collection[str]
) -> list[ChecklistItem]:
    """Add the chosen of the proposed questions, by their keys; what is asked already is left out.

    Raises Stale where none of them is proposed any more, Refused and PermissionDenied in words.
    """
    if not by.has_perm("audits.conduct_audit"):
        raise PermissionDenied(MAY_NOT_CHANGE)
    if not chosen:
        raise Refused("Choose the questions to take over.")
    with db.atomic():
        locked = _open_to_questions(audit)
        taken = [each for each in proposed_for(locked, by) if each.key in chosen]
        if not taken:
            raise Stale("These questions are in the checklist already, or their facts changed.")
        last = _last(locked)
        if last + len(taken) > MOST_QUESTIONS:
            raise Refused(f"A checklist has at most {MOST_QUESTIONS} questions. Choose fewer.")
        items = [
            ChecklistItem(
                audit=locked,
                position=position,
                clause=each.clause,
                question=each.words,
                source=each.source,
                origin=each.origin[:200],
                origin_url=each.url,
                created_by=by,
            )
            for position, each in enumerate(taken, start=last + 1)
        ]
        insert_together(items)
    return items


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


# Templates


MAY_KEEP = "audits.change_checklisttemplate"


def unfit_questions(text: str, edition: str) -> str | None:
    """Why these lines cannot be asked in an edition; None when they can."""
    lines = list(numbered_lines(text))
    if not lines:
        return "Write at least one question, one a line."
    if len(lines) > MOST_QUESTIONS:
        return f"A template has at most {MOST_QUESTIONS} questions. Make two of it."
    known = {each.ref.number for each in clauses.clauses(edition)}
    for at, (number, _words) in enumerate(lines, start=1):
        if number and number not in known:
            return (
                f"Question {at} begins with {number}, which the {edition} edition does not have."
                " Correct the number, or leave it out."
            )
    return None


def template_name_is_taken(template: ChecklistTemplate, name: str) -> str | None:
    others = ChecklistTemplate.objects.exclude(pk=template.pk)
    if others.filter(name__iexact=name).exists():
        return "A template of that name is here already; edit it, or choose another name."
    return None


@creates(ChecklistTemplate, permission=MAY_KEEP)
def keep_template(
    *, by: Person, name: str, edition: str, questions: str, process_kind: str = ""
) -> ChecklistTemplate:
    """Keep questions as a template for a kind of process, or for all."""
    template = ChecklistTemplate(
        name=name.strip(),
        edition=edition,
        questions=questions,
        process_kind=process_kind,
        created_by=by,
    )
    if why := template_name_is_taken(template, template.name):
        raise Refused(why, field="name")
    if why := unfit_questions(questions, edition):
        raise Refused(why, field="questions")
    template.save()
    return template


def questions_of(audit: Audit) -> str:
    """The questions of an audit as a template writes them; never an answer."""
    told = []
    for clause, question in audit.items.order_by("position").values_list("clause", "question"):
        words = " ".join(question.split())
        told.append(f"{ClauseRef.parse(clause).number} {words}" if clause else words)
    return "\n".join(told)


def template_holds(template: ChecklistTemplate, changed: Mapping[str, Any]) -> str | None:
    if "name" in changed and (why := template_name_is_taken(template, changed["name"])):
        return why
    if {"edition", "questions"} & set(changed):
        edition = changed.get("edition", template.edition)
        return unfit_questions(changed.get("questions", template.questions), edition)
    return None


editing_template = amendment(
    ChecklistTemplate,
    permission=MAY_KEEP,
    fields=("name", "edition", "process_kind", "questions"),
    states=(ChecklistTemplate.Status.IN_USE,),
    checks=[template_holds],
)


@transition(
    ChecklistTemplate,
    source=ChecklistTemplate.Status.IN_USE,
    target=ChecklistTemplate.Status.RETIRED,
    permission=MAY_KEEP,
    label="Retire",
    primary=False,
)
def retire_template(template: ChecklistTemplate, *, by: Any) -> None:
    """Propose it for no audit any more; checklists that took it over keep its questions."""


@transition(
    ChecklistTemplate,
    source=ChecklistTemplate.Status.RETIRED,
    target=ChecklistTemplate.Status.IN_USE,
    permission=MAY_KEEP,
    label="Use again",
)
def use_template_again(template: ChecklistTemplate, *, by: Any) -> None:
    """Propose it for audits again."""
