"""A document in a real browser: written, commented, compared, signed, and written anew (7.5)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from documents import workflow
from documents.content import as_text
from documents.models import (
    Comment,
    ControlledCopy,
    Document,
    Presence,
    ReadingTask,
    Revision,
)
from tests.factories import PASSWORD, person
from tests.journeys.desk import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.clause("7.5.2"),
]
SitsDown = Callable[..., Desk]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "gauge.png"
    Image.new("RGB", (640, 360), "#0b6b66").save(path, "PNG")
    return path


def sign(desk: Desk, label: str) -> None:
    desk.press(label, within=".next-steps")
    desk.page.wait_for_selector("dialog[open] form")
    desk.page.fill("dialog[open] [name=password]", PASSWORD)
    desk.confirm("dialog[open]")
    desk.page.wait_for_selector("dialog[open]", state="detached")


MARK = """words => {
  const text = document.querySelector(".prose");
  const walk = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const at = walk.currentNode.data.indexOf(words);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(walk.currentNode, at);
    range.setEnd(walk.currentNode, at + words.length);
    document.getSelection().removeAllRanges();
    document.getSelection().addRange(range);
    return;
  }
  throw new Error("not there: " + words);
}"""


class Office:
    """Three people at their desks, and the revision they work on."""

    def __init__(self, sits_down: SitsDown) -> None:
        self.author = person("process_owner", name="Ann Author")
        self.reviewer = person("process_owner", name="Rae Reviewer")
        self.approver = person("quality_manager", name="Quinn Approver")
        self.at_author, self.at_reviewer = sits_down(self.author), sits_down(self.reviewer)
        self.at_approver = sits_down(self.approver)

    def opens_the_editor(self, revision: Revision) -> Any:
        self.at_author.open(f"{revision.get_absolute_url()}edit/")
        page = self.at_author.page
        page.wait_for_selector(".editor .ProseMirror")
        return page

    def is_sent_to_review(self) -> None:
        self.at_author.press("Send to review", within=".next-steps")
        self.at_author.reads("is now “In review”.")


def test_from_the_first_word_to_the_second_revision(
    transactional_db: None, sits_down: SitsDown, photo: Path
) -> None:
    office = Office(sits_down)
    revision = it_is_written_with_the_tools_of_the_editor(office)
    a_picture_comes_in_and_one_writes_at_a_time(office, revision, photo)
    office.is_sent_to_review()
    a_passage_is_commented_and_the_author_answers(office, revision)
    office.is_sent_to_review()
    worker = person(name="Emil Roy")
    document = Document.objects.get()
    workflow.set_audience(document, workflow.Readers(people=[worker]), by=office.approver)
    both_sign_with_their_passwords(office, revision)
    at_worker = sits_down(worker, phone=True)
    it_is_read_in_three_clicks(at_worker, revision)
    copy = workflow.issue_copy(document, by=office.approver, place="Gate 2")
    the_code_on_a_copy_says(at_worker, copy, "Current")
    the_next_one_is_shown_to_its_reviewer_as_what_changes(office)
    following = Revision.objects.get(label="2")
    both_sign_with_their_passwords(office, following)
    the_code_on_a_copy_says(at_worker, copy, "Obsolete")
    copy.refresh_from_db()
    assert copy.status == "recalled"
    it_is_read_in_three_clicks(at_worker, following)


def it_is_written_with_the_tools_of_the_editor(office: Office) -> Revision:
    desk, page = office.at_author, office.at_author.page
    desk.open("/documents/new/")
    desk.write(title="Receiving goods", kind="Procedure", owner="Ann Author")
    page.click(".editor .ProseMirror")
    page.keyboard.type("## Purpose\nNothing comes in unseen.\n")
    page.click("[aria-label=Steps]")
    page.keyboard.type("Count the parcels.\nCompare with the order.\n\n")
    page.select_option("[aria-label=Callout]", "warning")
    page.keyboard.type("Wet cartons stay outside.")
    desk.write(reviewers="Rae Reviewer", approvers="Quinn Approver")
    desk.confirm()
    desk.reads("Wet cartons stay outside.")
    revision = Revision.objects.get()
    kinds = [block["type"] for block in revision.text["content"]]
    assert kinds[:4] == ["heading", "paragraph", "steps", "callout"]
    return revision


def a_picture_comes_in_and_one_writes_at_a_time(
    office: Office, revision: Revision, photo: Path
) -> None:
    page = office.opens_the_editor(revision)
    office.at_reviewer.open(f"{revision.get_absolute_url()}edit/")
    office.at_reviewer.reads("Ann Author writes this draft since")
    page.click(".editor .ProseMirror h2")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.click("[aria-label=Picture]")
    page.set_input_files("dialog[open] [type=file]", str(photo))
    page.fill("dialog[open] [type=text]", "The gauge at the gate")
    page.click("dialog[open] button[type=submit]")
    page.wait_for_selector(".editor figure img")
    office.at_author.confirm()
    office.at_author.reads("The gauge at the gate")
    assert not Presence.objects.filter(person=office.author).exists()
    assert page.locator(".prose figure img").evaluate("image => image.naturalWidth") == 640


def a_passage_is_commented_and_the_author_answers(office: Office, revision: Revision) -> None:
    desk = office.at_reviewer
    desk.open_record(revision)
    desk.page.evaluate(MARK, "Compare with the order.")
    desk.page.fill("#comment-words", "With which order, the buyer's or the customer's?")
    desk.press("Comment", within=".comment-form")
    desk.reads("With which order")
    comment = Comment.objects.get()
    revision.refresh_from_db()
    steps = [block["type"] for block in revision.text["content"]].index("steps")
    assert (comment.quote, comment.block) == ("Compare with the order.", steps)
    desk.press("Send back", within=".next-steps")
    desk.page.wait_for_selector("dialog[open] form")
    desk.write("dialog[open]", reason="Say with which order.")
    desk.press("Send back", within="dialog[open]")
    desk.reads("is now “Draft”.")
    page = office.opens_the_editor(revision)
    page.click(".editor .ProseMirror li:nth-child(2)")
    page.keyboard.press("End")
    page.keyboard.type(" That is the buyer's order.")
    office.at_author.confirm()
    office.at_author.press("Settle", within=".comment")
    office.at_author.write(answer="It is named now.")
    office.at_author.confirm()
    office.at_author.reads("settled")


def it_is_read_in_three_clicks(desk: Desk, revision: Revision) -> None:
    """From my work on the phone: open it, read to the end, say so."""
    desk.open("/")
    with desk.counted("read and acknowledge", 3):
        desk.press("Read", within="main")
        desk.reads(f"Revision {revision.label}")
        desk.press("I have read and understood it")
        desk.reads("You have read")
    task = ReadingTask.objects.get(person=desk.who, revision=revision)
    assert task.status == "acknowledged"


def the_code_on_a_copy_says(desk: Desk, copy: ControlledCopy, word: str) -> None:
    """Whoever scans the code learns one word and nothing else."""
    desk.open(f"/copies/{copy.token}/")
    desk.reads(word)
    assert copy.document.title not in desk.page.inner_text("body")


def both_sign_with_their_passwords(office: Office, revision: Revision) -> None:
    office.at_reviewer.open_record(revision)
    sign(office.at_reviewer, "Sign the review")
    office.at_approver.open_record(revision)
    sign(office.at_approver, "Approve")
    revision.refresh_from_db()
    assert revision.status == "effective"
    assert "the buyer's order" in as_text(revision.text)


def the_next_one_is_shown_to_its_reviewer_as_what_changes(office: Office) -> None:
    following = workflow.start_revision(
        Document.objects.get(), by=office.author, change_summary="Frozen goods too."
    )
    page = office.opens_the_editor(following)
    page.click(".editor .ProseMirror aside p")
    page.keyboard.press("End")
    page.keyboard.type(" So do frozen ones.")
    office.at_author.confirm()
    office.is_sent_to_review()
    office.at_reviewer.open_record(following)
    office.at_reviewer.reads("What changes against revision 1")
    assert office.at_reviewer.page.inner_text(".redline ins").strip() == "So do frozen ones."


def test_text_that_was_not_saved_comes_back_after_the_tab_was_closed(
    transactional_db: None, sits_down: SitsDown
) -> None:
    author = person("process_owner", name="Ann Author")
    document = workflow.create_document(by=author, title="Buying", kind="procedure", owner=author)
    draft = document.revisions.get()
    desk = sits_down(author)
    desk.open(f"{draft.get_absolute_url()}edit/")
    desk.page.wait_for_selector(".editor .ProseMirror")
    desk.page.click(".editor .ProseMirror")
    desk.page.keyboard.type("Three offers.")
    desk.page.wait_for_timeout(800)
    desk.page.close(run_before_unload=False)
    desk.page = desk.context.new_page()
    desk.open(f"{draft.get_absolute_url()}edit/")
    desk.reads("that was not saved here")
    desk.press("Put it back")
    desk.confirm()
    desk.reads("Three offers.")
    draft.refresh_from_db()
    assert as_text(draft.text) == "Three offers."
