"""Importing a nonconformity log: every row becomes a nonconformity; closed ones stay closed.

What was closed elsewhere says so, with what the former log knew; it is not given our proof.
"""

from datetime import date
from typing import Any

from django.db.models import Q

from capa import workflow
from capa.models import Nonconformity
from qms.customers.models import Customer
from qms.numbering import reserve_up_to
from qms.periods import today
from qms.refusals import Refused
from qms.registers import Field, Importer, register_importer
from qms.scope.models import Process, Site

GRADES = {
    "major": "major",
    "minor": "minor",
    "maj": "major",
    "min": "minor",
    "high": "major",
    "critical": "major",
    "low": "minor",
    "medium": "minor",
}
SOURCES = {
    "internal audit": "audit",
    "audit": "audit",
    "ia": "audit",
    "external audit": "certification",
    "registrar": "certification",
    "certification body": "certification",
    "customer": "complaint",
    "complaint": "complaint",
    "customer complaint": "complaint",
    "supplier": "supplier",
    "process": "process",
    "in process": "process",
    "product": "product",
    "incident": "incident",
    "kpi": "indicator",
}
SEVERITIES = {
    "slight": "slight",
    "minor effect": "slight",
    "moderate": "moderate",
    "serious": "serious",
    "severe": "serious",
    "safety": "critical",
}
OPEN_WORDS = {"open": "open", "in progress": "open", "ongoing": "open", "pending": "open"}
STATES = OPEN_WORDS | {
    "closed": "closed",
    "done": "closed",
    "complete": "closed",
    "completed": "closed",
}


def take_over(
    *,
    by: Any,
    number: str,
    title: str,
    detected_on: date,
    grade: str = "",
    source: str = "",
    process: Any = None,
    owner: Any = None,
    state: str = "",
    root_cause: str = "",
    action: str = "",
    closed_on: date | None = None,
    **facts: Any,
) -> Nonconformity:
    """One row of the former log."""
    if not by.has_perm("capa.import_nonconformity"):
        raise Refused("Your role does not allow you to import nonconformities.")
    nc = workflow.raise_nonconformity(
        by=by,
        number=number,
        taken_over=f"Taken over from a former register as {number}.",
        title=title[:200],
        statement=title,
        grade=grade or Nonconformity.Grade.MINOR,
        source=source or Nonconformity.Source.PROCESS,
        process=process,
        owner=owner,
        detected_on=detected_on,
        **facts,
    )
    _keep_series_ahead(nc)
    if state == "closed" or (closed_on and not state):
        nc = workflow.take_over_closed(
            nc, by=by, closed_on=closed_on, root_cause=root_cause, action=action
        )
    return nc


def _customer(text: str) -> Customer | None:
    """The customer of that number or name."""
    rows = Customer.objects.filter(Q(number__iexact=text) | Q(name__iexact=text))
    found: Customer | None = rows.order_by("pk").first()
    return found


def _site(text: str) -> Site | None:
    found: Site | None = Site.objects.filter(name__iexact=text).first()
    return found


def days_in_order(values: dict[str, Any]) -> str | None:
    """What is wrong with the days of a row."""
    detected, closed = values["detected_on"], values["closed_on"]
    if detected and detected > today():
        return "It was detected in the future."
    if detected and closed and closed < detected:
        return "It was closed before it was detected."
    return None


def _keep_series_ahead(nc: Nonconformity) -> None:
    """The next number of the year comes after an imported one."""
    prefix, year = nc.number_series()
    head, _, tail = nc.number.rpartition("-")
    if head == f"{prefix}-{year}" and tail.isdigit():
        reserve_up_to(prefix, int(tail), year=year)


nonconformities = register_importer(
    Importer(
        name="nonconformities",
        title="Nonconformity log",
        permission="capa.import_nonconformity",
        create=take_over,
        check=days_in_order,
        taken=lambda number: Nonconformity.objects.filter(number__iexact=number).exists(),
        fields=(
            Field(
                "number",
                "Number",
                ("NCR", "NCR no", "NC #", "No.", "ID", "CAR"),
                required=True,
                unique=True,
            ),
            Field(
                "title",
                "What is wrong",
                ("Description", "Nonconformity", "Problem", "Issue"),
                required=True,
            ),
            Field(
                "detected_on",
                "Detected",
                ("Date", "Date opened", "Opened", "Raised"),
                "date",
                required=True,
            ),
            Field("grade", "Grade", ("Severity", "Class", "Major/Minor"), "choice", choices=GRADES),
            Field("source", "Source", ("Origin", "Type"), "choice", choices=SOURCES),
            Field(
                "process",
                "Process",
                ("Area", "Department"),
                "record",
                find=lambda text: Process.objects.named(text),
            ),
            Field("product", "Product", ("Part", "Item", "Service")),
            Field("lot", "Lot", ("Batch", "Order", "Serial number", "Lot no")),
            Field(
                "customer",
                "Customer",
                ("Client",),
                "record",
                find=_customer,
            ),
            Field("site", "Site", ("Plant", "Location"), "record", find=_site),
            Field("extent", "What was affected", ("Extent", "Quantity affected", "Scope")),
            Field(
                "severity",
                "Severity of the effect",
                ("Impact", "Effect"),
                "choice",
                choices=SEVERITIES,
            ),
            Field("owner", "Owner", ("Responsible", "Assigned to", "Who"), "person"),
            Field("state", "State", ("Status",), "choice", choices=STATES),
            Field("root_cause", "Root cause", ("Cause",)),
            Field("action", "Action", ("Corrective action", "Action taken")),
            Field("closed_on", "Closed", ("Date closed", "Closed on", "Closure"), "date"),
        ),
    )
)
