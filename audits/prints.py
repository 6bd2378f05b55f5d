"""The audit report on paper, with what ISO 19011 asks of one."""

from datetime import datetime
from typing import Any

from audits.coverage import Matrix
from audits.models import Audit, AuditProgramme, Finding
from audits.workflow import team_of
from qms import clauses, pdf
from qms.contributions import letterhead

TEMPLATE = "audits/report_print.html"


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
