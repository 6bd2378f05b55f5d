"""Where the page of a record is: a list asks that for each of its rows."""

from functools import cache

from django.urls import reverse

ANY = 987_654_321  # stands for a record's number while the address is taken apart


def page_of(name: str, pk: int) -> str:
    """The address of the page `name` of one record, as `reverse` gives it, quickly."""
    before, after = _around(name)
    return f"{before}{pk:d}{after}"


@cache
def _around(name: str) -> tuple[str, str]:
    before, _, after = reverse(name, args=[ANY]).partition(str(ANY))
    return before, after
