"""The procedure of an action: promised, done with a result, verified by somebody else."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms

from qms import contributions
from qms.actions.models import Action
from qms.contributions import Step
from qms.events import publish
from qms.origins import is_visible
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.workflow import amendment, creates, transition, voids

Status = Action.Status


@dataclass(frozen=True)
class ActionDone:
    """An action was done; the chapter it came from may go on."""

    action: Action
    by: Any


@dataclass(frozen=True)
class ActionVerified:
    """Somebody other than the owner confirmed the result."""

    action: Action
    by: Any


# Guards


def only_its_owner(action: Action, by: Any) -> str | None:
    if by.pk == action.owner_id or by.holds("quality_manager"):
        return None
    return "Only the owner of an action or the quality manager says that it is done."


def not_who_did_it(action: Action, by: Any) -> str | None:
    if by.pk in (action.owner_id, action.done_by_id):
        return "Who did an action does not verify it; ask somebody else."
    return None


# Factories


@creates(Action, permission="actions.add_action")
def plan_action(
    *,
    by: Person,
    title: str,
    owner: Person,
    due: date,
    origin: Any = None,
    kind: str = Action.Kind.OTHER,
    description: str = "",
) -> Action:
    """Promise an action: what, who, by when, and which record asked for it."""
    return promise(
        by=by,
        title=title,
        owner=owner,
        due=due,
        origin=origin,
        kind=kind,
        description=description,
    )


def promise(
    *,
    by: Person,
    title: str,
    owner: Person,
    due: date,
    origin: Any = None,
    kind: str = Action.Kind.OTHER,
    description: str = "",
) -> Action:
    """The same for other chapters' procedures, whose own permission was checked already."""
    if not title.strip():
        raise Refused("Say what will be done.", field="title")
    if not owner.is_active:
        raise Refused(f"{owner.name} is no longer active; choose another owner.", field="owner")
    if origin is not None and not is_visible(origin, by):
        raise Refused("The record this action comes from was not found.", field="origin")
    action = Action(
        title=title.strip(),
        description=description,
        kind=kind,
        owner=owner,
        due=due,
        original_due=due,
        created_by=by,
    )
    if origin is not None:
        action.origin = origin
    action.save()
    return action


# Transitions


@transition(
    Action,
    source=Status.OPEN,
    target=Status.DONE,
    permission="actions.do_action",
    only=only_its_owner,
    label="Done",
    details={
        "result": forms.CharField(
            label="What was done, and with which result",
            widget=forms.Textarea(attrs={"rows": 3}),
            max_length=5000,
        )
    },
    then=lambda action, by: publish(ActionDone(action, by)),
)
def complete(action: Action, *, by: Any, result: str) -> None:
    """Say what was done."""
    action.result, action.done_by, action.done_on = result.strip(), by, today()


@transition(
    Action,
    source=Status.DONE,
    target=Status.VERIFIED,
    permission="actions.verify_action",
    guards=[not_who_did_it],
    label="Verify",
    then=lambda action, by: publish(ActionVerified(action, by)),
)
def verify(action: Action, *, by: Any) -> None:
    """Confirm that the result is there."""
    action.verified_by = by


@transition(
    Action,
    source=Status.DONE,
    target=Status.OPEN,
    permission="actions.verify_action",
    reason=True,
    label="Send back",
    primary=False,
)
def send_back(action: Action, *, by: Any) -> None:
    """Send it back: the result does not do."""
    action.done_by = action.done_on = None


void = voids(Action, source=[Status.OPEN, Status.DONE], permission="actions.void_action")

editing = amendment(
    Action,
    permission="actions.change_action",
    fields=("title", "description", "owner", "due", "kind"),
    states=(Status.OPEN,),
)


@contributions.work(Action)
def next_steps(action: Action) -> list[Step]:
    """The owner does it; then whoever asked for it verifies."""
    if action.status == Status.OPEN:
        return [Step("complete", "Do", person=action.owner, due=action.due)]
    if action.status == Status.DONE and action.kind != Action.Kind.CORRECTIVE:
        # A corrective action is verified with the nonconformity it belongs to.
        did_it = (action.owner_id, action.done_by_id)
        if action.created_by_id not in did_it and not action.created_by.is_system:
            return [Step("verify", "Verify", person=action.created_by, due=None)]
        return [Step("verify", "Verify", role="quality_manager", due=None)]
    return []


contributions.navigation(
    "Act",
    "Actions",
    "actions:action_list",
    icon="checklist",
    permission="actions.view_action",
    order=40,
)
contributions.create_entry(
    "Action", "actions:action_create", icon="checklist", permission="actions.add_action", order=60
)
