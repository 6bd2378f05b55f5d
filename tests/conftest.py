"""Servers and habits of every test: an embedded PostgreSQL and Valkey of this run's own.

The process that pytest started owns the servers; workers of xdist find them by environment.
"""

import contextlib
import fcntl
import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import pytest

from qms.local.postgres import Postgres
from qms.local.processes import NotReady, spawn
from qms.local.valkey import Valkey
from tests import template
from tests.browser import MISSING, chromium, launched
from tests.settings import NAME, OURS, ROOT, STACK


class Stack:
    """The servers of one run, and the lock that keeps a kept one for one run at a time."""

    def __init__(self) -> None:
        self.lock: IO[str] | None = None
        self.servers: list[Postgres | Valkey] = []

    def start(self) -> None:
        self.lock = (STACK / "lock").open("w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotReady(
                f"Another test run uses the database {NAME}."
                " Wait for it, or choose another name: QMS_TEST_DB=test_mine."
            ) from None
        postgres = Postgres(STACK, keep=False)
        if os.environ["DATABASE_URL"] == postgres.url("postgres"):
            self.servers.append(postgres)
        if os.environ.get("QMS_TEST_REDIS") == "ours":
            self.servers.append(Valkey(STACK, keep=False))
        for server in self.servers:
            server.start()
            if isinstance(server, Postgres):
                template.prepare(server, keep="--reuse-db" not in sys.argv)

    def stop(self) -> None:
        for server in reversed(self.servers):
            server.stop()
        self.servers = []
        if self.lock is not None:
            self.lock.close()


STACK_KEY = pytest.StashKey[Stack]()


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    stack = config.stash[STACK_KEY] = Stack()
    try:
        stack.start()
    except NotReady as problem:
        stack.stop()
        pytest.exit(str(problem), returncode=1)


def pytest_unconfigure(config: pytest.Config) -> None:
    stack = config.stash.get(STACK_KEY, None)
    if stack is not None:
        stack.stop()


# What takes long begins first, so that at the end no worker waits for another's.
LONG = (
    "test_demo_starts_whole",
    "test_the_whole_loop",
    "test_scheduler_and_worker_catch_up",
    "test_a_killed_celery_worker",
    "test_worker_process_runs_tasks",
    "test_a_new_organisation_sets_itself_up",
    "test_no_page_tells_what_its_reader_may_not_see",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.name.startswith(LONG))
    if chromium() is not None:
        return
    skip = pytest.mark.skip(reason=MISSING)
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(skip)


def pytest_collection_finish() -> None:
    """Collected tests stay to the end; the collector of garbage need not look through them."""
    gc.collect()
    gc.freeze()


# Made by migrating, the same after every test.
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}


def _empty_the_tables(_case: Any) -> None:
    """After a `transaction=True` test: no rows but those of the migrations, in milliseconds.

    Django truncates all tables and makes its permissions anew, two seconds each time. Here the few
    tables with rows are emptied, the kernel's without a model too. History refuses to be deleted,
    so this one transaction stands in for a replica, where triggers and foreign keys rest; every
    promise is on in every test. (A given `DATABASE_URL` must belong to a superuser.)
    """
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        cursor.execute(
            "select format('%%I', relname) from pg_class"
            " where relkind = 'r' and relnamespace = current_schema()::regnamespace"
            " and relname <> all(%s) and pg_relation_size(oid) > 0",
            [list(KEPT_TABLES)],
        )
        tables = [name for (name,) in cursor.fetchall()]
        if not tables:
            return
        cursor.execute(
            " union all ".join(
                f"select '{name}' where exists (select from {name})"  # noqa: S608 - names of tables
                for name in tables
            )
        )
        filled = [name for (name,) in cursor.fetchall()]
        with transaction.atomic():
            cursor.execute("set local session_replication_role = replica")
            for name in filled:
                cursor.execute(f"delete from {name}")  # noqa: S608 - the name of a table


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """A server of this run's own takes its databases with it; to drop each would take seconds."""
    return django_db_keepdb or os.environ["DATABASE_URL"] == OURS


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """The databases as pytest-django makes them, emptied quickly; signed in with one question."""
    from django.test import Client, TransactionTestCase

    from tests.factories import sign_in

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _empty_the_tables)
        patch.setattr(Client, "force_login", sign_in)
        yield


@pytest.fixture(scope="module")
def for_the_file(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Rows made by fixtures of a file that ask for this stay for all its tests, and no longer.

    Each test is taken back within. What it is handed of the rows must be a copy of its own.
    """
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Rate limits, cached pieces and the organisation of one test are not another's."""
    yield
    from django.core.cache import cache

    from qms.scope import current

    current.forget()
    cache.clear()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The running Chromium of `@pytest.mark.browser` tests, one for the tests of a file."""
    with pytest.MonkeyPatch.context() as patch, launched() as running:
        # Playwright's loop runs in this thread; the database work of the tests does it no harm.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield running


@pytest.fixture
def celery_worker(
    transactional_db: None, tmp_path: Path, settings: Any
) -> Iterator["WorkerProcess"]:
    """A real worker process on this test's database and broker; `.process.kill()` is allowed."""
    from qms.celery import app

    app.conf.update(task_always_eager=False, task_eager_propagates=False)
    worker = WorkerProcess(tmp_path / "worker.log")
    try:
        worker.start()
        yield worker
    finally:
        worker.stop()
        app.conf.update(task_always_eager=True, task_eager_propagates=True)


class WorkerProcess:
    """A Celery worker beside the test, reading every queue."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.process: Any = None

    def start(self, *, queues: str = "default,pack", patience: float = 30) -> None:
        from django.db import connection

        command = [sys.executable, "-m", "celery", "-A", "qms.celery", "worker", "-Q", queues]
        command += ["--concurrency=1", "--without-gossip", "--without-mingle", "-l", "INFO"]
        database = connection.settings_dict["NAME"]
        address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
        # The product's own settings: eager tasks are the tests' habit, not the worker's.
        env = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "qms.settings"}
        with self.log.open("ab") as output:
            self.process = spawn(command, env=env, cwd=ROOT, output=output)
        self._wait_until_ready(patience)

    def _wait_until_ready(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        while " ready." not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"The worker did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """At once; how a worker ends that is asked to is tried in `tests/local/`."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
