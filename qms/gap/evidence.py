"""What the evidence pack gets from the newest gap assessment: who looked at which clause, and when.

A gap is shown with the action that closes it; no share of clauses is computed anywhere.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from qms import contributions
from qms.actions.models import Action
from qms.contributions import ClauseLine
from qms.gap.models import Assessment
from qms.gap.overview import Row, chapters_of, rows_of
from qms.gap.readiness import edition_in_use, readiness
from qms.periods import Period, day_of
from qms.picking import shown

CLOSED = (Action.Status.DONE, Action.Status.VERIFIED)
LONGEST = 160


def assessment_of(period: Period) -> Assessment | None:
    """The newest assessment completed by the end of the period."""
    done = Assessment.objects.completed().filter(completed_on__lte=period.end)
    return done.order_by("-completed_on", "-pk").first()


@contributions.evidence(
    folder="04-risks-objectives",
    title="Gap assessment and roadmap",
    clauses=("4.4.1", "6.1.1", "9.1.3"),
    template="gap/evidence/assessment.html",
    order=80,
)
def assessment_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """The newest assessment of the period: how far each clause was, and what closes its gaps."""
    found = assessment_of(period)
    rows = rows_of(found, with_records=False) if found else []
    gaps = [row for row in rows if row.answer.is_gap]
    return {"assessment": found, "chapters": chapters_of(rows), "gaps": gaps}


@contributions.register(
    name="readiness",
    title="What the records show for each clause",
    columns=("Edition", "Clause", "Title", "Standing", "Records", "What is shown", "In the way"),
)
def readiness_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a clause, as the records stood at the end of the period."""
    edition = edition_in_use(period.end)
    for row in readiness(edition, min(period.end, day_of(as_of))).rows:
        yield (
            edition,
            row.clause.number,
            row.clause.title,
            row.words,
            row.count,
            "; ".join(f"{each.what} ({each.count})" for each in row.shown),
            row.why_not or " ".join(each.sentence for each in row.blockers),
        )


@contributions.register(
    name="gaps",
    title="Gap assessment by clause",
    columns=(
        "Assessment",
        "Edition",
        "Clause",
        "Title",
        "Category",
        "Rating",
        "Evidence",
        "Records",
        "Missing or why not",
        "By",
        "On",
        "Actions",
    ),
)
def register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a clause of the newest assessment."""
    found = assessment_of(period)
    rows = rows_of(found, with_records=False) if found else []
    told = shown([link for row in rows for link in row.links])
    for row in rows:
        yield (
            found.number if found else "",
            row.clause.edition,
            row.clause.number,
            row.clause.title,
            row.category.label,
            row.answer.get_rating_display(),
            row.answer.evidence,
            "; ".join(told[link.pk].title for link in row.links),
            row.answer.note,
            row.answer.answered_by.name if row.answer.answered_by else "",
            row.answer.answered_on,
            "; ".join(_told(each) for each in row.actions),
        )


@contributions.clause_evidence
def clause_lines(edition: str) -> list[ClauseLine]:
    """What the newest completed assessment found for each clause."""
    found = Assessment.objects.latest_completed(edition)
    if found is None:
        return []
    rows = rows_of(found, with_records=False)
    return [_line(found, row) for row in rows if row.answer.rating != "not_applicable"]


def _line(assessment: Assessment, row: Row) -> ClauseLine:
    answer = row.answer
    open_ones = [each for each in row.actions if each.status not in CLOSED]
    if not answer.is_gap:
        kind, title = "evidence", f"Assessed as in place: {answer.evidence or _linked(row)}"
    elif open_ones or not row.actions:
        kind, title = "gap", f"{answer.note} {'; '.join(_told(each) for each in open_ones)}"
    else:
        kind, title = "evidence", f"Gap closed: {'; '.join(_told(each) for each in row.actions)}"
    return ClauseLine(
        row.clause.number,
        kind,
        title.strip()[:LONGEST],
        assessment.number,
        answer.answered_by.name if answer.answered_by else "",
        answer.answered_on,
        answer.get_absolute_url(),
    )


def _linked(row: Row) -> str:
    count = len(row.links)
    return f"{count} linked record{'' if count == 1 else 's'}"


def _told(action: Action) -> str:
    """An action in a line: its number, who, by when, and whether it is done."""
    if action.status in CLOSED and action.done_on:
        return f"{action.number}, done {action.done_on:%-d %B %Y}"
    return f"{action.number}, {action.owner.name}, due {action.due:%-d %B %Y}"
