"""A thousand rows in a moment: copies of one row, for tests that count queries or look at size.

The copies are made by SQL in one transaction that stands in for a replica, where triggers rest:
making a thousand records by their procedures takes a minute for each list. Copies have no
neighbours, and a history only where `grow` is asked for one.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext


def multiply(record: models.Model, times: int, **values: str) -> None:
    """Copy the row of `record` so many times.

    `values` are SQL expressions of columns that must differ, in which `n` counts from 1. Text
    columns that are unique get the count at their end by themselves.
    """
    meta = type(record)._meta
    columns = [field for field in meta.concrete_fields if not field.primary_key]
    told = [values.get(field.column) or _copied(field) for field in columns]
    names = ", ".join(f'"{field.column}"' for field in columns)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(
            f'insert into "{meta.db_table}" ({names})'  # noqa: S608 - names of columns
            f' select {", ".join(told)} from "{meta.db_table}" r, generate_series(1, %s) as n'
            " where r.id = %s",
            [times, record.pk],
        )
        cursor.execute("set local session_replication_role = origin")
        cursor.execute("set constraints all deferred")


def grow(record: models.Model, times: int, **values: str) -> None:
    """The same, and to each copy the newest row of the history, with the copy's own values."""
    table: Any = type(record)
    before = table._base_manager.aggregate(last=models.Max("pk"))["last"]
    multiply(record, times, **values)
    history: Any = table.history
    own = {field.column for field in table._meta.concrete_fields}
    kept = [field.column for field in history.model._meta.concrete_fields if not field.primary_key]
    told = ", ".join(f'{"c" if column in own else "h"}."{column}"' for column in kept)
    names = ", ".join(f'"{column}"' for column in kept)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(
            f'insert into "{history.model._meta.db_table}" ({names}) select {told}'  # noqa: S608 - names of columns
            f' from "{table._meta.db_table}" c, "{history.model._meta.db_table}" h'
            " where c.id > %s and h.history_id = %s",
            [before, history.filter(id=record.pk).latest("history_id").history_id],
        )
        cursor.execute("set local session_replication_role = origin")


def repeat(done: models.Model, others: models.QuerySet[Any], *fields: str) -> None:
    """Write what a procedure left in these fields of a row into others, each with its history."""
    table: Any = type(done)
    history: Any = table.history.model._meta
    columns = [table._meta.get_field(name).column for name in fields]
    own = {field.column for field in table._meta.concrete_fields}
    kept = [field.column for field in history.concrete_fields if not field.primary_key]
    told = ", ".join(f'{"r" if column in own else "h"}."{column}"' for column in kept)
    keys = list(others.values_list("pk", flat=True))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(
            f'update "{table._meta.db_table}" r set version = r.version + 1,'  # noqa: S608 - names of columns
            f" {', '.join(f'{name} = d.{name}' for name in columns)}"
            f' from "{table._meta.db_table}" d where d.id = %s and r.id = any(%s)',
            [done.pk, keys],
        )
        cursor.execute(
            f'insert into "{history.db_table}" ({", ".join(f"{name}" for name in kept)})'  # noqa: S608 - names of columns
            f' select {told} from "{table._meta.db_table}" r, "{history.db_table}" h'
            " where h.history_id = %s and r.id = any(%s)",
            [table.history.filter(id=done.pk).latest("history_id").history_id, keys],
        )
        cursor.execute("set local session_replication_role = origin")
        cursor.execute("set constraints all deferred")


def questions(ask: Callable[[], Any]) -> int:
    """How many questions the database is asked; the bounds of transactions ask nothing."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    said = [query["sql"] for query in asked.captured_queries]
    return sum(not each.startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")) for each in said)


def _copied(field: "models.Field[Any, Any]") -> str:
    column = f'r."{field.column}"'
    texts = isinstance(field, models.CharField)
    return f"{column} || '-' || n" if texts and (field.unique or field.name == "number") else column
