"""`make demo`: starts whole, says what is wrong in a sentence, leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest

from qms.local import launch
from qms.local.postgres import Postgres
from qms.local.processes import NotReady, is_zombie
from qms.local.stack import Stack
from tests import template
from tests.sampling import PROVING
from tests.settings import ROOT


class Demo:
    """One run of the demo, as `make demo` starts it."""

    def __init__(self, folder: Path, port: int, **more: str) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qms.local.launch", "--port", str(port), "--months", "2"],
            cwd=ROOT,
            env={**kept, "VAR_DIR": str(folder), "PYTHONUNBUFFERED": "1", **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)

    def wait_for(self, pattern: str, *, patience: float = 150) -> None:
        deadline = time.monotonic() + patience
        while not re.search(pattern, "".join(self.said)):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                pytest.fail(f"Never said {pattern!r}:\n{''.join(self.said)[-4000:]}")
            time.sleep(0.05)

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        self.process.wait(timeout=60)
        self.reader.join(timeout=10)
        return self.process.returncode


def processes_of(folder: Path) -> set[int]:
    """Living processes that belong to a run in this folder, by environment or command."""
    found = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in text and not is_zombie(int(entry.name)):
            found.add(int(entry.name))
    return found


def wait_until_none(folder: Path, patience: float = 20) -> None:
    deadline = time.monotonic() + patience
    while processes_of(folder):
        assert time.monotonic() < deadline, processes_of(folder)
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def migrated(folder: Path) -> None:
    """Put the migrated database of the tests in place, as a first start would have left it."""
    folder.mkdir(parents=True)
    template.thaw(folder)
    server = Postgres(folder)
    server.start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("drop database qms")
            connection.execute(f"alter database {template.TEMPLATE} rename to qms")
        stamp = f"{launch.program_state()} {launch._migrations_in(server.url())}"
        (folder / "migrated.stamp").write_text(stamp)
    finally:
        server.stop()


MOMENTS = (r"Starting the database", r"Bringing the tables", r"100 events")


@pytest.mark.slow
def test_demo_starts_whole_stops_whole_and_outlives_kill_at_any_moment(folder: Path) -> None:
    """One test, because even a young company takes a while to build.

    Killed while it builds the company; by `make prove` from nothing, at the moments before that
    too, and while it runs, instead of being asked to end.
    """
    port = free_port()
    program = launch.program_state()
    if not PROVING and template.CLUSTER.exists():
        migrated(folder)  # half a minute, that every run of the tests has spent itself
    for moment in MOMENTS if PROVING else MOMENTS[-1:]:
        killed = Demo(folder, port)
        killed.wait_for(moment)
        killed.process.kill()
        killed.process.wait()
        wait_until_none(folder, patience=40)

    first = Demo(folder, port)
    first.wait_for(r"The QMS runs at")
    assert "interrupted while it built the company" in "".join(first.said)
    assert "events of 2 months" in "".join(first.said), "started over, not left in the middle"
    if program == launch.program_state():  # nobody edits the source while the test runs
        assert "Bringing the tables" not in "".join(first.said), "the migrated copy took its place"
    first.wait_for(r"worker   \| .* ready\.")
    first.wait_for(r"packs    \| .* ready\.")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz/", timeout=20) as answer:
        assert answer.status == 200
    if PROVING:
        first.process.kill()
        first.process.wait()
        first.reader.join(timeout=10)
    else:
        assert first.end(signal.SIGINT) == 0
    wait_until_none(folder, patience=40)
    assert "Traceback" not in "".join(first.said)

    second = Demo(folder, port)
    second.wait_for(r"The QMS runs at")
    # What takes long is not done again; ten seconds are not asserted on a shared machine.
    assert "Building the company" not in "".join(second.said)
    if program == launch.program_state():
        assert "Bringing the tables" not in "".join(second.said)
    # One of its processes dies: the rest ends with it, and says which it was.
    (beat,) = (
        number
        for number in processes_of(folder)
        if b"\0beat\0" in Path(f"/proc/{number}/cmdline").read_bytes()
    )
    os.kill(beat, signal.SIGKILL)
    second.process.wait(timeout=60)
    second.reader.join(timeout=10)
    assert second.process.returncode == 1
    assert "The schedule process ended by itself" in "".join(second.said)
    wait_until_none(folder)


def test_taken_port_is_named_with_a_free_one(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(NotReady) as refusal:
            launch.refuse_taken_port(port)
        found = re.fullmatch(
            rf"Port {port} is in use by another program\. Start with `make demo PORT=(\d+)`\.",
            str(refusal.value),
        )
        assert found
        assert launch.port_is_free(int(found.group(1)))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "postgres://q:s3cret@127.0.0.1:1/q", "The database at postgres://127"),
        ("REDIS_URL", "redis://:s3cret@127.0.0.1:1/0", "The Redis server at redis://127"),
    ],
)
@pytest.mark.slow
def test_given_server_that_is_silent_is_one_sentence(
    folder: Path, name: str, value: str, sentence: str
) -> None:
    demo = Demo(folder, free_port(), **{name: value})
    demo.process.wait(timeout=60)
    demo.reader.join(timeout=10)
    said = "".join(demo.said)
    assert demo.process.returncode == 1
    assert sentence in said
    assert f"correct {name}." in said
    assert "Traceback" not in said
    assert "s3cret" not in said
    wait_until_none(folder)


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_port_that_is_no_port_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        launch.main(["--port", port])
    assert end.value.code == 2
    assert "is no port" in capsys.readouterr().err or port == "-1"


def test_one_process_is_in_charge_of_a_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    first, second = Stack(folder), Stack(folder)
    assert first.own()
    assert not second.own()
    assert second.owner() == str(os.getpid())
    first.stop()
    assert second.own()
    second.stop()


def test_secret_key_is_made_once_and_kept_private(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    first = Stack(folder).environment()["SECRET_KEY"]
    assert Stack(folder).environment()["SECRET_KEY"] == first
    assert len(first) >= 50
    assert (folder / "secret-key").stat().st_mode & 0o077 == 0


def test_missing_libraries_are_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    from qms.local import system

    monkeypatch.setattr(system, "LIBRARIES", {"libnothing-of-the-kind.so.9": "libnothing9"})
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    with pytest.raises(NotReady) as refusal:
        system.require_libraries()
    assert str(refusal.value) == (
        "These system libraries are missing: libnothing9. Install them and start again:\n"
        "  sudo apt-get install -y --no-install-recommends libnothing9"
    )


def test_nothing_is_asked_when_nothing_is_missing() -> None:
    from qms.local import system

    if system.missing_packages():
        pytest.skip("This machine lacks a library, which the test above is about.")
    system.require_libraries()
