"""Choosing which records belong to another: who was slower is told, and undoes nothing unawares."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from qms.actions.models import Action
from qms.actions.workflow import plan_action
from qms.competence.workflow import plan_training, trainees_of
from qms.journey.workflow import attendees_of, record_briefing
from qms.people.models import Person
from qms.periods import today
from qms.scope.turtle import members_of
from qms.scope.workflow import create_process, draft_statement, register_requirement
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager", name="Quinn Manager")


def staff(by: Person) -> Any:
    process = create_process(by=by, code="BUY", name="Buying", owner=by)
    people = [factories.person(name=name) for name in ("Ann", "Bob")]
    return f"/scope/processes/{process.pk}/people/", "members", people, lambda: members_of(process)


def coverage(by: Person) -> Any:
    processes = [create_process(by=by, code=code, name=code) for code in ("BUY", "SELL")]
    draft = draft_statement(
        by=by, edition="2026", statement="Valves.", products_and_services="", processes=[], sites=[]
    )
    return f"/scope/statements/{draft.pk}/covers/", "processes", processes, draft.processes


def attendance(by: Person) -> Any:
    people = [factories.person(name=name) for name in ("Ann", "Bob")]
    briefing = record_briefing(
        by=by, held_on=today(), topics="All.", hours=9, budget=Decimal(0), attendees=[]
    )
    url = f"/journey/briefings/{briefing.pk}/attendees/"
    return url, "attendees", people, lambda: attendees_of(briefing)


def order(by: Person) -> Any:
    first, second, third = (
        plan_action(by=by, title=f"Step {at}", owner=by, due=today()) for at in range(3)
    )
    url = f"/actions/{third.pk}/waits-for/"
    return url, "needs", [first, second], lambda: list(Action.objects.needed_by(third))


def participants(by: Person) -> Any:
    people = [factories.person(name=name) for name in ("Ann", "Bob")]
    training = plan_training(by=by, title="Welding", owner=by, planned_on=today())
    url = f"/competence/trainings/{training.pk}/participants/"
    return url, "participants", people, lambda: trainees_of(training)


def binding(by: Person) -> Any:
    processes = [create_process(by=by, code=code, name=code, owner=by) for code in ("BUY", "SELL")]
    made = register_requirement(by=by, what="Test it", source="Code 7", owner=by)
    return f"/scope/requirements/{made.pk}/processes/", "processes", processes, made.processes


@pytest.mark.parametrize("make", [staff, coverage, attendance, order, participants, binding])
def test_who_chooses_on_an_old_page_is_told_and_decides_again(
    client: Client, manager: Person, make: Callable[[Person], Any]
) -> None:
    url, name, (one, other), now = make(manager)
    client.force_login(manager)

    def seal(page: Any) -> str:
        return re.findall(r'name="seen" value="(\w+)"', page.content.decode())[0]

    old = seal(client.get(url))
    assert client.post(url, {name: [one.pk], "seen": old}).status_code == 303
    late = client.post(url, {name: [other.pk], "seen": old})
    assert late.status_code == 409
    told = late.content.decode()
    assert f"{one}" in told.split("It stands now: ")[1].split("Your choice is below")[0]
    assert list(now()) == [one], "nothing is overwritten"
    assert client.post(url, {name: [other.pk], "seen": seal(late)}).status_code == 303
    assert list(now()) == [other]
