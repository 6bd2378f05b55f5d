"""Pages of audits: list, record, team, checklist, report."""

from functools import partial
from typing import Any, cast

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from audits import assigning, grades, repeats, workflow
from audits.forms import (
    AuditForm,
    ExceptionForm,
    QuestionForm,
    new_audit_form,
)
from audits.models import Addendum, Audit, AuditReport, Finding
from audits.models.audits import SUBJECTS
from audits.prints import meetings_of, named_texts, said_by_the_auditee
from audits.prints import report_pdf as pdf_of
from capa.models import Nonconformity
from qms import pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.refusals import Refused, Stale
from qms.scope.models import Process

AUDITS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("kind", "Kind", value="get_kind_display", sort="kind"),
    Column("of", "Process, provider or customer", value="subject.name", sort="process__name"),
    Column("site", "Site", sort="site__name"),
    Column("lead", "Lead auditor", sort="lead__name", kind="person"),
    Column("status", "State", sort="status", kind="state"),
    Column(
        "planned_on",
        "Planned for",
        sort="planned_on",
        kind="due",
        settled=lambda audit: audit.status not in ("planned", "confirmed"),
    ),
    Column("issued_on", "Report issued", sort="issued_on", kind="date"),
]


class AuditFilter(django_filters.FilterSet):
    """Filters of the list of audits."""

    kind = django_filters.ChoiceFilter(choices=Audit.Kind.choices, label="Kind")
    process = django_filters.ModelChoiceFilter(queryset=Process.objects.all(), label="Process")
    status = django_filters.ChoiceFilter(choices=Audit.Status.choices, label="State")
    lead = django_filters.ModelChoiceFilter(queryset=Person.objects.people(), label="Lead")
    year = django_filters.NumberFilter(
        field_name="planned_on__year", label="Year", min_value=1990, max_value=2190
    )

    class Meta:
        model = Audit
        fields = ("kind", "process", "status", "lead", "year")


@needs("audits.view_audit")
def audit_list(request: HttpRequest) -> HttpResponseBase:
    """The programme: every audit, the next first."""
    rows = Audit.objects.visible_to(request.user).select_related(*SUBJECTS, "site", "lead")
    return pages.show_list(
        request,
        rows,
        columns=AUDITS,
        filterset=AuditFilter,
        default_sort="-planned_on",
        title="Audits",
        intro="Each active process at least once a year, by somebody else; what is special, what"
        " providers are audited for and what customers audit comes on top.",
        create_url=reverse("audits:audit_create"),
        create_label="Plan an audit",
        empty="No audit is planned yet. Plan the first one; every process wants one a year.",
    )


@needs("audits.view_audit")
def audit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One audit: plan, team, checklist, findings, report, follow-up."""
    audit = pages.find(
        request,
        Audit.objects.select_related(
            "process__owner",
            "provider__owner",
            "customer__owner",
            "site",
            "lead",
            "created_by",
            "auditee",
            "answered_by",
        ),
        pk=pk,
    )
    findings = grades.named(
        Finding.objects.visible_to(request.user)
        .filter(audit=audit)
        .select_related("audit", "merged_into")
        .order_by("position")
    )
    raised = Nonconformity.objects.raised_from(*findings).select_related("owner")
    items = list(audit.items.order_by("position"))
    team = workflow.team_of(audit)
    return pages.show_record(
        request,
        audit,
        template="audits/audit_detail.html",
        title=audit.title,
        crumbs=[("Audits", reverse("audits:audit_list")), (audit.number, "")],
        path=path_of(audit),
        due=audit.planned_on,
        settled=audit.status not in ("planned", "confirmed"),
        team=team,
        items=items,
        shows_answers=workflow.may_see_papers(audit, request.user),
        answered=sum(1 for item in items if item.answer),
        findings=findings,
        nonconformities={nc.origin_id: nc for nc in raised},
        exceptions=list(audit.exceptions.select_related("person", "created_by")),
        is_team=request.user in team,
        may_staff=audit.status == "planned" and request.user.has_perm("audits.change_audit"),
        may_prepare=not audit.is_theirs
        and audit.status in ("planned", "confirmed", "in_progress")
        and request.user.has_perm("audits.conduct_audit"),
        objection=workflow.team_is_independent(audit, request.user)
        if audit.status in ("planned", "confirmed")
        else None,
        lacking=workflow.what_the_team_lacks(audit)
        if audit.status in ("planned", "confirmed")
        else [],
        may_find=request.user.has_perm("competence.add_competencerecord"),
        **_about_the_report(request, audit, findings),
    )


def _about_the_report(
    request: HttpRequest, audit: Audit, findings: list[Finding]
) -> dict[str, Any]:
    """What the report says, who met, who receives it, what corrects it and what came again."""
    report = AuditReport.objects.visible_to(request.user).filter(audit=audit).first()
    open_ = workflow.report_is_open(audit) is None
    addenda = Addendum.objects.visible_to(request.user).filter(audit=audit)
    return {
        "report": report,
        "texts": named_texts(audit, report) if report else [],
        "meetings": meetings_of(audit, report) if report else [],
        "answer": said_by_the_auditee(audit),
        "recipients": workflow.recipients_of(audit) if report else [],
        "answerers": workflow.answerers_of(audit) if audit.status == "released" else [],
        "addenda": list(addenda.exclude(status="void").select_related("audit").order_by("pk")),
        "again": repeats.earlier_of(findings),
        "may_write": open_
        and report is not None
        and not workflow.only_the_team(audit, request.user),
        "may_correct": audit.status in Audit.REPORTED
        and not audit.is_theirs
        and audit.lead_id == request.user.pk
        and request.user.has_perm("audits.report_audit"),
    }


def path_of(audit: Audit) -> list[PathStep]:
    """Planned, confirmed, conducted, reported, closed: how far the audit is."""
    if audit.status == "void":
        return [PathStep("Planned", "done", audit.planned_on), PathStep("Void", "now")]
    reported = "Their report" if audit.is_theirs else "Report issued"
    steps = [
        ("Planned", audit.planned_on),
        ("Confirmed", ""),
        ("Conducted", audit.conducted_on or ""),
        ("Findings released", audit.released_on or ""),
        (reported, audit.issued_on or ""),
        ("Closed", audit.closed_on or ""),
    ]
    # How many steps are behind it: an audit in progress is still at its third.
    behind = {
        "planned": 1,
        "confirmed": 2,
        "in_progress": 2,
        "released": 4,
        "issued": 5,
        "follow_up": 5,
        "closed": 6,
    }
    at = behind[audit.status]
    return [
        PathStep(name, "done" if i < at else "now" if i == at else "later", note)
        for i, (name, note) in enumerate(steps)
    ]


@needs("audits.add_audit")
def audit_create(request: HttpRequest) -> HttpResponse:
    """Plan an audit of a kind: the form asks for what that kind needs."""
    asked = request.GET.get("kind", "")
    kind = Audit.Kind(asked) if asked in Audit.Kind.values else Audit.Kind.INTERNAL
    here = reverse("audits:audit_create")
    return pages.edit(
        request,
        form_class=new_audit_form(kind),
        create=partial(workflow.plan_audit, kind=kind),
        title="Plan an audit",
        initial={name: request.GET.get(name) for name in SUBJECTS if name in request.GET},
        template="audits/audit_form.html",
        context={
            "intro": ABOUT[kind],
            "tabs": [
                (each.label, f"{here}?kind={each.value}", each == kind) for each in Audit.Kind
            ],
        },
    )


ABOUT = {
    Audit.Kind.INTERNAL: "One of the audits the programme wants: of a process, by somebody else.",
    Audit.Kind.SPECIAL: "Of a process, for a reason that cannot wait. It comes on top of the "
    "programme and does not count for it.",
    Audit.Kind.SUPPLIER: "You audit an external provider. What does not conform becomes a "
    "nonconformity about them and is weighed at their next evaluation.",
    Audit.Kind.CUSTOMER: "A customer audits you. Auditors, findings and report are theirs; you "
    "write them down, answer each in time and follow up.",
}


@needs("audits.change_audit")
def audit_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the plan."""
    audit = pages.find(request, Audit.objects, pk=pk)
    return pages.edit(request, form_class=AuditForm, instance=audit, title=f"Edit {audit.number}")


@needs(ANYONE_SIGNED_IN)
def audit_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm, postpone, start, release, sign, answer, issue, follow up, close, void."""
    rows = Audit.objects.select_related(*SUBJECTS, "lead")
    audit = pages.find(request, rows, pk=pk)
    # Whoever starts it wants the first question, not the plan once more.
    asks = name == "start" and not audit.is_theirs
    done = reverse("audits:field_start", args=[audit.pk]) if asks else None
    return pages.do_transition(request, audit, name, done)


@needs("audits.conduct_audit")
def question_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a question of one's own."""
    audit = pages.find(request, Audit.objects, pk=pk)
    return pages.edit(
        request,
        form_class=QuestionForm,
        create=lambda *, by, **fields: workflow.add_question(audit, by=by, **fields),
        title=f"Add a question to {audit.number}",
        done=audit.get_absolute_url(),
    )


@needs("audits.change_audit")
def team_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose lead and team: the eligible first, and why each other one is not."""
    audit = pages.find(request, Audit.objects.select_related(*SUBJECTS, "lead"), pk=pk)
    if request.method != "POST":
        return _show_team(request, audit)
    chosen = Person.objects.people().filter(pk__in=_numbers(request.POST.getlist("team")))
    lead = Person.objects.people().filter(pk__in=_numbers([request.POST.get("lead", "")])).first()
    try:
        if lead is None:
            raise Refused("Choose the lead auditor.")
        workflow.set_team(
            audit,
            by=cast(Person, request.user),
            lead=lead,
            team=list(chosen),
            version=next(iter(_numbers([request.POST.get("version", "")])), None),
        )
    except Stale as stale:
        return _show_team(request, audit, str(stale), status=409)
    except Refused as refusal:
        return _show_team(request, audit, str(refusal), status=422)
    return pages.go_to(request, audit.get_absolute_url())


def _numbers(words: list[str]) -> list[int]:
    return [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 10]


def _show_team(
    request: HttpRequest, audit: Audit, refusal: str = "", *, status: int = 200
) -> HttpResponse:
    found = assigning.candidates(audit)
    is_post = request.method == "POST"
    team = _numbers(request.POST.getlist("team")) if is_post else []
    lead = _numbers([request.POST.get("lead", "")]) if is_post else [audit.lead_id]
    if not is_post:
        team = [person.pk for person in workflow.team_of(audit)[1:]]
    leads = [each for each in found if each.may_lead and each.is_eligible]
    context = {
        "title": f"Team of {audit.number}",
        "crumbs": [
            ("Audits", reverse("audits:audit_list")),
            (audit.number, audit.get_absolute_url()),
            ("Team", ""),
        ],
        "audit": audit,
        "candidates": found,
        "lead": lead,
        "team": team,
        "refusal": refusal,
        "swaps": [] if leads else assigning.exchanges(audit),
        "nobody": not leads,
    }
    return render(request, "audits/assign.html", context, status=status)


@needs("audits.change_audit")
def exception_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Record why an auditor who is not independent may audit."""
    audit = pages.find(request, Audit.objects.select_related(*SUBJECTS, "lead"), pk=pk)
    return pages.edit(
        request,
        form_class=ExceptionForm,
        create=lambda *, by, **fields: workflow.record_exception(audit, by=by, **fields),
        title=f"Exception for {audit.number}",
        done=audit.get_absolute_url(),
    )


@needs("audits.view_audit")
def audit_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The report as a PDF."""
    rows = Audit.objects.select_related(*SUBJECTS, "site", "lead", "created_by")
    audit = pages.find(request, rows, pk=pk)
    return pages.send_pdf(pdf_of(audit, request.user), audit.number)


# Findings
