"""What documents keep: documents and their kinds, revisions, who signs and reads, and entries."""

from documents.models.chain import FollowUp, FollowUpQuerySet
from documents.models.copies import ControlledCopy, ControlledCopyQuerySet
from documents.models.documents import (
    READERS_OF_RESTRICTED,
    Document,
    DocumentQuerySet,
    DocumentSite,
    KindRule,
)
from documents.models.entries import Entry, EntryQuerySet
from documents.models.keeping import Disposition, EvidencePointer, LegalHold
from documents.models.reading import (
    READERS_OF_THE_MATRIX,
    Audience,
    ReadingTask,
    ReadingTaskQuerySet,
)
from documents.models.revisions import Revision, RevisionQuerySet, Signatory, SignatoryQuerySet
from documents.models.upkeep import Opening, ReviewFlag, ReviewFlagQuerySet
from documents.models.writing import Comment, CommentQuerySet, Presence

__all__ = [
    "READERS_OF_RESTRICTED",
    "READERS_OF_THE_MATRIX",
    "Audience",
    "Comment",
    "CommentQuerySet",
    "ControlledCopy",
    "ControlledCopyQuerySet",
    "Disposition",
    "Document",
    "DocumentQuerySet",
    "DocumentSite",
    "Entry",
    "EntryQuerySet",
    "EvidencePointer",
    "FollowUp",
    "FollowUpQuerySet",
    "KindRule",
    "LegalHold",
    "Opening",
    "Presence",
    "ReadingTask",
    "ReadingTaskQuerySet",
    "ReviewFlag",
    "ReviewFlagQuerySet",
    "Revision",
    "RevisionQuerySet",
    "Signatory",
    "SignatoryQuerySet",
]
