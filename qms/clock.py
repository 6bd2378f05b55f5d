"""What time it is, for the program and for the database, from one place.

The database's clock is the SQL function `qms_now()`; the program's is `now()`. Both are the true
time, except inside `living_at()`, which only a demo installation allows: the loader of demo data
lives through three years in order with every trigger on, and every history row written that way
says so in its column `demo`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, models

_lived: ContextVar[datetime | None] = ContextVar("lived", default=None)


class DatabaseNow(models.Func):
    """The database's clock as a column default or an expression."""

    function = "qms_now"
    template = "%(function)s()"
    output_field = models.DateTimeField()


def now() -> datetime:
    """The present instant, aware, UTC."""
    return _lived.get() or datetime.now(UTC)


def is_demo_database() -> bool:
    """Whether this database was declared a demo while it was still empty."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT qms_is_demo()")
        row = cursor.fetchone()
    return bool(row and row[0])


def declare_demo_database() -> None:
    """Mark this database as a demo for good. Refused by the database once it holds history."""
    _only_in_demo()
    with connection.cursor() as cursor:
        cursor.execute("SELECT qms_become_demo()")


@contextmanager
def living_at(moment: datetime) -> Iterator[None]:
    """Let the program and the database live at `moment` (aware) until the block ends.

    The database honours it only in a demo database (`declare_demo_database`), so that nobody
    can back-date a real one. Raises RuntimeError unless the setting DEMO is on.
    """
    _only_in_demo()
    before = _lived.get()
    token = _lived.set(moment.astimezone(UTC))
    _tell_database(moment.astimezone(UTC))
    try:
        yield
    finally:
        _lived.reset(token)
        _tell_database(before)


def _tell_database(moment: datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('qms.clock', %s, false)", [moment.isoformat() if moment else ""]
        )


def _only_in_demo() -> None:
    if not settings.DEMO:
        raise RuntimeError("Only a demo installation (DEMO=1) may live at another time.")
