"""A scope statement and a process sheet on paper: for the wall, the customer and the pack."""

from datetime import datetime
from typing import Any

from qms import clauses, pdf
from qms.scope import drawing, turtle
from qms.scope.checks import System
from qms.scope.letterhead import letterhead
from qms.scope.models import Organisation, Process, ScopeStatement

STATEMENT, PROCESS = "scope/statement_print.html", "scope/process_print.html"
MAP = "scope/map_print.html"
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


def process_context(
    process: Process, as_of: datetime | None = None, person: Any = None
) -> dict[str, Any]:
    """What `PROCESS` needs: the turtle sheet, with what a `person` may see (None: everything)."""
    sheet = turtle.of(process, person)
    return letterhead(
        process,
        as_of=as_of,
        kind="Process sheet",
        number=process.code,
        process=process,
        marking="Uncontrolled when printed.",
        facts=[
            ("State", process.get_status_display()),
            ("Kind", f"{process.get_kind_display()} process"),
            ("Importance", f"{process.importance} of 5"),
            ("Done by", "Others, on our behalf" if process.is_outsourced else "Ourselves"),
            ("Sites", ", ".join(each.name for each in sheet["sites"]) or "–"),
            ("Clauses", ", ".join(clauses.label(key) for key in process.clauses) or "–"),
        ],
        **sheet,
    )


def map_context(system: System) -> dict[str, Any]:
    """What `MAP` needs: the picture on one landscape sheet, and the same as a list."""
    organisation = Organisation.objects.current()
    paper = organisation.paper if organisation else "A4"
    drawn = drawing.on_paper(system, paper)
    return {
        "organisation": organisation.name if organisation else "",
        "paper": paper,
        "kind": "Sequence and interaction of the processes",
        "title": "Process map",
        "marking": "Uncontrolled when printed.",
        "drawing": drawn,
        "picture": drawing.as_picture(drawn) if drawn else "",
        "rows": drawing.as_list(system),
    }


def map_pdf(system: System) -> bytes:
    """The map as PDF, landscape."""
    context = map_context(system)
    return pdf.render(MAP, context, paper=context["paper"])


def statement_pdf(statement: ScopeStatement) -> bytes:
    """The statement as PDF."""
    context = statement_context(statement)
    return pdf.render(STATEMENT, context, paper=context["paper"])


def process_pdf(process: Process, person: Any) -> bytes:
    """The process sheet as PDF, with what the person may see."""
    context = process_context(process, person=person)
    return pdf.render(PROCESS, context, paper=context["paper"])
