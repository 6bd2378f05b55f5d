"""The procedures of customers, satisfaction reviews, surveys and feedback (9.1.2)."""

from qms.customers.workflow.customers import (
    CUSTOMER_FIELDS,
    REVIEW,
    end,
    enter_customer,
    entry_reviews,
    only_its_owner,
    record_review,
    take_up_again,
    void_review,
)
from qms.customers.workflow.feedback import (
    answer_feedback,
    only_who_answers_it,
    take_feedback,
    void_feedback,
)
from qms.customers.workflow.surveys import (
    INVITE,
    answer_survey,
    ask_customers,
    close_survey,
    draft_survey,
    invitation_of,
    only_who_asks,
    open_survey,
    remind,
    void_survey,
)

__all__ = [
    "CUSTOMER_FIELDS",
    "INVITE",
    "REVIEW",
    "answer_feedback",
    "answer_survey",
    "ask_customers",
    "close_survey",
    "draft_survey",
    "end",
    "enter_customer",
    "entry_reviews",
    "invitation_of",
    "only_its_owner",
    "only_who_answers_it",
    "only_who_asks",
    "open_survey",
    "record_review",
    "remind",
    "take_feedback",
    "take_up_again",
    "void_feedback",
    "void_review",
    "void_survey",
]
