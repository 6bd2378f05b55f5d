"""What the live records prove for each clause, on any day, and what they say is missing.

Each chapter registers a plain function that looks at its records as they were at an instant
(readiness), and one that names the gaps its records betray today (gap assessment, ISO 9001 4.4).
There are counts, examples and blockers, and never a share of anything.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import models

from qms.clauses import same_in

Function = TypeVar("Function", bound=Callable[..., Any])
EXAMPLES = 3


@dataclass(frozen=True)
class Example:
    """A record that proves something: its name and page; `of` is the record that says who may see.

    `day` is when it was approved, held or issued; None where that says nothing.
    """

    title: str
    url: str
    day: date | None = None
    of: Any = None


@dataclass(frozen=True)
class Blocker:
    """Why a clause cannot be shown: a sentence, and where one click leads to mend it."""

    sentence: str
    url: str
    mend: str = "Open"
    of: Any = None


@dataclass(frozen=True)
class Proofs:
    """What one chapter shows for one clause: how many records, some of them, what is missing.

    `what` names them in the plural, to stand after the count ("internal audits reported").
    `shows` says which documented information it can be: kept current ("maintain"), kept as
    evidence ("retain"), or neither where it only serves the clause.
    """

    what: str
    count: int = 0
    examples: tuple[Example, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    shows: tuple[str, ...] = ("maintain", "retain")
    rank: int = 50  # what proves most is told first


@dataclass(frozen=True)
class GapSignal:
    """A typical gap the records of today betray: what is missing at a clause, and what would mend.

    `key` names it for good; `plan` is the action proposed, `owner` who would do it.
    """

    key: str
    number: str
    sentence: str
    url: str
    plan: str
    owner: Any = None
    of: Any = None


_proving: list[tuple[tuple[str, ...], Callable[..., Any]]] = []
_signals: list[tuple[int, Callable[[str, date], Iterable[GapSignal]]]] = []


def proves(*numbers: str) -> Callable[[Function], Function]:
    """Register `(edition, as_of) -> Proofs or None` for clauses that both editions number alike.

    Without numbers the function returns `{number: Proofs}` itself. `as_of` is an instant; use
    `as_it_was` to read the records of then.
    """

    def keep(find: Function) -> Function:
        _proving.append((numbers, find))
        return find

    return keep


def proofs_for(edition: str, as_of: datetime) -> dict[str, list[Proofs]]:
    """What every chapter shows, by clause number."""
    found: dict[str, list[Proofs]] = {}
    for numbers, find in _proving:
        told = find(edition, as_of)
        by_number = told if not numbers else dict.fromkeys(numbers, told)
        for number, proofs in (by_number or {}).items():
            if proofs is not None:
                found.setdefault(number, []).append(proofs)
    return found


def gap_signal(*, order: int = 50) -> Callable[[Function], Function]:
    """Register `(edition, today) -> GapSignal`s: what the records say is missing."""

    def keep(find: Function) -> Function:
        _signals.append((order, find))
        return find

    return keep


def gap_signals(edition: str, today: date) -> list[GapSignal]:
    """Every gap the records betray, in the order of the chapters."""
    ordered = sorted(_signals, key=lambda each: each[0])
    return [signal for _order, find in ordered for signal in find(edition, today)]


def seen_by(things: Iterable[Any], person: Any) -> list[Any]:
    """Those whose `of` the person may see (all without a person); each model is asked once."""
    rows = list(things)
    if person is None:
        return rows
    keys: dict[type[models.Model], set[int]] = {}
    for each in rows:
        if each.of is not None:
            keys.setdefault(type(each.of), set()).add(each.of.pk)
    seen = {
        (model, pk)
        for model, known in keys.items()
        for pk in model._default_manager.visible_to(person)  # type: ignore[attr-defined]
        .filter(pk__in=known)
        .values_list("pk", flat=True)
    }
    return [each for each in rows if each.of is None or (type(each.of), each.of.pk) in seen]


def as_it_was(model: Any, as_of: datetime) -> Any:
    """The rows of a record's history that held at an instant: one for each record of then.

    A queryset of history rows: filter it like the table; `id` is the record's key. What counts is
    when the database wrote them, so that what was entered later is not there.
    """
    then = model.history.filter(history_date__lte=as_of)
    newest = then.order_by("id", "-history_date", "-history_id").distinct("id")
    return model.history.filter(history_id__in=newest.values("history_id"))


def example(model: Any, row: Any, title: str, day: date | None = None) -> Example:
    """A history row as an example: its record's page, seen by those who may see the record."""
    record = model(pk=row.id)
    return Example(title, record.get_absolute_url(), day, of=record)


def counted(
    what: str,
    model: Any,
    rows: Sequence[Any],
    tell: Callable[[Any], tuple[str, date | None]],
    blockers: Iterable[Blocker] = (),
    *,
    shows: tuple[str, ...] = ("maintain", "retain"),
) -> Proofs:
    """Proofs from history rows: all counted, the first few told as (title, day)."""
    told = tuple(example(model, row, *tell(row)) for row in rows[:EXAMPLES])
    return Proofs(what, len(rows), told, tuple(blockers), shows)


def by_clause(rows: Iterable[Any], edition: str, keys: Callable[[Any], Iterable[str]]) -> Any:
    """Rows by the clause numbers of an edition; `keys` gives the stored references of a row.

    What names a clause of the other edition counts where that clause did not change.
    """
    found: dict[str, list[Any]] = {}
    for row in rows:
        for number in sorted({ref.number for key in keys(row) for ref in same_in(key, edition)}):
            found.setdefault(number, []).append(row)
    return found
