"""verify.html answers like verify.py, in a browser, from the disk, without a network."""

import random
from pathlib import Path
from typing import Any

import pytest

from qms.pack import building
from tests.pack.test_verify import FILES, KEY, make, sealing

pytestmark = pytest.mark.browser


def test_the_page_finds_what_was_changed_and_asks_nobody(browser: Any, tmp_path: Path) -> None:
    page_file = tmp_path / "verify.html"
    page_file.write_bytes((building.VERIFIER / "verify.html").read_bytes())
    whole, asked = make(FILES), []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    said = _check(page, tmp_path, whole)
    assert said.startswith(("Intact and signed by key", "All hashes fit"))
    assert sealing.fingerprint(sealing.public_key(KEY)) in said
    chance = random.Random(11)  # noqa: S311 - the same sample every time
    for at in [0, len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(40))]:
        changed = bytearray(whole)
        changed[at] ^= 1 + chance.randrange(255)
        assert _check(page, tmp_path, bytes(changed)).startswith(("Altered", "Damaged")), at
    for forged in (whole[:-9], whole + b"x", b"", make({**FILES, "../x": b"1"})):
        assert _check(page, tmp_path, forged).startswith(("Altered", "Damaged"))
    assert [url for url in asked if not url.startswith("file:")] == []


def _check(page: Any, folder: Path, content: bytes) -> str:
    path = folder / "PACK.zip"
    path.write_bytes(content)
    page.evaluate("document.getElementById('answer').className = ''")
    page.set_input_files("#file", [])
    page.set_input_files("#file", str(path))
    page.wait_for_selector("#answer.fine, #answer.soon, #answer.late", timeout=20_000)
    return str(page.inner_text("#answer"))
