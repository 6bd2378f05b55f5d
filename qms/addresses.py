"""Where the page of a record is: a list asks that for each of its rows."""

from functools import cache

from django.urls import NoReverseMatch, reverse

ANY = 987_654_321  # stands for a record's number while the address is taken apart


def page_of(name: str, pk: int | None) -> str:
    """The address of the page `name` of one record, as `reverse` gives it, quickly.

    Raises NoReverseMatch for a record that has no number yet, as `reverse` does.
    """
    if not isinstance(pk, int):
        raise NoReverseMatch(f"The page {name} needs a record's number.")
    before, after = _around(name)
    return f"{before}{pk}{after}"


@cache
def _around(name: str) -> tuple[str, str]:
    before, _, after = reverse(name, args=[ANY]).partition(str(ANY))
    return before, after
