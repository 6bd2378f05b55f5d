"""The dates of a certification cycle follow ISO/IEC 17021-1 to the day."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audits.certification import (
    Cycle,
    Rule,
    Standing,
    Suspension,
    Visit,
    check_dates,
    duties,
    looks_odd,
    major_due_on,
    standing,
)
from qms.periods import add_months
from qms.refusals import Refused

CYCLE = Cycle(date(2026, 3, 10), date(2029, 3, 10))


def said(cycle: Cycle) -> list[tuple[str, date]]:
    return [(duty.rule.value, duty.due_on) for duty in duties(cycle)]


def test_the_cycle_of_a_decision_on_10_march_2026() -> None:
    assert said(CYCLE) == [
        ("first_year", date(2027, 3, 10)),
        ("calendar_year", date(2027, 12, 31)),
        ("calendar_year", date(2028, 12, 31)),
        ("recertification", date(2029, 3, 9)),
    ]
    assert CYCLE.restorable_until == date(2029, 9, 10)
    assert "decided before 10 March 2029" in duties(CYCLE)[-1].words


def test_the_two_rules_of_surveillance_are_met_each_for_itself() -> None:
    early = duties(CYCLE, [Visit("surveillance", date(2026, 12, 1))])
    assert [duty.met_on for duty in early] == [date(2026, 12, 1), None, None, None]
    late = duties(CYCLE, [Visit("surveillance", date(2027, 6, 1))])
    assert late[0].was_late
    assert late[0].met_on == date(2027, 6, 1)
    assert late[1].met_on == date(2027, 6, 1)
    assert not late[1].was_late
    both = duties(CYCLE, [Visit("surveillance", date(2027, 3, 10))])
    assert [duty.met_on is not None for duty in both] == [True, True, False, False]
    assert not both[0].was_late


def test_the_last_day_is_not_yet_missed() -> None:
    first = duties(CYCLE)[0]
    assert not first.is_missed(date(2027, 3, 10))
    assert first.is_missed(date(2027, 3, 11))


def test_a_visit_of_another_kind_or_of_an_earlier_cycle_meets_nothing() -> None:
    visits = [Visit("special", date(2027, 2, 1)), Visit("surveillance", date(2026, 3, 9))]
    assert all(duty.met_on is None for duty in duties(CYCLE, visits))


def test_a_later_cycle_knows_only_the_calendar_year() -> None:
    again = Cycle(date(2029, 3, 1), date(2032, 3, 10), is_initial=False)
    assert [rule for rule, _ in said(again)] == [
        "calendar_year",
        "calendar_year",
        "recertification",
    ]


@pytest.mark.parametrize(
    ("decided", "expires", "years", "first"),
    [
        (date(2026, 1, 1), date(2028, 12, 31), [2027], date(2027, 1, 1)),
        (date(2026, 12, 31), date(2029, 12, 30), [2027, 2028], date(2027, 12, 31)),
        (date(2028, 2, 29), date(2031, 2, 28), [2029, 2030], date(2029, 2, 28)),
        (date(2027, 2, 28), date(2030, 2, 27), [2028, 2029], date(2028, 2, 28)),
    ],
)
def test_leap_days_and_edges_of_years(
    decided: date, expires: date, years: list[int], first: date
) -> None:
    found = duties(Cycle(decided, expires))
    assert [d.due_on.year for d in found if d.rule == Rule.CALENDAR_YEAR] == years
    assert next(d.due_on for d in found if d.rule == Rule.FIRST_YEAR) == first


def test_it_is_valid_through_the_printed_date_and_restorable_six_months_after() -> None:
    days = {
        date(2026, 3, 9): Standing.NOT_YET,
        date(2026, 3, 10): Standing.VALID,
        date(2029, 3, 10): Standing.VALID,
        date(2029, 3, 11): Standing.RESTORABLE,
        date(2029, 9, 10): Standing.RESTORABLE,
        date(2029, 9, 11): Standing.EXPIRED,
    }
    assert {day: standing(CYCLE, day) for day in days} == days
    assert Cycle(date(2026, 8, 31), date(2029, 8, 31)).restorable_until == date(2030, 2, 28)


def test_a_suspension_moves_no_date_and_the_body_decides_within_six_months() -> None:
    pause = Suspension(date(2027, 8, 31), date(2027, 10, 1))
    assert standing(CYCLE, date(2027, 9, 30), [pause]) == Standing.SUSPENDED
    assert standing(CYCLE, date(2027, 10, 1), [pause]) == Standing.VALID
    assert pause.ends_by == date(2028, 2, 29)
    open_one = Suspension(date(2028, 12, 1))
    assert standing(CYCLE, date(2029, 3, 11), [open_one]) == Standing.RESTORABLE


def test_dates_that_no_certificate_can_bear_are_refused() -> None:
    with pytest.raises(Refused, match="not issued before"):
        check_dates(date(2026, 3, 10), date(2026, 3, 9), date(2029, 3, 10))
    with pytest.raises(Refused, match="valid beyond"):
        check_dates(date(2026, 3, 10), date(2026, 3, 12), date(2026, 3, 12))
    check_dates(date(2026, 3, 10), date(2026, 3, 10), date(2026, 3, 11))


def test_a_longer_certificate_than_usual_is_worth_a_second_look() -> None:
    assert looks_odd(CYCLE) == ""
    assert "10 March 2029" in looks_odd(Cycle(date(2026, 3, 10), date(2029, 3, 11)))
    # A recertification finished early goes on from the old date.
    early = Cycle(date(2028, 12, 1), date(2032, 3, 10), is_initial=False)
    assert looks_odd(early, date(2029, 3, 10)) == ""
    assert looks_odd(early) != ""


def test_a_major_of_stage_2_is_verified_within_six_months() -> None:
    assert major_due_on(date(2026, 8, 31)) == date(2027, 2, 28)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dates(date(2000, 1, 1), date(2150, 1, 1)), st.integers(1, 5 * 366), st.booleans())
def test_a_cycle_lists_each_calendar_year_between_once(
    decided: date, length: int, initial: bool
) -> None:
    cycle = Cycle(decided, decided + timedelta(days=length), initial)
    found = duties(cycle)
    years = [d.window.start.year for d in found if d.rule == Rule.CALENDAR_YEAR]
    assert years == list(range(decided.year + 1, cycle.expires_on.year))
    assert sum(d.rule == Rule.FIRST_YEAR for d in found) == initial
    assert [d.due_on for d in found] == sorted(d.due_on for d in found)
    assert all(decided <= d.window.start <= d.due_on for d in found)
    assert add_months(cycle.expires_on, 6) == cycle.restorable_until


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dates(date(2026, 3, 11), date(2029, 3, 9)), max_size=6))
def test_a_visit_never_undoes_what_another_met(days: list[date]) -> None:
    visits = [Visit("surveillance", day) for day in days]
    met = {duty.rule: duty.met_on for duty in duties(CYCLE, visits) if duty.met_on}
    more = duties(CYCLE, [*visits, Visit("surveillance", date(2028, 5, 5))])
    for duty in more:
        if duty.rule in met and duty.rule != Rule.CALENDAR_YEAR:
            assert duty.met_on is not None
            assert duty.met_on <= met[duty.rule]
