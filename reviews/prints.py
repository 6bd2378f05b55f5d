"""The minutes of a management review on paper (9.3.3)."""

from datetime import datetime
from typing import Any

from qms import clauses, pdf
from qms.contributions import letterhead
from reviews.models import Decision, Review, ReviewAttendee
from reviews.workflow import inputs_of, objectives_of

TEMPLATE = "reviews/minutes_print.html"


def minutes_context(review: Review, as_of: datetime | None = None) -> dict[str, Any]:
    """What `TEMPLATE` needs of one review."""
    attended = list(attendance_of(review))
    return letterhead(
        review,
        as_of=as_of,
        kind="Minutes of the management review",
        title=review.title,
        review=review,
        marking="" if review.closed_on else "Draft: the minutes are not signed.",
        inputs=inputs_of(review),
        outputs=outputs_of(review),
        objectives=objectives_of(review),
        attended=attended,
        facts=[
            ("State", review.get_status_display()),
            ("Standard", clauses.standard(review.edition)),
            ("Period", str(review.period)),
            ("Planned for", f"{review.planned_on:%-d %B %Y}"),
            ("Inputs compiled", _day(review.compiled_on)),
            ("Held", _day(review.held_on)),
            ("Place", review.place or "–"),
            ("Chair", review.chair.name),
            ("Top management", _names(attended, leading=True)),
            ("Others", ", ".join(filter(None, (_names(attended), review.guests))) or "–"),
        ],
    )


def attendance_of(review: Review) -> Any:
    """Who took part, by name."""
    rows = ReviewAttendee.objects.live().filter(review=review)
    return rows.select_related("person").order_by("person__name", "pk")


def outputs_of(review: Review) -> list[tuple[Any, list[Decision]]]:
    """(output, decisions) for each of the three outputs, taken-back ones left out."""
    rows = Decision.objects.filter(review=review).exclude(status="void")
    decided = list(rows.select_related("action__owner", "review").order_by("position"))
    return [(kind, [d for d in decided if d.kind == kind.value]) for kind in Decision.Kind]


def _names(attended: list[ReviewAttendee], *, leading: bool = False) -> str:
    names = [each.person.name for each in attended if each.as_top_management is leading]
    return ", ".join(names) or ("–" if leading else "")


def _day(day: Any) -> str:
    return f"{day:%-d %B %Y}" if day else "–"


def minutes_pdf(review: Review) -> bytes:
    """The minutes as PDF."""
    context = minutes_context(review)
    return pdf.render(TEMPLATE, context, paper=context["paper"])
