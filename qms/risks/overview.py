"""The matrix of the present and the trend of the past, from records and their history (6.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.urls import reverse

from qms import charts
from qms.charts import Chart
from qms.periods import Period, add_months, start_of
from qms.risks.models import LEAST, MOST, Outlook, level_of

MONTHS = 24
TONES = ("low", "middle", "high")
# How the levels of each kind are coloured, the lowest first.
STATES = {"RISK": ("fine", "soon", "late"), "OPP": ("quiet", "info", "fine")}


@dataclass(frozen=True)
class Cell:
    """One field of the matrix: how many open records stand there, and where they are listed."""

    first: int
    second: int
    count: int
    tone: str
    url: str

    @property
    def level(self) -> int:
        return level_of(self.first * self.second)


@dataclass(frozen=True)
class Line:
    """One row of the matrix, with the word of its value on the first scale."""

    value: int
    words: str
    cells: tuple[Cell, ...]


def matrix(kind: type[Outlook], rows: Any) -> list[Line]:
    """The 5 × 5 field of open, evaluated records; the largest first value on top."""
    counts: dict[tuple[int, int], int] = {}
    for pair in rows.open().exclude(score=None).values_list("first", "second"):
        counts[pair] = counts.get(pair, 0) + 1
    address = reverse(f"risks:{kind._meta.model_name}_list")
    scale = range(LEAST, MOST + 1)
    return [
        Line(
            first,
            kind.FIRST[first],
            tuple(
                Cell(
                    first,
                    second,
                    counts.get((first, second), 0),
                    TONES[level_of(first * second)],
                    f"{address}?open=true&first={first}&second={second}",
                )
                for second in scale
            ),
        )
        for first in reversed(scale)
    ]


def levels_at(kind: type[Outlook], day: date) -> tuple[int, int, int]:
    """How many open records stood at each level at the end of a day, as the history says."""
    return levels_over(kind, [day])[0]


def levels_over(kind: type[Outlook], days: Sequence[date]) -> list[tuple[int, int, int]]:
    """The same for days in order of time, with one question to the database."""
    history: Any = kind.history
    rows = history.order_by("history_date", "history_id")
    written = list(rows.values_list("history_date", "id", "status", "score"))
    state: dict[int, tuple[str, int | None]] = {}
    found, at = [], 0
    for day in days:
        end = start_of(day + timedelta(days=1))
        while at < len(written) and written[at][0] < end:
            _moment, key, status, score = written[at]
            state[key] = (status, score)
            at += 1
        levels = [0, 0, 0]
        for status, score in state.values():
            if status != Outlook.Status.CLOSED and score is not None:
                levels[level_of(score)] += 1
        found.append((levels[0], levels[1], levels[2]))
    return found


def trend(kind: type[Outlook], today: date) -> Chart:
    """How many were open at each level, quarter by quarter, and today."""
    ends = [add_months(today, -back) for back in range(MONTHS, 0, -3)]
    days = [*ends, today]
    levels = levels_over(kind, days)
    return charts.stacked(
        [f"{day:%b %Y}" for day in days],
        [
            (words, STATES[kind.SERIES][at], [each[at] for each in levels])
            for at, words in enumerate(kind.LEVELS)
        ],
        title=f"Open {kind._meta.verbose_name_plural} by level, at the end of each quarter",
        heading="At the end of",
    )


def movement(kind: type[Outlook], period: Period) -> dict[str, int]:
    """What happened in a period: newly seen, closed, and how the judgement of treatments went."""
    rows = kind._default_manager
    start, before = period.instants()
    days = (period.start, period.end)
    return {
        "identified": rows.filter(recorded_at__gte=start, recorded_at__lt=before).count(),
        "effective": rows.filter(judged_on__range=days).count(),
        "closed": rows.filter(closed_on__range=days).count(),
    }
