"""An action: something somebody promised to do by a day, wherever it was decided."""

from datetime import date
from decimal import Decimal
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from qms.addresses import page_of
from qms.links import Link
from qms.origins import FromOrigin, OriginQuerySet
from qms.records import Numbered, RecordQuerySet, StatefulRecord

LEAST_EFFORT, MOST_EFFORT = Decimal("0.1"), Decimal(260)  # working days; a year of one person
ORDER_LOCK = 7_302_002  # one order of actions is written at a time, so that no circle closes


class ActionQuerySet(OriginQuerySet):
    def open(self) -> Self:
        """Promised and neither done nor voided."""
        return self.filter(status=Action.Status.OPEN)

    def overdue(self, on: date) -> Self:
        return self.open().filter(due__lt=on)

    def concerning(self, record: models.Model) -> Self:
        """Actions that revise this document or hold this training."""
        about_type = ContentType.objects.get_for_model(record)
        return self.filter(about_type=about_type, about_id=record.pk)

    def worked_on_by(self, person: models.Model) -> Self:
        """Actions the person owns or ever said to be done, sent back and void ones too."""
        said = Action.history.filter(done_by=person).values("id")
        owned = models.Q(owner=person) & ~models.Q(status=Action.Status.VOID)
        return self.filter(owned | models.Q(pk__in=said))

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
    `about` is the document it revises or the training it holds, where it is of such a kind: it is
    done when that is. `escalated_for` is the due date for which the owner's manager was told.
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
        REVISE = "revise", "Revise a document"
        TRAIN = "train", "Train"
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

    about_type = models.ForeignKey(
        ContentType, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    about_id = models.PositiveBigIntegerField(null=True, blank=True, editable=False)
    about = GenericForeignKey("about_type", "about_id")
    escalated_for = models.DateField(null=True, editable=False)

    objects = ActionQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "action"
        indexes = [
            models.Index(fields=["origin_type", "origin_id"], name="actions_origin"),
            models.Index(fields=["status", "due"], name="actions_status_due"),
            models.Index(fields=["about_type", "about_id"], name="actions_about"),
        ]
        constraints = [
            FromOrigin.origin_constraint("actions_origin_is_whole"),
            models.CheckConstraint(
                condition=models.Q(about_type__isnull=True, about_id__isnull=True)
                | models.Q(about_type__isnull=False, about_id__isnull=False),
                name="actions_about_is_whole",
            ),
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


class ExtensionQuerySet(RecordQuerySet):
    def visible_to(self, person: Any) -> Self:
        """Whoever sees the action sees what was asked for it."""
        rows = super().visible_to(person)
        return rows.filter(action__in=Action.objects.visible_to(person).values("pk"))


class Extension(StatefulRecord):
    """That the owner of an action asks for a later day, and what somebody else answered."""

    class Status(models.TextChoices):
        ASKED = "asked", "Asked"
        GRANTED = "granted", "Granted"
        REFUSED = "refused", "Refused"
        LAPSED = "lapsed", "Lapsed"

    STATE_TONES = {"asked": "soon", "granted": "fine", "lapsed": "void"}
    PATHS = {("asked", "granted"), ("asked", "refused"), ("asked", "lapsed")}
    FROZEN = {"action", "was", "until", "reason"}
    FROZEN_IN = {"asked", "granted", "refused", "lapsed"}

    action = models.ForeignKey(Action, models.PROTECT, related_name="extensions", editable=False)
    was = models.DateField("due until now", editable=False)
    until = models.DateField("wanted day")
    reason = models.TextField("why it takes longer", max_length=5000)
    status = models.CharField(max_length=8, choices=Status, default=Status.ASKED, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    decided_on = models.DateField(null=True, editable=False)

    objects = ExtensionQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "extension"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("was")), name="actions_extension_is_later"
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["granted", "refused"])
                | (
                    models.Q(decided_by__isnull=False, decided_on__isnull=False)
                    & ~models.Q(decided_by=models.F("created_by"))
                ),
                name="actions_extension_decided_by_another",
            ),
            models.UniqueConstraint(
                fields=["action"],
                condition=models.Q(status="asked"),
                name="actions_one_extension_asked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action.number} until {self.until:%-d %B %Y}"

    def get_absolute_url(self) -> str:
        return page_of("actions:extension_detail", self.pk)

    @property
    def title(self) -> str:
        return f"{self.action.title}: until {self.until:%-d %B %Y}"

    @property
    def number(self) -> str:
        return self.action.number


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
