"""Cases in a browser: a finding in six clicks, a successor, a concession, a complaint closed."""

from collections.abc import Callable

import pytest

from capa import workflow
from capa.models import Complaint, CorrectiveAction, NonconformingOutput, Nonconformity
from qms.actions.workflow import complete
from qms.customers.workflow import enter_customer, take_feedback
from qms.people.models import Person
from qms.periods import today
from qms.workflow import amend
from tests.factories import PASSWORD, person, proof
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


def test_what_is_used_as_it_is_waits_for_the_concession_of_the_customer(
    manager: Person, sits_down: SitsDown
) -> None:
    finder = sits_down(person(name="Finn Berg"))
    finder.open("/nonconformities/outputs/new/")
    finder.write(what="Paint 20 µm too thin", product="Manifold", quantity="3")
    finder.confirm()
    finder.reads("Paint 20 µm too thin")
    output = NonconformingOutput.objects.get()
    desk = sits_down(manager)
    desk.open_record(output)
    desk.press("Decide", within=".next-steps")
    desk.page.wait_for_selector("dialog[open] form")
    desk.write("dialog[open]", disposition="Use as is", because="They stand indoors.")
    desk.page.check("dialog[open] [name=agreement_needed]")
    desk.page.click("dialog[open] form button[type=submit]")
    desk.reads("asked for by the contract, not yet given")
    desk.press("Release", within=".next-steps")
    desk.page.wait_for_selector("dialog[open] form")
    desk.page.click("dialog[open] form button[type=submit]")
    desk.page.wait_for_selector("dialog[open] :text('The contract asks for')")
    output.refresh_from_db()
    assert output.status == "decided"
    desk.write("dialog[open]", agreement="Agreed in writing, concession C-117.")
    desk.page.click("dialog[open] form button[type=submit]")
    desk.reads("is now “Released”.")
    desk.reads("concession C-117")


def test_a_complaint_goes_to_its_end_with_what_caused_it(
    owner: Person, manager: Person, sits_down: SitsDown
) -> None:
    customer = enter_customer(by=manager, name="Port Works", buys="Valves", owner=owner)
    heard = take_feedback(
        by=owner,
        customer=customer,
        heard_on=today(),
        kind="complaint",
        came_by="phone",
        words="Two valves leaked.",
    )
    desk = sits_down(owner)
    desk.open_record(heard)
    desk.press("Handle the complaint")
    desk.press("Acknowledged", within=".next-steps")
    desk.page.wait_for_selector("dialog[open] form")
    desk.page.click("dialog[open] form button[type=submit]")
    desk.reads("is now “To answer”.")
    complaint = Complaint.objects.get()
    desk.press("Raise a nonconformity")
    mended(Nonconformity.objects.get(), owner, manager)
    desk.open_record(complaint)
    desk.press("Answer", within=".next-steps")
    desk.page.wait_for_selector("dialog[open] form")
    desk.write(
        "dialog[open]",
        justified="Justified",
        justified_because="They leaked.",
        outcome="Two new valves.",
    )
    desk.page.check("dialog[open] [name=with_cause]")
    desk.page.click("dialog[open] form button[type=submit]")
    desk.reads("is now “Answered”.")
    desk.press("Close with their verdict", within=".next-steps")
    desk.page.wait_for_selector("dialog[open] form")
    desk.write("dialog[open]", verdict="Satisfied")
    desk.page.click("dialog[open] form button[type=submit]")
    desk.reads("is now “Closed”.")
    complaint.refresh_from_db()
    assert (complaint.verdict, complaint.with_cause) == ("satisfied", True)


def mended(case: Nonconformity, owner: Person, manager: Person) -> None:
    """Its cause is found and removed, and somebody else found that it worked."""
    changes = {"owner": owner, "statement": "They leak.", "requirement": "No leak."}
    amend(case, by=manager, changes=changes, reason="Known now.")
    workflow.contain(case, by=owner, containment="Stock is blocked.")
    said = {"root_cause": "Soft gasket.", "category": "material", "similar": "None."}
    workflow.find_cause(case, by=owner, **said)
    workflow.plan(
        case,
        by=owner,
        action="Name the material in the order",
        action_owner=owner,
        action_due=today(),
        effectiveness_criterion="No leak in 50 tests.",
        check_on=today(),
    )
    for task in workflow.actions_of(case).open():
        complete(task, by=owner, result="Named.")
    serving = CorrectiveAction.objects.serving(case).get()
    workflow.implement_action(serving, by=owner)
    workflow.judge_effective(
        serving, by=manager, proof=proof(manager), verdict="50 tests, no leak."
    )
    case.refresh_from_db()
    workflow.close(case, by=manager)
