"""The hours of an audit: who looks at what, when and where, on site or remotely (9.2.2).

A part says on which day of the audit it is, not on which date: postponed, the agenda moves along.
"""

from datetime import date, datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from audits.models.audits import MOST_DAYS, Audit
from audits.models.certification import CertificationAudit
from qms.periods import start_of
from qms.records import StatefulRecord


class Slot(StatefulRecord):
    """Some time of a day of an audit, ours or the body's; called off it stays, void."""

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        VOID = "void", "Void"

    OWNER: ClassVar[str] = ""
    PATHS = {("planned", "void")}

    day = models.PositiveSmallIntegerField(
        "day",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        help_text="1 is the first day. When the audit is postponed, its agenda moves along.",
    )
    starts_at = models.TimeField("from")
    ends_at = models.TimeField("to")
    what = models.CharField("what is looked at", max_length=160, blank=True)
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="process",
    )
    place = models.CharField("place", max_length=120, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.PLANNED, editable=False)

    class Meta(StatefulRecord.Meta):
        abstract = True

    def __str__(self) -> str:
        return f"{self.starts_at:%H:%M} {self.title}"

    @property
    def title(self) -> str:
        return self.what or (self.process.name if self.process else "Audit")

    @property
    def first_day(self) -> date:
        """The first day of what it belongs to."""
        found: date = getattr(self, self.OWNER).planned_on
        return found

    @property
    def on(self) -> date:
        """The date it falls on now."""
        return self.first_day + timedelta(days=self.day - 1)

    @property
    def starts(self) -> datetime:
        return start_of(self.on, at=self.starts_at)

    @property
    def ends(self) -> datetime:
        return start_of(self.on, at=self.ends_at)


def _ends_later(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name=name)


class AuditSlot(Slot):
    """A part of an internal audit: a meeting, or a process with its auditor."""

    class Kind(models.TextChoices):
        OPENING = "opening", "Opening meeting"
        PART = "part", "Part of the audit"
        TEAM = "team", "Meeting of the team"
        BREAK = "break", "Break"
        CLOSING = "closing", "Closing meeting"

    OWNER = "audit"

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="slots", editable=False)
    kind = models.CharField("kind", max_length=8, choices=Kind, default=Kind.PART)
    auditor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="auditor",
        help_text="Of the team. Left empty, the whole team takes part.",
    )
    remote_link = models.CharField(
        "link for a remote part",
        max_length=300,
        blank=True,
        validators=[URLValidator(schemes=["https"], message="Paste the whole link, with https.")],
        help_text="Where people meet who are not on site.",
    )

    class Meta(StatefulRecord.Meta):
        verbose_name = "part of an agenda"
        verbose_name_plural = "parts of agendas"
        constraints = [_ends_later("audits_slot_ends_later")]

    def get_absolute_url(self) -> str:
        return reverse("audits:slot_detail", args=[self.pk])

    @property
    def title(self) -> str:
        if self.kind != self.Kind.PART:
            return self.what or str(self.get_kind_display())
        return self.what or (self.process.name if self.process else self.audit.subject.name)


class VisitSlot(Slot):
    """An hour of the plan of the body's visit: which auditor of theirs meets whom, and who walks.

    The escort stays with the auditor: they know the way, and note what is asked for.
    """

    OWNER = "visit"

    visit = models.ForeignKey(
        CertificationAudit, models.PROTECT, related_name="slots", editable=False
    )
    body_auditor = models.CharField("auditor of the body", max_length=120, blank=True)
    auditee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="auditee",
        help_text="Who answers.",
    )
    escort = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="escort",
        help_text="Who stays with the auditor and notes what is asked for.",
    )

    class Meta(Slot.Meta):
        verbose_name = "hour of a visit"
        verbose_name_plural = "hours of visits"
        constraints = [_ends_later("audits_visit_slot_ends_later")]

    def get_absolute_url(self) -> str:
        return reverse("audits:visit_slot_detail", args=[self.pk])
