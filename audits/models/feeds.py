"""The secret address under which somebody's own calendar reads what is planned for them."""

import hashlib
import secrets
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from qms.records import RecordQuerySet, StatefulRecord


def digest_of(token: str) -> str:
    """What a feed is looked up by; the token itself is kept nowhere."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    return secrets.token_urlsafe(32)


class CalendarFeedQuerySet(RecordQuerySet):
    def visible_to(self, person: Any) -> Self:
        """Everybody's own."""
        rows = super().visible_to(person)
        return rows.filter(person=person) if person.is_authenticated else rows


class CalendarFeed(StatefulRecord):
    """A link to one's year planner as a calendar; whoever has it reads it, until it is revoked."""

    class Status(models.TextChoices):
        LIVE = "live", "In use"
        REVOKED = "revoked", "Revoked"

    token: str = ""  # only on the one that was just made
    PATHS = {("live", "revoked")}
    STATE_TONES = {"live": "fine", "revoked": "void"}

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.LIVE, editable=False)

    objects = CalendarFeedQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "calendar link"
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(status="live"), name="audits_one_live_feed"
            )
        ]

    def __str__(self) -> str:
        return f"Calendar link of {self.person}"

    def get_absolute_url(self) -> str:
        return reverse("audits:feed_detail", args=[self.pk])
