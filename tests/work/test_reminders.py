"""Reminders: before, on and after the day, caught up after a pause, and never twice."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import current_app
from django.conf import settings as product
from django.core import mail
from django.db import connection, connections
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.clock import now
from qms.local.processes import spawn, stop
from qms.outbox import workflow as outbox
from qms.outbox.models import Effect
from qms.people.models import Person
from qms.periods import today
from qms.work.models import Reminder, WorkItem
from qms.work.tasks import LOCK, remind_on
from qms.work.workflow import STAGES, latest_stage, reminders_due
from qms.workflow import amend
from tests import factories

DUE = date(2026, 9, 10)


@pytest.fixture
def manager(db: None) -> Person:
    return factories.person("quality_manager")


@pytest.fixture
def owner(db: None) -> Person:
    return factories.person("employee", name="Ola Owner")


def promised(by: Person, owner: Person, *, due: date = DUE, title: str = "Label the racks") -> Any:
    return actions.plan_action(by=by, title=title, owner=owner, due=due)


def mails_of(day: date) -> list[Any]:
    """What one look at the clock on this day sends, really composed and delivered."""
    mail.outbox.clear()
    remind_on(day)
    outbox.drain("default")
    return list(mail.outbox)


# --- when -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_is_due_on_its_day_and_not_the_day_before(stage: int) -> None:
    day = DUE + timedelta(days=stage)
    assert latest_stage(DUE, day) == stage
    assert latest_stage(DUE, day - timedelta(days=1)) != stage


@pytest.mark.slow
def test_a_scheduler_that_looks_every_day_reminds_at_each_stage_once(
    manager: Person, owner: Person
) -> None:
    promised(manager, owner)
    start = DUE - timedelta(days=30)
    reminded = [day for n in range(90) if mails_of(day := start + timedelta(days=n))]
    assert reminded == [DUE + timedelta(days=stage) for stage in STAGES]


@pytest.mark.parametrize("slept_until", [-5, 0, 3, 200])
def test_after_a_pause_one_digest_catches_up_with_the_latest_stage(
    manager: Person, owner: Person, slept_until: int
) -> None:
    """A scheduler that stood still on the very day must not skip the reminder for good."""
    promised(manager, owner)
    woke = DUE + timedelta(days=slept_until)
    assert len(mails_of(woke)) == 1
    assert Reminder.objects.get().stage == latest_stage(DUE, woke)
    assert mails_of(woke) == []
    assert mails_of(woke + timedelta(days=1)) == [] or slept_until in {-2, -1, 0, 6}


def test_what_is_due_and_what_is_late_stand_apart_in_one_digest(
    manager: Person, owner: Person
) -> None:
    late = promised(manager, owner, due=DUE - timedelta(days=14), title="Calibrate the scale")
    soon = promised(manager, owner, due=DUE + timedelta(days=1), title="Train the night shift")
    promised(manager, owner, due=DUE + timedelta(days=60), title="Far away")
    (sent,) = mails_of(DUE)
    assert parseaddr(sent.to[0]) == (owner.name, owner.email)
    assert sent.subject == "2 things to do, 1 overdue"
    body = sent.body
    assert body.index("Overdue") < body.index(late.title) < body.index("Due soon")
    assert body.index("Due soon") < body.index(soon.title)
    assert "Far away" not in body
    assert late.get_absolute_url() in body


def test_everybody_with_the_role_is_reminded(owner: Person) -> None:
    """An action the system asked for waits for the quality managers, by role."""
    managers = [factories.person("quality_manager") for _ in range(2)]
    statement = promised(managers[0], owner)
    items = reminders_due(DUE)
    assert set(items) == {owner}
    WorkItem.objects.filter(record_id=statement.pk).update(person=None, role="quality_manager")
    assert sorted(parseaddr(message.to[0])[1] for message in mails_of(DUE)) == sorted(
        each.email for each in managers
    )


# --- who and what no longer -----------------------------------------------------------------------


def test_done_is_done(manager: Person, owner: Person) -> None:
    action = promised(manager, owner)
    actions.complete(action, by=owner, result="The racks are labelled.")
    assert mails_of(DUE) == []


def test_who_left_gets_nothing_even_when_the_mail_was_written_before(
    manager: Person, owner: Person
) -> None:
    promised(manager, owner)
    mail.outbox.clear()
    assert remind_on(DUE) == 1
    owner.is_active = False
    owner.save_because("Left the company.", by=manager)
    outbox.drain("default")
    assert mail.outbox == []
    assert reminders_due(DUE + timedelta(days=1)) == {}


def test_a_new_date_is_reminded_anew_also_on_the_same_day(manager: Person, owner: Person) -> None:
    action = promised(manager, owner)
    assert len(mails_of(DUE)) == 1
    amend(action, by=manager, changes={"due": DUE + timedelta(days=1)}, reason="One day more.")
    (again,) = mails_of(DUE)
    assert again.subject == "1 thing to do"
    assert mails_of(DUE) == []


def test_a_changed_title_reminds_nobody_again(manager: Person, owner: Person) -> None:
    action = promised(manager, owner)
    assert len(mails_of(DUE)) == 1
    amend(action, by=manager, changes={"title": "Label all racks"}, reason="Clearer.")
    assert mails_of(DUE) == []


# --- never twice, whoever asks at once ------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_remind_once() -> None:
    manager, owner = factories.person("quality_manager"), factories.person("employee")
    for at in range(5):
        promised(manager, owner, due=DUE + timedelta(days=at % 2), title=f"Thing {at}")
    gate = threading.Barrier(4)
    troubles: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(3):
                gate.wait(timeout=20)
                remind_on(DUE)
        except Exception as trouble:
            troubles.append(trouble)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert Reminder.objects.count() == 5
    assert Effect.objects.filter(kind="mail").count() == 1


@pytest.mark.django_db(transaction=True)
def test_while_one_reminds_another_leaves_it_to_it() -> None:
    manager, owner = factories.person("quality_manager"), factories.person("employee")
    promised(manager, owner)
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [LOCK])
        answer: list[int] = []

        def other() -> None:
            answer.append(remind_on(DUE))
            connections.close_all()

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        cursor.execute("select pg_advisory_unlock(%s)", [LOCK])
    assert answer == [0]
    assert not Reminder.objects.exists()
    assert remind_on(DUE) == 1, "and the next beat does it"


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_halfway_leaves_nothing_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark and the mail are one transaction: marked without mail would be silence for good."""
    manager, owner = factories.person("quality_manager"), factories.person("employee")
    promised(manager, owner)

    def dies(*_: Any, **__: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("qms.work.tasks.send_mail", dies)
        with pytest.raises(SystemExit):
            remind_on(DUE)
    assert not Reminder.objects.exists()
    assert remind_on(DUE) == 1
    assert Effect.objects.filter(kind="mail").count() == 1


# --- the schedule ---------------------------------------------------------------------------------


def scheduled() -> dict[str, dict[str, Any]]:
    return dict(product.CELERY_BEAT_SCHEDULE)


def test_every_task_of_ours_is_on_the_schedule() -> None:
    """Whoever writes a task says when it runs, or nobody ever runs it."""
    current_app.loader.import_default_modules()
    ours = {name for name in current_app.tasks if not name.startswith("celery.")}
    planned = {entry["task"] for entry in scheduled().values()}
    assert planned == ours
    assert {"outbox.drain", "work.remind", "documents.take_effect"} <= ours


def test_every_queue_an_effect_may_use_is_drained() -> None:
    """Packs wait in a queue of their own, which is looked at as often as the other."""
    drained = [each for each in scheduled().values() if each["task"] == "outbox.drain"]
    assert {entry["args"][0] for entry in drained} == {"default", "pack"}
    for entry in drained:
        assert entry["options"]["queue"] == entry["args"][0]
        assert entry["schedule"] <= 10


@pytest.mark.django_db
def test_a_message_that_waited_longer_than_a_beat_is_dropped() -> None:
    """After a pause of the workers each task runs once, not once for every missed beat.

    Read from the scheduler's own table: it drops options it does not know without a word.
    """
    for name, entry in scheduled().items():
        kept = ModelEntry.from_entry(name, app=current_app, **entry).model
        assert kept.expire_seconds, name
        assert kept.expire_seconds <= entry["schedule"], name
        assert (kept.queue or "default") == entry["options"].get("queue", "default")


@contextmanager
def beat(log: Path) -> Iterator[None]:
    """The real scheduler, on this test's database and broker."""
    database = connection.settings_dict["NAME"]
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
    env = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "qms.settings"}
    command = [sys.executable, "-m", "celery", "-A", "qms.celery", "beat", "--pidfile="]
    with log.open("ab") as output:
        process = spawn(command, env=env, cwd=Path(product.BASE_DIR), output=output)
    try:
        yield
    finally:
        stop(process, signal.SIGTERM, patience=15)


def last_looked(ago: timedelta) -> None:
    """The scheduler wrote this into its table when it last looked at reminders."""
    every, _ = IntervalSchedule.objects.get_or_create(every=900, period="seconds")
    PeriodicTask.objects.update_or_create(
        name="remind",
        defaults={"task": "work.remind", "interval": every, "last_run_at": now() - ago},
    )


def looked() -> int:
    """How often the worker looked for reminders and came to an end."""
    workers = current_app.control.inspect(timeout=1)
    running = [task["name"] for tasks in (workers.active() or {}).values() for task in tasks]
    taken = sum(said["total"].get("work.remind", 0) for said in (workers.stats() or {}).values())
    return taken - running.count("work.remind")


def letters() -> int:
    return len(list(Path(product.EMAIL_FILE_PATH).glob("*.log")))


@pytest.mark.slow
def test_scheduler_and_worker_catch_up_after_both_stood_still(
    celery_worker: Any, tmp_path: Path
) -> None:
    """The day passed while nothing ran. Once they run again: one mail, and no second one."""
    manager, owner = factories.person("quality_manager"), factories.person("employee")
    action: Action = promised(manager, owner, due=today() - timedelta(days=2))
    before, log = letters(), tmp_path / "beat.log"
    for looks in (1, 2):  # the second start finds everything done
        last_looked(ago=timedelta(days=3))
        with beat(log):
            deadline = time.monotonic() + 120
            while looked() < looks or letters() == before:
                assert time.monotonic() < deadline, log.read_text()[-3000:]
                time.sleep(0.2)
    assert letters() == before + 1
    reminder = Reminder.objects.get()
    assert (reminder.record_id, reminder.person, reminder.stage) == (action.pk, owner, 1)
    assert Effect.objects.filter(kind="mail", state=Effect.State.DONE).count() == 1
