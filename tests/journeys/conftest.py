"""A browser for the journeys, and desks that are cleared away after each."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.journeys.desk import Desk


@pytest.fixture(autouse=True)
def _several_people_in_a_form(settings: Any) -> None:
    """A form that names owner, reviewer and approver looks up three people; that is no list."""
    settings.ZEAL_NPLUSONE_THRESHOLD = 4


@pytest.fixture
def sits_down(browser: Any, live_server: Any) -> Iterator[Callable[..., Desk]]:
    """`(person, phone=False, by_page=False) -> Desk`: that person signs in at their own browser."""
    desks: list[Desk] = []

    def sit(who: Any, **how: bool) -> Desk:
        desks.append(Desk(browser, live_server.url, who, **how))
        return desks[-1]

    yield sit
    complaints = [each for desk in desks for each in desk.complaints]
    for desk in desks:
        desk.context.close()
    assert complaints == []
