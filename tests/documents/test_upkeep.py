"""Periodic review: reaffirmed by signature, and flagged when what it depends on changed."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.test import Client

from documents import workflow
from documents.content import from_markdown
from documents.forms import document_numbered
from documents.models import Document, ReviewFlag
from qms import clock
from qms.people.models import Person
from qms.periods import add_months, today
from qms.refusals import Refused
from qms.scope import workflow as scope
from qms.signing.models import Signature
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories, scenes
from tests.documents.test_workflow import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.2")]


@pytest.fixture
def cast() -> Cast:
    return Cast()


def reaffirm(document: Document, by: Person, **more: Any) -> Document:
    return workflow.reaffirm(document, by=by, proof=factories.proof(by), **more)


def in_force(cast: Cast, **more: Any) -> Document:
    cast.approved(cast.document(**more).revisions.get())
    return Document.objects.order_by("-pk")[0]


@pytest.mark.slow
def test_reaffirming_signs_the_content_in_force_and_sets_the_next_day(cast: Cast) -> None:
    document = in_force(cast)
    with time_machine.travel(clock.now() + timedelta(days=400), tick=True):
        again = reaffirm(document, cast.author)
        assert again.next_review == add_months(today(), 24)
        signature = Signature.objects.of(document).get()
        assert (signature.meaning, signature.still_fits) == ("Reaffirmed", True)
        sooner = today() + timedelta(days=30)
        assert reaffirm(document, cast.author, again_on=sooner).next_review == sooner
        for wrong in (today(), add_months(today(), 25)):
            with pytest.raises(Refused, match="Choose a day from tomorrow"):
                reaffirm(document, cast.author, again_on=wrong)
    following = workflow.start_revision(document, by=cast.author, change_summary="Clearer.")
    with pytest.raises(Refused, match="in work"):
        reaffirm(document, cast.author)
    cast.approved(following)
    assert not Signature.objects.of(document).earliest("pk").still_fits  # it was of the one before


def test_only_who_keeps_a_document_reaffirms_it_and_only_what_is_in_force(cast: Cast) -> None:
    document = in_force(cast)
    with pytest.raises(PermissionDenied, match="Only its owner"):
        reaffirm(document, cast.reviewer)
    with pytest.raises(Refused, match="nothing to reaffirm"):
        reaffirm(cast.draft().document, cast.author)


@pytest.mark.slow
def test_what_holds_for_a_retired_process_or_a_closed_site_is_flagged_once(cast: Cast) -> None:
    manager = cast.approver
    process = scope.create_process(by=manager, code="BUY", name="Buying", owner=cast.author)
    scope.activate(process, by=manager)
    site = scope.add_site(by=manager, name="Hull")
    of_process, of_site = in_force(cast, process=process), in_force(cast, sites=[site])
    everywhere = in_force(cast)
    scope.retire(process, by=manager, reason="We buy no more.")
    scope.close_site(site, by=manager, reason="Sold.")
    flags = dict(ReviewFlag.objects.open().values_list("document_id", "why"))
    assert flags == {of_process.pk: "Buying was retired.", of_site.pk: "Hull was closed."}
    assert everywhere.pk not in flags
    scope.reopen_site(site, by=manager, reason="Bought back.")
    scope.close_site(site, by=manager, reason="Sold again.")
    assert ReviewFlag.objects.count() == 2


@pytest.mark.slow
def test_a_process_that_changes_flags_its_documents_until_they_are_looked_at(cast: Cast) -> None:
    process = scope.create_process(
        by=cast.approver, code="BUY", name="Buying", owner=cast.author, purpose="Buy."
    )
    scope.activate(process, by=cast.approver)
    document, other = in_force(cast, process=process), in_force(cast)
    for purpose in ("Buy well.", "Buy better."):
        amend(process, by=cast.approver, changes={"purpose": purpose}, reason="Clearer.")
    amend(process, by=cast.approver, changes={"owner": cast.reviewer}, reason="Moved on.")
    assert [flag.why for flag in document.flags.order_by("pk")] == [
        "Buying has another purpose.",
        "Buying has another owner.",
    ]
    assert document.flags.first().caused_by == cast.approver
    assert not other.flags.exists()
    item = WorkItem.objects.get(step="flagged")
    assert (item.person, item.record) == (cast.author, document)
    flag = document.flags.first()
    with pytest.raises(Refused, match="Reaffirm the document"):
        workflow.settle_flag(flag, by=Person.objects.system(), reason="Go away.")
    with pytest.raises(PermissionDenied):
        workflow.settle_flag(flag, by=cast.approver, reason="Go away.")
    reaffirm(document, cast.author)
    assert not ReviewFlag.objects.open().exists()
    assert not WorkItem.objects.filter(step="flagged").exists()


def pointing(cast: Cast, to: Document) -> Document:
    text = from_markdown(f"See [[{to.number}]].", find=document_numbered)
    made = workflow.create_document(
        by=cast.author,
        title="Points",
        kind="procedure",
        owner=cast.author,
        text=text,
        reviewers=[cast.reviewer],
        approvers=[cast.approver],
    )
    cast.approved(made.revisions.get())
    return made


@pytest.mark.slow
def test_what_points_at_a_document_is_flagged_by_its_major_revisions(cast: Cast) -> None:
    form = in_force(cast)
    procedure = pointing(cast, form)
    assert list(workflow.pointing_at(form)) == [procedure]
    cast.approved(
        workflow.start_revision(form, by=cast.author, change_summary="Typo.", is_minor=True)
    )
    assert not ReviewFlag.objects.exists()
    cast.approved(workflow.start_revision(form, by=cast.author, change_summary="New fields."))
    flag = ReviewFlag.objects.get()
    assert (flag.document, flag.cause.label) == (procedure, "2")
    assert "new revision" in flag.why
    revised = workflow.start_revision(procedure, by=cast.author, change_summary="Follows it.")
    cast.approved(revised)
    flag.refresh_from_db()
    assert flag.status == "settled"
    workflow.withdraw(form, by=cast.approver, reason="No longer used.")
    assert "was withdrawn" in ReviewFlag.objects.open().get().why
    workflow.withdraw(procedure, by=cast.approver, reason="Neither.")
    assert not ReviewFlag.objects.open().exists()


@pytest.mark.slow
def test_another_scope_flags_the_documents_of_what_came_in_and_went_out() -> None:
    cast = scenes.Cast()
    first = scenes.a_statement(cast)
    process = cast.things["process"]
    policy = scenes.approve(cast, scenes.a_draft(cast, clauses=["2026:4.3"])).document
    scope.submit(first, by=cast.writer)
    proof = factories.proof(cast.boss)
    scope.approve(first, by=cast.boss, proof=proof)
    assert not ReviewFlag.objects.exists()
    making = scope.create_process(by=cast.manager, code="MAKE", name="Making", owner=cast.owner)
    scope.activate(making, by=cast.manager)
    document = scenes.approve(cast, scenes.a_draft(cast, process=making)).document
    second = scope.revise_statement(first, by=cast.writer)
    scope.cover(second, by=cast.writer, processes=[process, making], sites=[cast.things["site"]])
    changes = {"statement": "Making, repairing and testing valves for water works in Ontario."}
    amend(second, by=cast.writer, changes=changes)
    scope.submit(second, by=cast.writer)
    scope.approve(second, by=cast.boss, proof=factories.proof(cast.boss))
    assert [flag.why for flag in document.flags.all()] == ["Making is now in the scope."]
    assert "The scope changed" in policy.flags.get().why


@pytest.mark.slow
def test_the_pages_show_what_is_due_and_why(cast: Cast) -> None:
    process = scope.create_process(by=cast.approver, code="BUY", name="Buying", owner=cast.author)
    scope.activate(process, by=cast.approver)
    document = in_force(cast, process=process)
    amend(process, by=cast.approver, changes={"purpose": "Buy well."}, reason="Clearer.")
    client = Client()
    client.force_login(cast.author, backend="qms.people.access.RoleBackend")
    for url in (
        "/documents/reviews/?flagged=true",
        "/documents/?flagged=true",
        document.get_absolute_url(),
    ):
        page = client.get(url).content.decode()
        assert document.number in page, url
    assert "Buying has another purpose." in page
    assert "It still holds: reaffirm" in page
    start = client.get(f"/documents/{document.pk}/revise/").content.decode()
    assert "Buying has another purpose." in start
    with time_machine.travel(clock.now() + timedelta(days=720), tick=True):
        page = client.get("/documents/reviews/?flagged=false").content.decode()
        assert document.number not in page
