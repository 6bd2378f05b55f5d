"""Pages of the organisation, its sites and processes, and the scope of the system."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.refusals import Refused
from qms.scope import prints, workflow
from qms.scope.forms import (
    CoverageForm,
    JustifyForm,
    LeaveOutForm,
    NewProcessForm,
    NewStatementForm,
    OrganisationForm,
    ProcessForm,
    SiteForm,
    StaffForm,
    StatementForm,
)
from qms.scope.models import (
    NotApplicable,
    Organisation,
    Process,
    ProcessMember,
    ProcessSite,
    ScopeStatement,
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
SITES = [
    Column("name", "Site", sort="name", kind="link"),
    Column("address", "Address"),
    Column("headcount", "People", sort="headcount", numeric=True),
    Column("shifts", "Shifts", sort="shifts", numeric=True),
    Column("status", "State", sort="status", kind="state"),
]
STATEMENTS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("statement", "Scope", value=lambda row: row.statement[:120]),
    Column("edition", "Edition", sort="edition"),
    Column("status", "State", sort="status", kind="state"),
    Column("approved_by", "Approved by", sort="approved_by__name", kind="person"),
    Column("approved_on", "Approved on", sort="approved_on", kind="date"),
]


class ProcessFilter(django_filters.FilterSet):
    """Filters of the list of processes."""

    name = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Process.Status.choices, label="State")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")

    class Meta:
        model = Process
        fields = ("name", "status", "owner")


# Scope and organisation


@needs("scope.view_scopestatement")
def overview(request: HttpRequest) -> HttpResponse:
    """The scope in force, what it covers, and what is in work."""
    rows = ScopeStatement.objects.visible_to(request.user).select_related("approved_by")
    in_force = rows.approved().first()
    open_states = [ScopeStatement.Status.DRAFT, ScopeStatement.Status.IN_REVIEW]
    return pages.respond(
        request,
        "scope/overview.html",
        "scope/overview.html",
        {
            "organisation": Organisation.objects.current(),
            "statement": in_force,
            "in_work": list(rows.filter(status__in=open_states).order_by("-pk")[:5]),
            "processes": in_force.processes() if in_force else [],
            "sites": in_force.sites() if in_force else [],
            "left_out": in_force.left_out() if in_force else [],
            "may_create": request.user.has_perm("scope.add_scopestatement"),
            "may_set_up": request.user.has_perm("scope.change_organisation"),
        },
    )


@needs("scope.view_organisation")
def organisation(request: HttpRequest) -> HttpResponse:
    """The organisation as it is set up."""
    found = Organisation.objects.select_related("created_by").first()
    if found is None:
        return pages.go_to(request, reverse("scope:organisation_set_up"))
    return pages.show_record(
        request,
        found,
        template="scope/organisation_detail.html",
        subtitle="The settings every date, number and printed page goes by.",
    )


@needs("scope.change_organisation")
def organisation_set_up(request: HttpRequest) -> HttpResponse:
    """Set the organisation up, once."""
    if Organisation.objects.exists():
        return pages.go_to(request, reverse("scope:organisation"))
    return pages.edit(
        request,
        form_class=OrganisationForm,
        create=workflow.set_up_organisation,
        title="Your organisation",
        context={"intro": "Everything here can be changed later.", "submit": "Set up"},
    )


@needs("scope.change_organisation")
def organisation_edit(request: HttpRequest) -> HttpResponse:
    """Change the settings, with the reason."""
    found = get_object_or_404(Organisation)
    return pages.edit(
        request, form_class=OrganisationForm, instance=found, title="Edit the organisation"
    )


# Sites


@needs("scope.view_site")
def site_list(request: HttpRequest) -> HttpResponseBase:
    """Where the organisation works."""
    return pages.show_list(
        request,
        Site.objects.visible_to(request.user),
        columns=SITES,
        default_sort="name",
        title="Sites",
        create_url="scope:site_create",
        create_label="New site",
        empty="No site is entered yet. Begin with the place where most people work.",
    )


@needs("scope.view_site")
def site_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One site and what runs there."""
    site = pages.find(request, Site.objects.select_related("created_by"), pk=pk)
    links = ProcessSite.objects.live().filter(site=site).select_related("process__owner")
    return pages.show_record(
        request,
        site,
        template="scope/site_detail.html",
        title=site.name,
        subtitle=site.address,
        crumbs=[("Sites", "scope:site_list")],
        processes=[link.process for link in links.order_by("process__code")],
    )


@needs("scope.add_site")
def site_create(request: HttpRequest) -> HttpResponse:
    """Enter a site."""
    return pages.edit(
        request,
        form_class=SiteForm,
        create=workflow.add_site,
        title="New site",
        context={"cancel_url": "scope:site_list"},
    )


@needs("scope.change_site")
def site_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a site."""
    site = pages.find(request, Site.objects, pk=pk)
    return pages.edit(request, form_class=SiteForm, instance=site, title=f"Edit {site}")


@needs(ANYONE_SIGNED_IN)
def site_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Close or reopen a site."""
    return pages.do_transition(request, pages.find(request, Site.objects, pk=pk), name)


# Processes


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


# Scope statements


@needs("scope.view_scopestatement")
def statement_list(request: HttpRequest) -> HttpResponseBase:
    """Every scope statement there was."""
    return pages.show_list(
        request,
        ScopeStatement.objects.visible_to(request.user).select_related("approved_by"),
        columns=STATEMENTS,
        default_sort="-number",
        title="Scope statements",
        create_url="scope:statement_create",
        create_label="New statement",
        empty="The scope is not written yet. Say what the system covers, and what it leaves out.",
    )


@needs("scope.view_scopestatement")
def statement_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One statement: its words, what it covers, what it leaves out and why."""
    people = ("created_by", "approved_by")
    statement = pages.find(request, ScopeStatement.objects.select_related(*people), pk=pk)
    drafting = statement.status == ScopeStatement.Status.DRAFT
    return pages.show_record(
        request,
        statement,
        template="scope/statement_detail.html",
        crumbs=[("Scope statements", reverse("scope:statement_list")), (statement.number, "")],
        title=statement.title,
        path=path_of(statement),
        processes=statement.processes(),
        sites=statement.sites(),
        left_out=statement.left_out(),
        advice=workflow.advice_on(statement) if statement.status in ("draft", "in_review") else [],
        may_write=drafting and request.user.has_perm("scope.change_scopestatement"),
        may_revise=statement.status == ScopeStatement.Status.APPROVED
        and request.user.has_perm("scope.add_scopestatement"),
    )


def path_of(statement: ScopeStatement) -> list[PathStep]:
    """Written, sent, approved: how far the statement is."""
    if statement.status == "void":
        return [PathStep("Written", "done", statement.created_by), PathStep("Void", "now")]
    order = ["draft", "in_review", "approved", "superseded"]
    at = order.index(statement.status)
    steps = [
        PathStep("Written", "done" if at else "now", statement.created_by),
        PathStep("With top management", "done" if at > 1 else "now" if at == 1 else "later"),
        PathStep("Approved", "done" if at > 1 else "later", statement.approved_on or ""),
    ]
    if statement.status == "superseded":
        steps.append(PathStep("Superseded", "now"))
    return steps


@needs("scope.add_scopestatement")
def statement_create(request: HttpRequest) -> HttpResponse:
    """Write a scope statement."""
    return pages.edit(
        request,
        form_class=NewStatementForm,
        create=workflow.draft_statement,
        title="New scope statement",
        context={"submit": "Save the draft", "cancel_url": "scope:statement_list"},
    )


@needs("scope.add_scopestatement")
@require_POST
def statement_revise(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the next statement as a copy of this one."""
    statement = pages.find(request, ScopeStatement.objects, pk=pk)
    copy = workflow.revise_statement(statement, by=request.user)  # type: ignore[arg-type]
    return redirect(copy)


@needs("scope.change_scopestatement")
def statement_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the draft."""
    statement = pages.find(request, ScopeStatement.objects, pk=pk)
    return pages.edit(
        request, form_class=StatementForm, instance=statement, title=f"Write {statement.number}"
    )


@needs("scope.change_scopestatement")
def statement_cover(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which processes and sites the draft covers."""
    statement = pages.find(request, ScopeStatement.objects, pk=pk)

    def cover(*, by: Any, **links: Any) -> ScopeStatement:
        return workflow.cover(statement, by=by, **links)

    return pages.edit(
        request,
        form_class=CoverageForm,
        create=cover,
        title=f"What {statement.number} covers",
        initial={"processes": statement.processes(), "sites": statement.sites()},
        context={"cancel_url": statement.get_absolute_url()},
    )


@needs("scope.change_scopestatement")
def statement_leave_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave a requirement out, with its justification."""
    statement = pages.find(request, ScopeStatement.objects, pk=pk)

    def leave_out(*, by: Any, **fields: Any) -> NotApplicable:
        return workflow.leave_out(statement, by=by, **fields)

    return pages.edit(
        request,
        form_class=LeaveOutForm,
        create=leave_out,
        title="A requirement that does not apply",
        edition=statement.edition,
        context={"cancel_url": statement.get_absolute_url(), "submit": "Leave it out"},
    )


@needs("scope.change_scopestatement")
def line_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a better justification."""
    line = get_object_or_404(NotApplicable.objects.select_related("statement"), pk=pk)

    def justify(*, by: Any, justification: str) -> NotApplicable:
        return workflow.justify(line, by=by, justification=justification)

    return pages.edit(
        request,
        form_class=JustifyForm,
        create=justify,
        title=f"Why {line.ref} does not apply",
        initial={"justification": line.justification},
        context={"cancel_url": line.get_absolute_url()},
    )


@needs("scope.change_scopestatement")
@require_POST
def line_keep_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the line out: the requirement applies after all."""
    line = get_object_or_404(NotApplicable.objects.select_related("statement"), pk=pk)
    try:
        workflow.keep_in(line, by=request.user)  # type: ignore[arg-type]
    except Refused as refusal:
        return pages.refused(request, refusal)
    return redirect(line)


@needs(ANYONE_SIGNED_IN)
def statement_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Send, approve, send back, void."""
    return pages.do_transition(request, pages.find(request, ScopeStatement.objects, pk=pk), name)


@needs("scope.view_scopestatement")
def statement_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The statement as a PDF, marked for what it is."""
    people = ("created_by", "approved_by")
    statement = pages.find(request, ScopeStatement.objects.select_related(*people), pk=pk)
    return pages.send_pdf(prints.statement_pdf(statement), statement.number)
