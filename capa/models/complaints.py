"""Complaints of customers as they are handled, from the acknowledgement to the customer's verdict.

What the customer said is feedback (`qms.customers`); here stands what we did about it.
"""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from qms.records import Numbered, RecordQuerySet, StatefulRecord


class ComplaintQuerySet(RecordQuerySet):
    def open(self) -> Self:
        """Neither closed nor void."""
        return self.exclude(status__in=Complaint.SETTLED)

    def standing(self) -> Self:
        """Not void."""
        return self.exclude(status=Complaint.Status.VOID)

    def overdue(self, on: date) -> Self:
        """Open, and the present step's day is past."""
        return self.open().filter(due__lt=on)


class Complaint(Numbered, StatefulRecord):
    """What we do about a complaint: acknowledge, look into it, answer, hear what they say."""

    class Status(models.TextChoices):
        RECEIVED = "received", "To acknowledge"
        ACKNOWLEDGED = "acknowledged", "To answer"
        ANSWERED = "answered", "Answered"
        CLOSED = "closed", "Closed"
        VOID = "void", "Void"

    class How(models.TextChoices):
        PHONE = "phone", "Telephone"
        VISIT = "visit", "Visit or talk"
        MAIL = "mail", "E-mail or letter"
        OTHER = "other", "Another way"

    class Justified(models.TextChoices):
        YES = "yes", "Justified"
        PARTLY = "partly", "Partly justified"
        NO = "no", "Not justified"

    class Verdict(models.TextChoices):
        SATISFIED = "satisfied", "Satisfied"
        PARTLY = "partly", "Partly satisfied"
        NOT = "not", "Not satisfied"
        SILENT = "silent", "Said nothing more"

    SERIES = "CP"
    SETTLED = ("closed", "void")
    STATE_TONES = {"received": "late", "closed": "fine", "void": "void"}
    VERDICT_TONES = {"satisfied": "fine", "partly": "soon", "not": "late"}
    PATHS = {
        ("received", "acknowledged"),
        ("received", "void"),
        ("acknowledged", "answered"),
        ("answered", "acknowledged"),
        ("answered", "closed"),
    }
    FROZEN = {
        "feedback",
        "justified",
        "justified_because",
        "outcome",
        "letter",
        "with_name",
        "with_cause",
    }
    FROZEN_IN = {"answered", "closed", "void"}
    TAKES_PROOF_IN = {"answered", "closed"}

    feedback = models.ForeignKey(
        "customers.Feedback", models.PROTECT, related_name="complaints", editable=False
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="complaints",
        verbose_name="who answers",
    )
    status = models.CharField(
        max_length=12, choices=Status, default=Status.RECEIVED, editable=False
    )
    due = models.DateField("due", null=True, editable=False)
    acknowledged_on = models.DateField(null=True, editable=False)
    acknowledged_how = models.CharField(
        "how it was acknowledged", max_length=8, choices=How, blank=True, editable=False
    )
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    justified = models.CharField(
        "justified", max_length=8, choices=Justified, blank=True, editable=False
    )
    justified_because = models.TextField("why", blank=True, editable=False)
    outcome = models.TextField("what the customer gets", blank=True, editable=False)
    letter = models.TextField(
        "letter to the customer",
        blank=True,
        max_length=10_000,
        help_text="What they read; no names of ours and no causes unless you choose so.",
    )
    with_name = models.BooleanField("names of ours may stand in the letter", default=False)
    with_cause = models.BooleanField("the letter tells the cause that was found", default=False)
    answered_on = models.DateField(null=True, editable=False)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    answered_in_time = models.BooleanField(null=True, editable=False)
    answers = models.PositiveSmallIntegerField("answers given", default=0, editable=False)
    verdict = models.CharField(
        "the customer's verdict", max_length=10, choices=Verdict, blank=True, editable=False
    )
    verdict_words = models.TextField("what they said to the answer", blank=True, editable=False)
    what_then = models.TextField("what was done then", blank=True, editable=False)
    closed_on = models.DateField(null=True, editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )

    objects = ComplaintQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "complaint"
        indexes = [
            models.Index(fields=["status", "due"], name="capa_complaint_due"),
            models.Index(fields=["answered_on"], name="capa_complaint_answered"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["feedback"], condition=~Q(status="void"), name="capa_complaint_once"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["answered", "closed"])
                | (
                    ~Q(justified="")
                    & ~Q(justified_because="")
                    & ~Q(outcome="")
                    & ~Q(letter="")
                    & Q(answered_by__isnull=False, answered_on__isnull=False)
                ),
                name="capa_complaint_answered_in_words",
            ),
            models.CheckConstraint(
                condition=~Q(status="closed")
                | (
                    ~Q(verdict="")
                    & (Q(verdict="satisfied") | ~Q(what_then=""))
                    & Q(closed_by__isnull=False, closed_on__isnull=False)
                ),
                name="capa_complaint_closed_with_verdict",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("capa:complaint_detail", args=[self.pk])

    @property
    def title(self) -> str:
        return self.feedback.title

    @property
    def is_released(self) -> bool:
        """A complaint is on record from its first moment."""
        return True

    @property
    def is_settled(self) -> bool:
        return self.status in self.SETTLED

    @property
    def verdict_tone(self) -> str:
        return self.VERDICT_TONES.get(self.verdict, "")
