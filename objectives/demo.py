"""What demo companies aim at and measure: objectives by their indicators, some watched only (6.2).

An indicator is measured from its first objective on, whatever becomes of that one; a shift in its
course is a real one, so that a control chart has something to find.
"""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from objectives import workflow
from objectives.analysing import figures_of
from objectives.control import control_of
from objectives.models import Analysis, Indicator, Objective
from objectives.workflow.objectives import plan_action_for
from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.demo.life import Life, stage
from qms.periods import add_months
from qms.refusals import Refused
from qms.workflow import amend

INDICATORS = "indicators"
FROZEN_AFTER = 20  # readings


@stage(50)
def objectives_are_set(life: Life) -> None:
    """Each objective is set in its month and measured at the start of every following one."""
    life.kept[INDICATORS] = {}
    for told in life.told["objectives"]:
        life.on(life.month(told["from"]), partial(_set, life, told))
    for told in life.told.get("indicators", []):
        life.on(life.month(told["from"]), partial(_watch, life, told))
    if any("computed" in told for told in life.told["objectives"]):
        _compute(life, add_months(life.start.replace(day=1), 1))


def _set(life: Life, told: dict[str, Any]) -> None:
    owner, voice = life.who(told["owner"]), life.voice("objectives")
    by = owner if owner.has_perm("objectives.add_objective") else life.who("quality")
    begun = life.day().replace(day=1)
    objective = workflow.set_objective(
        by=by,
        title=told["title"],
        starts_on=begun,
        process=life.processes[told["process"]],
        owner=owner,
        policy_commitment=voice["commitment"],
        indicator=_indicator(life, told, by, begun),
        direction=told["direction"],
        baseline=Decimal(told["baseline"]),
        target=Decimal(told["target"]),
        target_relative_to_baseline=bool(told.get("relative")),
        lower_band=Decimal(told["lower"]) if "lower" in told else None,
        upper_band=Decimal(told["upper"]) if "upper" in told else None,
        deadline=_last_of_month(life.month(told["until"])),
        interim=_stages(life, told),
        parent=_parent(told),
        plan="The process owner agrees the steps with the team and looks at them every month.",
        resources="Two hours a month of the process owner; what the review grants.",
        evaluation=voice["evaluation"],
        communicated_to=voice["communicated"],
    )
    life.after(3, lambda: workflow.activate(objective, by=life.who("operations")))
    life.after(5, lambda: _plan(life, objective))
    if "computed" in told:
        return
    month = add_months(begun, 1)
    _next_reading(life, told, month, 0, objective)


def _indicator(life: Life, told: dict[str, Any], by: Any, begun: date) -> Indicator:
    """The indicator of that name, which an earlier objective may have begun."""
    known: dict[str, Indicator] = life.kept[INDICATORS]
    if told["metric"] not in known:
        counts = "of" in told
        known[told["metric"]] = workflow.add_indicator(
            by=by,
            title=told["metric"],
            unit=told["unit"],
            decimals=told["decimals"],
            direction=told["direction"],
            starts_on=begun,
            responsible=life.who(told["owner"]),
            process=None if "computed" in told else life.processes[told["process"]],
            source=life.voice("objectives")["evaluation"],
            computed_by=told.get("computed", ""),
            chart="p" if counts or "computed" in told else told.get("chart", "run"),
            per=Decimal(100) if counts or "computed" in told else Decimal(1),
        )
    return known[told["metric"]]


def _parent(told: dict[str, Any]) -> Objective | None:
    """The objective it helps to reach, by its title."""
    if "part_of" not in told:
        return None
    return Objective.objects.filter(title=told["part_of"]).order_by("-pk").first()


def _stages(life: Life, told: dict[str, Any]) -> list[dict[str, str]]:
    """Interim targets: (month, value) of the company's file."""
    return [
        {"on": _last_of_month(life.month(month)).isoformat(), "value": str(value)}
        for month, value in told.get("interim", [])
    ]


def _plan(life: Life, objective: Objective) -> None:
    """One thing of the plan is promised at once, and done in time or not."""
    objective.refresh_from_db()
    if objective.is_settled or not life.often(0.6):
        return
    owner = objective.owner or life.who("quality")
    action = plan_action_for(
        objective,
        by=life.who("quality"),
        title=f"Agree the steps for: {objective.title.lower()}"[:200],
        owner=owner,
        due=life.day() + timedelta(days=30),
    )
    life.after(life.chance.randint(18, 34), partial(_done, life, action))


def _done(life: Life, action: Action) -> None:
    """It is done, and somebody else looks whether it was."""
    action.refresh_from_db()
    actions.complete(action, by=action.owner, result="Agreed with the team, on one page.")
    judges = (life.who(key) for key in ("quality", "operations", "ceo"))
    judge = next(each for each in judges if each != action.owner)
    life.after(3, lambda: actions.verify(action, by=judge))


def _last_of_month(day: date) -> date:
    return add_months(day.replace(day=1), 1) - timedelta(days=1)


def _next_reading(
    life: Life, told: dict[str, Any], month: date, count: int, objective: Objective | None
) -> None:
    """The value of a month is entered in the first days of the next; rarely somewhat late."""
    late = 11 if life.often(0.06) else life.chance.randint(1, 5)
    life.on(month + timedelta(days=late), lambda: _enter(life, told, month, count, objective))


def _enter(
    life: Life, told: dict[str, Any], month: date, count: int, objective: Objective | None
) -> None:
    measured_for = month - timedelta(days=1)
    if objective is not None and objective.deadline and measured_for > objective.deadline:
        _conclude(life, objective)
        objective = None
        if _is_taken_up(life, told):
            return
    workflow.record_reading(
        by=life.who(told["owner"]),
        indicator=life.kept[INDICATORS][told["metric"]],
        measured_for=measured_for,
        **_value(life, told, count),
    )
    _look_at_its_chart(life, told)
    _next_reading(life, told, add_months(month, 1), count + 1, objective)


def _look_at_its_chart(life: Life, told: dict[str, Any]) -> None:
    """Limits are frozen once there are enough readings; a signal is explained within days.

    The newest one still waits, for whoever wants to try it.
    """
    indicator = life.kept[INDICATORS][told["metric"]]
    if indicator.chart == "run" or indicator.is_computed:
        return
    found = control_of(indicator)
    days = [each.day for each in found.taken if each]
    if len(days) == FROZEN_AFTER:
        workflow.freeze_limits(
            by=life.who("quality"),
            indicator=indicator,
            first_on=days[0],
            last_on=days[-1],
            because="Enough months in a row without a change of the process.",
        )
    for seen in found.open_signals[-1:]:
        if seen.day < life.today - timedelta(days=70):
            life.after(6, partial(_explain, life, told, seen.day))


def _explain(life: Life, told: dict[str, Any], day: date) -> None:
    indicator = life.kept[INDICATORS][told["metric"]]
    left = [seen for seen in control_of(indicator).open_signals if seen.day == day]
    if not left:
        return
    shifted = "shift" in told and day >= life.month(told["shift"][0])
    workflow.answer_signal(
        by=life.who(told["owner"]),
        indicator=indicator,
        day=day,
        found="changed" if shifted else "cause",
        words="A new batch of tools wears faster; the supplier is asked."
        if shifted
        else "A short month with one large order; we looked at it and leave it.",
    )


def _is_taken_up(life: Life, told: dict[str, Any]) -> bool:
    """Whether a later objective goes on with the same indicator, and enters its readings."""
    return any(
        each["metric"] == told["metric"] and each["from"] > told["from"]
        for each in life.told["objectives"]
    )


def _value(life: Life, told: dict[str, Any], count: int) -> dict[str, Any]:
    """A value that moves from the first to the second of `curve` with noise around it."""
    first, last, noise = told["curve"]
    months = max(1, min(told.get("until", 36), 36) - told["from"])
    share = min(1.0, count / months)
    raw = first + (last - first) * share**0.8 + life.chance.gauss(0, noise)
    if "shift" in told and told["from"] + count >= told["shift"][0]:
        raw += told["shift"][1]
    raw = max(0.0, min(raw, 100.0) if told["unit"] == "%" else raw)
    if "of" in told:
        size = life.chance.randint(*told["of"])
        return {"counted": Decimal(round(raw * size / 100)), "size": size}
    return {"value": Decimal(str(raw)).quantize(Decimal(1).scaleb(-told["decimals"]))}


def _watch(life: Life, told: dict[str, Any]) -> None:
    """An indicator that is watched without a target."""
    begun = life.day().replace(day=1)
    _indicator(life, told, life.who("quality"), begun)
    _next_reading(life, told, add_months(begun, 1), 0, None)


def _compute(life: Life, month: date) -> None:
    """What follows from the records is computed when the month is over."""

    def now() -> None:
        workflow.compute_due(life.day())
        _compute(life, add_months(month, 1))

    life.on(month + timedelta(days=1), now)


def _conclude(life: Life, objective: Objective) -> None:
    objective.refresh_from_db()
    if objective.is_settled:
        return
    judge = life.who("quality") if objective.owner != life.who("quality") else life.who("ceo")
    try:
        workflow.achieve(
            objective, by=judge, verdict="The last reading reaches the target; the next is set."
        )
    except Refused:
        workflow.miss(
            objective, by=judge, verdict="Better than at the start, but the target was not reached."
        )


ANALYSED = ((4.2, 4), (12.3, 12), (24.3, 12), (35.2, 11))  # in which month, how many months back


@stage(55)
def figures_are_analysed(life: Life) -> None:
    """Each process that measures something looks at it, and the quality manager at the whole."""
    for month, back in ANALYSED:
        life.on(life.month(month), partial(_analyse, life, back))


def _analyse(life: Life, back: int) -> None:
    end = life.day().replace(day=1) - timedelta(days=1)
    start = max(add_months(end + timedelta(days=1), -back), life.start)
    measured = set(Indicator.objects.in_use().values_list("process_id", flat=True))
    about = [each for each in life.processes.values() if each.pk in measured and each.owner]
    for place, process in enumerate([*about, None]):
        analysis = workflow.begin_analysis(
            by=life.who("quality"), process=process, period_start=start, period_end=end
        )
        life.after(5 + place, partial(_conclude_analysis, life, analysis))


def _conclude_analysis(life: Life, analysis: Analysis) -> None:
    """What the figures say is counted; what follows is the company's voice."""
    figures = figures_of(analysis.process, analysis.period, life.day())
    standings = [line["standing"] for line in figures if line["kind"] == "objective"]
    good = sum(each in ("On track", "Achieved") for each in standings)
    missing = sum(line["missing"] for line in figures if line["kind"] == "indicator")
    voice = life.voice("objectives")["analysis"]
    behind = good < len(standings)
    shows = f"{good} of {len(standings)} objectives are on track; {missing} readings are missing."
    amend(
        analysis,
        by=analysis.owner,
        changes={
            "conclusions": f"{shows} {voice['behind' if behind else 'well']}",
            "decisions": voice["act" if behind else "go_on"],
        },
    )
    by = analysis.owner
    workflow.conclude_analysis(analysis, by=by, proof=life.sign(by))
