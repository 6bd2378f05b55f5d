"""The document procedure: draft, review, approval, in force, superseded (ISO 9001 7.5.2, 7.5.3).

The author does not review or approve what they wrote. One exception, for small organisations: top
management may approve its own document when another person has signed the review.
"""

from documents.workflow.documents import (
    DocumentWithdrawn,
    change_rule,
    changing_rule,
    create_document,
    editing_document,
    no_open_revision,
    set_sites,
    withdraw,
)
from documents.workflow.revisions import (
    RevisionBecameEffective,
    RevisionSubmitted,
    approve,
    approve_for_good,
    editing,
    make_due_revisions_effective,
    make_effective,
    only_a_draft_takes_files,
    pass_review,
    review,
    send_back,
    start_revision,
    submit,
    supersede,
    void,
    withdraw_revision,
)
from documents.workflow.signatories import (
    Plan,
    handing_on,
    name_signatories,
    signatories_of,
    unfit,
    why_not_successor,
    writers_of,
)

__all__ = [
    "DocumentWithdrawn",
    "Plan",
    "RevisionBecameEffective",
    "RevisionSubmitted",
    "approve",
    "approve_for_good",
    "change_rule",
    "changing_rule",
    "create_document",
    "editing",
    "editing_document",
    "handing_on",
    "make_due_revisions_effective",
    "make_effective",
    "name_signatories",
    "no_open_revision",
    "only_a_draft_takes_files",
    "pass_review",
    "review",
    "send_back",
    "set_sites",
    "signatories_of",
    "start_revision",
    "submit",
    "supersede",
    "unfit",
    "void",
    "why_not_successor",
    "withdraw",
    "withdraw_revision",
    "writers_of",
]
