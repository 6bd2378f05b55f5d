"""Controlled copies: numbered, recalled with the next revision, accounted for; the public page."""

import io
from typing import Any

import pikepdf
import pypdfium2
import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from documents import workflow
from documents.models import ControlledCopy
from documents.models.copies import digest_of
from documents.prints import copy_pdf, revision_pdf
from documents.views.copies import LOOKS
from qms.people.models import Person
from qms.refusals import Refused
from qms.work.models import WorkItem
from tests import factories
from tests.documents.test_workflow import Cast
from tests.kernel.test_workflow import at_once
from tests.many import questions

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3.2")]
SAYS_NOTHING = ("QP-01", "Purchasing", "Northgate", "Holder", "CC-")


@pytest.fixture
def cast() -> Cast:
    return Cast()


def a_copy(cast: Cast, **more: Any) -> ControlledCopy:
    document = cast.approved(cast.draft()).document
    return workflow.issue_copy(document, by=cast.approver, **(more or {"place": "Bench 3"}))


def revised(cast: Cast, copy: ControlledCopy) -> None:
    following = workflow.start_revision(copy.document, by=cast.author, change_summary="Clearer.")
    cast.approved(following)
    copy.refresh_from_db()


def pages_of(pdf: bytes) -> list[str]:
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf)]


@pytest.mark.slow
def test_a_new_revision_recalls_every_copy_that_is_out(cast: Cast) -> None:
    holder = factories.person(name="Hal Holder")
    of_place = a_copy(cast)
    of_person = workflow.issue_copy(of_place.document, by=cast.approver, holder=holder)
    back = workflow.issue_copy(of_place.document, by=cast.approver, place="Van")
    workflow.return_copy(back, by=cast.author)
    assert [c.number for c in (of_place, of_person, back)] == ["CC-0001", "CC-0002", "CC-0003"]
    revised(cast, of_place)
    of_person.refresh_from_db()
    back.refresh_from_db()
    assert [c.status for c in (of_place, of_person, back)] == ["recalled", "recalled", "returned"]
    assert of_place.history.first().history_change_reason == "Revision 2 took effect."
    waiting = {item.person for item in WorkItem.objects.filter(step="return")}
    assert waiting == {holder, cast.author}  # for a place its document's owner
    new = workflow.issue_copy(
        of_place.document, by=cast.approver, place="Bench 3", replaces=of_place
    )
    assert (new.replaces, new.revision.label) == (of_place, "2")
    for refused in (
        lambda: workflow.issue_copy(
            of_place.document, by=cast.approver, place="Bench 3", replaces=of_place
        ),
        lambda: workflow.issue_copy(of_place.document, by=cast.approver),
        lambda: workflow.issue_copy(of_place.document, by=cast.approver, holder=holder, place="x"),
        lambda: workflow.issue_copy(cast.draft().document, by=cast.approver, place="x"),
    ):
        with pytest.raises(Refused):
            refused()
    workflow.return_copy(of_person, by=holder)
    workflow.lose_copy(of_place, by=cast.author, reason="Looked in every drawer.")
    assert not WorkItem.objects.filter(step="return").exists()


def test_a_withdrawn_document_recalls_its_copies(cast: Cast) -> None:
    copy = a_copy(cast)
    workflow.withdraw(copy.document, by=cast.approver, reason="Merged.")
    copy.refresh_from_db()
    assert copy.status == "recalled"
    assert workflow.standing_of(copy.token) is False


@pytest.mark.slow
def test_the_public_page_says_current_or_obsolete_and_nothing_else(cast: Cast) -> None:
    copy = a_copy(cast, holder=factories.person(name="Hal Holder"))
    url, stranger = f"/copies/{copy.token}/", Client()
    page = stranger.get(url)
    assert (page.status_code, page.headers["Cache-Control"].split(",")[0]) == (200, "max-age=0")
    assert "Current" in page.content.decode()
    unknown = stranger.get(f"/copies/{copy.token[:-1]}x/")
    assert unknown.status_code == 404
    assert questions(lambda: stranger.get(url)) == questions(
        lambda: stranger.get("/copies/nothing-of-the-kind/")
    )
    revised(cast, copy)
    old = stranger.get(url)
    assert "Obsolete" in old.content.decode()
    for answer in (page, unknown, old):
        told = answer.content.decode()
        assert not [words for words in SAYS_NOTHING if words in told]
    assert digest_of(copy.token) == copy.digest


@pytest.mark.slow
def test_who_looks_too_often_waits(cast: Cast) -> None:
    copy, stranger = a_copy(cast), Client()
    codes = [stranger.get(f"/copies/{copy.token}/").status_code for _ in range(LOOKS + 1)]
    assert codes == [200] * LOOKS + [429]


@pytest.mark.slow
def test_no_page_and_no_operation_tells_the_token(cast: Cast) -> None:
    copy = a_copy(cast)
    client = Client()
    client.force_login(cast.approver, backend="qms.people.access.RoleBackend")
    revised(cast, copy)
    for url in (
        copy.get_absolute_url(),
        copy.document.get_absolute_url(),
        "/documents/copies/",
        f"/api/v1/copies/{copy.pk}/",
        "/documents/copies/?format=csv",
    ):
        answer = client.get(url)
        told = b"".join(answer).decode()
        assert answer.status_code == 200
        assert copy.token not in told
        assert copy.digest not in told


@pytest.mark.slow
def test_every_page_of_a_copy_bears_its_number_and_says_when_it_is_obsolete(cast: Cast) -> None:
    copy = a_copy(cast)
    url = f"https://qms.example/copies/{copy.token}/"
    text = pages_of(copy_pdf(copy, url))
    assert text
    assert all("Controlled copy CC-0001, held by Bench 3." in page for page in text)
    assert all("Uncontrolled when printed." not in page for page in text)
    with pikepdf.open(io.BytesIO(copy_pdf(copy, url))) as pdf:
        assert len(pdf.pages) == len(text)
    assert "Uncontrolled when printed." in pages_of(revision_pdf(copy.revision))[0]
    revised(cast, copy)
    old = pages_of(copy_pdf(ControlledCopy.objects.get(pk=copy.pk), url))
    assert all("Obsolete controlled copy CC-0001" in page for page in old)


def test_the_database_knows_one_holder_and_one_replacement(cast: Cast) -> None:
    copy = a_copy(cast)
    for wrong in ({"holder": cast.author, "place": "x"}, {"holder": None, "place": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ControlledCopy(
                document=copy.document,
                revision=copy.revision,
                issued_on=copy.issued_on,
                created_by=cast.author,
                **wrong,
            ).save()


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_recalled_and_returned_at_once_it_has_one_story() -> None:
    cast = Cast()
    for _ in range(4):
        copy = a_copy(cast)
        outcomes = at_once(
            lambda copy=copy: workflow.recall(
                ControlledCopy.objects.get(pk=copy.pk), by=cast.approver, reason="Worn."
            ),
            lambda copy=copy: workflow.return_copy(
                ControlledCopy.objects.get(pk=copy.pk), by=cast.author
            ),
        )
        copy.refresh_from_db()
        assert copy.status == "returned"  # the return holds, before or after the recall
        assert outcomes[0] in ("ok", "“Recall” is not possible: it is already returned.") or (
            outcomes == ["ok", "ok"]
        )
        states = list(copy.history.order_by("history_id").values_list("status", flat=True))
        assert states in (["issued", "returned"], ["issued", "recalled", "returned"])
        assert not WorkItem.objects.filter(step="return").exists()
    assert Person.objects.system()
