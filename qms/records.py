"""Record: the base of everything the quality system must be able to show an auditor.

Kept, attributable and explained: who changed it, when, and why (ISO 9001 7.5.3). The program
refuses silent changes here; the database refuses them again (`qms/triggers.py`).
"""

import copy
import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, Self

from django.conf import settings
from django.db import models, transaction
from simple_history.manager import HistoryDescriptor
from simple_history.models import HistoricalRecords

from qms import triggers
from qms.clock import DatabaseNow
from qms.contributions import for_outsiders
from qms.events import publish
from qms.numbering import next_number
from qms.refusals import Refused, Stale

CREATED = "Created."
EDITED_DRAFT = "Edited the draft."


class Xid(models.Func):
    """The number of the running transaction."""

    template = "(pg_current_xact_id()::text::bigint)"
    output_field = models.BigIntegerField()


class HistoryRow(models.Model):
    """What every history row bears beside the record's columns; the database fills it in.

    `history_date` is the database's clock (see `triggers.Stamped`), so as-of questions go by it.
    `demo` is true for rows written at a time that was only lived through (see `qms.clock`).
    """

    xid = models.BigIntegerField(db_default=Xid(), editable=False)
    demo = models.BooleanField(db_default=False, editable=False)

    class Meta:
        abstract = True


class KnownHistory:
    """`record.history`; simple-history makes a class of managers anew each time it is asked."""

    def __init__(self, made: HistoryDescriptor) -> None:
        self.model = made.model
        self.manager = made.manager_class.from_queryset(made.queryset_class)

    def __get__(self, record: models.Model | None, owner: type[models.Model]) -> Any:
        return self.manager(self.model, record)


class History(HistoricalRecords):
    """simple-history with an append-only table and the database's own stamp on each row."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("bases", [HistoryRow])
        options.setdefault("user_db_constraint", True)
        super().__init__(**options)

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        super().finalize(sender, **kwargs)
        found = sender.__dict__.get("history")
        if isinstance(found, HistoryDescriptor):
            sender.history = KnownHistory(found)  # type: ignore[attr-defined]

    def get_meta_options(self, model: type[models.Model]) -> dict[str, Any]:
        options: dict[str, Any] = super().get_meta_options(model)
        options["triggers"] = [
            triggers.AppendOnly(name="append_only"),
            triggers.KeptWhole(name="never_truncated"),
            triggers.Stamped(name="stamped"),
        ]
        return options

    def _get_history_change_reason_field(self) -> "models.Field[Any, Any]":
        """A field of its own for each history table; a shared one would name another's table."""
        return models.TextField(null=True)

    def _get_history_user_fields(self) -> dict[str, Any]:
        return {
            "history_user": models.ForeignKey(
                settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
            )
        }


@dataclass(frozen=True)
class RecordSaved:
    """A record was written, with its history row, in the running transaction."""

    record: "Record"
    created: bool


def _is_wordless(constraint: models.BaseConstraint) -> bool:
    said = str(constraint.violation_error_message)
    return isinstance(constraint, models.CheckConstraint) and said == str(
        constraint.default_violation_error_message
    )


class RecordQuerySet(models.QuerySet[Any]):
    """A queryset that refuses the shortcuts which would leave no history."""

    def _no_history(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{self.model.__name__}: this writes no history; use save_because().")

    update = bulk_create = bulk_update = abulk_create = abulk_update = aupdate = _no_history

    def delete(self) -> NoReturn:
        raise TypeError(f"{self.model.__name__} records are kept; void them instead.")

    def visible_to(self, person: Any) -> Self:
        """The rows this person may see. Chapters with confidential rows narrow it further.

        An outside auditor sees only what a chapter opened to them (`shows_outsiders`).
        """
        meta = self.model._meta
        allowed = person.is_authenticated and person.has_perm(
            f"{meta.app_label}.view_{meta.model_name}"
        )
        if not allowed:
            return self.none()
        return self.filter(for_outsiders(self.model, person)) if person.is_outside else self


class Record(models.Model):
    """Kept, attributable and explained: who changed it, when, and why.

    `version` counts the saves; a save from a page that has gone stale is refused, never merged
    silently. `happened_at`, where a model has one, is what people say; `recorded_at` is the
    database's clock.
    """

    SIGNED_FIELDS: ClassVar[Collection[str]] = ()

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False
    )
    recorded_at = models.DateTimeField(db_default=DatabaseNow(), editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    history = History(inherit=True)
    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True
        default_permissions = ("add", "change", "view")
        triggers = [
            triggers.Kept(name="kept"),
            triggers.KeptWhole(name="never_truncated"),
            triggers.NeedsHistory(name="needs_history"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert a new record; an existing one is saved by `save_because` only."""
        adding = self._state.adding
        if not adding and not getattr(self, "_change_reason", None):
            raise TypeError(f"Changing a {type(self).__name__} needs a reason; use save_because().")
        if adding:
            self._check_birth()
        # What fails in here fails the procedure around it, which has a savepoint of its own.
        with transaction.atomic(savepoint=False):
            if adding:
                self._begin()
            super().save(*args, **kwargs)
            if adding:
                del self._change_reason, self._history_user
            publish(RecordSaved(self, adding))

    @property
    def is_released(self) -> bool:
        """Whether a change needs a reason from the person; a draft's changes explain themselves."""
        return False

    @classmethod
    def column(cls, name: str) -> "models.Field[Any, Any]":
        """The concrete field of that name."""
        found = cls._meta.get_field(name)
        assert isinstance(found, models.Field)  # noqa: S101 - a relation backwards is a typing error
        return found

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of what a signature stands under: `SIGNED_FIELDS` as stored, by name."""
        return hashlib.sha256(self.signed_content().encode()).hexdigest()

    def signed_content(self) -> str:
        """What a signature stands under, as canonical JSON; models with parts extend it."""
        fields = [self.column(name) for name in self.SIGNED_FIELDS]
        content = {field.attname: field.value_to_string(self) for field in fields}
        content["record"] = f"{self._meta.label_lower}:{self.pk}"
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def called_outside(self) -> str:
        """What it is called where not only those look who may see it; chapters may say less."""
        return str(self)

    def told_change(self, name: str, old: Any, new: Any) -> tuple[str, str] | None:
        """How the history tells the change of a field whose value is no word; None as it is."""
        return None

    def save_because(
        self, reason: str, *, by: Any, _read: Self | None = None, _transition: bool = False
    ) -> None:
        """Save with the person and the reason in the history row.

        Raises Stale when the stored row is newer than this one, Refused when a released record
        gets no reason or a frozen field was changed, TypeError on a change of state. A transition
        and an amendment bring the row as they locked it (`as_read()`); else it is read here.
        """
        # Both have a savepoint of their own around this, and so has whatever raises out of it.
        with transaction.atomic(savepoint=_read is None):
            rows = type(self)._base_manager.select_for_update(of=("self",))
            stored = _read or rows.get(pk=self.pk)
            if stored.version != self.version:
                raise Stale
            self._check_change(stored, transition=_transition)
            if stored.is_released and not reason.strip():
                raise Refused("Say why you change it; it is released.", field="reason")
            self.version += 1
            self._change_reason, self._history_user = reason.strip() or EDITED_DRAFT, by
            try:
                self.save()
            except BaseException:
                self.version -= 1
                raise
            finally:
                del self._change_reason, self._history_user

    def as_read(self) -> Self:
        """The stored row to compare a change with; values that are changed in place are copied."""
        stored = copy.copy(self)
        for field in self._meta.concrete_fields:
            value = stored.__dict__.get(field.attname)
            if isinstance(value, dict | list):
                setattr(stored, field.attname, copy.deepcopy(value))
        return stored

    def _do_update(self, rows: Any, *told: Any) -> bool:  # type: ignore[override]
        """Write over the version this change began from, or raise Stale: never over another's."""
        if not super()._do_update(rows.filter(version=self.version - 1), *told):
            raise Stale
        return True

    def get_constraints(
        self,
    ) -> list[tuple[type[models.Model], Sequence[models.BaseConstraint]]]:
        """What a form checks: a promise without words is left to the procedure, which has some.

        Django would name the constraint, which tells nobody what to do.
        """
        return [
            (model, [each for each in constraints if not _is_wordless(each)])
            for model, constraints in super().get_constraints()
        ]

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} records are kept; void them instead.")

    def _check_birth(self) -> None:
        """Refuse what could not be a new record; asked before anything is written."""

    def _begin(self) -> None:
        """What holds for a record that is about to be inserted."""
        if getattr(self, "_change_reason", None) is None:
            self._change_reason = CREATED
        self._history_user = self.created_by

    def _check_change(self, stored: Self, *, transition: bool) -> None:
        """Refuse a change this kind of record does not allow; `stored` is the locked row."""
        if stored.created_by_id != self.created_by_id:
            raise TypeError("Who created a record never changes.")


class StatefulRecord(Record):
    """A record that follows a procedure: it has a state, and only transitions change it.

    `PATHS` are all the moves there are (state, state); the database holds to them, and a test
    compares them with the transitions. In the states `FROZEN_IN` the fields `FROZEN` stay; in those
    of them that are in `TAKES_PROOF_IN` a certificate or photo may still be attached. `READ_WITH`
    are the records every transition of it asks about; they are read with it.
    """

    STATE_FIELD: ClassVar[str] = "status"
    DRAFT_STATES: ClassVar[Collection[str]] = ()
    PATHS: ClassVar[Collection[tuple[str, str]]] = ()
    FROZEN: ClassVar[Collection[str]] = ()
    FROZEN_IN: ClassVar[Collection[str]] = ()
    TAKES_PROOF_IN: ClassVar[Collection[str]] = ()
    READ_WITH: ClassVar[Collection[str]] = ()

    class Meta(Record.Meta):
        abstract = True
        triggers = [*Record.Meta.triggers, triggers.KeepsItsPath(name="keeps_its_path")]

    @classmethod
    def first_state(cls) -> str:
        return str(cls.column(cls.STATE_FIELD).get_default())

    @property
    def state(self) -> str:
        return str(getattr(self, self.STATE_FIELD))

    @property
    def is_released(self) -> bool:
        return self.state not in (self.DRAFT_STATES or (self.first_state(),))

    def _check_birth(self) -> None:
        super()._check_birth()
        if self.state != self.first_state():
            raise TypeError(f"A new {type(self).__name__} starts as {self.first_state()}.")

    def _check_change(self, stored: Self, *, transition: bool) -> None:
        super()._check_change(stored, transition=transition)
        if not transition and stored.state != self.state:
            raise TypeError("Only a transition changes the state of a record.")
        if stored.state in self.FROZEN_IN:
            for name in self.FROZEN:
                field = self.column(name)
                if getattr(stored, field.attname) != getattr(self, field.attname):
                    label = str(getattr(field, "verbose_name", name))
                    raise Refused(
                        f"The {label} stays as it was approved. Start a new revision instead."
                    )


def insert_together(records: Sequence[Record]) -> None:
    """Insert the parts that come with a whole, dozens of one kind, each with its history row.

    As saving one after the other, in a few statements; the database checks each row all the same.
    """
    if not records:
        return
    model: Any = type(records[0])
    for record in records:
        record._check_birth()
    with transaction.atomic(savepoint=False):
        for record in records:
            record._begin()
        rows: models.QuerySet[Any] = models.QuerySet(model)  # ours refuses what leaves no history
        rows.bulk_create(records)
        model.history.bulk_history_create(records)
        for record in records:
            del record._change_reason, record._history_user
            publish(RecordSaved(record, True))


def authors_of(record: Any, columns: Collection[str]) -> set[int]:
    """The ids of who created a record or changed one of these columns, from its history.

    Columns are named as stored (`source_id`, not `source`).
    """
    authors = {record.created_by_id}
    before: tuple[Any, ...] | None = None
    rows = record.history.order_by("history_id").values_list("history_user_id", *columns)
    for user, *content in rows:
        if before is not None and tuple(content) != before:
            authors.add(user)
        before = tuple(content)
    return authors


def passed_on_by(record: Any) -> set[int]:
    """The ids of who owned a record and gave it to somebody else themselves, from its history."""
    people: set[int] = set()
    before: int | None = None
    rows = record.history.order_by("history_id").values_list("owner_id", "history_user_id")
    for owner, user in rows:
        if before is not None and owner != before == user:
            people.add(before)
        before = owner
    return people


class Numbered(models.Model):
    """Mixed in before a record: it gets its number when it is inserted, without gaps or doubles."""

    SERIES: ClassVar[str] = ""
    DIGITS: ClassVar[int | None] = None  # how many of a series without a year; numbers sort

    number = models.CharField(max_length=40, unique=True, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number

    def _begin(self) -> None:
        if not self.number:
            prefix, year = self.number_series()
            self.number = next_number(prefix, year=year, digits=self.DIGITS)
        super()._begin()  # type: ignore[misc]

    def number_series(self) -> tuple[str, int | None]:
        """(prefix, year or None): which series the number is taken from."""
        from qms.periods import today

        return self.SERIES, None if self.DIGITS else today().year
