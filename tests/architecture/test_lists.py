"""A list asks the same number of questions of the database at 10 rows and at 1,000."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audits import workflow as audits
from capa.workflow import raise_nonconformity
from documents.workflow import create_document
from qms.actions.workflow import plan_action
from qms.people.models import Person
from qms.periods import today
from qms.scope.models import Process
from qms.scope.workflow import activate, create_process
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
MOST_QUERIES = 12


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager", "lead_auditor")


@pytest.fixture
def process(manager: Person) -> Process:
    owner = factories.person("process_owner")
    made = create_process(
        by=manager, code="PR", name="Production", owner=owner, clauses=["2026:8.5.1"]
    )
    return activate(made, by=manager)


def documents_of(manager: Person, process: Process) -> None:
    create_document(
        by=manager, title="Purchasing", kind="procedure", owner=manager, process=process
    )


def actions_of(manager: Person, process: Process) -> None:
    plan_action(by=manager, title="Fit a guard", owner=manager, due=today())


def problems_of(manager: Person, process: Process) -> None:
    raise_nonconformity(by=manager, title="Torque not recorded", process=process)


def audits_of(manager: Person, process: Process) -> None:
    lead = Person.objects.holding("lead_auditor").first()
    audits.plan_audit(
        by=manager, process=process, planned_on=today(), lead=lead, clauses=["2026:4.1"]
    )


LISTS: list[tuple[str, Callable[[Person, Process], Any]]] = [
    ("/documents/", documents_of),
    ("/actions/", actions_of),
    ("/nonconformities/", problems_of),
    ("/audits/", audits_of),
    ("/", problems_of),
]


@pytest.mark.parametrize(("address", "make"), LISTS, ids=[each[0] for each in LISTS])
def test_a_list_asks_the_same_at_10_and_at_1000_rows(
    address: str,
    make: Callable[[Person, Process], Any],
    manager: Person,
    process: Process,
    client: Client,
) -> None:
    client.force_login(manager, backend="qms.people.access.RoleBackend")
    client.get(address)  # what is read once in the life of a process is read now

    def count(rows: int) -> int:
        for _ in range(rows):
            make(manager, process)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = client.get(address)
        assert answer.status_code == 200
        said = [query["sql"] for query in asked.captured_queries]
        return sum(not each.startswith(("SAVEPOINT", "RELEASE")) for each in said)

    few = count(10)
    many = count(990)
    # The home page draws the month beside the list. Savepoints are the test's own.
    assert many == few <= (MOST_QUERIES if address != "/" else 15)
