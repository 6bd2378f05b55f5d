"""What the evidence pack and the management review get from audits (9.2)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from audits.models import Audit, CertificationAudit, Finding
from audits.prints import TEMPLATE, report_context
from qms import contributions
from qms.clauses import ClauseRef
from qms.contributions import ClauseLine, Concern, Line
from qms.periods import Period
from qms.scope.models import Process


def audits_of(period: Period) -> Any:
    """Audits planned or reported in the period, without void ones."""
    rows = Audit.objects.exclude(status="void")
    rows = rows.filter(planned_on__range=(period.start, period.end)) | rows.filter(
        issued_on__range=(period.start, period.end)
    )
    return rows.select_related("process", "site", "lead", "created_by").order_by("number")


@contributions.evidence(
    folder="09-internal-audit",
    title="Programme and results of internal audits",
    clauses=("9.2", "9.2.1", "9.2.2"),
    template="audits/evidence/programme.html",
)
def programme(period: Period, as_of: datetime) -> dict[str, Any]:
    """The audits of the period, and which process had one."""
    audits = list(audits_of(period))
    covered = {audit.process_id for audit in audits if audit.status in ("issued", "closed")}
    processes = Process.objects.active().order_by("code")
    return {
        "audits": audits,
        "coverage": [(process, process.pk in covered) for process in processes],
        "period": period,
    }


@contributions.register(
    name="audits",
    title="Internal audits",
    columns=(
        "Number",
        "Process",
        "Site",
        "Planned for",
        "First planned for",
        "Lead auditor",
        "State",
        "Conducted",
        "Report issued",
        "Closed",
    ),
)
def audit_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row an audit."""
    for audit in audits_of(period):
        yield (
            audit.number,
            audit.process.name,
            str(audit.site or ""),
            audit.planned_on,
            audit.originally_planned_on,
            audit.lead.name,
            audit.get_status_display(),
            audit.conducted_on,
            audit.issued_on,
            audit.closed_on,
        )


@contributions.register(
    name="findings",
    title="Findings of internal audits",
    columns=(
        "Finding",
        "Grade",
        "Process",
        "Clause",
        "Requirement",
        "Evidence",
        "Statement",
        "Report",
    ),
)
def finding_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a released finding."""
    rows = Finding.objects.released_between(period.start, period.end)
    for each in rows.select_related("audit__process").order_by("audit__number", "position"):
        yield (
            each.number,
            each.get_grade_display(),
            each.audit.process.name,
            each.clause,
            each.requirement,
            each.evidence,
            each.statement,
            each.audit.issued_on,
        )


def released_findings(audits: Sequence[Audit]) -> Iterable[tuple[Audit, Finding]]:
    """The findings of the reports: their photos belong to the report."""
    rows = Finding.objects.filter(audit__in=audits, status=Finding.Status.RELEASED)
    return [(each.audit, each) for each in rows.select_related("audit").order_by("pk")]


@contributions.printed(
    folder="09-internal-audit",
    model_label="audits.Audit",
    template=TEMPLATE,
    context=report_context,
    brings=released_findings,
)
def reports(period: Period, as_of: datetime) -> Iterable[tuple[Audit, str]]:
    """Each issued report."""
    for audit in audits_of(period):
        if audit.status in ("issued", "closed"):
            yield audit, audit.number


@contributions.evidence(
    folder="12-certification",
    title="Audits by the certification body",
    clauses=(),
    template="audits/evidence/certification.html",
)
def certification(period: Period, as_of: datetime) -> dict[str, Any]:
    """What the certification body concluded, and when."""
    rows = CertificationAudit.objects.filter(status="done", done_on__lte=period.end)
    return {"visits": list(rows.select_related("certificate").order_by("done_on"))}


def grades_between(period: Period) -> dict[str, int]:
    """Released findings of the period by grade."""
    rows = Finding.objects.released_between(period.start, period.end).values_list(
        "grade", flat=True
    )
    found = list(rows)
    return {grade: found.count(grade) for grade in Finding.Grade.values}


@contributions.review_input(key="c6", title="Audit results", order=10)
def review_input(period: Period) -> list[Line]:
    """Audits and findings of this period beside the one before."""
    before = period.previous()
    done, done_before = (
        Audit.objects.reported_between(each.start, each.end).count() for each in (period, before)
    )
    now, then = grades_between(period), grades_between(before)
    lines = [Line("Audit reports issued", str(done), str(done_before), url="/audits/")]
    return lines + [
        Line(Finding.Grade(grade).label, str(now[grade]), str(then[grade]), url="/audits/findings/")
        for grade in Finding.Grade.values
    ]


@contributions.clause_evidence
def clause_lines(edition: str) -> list[ClauseLine]:
    """A reported audit shows that its clauses were audited: by whom, and when."""
    rows = Audit.objects.filter(status__in=("issued", "closed"), edition=edition)
    newest: dict[str, Audit] = {}
    for audit in rows.select_related("lead", "process").order_by("issued_on", "pk"):
        newest |= {ClauseRef.parse(key).number: audit for key in audit.clauses}
    return [
        ClauseLine(
            number,
            "Internal audit",
            f"last audited with {audit.process.name}",
            audit.number,
            audit.lead.name,
            audit.issued_on,
            audit.get_absolute_url(),
        )
        for number, audit in newest.items()
    ]


@contributions.preflight
def concerns(period: Period) -> list[Concern]:
    """Audits whose day is past without a report."""
    late = Audit.objects.overdue(period.end).select_related("process").order_by("planned_on")
    return [
        Concern(
            f"{audit.number} {audit.process.name} was planned for {audit.planned_on:%-d %b %Y} and "
            "has no report.",
            audit.get_absolute_url(),
            "late",
        )
        for audit in late[:20]
    ]


@contributions.tells_last_visit
def last_visit(before: date) -> date | None:
    """The last day the certification body was here."""
    done = CertificationAudit.objects.filter(status="done", done_on__lt=before)
    return done.order_by("-done_on").values_list("done_on", flat=True).first()
