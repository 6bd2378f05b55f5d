"""What failed for good is seen by a person, who lets it run again."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from qms.outbox.models import Effect
from qms.people.models import Person
from qms.people.roles import ROLES
from tests import factories

pytestmark = pytest.mark.django_db
SEES = {"administrator", "quality_manager"}


def dead(number: int = 1, error: str = "ValueError: no") -> Effect:
    return Effect.objects.create(
        kind="mail", key=f"mail:{number}", state="dead", attempts=3, last_error=error
    )


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


@pytest.mark.parametrize("role", sorted(ROLES))
def test_only_who_keeps_the_system_sees_it_and_lets_it_run_again(role: str) -> None:
    effect, client = dead(), signed_in(factories.person(role))
    assert client.get("/outbox/").status_code == (200 if role in SEES else 403)
    answer = client.post(f"/outbox/{effect.pk}/retry/")
    assert answer.status_code == (303 if role in SEES else 403)
    effect.refresh_from_db()
    assert effect.state == ("waiting" if role in SEES else "dead")


def test_reading_does_not_run_anything() -> None:
    effect = dead()
    client = signed_in(factories.person("administrator"))
    assert client.get(f"/outbox/{effect.pk}/retry/").status_code == 405
    effect.refresh_from_db()
    assert effect.state == "dead"


def test_an_error_is_shown_as_text() -> None:
    dead(error="<script>alert(1)</script>")
    page = signed_in(factories.person("administrator")).get("/outbox/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_an_empty_list_says_so() -> None:
    page = signed_in(factories.person("administrator")).get("/outbox/").content.decode()
    assert "Nothing failed." in page


def test_letting_it_run_twice_says_that_it_runs() -> None:
    effect, client = dead(), signed_in(factories.person("administrator"))
    client.post(f"/outbox/{effect.pk}/retry/")
    again = client.post(f"/outbox/{effect.pk}/retry/", follow=True)
    assert "Nothing was changed." in again.content.decode()


def test_a_thousand_cost_as_many_questions_as_ten() -> None:
    client = signed_in(factories.person("administrator"))
    counts = []
    for start, end in ((0, 10), (10, 1000)):
        Effect.objects.bulk_create(
            Effect(kind="mail", key=f"mail:{n}", state="dead", attempts=3)
            for n in range(start, end)
        )
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/outbox/").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]
