"""The procedure of a change (ISO 9001 6.3): planned, approved by another, carried out, judged.

Nobody approves their own plan, and whoever carried a change out does not judge whether it worked.
What was approved stays as it was approved; a plan that has to change goes back first.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from qms import contributions
from qms.actions.models import Action
from qms.actions.workflow import ActionDone, promise
from qms.changes.models import Change, ChangeLink
from qms.contributions import Step
from qms.events import handles
from qms.files.workflow import guards_attaching
from qms.people.models import Person
from qms.periods import today
from qms.picking import set_any_links
from qms.records import authors_of
from qms.refusals import Refused
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition

CHECK_AFTER_DAYS = 60
State = Change.Status
KEEPERS = ("quality_manager", "top_management")
# What the clause asks to think of beforehand; the sentence says what is missing.
ASKED = {
    "what": "what changes",
    "consequences": "what else it may cause",
    "integrity": "how the system stays whole meanwhile",
    "resources": "which resources it needs",
    "communication": "who is told",
    "criterion": "when it has worked",
}


def _text(label: str, rows: int = 3) -> forms.Field:
    return forms.CharField(
        label=label, max_length=10_000, widget=forms.Textarea(attrs={"rows": rows})
    )


# Guards


def only_its_owner(change: Change, by: Any) -> str | None:
    if by.pk in (change.owner_id, change.created_by_id) or by.holds(*KEEPERS):
        return None
    return "Only its owner, its author, the quality manager or top management does this."


def owner_works_here(change: Change, by: Any) -> str | None:
    if change.owner.is_active:
        return None
    return f"{change.owner.name} is no longer active. Edit it and choose another owner first."


def thought_through(change: Change, by: Any) -> str | None:
    """Everything the clause asks to consider is said, if only in a line."""
    missing = [words for name, words in ASKED.items() if not getattr(change, name).strip()]
    if not missing:
        return None
    return f"Say first: {'; '.join(missing)}."


def not_its_author(change: Change, by: Any) -> str | None:
    if by.pk in authors_of(change, [Change.column(name).attname for name in Change.PLAN]):
        return "Who planned a change does not approve it; ask somebody else."
    return None


def actions_of(change: Change) -> Any:
    """Its actions that were not taken back."""
    return Action.objects.raised_from(change).exclude(status=Action.Status.VOID)


def actions_are_done(change: Change, by: Any) -> str | None:
    waiting = actions_of(change).open().count()
    if waiting:
        return f"{waiting} of its actions {'is' if waiting == 1 else 'are'} still open."
    return None


def judged_by_another(change: Change, by: Any) -> str | None:
    if by.pk == change.owner_id:
        return "Its owner does not judge whether it worked; ask somebody else."
    if actions_of(change).worked_on_by(by).exists():
        return "Who did one of the actions does not judge whether it worked."
    return None


@guards_attaching(Change)
def while_it_is_open(change: Change, by: Any) -> str | None:
    return "It is settled; nothing is added to it." if change.is_settled else None


# Factories


@creates(Change, permission="changes.add_change")
def plan_change(
    *,
    by: Person,
    title: str,
    purpose: str,
    owner: Person,
    starts_on: date,
    due: date,
    check_on: date | None = None,
    touches: Iterable[Any] = (),
    origin: Any = None,
    **said: Any,
) -> Change:
    """Plan a change. `said` are the further fields of the plan, `touches` records it bears on."""
    if foreign := set(said) - set(Change.PLAN):
        raise Refused(f"These are no fields of a change: {', '.join(sorted(foreign))}.")
    if not title.strip() or not purpose.strip():
        raise Refused(
            "Say what changes, and what for.", field="purpose" if title.strip() else "title"
        )
    if not owner.is_active:
        raise Refused(
            f"{owner.name} is no longer active. Choose somebody who works here.", field="owner"
        )
    check_on = check_on or due + timedelta(days=CHECK_AFTER_DAYS)
    check_days(starts_on, due, check_on)
    change = Change(
        title=title.strip(),
        purpose=purpose.strip(),
        owner=owner,
        starts_on=starts_on,
        due=due,
        check_on=check_on,
        created_by=by,
        **said,
    )
    if origin is not None:
        change.origin = origin
    change.save()
    set_any_links(ChangeLink, owner={"change": change}, records=touches, by=by)
    return change


def check_days(starts_on: date, due: date, check_on: date) -> None:
    """Refuse a change that is finished before it begins, or judged before it is finished."""
    if due < starts_on:
        raise Refused("It is finished before it begins. Swap the two days.", field="due")
    if check_on < due:
        raise Refused("Its effect is looked at after it is finished.", field="check_on")


def touch(change: Change, *, by: Person, touches: Iterable[Any]) -> Change:
    """Say which records it bears on; what the person does not see stays."""
    if not editing_change.permitted(change, by):
        raise PermissionDenied("Your role does not allow you to edit this change.")
    with db.atomic():
        locked = Change._base_manager.select_for_update(of=("self",)).get(pk=change.pk)
        if locked.is_settled:
            raise Refused("It is settled; what it touched stays as it was.")
        set_any_links(ChangeLink, owner={"change": locked}, records=touches, by=by)
    return change


def plan_step(change: Change, *, by: Person, title: str, owner: Person, due: date) -> Action:
    """Promise one action of the change."""
    if not by.has_perm("changes.change_change") or only_its_owner(change, by):
        raise PermissionDenied("Only its owner, its author or the quality manager plans actions.")
    with db.atomic():
        locked = Change._base_manager.select_for_update(of=("self",)).get(pk=change.pk)
        if locked.status not in (State.PLANNED, State.APPROVED, State.IN_PROGRESS):
            raise Refused("Actions are planned before the change is done.")
        made = promise(
            by=by, title=title, owner=owner, due=due, origin=locked, kind=Action.Kind.CHANGE
        )
        refresh(locked)
        return made


# Transitions


@transition(
    Change,
    source=State.PLANNED,
    target=State.APPROVED,
    permission="changes.approve_change",
    guards=[thought_through, owner_works_here, not_its_author],
    signs="approved",
    label="Approve",
)
def approve(change: Change, *, by: Any) -> None:
    """Approve the plan; the change may begin."""
    change.approved_by, change.approved_on = by, today()


@transition(
    Change,
    source=State.APPROVED,
    target=State.PLANNED,
    permission="changes.change_change",
    only=only_its_owner,
    reason=True,
    label="Back to planning",
    primary=False,
)
def plan_anew(change: Change, *, by: Any) -> None:
    """The plan has to change; it is approved again afterwards."""
    change.approved_by = change.approved_on = None


@transition(
    Change,
    source=State.APPROVED,
    target=State.IN_PROGRESS,
    permission="changes.change_change",
    only=only_its_owner,
    guards=[owner_works_here],
    label="Begin",
)
def begin(change: Change, *, by: Any) -> None:
    """Begin to carry it out."""


@transition(
    Change,
    source=State.IN_PROGRESS,
    target=State.DONE,
    permission="changes.change_change",
    only=only_its_owner,
    guards=[actions_are_done],
    details={"result": _text("What was done, and what came otherwise than planned")},
    label="Done",
)
def finish(change: Change, *, by: Any, result: str) -> None:
    """Say what was done; its effect is looked at on the planned day."""
    change.result, change.done_on = result.strip(), today()


VERDICT = {"verdict": _text("What shows it, against what was wanted")}


def _judge(change: Change, by: Any, verdict: str) -> None:
    change.verdict, change.judged_by, change.judged_on = verdict.strip(), by, today()


@transition(
    Change,
    source=State.DONE,
    target=State.EFFECTIVE,
    permission="changes.judge_change",
    guards=[judged_by_another],
    details=VERDICT,
    label="It worked",
)
def confirm_effective(change: Change, *, by: Any, verdict: str) -> None:
    """The change reached its purpose."""
    _judge(change, by, verdict)


@transition(
    Change,
    source=State.DONE,
    target=State.IN_PROGRESS,
    permission="changes.judge_change",
    reason=True,
    label="More to do",
    primary=False,
)
def take_up_again(change: Change, *, by: Any) -> None:
    """It has not reached its purpose yet; go on."""
    change.done_on = None


@transition(
    Change,
    source=State.DONE,
    target=State.CLOSED,
    permission="changes.judge_change",
    guards=[judged_by_another],
    details=VERDICT,
    label="It did not work",
    primary=False,
)
def close_without_effect(change: Change, *, by: Any, verdict: str) -> None:
    """It missed its purpose, and nothing more is done about it."""
    _judge(change, by, verdict)


@transition(
    Change,
    source=[State.PLANNED, State.APPROVED, State.IN_PROGRESS],
    target=State.CANCELLED,
    permission="changes.cancel_change",
    guards=[actions_are_done],
    reason=True,
    label="Cancel",
    primary=False,
)
def cancel(change: Change, *, by: Any) -> None:
    """It is called off; the plan stays, with the reason."""


CHANGE_FIELDS = (*Change.PLAN, "check_on", "owner")
editing_change = amendment(
    Change,
    permission="changes.change_change",
    fields=CHANGE_FIELDS,
    only=only_its_owner,
    states=(State.PLANNED, State.APPROVED, State.IN_PROGRESS, State.DONE),
)


@contributions.work(Change)
def next_of_change(change: Change) -> list[Step]:
    """Plan, approve, begin, finish, judge: whose turn it is."""
    if change.is_settled:
        return []
    if not change.owner.is_active:
        return [Step("owner", "Choose another owner", role="quality_manager", due=change.due)]
    return [_STEPS[str(change.status)](change)]


def _to_plan(change: Change) -> Step:
    if why := thought_through(change, None):
        return Step("plan", "Complete the plan", person=change.owner, obstacle=why)
    return Step("approve", "Approve the change", role="top_management", due=change.starts_on)


def _to_begin(change: Change) -> Step:
    return Step("begin", "Begin", person=change.owner, due=change.starts_on)


def _to_finish(change: Change) -> Step:
    waiting = actions_are_done(change, None) or ""
    return Step("finish", "Finish", person=change.owner, due=change.due, obstacle=waiting)


def _to_judge(change: Change) -> Step:
    return Step("judge", "Judge its effect", role="quality_manager", due=change.check_on)


_STEPS: dict[str, Callable[[Change], Step]] = {
    "planned": _to_plan,
    "approved": _to_begin,
    "in_progress": _to_finish,
    "done": _to_judge,
}


@handles(ActionDone, order=61)
def the_change_may_go_on(event: ActionDone) -> None:
    """With its last action done, nothing holds the change up any more."""
    origin = event.action.origin
    if isinstance(origin, Change):
        refresh(origin)
