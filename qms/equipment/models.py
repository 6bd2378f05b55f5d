"""Monitoring and measuring equipment, its calibrations, and what a bad one put in doubt (7.1.5).

A calibration is never edited: a newer one takes its place, or it is voided. Deviations are from the
reference, in the unit of the instrument.
"""

from datetime import date
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from qms.addresses import page_of
from qms.records import Numbered, RecordQuerySet, StatefulRecord
from qms.recurring import SOME_MONTHS, Recurring, RecurringQuerySet
from qms.refusals import Refused

VALUE: dict[str, int] = {"max_digits": 20, "decimal_places": 8}


class Result(models.TextChoices):
    PASS = "pass", "Passed"
    ADJUSTED = "adjusted", "Adjusted"
    FAIL = "fail", "Failed"


GOOD = (Result.PASS.value, Result.ADJUSTED.value)
RESULT_TONES = {"pass": "fine", "adjusted": "soon", "fail": "late"}


class EquipmentQuerySet(RecurringQuerySet):
    def open(self) -> Self:
        """Everything that is not retired."""
        return self.exclude(status=Equipment.Status.RETIRED)

    def in_use(self) -> Self:
        return self.filter(status=Equipment.Status.IN_USE)

    def fit(self, on: date) -> Self:
        """What may be measured with on a day: in use, and not overdue."""
        return self.in_use().filter(Q(next_due=None) | Q(next_due__gte=on))

    def known_as(self, words: str) -> Self:
        """Instruments with these words in number, name, serial number or what they measure."""
        return self.filter(
            Q(number__icontains=words)
            | Q(name__icontains=words)
            | Q(serial__icontains=words)
            | Q(measures__icontains=words)
        )


class Equipment(Recurring, Numbered, StatefulRecord):
    """Something results are measured or monitored with, and whether it is fit for that today.

    Without an interval it is verified before each use. `tolerance` is the deviation accepted to
    either side; `last_result` is that of the newest calibration.
    """

    class Status(models.TextChoices):
        OUT_OF_USE = "out_of_use", "Out of use"
        IN_USE = "in_use", "In use"
        RETIRED = "retired", "Retired"

    SERIES = "ME"
    DIGITS = 4
    FIRST_DAYS = 0
    STATE_TONES = {"in_use": "fine", "out_of_use": "late", "retired": "void"}
    PATHS = {
        ("out_of_use", "in_use"),
        ("in_use", "out_of_use"),
        ("in_use", "retired"),
        ("out_of_use", "retired"),
        ("retired", "out_of_use"),
    }
    FROZEN = {"name", "maker", "serial", "measures", "unit", "owner", "every_months"}
    FROZEN_IN = {"retired"}

    name = models.CharField("name", max_length=120)
    maker = models.CharField("maker and type", max_length=120, blank=True)
    serial = models.CharField("serial number", max_length=60, blank=True)
    site = models.ForeignKey(
        "scope.Site", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="site"
    )
    location = models.CharField("where it is", max_length=120, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="owner"
    )
    measures = models.CharField("what it measures", max_length=200)
    unit = models.CharField(
        "unit", max_length=20, blank=True, help_text="As on its scale: mm, bar, °C, N·m."
    )
    span = models.CharField("range", max_length=60, blank=True, help_text="Such as 0–150 mm.")
    resolution = models.DecimalField(
        "resolution",
        null=True,
        blank=True,
        **VALUE,  # type: ignore[arg-type]
    )
    tolerance = models.DecimalField(
        "deviation accepted (±)",
        null=True,
        blank=True,
        **VALUE,  # type: ignore[arg-type]
    )
    acceptance = models.TextField(
        "acceptance criterion",
        blank=True,
        max_length=2000,
        help_text="What it must be good enough for, or how it is verified before use.",
    )
    every_months = models.PositiveSmallIntegerField(  # type: ignore[assignment]
        "calibrated every (months)",
        null=True,
        blank=True,
        validators=SOME_MONTHS,
        help_text="Left empty: it is verified before each use.",
    )
    next_due = models.DateField("next calibration", null=True, editable=False)  # type: ignore[assignment]
    status = models.CharField(
        max_length=10, choices=Status, default=Status.OUT_OF_USE, editable=False, db_index=True
    )
    last_result = models.CharField(
        "last result", max_length=8, choices=Result, blank=True, editable=False
    )

    objects = EquipmentQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "measuring equipment"
        verbose_name_plural = "measuring equipment"
        indexes = [models.Index(fields=["status", "next_due"], name="equipment_due")]
        constraints = [
            Recurring.interval_constraint("equipment_interval_is_some_months"),
            models.CheckConstraint(
                condition=~Q(status="in_use")
                | Q(every_months__isnull=True)
                | Q(last_result__in=list(GOOD)),
                name="equipment_in_use_was_calibrated",
            ),
            models.CheckConstraint(
                condition=~Q(last_result="fail") | ~Q(status="in_use"),
                name="equipment_failed_is_not_in_use",
            ),
            models.CheckConstraint(
                condition=Q(tolerance=None) | (Q(tolerance__gt=0) & ~Q(unit="")),
                name="equipment_tolerance_has_a_unit",
                violation_error_message="A deviation is more than nothing, and has a unit.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    def get_absolute_url(self) -> str:
        return page_of("equipment:equipment_detail", self.pk)

    @property
    def title(self) -> str:
        return self.name

    def _check_change(self, stored: Any, *, transition: bool) -> None:
        super()._check_change(stored, transition=transition)
        waits = self.every_months is not None and self.last_result not in GOOD
        if self.status == self.Status.IN_USE and waits and not transition:
            raise Refused(
                "It was never calibrated with a good result. Take it out of use first.",
                field="every_months",
            )

    @property
    def is_released(self) -> bool:
        return True

    @property
    def is_settled(self) -> bool:
        return self.status == self.Status.RETIRED

    @property
    def accepted(self) -> str:
        """The deviation accepted, with its unit; empty where none is set."""
        if self.tolerance is None:
            return ""
        return f"± {self.tolerance.normalize():f} {self.unit}"

    def why_not_fit(self, on: date) -> str:
        """Why nothing may be measured with it on a day; empty where it may."""
        if self.status == self.Status.RETIRED:
            return "It is retired."
        if self.last_result == Result.FAIL:
            return "Its last calibration failed."
        if self.every_months is not None and not self.last_result:
            return "It was not calibrated yet."
        if self.is_overdue(on):
            return f"Its calibration was due on {self.next_due:%-d %B %Y}."
        if self.status != self.Status.IN_USE:
            return "It is out of use."
        return ""


class CalibrationQuerySet(RecordQuerySet):
    def standing(self) -> Self:
        """Not taken back."""
        return self.filter(status=Calibration.Status.RECORDED)

    def newest_first(self) -> Self:
        return self.order_by("-calibrated_on", "-pk")


class Calibration(Numbered, StatefulRecord):
    """What a calibration or verification found, against which reference, and until when it holds.

    `result` says how the instrument was handed back; what it was found like before an adjustment
    stands in `as_found`.
    """

    class Status(models.TextChoices):
        RECORDED = "recorded", "Recorded"
        VOID = "void", "Void"

    SERIES = "CAL"
    STATE_TONES = {"void": "void"}
    PATHS = {("recorded", "void")}
    FROZEN = {
        "equipment",
        "calibrated_on",
        "calibrated_by",
        "laboratory",
        "reference",
        "unit",
        "tolerance",
        "as_found",
        "as_left",
        "result",
        "note",
        "next_due",
    }
    FROZEN_IN = {"recorded", "void"}
    TAKES_PROOF_IN = {"recorded"}

    equipment = models.ForeignKey(Equipment, models.PROTECT, related_name="calibrations")
    calibrated_on = models.DateField("calibrated on")
    calibrated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="by one of us",
    )
    laboratory = models.CharField("or by a laboratory", max_length=120, blank=True)
    reference = models.CharField("reference and its traceability", max_length=300)
    unit = models.CharField("unit", max_length=20, blank=True)
    tolerance = models.DecimalField(
        "deviation accepted then",
        null=True,
        editable=False,
        **VALUE,  # type: ignore[arg-type]
    )
    as_found = models.DecimalField("deviation as found", null=True, blank=True, **VALUE)  # type: ignore[arg-type]
    as_left = models.DecimalField("deviation as left", null=True, blank=True, **VALUE)  # type: ignore[arg-type]
    result = models.CharField("result", max_length=8, choices=Result)
    note = models.TextField("note", blank=True, max_length=5000)
    next_due = models.DateField("next one due", null=True)
    status = models.CharField(
        max_length=10, choices=Status, default=Status.RECORDED, editable=False
    )

    objects = CalibrationQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "calibration"
        indexes = [models.Index(fields=["equipment", "-calibrated_on"], name="equipment_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(calibrated_by__isnull=False, laboratory="")
                | (Q(calibrated_by__isnull=True) & ~Q(laboratory="")),
                name="equipment_calibrated_by_one",
            ),
            models.CheckConstraint(
                condition=Q(as_found=None, as_left=None) | ~Q(unit=""),
                name="equipment_deviation_has_a_unit",
            ),
            models.CheckConstraint(condition=~Q(reference=""), name="equipment_is_traceable"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.equipment.name}"

    def get_absolute_url(self) -> str:
        return page_of("equipment:calibration_detail", self.pk)

    @property
    def result_tone(self) -> str:
        return RESULT_TONES.get(self.result, "")

    @property
    def is_void(self) -> bool:
        return self.status == self.Status.VOID

    @property
    def done_by(self) -> str:
        return self.calibrated_by.name if self.calibrated_by else self.laboratory

    @property
    def found_beyond(self) -> bool:
        """Whether what was measured before is in doubt: found beyond what is accepted."""
        if self.result == Result.FAIL:
            return True
        if self.result != Result.ADJUSTED:
            return False
        return beyond(self.as_found, self.tolerance) is not False


def beyond(deviation: Decimal | None, tolerance: Decimal | None) -> bool | None:
    """Whether a deviation is more than accepted; None where one of the two is not known."""
    if deviation is None or tolerance is None:
        return None
    return abs(deviation) > tolerance


class ImpactQuerySet(RecordQuerySet):
    def open(self) -> Self:
        return self.filter(status=ImpactAssessment.Status.OPEN)

    def overdue(self, on: date) -> Self:
        """Open, and to be decided before a day."""
        return self.open().filter(due__lt=on)


class ImpactAssessment(Numbered, StatefulRecord):
    """Whether earlier results still hold after an instrument was found wrong (7.1.5.2).

    `since` is the day of the last good result; None where there is none, so that everything ever
    measured with it is in doubt.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        VALID = "valid", "Results hold"
        NOT_VALID = "not_valid", "Results do not hold"
        VOID = "void", "Void"

    SERIES = "IMP"
    STATE_TONES = {"open": "soon", "valid": "fine", "not_valid": "late"}
    PATHS = {("open", "valid"), ("open", "not_valid"), ("open", "void")}
    FROZEN = {"calibration", "since", "until", "owner", "measured", "conclusion", "consequences"}
    FROZEN_IN = {"valid", "not_valid", "void"}
    SIGNED_FIELDS = (
        "number",
        "calibration",
        "since",
        "until",
        "measured",
        "conclusion",
        "consequences",
    )

    calibration = models.OneToOneField(Calibration, models.PROTECT, related_name="impact")
    calibrated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    since = models.DateField("since", null=True, editable=False)
    until = models.DateField("until", editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="owner"
    )
    due = models.DateField("decided by")
    measured = models.TextField(
        "what was measured with it since",
        blank=True,
        max_length=10_000,
        help_text="Orders, lots, reports: whatever was accepted with it. “Nothing” is an answer.",
    )
    status = models.CharField(
        max_length=10, choices=Status, default=Status.OPEN, editable=False, db_index=True
    )
    conclusion = models.TextField("conclusion", blank=True, editable=False)
    consequences = models.TextField("consequences", blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    decided_on = models.DateField("decided on", null=True, editable=False)

    objects = ImpactQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "impact assessment"
        constraints = [
            models.CheckConstraint(
                condition=Q(since=None) | Q(since__lte=F("until")),
                name="equipment_impact_looks_back",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["valid", "not_valid"])
                | (
                    Q(decided_by__isnull=False, decided_on__isnull=False)
                    & ~Q(conclusion="")
                    & ~Q(decided_by=F("created_by"))
                    & (Q(calibrated_by__isnull=True) | ~Q(decided_by=F("calibrated_by")))
                ),
                name="equipment_impact_decided_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(status="not_valid") | ~Q(consequences=""),
                name="equipment_impact_has_consequences",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.calibration.equipment.name}"

    def get_absolute_url(self) -> str:
        return page_of("equipment:impact_detail", self.pk)

    @property
    def is_settled(self) -> bool:
        return self.status != self.Status.OPEN
