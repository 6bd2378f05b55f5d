"""The embedded servers: private, short of path, and back after being killed."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from qms.local.postgres import LONGEST_SOCKET_PATH, SOCKET_NAME, Postgres, socket_folder
from qms.local.processes import NotReady, can_reach, is_zombie, server_account
from qms.local.valkey import Valkey
from tests.settings import ROOT


@pytest.fixture
def postgres(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder)
    yield server
    server.stop()


@pytest.mark.slow
def test_data_survives_a_restart_and_nobody_else_may_connect(postgres: Postgres) -> None:
    url = postgres.start()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table kept as select 1 as number")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace("qms:", "qms:wrong", 1))
    postgres.stop()
    with psycopg.connect(postgres.start()) as connection:
        assert connection.execute("select number from kept").fetchone() == (1,)
        assert connection.execute("show listen_addresses").fetchone() == ("",)
        assert connection.execute("show timezone").fetchone() == ("UTC",)


def test_password_is_for_its_owner_only(postgres: Postgres) -> None:
    postgres.url()
    mode = (postgres.home / "postgres.password").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.slow
def test_interrupted_preparation_starts_over(postgres: Postgres) -> None:
    draft = postgres.home / "postgres.new" / "cluster"
    draft.mkdir(parents=True)
    (draft / "half").write_text("an interrupted initdb leaves files")
    with psycopg.connect(postgres.start()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert not (postgres.home / "postgres.new").exists()


def test_foreign_folder_is_left_alone(postgres: Postgres) -> None:
    postgres.data.mkdir(parents=True)
    (postgres.data / "letter.txt").write_text("not a database")
    with pytest.raises(NotReady, match="is not a database folder"):
        postgres.start()
    assert (postgres.data / "letter.txt").exists()


@pytest.mark.slow
def test_server_ends_when_its_starter_is_killed_and_comes_back_with_all_rows(folder: Path) -> None:
    program = (
        "import sys, time, pathlib, psycopg\n"
        "from qms.local.postgres import Postgres\n"
        "server = Postgres(pathlib.Path(sys.argv[1]))\n"
        "with psycopg.connect(server.start(), autocommit=True) as c:\n"
        "    c.execute('create table kept as select generate_series(1, 1000) as n')\n"
        "print(server.process_id, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        server = int(starter.stdout.readline())
        starter.send_signal(signal.SIGKILL)
    again = Postgres(folder)
    try:
        with psycopg.connect(again.start()) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (1000,)
        assert again.process_id != server
        assert not _alive(server)
    finally:
        again.stop()


@pytest.mark.slow
def test_server_killed_outright_recovers(postgres: Postgres) -> None:
    with psycopg.connect(postgres.start(), autocommit=True) as connection:
        connection.execute("create table kept as select 1 as number")
    process = postgres.process_id
    assert process is not None
    os.kill(process, signal.SIGKILL)
    again = Postgres(postgres.home)
    try:
        with psycopg.connect(again.start()) as connection:
            assert connection.execute("select number from kept").fetchone() == (1,)
    finally:
        again.stop()


def test_long_paths_get_a_short_socket_folder(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30) / "var"
    home.mkdir(parents=True)
    folder = socket_folder(home, server_account())
    assert len(str(folder / SOCKET_NAME).encode()) <= LONGEST_SOCKET_PATH
    assert folder == socket_folder(home, server_account())
    assert folder != socket_folder(home / "other", server_account())


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root runs servers as somebody else.")
def test_root_in_a_closed_folder_keeps_data_where_the_server_can_come(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = Postgres(closed / "var")
    assert not can_reach(closed, server.account)
    assert can_reach(server.data.parents[1], server.account)
    assert closed not in server.data.parents


def test_missing_binaries_are_named_in_a_sentence(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("QMS_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(NotReady, match=r"No PostgreSQL 15 or newer was found\."):
        postgres.start()


@pytest.mark.slow
def test_broker_keeps_what_it_acknowledged_and_never_forgets_when_full(folder: Path) -> None:
    server = Valkey(folder)
    try:
        client = redis.Redis.from_url(server.start())
        client.set("task", "accepted")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("port") == {"port": "0"}
        time.sleep(1.1)  # appendfsync everysec
        process = server.process_id
        assert process is not None
        os.kill(process, signal.SIGKILL)
        again = Valkey(folder)
        again.start()
        assert redis.Redis.from_url(again.url()).get("task") == b"accepted"
        again.stop()
        assert not again.socket.exists()
    finally:
        server.stop()


def _alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists() and not is_zombie(process)
