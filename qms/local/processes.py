"""Child processes that never outlive the process that started them."""

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

# Linux's "tell me when my parent dies"; the same number on every architecture.
PR_SET_PDEATHSIG = 1


class NotReady(Exception):
    """Something this machine lacks or refuses. The message is a sentence for the person."""


@dataclass(frozen=True)
class Account:
    """The system account a server runs as."""

    name: str
    uid: int
    gid: int

    @property
    def is_somebody_else(self) -> bool:
        return self.uid != os.geteuid()


def server_account() -> Account:
    """The account for servers: ourselves, or `nobody` when we are root.

    PostgreSQL refuses to run as root, rightly.
    """
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid()) if _has_entry(os.geteuid()) else None
        return Account(entry.pw_name if entry else "", os.geteuid(), os.getegid())
    entry = pwd.getpwnam("nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _has_entry(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _die_with_parent(number: int, parent: int) -> Callable[[], None]:
    """A hook for the child: the kernel sends it `number` when its parent ends, however it ends."""
    libc = ctypes.CDLL(None, use_errno=True) if os.uname().sysname == "Linux" else None

    def hook() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, number)
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def spawn(
    command: Sequence[str],
    *,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: int | IO[Any] | None = None,
    death_signal: int = signal.SIGTERM,
) -> "subprocess.Popen[bytes]":
    """Start a child in a session of its own, so that Ctrl-C reaches only the process in charge.

    `output` takes both streams; `death_signal` is what the child gets when we are killed.
    """
    other: dict[str, Any] = {}
    if account is not None and account.is_somebody_else:
        other = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.Popen(
        list(command),
        env=None if env is None else dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        preexec_fn=_die_with_parent(death_signal, os.getpid()),
        **other,
    )


def stop(child: "subprocess.Popen[bytes]", number: int, *, patience: float) -> None:
    """Ask the child to end with a signal; end its whole group if it has not after `patience` s."""
    if child.poll() is None:
        child.send_signal(number)
    try:
        child.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def can_reach(path: Path, account: Account) -> bool:
    """Whether the account may go through every folder to `path` and read and enter it."""
    if not account.is_somebody_else:
        return os.access(path, os.R_OK | os.X_OK)
    return all(_allows(folder, account, 0o1) for folder in path.resolve().parents) and _allows(
        path.resolve(), account, 0o5
    )


def _allows(path: Path, account: Account, bits: int) -> bool:
    facts = path.stat()
    if facts.st_uid == account.uid:
        return facts.st_mode >> 6 & bits == bits
    if facts.st_gid == account.gid:
        return facts.st_mode >> 3 & bits == bits
    return facts.st_mode & bits == bits


def is_zombie(process: int) -> bool:
    """Whether the process is dead and only waits to be collected by its parent."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state == "Z"
