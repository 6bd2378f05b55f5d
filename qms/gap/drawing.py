"""The picture of the roadmap: a timeline in plain SVG geometry, drawn by the template.

Each bar lies where the work really falls, a mark shows the promised day, and a line leads from what
must be finished first. Everything is an attribute or a class, so no style leaves the stylesheet.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from qms.gap.roadmap import Placed, Plan
from qms.periods import add_months

WIDTH, LABELS, RIGHT = 1100, 330, 16
ROW, BAR, TOP = 30, 12, 34
LEAST_BAR = 5
LONGEST_LABEL = 50
MOST_MONTHS_NAMED = 18


@dataclass(frozen=True)
class Bar:
    """One row of the timeline, in units of the picture."""

    action: Any
    label: str
    tone: str
    y: int
    text_y: int
    x: float
    width: float
    bar_y: int
    due_x: float
    due_points: str
    told: str


@dataclass(frozen=True)
class Tick:
    """A month: its line and its name (empty where names would touch)."""

    x: float
    name: str


@dataclass(frozen=True)
class Timeline:
    """The whole picture; `today_x` is None when today lies outside."""

    width: int
    height: int
    left: int
    bottom: int
    bars: list[Bar]
    ticks: list[Tick]
    arrows: list[str]
    today_x: float | None


def timeline(plan: Plan, actions: dict[int, Any], *, today: date) -> Timeline | None:
    """The picture of a plan; `actions` gives the record of each task. None when it is empty."""
    rows = [each for each in plan.placed if each.task.key in actions]
    if not rows:
        return None
    now = [] if all(each.is_done for each in rows) else [today]
    first = min([*now, *(min(each.start, each.task.due) for each in rows)])
    last = max([*now, *(max(each.end, each.task.due) for each in rows)])
    scale = Scale(first.replace(day=1), add_months(last.replace(day=1), 1))
    bars = [_bar(each, actions[each.task.key], at, scale) for at, each in enumerate(rows)]
    where = {each.task.key: at for at, each in enumerate(rows)}
    arrows = [
        _arrow(bars[where[need]], bars[at])
        for at, each in enumerate(rows)
        for need in each.task.needs
        if need in where and not each.is_done
    ]
    bottom = TOP + ROW * len(rows)
    here = scale.x(today) if now else None
    return Timeline(WIDTH, bottom + 10, LABELS, bottom, bars, scale.ticks(), arrows, here)


@dataclass(frozen=True)
class Scale:
    """Days to horizontal places."""

    start: date
    end: date

    def x(self, day: date) -> float:
        share = (day - self.start).days / max(1, (self.end - self.start).days)
        return round(LABELS + share * (WIDTH - LABELS - RIGHT), 1)

    def ticks(self) -> list[Tick]:
        months, day = [], self.start
        while day < self.end:
            months.append(day)
            day = add_months(day, 1)
        every = -(-len(months) // MOST_MONTHS_NAMED)
        return [
            Tick(self.x(each), _month(each, every) if at % every == 0 else "")
            for at, each in enumerate(months)
        ]


def _month(day: date, every: int) -> str:
    """A month's name; January tells the year, alone where there is little room."""
    if day.month != 1:
        return f"{day:%b}"
    return f"{day:%b %Y}" if every == 1 else f"{day:%Y}"


def _bar(placed: Placed, action: Any, at: int, scale: Scale) -> Bar:
    y = TOP + ROW * at
    x, end = scale.x(placed.start), scale.x(placed.end + timedelta(days=1))
    due = scale.x(placed.task.due)
    middle = y + ROW // 2
    tone = "done" if placed.is_done else "late" if placed.days_late else "fine"
    words = f"{action.number} {action.title}"
    label = words if len(words) <= LONGEST_LABEL else f"{words[: LONGEST_LABEL - 1].rstrip()}…"
    told = "done" if placed.is_done else f"{placed.start:%-d %b %Y} to {placed.end:%-d %b %Y}"
    return Bar(
        action=action,
        label=label,
        tone=tone,
        y=y,
        text_y=middle + 4,
        x=x,
        width=max(LEAST_BAR, round(end - x, 1)),
        bar_y=middle - BAR // 2,
        due_x=due,
        due_points=f"{due},{middle - 7} {due + 5},{middle} {due},{middle + 7} {due - 5},{middle}",
        told=f"{words}, {action.owner.name}: {told}, promised for {placed.task.due:%-d %b %Y}",
    )


def _arrow(before: Bar, after: Bar) -> str:
    """The way from the end of what comes first to the beginning of what waits for it."""
    x1, y1 = round(before.x + before.width, 1), before.bar_y + BAR // 2
    y2, x2 = after.bar_y + BAR // 2, after.x
    turn = round(x1 + 6, 1)
    edge = after.y if after.y > before.y else before.y
    if x2 >= turn + 6:
        return f"M{x1},{y1} H{turn} V{y2} H{x2}"
    back = round(x2 - 8, 1)
    return f"M{x1},{y1} H{turn} V{edge} H{back} V{y2} H{x2}"
