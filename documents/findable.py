"""What is found of documents: number, title and the words of the revision in force.

Drafts are not in the index: their words are for their makers, a document's for all its readers.
"""

from documents import answers
from documents.models import Document, Entry, Revision
from documents.shown import in_words
from documents.subjects import Names, ids_in
from qms.events import handles
from qms.files.models import Rendition
from qms.files.workflow import RenditionMade
from qms.finding.workflow import Text, findable, refresh
from qms.records import RecordSaved


@findable(Document, "Documents", order=10)
def describe(document: Document) -> Text:
    """The words of the revision in force and of the file uploaded with it."""
    in_force = None
    if document.status == Document.Status.ACTIVE:
        rows = Revision.objects.effective().filter(document=document)
        in_force = rows.select_related("source__blob").first()
    names = [document.get_kind_display(), str(document.process or "")]
    return Text(
        title=document.title,
        number=document.number,
        keywords=" ".join([*names, document.issuer, document.edition]).strip(),
        words=words_of(in_force) if in_force else "",
        language=document.language,
    )


def words_of(revision: Revision) -> str:
    """What is written in a revision and in its uploaded file."""
    written = in_words(revision)
    if revision.source is None:
        return written
    made = Rendition.objects.filter(blob=revision.source.blob_id).first()
    return f"{written}\n{made.words if made else ''}".strip()


@findable(Entry, "Entries of forms", order=15, edition=2)
def describe_entry(entry: Entry) -> Text | None:
    """The answers of what was submitted, without people; a draft is nobody's to find."""
    if entry.submitted_on is None:
        return None
    asked = [part for part in entry.parts if part["kind"] != "person"]  # names can be erased
    names = Names(ids_in(asked, entry.values))
    said = (answers.in_words(part, entry.values.get(part["key"]), names) for part in asked)
    about = f": {entry.subject}" if entry.subject is not None else ""
    return Text(
        title=f"{entry.form.title}{about}",
        number=entry.number,
        words="\n".join(filter(None, said)),
        language=entry.form.language,
    )


@handles(RecordSaved, order=96)
def follow_the_revision(event: RecordSaved) -> None:
    """What came into force changes what is found; what was withdrawn goes with its document."""
    revision = event.record
    if isinstance(revision, Revision) and revision.status in ("effective", "superseded"):
        refresh(revision.document)


@handles(RenditionMade)
def follow_the_file(event: RenditionMade) -> None:
    """The words of an uploaded file come later than the file."""
    rows = Revision.objects.effective().filter(source__blob=event.rendition.blob_id)
    for revision in rows.select_related("document"):
        refresh(revision.document)
