"""Pages of nonconformities."""

from typing import Any

import django_filters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from capa import workflow
from capa.causes import cause_context
from capa.complaints import raise_from_complaint
from capa.forms import AnswerForm, NewNonconformityForm, NonconformityForm, ReportForm
from capa.models import CorrectiveAction, Nonconformity, Repeat
from capa.prints import bundle, eight_d_pdf
from capa.prints import nc_pdf as pdf_of
from capa.progress import progress_of
from capa.views.corrective_actions import buttons_of
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.actions.models import Action
from qms.customers.models import Customer, Feedback
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.scope.models import Process, Site

COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "What is wrong", sort="title"),
    Column("grade", "Grade", value="get_grade_display", sort="grade"),
    Column("source", "Source", value="get_source_display", sort="source"),
    Column("process", "Process", sort="process__code"),
    Column("owner", "Owner", sort="owner__name", kind="person"),
    Column("customer", "Customer", value="customer.name", sort="customer__name", shown=False),
    Column("product", "Product", sort="product", shown=False),
    Column("severity", "Severity", value="severity_word", sort="severity", shown=False),
    Column("status", "State", sort="status", kind="state"),
    Column("due", "Due", sort="due", kind="due", settled=lambda nc: nc.is_settled),
    Column(
        "close_by",
        "To be closed by",
        sort="close_by",
        kind="due",
        settled=lambda nc: nc.is_settled,
        shown=False,
    ),
    Column("first_close_by", "At first", sort="first_close_by", kind="date", shown=False),
    Column("age", "Days open", value=lambda nc: nc.days_open(today()), numeric=True, shown=False),
    Column("again", "Again", value="again", kind="text", shown=False),
    Column("detected_on", "Detected", sort="detected_on", kind="date"),
    Column("closed_on", "Closed", sort="closed_on", kind="date", shown=False),
]


class NonconformityFilter(django_filters.FilterSet):
    """Filters of the log."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Nonconformity.Status.choices, label="State")
    grade = django_filters.ChoiceFilter(choices=Nonconformity.Grade.choices, label="Grade")
    source = django_filters.ChoiceFilter(choices=Nonconformity.Source.choices, label="Source")
    severity = django_filters.ChoiceFilter(choices=Nonconformity.Severity.choices, label="Severity")
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    customer = django_filters.ModelChoiceFilter(queryset=Customer.objects.all(), label="Customer")
    owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Owner")

    class Meta:
        model = Nonconformity
        fields = (
            "title",
            "status",
            "grade",
            "severity",
            "source",
            "process",
            "customer",
            "provider",
            "owner",
        )


def tabs(current: str, person: Any) -> list[tuple[str, str, bool]]:
    """The ways to look at cases: as a list, on a board, in figures, by what comes again."""
    ways = [
        ("list", "List", "capa:nc_list"),
        ("board", "Board", "capa:board"),
        ("figures", "Figures", "capa:figures"),
        ("recurring", "Recurring causes", "capa:recurring"),
        ("costs", "Cost", "capa:costs"),
    ]
    if not person.has_perm("capa.view_costentry"):
        ways = ways[:-1]
    return [(label, reverse(address), key == current) for key, label, address in ways]


@needs("capa.view_nonconformity")
def nc_list(request: HttpRequest) -> HttpResponseBase:
    """The log of nonconformities."""
    rows = Nonconformity.objects.visible_to(request.user)
    return pages.show_list(
        request,
        rows.with_repeats().select_related("owner", "process", "customer"),
        columns=COLUMNS,
        filterset=NonconformityFilter,
        default_sort="-number",
        title="Nonconformities",
        template="capa/nc_list.html",
        tabs=tabs("list", request.user),
        create_url=reverse("capa:problem_create"),
        create_label="Report a problem",
        empty="No problem is reported yet. Report the first one; it takes a minute.",
    )


PEOPLE = ("owner", "created_by", "verified_by", "closed_by", "detected_by")
RELATED = (
    *("process", "origin_type", "customer", "provider", "site", "cause_analysis"),
    "eight_d__created_by",
)


@needs("capa.view_nonconformity")
def nc_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One nonconformity: what is wrong, why, what is done, whether it worked."""
    rows = Nonconformity.objects.select_related(*RELATED, *PEOPLE)
    nc = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        nc,
        template="capa/nc_detail.html",
        title=nc.title,
        crumbs=[("Nonconformities", reverse("capa:nc_list")), (nc.number, "")],
        path=path_of(nc),
        due=nc.due,
        settled=nc.is_settled,
        corrective=serving(nc, request.user),
        at_once=list(Action.objects.raised_from(nc).select_related("owner").order_by("due", "pk")),
        repeats=list(
            Repeat.objects.visible_to(request.user)
            .counted()
            .filter(nonconformity=nc)
            .select_related("earlier", "nonconformity")
            .order_by("-likeness", "pk")
        ),
        may_answer=_may_answer(nc, request.user),
        may_analyse=_may_answer(nc, request.user) and nc.status in ("open", "contained"),
        may_omit_8d=workflow.may_omit_8d(nc, request.user),
        may_8d=not nc.is_settled and _answers(nc, request.user),
        **cause_context(nc),
    )


def serving(nc: Nonconformity, person: Any) -> list[dict[str, Any]]:
    """The corrective actions of a case as its page shows them, with what may be done next."""
    rows = CorrectiveAction.objects.visible_to(person).serving(nc).select_related("owner")
    day, back = today(), nc.get_absolute_url()
    return [
        {
            "action": each,
            "tasks": list(workflow.tasks_of(each).select_related("owner").order_by("due", "pk")),
            "progress": progress_of(each, day, person),
            "steps": buttons_of(each, person, back) if not each.is_settled else None,
            "may_plan": each.status in ("draft", "submitted", "planned")
            and person.has_perm("capa.change_correctiveaction")
            and not workflow.only_who_answers_for_it(each, person),
        }
        for each in rows.order_by("pk")
    ]


def _answers(nc: Nonconformity, person: Any) -> bool:
    """Whether this person may answer the case at all."""
    may = person.has_perm("capa.answer_nonconformity")
    return bool(may and not workflow.only_who_answers(nc, person))


def _may_answer(nc: Nonconformity, person: Any) -> bool:
    return nc.status in ("open", "contained", "analysed") and _answers(nc, person)


def path_of(nc: Nonconformity) -> list[PathStep]:
    """Contained, cause, action, effective, closed: how far it is."""
    order = ["open", "contained", "analysed", "planned", "implemented", "effective", "closed"]
    if nc.status == "void":
        return [PathStep("Raised", "done", nc.detected_on), PathStep("Void", "now")]
    if nc.status == "closed" and nc.decision != "action" and not nc.verified_on:
        last = nc.get_decision_display() or "Closed elsewhere"
        return [
            PathStep("Contained", "done", nc.contained_on or ""),
            *([PathStep("Cause", "done", nc.analysed_on)] if nc.analysed_on else []),
            PathStep(last, "done"),
            PathStep("Closed", "done", nc.closed_on or ""),
        ]
    at = order.index(nc.status)
    notes = [
        ("Contained", nc.contained_on),
        ("Cause", nc.analysed_on),
        ("Plan", nc.check_on if at > 2 else None),
        ("Actions", nc.implemented_on),
        ("Effective?", nc.verified_on),
        ("Closed", nc.closed_on),
    ]
    return [
        PathStep(
            name,
            "done" if at > i else "now" if at == i else "later",
            note or (nc.due if at == i and nc.due else ""),
        )
        for i, (name, note) in enumerate(notes)
    ]


@needs("capa.add_report")
def problem_create(request: HttpRequest) -> HttpResponse:
    """Report a problem in under a minute; the workplace's code fills in where."""
    return pages.edit(
        request,
        form_class=ReportForm,
        create=workflow.tell,
        title="Report a problem",
        template="capa/problem_form.html",
        initial=_workplace(request),
        context={
            "submit": "Report",
            "intro": "One line is enough. You need not know what kind of problem it is.",
        },
    )


def _workplace(request: HttpRequest) -> dict[str, Any]:
    """Process and site of the address, where the person may see them."""
    models = {"process": Process, "site": Site}
    known = {name: pages.named_in(request, name, model) for name, model in models.items()}
    return {name: record.pk for name, record in known.items() if record is not None}


@needs("capa.change_nonconformity")
def nc_create(request: HttpRequest) -> HttpResponse:
    """Raise a nonconformity with everything known about it."""
    return pages.edit(
        request,
        form_class=NewNonconformityForm,
        create=workflow.raise_nonconformity,
        title="Raise a nonconformity",
    )


@needs("capa.change_nonconformity")
def nc_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is recorded, with the reason."""
    nc = pages.find(request, Nonconformity.objects, pk=pk)
    return pages.edit(request, form_class=NonconformityForm, instance=nc, title=f"Edit {nc.number}")


@needs(ANYONE_SIGNED_IN)
def nc_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Contain, find the cause, plan, implement, verify, close, void."""
    rows = Nonconformity.objects.select_related("owner", "process")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


@needs("capa.view_nonconformity")
def nc_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The report of one nonconformity as a PDF."""
    rows = Nonconformity.objects.select_related(*RELATED, *PEOPLE)
    nc = pages.find(request, rows, pk=pk)
    return pages.send_pdf(pdf_of(nc), nc.number)


@needs("capa.view_nonconformity")
def nc_8d_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The case as an 8D report."""
    rows = Nonconformity.objects.select_related(*RELATED, *PEOPLE)
    nc = pages.find(request, rows, pk=pk)
    return pages.send_pdf(eight_d_pdf(nc), f"{nc.number}-8D")


@needs("capa.view_nonconformity")
def nc_bundle(request: HttpRequest, pk: int) -> HttpResponse:
    """The case for a customer or body: the reports and the evidence in one ZIP."""
    rows = Nonconformity.objects.select_related(*RELATED, *PEOPLE)
    nc = pages.find(request, rows, pk=pk)
    disposition = content_disposition_header(True, f"{nc.number}.zip")
    return HttpResponse(
        bundle(nc, request.user),
        content_type="application/zip",
        headers={"Content-Disposition": disposition or "attachment"},
    )


@needs("capa.answer_nonconformity")
def nc_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a case on one page, as far as it is known."""
    nc = pages.find(request, Nonconformity.objects.select_related("owner"), pk=pk)
    if why := workflow.only_who_answers(nc, request.user):
        raise PermissionDenied(why)
    if not _may_answer(nc, request.user) and request.method != "POST":
        shown = nc.get_status_display().lower()
        return pages.refused(request, Refused(f"Its answer is there: it is “{shown}” already."))

    def answer(*, by: Any, **said: Any) -> Nonconformity:
        return workflow.answer(nc, by=by, **said)

    return pages.edit(
        request,
        form_class=AnswerForm,
        create=answer,
        template="capa/answer_form.html",
        title=f"Answer {nc.number}",
        nonconformity=nc,
        context={"intro": nc.title, "cancel_url": nc.get_absolute_url(), "nc": nc},
    )


@needs("capa.add_nonconformity")
@require_POST
def nc_from_complaint(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a customer's complaint a nonconformity."""
    feedback = pages.find(request, Feedback.objects.select_related("customer"), pk=pk)
    try:
        made = raise_from_complaint(feedback, by=request.user)
    except Refused as refusal:
        return pages.refused(request, refusal)
    return pages.go_to(request, made.get_absolute_url())
