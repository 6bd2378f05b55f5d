"""What an action waits for: never itself, not through others, and never a void one."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test import Client

from qms.actions import workflow
from qms.actions.models import Action, ActionDependency
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("6.2.2")]


@pytest.fixture
def manager(db: None) -> Person:
    return factories.person("quality_manager")


def action(by: Person, title: str = "Fit a guard", **more: Any) -> Action:
    return workflow.plan_action(by=by, title=title, owner=by, due=today(), **more)


def test_an_action_waits_for_others_until_somebody_says_otherwise(manager: Person) -> None:
    first, second, third = (action(manager) for _ in range(3))
    assert workflow.wait_for(third, by=manager, needs=[first, second])
    assert list(Action.objects.needed_by(third)) == [first, second]
    assert list(Action.objects.that_need(first)) == [third]
    assert not workflow.wait_for(third, by=manager, needs=[second, first])
    assert workflow.wait_for(third, by=manager, needs=[second])
    assert list(Action.objects.needed_by(third)) == [second]


def test_a_circle_is_refused_in_words_and_by_the_database(manager: Person) -> None:
    first, second, third = (action(manager) for _ in range(3))
    workflow.wait_for(second, by=manager, needs=[first])
    workflow.wait_for(third, by=manager, needs=[second])
    with pytest.raises(Refused, match="circle") as refused:
        workflow.wait_for(first, by=manager, needs=[third])
    told = f"{third.number} waits for {second.number} waits for {first.number}"
    assert told in str(refused.value)
    with pytest.raises(Refused, match="itself"):
        workflow.wait_for(first, by=manager, needs=[first])
    with pytest.raises(IntegrityError, match="wait for itself"), transaction.atomic():
        ActionDependency(action=first, needs=third, created_by=manager).save()


def test_nothing_waits_for_a_void_action_and_a_done_one_waits_no_more(manager: Person) -> None:
    first, second = action(manager), action(manager)
    workflow.void(first, by=manager, reason="Twice.")
    with pytest.raises(Refused, match="is void"):
        workflow.wait_for(second, by=manager, needs=[first])
    workflow.complete(second, by=manager, result="Done.")
    with pytest.raises(Refused, match="already"):
        workflow.wait_for(second, by=manager, needs=[])
    with pytest.raises(PermissionDenied):
        workflow.wait_for(second, by=factories.person(), needs=[])


@pytest.mark.parametrize("effort", ["0", "-1", "260.5"])
def test_an_effort_is_a_number_of_working_days(manager: Person, effort: str) -> None:
    with pytest.raises(Refused, match="working days"):
        action(manager, effort=Decimal(effort))
    assert action(manager, effort=Decimal("2.5")).effort == Decimal("2.5")


def test_the_page_takes_ticks_and_numbers(client: Client, manager: Person) -> None:
    client.force_login(manager, backend="qms.people.access.RoleBackend")
    first, second, third = (action(manager) for _ in range(3))
    url = f"/actions/{third.pk}/waits-for/"
    assert client.get(url).status_code == 200
    assert client.post(url, {"needs": [first.pk], "other": second.number}).status_code == 303
    assert list(Action.objects.needed_by(third)) == [first, second]
    page = client.get(f"/actions/{third.pk}/").content.decode()
    assert f'Waits for <a href="/actions/{first.pk}/">{first.number}</a>' in page
    wrong = client.post(url, {"other": "ACT-1999-0001"})
    assert wrong.status_code == 422
    assert "There is no action ACT-1999-0001." in wrong.content.decode()
    circle = client.post(f"/actions/{first.pk}/waits-for/", {"needs": [third.pk]})
    assert circle.status_code == 422
    assert "circle" in circle.content.decode()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_who_close_a_circle_at_once_do_not_both_succeed() -> None:
    manager = factories.person("quality_manager")
    first, second = action(manager), action(manager)
    together, results = threading.Barrier(2), []

    def wait(one: Action, other: Action) -> None:
        try:
            together.wait(timeout=20)
            workflow.wait_for(one, by=manager, needs=[other])
            results.append("kept")
        except Refused:
            results.append("refused")
        finally:
            connection.close()

    pairs = ((first, second), (second, first))
    threads = [threading.Thread(target=wait, args=pair) for pair in pairs]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=30)
    assert sorted(results) == ["kept", "refused"]
    assert ActionDependency.objects.live().count() == 1
