"""An indicator: what is measured again and again, in which unit, how often, and by whom (9.1.1)."""

from decimal import Decimal
from typing import Any, Self

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, OuterRef, Q

from qms.addresses import page_of
from qms.records import Numbered, RecordQuerySet, StatefulRecord
from qms.refusals import Refused

MOST_READINGS = 520  # as many as a list needs to judge: ten years of weeks
SPARK_READINGS = 24  # as many as a list of indicators draws
NUMBER: dict[str, Any] = {"max_digits": 20, "decimal_places": 6}


class IndicatorQuerySet(RecordQuerySet):
    def in_use(self) -> Self:
        """Measured now."""
        return self.filter(status=Indicator.Status.ACTIVE)

    def computed(self) -> Self:
        """Those whose values the program computes itself."""
        return self.filter(collection=Indicator.Collection.COMPUTED)

    def answered_by(self, person: Any) -> Self:
        """Those whose readings this person enters, because they are responsible."""
        return self.filter(responsible=person)

    def known_as(self, words: str) -> Self:
        """Indicators with these words in number or name."""
        return self.filter(Q(number__icontains=words) | Q(title__icontains=words))

    def with_readings(self, most: int = SPARK_READINGS) -> Self:
        """With the newest live readings on board (`known_days`, `known_values`), newest first."""
        measurement = apps.get_model("objectives", "Measurement")
        live = measurement.objects.live().filter(indicator=OuterRef("pk"))
        newest = live.order_by("-measured_for")
        return self.annotate(
            known_days=ArraySubquery(newest.values("measured_for")[:most]),
            known_values=ArraySubquery(newest.values("value")[:most]),
        )


class Indicator(Numbered, StatefulRecord):
    """What is measured again and again: its unit, its rhythm, its source, who answers for it.

    `per` is what a count is given per: 100 where shares are in percent, 1,000,000 for ppm. The
    limits say what is acceptable; they are neither a target nor control limits.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "In use"
        RETIRED = "retired", "Retired"
        VOID = "void", "Void"

    class Direction(models.TextChoices):
        HIGHER = "higher", "Higher is better"
        LOWER = "lower", "Lower is better"
        WITHIN = "within", "Within a band"

    class Frequency(models.TextChoices):
        DAILY = "daily", "Every day"
        WEEKLY = "weekly", "Every week"
        MONTHLY = "monthly", "Every month"
        QUARTERLY = "quarterly", "Every quarter"
        YEARLY = "yearly", "Every year"

    class Collection(models.TextChoices):
        HAND = "hand", "Entered by hand"
        SHEET = "sheet", "Imported from a sheet"
        API = "api", "Sent by another program"
        COMPUTED = "computed", "Computed from our own records"

    class Chart(models.TextChoices):
        RUN = "run", "Run chart"
        IMR = "i-mr", "Individual values and moving range (I-MR)"
        XBAR_R = "xbar-r", "Means and ranges of subgroups (X-bar-R)"
        P = "p", "Share nonconforming, of n (p)"
        NP = "np", "Number nonconforming, of a constant n (np)"
        C = "c", "Number of nonconformities (c)"
        U = "u", "Nonconformities per unit, of n (u)"
        EWMA = "ewma", "Weighted moving average (EWMA)"

    class Rules(models.TextChoices):
        WESTERN_ELECTRIC = "western-electric", "Western Electric"
        NELSON = "nelson", "Nelson"

    SERIES = "IND"
    DIGITS = 4
    STATE_TONES = {"active": "fine", "retired": "void", "void": "void"}
    PATHS = {("active", "retired"), ("retired", "active"), ("active", "void")}
    OF_COUNTS = ("p", "np", "u")  # charts that ask how many were counted, of how many
    MEANING = ("unit", "frequency", "per")  # what its readings stand on
    DEFINITION = (
        "title",
        *MEANING,
        "decimals",
        "direction",
        "lower_limit",
        "upper_limit",
        "starts_on",
        "source",
        "responsible",
        "process",
        "site",
        "collection",
        "computed_by",
        "chart",
        "rules",
    )
    FROZEN = set(DEFINITION)
    FROZEN_IN = {"retired", "void"}

    title = models.CharField(
        "what is measured", max_length=200, help_text="For instance: orders delivered on time."
    )
    unit = models.CharField("unit", max_length=20, help_text="%, days, ppm, points, complaints.")
    decimals = models.PositiveSmallIntegerField(
        "decimals shown", default=1, validators=[MaxValueValidator(6)]
    )
    direction = models.CharField(
        "direction", max_length=8, choices=Direction, default=Direction.HIGHER
    )
    frequency = models.CharField(
        "measured", max_length=10, choices=Frequency, default=Frequency.MONTHLY
    )
    starts_on = models.DateField("measured since")
    source = models.TextField(
        "where the figures come from",
        blank=True,
        max_length=2000,
        help_text="The system, list or count, and who takes them from there.",
    )
    responsible = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="indicators",
        verbose_name="responsible",
    )
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="indicators",
        verbose_name="process",
    )
    site = models.ForeignKey(
        "scope.Site",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="indicators",
        verbose_name="site",
    )
    collection = models.CharField(
        "collected", max_length=8, choices=Collection, default=Collection.HAND
    )
    computed_by = models.CharField("computed from", max_length=120, blank=True)
    lower_limit = models.DecimalField("acceptable from", null=True, blank=True, **NUMBER)
    upper_limit = models.DecimalField("acceptable to", null=True, blank=True, **NUMBER)
    chart = models.CharField("chart", max_length=8, choices=Chart, default=Chart.RUN)
    rules = models.CharField(
        "rules for signals", max_length=20, choices=Rules, default=Rules.WESTERN_ELECTRIC
    )
    per = models.DecimalField(
        "counts are given per",
        default=Decimal(1),
        help_text="Only for counts of n: 100 for percent, 1000 for per thousand, 1000000 for ppm.",
        **NUMBER,
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE, editable=False)

    objects = IndicatorQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "indicator"
        indexes = [
            models.Index(fields=["status", "title"], name="objectives_indicator_title"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(title="") & ~Q(unit=""), name="objectives_indicator_is_named"
            ),
            models.CheckConstraint(
                condition=Q(collection="computed") & ~Q(computed_by="")
                | ~Q(collection="computed") & Q(computed_by=""),
                name="objectives_computed_from_something",
            ),
            models.CheckConstraint(
                condition=Q(lower_limit__isnull=True)
                | Q(upper_limit__isnull=True)
                | Q(lower_limit__lt=F("upper_limit")),
                name="objectives_limits_are_open",
            ),
            models.CheckConstraint(condition=Q(per__gt=0), name="objectives_per_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("objectives:indicator_detail", self.pk)

    @property
    def is_released(self) -> bool:
        """It is measured from the moment it is there, so a change says why."""
        return True

    @property
    def is_settled(self) -> bool:
        return self.status != self.Status.ACTIVE

    @property
    def is_computed(self) -> bool:
        return self.collection == self.Collection.COMPUTED

    @property
    def asks(self) -> str:
        """What a reading of it is made of: a "value", a "count" of n, or a "subgroup"."""
        if self.chart in self.OF_COUNTS:
            return "count"
        return "subgroup" if self.chart == self.Chart.XBAR_R else "value"

    def check_order(self) -> None:
        """Refuse limits that are closed, and a share that is given per nothing."""
        if self.per <= 0:
            raise Refused("Counts are given per a positive number, like 100.", field="per")
        if self.lower_limit is None or self.upper_limit is None:
            return
        if self.lower_limit >= self.upper_limit:
            raise Refused("The lower limit lies below the upper one.", field="lower_limit")

    def _check_change(self, stored: Self, *, transition: bool) -> None:
        super()._check_change(stored, transition=transition)
        if not transition:
            self.check_order()

    def shown(self, value: Decimal | None) -> str:
        """A value with its decimals and unit, as people read it; a dash for none."""
        return in_unit(value, self.unit, self.decimals)


def in_unit(value: Decimal | None, unit: str, decimals: int) -> str:
    """A value as people read it: "12.5 %"; a dash for none."""
    if value is None:
        return "–"
    return f"{value:,.{decimals}f} {unit}".strip()
