"""Documents at `/api/v1/documents/`, revisions at `/api/v1/revisions/`."""

from documents import workflow
from documents.forms import DocumentForm, NewDocumentForm, RevisionForm
from documents.models import Document, Revision
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
        "title",
        "body",
        "change_summary",
        "reviewer",
        "approver",
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
