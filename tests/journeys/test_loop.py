"""The whole loop in a real browser: from the scope to a pack that a stranger checks (4.3 to 10.2).

Different people sign in through the login page, press what the pages offer and sign with their
password; a real worker builds the pack. What would only repeat itself (65 clauses) is done by the
same domain calls. On the way the promised numbers of clicks are counted.
"""

import io
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image

from audits.models import Audit, Finding
from audits.workflow import add_question, confirm, plan_audit
from capa.models import CorrectiveAction, Nonconformity, Report
from capa.workflow import actions_of
from documents.models import Document, Revision
from objectives.models import Objective
from qms.actions.models import Action
from qms.files.models import Attachment
from qms.gap.models import Assessment
from qms.gap.workflow import answer as judge
from qms.pack.models import Pack
from qms.people.models import Person
from qms.periods import add_months, today
from qms.scope import workflow as scope
from qms.scope.models import Process, ScopeStatement, Site
from qms.signing.models import Signature
from reviews.models import Review
from tests.conftest import WorkerProcess
from tests.factories import PASSWORD, person
from tests.journeys.desk import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]
SitsDown = Callable[..., Desk]


@dataclass
class Company:
    """A company on its first morning: people, one site, one process that runs."""

    sits_down: SitsDown
    desks: dict[str, Desk] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.people = {
            "manager": person("quality_manager", name="Ana Ruiz"),
            "boss": person("top_management", name="Tom Berg"),
            "owner": person("process_owner", name="Olga Stein"),
            "lead": person("lead_auditor", name="Lea Novak"),
            "worker": person(name="Emil Roy"),
        }
        manager = self.people["manager"]
        scope.set_up_organisation(
            by=manager, name="Roy Valves", country="CA", time_zone="America/Toronto", edition="2026"
        )
        site = scope.add_site(by=manager, name="Hamilton works", headcount=12)
        process = scope.create_process(
            by=manager,
            code="BUY",
            name="Buying",
            owner=self.people["owner"],
            clauses=["2026:8.4.1"],
            sites=[site],
        )
        self.process: Process = scope.activate(process, by=manager)

    def at(self, who: str) -> Desk:
        """The desk of a person; they sign in once."""
        if who not in self.desks:
            self.desks[who] = self.sits_down(self.people[who], by_page=True)
        return self.desks[who]


@pytest.fixture
def company(transactional_db: None, sits_down: SitsDown) -> Company:
    return Company(sits_down)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "shelf.jpg"
    Image.new("RGB", (640, 480), "#8a6d3b").save(path, "JPEG")
    return path


def in_days(days: int) -> str:
    return str(today() + timedelta(days=days))


def test_the_whole_loop(
    company: Company, photo: Path, tmp_path: Path, celery_worker: WorkerProcess
) -> None:
    the_scope_is_approved(company)
    gaps_become_actions(company)
    document = a_document_comes_into_force(company)
    an_objective_is_pursued(company)
    nc = an_audit_finds_a_major(company, photo)
    the_cause_is_removed(company, nc)
    the_audit_is_closed(company)
    the_review_is_held(company)
    pack = a_pack_is_built_and_taken_along(company, tmp_path)
    the_pack_holds_it_all(pack, document, nc, tmp_path)


def the_scope_is_approved(company: Company) -> None:
    manager, boss = company.at("manager"), company.at("boss")
    manager.open("/scope/statements/new/")
    manager.write(
        statement="Buying, making and testing brass valves for water works at Hamilton.",
        products_and_services="Brass valves",
        processes=["Buying"],
        sites=["Hamilton works"],
    )
    manager.confirm()
    manager.press("Send to top management")
    manager.reads("is now “In review”.")
    boss.open("/")
    boss.press("Approve")
    sign(boss, "Approve")
    statement = ScopeStatement.objects.get()
    assert (statement.status, statement.approved_by) == ("approved", company.people["boss"])
    assert signed_by(statement) == ["Tom Berg"]


def sign(desk: Desk, label: str, **fields: Any) -> None:
    """A signed step; a wrong password signs nothing."""
    desk.press(label, within=".next-steps")
    desk.page.wait_for_selector("dialog[open] [name=password]")
    desk.write("dialog[open]", password="somebody else's", **fields)
    desk.confirm("dialog[open]")
    desk.reads("That is not your password. Nothing was signed.")
    desk.write("dialog[open]", password=PASSWORD)
    desk.confirm("dialog[open]")
    desk.page.wait_for_selector("dialog[open]", state="detached")
    desk.reads("is now “")


def signed_by(record: Any) -> list[str]:
    return [each.printed_name for each in Signature.objects.of(record).order_by("pk")]


def gaps_become_actions(company: Company) -> None:
    manager = company.at("manager")
    manager.open("/gap/new/")
    manager.confirm()
    manager.press("Begin with 4.1")
    manager.write(rating="In place", evidence="The list of issues of this spring.")
    manager.press("Save, then 4.2")
    manager.reads("Clause 2 of 65")
    manager.write(
        rating="Not started",
        note="Nobody has asked the neighbours.",
        plan="Ask the neighbours what they expect",
        owner="Olga Stein",
        due=in_days(30),
    )
    manager.press("Save, then 4.3")
    manager.reads("Clause 3 of 65")
    assessment = Assessment.objects.get()
    for each in assessment.answers.filter(rating="open"):
        judge(each, by=company.people["manager"], rating="in_place", evidence="Seen on the spot.")
    manager.open_record(assessment)
    manager.press("Complete")
    manager.reads("is now “Completed”.")
    action = Action.objects.get(kind="roadmap")
    assert (action.owner, action.title) == (
        company.people["owner"],
        "Ask the neighbours what they expect",
    )
    owner = company.at("owner")
    owner.open("/")
    owner.reads("Ask the neighbours what they expect")


def a_document_comes_into_force(company: Company) -> Document:
    owner, manager, boss = company.at("owner"), company.at("manager"), company.at("boss")
    owner.open("/documents/new/")
    owner.write(
        title="How we choose suppliers",
        kind="Procedure",
        owner="Olga Stein",
        process="Buying",
        text="# Choosing\n\nThree offers above 5,000 dollars. The file keeps all three.",
        reviewers="Ana Ruiz",
        approvers="Tom Berg",
    )
    owner.confirm()
    owner.press("Send to review")
    owner.reads("is now “In review”.")
    revision = Revision.objects.get()
    owner.open_record(revision)
    assert owner.page.locator(".next-steps >> text=Sign the review").count() == 0
    manager.open_record(revision)
    sign(manager, "Sign the review")
    boss.open_record(revision)
    sign(boss, "Approve")
    revision.refresh_from_db()
    assert revision.status == "effective"
    assert signed_by(revision) == ["Ana Ruiz", "Tom Berg"]
    worker = company.at("worker")
    worker.open_record(revision.document)
    worker.reads("Three offers above 5,000 dollars.")
    return revision.document


def an_objective_is_pursued(company: Company) -> None:
    owner, manager = company.at("owner"), company.at("manager")
    owner.open("/objectives/new/")
    owner.press("Where it belongs, and who is told")
    owner.write(
        title="Suppliers deliver on time",
        owner="Olga Stein",
        process="Buying",
        metric="Deliveries on the promised day",
        unit="%",
        baseline="80",
        target="95",
        starts_on=str(add_months(today(), -3)),
        deadline=in_days(90),
        plan="Call each supplier a week ahead.",
        resources="Four hours a week.",
        policy_commitment="Customers can rely on our dates.",
        communicated_to="Buying, production",
        evaluation="Counted from goods received at each month's end.",
    )
    owner.confirm()
    objective = Objective.objects.get()
    manager.open_record(objective)
    manager.press("Activate", within=".next-steps")
    manager.reads("is now “Active”.")
    indicator = objective.indicator
    for value in ("82", "88", "93"):
        owner.open(f"{indicator.get_absolute_url()}reading/")
        owner.write(value=value)
        owner.confirm()
        owner.page.wait_for_url(f"**{indicator.get_absolute_url()}")
        owner.reads(f"{value}.0")
    assert indicator.measurements.count() == 3
    owner.open_record(objective)
    drawing = owner.page.locator("figure svg")
    drawing.scroll_into_view_if_needed()
    assert drawing.bounding_box()["width"] > 300
    assert drawing.locator("circle, path, polyline").count() >= 3


def an_audit_finds_a_major(company: Company, photo: Path) -> Nonconformity:
    lead = company.at("lead")
    lead.open("/audits/new/")
    lead.write(process="Buying", planned_on=in_days(0), lead="Lea Novak")
    lead.confirm()
    lead.press("Confirm", within=".next-steps")
    lead.reads("is now “Confirmed”.")
    audit = Audit.objects.get()
    phone = company.sits_down(company.people["lead"], phone=True)
    phone.open_record(audit)
    phone.press("Start", within=".next-steps")
    phone.reads("Question 1 of 2")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.press("Conforms")
    phone.press("Next")
    phone.reads("Question 2 of 2")
    with phone.counted("A graded finding with a photo, from the question", 3):
        phone.press("Major")
        phone.write(
            requirement="Suppliers are chosen by criteria.",
            evidence="Order 4711 went to a supplier nobody had judged.",
            statement="Suppliers are used before they are judged.",
        )
        phone.add_file("photos", photo)
        phone.confirm()
    phone.reads("Suppliers are used before they are judged.")
    finding = Finding.objects.get()
    assert (finding.grade, finding.item and finding.item.answer) == ("major", "nonconforming")
    assert Attachment.objects.of(finding).count() == 1
    phone.press("Finish")
    phone.write(conclusions="Buying knows its suppliers, and one was used unjudged.")
    phone.write(password=PASSWORD)
    phone.confirm()
    phone.reads("is now “Findings released”.")
    assert signed_by(audit) == ["Lea Novak"]
    owner = company.at("owner")
    owner.open("/")
    owner.press("Acknowledge or disagree")
    owner.press("Acknowledge the report", within=".next-steps")
    owner.reads("is now “Follow-up”.")
    audit.refresh_from_db()
    assert (audit.answer, audit.issued_on) == ("acknowledged", today())
    nc = Nonconformity.objects.get()
    assert (nc.origin, nc.grade, nc.owner) == (finding, "major", company.people["owner"])
    return nc


def the_cause_is_removed(company: Company, nc: Nonconformity) -> None:
    owner, worker, manager = company.at("owner"), company.at("worker"), company.at("manager")
    owner.open_record(nc)
    page_loads: list[str] = []
    owner.page.on("framenavigated", lambda frame: page_loads.append(frame.url))
    with owner.counted("Answering a nonconformity: correction, cause, action", 6):
        owner.step("Contained", containment="No further order goes to it.")
        owner.reads("is now “Cause analysis”.")
        owner.step(
            "Cause found",
            why_chain="The list was not looked at.\nIt lies in a drawer.",
            root_cause="The list of judged suppliers is not where orders are written.",
            category="Method",
            similar="Looked at all 40 orders of the quarter; no other.",
        )
        owner.reads("is now “To plan”.")
        owner.step(
            "Plan the action",
            action="Put the list into the order form",
            action_owner="Emil Roy",
            action_due=in_days(0),
            effectiveness_criterion="No unjudged supplier in the next 20 orders.",
            check_on=in_days(0),
        )
        owner.reads("is now “In action”.")
    assert {url.partition("?")[0] for url in page_loads} == {owner.page.url}
    worker.open("/")
    worker.press("Put the list into the order form")
    worker.step("Done", result="The form shows judged suppliers only.")
    worker.reads("is now “Done”.")
    owner.open_record(nc)
    owner.press("Implemented", within=".next-steps")
    owner.reads("is now “Effectiveness check”.")
    assert owner.page.locator(".next-steps a.btn >> text=Effective").count() == 0
    manager.open_record(nc)
    manager.step(
        "Effective",
        verdict="25 orders were written; every supplier is on the list.",
        password=PASSWORD,
    )
    manager.reads("is now “Effective”.")
    manager.press("It needs none")  # a major closes only with an 8D, or so
    manager.write(because="One order, found before anything was delivered.")
    manager.confirm()
    manager.reads("One order, found before anything was delivered.")
    manager.press("Close", within=".next-steps")
    manager.reads("is now “Closed”.")
    nc.refresh_from_db()
    assert (nc.verified_by, nc.closed_by) == (company.people["manager"],) * 2
    assert actions_of(nc).get().status == "verified"
    assert signed_by(CorrectiveAction.objects.serving(nc).get()) == ["Ana Ruiz"]


def the_audit_is_closed(company: Company) -> None:
    """What it found is settled: the lead finds the last step in their work."""
    lead = company.at("lead")
    audit = Audit.objects.get()
    lead.open("/")
    lead.reads(audit.number)
    lead.open_record(audit)
    lead.press("Close", within=".next-steps")
    lead.reads("is now “Closed”.")
    audit.refresh_from_db()
    assert (audit.issued_on, audit.closed_on) == (today(), today())


def the_review_is_held(company: Company) -> None:
    manager, boss = company.at("manager"), company.at("boss")
    manager.open("/reviews/new/")
    manager.write(planned_on=in_days(0), chair="Tom Berg")
    manager.confirm()
    review = Review.objects.get()
    manager.press("Compile the inputs", within=".next-steps")
    manager.reads("is now “Inputs compiled”.")
    boss.open_record(review)
    boss.reads("are empty")
    explain_every_input(manager, review)
    every_objective_is_confirmed(manager, review)
    for kind, words in (("improvement", "Buy from two sources"), ("change", ""), ("resources", "")):
        note_a_decision(manager, review, kind, words)
    boss.open_record(review)
    boss.step(
        "Record the meeting",
        held_on=in_days(0),
        attendees=["Ana Ruiz", "Tom Berg"],
        conclusions="Suitable, adequate and effective; buying needs a second source.",
    )
    boss.reads("is now “Held”.")
    sign(boss, "Sign the minutes")
    review.refresh_from_db()
    assert review.status == "closed"
    assert signed_by(review) == ["Tom Berg"]
    action = Action.objects.raised_from(review).get()
    assert (action.title, action.owner) == ("Buy from two sources", company.people["owner"])


def explain_every_input(manager: Desk, review: Review) -> None:
    """Each empty input in its own form; the page unfolds the next one by itself."""
    manager.open_record(review)
    empty = manager.page.locator("details.disclosure[open] form")
    for _ in range(review.inputs.count()):
        if not empty.count():
            break
        words = "We looked at it together: nothing to add."
        manager.write("details.disclosure[open]", no_change_because=words)
        manager.page.click("details.disclosure[open] form button[type=submit]")
        manager.page.wait_for_load_state()
        manager.open_record(review)
    answered = [each.is_answered for each in review.inputs.filter(required=True)]
    assert answered and all(answered)


def every_objective_is_confirmed(manager: Desk, review: Review) -> None:
    manager.open_record(review)
    form = manager.page.locator("form[action$='/objectives/']")
    for at in range(form.locator("select").count()):
        form.locator("select").nth(at).select_option(value="confirmed")
        form.locator("textarea").nth(at).fill("It still fits the policy.")
    manager.press("Keep the answers")
    manager.page.wait_for_load_state()
    assert not review.reviewed_objectives.filter(answer="").exists()


def note_a_decision(manager: Desk, review: Review, kind: str, words: str) -> None:
    manager.open_record(review)
    manager.press("Note a decision")
    form = "#decisions details[open]"
    manager.page.select_option(f"{form} [name=kind]", kind)
    if words:
        manager.write(form, text=words, owner="Olga Stein", due=in_days(60))
    else:
        manager.write(form, none_because="What we have is enough for the plan of the year.")
    manager.page.click(f"{form} button[type=submit]")
    manager.page.wait_for_url(re.compile("#decisions$"))


def a_pack_is_built_and_taken_along(company: Company, folder: Path) -> Path:
    manager = company.at("manager")
    manager.open("/")
    with manager.counted("A pack for stage 1, from home to the download", 3):
        with manager.page.expect_download(timeout=240_000) as taken:
            manager.press("Evidence packs", within="nav")
            manager.page.locator("button[aria-label$='Stage 1']").click()
            manager.clicks += 1
            manager.write(".form", password=PASSWORD)
            manager.confirm()
            manager.page.wait_for_selector("#pack-progress progress")
        path = folder / taken.value.suggested_filename
        taken.value.save_as(path)
    pack = Pack.objects.get()
    assert (pack.status, path.name) == ("ready", f"{pack.number}.zip")
    assert signed_by(pack) == ["Ana Ruiz"]
    return path


def the_pack_holds_it_all(
    packed: Path, document: Document, nc: Nonconformity, folder: Path
) -> None:
    inside = zipfile.ZipFile(io.BytesIO(packed.read_bytes()))
    assert inside.testzip() is None
    assert f"11-nonconformities/{nc.number}.pdf" in inside.namelist()
    [photo] = [name for name in inside.namelist() if name.endswith(".jpg")]
    assert photo.startswith("09-internal-audit/files/IA-")
    for name in ("verify.py", "pack.pdf"):
        (folder / name).write_bytes(inside.read(name))
    said = subprocess.run(
        [sys.executable, str(folder / "verify.py"), str(packed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, "ntact" in said.stdout) == (0, True), said.stdout + said.stderr
    with pikepdf.open(folder / "pack.pdf") as whole:
        pages = len(whole.pages)
        with whole.open_outline() as outline:
            titles = [str(each.title) for each in outline.root]
    assert pages >= 10
    assert len(titles) >= 5, titles
    words = subprocess.run(
        ["pdftotext", str(folder / "pack.pdf"), "-"],  # noqa: S607 - wherever poppler is
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for expected in (document.number, nc.number, "Roy Valves", "Tom Berg", "Buy from two sources"):
        assert expected in words, expected
    print(f"pack.pdf: {pages} pages, {len(titles)} bookmarks")  # noqa: T201


def test_an_audit_with_one_observation_takes_five_clicks(company: Company) -> None:
    lead, manager = company.people["lead"], company.people["manager"]
    storing = scope.create_process(by=manager, code="ST", name="Storing", owner=manager)
    scope.activate(storing, by=manager)
    audit = plan_audit(by=lead, process=storing, planned_on=today(), lead=lead)
    # One question: each further one costs one tap more, whatever is found.
    add_question(audit, by=lead, question="What spoils here by age?", clause="2026:8.5.4")
    confirm(audit, by=lead)
    desk = company.at("lead")
    desk.open("/")
    desk.press("Conduct")
    with desk.counted("An audit with one observation, from opening it to the report", 5):
        desk.press("Start", within=".next-steps")
        desk.press("Observation")
        desk.write(evidence="Order 4712.", statement="The limit for offers is not written down.")
        desk.confirm()
        desk.press("Finish")
        desk.write(conclusions="Buying is under control.", password=PASSWORD)
        desk.confirm()
        desk.reads("is now “Findings released”.")
    # The lead is done: with the acknowledgement of who owns the process the report is issued.
    boss = company.at("manager")
    boss.open_record(audit)
    boss.press("Acknowledge the report", within=".next-steps")
    boss.reads("is now “Follow-up”.")
    audit.refresh_from_db()
    finding = audit.findings.get()
    assert (audit.issued_on, finding.grade, finding.wants_answer) == (today(), "observation", True)


def test_anybody_reports_a_problem_on_one_screen(company: Company, photo: Path) -> None:
    phone = company.sits_down(company.people["worker"], phone=True)
    phone.open("/")
    screens: list[str] = []
    with phone.counted("A problem with a photo, from home to reported", 3):
        phone.press("Report a problem")
        phone.page.on("framenavigated", lambda frame: screens.append(frame.url))
        phone.write(title="The gauge shows 5 bar at rest", evidence="Bench 3.", process="Buying")
        phone.add_file("photos", photo)
        phone.confirm()
        phone.reads("The gauge shows 5 bar at rest")
    report = Report.objects.get()
    assert [url.replace(phone.host, "") for url in screens] == [report.get_absolute_url()]
    assert Attachment.objects.of(report).count() == 1
    assert report.created_by == company.people["worker"]
    phone.reads("Thank you.")
    desk = company.sits_down(company.people["manager"])
    desk.open("/nonconformities/reports/sort/")
    with desk.counted("Saying what a report is", 1):
        desk.press("Incident", within=".next-steps")
        desk.reads("is now “Taken up”.")
    assert Nonconformity.objects.get().origin == report
    phone.open_record(report)
    phone.reads("Incident: ")


def test_a_report_at_a_workplace_takes_seconds_and_two_taps(company: Company) -> None:
    phone = company.sits_down(company.people["worker"], phone=True)
    page = phone.page
    page.add_init_script(
        "window.keys = Number(sessionStorage.keys || 0);"
        "addEventListener('keydown', () => { sessionStorage.keys = ++window.keys; });"
    )
    started = time.monotonic()
    # What the code on the wall says; the camera opens it.
    phone.open(f"/nonconformities/report/?process={company.process.pk}")
    line = "Gauge 3 shows 5 bar at rest"
    with phone.counted("A problem by the code of a workplace", 2):
        page.tap("[name=title]")
        phone.clicks += 1
        page.keyboard.type(line)
        phone.confirm()
        phone.reads("Thank you.")
    took = time.monotonic() - started
    keys = page.evaluate("window.keys")
    # As people do it: 0.4 s for a key on glass, 1.5 s for a tap, 5 s to think.
    human = 0.4 * keys + 1.5 * phone.clicks + 5
    print(f"A report: {keys} keys, {phone.clicks} taps, {took:.1f} s here, {human:.0f} s by hand")  # noqa: T201 - the figure is the result
    assert keys == len(line)
    assert human + took < 60
    report = Report.objects.get()
    assert (report.title, report.process) == (line, company.process)


def test_of_two_who_approve_at_once_one_wins_and_the_other_reads_why(
    company: Company, sits_down: SitsDown
) -> None:
    statement = scope.draft_statement(
        by=company.people["manager"],
        statement="Buying, making and testing brass valves for water works at Hamilton.",
        products_and_services="Brass valves",
        processes=[company.process],
        sites=list(Site.objects.all()),
    )
    scope.submit(statement, by=company.people["manager"])
    two: list[Person] = [company.people["boss"], person("top_management", name="Uma Falk")]
    desks = [sits_down(each) for each in two]
    for desk in desks:
        desk.open_record(statement)
        desk.press("Approve", within=".next-steps")
        desk.page.wait_for_selector("dialog[open] [name=password]")
        desk.write("dialog[open]", password=PASSWORD)
    for desk in desks:
        desk.page.click("dialog[open] button.btn-primary", no_wait_after=True)
    said = [_answer(desk) for desk in desks]
    statement.refresh_from_db()
    assert statement.status == "approved"
    assert statement.approved_by is not None
    winner = two.index(statement.approved_by)
    assert "is now “Approved”." in said[winner]
    assert "“Approve” is not possible: it is already approved." in said[1 - winner]
    assert signed_by(statement) == [two[winner].name]


def _answer(desk: Desk) -> str:
    desk.page.wait_for_selector("[data-error-summary], .flash, [class*=flash]")
    return str(desk.page.inner_text("body"))
