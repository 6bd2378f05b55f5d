"""An entry on paper, a field in time, and the card with a form's QR code."""

from datetime import datetime
from typing import Any

import segno

from documents import entered
from documents.design import Part
from documents.models import Document, Entry
from qms import contributions, pdf
from qms.charts import Chart
from qms.contributions import letterhead
from qms.files.workflow import picture_of

ENTRY, TREND, CARD = (
    "documents/entry_print.html",
    "documents/trend_print.html",
    "documents/card_print.html",
)
MARKS = {
    "draft": "Draft: not submitted.",
    "submitted": "",
    "corrected": "Corrected: another entry takes its place.",
    "void": "Void.",
}


def entry_context(
    entry: Entry, as_of: datetime | None = None, *, person: Any = None
) -> dict[str, Any]:
    """What `ENTRY` needs: every answer in words, photos as pictures, files by name and hash."""
    form, revision = entry.form, entry.revision
    return letterhead(
        entry,
        as_of=as_of,
        number=entry.number,
        kind=f"{form.number}, revision {revision.label}",
        title=form.title,
        marking=MARKS[entry.status],
        obsolete=entry.status in ("corrected", "void"),
        lang=form.language,
        answers=[_on_paper(each) for each in entered.shown(entry, person)],
        facts=[
            ("State", entry.get_status_display()),
            ("Happened", _moment(entry.happened_at)),
            ("Recorded", _moment(entry.recorded_at)),
            ("Filled in by", entry.created_by.name),
            ("Limits", entry.get_worst_display()),
            *([("Corrects", f"{entry.corrects.number}: {entry.why}")] if entry.corrects else []),
        ],
    )


def _moment(at: datetime) -> str:
    return f"{at.astimezone(contributions.zone()):%-d %B %Y, %H:%M}"


def _on_paper(each: entered.Shown) -> dict[str, Any]:
    pictures = [picture_of(f) for f in each.files if f.blob.is_picture]
    files = [f for f in each.files if not f.blob.is_picture]
    return {"shown": each, "pictures": pictures, "files": files}


def entry_pdf(entry: Entry, person: Any) -> bytes:
    """The entry as PDF, as this person may see it."""
    context = entry_context(entry, person=person)
    return pdf.render(ENTRY, context, paper=context["paper"])


def trend_pdf(form: Document, part: Part, chart: Chart) -> bytes:
    """A field in time as PDF: the picture of the page, and the numbers behind it."""
    context = letterhead(
        form, number=form.number, kind="Values in time", title=part["label"], chart=chart, form=form
    )
    return pdf.render(TREND, context, paper=context["paper"])


def card_pdf(form: Document, address: str) -> bytes:
    """A page to be put up where the form is used."""
    code = segno.make(address, error="m").svg_data_uri(scale=8, border=2, omitsize=True)
    context = letterhead(
        form, number=form.number, kind="Form", title=form.title, code=code, address=address
    )
    return pdf.render(CARD, context, paper=context["paper"])
