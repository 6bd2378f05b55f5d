"""PostgreSQL and Valkey of this working folder, shared by the demo and the commands beside it.

Each is started only when its address (`DATABASE_URL`, `REDIS_URL`) is not given.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import psycopg
import redis

from qms.local.postgres import Postgres
from qms.local.processes import NotReady
from qms.local.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent.parent


def var_folder() -> Path:
    """Where everything made on this machine is kept."""
    return Path(os.environ.get("VAR_DIR", str(ROOT / "var"))).absolute()


class Stack:
    """The servers, who may stop them, and the environment that leads to them."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or var_folder()
        make_folder(self.folder)
        logs = self.folder / "log"
        make_folder(logs)
        self.postgres = None
        self.valkey = None
        if not os.environ.get("DATABASE_URL"):
            self.postgres = Postgres(self.folder, log=logs / "postgres.log")
        if not os.environ.get("REDIS_URL"):
            self.valkey = Valkey(self.folder, log=logs / "valkey.log")
        self._lock: IO[str] | None = None

    def own(self) -> bool:
        """Take charge of the servers; False when another process has."""
        self._lock = _open_lock(self.folder / "stack.lock")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            return False
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        return True

    def owner(self) -> str:
        """The process number of who is in charge, for sentences."""
        return (self.folder / "stack.lock").read_text().strip() or "unknown"

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to find the servers and its secret."""
        found = {"VAR_DIR": str(self.folder)}
        if self.postgres is not None:
            found["DATABASE_URL"] = self.postgres.url()
        if self.valkey is not None:
            found["REDIS_URL"] = self.valkey.url()
        if not os.environ.get("SECRET_KEY"):
            found["SECRET_KEY"] = self._secret_key()
        return found

    def start(self) -> None:
        """Start what is ours; look at what was given. Raises NotReady with a sentence."""
        if self.postgres is None:
            look_at_database(os.environ["DATABASE_URL"])
        else:
            self.postgres.start()
        if self.valkey is None:
            look_at_broker(os.environ["REDIS_URL"])
        else:
            self.valkey.start()

    def stop(self) -> None:
        """Stop what is ours, the database last."""
        if self._lock is None:
            return
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()
        self._lock.close()
        self._lock = None

    def wait_for_others(self) -> None:
        """Wait until no command beside us uses the servers any more."""
        with _open_lock(self.folder / "users.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

    def _secret_key(self) -> str:
        path = self.folder / "secret-key"
        if not path.exists() or not path.read_text().strip():
            draft = path.with_name(f".secret-key-{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(64))
            draft.rename(path)
        return path.read_text().strip()


@contextlib.contextmanager
def attached() -> Iterator[None]:
    """For one command in development: the running servers, or ones of its own until it ends.

    Sets the environment that leads to them. Raises NotReady with a sentence.
    """
    stack = Stack()
    with _open_lock(stack.folder / "users.lock") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        in_charge = stack.own()
        os.environ.update(stack.environment())
        try:
            if in_charge:
                stack.start()
            yield
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            if in_charge:
                stack.wait_for_others()
                stack.stop()


def look_at_database(url: str) -> None:
    """Raise NotReady with a sentence when no database answers at this address."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except (psycopg.Error, ValueError) as problem:
        raise NotReady(
            f"The database at {without_password(url)} does not answer: {_reason(problem)}."
            " Start it, or correct DATABASE_URL."
        ) from problem


def look_at_broker(url: str) -> None:
    """Raise NotReady with a sentence when no Redis-compatible server answers at this address."""
    try:
        redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5).ping()
    except (redis.RedisError, OSError, ValueError) as problem:
        raise NotReady(
            f"The Redis server at {without_password(url)} does not answer: {_reason(problem)}."
            " Start it, or correct REDIS_URL."
        ) from problem


def without_password(url: str) -> str:
    """An address fit for a screen: no password, no parameters."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}"


def _reason(problem: Exception) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(problem).__name__


def make_folder(folder: Path) -> None:
    """Make a folder of ours, or say in a sentence why it cannot be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise NotReady(
            f"The folder {folder} cannot be made: {problem.strerror}."
            " Free the place, or set VAR_DIR to another folder."
        ) from problem
    if not os.access(folder, os.W_OK):
        raise NotReady(
            f"The folder {folder} belongs to another user. Start as that user,"
            " or set VAR_DIR to a folder of yours."
        )


def _open_lock(path: Path) -> IO[str]:
    try:
        return path.open("a+")
    except PermissionError as problem:
        raise NotReady(
            f"{path.parent} was made by another user. Start as that user,"
            " or set VAR_DIR to a folder of yours."
        ) from problem
