"""Promises the database keeps by itself, whoever writes to it.

Each class below is one promise, written once and generated for every record's table: history is
append-only, nothing changes without it, nothing is deleted, a state follows its path, and what
was approved stays as it was. Texts raised here are seen only by people who went around the
program, so they name the table.
"""

from functools import cached_property
from typing import Any

import pgtrigger
from django.apps import apps
from django.db import models
from pgtrigger import registry

from qms import migrating  # noqa: F401 - it speeds migrations up

HISTORY_ONLY = frozenset(
    {
        "history_id",
        "history_date",
        "history_change_reason",
        "history_type",
        "history_user_id",
        "xid",
        "demo",
    }
)


class Triggers(registry._Registry):
    """All triggers by name, with the names that are taken kept beside them.

    pgtrigger gathers the names anew for each trigger, which with hundreds of them was a fifth of
    the start of every process.
    """

    @cached_property
    def by_db_table(self) -> dict[tuple[str, str], pgtrigger.Trigger]:
        return {(model._meta.db_table, each.name): each for model, each in self.values()}

    @cached_property
    def pg_function_names(self) -> set[str]:
        return {each.get_pgid(model) for model, each in self.values()}

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)  # type: ignore[no-untyped-call]
        model, trigger = value
        self.by_db_table[model._meta.db_table, trigger.name] = trigger
        self.pg_function_names.add(trigger.get_pgid(model))

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)  # type: ignore[no-untyped-call]
        self.__dict__.pop("by_db_table", None)
        self.__dict__.pop("pg_function_names", None)


registry._registry.__class__ = Triggers


def literal(text: str) -> str:
    """`text` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def declared(model: type[models.Model]) -> Any:
    """The class as written in the code: a migration's copy of it knows no paths and no history."""
    return apps.get_model(model._meta.app_label, model.__name__)


def history_of(model: type[models.Model]) -> type[models.Model]:
    """The historical model that simple-history made for `model`."""
    return apps.get_model(model._meta.app_label, f"Historical{model.__name__}")


def tracked_columns(model: type[models.Model]) -> list[str]:
    """The columns of `model` that its history keeps, in the model's order."""
    model = declared(model)
    kept = {field.column for field in history_of(model)._meta.concrete_fields} - HISTORY_ONLY
    return [str(field.column) for field in model._meta.concrete_fields if field.column in kept]


def row(alias: str, columns: list[str]) -> str:
    return "ROW(" + ", ".join(f'{alias}."{column}"' for column in columns) + ")"


class Kept(pgtrigger.Trigger):
    """Records are never deleted."""

    when = pgtrigger.Before
    operation = pgtrigger.Delete

    def get_func(self, model: Any) -> str:
        return f"RAISE EXCEPTION 'Rows of {model._meta.db_table} are kept; void them instead.';"


class KeptWhole(pgtrigger.Trigger):
    """Tables of records are never emptied."""

    when = pgtrigger.Before
    operation = pgtrigger.Truncate
    level = pgtrigger.Statement

    def get_func(self, model: Any) -> str:
        return f"RAISE EXCEPTION 'The table {model._meta.db_table} is never emptied.';"


class AppendOnly(pgtrigger.Trigger):
    """History is never changed and never deleted."""

    when = pgtrigger.Before
    operation = pgtrigger.Update | pgtrigger.Delete

    def get_func(self, model: Any) -> str:
        return f"RAISE EXCEPTION 'History in {model._meta.db_table} is append-only.';"


class Stamped(pgtrigger.Trigger):
    """A history row bears the database's own time and transaction, whatever the writer says."""

    when = pgtrigger.Before
    operation = pgtrigger.Insert
    func = (
        "NEW.history_date := qms_now();"
        " NEW.xid := pg_current_xact_id()::text::bigint;"
        " NEW.demo := qms_is_lived();"
        " RETURN NEW;"
    )


class NeedsHistory(pgtrigger.Trigger):
    """At commit, the newest history row of this transaction equals the row, column by column."""

    when = pgtrigger.After
    operation = pgtrigger.Insert | pgtrigger.Update
    timing = pgtrigger.Deferred

    def get_declare(self, model: Any) -> list[tuple[str, str]]:
        return [("explained", "boolean")]

    def get_func(self, model: Any) -> str:
        history = history_of(model)._meta.db_table
        table, key = model._meta.db_table, model._meta.pk.column
        columns = tracked_columns(model)
        return f"""
            IF TG_OP = 'UPDATE' AND {row("OLD", columns)} IS NOT DISTINCT FROM {row("NEW", columns)}
            THEN RETURN NULL; END IF;
            SELECT {row("kept", columns)} IS NOT DISTINCT FROM {row("now", columns)} INTO explained
              FROM "{table}" AS now
              LEFT JOIN LATERAL (
                SELECT * FROM "{history}" AS h
                 WHERE h."{key}" = now."{key}" AND h.xid = pg_current_xact_id()::text::bigint
                 ORDER BY h.history_id DESC LIMIT 1
              ) AS kept ON true
             WHERE now."{key}" = NEW."{key}";
            IF explained IS FALSE THEN
                RAISE EXCEPTION 'A change of {table} has no history row that explains it.'
                  USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        """  # noqa: S608 - names of our own tables


class KeepsItsPath(pgtrigger.Trigger):
    """A record is born in its first state, moves only along its path, and what froze stays."""

    when = pgtrigger.Before
    operation = pgtrigger.Insert | pgtrigger.Update

    def get_func(self, model: Any) -> str:
        model = declared(model)
        table, state = model._meta.db_table, model._meta.get_field(model.STATE_FIELD)
        old, new = f'OLD."{state.column}"', f'NEW."{state.column}"'
        first = literal(str(state.get_default()))
        paths = ", ".join(f"({literal(str(a))}, {literal(str(b))})" for a, b in sorted(model.PATHS))
        return f"""
            IF TG_OP = 'INSERT' THEN
                IF {new} <> {first} THEN
                    RAISE EXCEPTION 'A row of {table} starts as %, not as %.', {first}, {new}
                      USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END IF;
            IF {old} <> {new} AND ({old}, {new}) NOT IN ({paths}) THEN
                RAISE EXCEPTION 'A row of {table} cannot go from % to %.', {old}, {new}
                  USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            {self._frozen(model, old)}
            RETURN NEW;
        """

    def _frozen(self, model: Any, old: str) -> str:
        if not model.FROZEN:
            return ""
        table = model._meta.db_table
        columns = [model._meta.get_field(name).column for name in sorted(model.FROZEN)]
        states = ", ".join(literal(str(state)) for state in sorted(model.FROZEN_IN))
        return f"""
            IF {old} IN ({states})
               AND {row("OLD", columns)} IS DISTINCT FROM {row("NEW", columns)} THEN
                RAISE EXCEPTION 'A row of {table} that is % keeps its content.', {old}
                  USING ERRCODE = 'integrity_constraint_violation';
            END IF;
        """
