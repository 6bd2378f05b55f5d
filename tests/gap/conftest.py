"""People and assessments the tests of gap share."""

import pytest
from django.test import Client

from qms.gap import workflow
from qms.gap.models import Assessment
from qms.people.models import Person
from tests import factories

BACKEND = "qms.people.access.RoleBackend"


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager", name="Quinn Manager")


@pytest.fixture
def assessment(manager: Person) -> Assessment:
    return workflow.start_assessment(by=manager, edition="2026")


@pytest.fixture
def browser(client: Client, manager: Person) -> Client:
    client.force_login(manager, backend=BACKEND)
    return client
