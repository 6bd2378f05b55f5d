"""What documents keep: documents, what holds for their kinds, revisions, and who signs them."""

from documents.models.documents import (
    READERS_OF_RESTRICTED,
    Document,
    DocumentQuerySet,
    DocumentSite,
    KindRule,
)
from documents.models.keeping import Disposition, EvidencePointer, LegalHold
from documents.models.revisions import Revision, RevisionQuerySet, Signatory, SignatoryQuerySet
from documents.models.writing import Comment, CommentQuerySet, Presence

__all__ = [
    "READERS_OF_RESTRICTED",
    "Comment",
    "CommentQuerySet",
    "Disposition",
    "Document",
    "DocumentQuerySet",
    "DocumentSite",
    "EvidencePointer",
    "KindRule",
    "LegalHold",
    "Presence",
    "Revision",
    "RevisionQuerySet",
    "Signatory",
    "SignatoryQuerySet",
]
