"""The objectives of a demo company, with a reading for every month."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from objectives import workflow
from objectives.models import Objective
from qms.demo.life import Life, stage
from qms.periods import add_months
from qms.refusals import Refused


@stage(50)
def objectives_are_set(life: Life) -> None:
    """Each objective is set in its month and measured at the start of every following one."""
    for told in life.told["objectives"]:
        life.on(life.month(told["from"]), partial(_set, life, told))


def _set(life: Life, told: dict[str, Any]) -> None:
    owner, voice = life.who(told["owner"]), life.voice("objectives")
    by = owner if owner.has_perm("objectives.add_objective") else life.who("quality")
    objective = workflow.set_objective(
        by=by,
        title=told["title"],
        starts_on=life.day().replace(day=1),
        process=life.processes[told["process"]],
        owner=owner,
        policy_commitment=voice["commitment"],
        metric=told["metric"],
        unit=told["unit"],
        decimals=told["decimals"],
        direction=told["direction"],
        baseline=Decimal(told["baseline"]),
        target=Decimal(told["target"]),
        lower_band=Decimal(told["lower"]) if "lower" in told else None,
        upper_band=Decimal(told["upper"]) if "upper" in told else None,
        deadline=_last_of_month(life.month(told["until"])),
        frequency="monthly",
        plan="The process owner agrees the steps with the team and looks at them every month.",
        resources="Two hours a month of the process owner; what the review grants.",
        evaluation=voice["evaluation"],
        communicated_to=voice["communicated"],
    )
    life.after(3, lambda: workflow.activate(objective, by=life.who("operations")))
    month = add_months(life.day().replace(day=1), 1)
    _next_reading(life, objective, told, month, 0)


def _last_of_month(day: date) -> date:
    return add_months(day.replace(day=1), 1) - timedelta(days=1)


def _next_reading(
    life: Life, objective: Objective, told: dict[str, Any], month: date, count: int
) -> None:
    """The value of a month is entered in the first days of the next; rarely somewhat late."""
    late = 11 if life.often(0.06) else life.chance.randint(1, 5)
    life.on(month + timedelta(days=late), lambda: _enter(life, objective, told, month, count))


def _enter(life: Life, objective: Objective, told: dict[str, Any], month: date, count: int) -> None:
    measured_for = month - timedelta(days=1)
    objective.refresh_from_db()
    if objective.deadline and measured_for > objective.deadline:
        _conclude(life, objective)
        return
    workflow.record_reading(
        by=life.who(told["owner"]),
        objective=objective,
        measured_for=measured_for,
        value=_value(life, told, count),
    )
    _next_reading(life, objective, told, add_months(month, 1), count + 1)


def _value(life: Life, told: dict[str, Any], count: int) -> Decimal:
    """A value that moves from the first to the second of `curve` with noise around it."""
    first, last, noise = told["curve"]
    months = max(1, min(told["until"], 36) - told["from"])
    share = min(1.0, count / months)
    raw = first + (last - first) * share**0.8 + life.chance.gauss(0, noise)
    raw = max(0.0, min(raw, 100.0) if told["unit"] == "%" else raw)
    return Decimal(str(raw)).quantize(Decimal(1).scaleb(-told["decimals"]))


def _conclude(life: Life, objective: Objective) -> None:
    judge = life.who("quality") if objective.owner != life.who("quality") else life.who("ceo")
    try:
        workflow.achieve(
            objective, by=judge, verdict="The last reading reaches the target; the next is set."
        )
    except Refused:
        workflow.miss(
            objective, by=judge, verdict="Better than at the start, but the target was not reached."
        )
