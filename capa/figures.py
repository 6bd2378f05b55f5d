"""What nonconformities came to: their age, punctuality, effect and return (ISO 9001 9.1.3, 10.2).

Every figure is counted from the records when it is asked for. A case that was opened again counts
by its last closing, and its age from the day it was first detected.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from capa.models import CorrectiveAction, Nonconformity, Repeat
from qms.charts import Chart, pareto, stacked
from qms.periods import Period
from qms.shares import Share

ON_TIME = (
    "On time is what was closed by the day first promised: the day of the report and the"
    " organisation's days for containment, cause, action and effectiveness. More time granted later"
    " is shown beside it; what a former register had closed was promised nothing here."
)
AGES = ((30, "up to 30 days"), (60, "31 to 60"), (90, "61 to 90"), (180, "91 to 180"))
OLDEST = "over 180 days"
NONE = "Not said"


@dataclass(frozen=True)
class Row:
    """One process or one owner: open cases, how old and how late, and what was closed in time."""

    name: str
    open: int
    oldest: int
    late: int
    closed: Share


@dataclass(frozen=True)
class Figures:
    """Everything the page of figures shows for a period, seen on a day."""

    period: Period
    open: int
    on_time: Share
    on_time_with_extensions: Share
    effective: Share
    again: Share
    late: int
    ages: Chart
    causes: Chart
    processes: Chart
    customers: Chart
    by_process: list[Row]
    by_owner: list[Row]

    @property
    def is_empty(self) -> bool:
        return not (self.open or self.on_time.whole or self.causes.rows)


def figures_of(person: Any, period: Period, on: date) -> Figures:
    """The figures of what a person may see, in a fixed number of questions."""
    seen = Nonconformity.objects.visible_to(person).exclude(status=Nonconformity.Status.VOID)
    seen = seen.select_related("process", "owner", "customer")
    still = list(seen.open())
    closed = list(seen.filter(status="closed", closed_on__range=(period.start, period.end)))
    raised = list(seen.filter(detected_on__range=(period.start, period.end)))
    repeats = Repeat.objects.counted().filter(nonconformity__in=[each.pk for each in raised])
    again = set(repeats.values_list("nonconformity_id", flat=True))
    return Figures(
        period=period,
        open=len(still),
        on_time=punctual(closed, lambda nc: nc.first_close_by),
        on_time_with_extensions=punctual(closed, lambda nc: nc.close_by),
        effective=_effective(person, period),
        again=Share(len(again), len(raised)),
        late=sum(nc.days_late(on, nc.close_by) > 0 for nc in still),
        ages=_ages(still, on),
        causes=pareto(_counted(raised, _cause), title="Causes"),
        processes=pareto(_counted(raised, _process), title="Where it happened", most=12),
        customers=pareto(_counted(raised, _customer), title="Customers affected"),
        by_process=_rows(still, closed, on, _process),
        by_owner=_rows(still, closed, on, lambda nc: nc.owner.name if nc.owner else NONE),
    )


def punctual(
    closed: Iterable[Nonconformity], promised: Callable[[Nonconformity], date | None]
) -> Share:
    """How many closed cases were closed by the day promised; those without one are not counted."""
    days = [(nc.closed_on, promised(nc)) for nc in closed]
    known = [(end, by) for end, by in days if end is not None and by is not None]
    return Share(sum(end <= by for end, by in known), len(known))


def _effective(person: Any, period: Period) -> Share:
    """How many corrective actions judged in the period were effective."""
    rows = CorrectiveAction.objects.visible_to(person).judged_between(period.start, period.end)
    verdicts = list(rows.values_list("status", flat=True))
    return Share(sum(status == "effective" for status in verdicts), len(verdicts))


def age_in_words(days: int) -> str:
    """The group of ages that so many days fall into."""
    return next((words for most, words in AGES if days <= most), OLDEST)


def _ages(still: Sequence[Nonconformity], on: date) -> Chart:
    names = [words for _, words in AGES] + [OLDEST]
    late = Counter(age_in_words(nc.days_open(on)) for nc in still if nc.days_late(on, nc.close_by))
    whole = Counter(age_in_words(nc.days_open(on)) for nc in still)
    parts = (
        ("In time", "fine", [whole[name] - late[name] for name in names]),
        ("Late", "late", [late[name] for name in names]),
    )
    return stacked(names, parts, title="How old open cases are", heading="Age")


def _rows(
    still: Iterable[Nonconformity],
    closed: Iterable[Nonconformity],
    on: date,
    name_of: Callable[[Nonconformity], str],
) -> list[Row]:
    here, gone = _grouped(still, name_of), _grouped(closed, name_of)
    rows = []
    for name in here.keys() | gone.keys():
        mine = here.get(name, [])
        ages = [nc.days_open(on) for nc in mine]
        late = sum(nc.days_late(on, nc.close_by) > 0 for nc in mine)
        done = punctual(gone.get(name, []), lambda nc: nc.first_close_by)
        rows.append(Row(name, len(mine), max(ages, default=0), late, done))
    return sorted(rows, key=lambda row: (-row.late, -row.open, row.name))


def _grouped(
    cases: Iterable[Nonconformity], name_of: Callable[[Nonconformity], str]
) -> dict[str, list[Nonconformity]]:
    groups: dict[str, list[Nonconformity]] = {}
    for nc in cases:
        groups.setdefault(name_of(nc), []).append(nc)
    return groups


def _counted(
    cases: Iterable[Nonconformity], name_of: Callable[[Nonconformity], str]
) -> dict[str, int]:
    return dict(Counter(name for nc in cases if (name := name_of(nc)) != NONE))


def _cause(nc: Nonconformity) -> str:
    return str(nc.get_category_display()) if nc.category else NONE


def _process(nc: Nonconformity) -> str:
    return nc.process.name if nc.process else NONE


def _customer(nc: Nonconformity) -> str:
    return str(nc.customer) if nc.customer else NONE
