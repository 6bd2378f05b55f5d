"""The gap assessment: every clause rated, every gap somebody's dated action, then complete."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client

from qms import clauses, contributions
from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.gap import workflow
from qms.gap.models import Assessment
from qms.gap.overview import differences
from qms.people.models import ApiToken, Person
from qms.periods import today
from qms.refusals import Refused, Stale
from tests import factories
from tests.gap.making import all_in_place, at, gap, planned

pytestmark = [pytest.mark.django_db, pytest.mark.clause("4.4")]


@pytest.mark.parametrize("edition", ["2015", "2026"])
def test_there_is_one_open_answer_for_each_assessable_clause(manager: Person, edition: str) -> None:
    made = workflow.start_assessment(by=manager, edition=edition)
    keys = {each.key for each in clauses.clauses(edition, assessable=True)}
    assert set(made.answers.values_list("clause", flat=True)) == keys
    assert set(made.answers.values_list("rating", flat=True)) == {"open"}


def test_one_assessment_of_an_edition_is_in_progress(
    manager: Person, assessment: Assessment
) -> None:
    with pytest.raises(Refused, match=assessment.number):
        workflow.start_assessment(by=manager, edition="2026")
    assert workflow.start_assessment(by=manager, edition="2015").edition == "2015"


def test_a_gap_becomes_an_owned_dated_action(manager: Person, assessment: Assessment) -> None:
    owner = factories.person()
    answer = gap(assessment, "9.2.2", manager, **{**planned(manager), "owner": owner})
    [action] = Action.objects.raised_from(answer)
    assert (action.owner, action.kind, action.origin) == (owner, "roadmap", answer)
    assert action.due == today() + timedelta(days=30)


@pytest.mark.parametrize(
    ("rating", "words", "field"),
    [
        ("in_place", {}, "evidence"),
        ("largely", {}, "note"),
        ("partly", {}, "note"),
        ("not_started", {"evidence": "None"}, "note"),
        ("not_applicable", {}, "note"),
        ("perfect", {}, "rating"),
    ],
)
def test_a_rating_says_what_it_rests_on(
    manager: Person, assessment: Assessment, rating: str, words: dict[str, str], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        workflow.answer(at(assessment, "4.1"), by=manager, rating=rating, **words)
    assert refused.value.field == field


def test_the_database_wants_the_grounds_too(manager: Person, assessment: Assessment) -> None:
    answer = at(assessment, "4.1")
    answer.rating, answer.answered_by, answer.answered_on = "in_place", manager, today()
    with pytest.raises(IntegrityError), transaction.atomic():
        answer.save_because("x", by=manager)


@pytest.mark.parametrize("missing", ["plan", "owner", "due"])
def test_a_plan_is_whole_or_absent(manager: Person, assessment: Assessment, missing: str) -> None:
    plan = {**planned(manager), missing: "" if missing == "plan" else None}
    with pytest.raises(Refused) as refused:
        gap(assessment, "4.1", manager, **plan)
    assert refused.value.field == missing
    assert at(assessment, "4.1").rating == "open", "a refused plan leaves no answer behind"


def test_only_a_gap_gets_an_action_and_not_in_the_past(
    manager: Person, assessment: Assessment
) -> None:
    with pytest.raises(Refused, match="Only a gap"):
        workflow.answer(
            at(assessment, "4.1"), by=manager, rating="in_place", evidence="Yes", **planned(manager)
        )
    with pytest.raises(Refused, match="past"):
        gap(assessment, "4.1", manager, **{**planned(manager), "due": today() - timedelta(days=1)})


def test_it_is_not_complete_while_a_clause_is_open(manager: Person, assessment: Assessment) -> None:
    with pytest.raises(Refused, match="65 clauses are not assessed"):
        workflow.complete(assessment, by=manager)


def test_it_is_not_complete_while_a_gap_has_no_action(
    manager: Person, assessment: Assessment
) -> None:
    all_in_place(assessment, manager)
    gap(assessment, "9.2.2", manager)
    gap(assessment, "9.3.2", manager, **planned(manager))
    with pytest.raises(Refused, match="1 gap has no action"):
        workflow.complete(assessment, by=manager)
    gap(assessment, "9.2.2", manager, **planned(manager))
    done = workflow.complete(assessment, by=manager)
    assert (done.status, done.completed_on) == ("completed", today())


def test_a_voided_action_closes_no_gap(manager: Person, assessment: Assessment) -> None:
    all_in_place(assessment, manager)
    answer = gap(assessment, "9.2.2", manager, **planned(manager))
    actions.void(Action.objects.raised_from(answer).get(), by=manager, reason="Twice.")
    with pytest.raises(Refused, match="1 gap has no action"):
        workflow.complete(assessment, by=manager)


def test_a_completed_assessment_stays_as_it_is(manager: Person, assessment: Assessment) -> None:
    all_in_place(assessment, manager)
    workflow.complete(assessment, by=manager)
    with pytest.raises(Refused, match="is completed"):
        gap(assessment, "4.1", manager)
    answer = at(assessment, "4.1")
    answer.evidence = "Rewritten."
    with pytest.raises(IntegrityError), transaction.atomic():
        answer.save_because("x", by=manager)


def test_who_answers_and_who_may_not(manager: Person, assessment: Assessment) -> None:
    assert gap(assessment, "4.1", factories.person("process_owner")).rating == "partly"
    for role in ("employee", "auditor", "top_management", "administrator"):
        with pytest.raises(PermissionDenied):
            gap(assessment, "4.1", factories.person(role))
    with pytest.raises(PermissionDenied):
        workflow.start_assessment(by=factories.person("process_owner"), edition="2015")


def test_two_people_at_one_clause_do_not_overwrite_each_other(
    manager: Person, assessment: Assessment
) -> None:
    gap(assessment, "4.1", manager, version=1)
    with pytest.raises(Stale):
        gap(assessment, "4.1", manager, version=1)


def test_a_second_look_is_compared_with_the_first(manager: Person, assessment: Assessment) -> None:
    all_in_place(assessment, manager)
    gap(assessment, "9.2.2", manager, **planned(manager))
    workflow.complete(assessment, by=manager)
    again = workflow.start_assessment(by=manager, edition="2026")
    all_in_place(again, manager)
    gap(again, "4.1", manager)
    assert again.former() == assessment
    kinds = {each.answer.ref.number: each.kind for each in differences(again, assessment)}
    assert (kinds["9.2.2"], kinds["4.1"], kinds["4.2"]) == ("better", "worse", "same")


def test_editions_are_compared_by_the_mapping(manager: Person) -> None:
    old = workflow.start_assessment(by=manager, edition="2015")
    all_in_place(old, manager)
    workflow.complete(old, by=manager)
    new = workflow.start_assessment(by=manager, edition="2026")
    assert new.former() == old
    for each in differences(new, old):
        mapped = {ref.key for ref in clauses.mapping_of(each.answer.ref).refs}
        assert {before.clause for before in each.before} <= mapped


def test_the_index_by_clause_tells_gaps_and_evidence(
    manager: Person, assessment: Assessment
) -> None:
    all_in_place(assessment, manager)
    answer = gap(assessment, "9.2.2", manager, **planned(manager))
    workflow.complete(assessment, by=manager)
    action = Action.objects.raised_from(answer).get()
    [line] = [
        e for e in contributions.evidence_for("2026")["9.2.2"] if e.record_number == str(assessment)
    ]
    assert line.kind == "gap"
    assert action.number in line.title
    actions.complete(action, by=manager, result="Written.")
    [line] = [
        e for e in contributions.evidence_for("2026")["9.2.2"] if e.record_number == str(assessment)
    ]
    assert line.kind == "evidence"


# Pages


def test_the_pages_open_with_a_whole_assessment(
    browser: Client, manager: Person, assessment: Assessment
) -> None:
    answer = gap(assessment, "9.2.2", manager, **planned(manager))
    for address in (
        "/gap/",
        "/gap/new/",
        f"/gap/{assessment.pk}/",
        f"/gap/{assessment.pk}/edit/",
        f"/gap/{assessment.pk}/roadmap/",
        f"/gap/answers/{answer.pk}/",
    ):
        page = browser.get(address)
        assert page.status_code == 200, address
        assert b"<h1" in page.content
    assert browser.get(f"/gap/{assessment.pk}/compare/").status_code == 404


def test_no_page_shows_a_percentage(
    browser: Client, manager: Person, assessment: Assessment
) -> None:
    all_in_place(assessment, manager)
    gap(assessment, "9.2.2", manager, **planned(manager))
    for address in ("/gap/", f"/gap/{assessment.pk}/", f"/gap/{assessment.pk}/roadmap/"):
        text = re.sub(r"<[^>]+>", " ", browser.get(address).content.decode())
        assert "%" not in text, address
        assert "score" not in text.lower()
        assert "complian" not in text.lower()


def test_an_answer_is_given_on_its_page_and_leads_to_the_next_clause(
    browser: Client, assessment: Assessment
) -> None:
    first, second = at(assessment, "4.1"), at(assessment, "4.2")
    body = {"rating": "in_place", "evidence": "CTX-1", "go_on": "1", "version": "1"}
    page = browser.post(f"/gap/answers/{first.pk}/", body)
    assert (page.status_code, page["Location"]) == (303, f"/gap/answers/{second.pk}/")
    first.refresh_from_db()
    assert (first.rating, first.evidence) == ("in_place", "CTX-1")
    stale = browser.post(f"/gap/answers/{first.pk}/", {**body, "evidence": "Other"})
    assert stale.status_code == 409
    page = stale.content.decode()
    assert "Quinn Manager answered this clause while you wrote" in page
    assert "CTX-1" in page
    assert "Other" in page
    assert 'name="version" value="2"' in page


def test_a_reader_sees_the_answer_without_a_form(client: Client, assessment: Assessment) -> None:
    client.force_login(factories.person("auditor"), backend="qms.people.access.RoleBackend")
    address = f"/gap/answers/{at(assessment, '4.1').pk}/"
    assert b'name="rating"' not in client.get(address).content
    assert client.post(address, {"rating": "in_place", "evidence": "x"}).status_code == 403
    assert at(assessment, "4.1").rating == "open"


def test_an_employee_does_not_see_it(client: Client, assessment: Assessment) -> None:
    client.force_login(factories.person(), backend="qms.people.access.RoleBackend")
    assert client.get(f"/gap/{assessment.pk}/").status_code == 403
    assert client.get(f"/gap/answers/{at(assessment, '4.1').pk}/").status_code == 403


def test_the_list_asks_as_often_for_many_as_for_few(
    browser: Client, manager: Person, django_assert_max_num_queries: Any
) -> None:
    for _ in range(4):
        made = workflow.start_assessment(by=manager, edition="2026")
        workflow.void(made, by=manager, reason="x")
    with django_assert_max_num_queries(25):
        assert browser.get("/gap/").status_code == 200


# The API


def test_the_api_rates_and_refuses_in_the_same_words(
    client: Client, manager: Person, assessment: Assessment
) -> None:
    _token, secret = ApiToken.issue(manager, "Script", today_plus_a_year())
    headers = {"Authorization": f"Bearer {secret}"}
    answer = at(assessment, "4.1")

    def post(**body: Any) -> Any:
        return client.post(
            f"/api/v1/gap-answers/{answer.pk}/answer/",
            json.dumps(body),
            content_type="application/json",
            headers=headers,
        )

    refused = post(rating="in_place", version=1)
    assert refused.status_code == 422
    assert "what shows it" in refused.json()["detail"].lower()
    assert post(rating="in_place", evidence="CTX-1", version=1).json()["rating"] == "in_place"
    assert post(rating="in_place", evidence="CTX-2", version=1).status_code == 409
    listed = client.get(
        f"/api/v1/gap-answers/?assessment={assessment.pk}&limit=100", headers=headers
    )
    assert len(listed.json()["items"]) == 65


def today_plus_a_year() -> Any:
    from qms import clock

    return clock.now() + timedelta(days=365)
