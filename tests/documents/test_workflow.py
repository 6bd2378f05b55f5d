"""The document procedure: the author does not approve, and one revision is in force."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from documents import workflow
from documents.models import Document, Revision
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.signing.models import Signature
from qms.signing.workflow import Proof
from qms.workflow import amend
from tests import factories
from tests.kernel.test_workflow import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.2")]


class Cast:
    """The people of a document."""

    def __init__(self) -> None:
        self.author = factories.person("process_owner", name="Ann Author")
        self.reviewer = factories.person("process_owner", name="Rae Reviewer")
        self.approver = factories.person("quality_manager", name="Quinn Approver")

    def document(self, **more: object) -> Document:
        return workflow.create_document(
            by=self.author,
            title="Purchasing",
            kind="procedure",
            owner=self.author,
            body="# Purpose\n\nBuy well.",
            reviewer=self.reviewer,
            approver=self.approver,
            **more,
        )

    def draft(self) -> Revision:
        return self.document().revisions.get()

    def reviewed(self, revision: Revision) -> Revision:
        workflow.submit(revision, by=revision.created_by)
        return workflow.review(revision, by=self.reviewer, proof=factories.proof(self.reviewer))

    def approved(self, revision: Revision, **details: object) -> Revision:
        self.reviewed(revision)
        return workflow.approve(
            revision, by=self.approver, proof=factories.proof(self.approver), **details
        )


@pytest.fixture
def cast() -> Cast:
    return Cast()


def test_a_revision_goes_from_draft_into_force_with_two_signatures(cast: Cast) -> None:
    revision = cast.approved(cast.draft())
    assert revision.status == "effective"
    assert (revision.reviewed_by, revision.approved_by) == (cast.reviewer, cast.approver)
    signatures = Signature.objects.of(revision)
    assert [s.meaning for s in signatures] == ["Reviewed", "Approved"]
    assert {s.content_hash for s in signatures} == {revision.content_hash}
    revision.document.refresh_from_db()
    assert revision.document.next_review > today()


def test_a_new_revision_supersedes_the_one_in_force(cast: Cast) -> None:
    first = cast.approved(cast.draft())
    second = workflow.start_revision(first.document, by=cast.author, change_summary="Clearer.")
    assert second.number == 2
    assert second.body == first.body
    cast.approved(second)
    first.refresh_from_db()
    assert (first.status, first.ended_on) == ("superseded", today())
    assert list(first.document.revisions.effective()) == [second]
    assert first.history.first().history_user.is_system


def test_the_author_neither_reviews_nor_approves(cast: Cast) -> None:
    revision = cast.draft()
    amend(revision, by=cast.author, changes={"reviewer": cast.author, "approver": cast.author})
    workflow.submit(revision, by=cast.author)
    with pytest.raises(Refused, match="does not review"):
        workflow.review(revision, by=cast.author, proof=factories.proof(cast.author))


def test_who_wrote_a_part_does_not_approve(cast: Cast) -> None:
    revision = cast.draft()
    amend(revision, by=cast.approver, changes={"body": "Buy better."})
    cast.reviewed(revision)
    with pytest.raises(Refused, match="wrote a part"):
        workflow.approve(revision, by=cast.approver, proof=factories.proof(cast.approver))


def test_who_only_named_people_may_approve(cast: Cast) -> None:
    revision = cast.draft()
    amend(
        revision, by=cast.approver, changes={"reviewer": cast.reviewer, "approver": cast.approver}
    )
    assert cast.approved(revision).status == "effective"


def test_top_management_approves_its_own_after_anothers_signed_review(cast: Cast) -> None:
    boss = factories.person("top_management", "process_owner")
    document = workflow.create_document(
        by=boss,
        title="Policy",
        kind="policy",
        owner=boss,
        body="We care.",
        reviewer=cast.reviewer,
        approver=boss,
    )
    revision = document.revisions.get()
    cast.reviewed(revision)
    workflow.approve(revision, by=boss, proof=factories.proof(boss))
    assert revision.status == "effective"


def test_only_the_named_people_sign(cast: Cast) -> None:
    revision = cast.draft()
    workflow.submit(revision, by=cast.author)
    other = factories.person("quality_manager")
    with pytest.raises(PermissionDenied, match="named reviewer"):
        workflow.review(revision, by=other, proof=factories.proof(other))
    with pytest.raises(PermissionDenied):
        employee = factories.person()
        workflow.review(revision, by=employee, proof=factories.proof(employee))


def test_without_a_signature_nothing_is_approved(cast: Cast) -> None:
    revision = cast.reviewed(cast.draft())
    with pytest.raises(Refused, match="password"):
        workflow.approve(revision, by=cast.approver)
    with pytest.raises(Refused, match="own password"):
        workflow.approve(revision, by=cast.approver, proof=factories.proof(cast.reviewer))
    stale = Proof(
        cast.approver.pk, "password", factories.proof(cast.approver).at - timedelta(hours=1)
    )
    with pytest.raises(Refused, match="too long ago"):
        workflow.approve(revision, by=cast.approver, proof=stale)
    revision.refresh_from_db()
    assert revision.status == "reviewed"


def test_content_in_review_stands_still(cast: Cast) -> None:
    revision = cast.draft()
    workflow.submit(revision, by=cast.author)
    with pytest.raises(Refused, match="already in review"):
        amend(revision, by=cast.author, changes={"body": "Sneaked in."}, reason="x")
    revision.body = "Sneaked in."
    with pytest.raises(Refused, match="stays as it was approved"):
        revision.save_because("x", by=cast.author)
    with (
        pytest.raises(IntegrityError, match="keeps its content"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE documents_revision SET body = 'x' WHERE id = %s", [revision.pk])


def test_sent_back_the_review_starts_anew_and_the_reviewer_is_no_author(cast: Cast) -> None:
    revision = cast.reviewed(cast.draft())
    workflow.send_back(revision, by=cast.approver, reason="Step 3 is unclear.")
    assert (revision.status, revision.reviewed_by) == ("draft", None)
    assert cast.approver.pk not in workflow.writers_of(revision)
    amend(revision, by=cast.author, changes={"body": "Buy well, step by step."})
    assert cast.approved(revision).status == "effective"


def test_a_day_in_the_future_waits_for_the_clock(cast: Cast) -> None:
    tomorrow = today() + timedelta(days=1)
    revision = cast.approved(cast.draft(), effective_from=tomorrow)
    assert revision.status == "approved"
    assert workflow.make_due_revisions_effective(today()) == 0
    with pytest.raises(Refused, match="takes effect on"):
        workflow.make_effective(revision, by=cast.approver)


def test_the_past_is_refused_as_the_day_of_effect(cast: Cast) -> None:
    revision = cast.reviewed(cast.draft())
    with pytest.raises(Refused, match="in the past"):
        workflow.approve(
            revision,
            by=cast.approver,
            proof=factories.proof(cast.approver),
            effective_from=today() - timedelta(days=1),
        )


def test_a_withdrawn_document_takes_its_revision_along(cast: Cast) -> None:
    revision = cast.approved(cast.draft())
    workflow.withdraw(revision.document, by=cast.approver, reason="Merged into QP-02.")
    revision.refresh_from_db()
    assert revision.status == "withdrawn"
    with pytest.raises(Refused, match="withdrawn"):
        workflow.start_revision(revision.document, by=cast.author)


def test_an_effective_revision_is_not_superseded_by_hand(cast: Cast) -> None:
    revision = cast.approved(cast.draft())
    with pytest.raises(Refused, match="approved revision"):
        workflow.supersede(revision, by=cast.approver, reason="x")
    with pytest.raises(Refused, match="Withdraw the document"):
        workflow.withdraw_revision(revision, by=cast.approver, reason="x")


def test_drafts_are_seen_by_their_makers_only(cast: Cast) -> None:
    draft = cast.draft()
    employee = factories.person()
    assert not Revision.objects.visible_to(employee).filter(pk=draft.pk).exists()
    assert Revision.objects.visible_to(cast.author).filter(pk=draft.pk).exists()
    cast.approved(draft)
    assert Revision.objects.visible_to(employee).filter(pk=draft.pk).exists()


def test_a_restricted_document_is_not_there_for_others(cast: Cast) -> None:
    document = cast.document(confidentiality="restricted")
    assert not Document.objects.visible_to(factories.person()).exists()
    assert not Document.objects.visible_to(factories.person("process_owner")).exists()
    assert document in Document.objects.visible_to(cast.author)
    assert document in Document.objects.visible_to(cast.reviewer)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", range(15))
def test_two_revisions_approved_at_once_leave_one_in_force_and_no_error(run: int) -> None:
    cast = Cast()
    one = cast.draft()
    two = workflow.start_revision(one.document, by=cast.author, change_summary="Second.")
    cast.reviewed(one)
    cast.reviewed(two)

    def approve(pk: int) -> None:
        approver = Person.objects.get(pk=cast.approver.pk)
        workflow.approve(Revision.objects.get(pk=pk), by=approver, proof=factories.proof(approver))

    answers = at_once(lambda: approve(one.pk), lambda: approve(two.pk))
    assert answers == ["ok", "ok"]
    states = sorted(Revision.objects.values_list("status", flat=True))
    assert states == ["effective", "superseded"]
