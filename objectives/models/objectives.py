"""Quality objectives: what is to be reached, by when, by whom, judged by an indicator (6.2).

A target that is revised keeps its earlier values in the history.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import DateField, ExpressionWrapper, F, OuterRef, Q
from django.db.models.functions import Coalesce

from objectives.models.indicators import MOST_READINGS, NUMBER, Indicator, in_unit
from objectives.models.readings import WITHIN_A_YEAR, Measurement
from qms.addresses import page_of
from qms.clauses import EDITION_CHOICES
from qms.records import Numbered, RecordQuerySet, StatefulRecord
from qms.refusals import Refused

LATEST_DAY = date(2199, 1, 1)


class ObjectiveQuerySet(RecordQuerySet):
    def active(self) -> Self:
        """Pursued now."""
        return self.filter(status=Objective.Status.ACTIVE)

    def pursued_between(self, start: date, end: date) -> Self:
        """Begun by `end` and not concluded before `start`; drafts and void ones left out."""
        rows = self.exclude(status__in=("draft", "void")).filter(starts_on__lte=end)
        return rows.exclude(concluded_on__lt=start)

    def with_readings(self) -> Self:
        """With indicator and live readings on board (`known_days`, `known_values`), newest first.

        Those before its start and long after its deadline are another objective's.
        """
        last = ExpressionWrapper(
            Coalesce(OuterRef("deadline"), LATEST_DAY) + WITHIN_A_YEAR, output_field=DateField()
        )
        live = Measurement.objects.live().filter(indicator=OuterRef("indicator_id"))
        mine = live.filter(measured_for__gte=OuterRef("starts_on"), measured_for__lte=last)
        newest = mine.order_by("-measured_for")
        return self.select_related("indicator").annotate(
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

    Direction = Indicator.Direction

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
        "indicator",
        "direction",
        "baseline",
        "target",
        "target_relative_to_baseline",
        "lower_band",
        "upper_band",
        "judged_by",
        "starts_on",
        "deadline",
        "interim",
    )
    PLAN = ("plan", "resources", "evaluation", "communicated_to", "policy_commitment")
    PLACE = ("owner", "process", "site", "parent")
    FROZEN = {"title", "edition", *AIM, *PLAN, *PLACE, "verdict", "concluded_on"}
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
    site = models.ForeignKey(
        "scope.Site",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="objectives",
        verbose_name="site",
        help_text="Empty: every site.",
    )
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="parts",
        verbose_name="part of",
        help_text="The larger objective it helps to reach.",
    )
    indicator = models.ForeignKey(
        Indicator,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="objectives",
        verbose_name="judged by the indicator",
    )
    direction = models.CharField(
        "direction", max_length=8, choices=Direction, default=Direction.HIGHER
    )
    baseline = models.DecimalField("baseline", null=True, blank=True, **NUMBER)
    target = models.DecimalField("target", null=True, blank=True, **NUMBER)
    target_relative_to_baseline = models.BooleanField(
        "the target is a change of the baseline in percent",
        default=False,
        help_text="“Reduce by 15 percent”: lower is better, target 15, and this ticked.",
    )
    lower_band = models.DecimalField("lower end of the band", null=True, blank=True, **NUMBER)
    upper_band = models.DecimalField("upper end of the band", null=True, blank=True, **NUMBER)
    judged_by = models.CharField("judged by", max_length=6, choices=JudgedBy, default=JudgedBy.LAST)
    starts_on = models.DateField("starts on")
    deadline = models.DateField("deadline", null=True, blank=True)
    interim = models.JSONField("interim targets", default=list, blank=True)
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
                    ~Q(evaluation="")
                    & Q(indicator__isnull=False, owner__isnull=False)
                    & Q(baseline__isnull=False, deadline__isnull=False)
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
                condition=Q(parent__isnull=True) | ~Q(parent=F("pk")),
                name="objectives_no_part_of_itself",
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
        return page_of("objectives:objective_detail", self.pk)

    def number_series(self) -> tuple[str, int | None]:
        """Numbered in the year it starts in."""
        return self.SERIES, self.starts_on.year

    @property
    def is_settled(self) -> bool:
        return self.status in self.SETTLED

    # What the indicator says; lists read it `with_readings()`, which joins it.

    @property
    def metric(self) -> str:
        return self.indicator.title if self.indicator else ""

    @property
    def unit(self) -> str:
        return self.indicator.unit if self.indicator else ""

    @property
    def decimals(self) -> int:
        return self.indicator.decimals if self.indicator else 1

    @property
    def frequency(self) -> str:
        return self.indicator.frequency if self.indicator else Indicator.Frequency.MONTHLY

    def get_frequency_display(self) -> str:
        return self.indicator.get_frequency_display() if self.indicator else "–"

    @property
    def stages(self) -> list[tuple[date, Decimal]]:
        """The interim targets by day, the earliest first."""
        found = [(date.fromisoformat(each["on"]), Decimal(each["value"])) for each in self.interim]
        return sorted(found)

    @property
    def goal(self) -> Decimal | None:
        """The value to reach, in the unit; None within a band or while it cannot be computed."""
        relative = self.target_relative_to_baseline
        return goal_of(self.direction, self.target, self.baseline, relative=relative)

    @property
    def is_share_of_nothing(self) -> bool:
        """A change in percent of nothing is nothing."""
        within = self.direction == self.Direction.WITHIN
        return self.target_relative_to_baseline and not within and not self.baseline

    @property
    def missing(self) -> list[str]:
        """What an objective must say before it is pursued and does not say yet, in words."""
        within = self.direction == self.Direction.WITHIN
        band = None not in (self.lower_band, self.upper_band)
        asked = [
            ("what is measured and in which unit", self.indicator_id is not None),
            ("the baseline", self.baseline is not None),
            ("both ends of the band", band) if within else ("the target", self.target is not None),
            ("by when", self.deadline is not None),
            ("who owns it", self.owner_id is not None),
            ("how the result is evaluated", self.evaluation.strip()),
        ]
        return [words for words, said in asked if not said]

    def check_order(self) -> None:
        """Refuse a deadline before the start, stages outside the way, no change, a closed band."""
        if self.deadline is not None and self.deadline <= self.starts_on:
            raise Refused("The deadline lies after the start.", field="deadline")
        for day, _value in self.stages:
            if day <= self.starts_on or (self.deadline is not None and day >= self.deadline):
                raise Refused(
                    f"The interim target of {day:%-d %B %Y} lies outside the way: give a day "
                    "after the start and before the deadline.",
                    field="interim",
                )
        if self.target_relative_to_baseline and self.target is not None and self.target <= 0:
            raise Refused(
                "Write by how many percent, above 0; the direction says whether it rises or falls.",
                field="target",
            )
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
        if stored.status == self.Status.ACTIVE and self.is_share_of_nothing:
            raise Refused(
                "The target is a share of the baseline, so the baseline cannot be zero.",
                field="baseline",
            )

    def shown(self, value: Decimal | None) -> str:
        """A value with its decimals and unit, as people read it; a dash for none."""
        return in_unit(value, self.unit, self.decimals)

    def told_change(self, name: str, old: Any, new: Any) -> tuple[str, str] | None:
        """Interim targets as people write them."""
        if name != "interim":
            return None
        return self._told(old), self._told(new)

    def _told(self, interim: Any) -> str:
        said = [
            f"{self.shown(Decimal(each['value']))} by {date.fromisoformat(each['on']):%-d %B %Y}"
            for each in interim or []
        ]
        return "; ".join(said) or "none"

    @property
    def aim_in_words(self) -> str:
        """What is to be reached: “at least 90 %”, “at most 4.2 days”, “2 to 4 points”."""
        if self.direction == self.Direction.WITHIN:
            return f"{self.shown(self.lower_band)} to {self.shown(self.upper_band)}"
        words = "at most" if self.direction == self.Direction.LOWER else "at least"
        return f"{words} {self.shown(self.goal)}" if self.goal is not None else "–"


def goal_of(
    direction: str, target: Decimal | None, baseline: Decimal | None, *, relative: bool
) -> Decimal | None:
    """The value to reach; None within a band or while it cannot be computed.

    A relative target is a change in percent of the baseline's size: a baseline below zero that
    rises by a fifth comes nearer to zero.
    """
    if direction == Indicator.Direction.WITHIN or target is None:
        return None
    if not relative:
        return target
    if baseline is None:
        return None
    change = abs(baseline) * target / 100
    return baseline - change if direction == Indicator.Direction.LOWER else baseline + change


def in_a_row(words: list[str]) -> str:
    """Words as people list them: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


@dataclass(frozen=True)
class AimThen:
    """What an objective aimed at from some instant on, who set it so, and why.

    With what the aim is reckoned from: another baseline, start or way of judging is another aim.
    """

    since: datetime
    aim: str
    deadline: date | None
    stages: str
    basis: str
    by: Any
    reason: str


def aims_of(objective: Objective) -> list[AimThen]:
    """Every aim and deadline the objective has had since it became active, oldest first."""
    found: list[AimThen] = []
    rows = objective.history.exclude(status="draft").select_related("history_user")
    for row in rows.order_by("history_id"):
        then = row.instance
        then.indicator = objective.indicator  # of what is pursued it never changes
        stages = then._told(then.interim) if then.interim else ""
        basis = (
            f"from {then.shown(then.baseline)} on {then.starts_on:%-d %B %Y}, judged by "
            f"{then.get_judged_by_display().lower()}"
        )
        said = (then.aim_in_words, then.deadline, stages, basis)
        if found and said == (found[-1].aim, found[-1].deadline, found[-1].stages, found[-1].basis):
            continue
        words = (row.history_user, row.history_change_reason)
        found.append(AimThen(row.history_date, *said, *words))
    return found
