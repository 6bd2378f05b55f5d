"""Readings of indicators: entered once, corrected by another entry, never changed (9.1.1)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Self

from django.db import models
from django.db.models import Q, Window
from django.db.models.functions import RowNumber

from objectives import schedule
from objectives.models.indicators import NUMBER, Indicator
from qms import clock
from qms.addresses import page_of
from qms.records import RecordQuerySet, StatefulRecord


class MeasurementQuerySet(RecordQuerySet):
    def live(self) -> Self:
        """Readings that count: neither corrected nor void."""
        return self.filter(status=Measurement.Status.LIVE)

    def between(self, start: date, end: date) -> Self:
        return self.filter(measured_for__range=(start, end))


class Measurement(StatefulRecord):
    """One reading of an indicator; its value never changes, a correction is a reading of its own.

    `measured_for` is the day the value stands for and `period_start` the first day of its period,
    `happened_at` when it was read, `recorded_at` when it was entered. Where things are counted,
    `counted` of `size` gives the value; where samples are taken, `values` are those of the subgroup
    and the value is their mean.
    """

    class Status(models.TextChoices):
        LIVE = "live", "Counts"
        CORRECTED = "corrected", "Corrected"
        VOID = "void", "Void"

    class CameBy(models.TextChoices):
        HAND = "hand", "Entered"
        SHEET = "sheet", "Imported"
        API = "api", "Sent"
        COMPUTED = "computed", "Computed"

    STATE_TONES = {"corrected": "void", "void": "void"}
    PATHS = {("live", "corrected"), ("live", "void")}
    FIGURES = ("value", "counted", "size", "values")
    FROZEN = {
        "indicator",
        "measured_for",
        "period_start",
        *FIGURES,
        "note",
        "happened_at",
        "came_by",
        "corrects",
    }
    FROZEN_IN = {"live", "corrected", "void"}

    # Two indexes below begin with the indicator; one of its own would only be written to.
    indicator = models.ForeignKey(
        Indicator, models.PROTECT, related_name="measurements", db_index=False
    )
    measured_for = models.DateField("value of")
    period_start = models.DateField("first day of the period", editable=False)
    value = models.DecimalField("value", **NUMBER)
    counted = models.DecimalField("counted", null=True, blank=True, **NUMBER)
    size = models.PositiveIntegerField("of how many (n)", null=True, blank=True)
    values = models.JSONField("values of the subgroup", default=list, blank=True, editable=False)
    note = models.TextField("note", blank=True, max_length=2000)
    happened_at = models.DateTimeField("read at", default=clock.now)
    came_by = models.CharField(
        "came", max_length=8, choices=CameBy, default=CameBy.HAND, editable=False
    )
    corrects = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="corrections", editable=False
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.LIVE, editable=False)

    comes_together = False  # while it is kept with many others, which tell of themselves at the end

    objects = MeasurementQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "reading"
        indexes = [
            models.Index(fields=["indicator", "measured_for"], name="objectives_reading_day"),
            models.Index(fields=["indicator", "status"], name="objectives_reading_counts"),
            models.Index(fields=["measured_for"], name="objectives_reading_any_day"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["indicator", "period_start"],
                condition=Q(status="live"),
                name="objectives_one_live_reading",
            ),
            models.UniqueConstraint(
                fields=["corrects"],
                condition=Q(corrects__isnull=False),
                name="objectives_corrected_once",
            ),
            models.CheckConstraint(
                condition=Q(corrects__isnull=True) | ~Q(note=""),
                name="objectives_correction_says_why",
            ),
            models.CheckConstraint(
                condition=Q(size__isnull=True) | Q(size__gt=0), name="objectives_n_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(counted__isnull=True) | Q(counted__gte=0),
                name="objectives_counted_is_no_debt",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.indicator.number} on {self.measured_for:%-d %B %Y}"

    def get_absolute_url(self) -> str:
        return page_of("objectives:measurement_detail", self.pk)

    @property
    def is_released(self) -> bool:
        """A reading is on record from the moment it is entered."""
        return True

    @property
    def title(self) -> str:
        return f"Reading of {self.measured_for:%-d %B %Y}"

    @property
    def shown(self) -> str:
        return self.indicator.shown(self.value)

    @property
    def behind(self) -> str:
        """What stands behind the value: "3 of 120", "10.1; 10.3; 9.8"; else empty."""
        if self.values:
            return "; ".join(self.values)
        if self.size is None:
            return ""
        return (
            f"{self.counted.normalize():f} of {self.size}"
            if self.counted is not None
            else f"n = {self.size}"
        )


def readings_of(record: Any, until: date | None = None) -> list[tuple[date, Decimal]]:
    """The live readings of an indicator or objective by day, oldest first, up to `until`.

    Those of an objective lie between its start and the end of the period its deadline lies in.
    Asks the database only when the record was not read `with_readings()`.
    """
    if hasattr(record, "known_days"):
        found = list(zip(record.known_days, record.known_values, strict=True))[::-1]
    else:
        indicator = getattr(record, "indicator_id", None) or getattr(record, "pk", None)
        if not isinstance(record, Indicator) and record.indicator_id is None:
            return []
        rows = Measurement.objects.live().filter(indicator=indicator)
        found = list(rows.order_by("measured_for").values_list("measured_for", "value"))
    first, last = _span(record)
    return [
        (day, value)
        for day, value in found
        if first <= day <= last and (until is None or day <= until)
    ]


def _span(record: Any) -> tuple[date, date]:
    """The days whose readings belong to it: all of an indicator's, an objective's own."""
    if isinstance(record, Indicator):
        return date.min, date.max
    if record.deadline is None or record.indicator_id is None:
        return record.starts_on, date.max
    return record.starts_on, schedule.period_of(record.frequency, record.deadline).end


@dataclass(frozen=True)
class Taken:
    """A live reading with what stands behind it, for charts that need more than the value."""

    pk: int
    day: date
    value: Decimal
    counted: Decimal | None
    size: int | None
    values: tuple[Decimal, ...]


TAKEN = ("pk", "measured_for", "value", "counted", "size", "values")


def series_of(
    indicator: Indicator,
    *,
    until: date | None = None,
    most: int | None = None,
    first: int | None = None,
) -> list[Taken]:
    """The live readings of an indicator with everything behind them, oldest first.

    `most` keeps only so many of the newest, `first` only so many of the oldest.
    """
    rows = _live_until(until).filter(indicator=indicator)
    if first is not None:
        found = list(rows.order_by("measured_for").values_list(*TAKEN)[:first])
    else:
        found = list(rows.order_by("-measured_for").values_list(*TAKEN)[:most])[::-1]
    return [_taken(row) for row in found]


def series_of_each(
    indicators: Collection[Indicator], *, until: date | None, most: int
) -> dict[int, list[Taken]]:
    """The same of many indicators by their key, in one question: the newest of each."""
    newest = Window(RowNumber(), partition_by="indicator_id", order_by="-measured_for")
    rows = _live_until(until).filter(indicator__in=indicators).annotate(place=newest)
    found: dict[int, list[Taken]] = {each.pk: [] for each in indicators}
    kept = rows.filter(place__lte=most).order_by("indicator_id", "measured_for")
    for key, *row in kept.values_list("indicator_id", *TAKEN):
        found[key].append(_taken(row))
    return found


def _taken(row: Sequence[Any]) -> Taken:
    """A reading as the columns `TAKEN` hold it."""
    pk, day, value, counted, size, values = row
    return Taken(pk, day, value, counted, size, tuple(Decimal(each) for each in values))


def _live_until(day: date | None) -> MeasurementQuerySet:
    rows = Measurement.objects.live()
    return rows if day is None else rows.filter(measured_for__lte=day)


def carry(indicator: Indicator, taken: Sequence[Taken]) -> list[tuple[date, Decimal]]:
    """Put readings that were just read on board of their indicator, as `with_readings()` does."""
    known: Any = indicator
    known.known_days = [each.day for each in reversed(taken)]
    known.known_values = [each.value for each in reversed(taken)]
    return readings_of(indicator)


WITHIN_A_YEAR = timedelta(days=366)
