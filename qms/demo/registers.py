"""Providers, measuring equipment and customers of a demo company, through its three years.

Evaluated, calibrated and asked again and again (ISO 9001 8.4, 7.1.5, 9.1.2). Nothing here draws by
chance, so that the other chapters live the same life with it and without it.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.utils.text import slugify

from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.customers import workflow as customers
from qms.customers.models import Customer, Feedback, Survey
from qms.demo.life import Life, stage
from qms.equipment import workflow as equipment
from qms.equipment.models import ImpactAssessment
from qms.people.models import Person
from qms.periods import add_months
from qms.providers import workflow as providers
from qms.workflow import amend

EARLY = 6  # days before its date that most things are done
HOURS = (9.25, 10.5, 13.75, 14.5, 15.25)


def _at(life: Life, month: float, place: int, event: Callable[[], Any]) -> None:
    """Something happens at an hour of its own, so that a list reads like a life."""
    life.at(life.moment(life.month(month), HOURS[place % len(HOURS)]), event)


def _again(life: Life, due: date | None, ends: float, event: Callable[[], Any]) -> None:
    """The next time is a little before it is due; from the month `ends` on it is left."""
    if due is not None and due <= life.month(ends):
        life.at(life.moment(due - timedelta(days=EARLY), 11), event)


# External providers


@stage(25)
def providers_are_evaluated(life: Life) -> None:
    """Each is proposed, evaluated and decided; evaluations follow the interval."""
    for place, told in enumerate(life.told["providers"]):
        _at(life, told["month"], place, partial(_propose, life, told))


def _propose(life: Life, told: dict[str, Any]) -> None:
    made = providers.propose_provider(
        by=life.who(told["owner"]),
        owner=life.who(told["owner"]),
        name=told["name"],
        provides=told["provides"],
        kind=told.get("kind", "goods"),
        weight=told.get("weight", "middle"),
        contact=told.get("contact", "Sales desk"),
        every_months=told.get("every", 12),
        certificate=told.get("certificate", ""),
        certificate_until=add_months(life.today, told["until"]) if "until" in told else None,
        processes=[life.processes[code] for code in told["processes"]],
    )
    if told["scores"]:
        life.after(9, partial(_evaluate, life, told, made, 0))


def _evaluate(life: Life, told: dict[str, Any], made: Any, turn: int) -> None:
    scores, verdict, conclusion = told["scores"][turn]
    made.refresh_from_db()
    if made.is_settled:
        return
    by = life.who(told["owner"])
    said = {
        "results": dict(zip(made.criteria_list, str(scores), strict=True)),
        "verdict": verdict,
        "conclusion": conclusion,
    }
    evaluation = life.by_form(made, by=by, values=said) or providers.record_evaluation(
        made, by=by, evaluated_on=life.day(), **said
    )
    life.after(3, partial(_decide, life, told, made, verdict))
    if turn + 1 < len(told["scores"]):
        again = partial(_evaluate, life, told, made, turn + 1)
        _again(life, evaluation.next_due, told.get("ends", life.months + 1), again)


def _decide(life: Life, told: dict[str, Any], made: Any, verdict: str) -> None:
    """Approve, limit or suspend, as the evaluation says; what stands already is left."""
    by = life.who("quality")
    if made.owner == by:
        by = life.who("ceo")
    made.refresh_from_db()
    if verdict == "suitable" and made.status != "approved":
        providers.approve(made, by=by)
    elif verdict == "conditions" and made.status != "conditional":
        conditions = told.get("conditions", "Every delivery is checked until the next evaluation.")
        providers.approve_with_conditions(made, by=by, conditions=conditions)
    elif verdict == "unsuitable" and made.status in ("approved", "conditional"):
        providers.suspend(made, by=by, reason=told["suspended"])
    if "ended" in told and verdict == "unsuitable":
        life.after(40, lambda: providers.end(made, by=by, reason=told["ended"]))


# Measuring equipment


@stage(26)
def equipment_is_calibrated(life: Life) -> None:
    """Each is entered, calibrated and put into use; what is overdue goes out of use."""
    for place, told in enumerate(life.told["equipment"]):
        _at(life, told["month"], place, partial(_enter, life, told))
    for month in range(1, life.months + 1):
        _at(life, month, 0, lambda: equipment.lock_overdue(life.day()))


def _enter(life: Life, told: dict[str, Any]) -> None:
    given: dict[str, Any] = {
        name: Decimal(str(told[name])) for name in ("resolution", "tolerance") if name in told
    }
    made = equipment.enter_equipment(
        by=life.who("quality"),
        owner=life.who(told["owner"]),
        name=told["name"],
        measures=told["measures"],
        maker=told.get("maker", ""),
        serial=str(told.get("serial", "")),
        site=life.sites[told["site"]],
        location=told.get("at", ""),
        unit=told.get("unit", ""),
        span=told.get("range", ""),
        acceptance=told.get("for", ""),
        every_months=told.get("every"),
        **given,
    )
    if "every" not in told:
        equipment.put_into_use(made, by=made.owner)
    elif told["found"]:
        life.after(2, partial(_calibrate, life, told, made, 0))


def _calibrate(life: Life, told: dict[str, Any], made: Any, turn: int) -> None:
    found, *left = told["found"][turn]
    made.refresh_from_db()
    if made.is_settled:
        return
    failed = left == ["fail"]
    result = "fail" if failed else "adjusted" if left else "pass"
    done = equipment.record_calibration(
        made,
        by=made.owner,
        calibrated_on=life.day(),
        result=result,
        reference=told["reference"],
        laboratory=told.get("laboratory", ""),
        calibrated_by=None if told.get("laboratory") else made.owner,
        as_found=Decimal(str(found)),
        as_left=Decimal(str(left[0])) if result == "adjusted" else None,
        note=told.get("failed", "") if failed else "",
    )
    impact = ImpactAssessment.objects.filter(calibration=done).first()
    if impact is not None and "impact" in told:
        life.after(3, partial(_look_back, life, told["impact"], impact))
    if not failed and made.status == "out_of_use":
        equipment.put_into_use(made, by=made.owner)
    if failed and "retired" in told:
        reason = told["retired"]
        life.after(30, lambda: equipment.retire(made, by=life.who("quality"), reason=reason))
    elif turn + 1 < len(told["found"]):
        again = partial(_calibrate, life, told, made, turn + 1)
        if failed:
            life.after(16, again)
        else:
            _again(life, done.next_due, told.get("ends", life.months + 1), again)


def _look_back(life: Life, told: dict[str, Any], impact: ImpactAssessment) -> None:
    amend(impact, by=impact.owner, changes={"measured": told["measured"]})
    if "conclusion" in told:
        life.after(6, partial(_conclude, life, told, impact))


def _conclude(life: Life, told: dict[str, Any], impact: ImpactAssessment) -> None:
    by = life.who("quality")
    proof = life.sign(by)
    if "consequences" not in told:
        equipment.find_valid(impact, by=by, proof=proof, conclusion=told["conclusion"])
        return
    equipment.find_not_valid(
        impact,
        by=by,
        proof=proof,
        conclusion=told["conclusion"],
        consequences=told["consequences"],
    )
    for title, owner, days, result in told.get("actions", []):
        action = equipment.plan_step(
            impact,
            by=by,
            title=title,
            owner=life.who(owner),
            due=life.day() + timedelta(days=days),
        )
        life.after(days - 1, partial(_act, life, action, result))


def _act(life: Life, action: Action, result: str) -> None:
    action.refresh_from_db()
    actions.complete(action, by=action.owner, result=result)
    life.after(2, lambda: actions.verify(action, by=life.who("quality")))


# Customers


@stage(27)
def customers_are_asked(life: Life) -> None:
    """Each is entered and asked again and again."""
    for place, told in enumerate(life.told["customers"]):
        _at(life, told["month"], place, partial(_serve, life, told))


def _serve(life: Life, told: dict[str, Any]) -> None:
    made = customers.enter_customer(
        by=life.who(told["owner"]),
        owner=life.who(told["owner"]),
        name=told["name"],
        buys=told["buys"],
        special=told.get("special", ""),
        contact=told.get("contact", "Purchasing desk"),
        email=f"quality@{slugify(told['name'])}.example",
        every_months=told.get("every", 12),
    )
    if told["heard"]:
        life.after(told.get("first", 60), partial(_ask, life, told, made, 0))


def _ask(life: Life, told: dict[str, Any], made: Any, turn: int) -> None:
    verdict, source, heard, *follows = told["heard"][turn]
    made.refresh_from_db()
    if made.is_settled:
        return
    done = customers.record_review(
        made,
        by=life.who(told["owner"]),
        reviewed_on=life.day(),
        verdict=verdict,
        source=source,
        heard=heard,
        follows=follows[0] if follows else "",
    )
    if turn + 1 < len(told["heard"]):
        again = partial(_ask, life, told, made, turn + 1)
        _again(life, done.next_due, told.get("ends", life.months + 1), again)
    elif "ended" in told:
        by = life.who("quality")
        life.after(45, lambda: customers.end(made, by=by, reason=told["ended"]))


@stage(28)
def customers_are_surveyed(life: Life) -> None:
    """Surveys go to everybody served then; who answers what stands in the company's file."""
    for place, told in enumerate(life.told["surveys"]):
        _at(life, told["month"], place, partial(_survey, life, told))


def _survey(life: Life, told: dict[str, Any]) -> None:
    by = life.who(told["owner"])
    survey = customers.draft_survey(
        by=by,
        title=told["title"],
        about=told.get("about", ""),
        greeting=told.get("greeting", ""),
        questions=told.get("question", ""),
        closes_on=life.day() + timedelta(days=28),
        customers=Customer.objects.open(),
    )
    life.after(1, lambda: customers.open_survey(survey, by=by))
    for place, said in enumerate(told["answers"]):
        life.after(3 + 2 * place, partial(_answer, survey, place, said))
    life.after(18, partial(_remind, survey, by))
    life.after(31, lambda: customers.close_survey(survey, by=by))


def _remind(survey: Survey, by: Any) -> None:
    """Who has not answered is reminded, once; where everybody has, nobody is."""
    survey.refresh_from_db()
    if not customers.remind.obstacles(survey, by):
        customers.remind(survey, by=by)


def _answer(survey: Survey, place: int, said: list[Any]) -> None:
    """The customer of that place answers, where there are so many."""
    satisfaction, recommendation, *words = said
    asked = list(survey.invitations.order_by("pk"))
    if place < len(asked):
        customers.answer_survey(
            asked[place],
            by=Person.objects.system(),
            satisfaction=satisfaction,
            recommendation=recommendation,
            comment=words[0] if words else "",
        )


@stage(29)
def customers_speak(life: Life) -> None:
    """What customers say unasked; complaints are answered within days."""
    for place, told in enumerate(life.told["feedback"]):
        _at(life, told["month"], place, partial(_hear, life, told))


def _hear(life: Life, told: dict[str, Any]) -> None:
    made = customers.take_feedback(
        by=life.who(told["by"]),
        customer=Customer.objects.open().filter(name=told["who"]).first(),
        said_by=told["who"],
        heard_on=life.day(),
        kind=told["kind"],
        came_by=told["came_by"],
        about=told.get("about", ""),
        words=told["words"],
    )
    if "follows" in told:
        life.after(4, partial(_reply, life, made, told["follows"]))


def _reply(life: Life, made: Feedback, follows: str) -> None:
    made.refresh_from_db()
    if made.status == Feedback.Status.HEARD:
        customers.answer_feedback(made, by=life.who("quality"), follows=follows)
