"""Keeping a view of a list, and forgetting it."""

from typing import Any
from uuid import uuid4

from django.core.cache import cache
from django.db import transaction
from django.urls import Resolver404, resolve

from qms.home.models import SavedView
from qms.pages import lists_views
from qms.refusals import Refused

MOST, LONGEST = 30, 200
KEPT_SECONDS = 600
GENERATION = "home:views"


def keep_view(*, by: Any, url: str, query: str, name: str, shared: bool = False) -> SavedView:
    """Keep the filters and the order of a list under a name; the same name is written anew.

    `url` is the list's address without its query. Raises Refused in words.
    """
    words = " ".join(name.split())
    if not words:
        raise Refused("Give the view a name.", field="name")
    if len(words) > 60:
        raise Refused("Give the view a shorter name: at most 60 letters.", field="name")
    if not words.isprintable():
        raise Refused(
            "Name the view with letters, digits and signs that can be seen.", field="name"
        )
    if not query:
        raise Refused("Filter or sort the list first; then keep how it looks.")
    if len(query) > 1000:
        raise Refused("These are too many filters to keep. Choose fewer.")
    there_is(url)
    if shared and not by.has_perm("home.share_view"):
        raise Refused("Views for everybody are kept by the quality manager.", field="shared")
    others = SavedView.objects.filter(person=by).exclude(page=url, name=words)
    if others.count() >= MOST:
        raise Refused(f"You keep {MOST} views already. Forget one first.")
    kept, _new = SavedView.objects.update_or_create(
        person=by, page=url, name=words, defaults={"query": query, "shared": shared}
    )
    _begin_anew()
    return kept


def there_is(url: str) -> None:
    """Refuse an address that is none of our pages, or none that can be kept."""
    if len(url) > LONGEST or not url.isprintable():
        raise Refused("There is no such list.")
    try:
        resolve(url)
    except Resolver404:
        raise Refused("There is no such list.") from None


def forget_view(view: SavedView, *, by: Any) -> None:
    """Forget a view; one's own, or a shared one as quality manager."""
    if view.person_id != by.pk and not (view.shared and by.has_perm("home.share_view")):
        raise Refused("This view belongs to somebody else.")
    view.delete()
    _begin_anew()


@lists_views
def views_of(url: str, person: Any) -> list[SavedView]:
    """The views a person may choose for a list; asked on every list, so kept for a while."""
    key = f"home:views:{person.pk}:{url}"
    kept = cache.get_many([GENERATION, key])
    generation = kept.get(GENERATION, 0)
    made, known = kept.get(key, (None, []))
    views: list[SavedView] = known
    if made != generation:
        views = list(SavedView.objects.for_list(url, person))
        cache.set(key, (generation, views), KEPT_SECONDS)
    return views


def _begin_anew() -> None:
    """What was kept before counts no more, for anybody; only once the change is there."""
    transaction.on_commit(lambda: cache.set(GENERATION, uuid4().hex, None))
