"""Importing a document master list: every row becomes a document with a draft to be approved.

A revision is never born effective, also not from a spreadsheet: what the former list says about
revision, date and approver is kept as the draft's summary of changes.
"""

from datetime import date
from typing import Any

from documents import workflow
from documents.models import Document
from qms.numbering import reserve_up_to
from qms.refusals import Refused
from qms.registers import Field, Importer, register_importer
from qms.scope.models import Process
from qms.workflow import amend

KINDS = {
    "policy": "policy",
    "quality policy": "policy",
    "manual": "manual",
    "quality manual": "manual",
    "procedure": "procedure",
    "sop": "procedure",
    "standard operating procedure": "procedure",
    "work instruction": "instruction",
    "instruction": "instruction",
    "wi": "instruction",
    "form": "form",
    "record form": "form",
    "template": "template",
    "external": "external",
    "external document": "external",
    "standard": "external",
}


def take_over(
    *,
    by: Any,
    number: str,
    title: str,
    kind: str,
    owner: Any,
    process: Any = None,
    clauses: list[str] | None = None,
    revision: str = "",
    effective: date | None = None,
    approved_by: str = "",
) -> Document:
    """One row of the former list as a document with its draft."""
    if not by.has_perm("documents.import_document"):
        raise Refused("Your role does not allow you to import documents.")
    document = workflow.create_document(
        by=by,
        number=number,
        title=title,
        kind=kind or Document.Kind.PROCEDURE,
        owner=owner,
        process=process,
        clauses=clauses or [],
    )
    said = [f"Taken over from the former master list, revision {revision or '?'}"]
    if effective:
        said.append(f"in force since {effective:%-d %B %Y}")
    if approved_by:
        said.append(f"approved by {approved_by}")
    draft = document.revisions.get(number=1)
    amend(draft, by=by, changes={"change_summary": ", ".join(said) + "."})
    _keep_series_ahead(document)
    return document


def _keep_series_ahead(document: Document) -> None:
    """The next number of the series comes after an imported one."""
    prefix, _year = document.number_series()
    head, _, tail = document.number.rpartition("-")
    if head == prefix and tail.isascii() and tail.isdigit() and len(tail) < 10:
        reserve_up_to(prefix, int(tail))


documents = register_importer(
    Importer(
        name="documents",
        title="Document master list",
        permission="documents.import_document",
        create=take_over,
        taken=lambda number: Document.objects.filter(number__iexact=number).exists(),
        fields=(
            Field(
                "number",
                "Number",
                ("Doc no", "Document no.", "Doc #", "ID", "Document number"),
                required=True,
                unique=True,
            ),
            Field("title", "Title", ("Document title", "Name", "Document"), required=True),
            Field("kind", "Kind", ("Type", "Doc type", "Category"), "choice", choices=KINDS),
            Field("owner", "Owner", ("Document owner", "Responsible"), "person", required=True),
            Field(
                "process",
                "Process",
                ("Area", "Department"),
                "record",
                find=lambda text: Process.objects.named(text),
            ),
            Field("clauses", "Clauses", ("Clause", "ISO clause", "ISO 9001"), "clauses"),
            Field("revision", "Revision", ("Rev", "Rev.", "Version", "Issue")),
            Field(
                "effective",
                "Effective from",
                ("Effective", "Effective date", "Date", "Issued"),
                "date",
            ),
            Field("approved_by", "Approved by", ("Approver", "Approved")),
        ),
    )
)
