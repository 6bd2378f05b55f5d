"""From the promised actions of an assessment to a plan: who carries how much, and when it ends.

Reads the actions, what they wait for and the people's time, asks the scheduler (`roadmap`), and
says in a sentence what came out (ISO 9001 6.2.2, 7.1.1).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from qms.actions.models import Action, ActionDependency
from qms.gap.models import Assessment, Capacity
from qms.gap.roadmap import (
    USUAL_DAYS,
    WEEK,
    Plan,
    Task,
    monday,
    promised_load,
    schedule,
)
from qms.gap.workflow import actions_by_answer

FREE = ("void",)


@dataclass(frozen=True)
class Planned:
    """The actions of a roadmap (`own`), with those elsewhere that they wait for (`actions`)."""

    own: list[Action]
    actions: dict[int, Action]
    clauses: dict[int, str]
    tasks: list[Task]
    capacity: Mapping[int, Decimal]

    @property
    def owners(self) -> dict[int, Any]:
        return {each.owner_id: each.owner for each in self.actions.values()}


@dataclass(frozen=True)
class Load:
    """What one person promised: days of work by week, and which weeks ask for too many."""

    person: Any
    capacity: Decimal
    weeks: list[tuple[date, Decimal, bool]]
    total: Decimal

    @property
    def over(self) -> int:
        return sum(over for _week, _days, over in self.weeks)


def capacities() -> dict[int, Decimal]:
    """Days a week by person, where somebody said."""
    return dict(Capacity.objects.values_list("person_id", "days_a_week"))


def roadmap_of(assessment: Assessment) -> Planned:
    """The actions of an assessment's gaps and whatever they wait for."""
    answers = list(assessment.answers.all())
    refs = {each.pk: each.ref for each in answers}
    own: dict[int, Action] = {}
    told: dict[int, list[Any]] = defaultdict(list)
    for key, actions in actions_by_answer(answers).items():
        for action in actions:
            own[action.pk] = action
            told[action.pk].append(refs[key])
    waits = _waits()
    keys = _closure(set(own), waits)
    others = Action.objects.exclude(status__in=FREE).filter(pk__in=keys - set(own))
    every = {**own, **{each.pk: each for each in others.select_related("owner")}}
    tasks = [
        Task(
            key,
            action.owner_id,
            action.due,
            action.effort,
            tuple(sorted(waits[key] & set(every))),
            action.done_on if action.status != Action.Status.OPEN else None,
        )
        for key, action in sorted(every.items())
    ]
    numbers = {key: ", ".join(ref.number for ref in sorted(refs_)) for key, refs_ in told.items()}
    return Planned(list(own.values()), every, numbers, tasks, capacities())


def _waits() -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for action, needs in ActionDependency.objects.live().values_list("action_id", "needs_id"):
        found[action].add(needs)
    return found


def _closure(keys: set[int], waits: Mapping[int, set[int]]) -> set[int]:
    found, queue = set(keys), list(keys)
    while queue:
        for need in waits.get(queue.pop(), ()):
            if need not in found:
                found.add(need)
                queue.append(need)
    return found


def laid_out(planned: Planned, *, today: date) -> Plan:
    """The realistic plan from today on."""
    return schedule(planned.tasks, today=today, capacity=planned.capacity)


def in_a_sentence(planned: Planned, plan: Plan, today: date) -> str:
    """Promised and realistic end, how far apart, and who holds it up; empty without actions."""
    left = [each for each in plan.placed if not each.is_done]
    if not plan.placed:
        return ""
    if not left:
        return "Every promised action is done."
    assert plan.promised_end and plan.realistic_end  # noqa: S101 - there are actions
    promised = max(each.task.due for each in left)
    last = max(left, key=lambda each: (each.end, each.task.key))
    head = f"Promised by {promised:%-d %B %Y}; at the days a week there are it ends on"
    late = (last.end - promised).days
    owner = planned.actions[last.task.key].owner.name
    number = planned.actions[last.task.key].number
    if late <= 0:
        early = f", {in_words(-late)} earlier" if late < -6 else ""
        ends = f"{head} {last.end:%-d %B %Y}{early}."
    else:
        ends = f"{head} {last.end:%-d %B %Y}, {in_words(late)} later, with {number} of {owner}."
    slipping = len(plan.late)
    if not slipping:
        return f"{ends} Every promise can be kept."
    words = "promise cannot be kept as it stands"
    if slipping > 1:
        words = "promises cannot be kept as they stand"
    return f"{ends} {slipping} {words}: move the day, share the work or give more time."


def in_words(days: int) -> str:
    """Days as people say them: "3 days", "5 weeks", "4 months"."""
    if days < 14:
        return f"{days} day{'' if days == 1 else 's'}"
    if days < 90:
        return f"{round(days / 7)} weeks"
    return f"{round(days / 30.44)} months"


def load_of(planned: Planned, *, today: date, most: int) -> list[Load]:
    """What each person promised, week by week from now on, the most loaded first.

    At most `most` weeks; the total counts every week.
    """
    asked = promised_load(planned.tasks, today=today)
    mondays = sorted({week for weeks in asked.values() for week in weeks})
    if not mondays:
        return []
    first = monday(today)
    count = min(most, (mondays[-1] - first) // WEEK + 1)
    shown = [first + WEEK * at for at in range(count)]
    owners = planned.owners
    loads = []
    for owner, weeks in asked.items():
        capacity = planned.capacity.get(owner, USUAL_DAYS)
        cells = [(week, weeks.get(week, Decimal(0))) for week in shown]
        loads.append(
            Load(
                owners[owner],
                capacity,
                [(week, days, days > capacity) for week, days in cells],
                sum(weeks.values(), Decimal(0)),
            )
        )
    return sorted(loads, key=lambda each: (-each.over, -each.total, each.person.name))
