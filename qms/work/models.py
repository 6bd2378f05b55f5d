"""Work items are derived from records at every save and can be rebuilt from them at any time."""

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from qms.clock import DatabaseNow
from qms.people.models import Absence
from qms.periods import today


class WorkItemQuerySet(models.QuerySet["WorkItem"]):
    def of(self, person: Any) -> Self:
        """What waits for a person: by name, for a role they hold, or for whom they stand in."""
        away = Absence.objects.on(today()).filter(deputy=person)
        by_name = Q(person=person) | Q(person__in=away.values("person_id"))
        return self.filter(by_name | Q(person=None, role__in=person.role_names))

    def asked_by(self, person: Any) -> Self:
        """What this person started and others hold up now."""
        mine = Q(person=person) | Q(person=None, role__in=person.role_names)
        return self.filter(asked_by=person).exclude(mine)

    def overdue(self, on: date) -> Self:
        return self.filter(due__lt=on)

    def due_between(self, start: date, end: date) -> Self:
        """Due from `start` to `end`, both inclusive."""
        return self.filter(due__range=(start, end))

    def by(self, day: date) -> Self:
        """Due by a day (inclusive), or with no date; what lies further off can wait unseen."""
        return self.filter(Q(due__lte=day) | Q(due=None))

    def by_urgency(self) -> Self:
        return self.order_by(models.F("due").asc(nulls_last=True), "pk")


class WorkItem(models.Model):
    """One next step of one record, for one person or everybody with a role.

    Title, number, state and link are copied from the record when it is saved, so that a list of
    work reads one table.
    """

    record_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    record_id = models.PositiveBigIntegerField()
    record = GenericForeignKey("record_type", "record_id")
    step = models.CharField(max_length=60)
    label = models.CharField(max_length=60)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="work_items"
    )
    role = models.CharField(max_length=30, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    due = models.DateField(null=True)
    obstacle = models.CharField(max_length=300, blank=True)
    remind = models.BooleanField(default=True)
    kind = models.CharField(max_length=60)
    number = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=250)
    state = models.CharField(max_length=60, blank=True)
    url = models.CharField(max_length=200)
    since = models.DateTimeField(db_default=DatabaseNow(), editable=False)

    objects = WorkItemQuerySet.as_manager()

    class Meta:
        verbose_name = "work item"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["record_type", "record_id", "step", "person", "role"],
                nulls_distinct=False,
                name="work_step_once",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False, role="") | (Q(person=None) & ~Q(role="")),
                name="work_for_person_or_role",
            ),
        ]
        indexes = [
            models.Index(fields=["person", "due"], name="work_of_person"),
            models.Index(fields=["role", "due"], condition=Q(person=None), name="work_of_role"),
            models.Index(fields=["due"], condition=Q(remind=True), name="work_to_remind"),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.title}"


class Reminder(models.Model):
    """That a person was reminded of a step at one stage; the row is why it never happens twice."""

    record_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    record_id = models.PositiveBigIntegerField()
    step = models.CharField(max_length=60)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="reminders")
    due = models.DateField()
    stage = models.SmallIntegerField()
    sent_for = models.DateField()
    sent_at = models.DateTimeField(db_default=DatabaseNow(), editable=False)

    class Meta:
        verbose_name = "reminder"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["record_type", "record_id", "step", "person", "due", "stage"],
                name="work_reminded_once_a_stage",
            )
        ]

    def __str__(self) -> str:
        return f"{self.step} due {self.due}, stage {self.stage}"
