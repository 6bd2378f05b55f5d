"""Celery's part of the outbox: being woken, and looking by itself now and then."""

from typing import Any

from celery import shared_task
from kombu.exceptions import OperationalError

from qms.outbox import workflow


@shared_task(name="outbox.drain", ignore_result=True)
def drain(queue: str = "default") -> int:
    """Run what is ready in one queue."""
    return workflow.drain(queue)


@workflow.wakes
def wake_worker(queue: str) -> None:
    """Send the waking message; a broker that is away loses nothing, beat looks again."""
    import contextlib

    with contextlib.suppress(OperationalError, ConnectionError, OSError):
        _send(queue)


def _send(queue: str) -> Any:
    return drain.apply_async(args=[queue], queue=queue, retry=False)
