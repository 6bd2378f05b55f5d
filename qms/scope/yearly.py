"""What changed in the context between two days, read from the history (ISO 9001 4.1, 4.2, 9.3.2).

Nobody keeps a second list: what was there then is compared with what is there now, field by field.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from qms import periods
from qms.proofs import as_it_was
from qms.scope.models import ClimateDecision, InterestedParty, Issue, PartyRequirement, Requirement

# What is compared of each kind, and the words a page calls it by.
FIELDS: dict[type[Any], tuple[str, ...]] = {
    Issue: ("what", "kind", "category", "why", "effect"),
    InterestedParty: ("name", "kind", "why"),
    PartyRequirement: ("what", "addressed", "how", "about_climate"),
    Requirement: ("what", "kind", "source", "how_met"),
}
LONGEST = 160


@dataclass(frozen=True)
class Difference:
    """One field of a record, then and now, in words."""

    label: str
    before: str
    now: str


@dataclass(frozen=True)
class Altered:
    """A record that is other than it was."""

    title: str
    url: str
    differences: tuple[Difference, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Delta:
    """What happened to one kind of record between two days."""

    kind: str
    added: tuple[Altered, ...]
    changed: tuple[Altered, ...]
    gone: tuple[Altered, ...]
    looked_at: int
    now: int
    late: int

    @property
    def is_quiet(self) -> bool:
        return not (self.added or self.changed or self.gone)


def end_of(day: date) -> datetime:
    """The last instant of a day."""
    return periods.start_of(day + timedelta(days=1))


def between(kind: type[Any], start: date, end: date) -> Delta:
    """What was added, changed or gone of a kind from the end of `start` to the end of `end`."""
    then = {row.id: row for row in as_it_was(kind, end_of(start))}
    rows = list(as_it_was(kind, end_of(end)).order_by("id"))
    live = kind.first_state()
    added, changed, gone, looked_at = [], [], [], 0
    for row in rows:
        was = then.get(row.id)
        held = was is not None and was.status == live
        if row.status == live:
            if not held:
                added.append(_altered(kind, row))
            elif told := tuple(_differences(kind, was, row)):
                changed.append(_altered(kind, row, told))
            day = getattr(row, "reviewed_on", None)
            looked_at += day is not None and start < day <= end
        elif held or was is None:
            gone.append(_altered(kind, row))
    return Delta(
        str(kind._meta.verbose_name_plural),
        tuple(added),
        tuple(changed),
        tuple(gone),
        looked_at,
        sum(row.status == live for row in rows),
        sum(row.status == live and row.review_on < end for row in rows),
    )


def in_context(start: date, end: date) -> list[Delta]:
    """Every register of the context, in the order of the standard."""
    return [between(kind, start, end) for kind in FIELDS]


def climate(day: date) -> Any:
    """The climate decision that held at the end of a day, as a history row; None before the first.

    What counts is when it was entered, so a decision entered late is not there before.
    """
    return as_it_was(ClimateDecision, end_of(day)).filter(status="in_force").first()


def _altered(kind: type[Any], row: Any, told: Sequence[Difference] = ()) -> Altered:
    name = FIELDS[kind][0]
    number = getattr(row, "number", "")
    title = f"{number} {getattr(row, name)}".strip()
    reason = row.history_change_reason or ""
    return Altered(title, kind(pk=row.id).get_absolute_url(), tuple(told), reason)


def _differences(kind: type[Any], was: Any, row: Any) -> Iterable[Difference]:
    for name in FIELDS[kind]:
        before, now = (_words(kind, name, each) for each in (was, row))
        if before != now:
            label = str(kind._meta.get_field(name).verbose_name)
            yield Difference(label, _short(before), _short(now))


def _words(kind: type[Any], name: str, row: Any) -> str:
    value = getattr(row, name)
    choices = kind._meta.get_field(name).choices
    if choices:
        return str(dict(choices).get(value, value))
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else value


def _short(text: str) -> str:
    text = text or "nothing"
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} …"
