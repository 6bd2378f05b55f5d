"""Pages of audit programmes: the plan, what is proposed, what is missing, what is covered."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from audits import coverage, planning, workflow
from audits.figures import day_by
from audits.forms import NewProgrammeForm, ProgrammeForm
from audits.models import Audit, AuditProgramme
from audits.models.audits import SUBJECTS
from audits.prints import coverage_pdf
from audits.programme import HoleKind
from qms import listing, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column, PathStep
from qms.people.models import Person
from qms.periods import Period, today
from qms.refusals import Refused, Stale

PROGRAMMES = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Programme", sort="title"),
    Column("starts_on", "From", sort="starts_on", kind="date"),
    Column("ends_on", "To", sort="ends_on", kind="date"),
    Column("status", "State", sort="status", kind="state"),
    Column("approved_on", "Approved", sort="approved_on", kind="date"),
]
COVERAGE = [
    Column("clause", "Clause"),
    Column("title", "Title"),
    Column("process", "Process"),
    Column("state", "State"),
    Column("planned", "Audits planned", numeric=True),
    Column("done", "Audits done", numeric=True),
    Column("findings", "Nonconformities", numeric=True),
]


@needs("audits.view_auditprogramme")
def programme_list(request: HttpRequest) -> HttpResponseBase:
    """Every programme, the newest first."""
    return pages.show_list(
        request,
        AuditProgramme.objects.visible_to(request.user),
        columns=PROGRAMMES,
        default_sort="-starts_on",
        title="Audit programmes",
        intro="Which process is audited when and by whom, over one year or the three of a cycle.",
        create_url=reverse("audits:programme_create")
        if request.user.has_perm("audits.add_auditprogramme")
        else "",
        create_label="New programme",
        empty="There is no programme yet. Begin one; it proposes its audits itself.",
    )


@needs("audits.view_auditprogramme")
def programme_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One programme: its audits in order, and the holes it has."""
    programme = _programme(request, pk)
    rows = Audit.objects.visible_to(request.user).filter(programme=programme)
    audits = list(rows.exclude(status="void").select_related(*SUBJECTS, "site", "lead"))
    audits.sort(key=lambda audit: (audit.planned_on, audit.pk))
    day = today()
    reported = [audit for audit in audits if audit.issued_on]
    found = planning.holes(programme, day)
    may_plan = request.user.has_perm("audits.add_audit") and programme.status in {
        "draft",
        "approved",
    }
    return pages.show_record(
        request,
        programme,
        template="audits/programme_detail.html",
        title=programme.title,
        crumbs=[("Audit programmes", "audits:programme_list"), (programme.number, "")],
        path=_path(programme),
        years=[
            (year, [audit for audit in audits if (audit.conducted_on or audit.planned_on) in year])
            for year in programme.cycle
        ],
        outside=[
            audit
            for audit in audits
            if (audit.conducted_on or audit.planned_on) not in programme.period
        ],
        count=len(audits),
        reported=len(reported),
        late=sum(a.planned_on < day and a.status in {"planned", "confirmed"} for a in audits),
        on_time=sum((a.conducted_on or a.planned_on) <= day_by(a) for a in reported),
        holes=[hole for hole in found if hole.kind != HoleKind.CLAUSE],
        unseen=[hole.clause for hole in found if hole.kind == HoleKind.CLAUSE],
        may_plan=may_plan,
    )


def _programme(request: HttpRequest, pk: int) -> AuditProgramme:
    rows = AuditProgramme.objects.select_related("created_by", "approved_by")
    return cast(AuditProgramme, pages.find(request, rows, pk=pk))


def _path(programme: AuditProgramme) -> list[PathStep]:
    if programme.status == "void":
        return [PathStep("Draft", "done"), PathStep("Void", "now")]
    names = ["Draft", "Approved", "Closed"]
    at = ["draft", "approved", "closed"].index(programme.status)
    behind = len(names) if programme.status == "closed" else at
    return [
        PathStep(
            name,
            "done" if index < behind else "now" if index == at else "later",
            programme.approved_on if name == "Approved" and programme.approved_on else "",
        )
        for index, name in enumerate(names)
    ]


@needs("audits.add_auditprogramme")
def programme_create(request: HttpRequest) -> HttpResponse:
    """Begin a programme."""
    return pages.edit(
        request,
        form_class=NewProgrammeForm,
        create=workflow.create_programme,
        title="New audit programme",
        context={"intro": "Which audits it needs is proposed on the next page."},
    )


@needs("audits.change_auditprogramme")
def programme_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what the programme says."""
    programme = _programme(request, pk)
    return pages.edit(
        request, form_class=ProgrammeForm, instance=programme, title=f"Edit {programme.number}"
    )


@needs(ANYONE_SIGNED_IN)
def programme_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Approve, revise, close, void."""
    return pages.do_transition(request, _programme(request, pk), name)


@needs("audits.add_audit")
def programme_proposal(request: HttpRequest, pk: int) -> HttpResponse:
    """What is proposed and why; the chosen audits are taken over as planned ones."""
    programme = _programme(request, pk)
    if request.method != "POST":
        return _show_proposal(request, programme)
    chosen = request.POST.getlist("chosen")
    try:
        made = workflow.take_over(
            programme,
            by=cast(Person, request.user),
            chosen=chosen,
            seen=request.POST.get("seen", ""),
        )
    except Stale as stale:
        return _show_proposal(request, programme, chosen, str(stale), status=409)
    except Refused as refusal:
        return _show_proposal(request, programme, chosen, str(refusal), status=422)
    messages.success(request, f"{len(made)} audit{'s are' if len(made) > 1 else ' is'} planned.")
    return pages.go_to(request, programme.get_absolute_url())


def _show_proposal(
    request: HttpRequest,
    programme: AuditProgramme,
    chosen: list[str] | None = None,
    refusal: str = "",
    *,
    status: int = 200,
) -> HttpResponse:
    found = planning.proposal_for(programme, today())
    rows = [
        {
            "key": workflow.key_of(each),
            "proposed": each,
            "chosen": each.auditor is not None
            if chosen is None
            else workflow.key_of(each) in chosen,
        }
        for each in found.audits
    ]
    context: dict[str, Any] = {
        "title": "What is proposed",
        "crumbs": [
            ("Audit programmes", reverse("audits:programme_list")),
            (programme.title, programme.get_absolute_url()),
            ("Proposal", ""),
        ],
        "programme": programme,
        "years": [
            (year, [row for row in rows if row["proposed"].window.start in year])  # type: ignore[attr-defined]
            for year in found.years
        ],
        "count": len(rows),
        "holes": found.holes,
        "seen": workflow.seal_of(found),
        "refusal": refusal,
    }
    return render(request, "audits/programme_proposal.html", context, status=status)


# Coverage


@needs("audits.view_auditprogramme")
def programme_coverage(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Which clause was looked at in which process, year by year, and what is missing."""
    programme = _programme(request, pk)
    period = _year(request, programme)
    found = coverage.matrix(programme, request.user, period)
    name = f"Coverage {programme.number}"
    kind = request.GET.get("format", "")
    if kind in ("csv", "xlsx"):
        rows = coverage.rows_of(found)
        return listing.export(rows, COVERAGE, title=name, kind=kind, today=today())
    if kind == "pdf":
        return pages.send_pdf(coverage_pdf(programme, found), name)
    here = reverse("audits:programme_coverage", args=[programme.pk])
    tabs = [("All years", here, period is None)] if programme.years > 1 else []
    tabs += [
        (f"{year.start:%b %Y} to {year.end:%b %Y}", f"{here}?year={at}", year == period)
        for at, year in enumerate(programme.cycle, start=1)
    ]
    context = {
        "title": "Coverage",
        "crumbs": [
            ("Audit programmes", reverse("audits:programme_list")),
            (programme.title, programme.get_absolute_url()),
            ("Coverage", ""),
        ],
        "programme": programme,
        "found": found,
        "tabs": tabs if len(tabs) > 1 else [],
        "year": request.GET.get("year", ""),
    }
    return render(request, "audits/programme_coverage.html", context)


def _year(request: HttpRequest, programme: AuditProgramme) -> Period | None:
    """The programme year that was asked for; None for all, and the only one of a single year."""
    asked = request.GET.get("year", "")
    years = programme.cycle
    if len(years) == 1:
        return years[0]
    return years[int(asked) - 1] if asked in {str(n) for n in range(1, len(years) + 1)} else None
