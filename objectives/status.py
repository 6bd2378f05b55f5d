"""How an objective stands, computed from its readings and explained in a sentence (9.1.3).

A reading that is missing is a status of its own and never "on track"; neither is a target that
cannot be read as a number. The forecast is a straight line with its interval, or says that there
are too few readings for one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from math import inf, sqrt
from statistics import fmean, linear_regression
from typing import Any

from objectives import schedule
from objectives.models import Objective, readings_of
from objectives.models.indicators import in_unit

ON_TRACK, AT_RISK, OFF_TRACK = "on_track", "at_risk", "off_track"
ACHIEVED, MISSED, NO_DATA = "achieved", "missed", "no_data"
WORDS = {
    ON_TRACK: "On track",
    AT_RISK: "At risk",
    OFF_TRACK: "Off track",
    ACHIEVED: "Achieved",
    MISSED: "Missed",
    NO_DATA: "No data",
}
TONES = {
    ON_TRACK: "fine",
    AT_RISK: "soon",
    OFF_TRACK: "late",
    ACHIEVED: "fine",
    MISSED: "late",
    NO_DATA: "",
}
FEWEST_POINTS = 5
# Two-sided 95 % quantiles: of the normal distribution, and of Student's t for 3 to 30 degrees of
# freedom; beyond, two terms more than the normal's come as near (Fisher and Cornish, 1960).
Z95 = 1.959964
T95 = (
    *(3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048),
    *(2.045, 2.042),
)
Reading = tuple[date, Decimal]


@dataclass(frozen=True)
class Aim:
    """What the status is judged by; plain values, so that it can be judged as of any day."""

    direction: str
    goal: Decimal | None
    baseline: Decimal | None
    starts_on: date
    deadline: date | None
    frequency: str
    lower: Decimal | None = None
    upper: Decimal | None = None
    judged_by: str = "last"
    unit: str = ""
    decimals: int = 1
    stages: tuple[Reading, ...] = ()

    @classmethod
    def of(cls, objective: Any) -> "Aim":
        return cls(
            direction=objective.direction,
            goal=objective.goal,
            baseline=objective.baseline,
            starts_on=objective.starts_on,
            deadline=objective.deadline,
            frequency=objective.frequency,
            lower=objective.lower_band,
            upper=objective.upper_band,
            judged_by=objective.judged_by,
            unit=objective.unit,
            decimals=objective.decimals,
            stages=tuple(objective.stages),
        )

    def shown(self, value: Decimal) -> str:
        return in_unit(value, self.unit, self.decimals)

    @property
    def is_readable(self) -> bool:
        """Whether there is something finite to compare with."""
        if self.direction == Objective.Direction.WITHIN:
            return _finite(self.lower) and _finite(self.upper) and self.lower < self.upper  # type: ignore[operator]
        return _finite(self.goal)

    def reached_by(self, value: Decimal) -> bool:
        """Whether a value reaches the goal; the edge itself does."""
        if self.direction == Objective.Direction.WITHIN:
            return bool(self.lower <= value <= self.upper)  # type: ignore[operator]
        if self.direction == Objective.Direction.LOWER:
            return bool(value <= self.goal)  # type: ignore[operator]
        return bool(value >= self.goal)  # type: ignore[operator]

    def is_met_within(self, low: Decimal, high: Decimal) -> bool:
        """Whether any value between two reaches the goal; a band may lie amid them."""
        if self.direction == Objective.Direction.WITHIN:
            return bool(low <= self.upper and high >= self.lower)  # type: ignore[operator]
        return self.reached_by(low) or self.reached_by(high)

    @property
    def in_words(self) -> str:
        if self.direction == Objective.Direction.WITHIN:
            return f"the band of {self.shown(self.lower)} to {self.shown(self.upper)}"  # type: ignore[arg-type]
        return f"the target of {self.shown(self.goal)}"  # type: ignore[arg-type]


@dataclass(frozen=True)
class Forecast:
    """Where a straight line through the readings leads by the deadline, with a 95 % interval."""

    value: Decimal
    low: Decimal
    high: Decimal
    points: int


@dataclass(frozen=True)
class Standing:
    """How an objective stands: a state, the sentence that explains it, the value it rests on."""

    state: str
    sentence: str
    value: Decimal | None = None
    forecast: Forecast | None = None

    @property
    def words(self) -> str:
        return WORDS[self.state]

    @property
    def tone(self) -> str:
        return TONES[self.state]


def standing_of(objective: Any, today: date) -> Standing:
    """How an objective stood on a day, by the readings for days up to it."""
    return assess(Aim.of(objective), readings_of(objective, until=today), today)


def assess(aim: Aim, readings: Sequence[Reading], today: date) -> Standing:
    """Judge the readings (by day, oldest first) against the aim, as of `today`."""
    if not aim.is_readable:
        return Standing(NO_DATA, "There is no target that can be compared with a number.")
    since = [each for each in readings if aim.starts_on <= each[0] <= today and _finite(each[1])]
    if not since:
        return Standing(NO_DATA, "No reading has been entered since it began.")
    value = _judged(aim, since)
    over = aim.deadline is not None and today > aim.deadline
    if (late := _missing(aim, since, today)) is not None:
        return Standing(NO_DATA, late, value)
    what = "The mean of the readings" if aim.judged_by == "mean" else "The last reading"
    said = f"{what}, {aim.shown(value)},"
    if aim.reached_by(value):
        state = ACHIEVED if over else ON_TRACK
        return Standing(state, f"{said} reaches {aim.in_words}.", value)
    if over:
        return Standing(MISSED, f"{said} does not reach {aim.in_words}.", value)
    return _on_the_way(aim, since, value, said)


@dataclass(frozen=True)
class _Line:
    """A least-squares line through readings: what it says of a day, and how sure it is."""

    slope: float
    intercept: float
    centre: float
    spread: float
    residual: float
    n: int

    @property
    def t(self) -> float:
        free = self.n - 2
        if free - 3 < len(T95):
            return T95[free - 3]
        first = (Z95**3 + Z95) / (4 * free)
        return Z95 + first + (5 * Z95**5 + 16 * Z95**3 + 3 * Z95) / (96 * free**2)

    def margin_at(self, at: float) -> float:
        """Half the width of the 95 % prediction interval on a day."""
        leverage = 1 + 1 / self.n + (at - self.centre) ** 2 / self.spread
        return self.t * self.residual * sqrt(leverage)

    def mean_with(self, ahead: Sequence[float], known: float) -> tuple[float, float]:
        """The mean of the readings, which is known, and those of days ahead; with its margin."""
        more, total = len(ahead), self.n + len(ahead)
        value = (self.n * known + sum(self.intercept + self.slope * at for at in ahead)) / total
        away = sum(at - self.centre for at in ahead)
        leverage = more + more**2 / self.n + away**2 / self.spread
        return value, self.t * self.residual * sqrt(leverage) / total

    @property
    def rises(self) -> int:
        """1 or -1 where the slope differs from none in 19 of 20 cases, else 0."""
        if self.residual == 0:
            return (self.slope > 0) - (self.slope < 0)
        sure = abs(self.slope) > self.t * self.residual / sqrt(self.spread)
        return 0 if not sure else 1 if self.slope > 0 else -1


def _line(readings: Sequence[Reading], start: date) -> _Line | None:
    """The line through readings by days since `start`; None with fewer than five days."""
    if len(readings) < FEWEST_POINTS:
        return None
    days = [float((day - start).days) for day, _ in readings]
    values = [float(value) for _, value in readings]
    centre = fmean(days)
    spread = sum((day - centre) ** 2 for day in days)
    if not spread:
        return None
    slope, intercept = linear_regression(days, values)
    pairs = zip(days, values, strict=True)
    rest = sum((value - intercept - slope * day) ** 2 for day, value in pairs)
    n = len(days)
    return _Line(slope, intercept, centre, spread, sqrt(rest / (n - 2)), n)


def forecast(aim: Aim, readings: Sequence[Reading]) -> Forecast | None:
    """A least-squares line to the deadline with its 95 % prediction interval, or None.

    Of an objective that is judged by the mean it is the mean of all readings by then. None with
    fewer than five readings on different days, or without a deadline ahead of them.
    """
    line = _line(readings, aim.starts_on)
    if line is None or aim.deadline is None:
        return None
    at = float((aim.deadline - aim.starts_on).days)
    if at < (readings[-1][0] - aim.starts_on).days:
        return None
    if aim.judged_by == Objective.JudgedBy.MEAN:
        known = fmean(float(value) for _, value in readings)
        value, margin = line.mean_with(_ahead(aim, readings[-1][0]), known)
    else:
        value, margin = line.intercept + line.slope * at, line.margin_at(at)
    least, most = _possible(aim, readings)
    low, mid, high = (
        Decimal(repr(min(max(each, least), most))).quantize(Decimal(1).scaleb(-aim.decimals))
        for each in (value - margin, value, value + margin)
    )
    return Forecast(mid, low, high, line.n)


def _ahead(aim: Aim, last: date) -> list[float]:
    """The days since the start on which the readings to come will be, up to the deadline."""
    end: Any = aim.deadline
    after = schedule.following(aim.frequency, schedule.period_of(aim.frequency, last))
    days = [min(each.end, end) for each in schedule.periods(aim.frequency, after.start, end)]
    return [float((day - aim.starts_on).days) for day in days]


def _possible(aim: Aim, readings: Sequence[Reading]) -> tuple[float, float]:
    """Between which values a forecast can lie: a share that never left 0 to 100 % stays there."""
    if aim.unit == "%" and all(0 <= value <= 100 for _, value in readings):
        return 0.0, 100.0
    return -inf, inf


def trend_in_words(direction: str, readings: Sequence[Reading]) -> str:
    """Whether the readings rise or fall beyond what chance explains, and what that means.

    Says nothing with fewer than five readings: a trend of three points is none.
    """
    line = _line(readings, readings[0][0]) if readings else None
    if line is None:
        return ""
    if not line.rises:
        return "No trend"
    word = "Rising" if line.rises > 0 else "Falling"
    if direction == Objective.Direction.WITHIN:
        return word
    better = (line.rises > 0) == (direction == Objective.Direction.HIGHER)
    return f"{word}, {'better' if better else 'worse'}"


def forecast_in_words(aim: Aim, readings: Sequence[Reading]) -> str:
    """The forecast as a sentence, or why there is none."""
    since = [each for each in readings if each[0] >= aim.starts_on]
    found = forecast(aim, since)
    if found is not None:
        what = "a mean of " if aim.judged_by == Objective.JudgedBy.MEAN else ""
        return (
            f"A straight line through the {found.points} readings leads to {what}"
            f"{aim.shown(found.value)} by {aim.deadline:%-d %B %Y}, between "
            f"{aim.shown(found.low)} and {aim.shown(found.high)} in 19 of 20 cases."
        )
    if len(since) < FEWEST_POINTS:
        return f"A forecast needs {FEWEST_POINTS} readings; there are {len(since)}."
    return "The deadline is not ahead of the readings, so there is nothing to forecast."


# Parts of the judgement


def _finite(value: Decimal | None) -> bool:
    return value is not None and value.is_finite()


def _judged(aim: Aim, since: Sequence[Reading]) -> Decimal:
    if aim.judged_by == Objective.JudgedBy.MEAN:
        return sum((value for _, value in since), Decimal(0)) / len(since)
    return since[-1][1]


def _missing(aim: Aim, since: Sequence[Reading], today: date) -> str | None:
    """The sentence about the latest period whose reading is late or, at the end, still to come."""
    if aim.deadline is not None and today > aim.deadline:
        final = schedule.period_of(aim.frequency, aim.deadline)
        due = schedule.due_on(aim.frequency, final)
        if since[-1][0] < final.start and today <= due:
            name = schedule.name_of(aim.frequency, final)
            return f"It has ended; the reading for {name} is due by {due:%-d %B %Y}."
    last = schedule.latest_expected(aim.frequency, aim.starts_on, aim.deadline, today)
    if last is None or since[-1][0] >= last.start:
        return None
    after = schedule.following(aim.frequency, schedule.period_of(aim.frequency, since[-1][0]))
    late = list(schedule.periods(aim.frequency, after.start, last.start))
    name = schedule.name_of(aim.frequency, late[0])
    due = schedule.due_on(aim.frequency, late[0])
    more = f", and {len(late) - 1} more since" if len(late) > 1 else ""
    return f"The reading for {name} was due on {due:%-d %B %Y}{more}; the last is too old to judge."


def _on_the_way(aim: Aim, since: Sequence[Reading], value: Decimal, said: str) -> Standing:
    """Not reached, and the deadline is ahead: compare with the path, then with the forecast."""
    planned = planned_on(aim, since[-1][0])
    if planned is not None and aim.judged_by == Objective.JudgedBy.LAST:
        lower = aim.direction == Objective.Direction.LOWER
        if value <= planned if lower else value >= planned:
            sentence = f"{said} is level with the way to {aim.in_words} ({aim.shown(planned)} now)."
            return Standing(ON_TRACK, sentence, value)
    now, behind, leads = _said_of_the_way(aim)
    ahead = forecast(aim, since)
    if ahead is None:
        few = f"{said} {now}"
        state = AT_RISK if _half_way(aim, value, planned) else OFF_TRACK
        return Standing(state, f"{few}; there are too few readings for a forecast.", value)
    if aim.is_met_within(ahead.low, ahead.high):
        sentence = f"{said} {behind}, but the readings may still {leads}."
        return Standing(AT_RISK, sentence, value, ahead)
    sentence = f"{said} {behind}, and the readings do not {leads}."
    return Standing(OFF_TRACK, sentence, value, ahead)


def _said_of_the_way(aim: Aim) -> tuple[str, str, str]:
    """What is said of a value that does not reach it: alone, before a forecast, and of that."""
    if aim.direction == Objective.Direction.WITHIN:
        outside = f"lies outside {aim.in_words}"
        return outside, outside, "lead back into it"
    return f"is behind the way to {aim.in_words}", "is behind", f"lead to {aim.in_words}"


def planned_on(aim: Aim, day: date) -> Decimal | None:
    """Where the way from the baseline over the interim targets to the goal would be on a day.

    None within a band, and where the goal is to keep a level: there is no way to go.
    """
    if aim.direction == Objective.Direction.WITHIN or aim.deadline is None:
        return None
    if not _finite(aim.baseline) or aim.goal is None or aim.baseline is None:
        return None
    if aim.deadline <= aim.starts_on or not (_improves(aim) or aim.stages):
        return None
    way = [(aim.starts_on, aim.baseline), *aim.stages, (aim.deadline, aim.goal)]
    for (start, low), (end, high) in pairwise(way):
        if day <= end:
            gone = Decimal(max(0, (day - start).days))
            return low + (high - low) * gone / Decimal((end - start).days)
    return aim.goal


def _improves(aim: Aim) -> bool:
    """Whether the goal lies beyond the baseline; to keep a level there is no way to go."""
    if aim.direction == Objective.Direction.LOWER:
        return bool(aim.goal < aim.baseline)  # type: ignore[operator]
    return bool(aim.goal > aim.baseline)  # type: ignore[operator]


def _half_way(aim: Aim, value: Decimal, planned: Decimal | None) -> bool:
    """Whether at least half of what should be gained by now is gained."""
    if planned is None or aim.baseline is None or planned == aim.baseline:
        return False
    return (value - aim.baseline) / (planned - aim.baseline) >= Decimal("0.5")
