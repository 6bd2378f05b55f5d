"""How far the ten steps are, computed from the records of every chapter; nobody ticks anything.

A step is done when each of its milestones is; the first milestone that is not is what comes next.
After the certificate the question changes from how far to whether it keeps going: the momentum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from qms import contributions
from qms.contributions import Milestone
from qms.journey.models import Project, guide
from qms.journey.workflow import Planned, planned
from qms.people.models import RoleAssignment
from qms.people.roles import ROLES
from qms.periods import Period, add_months

CERTIFIED = 9  # the step after which the question is another
QUARTERS = 4


@dataclass(frozen=True)
class Standing:
    """How one step stands: its milestones, whose it is, and the day the plan gives it."""

    step: guide.Step
    milestones: tuple[Milestone, ...]
    people: tuple[str, ...]
    planned: tuple[Planned, ...]

    @property
    def done(self) -> int:
        return sum(each.done for each in self.milestones)

    @property
    def is_done(self) -> bool:
        return bool(self.milestones) and self.done == len(self.milestones)

    @property
    def has_begun(self) -> bool:
        return any(each.done or each.started for each in self.milestones)

    @property
    def state(self) -> Literal["done", "now", "later"]:
        return "done" if self.is_done else "now" if self.has_begun else "later"

    @property
    def next(self) -> Milestone | None:
        """What comes next; the first that can be gone on with, before the first that cannot."""
        open_ones = [each for each in self.milestones if not each.done]
        return next((each for each in open_ones if each.url), next(iter(open_ones), None))

    @property
    def role(self) -> str:
        return ROLES[self.step.role].label

    @property
    def target(self) -> date | None:
        """The day by which the plan has it done; None without a plan."""
        days = [each.action.due for each in self.planned]
        return max(days, default=None)

    @property
    def is_settled(self) -> bool:
        """Whether its day can no longer be late: it is done, or its lines of the plan are."""
        return self.is_done or all(each.is_done for each in self.planned)

    @property
    def slips(self) -> int:
        """Days by which the plan expects it later than its day."""
        return max((each.slips for each in self.planned), default=0)

    @property
    def words(self) -> str:
        return f"{self.done} of {len(self.milestones)}"


def standings(day: date) -> list[Standing]:
    """The ten steps as the records show them on this day."""
    project = Project.objects.current()
    lines = planned(project, day) if project else []
    holders = _holders()
    return [
        Standing(
            step=step,
            milestones=tuple(contributions.milestones_of(step.number, day)),
            people=tuple(holders.get(step.role, ())),
            planned=tuple(line for line in lines if line.step.step == step.number),
        )
        for step in guide.steps()
    ]


def _holders() -> dict[str, list[str]]:
    """The names of who holds each role, in one query."""
    rows = RoleAssignment.objects.filter(status="held", person__is_active=True)
    found: dict[str, list[str]] = {}
    for role, name in rows.order_by("person__name").values_list("role", "person__name"):
        found.setdefault(role, []).append(name)
    return found


def current(found: Sequence[Standing]) -> Standing | None:
    """The step the organisation is at: the first that is not done."""
    return next((each for each in found if not each.is_done), None)


def is_certified(found: Sequence[Standing]) -> bool:
    """Whether the certificate is there, so that the momentum is what matters."""
    return any(each.is_done for each in found if each.step.number == CERTIFIED)


# --- the momentum -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pulse:
    """One thing that keeps the system alive, counted for the last quarters, the oldest first."""

    label: str
    url: str
    counts: tuple[int, ...]

    @property
    def tone(self) -> str:
        """Late when it has stopped, soon when it is half of what it was, plain before the first.

        What does not happen in every quarter, such as a yearly review, has no pace to lose.
        """
        *before, now = self.counts
        if not any(self.counts):
            return "plain"
        if not all(before):
            return "fine"
        if not now:
            return "late"
        return "soon" if now * 2 < sum(before) / len(before) else "fine"

    @property
    def words(self) -> str:
        said = {"late": "has stopped", "soon": "slows down", "fine": "keeps going"}
        return said.get(self.tone, "not yet")


def quarters(day: date) -> list[Period]:
    """The last four spans of three months, the newest ending on this day; the oldest first."""
    ends = [add_months(day, -3 * back) for back in range(QUARTERS + 1)]
    return [
        Period(ends[back + 1] + timedelta(days=1), ends[back]) for back in reversed(range(QUARTERS))
    ]


def momentum(person: Any, day: date) -> list[Pulse]:
    """What keeps the system alive, as far as the person may see it."""
    spans = quarters(day)
    return [
        Pulse(beat.label, beat.url, tuple(beat.count(span) for span in spans))
        for beat in contributions.beats_for(person)
    ]


def said_of(pulses: Sequence[Pulse]) -> str:
    """One sentence about the momentum."""
    if not any(any(each.counts) for each in pulses):
        return "Nothing has happened yet that could be counted. It begins with the first record."
    stopped = [each.label.lower() for each in pulses if each.tone == "late"]
    slower = [each.label.lower() for each in pulses if each.tone == "soon"]
    if stopped:
        return f"What has stopped in the last three months: {', '.join(stopped)}."
    if slower:
        return f"What is slower than in the months before: {', '.join(slower)}."
    return "Everything goes on as in the months before."
