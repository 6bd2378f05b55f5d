"""Audit programmes: what is to be audited over one to three years, and with what means (9.2.1)."""

from datetime import date
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from audits.programme import MOST_YEARS, programme_years
from qms.clauses import EDITION_CHOICES
from qms.periods import Period
from qms.records import Numbered, RecordQuerySet, StatefulRecord


class AuditProgrammeQuerySet(RecordQuerySet):
    def current(self, on: date) -> Self:
        """Approved programmes whose years are not over, the newest first."""
        rows = self.filter(status=AuditProgramme.Status.APPROVED, starts_on__lte=on)
        return rows.filter(ends_on__gte=on).order_by("-starts_on", "-pk")


class AuditProgramme(Numbered, StatefulRecord):
    """The programme of one to three years; its audits are planned one by one and name it."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        APPROVED = "approved", "Approved"
        CLOSED = "closed", "Closed"
        VOID = "void", "Void"

    SERIES = "AP"
    STATE_TONES = {"approved": "info", "closed": "fine", "void": "void"}
    PATHS = {
        ("draft", "approved"),
        ("approved", "draft"),
        ("approved", "closed"),
        ("draft", "void"),
    }
    WORDS = ("objectives", "risks", "methods", "resources")
    FROZEN = {"title", "starts_on", "ends_on", "years", "edition", *WORDS}
    FROZEN_IN = {"approved", "closed", "void"}
    SIGNED_FIELDS = ("number", "title", "starts_on", "years", "edition", *WORDS)

    title = models.CharField("title", max_length=120)
    starts_on = models.DateField("starts on")
    years = models.PositiveSmallIntegerField(
        "years",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_YEARS)],
        help_text="One year, or the three of a certification cycle.",
    )
    ends_on = models.DateField("ends on", editable=False)
    edition = models.CharField("edition", max_length=4, choices=EDITION_CHOICES, default="2026")
    objectives = models.TextField(
        "objectives", blank=True, help_text="What the audits of these years are to find out."
    )
    risks = models.TextField(
        "risks of the programme",
        blank=True,
        help_text="What could keep it from being carried out or believed, and what is done then.",
    )
    methods = models.TextField(
        "methods", blank=True, help_text="On site, remote or both, and how samples are chosen."
    )
    resources = models.TextField("resources", blank=True, help_text="Auditors, days, travel.")
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    approved_on = models.DateField("approved on", null=True, editable=False)

    objects = AuditProgrammeQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "audit programme"
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "closed"])
                | (
                    Q(approved_by__isnull=False, approved_on__isnull=False)
                    & ~Q(objectives="")
                    & ~Q(risks="")
                    & ~Q(methods="")
                    & ~Q(resources="")
                ),
                name="audits_programme_approved_whole",
            ),
            models.CheckConstraint(
                condition=Q(years__range=(1, MOST_YEARS)), name="audits_programme_years"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("audits:programme_detail", args=[self.pk])

    def number_series(self) -> tuple[str, int | None]:
        """Numbered in the year it starts in."""
        return self.SERIES, self.starts_on.year

    def _begin(self) -> None:
        self.ends_on = self.period.end
        super()._begin()

    @property
    def cycle(self) -> tuple[Period, ...]:
        """Its programme years, twelve months each."""
        return programme_years(self.starts_on, self.years)

    @property
    def period(self) -> Period:
        return Period(self.starts_on, self.cycle[-1].end)
