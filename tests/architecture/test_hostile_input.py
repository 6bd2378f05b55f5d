"""Whatever stands in an address or a form, the answer is a page in words, never an error page."""

import random
import re

import pytest
from django.test import Client

from qms.local.permissions import operations, pages
from tests import factories
from tests.sampling import played

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.proof]
QUERIES = [
    "?page=abc", "?page=99999999", "?page=-1", "?sort=--x", "?sort=password", "?format=zip",
    "?q=a%00b", "?q=%F0%9F%98%80", "?month=9999-99", "?month=2026-02-30", "?history=9999999",
    "?status=%00", "?owner=9999999999999999999999", "?owner=abc", "?year=1e999",
    "?year=999999999999999999", "?title=%00", "?text=%27%22%3C", "?edition=1999",
    "?question=99999999999999999999", "?next=//evil.example", "?preset=zzz",
    "?with=999999999999999999999",
]  # fmt: skip
VALUES = [
    "", "\x00", "a" * 30_000, "<script>alert(1)</script>", "9" * 40, "-1", "2026-02-30",
    "0001-01-01", "9999-12-31", "nan", "1e400",
    "\uff12\uff10\uff12\uff16", "😀", "%s%n", "../../etc/passwd", "null",
]  # fmt: skip


@pytest.fixture
def somebody(client: Client) -> Client:
    person = factories.person("quality_manager", "lead_auditor", "top_management")
    client.force_login(person, backend="qms.people.access.RoleBackend")
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("query", QUERIES)
def test_a_hostile_query_gets_a_page_in_words(query: str, somebody: Client) -> None:
    plain = [route.path for route in pages() if "<" not in route.path]
    answers = {
        path: somebody.get(path + query).status_code
        for path in plain
        if played(path + query, one_in=16)
    }
    assert {path: code for path, code in answers.items() if code >= 500} == {}


def test_hostile_forms_get_a_page_in_words(somebody: Client) -> None:
    chance = random.Random(5)  # noqa: S311 - the same attack every time
    wrong = []
    for route in pages():
        if "<" in route.path or "sign-out" in route.path:
            continue
        names = re.findall(
            r'name="([a-z_]+)"', somebody.get(route.path).content.decode(errors="replace")
        )
        for turn in range(3):
            if not played(f"{route.path} {turn}", one_in=6):
                continue
            answer = somebody.post(route.path, {name: chance.choice(VALUES) for name in names})
            if answer.status_code >= 500:
                wrong.append(f"{route.path}: {answer.status_code}")
    assert not wrong


@pytest.mark.parametrize("body", ["{}", "[]", "null", '{"version":"x"}', '{"version":1e999}', "x"])
def test_hostile_bodies_get_an_answer_in_words(body: str, somebody: Client) -> None:
    wrong = []
    for operation in operations():
        for key in ("1", str(2**63)):
            if not played(f"{operation.method} {operation.path} {key} {body}", one_in=12):
                continue
            path = re.sub(r"<int:\w+>|\{int:\w+\}", key, operation.path)
            path = re.sub(r"<slug:\w+>", "void", path)
            if operation.method == "GET":
                answer = somebody.get(f"{path}?after=1e9&limit=x")
            else:
                call = getattr(somebody, operation.method.lower())
                answer = call(path, data=body, content_type="application/json")
            if answer.status_code >= 500:
                wrong.append(f"{operation.method} {path}: {answer.status_code}")
    assert not wrong
