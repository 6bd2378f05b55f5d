"""The frame of every page: every entry of the navigation leads somewhere."""

from typing import Any

import pytest
from django.urls import reverse

from qms import contributions, pages


@pytest.mark.parametrize(
    "item",
    [*contributions._navigation, *contributions._creating],
    ids=lambda item: str(item.url_name),
)
def test_every_entry_of_the_navigation_is_a_page(item: Any) -> None:
    assert reverse(item.url_name)


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/audits/7/", "/audits/"),
        ("/", "/"),
        ("/audits/programme/2026/", "/audits/programme/"),
        ("/elsewhere/", ""),
    ],
)
def test_the_entry_that_is_lit_is_the_nearest_one(path: str, current: str) -> None:
    assert pages._current(path, ["/", "/audits/", "/audits/programme/"]) == current
