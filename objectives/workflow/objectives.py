"""The procedure of an objective: planned, active, concluded by its readings (6.2)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied

from objectives import schedule
from objectives.models import Indicator, Objective, in_a_row, readings_of
from objectives.status import Aim, standing_of
from objectives.workflow.computing import computed
from objectives.workflow.indicators import add_indicator
from qms import contributions
from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.contributions import Step
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.scope.models import Process
from qms.workflow import amendment, creates, transition, voids

Status = Objective.Status
CONCLUDE_WITHIN = 14  # days after the deadline


# Guards


def only_who_answers(objective: Objective, by: Any) -> str | None:
    """The owner, the owner of the process, and who keeps or leads the system."""
    process = objective.process
    owners = {objective.owner_id, objective.created_by_id, process.owner_id if process else None}
    if by.pk in owners or by.holds("quality_manager", "top_management"):
        return None
    return "Only the owner of an objective or the quality manager does this."


def is_complete(objective: Objective, by: Any) -> str | None:
    """Everything an objective needs before it is pursued; the sentence names what is missing."""
    missing = objective.missing
    return f"Before it starts, say {in_a_row(missing)}." if missing else None


def target_can_be_reached(objective: Objective, by: Any) -> str | None:
    """A change in percent of nothing is nothing."""
    if objective.is_share_of_nothing:
        return "The target is a share of the baseline, so the baseline cannot be zero."
    return None


def indicator_is_in_use(objective: Objective, by: Any) -> str | None:
    """What nobody measures any more shows nothing."""
    indicator = objective.indicator
    if indicator is None or indicator.status == Indicator.Status.ACTIVE:
        return None
    return f"{indicator} is {indicator.get_status_display().lower()}. Choose one that is in use."


def indicator_stays(objective: Objective, changed: Mapping[str, Any]) -> str | None:
    """The readings of something else would judge it."""
    if objective.status != Status.ACTIVE or "indicator" not in changed:
        return None
    return "It is pursued, so it stays with its indicator. Withdraw it and set another one."


def no_circle(objective: Objective, changed: Mapping[str, Any]) -> str | None:
    """What is a part of this one cannot be what it is a part of."""
    above = changed.get("parent")
    while above is not None:
        if above.pk == objective.pk:
            return "It would be a part of itself. Choose another objective it belongs to."
        above = above.parent
    return None


def deadline_has_passed(objective: Objective, by: Any) -> str | None:
    if objective.deadline is not None and objective.deadline > today():
        return f"It runs until {objective.deadline:%-d %B %Y}; conclude it then."
    return None


def every_reading_is_in(objective: Objective, by: Any) -> str | None:
    """A verdict stands on the last period's reading too; before the deadline nobody asks."""
    if deadline_has_passed(objective, by):
        return None
    days = [day for day, _ in readings_of(objective)]
    period = schedule.next_reading(
        objective.frequency, objective.starts_on, objective.deadline, days
    )
    if period is None:
        return None
    indicator = objective.indicator
    if indicator is not None and indicator.is_computed and computed(indicator, period) is None:
        return None  # there was nothing to measure
    name = schedule.name_of(objective.frequency, period)
    return f"The reading for {name} is not entered yet."


def readings_reach_it(objective: Objective, by: Any) -> str | None:
    """An objective is achieved by its readings, not by its verdict."""
    if deadline_has_passed(objective, by) or every_reading_is_in(objective, by):
        return None
    aim, standing = Aim.of(objective), standing_of(objective, today())
    if aim.is_readable and standing.value is not None and aim.reached_by(standing.value):
        return None
    return f"{standing.sentence} It is not achieved by its readings."


# Factories


@creates(Objective, permission="objectives.add_objective")
def set_objective(*, by: Person, title: str, starts_on: date, **fields: Any) -> Objective:
    """Draft an objective; it is pursued once it is complete and activated."""
    number = str(fields.pop("number", "") or "")
    if not title.strip():
        raise Refused("Say in a line what is to be reached.", field="title")
    if number and Objective.objects.filter(number=number).exists():
        raise Refused(f"There is an objective {number} already.", field="number")
    process: Process | None = fields.get("process")
    if fields.get("owner") is None:
        fields["owner"] = process.owner if process else None
    new = {name: fields.pop(name) for name in NEW_INDICATOR if name in fields}
    if fields.get("indicator") is None and (new.get("metric") or "").strip():
        fields["indicator"] = indicator_for(by=by, starts_on=starts_on, **fields | new)
    elif fields.get("indicator") is not None and not fields.get("direction"):
        fields["direction"] = fields["indicator"].direction
    objective = Objective(
        number=number, title=title.strip(), starts_on=starts_on, created_by=by, **fields
    )
    objective.check_order()
    objective.save()
    return objective


NEW_INDICATOR = ("metric", "unit", "decimals", "frequency")


def indicator_for(
    *,
    by: Person,
    starts_on: date,
    metric: str,
    unit: str = "",
    decimals: int | None = None,
    frequency: str = "",
    **fields: Any,
) -> Indicator:
    """Measure what an objective is judged by, where nobody measured it before."""
    if not unit.strip():
        raise Refused("Say in which unit, like % or days.", field="unit")
    return add_indicator(
        by=by,
        title=metric,
        unit=unit,
        starts_on=starts_on,
        responsible=fields.get("owner"),
        decimals=1 if decimals is None else decimals,
        frequency=frequency or Indicator.Frequency.MONTHLY,
        direction=fields.get("direction") or Indicator.Direction.HIGHER,
        process=fields.get("process"),
        site=fields.get("site"),
        source=fields.get("evaluation") or "",
    )


def plan_action_for(
    objective: Objective, *, by: Person, title: str, owner: Person, due: date, description: str = ""
) -> Action:
    """One thing of its plan that somebody promises by a day."""
    if why := only_who_answers(objective, by):
        raise PermissionDenied(why)
    if objective.is_settled:
        raise Refused("It is concluded, so nothing more is planned for it.")
    return actions.plan_action(
        by=by,
        title=title,
        owner=owner,
        due=due,
        description=description,
        origin=objective,
        kind=Action.Kind.IMPROVEMENT,
    )


# Transitions


@transition(
    Objective,
    source=Status.DRAFT,
    target=Status.ACTIVE,
    permission="objectives.activate_objective",
    guards=[is_complete, target_can_be_reached, indicator_is_in_use],
    label="Activate",
)
def activate(objective: Objective, *, by: Any) -> None:
    """Pursue it from now on, judged by the readings of its indicator."""
    objective.activated_on = today()


_VERDICT = {
    "verdict": forms.CharField(
        label="What the result shows, and what follows from it",
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
}


@transition(
    Objective,
    source=Status.ACTIVE,
    target=Status.ACHIEVED,
    permission="objectives.conclude_objective",
    guards=[deadline_has_passed, every_reading_is_in, readings_reach_it],
    label="Achieved",
    details=_VERDICT,
)
def achieve(objective: Objective, *, by: Any, verdict: str) -> None:
    """Conclude that it was achieved, as its readings show."""
    _conclude(objective, by, verdict)


@transition(
    Objective,
    source=Status.ACTIVE,
    target=Status.MISSED,
    permission="objectives.conclude_objective",
    guards=[deadline_has_passed],
    label="Missed",
    primary=False,
    details=_VERDICT,
)
def miss(objective: Objective, *, by: Any, verdict: str) -> None:
    """Conclude that it was missed, and say what follows."""
    _conclude(objective, by, verdict)


def _conclude(objective: Objective, by: Any, verdict: str) -> None:
    objective.verdict, objective.concluded_by = verdict.strip(), by
    objective.concluded_on = today()


@transition(
    Objective,
    source=Status.ACTIVE,
    target=Status.WITHDRAWN,
    permission="objectives.conclude_objective",
    reason=True,
    label="Withdraw",
    primary=False,
)
def withdraw(objective: Objective, *, by: Any) -> None:
    """Give it up before its deadline; its readings stay, with the reason."""
    objective.concluded_by, objective.concluded_on = by, today()


void = voids(Objective, source=Status.DRAFT, permission="objectives.void_objective")


editing = amendment(
    Objective,
    permission="objectives.change_objective",
    fields=(
        "title",
        "edition",
        *Objective.AIM,
        *Objective.PLAN,
        *Objective.PLACE,
    ),
    only=only_who_answers,
    states=(Status.DRAFT, Status.ACTIVE),
    checks=[indicator_stays, no_circle],
)


# Who has to do what next


@contributions.work(Objective)
def next_steps(objective: Objective) -> list[Step]:
    """The owner completes it; who leads the system activates and concludes."""
    if objective.status == Status.DRAFT:
        return [_to_start(objective)]
    if objective.status != Status.ACTIVE or objective.deadline is None:
        return []
    days = [day for day, _ in readings_of(objective)]
    period = schedule.next_reading(
        objective.frequency, objective.starts_on, objective.deadline, days
    )
    if period is not None:
        return []  # the indicator asks for the reading
    due = objective.deadline + timedelta(days=CONCLUDE_WITHIN)
    return [Step("conclude", "Conclude", role="quality_manager", due=due)]


def _to_start(objective: Objective) -> Step:
    if objective.missing and objective.owner_id:
        return Step("complete", "Complete", person=objective.owner, remind=False)
    why = is_complete(objective, None) or ""
    return Step("activate", "Activate", role="quality_manager", obstacle=why, remind=False)
