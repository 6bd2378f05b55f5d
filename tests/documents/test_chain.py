"""The chain of a change: what is shown before the approval is what is opened by it."""

from typing import Any

import pytest
from django.test import Client

from documents import workflow
from documents.content import from_markdown
from documents.forms import document_numbered
from documents.models import ControlledCopy, Document, FollowUp, ReadingTask, ReviewFlag
from qms.competence.workflow import plan_training
from qms.contributions import mentions_of
from qms.periods import today
from qms.workflow import amend
from tests import factories, scenes
from tests.scenes import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3")]


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


def a_document_in_use(cast: Cast) -> Document:
    """Read by a newcomer, hung at a bench, pointed at, named by a question and by a training."""
    document = scenes.a_document(cast)
    number = document.number
    readers = workflow.Readers(people=(cast.newcomer,))
    workflow.set_audience(document, readers, by=cast.manager)
    workflow.issue_copy(document, by=cast.manager, place="Bench 3")
    text = from_markdown(f"See [[{number}]].", find=document_numbered)
    draft = scenes.a_draft(cast)
    amend(draft, by=cast.author, changes={"text": text})
    scenes.approve(cast, draft)
    plan_training(by=cast.manager, title=f"Use {number} well", owner=cast.owner, planned_on=today())
    plan_training(by=cast.manager, title=f"Use {number}1", owner=cast.owner, planned_on=today())
    item = scenes.an_audit(cast).items.first()
    item.question = f"Is {number.lower()} followed?"
    item.save_because("Sharper.", by=cast.lead)
    return document


@pytest.mark.slow
def test_what_is_shown_before_the_approval_is_what_it_opens() -> None:
    cast = Cast()
    document = a_document_in_use(cast)
    revision = workflow.start_revision(document, by=cast.author, change_summary="New steps.")
    workflow.submit(revision, by=cast.author)
    shown = workflow.causes_of(revision)
    page = signed_in(cast.approver).get(revision.get_absolute_url()).content.decode()
    assert "1 person is asked to read it" in page
    assert "1 controlled copy is recalled" in page
    assert "names it" in page
    workflow.review(revision, by=cast.reviewer, proof=factories.proof(cast.reviewer))
    workflow.approve(revision, by=cast.approver, proof=factories.proof(cast.approver))
    tasks = ReadingTask.objects.filter(revision=revision)
    assert [task.person for task in tasks] == list(shown.readers) == [cast.newcomer]
    recalled = ControlledCopy.objects.filter(recalled_for=revision, status="recalled")
    assert list(recalled) == list(shown.copies)
    flags = ReviewFlag.objects.filter(cause=revision)
    assert [flag.document for flag in flags] == list(shown.documents)
    followed = FollowUp.objects.filter(revision=revision).order_by("kind")
    assert [each.key for each in followed] == [each.key for each in shown.mentions]
    assert [each.kind for each in followed] == ["Audit question", "Training"]
    assert [each.person for each in followed] == [cast.lead, cast.owner]
    opened = workflow.opened_by(revision, cast.manager)
    assert (opened.asked, opened.read, len(opened.copies), len(opened.flags)) == (1, 0, 1, 1)
    workflow.acknowledge(tasks.get(), by=cast.newcomer, read=revision)
    page = signed_in(cast.approver).get(revision.get_absolute_url()).content.decode()
    assert "What this caused" in page
    assert "1 of 1 have read it" in page


@pytest.mark.slow
def test_a_minor_revision_calls_copies_back_and_asks_nothing_of_people() -> None:
    cast = Cast()
    document = a_document_in_use(cast)
    minor = workflow.start_revision(
        document, by=cast.author, change_summary="A typing error.", is_minor=True
    )
    shown = workflow.causes_of(minor)
    assert (len(shown.copies), shown.readers, shown.documents, shown.mentions) == (1, (), (), ())
    scenes.approve(cast, minor)
    opened = workflow.opened_by(minor, cast.manager)
    assert (opened.asked, len(opened.copies), opened.flags, opened.follow_ups) == (0, 1, [], [])


def test_a_first_issue_asks_its_readers_and_nobody_else() -> None:
    cast = Cast()
    draft = scenes.a_draft(cast)
    readers = workflow.Readers(people=(cast.newcomer,))
    workflow.set_audience(draft.document, readers, by=cast.manager)
    number = draft.document.number
    plan_training(by=cast.manager, title=f"Use {number}", owner=cast.owner, planned_on=today())
    shown = workflow.causes_of(draft)
    assert (list(shown.readers), shown.mentions) == ([cast.newcomer], ())
    scenes.approve(cast, draft)
    assert not FollowUp.objects.exists()
    assert ReadingTask.objects.get().person == cast.newcomer


def test_what_a_reader_may_not_see_is_not_told_to_them() -> None:
    cast = Cast()
    document = a_document_in_use(cast)
    kinds = {each.kind for each in mentions_of(document.number, cast.newcomer)}
    assert kinds == {"Training"}  # audits are not for everybody
    assert len(mentions_of(document.number, cast.lead)) == 2
    assert mentions_of("QP-77") == []
