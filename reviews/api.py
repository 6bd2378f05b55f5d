"""Management reviews, their inputs and decisions under `/api/v1/`."""

from qms.api import Resource
from reviews import workflow
from reviews.forms import (
    InputForm,
    NewDecisionForm,
    NewReviewForm,
    ObjectiveAnswerForm,
    ReviewForm,
)
from reviews.models import Decision, Review, ReviewedObjective, ReviewInput

reviews = Resource(
    "reviews",
    Review,
    fields=(
        "number",
        "title",
        "edition",
        "period_start",
        "period_end",
        "planned_on",
        "place",
        "chair",
        "status",
        "compiled_on",
        "held_on",
        "guests",
        "conclusions",
        "closed_on",
    ),
    form=NewReviewForm,
    edit_form=ReviewForm,
    create=workflow.plan_review,
)
review_inputs = Resource(
    "review-inputs",
    ReviewInput,
    fields=(
        "review",
        "key",
        "title",
        "trend",
        "required",
        "lines",
        "comment",
        "comment_opportunities",
        "no_change_because",
    ),
    edit_form=InputForm,
)
reviewed_objectives = Resource(
    "reviewed-objectives",
    ReviewedObjective,
    fields=("review", "objective", "aim", "standing", "sentence", "answer", "because"),
    edit_form=ObjectiveAnswerForm,
)
decisions = Resource(
    "decisions",
    Decision,
    fields=("review", "position", "kind", "text", "action", "none_because", "status"),
    form=NewDecisionForm,
    create=workflow.decide,
)
