"""Pages of the scope and its statements."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column, PathStep
from qms.refusals import Refused
from qms.scope import prints, workflow
from qms.scope.forms import (
    CoverageForm,
    JustifyForm,
    LeaveOutForm,
    NewStatementForm,
    StatementForm,
)
from qms.scope.models import (
    NotApplicable,
    Organisation,
    ScopeStatement,
)

STATEMENTS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("statement", "Scope", value=lambda row: row.statement[:120]),
    Column("edition", "Edition", sort="edition"),
    Column("status", "State", sort="status", kind="state"),
    Column("approved_by", "Approved by", sort="approved_by__name", kind="person"),
    Column("approved_on", "Approved on", sort="approved_on", kind="date"),
]


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
