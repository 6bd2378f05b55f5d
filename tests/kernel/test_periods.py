"""Days, deadlines and periods: in the organisation's zone, at every edge of the calendar."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import assume, given
from hypothesis import strategies as st

from qms import contributions, periods
from qms.periods import Period
from qms.refusals import Refused

days = st.dates(date(1990, 1, 1), date(2100, 12, 31))
ZONES = ["America/Toronto", "Europe/London", "Pacific/Auckland", "America/Havana", "Africa/Cairo"]


@pytest.fixture
def in_zone() -> Iterator[object]:
    before = contributions._zone[:]

    def move(name: str) -> None:
        contributions.tells_zone(lambda: ZoneInfo(name))

    yield move
    contributions._zone[:] = before


def test_today_is_the_organisations_day_not_utcs(in_zone) -> None:  # type: ignore[no-untyped-def]
    with time_machine.travel(datetime(2026, 11, 23, 3, 30, tzinfo=UTC), tick=False):
        in_zone("America/Toronto")
        assert periods.today() == date(2026, 11, 22)
        in_zone("Europe/London")
        assert periods.today() == date(2026, 11, 23)
        in_zone("Pacific/Auckland")
        assert periods.today() == date(2026, 11, 23)


def test_a_naive_moment_has_no_day() -> None:
    with pytest.raises(ValueError, match="naive"):
        periods.day_of(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("zone", ZONES)
def test_the_days_of_a_year_follow_each_other_without_gap_or_overlap(zone: str, in_zone) -> None:  # type: ignore[no-untyped-def]
    in_zone(zone)
    lengths = set()
    for day in (date(2026, 1, 1) + timedelta(days=n) for n in range(365)):
        start, before = Period(day, day).instants()
        assert periods.day_of(start) == day
        assert periods.day_of(before - timedelta(microseconds=1)) == day
        assert periods.day_of(before) == day + timedelta(days=1)
        lengths.add((before - start).total_seconds() / 3600)
    assert lengths == {23.0, 24.0, 25.0}


def test_a_wall_time_in_the_skipped_hour_is_still_a_moment_of_that_day(in_zone) -> None:  # type: ignore[no-untyped-def]
    in_zone("America/Toronto")
    moment = periods.start_of(date(2026, 3, 8), at=time(2, 30))
    assert moment == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
        (date(2026, 3, 10), 12, date(2027, 3, 10)),
        (date(2029, 3, 10), 6, date(2029, 9, 10)),
    ],
)
def test_adding_months_keeps_to_the_end_of_the_month(start: date, months: int, end: date) -> None:
    assert periods.add_months(start, months) == end


@given(days, st.integers(-240, 240))
def test_added_months_land_in_the_right_month(day: date, months: int) -> None:
    found = periods.add_months(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day <= day.day


@given(days, st.integers(0, 240))
def test_months_between_is_the_inverse_of_adding_them(day: date, months: int) -> None:
    assert periods.months_between(day, periods.add_months(day, months)) == months


@given(days, st.integers(0, 5000))
def test_a_deadline_is_fine_then_soon_then_today_then_overdue(day: date, wait: int) -> None:
    due = periods.due_in(wait, day)
    expected = "today" if wait == 0 else "soon" if wait <= 7 else "fine"
    assert periods.due_state(due, day) == expected
    assert periods.due_state(due, due + timedelta(days=1)) == "overdue"


def test_a_deadline_before_its_start_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="before its start"):
        periods.due_in(-1, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("due", "words"),
    [
        (date(2026, 11, 19), "4 days late"),
        (date(2026, 11, 22), "1 day late"),
        (date(2026, 11, 23), "Due today"),
        (date(2026, 11, 24), "Tomorrow"),
        (date(2026, 12, 1), "Tue 1 Dec"),
        (date(2027, 1, 5), "Tue 5 Jan 2027"),
        (None, "No date"),
    ],
)
def test_a_due_badge_speaks_plainly(due: date | None, words: str) -> None:
    assert periods.in_words(due, date(2026, 11, 23)) == words


@pytest.mark.parametrize(
    ("text", "start", "end", "shown"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31), "2026"),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31), "1 Jan 2026 – 31 Mar 2026"),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31), "1 Oct 2026 – 31 Dec 2026"),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29), "February 2028"),
        ("2026-01-05..2026-06-30", date(2026, 1, 5), date(2026, 6, 30), None),
        ("2026-01-05/2026-06-30", date(2026, 1, 5), date(2026, 6, 30), None),
    ],
)
def test_a_period_is_read_from_words(text: str, start: date, end: date, shown: str | None) -> None:
    found = Period.parse(text)
    assert found == Period(start, end)
    assert shown is None or str(found) == shown
    assert Period.parse(found.isoformat()) == found


@pytest.mark.parametrize(
    "text",
    ["", "last year", "2026-13", "2026-Q5", "2026-02-30..2026-03-01", "9999", "0001", "٢٠٢٦", ".."],
)
def test_what_is_no_period_is_refused_in_words(text: str) -> None:
    with pytest.raises(Refused, match="is not a period"):
        Period.parse(text)


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(Refused, match="Swap the two dates"):
        Period.parse("2026-06-30..2026-01-01")


@given(days, st.integers(0, 900))
def test_months_cover_a_period_exactly(start: date, length: int) -> None:
    period = Period(start, start + timedelta(days=length))
    parts = period.months()
    assert sum(part.days for part in parts) == period.days
    assert parts[0].start == period.start
    assert parts[-1].end == period.end
    for one, other in pairwise(parts):
        assert one.end + timedelta(days=1) == other.start
        assert not one.overlaps(other)


@given(days, st.integers(0, 900))
def test_the_previous_period_touches_and_is_as_long(start: date, length: int) -> None:
    period = Period(start, start + timedelta(days=length))
    before = period.previous()
    assert before.end + timedelta(days=1) == period.start
    if period.is_whole_months:
        assert len(before.months()) == len(period.months())
    else:
        assert before.days == period.days


def test_the_year_before_a_leap_year_is_a_whole_year() -> None:
    assert Period.year(2029).previous() == Period.year(2028)
    assert Period.quarter(2026, 1).previous() == Period.quarter(2025, 4)


@given(days, st.integers(1, 60))
def test_the_last_months_end_on_the_day_asked(day: date, months: int) -> None:
    assume(day.year > 1995)
    period = Period.last_months(months, day)
    assert period.end == day
    assert periods.months_between(period.start, day + timedelta(days=1)) >= months
    assert day in period
    assert day + timedelta(days=1) not in period
