"""What a period showed, as an analysis keeps it: indicators with signals, objectives (9.1.3).

Plain words and addresses, so that what is kept says the same in ten years.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from objectives import schedule
from objectives.control import Control, controls_of
from objectives.models import Indicator, Measurement, Objective, readings_of
from objectives.status import standing_of
from qms.periods import Period

MOST_SIGNALS = 20


def figures_of(process: Any, period: Period, today: date) -> list[dict[str, Any]]:
    """The figures of a process, or (None) of the whole system, as they stand today."""
    until = min(period.end, today)
    indicators = Indicator.objects.exclude(status=Indicator.Status.VOID).select_related("process")
    objectives = Objective.objects.pursued_between(period.start, period.end).with_readings()
    if process is not None:
        indicators = indicators.filter(process=process)
        objectives = objectives.filter(process=process)
    known = list(indicators.order_by("number"))
    course = _Course(known, period, until)
    found = [_indicator(each, period, until, course) for each in known]
    kept = [each for each in found if each["is_used"]]
    return kept + [_objective(each, until) for each in objectives.order_by("number")]


class _Course:
    """The readings and signals of some indicators in a period, read at once however many."""

    def __init__(self, indicators: Sequence[Indicator], period: Period, until: date) -> None:
        rows = Measurement.objects.live().filter(indicator__in=indicators)
        names = ("indicator_id", "measured_for", "value")
        self.now: defaultdict[int, list[tuple[date, Decimal]]] = defaultdict(list)
        for key, day, value in (
            rows.between(period.start, until).order_by("measured_for").values_list(*names)
        ):
            self.now[key].append((day, value))
        then = period.previous()
        newest = rows.between(then.start, then.end).order_by("indicator_id", "-measured_for")
        last = newest.distinct("indicator_id").values_list("indicator_id", "value")
        self.before: dict[int, Decimal] = dict(last)
        charted = [
            each for each in indicators if each.chart != Indicator.Chart.RUN and each.pk in self.now
        ]
        self.charts = controls_of(charted, until)


def _indicator(indicator: Any, period: Period, until: date, course: _Course) -> dict[str, Any]:
    now = course.now.get(indicator.pk, [])
    due = schedule.expected_by(
        indicator.frequency, max(indicator.starts_on, period.start), None, until
    )
    missing = schedule.without_reading(due, [day for day, _ in now])
    return {
        "kind": "indicator",
        "number": indicator.number,
        "title": indicator.title,
        "url": indicator.get_absolute_url(),
        "value": indicator.shown(now[-1][1]) if now else "–",
        "before": indicator.shown(course.before.get(indicator.pk)),
        "readings": len(now),
        "missing": len(missing),
        "signals": _signals(course.charts.get(indicator.pk), period),
        "is_used": bool(now) or indicator.status == Indicator.Status.ACTIVE,
    }


def _signals(found: Control | None, period: Period) -> list[str]:
    """Each signal of the period in words, with what was found where somebody answered it."""
    seen = [each for each in found.signals if each.day in period] if found else []
    return [
        f"{each.name}: {' '.join(each.words)} "
        + (_answer(each.answer) if each.answer else "Not explained yet.")
        for each in seen[-MOST_SIGNALS:]
    ]


def _answer(answer: Any) -> str:
    """What was found, in the words of who looked."""
    return f"{answer.get_found_display()}: {answer.words}"


def _objective(objective: Any, until: date) -> dict[str, Any]:
    standing = standing_of(objective, until)
    readings = readings_of(objective, until=until)
    return {
        "kind": "objective",
        "number": objective.number,
        "title": objective.title,
        "url": objective.get_absolute_url(),
        "aim": objective.aim_in_words,
        "value": objective.shown(readings[-1][1]) if readings else "–",
        "standing": standing.words,
        "tone": standing.tone,
        "sentence": standing.sentence,
    }
