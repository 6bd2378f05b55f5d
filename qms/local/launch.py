"""`make demo`: servers, web, workers and schedule in one terminal, stopped together by Ctrl-C."""

import argparse
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import IO

import psycopg

from qms.local.processes import PR_SET_PDEATHSIG, NotReady, spawn, stop
from qms.local.stack import ROOT, Stack
from qms.local.system import require_libraries

COMPANY = "ca-manufacturer"
PACKAGES = ("qms", "documents", "objectives", "audits", "capa", "reviews")
COLOURS = {"web": "36", "worker": "32", "packs": "35", "schedule": "33"}
READY_SECONDS = 60.0
EVERY_PROGRAM = {
    "PYTHONUNBUFFERED": "1",
    # In a container root is often the only account there is; Celery says so in eight lines.
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
}
BUILD_MARK = "demo-is-being-built"
EMPTY = "qms_empty"  # the migrated database without a company, while one is built


class Stopped(Exception):
    """Somebody asked us to end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo until asked to stop. Returns the exit code."""
    given = _arguments(arguments)
    _end_with_make()
    _listen_for_the_end()
    try:
        run(given.port, given.company, given.months)
    except NotReady as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        return 1
    except Stopped:
        return 0
    return 0


def run(port: int, company: str, months: int) -> None:
    """Prepare everything, then serve on this port. Raises NotReady or Stopped."""
    require_libraries()
    refuse_taken_port(port)
    stack = Stack()
    if not stack.own():
        raise NotReady(
            f"This folder's demo or a command of it runs already (process {stack.owner()})."
            " Stop it first, or use another clone."
        )
    try:
        os.environ.update(stack.environment())
        os.environ["QMS_MODE"] = "demo"
        os.environ.setdefault("PUBLIC_URL", f"http://localhost:{port}")
        if stack.postgres is not None and not stack.postgres.data.is_relative_to(stack.folder):
            say(f"PostgreSQL may not enter this folder; its data is in {stack.postgres.data}.")
        say("Starting the database and the broker …")
        stack.start()
        prepare(stack, company, months)
        serve(port)
    finally:
        # The servers are stopped whatever comes; a second Ctrl-C must not leave them behind.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        stack.stop()
        say("Stopped.")


def prepare(stack: Stack, company: str, months: int) -> None:
    """Bring the tables up to date, build the company once, gather the static files."""
    mark = stack.folder / BUILD_MARK
    if mark.exists() and stack.postgres is not None:
        say("The last start was interrupted while it built the company. Starting it over …")
        _empty_database(stack.postgres.url("postgres"))
        mark.unlink()
    bring_tables_up_to_date(stack.folder)
    if is_empty(os.environ["DATABASE_URL"]) and has_command("build_demo"):
        say(f"Building the company {company} …")
        if stack.postgres is not None:
            _keep_empty_database(stack.postgres.url("postgres"))
        mark.touch()
        manage("build_demo", "--company", company, "--months", str(months))
        mark.unlink()
        if stack.postgres is not None:
            _forget_empty_database(stack.postgres.url("postgres"))
    gather_static_files(stack.folder)


def serve(port: int) -> None:
    """Run web server, workers and schedule; return only by an exception."""
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "qms.celery"]
    worker = [*celery, "worker", "--without-gossip", "--without-mingle"]
    programs = {
        "web": [sys.executable, "-m", "gunicorn", "qms.wsgi", "--workers", "1", "--threads", "8"],
        "worker": [*worker, "-Q", "default", "-c", "1", "-n", "default@%h"],
        "packs": [*worker, "-Q", "pack", "-c", "1", "-n", "pack@%h"],
        "schedule": [*celery, "beat", "--pidfile="],
    }
    more = {"web": {"WEB_BIND": f"127.0.0.1:{port}", "DATABASE_POOL": "8"}}
    with running(programs, more) as children:
        wait_for_page(f"http://127.0.0.1:{port}/healthz/", children["web"])
        _welcome(port)
        while True:
            for name, child in children.items():
                if child.poll() is not None:
                    raise NotReady(
                        f"The {name} process ended by itself (code {child.returncode});"
                        " its last lines stand above. Everything is stopped."
                    )
            time.sleep(0.3)


@contextlib.contextmanager
def running(
    programs: dict[str, list[str]], more: dict[str, dict[str, str]]
) -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
    """Run programs side by side with prefixed lines; all are stopped at the end."""
    children: dict[str, subprocess.Popen[bytes]] = {}
    readers: list[threading.Thread] = []
    try:
        for name, command in programs.items():
            env = {**os.environ, **EVERY_PROGRAM, **more.get(name, {})}
            # The schedule keeps nothing unsaved, and asked to end just as the broker goes away
            # it may wait for ever: the kernel ends it outright when we are killed.
            death = signal.SIGKILL if name == "schedule" else signal.SIGTERM
            child = spawn(command, env=env, cwd=ROOT, output=subprocess.PIPE, death_signal=death)
            children[name] = child
            assert child.stdout is not None  # noqa: S101 - asked for just above
            reader = threading.Thread(target=_relay, args=(name, child.stdout), daemon=True)
            reader.start()
            readers.append(reader)
        yield children
    finally:
        _stop_all(children)
        for reader in readers:
            reader.join(timeout=2)


def _stop_all(children: dict[str, "subprocess.Popen[bytes]"]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    for child in children.values():
        stop(child, signal.SIGTERM, patience=15)
        # A worker's own children share its group; none may outlive it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)


# Steps


def refuse_taken_port(port: int) -> None:
    """Raise NotReady, with a free port to use instead, when something listens on this one."""
    if port_is_free(port):
        return
    free = next((other for other in range(port + 1, 65536) if port_is_free(other)), None)
    advice = f" Start with `make demo PORT={free}`." if free else ""
    raise NotReady(f"Port {port} is in use by another program.{advice}")


def port_is_free(port: int) -> bool:
    """Whether we could listen on this port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def manage(*arguments: str) -> str:
    """Run one command of manage.py, show what it says, and stop when it fails."""
    with running_command([sys.executable, "manage.py", *arguments]) as child:
        assert child.stdout is not None  # noqa: S101 - asked for in running_command
        said = []
        for line in child.stdout:
            said.append(line.decode(errors="replace"))
            print(f"  {said[-1]}", end="", flush=True)
        if child.wait() != 0:
            raise NotReady(f"`manage.py {arguments[0]}` failed; what it said stands above.")
    return "".join(said)


@contextlib.contextmanager
def running_command(command: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """One child whose output is read here, ended when we are interrupted."""
    child = spawn(command, cwd=ROOT, output=subprocess.PIPE)
    try:
        yield child
    finally:
        stop(child, signal.SIGTERM, patience=10)


def has_command(name: str) -> bool:
    """Whether some app brings this command of manage.py."""
    return any(ROOT.glob(f"**/management/commands/{name}.py"))


def is_empty(url: str) -> bool:
    """Whether the migrated database has no person but the system's own."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select exists (select 1 from people_person where password not like '!%'"
            " and password <> '')"
        ).fetchone()
    return row == (False,)


def bring_tables_up_to_date(folder: Path) -> None:
    """Migrate, unless neither the program nor the list of migrations changed since the last time.

    The program as a whole, because roles and other tables in code are brought along.
    """
    stamp = folder / "migrated.stamp"
    url = os.environ["DATABASE_URL"]
    program = program_state()
    if stamp.exists() and stamp.read_text() == f"{program} {_migrations_in(url)}":
        return
    say("Bringing the tables up to date …")
    manage("migrate", "--verbosity", "0")
    stamp.write_text(f"{program} {_migrations_in(url)}")


def program_state() -> str:
    """A mark that changes with any source file of the product."""
    return _state_of(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


def _migrations_in(url: str) -> str:
    """What tells this database's migrations from another's: when each was applied."""
    with psycopg.connect(url) as connection:
        known = connection.execute("select to_regclass('django_migrations')").fetchone()
        if known is None or known[0] is None:
            return "none"
        row = connection.execute(
            "select md5(string_agg(app || name || applied::text, ',' order by id))"
            " from django_migrations"
        ).fetchone()
        return str(row[0]) if row else "none"


def _state_of(paths: Iterable[Path]) -> str:
    """A mark that changes when one of these files does."""
    state = sha256()
    for path in sorted(paths):
        if path.is_file():
            facts = path.stat()
            state.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    state.update((ROOT / "requirements-dev.lock").read_bytes())
    return state.hexdigest()


def gather_static_files(folder: Path) -> None:
    """Hash and compress the static files, unless nothing changed since the last time."""
    stamp = folder / "static.stamp"
    state = _state_of((ROOT / "static").rglob("*"))
    if stamp.exists() and stamp.read_text() == state:
        return
    say("Gathering the static files …")
    manage("collectstatic", "--noinput", "--clear", "--verbosity", "0")
    stamp.write_text(state)


def wait_for_page(address: str, web: "subprocess.Popen[bytes]") -> None:
    """Wait until the page answers 200. Raises NotReady when the server ended or is too slow."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if web.poll() is not None:
            raise NotReady("The web server did not start; what it said stands above.")
        with contextlib.suppress(OSError):  # not yet listening, or not yet well
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - our own address
            return
        time.sleep(0.1)
    raise NotReady(f"The web server did not answer within {READY_SECONDS:.0f} seconds.")


def sign_ins() -> str:
    """The demo's sign-ins by role, as the demo's builder tells them; empty without one."""
    if not has_command("demo_sign_ins"):
        return ""
    done = subprocess.run(
        [sys.executable, "manage.py", "demo_sign_ins"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip("\n") if done.returncode == 0 else done.stderr.strip()


def say(sentence: str) -> None:
    """One line of our own in the terminal."""
    print(sentence, flush=True)


# Inside


def _welcome(port: int) -> None:
    lines = ["", f"The QMS runs at http://localhost:{port}/", ""]
    people = sign_ins()
    if people:
        lines += ["Sign in as:", people, ""]
    lines.append("Ctrl-C stops everything; the data stays.")
    say("\n".join(lines) + "\n")


def _relay(name: str, stream: IO[bytes]) -> None:
    colour, end = ("", "")
    if sys.stdout.isatty():
        colour, end = f"\033[{COLOURS.get(name, '0')}m", "\033[0m"
    for line in stream:
        text = line.decode(errors="replace").rstrip()
        print(f"{colour}{name:<8} |{end} {text}", flush=True)


def _keep_empty_database(url: str) -> None:
    """Copy the database before the company is built: starting over need not migrate again."""
    _forget_empty_database(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"create database {EMPTY} template qms")


def _forget_empty_database(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {EMPTY}")


def _empty_database(url: str) -> None:
    """Put the copy in place of what was half built."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop database if exists qms with (force)")
        kept = connection.execute("select 1 from pg_database where datname = %s", [EMPTY])
        if kept.fetchone() is None:
            connection.execute("create database qms")
        else:
            connection.execute(f"alter database {EMPTY} rename to qms")


def _listen_for_the_end() -> None:
    def end(number: int, frame: FrameType | None) -> None:
        raise Stopped

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)


def _end_with_make() -> None:
    """Killed make leaves no demo behind: the kernel tells us when it is gone."""
    if os.environ.get("MAKELEVEL") and os.uname().sysname == "Linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=_port, default=8000)
    parser.add_argument("--company", default=COMPANY)
    parser.add_argument("--months", type=int, default=36, choices=range(1, 61), metavar="1-60")
    return parser.parse_args(given)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port. Give a number from 1 to 65535.")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
