"""What is decided about a nonconformity: action, correction only, none; closed, reopened, voided.

The owner neither excuses a case from corrective action nor closes or voids it. What repeats is
asked again: a case like one that was closed without action needs a word on why none is needed.
"""

from datetime import date
from typing import Any

from django import forms

from capa.models import CorrectiveAction, Nonconformity
from capa.recurrence import REPEATS, SAME_PROBLEM, alike, told_by
from capa.workflow.corrective_actions import (
    begin,
    plan_task,
    plans_are_approved,
    serve,
    start_plan,
    submit_plan,
)
from capa.workflow.details import days, text
from capa.workflow.nonconformities import (
    NonconformityClosed,
    NonconformityReopened,
    copy_plan,
    its_origin_lets_go,
    not_its_owner,
    not_who_passed_it_on,
    nothing_was_judged,
    only_who_answers,
)
from qms.events import publish
from qms.people.models import Person
from qms.periods import add_months, day_of, due_in, today
from qms.refusals import Refused
from qms.workflow import transition

Status = Nonconformity.Status
Decision = Nonconformity.Decision
CLOSE = "capa.close_nonconformity"


def closed_without_action(nc: Nonconformity, on: date) -> list[Nonconformity]:
    """Cases like this one that were closed without corrective action not long ago."""
    rows = Nonconformity.objects.exclude(pk=nc.pk).filter(
        status=Status.CLOSED,
        decision__in=[Decision.NONE, Decision.CORRECTION_ONLY],
        closed_on__gte=add_months(on, -days("repeat_months")),
    )
    least = REPEATS if nc.root_cause else SAME_PROBLEM
    return [each.case for each in alike(told_by(nc), rows, least=least, most=3)]


def _asked_again(nc: Nonconformity, despite: str) -> None:
    """Raise Refused where it repeats, or an action failed, and nobody says why none is needed."""
    failed = _not_effective(nc)
    if failed and not despite.strip():
        raise Refused(
            f"{failed.number} was not effective. Plan another, or say why none is needed all the"
            " same.",
            field="despite",
        )
    numbers = sorted(each.number for each in closed_without_action(nc, today()))
    if numbers and not despite.strip():
        were = "was" if len(numbers) == 1 else "were"
        raise Refused(
            f"It repeats {', '.join(numbers)}, which {were} closed without corrective action. Plan"
            " one, or say why none is needed all the same.",
            field="despite",
        )
    nc.despite_repeat = despite if numbers or failed else ""


def _not_effective(nc: Nonconformity) -> CorrectiveAction | None:
    rows = CorrectiveAction.objects.serving(nc).filter(status=CorrectiveAction.Status.INEFFECTIVE)
    return rows.order_by("-pk").first()


def no_action_failed(nc: Nonconformity, by: Any) -> str | None:
    """After an action that did not work a correction alone is no answer."""
    failed = _not_effective(nc)
    return f"{failed.number} was not effective; look for the cause again." if failed else None


DESPITE = text(
    "It happened before: why none all the same",
    rows=2,
    required=False,
    help_text="Asked only where a case like it was closed without corrective action, or where an"
    " action was not effective.",
)


def it_is_small(nc: Nonconformity, by: Any) -> str | None:
    """What is major, serious or the body's is never corrected only."""
    if nc.grade == Nonconformity.Grade.MAJOR or nc.wants_8d:
        return "It is major or serious; find its cause."
    if nc.source == Nonconformity.Source.CERTIFICATION:
        return "The certification body asks for its cause; find it."
    return None


def nothing_serves_it(nc: Nonconformity, by: Any) -> str | None:
    first = CorrectiveAction.objects.serving(nc).open().order_by("pk").first()
    return f"{first.number} serves it; judge or void that first." if first else None


def its_8d_is_whole(nc: Nonconformity, by: Any) -> str | None:
    """An 8D that was begun is finished; a serious case has one, or the decision against it."""
    eight_d = getattr(nc, "eight_d", None)
    if eight_d is None and nc.asks_for_8d:
        return (
            "It is major or serious and has no 8D. Begin one, or let the quality manager decide"
            " that it needs none."
        )
    lacking = eight_d.lacking() if eight_d else []
    return f"Its 8D lacks {', '.join(lacking)}." if lacking else None


# With corrective action


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
        "measure": text("How that is measured", rows=2, required=False),
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
    measure: str = "",
    check_on: date | None = None,
) -> None:
    """Plan what removes the cause, and say beforehand when it counts as effective."""
    due = action_due or due_in(days("action_days"), today())
    check = check_on or due_in(days("effectiveness_days"), due)
    if due < today():
        raise Refused("The action cannot be due in the past.", field="action_due")
    if check < due:
        raise Refused("The check comes after the action.", field="check_on")
    made = begin(
        by=by,
        title=action.strip(),
        owner=nc.owner or by,
        cause=nc.root_cause,
        criterion=effectiveness_criterion,
        measure=measure,
        check_on=check,
    )
    plan_task(made, by=by, title=action, owner=action_owner or nc.owner or by, due=due)
    (submit_plan if plans_are_approved() else start_plan)(made, by=by)
    serve(made, nc, by=by)
    copy_plan(nc, made)


@transition(
    Nonconformity,
    source=Status.ANALYSED,
    target=Status.PLANNED,
    permission="capa.answer_nonconformity",
    only=only_who_answers,
    label="Join a corrective action",
    primary=False,
    details={
        "corrective_action": forms.ModelChoiceField(
            CorrectiveAction.objects.filter(status="planned").order_by("-pk"),
            label="Which one removes its cause too",
        ),
    },
)
def join(nc: Nonconformity, *, by: Any, corrective_action: CorrectiveAction) -> None:
    """Let a corrective action that is planned already serve this case as well."""
    locked = CorrectiveAction._base_manager.select_for_update(of=("self",)).get(
        pk=corrective_action.pk
    )
    if locked.status != CorrectiveAction.Status.PLANNED:
        shown = locked.get_status_display().lower()
        raise Refused(f"{locked.number} is already {shown}.", field="corrective_action")
    serve(locked, nc, by=by)
    copy_plan(nc, locked)


# Without


@transition(
    Nonconformity,
    source=Status.CONTAINED,
    target=Status.CLOSED,
    permission=CLOSE,
    guards=[not_its_owner, it_is_small, nothing_serves_it, no_action_failed, its_8d_is_whole],
    label="Correction only",
    primary=False,
    details={
        "correction": text("How this case was put right"),
        "similar": text(
            "Similar cases", rows=2, help_text="Where else it exists or could; where you looked."
        ),
        "because": text("Why the correction is enough", rows=2),
        "despite": DESPITE,
    },
    then=lambda nc, by: publish(NonconformityClosed(nc)),
)
def correct_only(
    nc: Nonconformity,
    *,
    by: Any,
    correction: str,
    similar: str,
    because: str,
    despite: str = "",
) -> None:
    """Close what is small with its correction, for a reason that is kept."""
    _asked_again(nc, despite)
    nc.correction, nc.similar = correction, similar
    _close_without(nc, Decision.CORRECTION_ONLY, because, by)


@transition(
    Nonconformity,
    source=Status.ANALYSED,
    target=Status.CLOSED,
    permission=CLOSE,
    guards=[not_who_passed_it_on, nothing_serves_it, its_8d_is_whole],
    label="Close without action",
    primary=False,
    details={"because": text("Why no corrective action is needed"), "despite": DESPITE},
    then=lambda nc, by: publish(NonconformityClosed(nc)),
)
def close_without_action(nc: Nonconformity, *, by: Any, because: str, despite: str = "") -> None:
    """Close it without corrective action, for a reason that is kept."""
    if by.pk == nc.owner_id:
        raise Refused("The owner does not decide alone that no action is needed.")
    _asked_again(nc, despite)
    _close_without(nc, Decision.NONE, because, by)


def _close_without(nc: Nonconformity, decision: str, because: str, by: Any) -> None:
    if not because.strip():
        raise Refused("Say why no corrective action is needed.", field="because")
    nc.decision, nc.no_action_because = decision, because
    nc.closed_by, nc.closed_on, nc.due = by, today(), None


# Closed, and opened again


@transition(
    Nonconformity,
    source=Status.EFFECTIVE,
    target=Status.CLOSED,
    permission=CLOSE,
    guards=[not_its_owner, nothing_serves_it, its_8d_is_whole],
    label="Close",
    then=lambda nc, by: publish(NonconformityClosed(nc)),
)
def close(nc: Nonconformity, *, by: Any) -> None:
    """Close it: the cause is removed and the action works."""
    nc.closed_by, nc.closed_on, nc.due = by, today(), None


@transition(
    Nonconformity,
    source=Status.CLOSED,
    target=Status.CONTAINED,
    permission="capa.reopen_nonconformity",
    reason=True,
    label="Open it again",
    primary=False,
    then=lambda nc, by: publish(NonconformityReopened(nc)),
)
def reopen(nc: Nonconformity, *, by: Any) -> None:
    """Open it again: it came back, or what closed it did not hold. The cause is looked for anew."""
    nc.reopened += 1
    nc.decision = nc.no_action_because = nc.despite_repeat = nc.verdict = ""
    nc.verified_by = nc.verified_on = nc.implemented_on = None
    nc.closed_by = nc.closed_on = None
    nc.due = due_in(days("cause_days"), today())


@transition(
    Nonconformity,
    source=Status.OPEN,
    target=Status.CLOSED,
    permission="capa.import_nonconformity",
    only=lambda nc, by: only_what_was_taken_over(nc),
    guards=[lambda nc, by: only_with_the_register(nc)],
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
    nc.first_close_by = nc.close_by = None  # nothing was promised here


def only_what_was_taken_over(nc: Nonconformity) -> str | None:
    """The way of imported rows, never a way around the procedure for what was raised here."""
    return None if nc.taken_over else "Only what came from a former register is closed like this."


def only_with_the_register(nc: Nonconformity) -> str | None:
    """What was taken over as open goes the way of every case from then on."""
    if day_of(nc.recorded_at) == today():
        return None
    return f"It was taken over open on {day_of(nc.recorded_at):%-d %B %Y}; it is closed here."


@transition(
    Nonconformity,
    source=[Status.OPEN, Status.CONTAINED, Status.ANALYSED],
    target=Status.VOID,
    permission="capa.void_nonconformity",
    guards=[not_its_owner, its_origin_lets_go, nothing_serves_it, nothing_was_judged],
    reason=True,
    label="Cancel the case",
    primary=False,
)
def void(nc: Nonconformity, *, by: Any) -> None:
    """Cancel it: it was a mistake. It stays visible, with the reason."""
    nc.due = None
