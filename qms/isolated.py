"""Foreign content is read in a process of its own: limited memory, limited time, no network.

A PDF bomb, a picture of 50,000 pixels square or an endless parse ends that process, not ours. The
process is kept warm between calls, knows no secrets (its environment is an allow-list) and answers
with plain JSON and bytes, so that nothing it says is ever executed.
"""

import atexit
import contextlib
import importlib
import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

from qms.refusals import Refused

ENVIRONMENT = ("PATH", "HOME", "XDG_CACHE_HOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "TMPDIR")
CALLS_OF_A_LIFE = 200  # then a fresh process, so that leaks of C libraries stay small
MEGABYTE = 1024 * 1024
_LENGTHS = struct.Struct(">II")


class Ended(Exception):
    """The process gave no result; `why` is "time", "crash" (memory included) or "error"."""

    def __init__(self, why: str, error: str = "") -> None:
        super().__init__(f"The isolated process gave no result: {why} {error}".strip())
        self.why = why


def call(
    target: str,
    blob: bytes,
    *,
    seconds: float = 30,
    megabytes: int = 1024,
    **options: Any,
) -> tuple[dict[str, Any], bytes]:
    """Run `target` ("module:function") on `blob` in the limited process of that target.

    The function takes (blob, **options) with JSON options and returns (JSON dict, bytes). Raises
    Refused when it refused in words, Ended when it ran out of time or memory, crashed or raised.
    """
    return _child_of(target, megabytes).call(blob, seconds, options)


def close_doors() -> None:
    """From now on this process starts no other process; called once libraries are loaded."""
    _doors["closed"] = True


# Our side ----------------------------------------------------------------------------------


class _Child:
    """A warm process for one target; one call at a time."""

    def __init__(self, target: str, megabytes: int) -> None:
        self.target, self.megabytes = target, megabytes
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.calls = 0

    def call(
        self, blob: bytes, seconds: float, options: dict[str, Any]
    ) -> tuple[dict[str, Any], bytes]:
        with self.lock:
            process = self._ready()
            late = threading.Event()
            watch = threading.Timer(seconds, self._give_up, (process, late))
            watch.start()
            try:
                return self._converse(process, blob, options)
            except (OSError, EOFError):
                self.stop()
                raise Ended("time" if late.is_set() else "crash") from None
            finally:
                watch.cancel()

    def _converse(
        self, process: subprocess.Popen[bytes], blob: bytes, options: dict[str, Any]
    ) -> tuple[dict[str, Any], bytes]:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101  (both pipes)
        _send(process.stdin, options, blob)
        answer, data = _receive(process.stdout)
        if "refused" in answer:
            raise Refused(str(answer["refused"]))
        if "failed" in answer:
            error = str(answer["failed"])
            raise Ended("crash" if error == "MemoryError" else "error", error)
        return answer, data

    def _ready(self) -> subprocess.Popen[bytes]:
        self.calls += 1
        if self.process is None or self.process.poll() is not None or self._is_old():
            self.stop()
            self.process = self._start()
            self.calls = 1
        return self.process

    def _is_old(self) -> bool:
        return self.calls > CALLS_OF_A_LIFE

    def _start(self) -> subprocess.Popen[bytes]:
        program = f"from qms import isolated; isolated.serve({self.target!r}, {self.megabytes})"
        return subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).resolve().parent.parent,
            env={n: os.environ[n] for n in ENVIRONMENT if n in os.environ} | {"LANG": "C.UTF-8"},
            start_new_session=True,  # Ctrl-C in the terminal stops us, and we stop it
        )

    @staticmethod
    def _give_up(process: subprocess.Popen[bytes], late: threading.Event) -> None:
        late.set()
        process.kill()

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            with contextlib.suppress(OSError):
                self.process.communicate()
            self.process = None


_children: dict[tuple[int, str, int], _Child] = {}
_children_lock = threading.Lock()


def _child_of(target: str, megabytes: int) -> _Child:
    # The number of this process is part of the key: a forked worker has a child of its own.
    key = (os.getpid(), target, megabytes)
    with _children_lock:
        return _children.setdefault(key, _Child(target, megabytes))


@atexit.register
def stop_all() -> None:
    """End the warm processes of this process."""
    for (pid, *_), child in list(_children.items()):
        if pid == os.getpid():
            child.stop()


def _send(pipe: IO[bytes], head: dict[str, Any], blob: bytes) -> None:
    text = json.dumps(head).encode()
    pipe.write(_LENGTHS.pack(len(text), len(blob)))
    pipe.write(text)
    pipe.write(blob)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    text, blob = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    head: dict[str, Any] = json.loads(_exactly(pipe, text))
    return head, _exactly(pipe, blob)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) != size:
        raise EOFError
    return data


# The other side ----------------------------------------------------------------------------

_doors = {"closed": False}
_NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto")
_PROCESSES = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")


def serve(target: str, megabytes: int) -> None:
    """What the limited process runs: one answer for each call, until its input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not break into the answers
    _limit(megabytes)
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    while True:
        try:
            options, blob = _receive(sys.stdin.buffer)
        except EOFError:
            return
        _answer(answers, function, blob, options)


def _answer(answers: IO[bytes], function: Any, blob: bytes, options: dict[str, Any]) -> None:
    try:
        head, data = function(blob, **options)
    except Refused as refusal:
        head, data = {"refused": str(refusal)}, b""
    except (Exception, RecursionError) as error:
        head, data = {"failed": type(error).__name__}, b""
    _send(answers, head, data)


def _limit(megabytes: int) -> None:
    import resource

    for what, most in (
        (resource.RLIMIT_AS, megabytes * MEGABYTE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 64 * MEGABYTE),
        (resource.RLIMIT_NOFILE, 128),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
    sys.addaudithook(_doorkeeper)


def _doorkeeper(event: str, args: tuple[Any, ...]) -> None:
    if event in _NETWORK or (_doors["closed"] and event in _PROCESSES):
        raise PermissionError(f"{event} is not allowed here")
