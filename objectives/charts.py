"""The picture of an objective: every expected period in its place, missing ones as gaps (9.1.3)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString

from objectives import schedule
from objectives.models import readings_of
from qms import charts
from qms.charts import Chart

SPARK_POINTS = 12


def chart_of(objective: Any, today: date) -> Chart:
    """The readings in order of time with the target; a period without a reading is a gap."""
    points = points_of(objective, today)
    band = objective.direction == objective.Direction.WITHIN
    title = f"{objective.metric or objective.title}: {objective.aim_in_words}"
    if band:
        title = f"{title} (the band is not drawn)"
    goal = objective.goal
    shown = [(name, _rounded(value, objective.decimals)) for name, value in points]
    return charts.run_chart(
        shown, title=title, unit=objective.unit, target=_rounded(goal, objective.decimals)
    )


def points_of(objective: Any, today: date) -> list[tuple[str, Decimal | None]]:
    """(period, value) from the start, or the first reading, to today or the deadline."""
    readings = readings_of(objective, until=today)
    first = min([objective.starts_on, *[day for day, _ in readings[:1]]])
    end = min(today, objective.deadline) if objective.deadline else today
    end = max([end, *[day for day, _ in readings[-1:]]])
    if first > end:
        return []
    every = list(schedule.periods(objective.frequency, first, end))
    points: list[tuple[str, Decimal | None]] = []
    for period in every:
        name = schedule.name_of(objective.frequency, period)
        inside = [value for day, value in readings if day in period]
        points += [(name, value) for value in inside]
        # A period whose reading is not due yet is not missing, so it is no gap.
        if not inside and schedule.due_on(objective.frequency, period) < today:
            points.append((name, None))
    return points


def spark_of(objective: Any) -> SafeString:
    """The last readings as a small line; nothing where there are none."""
    last: Sequence[Decimal] = [value for _, value in readings_of(objective)][-SPARK_POINTS:]
    if not last:
        return SafeString("")
    said = f"The last {len(last)} readings, from {objective.shown(last[0])} to "
    return charts.sparkline(last, description=f"{said}{objective.shown(last[-1])}")


def _rounded(value: Decimal | None, decimals: int) -> Decimal | None:
    return None if value is None else value.quantize(Decimal(1).scaleb(-decimals))
