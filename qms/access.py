"""Who may open which page: every view says so, and a test checks that none forgot."""

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Any, TypeVar

from django.conf import settings
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


def address_of(request: HttpRequest) -> str:
    """The address a request comes from.

    What stands in X-Forwarded-For is believed only as far as proxies of ours wrote it: with
    `TRUSTED_PROXIES` of them in front it is that many from the right, for each appends the address
    it was asked from. Without one anybody could claim any address there.
    """
    nearest = str(request.META.get("REMOTE_ADDR", ""))
    hops = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",")]
    trusted = settings.TRUSTED_PROXIES
    if not 0 < trusted <= len(hops):
        return nearest
    try:
        return str(ip_address(hops[-trusted]))
    except ValueError:
        return nearest


def looks_too_often(request: HttpRequest, page: str, *, most: int, seconds: int) -> bool:
    """Whether the address a request comes from looked at a public page more often than may be."""
    key = f"{page}-looks:{address_of(request)}"
    cache.add(key, 0, seconds)
    try:
        return bool(cache.incr(key) > most)
    except ValueError:  # it ended between the two
        return False
