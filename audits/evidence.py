"""What the evidence pack and the management review get from audits (9.2)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse

from audits import grades
from audits.models import (
    Audit,
    BodyFinding,
    Certificate,
    CertificateSuspension,
    CertificationAudit,
    Finding,
    MarkUse,
    VisitRequest,
)
from audits.models.audits import SUBJECTS, SUBJECTS_OF_AUDIT
from audits.prints import TEMPLATE, report_context
from audits.workflow.audits import REPORT_DAYS
from qms import contributions
from qms.clauses import ClauseRef
from qms.contributions import ClauseLine, Concern, Line
from qms.periods import Period, add_months, day_of
from qms.proofs import (
    Blocker,
    GapSignal,
    Proofs,
    as_it_was,
    by_clause,
    counted,
    gap_signal,
    proves,
)
from qms.scope.models import Process


def audits_of(period: Period) -> Any:
    """Audits planned or reported in the period, without void ones."""
    rows = Audit.objects.exclude(status="void")
    rows = rows.filter(planned_on__range=(period.start, period.end)) | rows.filter(
        issued_on__range=(period.start, period.end)
    )
    return rows.select_related(*SUBJECTS, "site", "lead", "created_by").order_by("number")


@contributions.evidence(
    folder="09-internal-audit",
    title="Programme and results of internal audits",
    clauses=("9.2", "9.2.1", "9.2.2"),
    template="audits/evidence/programme.html",
)
def programme(period: Period, as_of: datetime) -> dict[str, Any]:
    """The audits of the period, and which process had one."""
    audits = list(audits_of(period))
    counting = [audit for audit in audits if audit.kind == Audit.Kind.INTERNAL]
    covered = {audit.process_id for audit in counting if audit.status in Audit.REPORTED}
    processes = Process.objects.active().order_by("code")
    return {
        "audits": audits,
        "coverage": [(process, process.pk in covered) for process in processes],
        "period": period,
    }


@contributions.register(
    name="audits",
    title="Audits",
    columns=(
        "Number",
        "Kind",
        "Process, provider or customer",
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
            audit.get_kind_display(),
            audit.subject.name,
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
    title="Findings of audits",
    columns=(
        "Finding",
        "Grade",
        "Process, provider or customer",
        "Clause",
        "Requirement",
        "Evidence",
        "Statement",
        "Report",
        "Released as",
        "Answer",
        "Answered by",
        "Answered on",
    ),
)
def finding_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a released finding."""
    rows = Finding.objects.released_between(period.start, period.end)
    rows = rows.select_related(*SUBJECTS_OF_AUDIT, "decided_by")
    words = grades.labels()
    for each in rows.order_by("audit__number", "position"):
        yield (
            each.number,
            words[each.standing_grade],
            each.audit.subject.name,
            each.clause,
            each.requirement,
            each.evidence,
            each.statement,
            each.audit.issued_on,
            words[each.grade] if each.regraded else "",
            each.get_decision_display() if each.decision else "",
            each.decided_by.name if each.decided_by else "",
            each.decided_on,
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
        if audit.status in Audit.REPORTED:
            yield audit, audit.number


@contributions.evidence(
    folder="12-certification",
    title="Certificates and audits by the certification body",
    clauses=(),
    template="audits/evidence/certification.html",
)
def certification(period: Period, as_of: datetime) -> dict[str, Any]:
    """What the certification body concluded and how its certificates stood at the cut-off.

    Read from the history: what was suspended or renewed afterwards is not told.
    """
    rows = as_it_was(CertificationAudit, as_of).filter(status="done", done_on__lte=period.end)
    granted = as_it_was(Certificate, as_of).filter(decided_on__lte=period.end)
    times = as_it_was(CertificateSuspension, as_of).filter(began_on__lte=period.end)
    asked = as_it_was(VisitRequest, as_of).filter(visit__in=rows.values("id"))
    return {
        "visits": list(rows.select_related("certificate__body").order_by("done_on", "id")),
        "certificates": list(granted.select_related("body").order_by("decided_on", "id")),
        "suspensions": list(times.select_related("certificate").order_by("began_on", "id")),
        "requests": list(
            asked.exclude(status=VisitRequest.Status.DROPPED)
            .select_related("visit")
            .order_by("asked_at", "id")
        ),
    }


@contributions.register(
    name="body-findings",
    title="Findings of the certification body",
    columns=(
        "Number",
        "Grade",
        "Clause",
        "Statement",
        "Handed over",
        "Plan due",
        "Answer sent",
        "Plan accepted",
        "Evidence due",
        "Verified",
        "Closed",
    ),
)
def body_finding_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a finding of the body, of this period or still open."""
    rows = as_it_was(BodyFinding, as_of).filter(found_on__lte=period.end)
    rows = rows.filter(~Q(status=BodyFinding.Status.CLOSED) | Q(found_on__gte=period.start))
    for each in rows.order_by("found_on", "reference", "id"):
        yield (
            each.reference,
            each.get_grade_display(),
            each.clause,
            each.statement,
            each.found_on,
            each.plan_due,
            each.answered_on,
            each.accepted_on,
            each.evidence_due,
            each.verified_on,
            each.closed_on,
        )


@contributions.register(
    name="mark-uses",
    title="Use of the mark and the certificate",
    columns=(
        "Where",
        "Medium",
        "Shows",
        "Wording",
        "Certificate",
        "Looked at",
        "Found",
        "Next",
        "State",
        "Taken down",
    ),
)
def mark_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a use, shown at the cut-off or taken down in the period."""
    rows = as_it_was(MarkUse, as_of).filter(Q(down_on=None) | Q(down_on__gte=period.start))
    for each in rows.select_related("certificate").order_by("place", "id"):
        yield (
            each.place,
            each.get_medium_display(),
            each.get_shows_display(),
            each.wording,
            each.certificate.number,
            each.last_on,
            each.get_found_display() if each.found else "",
            each.next_due,
            each.get_status_display(),
            each.down_on,
        )


def grades_between(period: Period) -> dict[str, int]:
    """Released findings of the period by grade."""
    rows = Finding.objects.of_processes().released_between(period.start, period.end).standing()
    found = list(rows.values_list("stands", flat=True))
    return {grade: found.count(grade) for grade in Finding.Grade.values}


REPORTS = {
    Audit.Kind.INTERNAL: "Audit reports issued",
    Audit.Kind.SPECIAL: "Reports of special audits",
    Audit.Kind.SUPPLIER: "Reports of supplier audits",
    Audit.Kind.CUSTOMER: "Reports of customers' audits",
}


def _reports_of(period: Period) -> Counter[str]:
    """How many reports of each kind of audit came out in a period."""
    rows = Audit.objects.reported_between(period.start, period.end)
    return Counter(rows.values_list("kind", flat=True))


@contributions.review_input(key="c6", title="Audit results", order=10)
def review_input(period: Period) -> list[Line]:
    """Audits and findings of this period beside the one before."""
    before = period.previous()
    done, done_before = (_reports_of(each) for each in (period, before))
    now, then = grades_between(period), grades_between(before)
    lines = [
        Line(words, str(done[kind]), str(done_before[kind]), url=f"/audits/?kind={kind}")
        for kind, words in REPORTS.items()
        if kind == Audit.Kind.INTERNAL or done[kind] or done_before[kind]
    ]
    words = grades.labels()
    return lines + [
        Line(words[grade], str(now[grade]), str(then[grade]), url="/audits/findings/")
        for grade in Finding.Grade.values
    ]


@contributions.clause_evidence
def clause_lines(edition: str) -> list[ClauseLine]:
    """A reported audit shows that its clauses were audited: by whom, and when."""
    rows = Audit.objects.counting().filter(status__in=Audit.REPORTED, edition=edition)
    newest: dict[str, Audit] = {}
    for audit in rows.select_related("lead", *SUBJECTS).order_by("issued_on", "pk"):
        newest |= {ClauseRef.parse(key).number: audit for key in audit.clauses}
    return [
        ClauseLine(
            number,
            "Internal audit",
            f"last audited with {audit.subject.name}",
            audit.number,
            audit.lead.name,
            audit.issued_on,
            audit.get_absolute_url(),
        )
        for number, audit in newest.items()
    ]


@contributions.preflight
def concerns(period: Period) -> list[Concern]:
    """Audits whose day is past, and those conducted whose report is late."""
    due = period.end - timedelta(days=REPORT_DAYS)
    silent = Audit.objects.unreported(due).select_related(*SUBJECTS).order_by("conducted_on")
    late = Audit.objects.overdue(period.end).select_related(*SUBJECTS).order_by("planned_on")
    return [
        Concern(
            f"{audit} was planned for {audit.planned_on:%-d %b %Y} and has no report.",
            audit.get_absolute_url(),
            "late",
        )
        for audit in late[:20]
    ] + [
        Concern(
            f"{audit} was conducted on {audit.conducted_on:%-d %b %Y} "
            "and its report is not signed.",
            audit.get_absolute_url(),
            "late",
        )
        for audit in silent[:20]
    ]


@contributions.tells_last_visit
def last_visit(before: date) -> date | None:
    """The last day the certification body was here."""
    done = CertificationAudit.objects.filter(status="done", done_on__lt=before)
    return done.order_by("-done_on").values_list("done_on", flat=True).first()


# What the records prove, and what they betray -------------------------------------------------


@proves()
def audits_prove(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """The reports of the twelve months before, the processes they missed, the clauses they saw."""
    day = day_of(as_of)
    rows = list(
        as_it_was(Audit, as_of)
        .filter(kind=Audit.Kind.INTERNAL)
        .filter(status__in=Audit.REPORTED, issued_on__gt=add_months(day, -12))
        .order_by("-issued_on", "-id")
    )
    running = as_it_was(Process, as_of).filter(status=Process.Status.ACTIVE)
    missed = list(running.exclude(id__in={row.process_id for row in rows}).order_by("code"))
    blockers = [
        Blocker(
            f"{row.name} had no internal audit in the twelve months before.",
            reverse("audits:audit_create"),
            "Plan it",
        )
        for row in missed
    ]
    if not rows:
        nothing = "No internal audit was reported in the twelve months before."
        blockers = [Blocker(nothing, reverse("audits:audit_create"), "Plan one")]
    seen = by_clause(rows, edition, lambda row: row.clauses)
    found = {
        number: counted("internal audits looked at it", Audit, some, _reported, shows=())
        for number, some in seen.items()
    }
    found |= {
        number: counted("internal audits reported", Audit, rows, _reported, blockers)
        for number in ("9.2.1", "9.2.2")
    }
    return found


def _reported(row: Any) -> tuple[str, date | None]:
    return str(row.number), row.issued_on


@gap_signal(order=40)
def audits_missing(edition: str, today: date) -> list[GapSignal]:
    """No internal audit in the last twelve months."""
    if Audit.objects.counting().reported_between(add_months(today, -12), today).exists():
        return []
    return [
        GapSignal(
            "audits:none",
            "9.2.2",
            "No internal audit was reported in the last twelve months.",
            reverse("audits:audit_list"),
            "Plan the internal audits of the next twelve months",
        )
    ]
