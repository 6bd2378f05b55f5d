"""The check program finds what it is there to find."""

from pathlib import Path

import pytest

from qms.local import checks, trace
from tests.settings import ROOT


@pytest.mark.parametrize(
    "line",
    [
        "see /" + "work/main/qms",
        "open('/" + "root/.ssh/id')",
        "/" + "home/ann/qms",
        "https://py" + "pi.org/project/django/",
        "https://files.python" + "hosted.org/packages/x.whl",
        '"resolved": "https://registry.' + 'npmjs.org/htmx"',
        "--index-url http://localhost:3141/root" + "/simple/",
        "far" + "m-studio",
    ],
)
def test_foreign_word_is_found(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    (tmp_path / "a.txt").write_text(f"first\n{line}\n")
    (found,) = checks.foreign_words([tmp_path / "a.txt"])
    assert found.startswith("a.txt:2: ")


@pytest.mark.parametrize(
    "line",
    ["capa/workflow.py", "https://qms.example.com/wo" + "rk/", "/var/lib/qms", "work/models.py"],
)
def test_ordinary_line_is_not(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(line)
    assert checks.foreign_words([tmp_path / "a.txt"]) == []


def test_lock_files_carry_a_hash_for_every_package_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        blocks = [block for block in text.split("\n") if block and block[0].isalnum()]
        assert len(blocks) > 50
        for block in blocks:
            assert block.endswith("\\"), f"{name}: {block} has no hash"
        assert "://" not in text


def test_runtime_lock_is_part_of_the_other() -> None:
    runtime, everything = (
        {line.split(" ")[0] for line in (ROOT / name).read_text().splitlines() if "==" in line}
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime < everything


def test_floors_that_close_known_holes_are_locked() -> None:
    locked = dict(
        line.split(" ")[0].split("==")
        for line in (ROOT / "requirements.lock").read_text().splitlines()
        if "==" in line
    )
    assert int(locked["weasyprint"].split(".")[0]) >= 70  # CVE-2026-55073 below


def test_clauses_are_traced_to_the_tests_that_hold_them(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_a.py").write_text(
        "import pytest\n"
        "pytestmark = pytest.mark.clause('10.2')\n"
        "@pytest.mark.clause('9.2.2')\n"
        "def test_one(): ...\n"
        "def test_two(): ...\n"
    )
    assert trace.clause_tests(tests) == {
        "9.2.2": ["tests/test_a.py::test_one"],
        "10.2": ["tests/test_a.py::test_one", "tests/test_a.py::test_two"],
    }


def test_failing_check_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    bad = checks.run("bad", lambda: (False, "  why  "))
    assert (bad.name, bad.holds, bad.said) == ("bad", False, "why")
    assert checks.main(["no such check"]) == 1
