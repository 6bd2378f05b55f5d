"""An action: something somebody promised to do by a day, wherever it was decided."""

from datetime import date
from decimal import Decimal
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from qms.addresses import page_of
from qms.links import Link
from qms.origins import FromOrigin, OriginQuerySet
from qms.records import Numbered, StatefulRecord

LEAST_EFFORT, MOST_EFFORT = Decimal("0.1"), Decimal(260)  # working days; a year of one person
ORDER_LOCK = 7_302_002  # one order of actions is written at a time, so that no circle closes


class ActionQuerySet(OriginQuerySet):
    def open(self) -> Self:
        """Promised and neither done nor voided."""
        return self.filter(status=Action.Status.OPEN)

    def overdue(self, on: date) -> Self:
        return self.open().filter(due__lt=on)

    def worked_on_by(self, person: models.Model) -> Self:
        """Actions the person owns or said to be done; somebody else judges them."""
        return self.filter(models.Q(owner=person) | models.Q(done_by=person))

    def needed_by(self, action: models.Model) -> Self:
        """What an action waits for, the earliest first."""
        links = ActionDependency.objects.live().filter(action=action)
        return self.filter(pk__in=links.values("needs_id")).order_by("due", "pk")

    def that_need(self, action: models.Model) -> Self:
        """What waits for an action, the earliest first."""
        links = ActionDependency.objects.live().filter(needs=action)
        return self.filter(pk__in=links.values("action_id")).order_by("due", "pk")


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
    effort = models.DecimalField(
        "effort (days)",
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST_EFFORT), MaxValueValidator(MOST_EFFORT)],
        help_text="Working days it takes. Left empty, a roadmap counts one day.",
    )
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
                condition=models.Q(effort__isnull=True)
                | models.Q(effort__range=(LEAST_EFFORT, MOST_EFFORT)),
                name="actions_effort_is_a_number_of_days",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["open", "void"])
                | (models.Q(done_on__isnull=False, done_by__isnull=False) & ~models.Q(result="")),
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
        return page_of("actions:action_detail", self.pk)

    @property
    def is_released(self) -> bool:
        """A promise was made: moving it asks for a reason from the first day."""
        return True


class NoCircle(pgtrigger.Trigger):
    """An action never waits for itself, not even through others; one link is written at a time."""

    when = pgtrigger.Before
    operation = pgtrigger.Insert | pgtrigger.Update

    def get_func(self, model: Any) -> str:
        return f"""
            IF NEW."ended" THEN RETURN NEW; END IF;
            PERFORM pg_advisory_xact_lock({ORDER_LOCK});
            IF EXISTS (
                WITH RECURSIVE before(id) AS (
                    SELECT NEW."needs_id"
                    UNION
                    SELECT d."needs_id" FROM "actions_actiondependency" AS d
                      JOIN before AS b ON d."action_id" = b.id
                     WHERE NOT d."ended" AND d."id" IS DISTINCT FROM NEW."id"
                )
                SELECT 1 FROM before WHERE id = NEW."action_id"
            ) THEN
                RAISE EXCEPTION 'An action would wait for itself.'
                  USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        """  # noqa: S608 - a trigger's text, no value of anybody


class ActionDependency(Link):
    """That an action begins only when another one (`needs`) is finished."""

    action = models.ForeignKey(Action, models.PROTECT, related_name="needs_links")
    needs = models.ForeignKey(Action, models.PROTECT, related_name="needed_by_links")

    class Meta(Link.Meta):
        verbose_name = "dependency of an action"
        triggers = [*Link.Meta.triggers, NoCircle(name="no_circle")]
        constraints = [
            models.UniqueConstraint(fields=["action", "needs"], name="actions_needs_once")
        ]

    def __str__(self) -> str:
        return f"{self.action.number} needs {self.needs.number}"
