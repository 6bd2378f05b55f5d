"""What no form offers and somebody sends all the same is answered in words, and breaks no page."""

from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.test import Client

from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.gap import workflow
from qms.gap.models import Assessment, Capacity, GapAnswer
from qms.gap.readiness import readiness
from qms.people.models import Person
from qms.periods import today
from tests import factories
from tests.gap.making import all_in_place, at, gap, planned
from tests.kernel.test_workflow import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
NO_RECORDS = ["http://[/", "//[x/", "a\x00b", "/documents/999999999999999999999/"]


@pytest.mark.parametrize("text", NO_RECORDS)
@pytest.mark.parametrize("field", ["links", "another"])
def test_what_is_no_record_is_refused_in_words_wherever_it_is_sent(
    browser: Client, assessment: Assessment, text: str, field: str
) -> None:
    found = at(assessment, "7.2")
    sent: dict[str, Any] = {"rating": "partly", "note": "Half.", field: [text], "links_shown": "1"}
    assert browser.post(found.get_absolute_url(), sent).status_code == 422
    assert browser.get(f"{found.get_absolute_url()}find/", {"another": text}).status_code == 200
    body = {"rating": "partly", "note": "Half.", "links": [text], "version": found.version}
    url = f"/api/v1/gap-answers/{found.pk}/answer/"
    assert browser.post(url, body, content_type="application/json").status_code == 422
    found.refresh_from_db()
    assert found.rating == "open"


@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-02", "1899-12-31", "2200-01-01"])
def test_a_day_out_of_reach_is_refused_and_breaks_no_page(
    browser: Client, assessment: Assessment, manager: Person, day: str
) -> None:
    assert browser.get(f"/readiness/?on={day}").status_code == 200
    assert browser.get(f"/api/v1/assessments/readiness/?on={day}").status_code == 422
    plan = planned(manager) | {"owner": manager.pk, "due": day}
    sent = {"rating": "partly", "note": "Half is missing.", **plan}
    assert browser.post(at(assessment, "7.2").get_absolute_url(), sent).status_code == 422
    assert not Action.objects.exists()


def test_the_roadmap_is_drawn_up_to_the_last_day_there_is(
    browser: Client, assessment: Assessment, manager: Person
) -> None:
    gap(assessment, "7.2", manager, **(planned(manager) | {"due": date(2199, 12, 31)}))
    assert browser.get(f"{assessment.get_absolute_url()}roadmap/").status_code == 200


def test_what_blocks_a_clause_leads_to_a_page_that_takes_the_answer(
    browser: Client, assessment: Assessment, manager: Person
) -> None:
    gap(assessment, "7.1.4", manager, **planned(manager))
    all_in_place(assessment, manager)
    workflow.complete(assessment, by=manager)
    actions.void(Action.objects.get(), by=manager, reason="Planned for the wrong clause.")
    for row in readiness("2026", today()).rows:
        assert all("/gap/answers/" not in each.url for each in row.blockers), row
    [blocker] = readiness("2026", today()).at("7.1.4").blockers
    assert b"Start a gap assessment" in browser.get(blocker.url).content
    going = workflow.start_assessment(by=manager, edition="2026")
    [blocker] = readiness("2026", today()).at("7.1.4").blockers
    assert blocker.url == at(going, "7.1.4").get_absolute_url()


@pytest.mark.django_db(transaction=True)
def test_two_who_begin_the_same_at_once_leave_one_and_the_other_is_told() -> None:
    quinn = factories.person("quality_manager")

    def start() -> None:
        workflow.start_assessment(by=Person.objects.get(pk=quinn.pk), edition="2026")

    def give(days: str) -> None:
        by = Person.objects.get(pk=quinn.pk)
        workflow.give_time(by=by, person=by, days_a_week=Decimal(days))

    for _ in range(3):
        answers = at_once(start, start)
        assert sorted(each == "ok" for each in answers) == [False, True]
        assert any(word in answers[0] for word in ("at the same moment", "is in progress"))
        assert Assessment.objects.filter(status="in_progress").count() == 1
        assert GapAnswer.objects.filter(assessment__status="in_progress").count() == 65
        workflow.void(Assessment.objects.get(status="in_progress"), by=quinn, reason="Again.")
    answers = at_once(partial(give, "1"), partial(give, "2"))
    assert all(each == "ok" or "at the same moment" in each for each in answers)
    assert Capacity.objects.count() == 1
