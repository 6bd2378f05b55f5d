"""Numbers like NC-2026-0007: consecutive, never given twice, under any concurrency.

The series' row stays locked until the transaction that took the number ends, so a transaction
that fails gives its number back and the next one gets it: no gaps. The table is made in the
kernel's first migration.
"""

from django.db import connection, transaction

_NEXT = """
    INSERT INTO qms_number_series AS s (series, last) VALUES (%s, 1)
    ON CONFLICT (series) DO UPDATE SET last = s.last + 1
    RETURNING last
"""
_AT_LEAST = """
    INSERT INTO qms_number_series AS s (series, last) VALUES (%s, %s)
    ON CONFLICT (series) DO UPDATE SET last = greatest(s.last, excluded.last)
"""


def series_name(prefix: str, year: int | None) -> str:
    return f"{prefix}-{year}" if year else prefix


def next_number(prefix: str, *, year: int | None = None, digits: int | None = None) -> str:
    """The next number of a series: `NC-2026-0007` with a year, `QP-08` without.

    Must run in the transaction that inserts the record, which holds the series until it ends.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A number is given only inside the transaction that uses it.")
    series = series_name(prefix, year)
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [series])
        row = cursor.fetchone()
    width = digits or (4 if year else 2)
    return f"{series}-{row[0]:0{width}d}"


def reserve_up_to(prefix: str, last: int, *, year: int | None = None) -> None:
    """Say that numbers up to `last` are used already (an imported register): the next is higher."""
    with connection.cursor() as cursor:
        cursor.execute(_AT_LEAST, [series_name(prefix, year), last])
