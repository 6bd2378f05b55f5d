"""What changed between two revisions is shown, harmlessly, and nothing else is."""

from typing import Any

import pytest
from django.test import Client

from documents import redline, workflow
from documents.content import from_markdown
from documents.models import Revision
from qms.workflow import amend
from tests import factories
from tests.documents.test_workflow import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3.2")]
TABLE = "| A | B |\n| --- | --- |\n| 1 | 2 |"
BEFORE = f"# Purpose\n\nBuy well from three suppliers.\n\n- Ask\n- Compare\n\n{TABLE}"
AFTER = BEFORE.replace("three", "at least three").replace("- Compare", "- Compare\n- Sign")


def two(before: str, after: str) -> tuple[Cast, Revision, Revision]:
    cast = Cast()
    first = cast.draft()
    first = cast.approved(changed(first, cast, before))
    second = workflow.start_revision(first.document, by=cast.author, text=from_markdown(after))
    return cast, first, second


def changed(revision: Revision, cast: Cast, text: str) -> Revision:
    amended: Revision = amend(revision, by=cast.author, changes={"text": from_markdown(text)})
    return amended


@pytest.mark.parametrize("as_text", [False, True])
def test_insertions_are_marked_and_the_rest_is_not(as_text: bool) -> None:
    cast, first, second = two(BEFORE, AFTER)
    drawn = redline.compare(first, second, person=cast.author, as_text=as_text)
    assert (drawn.added, drawn.removed) == (3, 0)
    assert "<ins>at least" in drawn.html
    back = redline.compare(second, first, person=cast.author, as_text=as_text)
    assert (back.added, back.removed) == (0, 3)
    same = redline.compare(first, first, person=cast.author, as_text=as_text)
    assert same.is_same
    assert "<ins>" not in same.html


@pytest.mark.parametrize("as_text", [False, True])
def test_typed_tags_stay_words_in_a_redline(as_text: bool) -> None:
    evil = "Say <script>alert(1)</script> and <ins>fake</ins> <img src=x onerror=alert(1)>."
    cast, first, second = two("Say nothing.", evil)
    html = redline.compare(first, second, person=cast.author, as_text=as_text).html
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    assert "<ins>fake" not in html


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


@pytest.mark.slow
def test_who_is_asked_to_sign_sees_the_changes_first() -> None:
    cast, _first, second = two(BEFORE, AFTER)
    page = second.get_absolute_url()
    workflow.submit(second, by=cast.author)
    asked = signed_in(cast.reviewer).get(page).content.decode()
    assert "What changes against revision 1" in asked
    assert "<ins>at least" in asked
    assert "<ins>at" not in signed_in(cast.reviewer).get(f"{page}?show=text").content.decode()
    assert "<ins>at" not in signed_in(cast.author).get(page).content.decode()
    assert "<ins>at least" in signed_in(cast.author).get(f"{page}?show=changes").content.decode()


def test_any_two_revisions_a_reader_may_see_are_compared_and_no_others() -> None:
    cast, first, second = two(BEFORE, AFTER)
    url = f"{second.get_absolute_url()}compare/"
    assert "<ins>at least" in signed_in(cast.author).get(url).content.decode()
    as_text = signed_in(cast.author).get(f"{url}?with={first.pk}&as=text").content.decode()
    assert "<ins>at least" in as_text
    other = cast.draft()
    assert signed_in(cast.author).get(f"{url}?with={other.pk}").status_code == 404
    assert signed_in(factories.person()).get(url).status_code == 404
    backwards = f"{first.get_absolute_url()}compare/?with={second.pk}"
    assert signed_in(factories.person()).get(backwards).status_code == 404
