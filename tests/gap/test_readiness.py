"""Readiness: what the records show on any day, from the history and never from today's rows."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.test import Client

from documents.workflow import create_document
from qms import clauses, clock
from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.gap import workflow
from qms.gap.models import Assessment
from qms.gap.readiness import BLOCKED, LEFT_OUT, QUIET, SHOWN, end_of, readiness
from qms.people.models import ApiToken, Person
from qms.periods import add_months, today
from qms.proofs import Example, as_it_was, gap_signals, seen_by
from qms.scope.models import Process
from qms.scope.workflow import (
    activate,
    approve,
    create_process,
    leave_out,
    retire,
    set_up_organisation,
    submit,
)
from tests import factories, scenes
from tests.gap.conftest import BACKEND
from tests.gap.making import all_in_place, at, gap, planned
from tests.scenes import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3")]


@pytest.fixture
def lived(settings: Any) -> Iterator[None]:
    """A demo database, in which records can be written years ago by their own rules."""
    settings.DEMO = True
    clock.declare_demo_database()
    yield


def noon(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), tzinfo=clock.now().tzinfo) + timedelta(
        hours=12
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("lived")
@pytest.mark.slow
def test_two_years_ago_differs_from_today_and_is_what_history_says() -> None:
    now = today()
    then = add_months(now, -24)
    with clock.living_at(noon(add_months(now, -30))):
        cast = Cast()
        manager = cast.manager
        buying = activate(
            create_process(
                by=manager, code="BUY", name="Buying", owner=manager, clauses=["2026:8.4.1"]
            ),
            by=manager,
        )
        selling = activate(
            create_process(by=manager, code="SELL", name="Selling", owner=manager), by=manager
        )
    with clock.living_at(noon(add_months(now, -12))):
        retire(Process.objects.get(pk=buying.pk), by=manager, reason="Bought by the group.")
        rows = readiness("2026", now)
    first, long_ago, later = (readiness("2026", day) for day in (add_months(now, -31), then, now))
    assert first.at("4.4.1").status == BLOCKED
    assert long_ago.at("4.4.1").count == 2
    assert [each.what for each in long_ago.at("8.4.1").shown] == ["processes serve it"]
    assert later.at("4.4.1").count == 1
    assert rows.at("4.4.1").count == 1
    assert later.at("8.4.1").shown == ()
    told = as_it_was(Process, end_of(then)).filter(status="active")
    assert set(told.values_list("id", flat=True)) == {buying.pk, selling.pk}
    assert set(
        as_it_was(Process, end_of(now)).filter(status="active").values_list("id", flat=True)
    ) == {selling.pk}
    assert long_ago != later


def test_what_was_entered_later_is_not_there_yet(manager: Person) -> None:
    with time_machine.travel(clock.now() + timedelta(days=3)):
        activate(create_process(by=manager, code="X", name="X", owner=manager), by=manager)
        yesterday = today() - timedelta(days=10)
    assert readiness("2026", yesterday).at("4.4.1").status == BLOCKED
    assert readiness("2026", today()).at("4.4.1").status == SHOWN, "the database's clock counts"


def test_every_assessable_clause_stands_somewhere_and_nothing_is_a_share(manager: Person) -> None:
    for edition in clauses.EDITIONS:
        found = readiness(edition, today())
        assert len(found.rows) == 65
        assert sum(count for _key, _words, count, _tone in found.counts) == 65
        for row in found.rows:
            required = [d for d in row.clause.documented_information if d.obligation == "required"]
            if required:
                assert row.blockers, f"{row.clause}: an empty system shows no {required[0].what}"
            for each in row.blockers:
                assert each.sentence.endswith(".")
                assert each.url.startswith("/")
                assert each.mend


@pytest.mark.slow
def test_a_document_keeps_current_but_proves_no_record() -> None:
    cast = Cast()
    revision = scenes.approve(cast, scenes.a_draft(cast, clauses=["2026:8.6", "2026:5.3"]))
    found = readiness("2026", today())
    assert revision.document.number in str(found.at("8.6").shown)
    assert [b.sentence for b in found.at("8.6").blockers if "Nothing shows this yet" in b.sentence]
    assert found.at("7.5.1").status == SHOWN
    assert found.at("5.2.2").blockers[0].mend == "Write it"


@pytest.mark.slow
def test_an_answer_with_evidence_shows_a_clause_and_a_gap_blocks_it_until_it_is_closed(
    manager: Person, assessment: Assessment
) -> None:
    gap(assessment, "8.6", manager, **planned(manager))
    gap(assessment, "8.5.4", manager, **planned(manager))
    all_in_place(assessment, manager)
    assert readiness("2026", today()).at("7.1.5.1").status == BLOCKED, "not completed yet"
    workflow.complete(assessment, by=manager)
    found = readiness("2026", today())
    assert found.at("7.1.5.1").status == SHOWN
    action = Action.objects.raised_from(at(assessment, "8.5.4")).get()
    [blocker] = found.at("8.5.4").blockers
    assert action.number in blocker.sentence
    assert blocker.url == action.get_absolute_url()
    actions.complete(action, by=manager, result="Shelves bought.")
    assert readiness("2026", today()).at("8.5.4").status == QUIET
    assert readiness("2015", today()).at("7.1.5.1").status == SHOWN, "unchanged between editions"
    assert "GAP" not in str(readiness("2015", today()).at("4.1").shown), "changed: look again"


@pytest.mark.slow
def test_what_the_scope_leaves_out_says_why(manager: Person) -> None:
    cast = Cast()
    statement = scenes.a_statement(cast)
    leave_out(
        statement, by=cast.writer, clause="2026:8.3.4", justification="Customers own each drawing."
    )
    submit(statement, by=cast.writer)
    approve(statement, by=cast.boss, proof=factories.proof(cast.boss))
    row = readiness("2026", today()).at("8.3.4")
    assert (row.status, row.why_not) == (LEFT_OUT, "Customers own each drawing.")
    assert row.blockers == ()
    assert readiness("2026", today() - timedelta(days=1)).at("8.3.4").status == BLOCKED


# The page


@pytest.mark.slow
def test_the_page_answers_for_any_day_and_on_paper(browser: Client, manager: Person) -> None:
    page = browser.get("/readiness/").content.decode()
    assert "No management review was held" in page
    assert "Plan it</a>" in page
    text = re.sub(r"<[^>]+>", " ", page)
    for word in ("%", "score", "complian", "certified"):
        assert word not in text.lower()
    past = browser.get(f"/readiness/?on={today() - timedelta(days=400)}&edition=2015")
    assert b"ISO 9001:2015" in past.content
    future = browser.get(f"/readiness/?on={today() + timedelta(days=2)}&edition=2026")
    assert "nobody knows yet" in future.content.decode()
    assert browser.get("/readiness/?on=soon&edition=1987").status_code == 200
    assert browser.get("/readiness/?print=1&only=blocked").status_code == 200
    set_up_organisation(
        by=manager, name="Valves", country="CA", time_zone="America/Toronto", edition="2026"
    )
    paper = browser.get("/readiness/pdf/")
    assert paper.content.startswith(b"%PDF")


@pytest.mark.parametrize("role", ["employee", "administrator"])
def test_who_has_no_part_in_it_does_not_see_it(client: Client, role: str) -> None:
    client.force_login(factories.person(role), backend=BACKEND)
    assert client.get("/readiness/").status_code == 403
    assert client.get("/readiness/pdf/").status_code == 403


def test_the_api_tells_the_same_for_any_day(client: Client, manager: Person) -> None:
    _token, secret = ApiToken.issue(manager, "Script", clock.now() + timedelta(days=9))
    headers = {"Authorization": f"Bearer {secret}"}
    found = client.get("/api/v1/assessments/readiness/?edition=2015", headers=headers).json()
    assert (found["edition"], len(found["rows"])) == ("2015", 65)
    assert found["rows"][0]["status"] in (BLOCKED, QUIET)
    tomorrow = today() + timedelta(days=2)
    for wrong in (f"on={tomorrow}", "on=x", "edition=1987"):
        asked = client.get(f"/api/v1/assessments/readiness/?{wrong}", headers=headers)
        assert asked.status_code == 422, wrong


# What the records betray


def test_the_records_betray_typical_gaps(manager: Person) -> None:
    activate(create_process(by=manager, code="BUY", name="Buying", owner=manager), by=manager)
    said = {each.number: each.sentence for each in gap_signals("2026", today())}
    assert said["4.4.2"] == "No document in force tells how Buying is done."
    assert said["6.2.1"] == "No quality objective is pursued."
    assert said["9.2.2"].startswith("No internal audit")
    assert said["9.3.1"].startswith("No management review")
    assert said["4.3"] == "No scope statement is approved."
    create_process(by=manager, code="SELL", name="Selling")
    assert "Selling has no owner." in {e.sentence for e in gap_signals("2026", today())}


@pytest.mark.slow
def test_a_signal_is_one_click_from_an_answer_and_from_an_action(
    browser: Client, manager: Person, assessment: Assessment
) -> None:
    owner = factories.person("process_owner")
    process = create_process(by=manager, code="BUY", name="Buying", owner=owner)
    activate(process, by=manager)
    url = f"/gap/{assessment.pk}/signals/"
    assert "No document in force tells how Buying is done." in browser.get(url).content.decode()
    body = {"signal": f"documents:{process.pk}", "as": "answer"}
    assert browser.post(f"{url}take/", body).status_code == 303
    answer = at(assessment, "4.4.2")
    assert (answer.rating, answer.note) == (
        "partly",
        "No document in force tells how Buying is done.",
    )
    assert browser.post(f"{url}take/", {**body, "as": "action"}).status_code == 303
    [action] = Action.objects.raised_from(answer)
    assert (action.owner, action.title) == (owner, "Write down how Buying is done")
    assert at(assessment, "4.4.2").note.count("Buying") == 1
    assert "noted and planned" in browser.get(url).content.decode()
    assert browser.post(f"{url}take/", {"signal": "nothing:1"}).status_code == 422
    workflow.answer(at(assessment, "9.3.1"), by=manager, rating="in_place", evidence="Held.")
    refused = browser.post(f"{url}take/", {"signal": "reviews:none", "as": "answer"})
    assert refused.status_code == 422


def test_a_signal_about_a_hidden_record_is_told_only_to_who_may_see_it(manager: Person) -> None:
    hidden = create_document(
        by=manager, title="Okapi", kind="procedure", owner=manager, confidentiality="restricted"
    )
    told = [Example("Okapi", "/", of=hidden), Example("All", "/")]
    assert len(seen_by(told, manager)) == 2
    assert [each.title for each in seen_by(told, factories.person())] == ["All"]


# The roadmap's pages


def test_the_roadmap_tells_its_realistic_end_and_moves_with_reality(
    browser: Client, manager: Person, assessment: Assessment
) -> None:
    plan = {**planned(manager), "effort": 8}
    first = gap(assessment, "9.2.2", manager, **plan)
    second = gap(assessment, "9.3.2", manager, **{**plan, "plan": "Hold it"})
    one = Action.objects.raised_from(first).get()
    two = Action.objects.raised_from(second).get()
    actions.wait_for(two, by=manager, needs=[one])
    url = f"/gap/{assessment.pk}/roadmap/"
    page = browser.get(url).content.decode()
    assert "promises cannot be kept as they stand" in page
    assert page.count('class="tl-bar"') == 2
    assert page.count('class="tl-way"') == 1
    assert "load-over" in page
    time = browser.post(f"{url}time/", {"person": manager.pk, "days_a_week": "5"})
    assert time.status_code == 303
    assert "Every promise can be kept." in browser.get(url).content.decode()
    assert (
        browser.post(f"{url}time/", {"person": manager.pk, "days_a_week": "9"}).status_code == 422
    )
    for action in (one, two):
        actions.complete(Action.objects.get(pk=action.pk), by=manager, result="Done.")
    assert "Every promised action is done." in browser.get(url).content.decode()
    assert browser.get(f"{url}?print=1").status_code == 200
    assert browser.get(f"{url}?format=csv").status_code == 200


def test_time_is_given_by_who_keeps_the_assessment(manager: Person) -> None:
    with pytest.raises(PermissionDenied):
        workflow.give_time(
            by=factories.person("process_owner"), person=manager, days_a_week=Decimal(1)
        )
