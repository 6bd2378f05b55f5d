"""Somebody at a browser: signs in, reads, types and presses what is there.

A click is one press of the mouse or one tap of a finger. Writing, moving on with the keyboard and
choosing from a list that has the focus are typing and count for nothing; choosing a file is one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import TimeoutError

from tests.factories import PASSWORD

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PATIENCE = 8_000  # ms


class Desk:
    """One person's signed-in browser window, with a counter of clicks."""

    def __init__(
        self, browser: Any, host: str, who: Any, *, phone: bool = False, by_page: bool = False
    ) -> None:
        self.host, self.who, self.clicks = host, who, 0
        touch = {"has_touch": True, "is_mobile": True} if phone else {}
        self.context = browser.new_context(viewport=PHONE if phone else DESKTOP, **touch)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._note)
        if by_page:
            self._sign_in()
        else:
            self._has_signed_in()

    def _note(self, response: Any) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.url}")

    def _sign_in(self) -> None:
        self.open("/")
        self.write(login=self.who.email, password=PASSWORD)
        self.page.click("main button[type=submit], form.form button[type=submit]")
        self.page.wait_for_url(lambda url: "/accounts/login/" not in url)

    def _has_signed_in(self) -> None:
        """With the session of before; the page of signing in has had its journey."""
        client = Client()
        client.force_login(self.who, backend="qms.people.access.RoleBackend")
        name = settings.SESSION_COOKIE_NAME
        session = {"name": name, "value": client.cookies[name].value, "url": self.host}
        self.context.add_cookies([session])
        self.open("/")

    def open(self, address: str) -> None:
        self.page.goto(address if address.startswith("http") else f"{self.host}{address}")

    def open_record(self, record: Any) -> None:
        self.open(record.get_absolute_url())

    def press(self, words: str, *, within: str = "") -> None:
        """Press the one button or link with these words."""
        role = "button, a, summary, label"
        found = self.page.locator(f"{within} :is({role})".strip()).filter(visible=True)
        exact = found.and_(self.page.get_by_text(words, exact=True))
        target = exact if exact.count() else found.filter(has_text=words)
        target.first.click()
        self.clicks += 1

    def step(self, label: str, **fields: Any) -> None:
        """A step of the procedure: press its button, fill in the dialog, confirm it."""
        self.page.locator(".next-steps", has_text=label).first.wait_for()
        self.page.wait_for_load_state()  # until then the button leads to a page of its own
        self.press(label, within=".next-steps")
        self.page.wait_for_selector("dialog[open] form")
        self.write("dialog[open]", **fields)
        self.confirm("dialog[open]")
        self.page.wait_for_selector("dialog[open]", state="detached")

    def confirm(self, within: str = "main") -> None:
        """Press the filled button of the form."""
        self.page.click(f"{within} form button.btn-primary[type=submit]")
        self.clicks += 1

    def write(self, within: str = "form.form", **fields: Any) -> None:
        """Fill in fields by name: text, a choice by its words, a list of ticks."""
        for name, value in fields.items():
            self._write_one(self.page.locator(within), name, value)

    def _write_one(self, form: Any, name: str, value: Any) -> None:
        field = form.locator(f"[name={name}]")
        editor = form.locator(f"[data-editor]:has([name={name}]) .ProseMirror")
        if editor.count():
            editor.click()
            self.page.keyboard.press("ControlOrMeta+A")
            self.page.keyboard.type(str(value))
            return
        kind = field.first.evaluate("e => e.type")
        if kind in ("checkbox", "radio"):
            for label in value if isinstance(value, list) else [value]:
                form.get_by_label(label).first.check()
                self.clicks += 1
        elif kind.startswith("select"):
            field = field.first
            found = field.locator("option", has_text=str(value)).first
            field.select_option(value=found.get_attribute("value"))
        else:
            field.fill(str(value))

    def add_file(self, name: str, path: Path) -> None:
        self.page.set_input_files(f"[name={name}]", str(path))
        self.clicks += 1

    def reads(self, words: str) -> None:
        """The words come to stand on the page."""
        try:
            self.page.get_by_text(words).filter(visible=True).first.wait_for()
        except TimeoutError:
            shown = self.page.inner_text("body")
            pytest.fail(f"“{words}” does not stand on {self.page.url}:\n{shown}")

    @contextmanager
    def counted(self, what: str, budget: int) -> Iterator[None]:
        """Hold what happens inside to a budget of clicks (product promise), and say the figure."""
        before = self.clicks
        yield
        used = self.clicks - before
        print(f"{what}: {used} of {budget} clicks")  # noqa: T201 - the figure is the result
        assert used <= budget, f"{what} took {used} clicks; {budget} are promised."
