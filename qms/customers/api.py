"""Customers, satisfaction reviews, surveys, answers and feedback under `/api/v1/`."""

from qms.api import Resource
from qms.customers import workflow
from qms.customers.forms import (
    CustomerForm,
    FeedbackForm,
    NewCustomerForm,
    NewSurveyForm,
    ReviewEntryForm,
    SurveyForm,
)
from qms.customers.models import (
    Customer,
    Feedback,
    SatisfactionReview,
    Survey,
    SurveyAnswer,
    SurveyInvitation,
)

customers = Resource(
    "customers",
    Customer,
    fields=("number", *workflow.CUSTOMER_FIELDS, "status", "last_on", "next_due", "verdict"),
    form=NewCustomerForm,
    edit_form=CustomerForm,
    create=workflow.enter_customer,
)
reviews = Resource(
    "satisfaction-reviews",
    SatisfactionReview,
    fields=(
        "number",
        "customer",
        "reviewed_on",
        "source",
        "verdict",
        "heard",
        "follows",
        "next_due",
        "status",
    ),
    form=ReviewEntryForm,
    create=workflow.record_review,
)
surveys = Resource(
    "surveys",
    Survey,
    fields=(
        "number",
        "title",
        "about",
        "greeting",
        "asks_satisfaction",
        "asks_recommendation",
        "questions",
        "owner",
        "closes_on",
        "status",
        "opened_on",
        "reminded_on",
        "closed_on",
    ),
    form=NewSurveyForm,
    edit_form=SurveyForm,
    create=workflow.draft_survey,
)
invitations = Resource(
    "survey-invitations",
    SurveyInvitation,
    fields=("survey", "customer", "address", "sent_on", "ended"),
)
answers = Resource(
    "survey-answers",
    SurveyAnswer,
    fields=(
        "survey",
        "invitation",
        "answered_on",
        "satisfaction",
        "recommendation",
        "words",
        "comment",
    ),
)
feedback = Resource(
    "feedback",
    Feedback,
    fields=(
        "number",
        "customer",
        "said_by",
        "heard_on",
        "kind",
        "came_by",
        "about",
        "words",
        "taken_by",
        "follows",
        "status",
    ),
    form=FeedbackForm,
    create=workflow.take_feedback,
)
