"""The board in a browser: a card leads through its step's form, at a desk and on a phone."""

from collections.abc import Callable

import pytest

from capa import workflow
from capa.models import CorrectiveAction, Nonconformity
from qms.actions.workflow import complete
from qms.people.models import Person
from qms.periods import today
from tests.factories import PASSWORD, person, proof
from tests.journeys.desk import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.clause("10.2.1"),
]
SitsDown = Callable[..., Desk]
BOARD = "/nonconformities/board/"


@pytest.fixture
def owner() -> Person:
    return person("process_owner", name="Olga Stein")


@pytest.fixture
def manager() -> Person:
    return person("quality_manager", name="Ana Ruiz")


@pytest.fixture
def nc(owner: Person, manager: Person) -> Nonconformity:
    made: Nonconformity = workflow.raise_nonconformity(
        by=manager,
        title="Donaudampfschifffahrtsgesellschaftskapitänsmützenhalterung ohne Prüfvermerk",
        statement="It is missing.",
        requirement="Drawing 12.",
        evidence="Photo 7.",
        owner=owner,
    )
    return made


def in_place(nc: Nonconformity, owner: Person) -> CorrectiveAction:
    """Answered, its task done, its effect to be judged today."""
    workflow.contain(nc, by=owner, containment="Stock is blocked.")
    said = {"root_cause": "Nobody is asked.", "category": "method", "similar": "None."}
    workflow.find_cause(nc, by=owner, **said)
    workflow.plan(
        nc,
        by=owner,
        action="Ask for it",
        effectiveness_criterion="None in 50.",
        action_due=today(),
        check_on=today(),
    )
    for task in workflow.actions_of(nc).open():
        complete(task, by=owner, result="Asked.")
    action: CorrectiveAction = workflow.implement_action(
        CorrectiveAction.objects.serving(nc).get(), by=owner
    )
    return action


def lane(desk: Desk, state: str) -> str:
    text: str = desk.page.inner_text(f"[data-lane={state}]")
    return text


def test_what_was_not_effective_goes_on_as_its_successor_and_closes_with_it(
    nc: Nonconformity, owner: Person, manager: Person, sits_down: SitsDown
) -> None:
    first = in_place(nc, owner)
    desk = sits_down(manager)
    desk.open(BOARD)
    assert nc.number in lane(desk, "implemented")
    desk.press(nc.number)
    desk.press("Not effective", within=".next-steps")
    desk.page.wait_for_selector("dialog[open] form")
    said = {"verdict": "Two of 50.", "aftermath": "Plan a successor", "password": PASSWORD}
    desk.write("dialog[open]", **said)
    desk.page.click("dialog[open] form button[type=submit]")
    desk.reads("is now “Not effective”.")
    desk.open(BOARD)
    assert nc.number in lane(desk, "analysed")
    successor = CorrectiveAction.objects.get(predecessor=first)
    # The owner plans the successor; what it was for goes on by itself.
    desk = sits_down(owner)
    desk.open_record(successor)
    desk.press("Edit")
    desk.write(criterion="None in 100.")
    desk.confirm()
    desk.reads("None in 100.")
    desk.open(f"{successor.get_absolute_url()}task/")
    desk.write(title="Refuse without it", due=today().isoformat())
    desk.confirm()
    desk.reads("Refuse without it")
    desk.step("Start the plan", check_on=today().isoformat())
    desk.reads("is now “In action”.")
    desk.open(BOARD)
    assert nc.number in lane(desk, "planned")
    for task in workflow.tasks_of(successor):
        complete(task, by=owner, result="Refused.")
    workflow.implement_action(successor, by=owner)
    workflow.judge_effective(successor, by=manager, proof=proof(manager), verdict="100, none.")
    desk = sits_down(manager)
    desk.open(BOARD)
    assert nc.number in lane(desk, "effective")
    desk.press("Close", within="[data-lane=effective]")
    desk.confirm()
    desk.reads("is now “Closed”.")
    desk.open(BOARD)
    desk.reads("Nothing is open.")
    nc.refresh_from_db()
    assert (nc.status, nc.reopened) == ("closed", 1)


def test_the_board_on_a_phone_shows_every_state_and_a_tap_opens_the_steps_form(
    nc: Nonconformity, owner: Person, sits_down: SitsDown
) -> None:
    phone = sits_down(owner, phone=True)
    phone.open(BOARD)
    wide = phone.page.evaluate(
        "[...document.querySelectorAll('.lane, .card-case')].some("
        "e => e.getBoundingClientRect().right > window.innerWidth)"
    )
    assert not wide
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    phone.press("Contained", within="[data-lane=open]")
    phone.write(containment="Stock is blocked.")
    phone.confirm()
    phone.reads("is now “Cause analysis”.")
    phone.open(BOARD)
    assert nc.number in lane(phone, "contained")
    assert nc.number not in lane(phone, "open")
