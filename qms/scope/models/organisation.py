"""The organisation and its sites (ISO 9001 4.3)."""

from datetime import date
from typing import Self
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Upper
from django.urls import reverse

from qms.addresses import page_of
from qms.clauses import EDITION_CHOICES, EDITIONS
from qms.records import Record, RecordQuerySet, StatefulRecord

_DAYS = [MinValueValidator(1), MaxValueValidator(730)]


def known_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"“{name}” is no time zone; write it like America/Toronto.")


class OrganisationQuerySet(RecordQuerySet):
    def current(self) -> "Organisation | None":
        """The organisation of this installation; None before it is set up."""
        return self.first()

    def edition(self) -> str:
        """The edition it works by; before it is set up, the newest one."""
        organisation = self.current()
        return str(organisation.edition) if organisation is not None else EDITIONS[-1]


class Organisation(Record):
    """The organisation whose quality system this is; there is one in an installation."""

    class Country(models.TextChoices):
        US = "US", "United States"
        GB = "GB", "United Kingdom"
        CA = "CA", "Canada"

    name = models.CharField("name", max_length=120)
    country = models.CharField("country", max_length=2, choices=Country)
    time_zone = models.CharField("time zone", max_length=60, validators=[known_zone])
    edition = models.CharField(
        "edition worked to", max_length=4, choices=EDITION_CHOICES, default="2026"
    )
    preparing = models.CharField(
        "edition being prepared", max_length=4, choices=EDITION_CHOICES, blank=True
    )
    region = models.CharField(
        "province, state or nation",
        max_length=3,
        blank=True,
        help_text="For its public holidays, like ON, TX or SCT.",
    )
    headcount = models.PositiveIntegerField("people", default=1)
    containment_days = models.PositiveIntegerField(
        "containment (days)", default=3, validators=_DAYS
    )
    cause_days = models.PositiveIntegerField("cause (days)", default=14, validators=_DAYS)
    action_days = models.PositiveIntegerField("action (days)", default=30, validators=_DAYS)
    effectiveness_days = models.PositiveIntegerField(
        "effectiveness after the action (days)", default=60, validators=_DAYS
    )
    approval_days = models.PositiveIntegerField(
        "review and approval (days)", default=3, validators=_DAYS
    )
    acknowledge_days = models.PositiveIntegerField(
        "a complaint is acknowledged within (working days)", default=2, validators=_DAYS
    )
    answer_days = models.PositiveIntegerField(
        "a complaint is answered within (working days)", default=10, validators=_DAYS
    )
    escalation_days = models.PositiveIntegerField(
        "an overdue action goes to the owner's manager after (days)",
        default=14,
        validators=_DAYS,
    )
    repeat_months = models.PositiveIntegerField(
        "the same cause within so many months is a repeat",
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
    )
    approves_plans = models.BooleanField(
        "somebody else approves the plan of a corrective action", default=False
    )
    only_row = models.BooleanField(default=True, editable=False, unique=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "organisation"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(only_row=True), name="scope_one_organisation"
            ),
            models.CheckConstraint(
                condition=~models.Q(preparing=models.F("edition")),
                name="scope_prepares_another_edition",
                violation_error_message=(
                    "The edition you prepare is the one you work to. Leave it empty."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("scope:organisation")

    @property
    def is_released(self) -> bool:
        return True

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def paper(self) -> str:
        """The paper reports are printed on."""
        return "A4" if self.country == "GB" else "Letter"


class Site(StatefulRecord):
    """A place where the organisation works."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        CLOSED = "closed", "Closed"

    PATHS = {("active", "closed"), ("closed", "active")}
    STATE_TONES = {"active": "fine", "closed": "void"}
    NAMED_BY = ("name",)

    name = models.CharField("name", max_length=120, unique=True)
    address = models.CharField("address", max_length=250, blank=True)
    headcount = models.PositiveIntegerField("people", default=0)
    shifts = models.PositiveSmallIntegerField("shifts", default=1)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE, editable=False)

    class Meta(StatefulRecord.Meta):
        verbose_name = "site"
        constraints = [
            models.UniqueConstraint(
                Upper("name"),
                name="scope_one_site_a_name",
                violation_error_message="There is a site with this name already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return page_of("scope:site_detail", self.pk)

    @property
    def title(self) -> str:
        return self.name


class ClosedTimeQuerySet(RecordQuerySet):
    def live(self) -> Self:
        """Those that were not taken back."""
        return self.filter(taken_back=False)

    def within(self, start: date, end: date) -> Self:
        """Those that touch the days from `start` to `end`, both included."""
        return self.live().filter(starts_on__lte=end, ends_on__gte=start)


class ClosedTime(Record):
    """That nothing is planned from a day to a day, at one site or at all of them.

    Public holidays are known without; this is for shut-downs, stocktaking, a site's own feast.
    """

    site = models.ForeignKey(
        Site,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="closed_times",
        verbose_name="site",
        help_text="Empty: at every site.",
    )
    starts_on = models.DateField("first day")
    ends_on = models.DateField("last day")
    why = models.CharField("why", max_length=120)
    taken_back = models.BooleanField("taken back: it does not take place", default=False)

    objects = ClosedTimeQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "closed time"
        indexes = [models.Index(fields=["starts_on", "ends_on"], name="scope_closed_days")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="scope_closed_ends_after_start",
            )
        ]

    def __str__(self) -> str:
        return self.why

    def get_absolute_url(self) -> str:
        return page_of("scope:closed_edit", self.pk)

    @property
    def is_released(self) -> bool:
        return True
