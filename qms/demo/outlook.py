"""The context, risks, opportunities and changes of a demo company, as its file tells them.

Issues and parties are looked at each year, a risk goes down when its actions are done, one change
does not work. Months count from the start of the company's life.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.changes import workflow as changes
from qms.changes.models import Change
from qms.demo.life import Life, stage
from qms.risks import workflow as risks
from qms.risks.models import Opportunity, Risk
from qms.scope import workflow as scope
from qms.workflow import amend

YEAR = 12
CONFIRMED = "Looked at in the yearly meeting."


@stage(32)
def the_context_is_written(life: Life) -> None:
    """Issues, parties and requirements are written down, and looked at each year."""
    told = life.told["context"]
    for issue in told["issues"]:
        life.on(life.month(issue["month"]), partial(_issue, life, issue))
    for party in told["parties"]:
        life.on(life.month(party["month"]), partial(_party, life, party))
    for each in told["climate"]:
        life.on(life.month(each["month"]), partial(_climate, life, each))
    for requirement in told["requirements"]:
        life.on(life.month(requirement["month"]), partial(_requirement, life, requirement))


def _yearly(life: Life, record: Any, confirm: Callable[..., Any]) -> None:
    """Whoever owns it looks at it a little before or after its day, every year."""
    day = record.review_on + timedelta(days=life.chance.choice([-9, -3, 0, 2]))

    def look() -> None:
        record.refresh_from_db()
        if not record.is_settled:
            confirm(record, by=record.owner, review_on=None)
            _yearly(life, record, confirm)

    life.on(day, look)


def _issue(life: Life, told: dict[str, Any]) -> None:
    issue = scope.raise_issue(
        by=life.who("quality"),
        what=told["what"],
        kind=told.get("kind", "external"),
        category=told["category"],
        why=told["why"],
        effect=told.get("effect", ""),
        owner=life.who(told["owner"]),
    )
    _yearly(life, issue, scope.confirm_issue)
    if "closed" in told:
        month, why = told["closed"]
        life.on(
            life.month(month), lambda: scope.close_issue(issue, by=life.who("quality"), reason=why)
        )
    if "changed" in told:
        month, effect = told["changed"]
        life.on(life.month(month), lambda: _amend(life, issue, effect))


def _amend(life: Life, issue: Any, effect: str) -> None:
    changed = {"effect": effect}
    amend(issue, by=life.who("quality"), changes=changed, reason="It weighs more than a year ago.")


def _party(life: Life, told: dict[str, Any]) -> None:
    by = life.who("quality")
    party = scope.add_party(
        by=by, name=told["name"], kind=told["kind"], why=told["why"], owner=life.who(told["owner"])
    )
    for what, addressed, how, *climate in told["needs"]:
        scope.add_need(
            by=by,
            party=party,
            what=what,
            addressed=addressed,
            how=how,
            about_climate=bool(climate),
        )
    _yearly(life, party, scope.confirm_party)


def _climate(life: Life, told: dict[str, Any]) -> None:
    scope.decide_climate(by=life.who("ceo"), relevant=told["relevant"], reason=told["reason"])


def _requirement(life: Life, told: dict[str, Any]) -> None:
    made = scope.register_requirement(
        by=life.who("quality"),
        what=told["what"],
        kind=told["kind"],
        source=told["source"],
        how_met=told["how"],
        owner=life.who(told["owner"]),
        processes=[life.processes[code] for code in told["processes"]],
    )
    _yearly(life, made, scope.confirm_requirement)


# Risks and opportunities


@stage(45)
def risks_and_opportunities_are_seen(life: Life) -> None:
    """Each is evaluated, decided, acted on and looked at again."""
    for told in life.told["risks"]:
        life.on(life.month(told["month"]), partial(_seen, life, told, Risk))
    for told in life.told["opportunities"]:
        life.on(life.month(told["month"]), partial(_seen, life, told, Opportunity))


def _seen(life: Life, told: dict[str, Any], kind: Any) -> None:
    identify = risks.identify_risk if kind is Risk else risks.identify_opportunity
    process = life.processes[told["process"]]
    record = identify(
        by=life.who("quality"),
        title=told["title"],
        description=told["description"],
        owner=life.who(told["owner"]),
        process=process,
        touches=[process],
    )
    life.after(4, partial(_evaluate, life, told, record))


def _evaluate(life: Life, told: dict[str, Any], record: Any) -> None:
    if "first" not in told:
        return
    evaluate = risks.evaluate_risk if isinstance(record, Risk) else risks.evaluate_opportunity
    first, second, why = told["first"]
    evaluate(record, by=record.owner, first=first, second=second, why=why)
    if "decision" in told:
        life.after(9, partial(_treat, life, told, record))


def _treat(life: Life, told: dict[str, Any], record: Any) -> None:
    treat = risks.treat_risk if isinstance(record, Risk) else risks.treat_opportunity
    action, days = told.get("action", ["", 0])
    by = record.owner if not record.is_high else life.who("quality")
    treat(
        record,
        by=by,
        decision=told["decision"],
        because=told.get("because", ""),
        action=action,
        action_owner=record.owner if action else None,
        action_due=life.day() + timedelta(days=days) if action else None,
    )
    if action:
        life.after(days + life.chance.choice([-6, -2, 3, 12]), partial(_acted, life, told, record))
    elif "residual" in told:
        life.after(360, partial(_look, life, told, record))


def _acted(life: Life, told: dict[str, Any], record: Any) -> None:
    for action in Action.objects.raised_from(record).open():
        actions.complete(action, by=action.owner, result=told.get("result", "Done and in use."))
        judge = _another(life, action.owner)
        life.after(4, partial(actions.verify, action, by=judge))
    if "residual" in told:
        life.after(60, partial(_look, life, told, record))


def _look(life: Life, told: dict[str, Any], record: Any) -> None:
    first, second, why = told["residual"]
    record.refresh_from_db()
    if isinstance(record, Risk):
        risks.evaluate_risk_again(by=record.owner, risk=record, first=first, second=second, why=why)
    else:
        risks.evaluate_opportunity_again(
            by=record.owner, opportunity=record, first=first, second=second, why=why
        )
    life.after(330, partial(_look_each_year, life, told, record))
    if "verdict" in told:
        life.after(6, partial(_judge, life, told, record))


def _look_each_year(life: Life, told: dict[str, Any], record: Any) -> None:
    """Nothing changed: the same evaluation again, which moves the day by a year."""
    first, second, _why = told["residual"]
    said = {"first": first, "second": second, "why": CONFIRMED}
    record.refresh_from_db()
    if isinstance(record, Risk):
        risks.evaluate_risk_again(by=record.owner, risk=record, **said)
    else:
        risks.evaluate_opportunity_again(by=record.owner, opportunity=record, **said)
    life.after(340, partial(_look_each_year, life, told, record))


def _judge(life: Life, told: dict[str, Any], record: Any) -> None:
    judge = risks.risk_is_treated if isinstance(record, Risk) else risks.opportunity_paid
    judge(record, by=_another(life, record.owner), verdict=told["verdict"])


def _another(life: Life, person: Any) -> Any:
    """Somebody who may judge, and is not this person."""
    choices = (life.who("quality"), life.who("operations"), life.who("ceo"))
    return next(each for each in choices if each != person)


# Changes


@stage(46)
def changes_are_planned(life: Life) -> None:
    """Each is planned, approved by another, carried out and judged."""
    for told in life.told["changes"]:
        life.on(life.month(told["month"]), partial(_plan, life, told))


def _plan(life: Life, told: dict[str, Any]) -> None:
    owner = life.who(told["owner"])
    change = changes.plan_change(
        by=owner,
        owner=owner,
        title=told["title"],
        starts_on=life.day() + timedelta(days=20),
        due=life.day() + timedelta(days=20 + told["days"]),
        touches=[life.processes[code] for code in told["processes"]],
        **{name: told[name] for name in ("purpose", *changes.ASKED)},
    )
    if told.get("waits"):
        return
    chief = next(each for each in (life.who("ceo"), life.who("operations")) if each != owner)
    life.after(8, lambda: changes.approve(change, by=chief, proof=life.sign(chief)))
    life.after(20, lambda: changes.begin(change, by=owner))
    life.after(20 + told["days"] - 3, partial(_finish, life, told, change))


def _finish(life: Life, told: dict[str, Any], change: Change) -> None:
    if "result" not in told:
        return
    changes.finish(change, by=change.owner, result=told["result"])
    judge = changes.close_without_effect if told.get("missed") else changes.confirm_effective
    by = _another(life, change.owner)
    life.on(change.check_on, lambda: judge(change, by=by, verdict=told["verdict"]))
