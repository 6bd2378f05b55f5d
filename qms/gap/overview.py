"""What the pages and the pack read from an assessment: counts by judgement, chapters, comparison.

There are counts here and no percentages: how much of a standard is met is not a quantity.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from qms import clauses
from qms.actions.models import Action
from qms.clauses import Clause
from qms.contributions import ClauseLine, evidence_for
from qms.gap.models import Assessment, GapAnswer
from qms.gap.workflow import actions_of

Judgement = GapAnswer.Judgement


@dataclass(frozen=True)
class Row:
    """One clause of an assessment: its answer, the actions of its gap, and the live records."""

    answer: GapAnswer
    clause: Clause
    actions: list[Action]
    records: list[ClauseLine]

    @property
    def lacks_action(self) -> bool:
        return self.answer.is_gap and not self.actions


@dataclass(frozen=True)
class Chapter:
    """The clauses of one chapter of the standard."""

    clause: Clause
    rows: list[Row]

    @property
    def judged(self) -> int:
        return sum(row.answer.judgement != Judgement.OPEN for row in self.rows)


@dataclass(frozen=True)
class Difference:
    """A clause now, beside what it was before; `before` has several where clauses were merged."""

    answer: GapAnswer
    before: list[GapAnswer]
    actions: list[Action]

    @property
    def kind(self) -> str:
        """One of better, worse, same, new (not known before) or open (not judged now)."""
        order = {"met": 0, "not_applicable": 0, "partly": 1, "not_met": 2}
        known = [order[each.judgement] for each in self.before if each.judgement in order]
        now = order.get(self.answer.judgement)
        if now is None:
            return "open"
        if not known:
            return "new"
        worst = max(known)
        return "same" if now == worst else "better" if now < worst else "worse"


def answers_of(assessment: Assessment) -> list[GapAnswer]:
    """Every answer with who gave it, in the order of the standard."""
    answers = assessment.answers.select_related("answered_by", "assessment")
    return sorted(answers, key=lambda each: each.ref)


def rows_of(assessment: Assessment, person: Any = None, *, with_records: bool = True) -> list[Row]:
    """Every clause with its answer, actions and the live records that `person` may see."""
    answers = answers_of(assessment)
    actions = actions_by_answer(answers)
    records = evidence_for(assessment.edition, person) if with_records else {}
    return [
        Row(each, each.about, actions.get(each.pk, []), records.get(each.ref.number, []))
        for each in answers
    ]


def actions_by_answer(answers: list[GapAnswer]) -> dict[int, list[Action]]:
    """The actions of each gap by the answer's key, the earliest first."""
    found: dict[int, list[Action]] = {}
    for action in actions_of(answers).select_related("owner").order_by("due", "pk"):
        found.setdefault(action.origin_id, []).append(action)
    return found


def chapters_of(rows: list[Row]) -> list[Chapter]:
    """The rows under the chapter of the standard they belong to."""
    edition = rows[0].clause.edition if rows else "2026"
    heads = [each for each in clauses.clauses(edition) if each.level == 1]
    parts = [Chapter(h, [r for r in rows if r.clause.ref.is_within(h.ref)]) for h in heads]
    return [part for part in parts if part.rows]


def counts_of(answers: list[GapAnswer]) -> list[tuple[str, int, str]]:
    """(label, how many clauses, tone) for each judgement, in the order of the list."""
    counted = Counter(each.judgement for each in answers)
    tones = GapAnswer.TONES
    return [
        (str(label), counted[value], tones.get(value, "")) for value, label in Judgement.choices
    ]


def differences(now: Assessment, former: Assessment) -> list[Difference]:
    """Every clause of `now` beside its answer in `former`, across editions by the mapping."""
    known = {each.clause: each for each in answers_of(former)}
    answers = answers_of(now)
    actions = actions_by_answer(answers)
    found = []
    for each in answers:
        keys = [each.clause]
        if now.edition != former.edition:
            keys = [ref.key for ref in clauses.mapping_of(each.ref).refs]
        before = [known[key] for key in keys if key in known]
        found.append(Difference(each, before, actions.get(each.pk, [])))
    return found
