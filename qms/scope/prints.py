"""A scope statement and a process sheet on paper: for the wall, the customer and the pack."""

from datetime import datetime
from typing import Any

from qms import clauses, pdf
from qms.scope.letterhead import letterhead
from qms.scope.models import Process, ProcessMember, ProcessSite, ScopeStatement

STATEMENT, PROCESS = "scope/statement_print.html", "scope/process_print.html"
MARKS = {
    "draft": "Draft: not in force.",
    "in_review": "With top management: not in force.",
    "approved": "Uncontrolled when printed.",
    "superseded": "Superseded: no longer in force.",
    "void": "Void.",
}


def statement_context(statement: ScopeStatement, as_of: datetime | None = None) -> dict[str, Any]:
    """What `STATEMENT` needs: words, processes, sites, what is left out, signatures."""
    approver, day = statement.approved_by, statement.approved_on
    return letterhead(
        statement,
        as_of=as_of,
        kind="Scope of the quality management system",
        title="Scope statement",
        statement=statement,
        marking=MARKS[statement.status],
        obsolete=statement.status in ("superseded", "void"),
        processes=statement.processes(),
        sites=statement.sites(),
        left_out=[(clauses.label(e.clause), e.justification) for e in statement.left_out()],
        facts=[
            ("State", statement.get_status_display()),
            ("Standard", clauses.standard(statement.edition)),
            ("Written by", statement.created_by.name),
            ("Approved", f"{approver.name}, {day:%-d %B %Y}" if approver and day else "–"),
        ],
    )


def process_context(process: Process, as_of: datetime | None = None) -> dict[str, Any]:
    """What `PROCESS` needs: the sheet with its people and places."""
    members = ProcessMember.objects.live().filter(process=process).select_related("person")
    places = ProcessSite.objects.live().filter(process=process).select_related("site")
    return letterhead(
        process,
        as_of=as_of,
        kind="Process sheet",
        number=process.code,
        process=process,
        marking="Uncontrolled when printed.",
        facts=[
            ("State", process.get_status_display()),
            ("Owner", process.owner.name if process.owner else "–"),
            ("Importance", f"{process.importance} of 5"),
            ("Done by", "Others, on our behalf" if process.is_outsourced else "Ourselves"),
            ("Sites", ", ".join(sorted(e.site.name for e in places)) or "–"),
            ("People", ", ".join(sorted(e.person.name for e in members)) or "–"),
            ("Clauses", ", ".join(clauses.label(key) for key in process.clauses) or "–"),
        ],
        parts=[
            ("Purpose", process.purpose),
            ("Criteria and methods", process.criteria),
            ("Resources", process.resources),
        ],
    )


def statement_pdf(statement: ScopeStatement) -> bytes:
    """The statement as PDF."""
    context = statement_context(statement)
    return pdf.render(STATEMENT, context, paper=context["paper"])


def process_pdf(process: Process) -> bytes:
    """The process sheet as PDF."""
    context = process_context(process)
    return pdf.render(PROCESS, context, paper=context["paper"])
