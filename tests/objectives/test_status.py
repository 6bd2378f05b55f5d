"""The status of an objective follows from its readings, and never from their absence (9.1.3)."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from objectives import schedule
from objectives.status import (
    ACHIEVED,
    AT_RISK,
    MISSED,
    NO_DATA,
    OFF_TRACK,
    ON_TRACK,
    WORDS,
    Aim,
    Reading,
    assess,
    forecast,
    forecast_in_words,
)
from qms.periods import Period

pytestmark = pytest.mark.clause("9.1.3")
START, END = date(2026, 1, 1), date(2026, 12, 31)


def aim(**more: object) -> Aim:
    facts: dict[str, object] = {
        "direction": "higher",
        "goal": Decimal(90),
        "baseline": Decimal(80),
        "starts_on": START,
        "deadline": END,
        "frequency": "monthly",
        "unit": "%",
    }
    return Aim(**(facts | more))  # type: ignore[arg-type]


def monthly(*values: object) -> list[Reading]:
    """A reading on the last day of each month from January; None leaves the month out."""
    return [
        (Period.month(2026, month).end, Decimal(str(value)))
        for month, value in enumerate(values, start=1)
        if value is not None
    ]


def test_without_a_reading_there_is_no_data() -> None:
    standing = assess(aim(), [], date(2026, 6, 1))
    assert standing.state == NO_DATA
    assert standing.sentence == "No reading has been entered since it began."


def test_a_reading_before_the_start_does_not_count() -> None:
    assert assess(aim(), [(date(2025, 12, 31), Decimal(99))], date(2026, 1, 5)).state == NO_DATA


def test_a_late_reading_is_a_status_of_its_own_however_good_the_last_one_was() -> None:
    good = monthly(95)
    assert assess(aim(), good, date(2026, 3, 7)).state == ON_TRACK  # February is due today
    late = assess(aim(), good, date(2026, 3, 8))
    assert late.state == NO_DATA
    assert "The reading for Feb 2026 was due on 7 March 2026" in late.sentence
    much_later = assess(aim(), good, date(2026, 6, 20))
    assert "and 3 more since" in much_later.sentence


@pytest.mark.parametrize("goal", [None, Decimal("NaN"), Decimal("Infinity")])
def test_a_target_that_is_no_number_is_never_on_track(goal: Decimal | None) -> None:
    standing = assess(aim(goal=goal), monthly(95), date(2026, 2, 1))
    assert (standing.state, "no target" in standing.sentence) == (NO_DATA, True)


def test_reaching_the_edge_is_reaching_it() -> None:
    assert assess(aim(), monthly(90), date(2026, 2, 1)).state == ON_TRACK
    lower = aim(direction="lower", goal=Decimal(5), baseline=Decimal(8))
    assert assess(lower, monthly(5), date(2026, 2, 1)).state == ON_TRACK


def test_after_the_deadline_it_is_achieved_or_missed() -> None:
    year = [80 + i for i in range(12)]
    day = date(2027, 1, 3)
    assert assess(aim(), monthly(*year), day).state == ACHIEVED
    assert assess(aim(), monthly(*year[:-1], 89), day).state == MISSED
    assert assess(aim(), monthly(*year[:-1], 91), END).state == ON_TRACK  # the day itself counts


def test_level_with_the_way_is_on_track_and_says_where_the_way_is() -> None:
    standing = assess(aim(), monthly(81, 82, 83, 84, 85, 85.2), date(2026, 7, 1))
    assert standing.state == ON_TRACK
    assert "level with the way to the target of 90.0 %" in standing.sentence


def test_behind_with_few_readings_is_at_risk_or_off_track() -> None:
    day = date(2026, 4, 2)  # by the end of March the way is at 82.4
    assert assess(aim(), monthly(80, 80, 82), day).state == AT_RISK
    assert assess(aim(), monthly(80, 80, 79), day).state == OFF_TRACK
    assert "too few readings" in assess(aim(), monthly(80, 80, 79), day).sentence


def test_behind_with_enough_readings_the_forecast_decides() -> None:
    day = date(2026, 7, 2)
    late_rise = assess(aim(), monthly(80, 80, 80, 81, 82.5, 84.5), day)
    assert late_rise.state == AT_RISK
    flat = assess(aim(), monthly(80, 80.1, 79.9, 80, 80.1, 79.9), day)
    assert flat.state == OFF_TRACK
    assert flat.forecast is not None
    assert flat.forecast.high < 90


def test_a_band_is_kept_or_left() -> None:
    band = aim(direction="within", goal=None, lower=Decimal(2), upper=Decimal(4))
    assert assess(band, monthly(2), date(2026, 2, 1)).state == ON_TRACK
    assert assess(band, monthly(4.1), date(2026, 2, 1)).state == OFF_TRACK
    assert assess(aim(direction="within", goal=None), monthly(3), date(2026, 2, 1)).state == NO_DATA


def test_a_band_amid_a_wide_interval_is_still_within_reach() -> None:
    """Neither the line nor an end of its interval lies in the narrow band, but values may."""
    band = aim(direction="within", goal=None, lower=Decimal("50.9"), upper=Decimal(51))
    wild = monthly(20, 80, 30, 75, 25, 79)
    ahead = forecast(band, wild)
    assert ahead is not None
    assert ahead.low < 50 and ahead.high > 52
    standing = assess(band, wild, date(2026, 7, 1))
    assert standing.state == AT_RISK
    assert standing.sentence == (
        "The last reading, 79.0 %, lies outside the band of 50.9 % to 51.0 %, but the readings may"
        " still lead back into it."
    )


def test_a_mean_is_judged_by_all_readings() -> None:
    mean = aim(judged_by="mean")
    assert assess(mean, monthly(100, 85), date(2026, 3, 1)).state == ON_TRACK
    assert assess(mean, monthly(70, 95), date(2026, 3, 1)).state != ON_TRACK


def test_a_forecast_needs_five_readings_and_a_deadline_ahead() -> None:
    assert forecast(aim(), monthly(81, 82, 83, 84)) is None
    said = forecast_in_words(aim(), monthly(81, 82, 83, 84))
    assert said == "A forecast needs 5 readings; there are 4."
    assert forecast(aim(deadline=date(2026, 3, 1)), monthly(81, 82, 83, 84, 85)) is None


def test_a_forecast_of_a_straight_line_is_its_end() -> None:
    line = [(START + timedelta(days=30 * i), Decimal(80 + i)) for i in range(6)]
    found = forecast(aim(deadline=START + timedelta(days=300)), line)
    assert found is not None
    assert found.low == found.value == found.high == Decimal("90.0")


def test_after_the_deadline_nothing_is_said_before_the_last_reading_is_in() -> None:
    """It would be a verdict on the month before."""
    eleven = monthly(*[91] * 11)
    for day in (date(2027, 1, 1), date(2027, 1, 7)):
        early = assess(aim(), eleven, day)
        assert early.state == NO_DATA
        assert early.sentence == "It has ended; the reading for Dec 2026 is due by 7 January 2027."
    assert assess(aim(), eleven, date(2027, 1, 8)).state == NO_DATA
    assert assess(aim(), eleven, END).state == ON_TRACK
    assert assess(aim(), monthly(*[91] * 12), date(2027, 1, 1)).state == ACHIEVED


def test_a_forecast_is_the_prediction_interval_of_the_textbooks() -> None:
    """Computed anew: y = a + bx, t s sqrt(1 + 1/n + (x - mean)^2 / Sxx); t(38) is 2.0244."""
    values = [Decimal(80) + Decimal(i % 7) / 10 + Decimal(i) / 5 for i in range(40)]
    days = [7 * i for i in range(40)]
    ahead = 400
    found = forecast(
        aim(deadline=START + timedelta(days=ahead), frequency="weekly", unit="points", decimals=4),
        [(START + timedelta(days=day), value) for day, value in zip(days, values, strict=True)],
    )
    n, mean_x, mean_y = 40, Fraction(sum(days), 40), sum(map(Fraction, values)) / 40
    sxx = sum((x - mean_x) ** 2 for x in days)
    slope = sum((x - mean_x) * Fraction(y) for x, y in zip(days, values, strict=True)) / sxx
    rest = [Fraction(y) - mean_y - slope * (x - mean_x) for x, y in zip(days, values, strict=True)]
    spread = sum(each**2 for each in rest) / (n - 2)
    middle = mean_y + slope * (ahead - mean_x)
    margin = 2.0244 * float(spread * (1 + Fraction(1, n) + (ahead - mean_x) ** 2 / sxx)) ** 0.5
    assert found is not None
    assert abs(float(found.value) - float(middle)) < 0.0001
    assert abs(float(found.high) - float(middle) - margin) < 0.001
    assert abs(float(middle) - float(found.low) - margin) < 0.001


def test_where_the_mean_is_judged_the_mean_is_forecast() -> None:
    """Ten poor months are not made good by a steep line at the end."""
    rising = monthly(40, 44, 48, 52, 56, 60, 64, 68, 72, 76.5)
    mean = aim(judged_by="mean", baseline=Decimal(40))
    found = forecast(mean, rising)
    assert found is not None
    # 580.5 so far and about 80 and 84 to come, over twelve months.
    assert abs(found.value - Decimal(62)) < 1
    assert found.high < 63
    assert assess(mean, rising, date(2026, 11, 2)).state == OFF_TRACK
    assert "leads to a mean of 6" in forecast_in_words(mean, rising)
    last = forecast(aim(baseline=Decimal(40)), rising)
    assert last is not None
    assert last.value > 83


def test_the_mean_of_a_year_that_is_complete_is_known_to_the_digit() -> None:
    found = forecast(aim(judged_by="mean"), monthly(*[80, 90] * 6))
    assert found is not None
    assert found.low == found.value == found.high == Decimal("85.0")


numbers = st.decimals(min_value=-1000, max_value=1000, places=2)
series = st.lists(st.one_of(st.none(), numbers), max_size=12)
days = st.dates(START, date(2027, 3, 1))


@given(series, numbers, numbers, days, st.sampled_from(["higher", "lower"]))
@example([None] * 10 + [Decimal(0)], Decimal(0), Decimal(0), date(2027, 1, 1), "higher")
def test_on_track_is_never_said_without_a_fresh_reading(
    values: list[Decimal | None], goal: Decimal, baseline: Decimal, today: date, direction: str
) -> None:
    readings = monthly(*values)
    standing = assess(aim(goal=goal, baseline=baseline, direction=direction), readings, today)
    assert standing.state in WORDS
    assert standing.sentence.endswith(".")
    known = [day for day, _ in readings if day <= today]
    due = schedule.expected_by("monthly", START, END, today)
    if not known or (due and known[-1] < due[-1].start):
        assert standing.state == NO_DATA
    elif today > END:  # the reading for the last month may be entered for some days more
        is_in = known[-1] >= date(2026, 12, 1)
        assert standing.state in ((ACHIEVED, MISSED) if is_in else (NO_DATA,))


@given(series, numbers, numbers, days)
def test_the_mirror_image_stands_the_same(
    values: list[Decimal | None], goal: Decimal, baseline: Decimal, today: date
) -> None:
    readings = monthly(*values)
    there = assess(aim(goal=goal, baseline=baseline), readings, today)
    mirrored = [(day, -value) for day, value in readings]
    lower = aim(goal=-goal, baseline=-baseline, direction="lower")
    assert assess(lower, mirrored, today).state == there.state


@given(st.lists(numbers, min_size=1, max_size=4), numbers, numbers, numbers)
def test_a_better_last_reading_never_stands_worse(
    values: list[Decimal], goal: Decimal, baseline: Decimal, better: Decimal
) -> None:
    assume(better >= values[-1])
    rank = {OFF_TRACK: 0, AT_RISK: 1, ON_TRACK: 2}
    today = Period.month(2026, len(values)).end
    now = assess(aim(goal=goal, baseline=baseline), monthly(*values), today)
    then = assess(aim(goal=goal, baseline=baseline), monthly(*values[:-1], better), today)
    assert rank[then.state] >= rank[now.state]


@given(days, st.sampled_from(["weekly", "monthly", "quarterly"]))
def test_every_day_lies_in_its_period_and_periods_follow_without_gap(
    day: date, frequency: str
) -> None:
    period = schedule.period_of(frequency, day)
    assert day in period
    after = schedule.following(frequency, period)
    assert after.start == period.end + timedelta(days=1)
    assert schedule.next_reading(frequency, day, None, [day]) == after
    assert schedule.next_reading(frequency, day, None, []) == period


def test_no_reading_is_asked_for_beyond_the_deadline() -> None:
    assert schedule.next_reading("monthly", START, END, [date(2026, 12, 1)]) is None
    weeks = schedule.expected_by("weekly", START, END, date(2026, 1, 12))
    assert [schedule.name_of("weekly", each) for each in weeks] == ["Week 1, 2026"]
    assert schedule.name_of("quarterly", schedule.period_of("quarterly", END)) == "Q4 2026"
