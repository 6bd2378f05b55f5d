"""Pages of changes: list, record, form, steps."""

from typing import Any

import django_filters
from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.actions.models import Action
from qms.changes import workflow
from qms.changes.forms import ChangeForm, NewChangeForm, StepForm, TouchForm
from qms.changes.models import Change, ChangeLink
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.periods import today
from qms.picking import ANY_RECORD, touched

COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Change", sort="title"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("starts_on", "Begins", sort="starts_on", kind="date"),
    Column(
        "due",
        "Finished by",
        sort="due",
        kind="due",
        settled=lambda row: row.is_settled or row.status == "done",
    ),
    Column("check_on", "Effect looked at", sort="check_on", kind="date", shown=False),
    Column("purpose", "Purpose", shown=False),
    Column("approved_by", "Approved by", sort="approved_by__name", kind="person"),
    Column("status", "State", sort="status", kind="state"),
]


class ChangeFilter(django_filters.FilterSet):
    """Filters of the list."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Change.Status.choices, label="State")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")
    late = django_filters.BooleanFilter(
        method="only_late", label="Only late ones", widget=forms.CheckboxInput
    )

    class Meta:
        model = Change
        fields = ("title", "status", "owner", "late")

    def only_late(self, rows: Any, name: str, value: bool) -> Any:
        return rows.overdue(today()) if value else rows


@needs("changes.view_change")
def change_list(request: HttpRequest) -> HttpResponseBase:
    """Every planned change, the newest first."""
    return pages.show_list(
        request,
        Change.objects.visible_to(request.user).select_related("owner", "approved_by"),
        columns=COLUMNS,
        filterset=ChangeFilter,
        default_sort="-number",
        title="Changes",
        intro="Changes of the quality system, thought through before they begin.",
        create_url="changes:change_create",
        create_label="Plan a change",
        empty="No change is planned. Plan one before a process, a site, a tool or a team changes.",
    )


@needs("changes.view_change")
def change_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One change: plan, approval, actions, result, verdict."""
    people = ("owner", "created_by", "approved_by", "judged_by", "origin_type")
    change = pages.find(request, Change.objects.select_related(*people), pk=pk)
    mine = workflow.only_its_owner(change, request.user) is None
    may = mine and request.user.has_perm("changes.change_change") and not change.is_settled
    links = ChangeLink.objects.live().filter(change=change).order_by("pk")
    actions = Action.objects.visible_to(request.user).raised_from(change)
    return pages.show_record(
        request,
        change,
        template="changes/change_detail.html",
        title=change.title,
        crumbs=[("Changes", "changes:change_list")],
        path=path_of(change),
        due=change.due,
        settled=change.is_settled or change.status == Change.Status.DONE,
        actions=list(actions.select_related("owner").order_by("due", "pk")),
        touched=touched(links, request.user),
        may_change=may,
        may_act=may and change.status != Change.Status.DONE,
    )


def path_of(change: Change) -> list[PathStep]:
    """Planned, approved, in progress, done, judged: how far it is."""
    if change.status == Change.Status.CANCELLED:
        return [PathStep("Planned", "done"), PathStep("Cancelled", "now")]
    order = ["planned", "approved", "in_progress", "done", "effective"]
    last = "Closed without effect" if change.status == Change.Status.CLOSED else "Effective"
    at = 4 if change.is_settled else order.index(change.status)
    notes = ["", change.approved_on, change.starts_on, change.done_on, change.judged_on]
    names = ("Planned", "Approved", "In progress", "Done", last)
    return [
        PathStep(name, "done" if i <= at else "now" if i == at + 1 else "later", note or "")
        for i, (name, note) in enumerate(zip(names, notes, strict=True))
    ]


@needs("changes.add_change")
def change_create(request: HttpRequest) -> HttpResponse:
    """Plan a change."""
    origin = ANY_RECORD.at_address(request.GET.get("from", ""), request.user)
    return pages.edit(
        request,
        form_class=NewChangeForm,
        create=workflow.plan_change,
        title="Plan a change",
        template="layouts/touching.html",
        initial={"touches": request.GET["from"]} if origin is not None else {},
        context={
            "intro": "Save what you know; the rest is asked for before it is approved.",
            "cancel_url": "changes:change_list",
        },
    )


@needs("changes.change_change")
def change_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the plan."""
    change = pages.find(request, Change.objects, pk=pk)
    return pages.edit(
        request, form_class=ChangeForm, instance=change, title=f"Edit {change.number}"
    )


@needs("changes.change_change")
def change_touch(request: HttpRequest, pk: int) -> HttpResponse:
    """What it bears on."""
    change = pages.find(request, Change.objects, pk=pk)
    links = ChangeLink.objects.live().filter(change=change).order_by("pk")
    known = touched(links, request.user)

    def save(*, by: Any, touches: Any) -> Change:
        return workflow.touch(change, by=by, touches=touches)

    return pages.edit(
        request,
        form_class=TouchForm,
        create=save,
        title=f"What {change.number} bears on",
        template="layouts/touching.html",
        initial={"touches": ", ".join(each.url for each in known if each.url)},
        context={"intro": change.title, "cancel_url": change.get_absolute_url()},
    )


@needs("changes.change_change")
def change_action(request: HttpRequest, pk: int) -> HttpResponse:
    """One action of the change."""
    change = pages.find(request, Change.objects, pk=pk)

    def save(*, by: Any, **said: Any) -> Change:
        workflow.plan_step(change, by=by, **said)
        return change

    return pages.edit(
        request,
        form_class=StepForm,
        create=save,
        title=f"An action for {change.number}",
        context={"intro": change.title, "cancel_url": change.get_absolute_url()},
    )


@needs("changes.view_change")
def record_find(request: HttpRequest) -> HttpResponse:
    """What the search finds for a word, ready to be ticked."""
    query = request.GET.get("touches", "").rpartition(",")[2].strip()
    hits = ANY_RECORD.found_by(query, request.user)[:8]
    return render(request, "components/found_records.html", {"hits": hits, "query": query})


@needs(ANYONE_SIGNED_IN)
def change_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One step of the procedure."""
    return pages.do_transition(request, pages.find(request, Change.objects, pk=pk), name)
