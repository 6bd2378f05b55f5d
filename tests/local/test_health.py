"""The two addresses for machines."""

import pytest
from django.test import Client


def test_liveness_asks_nobody(client: Client) -> None:
    # No database mark: a query would fail this test.
    answer = client.get("/healthz/")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert "no-cache" in answer.headers["Cache-Control"]


@pytest.mark.django_db
def test_readiness_needs_database_and_broker(client: Client) -> None:
    answer = client.get("/readyz/")
    assert (answer.status_code, answer.content) == (200, b"ready\n")


@pytest.mark.django_db
def test_readiness_names_a_silent_broker(client: Client, settings: object) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]
    answer = client.get("/readyz/")
    assert (answer.status_code, answer.content) == (503, b"waiting for: broker\n")


@pytest.mark.parametrize("address", ["/healthz/", "/readyz/"])
def test_only_looking_is_allowed(client: Client, address: str) -> None:
    assert client.post(address).status_code == 405
