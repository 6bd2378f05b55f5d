"""Age, punctuality, effect and return are what anybody would count by hand."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from capa import workflow
from capa.figures import Share, age_in_words, figures_of
from capa.models import Nonconformity
from qms.periods import Period, today
from qms.refusals import Refused
from qms.scope.workflow import set_up_organisation
from qms.workflow import amend
from tests import factories
from tests.many import multiply, questions

pytestmark = pytest.mark.django_db
YEAR = Period.year(2026)


class Log:
    """Cases of 2026 of an organisation in Toronto: 3 + 14 + 30 + 60 days to close one."""

    def __init__(self) -> None:
        self.quality = factories.person("quality_manager", name="Quinn")
        self.owner = factories.person("process_owner", name="Olga")
        self.boss = factories.person("top_management", name="Tom")
        set_up_organisation(
            by=self.quality, name="Roy", country="CA", time_zone="America/Toronto", region="ON"
        )

    def detected(self, moment: str, title: str = "Label missing") -> Nonconformity:
        with time_machine.travel(moment, tick=False):
            return workflow.raise_nonconformity(
                by=self.quality,
                title=title,
                statement="It is missing.",
                requirement="A label.",
                evidence="Photo.",
                owner=self.owner,
            )

    def closed(self, nc: Nonconformity, moment: str) -> Nonconformity:
        with time_machine.travel(moment, tick=False):
            if nc.status == "open":
                workflow.contain(nc, by=self.owner, containment="Sorted.")
            workflow.correct_only(
                nc,
                by=self.quality,
                correction="Labelled.",
                similar="None.",
                because="A slip.",
                despite="Each was a slip.",
            )
        return nc


@pytest.mark.slow
def test_on_time_and_ages_equal_what_is_counted_by_hand() -> None:
    log = Log()
    # Detected 2 March: to be closed by 2 March + 107 days = 17 June.
    in_time = log.detected("2026-03-02T15:00Z", "Alpha")
    assert in_time.first_close_by == date(2026, 6, 17)
    log.closed(in_time, "2026-06-17T20:00Z")  # the last day
    # 23:30 on the last day in Toronto, which is the next day in Greenwich.
    at_night = log.detected("2026-03-02T15:00Z", "Bravo")
    log.closed(at_night, "2026-06-18T03:30Z")
    # A day late against the first promise, in time against the extension.
    extended = log.detected("2026-03-02T15:00Z", "Charlie")
    with time_machine.travel("2026-05-01T15:00Z"):
        amend(
            extended,
            by=log.quality,
            changes={"close_by": date(2026, 7, 31)},
            reason="The supplier needs longer.",
        )
    log.closed(extended, "2026-06-18T20:00Z")
    # Closed in time, opened again and closed late: its last closing counts.
    again = log.closed(log.detected("2026-01-05T15:00Z", "Delta"), "2026-01-20T15:00Z")
    with time_machine.travel("2026-05-20T15:00Z"):
        workflow.reopen(again, by=log.boss, reason="It came back.")
    log.closed(again, "2026-08-03T15:00Z")
    # Two that are open: 107 and 108 days old on 31 August, one of them late.
    log.detected("2026-05-16T15:00Z", "Echo")
    log.detected("2026-05-15T15:00Z", "Foxtrot")
    # Across the clock change of 8 March: a day is a day.
    spring = log.detected("2026-03-07T15:00Z", "Golf")
    assert spring.days_open(date(2026, 3, 9)) == 2
    log.closed(spring, "2026-03-09T15:00Z")

    found = figures_of(log.quality, YEAR, date(2026, 8, 31))
    assert found.on_time == Share(3, 5)  # Alpha, Bravo, Golf; not Charlie, not Delta
    assert found.on_time_with_extensions == Share(4, 5)
    assert found.on_time.percent == 60
    assert (found.open, found.late) == (2, 1)
    [owner] = found.by_owner
    assert (owner.name, owner.open, owner.oldest, owner.late) == ("Olga", 2, 108, 1)
    assert owner.closed == Share(3, 5)


def test_days_are_never_negative() -> None:
    log = Log()
    nc = log.detected("2026-03-02T15:00Z")
    before = nc.detected_on - timedelta(days=40)
    assert nc.days_open(before) == 0
    assert nc.days_late(before, nc.close_by) == 0
    assert nc.days_late(nc.close_by, nc.close_by) == 0
    assert nc.days_late(nc.close_by + timedelta(days=1), nc.close_by) == 1
    assert nc.days_late(before, None) == 0


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "up to 30 days"), (30, "up to 30 days"), (31, "31 to 60"), (181, "over 180 days")],
)
def test_an_age_falls_into_one_group(days: int, words: str) -> None:
    assert age_in_words(days) == words


def test_more_time_is_given_by_somebody_else_with_a_reason_and_the_first_day_stays() -> None:
    log = Log()
    nc = log.detected("2026-03-02T15:00Z")
    first = nc.first_close_by
    with pytest.raises(Refused, match="ask the quality manager"):
        amend(nc, by=log.owner, changes={"close_by": first + timedelta(days=9)}, reason="Busy.")
    with pytest.raises(Refused, match="before it was detected"):
        amend(nc, by=log.quality, changes={"close_by": date(2026, 3, 1)}, reason="Quick.")
    amend(nc, by=log.quality, changes={"close_by": first + timedelta(days=9)}, reason="Asked for.")
    assert (nc.first_close_by, nc.close_by) == (first, first + timedelta(days=9))


def test_nothing_is_no_percentage() -> None:
    log = Log()
    found = figures_of(log.quality, YEAR, date(2026, 8, 31))
    assert found.is_empty
    assert (found.on_time.percent, found.effective.percent, found.again.percent) == (None,) * 3


@pytest.mark.slow
def test_figures_and_board_ask_as_much_for_many_cases_as_for_few(client: Any) -> None:
    log = Log()
    client.force_login(log.quality)
    pages = ("/nonconformities/board/", f"/nonconformities/figures/?year={today().year}")

    def more() -> None:
        for number in range(4):
            nc = log.detected(f"{today().isoformat()}T15:00Z", f"Case {number}")
        workflow.contain(nc, by=log.owner, containment="Sorted.")

    more()
    few = [questions(lambda page=page: client.get(page)) for page in pages]  # type: ignore[misc]
    more()
    more()
    assert [questions(lambda page=page: client.get(page)) for page in pages] == few  # type: ignore[misc]
    assert all(count <= 16 for count in few)


@pytest.mark.slow
def test_a_thousand_cases_are_asked_for_like_two_on_board_figures_and_in_the_list(
    client: Any,
) -> None:
    log = Log()
    waits = log.detected(f"{today().isoformat()}T01:00Z", "Waits")
    done = log.closed(log.detected(f"{today().isoformat()}T01:00Z", "Done"), f"{today()}T02:00Z")
    client.force_login(log.quality)
    pages = (
        "/nonconformities/board/",
        f"/nonconformities/figures/?year={today().year}",
        "/nonconformities/?sort=-age",
        "/nonconformities/",
    )

    def asked() -> list[int]:
        return [questions(lambda page=page: client.get(page)) for page in pages]  # type: ignore[misc]

    asked()
    few = asked()
    multiply(waits, 1_000)
    multiply(done, 1_000)
    assert asked() == few
    assert all(count <= 16 for count in few)
    board = client.get("/nonconformities/board/").content.decode()
    assert "1,001" in board or "1001" in board


def test_a_card_leads_to_the_form_of_its_step_and_skips_nothing(client: Any) -> None:
    log = Log()
    nc = log.detected("2026-03-02T15:00Z")
    client.force_login(log.owner)
    page = client.get("/nonconformities/board/").content.decode()
    assert f"contained={nc.get_absolute_url()}do/contain/" in page
    assert "closed=" not in page
    assert "planned=" not in page
    client.force_login(factories.person())
    assert "do/contain/" not in client.get("/nonconformities/board/").content.decode()
