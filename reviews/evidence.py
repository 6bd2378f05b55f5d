"""What the evidence pack and the next management review get from management reviews (9.3)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse

from qms import contributions
from qms.actions.models import Action
from qms.contributions import Line
from qms.periods import Period, add_months, day_of
from qms.proofs import Blocker, GapSignal, Proofs, as_it_was, counted, gap_signal, proves
from reviews.models import Decision, Review, ReviewedObjective
from reviews.prints import TEMPLATE, minutes_context


def reviews_of(period: Period) -> Any:
    """Reviews held in the period, the earliest first."""
    rows = Review.objects.held_between(period.start, period.end)
    return rows.select_related("chair", "created_by").order_by("held_on", "pk")


@contributions.evidence(
    folder="10-management-review",
    title="Management reviews and what they decided",
    clauses=("9.3", "9.3.1", "9.3.2", "9.3.3"),
    template="reviews/evidence/reviews.html",
)
def reviews_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """The reviews of the period with their decisions and the state of their actions."""
    held = list(reviews_of(period))
    return {"reviews": held, "decisions": list(decisions_of(held)), "period": period}


def decisions_of(reviews: list[Review]) -> Any:
    """Every decision of some reviews that was not taken back."""
    rows = Decision.objects.filter(review__in=reviews).exclude(status="void")
    return rows.select_related("review", "action__owner").order_by("review__held_on", "position")


@contributions.register(
    name="reviews",
    title="Management reviews",
    columns=(
        "Number",
        "Title",
        "Edition",
        "Period from",
        "Period to",
        "Planned for",
        "Held",
        "Chair",
        "Minutes signed",
        "Conclusions",
    ),
)
def review_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a review."""
    for each in reviews_of(period):
        yield (
            each.number,
            each.title,
            each.edition,
            each.period_start,
            each.period_end,
            each.planned_on,
            each.held_on,
            each.chair.name,
            each.closed_on,
            each.conclusions,
        )


@contributions.register(
    name="review-decisions",
    title="Decisions of management reviews",
    columns=("Review", "#", "About", "Decision", "Action", "Owner", "Due", "State", "No action"),
)
def decision_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a decision."""
    for each in decisions_of(list(reviews_of(period))):
        action = each.action
        yield (
            each.review.number,
            each.position,
            each.get_kind_display(),
            each.text,
            action.number if action else "",
            action.owner.name if action else "",
            action.due if action else None,
            action.get_status_display() if action else "",
            each.none_because,
        )


@contributions.register(
    name="review-objectives",
    title="Objectives at management reviews",
    columns=("Review", "Objective", "Title", "Target", "How it stood", "Answer", "Because"),
)
def objective_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row an objective a review answered."""
    rows = ReviewedObjective.objects.filter(review__in=list(reviews_of(period))).exclude(answer="")
    for each in rows.select_related("review", "objective").order_by("review__held_on", "pk"):
        yield (
            each.review.number,
            each.objective.number,
            each.objective.title,
            each.aim,
            each.standing,
            each.get_answer_display(),
            each.because,
        )


@contributions.printed(
    folder="10-management-review",
    model_label="reviews.Review",
    template=TEMPLATE,
    context=minutes_context,
)
def printed_minutes(period: Period, as_of: datetime) -> Iterable[tuple[Review, str]]:
    """The minutes of each review held."""
    for each in reviews_of(period):
        yield each, each.number


@contributions.review_input(key="a", title="Actions from earlier reviews", order=10)
def earlier_actions(period: Period) -> list[Line]:
    """What earlier reviews asked for and how far it is, at the end of this period and before."""
    now, before = _counts(period.end), _counts(period.previous().end)
    if not now["decided"]:
        return []
    labels = {
        "decided": "Actions decided by earlier reviews",
        "done": "Done",
        "open": "Open",
        "late": "Open and past their day",
    }
    lines = [
        Line(label, str(now[key]), str(before[key]), url="/reviews/")
        for key, label in labels.items()
    ]
    return lines + [
        Line(
            f"{each.number} {each.title} ({each.owner.name})",
            f"open, due {each.due:%-d %b %Y}",
            url=each.get_absolute_url(),
        )
        for each in _open(_decided_by(period.end), period.end)
        .select_related("owner")
        .order_by("due", "pk")[:50]
    ]


def _decided_by(day: date) -> Any:
    """The actions of the reviews held up to a day, void ones left out."""
    held = Review.objects.held_by(day)
    links = Decision.objects.filter(review__in=held, status="noted", action__isnull=False)
    return Action.objects.filter(pk__in=links.values("action_id")).exclude(status="void")


def _open(actions: Any, day: date) -> Any:
    return actions.filter(Q(done_on__isnull=True) | Q(done_on__gt=day))


def _counts(day: date) -> dict[str, int]:
    actions = _decided_by(day)
    still = _open(actions, day)
    total, left = actions.count(), still.count()
    return {
        "decided": total,
        "done": total - left,
        "open": left,
        "late": still.filter(due__lt=day).count(),
    }


# What the records prove, and what they betray -------------------------------------------------


@proves("9.3.1", "9.3.2", "9.3.3")
def reviews_prove(edition: str, as_of: datetime) -> Proofs:
    """The reviews held in the twelve months before, and minutes nobody has signed."""
    rows = list(
        as_it_was(Review, as_of)
        .filter(status__in=("held", "closed"), held_on__gt=add_months(day_of(as_of), -12))
        .order_by("-held_on", "-id")
    )
    blockers = [
        Blocker(
            f"The minutes of {row.number} are not signed.",
            Review(pk=row.id).get_absolute_url(),
            "Sign",
            of=Review(pk=row.id),
        )
        for row in rows
        if row.status == "held"
    ]
    if not rows:
        nothing = "No management review was held in the twelve months before."
        blockers = [Blocker(nothing, reverse("reviews:review_create"), "Plan it")]
    return counted("management reviews held", Review, rows, _when_held, blockers)


def _when_held(row: Any) -> tuple[str, date | None]:
    return f"{row.number} {row.title}", row.held_on


@gap_signal(order=50)
def reviews_missing(edition: str, today: date) -> list[GapSignal]:
    """No management review in the last twelve months."""
    if Review.objects.held_between(add_months(today, -12), today).exists():
        return []
    return [
        GapSignal(
            "reviews:none",
            "9.3.1",
            "No management review was held in the last twelve months.",
            reverse("reviews:review_list"),
            "Hold a management review",
        )
    ]
