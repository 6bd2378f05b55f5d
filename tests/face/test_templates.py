"""Every template keeps to the Content-Security-Policy and to the house's words."""

import html
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates, get_default_renderer
from django.http import QueryDict
from django.template import TemplateSyntaxError, engines
from django.test import RequestFactory
from django.test.html import parse_html

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


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def for_browsers(path: Path) -> str:
    """What a browser is sent of it; the style of paper stands in the page itself."""
    if path.parts[-2] in ("pack", "prints", "print"):
        return re.sub(r"<style\b.*?</style>", "", read(path), flags=re.S)
    return read(path)


def test_no_page_needs_inline_script_or_style() -> None:
    sent = {name(path): for_browsers(path) for path in PAGES}
    assert sent
    assert not [each for each, text in sent.items() if SCRIPT_WITHOUT_SOURCE.search(text)]
    assert not [each for each, text in sent.items() if INLINE.search(text)]


def test_every_template_compiles() -> None:
    broken = {}
    for path in TEMPLATES:
        try:
            engines["django"].get_template(name(path))
        except TemplateSyntaxError as why:
            broken[name(path)] = str(why)
    assert broken == {}


HOSTILE = "\"><script>alert(1)</script>&'`\u202e"
CHOICES = [
    ("", "Choose"),
    (HOSTILE, HOSTILE),
    (Decimal("1.50"), 2026),
    (HOSTILE + "g", [("a", HOSTILE), ("b", "B")]),
]


@pytest.mark.parametrize("several", [False, True])
def test_a_select_drawn_at_once_is_django_s_own_and_carries_no_markup(several: bool) -> None:
    kind: Any = forms.SelectMultiple if several else forms.Select
    attrs = {"class": HOSTILE, "required": True, "disabled": False, "size": 3}
    widget = kind(attrs=attrs, choices=CHOICES)
    chosen = [HOSTILE, "b"] if several else "b"
    ours = widget.render(HOSTILE, chosen, renderer=get_default_renderer())
    assert "<script" not in ours
    assert parse_html(ours) == parse_html(
        widget.render(HOSTILE, chosen, renderer=DjangoTemplates())
    )


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "page=1&page=4&a=1&a=2",
        "sort=x&a=&=&b",
        "a=%22%3E%3Cscript%3E&%22=%26",
        "%F0%9F%98%80=%C3%A9",
        "a=%00%0D%0A%FF",
    ],
)
def test_an_address_asked_otherwise_is_what_django_makes_of_it(asked: str) -> None:
    request, said = RequestFactory().get(f"/?{asked}"), []
    for tag in ("asks", "querystring"):
        template = f"{{% {tag} page=2 sort=None format='c\"sv' %}}"
        said.append(engines["django"].from_string(template).render({}, request))
    assert not {"<", '"'} & set(said[0])
    ours, theirs = (QueryDict(html.unescape(each)[1:]) for each in said)
    assert ours == theirs


def test_no_template_says_successfully() -> None:
    assert not [name(path) for path in TEMPLATES if "successfully" in read(path).lower()]


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
