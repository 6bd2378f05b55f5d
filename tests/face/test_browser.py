"""The frame in a real Chromium: accessible, under the strict policy, light, and without a script.

Actions stand for every kind of record: their list, page, form and steps are the standard ones.
"""

import gzip
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client

from qms.actions.models import Action
from qms.actions.workflow import plan_action
from qms.people.models import Person
from tests.factories import PASSWORD, person
from tests.sampling import spread

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BUDGET = 160_000
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture
def manager() -> Person:
    return person("quality_manager", name="Ana Ruiz")


@pytest.fixture
def action(manager: Person) -> Action:
    return plan_action(by=manager, title="Label the gauges", owner=manager, due=date(2031, 3, 3))


class Visit:
    """A signed-in browser window that remembers what the console complained about."""

    def __init__(self, browser: Any, live_server: Any, who: Person | None, **options: Any) -> None:
        self.host = live_server.url
        self.context = browser.new_context(**{"viewport": DESKTOP, **options})
        if who is not None:
            client = Client()
            client.force_login(who)
            cookie = client.cookies["sessionid"].value
            self.context.add_cookies([{"name": "sessionid", "value": cookie, "url": self.host}])
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: Any) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def open(self, path: str) -> Any:
        self.page.goto(f"{self.host}{path}")
        return self.page


@pytest.fixture
def visit(browser: Any, live_server: Any) -> Iterator[Any]:
    visits: list[Visit] = []

    def make(who: Person | None, **options: Any) -> Visit:
        visits.append(Visit(browser, live_server, who, **options))
        return visits[-1]

    yield make
    for each in visits:
        each.context.close()


@pytest.mark.parametrize("scheme", spread(["light", "dark"], quick=1))
@pytest.mark.parametrize("place", ["list", "record", "form", "step", "login"])
def test_pages_break_no_rule_of_accessibility(
    visit: Any, manager: Person, action: Action, scheme: str, place: str
) -> None:
    here = action.get_absolute_url()
    paths = {"list": "/actions/", "record": here, "form": f"{here}edit/"}
    paths |= {"step": f"{here}do/complete/", "login": "/accounts/login/"}
    window = visit(None if place == "login" else manager, color_scheme=scheme)
    page = window.open(paths[place])
    assert page.evaluate("document.documentElement.dataset.bsTheme") == scheme
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert window.complaints == []


@pytest.mark.urls("tests.face.urls")
@pytest.mark.parametrize(
    ("viewport", "scheme"), [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light")]
)
def test_every_component_is_accessible_and_fits(
    visit: Any, manager: Person, settings: Any, viewport: dict[str, int], scheme: str
) -> None:
    settings.DEBUG = True
    window = visit(manager, viewport=viewport, color_scheme=scheme)
    page = window.open("/gallery/")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_no_page_is_wider_than_the_smallest_phone(
    visit: Any, manager: Person, action: Action
) -> None:
    window = visit(manager, viewport=PHONE, has_touch=True, is_mobile=True)
    here = action.get_absolute_url()
    for path in ("/actions/", here, f"{here}edit/", f"{here}do/complete/", "/accounts/logout/"):
        page = window.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


def test_what_people_press_on_a_phone_is_large_enough(
    visit: Any, manager: Person, action: Action
) -> None:
    window = visit(manager, viewport=PHONE, has_touch=True, is_mobile=True)
    page = window.open(action.get_absolute_url())
    small = page.eval_on_selector_all(
        ".btn, .thumb a, .top summary, .find input",
        "all => all.filter(e => e.offsetParent && e.getBoundingClientRect().height < 44)"
        ".map(e => e.outerHTML.slice(0, 120))",
    )
    assert small == []


def test_first_load_stays_within_its_budget(visit: Any, manager: Person, action: Action) -> None:
    window = visit(manager)
    sizes: dict[str, int] = {}

    def weigh(response: Any) -> None:
        if response.status == 200:
            body = response.body()
            packed = body if response.url.endswith(".woff2") else gzip.compress(body)
            sizes[response.url] = len(packed)

    window.page.on("response", weigh)
    window.open(action.get_absolute_url())
    window.page.wait_for_load_state("networkidle")
    assert any(url.endswith("icons.svg") for url in sizes), "The pages have no assets: make assets"
    assert sum(sizes.values()) <= BUDGET, sizes


def test_a_step_opens_in_a_dialog_and_closes_with_escape(
    visit: Any, manager: Person, action: Action
) -> None:
    window = visit(manager)
    page = window.open(action.get_absolute_url())
    page.click("a.btn:has-text('Done')")
    page.wait_for_selector("dialog[open] textarea")
    page.click("dialog button[type=submit]")
    page.wait_for_selector("dialog[open] [data-error-summary]")
    assert Action.objects.get().status == "open"
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")
    page.click("a.btn:has-text('Done')")
    page.fill("dialog[open] textarea", "All forty have labels.")
    page.click("dialog button[type=submit]")
    page.wait_for_selector("text=is now “Done”.")
    assert Action.objects.get().status == "done"
    assert window.complaints == []


def test_a_step_is_made_without_a_script(visit: Any, manager: Person, action: Action) -> None:
    window = visit(manager, java_script_enabled=False)
    page = window.open(action.get_absolute_url())
    page.click("a.btn:has-text('Done')")
    page.fill("textarea", "All forty have labels.")
    page.click("main button[type=submit]")
    page.wait_for_selector("text=is now “Done”.")
    assert Action.objects.get().status == "done"


def test_ctrl_k_finds_the_search_and_escape_closes_menus(visit: Any, manager: Person) -> None:
    page = visit(manager).open("/actions/")
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.id") == "find"
    page.click("summary[aria-label$='your menu']")
    assert page.locator("details.menu[open]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("details.menu[open]").count() == 0


def test_a_filter_changes_rows_without_a_reload(
    visit: Any, manager: Person, action: Action
) -> None:
    window = visit(manager)
    page = window.open("/actions/")
    page.evaluate("window.same = true")
    page.fill("#id_title", "nothing like it")
    page.wait_for_selector("text=Nothing matches these filters.")
    assert page.evaluate("window.same") is True
    assert "title=nothing" in page.url
    assert window.complaints == []


def test_a_person_signs_in_and_is_told_when_the_password_is_wrong(
    visit: Any, manager: Person
) -> None:
    page = visit(None).open("/accounts/login/")
    page.fill("input[type=email]", str(manager.email))
    page.fill("input[type=password]", "not the password")
    page.click("button[type=submit]")
    assert page.locator("[data-error-summary], .wrong").count() >= 1
    page.fill("input[type=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/accounts/login/" not in url)
