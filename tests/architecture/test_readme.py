"""What the README says exists: its commands, the places it points to, its links and pictures."""

import re
from pathlib import Path

import pytest

from tests.settings import ROOT

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TARGETS = set(re.findall(r"^([a-z]+):.*##", MAKEFILE, re.MULTILINE))
LARGEST = 300_000  # bytes of a picture


def commands(text: str) -> set[str]:
    """The make targets a text names in a code block or between backticks."""
    code = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    return {name for parts in code for name in re.findall(r"\bmake ([a-z]+)", " ".join(parts))}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_command_a_text_names_is_one_of_make(path: Path) -> None:
    assert commands(path.read_text()) <= TARGETS


def test_the_first_commands_are_the_demo_and_the_tests() -> None:
    assert {"demo", "test", "check"} <= commands(README)
    for name in re.findall(r"make \w+ ([A-Z]+)=", README):
        assert re.search(rf"\$\({name}\)", MAKEFILE), name


def test_every_place_of_where_is_what_is_there() -> None:
    table = README.split("## Where is what")[1].split("## ")[0]
    places = re.findall(r"`([\w./<>-]+(?:/|\.py))`", table)
    assert len(places) >= 15
    missing = [each for each in places if "<" not in each and not _is_there(each)]
    assert missing == []


def _is_there(place: str) -> bool:
    """A path of the project, or a file that every chapter has."""
    chapters = ("documents", "objectives", "audits", "capa", "reviews")
    named = place.isidentifier() or re.fullmatch(r"\w+\.py", place)
    if not named:
        return (ROOT / place).exists()
    # A file that grew is a folder with one file a subject, as the text says.
    return all(
        (ROOT / each / place).exists() or (ROOT / each / place.removesuffix(".py")).is_dir()
        for each in chapters
    )


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_link_and_picture_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text())
    own = [each for each in links if "://" not in each and not each.startswith("mailto:")]
    assert [each for each in own if not (path.parent / each).exists()] == []


def test_pictures_are_there_and_light() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").glob("*.png"))
    assert {"my-work.png", "record.png"} <= {each.name for each in pictures}
    assert [each.name for each in pictures if each.stat().st_size > LARGEST] == []


@pytest.mark.slow
def test_the_commands_of_manage_are_there() -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", README))
    known = {path.stem for path in ROOT.rglob("management/commands/*.py")}
    assert named and named <= known
