"""The processes of docker-compose.yml, started by hand with production settings."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qms.local.checks import production_environment
from qms.local.launch import port_is_free
from qms.local.processes import spawn, stop
from tests.settings import ROOT

HOST = "qms.example.com"


def _environment(**more: str) -> dict[str, str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    given = production_environment(os.environ["DATABASE_URL"])
    return {**keep, **given, "REDIS_URL": os.environ["REDIS_URL"], **more}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _web(log: Path, **more: str) -> Iterator[int]:
    port = _free_port()
    env = _environment(
        WEB_BIND=f"127.0.0.1:{port}",
        WEB_WORKERS="1",
        DATABASE_POOL="2",
        VAR_DIR=str(log.parent),
        **more,
    )
    with log.open("wb") as output:
        command = [sys.executable, "-m", "gunicorn", "qms.wsgi"]
        web = spawn(command, env=env, cwd=ROOT, output=output)
    try:
        deadline = time.monotonic() + 30
        while port_is_free(port):
            if web.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"The web server did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)
        yield port
    finally:
        stop(web, signal.SIGTERM, patience=20)
    assert web.returncode == 0


def _get(port: int, path: str) -> tuple[int, str, dict[str, str]]:
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    web.request("GET", path, headers={"Host": HOST})
    answer = web.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return answer.status, answer.read().decode(), headers


def _probe(port: int) -> tuple[int, str]:
    """What a container's own look at its web server says."""
    looked = subprocess.run(
        [sys.executable, "-m", "qms.local.probe", "/readyz/"],
        cwd=ROOT,
        env=_environment(WEB_BIND=f"0.0.0.0:{port}"),
        capture_output=True,
        text=True,
        check=False,
    )
    return looked.returncode, looked.stdout


@pytest.mark.slow
def test_web_server_tells_its_health_and_sends_people_to_tls(tmp_path: Path) -> None:
    with _web(tmp_path / "web.log") as port:
        assert _get(port, "/healthz/")[:2] == (200, "ok\n")
        assert _get(port, "/readyz/")[:2] == (200, "ready\n")
        status, _, headers = _get(port, "/accounts/login/")
        assert (status, headers["location"]) == (301, f"https://{HOST}/accounts/login/")
        assert _probe(port) == (0, "200 ready\n")


@pytest.mark.slow
def test_web_server_without_its_servers_lives_but_is_not_ready(tmp_path: Path) -> None:
    gone = {"DATABASE_URL": "postgres://qms:x@127.0.0.1:1/qms", "REDIS_URL": "redis://127.0.0.1:1"}
    with _web(tmp_path / "web.log", **gone) as port:
        assert _get(port, "/healthz/")[0] == 200
        assert _probe(port) == (1, "503 waiting for: database, broker\n"), "in the probe's time"


@pytest.mark.slow
def test_worker_answers_its_health_check_and_ends_when_asked(tmp_path: Path) -> None:
    env = _environment(VAR_DIR=str(tmp_path))
    celery = [sys.executable, "-m", "celery", "-A", "qms.celery"]
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        command = [*celery, "worker", "-Q", "pack", "-c", "1", "-n", "pack@here"]
        worker = spawn(command, env=env, cwd=ROOT, output=output)
    try:
        deadline = time.monotonic() + 40
        while " ready." not in log.read_text():
            assert worker.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        ping = [*celery, "inspect", "ping", "-d", "pack@here", "-t", "10"]
        done = subprocess.run(ping, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "pong" in done.stdout
    finally:
        stop(worker, signal.SIGTERM, patience=20)
    assert worker.returncode == 0


def test_production_names_each_missing_variable_and_nothing_else() -> None:
    env = _environment()
    del env["SECRET_KEY"], env["EMAIL_HOST"]
    done = _python("import qms.settings", env)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "  SECRET_KEY: " in done.stderr
    assert "  EMAIL_HOST: " in done.stderr
    assert "  DATABASE_URL: " not in done.stderr


def test_nothing_given_means_production_and_a_weak_secret_is_refused() -> None:
    env = _environment(SECRET_KEY="short")
    del env["QMS_MODE"]
    done = _python("import qms.settings", env)
    assert done.returncode == 1
    assert done.stderr.startswith("SECRET_KEY is shorter than 50 characters.")


def test_web_server_with_missing_settings_ends_instead_of_trying_for_ever() -> None:
    env = {"PATH": os.environ["PATH"], "WEB_BIND": f"127.0.0.1:{_free_port()}"}
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "qms.wsgi"],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert "These environment variables are missing" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "name", "host", "port", "password"),
    [
        ("postgres://a:b@db:5433/c", "c", "db", "5433", "b"),
        ("postgres://a:b%40%2F@db/c", "c", "db", "", "b@/"),
        ("postgres://a@%2Frun%2FUpper%20Case/c", "c", "/run/Upper Case", "", ""),
        ("postgres://a:b@[::1]:5433/c", "c", "::1", "5433", "b"),
        ("postgres://a:b@/c?host=%2Frun%2Fpg", "c", "/run/pg", "", "b"),
    ],
)
def test_database_addresses_are_read_as_they_are_written(
    url: str, name: str, host: str, port: str, password: str
) -> None:
    from qms.settings import database

    found = database(url)
    assert (found["NAME"], found["HOST"], found["PORT"]) == (name, host, port)
    assert found["PASSWORD"] == password


def test_parameters_of_a_database_address_reach_the_driver() -> None:
    from qms.settings import database

    assert database("postgres://a:b@db/c?sslmode=require")["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://:p@host:6379/2", "redis://:p@host:6379/2"),
        ("unix:///run/valkey.sock?db=3", "redis+socket:///run/valkey.sock?virtual_host=3"),
    ],
)
def test_broker_address_is_written_as_celery_wants_it(url: str, expected: str) -> None:
    from qms.settings import broker

    assert broker(url) == expected


def _python(program: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
