"""Pages of actions: list, record, form, steps."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.actions import workflow
from qms.actions.forms import ActionForm, ExtensionForm, NewActionForm, OrderForm
from qms.actions.models import Action, Extension
from qms.pages import Column, PathStep
from qms.people.models import Person


def is_settled(action: Action) -> bool:
    return action.status in (Action.Status.VERIFIED, Action.Status.VOID, Action.Status.DONE)


COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Action", sort="title"),
    Column("kind", "Kind", value="get_kind_display", sort="kind"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("status", "State", sort="status", kind="state"),
    Column("due", "Due", sort="due", kind="due", settled=is_settled),
    Column("effort", "Days", sort="effort", kind="number", shown=False),
    Column("original_due", "First promised", kind="date", shown=False),
    Column("result", "Result", shown=False),
]


class ActionFilter(django_filters.FilterSet):
    """Filters of the list."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Action.Status.choices, label="State")
    kind = django_filters.ChoiceFilter(choices=Action.Kind.choices, label="Kind")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")

    class Meta:
        model = Action
        fields = ("title", "status", "kind", "owner")


@needs("actions.view_action")
def action_list(request: HttpRequest) -> HttpResponseBase:
    """Every action of every chapter."""
    return pages.show_list(
        request,
        Action.objects.visible_to(request.user).select_related("owner"),
        columns=COLUMNS,
        filterset=ActionFilter,
        default_sort="due",
        title="Actions",
        create_url="actions:action_create",
        create_label="Plan an action",
        empty="Nobody has promised anything yet. Actions come from gaps, findings and reviews.",
    )


@needs("actions.view_action")
def action_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One action with its origin, result and history."""
    related = ("owner", "created_by", "done_by", "verified_by", "origin_type", "about_type")
    action = pages.find(request, Action.objects.select_related(*related), pk=pk)
    return pages.show_record(
        request,
        action,
        template="actions/action_detail.html",
        title=action.title,
        subtitle=f"{action.number} · {action.get_kind_display()}",
        crumbs=[("Actions", "actions:action_list")],
        path=path_of(action),
        due=action.due,
        settled=is_settled(action),
        extensions=list(
            action.extensions.select_related("created_by", "decided_by").order_by("-pk")
        ),
        may_ask=action.status == Action.Status.OPEN and request.user.pk == action.owner_id,
        needs=list(Action.objects.visible_to(request.user).needed_by(action)),
        needed_by=list(Action.objects.visible_to(request.user).that_need(action)),
        may_order=action.status == Action.Status.OPEN
        and request.user.has_perm("actions.change_action"),
    )


def path_of(action: Action) -> list[PathStep]:
    """Promised, done, verified: how far the action is."""
    order = [Action.Status.OPEN, Action.Status.DONE, Action.Status.VERIFIED]
    if action.status == Action.Status.VOID:
        return [PathStep("Promised", "done"), PathStep("Void", "now")]
    reached = order.index(Action.Status(action.status))
    notes: list[Any] = [action.due, action.done_on or "", action.verified_by or ""]
    names = ["Promised", "Done", "Verified"]
    return [
        PathStep(name, "done" if at <= reached else "now" if at == reached + 1 else "later", note)
        for at, (name, note) in enumerate(zip(names, notes, strict=True))
    ]


@needs("actions.add_action")
def action_create(request: HttpRequest) -> HttpResponse:
    """Plan an action."""
    return pages.edit(
        request, form_class=NewActionForm, create=workflow.plan_action, title="Plan an action"
    )


@needs("actions.change_action")
def action_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what was promised, with the reason."""
    action = pages.find(request, Action.objects, pk=pk)
    return pages.edit(
        request, form_class=ActionForm, instance=action, title=f"Edit {action.number}"
    )


@needs("actions.change_action")
def action_order(request: HttpRequest, pk: int) -> HttpResponse:
    """What an action waits for."""
    action = pages.find(request, Action.objects, pk=pk)

    def save(*, by: Any, needs: Any, other: list[Action], seen: str) -> Action:
        workflow.wait_for(action, by=by, needs=[*needs, *other], seen=seen)
        return action

    return pages.edit(
        request,
        form_class=OrderForm,
        create=save,
        title=f"What {action.number} waits for",
        action=action,
        context={
            "intro": action.title,
            "cancel_url": action.get_absolute_url(),
        },
    )


@needs(ANYONE_SIGNED_IN)
def action_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Do, verify, send back, void."""
    return pages.do_transition(request, pages.find(request, Action.objects, pk=pk), name)


@needs("actions.do_action")
def action_extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for a later day."""
    action = pages.find(request, Action.objects, pk=pk)

    def ask(*, by: Any, **said: Any) -> Action:
        workflow.ask_extension(action, by=by, **said)
        return action

    return pages.edit(
        request,
        form_class=ExtensionForm,
        create=ask,
        title=f"A later day for {action.number}",
        context={
            "intro": f"{action.title}. Due on {action.due:%-d %B %Y}; somebody else decides.",
            "submit": "Ask",
            "cancel_url": action.get_absolute_url(),
        },
    )


@needs("actions.view_extension")
def extension_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One request for a later day, and its answer."""
    rows = Extension.objects.select_related("action__owner", "created_by", "decided_by")
    extension = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        extension,
        template="actions/extension_detail.html",
        title=extension.title,
        crumbs=[
            ("Actions", "actions:action_list"),
            (extension.action.number, extension.action.get_absolute_url()),
            ("A later day", ""),
        ],
    )


@needs(ANYONE_SIGNED_IN)
def extension_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Grant, refuse."""
    rows = Extension.objects.select_related("action")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)
