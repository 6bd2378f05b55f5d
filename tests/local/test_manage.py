"""The command line says in one sentence what is missing around it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qms.local.stack import without_password
from tests.settings import ROOT

NOWHERE = "postgres://qms:secret@127.0.0.1:1/qms"


def _manage(*words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**kept, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("command", ["migrate", "check", "showmigrations", "shell"])
def test_unreachable_database_is_one_sentence(command: str) -> None:
    done = _manage(
        command, QMS_MODE="demo", DATABASE_URL=NOWHERE, REDIS_URL="redis://127.0.0.1:1/0"
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("The database at postgres://127.0.0.1:1/qms does not answer: ")
    assert done.stderr.strip().endswith("Start it, or correct DATABASE_URL.")
    assert "secret" not in done.stderr + done.stdout


def test_address_that_is_no_address_is_one_sentence() -> None:
    done = _manage("migrate", QMS_MODE="demo", DATABASE_URL="nonsense")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "correct DATABASE_URL" in done.stderr


@pytest.mark.slow
def test_wait_names_the_broker_that_does_not_answer() -> None:
    done = _manage(
        "wait",
        "--seconds",
        "0.2",
        QMS_MODE="demo",
        DATABASE_URL=os.environ["DATABASE_URL"],
        REDIS_URL="redis://:secret@127.0.0.1:1/0",
    )
    assert done.returncode == 1
    assert "The Redis server at redis://127.0.0.1:1/0 does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.slow
def test_wait_ends_at_once_when_both_answer() -> None:
    done = _manage(
        "wait",
        "--seconds",
        "0",
        QMS_MODE="demo",
        DATABASE_URL=os.environ["DATABASE_URL"],
        REDIS_URL=os.environ["REDIS_URL"],
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_developers_command_brings_its_own_servers_and_takes_them_away(folder: Path) -> None:
    program = "from django.db import connection as c; u = c.cursor(); u.execute('select 40 + 2')"
    done = _manage("shell", "-v0", "-c", f"{program}; print(u.fetchone())", VAR_DIR=str(folder))
    assert (done.returncode, done.stdout) == (0, "(42,)\n"), done.stderr
    assert not (folder / "postgres" / "postmaster.pid").exists()
    assert not (folder / "run" / "valkey.sock").exists()


def test_addresses_on_a_screen_carry_no_password() -> None:
    assert without_password("redis://:p@h:6379/1?x=p") == "redis://h:6379/1"
    assert without_password("postgres://u:p@h/n") == "postgres://h/n"
