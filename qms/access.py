"""Who may open which page: every view says so, and a test checks that none forgot."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

ANYONE_SIGNED_IN = "anyone signed in"
PUBLIC = "public"
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def needs(permission: str) -> Callable[[View], View]:
    """Open the view only to people who hold the permission.

    `ANYONE_SIGNED_IN` and `PUBLIC` are said as openly as a permission. The declaration is kept on
    the view as `needs`, from which the permission table is generated.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if permission not in (ANYONE_SIGNED_IN, PUBLIC) and not request.user.has_perm(
                permission
            ):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.needs = permission  # type: ignore[attr-defined]
        if permission == PUBLIC:
            guarded = login_not_required(guarded)
        return guarded  # type: ignore[return-value]

    return decorate


def looks_too_often(request: HttpRequest, page: str, *, most: int, seconds: int) -> bool:
    """Whether the address a request comes from looked at a public page more often than may be."""
    key = f"{page}-looks:{request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, seconds)
    try:
        return bool(cache.incr(key) > most)
    except ValueError:  # it ended between the two
        return False
