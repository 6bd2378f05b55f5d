"""Controlled copies: numbered prints whose holder is told when they are out of date (7.5.3.2)."""

import hashlib
import secrets
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from documents.models.documents import Document
from documents.models.revisions import Revision
from qms.addresses import page_of
from qms.records import Numbered, RecordQuerySet, StatefulRecord


def digest_of(token: str) -> str:
    """What a copy is looked up by: how long the look takes says nothing of the token."""
    return hashlib.sha256(token.encode()).hexdigest()


class ControlledCopyQuerySet(RecordQuerySet):
    def out(self) -> Self:
        """Copies that somebody still holds."""
        return self.filter(status__in=ControlledCopy.OUT)

    def visible_to(self, person: Any) -> Self:
        """Who sees the document sees which copies of it are out."""
        rows = super().visible_to(person)
        return rows.filter(document__in=Document.objects.visible_to(person).values("pk"))


class ControlledCopy(Numbered, StatefulRecord):
    """One numbered print of one revision, held by a person or at a named place.

    The token stands in the QR code; its page says only whether the copy is current.
    """

    class Status(models.TextChoices):
        ISSUED = "issued", "Issued"
        RECALLED = "recalled", "Recalled"
        RETURNED = "returned", "Returned"
        DESTROYED = "destroyed", "Destroyed"
        LOST = "lost", "Lost"

    OUT = ("issued", "recalled")
    SERIES, DIGITS = "CC", 4
    PATHS = {
        ("issued", "recalled"),
        *((held, end) for held in OUT for end in ("returned", "destroyed", "lost")),
    }
    STATE_TONES = {
        "issued": "fine",
        "recalled": "late",
        "returned": "void",
        "destroyed": "void",
        "lost": "void",
    }
    FROZEN = {"document", "revision", "token", "digest", "issued_on"}
    FROZEN_IN = {"issued", "recalled", "returned", "destroyed", "lost"}
    UNTOLD = ("token", "digest")

    document = models.ForeignKey(Document, models.PROTECT, related_name="copies", editable=False)
    revision = models.ForeignKey(Revision, models.PROTECT, related_name="copies", editable=False)
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="controlled_copies",
        verbose_name="held by",
    )
    place = models.CharField(
        "or kept at", max_length=100, blank=True, help_text="A place: bench 3, the gate, the van."
    )
    token = models.CharField(max_length=64, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ISSUED, editable=False)
    issued_on = models.DateField("issued on", editable=False)
    recalled_on = models.DateField("recalled on", null=True, editable=False)
    recalled_for = models.ForeignKey(
        Revision,
        models.PROTECT,
        null=True,
        related_name="copies_recalled",
        editable=False,
        verbose_name="recalled for",
    )
    settled_on = models.DateField("settled on", null=True, editable=False)
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="replaced_by", editable=False
    )

    objects = ControlledCopyQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "controlled copy"
        verbose_name_plural = "controlled copies"
        indexes = [models.Index(fields=["document", "status"], name="documents_copy_status")]
        constraints = [
            models.CheckConstraint(
                condition=(Q(holder__isnull=False) & Q(place="")) | (Q(holder=None) & ~Q(place="")),
                name="documents_copy_has_a_holder",
            ),
            models.CheckConstraint(
                condition=Q(status="issued") | Q(recalled_on__isnull=False) | ~Q(status="recalled"),
                name="documents_copy_recalled_on_a_day",
            ),
            models.UniqueConstraint(
                fields=["replaces"],
                condition=Q(replaces__isnull=False),
                name="documents_copy_replaced_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.revision}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding and not self.token:
            self.token = secrets.token_urlsafe(24)
            self.digest = digest_of(self.token)
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return page_of("documents:copy_detail", self.pk)

    @property
    def title(self) -> str:
        return self.document.title

    @property
    def held_by(self) -> str:
        """The person's name, or the place."""
        return self.holder.name if self.holder else self.place

    @property
    def is_out(self) -> bool:
        return self.status in self.OUT
