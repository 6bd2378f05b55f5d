"""How objectives stand, in one table: value, target, trend, forecast, the sentence (9.1.3)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.safestring import SafeString

from objectives.charts import spark_of
from objectives.models import readings_of
from objectives.status import (
    ACHIEVED,
    AT_RISK,
    MISSED,
    NO_DATA,
    OFF_TRACK,
    ON_TRACK,
    Aim,
    Standing,
    assess,
    forecast,
    trend_in_words,
)

WORST_FIRST = (MISSED, OFF_TRACK, AT_RISK, NO_DATA, ON_TRACK, ACHIEVED)


@dataclass(frozen=True)
class Row:
    """One objective as leadership reads it."""

    objective: Any
    standing: Standing
    value: str
    trend: str
    forecast: str
    spark: SafeString


def rows_of(objectives: Any, today: date) -> list[Row]:
    """The objectives of a queryset, what needs attention first; their readings in one query."""
    known = objectives.with_readings().select_related("owner", "process", "indicator")
    rows = [_row(each, today) for each in known.order_by("number")]
    return sorted(rows, key=lambda row: WORST_FIRST.index(row.standing.state))


def _row(objective: Any, today: date) -> Row:
    aim, readings = Aim.of(objective), readings_of(objective, until=today)
    standing = assess(aim, readings, today)
    ahead = forecast(aim, readings)
    said = f"{ahead.low:,.{aim.decimals}f} to {aim.shown(ahead.high)}" if ahead else ""
    value = aim.shown(standing.value) if standing.value is not None else ""
    trend = trend_in_words(objective.direction, readings)
    return Row(objective, standing, value, trend, said, spark_of(objective))
