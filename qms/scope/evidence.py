"""What the evidence pack gets from the scope: the statement, the processes, who answers (4.3, 4.4).

What was in force is told by the day of approval, so a pack of an earlier period shows the statement
of that period.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from qms import clauses, contributions
from qms.contributions import ClauseLine
from qms.periods import Period
from qms.scope import checks, drawing
from qms.scope import context_evidence as _context_evidence  # noqa: F401 - registers itself
from qms.scope.models import Flow, Organisation, PlannedExtension, Process, ScopeStatement, Site
from qms.scope.prints import PROCESS, STATEMENT, process_context, statement_context

RELEASED = [ScopeStatement.Status.APPROVED, ScopeStatement.Status.SUPERSEDED]


def statements_of(period: Period) -> list[ScopeStatement]:
    """The statements in force at any time of the period, oldest first."""
    approved = ScopeStatement.objects.filter(
        status__in=RELEASED, approved_on__lte=period.end
    ).select_related("approved_by", "created_by")
    rows = list(approved.order_by("approved_on", "pk"))
    in_force = [e for e in rows if e.approved_on and e.approved_on > period.start]
    before = [e for e in rows if e.approved_on and e.approved_on <= period.start]
    return [*before[-1:], *in_force]


@contributions.evidence(
    folder="02-context-scope",
    title="Scope and processes",
    clauses=("4.3", "4.4", "4.4.1", "4.4.2", "5.3"),
    template="scope/evidence/scope.html",
)
def scope_and_processes(period: Period, as_of: datetime) -> dict[str, Any]:
    """The statement, what it covers, what it leaves out, and every process with its owner."""
    statements = statements_of(period)
    statement = statements[-1] if statements else None
    lines = statement.left_out() if statement else []
    system = checks.of_system()
    drawn = drawing.in_a_column(system)
    return {
        "drawing": drawn,
        "picture": drawing.as_picture(drawn) if drawn else "",
        "rows": drawing.as_list(system),
        "extensions": list(_planned()),
        "organisation": Organisation.objects.current(),
        "statement": statement,
        "statements": statements,
        "covered": {each.pk for each in statement.processes()} if statement else set(),
        "sites": statement.sites() if statement else [],
        "left_out": [(clauses.label(e.clause), e.justification) for e in lines],
        "processes": list(_processes()),
    }


def _processes() -> Any:
    rows = Process.objects.exclude(status=Process.Status.DRAFT).select_related("owner")
    return rows.order_by("code")


@contributions.register(
    name="processes",
    title="Processes and their owners",
    columns=("Code", "Process", "Owner", "Importance", "Outsourced", "Clauses", "State"),
)
def process_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a process."""
    for each in _processes():
        yield (
            each.code,
            each.name,
            each.owner.name if each.owner else "",
            each.importance,
            each.is_outsourced,
            each.get_clauses_display(),
            each.get_status_display(),
        )


def _planned() -> Any:
    rows = PlannedExtension.objects.select_related("process", "site")
    return rows.order_by("target_on", "pk")


@contributions.register(
    name="process-flows",
    title="Inputs and outputs of the processes",
    columns=("What", "From", "To", "Drawn by", "Recorded"),
)
def flow_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a flow that holds now; an open end is empty."""
    for each in Flow.objects.live().with_ends().select_related("created_by").order_by("what", "pk"):
        yield each.what, each.giver, each.receiver, each.created_by.name, each.recorded_at


@contributions.register(
    name="planned-extensions",
    title="Planned extensions of the scope",
    columns=("What", "Why later", "Process", "Site", "Cycle", "Planned for", "State"),
)
def extension_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a planned extension."""
    for each in _planned():
        yield (
            each.what,
            each.why_later,
            str(each.process or ""),
            str(each.site or ""),
            each.cycle or "",
            each.target_on,
            each.get_status_display(),
        )


@contributions.register(
    name="sites", title="Sites", columns=("Site", "Address", "People", "Shifts", "State")
)
def site_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a site."""
    for each in Site.objects.order_by("name"):
        yield each.name, each.address, each.headcount, each.shifts, each.get_status_display()


@contributions.printed(
    folder="02-context-scope",
    model_label="scope.ScopeStatement",
    template=STATEMENT,
    context=statement_context,
)
def printed(period: Period, as_of: datetime) -> Iterable[tuple[ScopeStatement, str]]:
    """Each statement in force in the period as a page of its own."""
    for each in statements_of(period):
        yield each, each.number


@contributions.printed(
    folder="02-context-scope",
    model_label="scope.Process",
    template=PROCESS,
    context=process_context,
)
def printed_processes(period: Period, as_of: datetime) -> Iterable[tuple[Process, str]]:
    """The turtle sheet of every process that runs."""
    for each in Process.objects.active().select_related("owner", "created_by").order_by("code"):
        yield each, f"process-{each.code}"


@contributions.clause_evidence
def clause_lines(edition: str) -> list[ClauseLine]:
    """The approved scope shows 4.3, a running process the clauses it serves."""
    approved = ScopeStatement.objects.approved().filter(edition=edition)
    found = [
        ClauseLine(
            "4.3",
            "evidence",
            each.title,
            each.number,
            each.approved_by.name if each.approved_by else "",
            each.approved_on,
            each.get_absolute_url(),
        )
        for each in approved.select_related("approved_by")
    ]
    running = Process.objects.active().filter(~Q(clauses=[])).select_related("owner")
    for process in running.order_by("code"):
        owner, url = process.owner.name if process.owner else "", process.get_absolute_url()
        refs = [clauses.ClauseRef.parse(key) for key in process.clauses]
        found += [
            ClauseLine(r.number, "evidence", f"Process: {process}", process.code, owner, None, url)
            for r in refs
            if r.edition == edition
        ]
    return found
