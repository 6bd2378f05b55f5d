"""The tabs above the lists of documents."""

from django.http import HttpRequest
from django.urls import reverse

TABS = (
    ("Documents", "documents:document_list", "documents.view_document"),
    ("Read and understood", "documents:reading_matrix", "documents.view_readingmatrix"),
    ("Reading", "documents:reading_list", "documents.view_readingtask"),
    ("Reviews due", "documents:review_list", "documents.view_document"),
    ("Controlled copies", "documents:copy_list", "documents.view_controlledcopy"),
    ("Evidence elsewhere", "documents:pointer_list", "documents.view_evidencepointer"),
    ("Retention", "documents:retention", "documents.view_legalhold"),
    ("Kinds", "documents:kind_rule_list", "documents.change_kindrule"),
    ("Keep it simple", "documents:simplify", "documents.simplify"),
)


def tabs(request: HttpRequest, current: str) -> list[tuple[str, str, bool]]:
    """Those the person may open."""
    return [
        (label, reverse(name), name == current)
        for label, name, permission in TABS
        if request.user.has_perm(permission)
    ]
