"""The gallery draws every component, for builders only."""

from typing import Any

import pytest
from django.test import Client

from tests.factories import person

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.face.urls")]


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(person("quality_manager"))
    return client


def test_the_gallery_is_closed_outside_debug_mode(page: Client, settings: Any) -> None:
    settings.DEBUG = False
    assert page.get("/gallery/").status_code == 404


def test_every_component_is_drawn(page: Client, settings: Any) -> None:
    settings.DEBUG = True
    text = page.get("/gallery/").content.decode()
    for part in (
        "4 days late",
        "Due today",
        "path-now",
        "Nothing waits for others.",
        "Search for similar cases, plan an action, or say why none is needed.",
        "Someone changed this meanwhile.",
        "Choose one.",
        "1,000+",
        "7 of 12 parts",
        "content 9f2ce1b06a77",
        "Target 97 %, two months below.",
    ):
        assert part in text, part
    assert "INVALID" not in text
