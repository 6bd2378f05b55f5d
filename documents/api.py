"""Documents at `/api/v1/documents/`, revisions at `/api/v1/revisions/`, who signs them at
`/api/v1/signatories/`, what is said of drafts at `/api/v1/comments/`."""

from documents import workflow
from documents.forms import (
    DocumentForm,
    HandOnForm,
    HoldForm,
    NewDocumentForm,
    PointerForm,
    RevisionForm,
    SignatoryForm,
)
from documents.models import (
    Comment,
    Disposition,
    Document,
    EvidencePointer,
    LegalHold,
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
        "title",
        "text",
        "fields",
        "questions",
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
