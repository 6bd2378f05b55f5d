"""Readings: one for each period, never changed, corrected by another that says why (9.1.1)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from objectives import schedule
from objectives.figures import FigureText, figure_of, read
from objectives.models import Indicator, Measurement, Objective
from objectives.workflow.indicators import PURSUED, only_who_keeps_it, only_who_measures
from qms import clock
from qms.contributions import Figure
from qms.events import handles
from qms.people.models import Person
from qms.periods import EARLIEST, day_of, today
from qms.records import RecordSaved, insert_together
from qms.refusals import Refused
from qms.work.workflow import refresh
from qms.workflow import creates, transition

Status, CameBy = Measurement.Status, Measurement.CameBy
MOST_AT_ONCE = 500  # readings one call may send
OF_ONE_SIZE = (Indicator.Chart.XBAR_R, Indicator.Chart.NP)


# Factories


@creates(Measurement, permission="objectives.measure_indicator")
def record_reading(
    *,
    by: Person,
    indicator: Indicator,
    measured_for: date,
    value: Decimal | None = None,
    counted: Decimal | None = None,
    size: int | None = None,
    values: Sequence[Decimal] = (),
    note: str = "",
    happened_at: datetime | None = None,
    came_by: str = CameBy.HAND,
) -> Measurement:
    """Enter the value of a period. It never changes; what was wrong is corrected by another one."""
    held = hold(indicator)
    if why := only_who_measures(held, by):
        raise PermissionDenied(why)
    check_may_be_entered(held)
    figure = figure_of(held, value=value, counted=counted, size=size, values=values)
    check_reading(held, measured_for, figure)
    reading = reading_of(
        held, measured_for, figure, by=by, note=note, happened_at=happened_at, came_by=came_by
    )
    reading.save()
    return reading


@dataclass(frozen=True)
class Offered:
    """A reading that is to be kept together with others: of what, for which day, which figure."""

    indicator: Indicator
    day: date
    figure: Figure
    note: str = ""
    happened_at: datetime | None = None


@dataclass(frozen=True)
class Sent:
    """What became of an offered reading: kept now, or known already."""

    reading: Measurement
    is_new: bool


def keep_together(
    rows: Sequence[Offered | Refused], *, by: Person, came_by: str
) -> list[Sent | Refused]:
    """Keep readings of one or several indicators, all of them or none.

    Answers each row in its place: kept, known already with the same figures, or why not; as soon
    as one is refused nothing is kept. A row that is refused already stays so.
    """
    if not by.has_perm("objectives.measure_indicator"):
        raise PermissionDenied("Your role does not allow you to add a reading.")
    offered = [each for each in rows if isinstance(each, Offered)]
    with db.atomic():
        known = _Known(offered, by, came_by)
        found = [each if isinstance(each, Refused) else known.judge(each) for each in rows]
        if not any(isinstance(each, Refused) for each in found):
            insert_together(known.new)
            tell_work(known.held.values())
    return found


class _Known:
    """What is known of some indicators, locked: read once, however many readings are offered."""

    def __init__(self, offered: Sequence[Offered], by: Person, came_by: str) -> None:
        self.by, self.came_by = by, came_by
        keys = {each.indicator.pk for each in offered}
        rows = Indicator._base_manager.select_related("process", "responsible")
        locked = rows.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk")
        self.held: dict[int, Indicator] = {each.pk: each for each in locked}
        own = Objective.objects.filter(indicator__in=keys, owner=by, status__in=PURSUED)
        self.aimed = set(own.values_list("indicator_id", flat=True))
        starts = {schedule.period_of(each.indicator.frequency, each.day).start for each in offered}
        live = Measurement.objects.live().filter(indicator__in=keys)
        self.live: dict[tuple[int, date], Measurement] = {}
        for reading in live.filter(period_start__in=starts):
            reading.indicator = self.held[reading.indicator_id]
            self.live[reading.indicator_id, reading.period_start] = reading
        newest = live.filter(indicator__chart__in=OF_ONE_SIZE).order_by(
            "indicator_id", "-measured_for"
        )
        sizes = newest.distinct("indicator_id").values_list("indicator_id", "size")
        self.sizes: dict[int, int | None] = dict(sizes)
        self.new: list[Measurement] = []

    def judge(self, row: Offered) -> Sent | Refused:
        """What becomes of a row, after those before it."""
        held = self.held[row.indicator.pk]
        if row.indicator.pk not in self.aimed and (why := only_who_keeps_it(held, self.by)):
            raise PermissionDenied(why)
        try:
            return self._judge(held, row)
        except Refused as refusal:
            return refusal

    def _judge(self, held: Indicator, row: Offered) -> Sent:
        check_may_be_entered(held)
        check_day(row.day)
        period = schedule.period_of(held.frequency, row.day)
        there = self.live.get((held.pk, period.start))
        if there is not None:
            if same_figure(there, row.figure) and self.came_by != CameBy.HAND:
                return Sent(there, False)
            raise _is_there(there)
        check_size(held, self.sizes.get(held.pk), row.figure)
        reading = reading_of(
            held,
            row.day,
            row.figure,
            by=self.by,
            note=row.note,
            happened_at=row.happened_at,
            came_by=self.came_by,
        )
        reading.comes_together = True
        self.new.append(reading)
        self.live[held.pk, period.start] = reading
        self.sizes[held.pk] = row.figure.size
        return Sent(reading, True)


def send_readings(
    indicator: Indicator, rows: Sequence[Mapping[str, Any]], *, by: Person
) -> list[Sent]:
    """Keep the readings another program sends, all or none; what is there already stays as it is.

    Sending a period's figures again changes nothing; other figures for it are refused with the way
    to correct them. Raises Refused, with the row where there are several.
    """
    if len(rows) > MOST_AT_ONCE:
        raise Refused(f"Send at most {MOST_AT_ONCE} readings at once; these are {len(rows)}.")
    found = keep_together([_offered(indicator, row) for row in rows], by=by, came_by=CameBy.API)
    kept = [each for each in found if isinstance(each, Sent)]
    for at, each in enumerate(found, start=1):
        if isinstance(each, Refused):
            said = str(each) if len(rows) == 1 else f"Reading {at}: {each} Nothing was kept."
            raise Refused(said, field=each.field)
    return kept


def _offered(indicator: Indicator, row: Mapping[str, Any]) -> Offered | Refused:
    told = {name: row[name] for name in Measurement.FIGURES if row.get(name) is not None}
    try:
        figure = figure_of(indicator, **told)
    except Refused as refusal:
        return refusal
    return Offered(
        indicator, row["measured_for"], figure, row.get("note", ""), row.get("happened_at")
    )


def hold(indicator: Indicator) -> Indicator:
    """The indicator, locked: of two readings for one period one waits and is then refused."""
    rows = Indicator._base_manager.select_related("process").select_for_update(of=("self",))
    found: Indicator = rows.get(pk=indicator.pk)
    return found


def check_in_use(indicator: Indicator) -> None:
    if indicator.status != Indicator.Status.ACTIVE:
        shown = indicator.get_status_display().lower()
        raise Refused(f"The indicator is {shown}; no more readings are entered.")


def check_may_be_entered(indicator: Indicator) -> None:
    """Refuse readings of what is measured no more, and of what is computed."""
    check_in_use(indicator)
    if indicator.is_computed:
        raise Refused("It is computed from our own records, so nobody enters its readings.")


def live_reading(indicator: Indicator, day: date) -> Measurement | None:
    """The reading that counts for the period a day lies in."""
    start = schedule.period_of(indicator.frequency, day).start
    rows = Measurement.objects.live().filter(indicator=indicator, period_start=start)
    found: Measurement | None = rows.select_related("indicator").first()
    return found


def same_figure(reading: Measurement, figure: Figure) -> bool:
    """Whether a reading says exactly this."""
    values = [Decimal(each) for each in reading.values]
    told = (reading.value, reading.counted, reading.size, values)
    return told == (figure.value, figure.counted, figure.size, list(figure.values))


def check_day(day: date) -> None:
    """Refuse a day to come, and one that is a typing error."""
    if day > today():
        raise Refused("A reading cannot be of a day to come.", field="measured_for")
    if day < EARLIEST:
        raise Refused(
            f"Check the year: {day.year} is before {EARLIEST.year}.", field="measured_for"
        )


def check_reading(
    indicator: Indicator, day: date, figure: Figure, *, replaces: Measurement | None = None
) -> None:
    """Refuse a day to come, a second reading for one period, and a subgroup of another size."""
    check_day(day)
    there = live_reading(indicator, day)
    if there is not None and there.pk != (replaces and replaces.pk):
        raise _is_there(there)
    if indicator.chart in OF_ONE_SIZE:
        others = Measurement.objects.live().filter(indicator=indicator)
        if replaces is not None:
            others = others.exclude(pk=replaces.pk)
        usual = others.order_by("-measured_for").values_list("size", flat=True).first()
        check_size(indicator, usual, figure)


def _is_there(reading: Measurement) -> Refused:
    """The refusal of a second reading for a period, with the way to correct the first."""
    indicator = reading.indicator
    period = schedule.period_of(indicator.frequency, reading.measured_for)
    return Refused(
        f"There is a reading for {schedule.name_of(indicator.frequency, period)} already:"
        f" {reading.shown}. If it is wrong, correct it.",
        field="measured_for",
    )


def check_size(indicator: Indicator, usual: int | None, figure: Figure) -> None:
    """Some charts need the same n every time; `usual` is that of the readings so far."""
    if indicator.chart not in OF_ONE_SIZE or usual in (None, figure.size):
        return
    raise Refused(
        f"Its readings are of {usual} each; this one is of {figure.size}. The chart needs the same"
        " number every time.",
        field="size",
    )


def _read_at(moment: datetime | None) -> datetime:
    """When it was read: now, unless somebody says when; refused where that cannot be."""
    if moment is None:
        return clock.now()
    if moment.year < EARLIEST.year or day_of(moment) > today():
        raise Refused("Check when it was read: no day to come.", field="happened_at")
    return moment


def reading_of(
    indicator: Indicator,
    day: date,
    figure: Figure,
    *,
    by: Any,
    note: str = "",
    happened_at: datetime | None = None,
    came_by: str = CameBy.HAND,
    corrects: Measurement | None = None,
) -> Measurement:
    """The record of a figure, not saved yet."""
    return Measurement(
        indicator=indicator,
        measured_for=day,
        period_start=schedule.period_of(indicator.frequency, day).start,
        value=figure.value,
        counted=figure.counted,
        size=figure.size,
        values=[f"{each:f}" for each in figure.values],
        note=note.strip(),
        happened_at=_read_at(happened_at),
        came_by=came_by,
        corrects=corrects,
        created_by=by,
    )


# Transitions


def only_who_measures_it(reading: Measurement, by: Any) -> str | None:
    return only_who_measures(reading.indicator, by)


def was_entered(reading: Measurement, by: Any) -> str | None:
    """What was computed follows from other records."""
    if reading.came_by == CameBy.COMPUTED:
        return "It was computed from our own records. Correct those, then compute it again."
    return None


def hold_its_indicator(reading: Measurement) -> None:
    """No other reading of the indicator comes or goes meanwhile."""
    hold(reading.indicator)


def save_replacement(reading: Measurement, by: Any) -> None:
    """The corrected reading has stepped back; now its period is free for what corrects it."""
    reading.replacement.save()  # type: ignore[attr-defined]


def because_field() -> forms.CharField:
    return forms.CharField(
        label="What was wrong", max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


@transition(
    Measurement,
    source=Status.LIVE,
    target=Status.CORRECTED,
    permission="objectives.measure_indicator",
    only=only_who_measures_it,
    guards=[was_entered],
    label="Correct",
    details={
        "figure": FigureText(
            label="Right value",
            help_text="As it was entered: 12.5, or “3 of 120”, or the values of the subgroup.",
        ),
        "measured_for": forms.DateField(label="Value of"),
        "because": because_field(),
    },
    locks=hold_its_indicator,
    then=save_replacement,
)
def correct(
    reading: Measurement, *, by: Any, figure: str, measured_for: date, because: str
) -> None:
    """Enter the right value; the wrong one stays visible, marked as corrected."""
    indicator = reading.indicator
    right = read(indicator, figure)
    check_reading(indicator, measured_for, right, replaces=reading)
    if not because.strip():
        raise Refused("Say what was wrong; it is kept with the reading.", field="because")
    reading.replacement = reading_of(  # type: ignore[attr-defined]
        indicator, measured_for, right, by=by, note=because, corrects=reading
    )


@transition(
    Measurement,
    source=Status.LIVE,
    target=Status.VOID,
    permission="objectives.measure_indicator",
    only=only_who_measures_it,
    reason=True,
    label="Take back",
    primary=False,
    locks=hold_its_indicator,
)
def take_back(reading: Measurement, *, by: Any) -> None:
    """Take it back: it should not have been entered. It stays visible, with the reason."""


# Who has to do what next


@handles(RecordSaved, order=91)
def a_reading_moves_the_work_on(event: RecordSaved) -> None:
    """A reading that was entered or taken back changes when the next one is due."""
    reading = event.record
    if not isinstance(reading, Measurement):
        return
    if reading.comes_together:
        return  # many come at once; who keeps them tells when it is through
    # A corrected one is followed at once by the entry that corrects it.
    if event.created or reading.status == Status.VOID:
        tell_work([reading.indicator])


def tell_work(indicators: Iterable[Indicator]) -> None:
    """Write anew who has to do what with these indicators and the objectives judged by them."""
    for indicator in indicators:
        refresh(indicator)
        judged = Objective.objects.active().filter(indicator=indicator)
        for objective in judged.select_related("indicator", "owner"):
            refresh(objective)
