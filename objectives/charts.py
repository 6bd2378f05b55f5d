"""Pictures of indicators and objectives: every expected period in its place, gaps as gaps (9.1.3).

`chart_of_indicator` is the one place where an indicator's chart is chosen; control charts are drawn
there, from `series_of` with what stands behind each value.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString

from objectives import schedule
from objectives.models import Indicator, readings_of
from qms import charts
from qms.charts import Chart

SPARK_POINTS = 12
MOST_DRAWN = 120  # points a picture holds; the table below it has the rest
Point = tuple[str, Decimal | None]


def chart_of_indicator(indicator: Indicator, today: date) -> Chart:
    """The indicator's picture: today a run chart of its newest readings, whatever its `chart`."""
    readings = readings_of(indicator, until=today)[-MOST_DRAWN:]
    first = min([readings[0][0] if readings else indicator.starts_on, today])
    points = _points(indicator.frequency, readings, first, today, today)
    return _run(indicator, points, title=f"{indicator.title}, {indicator.unit}", target=None)


def chart_of(objective: Any, today: date) -> Chart:
    """The readings of an objective in order of time, with its target."""
    band = objective.direction == objective.Direction.WITHIN
    title = f"{objective.metric or objective.title}: {objective.aim_in_words}"
    if band:
        title = f"{title} (the band is not drawn)"
    return _run(objective, points_of(objective, today), title=title, target=objective.goal)


def _run(of: Any, points: Sequence[Point], *, title: str, target: Decimal | None) -> Chart:
    shown = [(name, _rounded(value, of.decimals)) for name, value in points]
    return charts.run_chart(shown, title=title, unit=of.unit, target=_rounded(target, of.decimals))


def points_of(objective: Any, today: date) -> list[Point]:
    """(period, value) of an objective, from its start to today or its deadline."""
    readings = readings_of(objective, until=today)[-MOST_DRAWN:]
    end = min(today, objective.deadline) if objective.deadline else today
    end = max([end, *[day for day, _ in readings[-1:]]])
    first = readings[0][0] if len(readings) == MOST_DRAWN else objective.starts_on
    return _points(objective.frequency, readings, first, end, today)


def _points(
    frequency: str,
    readings: Sequence[tuple[date, Decimal]],
    first: date,
    end: date,
    today: date,
) -> list[Point]:
    if first > end:
        return []
    known = {schedule.period_of(frequency, day).start: value for day, value in readings}
    points: list[Point] = []
    for period in schedule.periods(frequency, first, end):
        value = known.get(period.start)
        # A period whose reading is not due yet is not missing, so it is no gap.
        if value is not None or schedule.due_on(frequency, period) < today:
            points.append((schedule.name_of(frequency, period), value))
    return points[-MOST_DRAWN:]


def spark_of(record: Any) -> SafeString:
    """The last readings of an indicator or objective as a small line; nothing where none are."""
    last: Sequence[Decimal] = [value for _, value in readings_of(record)][-SPARK_POINTS:]
    if not last:
        return SafeString("")
    said = f"The last {len(last)} readings, from {record.shown(last[0])} to "
    return charts.sparkline(last, description=f"{said}{record.shown(last[-1])}")


def _rounded(value: Decimal | None, decimals: int) -> Decimal | None:
    return None if value is None else value.quantize(Decimal(1).scaleb(-decimals))
