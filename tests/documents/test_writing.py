"""One writes at a time and nobody's words are overwritten; comments stay until they are settled."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from documents import workflow
from documents.content import as_text, from_markdown
from documents.models import Comment, Presence, Revision
from qms import clock
from qms.people.models import Person
from qms.refusals import Refused
from qms.workflow import amend
from tests import factories
from tests.documents.test_workflow import Cast
from tests.kernel.test_workflow import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3.2")]


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


def words(text: str) -> dict[str, Any]:
    return {"text": from_markdown(text)}


def test_while_one_writes_nobody_else_saves_on_any_route() -> None:
    cast = Cast()
    draft = cast.draft()
    assert workflow.take_lease(draft, by=cast.author).mine
    lease = workflow.take_lease(draft, by=cast.approver)
    assert (lease.mine, lease.holder) == (False, cast.author)
    with pytest.raises(Refused, match="Ann Author writes it since"):
        amend(draft, by=cast.approver, changes=words("Mine."))
    with pytest.raises(Refused, match="Ann Author writes it since"):
        workflow.submit(draft, by=cast.approver)
    url = f"{draft.get_absolute_url()}edit/"
    typed = {"title": "T", "text": "My long text.", "version": draft.version}
    answer = signed_in(cast.approver).post(url, typed)
    assert answer.status_code == 422
    assert "Ann Author writes it since" in answer.content.decode()
    assert "My long text." in answer.content.decode()  # what was typed is still on the page
    amend(draft, by=cast.author, changes=words("Hers."))
    assert as_text(Revision.objects.get(pk=draft.pk).text) == "Hers."


def test_who_is_taken_over_from_is_told_and_cannot_save_over_it() -> None:
    cast = Cast()
    draft = cast.draft()
    hers = workflow.take_lease(draft, by=cast.author)
    client = signed_in(cast.approver)
    assert client.post(f"{draft.get_absolute_url()}take-over/").status_code == 303
    presence = f"{draft.get_absolute_url()}presence/"
    told = signed_in(cast.author).post(presence, {"token": str(hers.token)}).json()
    assert told == {"readers": ["Quinn Approver"], "taken_by": "Quinn Approver"}
    with pytest.raises(Refused, match="Quinn Approver writes it"):
        amend(draft, by=cast.author, changes=words("Over it."))


def test_a_closed_or_silent_page_gives_the_draft_free() -> None:
    cast = Cast()
    draft = cast.draft()
    lease = workflow.take_lease(draft, by=cast.author)
    workflow.keep_lease(draft, by=cast.author, token=str(lease.token), leaving=True)
    assert workflow.writer_of(draft) is None
    workflow.take_lease(draft, by=cast.author)
    with time_machine.travel(clock.now() + timedelta(seconds=91)):
        assert workflow.take_lease(draft, by=cast.approver).mine
    assert Presence.objects.filter(revision=draft, writes=True).count() == 1


def test_an_older_page_of_the_same_person_keeps_nothing_alive() -> None:
    cast = Cast()
    draft = cast.draft()
    first = workflow.take_lease(draft, by=cast.author)
    second = workflow.take_lease(draft, by=cast.author)
    workflow.keep_lease(draft, by=cast.author, token=str(first.token), leaving=True)
    assert workflow.writer_of(draft).token == second.token  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_open_a_draft_at_once_one_writes() -> None:
    cast = Cast()
    draft = cast.draft()
    held: list[bool] = []

    def open_it(person: Person) -> None:
        held.append(workflow.take_lease(Revision.objects.get(pk=draft.pk), by=person).mine)

    answers = at_once(lambda: open_it(cast.author), lambda: open_it(cast.approver))
    assert (answers, sorted(held)) == (["ok", "ok"], [False, True])


def comment(cast: Cast, draft: Revision, **more: Any) -> Comment:
    return workflow.add_comment(by=cast.reviewer, revision=draft, words="Which?", **more)


@pytest.mark.slow
def test_an_open_comment_stands_in_the_way_of_approval_and_of_the_next_review() -> None:
    cast = Cast()
    draft = cast.draft()
    workflow.submit(draft, by=cast.author)
    said = comment(cast, draft, block=1, quote="Buy well.")
    workflow.review(draft, by=cast.reviewer, proof=factories.proof(cast.reviewer))
    with pytest.raises(Refused, match="1 comment is open"):
        workflow.approve(draft, by=cast.approver, proof=factories.proof(cast.approver))
    workflow.send_back(draft, by=cast.approver, reason="Answer it.")
    with pytest.raises(Refused, match="1 comment is open"):
        workflow.submit(draft, by=cast.author)
    workflow.settle(said, by=cast.author, answer="The cheapest.")
    assert cast.approved(draft).status == "effective"
    with pytest.raises(Refused, match="no longer in work"):
        workflow.reopen(said, by=cast.author, reason="After all.")
    with pytest.raises(Refused, match="no longer in work"):
        comment(cast, draft)


def test_a_comment_is_about_a_passage_that_is_there() -> None:
    cast = Cast()
    with pytest.raises(Refused, match="not in the text"):
        comment(cast, cast.draft(), block=99)
    with pytest.raises(Refused, match="Write what you want to say"):
        workflow.add_comment(by=cast.reviewer, revision=cast.draft(), words="  ")


def test_the_history_tells_of_a_text_only_what_differs() -> None:
    cast = Cast()
    draft = cast.draft()
    amend(draft, by=cast.author, changes=words("# Purpose\n\nBuy better."))
    page = signed_in(cast.author).get(draft.get_absolute_url()).content.decode()
    assert "Buy well.</del>" in page
    assert "Buy better.</ins>" in page
    assert "&#x27;type&#x27;" not in page
