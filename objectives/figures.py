"""What a reading is made of: numbers as people type them, counts of n, subgroups (9.1.1).

Nothing is guessed at: a number that can be read in two ways, another unit, a share of nothing or a
subgroup of one are refused with a sentence that says what to write instead.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from objectives.models import Indicator
from qms.contributions import Figure
from qms.forms import NumberField
from qms.refusals import Refused

MOST_IN_SUBGROUP = 10  # beyond, the range says less than the standard deviation
STEP = Decimal("0.000001")  # as fine as a value is kept
LARGEST = Decimal(10) ** 14
_NUMBER_AND_UNIT = re.compile(r"([-+\N{MINUS SIGN}]?[\d.,'\u00a0\u202f ]*\d)\s*(\D*)")
_OF = re.compile(r"\s+(?:of|out of)\s+|\s*/\s*")


class FigureField(NumberField):
    """A number with its unit, as people write both: "12,5", "12.5", "12.5 %"."""

    def __init__(self, *, unit: str = "", **kwargs: Any) -> None:
        self.unit = unit
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        typed = value.strip() if isinstance(value, str) else value
        if isinstance(typed, str) and (found := _NUMBER_AND_UNIT.fullmatch(typed)):
            number, unit = found[1].strip(), found[2].strip()
            if unit and not same_unit(unit, self.unit):
                raise ValidationError(_other_unit(typed, unit, self.unit))
            typed = number
        return super().to_python(typed)


def same_unit(said: str, unit: str) -> bool:
    """Whether two units are the same to people: no case, no full stop, one day or several."""
    one, other = (each.casefold().strip(" .") for each in (said, unit))
    return one == other or one.rstrip("s") == other.rstrip("s")


def _other_unit(typed: str, said: str, unit: str) -> str:
    if not unit:
        return f"“{typed}” says “{said}”. Write the number alone."
    return f"“{typed}” says “{said}”, but the unit is {unit}. Give the value in {unit}."


def number_in(typed: Any, unit: str = "") -> Decimal:
    """The number somebody typed, with or without its unit; raises Refused in words."""
    try:
        found = FigureField(unit=unit, max_digits=20, decimal_places=6).clean(typed)
    except ValidationError as error:
        raise Refused(" ".join(error.messages), field="value") from error
    return Decimal(found)


def read(indicator: Indicator, typed: str) -> Figure:
    """A reading in one line: "12.5 %", "3 of 120", "10.1; 10.3; 9.8", as the indicator asks."""
    typed = str(typed).strip()
    if indicator.asks == "subgroup":
        return figure_of(indicator, values=subgroup_in(typed, indicator.unit))
    if indicator.asks == "count":
        parts = _OF.split(typed)
        if len(parts) != 2:
            raise Refused("Write how many of how many, like “3 of 120”.", field="value")
        return figure_of(indicator, counted=number_in(parts[0]), size=_whole(number_in(parts[1])))
    return figure_of(indicator, value=number_in(typed, indicator.unit))


def subgroup_in(typed: str, unit: str = "") -> list[Decimal]:
    """The values of a subgroup, parted by semicolons or spaces: "10,1; 10,3" or "10.1 10.3"."""
    parts = typed.split(";") if ";" in typed else typed.split()
    return [number_in(each, unit) for each in parts if each.strip()]


def figure_of(
    indicator: Indicator,
    *,
    value: Decimal | None = None,
    counted: Decimal | None = None,
    size: int | None = None,
    values: Sequence[Decimal] = (),
) -> Figure:
    """What a reading of the indicator consists of; raises Refused where it cannot be one."""
    if indicator.asks == "subgroup":
        found = _of_subgroup(values)
    elif indicator.asks == "count":
        found = _of_count(indicator, counted, size)
    else:
        found = _of_value(indicator, value, size)
    return found


def _check_large(value: Decimal) -> None:
    """Before it is rounded: a number of a thousand digits cannot be."""
    if abs(value) >= LARGEST:
        raise Refused("The value has more than 14 digits before the point.", field="value")


def _of_value(indicator: Indicator, value: Decimal | None, size: int | None) -> Figure:
    if value is None or not value.is_finite():
        raise Refused("Give the value as a number.", field="value")
    _check_large(value)
    if size is not None:
        _check_size(size)
    counts = indicator.chart == Indicator.Chart.C
    if counts and (value < 0 or value != value.to_integral_value()):
        raise Refused("Nonconformities are counted: give a whole number from 0.", field="value")
    if value.quantize(STEP) != value:
        raise Refused("Give at most 6 decimals.", field="value")
    return Figure(value, value if counts else None, size)


def _of_count(indicator: Indicator, counted: Decimal | None, size: int | None) -> Figure:
    if counted is None or not counted.is_finite():
        raise Refused("Say how many were counted.", field="counted")
    _check_large(counted)
    if size is None:
        raise Refused("Say of how many (n).", field="size")
    _check_size(size)
    if counted < 0 or counted != counted.to_integral_value():
        raise Refused("What is counted is a whole number from 0.", field="counted")
    if indicator.chart != Indicator.Chart.U and counted > size:
        raise Refused(
            f"{counted:f} of {size} cannot be: no more are counted than there were.",
            field="counted",
        )
    if indicator.chart == Indicator.Chart.NP:
        return Figure(counted, counted, size)
    value = counted * indicator.per / size
    _check_large(value)
    return Figure(value.quantize(STEP), counted, size)


def _of_subgroup(values: Sequence[Decimal]) -> Figure:
    if len(values) < 2:
        raise Refused(
            "A subgroup has at least two values. Single values belong to an indicator with a chart"
            " of individual values.",
            field="values",
        )
    if len(values) > MOST_IN_SUBGROUP:
        raise Refused(f"A subgroup has at most {MOST_IN_SUBGROUP} values.", field="values")
    if not all(each.is_finite() for each in values):
        raise Refused("Give each value of the subgroup as a number.", field="values")
    for each in values:
        _check_large(each)
    mean = sum(values, Decimal(0)) / len(values)
    return Figure(mean.quantize(STEP), size=len(values), values=tuple(values))


def _check_size(size: int) -> None:
    if size == 0:
        raise Refused("Of 0 there is no share: n is at least 1.", field="size")
    if size < 0:
        raise Refused("n cannot be negative; it says of how many.", field="size")


def _whole(number: Decimal) -> int:
    if number != number.to_integral_value():
        raise Refused("n is a whole number; it says of how many.", field="size")
    return int(number)


def figure_words(indicator: Indicator) -> str:
    """How a reading of the indicator is written, for the help beside a field."""
    if indicator.asks == "subgroup":
        return f"The values of the subgroup in {indicator.unit}, like 10.1; 10.3; 9.8."
    if indicator.asks == "count":
        return "How many of how many, like 3 of 120."
    return f"In {indicator.unit}, like 12.5."


class FigureText(forms.CharField):
    """A reading in one line; what it means, its indicator says (see `read`)."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 300)
        super().__init__(**kwargs)
