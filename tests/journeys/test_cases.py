"""Cases in a browser: a simple finding takes six clicks, what did not work gets a successor."""

from collections.abc import Callable

import pytest

from capa import workflow
from capa.models import CorrectiveAction, Nonconformity
from qms.actions.workflow import complete
from qms.people.models import Person
from qms.periods import today
from tests.factories import PASSWORD, person
from tests.journeys.desk import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.clause("10.2.1"),
]
SitsDown = Callable[..., Desk]


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
        title="Gasket leaks at 10 bar",
        statement="It leaks at 10 bar.",
        requirement="Drawing 12 asks for 16 bar.",
        evidence="Test report 7.",
        owner=owner,
    )
    return made


def answer(desk: Desk) -> None:
    desk.press("Answer on one page")
    desk.write(
        containment="Stock is blocked.",
        correction="Replaced.",
        why_chain="It was soft\n- The order names no material",
        root_cause="The order names no material.",
        category="Method",
        similar="Looked at all gaskets: none.",
        action="Name the material in the order",
        action_due=today().isoformat(),
        effectiveness_criterion="No wrong gasket in 50 orders.",
        check_on=today().isoformat(),
    )
    desk.confirm()
    desk.reads("In action")


def test_a_simple_finding_is_answered_in_six_clicks(
    nc: Nonconformity, owner: Person, sits_down: SitsDown
) -> None:
    desk = sits_down(owner)
    desk.open("/")
    with desk.counted("A simple finding: contained, cause, similar cases, action, criterion", 6):
        desk.press("Gasket leaks at 10 bar")
        answer(desk)
    nc.refresh_from_db()
    assert nc.status == "planned"
    assert CorrectiveAction.objects.serving(nc).get().criterion == "No wrong gasket in 50 orders."


def test_what_did_not_work_gets_a_successor_on_the_page_of_the_case(
    nc: Nonconformity, owner: Person, manager: Person, sits_down: SitsDown
) -> None:
    desk = sits_down(owner)
    desk.open_record(nc)
    answer(desk)
    for task in workflow.actions_of(nc).open():
        complete(task, by=owner, result="Named.")
    desk.open_record(nc)
    desk.press("Implemented", within=".next-steps")
    desk.reads("is now “Effectiveness check”.")
    judge = sits_down(manager)
    judge.open_record(nc)
    judge.press("Not effective", within=".next-steps")
    judge.page.wait_for_selector("dialog[open] form")
    judge.write(
        "dialog[open]",
        verdict="Two of thirty were wrong.",
        aftermath="Plan a successor",
        password=PASSWORD,
    )
    judge.page.click("dialog[open] form button[type=submit]")
    judge.reads("is now “Not effective”.")
    assert judge.page.url.endswith(nc.get_absolute_url())
    first, second = CorrectiveAction.objects.order_by("pk")
    assert (second.predecessor, second.status) == (first, "draft")
    nc.refresh_from_db()
    assert nc.status == "analysed"


def test_a_case_is_answered_on_a_phone(
    nc: Nonconformity, owner: Person, sits_down: SitsDown
) -> None:
    phone = sits_down(owner, phone=True)
    phone.open_record(nc)
    answer(phone)
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
