"""Two addresses for machines: does this process live, and can it do its work.

Open to everybody on purpose, so neither tells anything but yes or no.
"""

import logging

import redis
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from qms.access import PUBLIC, needs

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 2.0


@transaction.non_atomic_requests
@needs(PUBLIC)
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers at all; asks nobody else, or a slow database kills the web."""
    return HttpResponse("ok\n", content_type="text/plain")


@transaction.non_atomic_requests
@needs(PUBLIC)
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database and the broker answer, else 503 with the names of those that do not."""
    silent = [
        name
        for name, answers in (("database", _database_answers), ("broker", _broker_answers))
        if not answers()
    ]
    if silent:
        return HttpResponse(f"waiting for: {', '.join(silent)}\n", "text/plain", status=503)
    return HttpResponse("ready\n", content_type="text/plain")


def _database_answers() -> bool:
    """Asked for less long than a page may wait for the pool: whoever looks after us looks away."""
    pool = getattr(connection, "pool", None)
    try:
        with connection.wrap_database_errors:
            if pool is None:
                with connection.cursor() as cursor:
                    cursor.execute("select 1")
            else:
                pool.open()
                with pool.connection(PATIENCE_SECONDS) as free:
                    free.execute("select 1")
    except DatabaseError:
        logger.exception("The database does not answer.")
        return False
    return True


def _broker_answers() -> bool:
    try:
        client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=PATIENCE_SECONDS,
            socket_timeout=PATIENCE_SECONDS,
        )
        with client:
            client.ping()
    except (redis.RedisError, OSError):
        logger.exception("The broker does not answer.")
        return False
    return True


urlpatterns = [
    path("healthz/", healthz, name="healthz"),
    path("readyz/", readyz, name="readyz"),
]
