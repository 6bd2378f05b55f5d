"""`make check`: everything that can be said about the source without running the tests.

Two at a time, each with its own output; the first line of a failure is its name.
"""

import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from qms.local.launch import PACKAGES
from qms.local.postgres import Postgres
from qms.local.stack import ROOT

AT_ONCE = 2
# Written so that this file does not find itself.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.~/-])/(?:[w]ork|[r]oot|home/\w+)/"),
    "a package registry's address": re.compile(
        r"https?://[^\s\"'<>)]*(?:[p]ypi\.org|[p]ythonhosted\.org|registry\.[n]pmjs\.org"
        r"|registry\.[y]arnpkg\.com|/simple/)"
    ),
    "a name of the workshop": re.compile(r"[f]arm-studio"),
}


@dataclass(frozen=True)
class Result:
    """What one check found: its name, whether it holds, what it said, how long it took."""

    name: str
    holds: bool
    said: str
    seconds: float


@dataclass(frozen=True)
class Command:
    """A check that is a program: it holds when the program ends with 0."""

    name: str
    arguments: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self) -> tuple[bool, str]:
        done = subprocess.run(
            [sys.executable, *self.arguments],
            cwd=ROOT,
            env={**os.environ, "QMS_MODE": "development", **self.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode == 0, done.stdout


def production_environment(database: str = "postgres://qms:x@localhost/qms") -> dict[str, str]:
    """Complete production settings with made-up values, for checks and tests."""
    return {
        "QMS_MODE": "production",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "qms.example.com,localhost",
        "PUBLIC_URL": "https://qms.example.com",
        "DATABASE_URL": database,
        "REDIS_URL": "redis://:x@localhost:6379/0",
        "EMAIL_HOST": "mail.example.com",
        "DEFAULT_FROM_EMAIL": "qms@example.com",
        "PACK_SIGNING_KEY": secrets.token_hex(32),
    }


def committed_files() -> list[Path]:
    """Every file git keeps or is about to keep."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def foreign_words(files: list[Path]) -> list[str]:
    """Lines that tell of one machine or one registry, as `file:line: what`."""
    found = []
    for path in files:
        try:
            text = path.read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for what, pattern in FORBIDDEN.items():
                if pattern.search(line):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {what}")
    return found


def _no_foreign_words() -> tuple[bool, str]:
    found = foreign_words(committed_files())
    return not found, "\n".join(found)


def _no_missing_migration() -> tuple[bool, str]:
    """Needs a database, or Django only warns that it could not look at the history."""
    with tempfile.TemporaryDirectory(prefix="qms-check-") as name:
        Path(name).chmod(0o755)
        server = Postgres(Path(name), keep=False)
        try:
            return Command(
                "migrations",
                ("-W", "error", "manage.py", "makemigrations", "--check", "--dry-run"),
                {"DATABASE_URL": server.start()},
            )()
        finally:
            server.stop()


def checks() -> dict[str, Callable[[], tuple[bool, str]]]:
    """Every check by name, the longest first."""
    deploy = "import sys; from django.core.management import execute_from_command_line as run; "
    deploy += "run(['manage.py', 'check', '--deploy', '--fail-level', 'WARNING'])"
    commands = [
        Command("types", ("-m", "mypy", *PACKAGES)),
        Command(
            "deployment",
            ("-c", deploy),
            {
                **production_environment(),
                "DJANGO_SETTINGS_MODULE": "qms.settings",
            },
        ),
        Command(
            "borders",
            ("-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-logo"),
        ),
        Command("templates", ("-m", "djlint", "templates", "--lint", "--quiet")),
        Command("lint", ("-m", "ruff", "check", ".")),
        Command("format", ("-m", "ruff", "format", "--check", ".")),
    ]
    found: dict[str, Callable[[], tuple[bool, str]]] = {each.name: each for each in commands}
    found["migrations"] = _no_missing_migration
    found["foreign words"] = _no_foreign_words
    return found


def run(name: str, check: Callable[[], tuple[bool, str]]) -> Result:
    """Run one check and take its time."""
    start = time.monotonic()
    holds, said = check()
    return Result(name, holds, said.strip(), time.monotonic() - start)


def main(names: list[str]) -> int:
    """Run the named checks, or all. Returns 1 when one does not hold."""
    chosen = {name: check for name, check in checks().items() if not names or name in names}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(lambda pair: run(*pair), chosen.items()))
    for result in results:
        if not result.holds:
            print(f"\n--- {result.name}\n{result.said}")
    print()
    for result in results:
        print(f"{'ok ' if result.holds else 'NO '} {result.name:<14} {result.seconds:5.1f} s")
    return 0 if chosen and all(result.holds for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
