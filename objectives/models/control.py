"""Frozen control limits of an indicator, and what was found behind its signals (9.1.3)."""

from fractions import Fraction
from typing import Any, Self

from django.db import models
from django.db.models import F, Q

from objectives.models.indicators import Indicator
from objectives.spc import Baseline, Kind
from qms.addresses import page_of
from qms.records import Record, RecordQuerySet, StatefulRecord

FRACTION: dict[str, Any] = {"max_length": 120, "editable": False}


class ControlLimitsQuerySet(RecordQuerySet):
    def in_force(self) -> Self:
        """Decisions that were not taken back."""
        return self.filter(status=ControlLimits.Status.IN_FORCE)


class ControlLimits(StatefulRecord):
    """The decision to judge an indicator from a day on by limits computed from some readings.

    `centre`, `spread` and `size` are exact fractions (see `spc.Baseline`), so that they never move:
    a reading of the baseline that is corrected later changes them no more. `left_out` are the days
    of readings that were known to be special and did not count.
    """

    class Status(models.TextChoices):
        IN_FORCE = "in_force", "In force"
        VOID = "void", "Void"

    PATHS = {("in_force", "void")}
    STATE_TONES = {"void": "void"}
    FROZEN = {
        "indicator",
        "chart",
        "holds_from",
        "first_on",
        "last_on",
        "left_out",
        "because",
        "centre",
        "spread",
        "size",
        "periods",
    }
    FROZEN_IN = {"in_force", "void"}

    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="control_limits")
    chart = models.CharField("chart", max_length=8, choices=Indicator.Chart, editable=False)
    holds_from = models.DateField("hold from")
    first_on = models.DateField("from the reading of")
    last_on = models.DateField("to the reading of")
    left_out = models.JSONField("readings left out", default=list, blank=True)
    because = models.TextField("why", max_length=2000)
    centre = models.CharField("centre", **FRACTION)
    spread = models.CharField("spread", **FRACTION)
    size = models.CharField("size", **FRACTION)
    periods = models.PositiveIntegerField("computed from", editable=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.IN_FORCE, editable=False)

    objects = ControlLimitsQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "control limits"
        verbose_name_plural = "control limits"
        constraints = [
            models.UniqueConstraint(
                fields=["indicator", "holds_from"],
                condition=Q(status="in_force"),
                name="objectives_limits_once_a_day",
            ),
            models.CheckConstraint(
                condition=Q(last_on__gte=F("first_on")) & ~Q(because=""),
                name="objectives_limits_say_why",
            ),
        ]

    def __str__(self) -> str:
        return f"Control limits of {self.indicator.number} from {self.holds_from:%-d %B %Y}"

    def get_absolute_url(self) -> str:
        return page_of("objectives:limits_detail", self.pk)

    @property
    def is_released(self) -> bool:
        return True

    @property
    def title(self) -> str:
        return str(self)

    @property
    def baseline(self) -> Baseline:
        """The limits as the charts use them."""
        return Baseline(
            Kind(self.chart),
            Fraction(self.centre),
            Fraction(self.spread),
            Fraction(self.size),
            self.periods,
        )


class SignalAnswer(Record):
    """What was found when somebody looked behind a signal: a cause, nothing, a nonconformity.

    One for a reading; it answers every rule that the reading completes, and the same rule as long
    as the readings after it go on completing it. What corrects the reading is asked about anew.
    """

    class Found(models.TextChoices):
        CAUSE = "cause", "A cause we know and need not act on"
        ACTED = "acted", "A cause we have acted on"
        CHANGED = "changed", "A lasting change: new limits are needed"
        NONCONFORMITY = "nonconformity", "A nonconformity is raised"
        NOTHING = "nothing", "Nothing special was found"

    indicator = models.ForeignKey(Indicator, models.PROTECT, related_name="answers")
    day = models.DateField("signal at the reading of", editable=False)
    reading = models.ForeignKey(
        "objectives.Measurement", models.PROTECT, null=True, related_name="+", editable=False
    )
    rules = models.CharField("rules", max_length=60, editable=False)
    found = models.CharField("what was found", max_length=14, choices=Found)
    words = models.TextField("what it was, in words", max_length=4000)
    nonconformity = models.ForeignKey(
        "capa.Nonconformity", models.PROTECT, null=True, related_name="+", editable=False
    )

    class Meta(Record.Meta):
        verbose_name = "answer to a signal"
        verbose_name_plural = "answers to signals"
        constraints = [
            models.UniqueConstraint(
                fields=["indicator", "day", "reading"],
                nulls_distinct=False,
                name="objectives_signal_answered",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="objectives_answer_in_words"),
            models.CheckConstraint(
                condition=Q(found="nonconformity", nonconformity__isnull=False)
                | ~Q(found="nonconformity") & Q(nonconformity__isnull=True),
                name="objectives_answer_names_its_case",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.indicator.number}, signal of {self.day:%-d %B %Y}"

    def get_absolute_url(self) -> str:
        return self.indicator.get_absolute_url()

    @property
    def is_released(self) -> bool:
        return True

    @property
    def title(self) -> str:
        return f"Signal of {self.day:%-d %B %Y}"
