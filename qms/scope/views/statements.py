"""Pages of the scope and its statements."""

from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from qms import links, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column, PathStep
from qms.refusals import Refused
from qms.scope import advice, compare, prints, workflow
from qms.scope.forms import (
    CoverageForm,
    ExtensionForm,
    JustifyForm,
    LeaveOutForm,
    NewStatementForm,
    StatementForm,
)
from qms.scope.models import (
    NotApplicable,
    Organisation,
    PlannedExtension,
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
        former=former_of(statement),
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

    def cover(*, by: Any, **chosen: Any) -> ScopeStatement:
        return workflow.cover(statement, by=by, **chosen)

    return pages.edit(
        request,
        form_class=CoverageForm,
        create=cover,
        title=f"What {statement.number} covers",
        initial={
            "processes": statement.processes(),
            "sites": statement.sites(),
            "seen": links.seal({"statement": statement}, *workflow.COVERAGE),
        },
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


def former_of(statement: ScopeStatement) -> ScopeStatement | None:
    """The statement written before this one, without those that were void."""
    before = ScopeStatement.objects.exclude(status=ScopeStatement.Status.VOID)
    found: ScopeStatement | None = before.filter(pk__lt=statement.pk).order_by("-pk").first()
    return found


@needs("scope.view_scopestatement")
def statement_compare(request: HttpRequest, pk: int) -> HttpResponse:
    """Two statements side by side: words, processes, sites, and what is left out."""
    after = pages.find(request, ScopeStatement.objects, pk=pk)
    others = ScopeStatement.objects.visible_to(request.user).exclude(pk=after.pk)
    asked = request.GET.get("with", "")
    before = (
        get_object_or_404(others, pk=int(asked))
        if asked.isascii() and asked.isdigit() and len(asked) < 10
        else former_of(after) or others.order_by("pk").first()
    )
    if before is not None and before.pk > after.pk:
        before, after = after, before
    return pages.respond(
        request,
        "scope/statement_compare.html",
        "scope/statement_compare.html",
        {
            "title": f"{before} and {after}" if before else f"{after}",
            "crumbs": [
                ("Scope statements", reverse("scope:statement_list")),
                (after.number, after.get_absolute_url()),
                ("Compare", ""),
            ],
            "before": before,
            "after": after,
            "parts": compare.parts(before, after) if before else [],
            "members": compare.members(before, after) if before else [],
            "others": list(others.order_by("-pk")[:20]),
        },
    )


@needs("scope.view_scopestatement")
def statement_advice(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether the scope is too broad or too narrow, with the figures and the rule behind them."""
    statement = pages.find(request, ScopeStatement.objects, pk=pk)
    return pages.respond(
        request,
        "scope/statement_advice.html",
        "scope/statement_advice.html",
        {
            "title": f"Is {statement.number} the right size?",
            "crumbs": [
                ("Scope statements", reverse("scope:statement_list")),
                (statement.number, statement.get_absolute_url()),
                ("Advice", ""),
            ],
            "statement": statement,
            "advice": advice.advise(statement),
            "rule": advice.RULE,
            "may_plan": request.user.has_perm("scope.add_plannedextension"),
        },
    )


# Planned extensions


EXTENSIONS = [
    Column("what", "What comes in later", sort="what", kind="link"),
    Column("process", "Process", sort="process__code"),
    Column("site", "Site", sort="site__name"),
    Column("cycle", "Cycle", sort="cycle", numeric=True),
    Column(
        "target_on",
        "Planned for",
        sort="target_on",
        kind="due",
        settled=lambda row: row.status != "planned",
    ),
    Column("status", "State", sort="status", kind="state"),
]


class ExtensionFilter(django_filters.FilterSet):
    """Filters of the list of planned extensions."""

    what = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=PlannedExtension.Status.choices, label="State")

    class Meta:
        model = PlannedExtension
        fields = ("what", "status")


@needs("scope.view_plannedextension")
def extension_list(request: HttpRequest) -> HttpResponseBase:
    """What the scope takes in later."""
    return pages.show_list(
        request,
        PlannedExtension.objects.visible_to(request.user).select_related("process", "site"),
        columns=EXTENSIONS,
        filterset=ExtensionFilter,
        default_sort="target_on",
        title="Planned extensions",
        intro="What the scope does not cover yet, why, and when it comes in.",
        create_url="scope:extension_create",
        create_label="Plan an extension",
        empty="Nothing is planned for a later cycle.",
    )


@needs("scope.view_plannedextension")
def extension_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One planned extension."""
    rows = PlannedExtension.objects.select_related("process", "site", "created_by")
    extension = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        extension,
        template="scope/extension_detail.html",
        title=extension.what,
        due=extension.target_on,
        settled=extension.status != PlannedExtension.Status.PLANNED,
        crumbs=[("Planned extensions", reverse("scope:extension_list")), (extension.what, "")],
    )


@needs("scope.add_plannedextension")
def extension_create(request: HttpRequest) -> HttpResponse:
    """Plan what the scope takes in later."""
    return pages.edit(
        request,
        form_class=ExtensionForm,
        create=workflow.plan_extension,
        title="Plan an extension",
        context={"cancel_url": "scope:extension_list"},
    )


@needs("scope.change_plannedextension")
def extension_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is planned."""
    extension = pages.find(request, PlannedExtension.objects, pk=pk)
    return pages.edit(
        request, form_class=ExtensionForm, instance=extension, title=f"Edit “{extension.what}”"
    )


@needs(ANYONE_SIGNED_IN)
def extension_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Covered, dropped, planned again."""
    rows = PlannedExtension.objects.select_related("process", "site")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)
