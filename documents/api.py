"""Documents at `/api/v1/documents/`, revisions at `/api/v1/revisions/`, who signs them at
`/api/v1/signatories/`, what is said of drafts at `/api/v1/comments/`, who reads them at
`/api/v1/readers/` and who has at `/api/v1/reading/`, controlled copies at `/api/v1/copies/`; why a
document is looked at again at `/api/v1/review-flags/`, what else is at `/api/v1/follow-ups/`;
entries of forms at `/api/v1/entries/`.

The questions to the reader are written through the API and not read from it: they bear the answers.
"""

from documents import workflow
from documents.filling import EntryValuesForm, NewEntryForm
from documents.forms import (
    CopyForm,
    DocumentForm,
    HandOnForm,
    HoldForm,
    NewDocumentForm,
    PointerForm,
    RevisionForm,
    SignatoryForm,
)
from documents.models import (
    Audience,
    Comment,
    ControlledCopy,
    Disposition,
    Document,
    Entry,
    EvidencePointer,
    FollowUp,
    LegalHold,
    ReadingTask,
    ReviewFlag,
    Revision,
    Signatory,
)
from qms.api import Resource

documents = Resource(
    "documents",
    Document,
    fields=(
        "number",
        "title",
        "kind",
        "owner",
        "process",
        "clauses",
        "confidentiality",
        "language",
        "review_months",
        "issuer",
        "edition",
        "watch_on",
        "next_review",
        "status",
    ),
    form=NewDocumentForm,
    edit_form=DocumentForm,
    create=workflow.create_document,
)
revisions = Resource(
    "revisions",
    Revision,
    fields=(
        "document",
        "number",
        "label",
        "is_minor",
        "why_minor",
        "title",
        "text",
        "fields",
        "change_summary",
        "in_order",
        "review_quorum",
        "approval_quorum",
        "status",
        "reviewed_by",
        "reviewed_on",
        "approved_by",
        "approved_on",
        "effective_from",
        "ended_on",
    ),
    edit_form=RevisionForm,
    related=("document",),
)
signatories = Resource(
    "signatories",
    Signatory,
    fields=("revision", "part", "person", "position", "signed_on", "ended"),
    form=SignatoryForm,
    create=workflow.name_signatory,
    edit_form=HandOnForm,
    related=("revision__document",),
)
comments = Resource(
    "comments",
    Comment,
    fields=("revision", "block", "quote", "words", "answer", "status", "created_by"),
    related=("revision__document",),
)
pointers = Resource(
    "evidence-pointers",
    EvidencePointer,
    fields=(
        *("number", "title", "system", "query", "owner", "process", "clauses", "retention"),
        *("sample_months", "sampled_on", "next_sample", "seen", "status"),
    ),
    form=PointerForm,
    create=workflow.point_at_evidence,
)
holds = Resource(
    "legal-holds",
    LegalHold,
    fields=("number", "title", "why", "process", "status"),
    form=HoldForm,
    create=workflow.place_hold,
)
dispositions = Resource(
    "dispositions",
    Disposition,
    fields=(
        *("number", "document", "why", "kept_until", "status"),
        *("approved_by", "done_on", "destroyed"),
    ),
    related=("document",),
)
readers = Resource(
    "readers",
    Audience,
    fields=("document", "everyone", "role", "process", "person", "ended"),
    related=("document",),
)
reading = Resource(
    "reading",
    ReadingTask,
    fields=("document", "revision", "person", "due", "status", "read", "acknowledged_on"),
    related=("document", "revision", "person"),
)
copies = Resource(
    "copies",
    ControlledCopy,
    fields=(
        "number",
        "document",
        "revision",
        "holder",
        "place",
        "status",
        "issued_on",
        "recalled_on",
        "settled_on",
        "replaces",
    ),
    edit_form=CopyForm,
    related=("document", "revision", "holder"),
)
flags = Resource(
    "review-flags",
    ReviewFlag,
    fields=("document", "revision", "why", "cause", "caused_by", "status"),
    related=("document",),
)
follow_ups = Resource(
    "follow-ups",
    FollowUp,
    fields=("document", "revision", "kind", "title", "person", "due", "note", "status"),
    related=("document", "revision"),
)
entries = Resource(
    "entries",
    Entry,
    fields=(
        "number",
        "form",
        "revision",
        "happened_at",
        "recorded_at",
        "values",
        "corrects",
        "why",
        "worst",
        "submitted_on",
        "created_by",
        "status",
    ),
    form=NewEntryForm,
    edit_form=EntryValuesForm,
    create=workflow.start_entry,
    related=("form", "revision"),
)
