"""Actions at `/api/v1/actions/`."""

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja import Schema

from qms.actions import workflow
from qms.actions.forms import ActionForm, NewActionForm
from qms.actions.models import Action, Extension
from qms.api import Message, Resource
from qms.refusals import Refused

actions = Resource(
    "actions",
    Action,
    fields=(
        "number",
        "title",
        "description",
        "kind",
        "owner",
        "due",
        "effort",
        "original_due",
        "status",
        "result",
        "done_on",
        "done_by",
        "verified_by",
        "escalated_for",
    ),
    form=NewActionForm,
    edit_form=ActionForm,
    create=workflow.plan_action,
)


extensions = Resource(
    "action-extensions",
    Extension,
    fields=("action", "was", "until", "reason", "status", "decided_by", "decided_on"),
    related=("action",),
)


class LaterDay(Schema):
    """A later day for an action, and why it takes longer."""

    until: date
    reason: str


def extend_action(request: HttpRequest, pk: int, values: LaterDay) -> Any:
    """Ask for a later day; somebody else decides."""
    person: Any = request.user
    action = actions.found(request, pk)
    made = workflow.ask_extension(action, by=person, until=values.until, reason=values.reason)
    return extensions._shown(made)


actions._declare(
    "POST",
    "/{int:pk}/extend/",
    extend_action,
    "actions.do_action",
    response={200: extensions.read_schema, 403: Message, 404: Message, 422: Message},
    summary="Ask for a later day",
    operation_id="actions_extend",
)


class Order(Schema):
    """The ids of the actions that must be finished first; nothing else stays."""

    needs: list[int]


def order_action(request: HttpRequest, pk: int, values: Order) -> Any:
    """Say what an action waits for; a circle is refused."""
    person: Any = request.user
    if not person.has_perm("actions.change_action"):
        raise PermissionDenied
    action = actions.found(request, pk)
    found = list(Action.objects.visible_to(person).filter(pk__in=values.needs))
    if len(found) != len(set(values.needs)):
        raise Refused("An action to wait for was not found.", field="needs")
    workflow.wait_for(action, by=person, needs=found)
    return actions._shown(action)


actions._declare(
    "POST",
    "/{int:pk}/waits-for/",
    order_action,
    "actions.change_action",
    response={200: actions.read_schema, 403: Message, 404: Message, 422: Message},
    summary="Say what an action waits for",
    operation_id="actions_waits_for",
)
