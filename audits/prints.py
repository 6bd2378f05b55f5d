"""The audit report on paper, with what ISO 19011 asks of one."""

import io
import zipfile
from datetime import datetime
from typing import Any

from audits.coverage import Matrix
from audits.models import Audit, AuditProgramme, BodyFinding, Finding
from audits.workflow import nonconformity_of, team_of
from qms import clauses, pdf
from qms.actions.models import Action
from qms.contributions import letterhead
from qms.files.models import Attachment
from qms.files.workflow import attachments_of, content_of, may_see

TEMPLATE = "audits/report_print.html"
ANSWER = "audits/answer_print.html"


def report_context(audit: Audit, as_of: datetime | None = None) -> dict[str, Any]:
    """What `TEMPLATE` needs of a released report."""
    return _context(audit, audit.findings.filter(status="released"), as_of)


def _context(audit: Audit, findings: Any, as_of: datetime | None) -> dict[str, Any]:
    answers = list(audit.items.order_by("position"))
    return letterhead(
        audit,
        as_of=as_of,
        kind="Internal audit report",
        title=audit.title,
        audit=audit,
        marking="" if audit.issued_on else "Draft: the report is not issued.",
        findings=list(findings.order_by("position")),
        answers=answers,
        facts=[
            ("State", audit.get_status_display()),
            ("Process", str(audit.process)),
            ("Site", str(audit.site or "–")),
            ("Edition", audit.get_edition_display()),
            ("Clauses", ", ".join(clauses.label(key) for key in audit.clauses) or "–"),
            ("Objectives", audit.objectives or "–"),
            ("Scope", audit.scope or "–"),
            ("Criteria", audit.criteria or "–"),
            ("Method", audit.get_method_display()),
            ("Team", ", ".join(person.name for person in team_of(audit))),
            ("Auditees", audit.auditees or "–"),
            ("Conducted", f"{audit.conducted_on:%-d %B %Y}" if audit.conducted_on else "–"),
            ("Issued", f"{audit.issued_on:%-d %B %Y}" if audit.issued_on else "–"),
        ],
    )


def answer_pdf(finding: BodyFinding) -> bytes:
    """The answer to a finding of the body: correction, cause, action, evidence."""
    return pdf.render(ANSWER, context := answer_context(finding), paper=context["paper"])


def answer_context(finding: BodyFinding) -> dict[str, Any]:
    """What `ANSWER` needs: the finding as the body wrote it, and our nonconformity with it."""
    nc = nonconformity_of(finding)
    actions = Action.objects.raised_from(nc).exclude(status="void") if nc else Action.objects.none()
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
    if nc is None:
        return []
    actions = list(Action.objects.raised_from(nc).exclude(status="void"))
    rows = [*attachments_of(nc)]
    if actions:
        rows += attachments_of(*actions)
    return sorted(rows, key=lambda each: each.pk)


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
    context = _context(audit, visible, None)
    return pdf.render(TEMPLATE, context, paper=context["paper"])
