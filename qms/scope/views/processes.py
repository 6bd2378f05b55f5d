"""Pages of the processes."""

from collections.abc import Callable
from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from qms import contributions, links, listing, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.people.models import Person
from qms.periods import today
from qms.scope import checks, drawing, prints, responsibilities, spread, turtle, workflow
from qms.scope.forms import FlowForm, InputForm, NewProcessForm, OutputForm, ProcessForm, StaffForm
from qms.scope.models import Flow, Organisation, Process

PROCESSES = [
    Column("code", "Code", sort="code", kind="link"),
    Column("name", "Process", sort="name"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("kind", "Kind", sort="kind", value="get_kind_display"),
    Column("importance", "Importance", sort="importance", numeric=True),
    Column("is_outsourced", "Outsourced", sort="is_outsourced", kind="yes_no"),
    Column("status", "State", sort="status", kind="state"),
    Column("clauses", "Clauses", value="get_clauses_display", shown=False),
]


class ProcessFilter(django_filters.FilterSet):
    """Filters of the list of processes."""

    name = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Process.Status.choices, label="State")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")

    class Meta:
        model = Process
        fields = ("name", "status", "owner")


@needs("scope.view_process")
def process_list(request: HttpRequest) -> HttpResponseBase:
    """The processes of the system, each with its owner."""
    found = checks.everything(checks.of_system(measured=False))
    return pages.show_list(
        request,
        Process.objects.visible_to(request.user).select_related("owner"),
        columns=PROCESSES,
        filterset=ProcessFilter,
        default_sort="code",
        title="Processes",
        template="scope/process_list.html",
        tabs=tabs(request, "list"),
        found=found,
        intro="What the organisation does, and who answers for it.",
        create_url="scope:process_create",
        create_label="New process",
        empty="No process is described yet. Begin with how you serve a customer.",
    )


def tabs(request: HttpRequest, current: str) -> list[tuple[str, str, bool]]:
    """The views of the processes: list, map, what flows, what is missing, and who does it."""
    views = [
        ("list", "List", "scope:process_list", "scope.view_process"),
        ("map", "Map", "scope:process_map", "scope.view_process"),
        ("flows", "Inputs and outputs", "scope:flow_list", "scope.view_flow"),
        ("checks", "To mend", "scope:process_checks", "scope.view_process"),
        ("people", "Responsibilities", "scope:responsibilities", "scope.view_process"),
        ("ownership", "Ownership", "scope:ownership", "scope.view_ownership"),
    ]
    return [
        (label, reverse(name), key == current)
        for key, label, name, permission in views
        if request.user.has_perm(permission)
    ]


@needs("scope.view_process")
def process_map(request: HttpRequest) -> HttpResponse:
    """How the processes hand things to each other: the map, and the same as a list."""
    system = checks.of_system()
    return pages.respond(
        request,
        "scope/process_map.html",
        "scope/process_map.html",
        {
            "title": "Processes",
            "tabs": tabs(request, "map"),
            "drawing": drawing.on_screen(system),
            "rows": drawing.as_list(system),
            "found": checks.everything(system),
        },
    )


@needs("scope.view_process")
def process_map_pdf(request: HttpRequest) -> HttpResponse:
    """The map on one sheet of paper, with the same as a list behind it."""
    return pages.send_pdf(prints.map_pdf(checks.of_system()), "process-map")


@needs("scope.view_process")
def process_checks(request: HttpRequest) -> HttpResponse:
    """Everything that is missing in the description of the processes."""
    found = checks.everything(checks.of_system())
    return pages.respond(
        request,
        "scope/process_checks.html",
        "scope/process_checks.html",
        {"title": "Processes", "tabs": tabs(request, "checks"), "found": found},
    )


@needs("scope.view_process")
def process_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The turtle sheet: what goes in and comes out, who, with what, how, measured by what."""
    process = pages.find(request, Process.objects.select_related("owner", "created_by"), pk=pk)
    may_edit = (
        workflow.editing_process.permitted(process, request.user)
        and process.status != Process.Status.RETIRED
    )
    return pages.show_record(
        request,
        process,
        template="scope/process_detail.html",
        title=process.name,
        subtitle=f"{process.code} · {process.get_kind_display().lower()} process · importance"
        f" {process.importance} of 5",
        crumbs=[("Processes", reverse("scope:process_list")), (process.code, "")],
        may_staff=may_edit,
        may_draw=may_edit and request.user.has_perm("scope.add_flow"),
        found=checks.of_process(checks.everything(checks.of_system()), process),
        **turtle.of(process, request.user),
    )


@needs("scope.add_process")
def process_create(request: HttpRequest) -> HttpResponse:
    """Describe a process."""
    return pages.edit(
        request,
        form_class=NewProcessForm,
        create=workflow.create_process,
        title="New process",
        context={"cancel_url": "scope:process_list"},
    )


@needs("scope.change_process")
def process_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the description of a process."""
    process = pages.find(request, Process.objects, pk=pk)
    return pages.edit(request, form_class=ProcessForm, instance=process, title=f"Edit {process}")


@needs("scope.change_process")
def process_staff(request: HttpRequest, pk: int) -> HttpResponse:
    """Say who stands in, who works in a process and where it runs."""
    process = pages.find(request, Process.objects, pk=pk)

    def staff(*, by: Any, **chosen: Any) -> Process:
        return workflow.staff_process(process, by=by, **chosen)

    return pages.edit(
        request,
        form_class=StaffForm,
        create=staff,
        title=f"People and places of {process}",
        initial={
            "deputies": turtle.deputies_of(process),
            "members": turtle.members_of(process),
            "sites": turtle.sites_of(process),
            "seen": links.seal({"process": process}, *workflow.STAFF),
        },
        context={"cancel_url": process.get_absolute_url()},
    )


@needs(ANYONE_SIGNED_IN)
def process_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Activate, retire or bring back a process."""
    rows = Process.objects.select_related("owner")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


@needs("scope.view_process")
def process_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The process sheet as a PDF."""
    process = pages.find(request, Process.objects.select_related("owner", "created_by"), pk=pk)
    return pages.send_pdf(prints.process_pdf(process, request.user), f"process-{process.code}")


# What flows


FLOWS = [
    Column("what", "What", sort="what", kind="link"),
    Column("giver", "From", sort="source__code", value=lambda row: row.giver or "nobody named"),
    Column("receiver", "To", sort="target__code", value=lambda row: row.receiver or "nobody"),
]


class FlowFilter(django_filters.FilterSet):
    """Filters of the list of flows."""

    what = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    source = django_filters.ModelChoiceFilter(
        queryset=Process.objects.order_by("code"), label="From"
    )
    target = django_filters.ModelChoiceFilter(queryset=Process.objects.order_by("code"), label="To")

    class Meta:
        model = Flow
        fields = ("what", "source", "target")


@needs("scope.view_flow")
def flow_list(request: HttpRequest) -> HttpResponseBase:
    """Everything that is handed over, with who gives and who receives it."""
    return pages.show_list(
        request,
        Flow.objects.visible_to(request.user).live().with_ends(),
        columns=FLOWS,
        filterset=FlowFilter,
        default_sort="what",
        title="Inputs and outputs",
        template="scope/flow_list.html",
        tabs=tabs(request, "flows"),
        intro="What one process gives is what another takes: one line for both.",
        create_url="scope:flow_create",
        create_label="New flow",
        empty="Nothing flows yet. Begin with what your customers give you and what they get.",
    )


@needs("scope.view_flow")
def flow_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One flow: what, from whom, to whom."""
    rows = Flow.objects.select_related("source__owner", "target__owner", "created_by")
    flow = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        flow,
        template="scope/flow_detail.html",
        title=flow.what,
        crumbs=[("Inputs and outputs", reverse("scope:flow_list")), (flow.what, "")],
        may_end=not flow.ended and workflow.editing_flow.permitted(flow, request.user),
    )


@needs("scope.add_flow")
def flow_create(request: HttpRequest) -> HttpResponse:
    """Say what one process hands to another."""
    return pages.edit(
        request,
        form_class=FlowForm,
        create=workflow.add_flow,
        title="New flow",
        context={"cancel_url": "scope:flow_list"},
    )


@needs("scope.add_flow")
def process_input(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what a process needs, and from whom."""
    return _new_end(request, pk, "target", InputForm, "What goes into {}")


@needs("scope.add_flow")
def process_output(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what a process gives, and to whom."""
    return _new_end(request, pk, "source", OutputForm, "What comes out of {}")


def _new_end(request: HttpRequest, pk: int, end: str, form: Any, title: str) -> HttpResponse:
    process = pages.find(request, Process.objects, pk=pk)

    def add(*, by: Any, **fields: Any) -> Process:
        workflow.add_flow(by=by, **fields, **{end: process})
        return process

    return pages.edit(
        request,
        form_class=form,
        create=add,
        title=title.format(process),
        context={"cancel_url": process.get_absolute_url()},
    )


@needs("scope.change_flow")
def flow_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what flows, or name an end that is open."""
    flow = pages.find(request, Flow.objects.with_ends(), pk=pk)
    return pages.edit(request, form_class=FlowForm, instance=flow, title=f"Edit “{flow.what}”")


@needs("scope.change_flow")
@require_POST
def flow_end(request: HttpRequest, pk: int) -> HttpResponse:
    """It no longer flows."""
    flow = pages.find(request, Flow.objects.with_ends(), pk=pk)
    workflow.end_flow(flow, by=request.user)  # type: ignore[arg-type]
    return redirect(flow.target or flow.source)


# Who answers for what


@needs("scope.view_process")
def responsibility_matrix(request: HttpRequest) -> HttpResponseBase:
    """Who owns which process, stands in or works in it; `?format=csv` gives the file."""
    found = responsibilities.responsibilities(request.user)
    if request.GET.get("format") == "csv":
        columns = [
            Column("person", "Person", value="person.name"),
            Column("department", "Department", value="person.department"),
            *(
                Column(f"p{each.pk}", f"{each.code} {each.name}", value=_words_at(at))
                for at, each in enumerate(found.processes)
            ),
        ]
        return listing.export(
            found.lines, columns, title="Responsibilities", kind="csv", today=today()
        )
    return pages.respond(
        request,
        "scope/responsibilities.html",
        "scope/responsibilities.html",
        {"title": "Processes", "tabs": tabs(request, "people"), "found": found},
    )


def _words_at(at: int) -> Callable[[responsibilities.Responsible], str]:
    return lambda line: line.parts[at].words


@needs("scope.view_ownership")
def ownership(request: HttpRequest) -> HttpResponse:
    """How processes, documents and actions are shared, and when leadership last acted."""
    people = {each.pk: each.name for each in Person.objects.people()}
    counts = dict(contributions.owned_by(people, request.user))
    departments = contributions.departments_of(people)
    organisation = Organisation.objects.current()
    by_person = spread.shares(counts, people)
    by_department = spread.shares(counts, departments) if departments else []
    acts = spread.acts_of_leadership()
    headcount = organisation.headcount if organisation else len(people)
    return pages.respond(
        request,
        "scope/ownership.html",
        "scope/ownership.html",
        {
            "title": "Processes",
            "tabs": tabs(request, "ownership"),
            "kinds": list(counts),
            "groups": [
                (label, [(row, [row.counts.get(kind, 0) for kind in counts]) for row in rows])
                for label, rows in (("Department", by_department), ("Person", by_person))
                if rows
            ],
            "warnings": spread.too_much(by_department or by_person),
            "acts": acts,
            "silence": spread.silence(acts, today()),
            "right_size": spread.right_size(headcount, Process.objects.active().count()),
        },
    )
