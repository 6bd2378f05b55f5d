"""Pictures of the main pages of a running demo, to look at: `make shots`, then var/shots/.

Desktop and phone, light and dark, as the people who use each page; the print views on paper. Signs
in through the page as everybody does. Without `--at` a demo is started on a free port.
"""

import argparse
import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser import MISSING, chromium, launched

PASSWORD, DOMAIN = "demo-password", "halden.example"  # as the demo prints them
ROOT = Path(__file__).resolve().parent.parent
SCREENS: dict[str, Any] = {
    "desktop": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
}
SCHEMES: tuple[Any, ...] = ("light", "dark")
ROW = "main tbody a[href]"
START_SECONDS = 900


@dataclass(frozen=True)
class Shot:
    """One page: its name, who looks, where; `follow` is the link to go on with, `then` its part."""

    name: str
    who: str
    path: str
    follow: str = ""
    whole: bool = True
    then: str = ""


SHOTS = [
    Shot("my-work", "quality", "/", whole=False),
    Shot("my-work-employee", "receiving", "/"),
    Shot("calendar", "quality", "/calendar/"),
    Shot("leadership", "ceo", "/leadership/"),
    Shot("search", "quality", "/search/?q=torque"),
    Shot("search-nothing", "quality", "/search/?q=zzzz"),
    Shot("documents", "quality", "/documents/", whole=False),
    Shot("document", "quality", "/documents/?kind=procedure", ROW),
    Shot("revision", "quality", "/documents/revisions/1/"),
    Shot("document-new", "quality", "/documents/new/"),
    Shot("audits", "lead", "/audits/", whole=False),
    Shot("audit", "lead", "/audits/?status=follow_up", ROW),
    Shot("audit-report", "lead", "/audits/?status=in_progress", ROW, then="do/sign_report/"),
    Shot("grades", "quality", "/audits/grades/"),
    Shot("audit-closed", "lead", "/audits/?status=closed", ROW),
    Shot("audit-question", "lead", "/audits/?status=in_progress", ROW, then="field/"),
    Shot("finding-new", "lead", "/audits/?status=in_progress", ROW, then="finding/"),
    Shot("audit-new", "lead", "/audits/new/"),
    Shot("findings", "lead", "/audits/findings/", whole=False),
    Shot("finding", "lead", "/audits/findings/", ROW),
    Shot("certificate", "quality", "/audits/certificates/", ROW),
    Shot("nonconformities", "quality", "/nonconformities/", whole=False),
    Shot("nonconformity", "quality", "/nonconformities/?status=closed", ROW),
    Shot("nonconformity-open", "quality", "/nonconformities/?status=implemented", ROW),
    Shot("nonconformity-new", "quality", "/nonconformities/new/"),
    Shot("problem", "receiving", "/nonconformities/report/"),
    Shot("objectives", "quality", "/objectives/", whole=False),
    Shot("objective", "quality", "/objectives/?status=active", ROW),
    Shot("objective-new", "quality", "/objectives/new/?example=defects"),
    Shot("objectives-standing", "quality", "/objectives/standing/"),
    Shot("indicators", "quality", "/objectives/indicators/", whole=False),
    Shot("indicator", "quality", "/objectives/indicators/", ROW),
    Shot("readings", "production", "/objectives/readings/"),
    Shot("reviews", "quality", "/reviews/", whole=False),
    Shot("review", "ceo", "/reviews/?status=closed", ROW),
    Shot("review-next", "quality", "/reviews/", ROW),
    Shot("gap-list", "quality", "/gap/"),
    Shot("gap", "quality", "/gap/", ROW, whole=False),
    Shot("gap-clause", "quality", "/gap/answers/1/"),
    Shot("gap-delta", "quality", "/gap/3/delta/", whole=False),
    Shot("gap-roadmap", "quality", "/gap/3/roadmap/"),
    Shot("readiness", "quality", "/readiness/", whole=False),
    Shot("journey", "quality", "/journey/"),
    Shot("momentum", "quality", "/journey/momentum/"),
    Shot("plan", "quality", "/journey/plan/1/"),
    Shot("principles", "quality", "/journey/principles/"),
    Shot("briefing", "ceo", "/journey/briefings/", ROW),
    Shot("start", "quality", "/start/"),
    Shot("start-people", "admin", "/start/people/"),
    Shot("start-processes", "quality", "/start/processes/?starter=consultancy"),
    Shot("clauses", "quality", "/clauses/"),
    Shot("clause", "quality", "/clauses/2026/9.2.2/"),
    Shot("clause-mapping", "quality", "/clauses/mapping/"),
    Shot("scope", "quality", "/scope/"),
    Shot("statement", "quality", "/scope/statements/", ROW),
    Shot("processes", "quality", "/scope/processes/"),
    Shot("process", "quality", "/scope/processes/", ROW),
    Shot("process-people", "quality", "/scope/processes/", ROW, then="people/"),
    Shot("process-map", "quality", "/scope/processes/map/"),
    Shot("process-checks", "quality", "/scope/processes/checks/"),
    Shot("flows", "quality", "/scope/processes/flows/", whole=False),
    Shot("flow", "quality", "/scope/processes/flows/", ROW),
    Shot("responsibilities", "quality", "/scope/processes/responsibilities/"),
    Shot("ownership", "quality", "/scope/processes/ownership/"),
    Shot("statement-compare", "quality", "/scope/statements/", ROW, then="compare/"),
    Shot("statement-advice", "quality", "/scope/statements/", ROW, then="advice/"),
    Shot("context", "quality", "/scope/context/"),
    Shot("issues", "quality", "/scope/issues/"),
    Shot("issue", "quality", "/scope/issues/", ROW),
    Shot("parties", "quality", "/scope/parties/"),
    Shot("party", "quality", "/scope/parties/", ROW),
    Shot("needs", "quality", "/scope/needs/"),
    Shot("climate", "quality", "/scope/climate/", ROW),
    Shot("requirements", "quality", "/scope/requirements/"),
    Shot("requirement", "quality", "/scope/requirements/", ROW),
    Shot("risks", "quality", "/risks/"),
    Shot("risk", "quality", "/risks/", ROW),
    Shot("risk-matrix", "quality", "/risks/matrix/"),
    Shot("opportunity", "quality", "/opportunities/", ROW),
    Shot("opportunity-matrix", "quality", "/opportunities/matrix/"),
    Shot("changes", "quality", "/changes/"),
    Shot("change", "quality", "/changes/", ROW),
    Shot("organisation", "quality", "/scope/organisation/"),
    Shot("site", "quality", "/scope/sites/", ROW),
    Shot("my-role", "receiving", "/my-role/"),
    Shot("organisation-chart", "quality", "/people/chart/"),
    Shot("hand-over", "admin", "/people/", "main tbody tr:nth-child(4) a[href]", then="hand-over/"),
    Shot("competence", "quality", "/competence/"),
    Shot("competence-one", "quality", "/competence/competences/", ROW),
    Shot("training", "quality", "/competence/trainings/", ROW),
    Shot("suggestions", "quality", "/suggestions/"),
    Shot("suggestion-new", "receiving", "/suggestions/new/"),
    Shot("actions", "quality", "/actions/", whole=False),
    Shot("action", "quality", "/actions/", ROW),
    Shot("packs", "quality", "/packs/"),
    Shot("people", "admin", "/people/", whole=False),
    Shot("person", "admin", "/people/", ROW),
    Shot("profile", "quality", "/people/me/"),
    Shot("outbox", "admin", "/outbox/"),
    Shot("sign-in", "", "/accounts/login/"),
    Shot("forgotten", "", "/accounts/password/reset/"),
    Shot("not-found", "quality", "/documents/999999/"),
    Shot("not-allowed", "receiving", "/outbox/"),
]
# On paper: the page a browser prints, and what the program prints itself.
PRINTS = [
    Shot("leadership", "ceo", "/leadership/"),
    Shot("review", "ceo", "/reviews/1/?print=1"),
    Shot("roadmap", "quality", "/gap/3/roadmap/?print=1"),
    Shot("risk-matrix", "quality", "/risks/matrix/"),
]
PDFS = [
    Shot("revision", "quality", "/documents/revisions/1/pdf/"),
    Shot("audit", "lead", "/audits/1/pdf/"),
    Shot("nonconformity", "quality", "/nonconformities/1/pdf/"),
    Shot("minutes", "ceo", "/reviews/1/pdf/"),
    Shot("process", "quality", "/scope/processes/1/pdf/"),
    Shot("process-map", "quality", "/scope/processes/map/pdf/"),
    Shot("readiness", "quality", "/readiness/pdf/"),
]


def main() -> None:
    given = _arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        host = given.at or stack.enter_context(demo())
        taken = take(host, given.out, re.compile(given.only))
    say(f"{taken} pictures in {given.out}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--at", default="", help="address of a running demo")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "shots")
    parser.add_argument("--only", default="", help="only names that match")
    return parser.parse_args()


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def demo() -> Iterator[str]:
    """A demo of our own on a free port, stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    host = f"http://localhost:{port}"
    command = [sys.executable, "-m", "qms.local.launch", "--port", str(port)]
    running = subprocess.Popen(command, cwd=ROOT)
    try:
        _wait_for(f"{host}/accounts/login/", running)
        yield host
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(timeout=60)


def _wait_for(url: str, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if running.poll() is not None:
            raise SystemExit("The demo did not start; see above.")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
            return
        time.sleep(1)
    raise SystemExit("The demo took too long to start.")


def take(host: str, out: Path, only: re.Pattern[str]) -> int:
    """Take the pictures of all pages whose name matches; returns how many."""
    if chromium() is None:
        raise SystemExit(MISSING)
    taken = 0
    with launched() as browser:
        signed_in = {who: _sign_in(browser, host, who) for who in {each.who for each in SHOTS}}
        for screen, size in SCREENS.items():
            for scheme in SCHEMES:
                for who, cookies in signed_in.items():
                    context = browser.new_context(viewport=size, color_scheme=scheme)
                    context.add_cookies(cookies)
                    page = context.new_page()
                    for shot in SHOTS:
                        if shot.who == who and only.search(shot.name):
                            _open(page, host, shot)
                            path = out / f"{shot.name}-{screen}-{scheme}.png"
                            page.screenshot(path=path, full_page=shot.whole or screen == "phone")
                            taken += 1
                    context.close()
        return taken + _on_paper(browser, host, out, only, signed_in)


def _sign_in(browser: Any, host: str, who: str) -> list[Any]:
    if not who:
        return []
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{host}/accounts/login/")
    page.fill("[name=login]", f"{who}@{DOMAIN}")
    page.fill("[name=password]", PASSWORD)
    page.click("form.form button[type=submit]")
    page.wait_for_url(lambda url: "/accounts/login/" not in url)
    cookies: list[Any] = context.cookies()
    context.close()
    return cookies


def _open(page: Any, host: str, shot: Shot) -> None:
    page.goto(f"{host}{shot.path}")
    if shot.follow and (link := page.locator(shot.follow)).count():
        page.goto(f"{host}{link.first.get_attribute('href')}{shot.then}")
    page.wait_for_load_state("networkidle")


def _on_paper(
    browser: Any, host: str, out: Path, only: re.Pattern[str], signed_in: dict[str, Any]
) -> int:
    taken = 0
    for shot in [each for each in PRINTS + PDFS if only.search(each.name)]:
        context = browser.new_context(viewport=SCREENS["desktop"])
        context.add_cookies(signed_in[shot.who])
        path = out / f"{shot.name}-paper.pdf"
        if shot in PRINTS:
            page = context.new_page()
            _open(page, host, shot)
            page.pdf(path=path, format="A4", prefer_css_page_size=True)
        else:
            path.write_bytes(context.request.get(f"{host}{shot.path}").body())
        context.close()
        taken += 1
    return taken


if __name__ == "__main__":
    main()
