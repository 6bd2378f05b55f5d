"""Pictures of indicators and objectives: every expected period in its place, gaps as gaps (9.1.3).

`chart_of_indicator` is the one place where an indicator's chart is chosen.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString

from objectives import schedule, spc
from objectives.control import Control, control_of, in_figures, scale_of
from objectives.models import Indicator, readings_of
from objectives.status import Aim, planned_on
from qms import charts
from qms.charts import Chart, Plotted
from qms.periods import Period

SPARK_POINTS = 12
MOST_DRAWN = 120  # points a picture holds; the table below it has the rest
Point = tuple[str, Decimal | None]
Spot = tuple[Period, Decimal | None]


def chart_of_indicator(indicator: Indicator, today: date, control: Control | None = None) -> Chart:
    """The indicator's picture: its control chart, or a run chart about the median."""
    if indicator.chart != Indicator.Chart.RUN:
        found = control or control_of(indicator, today)
        if found.stretches:
            return control_chart_of(found)
    readings = readings_of(indicator, until=today)[-MOST_DRAWN:]
    first = min([readings[0][0] if readings else indicator.starts_on, today])
    spots = _spots(indicator.frequency, readings, first, today, today)
    points = [(schedule.name_of(indicator.frequency, period), value) for period, value in spots]
    title = f"{indicator.title}, {indicator.unit}"
    runs = spc.runs([value for _, value in points])
    median = in_figures(runs.median, indicator.decimals + 1) if runs and runs.useful else None
    return _run(indicator, points, title=title, target=None, median=median)


class _Same:
    """A control chart known by what it was made from, so that a picture is put together once.

    Readings, limits and answers never change; an indicator's version does with what it is called
    and how many decimals it has.
    """

    def __init__(self, found: Control) -> None:
        self.found = found
        answers = [seen.answer.pk for seen in found.signals if seen.answer]
        limits = [(each.pk, each.version) for each in found.decisions]
        self._key = (
            (found.indicator.pk, found.indicator.version),
            (found.periods, found.taken, tuple(limits), tuple(answers)),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def control_chart_of(found: Control) -> Chart:
    """The picture of a control chart, its newest periods; what is answered is drawn hollow."""
    return _picture_of(_Same(found))


@lru_cache(maxsize=64)
def _picture_of(same: _Same) -> Chart:
    found = same.found
    indicator, scale = found.indicator, scale_of(found.indicator)
    digits = indicator.decimals + 1
    # What was read is drawn as it was read; what was computed from it has a digit more.
    read = indicator.decimals if indicator.chart in {"i-mr", "c", "np"} else digits
    drawn = range(max(0, len(found.periods) - MOST_DRAWN), len(found.periods))
    values: dict[int, Plotted] = {}
    ranges: dict[int, Plotted] = {}
    marks = {(seen.index, seen.of_ranges): seen for seen in found.signals}
    for stretch in found.stretches:
        left = set(stretch.limits.left_out) if stretch.limits else set()
        for chart, into, of_ranges in (
            (stretch.chart, values, False),
            (stretch.chart.ranges, ranges, True),
        ):
            if chart is None:
                continue
            steady = chart.drawn[0] if chart.drawn and chart.has_steady_limits else None
            levels = _Levels(chart, scale, digits)
            for at, point in enumerate(chart.points, start=stretch.start):
                if at < drawn.start:
                    continue
                name, start = found.periods[at]
                seen = marks.get((at, of_ranges))
                limits = point or steady
                into[at] = Plotted(
                    name,
                    None if point is None else in_figures(point.value * scale, read),
                    *levels.of(limits),
                    tuple(str(rule) for rule in seen.rules) if seen else (),
                    answered=bool(seen and not seen.is_open),
                    left_out=start.isoformat() in left,
                )
    blank = [Plotted(found.periods[at][0], None) for at in drawn]
    below = [ranges.get(at) or gap for at, gap in zip(drawn, blank, strict=True)]
    first = drawn.start
    return charts.control_chart(
        tuple(values.get(at) or gap for at, gap in zip(drawn, blank, strict=True)),
        title=f"{indicator.title}, {indicator.unit}",
        unit=indicator.unit,
        baselines=tuple(
            (max(0, start - first), end - first) for start, end in _baselines(found) if end >= first
        ),
        ranges=tuple(below) if ranges else (),
        ranges_title="Moving range" if indicator.chart == Indicator.Chart.IMR else "Range",
    )


class _Levels:
    """Centre and limits of a chart's points in figures; most points share them."""

    def __init__(self, chart: spc.ControlChart, scale: Fraction, digits: int) -> None:
        self.centre = in_figures(chart.centre * scale, digits)
        self.scale, self.digits = scale, digits
        self._edges: dict[Decimal, Decimal] = {}

    def of(self, limits: spc.Point | None) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """Centre, lower and upper limit; nothing where there is no period to draw them for."""
        if limits is None:
            return None, None, None
        return self.centre, self._edge(limits.lower), self._edge(limits.upper)

    def _edge(self, at: Decimal) -> Decimal:
        if at not in self._edges:
            self._edges[at] = in_figures(Fraction(at) * self.scale, self.digits)
        return self._edges[at]


def _baselines(found: Control) -> list[tuple[int, int]]:
    """The first and last index of the periods that the limits were computed from."""
    starts = [start for _, start in found.periods]
    spans = []
    for stretch in found.stretches:
        if stretch.limits is not None:
            first = schedule.period_of(found.indicator.frequency, stretch.limits.first_on).start
            last = schedule.period_of(found.indicator.frequency, stretch.limits.last_on).start
            inside = [at for at, start in enumerate(starts) if first <= start <= last]
        else:
            known = [at for at, each in enumerate(found.taken) if each is not None]
            inside = known[: stretch.chart.baseline.periods]
        if inside:
            spans.append((inside[0], inside[-1]))
    return spans


def histogram_of(found: Control, values: Sequence[Decimal]) -> Chart:
    """How often values of each size come, with what is acceptable."""
    indicator = found.indicator
    limits = [
        (words, at, "late")
        for words, at in (("From", indicator.lower_limit), ("To", indicator.upper_limit))
        if at is not None
    ]
    shown = [(words, _rounded(at, indicator.decimals) or at, tone) for words, at, tone in limits]
    return charts.histogram(
        values, title=f"{indicator.title}: spread", unit=indicator.unit, accepted=shown
    )


def chart_of(objective: Any, today: date) -> Chart:
    """The readings of an objective in order of time, with its target or band."""
    title = f"{objective.metric or objective.title}: {objective.aim_in_words}"
    spots = _spots_of(objective, today)
    points = [(schedule.name_of(objective.frequency, period), value) for period, value in spots]
    return _run(
        objective,
        points,
        title=title,
        target=objective.goal,
        band=_band_of(objective),
        way=_way_of(objective, [period.end for period, _ in spots]),
    )


def _way_of(objective: Any, days: Sequence[date]) -> list[Decimal | None]:
    """Where it would be on each day on its way to the target; nothing where there is no way."""
    if objective.judged_by != objective.JudgedBy.LAST:
        return []
    aim = Aim.of(objective)
    way = [_rounded(planned_on(aim, day), objective.decimals) for day in days]
    return way if any(at is not None for at in way) else []


def _band_of(objective: Any) -> list[tuple[str, Decimal, str]]:
    """Both ends of the band that an objective is to stay within; nothing where there is none."""
    if objective.direction != objective.Direction.WITHIN:
        return []
    ends = (("Band from", objective.lower_band), ("Band to", objective.upper_band))
    return [
        (words, _rounded(at, objective.decimals) or at, "fine")
        for words, at in ends
        if at is not None
    ]


def _run(
    of: Any,
    points: Sequence[Point],
    *,
    title: str,
    target: Decimal | None,
    median: Decimal | None = None,
    band: Sequence[tuple[str, Decimal, str]] = (),
    way: Sequence[Decimal | None] = (),
) -> Chart:
    shown = [(name, _rounded(value, of.decimals)) for name, value in points]
    goal = _rounded(target, of.decimals)
    return charts.run_chart(
        shown, title=title, unit=of.unit, target=goal, median=median, accepted=band, way=way
    )


def points_of(objective: Any, today: date) -> list[Point]:
    """(period, value) of an objective, from its start to today or its deadline."""
    spots = _spots_of(objective, today)
    return [(schedule.name_of(objective.frequency, period), value) for period, value in spots]


def _spots_of(objective: Any, today: date) -> list[Spot]:
    readings = readings_of(objective, until=today)[-MOST_DRAWN:]
    end = min(today, objective.deadline) if objective.deadline else today
    end = max([end, *[day for day, _ in readings[-1:]]])
    first = readings[0][0] if len(readings) == MOST_DRAWN else objective.starts_on
    return _spots(objective.frequency, readings, first, end, today)


def _spots(
    frequency: str,
    readings: Sequence[tuple[date, Decimal]],
    first: date,
    end: date,
    today: date,
) -> list[Spot]:
    if first > end:
        return []
    known = {schedule.period_of(frequency, day).start: value for day, value in readings}
    spots: list[Spot] = []
    for period in schedule.periods(frequency, first, end):
        value = known.get(period.start)
        # A period whose reading is not due yet is not missing, so it is no gap.
        if value is not None or schedule.due_on(frequency, period) < today:
            spots.append((period, value))
    return spots[-MOST_DRAWN:]


def spark_of(record: Any) -> SafeString:
    """The last readings of an indicator or objective as a small line; nothing where none are."""
    last: Sequence[Decimal] = [value for _, value in readings_of(record)][-SPARK_POINTS:]
    if not last:
        return SafeString("")
    said = f"The last {len(last)} readings, from {record.shown(last[0])} to "
    return charts.sparkline(last, description=f"{said}{record.shown(last[-1])}")


def _rounded(value: Decimal | None, decimals: int) -> Decimal | None:
    return None if value is None else value.quantize(Decimal(1).scaleb(-decimals))
