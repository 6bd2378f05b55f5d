"""Quality objectives and the readings that show how they stand (ISO 9001 6.2, 9.1).

A target that is revised keeps its earlier values in the history; a reading that was wrong stays
visible beside the one that corrects it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, OuterRef, Q
from django.urls import reverse

from qms import clock
from qms.clauses import EDITION_CHOICES
from qms.records import Numbered, RecordQuerySet, StatefulRecord
from qms.refusals import Refused

MOST_READINGS = 520  # as many as a list needs to judge: ten years of weeks
_number = {"max_digits": 20, "decimal_places": 6}


class ObjectiveQuerySet(RecordQuerySet):
    def active(self) -> Self:
        """Pursued now."""
        return self.filter(status=Objective.Status.ACTIVE)

    def pursued_between(self, start: date, end: date) -> Self:
        """Begun by `end` and not concluded before `start`; drafts and void ones left out."""
        rows = self.exclude(status__in=("draft", "void")).filter(starts_on__lte=end)
        return rows.exclude(concluded_on__lt=start)

    def with_readings(self) -> Self:
        """With the live readings on board (`known_days`, `known_values`), newest first."""
        live = Measurement.objects.live().filter(objective=OuterRef("pk"))
        newest = live.order_by("-measured_for", "-pk")
        return self.annotate(
            known_days=ArraySubquery(newest.values("measured_for")[:MOST_READINGS]),
            known_values=ArraySubquery(newest.values("value")[:MOST_READINGS]),
        )


class Objective(Numbered, StatefulRecord):
    """What is to be reached, by how much, by whom and when, and how it will be judged."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        ACHIEVED = "achieved", "Achieved"
        MISSED = "missed", "Missed"
        WITHDRAWN = "withdrawn", "Withdrawn"
        VOID = "void", "Void"

    class Direction(models.TextChoices):
        HIGHER = "higher", "Higher is better"
        LOWER = "lower", "Lower is better"
        WITHIN = "within", "Within a band"

    class Frequency(models.TextChoices):
        WEEKLY = "weekly", "Every week"
        MONTHLY = "monthly", "Every month"
        QUARTERLY = "quarterly", "Every quarter"

    class JudgedBy(models.TextChoices):
        LAST = "last", "The last reading"
        MEAN = "mean", "The mean of the readings since the start"

    SERIES = "OBJ"
    SETTLED = ("achieved", "missed", "withdrawn", "void")
    STATE_TONES = {"active": "info", "achieved": "fine", "missed": "late", "void": "void"}
    PATHS = {
        ("draft", "active"),
        ("active", "achieved"),
        ("active", "missed"),
        ("active", "withdrawn"),
        ("draft", "void"),
    }
    AIM = (
        "metric",
        "unit",
        "decimals",
        "direction",
        "baseline",
        "target",
        "target_relative_to_baseline",
        "lower_band",
        "upper_band",
        "judged_by",
        "starts_on",
        "deadline",
    )
    PLAN = ("plan", "resources", "evaluation", "communicated_to", "policy_commitment", "frequency")
    FROZEN = {"title", "edition", *AIM, *PLAN, "owner", "process", "verdict", "concluded_on"}
    FROZEN_IN = {"achieved", "missed", "withdrawn", "void"}

    title = models.CharField("objective, in a line", max_length=200)
    edition = models.CharField("edition", max_length=4, choices=EDITION_CHOICES, default="2026")
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="objectives",
        verbose_name="process",
        help_text="Empty: it belongs to the whole organisation.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="objectives",
        verbose_name="owner",
    )
    policy_commitment = models.TextField(
        "commitment of the policy it serves", blank=True, max_length=2000
    )
    metric = models.CharField(
        "what is measured", max_length=200, blank=True, help_text="For instance: orders on time."
    )
    unit = models.CharField("unit", max_length=20, blank=True, help_text="%, days, ppm, points.")
    decimals = models.PositiveSmallIntegerField(
        "decimals shown", default=1, validators=[MaxValueValidator(6)]
    )
    direction = models.CharField(
        "direction", max_length=8, choices=Direction, default=Direction.HIGHER
    )
    baseline = models.DecimalField("baseline", null=True, blank=True, **_number)  # type: ignore[arg-type]
    target = models.DecimalField("target", null=True, blank=True, **_number)  # type: ignore[arg-type]
    target_relative_to_baseline = models.BooleanField(
        "the target is a change of the baseline in percent",
        default=False,
        help_text="“Reduce by 15 percent”: lower is better, target 15, and this ticked.",
    )
    lower_band = models.DecimalField("lower end of the band", null=True, blank=True, **_number)  # type: ignore[arg-type]
    upper_band = models.DecimalField("upper end of the band", null=True, blank=True, **_number)  # type: ignore[arg-type]
    judged_by = models.CharField("judged by", max_length=6, choices=JudgedBy, default=JudgedBy.LAST)
    starts_on = models.DateField("starts on")
    deadline = models.DateField("deadline", null=True, blank=True)
    frequency = models.CharField(
        "measured", max_length=10, choices=Frequency, default=Frequency.MONTHLY
    )
    plan = models.TextField("what will be done", blank=True, max_length=10_000)
    resources = models.TextField("resources needed", blank=True, max_length=10_000)
    evaluation = models.TextField(
        "how the result is evaluated",
        blank=True,
        max_length=10_000,
        help_text="Where the figures come from, and who computes them how.",
    )
    communicated_to = models.TextField("communicated to", blank=True, max_length=2000)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT, editable=False)
    activated_on = models.DateField("active since", null=True, editable=False)
    verdict = models.TextField("verdict", blank=True, editable=False)
    concluded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    concluded_on = models.DateField("concluded on", null=True, editable=False)

    objects = ObjectiveQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "objective"
        indexes = [
            models.Index(fields=["status", "deadline"], name="objectives_status_deadline"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["active", "achieved", "missed"])
                | (
                    ~Q(metric="")
                    & ~Q(unit="")
                    & ~Q(evaluation="")
                    & Q(baseline__isnull=False, deadline__isnull=False, owner__isnull=False)
                    & (
                        Q(target__isnull=False)
                        | Q(direction="within", lower_band__isnull=False, upper_band__isnull=False)
                    )
                ),
                name="objectives_active_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(deadline__isnull=True) | Q(deadline__gt=F("starts_on")),
                name="objectives_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(lower_band__isnull=True)
                | Q(upper_band__isnull=True)
                | Q(lower_band__lt=F("upper_band")),
                name="objectives_band_is_open",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["achieved", "missed"])
                | (~Q(verdict="") & Q(concluded_by__isnull=False, concluded_on__isnull=False)),
                name="objectives_concluded_with_verdict",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("objectives:objective_detail", args=[self.pk])

    def number_series(self) -> tuple[str, int | None]:
        """Numbered in the year it starts in."""
        return self.SERIES, self.starts_on.year

    @property
    def is_settled(self) -> bool:
        return self.status in self.SETTLED

    @property
    def goal(self) -> Decimal | None:
        """The value to reach, in the unit; None within a band or while it cannot be computed."""
        if self.direction == self.Direction.WITHIN or self.target is None:
            return None
        if not self.target_relative_to_baseline:
            return self.target
        if self.baseline is None:
            return None
        sign = -1 if self.direction == self.Direction.LOWER else 1
        return self.baseline * (100 + sign * self.target) / 100

    @property
    def missing(self) -> list[str]:
        """What an objective must say before it is pursued and does not say yet, in words."""
        within = self.direction == self.Direction.WITHIN
        band = None not in (self.lower_band, self.upper_band)
        asked = [
            ("what is measured", self.metric.strip()),
            ("the unit", self.unit.strip()),
            ("the baseline", self.baseline is not None),
            ("both ends of the band", band) if within else ("the target", self.target is not None),
            ("by when", self.deadline is not None),
            ("who owns it", self.owner_id is not None),
            ("how the result is evaluated", self.evaluation.strip()),
        ]
        return [words for words, said in asked if not said]

    def check_order(self) -> None:
        """Refuse a deadline before the start, and a band that is closed."""
        if self.deadline is not None and self.deadline <= self.starts_on:
            raise Refused("The deadline lies after the start.", field="deadline")
        if self.lower_band is None or self.upper_band is None:
            return
        if self.lower_band >= self.upper_band:
            raise Refused("The lower end lies below the upper end.", field="lower_band")

    def _check_change(self, stored: Self, *, transition: bool) -> None:
        super()._check_change(stored, transition=transition)
        if transition:
            return
        self.check_order()
        if stored.status == self.Status.ACTIVE and self.missing:
            raise Refused(f"It is pursued, so it cannot lose {in_a_row(self.missing)}.")

    def shown(self, value: Decimal | None) -> str:
        """A value with its decimals and unit, as people read it; a dash for none."""
        if value is None:
            return "–"
        return f"{value:,.{self.decimals}f} {self.unit}".strip()

    @property
    def aim_in_words(self) -> str:
        """What is to be reached: “at least 90 %”, “at most 4.2 days”, “2 to 4 points”."""
        if self.direction == self.Direction.WITHIN:
            return f"{self.shown(self.lower_band)} to {self.shown(self.upper_band)}"
        words = "at most" if self.direction == self.Direction.LOWER else "at least"
        return f"{words} {self.shown(self.goal)}" if self.goal is not None else "–"


def in_a_row(words: list[str]) -> str:
    """Words as people list them: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


@dataclass(frozen=True)
class AimThen:
    """What an objective aimed at from some instant on, who set it so, and why."""

    since: datetime
    aim: str
    deadline: date | None
    by: Any
    reason: str


def aims_of(objective: Objective) -> list[AimThen]:
    """Every target and deadline the objective has had since it became active, oldest first."""
    found: list[AimThen] = []
    rows = objective.history.exclude(status="draft").select_related("history_user")
    for row in rows.order_by("history_id"):
        then = row.instance
        if found and (found[-1].aim, found[-1].deadline) == (then.aim_in_words, then.deadline):
            continue
        words = (then.aim_in_words, then.deadline, row.history_user, row.history_change_reason)
        found.append(AimThen(row.history_date, *words))
    return found


class MeasurementQuerySet(RecordQuerySet):
    def live(self) -> Self:
        """Readings that count: neither corrected nor void."""
        return self.filter(status=Measurement.Status.LIVE)

    def between(self, start: date, end: date) -> Self:
        return self.filter(measured_for__range=(start, end))


class Measurement(StatefulRecord):
    """One reading of an objective; its value never changes, a correction is a reading of its own.

    `measured_for` is the day the value stands for, `happened_at` when it was read, `recorded_at`
    when it was entered.
    """

    class Status(models.TextChoices):
        LIVE = "live", "Counts"
        CORRECTED = "corrected", "Corrected"
        VOID = "void", "Void"

    STATE_TONES = {"corrected": "void", "void": "void"}
    PATHS = {("live", "corrected"), ("live", "void")}
    FROZEN = {"objective", "measured_for", "value", "note", "happened_at", "corrects"}
    FROZEN_IN = {"live", "corrected", "void"}

    objective = models.ForeignKey(Objective, models.PROTECT, related_name="measurements")
    measured_for = models.DateField("value of")
    value = models.DecimalField("value", **_number)  # type: ignore[arg-type]
    note = models.TextField("note", blank=True, max_length=2000)
    happened_at = models.DateTimeField("read at", default=clock.now)
    corrects = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="corrections", editable=False
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.LIVE, editable=False)

    objects = MeasurementQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "reading"
        indexes = [
            models.Index(fields=["objective", "measured_for"], name="objectives_reading_day"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["objective", "measured_for"],
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
        ]

    def __str__(self) -> str:
        return f"{self.objective.number} on {self.measured_for:%-d %B %Y}"

    def get_absolute_url(self) -> str:
        return reverse("objectives:measurement_detail", args=[self.pk])

    @property
    def is_released(self) -> bool:
        """A reading is on record from the moment it is entered."""
        return True

    @property
    def title(self) -> str:
        return f"Reading of {self.measured_for:%-d %B %Y}"

    @property
    def shown(self) -> str:
        return self.objective.shown(self.value)


def readings_of(objective: Any, until: date | None = None) -> list[tuple[date, Decimal]]:
    """The live readings of an objective by day, oldest first, up to `until` (inclusive).

    Asks the database only when the objective was not read `with_readings()`.
    """
    if hasattr(objective, "known_days"):
        found = list(zip(objective.known_days, objective.known_values, strict=True))[::-1]
    else:
        rows = objective.measurements.filter(status=Measurement.Status.LIVE)
        found = list(rows.order_by("measured_for", "pk").values_list("measured_for", "value"))
    return [(day, value) for day, value in found if until is None or day <= until]
