"""The migrated database every worker clones, kept between runs.

Migrating costs half a minute, cloning a third of a second. A whole cluster with the migrated
database is kept under `var/test/`, named by a hash of everything that decides how it looks, and
copied for each run; whoever changes a migration gets a new one without asking.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import psycopg

from qms.local.postgres import Postgres
from qms.local.processes import NotReady

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "var" / "test"
PARTS = ("postgres", "postgres.password")
HOW_MANY_KEPT = 3


def _fingerprint() -> str:
    """Changes with every migration of ours, how they are applied and every library's version."""
    mark = sha256()
    how = [ROOT / "requirements-dev.lock", ROOT / "qms" / "migrating.py"]
    migrations = {*ROOT.glob("*/migrations/*.py"), *ROOT.glob("qms/**/migrations/*.py")}
    for path in [*how, *sorted(migrations)]:
        mark.update(f"{path.relative_to(ROOT)}\n".encode())
        mark.update(path.read_bytes())
    return mark.hexdigest()[:12]


FINGERPRINT = _fingerprint()
TEMPLATE = f"migrated_{FINGERPRINT}"
CLUSTER = KEPT / f"cluster-{FINGERPRINT}"


def thaw(folder: Path) -> None:
    """Give a run its copy of the kept cluster, if there is one that fits."""
    if CLUSTER.exists() and not (folder / "postgres").exists():
        copied = subprocess.run(
            ["cp", "-a", *(str(CLUSTER / part) for part in PARTS), str(folder)],  # noqa: S607
            capture_output=True,
            check=False,
        )
        if copied.returncode != 0:  # swept away meanwhile: this run starts from nothing
            for part in PARTS:
                _remove(folder / part)


def prepare(server: Postgres, *, keep: bool) -> None:
    """Make the template in a running server unless it is there; keep the cluster for others."""
    if _exists(server):
        return
    _migrate(server)
    if keep and server.data == server.home / "postgres":
        server.stop()
        _freeze(server.home)
        server.start()


def _exists(server: Postgres) -> bool:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", [TEMPLATE])
        return found.fetchone() is not None


def _migrate(server: Postgres) -> None:
    """Migrate under another name first: a killed run must not leave half a template."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database if exists {TEMPLATE}_draft with (force)")
        connection.execute(f"create database {TEMPLATE}_draft")
        made = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": server.url(f"{TEMPLATE}_draft")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise NotReady(f"The migrations do not run:\n{made.stdout}")
        connection.execute(f"alter database {TEMPLATE}_draft rename to {TEMPLATE}")


def _freeze(home: Path) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    draft = KEPT / f".draft-{os.getpid()}"
    _remove(draft)
    draft.mkdir()
    subprocess.run(
        ["cp", "-a", *(str(home / part) for part in PARTS), str(draft)],  # noqa: S607
        check=True,
    )
    with contextlib.suppress(OSError):  # another run was quicker with the same one
        draft.rename(CLUSTER)
    _remove(draft)
    by_age = sorted(KEPT.glob("cluster-*"), key=lambda path: path.stat().st_mtime)
    for old in by_age[:-HOW_MANY_KEPT]:
        _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
