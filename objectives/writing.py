"""A help for writing an objective: what makes it specific, measurable, realistic and timed (6.2).

Pure functions: what was typed goes in, sentences come out. Nothing is forbidden here; the
transitions refuse what must not be.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from objectives.models.objectives import goal_of

VAGUE = (
    "improve",
    "better",
    "optimise",
    "optimize",
    "enhance",
    "increase",
    "reduce",
    "strengthen",
    "as soon as possible",
    "as far as possible",
    "more",
    "less",
    "good",
    "high quality",
)
FEW_WORDS = 3
MUCH = Decimal("0.5")  # a change beyond half of the baseline wants a reason
SHARES = ("%", "percent", "per cent")
LETTERS = {
    "specific": "Specific",
    "measurable": "Measurable",
    "realistic": "Realistic",
    "timed": "Time-based",
}


@dataclass(frozen=True)
class Draft:
    """An objective as far as it is written; None and empty where nothing is said yet."""

    title: str = ""
    metric: str = ""
    unit: str = ""
    direction: str = "higher"
    baseline: Decimal | None = None
    target: Decimal | None = None
    relative: bool = False
    lower: Decimal | None = None
    upper: Decimal | None = None
    starts_on: date | None = None
    deadline: date | None = None
    period_days: int = 30
    has_owner: bool = False
    plan: str = ""
    resources: str = ""
    evaluation: str = ""
    stages: tuple[tuple[date, Decimal], ...] = ()

    @property
    def goal(self) -> Decimal | None:
        """The value to reach; None within a band or while it cannot be computed."""
        return goal_of(self.direction, self.target, self.baseline, relative=self.relative)


@dataclass(frozen=True)
class Advice:
    """How one of the four stands: whether it is good, and what is missing or noticed, in words."""

    key: str
    missing: tuple[str, ...]
    noticed: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return LETTERS[self.key]

    @property
    def is_good(self) -> bool:
        return not self.missing and not self.noticed

    @property
    def sentences(self) -> tuple[str, ...]:
        return (*self.missing, *self.noticed)


def look_at(draft: Draft, today: date) -> list[Advice]:
    """What the draft says and does not say yet, in the order of the four letters."""
    return [_specific(draft), _measurable(draft), _realistic(draft), _timed(draft, today)]


def _advice(key: str, missing: Sequence[str], noticed: Sequence[str] = ()) -> Advice:
    return Advice(key, tuple(missing), tuple(noticed))


def _specific(draft: Draft) -> Advice:
    missing, noticed = [], []
    words = draft.title.split()
    if not words:
        missing.append("Say in a line what is to be reached.")
    elif len(words) < FEW_WORDS:
        noticed.append("Say a little more: what, of what, for whom.")
    elif (vague := _vague_in(draft.title)) and not re.search(r"\d", draft.title):
        noticed.append(f"“{vague.capitalize()}” by how much? Put the figure into the line.")
    if not draft.has_owner:
        missing.append("Name one person who owns it.")
    return _advice("specific", missing, noticed)


def _vague_in(title: str) -> str:
    told = title.casefold()
    return next((each for each in VAGUE if re.search(rf"\b{each}\b", told)), "")


def _measurable(draft: Draft) -> Advice:
    missing = []
    if not draft.metric.strip():
        missing.append("Say what is measured, or choose an indicator.")
    elif not draft.unit.strip():
        missing.append("Say in which unit it is measured.")
    if draft.baseline is None:
        missing.append("Give the baseline: where it stands today.")
    if draft.direction == "within":
        if draft.lower is None or draft.upper is None:
            missing.append("Give both ends of the band.")
    elif draft.target is None:
        missing.append("Give the target as a number.")
    if not draft.evaluation.strip():
        missing.append("Say how the result is evaluated: from which figures, by whom.")
    return _advice("measurable", missing)


def _realistic(draft: Draft) -> Advice:
    missing = [] if draft.plan.strip() else ["Say what will be done to reach it."]
    if not draft.resources.strip():
        missing.append("Say what it takes: time, money, people.")
    return _advice("realistic", missing, [each for each in _doubts(draft) if each])


def _doubts(draft: Draft) -> list[str]:
    return [_impossible(draft), _nothing_to_do(draft), _far_away(draft), _wrong_stage(draft)]


def _impossible(draft: Draft) -> str:
    if draft.relative and draft.baseline == 0:
        return "A change in percent of a baseline of zero is nothing. Give the target as a value."
    goal = draft.goal
    if goal is None:
        return ""
    if draft.unit.strip().casefold() in SHARES and not 0 <= goal <= 100:
        return f"A share lies between 0 and 100 %; the target comes to {_said(goal)}."
    if draft.relative and draft.direction == "lower" and (draft.target or 0) > 100:
        return "Nothing is reduced by more than 100 percent."
    return ""


def _nothing_to_do(draft: Draft) -> str:
    goal, baseline = draft.goal, draft.baseline
    if baseline is None:
        return ""
    if draft.direction == "within":
        known = draft.lower is not None and draft.upper is not None
        if known and draft.lower <= baseline <= draft.upper:  # type: ignore[operator]
            return "The baseline lies within the band already. To keep it there is an aim too."
        return ""
    if goal is None:
        return ""
    reached = baseline <= goal if draft.direction == "lower" else baseline >= goal
    if not reached:
        return ""
    return (
        f"The baseline of {_said(baseline)} meets the target of {_said(goal)} already. Aim further,"
        " or check which way is better."
    )


def _far_away(draft: Draft) -> str:
    goal, baseline = draft.goal, draft.baseline
    if goal is None or not baseline or _nothing_to_do(draft) or _impossible(draft):
        return ""
    share = abs(goal - baseline) / abs(baseline)
    if share <= MUCH:
        return ""
    return (
        f"That is a change of {_said((share * 100).quantize(Decimal(1)))} percent of the baseline."
        " Say in the plan what makes it possible, or set an interim target."
    )


def _wrong_stage(draft: Draft) -> str:
    """An interim target on the far side of the goal or of the baseline."""
    goal, baseline = draft.goal, draft.baseline
    if goal is None or baseline is None:
        return ""
    low, high = sorted((goal, baseline))
    for day, value in draft.stages:
        if not low <= value <= high:
            return (
                f"The interim target of {day:%-d %B %Y}, {_said(value)}, does not lie between"
                " baseline and target."
            )
    return ""


def _timed(draft: Draft, today: date) -> Advice:
    if draft.deadline is None:
        return _advice("timed", ["Say by when it is reached."])
    noticed = []
    if draft.starts_on is not None and draft.deadline <= draft.starts_on:
        noticed.append("The deadline lies after the start.")
    elif draft.deadline < today:
        noticed.append("The deadline has passed already.")
    elif draft.starts_on is not None:
        readings = (draft.deadline - draft.starts_on).days // draft.period_days
        if readings < 3:
            noticed.append(
                f"Until then there are about {readings} readings. Measure more often, or give it"
                " more time; a trend needs five."
            )
    return _advice("timed", [], noticed)


def _said(value: Decimal) -> str:
    """A number without needless zeros."""
    return f"{value.normalize():,f}"
