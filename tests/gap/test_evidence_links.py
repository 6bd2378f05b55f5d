"""Evidence is a link to a record: by number, address or word, never to what one may not see."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test import Client
from zeal import zeal_ignore

from documents.workflow import create_document
from qms import clock
from qms.gap import workflow
from qms.gap.linking import EVIDENCE
from qms.gap.models import Assessment, EvidenceLink, GapAnswer
from qms.people.models import ApiToken, Person
from qms.picking import shown
from qms.refusals import Refused, Stale
from qms.scope.models import Process
from qms.scope.workflow import create_process
from qms.work.models import WorkItem
from tests import factories
from tests.gap.conftest import BACKEND
from tests.gap.making import all_in_place, at, gap

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3")]


@pytest.fixture
def process(manager: Person) -> Process:
    return create_process(by=manager, code="BUY", name="Buying valves", owner=manager)


def secret(manager: Person) -> Any:
    return create_document(
        by=manager, title="Okapi recipe", kind="procedure", owner=manager,
        confidentiality="restricted",
    )  # fmt: skip


def test_a_record_is_found_by_number_address_or_word(manager: Person, process: Process) -> None:
    address = process.get_absolute_url()
    copied = "Buying\N{NO-BREAK SPACE}valves"
    for text in ("BUY", "buy", address, f"https://qms.example.com{address}", "valves", copied):
        assert EVIDENCE.record_at(text, manager) == process, text
    for text in ("SELL", "/gap/", "/nowhere/9/", f"{address}edit/", "x", "/people/1/"):
        assert EVIDENCE.record_at(text, manager) is None, text
    create_process(by=manager, code="FIX", name="Repairing valves", owner=manager)
    with pytest.raises(Refused, match="BUY, FIX"):
        EVIDENCE.record_at("valves", manager)


def test_a_linked_record_is_evidence_enough(
    manager: Person, assessment: Assessment, process: Process
) -> None:
    answer = workflow.answer(at(assessment, "4.1"), by=manager, rating="in_place", links=[process])
    assert (answer.evidence, answer.linked) == ("", 1)
    with pytest.raises(Refused, match="what shows it"):
        workflow.answer(answer, by=manager, rating="in_place", links=[])
    assert EvidenceLink.objects.live().count() == 1, "a refused answer changes no link"
    kept = workflow.answer(answer, by=manager, rating="in_place", evidence="Seen.")
    assert kept.linked == 1, "links that nobody spoke of stay"
    assert workflow.answer(kept, by=manager, rating="in_place", evidence="x", links=[]).linked == 0


@pytest.mark.slow
def test_what_a_person_may_not_see_is_neither_linked_nor_named_nor_lost(
    client: Client, manager: Person, assessment: Assessment
) -> None:
    hidden, owner = secret(manager), factories.person("process_owner")
    answer = workflow.answer(at(assessment, "4.1"), by=manager, rating="in_place", links=[hidden])
    with pytest.raises(Refused, match="not found"):
        workflow.answer(at(assessment, "4.2"), by=owner, rating="in_place", links=[hidden])
    client.force_login(owner, backend=BACKEND)
    page = client.get(f"/gap/answers/{answer.pk}/").content.decode()
    assert "Okapi" not in page
    assert hidden.number not in client.get(
        f"/gap/answers/{answer.pk}/find/?another={hidden.number}"
    ).content.decode().replace(f"“{hidden.number}”", "")
    again = workflow.answer(answer, by=owner, rating="in_place", evidence="Seen.", links=[])
    assert again.linked == 1, "what the owner cannot see stays linked"
    [told] = shown(EvidenceLink.objects.live(), owner).values()
    assert (told.title, told.url) == ("A record that not everybody sees", "")


def test_evidence_stays_with_a_completed_assessment(
    manager: Person, assessment: Assessment, process: Process
) -> None:
    workflow.answer(at(assessment, "4.1"), by=manager, rating="in_place", links=[process])
    all_in_place(assessment, manager)
    workflow.complete(assessment, by=manager)
    link = EvidenceLink.objects.get()
    link.ended = True
    with pytest.raises(IntegrityError), transaction.atomic():
        link.save_because("x", by=manager)


@pytest.mark.slow
def test_the_form_ticks_finds_and_adds(
    browser: Client, assessment: Assessment, process: Process
) -> None:
    answer = at(assessment, "4.1")
    url = f"/gap/answers/{answer.pk}/"
    found = browser.get(f"{url}find/?another=Buying").content.decode()
    assert f'value="{process.get_absolute_url()}"' in found
    body = {"rating": "in_place", "version": "1", "links_shown": "1"}
    wrong = browser.post(url, {**body, "another": "BUYY, BUY"})
    assert wrong.status_code == 422
    assert "“BUYY” was not found" in wrong.content.decode()
    assert browser.post(url, {**body, "another": "BUY"}).status_code == 303
    page = browser.get(url).content.decode()
    assert f'value="{process.get_absolute_url()}" checked' in page
    bare = browser.post(url, {**body, "version": "2"})
    assert bare.status_code == 422, "without a link and words nothing shows it"


@pytest.mark.slow
def test_the_api_links_by_number_and_keeps_what_it_does_not_name(
    client: Client, manager: Person, assessment: Assessment, process: Process
) -> None:
    _token, secret_ = ApiToken.issue(manager, "Script", clock.now() + timedelta(days=9))
    answer = at(assessment, "4.1")

    def post(**body: Any) -> Any:
        return client.post(
            f"/api/v1/gap-answers/{answer.pk}/answer/",
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret_}"},
        )

    assert post(rating="in_place", version=1, links=["BUY"]).json()["linked"] == 1
    assert post(rating="in_place", version=2, evidence="Seen.").json()["linked"] == 1
    refused = post(rating="in_place", version=3, links=["NOPE"])
    assert (refused.status_code, refused.json()["detail"][:6]) == (422, "“NOPE”")
    assert post(rating="in_place", version=3, evidence="Seen.", links=[]).json()["linked"] == 0


# Several at once


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_who_rate_one_clause_at_the_same_moment_lose_nothing() -> None:
    people = [factories.person("quality_manager", name=name) for name in ("Ann", "Bob")]
    assessment = workflow.start_assessment(by=people[0], edition="2026")
    answer = at(assessment, "4.1")
    together, results = threading.Barrier(2), []

    def rate(person: Person) -> None:
        try:
            mine = GapAnswer.objects.get(pk=answer.pk)
            together.wait(timeout=20)
            workflow.answer(
                mine, by=person, rating="in_place", evidence=f"{person.name} saw it.", version=1
            )
            results.append(person.name)
        except Stale:
            results.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=rate, args=(person,)) for person in people]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=30)
    assert sorted(each == "stale" for each in results) == [False, True]
    answer.refresh_from_db()
    assert answer.version == 2
    assert answer.evidence == f"{next(e for e in results if e != 'stale')} saw it."


@pytest.mark.slow
def test_the_second_sees_both_answers_and_decides(
    browser: Client, client: Client, assessment: Assessment
) -> None:
    other = factories.person("process_owner", name="Olga Stein")
    answer = at(assessment, "4.1")
    workflow.answer(answer, by=other, rating="partly", note="Olga found a hole.")
    url = f"/gap/answers/{answer.pk}/"
    mine = {"rating": "in_place", "evidence": "My proof.", "version": "1", "links_shown": "1"}
    page = browser.post(url, mine)
    text = page.content.decode()
    assert page.status_code == 409
    for words in (
        "Olga Stein answered",
        "Olga found a hole.",
        "My proof.",
        "Keep theirs",
        "Partly",
    ):
        assert words in text
    assert browser.post(url, {**mine, "version": "2"}).status_code == 303
    answer.refresh_from_db()
    assert (answer.rating, answer.evidence) == ("in_place", "My proof.")
    told = [row.note for row in answer.history.order_by("history_id")]
    assert "Olga found a hole." in told, "theirs stays in the history"


def test_clauses_are_shared_out_and_come_to_their_assessors(
    manager: Person, assessment: Assessment
) -> None:
    owner = factories.person("process_owner", name="Olga Stein")
    assert workflow.assign(assessment, by=manager, person=owner, parts=["2026:10", "2026:4.1"]) == 4
    item = WorkItem.objects.get(person=owner)
    assert item.label == "Assess 4 clauses"
    gap(assessment, "4.1", owner)
    assert WorkItem.objects.get(person=owner).label == "Assess 3 clauses"
    assert workflow.assign(assessment, by=manager, person=None, parts=["2026:10"]) == 3
    assert not WorkItem.objects.filter(person=owner).exists()


@pytest.mark.parametrize(
    ("role", "parts", "why"),
    [
        ("employee", ["2026:4"], "may not answer"),
        ("process_owner", [], "at least one"),
        ("process_owner", ["2015:4"], "another edition"),
        ("process_owner", ["2026:99"], "no clause 99"),
    ],
)
def test_who_and_what_cannot_be_shared_out(
    manager: Person, assessment: Assessment, role: str, parts: list[str], why: str
) -> None:
    with pytest.raises(Refused, match=why):
        workflow.assign(assessment, by=manager, person=factories.person(role), parts=parts)
    with pytest.raises(PermissionDenied):
        workflow.assign(
            assessment, by=factories.person("process_owner"), person=None, parts=["2026:4"]
        )


@pytest.mark.slow
def test_the_page_shares_out(browser: Client, assessment: Assessment) -> None:
    owner = factories.person("process_owner")
    url = f"/gap/{assessment.pk}/assign/"
    assert browser.get(url).status_code == 200
    with zeal_ignore():  # each answer is a record of its own: one write each
        assert browser.post(url, {"person": owner.pk, "parts": ["2026:9"]}).status_code == 303
    assert assessment.answers.filter(assessor=owner).count() == 8
    assert browser.post(url, {"person": owner.pk}).status_code == 422
    client = Client()
    client.force_login(owner, backend=BACKEND)
    mine = client.get(f"/gap/{assessment.pk}/?mine=1").content.decode()
    assert "9.2.2" in mine
    assert "clause-4.1" not in mine
