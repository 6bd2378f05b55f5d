"""Transitions: the only way a record changes state; factories and amendments, its neighbours.

A transition is a plain function in an app's workflow.py. The decorator adds what every transition
needs: the permission, the row lock, the version, the source states, the reason, the guards, the
signature and the history row. The body is left with the effects, its docstring is the sentence
shown to people, and `available()` tells a page which buttons to draw and why one is grey.
Pages, API, import, bulk and admin all call these functions, so there is one guard.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import update_wrapper, wraps
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models
from django.db import transaction as db
from psycopg.errors import CheckViolation, UniqueViolation

from qms.events import handlers, publish
from qms.records import Record, StatefulRecord
from qms.refusals import Refused, Stale

Guard = Callable[..., str | None]
Check = Callable[[Any, Mapping[str, Any]], str | None]
Reserve = Callable[[Any, Any, Any], str | None]
Factory = TypeVar("Factory", bound=Callable[..., Any])
GIVE_A_REASON = "Say why; the reason is kept with the record."


@contextmanager
def one_of_two() -> Iterator[None]:
    """Everything or nothing; who writes what somebody else wrote at the same moment is told so.

    A check before the insert cannot see the other's row; the database's own rule can. What only the
    database found not to fit is told as well.
    """
    try:
        with db.atomic():
            yield
    except IntegrityError as error:
        if isinstance(error.__cause__, CheckViolation):
            raise Refused(
                "What is typed does not fit together, so nothing was saved. Compare it once more."
            ) from error
        if isinstance(error.__cause__, UniqueViolation):
            raise Refused(
                "It is there already, or somebody saved the same at the same moment. Look again"
                " before you go on."
            ) from error
        raise


@dataclass(frozen=True)
class Signed:
    """A signed transition is about to be saved: whoever keeps signatures must verify and keep it.

    `proof` is what the re-authentication gave; `meaning` what the signature stands for.
    """

    record: StatefulRecord
    by: Any
    meaning: str
    proof: Any


@dataclass
class Transition:
    """One move of one kind of record; call it with the record and `by=` the person."""

    effect: Callable[..., None]
    model: type[StatefulRecord]
    source: tuple[str, ...]
    target: str
    permission: str
    guards: tuple[Guard, ...] = ()
    only: Guard | None = None
    needs_reason: bool = False
    signs: str | None = None
    details: Mapping[str, forms.Field] = field(default_factory=dict)
    label: str = ""
    locks: Callable[[Any], None] | None = None
    primary: bool = True
    then: Callable[[Any, Any], None] | None = None

    def __post_init__(self) -> None:
        update_wrapper(self, self.effect)
        known = _transitions.setdefault(self.model, {})
        if self.name in known:
            raise RuntimeError(f"{self.model.__name__} has a transition {self.name} already.")
        known[self.name] = self
        self.label = self.label or self.name.replace("_", " ").capitalize()

    @property
    def name(self) -> str:
        return self.effect.__name__

    @property
    def sentence(self) -> str:
        return (self.effect.__doc__ or "").strip().splitlines()[0]

    def permitted(self, record: Any, by: Any) -> bool:
        """Whether this person may ever make this move with this record."""
        return by.has_perm(self.permission) and not (self.only and self.only(record, by))

    def obstacles(self, record: Any, by: Any) -> list[str]:
        """Why this transition is not possible now: an empty list means it is."""
        return [why for guard in self.guards if (why := guard(record, by))]

    def __call__(
        self,
        record: Any,
        *,
        by: Any,
        reason: str = "",
        version: int | None = None,
        proof: Any = None,
        **details: Any,
    ) -> Any:
        """Make the move, or raise PermissionDenied, Stale or Refused and change nothing.

        `version` is the record's version on the page the person looked at; None takes it as seen.
        """
        with db.atomic():
            if self.locks:
                self.locks(record)
            rows = self.model._base_manager.select_for_update(of=("self",))
            also = self.model.READ_WITH
            current = (rows.select_related(*also) if also else rows).get(pk=record.pk)
            read = current.as_read()
            self._check_person(current, by)
            self._check_state(current, version)
            self._check_words(current, by, reason)
            setattr(current, current.STATE_FIELD, self.target)
            self.effect(current, by=by, **details)
            if self.signs:
                self._sign(current, by, proof)
            why = reason or self.sentence
            current.save_because(why, by=by, _read=read, _transition=True)
            if self.then:
                self.then(current, by)
        record.refresh_from_db()
        return record

    def _check_person(self, current: Any, by: Any) -> None:
        if not by.has_perm(self.permission):
            raise PermissionDenied(f"Your role does not allow: {self.label.lower()}.")
        if self.only and (why := self.only(current, by)):
            raise PermissionDenied(why)

    def _check_state(self, current: Any, version: int | None) -> None:
        if current.state not in self.source:
            shown = getattr(current, f"get_{current.STATE_FIELD}_display")()
            said = f"“{self.label}” is not possible: it is already {str(shown).lower()}."
            moved = version is not None and current.version != version
            raise (Stale if moved else Refused)(said)
        if version is not None and current.version != version:
            raise Stale

    def _check_words(self, current: Any, by: Any, reason: str) -> None:
        if self.needs_reason and not reason.strip():
            raise Refused(GIVE_A_REASON, field="reason")
        if obstacles := self.obstacles(current, by):
            raise Refused(" ".join(obstacles))

    def _sign(self, current: StatefulRecord, by: Any, proof: Any) -> None:
        if not handlers().get(Signed):
            raise RuntimeError("Nobody keeps signatures; a signed transition cannot run.")
        publish(Signed(current, by, str(self.signs), proof))


@dataclass(frozen=True)
class Available:
    """A transition this person may make from this state, and what stands in its way."""

    transition: Transition
    obstacles: list[str]

    @property
    def possible(self) -> bool:
        return not self.obstacles


@dataclass(frozen=True)
class Amendment:
    """Who may edit which fields of a kind of record, and when."""

    model: type[Record]
    permission: str
    fields: tuple[str, ...]
    guards: tuple[Guard, ...] = ()
    only: Guard | None = None
    states: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    reserves: Mapping[str, Reserve] = field(default_factory=dict)
    follows: Callable[[Any, Any, Mapping[str, Any]], None] | None = None

    def obstacles(self, record: Any, by: Any) -> list[str]:
        """Why the record cannot be edited now; empty when it can."""
        why = [said for guard in self.guards if (said := guard(record, by))]
        if self.states and record.state not in self.states:
            shown = str(getattr(record, f"get_{record.STATE_FIELD}_display")()).lower()
            why.insert(0, f"It cannot be edited: it is already {shown}.")
        return why

    def permitted(self, record: Any, by: Any) -> bool:
        return by.has_perm(self.permission) and not (self.only and self.only(record, by))


@dataclass(frozen=True)
class Creation:
    """How a kind of record comes to be: its factory and who may call it."""

    model: type[Record]
    permission: str
    factory: Callable[..., Any]


_transitions: dict[type[models.Model], dict[str, Transition]] = {}
_amendments: dict[type[models.Model], Amendment] = {}
_creations: dict[type[models.Model], list[Creation]] = {}


def transition(
    model: type[StatefulRecord],
    *,
    source: str | Iterable[str],
    target: str,
    permission: str,
    guards: Iterable[Guard] = (),
    only: Guard | None = None,
    reason: bool = False,
    signs: str | None = None,
    details: Mapping[str, forms.Field] | None = None,
    label: str = "",
    locks: Callable[[Any], None] | None = None,
    primary: bool = True,
    then: Callable[[Any, Any], None] | None = None,
) -> Callable[[Callable[..., None]], Transition]:
    """Declare a transition; see the module docstring.

    `guards` take (record, by) and return a sentence or None; `only` does the same for people who
    may never make this move with this record (403). `details` are the form fields whose cleaned
    values the body takes as keywords. `signs` is the meaning of the signature the move needs.
    `locks` takes the record and locks what else must stand still (a parent, siblings), always
    before it. `primary` is false for moves that are not the way forward. `then` takes (record, by)
    after the record was saved, in the same transaction: what follows from the move at once.
    """
    sources = (source,) if isinstance(source, str) else tuple(source)

    def declare(effect: Callable[..., None]) -> Transition:
        return Transition(
            effect,
            model,
            tuple(str(each) for each in sources),
            str(target),
            permission,
            tuple(guards),
            only,
            reason,
            signs,
            dict(details or {}),
            label,
            locks,
            primary,
            then,
        )

    return declare


def voids(
    model: type[StatefulRecord],
    *,
    source: str | Iterable[str],
    permission: str,
    target: str = "void",
    guards: Iterable[Guard] = (),
) -> Transition:
    """The standard way to take back a mistake: the record stays, its number stays used."""

    def void(record: Any, *, by: Any) -> None:
        """Void it: it was a mistake. It stays visible, with the reason."""

    declared = transition(
        model,
        source=source,
        target=target,
        permission=permission,
        guards=guards,
        reason=True,
        label="Void",
        primary=False,
    )
    return declared(void)


def creates(model: type[Record], *, permission: str) -> Callable[[Factory], Factory]:
    """Declare a factory `(*, by, **fields) -> record`: it checks the permission and is atomic."""

    def declare(factory: Factory) -> Factory:
        @wraps(factory)
        def guarded(*args: Any, by: Any, **fields: Any) -> Any:
            if not by.has_perm(permission):
                raise PermissionDenied(
                    f"Your role does not allow you to add a {model._meta.verbose_name}."
                )
            with one_of_two():
                return factory(*args, by=by, **fields)

        guarded.creation = Creation(model, permission, guarded)  # type: ignore[attr-defined]
        _creations.setdefault(model, []).append(guarded.creation)  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return declare


def amendment(
    model: type[Record],
    *,
    permission: str,
    fields: Iterable[str],
    guards: Iterable[Guard] = (),
    only: Guard | None = None,
    states: Iterable[str] = (),
    checks: Iterable[Check] = (),
    reserves: Mapping[str, Reserve] | None = None,
    follows: Callable[[Any, Any, Mapping[str, Any]], None] | None = None,
) -> Amendment:
    """Declare who may edit which fields of a record. One declaration for each model.

    `checks` take (record, changed values) and return a sentence or None: what new values must hold.
    `reserves` holds for a field `(record, by, new value) -> sentence or None`: who may not set it.
    `follows` takes (record, by, changed values) with the new values in place, before the save: what
    was said of the old ones and holds no more.
    """
    if model in _amendments:
        raise RuntimeError(f"{model.__name__} has an amendment already.")
    declared = Amendment(
        model,
        permission,
        tuple(fields),
        tuple(guards),
        only,
        tuple(str(s) for s in states),
        tuple(checks),
        dict(reserves or {}),
        follows,
    )
    _amendments[model] = declared
    return declared


def amend(
    record: Any,
    *,
    by: Any,
    changes: Mapping[str, Any],
    reason: str = "",
    version: int | None = None,
) -> Any:
    """Edit a record within its declared amendment, or raise and change nothing.

    `changes` maps field names to clean values; names outside the declaration are refused. A save
    that changes nothing writes nothing. Raises PermissionDenied, Stale, Refused.
    """
    declared = _amendments.get(type(record))
    if declared is None:
        raise Refused(f"A {record._meta.verbose_name} is not edited.")
    with one_of_two():
        current = declared.model._base_manager.select_for_update(of=("self",)).get(pk=record.pk)
        if not declared.permitted(current, by):
            raise PermissionDenied(
                f"Your role does not allow you to edit this {record._meta.verbose_name}."
            )
        if version is not None and current.version != version:
            raise Stale
        if why := declared.obstacles(current, by):
            raise Refused(" ".join(why))
        changed = {n: v for n, v in changes.items() if getattr(current, n, None) != v}
        if unfit := _unfit(declared, current, changes, changed):
            raise Refused(unfit)
        _refuse_reserved(declared, current, by, changed)
        if changed:
            read = current.as_read()
            _take_over(declared, current, by, changed)
            current.save_because(reason, by=by, _read=read)
    record.refresh_from_db()
    return record


def _take_over(declared: Amendment, record: Any, by: Any, changed: Mapping[str, Any]) -> None:
    """Set the new values, and what follows from them in the record itself."""
    for name, value in changed.items():
        setattr(record, name, value)
    if declared.follows:
        declared.follows(record, by, changed)


def _refuse_reserved(declared: Amendment, record: Any, by: Any, changed: Mapping[str, Any]) -> None:
    """Raise Refused where this person may not set a field to this value."""
    for name, reserve in declared.reserves.items():
        if name in changed and (said := reserve(record, by, changed[name])):
            raise Refused(said, field=name)


def _unfit(
    declared: Amendment, record: Any, given: Mapping[str, Any], changed: Mapping[str, Any]
) -> str:
    """Why these values cannot be kept; empty when they can."""
    if foreign := set(given) - set(declared.fields):
        return f"These cannot be edited: {', '.join(sorted(foreign))}."
    return " ".join(said for check in declared.checks if (said := check(record, changed)))


def available(record: Any, by: Any) -> list[Available]:
    """What this person may do next with the record, in the order the procedure declares it."""
    return [
        Available(each, each.obstacles(record, by))
        for each in transitions_of(type(record))
        if record.state in each.source and each.permitted(record, by)
    ]


def transitions_of(model: type[models.Model]) -> tuple[Transition, ...]:
    return tuple(_transitions.get(model, {}).values())


def transition_named(model: type[models.Model], name: str) -> Transition | None:
    return _transitions.get(model, {}).get(name)


def all_transitions() -> dict[type[models.Model], dict[str, Transition]]:
    return _transitions


def amendment_of(model: type[models.Model]) -> Amendment | None:
    return _amendments.get(model)


def all_amendments() -> dict[type[models.Model], Amendment]:
    return _amendments


def all_creations() -> dict[type[models.Model], list[Creation]]:
    return _creations
