"""What may be a reading, and what is refused with a sentence that says what to write (9.1.1)."""

from decimal import Decimal
from typing import Any

import pytest

from objectives.figures import number_in, read
from objectives.models import Indicator
from qms.refusals import Refused

pytestmark = pytest.mark.clause("9.1.1")


def indicator(chart: str = "run", unit: str = "%", per: int = 1) -> Indicator:
    return Indicator(title="Measured", unit=unit, chart=chart, per=Decimal(per))


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("12,5", "12.5"),
        ("12.5", "12.5"),
        ("12.5 %", "12.5"),
        ("12,5%", "12.5"),
        (" 12.5 ", "12.5"),
        ("\N{MINUS SIGN}3", "-3"),
        ("0,125", "0.125"),
        ("12.50 %", "12.5"),
    ],
)
def test_a_number_is_understood_with_comma_point_and_unit(typed: str, value: str) -> None:
    assert read(indicator(), typed).value == Decimal(value)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("12,500", "can be read in two ways"),
        ("1,234.5", "without marks between thousands"),
        ("12.5 days", "the unit is %"),
        ("twelve", "Write a number"),
        ("NaN", "Write a number"),
        ("Infinity", "Write a number"),
        ("-inf", "Write a number"),
        ("1e400", "Write a number|digits"),
        ("", "required|Fill|number"),
        ("12.1234567", "6 decimal"),
    ],
)
def test_what_is_no_number_of_the_unit_is_refused_in_words(typed: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read(indicator(), typed)


def test_units_are_the_same_in_one_and_in_many() -> None:
    assert number_in("1 day", "days") == 1
    assert number_in("3 Days.", "days") == 3


def test_a_share_is_counted_of_n_and_given_per_hundred() -> None:
    found = read(indicator("p", per=100), "3 of 120")
    assert (found.value, found.counted, found.size) == (Decimal("2.5"), 3, 120)
    assert read(indicator("u", "ppm", per=1_000_000), "3/120").value == 25_000
    assert read(indicator("np", "pieces"), "3 of 120").value == 3


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("3 of 0", "n is at least 1"),
        ("3 of -5", "n cannot be negative"),
        ("130 of 120", "no more are counted than there were"),
        ("-1 of 120", "whole number from 0"),
        ("2.5 of 120", "whole number from 0"),
        ("3 of 12.5", "n is a whole number"),
        ("3", "how many of how many"),
    ],
)
def test_a_share_that_cannot_be_is_refused_in_words(typed: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read(indicator("p", per=100), typed)


def test_more_nonconformities_than_units_are_no_error() -> None:
    assert read(indicator("u", "per unit"), "7 of 5").value == Decimal("1.4")


def test_nonconformities_are_counted_in_whole_numbers() -> None:
    assert read(indicator("c", "defects"), "4").counted == 4
    for typed in ("4.5", "-1"):
        with pytest.raises(Refused, match="whole number from 0"):
            read(indicator("c", "defects"), typed)


def test_a_subgroup_gives_its_mean_and_keeps_its_values() -> None:
    found = read(indicator("xbar-r", "mm"), "10,1; 10.3; 9.8 mm")
    assert found.value == Decimal("10.066667")
    assert found.values == (Decimal("10.1"), Decimal("10.3"), Decimal("9.8"))
    assert read(indicator("xbar-r", "mm"), "10.1 10.3").size == 2


@pytest.mark.parametrize("typed", ["10.1", "", "1 2 3 4 5 6 7 8 9 10 11"])
def test_a_subgroup_has_two_to_ten_values(typed: str) -> None:
    with pytest.raises(Refused, match="A subgroup has at"):
        read(indicator("xbar-r", "mm"), typed)


def test_a_value_beyond_what_is_kept_is_refused() -> None:
    with pytest.raises(Refused, match="digits"):
        read(indicator(), "1" + "0" * 15)


def test_the_limits_of_a_counted_share_hold_at_their_edges() -> None:
    share: Any = indicator("p", per=100)
    assert read(share, "120 of 120").value == 100
    assert read(share, "0 of 1").value == 0
