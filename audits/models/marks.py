"""Where the mark and the certificate of a body are used (ISO/IEC 17021-1 8.3)."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from audits.models.certification import Certificate
from qms.records import StatefulRecord
from qms.recurring import Recurring, RecurringQuerySet


class MarkUseQuerySet(RecurringQuerySet):
    def in_use(self) -> Self:
        return self.filter(status=MarkUse.Status.IN_USE)

    def to_take_down(self, on: date) -> Self:
        """In use although their certificate is not in force on a day."""
        in_force = Certificate.objects.valid(on).values("pk")
        return self.in_use().exclude(certificate__in=in_force)


class MarkUse(Recurring, StatefulRecord):
    """One place where the mark or the certificate is shown: what it says, and whether that holds.

    It is looked at again and again. Taken down it stays here, with the day.
    """

    class Status(models.TextChoices):
        IN_USE = "in_use", "In use"
        DOWN = "down", "Taken down"

    class Medium(models.TextChoices):
        WEBSITE = "website", "Website"
        LETTERS = "letters", "Letters, invoices, delivery notes"
        MAIL = "mail", "Signature of mails"
        PRINTED = "printed", "Brochure, advertisement"
        SIGN = "sign", "Sign, vehicle, building"
        FAIR = "fair", "Fair, presentation"
        PACKAGING = "packaging", "Packaging, accompanying paper"
        OTHER = "other", "Something else"

    class Shows(models.TextChoices):
        MARK = "mark", "The mark of the body"
        WORDS = "words", "Words alone"

    class Found(models.TextChoices):
        NONE = "", "Not looked at yet"
        RIGHT = "right", "Wording and scope are right"
        WRONG = "wrong", "To be put right"

    AGAIN_DAYS = 14  # what was wrong, or says what changed since, is looked at again within them
    SAYS = ("certificate", "medium", "place", "shows", "wording")  # what a look compares
    PATHS = {("in_use", "in_use"), ("in_use", "down"), ("down", "in_use")}
    STATE_TONES = {"in_use": "fine", "down": "void"}
    FROZEN = {*SAYS, "owner"}
    FROZEN_IN = {"down"}

    certificate = models.ForeignKey(
        Certificate, models.PROTECT, related_name="mark_uses", verbose_name="certificate"
    )
    medium = models.CharField("medium", max_length=10, choices=Medium, default=Medium.WEBSITE)
    place = models.CharField(
        "where exactly", max_length=200, help_text="The page, the form, the vehicle."
    )
    shows = models.CharField("shows", max_length=6, choices=Shows, default=Shows.MARK)
    wording = models.TextField(
        "wording",
        max_length=2000,
        help_text="What it says: the organisation, the standard, the certification body.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="who sees to it"
    )
    found = models.CharField(
        "at the last look", max_length=6, choices=Found, blank=True, editable=False
    )
    note = models.TextField("what was seen", blank=True, editable=False)
    down_on = models.DateField("taken down on", null=True, editable=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.IN_USE, editable=False)

    objects = MarkUseQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "use of the mark"
        verbose_name_plural = "uses of the mark"
        constraints = [
            Recurring.interval_constraint("audits_mark_interval_is_some_months"),
            models.CheckConstraint(
                condition=Q(status="down", down_on__isnull=False)
                | (~Q(status="down") & Q(down_on=None)),
                name="audits_mark_down_on_a_day",
            ),
            models.CheckConstraint(
                condition=~Q(medium="packaging") | Q(shows="words"),
                name="audits_no_mark_on_packaging",
            ),
            models.CheckConstraint(
                condition=~Q(found="wrong") | ~Q(note=""), name="audits_mark_wrong_because"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_medium_display()}: {self.place}"

    def get_absolute_url(self) -> str:
        return reverse("audits:mark_detail", args=[self.pk])

    @property
    def title(self) -> str:
        return self.place

    @property
    def is_released(self) -> bool:
        """What it says is changed with the reason: somebody outside has read it."""
        return True

    @property
    def is_settled(self) -> bool:
        return self.status == self.Status.DOWN

    @property
    def changed_since(self) -> bool:
        """Whether it was looked at once and says, or is held against, something else since."""
        return self.last_on is not None and not self.found
