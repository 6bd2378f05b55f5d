"""A proposed programme leaves no hole unsaid and names nobody who may not audit (9.2.1)."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audits.programme import (
    MOST_MONTHS_BETWEEN,
    Auditor,
    Factor,
    HoleKind,
    Proposal,
    Subject,
    holes_of,
    priority_of,
    programme_years,
    propose,
    swaps,
)
from qms.periods import Period, add_months
from qms.refusals import Refused

pytestmark = pytest.mark.clause("9.2.1")
START = date(2027, 1, 1)


def nobody_objects(auditor: int, subject: int, day: date) -> Sequence[str]:
    return ()


def plan(
    subjects: Sequence[Subject], auditors: Sequence[Auditor], years: int = 1, **more: object
) -> Proposal:
    facts: dict[str, object] = {"today": START, "against": nobody_objects} | more
    return propose(subjects, auditors, years=programme_years(START, years), **facts)  # type: ignore[arg-type]


def days_of(found: Proposal, key: int) -> list[date]:
    return [each.day for each in found.audits if each.subject.key == key and each.day]


ANA, BEN = Auditor(1, "Ana"), Auditor(2, "Ben")


def test_every_process_has_an_audit_in_each_programme_year() -> None:
    subjects = [Subject(n, f"P{n}") for n in range(12)]
    found = plan(subjects, [ANA, BEN], years=3)
    assert not found.holes
    for subject in subjects:
        days = days_of(found, subject.key)
        assert [any(day in year for day in days) for year in found.years] == [True] * 3


def test_what_matters_more_comes_sooner_and_twice() -> None:
    troubled = Subject(
        1,
        "Casting",
        importance=5,
        factors=(Factor("Two majors in its last audit.", 20), Factor("Its owner changed.", 10)),
        audited_on=(date(2026, 6, 1),),
    )
    calm = Subject(2, "Archive", importance=1, audited_on=(date(2026, 6, 1),))
    found = plan([calm, troubled], [ANA, BEN])
    assert len(days_of(found, 1)) == 2
    assert len(days_of(found, 2)) == 1
    assert days_of(found, 1)[0] < days_of(found, 2)[0]
    priority = priority_of(troubled, START)
    assert priority.level == "high"
    assert priority.why[0] == "Its importance is 5 of 5."
    assert "Two majors in its last audit." in priority.why


def test_time_since_the_last_audit_counts() -> None:
    recent = Subject(1, "A", audited_on=(date(2026, 12, 1),))
    old = Subject(2, "B", audited_on=(date(2025, 7, 1),))
    never = Subject(3, "C")
    points = [priority_of(each, START).points for each in (recent, old, never)]
    assert points == [30, 30 + 3 * 6, 30 + 25]
    assert "Its last audit was 18 months ago." in priority_of(old, START).why
    assert "It was never audited." in priority_of(never, START).why


def test_an_auditor_something_stands_against_is_not_proposed_and_the_hole_says_why() -> None:
    def against(auditor: int, subject: int, day: date) -> Sequence[str]:
        return ["Ana owns the process."] if (auditor, subject) == (1, 7) else ()

    found = plan([Subject(7, "Buying")], [ANA, BEN], against=against)
    assert [each.auditor for each in found.audits] == [BEN]
    alone = plan([Subject(7, "Buying")], [ANA], against=against)
    assert alone.audits[0].auditor is None
    kinds = {hole.kind for hole in alone.holes}
    assert kinds == {HoleKind.AUDITOR, HoleKind.YEAR}
    assert any("Ana owns the process." in hole.sentence for hole in alone.holes)


def test_a_competence_that_ends_in_the_year_moves_the_audit_before_its_end() -> None:
    def lapses(auditor: int, day: date) -> Sequence[str]:
        return ["Renew her training."] if day > date(2027, 5, 15) else ()

    due_in_may = Subject(1, "Buying", audited_on=(date(2026, 6, 1),))
    found = plan([due_in_may], [ANA], lapses=lapses)
    assert days_of(found, 1)[0] <= date(2027, 5, 15)
    assert not found.holes
    due_in_july = Subject(1, "Buying", audited_on=(date(2026, 8, 1),))
    found = plan([due_in_july], [ANA], lapses=lapses)
    assert [hole.kind for hole in found.holes] == [HoleKind.COMPETENCE]
    assert "Renew her training." in found.holes[0].sentence


def test_who_may_audit_already_comes_before_whose_competence_ends() -> None:
    def lapses(auditor: int, day: date) -> Sequence[str]:
        return ["Renew it."] if auditor == 1 else ()

    found = plan([Subject(1, "Buying")], [ANA, BEN], lapses=lapses)
    assert found.audits[0].auditor == BEN


def test_holidays_site_calendars_and_absences_are_respected() -> None:
    shut = frozenset(date(2027, 5, 1) + timedelta(days=n) for n in range(40))
    away = Auditor(1, "Ana", away=(Period(date(2027, 6, 10), date(2027, 6, 20)),))
    subject = Subject(1, "Buying", audited_on=(date(2026, 6, 1),), closed=shut)
    found = plan([subject], [away], holidays=[date(2027, 6, 21)])
    day = days_of(found, 1)[0]
    assert day == date(2027, 6, 22)


def test_the_load_is_spread_over_auditors_and_months() -> None:
    subjects = [Subject(n, f"P{n:02}") for n in range(24)]
    found = plan(subjects, [ANA, BEN, Auditor(3, "Cy")])
    led = [sum(each.auditor == who for each in found.audits) for who in (ANA, BEN)]
    assert led == [8, 8]
    months = [each.day.month for each in found.audits if each.day]
    assert max(months.count(month) for month in set(months)) <= 12


def test_an_audit_that_took_place_in_the_year_counts_for_it() -> None:
    done = Subject(1, "Buying", audited_on=(date(2027, 2, 1),))
    found = plan([done], [ANA], today=date(2027, 3, 1))
    assert not found.audits
    assert not found.holes


def test_a_gap_that_cannot_be_helped_is_listed() -> None:
    found = plan([Subject(1, "Buying", audited_on=(date(2025, 3, 1),))], [ANA])
    assert [hole.kind for hole in found.holes] == [HoleKind.GAP]
    assert "Buying is audited on 1 March 2025 and then not before" in found.holes[0].sentence


def test_moving_an_audit_by_hand_shows_the_hole() -> None:
    years = programme_years(START, 2)
    subject = Subject(1, "Buying", audited_on=(date(2026, 6, 1),))
    assert not holes_of([subject], {1: [date(2027, 6, 1), date(2028, 6, 1)]}, years)
    moved = holes_of([subject], {1: [date(2027, 6, 1), date(2028, 9, 2)]}, years)
    assert [hole.kind for hole in moved] == [HoleKind.GAP]
    dropped = holes_of([subject], {1: [date(2027, 6, 1)]}, years)
    assert [hole.kind for hole in dropped] == [HoleKind.YEAR, HoleKind.GAP]
    unseen = holes_of([], {}, years, {"8.3": [date(2026, 12, 31)], "8.4": [date(2028, 1, 1)]})
    assert [hole.sentence.split(" is ")[0] for hole in unseen] == ["Clause 8.3"]


def test_a_swap_frees_both_audits() -> None:
    def against(auditor: int, subject: int, day: date) -> Sequence[str]:
        return ["No."] if (auditor, subject) in {(1, 10), (3, 30)} else ()

    day = date(2027, 3, 1)
    assigned = {100: (1, 10, day), 200: (2, 20, day), 300: (1, 30, day)}
    assert [swap.other for swap in swaps(100, assigned, against)] == [200]


def test_a_programme_covers_one_to_three_years() -> None:
    assert programme_years(date(2028, 2, 29), 2)[1] == Period(date(2029, 2, 28), date(2030, 2, 27))
    with pytest.raises(Refused, match="one to 3"):
        programme_years(START, 4)


# Random organisations ----------------------------------------------------------------------

past = st.dates(date(2024, 1, 1), date(2026, 12, 31))
factor = st.builds(Factor, st.sampled_from(["Changed.", "Complaints."]), st.integers(0, 30))
factors = st.lists(factor, max_size=3)
subject_facts = st.tuples(st.integers(1, 5), factors, st.lists(past, max_size=3))


@st.composite
def organisations(draw: st.DrawFn) -> tuple[list[Subject], list[Auditor], frozenset[object], int]:
    facts = draw(st.lists(subject_facts, max_size=9))
    subjects = [
        Subject(n, f"P{n}", importance, tuple(weights), tuple(days))
        for n, (importance, weights, days) in enumerate(facts)
    ]
    auditors = [Auditor(n, f"A{n}") for n in range(draw(st.integers(0, 4)))]
    pairs = [(a.key, s.key) for a in auditors for s in subjects]
    blocked = draw(st.frozensets(st.sampled_from(pairs))) if pairs else frozenset()
    return subjects, auditors, blocked, draw(st.integers(1, 3))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(organisations())
@pytest.mark.slow
def test_never_an_ineligible_auditor_never_a_hole_that_is_not_listed(
    organisation: tuple[list[Subject], list[Auditor], frozenset[object], int],
) -> None:
    subjects, auditors, blocked, years = organisation

    def against(auditor: int, subject: int, day: date) -> Sequence[str]:
        return ["Blocked."] if (auditor, subject) in blocked else ()

    found = plan(subjects, auditors, years, against=against)
    assert found == plan(subjects, auditors, years, against=against)
    for each in found.audits:
        assert (each.auditor is None) == (each.day is None)
        if each.auditor and each.day:
            assert (each.auditor.key, each.subject.key) not in blocked
            assert each.day in each.window
            assert each.day.weekday() < 5
        else:
            assert each.problem
    leads = [(each.auditor.key, each.day) for each in found.audits if each.auditor]
    assert len(leads) == len(set(leads)), "somebody is in two audits on one day"
    for subject in subjects:
        free = any((each.key, subject.key) not in blocked for each in auditors)
        every_hole_is_listed(found, subject, free=free)


def every_hole_is_listed(found: Proposal, subject: Subject, *, free: bool) -> None:
    """And where somebody may audit it, there is no hole that could be helped."""
    days = sorted({*subject.audited_on, *days_of(found, subject.key)})
    listed = {(hole.kind, hole.window) for hole in found.holes if hole.key == subject.key}
    for year in found.years:
        assert any(day in year for day in days) != ((HoleKind.YEAR, year) in listed)
        assert not free or (HoleKind.YEAR, year) not in listed
    for one, other in pairwise(days):
        long = other >= START and add_months(one, MOST_MONTHS_BETWEEN) < other
        assert long == ((HoleKind.GAP, Period(one, other)) in listed)
        # A month is enough to find a day for nine processes.
        helpless = add_months(one, MOST_MONTHS_BETWEEN) < add_months(START, 1)
        assert not (long and free) or helpless
