"""The worker fixture is a real process on the test's own database and broker."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from qms.outbox.models import Effect
from qms.outbox.tasks import drain


def wait_until(condition: Callable[[], bool], *, patience: float = 15) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.1)


@pytest.mark.slow
def test_worker_process_runs_tasks_on_this_database_and_survives_being_killed(
    celery_worker: Any,
) -> None:
    effect = Effect.objects.create(kind="unheard-of", key="first", payload={}, queue="default")
    drain.apply_async(args=["default"], queue="default")

    def tried(number: int) -> Callable[[], bool]:
        return lambda: Effect.objects.get(pk=effect.pk).attempts == number

    wait_until(tried(1))
    assert "Nobody handles unheard-of" in Effect.objects.get(pk=effect.pk).last_error

    os.killpg(celery_worker.process.pid, signal.SIGKILL)
    celery_worker.process.wait()
    Effect.objects.filter(pk=effect.pk).update(not_before=effect.not_before)
    drain.apply_async(args=["default"], queue="default")
    celery_worker.start()
    wait_until(tried(2))
