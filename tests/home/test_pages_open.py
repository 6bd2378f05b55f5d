"""Every page a person may open opens, for every role, with and without records."""

import pytest
from django.test import Client

from qms.people.roles import ROLES
from tests import factories
from tests.sampling import spread

pytestmark = pytest.mark.django_db
PLAIN = [
    "/",
    "/leadership/",
    "/calendar/",
    "/calendar/year/",
    "/calendar/year/?year=1",
    "/calendar/year/?year=9999",
    "/search/?q=torque",
    "/actions/",
    "/documents/",
    "/documents/new/",
    "/nonconformities/",
    "/nonconformities/report/",
    "/nonconformities/new/",
    "/audits/",
    "/audits/new/",
    "/audits/findings/",
    "/audits/certificates/",
    "/audits/certificates/new/",
    "/actions/new/",
]


@pytest.mark.parametrize("role", spread(sorted(ROLES), quick=1))
def test_a_page_opens_or_is_refused_in_words(role: str, client: Client) -> None:
    client.force_login(factories.person(role), backend="qms.people.access.RoleBackend")
    silent = []
    for address in PLAIN:
        answer = client.get(address)
        if answer.status_code not in (200, 403) or b"<h1" not in answer.content:
            silent.append(f"{address}: {answer.status_code}")
    assert silent == []


def test_a_year_on_one_page_names_what_is_planned_in_its_month(client: Client) -> None:
    from datetime import date

    from audits.workflow import plan_audit
    from qms.scope.workflow import activate, create_process

    manager = factories.person("quality_manager", "lead_auditor")
    made = create_process(by=manager, code="BUY", name="Buying", owner=manager)
    plan_audit(
        by=manager,
        process=activate(made, by=manager),
        planned_on=date(2031, 5, 6),
        lead=manager,
    )
    client.force_login(manager, backend="qms.people.access.RoleBackend")
    [strip] = client.get("/calendar/year/?year=2031").context["strips"]
    assert strip.kind == "Audit"
    assert [len(cell) for cell in strip.cells] == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert client.get("/calendar/year/?year=2032").context["strips"] == []
