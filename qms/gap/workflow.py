"""The gap assessment: judge each clause, give every gap an owner and a day, then complete it.

An assessment is completed only when every clause is judged and every gap is somebody's dated
action, so that it always leaves a roadmap behind (ISO 9001 4.4, 10.1).
"""

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from qms import clauses, contributions
from qms.actions.models import Action
from qms.actions.workflow import promise
from qms.contributions import Step
from qms.gap.models import Assessment, GapAnswer
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused, Stale
from qms.workflow import amendment, creates, transition, voids

ANSWER = "gap.answer_assessment"
Judgement = GapAnswer.Judgement


# Guards


def every_clause_is_judged(assessment: Assessment, by: Any) -> str | None:
    left = assessment.answers.filter(judgement=Judgement.OPEN).count()
    if left:
        return f"{left} clause{'' if left == 1 else 's'} {_is(left)} not assessed yet."
    return None


def every_gap_has_an_action(assessment: Assessment, by: Any) -> str | None:
    left = len(gaps_without_action(assessment))
    if left:
        return (
            f"{left} gap{'' if left == 1 else 's'} {'has' if left == 1 else 'have'} no action yet."
            " Plan what will be done, by whom and by when."
        )
    return None


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def gaps_without_action(assessment: Assessment) -> list[GapAnswer]:
    """The gaps nobody has promised to close, in the order of the standard."""
    gaps = list(assessment.answers.gaps())
    planned = set(actions_of(gaps).values_list("origin_id", flat=True))
    return sorted((g for g in gaps if g.pk not in planned), key=lambda gap: gap.ref)


def actions_of(answers: list[GapAnswer]) -> Any:
    """The actions promised for these gaps, without voided ones."""
    return Action.objects.raised_from(*answers).exclude(status=Action.Status.VOID)


# Factories


@creates(Assessment, permission="gap.add_assessment")
def start_assessment(*, by: Person, edition: str, title: str = "") -> Assessment:
    """A new assessment with an open answer for every clause that can be assessed."""
    going = Assessment.objects.filter(edition=edition, status="in_progress").first()
    if going:
        raise Refused(
            f"{going.number} is in progress for edition {edition}. Complete or void it first.",
            field="edition",
        )
    title = title.strip() or f"Gap assessment to {clauses.standard(edition)}"
    assessment = Assessment(title=title, edition=edition, created_by=by)
    assessment.save()
    for each in clauses.clauses(edition, assessable=True):
        GapAnswer(assessment=assessment, clause=each.key, created_by=by).save()
    return assessment


def answer(
    found: GapAnswer,
    *,
    by: Person,
    judgement: str,
    evidence: str = "",
    note: str = "",
    plan: str = "",
    owner: Person | None = None,
    due: date | None = None,
    version: int | None = None,
) -> GapAnswer:
    """Judge a clause; for a gap, `plan`, `owner` and `due` make the action that closes it.

    Raises PermissionDenied, Stale when somebody answered meanwhile, and Refused.
    """
    if not by.has_perm(ANSWER):
        raise PermissionDenied("Your role does not allow you to answer a gap assessment.")
    with db.atomic():
        assessment = Assessment._base_manager.select_for_update().get(pk=found.assessment_id)
        if assessment.status != Assessment.Status.IN_PROGRESS:
            shown = assessment.get_status_display().lower()
            raise Refused(f"{assessment.number} is {shown}. Start a new assessment instead.")
        locked: GapAnswer = GapAnswer._base_manager.select_for_update(of=("self",)).get(pk=found.pk)
        if version is not None and locked.version != version:
            raise Stale
        _check(judgement, evidence, note)
        locked.judgement, locked.evidence, locked.note = judgement, evidence.strip(), note.strip()
        judged = judgement != Judgement.OPEN
        locked.answered_by = by if judged else None
        locked.answered_on = today() if judged else None
        locked.save_because(f"Judged: {locked.get_judgement_display().lower()}.", by=by)
        if plan.strip() or owner or due:
            _promise(locked, by=by, plan=plan, owner=owner, due=due)
    found.refresh_from_db()
    return found


def _check(judgement: str, evidence: str, note: str) -> None:
    if judgement not in Judgement.values:
        raise Refused("Choose a judgement from the list.", field="judgement")
    if judgement == Judgement.MET and not evidence.strip():
        raise Refused("Say what shows it: a record, a document, an example.", field="evidence")
    if judgement in GapAnswer.GAPS and not note.strip():
        raise Refused("Say what is missing.", field="note")
    if judgement == Judgement.NOT_APPLICABLE and not note.strip():
        raise Refused("Say why it cannot apply to what you do.", field="note")


def _promise(
    gap: GapAnswer, *, by: Person, plan: str, owner: Person | None, due: date | None
) -> Action:
    if not gap.is_gap:
        raise Refused("Only a gap needs an action. Leave the plan empty.", field="plan")
    if not plan.strip():
        raise Refused("Say what will be done.", field="plan")
    if owner is None:
        raise Refused("Choose who will do it.", field="owner")
    if due is None:
        raise Refused("Give the day by which it is done.", field="due")
    if due < today():
        raise Refused("The day is past already; choose a later one.", field="due")
    return promise(
        by=by,
        title=plan,
        owner=owner,
        due=due,
        origin=gap,
        kind=Action.Kind.ROADMAP,
        description=f"{clauses.label(gap.clause)}: {gap.note}",
    )


# Transitions


@transition(
    Assessment,
    source=Assessment.Status.IN_PROGRESS,
    target=Assessment.Status.COMPLETED,
    permission="gap.change_assessment",
    guards=[every_clause_is_judged, every_gap_has_an_action],
    label="Complete",
)
def complete(assessment: Assessment, *, by: Any) -> None:
    """Complete it: the answers stay as they are, the roadmap goes on."""
    assessment.completed_on = today()


void = voids(Assessment, source=Assessment.Status.IN_PROGRESS, permission="gap.change_assessment")

editing = amendment(
    Assessment,
    permission="gap.change_assessment",
    fields=("title",),
    states=(Assessment.Status.IN_PROGRESS,),
)


@contributions.work(Assessment)
def next_steps(assessment: Assessment) -> list[Step]:
    """Who started it goes on with it."""
    if assessment.status != Assessment.Status.IN_PROGRESS:
        return []
    return [Step("continue", "Continue", person=assessment.created_by, remind=False)]
