"""A thousand rows in a moment: copies of one row, for tests that count queries or look at size.

The copies are made by SQL in one transaction that stands in for a replica, where triggers rest:
making a thousand records by their procedures takes a minute for each list. They have no history
and no neighbours; whoever needs those makes real records.
"""

from typing import Any

from django.db import connection, models, transaction


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


def _copied(field: "models.Field[Any, Any]") -> str:
    column = f'r."{field.column}"'
    texts = isinstance(field, models.CharField)
    return f"{column} || '-' || n" if texts and (field.unique or field.name == "number") else column
