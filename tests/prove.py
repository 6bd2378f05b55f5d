"""`make prove`: the proofs of `docs/security.md` at their full counts, written to docs/proofs.md.

Tests play samples of these; here everything is played, part by part. A part that was proven at
this commit is not played again, so an interrupted run goes on where it stopped.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "proofs.md"
HEAD = """# Proofs

What CI plays as a sample, played whole by `make prove`; each line is written by the run it
tells of. `make prove PART=moves` plays one part; what was proven at a commit is not played again.

| part | what was tried | tests | combinations | took | commit | on |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Part:
    """One proof: its name, what it tries in words, and where its tests are."""

    name: str
    what: str
    tests: tuple[str, ...]


PARTS = [
    Part(
        "moves",
        "every state × transition × actor, by call, page and API, with and without words",
        ("tests/architecture/test_every_move.py",),
    ),
    Part(
        "attacks",
        "every record table attacked by SQL, ORM, smuggled fields, tokens and foreign sites",
        ("tests/architecture/test_attacks.py",),
    ),
    Part(
        "access",
        "every page and operation opened by every role, by who left and by nobody",
        ("tests/architecture/test_access.py",),
    ),
    Part(
        "unseen",
        "every page read by every role in search of what is hidden from it",
        ("tests/architecture/test_unseen.py", "tests/documents/test_what_readers_may_see.py"),
    ),
    Part(
        "hostile",
        "every page, form and operation fed with what nobody should send",
        ("tests/architecture/test_hostile_input.py",),
    ),
    Part(
        "numbers",
        "200 creations at once, races of approval and release, 50,000 rows, 40 MB of mail, pages"
        " of a company of a thousand of each",
        (
            "tests/kernel/test_workflow.py",
            "tests/objectives/test_sheets.py",
            "tests/documents/test_workflow.py",
            "tests/documents/test_takes_effect.py",
            "tests/capa/test_mailbox.py",
            "tests/home/test_grown.py",
        ),
    ),
    Part(
        "starts",
        "a first start killed at each of its moments, and started again",
        ("tests/local/test_launch.py",),
    ),
    Part(
        "companies",
        "three demo companies lived through their three years, no process without its audit",
        ("tests/audits/test_demo_life.py",),
    ),
]


def main() -> int:
    """Play the parts asked for. Returns 1 when one of them did not hold."""
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--part", choices=[part.name for part in PARTS])
    asked = parser.parse_args().part
    at, rows, held = _commit(), _kept(), True
    for part in PARTS:
        if asked not in (None, part.name):
            continue
        if f"| {at} |" in rows.get(part.name, ""):
            print(f"{part.name}: proven at {at}.", flush=True)
            continue
        row = _play(part, at)
        if row is None:
            held = False
            continue
        rows[part.name] = row
        TABLE.write_text(HEAD + "".join(rows[p.name] for p in PARTS if p.name in rows))
    return 0 if held else 1


def _play(part: Part, at: str) -> str | None:
    """The row of a part that held; None, with the failures on the screen, of one that did not."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", *part.tests],
            cwd=ROOT,
            env={**os.environ, "QMS_PROVE": folder},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        tried = sum(int(path.read_text()) for path in Path(folder).glob("*.count"))
    passed = re.search(r"(\d+) passed", ran.stdout)
    if ran.returncode != 0 or passed is None:
        print(ran.stdout[-6000:], flush=True)
        print(f"{part.name}: did not hold.", flush=True)
        return None
    took = f"{time.monotonic() - began:.0f} s"
    print(f"{part.name}: {passed[1]} tests, {tried} combinations, {took}.", flush=True)
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    many = f"{tried:,}" if tried else "–"
    return f"| {part.name} | {part.what} | {passed[1]} | {many} | {took} | {at} | {day} |\n"


def _commit() -> str:
    """The commit that is proven, marked when the tree differs from it."""
    short = _git("rev-parse", "--short=10", "HEAD")
    changed = _git("status", "--short", "--", ".", ":!docs/proofs.md")
    return f"{short} with changes" if changed else short


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words],  # noqa: S607 - whichever git the developer has
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def _kept() -> dict[str, str]:
    """The rows there are, by part."""
    if not TABLE.exists():
        return {}
    known, rows = {part.name for part in PARTS}, {}
    for line in TABLE.read_text().splitlines(keepends=True):
        name = line.strip("| \n").split(" |")[0]
        if name in known:
            rows[name] = line
    return rows


if __name__ == "__main__":
    sys.exit(main())
