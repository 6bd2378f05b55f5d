"""The audit report on paper, with what ISO 19011 asks of one."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from audits import grades, repeats
from audits.coverage import Matrix
from audits.models import Audit, AuditProgramme, AuditReport, BodyFinding, Finding
from audits.workflow import (
    attendance_of,
    may_see_papers,
    nonconformities_of,
    nonconformity_of,
    recipients_of,
    report_of,
    team_of,
    texts_of,
)
from capa.workflow import actions_of
from capa.workflow import evidence_of as evidence_of_case
from qms import clauses, pdf
from qms.actions.models import Action
from qms.contributions import letterhead
from qms.files.models import Attachment
from qms.files.workflow import content_of, may_see
from qms.signing.workflow import signatures_of

TEMPLATE = "audits/report_print.html"
ANSWER = "audits/answer_print.html"


def report_context(audit: Audit, as_of: datetime | None = None) -> dict[str, Any]:
    """What `TEMPLATE` needs of a released report."""
    return _context(audit, audit.findings.filter(status="released"), as_of)


def _context(
    audit: Audit, rows: Any, as_of: datetime | None, *, shows_papers: bool = True
) -> dict[str, Any]:
    """`shows_papers` is false for whoever sees no draft: then only the plan is told."""
    report = report_of(audit) if shows_papers else None
    rows = rows.select_related("audit", "decided_by").prefetch_related("responses__created_by")
    findings = grades.named(rows.order_by("position"))
    again = repeats.earlier_of(findings)
    raised = {each.origin_id: each for each in nonconformities_of(audit)}
    said_later = _split_by_issue(audit, findings)
    for each in findings:
        numbers = [earlier.number for earlier in again.get(each.pk, [])]
        each.earlier, each.raised = numbers, raised.get(each.pk)  # type: ignore[attr-defined]
    addenda = grades.regraded(
        audit.addenda.issued().select_related("finding__audit").order_by("number")
    )
    for addendum in addenda:
        addendum.signed = signatures_of(addendum)  # type: ignore[attr-defined]
    words = audit.get_kind_display().lower()
    return letterhead(
        audit,
        as_of=as_of,
        kind=f"Record of a {words}" if audit.is_theirs else f"{words.capitalize()} report",
        title=audit.title,
        audit=audit,
        marking=_marking(audit),
        findings=findings,
        strengths=[each for each in findings if each.standing_grade == Finding.Grade.GOOD],
        answers=list(audit.items.order_by("position")) if shows_papers else [],
        exceptions=list(audit.exceptions.select_related("person", "created_by").order_by("pk")),
        sections=named_texts(audit, report) if shows_papers else [],
        meetings=meetings_of(audit, report),
        answer=said_by_the_auditee(audit),
        recipients=[each.name for each in recipients_of(audit)] if report else [],
        addenda=addenda,
        said_later=said_later,
        facts=[
            ("State", audit.get_status_display()),
            *_of_what(audit),
            ("Site", str(audit.site or "–")),
            ("Edition", audit.get_edition_display()),
            ("Clauses", ", ".join(clauses.label(key) for key in audit.clauses) or "–"),
            ("Objectives", audit.objectives or "–"),
            ("Scope", audit.scope or "–"),
            ("Criteria", audit.criteria or "–"),
            ("Method", audit.get_method_display()),
            (_team_word(audit), ", ".join(person.name for person in team_of(audit))),
            ("Auditees", audit.auditees or "–"),
            ("Conducted", _day(audit.conducted_on)),
            ("Findings released", _day(audit.released_on)),
            ("Received" if audit.is_theirs else "Issued", _day(audit.issued_on)),
        ],
    )


@dataclass(frozen=True)
class Said:
    """What somebody said to a finding after the report was issued."""

    at: datetime
    position: int
    what: str
    text: str
    who: str


def issued_at(audit: Audit) -> datetime | None:
    """The moment the report was issued, by the history; None before."""
    if not audit.issued_on:
        return None
    rows = audit.history.filter(issued_on__isnull=False).order_by("history_id")
    moment: datetime | None = rows.values_list("history_date", flat=True).first()
    return moment


def _split_by_issue(audit: Audit, findings: Sequence[Finding]) -> list[Said]:
    """Leave with each finding what was said before the issue; give what was said later, by time.

    So the report reads for good as it was issued, and nothing that was said is missing.
    """
    issued = issued_at(audit)
    rows = Finding.history.filter(id__in=[each.pk for each in findings]).exclude(decision="")
    decided = dict(rows.order_by("-history_id").values_list("id", "history_date"))
    later: list[Said] = []
    for each in findings:
        responses = list(each.responses.all())
        after = [r for r in responses if issued and r.recorded_at > issued]
        each.said = [r for r in responses if r not in after]  # type: ignore[attr-defined]
        later += [
            Said(
                r.recorded_at,
                each.position,
                "Disagreement" if r.disagrees else "Response",
                r.text,
                r.created_by.name,
            )
            for r in after
        ]
        moment = decided.get(each.pk)
        is_later = bool(issued and moment and moment > issued)
        each.decided_before = bool(each.decision) and not is_later  # type: ignore[attr-defined]
        if is_later and moment and each.decided_by:
            words = str(each.get_decision_display())
            later.append(
                Said(moment, each.position, words, each.decision_text, each.decided_by.name)
            )
    return sorted(later, key=lambda said: (said.at, said.position))


def _of_what(audit: Audit) -> list[tuple[str, str]]:
    """What is audited, and what there is to say of it by its kind."""
    names: list[tuple[str, Any]] = [
        ("Process", audit.process),
        ("External provider", audit.provider),
        ("Customer", audit.customer),
    ]
    found = [(name, str(subject)) for name, subject in names if subject is not None]
    if audit.outside_auditors:
        found.append(("Their auditors", audit.outside_auditors))
    if audit.kind == Audit.Kind.SPECIAL:
        found.append(("Why now", audit.why_now))
    return found


def _team_word(audit: Audit) -> str:
    return "Received by" if audit.is_theirs else "Team"


def _day(day: date | None) -> str:
    return f"{day:%-d %B %Y}" if day else "–"


def _marking(audit: Audit) -> str:
    if audit.issued_on:
        return ""
    if audit.is_theirs:
        return "Their report is not here yet."
    return "Signed; the report is not issued." if audit.signed_on else "Draft: not signed."


def named_texts(audit: Audit, report: AuditReport | None) -> list[tuple[str, str]]:
    """The parts of the report beside findings and conclusions, each with its heading."""
    said = texts_of(audit, report)
    return [
        (str(AuditReport.column(name).verbose_name).capitalize(), said[name])
        for name in AuditReport.TEXTS
        if name in said
    ]


def meetings_of(audit: Audit, report: AuditReport | None) -> list[tuple[str, Any, str]]:
    """(meeting, when, who) of both meetings that were recorded."""
    if report is None:
        return []
    met = attendance_of(audit)
    found = []
    for name, moment, others, key in (
        ("Opening meeting", report.opened_at, report.opening_outsiders, "opening"),
        ("Closing meeting", report.closed_at, report.closing_outsiders, "closing"),
    ):
        outsiders = [line.strip() for line in others.splitlines() if line.strip()]
        names = [*(person.name for person in met[key]), *outsiders]
        if moment or names:
            found.append((name, moment, ", ".join(names) or "–"))
    return found


def said_by_the_auditee(audit: Audit) -> str:
    """What the auditee answered to the signed report, or that nobody did."""
    if not audit.signed_on:
        return ""
    if audit.answered_by and audit.answered_on:
        word = "acknowledged the report" if audit.answer == "acknowledged" else "disagreed"
        return f"{audit.answered_by.name} {word} on {audit.answered_on:%-d %B %Y}."
    if audit.issued_on:
        until = f" until {audit.answer_due:%-d %B %Y}" if audit.answer_due else ""
        return f"Nobody answered{until}; the report was issued without an answer."
    return f"The auditee may answer until {audit.answer_due:%-d %B %Y}." if audit.answer_due else ""


def answer_pdf(finding: BodyFinding) -> bytes:
    """The answer to a finding of the body: correction, cause, action, evidence."""
    return pdf.render(ANSWER, context := answer_context(finding), paper=context["paper"])


def answer_context(finding: BodyFinding) -> dict[str, Any]:
    """What `ANSWER` needs: the finding as the body wrote it, and our nonconformity with it."""
    nc = nonconformity_of(finding)
    actions = actions_of(nc).exclude(status="void") if nc else Action.objects.none()
    body = finding.visit.certificate.body
    return letterhead(
        finding,
        kind="Answer to a finding",
        title=f"{finding.reference}: {finding.title}",
        finding=finding,
        nc=nc,
        actions=list(actions.select_related("owner").order_by("due", "pk")),
        evidence=[each.name for each in evidence_of(finding)],
        facts=[
            ("Certification body", body.name),
            ("Visit", f"{finding.visit.get_kind_display()}, {finding.visit.planned_on:%-d %B %Y}"),
            ("Grade", finding.get_grade_display()),
            ("Clause", clauses.label(finding.clause) if finding.clause else "–"),
            ("Handed over", f"{finding.found_on:%-d %B %Y}"),
            ("Plan due", f"{finding.plan_due:%-d %B %Y}" if finding.plan_due else "–"),
            ("Evidence due", f"{finding.evidence_due:%-d %B %Y}" if finding.evidence_due else "–"),
        ],
    )


def evidence_of(finding: BodyFinding) -> list[Attachment]:
    """What is attached to the nonconformity and to its actions, in the order it came in."""
    nc = nonconformity_of(finding)
    return evidence_of_case(nc) if nc else []


def answer_bundle(finding: BodyFinding, person: Any) -> bytes:
    """A ZIP to send: the answer as PDF, and the evidence this person may see beside it."""
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as inside:
        inside.writestr("answer.pdf", answer_pdf(finding))
        for count, each in enumerate(evidence_of(finding), 1):
            if may_see(each, person):
                inside.writestr(f"evidence/{count:02d}-{each.name}", content_of(each))
    return bundle.getvalue()


def coverage_pdf(programme: AuditProgramme, found: Matrix) -> bytes:
    """The coverage matrix on one page across."""
    period = found.period
    context = letterhead(
        programme,
        kind="Coverage of internal audits",
        title=f"{programme.title}, {period.start:%-d %B %Y} to {period.end:%-d %B %Y}",
        found=found,
    )
    return pdf.render("audits/coverage_print.html", context, paper=context["paper"])


def report_pdf(audit: Audit, person: Any) -> bytes:
    """The report as PDF, with the findings this person may see."""
    visible = Finding.objects.visible_to(person).filter(audit=audit).exclude(status="void")
    context = _context(audit, visible, None, shows_papers=may_see_papers(audit, person))
    return pdf.render(TEMPLATE, context, paper=context["paper"])
