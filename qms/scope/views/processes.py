"""Pages of the processes."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.people.models import Person
from qms.scope import prints, workflow
from qms.scope.forms import (
    NewProcessForm,
    ProcessForm,
    StaffForm,
)
from qms.scope.models import (
    Process,
    ProcessMember,
    ProcessSite,
    Site,
)

PROCESSES = [
    Column("code", "Code", sort="code", kind="link"),
    Column("name", "Process", sort="name"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
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
    return pages.show_list(
        request,
        Process.objects.visible_to(request.user).select_related("owner"),
        columns=PROCESSES,
        filterset=ProcessFilter,
        default_sort="code",
        title="Processes",
        intro="What the organisation does, and who answers for it.",
        create_url="scope:process_create",
        create_label="New process",
        empty="No process is described yet. Begin with how you serve a customer.",
    )


@needs("scope.view_process")
def process_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The process sheet: purpose, inputs, outputs, criteria, people and places."""
    process = pages.find(request, Process.objects.select_related("owner", "created_by"), pk=pk)
    return pages.show_record(
        request,
        process,
        template="scope/process_detail.html",
        title=process.name,
        subtitle=f"{process.code} · importance {process.importance} of 5",
        crumbs=[("Processes", reverse("scope:process_list")), (process.code, "")],
        members=members_of(process),
        sites=sites_of(process),
        may_staff=workflow.editing_process.permitted(process, request.user)
        and process.status != Process.Status.RETIRED,
    )


def members_of(process: Process) -> list[Person]:
    """Who works in a process, by name."""
    links = ProcessMember.objects.live().filter(process=process).select_related("person")
    return [link.person for link in links.order_by("person__name", "pk")]


def sites_of(process: Process) -> list[Site]:
    """Where a process runs, by name."""
    links = ProcessSite.objects.live().filter(process=process).select_related("site")
    return [link.site for link in links.order_by("site__name")]


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
    """Say who works in a process and where it runs."""
    process = pages.find(request, Process.objects, pk=pk)

    def staff(*, by: Any, **links: Any) -> Process:
        return workflow.staff_process(process, by=by, **links)

    return pages.edit(
        request,
        form_class=StaffForm,
        create=staff,
        title=f"People and places of {process}",
        initial={"members": members_of(process), "sites": sites_of(process)},
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
    return pages.send_pdf(prints.process_pdf(process), f"process-{process.code}")
