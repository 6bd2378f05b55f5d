"""The organisation's name and zone, read once for each page and shared for seconds elsewhere.

Every time that is shown asks for the zone, so a page must not ask the database each time. Serves
7.5.2: what is dated is dated in the organisation's own calendar.
"""

import logging
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from qms.clauses import EDITIONS
from qms.scope.models import Organisation

KEY, SECONDS = "scope:current", 10
AT_HAND = 1.0  # seconds a task or a command does not even ask the cache
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """What is remembered of the organisation; empty before it is set up."""

    name: str = ""
    time_zone: str = ""
    edition: str = ""


class Page:
    """What the page that is being answered has read so far."""

    known: Known | None = None


_at_hand: list[tuple[float, Known]] = []
_page: ContextVar[Page | None] = ContextVar("qms_scope_page", default=None)


def known() -> Known:
    """The organisation: from this page, from the cache of the last seconds, or read now."""
    page = _page.get()
    if page is None:
        return _shared()
    if page.known is None:
        page.known = _read()
    return page.known


def zone() -> ZoneInfo:
    """The organisation's zone; the installation's before it is set up."""
    return ZoneInfo(known().time_zone or settings.TIME_ZONE)


def name() -> str:
    """The organisation's name, empty before it is set up."""
    return known().name


def edition() -> str:
    """The edition worked to; the newest before the organisation is set up."""
    return known().edition or EDITIONS[-1]


def forget() -> None:
    """Read it anew the next time; what other processes have at hand lasts for a second."""
    if (page := _page.get()) is not None:
        page.known = None
    _at_hand.clear()
    try:
        cache.delete(KEY)
    except Exception:  # a cache that is away forgets by itself
        log.warning("The cache is away; the organisation may be shown as before for %s s.", SECONDS)


def _read() -> Known:
    row = Organisation.objects.values_list("name", "time_zone", "edition").first()
    return Known(*row) if row else Known()


def _shared() -> Known:
    """For tasks and commands: times are right even where the cache is away, only slower.

    They ask for the day with every record they save, so what was read is at hand for a moment.
    """
    for since, known in _at_hand[-1:]:
        if 0 <= monotonic() - since < AT_HAND:
            return known
    known = _in_cache()
    _at_hand[:] = [(monotonic(), known)]
    return known


def _in_cache() -> Known:
    try:
        found = cache.get(KEY)
    except Exception:
        return _read()
    if found is None:
        found = _read()
        try:
            cache.set(KEY, found, SECONDS)
        except Exception:
            log.warning("The cache is away; the organisation is read each time.")
    return found if isinstance(found, Known) else _read()


Answer = Callable[[HttpRequest], HttpResponseBase]


class ZoneMiddleware:
    """Each page reads the organisation once; its forms take times in the organisation's zone."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _page.set(Page())
        try:
            return self.answer(request)
        finally:
            _page.reset(token)
            timezone.deactivate()

    def process_view(self, request: HttpRequest, view: Answer, *args: object) -> None:
        """Public pages (health among them) must not need the database."""
        if getattr(view, "login_required", True) and request.user.is_authenticated:
            timezone.activate(zone())
