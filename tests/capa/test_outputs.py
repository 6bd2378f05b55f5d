"""Nonconforming outputs: who decides, who verifies, what is not released without the customer."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from capa import workflow
from capa.models import NonconformingOutput, Nonconformity
from qms.people.models import Person
from qms.refusals import Refused
from qms.workflow import amend
from tests import factories
from tests.kernel.test_workflow import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.clause("8.7.1")]


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager", name="Mia Manager")


@pytest.fixture
def maker() -> Person:
    return factories.person("process_owner", name="Max Maker")


@pytest.fixture
def output(maker: Person) -> NonconformingOutput:
    return held(made_by=maker)


def held(**facts: Any) -> NonconformingOutput:
    made: NonconformingOutput = workflow.hold_output(
        by=factories.person(),
        what="Bore 0.2 mm too wide",
        product="Gate valve DN 50",
        lot="Lot 7",
        quantity=Decimal("12.500"),
        unit="kg",
        **facts,
    )
    return made


def decided(output: NonconformingOutput, by: Person, how: str, **more: Any) -> NonconformingOutput:
    made: NonconformingOutput = workflow.decide_output(
        output, by=by, disposition=how, because="Fit for the purpose.", **more
    )
    return made


def test_who_made_it_does_not_decide_about_it(output: NonconformingOutput, maker: Person) -> None:
    with pytest.raises(PermissionDenied, match="does not decide"):
        decided(output, maker, "scrap")
    output.refresh_from_db()
    assert output.status == "held"


def test_who_decided_does_not_become_its_maker_afterwards(
    output: NonconformingOutput, manager: Person
) -> None:
    decided(output, manager, "scrap")
    with pytest.raises(Refused, match="decided about it"):
        amend(output, by=manager, changes={"made_by": manager}, reason="It was so.")


def test_what_the_contract_asks_of_the_customer_is_not_released_without_them(
    output: NonconformingOutput, manager: Person
) -> None:
    decided(output, manager, "use_as_is", agreement_needed=True)
    with pytest.raises(Refused, match="customer's agreement"):
        workflow.release_output(output, by=manager, agreement="  ")
    workflow.release_output(output, by=manager, agreement="Agreed, C-117.")
    assert (output.status, output.agreement) == ("released", "Agreed, C-117.")


def test_who_reworked_it_does_not_verify_it(output: NonconformingOutput, manager: Person) -> None:
    decided(output, manager, "rework")
    workflow.rework_output(output, by=manager, rework="Sleeves pressed in.")
    with pytest.raises(PermissionDenied, match="does not verify"):
        workflow.pass_output(output, by=manager, result="All within.")
    other = factories.person("quality_manager")
    workflow.fail_output(output, by=other, result="Two are wide.")
    assert output.status == "held"
    decided(output, manager, "scrap")
    workflow.remove_output(output, by=factories.person(), settled_how="Cut up.")
    assert (output.status, output.due) == ("removed", None)


@pytest.mark.parametrize(
    ("how", "step"), [("scrap", "release_output"), ("use_as_is", "remove_output")]
)
def test_it_goes_only_the_way_that_was_decided(
    output: NonconformingOutput, manager: Person, how: str, step: str
) -> None:
    decided(output, manager, how)
    said = {"settled_how": "Gone."}
    with pytest.raises(Refused, match="decided otherwise"):
        getattr(workflow, step)(output, by=manager, **said)


def test_no_agreement_of_a_customer_is_asked_for_scrap(
    output: NonconformingOutput, manager: Person
) -> None:
    with pytest.raises(Refused, match="nothing else is asked"):
        decided(output, manager, "scrap", agreement_needed=True)


@pytest.mark.parametrize("quantity", [Decimal(0), Decimal(-1), None])
def test_there_is_some_of_it(quantity: Any) -> None:
    with pytest.raises(Refused, match="more than nothing"):
        workflow.hold_output(by=factories.person(), what="Wide", product="Valve", quantity=quantity)


def test_one_nonconformity_is_raised_from_it(output: NonconformingOutput, manager: Person) -> None:
    made = workflow.raise_from_output(output, by=manager)
    assert (made.source, made.product, made.lot) == ("product", "Gate valve DN 50", "Lot 7")
    assert "12.5 kg of Gate valve DN 50" in made.statement
    assert output.nonconformity == made
    with pytest.raises(Refused, match="belongs to"):
        workflow.raise_from_output(output, by=manager)


def test_its_page_and_its_pdf_say_what_was_decided_by_whom(
    output: NonconformingOutput, manager: Person, client: Client
) -> None:
    decided(output, manager, "use_as_is", agreement_needed=True)
    factories.sign_in(client, manager)
    page = client.get(output.get_absolute_url()).content.decode()
    assert "Use as is, with a concession" in page
    assert "asked for by the contract, not yet given" in page
    answer = client.get(f"{output.get_absolute_url()}pdf/")
    assert answer.content.startswith(b"%PDF")


def test_anybody_holds_something_back_on_one_page(client: Client) -> None:
    factories.sign_in(client, factories.person())
    said = {"what": "Wide", "product": "Valve", "quantity": "3", "found_at": "final"}
    answer = client.post("/nonconformities/outputs/new/", said)
    assert answer.status_code in (302, 303)
    made = NonconformingOutput.objects.get()
    assert (made.amount, made.found_at) == ("3 pieces", "final")


def test_nobody_takes_their_own_name_off_to_decide_about_what_they_made() -> None:
    maker = factories.person("process_owner", "quality_manager")
    output = held(made_by=maker)
    with pytest.raises(Refused, match="somebody else corrects that"):
        amend(output, by=maker, changes={"made_by": None}, reason="Not me.")
    another = factories.person("quality_manager")
    amend(output, by=another, changes={"made_by": None}, reason="It was the other shift.")
    assert output.made_by is None


@pytest.mark.django_db(transaction=True)
def test_two_who_raise_it_at_the_same_moment_raise_one_nonconformity() -> None:
    output = held()
    managers = [factories.person("quality_manager") for _ in range(3)]

    def raising(by: Person) -> Callable[[], object]:
        mine = NonconformingOutput.objects.get(pk=output.pk)
        return lambda: workflow.raise_from_output(mine, by=by)

    answers = at_once(*(raising(by) for by in managers))
    made = Nonconformity.objects.get()
    assert answers == sorted(["ok", *[f"It belongs to {made} already."] * 2])
