"""A view keeps how a list looks, for oneself or for everybody, and shows nothing more to anyone."""

from typing import Any

import pytest
from django.test import Client

from qms.home import workflow
from qms.home.models import SavedView
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.5.3.1")]
LISTED = "/documents/?kind=procedure&sort=title&page=3"


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


@pytest.fixture(autouse=True)
def _committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a test's transaction nothing is ever committed; what waits for that is done at once."""
    monkeypatch.setattr(workflow.transaction, "on_commit", lambda call: call())


def keep(person: Any, **more: str) -> Any:
    return signed_in(person).post("/views/keep/", {"list": LISTED, "name": "Mine", **more})


def test_a_view_is_kept_without_its_page_and_shown_above_the_list() -> None:
    person = factories.person()
    answer = keep(person)
    assert (answer.status_code, answer["Location"]) == (
        303,
        "/documents/?kind=procedure&sort=title",
    )
    assert "Mine" in signed_in(person).get("/documents/").content.decode()
    keep(person)
    assert SavedView.objects.count() == 1
    assert "Mine" not in signed_in(factories.person()).get("/documents/").content.decode()


def test_only_the_quality_manager_keeps_a_view_for_everybody() -> None:
    person, manager = factories.person(), factories.person("quality_manager")
    refused = keep(person, shared="on")
    assert refused.status_code == 422
    assert "kept by the quality manager" in refused.content.decode()
    keep(manager, shared="on", name="Ours")
    assert "Ours" in signed_in(person).get("/documents/").content.decode()


def test_a_view_of_somebody_else_is_not_forgotten() -> None:
    person, other = factories.person(), factories.person()
    keep(person)
    view = SavedView.objects.get()
    assert signed_in(other).post(f"/views/{view.pk}/forget/").status_code == 404
    assert signed_in(person).get(f"/views/{view.pk}/forget/").status_code == 405
    assert signed_in(person).post(f"/views/{view.pk}/forget/").status_code == 303
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("list_", "name", "said"),
    [
        ("/documents/", "Mine", "Filter or sort"),
        (LISTED, "  ", "Give the view a name"),
        ("//evil.example/?a=b", "Mine", "no such list"),
        ("https://evil.example/?a=b", "Mine", "no such list"),
    ],
)
def test_what_is_no_view_is_refused_in_words(list_: str, name: str, said: str) -> None:
    answer = keep(factories.person(), list=list_, name=name)
    assert answer.status_code == 422
    assert said in answer.content.decode()
