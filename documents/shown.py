"""A revision's text as a page shows it and as paper does: pictures and pointers are put in.

On a page a picture is our own small rendering of it and a pointer leads to the document, which
shows the revision in force; a pointer to what the reader may not see says only that. On paper the
picture's content is part of the page and a pointer is its number and title.
"""

from typing import Any

from django.urls import reverse

from documents import content
from documents.models import Document, Revision
from qms.files.models import Attachment
from qms.files.workflow import picture_of


def on_page(revision: Revision, person: Any) -> str:
    """Clean HTML of a revision's text for this reader."""
    named = _documents(revision, person)
    return content.as_html(revision.text, picture=_address, linked=named.get)


def on_paper(revision: Revision) -> str:
    """Clean HTML of a revision's text for print, whole in itself."""
    keys = content.pictures_in(revision.text)
    pictures = {each.pk: each for each in Attachment.objects.filter(pk__in=keys)}

    def picture(attachment: int) -> str:
        found = pictures.get(attachment)
        return picture_of(found, width_mm=160, height_mm=180) if found else ""

    named = _documents(revision, None)
    return content.as_html(revision.text, picture=picture, linked=named.get)


def in_words(revision: Revision) -> str:
    """The text as plain words, for search and comparison."""
    return content.as_text(revision.text, linked=_documents(revision, None).get)


def _address(attachment: int) -> str:
    return reverse("files:thumbnail", args=[attachment, "large"])


def _documents(revision: Revision, person: Any) -> dict[int, tuple[str, str]]:
    """What the text points at and the reader may see; `person` None sees open documents by title,
    restricted ones by number only."""
    keys = content.documents_in(revision.text)
    if not keys:
        return {}
    rows = Document.objects.filter(pk__in=keys)
    if person is not None:
        rows = rows.visible_to(person)
    return {
        each.pk: (
            each.get_absolute_url(),
            each.called_outside if person is None else str(each),
        )
        for each in rows
    }
