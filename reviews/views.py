"""Pages of management reviews: one page to prepare, hold and sign a review on."""

from dataclasses import dataclass
from typing import Any

import django_filters
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from qms import clauses, pages
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column, PathStep
from reviews import workflow
from reviews.forms import (
    DecisionForm,
    InputForm,
    NewReviewForm,
    ObjectiveAnswerForm,
    ReviewForm,
    leaders,
)
from reviews.models import Decision, Review, ReviewedObjective, ReviewInput
from reviews.prints import attendance_of, outputs_of
from reviews.prints import minutes_pdf as pdf_of

COLUMNS = [
    Column("number", "Number", sort="number", kind="link"),
    Column("title", "Review", sort="title"),
    Column("period", "Period", sort="period_end"),
    Column("chair", "Chair", sort="chair__name", kind="person"),
    Column("status", "State", sort="status", kind="state"),
    Column(
        "planned_on",
        "Planned for",
        sort="planned_on",
        kind="due",
        settled=lambda review: review.status not in ("planned", "compiled"),
    ),
    Column("held_on", "Held", sort="held_on", kind="date"),
    Column("closed_on", "Minutes signed", sort="closed_on", kind="date"),
]


class ReviewFilter(django_filters.FilterSet):
    """Filters of the list of reviews."""

    title = django_filters.CharFilter(lookup_expr="icontains", label="Text")
    status = django_filters.ChoiceFilter(choices=Review.Status.choices, label="State")
    year = django_filters.NumberFilter(
        field_name="planned_on__year", label="Year", min_value=1990, max_value=2190
    )

    class Meta:
        model = Review
        fields = ("title", "status", "year")


@dataclass(frozen=True)
class Shown:
    """An input on the page, with its form where it may be commented on."""

    given: ReviewInput
    form: InputForm | None
    is_open: bool


@needs("reviews.view_review")
def review_list(request: HttpRequest) -> HttpResponseBase:
    """Every review, the next first."""
    return pages.show_list(
        request,
        Review.objects.visible_to(request.user).select_related("chair"),
        columns=COLUMNS,
        filterset=ReviewFilter,
        default_sort="-planned_on",
        title="Management reviews",
        intro="Top management looks at the whole system; the inputs compile themselves.",
        create_url=reverse("reviews:review_create"),
        create_label="Plan a review",
        empty="No management review is planned yet. Plan the first one; the rest is gathered.",
    )


@needs("reviews.view_review")
def review_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One review: its inputs, attendance, decisions and minutes, all on one page."""
    rows = Review.objects.select_related("chair", "created_by")
    review = pages.find(request, rows, pk=pk)
    given = workflow.inputs_of(review)
    may_comment = review.status == "compiled" and request.user.has_perm("reviews.change_review")
    objectives = _objectives(review, request)
    may_decide = review.status in ("compiled", "held") and request.user.has_perm(
        "reviews.add_decision"
    )
    return pages.show_record(
        request,
        review,
        template="reviews/review_detail.html",
        title=review.title,
        crumbs=[("Management reviews", reverse("reviews:review_list")), (review.number, "")],
        path=path_of(review),
        due=review.planned_on if review.status in ("planned", "compiled") else None,
        inputs=shown(given, request, may_comment=may_comment),
        answered=sum(1 for each in given if each.required and each.is_answered),
        asked=sum(1 for each in given if each.required),
        outputs=outputs_of(review),
        objectives=objectives,
        objectives_answered=sum(1 for each in objectives if each.row.is_answered),
        attended=list(attendance_of(review)),
        decision_form=DecisionForm(by=request.user, auto_id="id_decision_%s")
        if may_decide
        else None,
        standard=clauses.standard(review.edition),
    )


@dataclass(frozen=True)
class ObjectiveLine:
    """An objective at a review: how it stood, and its form where it may be answered."""

    row: ReviewedObjective
    form: ObjectiveAnswerForm | None


def _objectives(review: Review, request: HttpRequest) -> list[ObjectiveLine]:
    """The objectives of a review the person may see, with forms where this person may answer."""
    may = review.status in ("compiled", "held") and request.user.has_perm("reviews.change_review")
    rows = ReviewedObjective.objects.visible_to(request.user).filter(review=review)
    seen = set(rows.values_list("pk", flat=True))
    typed = request.POST if request.method == "POST" else None
    return [
        ObjectiveLine(
            row,
            ObjectiveAnswerForm(typed, instance=row, by=request.user, prefix=f"objective-{row.pk}")
            if may
            else None,
        )
        for row in workflow.objectives_of(review)
        if row.pk in seen
    ]


@needs("reviews.change_review")
def review_objectives(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm, revise or close the objectives of a review in one form; all are kept, or none."""
    review = pages.find(request, Review.objects.select_related("chair"), pk=pk)
    lines = _objectives(review, request)
    if request.method == "POST" and _answer(request, lines):
        return pages.go_to(request, f"{review.get_absolute_url()}#objectives")
    context = {
        "title": f"The objectives at {review.number}",
        "record": review,
        "objectives": lines,
        "wrong": request.method == "POST",
        "crumbs": [
            ("Management reviews", reverse("reviews:review_list")),
            (review.number, review.get_absolute_url()),
            ("Objectives", ""),
        ],
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "reviews/objectives.html", context, status=status)


def _answer(request: HttpRequest, lines: list[ObjectiveLine]) -> bool:
    """Keep what was answered anew; where something is wrong, its form says so and none is kept."""
    typed = {
        str(line.row.pk): line.form
        for line in lines
        if line.form is not None and {"answer", "because"} & set(line.form.changed_data)
    }
    fit = [form.is_valid() for form in typed.values()]
    if not all(fit):
        return False
    said = [
        workflow.Answered(
            form.instance,
            form.cleaned_data["answer"],
            form.cleaned_data["because"],
            form.cleaned_data["version"],
        )
        for form in typed.values()
    ]
    wrong = workflow.answer_objectives(said, by=request.user)
    for refusal in wrong:
        typed[str(refusal.field)].add_error("answer", str(refusal))
    return bool(lines) and not wrong


def shown(inputs: list[ReviewInput], request: HttpRequest, *, may_comment: bool) -> list[Shown]:
    """The inputs in their order; the first that still says nothing is unfolded."""
    empty = next((each for each in inputs if each.required and not each.is_answered), None)
    return [
        Shown(
            each,
            input_form(each, request) if may_comment else None,
            may_comment and each is empty,
        )
        for each in inputs
    ]


def input_form(given: ReviewInput, request: HttpRequest) -> InputForm:
    """The form of an input among others: its fields have names of their own on the page."""
    return InputForm(instance=given, by=request.user, auto_id=f"id_{given.pk}_%s")


def path_of(review: Review) -> list[PathStep]:
    """Planned, compiled, held, signed: how far the review is."""
    if review.status == "void":
        return [PathStep("Planned", "done", review.planned_on), PathStep("Void", "now")]
    steps = [
        ("Planned", review.planned_on),
        ("Inputs compiled", review.compiled_on or ""),
        ("Held", review.held_on or ""),
        ("Minutes signed", review.closed_on or ""),
    ]
    behind = {"planned": 1, "compiled": 2, "held": 3, "closed": 4}[review.status]
    return [
        PathStep(name, "done" if i < behind else "now" if i == behind else "later", note)
        for i, (name, note) in enumerate(steps)
    ]


@needs("reviews.add_review")
def review_create(request: HttpRequest) -> HttpResponse:
    """Plan a review."""
    return pages.edit(
        request,
        form_class=NewReviewForm,
        create=workflow.plan_review,
        title="Plan a management review",
        initial={"chair": leaders().first()},
        context={"cancel_url": "reviews:review_list"},
    )


@needs("reviews.change_review")
def review_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the plan or, before they are signed, the minutes."""
    review = pages.find(request, Review.objects.select_related("chair"), pk=pk)
    return pages.edit(
        request, form_class=ReviewForm, instance=review, title=f"Edit {review.number}"
    )


@needs(ANYONE_SIGNED_IN)
def review_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Compile the inputs, record the meeting, sign the minutes, void."""
    rows = Review.objects.select_related("chair")
    return pages.do_transition(request, pages.find(request, rows, pk=pk), name)


@needs("reviews.view_review")
def review_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The minutes as a PDF."""
    review = pages.find(request, Review.objects.select_related("chair", "created_by"), pk=pk)
    return pages.send_pdf(pdf_of(review), review.number)


@needs("reviews.change_review")
def input_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Comment on an input, or say why nothing changed."""
    given = pages.find(request, ReviewInput.objects.select_related("review"), pk=pk)
    return pages.edit(
        request,
        form_class=InputForm,
        instance=given,
        title=given.title,
        done=lambda record: record.get_absolute_url(),
    )


@needs("reviews.change_review")
def reviewed_objective_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm, revise or close one objective."""
    rows = ReviewedObjective.objects.select_related("review", "objective")
    row = pages.find(request, rows, pk=pk)
    return pages.edit(
        request,
        form_class=ObjectiveAnswerForm,
        instance=row,
        title=f"{row.objective.number} at {row.review.number}",
        done=lambda record: record.get_absolute_url(),
        context={"intro": f"{row.objective.title}: {row.aim}. {row.sentence}"},
    )


@needs("reviews.add_decision")
def decision_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Note a decision of a review."""
    review = pages.find(request, Review.objects, pk=pk)
    return pages.edit(
        request,
        form_class=DecisionForm,
        create=lambda *, by, **fields: workflow.decide(by=by, review=review, **fields),
        title=f"Note a decision of {review.number}",
        done=f"{review.get_absolute_url()}#decisions",
        context={"cancel_url": review.get_absolute_url()},
    )


@needs("reviews.view_decision")
def decision_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One decision and the action it became."""
    rows = Decision.objects.select_related("review", "action__owner", "created_by")
    decision = pages.find(request, rows, pk=pk)
    return pages.show_record(
        request,
        decision,
        template="reviews/decision_detail.html",
        title=decision.title,
        crumbs=[
            ("Management reviews", reverse("reviews:review_list")),
            (decision.review.number, decision.review.get_absolute_url()),
            (f"Decision {decision.position}", ""),
        ],
    )


@needs(ANYONE_SIGNED_IN)
def decision_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Take a decision back."""
    rows = Decision.objects.select_related("review", "action")
    decision: Any = pages.find(request, rows, pk=pk)
    return pages.do_transition(request, decision, name, decision.review.get_absolute_url())
