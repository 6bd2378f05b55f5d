"""The plan's dates: in order, on working days, honest about delay."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qms.journey import plan
from qms.journey.models import guide, starters
from qms.journey.plan import Line
from qms.periods import add_months

pytestmark = pytest.mark.clause("6.2.2")
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
SHARES = st.lists(st.integers(1, 1000), min_size=1, max_size=20).map(sorted)


@given(SHARES, DAYS, st.integers(6, 12))
def test_a_plan_keeps_its_order_its_length_and_the_weekends_free(
    shares: list[int], start: date, months: int
) -> None:
    days = plan.lay_out(shares, start, months)
    assert days == sorted(days)
    assert all(start <= day <= add_months(start, months) + timedelta(days=2) for day in days)
    assert all(day.weekday() < 5 for day in days)


@given(
    SHARES,
    DAYS,
    st.lists(st.none() | st.integers(-30, 60), min_size=20, max_size=20),
    st.integers(-10, 400),
)
def test_what_is_expected_is_never_before_today_or_the_plan(
    shares: list[int], start: date, done: list[int | None], later: int
) -> None:
    days = plan.lay_out(shares, start, 9)
    lines = [
        Line(share, day, None if late is None else day + timedelta(days=late))
        for share, day, late in zip(shares, days, done, strict=False)
    ]
    today = start + timedelta(days=later)
    expected = plan.forecast(lines, today)
    for line, day in zip(lines, expected, strict=True):
        if line.done_on:
            assert day == line.done_on
        else:
            assert day >= max(line.due, today) and day.weekday() < 5


def test_a_late_line_pushes_what_follows_and_an_early_one_pulls_nothing() -> None:
    monday = date(2026, 6, 1)
    late = [Line(100, monday, monday + timedelta(days=14)), Line(200, date(2026, 6, 29))]
    assert plan.forecast(late, monday)[1] == date(2026, 7, 13)
    early = [Line(100, monday, monday - timedelta(days=14)), Line(200, date(2026, 6, 29))]
    assert plan.forecast(early, monday)[1] == date(2026, 6, 29)


@given(SHARES, DAYS, st.integers(1, 20), st.integers(20, 500))
def test_a_moved_plan_ends_on_its_day_and_leaves_what_is_done(
    shares: list[int], start: date, done: int, days: int
) -> None:
    due = plan.lay_out(shares, start, 9)
    lines = [
        Line(share, day, day if at < done else None)
        for at, (share, day) in enumerate(zip(shares, due, strict=True))
    ]
    today, end = start + timedelta(days=50), start + timedelta(days=50 + days)
    moved = plan.lay_out_anew(lines, today, end)
    assert moved[:done] == due[:done]
    left = moved[done:]
    assert left == sorted(left)
    if left:
        assert left[-1] == plan.working_day(end)
        assert all(today <= day for day in left)


def test_the_lines_of_the_first_plan_stand_in_order_and_end_with_the_project() -> None:
    lines = guide.plan_lines()
    assert [line.share for line in lines] == sorted({line.share for line in lines})
    assert lines[-1].share == 1000
    assert {line.step for line in lines} == set(range(1, 10))


def test_a_small_company_is_asked_for_fewer_documents_by_every_starter() -> None:
    for starter in starters.starters():
        codes = [each.code for each in starter.processes]
        counts = [len(starter.documents_for(count, codes)) for count in (5, 30, 200)]
        assert counts == sorted(counts) and 0 < counts[0] < counts[-1], starter.key


@pytest.mark.parametrize("key", starters.ORDER)
def test_a_starters_flows_have_two_ends_and_no_process_stands_alone(key: str) -> None:
    starter = starters.starter(key)
    codes = {each.code for each in starter.processes}
    for process in starter.processes:
        assert process.inputs and process.outputs and process.clauses, process.code
        for line in process.inputs:
            assert line["from"] != process.code
        for line in process.outputs:
            assert line["to"] != process.code
    assert {each.process for each in starter.documents} <= codes
    assert {each["process"] for each in starter.objectives} <= codes


def test_what_was_not_chosen_leaves_an_open_end_and_no_invented_party() -> None:
    starter = starters.starter("manufacturing")
    flows = starter.flows_between(["SA", "MG"])
    ends = [line["to"] for line in flows["SA"]["outputs"]]
    assert "" in ends and "PL" not in ends and "Customers" in ends
