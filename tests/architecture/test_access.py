"""Who may open what: declared, complete and true, for every page and operation and every actor."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from qms import clock
from qms.access import ANYONE_SIGNED_IN, PUBLIC
from qms.local.permissions import TABLE, Route, operations, pages, table
from qms.people.models import ApiToken
from qms.people.roles import ROLES
from tests import factories
from tests.sampling import played, spread

pytestmark = [pytest.mark.django_db, pytest.mark.proof]
ACTORS = [*ROLES, "inactive", "anonymous"]
TRIED = {"anonymous": 1}  # of the others' pages and operations one in eight


def address(route: Route) -> str:
    """The route's address with keys of nothing: who may open it is told that it is not there."""
    path = re.sub(r"<int:\w+>|\{int:\w+\}", "999999", route.path)
    path = re.sub(r"<slug:\w+>|<str:\w+>", "no-such", path)
    return re.sub(r"<\w+:?\w*>", "no-such", path)


def test_the_table_in_the_documentation_is_the_one_in_the_code() -> None:
    assert TABLE.read_text() == table(), "Run `make permissions` and look at what changed."


def test_no_page_is_undeclared() -> None:
    assert not [route for route in pages() if route.needs == "undeclared"]


@pytest.mark.parametrize("actor", spread(ACTORS, quick=2))
def test_every_page_opens_for_exactly_those_who_may(actor: str, client: Client) -> None:
    person = None
    if actor != "anonymous":
        person = factories.person(*([actor] if actor in ROLES else ["quality_manager"]))
        client.force_login(person, backend="qms.people.access.RoleBackend")
    if actor == "inactive":
        assert person is not None
        person.is_active = False
        person.save_because("Left.", by=None)
    wrong = []
    for route in pages():
        for method in ("get", "post"):
            if not played(f"{actor} {method} {route.path}", one_in=TRIED.get(actor, 8)):
                continue
            if person is not None and "_auth_user_id" not in client.session:
                client.force_login(person, backend="qms.people.access.RoleBackend")
            answer = getattr(client, method)(address(route))
            known = person is not None and actor != "inactive"
            may = route.needs == PUBLIC or (
                known and (route.needs == ANYONE_SIGNED_IN or person.has_perm(route.needs))  # type: ignore[union-attr]
            )
            if not _fits(answer.status_code, may=may, known=known):
                wrong.append(f"{method} {route.path}: {answer.status_code}, may={may}")
    assert not wrong


def _fits(status: int, *, may: bool, known: bool) -> bool:
    if may:
        return status < 500 and status != 403
    return status == 403 if known else status in (302, 403)


@pytest.mark.parametrize("actor", spread(ACTORS, quick=2))
def test_every_operation_answers_exactly_those_who_may(actor: str, client: Client) -> None:
    headers = {}
    person = None
    if actor != "anonymous":
        person = factories.person(*([actor] if actor in ROLES else ["quality_manager"]))
        _token, secret = ApiToken.issue(person, "test", clock.now() + timedelta(days=1))
        headers = {"authorization": f"Bearer {secret}"}
    if actor == "inactive":
        assert person is not None
        person.is_active = False
        person.save_because("Left.", by=None)
    wrong = []
    for route in operations():
        if not played(f"{actor} {route.method} {route.path}", one_in=TRIED.get(actor, 8)):
            continue
        call = getattr(client, route.method.lower())
        body = {} if route.method == "GET" else {"data": "{}", "content_type": "application/json"}
        answer = call(address(route), headers=headers, **body)
        known = person is not None and actor != "inactive"
        may = known and (route.needs == ANYONE_SIGNED_IN or person.has_perm(route.needs))  # type: ignore[union-attr]
        right = (
            answer.status_code in (200, 404, 422)
            if may
            else answer.status_code in ((403, 422) if known else (401,))
        )
        if not right:
            wrong.append(f"{route.method} {route.path}: {answer.status_code}, may={may}")
    assert not wrong
