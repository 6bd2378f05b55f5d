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
from qms.gap.overview import Row, rows_of
from qms.periods import Period

CLOSED = (Action.Status.DONE, Action.Status.VERIFIED)
LONGEST = 160


def assessment_of(period: Period) -> Assessment | None:
    """The newest assessment completed by the end of the period."""
    done = Assessment.objects.completed().filter(completed_on__lte=period.end)
    return done.order_by("-completed_on", "-pk").first()


@contributions.register(
    name="gaps",
    title="Gap assessment by clause",
    columns=(
        "Assessment",
        "Edition",
        "Clause",
        "Title",
        "Judgement",
        "Evidence",
        "Missing or why not",
        "By",
        "On",
        "Actions",
    ),
)
def register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a clause of the newest assessment."""
    found = assessment_of(period)
    for row in rows_of(found, with_records=False) if found else []:
        yield (
            found.number if found else "",
            row.clause.edition,
            row.clause.number,
            row.clause.title,
            row.answer.get_judgement_display(),
            row.answer.evidence,
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
    return [_line(found, row) for row in rows if row.answer.judgement != "not_applicable"]


def _line(assessment: Assessment, row: Row) -> ClauseLine:
    answer = row.answer
    open_ones = [each for each in row.actions if each.status not in CLOSED]
    if not answer.is_gap:
        kind, title = "evidence", f"Assessed as met: {answer.evidence}"
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


def _told(action: Action) -> str:
    """An action in a line: its number, who, by when, and whether it is done."""
    if action.status in CLOSED and action.done_on:
        return f"{action.number}, done {action.done_on:%-d %B %Y}"
    return f"{action.number}, {action.owner.name}, due {action.due:%-d %B %Y}"
