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


@pytest.mark.parametrize("role", spread(sorted(ROLES), quick=3))
def test_a_page_opens_or_is_refused_in_words(role: str, client: Client) -> None:
    client.force_login(factories.person(role), backend="qms.people.access.RoleBackend")
    silent = []
    for address in PLAIN:
        answer = client.get(address)
        if answer.status_code not in (200, 403) or b"<h1" not in answer.content:
            silent.append(f"{address}: {answer.status_code}")
    assert silent == []
