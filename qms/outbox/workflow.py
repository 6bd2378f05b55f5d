"""Adding effects to the outbox, and running them exactly once in effect.

A worker takes one row at a time with `FOR UPDATE SKIP LOCKED`, leases it and commits; then it runs
the handler. A handler that only writes to the database runs in the transaction that marks the
row done, so both happen or neither. A handler that reaches outside (a mail) says so with
`outside=True` and is idempotent by the effect's key.
"""

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.db import transaction

from qms import mail
from qms.clock import now
from qms.outbox.models import Effect

Handler = TypeVar("Handler", bound=Callable[..., Any])
log = logging.getLogger(__name__)


class TryLater(Exception):
    """The handler has made a step and wants to go on, or must wait: not counted as a failure."""

    def __init__(self, after: timedelta = timedelta(0)) -> None:
        super().__init__()
        self.after = after


@dataclass(frozen=True)
class Kind:
    """How effects of one kind are run."""

    run: Callable[..., Any]
    outside: bool
    lease: timedelta
    died: Callable[..., Any] | None
    words: str


_kinds: dict[str, Kind] = {}
_wake: list[Callable[[str], None]] = []


def effect(
    kind: str,
    *,
    outside: bool = False,
    lease: timedelta = Effect.LEASE,
    died: Callable[..., Any] | None = None,
    words: str = "",
) -> Callable[[Handler], Handler]:
    """Register `(effect) -> None` as what happens for effects of this kind.

    `died` is called with an effect that failed for good, in the transaction that says so: whoever
    waits for it must not wait for ever, also when each worker was killed. `words` is what people
    call such an effect.
    """

    def keep(run: Handler) -> Handler:
        if kind in _kinds:
            raise RuntimeError(f"There is a handler of {kind} already.")
        _kinds[kind] = Kind(run, outside, lease, died, words)
        return run

    return keep


def add(kind: str, key: str, *, queue: str = "default", **payload: Any) -> Effect | None:
    """Write an effect with the running transaction; None when the key was used before."""
    if kind not in _kinds:
        raise RuntimeError(f"Nobody handles {kind}.")
    found, created = Effect.objects.get_or_create(
        key=key, defaults={"kind": kind, "payload": payload, "queue": queue}
    )
    if created:
        transaction.on_commit(lambda: wake(queue))
    return found if created else None


def wakes(call: Callable[[str], None]) -> Callable[[str], None]:
    """Register how a worker is woken for a queue (Celery, see qms/outbox/tasks.py)."""
    _wake[:] = [call]
    return call


def wake(queue: str) -> None:
    """Ask a worker to look at the outbox now. When the broker is away, beat does it later."""
    for call in _wake:
        call(queue)


def run_next(queue: str) -> bool:
    """Run one effect that is ready; False when there is none."""
    leased = _lease(queue)
    if leased is None:
        return False
    kind = _kinds.get(leased.kind)
    try:
        if kind is None:
            raise LookupError(f"Nobody handles {leased.kind}.")
        if kind.outside:
            kind.run(leased)
            _finish(leased)
        else:
            with transaction.atomic():
                kind.run(leased)
                _finish(leased)
    except TryLater as later:
        _put_back(leased, later.after)
    except Exception as error:  # whatever it is, it is kept with the row and a person sees it
        _fail(leased, error)
    return True


def drain(queue: str, *, limit: int = 200, within: timedelta = timedelta(minutes=2)) -> int:
    """Run effects until none is ready, `limit` have run or the time is up; returns how many.

    A Celery task must end before its own limit; what is left is another task's.
    """
    count, end = 0, time.monotonic() + within.total_seconds()
    while count < limit and run_next(queue):
        count += 1
        if time.monotonic() > end:
            wake(queue)
            break
    return count


def renew(leased: Effect) -> bool:
    """Keep the lease while a long handler works; False when somebody else has taken over."""
    kind = _kinds[leased.kind]
    return bool(
        Effect.objects.filter(pk=leased.pk, lease_token=leased.lease_token).update(
            leased_until=now() + kind.lease
        )
    )


def retry(dead: Effect) -> bool:
    """Let a failed effect run again (a person asked for it); False when it is not dead."""
    brought_back = Effect.objects.filter(pk=dead.pk, state=Effect.State.DEAD).update(
        state=Effect.State.WAITING, attempts=0, last_error="", not_before=now()
    )
    if brought_back:
        transaction.on_commit(lambda: wake(dead.queue))
    return bool(brought_back)


def waiting() -> int:
    """How many effects are still to be run."""
    return Effect.objects.filter(state__in=[Effect.State.WAITING, Effect.State.LEASED]).count()


def kind_words(kind: str) -> str:
    """What people call a kind of effect."""
    known = _kinds.get(kind)
    return (known and known.words) or kind.replace(".", " ").replace("_", " ").capitalize()


def _lease(queue: str) -> Effect | None:
    with transaction.atomic():
        found = (
            Effect.objects.ready()
            .filter(queue=queue)
            .select_for_update(skip_locked=True)
            .order_by("not_before", "pk")
            .first()
        )
        if found is None:
            return None
        if found.attempts >= Effect.MAX_ATTEMPTS:
            # It took its worker down each time: nobody was left to say so.
            found.state, found.leased_until = Effect.State.DEAD, None
            found.last_error = found.last_error or "The worker died each time it was tried."
            found.save()
            _mourn(found)
            return _lease(queue)
        kind = _kinds.get(found.kind)
        found.state, found.attempts = Effect.State.LEASED, found.attempts + 1
        found.lease_token = uuid.uuid4()
        found.leased_until = now() + (kind.lease if kind else Effect.LEASE)
        found.save()
    return found


def _mine(leased: Effect) -> Any:
    return Effect.objects.filter(pk=leased.pk, lease_token=leased.lease_token)


def _finish(leased: Effect) -> None:
    done = _mine(leased).update(state=Effect.State.DONE, done_at=now(), leased_until=None)
    if not done:
        raise RuntimeError("Another worker has taken this over; its result counts.")


def _put_back(leased: Effect, after: timedelta) -> None:
    _mine(leased).update(
        state=Effect.State.WAITING, attempts=0, not_before=now() + after, leased_until=None
    )


def _fail(leased: Effect, error: Exception) -> None:
    dead = leased.attempts >= Effect.MAX_ATTEMPTS
    pause = timedelta(seconds=5 * 6 ** (leased.attempts - 1))  # 5 s, 30 s
    with transaction.atomic():
        mine = _mine(leased).update(
            state=Effect.State.DEAD if dead else Effect.State.WAITING,
            last_error=f"{type(error).__name__}: {error}"[:2000],
            not_before=now() + pause,
            leased_until=None,
        )
        if mine and dead:
            _mourn(leased)


def _mourn(dead: Effect) -> None:
    """Tell whoever waits for it; when that fails too, the effect is dead all the same."""
    kind = _kinds.get(dead.kind)
    if kind is None or kind.died is None:
        return
    try:
        with transaction.atomic():
            kind.died(dead)
    except Exception:
        log.exception("Nobody could be told that %s failed for good.", dead)


# Mail: the effect every chapter needs


def send_mail(template: str, to: Any, *, key: str, act: str = "", **context: Any) -> Effect | None:
    """Write a mail with the running transaction; None when this key was sent to them before.

    `context` must be plain JSON values; the person is loaded again when it is sent, so who left
    in between gets nothing.
    """
    return add("mail", f"mail:{key}:{to.pk}", template=template, to=to.pk, act=act, context=context)


@effect("mail", outside=True)
def deliver_mail(leased: Effect) -> None:
    """Compose and send; a retry has the same Message-ID."""
    payload = leased.payload
    person = get_user_model().objects.filter(pk=payload["to"]).first()
    if person is None or not person.is_active:
        return
    message = mail.compose(
        payload["template"], payload["context"], person, key=leased.key, act=payload["act"]
    )
    mail.deliver(message)
