"""Planned changes of the quality system: thought through before, looked at afterwards (6.3)."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from qms.addresses import page_of
from qms.origins import FromOrigin, OriginQuerySet
from qms.picking import AnyLink
from qms.records import Numbered, StatefulRecord


class ChangeQuerySet(OriginQuerySet):
    def open(self) -> Self:
        """Neither judged nor called off."""
        return self.exclude(status__in=Change.SETTLED)

    def running(self) -> Self:
        """Approved, and not judged yet."""
        return self.filter(status__in=["approved", "in_progress", "done"])

    def overdue(self, on: date) -> Self:
        """To be finished before a day, and not done."""
        return self.filter(status__in=["approved", "in_progress"], due__lt=on)


class Change(FromOrigin, Numbered, StatefulRecord):
    """A change of the quality system, planned before it begins.

    Purpose, consequences, integrity of the system, resources and responsibilities are what the
    clause asks to consider; how it is told and how its effect is seen stand beside them.
    """

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        APPROVED = "approved", "Approved"
        IN_PROGRESS = "in_progress", "In progress"
        DONE = "done", "Done"
        EFFECTIVE = "effective", "Effective"
        CLOSED = "closed", "Closed without effect"
        CANCELLED = "cancelled", "Cancelled"

    SERIES = "CHG"
    SETTLED = ("effective", "closed", "cancelled")
    STATE_TONES = {
        "approved": "info",
        "in_progress": "info",
        "effective": "fine",
        "closed": "void",
        "cancelled": "void",
    }
    PATHS = {
        ("planned", "approved"),
        ("approved", "planned"),
        ("approved", "in_progress"),
        ("in_progress", "done"),
        ("done", "in_progress"),
        ("done", "effective"),
        ("done", "closed"),
        ("planned", "cancelled"),
        ("approved", "cancelled"),
        ("in_progress", "cancelled"),
    }
    PLAN = (
        "title",
        "purpose",
        "what",
        "consequences",
        "integrity",
        "resources",
        "responsibilities",
        "communication",
        "criterion",
        "starts_on",
        "due",
    )
    FROZEN = set(PLAN)
    FROZEN_IN = {"approved", "in_progress", "done", "effective", "closed", "cancelled"}
    SIGNED_FIELDS = ("number", *PLAN, "owner")

    title = models.CharField("change, in a line", max_length=200)
    purpose = models.TextField("what it is for")
    what = models.TextField("what changes", blank=True)
    consequences = models.TextField("what else it may cause", blank=True)
    integrity = models.TextField("how the system stays whole meanwhile", blank=True)
    resources = models.TextField("resources", blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="owner"
    )
    responsibilities = models.TextField("who does what", blank=True)
    communication = models.TextField("who is told, how and when", blank=True)
    criterion = models.TextField("it has worked when", blank=True)
    starts_on = models.DateField("begins on")
    due = models.DateField("finished by")
    check_on = models.DateField("effect looked at on")
    status = models.CharField(
        max_length=12, choices=Status, default=Status.PLANNED, editable=False, db_index=True
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    approved_on = models.DateField("approved on", null=True, editable=False)
    result = models.TextField("what was done", blank=True, editable=False)
    done_on = models.DateField("done on", null=True, editable=False)
    verdict = models.TextField("effectiveness decision", blank=True, editable=False)
    judged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    judged_on = models.DateField("judged on", null=True, editable=False)

    objects = ChangeQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "change"
        indexes = [
            models.Index(fields=["status", "due"], name="changes_status_due"),
            models.Index(fields=["origin_type", "origin_id"], name="changes_origin"),
        ]
        constraints = [
            FromOrigin.origin_constraint("changes_origin_is_whole"),
            models.CheckConstraint(
                condition=Q(starts_on__lte=F("due")) & Q(due__lte=F("check_on")),
                name="changes_days_in_order",
                violation_error_message="It begins before it is finished, and its effect is looked"
                " at afterwards. Put the three days in order.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["planned", "cancelled"])
                | (
                    Q(approved_by__isnull=False, approved_on__isnull=False)
                    & ~Q(approved_by=F("created_by"))
                    & ~Q(consequences="")
                    & ~Q(criterion="")
                ),
                name="changes_approved_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["effective", "closed"])
                | (~Q(verdict="") & Q(judged_by__isnull=False) & ~Q(judged_by=F("owner"))),
                name="changes_judged_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("changes:change_detail", self.pk)

    @property
    def is_settled(self) -> bool:
        return self.status in self.SETTLED


class ChangeLink(AnyLink):
    """That a change touches a process, a document or any other record."""

    OWNER = "change"

    change = models.ForeignKey(Change, models.PROTECT, related_name="links")

    class Meta(AnyLink.Meta):
        verbose_name = "what a change touches"
        verbose_name_plural = "what changes touch"
        constraints = [
            models.UniqueConstraint(
                fields=["change", "record_type", "record_id"], name="changes_touches_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.change.number} touches {self.record_type.name} {self.record_id}"
