"""The procedure of an objective: planned, active, measured, concluded by its data (6.2, 9.1)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied

from objectives import schedule
from objectives.models import Measurement, Objective, in_a_row, readings_of
from objectives.status import Aim, standing_of
from qms import clock, contributions
from qms.contributions import Step
from qms.events import handles
from qms.people.models import Person
from qms.periods import today
from qms.records import RecordSaved
from qms.refusals import Refused
from qms.scope.models import Process
from qms.work.workflow import refresh
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
    if objective.target_relative_to_baseline and not objective.baseline:
        return "The target is a share of the baseline, so the baseline cannot be zero."
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
    objective = Objective(
        number=number, title=title.strip(), starts_on=starts_on, created_by=by, **fields
    )
    objective.check_order()
    objective.save()
    return objective


@creates(Measurement, permission="objectives.measure_objective")
def record_reading(
    *,
    by: Person,
    objective: Objective,
    measured_for: date,
    value: Decimal,
    note: str = "",
    happened_at: datetime | None = None,
) -> Measurement:
    """Enter the value of a day. It never changes; what was wrong is corrected by another one."""
    held = _held(objective)
    if why := only_who_answers(held, by):
        raise PermissionDenied(why)
    if held.status not in (Status.DRAFT, Status.ACTIVE):
        shown = held.get_status_display().lower()
        raise Refused(f"The objective is {shown}; no more readings are entered.")
    _check_reading(held, measured_for, value)
    reading = Measurement(
        objective=held,
        measured_for=measured_for,
        value=value,
        note=note.strip(),
        happened_at=happened_at or clock.now(),
        created_by=by,
    )
    reading.save()
    return reading


def _held(objective: Objective) -> Objective:
    """The objective, locked: of two readings for one day one waits and is then refused."""
    rows = Objective._base_manager.select_related("process").select_for_update(of=("self",))
    found: Objective = rows.get(pk=objective.pk)
    return found


def _check_reading(
    objective: Objective, day: date, value: Decimal, *, replaces: Measurement | None = None
) -> None:
    if day > today():
        raise Refused("A reading cannot be of a day to come.", field="measured_for")
    if not value.is_finite():
        raise Refused("Give the value as a number.", field="value")
    others = objective.measurements.filter(measured_for=day, status=Measurement.Status.LIVE)
    if replaces is not None:
        others = others.exclude(pk=replaces.pk)
    if others.exists():
        raise Refused(
            f"There is a reading for {day:%-d %B %Y} already. If it is wrong, correct it.",
            field="measured_for",
        )


# Transitions of an objective


@transition(
    Objective,
    source=Status.DRAFT,
    target=Status.ACTIVE,
    permission="objectives.activate_objective",
    guards=[is_complete, target_can_be_reached],
    label="Activate",
)
def activate(objective: Objective, *, by: Any) -> None:
    """Pursue it from now on: its owner enters a reading for every period."""
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
        "process",
        "owner",
        *Objective.AIM,
        *Objective.PLAN,
    ),
    only=only_who_answers,
    states=(Status.DRAFT, Status.ACTIVE),
)


# Transitions of a reading


def only_who_answers_for_it(reading: Measurement, by: Any) -> str | None:
    return only_who_answers(reading.objective, by)


def hold_its_objective(reading: Measurement) -> None:
    """No other reading of the objective comes or goes meanwhile."""
    _held(reading.objective)


def save_replacement(reading: Measurement, by: Any) -> None:
    """The corrected reading has stepped back; now its day is free for the one that corrects it."""
    reading.replacement.save()  # type: ignore[attr-defined]


@transition(
    Measurement,
    source=Measurement.Status.LIVE,
    target=Measurement.Status.CORRECTED,
    permission="objectives.measure_objective",
    only=only_who_answers_for_it,
    label="Correct",
    details={
        "value": forms.DecimalField(label="Right value", max_digits=20, decimal_places=6),
        "measured_for": forms.DateField(label="Value of"),
        "because": forms.CharField(
            label="What was wrong", max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
        ),
    },
    locks=hold_its_objective,
    then=save_replacement,
)
def correct(
    reading: Measurement, *, by: Any, value: Decimal, measured_for: date, because: str
) -> None:
    """Enter the right value; the wrong one stays visible, marked as corrected."""
    _check_reading(reading.objective, measured_for, value, replaces=reading)
    if not because.strip():
        raise Refused("Say what was wrong; it is kept with the reading.", field="because")
    reading.replacement = Measurement(  # type: ignore[attr-defined]
        objective=reading.objective,
        measured_for=measured_for,
        value=value,
        note=because.strip(),
        corrects=reading,
        created_by=by,
    )


@transition(
    Measurement,
    source=Measurement.Status.LIVE,
    target=Measurement.Status.VOID,
    permission="objectives.measure_objective",
    only=only_who_answers_for_it,
    reason=True,
    label="Take back",
    primary=False,
    locks=hold_its_objective,
)
def take_back(reading: Measurement, *, by: Any) -> None:
    """Take it back: it should not have been entered. It stays visible, with the reason."""


# Who has to do what next


@handles(RecordSaved, order=91)
def a_reading_moves_the_work_on(event: RecordSaved) -> None:
    """A reading that was entered or taken back changes when the next one is due."""
    reading = event.record
    if not isinstance(reading, Measurement):
        return
    # A corrected one is followed at once by the entry that corrects it.
    if event.created or reading.status == Measurement.Status.VOID:
        refresh(reading.objective)


@contributions.work(Objective)
def next_steps(objective: Objective) -> list[Step]:
    """The owner enters readings; who leads the system activates and concludes."""
    if objective.status == Status.DRAFT:
        return [_to_start(objective)]
    if objective.status != Status.ACTIVE or objective.deadline is None:
        return []
    days = [day for day, _ in readings_of(objective)]
    period = schedule.next_reading(
        objective.frequency, objective.starts_on, objective.deadline, days
    )
    if period is None:
        due = objective.deadline + timedelta(days=CONCLUDE_WITHIN)
        return [Step("conclude", "Conclude", role="quality_manager", due=due)]
    due = schedule.due_on(objective.frequency, period)
    url = f"{objective.get_absolute_url()}reading/"
    return [Step("measure", "Enter", person=objective.owner, due=due, url=url)]


def _to_start(objective: Objective) -> Step:
    if objective.missing and objective.owner_id:
        return Step("complete", "Complete", person=objective.owner, remind=False)
    why = is_complete(objective, None) or ""
    return Step("activate", "Activate", role="quality_manager", obstacle=why, remind=False)
