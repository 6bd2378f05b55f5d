"""The procedure of an action: promised, done with a result, verified by somebody else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db import transaction as db

from qms import contributions
from qms.actions.models import (
    LEAST_EFFORT,
    MOST_EFFORT,
    ORDER_LOCK,
    Action,
    ActionDependency,
)
from qms.contributions import Step
from qms.events import publish
from qms.links import refuse_stale, set_links
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
    effort: Decimal | None = None,
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
        effort=effort,
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
    effort: Decimal | None = None,
) -> Action:
    """The same for other chapters' procedures, whose own permission was checked already."""
    if not title.strip():
        raise Refused("Say what will be done.", field="title")
    if effort is not None and not LEAST_EFFORT <= effort <= MOST_EFFORT:
        raise Refused(
            f"Give the effort in working days, from {LEAST_EFFORT} to {MOST_EFFORT}.",
            field="effort",
        )
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
        effort=effort,
        original_due=due,
        created_by=by,
    )
    if origin is not None:
        action.origin = origin
    action.save()
    return action


def wait_for(
    action: Action,
    *,
    by: Person,
    needs: Iterable[Action],
    reason: str = "",
    seen: str | None = None,
) -> bool:
    """Make `needs` exactly what this action waits for; returns whether anything changed.

    `seen` is the seal of the links on the page. Raises PermissionDenied, Stale, and Refused for
    itself, a void action or a circle.
    """
    if not by.has_perm("actions.change_action"):
        raise PermissionDenied("Your role does not allow you to say what an action waits for.")
    wanted = list({each.pk: each for each in needs}.values())
    with db.atomic():
        with connection.cursor() as cursor:  # one order is written at a time, as in `NoCircle`
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ORDER_LOCK])
        action.refresh_from_db()
        if action.status != Status.OPEN:
            raise Refused(f"{action.number} is {action.get_status_display().lower()} already.")
        refuse_stale(seen, {"action": action}, ActionDependency)
        known = _waits()
        for each in wanted:
            _check_order(action, each, by, known)
        return set_links(
            ActionDependency,
            owner={"action": action},
            target="needs",
            targets=wanted,
            by=by,
            reason=reason.strip(),
        )


def _check_order(action: Action, needs: Action, by: Person, known: dict[int, set[int]]) -> None:
    if needs.pk == action.pk:
        raise Refused("An action does not wait for itself.", field="needs")
    if needs.status == Status.VOID:
        raise Refused(f"{needs.number} is void; nothing waits for it.", field="needs")
    if not is_visible(needs, by):
        raise Refused("The action to wait for was not found.", field="needs")
    way = _way(needs.pk, action.pk, known)
    if way:
        names = dict(Action._base_manager.filter(pk__in=way).values_list("pk", "number"))
        told = " waits for ".join(names[key] for key in way)
        raise Refused(
            f"That would be a circle: {told}. Take one of these links away first.", field="needs"
        )


def _waits() -> dict[int, set[int]]:
    """What each action waits for, by keys."""
    found: dict[int, set[int]] = {}
    for action, needs in ActionDependency.objects.live().values_list("action_id", "needs_id"):
        found.setdefault(action, set()).add(needs)
    return found


def _way(start: int, end: int, known: dict[int, set[int]]) -> list[int]:
    """The chain of keys from one action to another along what it waits for; empty without one."""
    came: dict[int, int | None] = {start: None}
    queue = [start]
    for here in queue:
        if here == end:
            way = [here]
            while (before := came[way[0]]) is not None:
                way.insert(0, before)
            return way
        for there in sorted(known.get(here, ())):
            if there not in came:
                came[there] = here
                queue.append(there)
    return []


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
    fields=("title", "description", "owner", "due", "effort", "kind"),
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
