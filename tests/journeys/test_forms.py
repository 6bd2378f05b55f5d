"""A form in a real browser: designed, in force, filled in on a phone, corrected (7.5, 8.6)."""

from collections.abc import Callable

import pytest

from capa.models import Nonconformity, Proposal
from documents import workflow
from documents.models import Document, Entry, Revision
from qms.people.models import Person
from tests.factories import PASSWORD, person, proof
from tests.journeys.desk import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.clause("8.6"),
]
SitsDown = Callable[..., Desk]


def test_from_an_empty_form_to_a_nonconformity_and_a_correction(
    transactional_db: None, sits_down: SitsDown
) -> None:
    author = person("process_owner", name="Ann Author")
    reviewer = person("process_owner", name="Rae Reviewer")
    approver = person("quality_manager", name="Quinn Approver")
    inspector = person("employee", name="Ines Inspector")
    revision = it_is_designed(sits_down(author))
    it_takes_effect(revision, author, reviewer, approver)
    at_bench = sits_down(inspector, phone=True)
    it_is_filled_in_at_the_bench(at_bench, revision.document)
    what_lies_beyond_its_limit_is_raised(sits_down(author))
    a_mistake_is_put_right(at_bench, revision.document)


def it_is_designed(desk: Desk) -> Revision:
    desk.open("/documents/forms/")
    desk.page.get_by_label("Begin with: Inspection report").click()
    revision = Revision.objects.get()
    desk.open(f"{revision.get_absolute_url()}fields/")
    desk.press("Number", within=".design-add")
    last = desk.page.locator("details.design-field[open]")
    last.locator("[name$=-label]").fill("Leak rate")
    last.locator("[name$=-unit]").fill("ml/min")
    last.locator("[name$=-high]").fill("1,5")
    desk.page.locator("#preview").get_by_text("Leak rate").wait_for()
    desk.press("Save the fields")
    desk.reads("Leak rate")
    desk.open(f"{revision.document.get_absolute_url()}edit/")
    revision.refresh_from_db()
    part = revision.fields[-1]
    assert (part["label"], part["high"], part["unit"]) == ("Leak rate", "1.5", "ml/min")
    return revision


def it_takes_effect(revision: Revision, author: Person, reviewer: Person, approver: Person) -> None:
    """Signatures have a journey of their own (`test_documents`)."""
    workflow.name_signatories(revision, "review", [reviewer], by=author)
    workflow.name_signatories(revision, "approval", [approver], by=author)
    workflow.submit(revision, by=author)
    workflow.review(revision, by=reviewer, proof=proof(reviewer))
    workflow.approve(revision, by=approver, proof=proof(approver))


def it_is_filled_in_at_the_bench(desk: Desk, form: Document) -> None:
    with desk.counted("Filling in an inspection report", 6):
        desk.open(f"/documents/f/{form.number}/")
        desk.write(
            a_order_or_lot="4417",
            a_what_was_inspected="Ball valves DN 50",
            a_pieces_inspected="twelve",
            a_leak_rate="2,5",
            a_decision="Released",
            password=PASSWORD,
        )
        desk.press("Submit")
        desk.reads("Write a number")
        assert desk.page.input_value("[name=a_leak_rate]") == "2.5"
        desk.write(a_pieces_inspected="12", password=PASSWORD)
        desk.press("Submit")
        desk.reads("Leak rate: 2.5 ml/min is above 1.5")
    entry = Entry.objects.get()
    assert (entry.status, entry.worst, entry.created_by) == ("submitted", "limit", desk.who)


def what_lies_beyond_its_limit_is_raised(desk: Desk) -> None:
    with desk.counted("Raising a nonconformity from an entry", 4):
        desk.open("/")
        desk.press("Decide")
        desk.step("Raise a nonconformity")
    assert Proposal.objects.get().status == "taken_up"
    assert Nonconformity.objects.get().statement.startswith("Leak rate: 2.5 ml/min is above 1.5")


def a_mistake_is_put_right(desk: Desk, form: Document) -> None:
    desk.open(f"/documents/f/{form.number}/")
    desk.write(
        a_order_or_lot="4418",
        a_what_was_inspected="Ball valves DN 50",
        a_pieces_inspected="12",
        a_leak_rate="0.5",
        a_decision="Released",
        password=PASSWORD,
    )
    desk.press("Submit")
    desk.reads("0.5 ml/min")
    entry = Entry.objects.latest("pk")
    desk.press("Correct it")
    desk.write(why="I read the wrong tube.")
    desk.confirm()
    desk.reads(f"It corrects {entry.number}: I read the wrong tube.")
    desk.write(a_leak_rate="1.5", password=PASSWORD)
    desk.press("Submit")
    desk.reads("1.5 ml/min")
    entry.refresh_from_db()
    right = Entry.objects.latest("pk")
    assert (entry.status, entry.values["leak_rate"]) == ("corrected", "0.5")
    assert (right.status, right.worst, right.values["leak_rate"]) == ("submitted", "", "1.5")
