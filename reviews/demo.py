"""The management reviews of a demo company: prepared, held, signed; the next one is planned."""

from datetime import timedelta
from functools import partial
from typing import Any

from objectives.models import Objective
from qms.actions import workflow as actions
from qms.demo.life import Life, stage
from qms.workflow import amend
from reviews import workflow
from reviews.models import Review, ReviewInput

NO_CHANGE = "Nothing changed since the last review; looked at by those named in the minutes."


@stage(80)
def reviews_are_held(life: Life) -> None:
    """Each review of the company's file, and the next one planned ahead."""
    for told in life.told["reviews"]:
        life.on(life.month(told["month"]) - timedelta(days=30), partial(_plan, life, told))
    life.on(life.today - timedelta(days=12), lambda: _plan_next(life))


def _plan(life: Life, told: dict[str, Any]) -> None:
    day = life.moment(life.month(told["month"])).astimezone(life.zone).date()
    review = workflow.plan_review(
        by=life.who("quality"),
        chair=life.who("ceo"),
        planned_on=day,
        place=life.voice("reviews")["place"],
    )
    life.on(day - timedelta(days=6), lambda: _compile(life, review))
    life.at(life.moment(day, 10), lambda: _hold(life, review, told))


def _plan_next(life: Life) -> None:
    workflow.plan_review(
        by=life.who("quality"),
        chair=life.who("ceo"),
        planned_on=life.moment(life.today + timedelta(days=24)).astimezone(life.zone).date(),
        place=life.voice("reviews")["place"],
    )


def _compile(life: Life, review: Review) -> None:
    workflow.compile_inputs(review, by=life.who("quality"))
    life.after(1, lambda: _explain(life, review))


def _explain(life: Life, review: Review) -> None:
    """The quality manager adds what the records alone do not say."""
    for given in workflow.inputs_of(review):
        changes = _said(life, given)
        if given.required and changes:
            amend(given, by=life.who("quality"), changes=changes, reason="Prepared the review.")


def _said(life: Life, given: ReviewInput) -> dict[str, str]:
    voice = life.voice("reviews")
    said: str = voice["comments"].get(given.key, "")
    if said and given.key == "g":
        return {"comment": said, "comment_opportunities": voice["opportunities"]}
    if said:
        return {"comment": said}
    return {} if given.is_answered else {"no_change_because": NO_CHANGE}


def _hold(life: Life, review: Review, told: dict[str, Any]) -> None:
    workflow.hold(
        review,
        by=life.who("quality"),
        held_on=life.day(),
        attendees=life.cast("reviewing"),
        conclusions=life.voice("reviews")["conclusions"],
    )
    for kind, text, owner, days in told["decisions"]:
        due = life.day() + timedelta(days=days)
        decision = workflow.decide(
            by=life.who("quality"),
            review=review,
            kind=kind,
            text=text,
            owner=life.who(owner),
            due=due,
        )
        late = life.chance.choice([-9, -3, 0, 6])
        life.on(due + timedelta(days=late), partial(_act, life, decision))
    _answer(life, review)
    life.after(4, lambda: _sign(life, review))


def _answer(life: Life, review: Review) -> None:
    """Every objective is confirmed; what is off its way is revised, as the company says."""
    voice = life.voice("reviews")["objectives"]
    said = []
    for row in workflow.objectives_of(review):
        answer = "revised" if row.standing == "Off track" else "confirmed"
        said.append(workflow.Answered(row, answer, voice[answer]))
        if answer == "revised":
            life.after(9, partial(_revise, row.objective, voice["plan"]))
    workflow.answer_objectives(said, by=life.who("quality"))


def _revise(objective: Objective, plan: str) -> None:
    """The owner brings it into line with what the review wants, unless it ended meanwhile."""
    objective.refresh_from_db()
    if objective.status == Objective.Status.ACTIVE:
        changes = {"plan": f"{objective.plan}\n{plan}".strip()}
        amend(objective, by=objective.owner, changes=changes, reason="As the review wanted.")


def _act(life: Life, decision: Any) -> None:
    action = decision.action
    actions.complete(action, by=action.owner, result="Done, and shown to the quality manager.")
    judge = life.who("quality") if action.owner != life.who("quality") else life.who("operations")
    life.after(4, lambda: actions.verify(action, by=judge))


def _sign(life: Life, review: Review) -> None:
    chief = life.who("ceo")
    workflow.close(review, by=chief, proof=life.sign(chief))
