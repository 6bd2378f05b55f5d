"""What the pages and the pack read from an assessment: heat map, progress, comparison, delta.

There are counts here and no percentages: how much of a standard is met is not a quantity.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from qms import clauses
from qms.actions.models import Action
from qms.clauses import Category, Clause, Mapped
from qms.contributions import ClauseLine, evidence_for
from qms.gap.linking import links_of
from qms.gap.models import Assessment, EvidenceLink, GapAnswer
from qms.gap.workflow import actions_by_answer

Rating = GapAnswer.Rating
HEAT = (
    Rating.NOT_STARTED,
    Rating.PARTLY,
    Rating.LARGELY,
    Rating.IN_PLACE,
    Rating.NOT_APPLICABLE,
    Rating.OPEN,
)
# How good a rating is, for comparing; what does not apply has nothing missing.
ORDER = {"not_started": 0, "partly": 1, "largely": 2, "in_place": 3, "not_applicable": 3}


@dataclass(frozen=True)
class Row:
    """One clause of an assessment: its answer, the actions of its gap, and the live records."""

    answer: GapAnswer
    clause: Clause
    category: Category
    actions: list[Action]
    links: list[EvidenceLink]
    records: list[ClauseLine]

    @property
    def lacks_action(self) -> bool:
        return self.answer.is_gap and not self.actions


@dataclass(frozen=True)
class Cell:
    """One count of the heat map."""

    rating: str
    label: str
    count: int


@dataclass(frozen=True)
class Band:
    """One row of the heat map."""

    name: str
    cells: list[Cell]


@dataclass(frozen=True)
class Chapter:
    """The clauses of one chapter of the standard."""

    clause: Clause
    rows: list[Row]

    @property
    def rated(self) -> int:
        return sum(row.answer.rating != Rating.OPEN for row in self.rows)

    @property
    def heat(self) -> list[Cell]:
        return heat_of(row.answer for row in self.rows)

    @property
    def band(self) -> Band:
        return Band(str(self.clause), self.heat)


@dataclass(frozen=True)
class Difference:
    """A clause now, beside what it was before; `before` has several where clauses were merged."""

    answer: GapAnswer
    before: list[GapAnswer]
    actions: list[Action]

    @property
    def kind(self) -> str:
        """One of better, worse, same, new (not known before) or open (not rated now)."""
        known = [ORDER[each.rating] for each in self.before if each.rating in ORDER]
        now = ORDER.get(self.answer.rating)
        if now is None:
            return "open"
        if not known:
            return "new"
        worst = min(known)
        return "same" if now == worst else "better" if now > worst else "worse"


def answers_of(assessment: Assessment) -> list[GapAnswer]:
    """Every answer with who gave it, in the order of the standard."""
    answers = assessment.answers.select_related("answered_by", "assessor", "assessment", "earlier")
    return sorted(answers, key=lambda each: each.ref)


def rows_of(assessment: Assessment, person: Any = None, *, with_records: bool = True) -> list[Row]:
    """Every clause with its answer, actions, links and the live records `person` may see."""
    answers = answers_of(assessment)
    actions, links = actions_by_answer(answers), links_of(answers)
    records = evidence_for(assessment.edition, person) if with_records else {}
    kinds = {ref: each for each in clauses.categories(assessment.edition) for ref in each.refs}
    return [
        Row(
            each,
            each.about,
            kinds[each.ref],
            actions.get(each.pk, []),
            links.get(each.pk, []),
            records.get(each.ref.number, []),
        )
        for each in answers
    ]


def chapters_of(rows: list[Row]) -> list[Chapter]:
    """The rows under the chapter of the standard they belong to."""
    edition = rows[0].clause.edition if rows else "2026"
    heads = [each for each in clauses.clauses(edition) if each.level == 1]
    parts = [Chapter(h, [r for r in rows if r.clause.ref.is_within(h.ref)]) for h in heads]
    return [part for part in parts if part.rows]


def heat_of(answers: Iterable[GapAnswer]) -> list[Cell]:
    """How many answers there are of each rating, the worst first."""
    counted = Counter(each.rating for each in answers)
    return [Cell(each.value, str(each.label), counted[each.value]) for each in HEAT]


def categories_of(rows: list[Row]) -> list[Band]:
    """The heat map by what kind of thing is asked for."""
    edition = rows[0].clause.edition if rows else "2026"
    return [
        Band(kind.label, heat_of(row.answer for row in rows if row.category == kind))
        for kind in clauses.categories(edition)
    ]


def counts_of(answers: list[GapAnswer]) -> list[tuple[str, int, str]]:
    """(label, how many clauses, tone) for each rating, in the order of the list."""
    counted = Counter(each.rating for each in answers)
    tones = GapAnswer.TONES
    return [(str(label), counted[value], tones.get(value, "")) for value, label in Rating.choices]


def differences(now: Assessment, former: Assessment) -> list[Difference]:
    """Every clause of `now` beside its answer in `former`, across editions by the mapping."""
    known = {each.clause: each for each in answers_of(former)}
    answers = answers_of(now)
    actions = actions_by_answer(answers)
    found = []
    for each in answers:
        keys = [each.clause]
        if now.edition != former.edition:
            keys = [ref.key for ref in each.mapped.refs]
        before = [known[key] for key in keys if key in known]
        found.append(Difference(each, before, actions.get(each.pk, [])))
    return found


# The delta between the editions ------------------------------------------------------------------


@dataclass(frozen=True)
class Delta:
    """A clause of the later edition with what it was: how it changed, and the earlier answers."""

    answer: GapAnswer
    mapped: Mapped
    before: list[GapAnswer]
    actions: list[Action]

    @property
    def clause(self) -> Clause:
        return self.answer.about

    @property
    def kind_words(self) -> str:
        return KIND_WORDS[self.mapped.kind]

    @property
    def look_again(self) -> bool:
        """A gap taken over whose actions are all done: it may be in place by now."""
        return self.answer.taken_over and self.answer.is_gap and not self.actions


KIND_WORDS = {
    "same": "Unchanged",
    "wording": "Reworded",
    "retitled": "New title",
    "note_only": "Only a note",
    "changed": "Changed",
    "split": "Split",
    "merged": "Merged",
    "moved": "Moved",
    "unverified": "Not confirmed",
}


@dataclass(frozen=True)
class DeltaPart:
    """One part of the delta list: what it means for the work, and its clauses."""

    key: str
    title: str
    about: str
    rows: list[Delta]

    @property
    def left(self) -> int:
        return sum(row.answer.rating == Rating.OPEN for row in self.rows)


def delta_of(assessment: Assessment) -> list[DeltaPart]:
    """The clauses of a delta assessment by what the mapping says about them."""
    earlier = assessment.delta_from
    if earlier is None:
        return []
    rows = [
        Delta(each.answer, each.answer.mapped, each.before, each.actions)
        for each in differences(assessment, earlier)
    ]
    name = earlier.number
    parts = (
        (
            "again",
            "To assess again",
            "Changed, split, merged or moved: what was found before does not answer it.",
            clauses.ASSESS_AGAIN,
        ),
        (
            "check",
            "To check in your own copy",
            "Nobody could confirm what changed here. Read the clause in your own copy of the "
            "standard, then rate it.",
            clauses.CHECK_YOUR_COPY,
        ),
        (
            "editorial",
            "Editorial",
            f"Other words, another title or a note only. The answer of {name} is taken over.",
            clauses.EDITORIAL,
        ),
        ("same", "Unchanged", f"The answer of {name} is taken over.", ("same",)),
    )
    return [
        DeltaPart(key, title, about, [row for row in rows if row.mapped.kind in kinds])
        for key, title, about, kinds in parts
    ]
