"""An action: something somebody promised to do by a day, wherever it was decided."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from qms.origins import FromOrigin, OriginQuerySet
from qms.records import Numbered, StatefulRecord


class ActionQuerySet(OriginQuerySet):
    def open(self) -> Self:
        """Promised and neither done nor voided."""
        return self.filter(status=Action.Status.OPEN)

    def overdue(self, on: date) -> Self:
        return self.open().filter(due__lt=on)

    def worked_on_by(self, person: models.Model) -> Self:
        """Actions the person owns or said to be done; somebody else judges them."""
        return self.filter(models.Q(owner=person) | models.Q(done_by=person))


class Action(FromOrigin, Numbered, StatefulRecord):
    """An owned, dated piece of work that another record asked for (its origin).

    `original_due` is the first promise and never changes; punctuality is reported against both.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"
        VERIFIED = "verified", "Verified"
        VOID = "void", "Void"

    class Kind(models.TextChoices):
        CORRECTION = "correction", "Correction"
        CORRECTIVE = "corrective", "Corrective action"
        IMPROVEMENT = "improvement", "Improvement"
        ROADMAP = "roadmap", "Roadmap"
        RESOURCE = "resource", "Resources"
        CHANGE = "change", "Change of the system"
        OTHER = "other", "Other"

    SERIES = "ACT"
    PATHS = {
        ("open", "done"),
        ("done", "verified"),
        ("done", "open"),
        ("open", "void"),
        ("done", "void"),
    }
    DRAFT_STATES = ()
    FROZEN = {"title", "result", "owner", "due"}
    FROZEN_IN = {"verified", "void"}

    title = models.CharField("what will be done", max_length=200)
    description = models.TextField("details", blank=True)
    kind = models.CharField("kind", max_length=20, choices=Kind, default=Kind.OTHER)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="actions", verbose_name="owner"
    )
    due = models.DateField("due")
    original_due = models.DateField(editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN, editable=False)
    result = models.TextField("what was done", blank=True)
    done_on = models.DateField("done on", null=True, blank=True, editable=False)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )

    objects = ActionQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "action"
        indexes = [
            models.Index(fields=["origin_type", "origin_id"], name="actions_origin"),
            models.Index(fields=["status", "due"], name="actions_status_due"),
        ]
        constraints = [
            FromOrigin.origin_constraint("actions_origin_is_whole"),
            models.CheckConstraint(
                condition=models.Q(status__in=["open", "void"])
                | (
                    models.Q(done_on__isnull=False, done_by__isnull=False) & ~models.Q(result="")
                ),
                name="actions_done_has_result",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="verified")
                | (
                    models.Q(verified_by__isnull=False)
                    & ~models.Q(verified_by=models.F("owner"))
                    & ~models.Q(verified_by=models.F("done_by"))
                ),
                name="actions_verified_by_somebody_else",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("actions:action_detail", args=[self.pk])

    @property
    def is_released(self) -> bool:
        """A promise was made: moving it asks for a reason from the first day."""
        return True
