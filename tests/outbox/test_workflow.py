"""An effect that must happen happens once, whatever dies on the way."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from kombu.exceptions import OperationalError

from qms.clock import now
from qms.outbox import tasks, workflow
from qms.outbox.models import Effect
from qms.people.models import Person
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
State = Effect.State


class Doings:
    """What the handlers of these tests did, by key."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.died: list[str] = []
        self.lock = threading.Lock()
        self.answer: Any = None

    def run(self, effect: Effect) -> None:
        if self.answer:
            self.answer(effect)
        with self.lock:
            self.done.append(effect.key)

    def die(self, effect: Effect) -> None:
        self.died.append(effect.key)


@pytest.fixture
def doings(monkeypatch: pytest.MonkeyPatch) -> Doings:
    made = Doings()
    monkeypatch.setattr(workflow, "_kinds", dict(workflow._kinds))
    monkeypatch.setattr(workflow, "wake", lambda queue: None)
    workflow.effect("test.inside", died=made.die)(made.run)
    workflow.effect("test.outside", outside=True)(made.run)
    return made


def expire(effect: Effect) -> None:
    """The worker that leased it was killed, and its time is up."""
    Effect.objects.filter(pk=effect.pk).update(leased_until=now() - timedelta(seconds=1))


def soon() -> None:
    """The pause after a failure is over."""
    Effect.objects.filter(state=State.WAITING).update(not_before=now() - timedelta(seconds=1))


def only() -> Effect:
    return Effect.objects.get()


def test_an_effect_runs_once(doings: Doings) -> None:
    workflow.add("test.inside", "a")
    assert workflow.drain("default") == 1
    assert workflow.drain("default") == 0
    assert (doings.done, only().state) == (["a"], State.DONE)


def test_a_key_used_twice_causes_it_once(doings: Doings) -> None:
    assert workflow.add("test.inside", "a") is not None
    assert workflow.add("test.inside", "a") is None
    workflow.drain("default")
    assert workflow.add("test.inside", "a") is None, "also after it happened"
    workflow.drain("default")
    assert doings.done == ["a"]


def test_an_effect_is_lost_only_with_its_transaction(doings: Doings) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        workflow.add("test.inside", "a")
        raise ZeroDivisionError
    assert not Effect.objects.exists()
    with transaction.atomic():
        workflow.add("test.inside", "a")
    # The process ends here, before anybody was woken: the row is there for the next look.
    assert workflow.drain("default") == 1


def test_nobody_may_ask_for_what_nobody_does() -> None:
    with pytest.raises(RuntimeError, match="Nobody handles"):
        workflow.add("test.unknown", "a")


def test_a_killed_workers_effect_is_taken_over_after_its_lease(doings: Doings) -> None:
    workflow.add("test.inside", "a")
    leased = workflow._lease("default")
    assert leased is not None
    assert workflow.drain("default") == 0, "it is somebody's until the lease ends"
    expire(leased)
    assert workflow.drain("default") == 1
    assert doings.done == ["a"]


def test_a_worker_that_was_replaced_changes_nothing(doings: Doings) -> None:
    """Its handler's writes are rolled back, because the lease is no longer its own."""
    factories.person(name="Before")

    def slow(effect: Effect) -> None:
        if not doings.died:
            doings.died.append("first run")
            expire(effect)
            thread = threading.Thread(target=take_over)
            thread.start()
            thread.join()
        factories.person(name="Written by the handler")

    def take_over() -> None:
        workflow.drain("default")
        connections.close_all()

    doings.answer = slow
    workflow.effect("test.slow", lease=timedelta(seconds=30))(doings.run)
    workflow.add("test.slow", "a")
    workflow.drain("default")
    assert only().state == State.DONE
    assert Person.objects.filter(name="Written by the handler").count() == 1


def test_a_lease_is_kept_while_work_goes_on_and_not_by_others(doings: Doings) -> None:
    workflow.add("test.inside", "a")
    first = workflow._lease("default")
    assert first is not None
    expire(first)
    assert workflow.renew(first)
    assert workflow._lease("default") is None
    expire(first)
    second = workflow._lease("default")
    assert second is not None
    assert workflow.renew(second)
    assert not workflow.renew(first)


def test_two_workers_run_forty_effects_once_each(doings: Doings) -> None:
    for at in range(40):
        workflow.add("test.inside", f"effect {at}")
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait()
        workflow.drain("default")
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(doings.done) == sorted(f"effect {at}" for at in range(40))
    assert set(Effect.objects.values_list("state", flat=True)) == {State.DONE}


def test_what_fails_is_tried_three_times_with_pauses_then_dead(doings: Doings) -> None:
    def fail(effect: Effect) -> None:
        raise ValueError("The mail server said no.")

    doings.answer = fail
    workflow.add("test.inside", "a")
    for attempt in (1, 2, 3):
        assert workflow.run_next("default")
        assert only().attempts == attempt
        assert not workflow.run_next("default"), "not before the pause is over"
        soon()
    dead = only()
    assert (dead.state, dead.last_error) == (State.DEAD, "ValueError: The mail server said no.")
    assert doings.died == ["a"], "who waits for it is told, once"
    assert list(Effect.objects.dead()) == [dead]


def test_what_kills_its_worker_is_tried_three_times_then_dead(doings: Doings) -> None:
    workflow.add("test.inside", "a")
    for _ in range(Effect.MAX_ATTEMPTS):
        leased = workflow._lease("default")
        assert leased is not None
        expire(leased)
    assert workflow.drain("default") == 0
    assert only().state == State.DEAD
    assert "died each time" in only().last_error
    assert (doings.done, doings.died) == ([], ["a"])


def test_a_failing_mourner_does_not_bring_it_back(doings: Doings) -> None:
    def broken(effect: Effect) -> None:
        raise ZeroDivisionError

    workflow.effect("test.sad", died=broken)(broken)
    workflow.add("test.sad", "a")
    for _ in range(3):
        workflow.run_next("default")
        soon()
    assert only().state == State.DEAD


def test_a_step_that_goes_on_later_counts_as_no_failure(doings: Doings) -> None:
    steps: list[int] = []

    def step(effect: Effect) -> None:
        steps.append(effect.attempts)
        if len(steps) < 8:
            raise workflow.TryLater

    doings.answer = step
    workflow.add("test.outside", "a")
    assert workflow.drain("default") == 8
    assert steps == [1] * 8
    assert (doings.done, only().state) == (["a"], State.DONE)


def test_a_pause_that_was_asked_for_is_kept(doings: Doings) -> None:
    def later(effect: Effect) -> None:
        raise workflow.TryLater(timedelta(minutes=5))

    doings.answer = later
    workflow.add("test.outside", "a")
    assert workflow.drain("default") == 1
    assert only().not_before > now() + timedelta(minutes=4)


def test_a_handlers_half_done_work_is_undone(doings: Doings) -> None:
    def half(effect: Effect) -> None:
        factories.person(name="Half done")
        raise ValueError

    doings.answer = half
    workflow.add("test.inside", "a")
    workflow.run_next("default")
    assert not Person.objects.filter(name="Half done").exists()


def test_queues_do_not_wait_for_each_other(doings: Doings) -> None:
    workflow.add("test.inside", "a", queue="pack")
    workflow.add("test.inside", "b")
    assert workflow.drain("default") == 1
    assert doings.done == ["b"]


def test_a_drain_ends_in_time_and_asks_for_another(
    doings: Doings, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[str] = []
    monkeypatch.setattr(workflow, "wake", woken.append)
    for key in "abc":
        workflow.add("test.inside", key)
    woken.clear()
    assert workflow.drain("default", within=timedelta(0)) == 1
    assert woken == ["default"]


@pytest.mark.parametrize("error", [OperationalError("gone"), ConnectionError("gone"), OSError()])
def test_a_broker_that_is_away_harms_nothing(
    error: Exception, doings: Doings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(queue: str) -> None:
        raise error

    monkeypatch.setattr(tasks, "_send", gone)
    monkeypatch.setattr(workflow, "wake", tasks.wake_worker)
    workflow.add("test.inside", "a")
    assert only().state == State.WAITING
    assert workflow.drain("default") == 1


def test_only_what_is_dead_is_brought_back(doings: Doings) -> None:
    workflow.add("test.inside", "a")
    assert not workflow.retry(only())
    Effect.objects.update(state=State.DEAD, attempts=3)
    assert workflow.retry(only())
    assert workflow.drain("default") == 1
    assert not workflow.retry(only())
    assert doings.done == ["a"]


@pytest.mark.slow
def test_a_killed_celery_worker_loses_and_doubles_nothing(
    celery_worker: Any, settings: Any
) -> None:
    """Eight packs are asked for; the worker is killed in between and another one goes on."""
    from qms.pack import workflow as packs
    from qms.pack.models import Pack

    manager = factories.person("quality_manager")
    made: list[Pack] = []
    for at in range(8):
        pack = packs.plan_pack(by=manager, preset="nc_response")
        packs.build(pack, by=manager, proof=factories.proof(manager))
        made.append(pack)
        if at == 3:
            celery_worker.process.kill()
            celery_worker.process.wait()
            # What it held is free as soon as its lease ends; here it ends now.
            Effect.objects.filter(state=State.LEASED).update(
                leased_until=now() - timedelta(seconds=1)
            )
    celery_worker.log.write_text("")
    celery_worker.start()
    workflow.wake("pack")
    import time

    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and Pack.objects.exclude(status="ready").exists():
        time.sleep(0.5)
        workflow.wake("pack")
    assert list(Pack.objects.values_list("status", flat=True).distinct()) == ["ready"]
    for pack in made:
        states = [row.status for row in pack.history.order_by("history_id")]
        assert states == ["draft", "requested", "building", "ready"], "each step exactly once"
