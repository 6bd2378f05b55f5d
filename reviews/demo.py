"""The management reviews of a demo company: prepared, held, signed; the next one is planned."""

from datetime import timedelta
from functools import partial
from typing import Any

from qms.actions import workflow as actions
from qms.demo.life import Life, stage
from qms.workflow import amend
from reviews import workflow
from reviews.models import Review, ReviewInput

COMMENTS = {
    "a": "The actions of the last review are done but one, which is delayed by a delivery.",
    "b": "Steel became dearer and two competitors left the market. Climate: relevant for our"
    " energy use and for customers who ask for figures; taken up in the plan.",
    "c": "Customers ask for certificates in digital form; the insurer asks for a recall drill.",
    "d4": "Satisfaction went up for the third time. What is criticised is waiting for answers.",
    "d6": "First pass yield and on-time delivery improve; scrap at cell 4 does not yet.",
    "d7": "The supplier of forgings improved after the visit; the one of gaskets is watched.",
    "e": "Ideas of the year: scanners in the warehouse, one board for all cells.",
    "f": "The test bench is at its limit; calibration needs half a person more.",
    "g": "The two largest risks, the single supplier of forgings and the old bench, went down.",
}
OPPORTUNITIES = "Repair kits sell well; the warehouse in Mississauga makes them possible."
NO_CHANGE = "Nothing changed since the last review; looked at by those named in the minutes."
CONCLUSIONS = (
    "The system is suitable, adequate and effective. It finds what goes wrong and mends most of it"
    " for good. Answers to customers and the test bench need attention."
)


@stage(80)
def reviews_are_held(life: Life) -> None:
    """Each review of the company's file, and the next one planned ahead."""
    for told in life.told["reviews"]:
        life.on(life.month(told["month"]) - timedelta(days=30), partial(_plan, life, told))
    life.on(life.today - timedelta(days=12), lambda: _plan_next(life))


def _plan(life: Life, told: dict[str, Any]) -> None:
    day = life.moment(life.month(told["month"])).astimezone(life.zone).date()
    review = workflow.plan_review(
        by=life.who("quality"), chair=life.who("ceo"), planned_on=day, place="Hamilton plant"
    )
    life.on(day - timedelta(days=6), lambda: _compile(life, review))
    life.at(life.moment(day, 10), lambda: _hold(life, review, told))


def _plan_next(life: Life) -> None:
    workflow.plan_review(
        by=life.who("quality"),
        chair=life.who("ceo"),
        planned_on=life.moment(life.today + timedelta(days=24)).astimezone(life.zone).date(),
        place="Hamilton plant",
    )


def _compile(life: Life, review: Review) -> None:
    workflow.compile_inputs(review, by=life.who("quality"))
    life.after(1, lambda: _explain(life, review))


def _explain(life: Life, review: Review) -> None:
    """The quality manager adds what the records alone do not say."""
    for given in workflow.inputs_of(review):
        changes = _said(given)
        if given.required and changes:
            amend(given, by=life.who("quality"), changes=changes, reason="Prepared the review.")


def _said(given: ReviewInput) -> dict[str, str]:
    if given.key == "g":
        return {"comment": COMMENTS["g"], "comment_opportunities": OPPORTUNITIES}
    if given.key in COMMENTS:
        return {"comment": COMMENTS[given.key]}
    return {} if given.is_answered else {"no_change_because": NO_CHANGE}


def _hold(life: Life, review: Review, told: dict[str, Any]) -> None:
    workflow.hold(
        review,
        by=life.who("quality"),
        held_on=life.day(),
        attendees=[
            life.who(key)
            for key in ("ceo", "operations", "quality", "production", "fulfilment", "purchasing")
        ],
        conclusions=CONCLUSIONS,
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
    life.after(4, lambda: _sign(life, review))


def _act(life: Life, decision: Any) -> None:
    action = decision.action
    actions.complete(action, by=action.owner, result="Done, and shown to the quality manager.")
    judge = life.who("quality") if action.owner != life.who("quality") else life.who("operations")
    life.after(4, lambda: actions.verify(action, by=judge))


def _sign(life: Life, review: Review) -> None:
    chief = life.who("ceo")
    workflow.close(review, by=chief, proof=life.sign(chief))
