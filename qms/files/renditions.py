"""What is made of an uploaded document: its words, and for office files a PDF to look at.

Asked for by `workflow.render`; made by a worker from the outbox, once for each content.
"""

from qms import clock, isolated
from qms.events import publish
from qms.files import office, storage
from qms.files.inspection import KINDS, ODF, OOXML, PDF
from qms.files.models import Blob, Rendition
from qms.files.workflow import RenditionMade
from qms.outbox.models import Effect
from qms.refusals import Refused

UNREADABLE = "The worker could not read it. Save it as PDF and upload that."


def make(leased: Effect) -> None:
    """Make what can be made of a content. Runs in a worker and may run twice."""
    blob = Blob.objects.get(pk=leased.payload["blob"])
    content = storage.read(blob)
    pdf, why = _pdf_of(blob, content)
    rendition = Rendition.objects.get(blob=blob)
    rendition.words = _words_of(blob, content)
    rendition.pdf, rendition.why = pdf, why
    rendition.state = Rendition.State.NONE if pdf is None else Rendition.State.MADE
    rendition.made_at = clock.now()
    rendition.save()
    publish(RenditionMade(rendition))


def gave_up(leased: Effect) -> None:
    """Nobody waits for ever: what failed for good is said on the page."""
    Rendition.objects.filter(blob_id=leased.payload["blob"]).update(
        state=Rendition.State.NONE, why=UNREADABLE
    )


def _pdf_of(blob: Blob, content: bytes) -> tuple[Blob | None, str]:
    """(the PDF, why there is none): a PDF is its own."""
    if blob.media_type == PDF:
        return blob, ""
    if not blob.media_type.startswith((OOXML, ODF)):
        return None, "Only office files are turned into PDF."
    try:
        made = office.to_pdf(content, KINDS[blob.media_type].endings[0])
    except office.NotConverted as why:
        return None, str(why)
    (kept,) = storage.keep_all([(made, PDF)])
    return kept, ""


def _words_of(blob: Blob, content: bytes) -> str:
    try:
        _, words = isolated.call(
            "qms.files.words:read", content, seconds=60, media_type=blob.media_type
        )
    except (isolated.Ended, Refused):
        return ""
    return words.decode()
