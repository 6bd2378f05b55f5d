"""A revision on paper: the same page for a download and for the evidence pack."""

from datetime import datetime
from typing import Any

import segno

from documents import design
from documents.models import ControlledCopy, Revision
from documents.shown import on_paper
from qms import pdf
from qms.contributions import letterhead
from qms.files.workflow import pdf_of

TEMPLATE = "documents/revision_print.html"
MARKS = {
    "draft": "Draft: not in force.",
    "in_review": "In review: not in force.",
    "reviewed": "Reviewed: not in force.",
    "approved": "Approved: not yet in force.",
    "effective": "Uncontrolled when printed.",
    "superseded": "Superseded: no longer in force.",
    "withdrawn": "Withdrawn: no longer in force.",
    "void": "Void.",
}


def revision_context(revision: Revision, as_of: datetime | None = None) -> dict[str, Any]:
    """What `TEMPLATE` needs: text, people, signatures, and the mark of what is not in force."""
    document = revision.document
    return letterhead(
        revision,
        as_of=as_of,
        number=document.number,
        title=revision.title,
        kind=document.get_kind_display(),
        revision=revision.label,
        effective=f"{revision.effective_from:%-d %B %Y}" if revision.approved_on else "",
        marking=MARKS[revision.status],
        lang=document.language,
        text=on_paper(revision),
        asks=[design.described(part) for part in revision.fields],
        obsolete=revision.is_obsolete,
        facts=[
            ("State", revision.get_status_display()),
            ("Process", str(document.process or "–")),
            ("Document owner", document.owner.name),
            ("Author", revision.created_by.name),
            ("Reviewed", _by(revision.reviewed_by, revision.reviewed_on)),
            ("Approved", _by(revision.approved_by, revision.approved_on)),
            ("What changed", revision.change_summary or "–"),
            *([("Minor because", revision.why_minor)] if revision.why_minor else []),
        ],
    )


def _by(person: Any, day: Any) -> str:
    return f"{person.name}, {day:%-d %B %Y}" if person and day else "–"


def revision_pdf(revision: Revision, *, mark: str = "", **more: Any) -> bytes:
    """The revision as PDF; an uploaded one behind its control sheet, each page marked.

    `more` is added to what the template knows.
    """
    uploaded = rendition_of(revision)
    context = revision_context(revision) | {"sheet": uploaded is not None} | more
    context["marking"] = mark or context["marking"]
    sheet = pdf.render(TEMPLATE, context, paper=context["paper"])
    if uploaded is None:
        return sheet
    return pdf.assemble(
        [(revision.title, uploaded)],
        title=str(revision),
        mark=f"{revision} · {context['marking']}",
        cover=sheet,
        paper=context["paper"],
        lang=revision.document.language,
        contents=False,
    )


def copy_pdf(copy: ControlledCopy, address: str) -> bytes:
    """A controlled copy: its number and holder on every page, its QR code on the first.

    Once it is recalled, or its revision is no longer in force, every page says so.
    """
    revision = copy.revision
    current = copy.status == copy.Status.ISSUED and not revision.is_obsolete
    mark = f"Controlled copy {copy.number}, held by {copy.held_by}."
    if not current:
        mark = f"Obsolete controlled copy {copy.number}: do not use it."
    code = segno.make(address, error="m")
    return revision_pdf(
        revision,
        mark=mark,
        obsolete=not current,
        copy={
            "number": copy.number,
            "held_by": copy.held_by,
            "issued_on": copy.issued_on,
            "code": code.svg_data_uri(border=2, scale=4),
            "address": address,
        },
    )


def rendition_of(revision: Revision) -> bytes | None:
    """The PDF made of the uploaded original; None where nothing is uploaded or none was made."""
    return pdf_of(revision.source) if revision.source else None
