"""How ownership is shared, and when leadership last acted (ISO 9001 5.1.1, 5.3).

A system that one department keeps alone is a system nobody else lives in. The rules are declared
here with their numbers, and the page shows them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import Max, Value

from qms.people.models import Person
from qms.periods import zone
from qms.records import Record

MOST_SHARE = 0.5  # more than this in one hand is worth a word
FEWEST = 4  # below this many, a share says nothing
SMALL = 10  # people; up to here work is combined
QUARTER = timedelta(days=92)


@dataclass(frozen=True)
class Share:
    """What one person or department answers for: kind → how many, of all there are."""

    name: str
    counts: dict[str, int]
    total: int


def shares(counts: Mapping[str, Mapping[int, int]], group_of: Mapping[int, str]) -> list[Share]:
    """What each group answers for, the most first. People without a group are left out."""
    found: dict[str, dict[str, int]] = {}
    for kind, owned in counts.items():
        for person, many in owned.items():
            if many and person in group_of:
                group = found.setdefault(group_of[person], {})
                group[kind] = group.get(kind, 0) + many
    rows = [Share(name, kinds, sum(kinds.values())) for name, kinds in found.items()]
    return sorted(rows, key=lambda row: (-row.total, row.name))


def too_much(rows: Sequence[Share]) -> list[str]:
    """A sentence for each kind of which one group answers for more than half."""
    said = []
    for kind in sorted({kind for row in rows for kind in row.counts}):
        whole = sum(row.counts.get(kind, 0) for row in rows)
        for row in rows:
            mine = row.counts.get(kind, 0)
            if whole >= FEWEST and mine > whole * MOST_SHARE:
                said.append(
                    f"{row.name} answers for {mine} of {whole} {kind.lower()}. Hand some to those"
                    " who do the work, or the system stays one desk's business."
                )
    return said


@dataclass(frozen=True)
class Act:
    """The last thing somebody of top management did in the records."""

    name: str
    day: date | None
    what: str = ""


def acts_of_leadership() -> list[Act]:
    """When each active person of top management last wrote in a record, and in which kind."""
    leaders = list(Person.objects.people().holding("top_management").order_by("name"))
    latest: dict[int, tuple[datetime, str]] = {}
    parts = [_last_acts(model, leaders) for model in _records()]
    rows = parts[0].union(*parts[1:], all=True) if leaders else []
    for user, moment, what in rows:
        if user not in latest or moment > latest[user][0]:
            latest[user] = (moment, what)
    return [
        Act(each.name, latest[each.pk][0].astimezone(zone()).date(), latest[each.pk][1])
        if each.pk in latest
        else Act(each.name, None)
        for each in leaders
    ]


def _records() -> list[Any]:
    """Every kind of record but accounts and roles: keeping those is no leadership of quality."""
    models = (model for model in apps.get_models() if issubclass(model, Record))
    return [model for model in models if model._meta.app_label != "people"]


def _last_acts(model: Any, leaders: Sequence[Person]) -> Any:
    """(person, last moment, kind) of one kind of record."""
    rows = model.history.filter(history_user__in=[each.pk for each in leaders]).order_by()
    last = rows.values("history_user").annotate(last=Max("history_date"))
    name = str(model._meta.verbose_name)
    return last.values_list("history_user", "last", Value(name))


def silence(acts: Sequence[Act], today: date) -> str:
    """A sentence when top management has not acted for a quarter; empty when it has."""
    if not acts:
        return "Nobody holds the role of top management. Give it to whoever leads the organisation."
    days = [act.day for act in acts if act.day]
    if not days:
        return "Top management has not acted in the system yet. Begin with the scope or the policy."
    if today - max(days) > QUARTER:
        return (
            f"Top management last acted on {max(days):%-d %B %Y}, more than a quarter ago. Hold a"
            " review, decide what waits, or ask for figures."
        )
    return ""


def right_size(headcount: int, active_processes: int) -> str:
    """What a small organisation may combine; empty for larger ones. The rules are the same."""
    if not 0 < headcount <= SMALL:
        return ""
    people = "person" if headcount == 1 else "people"
    said = (
        f"With {headcount} {people} you may combine: one person may own several processes, the"
        " review of a document may be one step with its approval by somebody else, audits may be"
        " done in two half days a year, and one management review may answer every input."
    )
    if active_processes > headcount:
        said += f" You run {active_processes} processes; fewer may serve you as well."
    return f"{said} Auditors still do not audit their own work; borrow one where nobody is free."
