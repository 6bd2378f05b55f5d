"""The procedure of a nonconformity (ISO 9001 10.2.1): react, find the cause, act, verify, close.

It closes on effectiveness: the criterion is set before the action, and somebody who neither owns
the nonconformity nor did its actions gives the verdict. The reasoned way without corrective
action exists and is the quality manager's decision.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms

from capa.models import Nonconformity
from capa.workflow.details import days, text
from qms import contributions
from qms.actions.models import Action
from qms.actions.workflow import ActionDone, promise, verify
from qms.contributions import Step
from qms.events import handles, publish
from qms.files.workflow import guards_attaching
from qms.origins import is_visible
from qms.people.models import Person
from qms.periods import due_in, today
from qms.refusals import Refused
from qms.scope.models import Process
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition, voids

Status = Nonconformity.Status


@dataclass(frozen=True)
class NonconformityClosed:
    """A nonconformity was closed; whatever raised it may go on."""

    nonconformity: Nonconformity


# Guards


def only_who_answers(nc: Nonconformity, by: Any) -> str | None:
    if by.pk == nc.owner_id or by.holds("quality_manager"):
        return None
    return "Only the owner of a nonconformity or the quality manager answers it."


def has_an_owner(nc: Nonconformity, by: Any) -> str | None:
    return None if nc.owner_id else "Give it an owner first."


def is_complete(nc: Nonconformity, by: Any) -> str | None:
    """Requirement, evidence and statement: without them it is no nonconformity."""
    if nc.requirement.strip() and nc.evidence.strip() and nc.statement.strip():
        return None
    return "Say which requirement is not met, by which evidence, and what the nonconformity is."


def actions_are_done(nc: Nonconformity, by: Any) -> str | None:
    actions = Action.objects.raised_from(nc).exclude(status=Action.Status.VOID)
    if not actions.exists():
        return "Plan an action first."
    open_ones = actions.open().count()
    if open_ones:
        return f"{open_ones} of its actions {'is' if open_ones == 1 else 'are'} still open."
    return None


ANSWERS = {
    ("open", "contained"),
    ("contained", "analysed"),
    ("analysed", "planned"),
    ("planned", "implemented"),
}


def answered_by(nc: Nonconformity) -> set[int | None]:
    """The ids of everybody who made one of its answers or owned it then, from its history."""
    people: set[int | None] = set()
    before = ""
    rows = nc.history.order_by("history_id").values_list("status", "owner_id", "history_user_id")
    for status, owner, user in rows:
        if (before, status) in ANSWERS:
            people |= {owner, user}
        before = status
    return people


def did_none_of_it(nc: Nonconformity, by: Any) -> str | None:
    if by.pk == nc.owner_id:
        return "The owner does not judge the effectiveness; ask somebody else."
    if by.pk in answered_by(nc):
        return "Who owned or answered the case before does not judge its effectiveness."
    ours = Action.objects.raised_from(nc).exclude(status=Action.Status.VOID)
    if ours.worked_on_by(by).exists():
        return "Who did one of the actions does not judge their effectiveness."
    return None


def the_check_is_due(nc: Nonconformity, by: Any) -> str | None:
    if nc.check_on and nc.check_on > today():
        return f"The criterion needs time: the check is planned for {nc.check_on:%-d %B %Y}."
    return None


@guards_attaching(Nonconformity)
def while_it_is_open(nc: Nonconformity, by: Any) -> str | None:
    return "It is settled; nothing is added to it." if nc.is_settled else None


VoidGuard = Callable[[Any, Any], str | None]
_void_guards: dict[type[Any], VoidGuard] = {}


def guards_voiding(model: type[Any]) -> Callable[[VoidGuard], VoidGuard]:
    """Register `(origin, by) -> sentence or None`: why what such a record raised is not voided."""

    def keep(guard: VoidGuard) -> VoidGuard:
        _void_guards[model] = guard
        return guard

    return keep


def its_origin_lets_go(nc: Nonconformity, by: Any) -> str | None:
    guard = _void_guards.get(type(nc.origin))
    return guard(nc.origin, by) if guard else None


# Factories


@creates(Nonconformity, permission="capa.add_nonconformity")
def report_problem(
    *,
    by: Person,
    title: str,
    evidence: str = "",
    process: Process | None = None,
    detected_on: date | None = None,
    source: str = Nonconformity.Source.PROCESS,
) -> Nonconformity:
    """What anybody may report in a minute; the process owner or quality manager takes it up."""
    return raise_nonconformity(
        by=by,
        title=title,
        evidence=evidence,
        process=process,
        detected_on=detected_on,
        source=source,
        owner=process.owner if process else None,
    )


@creates(Nonconformity, permission="capa.add_nonconformity")
def raise_nonconformity(
    *,
    by: Person,
    title: str,
    statement: str = "",
    requirement: str = "",
    clause: str = "",
    evidence: str = "",
    extent: str = "",
    source: str = Nonconformity.Source.PROCESS,
    grade: str = Nonconformity.Grade.MINOR,
    process: Process | None = None,
    owner: Person | None = None,
    detected_on: date | None = None,
    origin: Any = None,
    number: str = "",
    taken_over: str = "",
) -> Nonconformity:
    """Raise a nonconformity, from any other record or on its own.

    `number` and `taken_over` are for rows of a former register (capa/register.py) only.
    """
    day = today()
    if not title.strip():
        raise Refused("Say in a line what is wrong.", field="title")
    if detected_on and detected_on > day:
        raise Refused("It cannot have been detected in the future.", field="detected_on")
    if origin is not None and not is_visible(origin, by):
        raise Refused("The record it comes from was not found.", field="origin")
    if number and Nonconformity.objects.filter(number=number).exists():
        raise Refused(f"There is a nonconformity {number} already.", field="number")
    detected = detected_on or day
    nc = Nonconformity(
        number=number,
        taken_over=taken_over,
        title=title.strip(),
        statement=statement,
        requirement=requirement,
        clause=clause,
        evidence=evidence,
        extent=extent,
        source=source,
        grade=grade,
        process=process,
        owner=owner or (process.owner if process else None),
        detected_on=detected,
        due=due_in(days("containment_days"), max(detected, day)),
        created_by=by,
    )
    if origin is not None:
        nc.origin = origin
    nc.save()
    return nc


def plan_corrective_action(
    nc: Nonconformity, *, by: Person, title: str, owner: Person, due: date
) -> Action:
    """Promise a corrective action for a nonconformity; its work is written anew."""
    action = promise(
        by=by, title=title, owner=owner, due=due, origin=nc, kind=Action.Kind.CORRECTIVE
    )
    refresh(nc)
    return action


# Transitions


@transition(
    Nonconformity,
    source=Status.OPEN,
    target=Status.CONTAINED,
    permission="capa.answer_nonconformity",
    only=only_who_answers,
    guards=[has_an_owner, is_complete],
    label="Contained",
    details={
        "containment": text("What stops it from spreading"),
        "correction": text("How this case is put right", required=False),
    },
)
def contain(nc: Nonconformity, *, by: Any, containment: str, correction: str = "") -> None:
    """Say what was done at once and how this case was put right."""
    nc.containment, nc.correction, nc.contained_on = containment, correction, today()
    nc.due = due_in(days("cause_days"), today())


@transition(
    Nonconformity,
    source=Status.CONTAINED,
    target=Status.ANALYSED,
    permission="capa.answer_nonconformity",
    only=only_who_answers,
    label="Cause found",
    details={
        "method": forms.ChoiceField(
            label="Method",
            choices=Nonconformity.Method.choices,
            initial="whys",
            required=False,
        ),
        "why_chain": text(
            "Why, and why that?",
            rows=5,
            required=False,
            help_text="One why a line, the first nearest to the event.",
        ),
        "root_cause": text("Root cause"),
        "category": forms.ChoiceField(
            label="Cause category", choices=Nonconformity.Category.choices
        ),
        "similar": text(
            "Similar cases", help_text="Where else it exists or could; where you looked."
        ),
    },
)
def find_cause(
    nc: Nonconformity,
    *,
    by: Any,
    root_cause: str,
    category: str,
    similar: str,
    method: str = "whys",
    why_chain: str = "",
) -> None:
    """Say why it happened and where else it could."""
    nc.root_cause, nc.category, nc.similar = root_cause, category, similar
    nc.method = method or Nonconformity.Method.WHYS
    nc.whys = [{"why": line.strip()} for line in str(why_chain).splitlines() if line.strip()]
    nc.analysed_on = today()
    nc.due = due_in(3, today())


@transition(
    Nonconformity,
    source=Status.ANALYSED,
    target=Status.PLANNED,
    permission="capa.answer_nonconformity",
    only=only_who_answers,
    label="Plan the action",
    details={
        "action": forms.CharField(label="What will be done", max_length=200),
        "action_owner": forms.ModelChoiceField(
            Person.objects.all(), label="By whom", required=False, help_text="Empty: its owner."
        ),
        "action_due": forms.DateField(label="By when", required=False),
        "effectiveness_criterion": text(
            "It is effective when",
            rows=2,
            help_text="Something to measure: no repeat in 500 orders, back within the limits.",
        ),
        "check_on": forms.DateField(label="Effectiveness is checked on", required=False),
    },
)
def plan(
    nc: Nonconformity,
    *,
    by: Any,
    action: str,
    effectiveness_criterion: str,
    action_owner: Person | None = None,
    action_due: date | None = None,
    check_on: date | None = None,
) -> None:
    """Plan what removes the cause, and say beforehand when it counts as effective."""
    due = action_due or due_in(days("action_days"), today())
    check = check_on or due_in(days("effectiveness_days"), due)
    if due < today():
        raise Refused("The action cannot be due in the past.", field="action_due")
    if check < due:
        raise Refused("The check comes after the action.", field="check_on")
    plan_corrective_action(nc, by=by, title=action, owner=action_owner or nc.owner or by, due=due)
    nc.effectiveness_criterion, nc.check_on, nc.due = effectiveness_criterion, check, due


@transition(
    Nonconformity,
    source=Status.PLANNED,
    target=Status.IMPLEMENTED,
    permission="capa.answer_nonconformity",
    only=only_who_answers,
    guards=[actions_are_done],
    label="Implemented",
)
def implement(nc: Nonconformity, *, by: Any) -> None:
    """Confirm that every planned action is in place."""
    nc.implemented_on, nc.due = today(), nc.check_on


@transition(
    Nonconformity,
    source=Status.IMPLEMENTED,
    target=Status.EFFECTIVE,
    permission="capa.verify_nonconformity",
    guards=[did_none_of_it, the_check_is_due],
    label="Effective",
    details={"verdict": text("What shows that the criterion is met")},
    then=lambda nc, by: confirm_actions(nc, by),
)
def confirm_effective(nc: Nonconformity, *, by: Any, verdict: str) -> None:
    """Decide that it was effective, by the criterion set beforehand."""
    nc.verdict, nc.verified_by, nc.verified_on = verdict, by, today()
    nc.due = due_in(3, today())


def confirm_actions(nc: Nonconformity, by: Any) -> None:
    """What was effective is verified with it, action by action."""
    for action in Action.objects.raised_from(nc).filter(status=Action.Status.DONE):
        verify(action, by=by)


@transition(
    Nonconformity,
    source=Status.IMPLEMENTED,
    target=Status.CONTAINED,
    permission="capa.verify_nonconformity",
    guards=[did_none_of_it],
    reason=True,
    label="Not effective",
    primary=False,
)
def reopen(nc: Nonconformity, *, by: Any) -> None:
    """Decide that it was not effective: the cause is looked for again."""
    nc.reopened += 1
    nc.implemented_on = None
    nc.due = due_in(days("cause_days"), today())


@transition(
    Nonconformity,
    source=Status.EFFECTIVE,
    target=Status.CLOSED,
    permission="capa.close_nonconformity",
    label="Close",
    then=lambda nc, by: publish(NonconformityClosed(nc)),
)
def close(nc: Nonconformity, *, by: Any) -> None:
    """Close it: the cause is removed and the action works."""
    nc.closed_by, nc.closed_on, nc.due = by, today(), None


@transition(
    Nonconformity,
    source=Status.ANALYSED,
    target=Status.CLOSED,
    permission="capa.close_nonconformity",
    label="Close without action",
    primary=False,
    details={"because": text("Why no corrective action is needed")},
    then=lambda nc, by: publish(NonconformityClosed(nc)),
)
def close_without_action(nc: Nonconformity, *, by: Any, because: str) -> None:
    """Close it without corrective action, for a reason that is kept."""
    if by.pk == nc.owner_id:
        raise Refused("The owner does not decide alone that no action is needed.")
    nc.no_action_because = because
    nc.closed_by, nc.closed_on, nc.due = by, today(), None


@transition(
    Nonconformity,
    source=Status.OPEN,
    target=Status.CLOSED,
    permission="capa.import_nonconformity",
    only=lambda nc, by: only_what_was_taken_over(nc),
    label="Closed elsewhere",
    primary=False,
    details={
        "closed_on": forms.DateField(label="Closed on", required=False),
        "root_cause": text("Root cause as recorded there", required=False),
        "action": text("Action as recorded there", required=False),
    },
)
def take_over_closed(
    nc: Nonconformity,
    *,
    by: Any,
    closed_on: date | None = None,
    root_cause: str = "",
    action: str = "",
) -> None:
    """Take over from a former register that it was closed there; no effectiveness is claimed."""
    day = closed_on or nc.detected_on
    if day < nc.detected_on:
        raise Refused("It cannot have been closed before it was detected.", field="closed_on")
    if day > today():
        raise Refused("It cannot have been closed in the future.", field="closed_on")
    when = f" on {closed_on:%-d %B %Y}" if closed_on else ", on a day that is not recorded"
    nc.taken_over += f" Closed there{when}. Action recorded there: {action or '–'}"
    nc.root_cause = root_cause
    nc.closed_by, nc.closed_on, nc.due = by, day, None


def only_what_was_taken_over(nc: Nonconformity) -> str | None:
    """The way of imported rows, never a way around the procedure for what was raised here."""
    return None if nc.taken_over else "Only what came from a former register is closed like this."


void = voids(
    Nonconformity,
    source=[Status.OPEN, Status.CONTAINED],
    permission="capa.void_nonconformity",
    guards=[its_origin_lets_go],
)

editing = amendment(
    Nonconformity,
    permission="capa.change_nonconformity",
    fields=(
        "title",
        "statement",
        "requirement",
        "clause",
        "evidence",
        "extent",
        "source",
        "grade",
        "process",
        "owner",
    ),
    states=(
        Status.OPEN,
        Status.CONTAINED,
        Status.ANALYSED,
        Status.PLANNED,
        Status.IMPLEMENTED,
        Status.EFFECTIVE,
    ),
)


# Who has to do what next


@handles(ActionDone)
def the_plan_goes_on(event: ActionDone) -> None:
    """When an action of a nonconformity is done, its owner learns that it is their turn."""
    if isinstance(event.action.origin, Nonconformity):
        refresh(event.action.origin)


@contributions.work(Nonconformity)
def next_steps(nc: Nonconformity) -> list[Step]:
    """The owner answers; the quality manager verifies and closes."""
    answers = {"open": "Contain", "contained": "Find cause", "analysed": "Plan action"}
    if nc.status in answers or nc.status == Status.PLANNED:
        label = answers.get(nc.status, "Confirm")
        why = actions_are_done(nc, None) or "" if nc.status == Status.PLANNED else ""
        if nc.owner_id:
            return [Step(nc.status, label, person=nc.owner, due=nc.due, obstacle=why)]
        return [Step(nc.status, "Give an owner", role="quality_manager", due=nc.due)]
    if nc.status == Status.IMPLEMENTED:
        return [Step("verify", "Verify", role="quality_manager", due=nc.due)]
    if nc.status == Status.EFFECTIVE:
        return [Step("close", "Close", role="quality_manager", due=nc.due)]
    return []
