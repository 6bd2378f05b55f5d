"""Customers, how satisfied they are, surveys among them, and what they say (8.2, 9.1.2)."""

from qms.customers.models.customers import (
    VERDICT_TONES,
    Customer,
    SatisfactionReview,
    Verdict,
)
from qms.customers.models.feedback import Feedback
from qms.customers.models.surveys import Survey, SurveyAnswer, SurveyInvitation, digest_of

__all__ = [
    "VERDICT_TONES",
    "Customer",
    "Feedback",
    "SatisfactionReview",
    "Survey",
    "SurveyAnswer",
    "SurveyInvitation",
    "Verdict",
    "digest_of",
]
