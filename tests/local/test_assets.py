"""The front-end files are built once, whoever asks at the same time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from qms.local import assets


@pytest.mark.slow
def test_of_two_who_build_at_once_one_builds_and_the_other_finds_it_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Path] = []
    build_editor = assets.build_editor

    def once_more(modules: Path, target: Path) -> Any:
        built.append(target)
        return build_editor(modules, target)

    monkeypatch.setattr(assets, "build_editor", once_more)
    monkeypatch.setattr(assets, "vendor_folder", lambda: tmp_path / "vendor")
    monkeypatch.setenv("VAR_DIR", str(assets.ROOT / "var"))  # the packages that are there
    with ThreadPoolExecutor(2) as two:
        unknown = list(two.map(lambda _: assets.build(), range(2)))
    assert unknown == [[], []]
    assert len(built) == 1
    assert (tmp_path / "vendor" / "editor.js").stat().st_size > 100_000
    assert not (tmp_path / "vendor.new").exists()
