"""What the evidence pack gets from the start: the briefing, the principles, the answers (5.1.1)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from qms import contributions
from qms.contributions import ClauseLine
from qms.journey.models import Briefing, PrincipleAnswer, guide
from qms.journey.workflow import attendees_of
from qms.periods import Period

LONGEST = 160


@contributions.evidence(
    folder="03-leadership",
    title="Briefings of top management and how we live the principles",
    clauses=("5.1.1", "5.1.2"),
    template="journey/evidence/leadership.html",
    order=30,
)
def leadership(period: Period, as_of: datetime) -> dict[str, Any]:
    """Every briefing signed by then, and the latest answers as they were then."""
    return {
        "briefings": [_briefing(each) for each in _signed(period)],
        "principles": list(_lived(as_of)),
    }


def _signed(period: Period) -> list[Briefing]:
    rows = Briefing.objects.signed().filter(signed_on__lte=period.end)
    return list(rows.select_related("signed_by").order_by("held_on", "number"))


def _briefing(briefing: Briefing) -> dict[str, Any]:
    return {
        "briefing": briefing,
        "attendees": ", ".join(each.name for each in attendees_of(briefing)),
    }


def _lived(as_of: datetime) -> Iterable[dict[str, Any]]:
    rows = PrincipleAnswer.history.as_of(as_of)
    known = {each.question: each for each in rows}
    for principle in guide.principles():
        answers = [
            {"question": text, "answer": known[key].answer, "on": known[key].looked_at_on}
            for key, text in principle.asked()
            if key in known
        ]
        yield {"title": principle.title, "answers": answers}


@contributions.register(
    name="briefings",
    title="Briefings of top management",
    columns=("Number", "Held on", "Decision", "Hours", "Budget", "Currency", "Signed by", "On"),
)
def briefings(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a signed briefing."""
    for each in _signed(period):
        yield (
            each.number,
            each.held_on,
            each.get_decision_display(),
            each.hours,
            each.budget,
            each.currency,
            each.signed_by.name if each.signed_by else "",
            each.signed_on,
        )


@contributions.clause_evidence
def clause_lines(edition: str) -> list[ClauseLine]:
    """Signed briefings serve leadership; answers to a principle the clauses it names."""
    found = [
        ClauseLine(
            "5.1.1",
            "Briefing",
            f"{each.get_decision_display()}: {each.hours} hours granted",
            each.number,
            each.signed_by.name if each.signed_by else "",
            each.signed_on,
            each.get_absolute_url(),
            of=each,
        )
        for each in Briefing.objects.signed().select_related("signed_by")
    ]
    rows = {e.question: e for e in PrincipleAnswer.objects.select_related("looked_at_by")}
    for principle in guide.principles():
        given = [rows[key] for key, _text in principle.asked() if key in rows]
        if given:
            latest = max(given, key=lambda each: (each.looked_at_on, each.pk))
            found += [
                ClauseLine(
                    number,
                    "Principle",
                    f"{principle.title}: {latest.answer}"[:LONGEST],
                    "",
                    latest.looked_at_by.name,
                    latest.looked_at_on,
                    f"/journey/principles/#{principle.key}",
                    of=latest,
                )
                for number in principle.clauses
            ]
    return found
