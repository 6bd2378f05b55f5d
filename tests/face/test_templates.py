"""Every template keeps to the Content-Security-Policy and to the house's words."""

import re
from pathlib import Path

import pytest
from django.template import engines

from qms.local import assets

ROOT = Path(__file__).resolve().parents[2]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# Lies in the ZIP of a pack and is read from the disk: no server sends it, nothing may be beside it.
FROM_THE_DISK = {"pack/index.html"}
PAGES = [
    path for path in TEMPLATES if "email" not in path.parts and name(path) not in FROM_THE_DISK
]
SCRIPT_WITHOUT_SOURCE = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", re.I)
INLINE = re.compile(r"<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:", re.I)


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_no_page_needs_inline_script_or_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.parts[-2] in ("pack", "prints", "print"):
        text = re.sub(r"<style\b.*?</style>", "", text, flags=re.S)  # paper, never a browser
    assert not SCRIPT_WITHOUT_SOURCE.search(text)
    assert not INLINE.search(text)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_template_compiles(path: Path) -> None:
    engines["django"].get_template(name(path))


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_no_template_says_successfully(path: Path) -> None:
    assert "successfully" not in path.read_text(encoding="utf-8").lower()


def test_every_icon_that_is_named_exists() -> None:
    drawings = ROOT / "var" / "npm" / "node_modules" / "@tabler" / "icons" / "icons" / "outline"
    if not drawings.exists():
        pytest.skip("The front-end packages are not here: make assets")
    unknown = [name for name in assets.icons_used() if not (drawings / f"{name}.svg").exists()]
    assert unknown == []


def test_lock_file_of_the_packages_names_no_registry() -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in text
    assert "registry" not in text
    assert text.count('"integrity"') == text.count('"version"')
