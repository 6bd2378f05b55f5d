"""The document procedure: the author does not approve, and one revision is in force."""

import re
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from documents import workflow
from documents.content import from_markdown
from documents.models import Document, Revision
from qms import contributions
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.scope.workflow import create_process
from qms.signing.models import Signature
from qms.signing.workflow import Proof
from qms.workflow import amend
from tests import factories
from tests.kernel.test_workflow import at_once
from tests.sampling import spread

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.2")]


class Cast:
    """The people of a document."""

    def __init__(self) -> None:
        self.author = factories.person("process_owner", name="Ann Author")
        self.reviewer = factories.person("process_owner", name="Rae Reviewer")
        self.approver = factories.person("quality_manager", name="Quinn Approver")

    def document(self, **more: Any) -> Document:
        return workflow.create_document(
            by=self.author,
            title="Purchasing",
            kind="procedure",
            owner=self.author,
            text=from_markdown("# Purpose\n\nBuy well."),
            reviewers=[self.reviewer],
            approvers=[self.approver],
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


def test_a_move_cannot_change_approved_text_in_its_place(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = cast.approved(cast.draft())
    text = deepcopy(revision.text)

    def smuggles(moved: Revision, *, by: Any) -> None:
        moved.ended_on = today()
        moved.text["content"].clear()

    monkeypatch.setattr(workflow.withdraw_revision, "effect", smuggles)
    with pytest.raises(Refused, match="stays as it was approved"):
        workflow.withdraw(revision.document, by=factories.person("quality_manager"), reason="Old.")
    revision.refresh_from_db()
    assert (revision.status, revision.text) == ("effective", text)


def test_a_revision_goes_from_draft_into_force_with_two_signatures(cast: Cast) -> None:
    revision = cast.approved(cast.draft())
    assert revision.status == "effective"
    assert (revision.reviewed_by, revision.approved_by) == (cast.reviewer, cast.approver)
    signatures = Signature.objects.of(revision)
    assert [s.meaning for s in signatures] == ["Reviewed", "Approved"]
    assert {s.content_hash for s in signatures} == {revision.content_hash}
    for each in contributions.letterhead(revision)["signatures"]:
        assert re.fullmatch(r"\d+ \w+ \d{4}, \d\d:\d\d \w+", each["at"]), "the minute, the zone"
    revision.document.refresh_from_db()
    assert revision.document.next_review > today()


@pytest.mark.slow
def test_a_new_revision_supersedes_the_one_in_force(cast: Cast) -> None:
    first = cast.approved(cast.draft())
    second = workflow.start_revision(first.document, by=cast.author, change_summary="Clearer.")
    assert (second.number, second.label) == (2, "2")
    assert second.text == first.text
    cast.approved(second)
    first.refresh_from_db()
    assert (first.status, first.ended_on) == ("superseded", today())
    assert list(first.document.revisions.effective()) == [second]
    assert first.history.first().history_user.is_system


@pytest.mark.parametrize("part", ["review", "approval"])
def test_the_author_neither_reviews_nor_approves(cast: Cast, part: str) -> None:
    revision = cast.draft()
    workflow.name_signatories(revision, part, [cast.author], by=cast.author)
    with pytest.raises(Refused, match="wrote a part of it and does not"):
        workflow.submit(revision, by=cast.author)


def test_who_wrote_a_part_does_not_approve(cast: Cast) -> None:
    revision = cast.draft()
    amend(revision, by=cast.approver, changes={"text": from_markdown("Buy better.")})
    with pytest.raises(Refused, match="wrote a part"):
        workflow.submit(revision, by=cast.author)


def test_who_only_named_people_may_approve(cast: Cast) -> None:
    revision = cast.draft()
    workflow.name_signatories(revision, "review", [cast.reviewer], by=cast.approver)
    workflow.name_signatories(revision, "approval", [cast.approver], by=cast.approver)
    assert cast.approved(revision).status == "effective"


def test_top_management_approves_its_own_after_anothers_signed_review(cast: Cast) -> None:
    boss = factories.person("top_management", "process_owner")
    document = workflow.create_document(
        by=boss,
        title="Policy",
        kind="policy",
        owner=boss,
        text=from_markdown("We care."),
        reviewers=[cast.reviewer],
        approvers=[boss],
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
        amend(revision, by=cast.author, changes={"text": from_markdown("Sneaked in.")}, reason="x")
    revision.text = from_markdown("Sneaked in.")
    with pytest.raises(Refused, match="stays as it was approved"):
        revision.save_because("x", by=cast.author)
    with (
        pytest.raises(IntegrityError, match="keeps its content"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE documents_revision SET text = '{}' WHERE id = %s", [revision.pk])


def test_sent_back_the_review_starts_anew_and_the_reviewer_is_no_author(cast: Cast) -> None:
    revision = cast.reviewed(cast.draft())
    workflow.send_back(revision, by=cast.approver, reason="Step 3 is unclear.")
    assert (revision.status, revision.reviewed_by) == ("draft", None)
    assert cast.approver.pk not in workflow.writers_of(revision)
    amend(revision, by=cast.author, changes={"text": from_markdown("Buy well, step by step.")})
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
@pytest.mark.parametrize("run", spread(range(15), quick=4))
def test_two_revisions_started_at_once_leave_one_in_work_and_no_error(run: int) -> None:
    cast = Cast()
    document = cast.approved(cast.draft()).document

    def start() -> None:
        author = Person.objects.get(pk=cast.author.pk)
        workflow.start_revision(Document.objects.get(pk=document.pk), by=author)

    refused = "Revision 2 is in work already (draft). Go on with it, or void it first."
    assert sorted(at_once(start, start)) == [refused, "ok"]
    assert list(document.revisions.order_by("number").values_list("status", flat=True)) == [
        "effective",
        "draft",
    ]


# Several who sign -------------------------------------------------------------------------------


def several(cast: Cast, **more: object) -> Revision:
    """A draft with two reviewers and two approvers."""
    revision = cast.draft()
    second = factories.person("process_owner", name="Sam Second")
    chief = factories.person("top_management", name="Chris Chief")
    workflow.name_signatories(revision, "review", [cast.reviewer, second], by=cast.author)
    workflow.name_signatories(revision, "approval", [cast.approver, chief], by=cast.author)
    amend(revision, by=cast.author, changes=more)
    return workflow.submit(revision, by=cast.author)


def sign(revision: Revision, step: Any, part: str, place: int, **more: Any) -> Revision:
    person = workflow.signatories_of(revision, part).seats[place].person
    signed: Revision = step(revision, by=person, proof=factories.proof(person), **more)
    return signed


def test_all_who_are_named_sign_in_any_order(cast: Cast) -> None:
    revision = several(cast)
    assert sign(revision, workflow.review, "review", 1).status == "in_review"
    with pytest.raises(Refused, match="signed it already"):
        sign(revision, workflow.review, "review", 1)
    assert sign(revision, workflow.review, "review", 0).status == "reviewed"
    assert revision.reviewed_by == cast.reviewer
    assert sign(revision, workflow.approve, "approval", 1).status == "reviewed"
    assert sign(revision, workflow.approve, "approval", 0).status == "effective"
    assert Signature.objects.of(revision).count() == 4


def test_one_after_the_other_has_its_order(cast: Cast) -> None:
    revision = several(cast, in_order=True)
    with pytest.raises(Refused, match="Rae Reviewer signs first"):
        sign(revision, workflow.review, "review", 1)
    assert set(Revision.objects.awaiting(cast.reviewer)) == {revision}
    sign(revision, workflow.review, "review", 0)
    assert sign(revision, workflow.review, "review", 1).status == "reviewed"


def test_what_somebody_approved_for_a_day_takes_no_effect_sooner(cast: Cast) -> None:
    planned, later = today() + timedelta(days=3), today() + timedelta(days=20)
    revision = several(cast, effective_from=planned)
    for place in (0, 1):
        sign(revision, workflow.review, "review", place)
    sign(revision, workflow.approve, "approval", 0)
    assert revision.effective_from == planned, "left empty, the planned day stays"
    with pytest.raises(Refused, match="takes no effect sooner"):
        sign(revision, workflow.approve, "approval", 1, effective_from=today())
    revision.refresh_from_db()
    assert (revision.status, revision.effective_from) == ("reviewed", planned)
    sign(revision, workflow.approve, "approval", 1, effective_from=later)
    assert (revision.status, revision.effective_from) == ("approved", later)


def test_a_quorum_is_enough_and_must_be_within_reach(cast: Cast) -> None:
    revision = several(cast, review_quorum=1, approval_quorum=1)
    assert sign(revision, workflow.review, "review", 1).status == "reviewed"
    assert sign(revision, workflow.approve, "approval", 1).status == "effective"
    following = workflow.start_revision(revision.document, by=cast.author)
    amend(following, by=cast.author, changes={"review_quorum": 3})
    with pytest.raises(Refused, match="3 reviews are needed, but only 2"):
        workflow.submit(following, by=cast.author)


def test_a_signatory_who_left_is_named_before_anybody_waits(cast: Cast) -> None:
    revision = cast.draft()
    cast.reviewer.is_active = False
    cast.reviewer.save_because("Left.", by=None)
    with pytest.raises(Refused, match="Rae Reviewer has left"):
        workflow.submit(revision, by=cast.author)


def test_a_signatory_hands_on_with_a_reason_to_somebody_who_may(cast: Cast) -> None:
    revision = cast.draft()
    workflow.submit(revision, by=cast.author)
    (seat,) = workflow.signatories_of(revision, "review").seats
    other, employee = factories.person("process_owner"), factories.person()
    with pytest.raises(Refused, match="wrote a part"):
        amend(seat, by=cast.reviewer, changes={"person": cast.author}, reason="Away.")
    with pytest.raises(Refused, match="no role that may review"):
        amend(seat, by=cast.reviewer, changes={"person": employee}, reason="Away.")
    with pytest.raises(Refused, match="Say why"):
        amend(seat, by=cast.reviewer, changes={"person": other})
    with pytest.raises(PermissionDenied):
        amend(seat, by=other, changes={"person": other}, reason="I want to.")
    amend(seat, by=cast.reviewer, changes={"person": other}, reason="Away.")
    with pytest.raises(PermissionDenied, match="named reviewers"):
        workflow.review(revision, by=cast.reviewer, proof=factories.proof(cast.reviewer))
    workflow.review(revision, by=other, proof=factories.proof(other))
    with pytest.raises(Refused, match="signed already"):
        amend(seat, by=other, changes={"person": cast.reviewer}, reason="Back.")


def test_what_was_reviewed_is_what_is_approved(cast: Cast) -> None:
    revision = cast.reviewed(cast.draft())
    with connection.cursor() as cursor:  # as if somebody had gone around every guard
        cursor.execute("set constraints all immediate")
        cursor.execute("set local session_replication_role = replica")
        cursor.execute("update documents_revision set title = 'Other' where id = %s", [revision.pk])
        cursor.execute("set local session_replication_role = origin")
    revision.refresh_from_db()
    with pytest.raises(Refused, match="not what was reviewed"):
        workflow.approve(revision, by=cast.approver, proof=factories.proof(cast.approver))


# Numbers ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_minor_revisions_count_behind_the_point(cast: Cast) -> None:
    document = cast.approved(cast.draft()).document
    labels = []
    for minor in (True, True, False, True):
        following = workflow.start_revision(document, by=cast.author, is_minor=minor)
        labels.append(cast.approved(following).label)
    assert labels == ["1.1", "1.2", "2", "2.1"]
    voided = workflow.start_revision(document, by=cast.author)
    workflow.void(voided, by=cast.author, reason="Not needed.")
    assert workflow.start_revision(document, by=cast.author).label == "3"


def test_the_rule_of_a_kind_says_how_it_is_numbered(cast: Cast) -> None:
    workflow.change_rule(by=cast.approver, kind="procedure", prefix="SOP", with_process=True)
    process = create_process(by=cast.approver, code="BUY", name="Buying", owner=cast.author)
    numbers = [cast.document(process=process).number for _ in range(2)]
    assert numbers == ["SOP-BUY-01", "SOP-BUY-02"]
    assert cast.document().number == "SOP-01"


def test_only_an_external_document_has_an_issuer(cast: Cast) -> None:
    with pytest.raises(Refused, match="Only an external document"):
        cast.document(issuer="A standards body")


def test_a_program_names_who_signs_one_after_the_other() -> None:
    cast = Cast()
    draft = cast.draft()
    other = factories.person("process_owner")
    workflow.name_signatory(by=cast.author, revision=draft, part="review", person=other)
    assert [s.person for s in workflow.signatories_of(draft, "review").seats] == [
        cast.reviewer,
        other,
    ]
    with pytest.raises(Refused, match="signs this already"):
        workflow.name_signatory(by=cast.author, revision=draft, part="review", person=other)
    workflow.submit(draft, by=cast.author)
    with pytest.raises(Refused, match="named in the draft"):
        late = factories.person("process_owner")
        workflow.name_signatory(by=cast.author, revision=draft, part="review", person=late)
