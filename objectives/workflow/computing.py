"""Readings the program computes itself from our own records, once for every period (9.1.1)."""

from datetime import date
from typing import Any

from django.db import transaction as db

from objectives import schedule
from objectives.figures import figure_of
from objectives.models import Indicator, Measurement
from objectives.workflow.indicators import only_who_keeps_it
from objectives.workflow.readings import (
    CameBy,
    because_field,
    check_in_use,
    check_reading,
    hold,
    hold_its_indicator,
    reading_of,
    same_figure,
    save_replacement,
)
from qms import contributions
from qms.contributions import Figure
from qms.people.models import Person
from qms.periods import Period
from qms.refusals import Refused
from qms.workflow import creates, transition

LOOK_BACK = 60  # periods computed at most when an indicator begins, or after a pause


def computed(indicator: Indicator, period: Period) -> Figure | None:
    """What the source says of a period; None where there was nothing to measure.

    Raises Refused where the source is gone.
    """
    source = contributions.source_named(indicator.computed_by)
    if source is None:
        raise Refused("These figures can no longer be computed.")
    found = source.compute(period, indicator.process)
    if found is None:
        return None
    told = {"value": found.value} if indicator.asks == "value" else {"counted": found.counted}
    return figure_of(indicator, size=found.size, **told)


@creates(Measurement, permission="objectives.compute_measurement")
def compute_reading(*, by: Person, indicator: Indicator, period: Period) -> Measurement | None:
    """Compute the reading of a period that has ended; None where there is nothing to keep.

    A period that has a reading, be it corrected or taken back, is not computed again by the clock.
    """
    held = hold(indicator)
    check_in_use(held)
    known = Measurement.objects.filter(indicator=held, period_start=period.start)
    if not held.is_computed or known.exists():
        return None
    figure = computed(held, period)
    if figure is None:
        return None
    check_reading(held, period.end, figure)
    reading = reading_of(held, period.end, figure, by=by, came_by=CameBy.COMPUTED)
    reading.save()
    return reading


def compute_due(day: date) -> int:
    """Compute every reading whose period has ended before a day; returns how many are new."""
    system, made = Person.objects.system(), 0
    for indicator in Indicator.objects.in_use().computed().order_by("pk"):
        for period in _without(indicator, day):
            try:
                with db.atomic():
                    made += (
                        compute_reading(by=system, indicator=indicator, period=period) is not None
                    )
            except Refused:  # a source that is gone shows as a missing reading
                break
    return made


def _without(indicator: Indicator, day: date) -> list[Period]:
    """The ended periods of the indicator that have no reading at all, the earliest first."""
    current = schedule.period_of(indicator.frequency, day)
    found: list[Period] = []
    each = schedule.before(indicator.frequency, current)
    while each.end >= indicator.starts_on and len(found) < LOOK_BACK:
        found.append(each)
        each = schedule.before(indicator.frequency, each)
    starts = [each.start for each in found]
    known = set(
        Measurement.objects.filter(indicator=indicator, period_start__in=starts).values_list(
            "period_start", flat=True
        )
    )
    return [each for each in reversed(found) if each.start not in known]


def was_computed(reading: Measurement, by: Any) -> str | None:
    if reading.indicator.is_computed:
        return None
    return "It was entered, not computed. Correct it instead."


def only_who_keeps_its_indicator(reading: Measurement, by: Any) -> str | None:
    return only_who_keeps_it(reading.indicator, by)


@transition(
    Measurement,
    source=Measurement.Status.LIVE,
    target=Measurement.Status.CORRECTED,
    permission="objectives.measure_indicator",
    only=only_who_keeps_its_indicator,
    guards=[was_computed],
    label="Compute again",
    details={"because": because_field()},
    locks=hold_its_indicator,
    then=save_replacement,
    primary=False,
)
def recompute(reading: Measurement, *, by: Any, because: str) -> None:
    """Compute it anew from the records as they are now; what it was before stays visible."""
    indicator = reading.indicator
    figure = computed(indicator, schedule.period_of(indicator.frequency, reading.measured_for))
    if figure is None:
        raise Refused("There is nothing to measure in that period any more. Take it back instead.")
    if same_figure(reading, figure):
        raise Refused(f"It comes to the same: {reading.shown}.")
    if not because.strip():
        raise Refused("Say what was wrong; it is kept with the reading.", field="because")
    reading.replacement = reading_of(  # type: ignore[attr-defined]
        indicator,
        reading.measured_for,
        figure,
        by=by,
        note=because,
        came_by=CameBy.COMPUTED,
        corrects=reading,
    )
