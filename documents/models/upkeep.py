"""What keeps documents from drifting: flags that say why one should be looked at again (7.5.2)."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from documents.models.documents import Document
from documents.models.revisions import Revision
from qms.addresses import page_of
from qms.records import RecordQuerySet, StatefulRecord


class ReviewFlagQuerySet(RecordQuerySet):
    def open(self) -> Self:
        """What nobody has looked at yet."""
        return self.filter(status=ReviewFlag.Status.OPEN)

    def visible_to(self, person: Any) -> Self:
        """Who sees the document sees why it should be looked at again."""
        rows = super().visible_to(person)
        return rows.filter(document__in=Document.objects.visible_to(person).values("pk"))


class ReviewFlag(StatefulRecord):
    """That something a document depends on has changed, so that its owner looks at it again.

    `key` names the cause, so that the same change flags a document once. `revision` is the one in
    force when it was raised: reaffirming the document, or another revision, settles the flag.
    """

    class Status(models.TextChoices):
        OPEN = "open", "To look at"
        SETTLED = "settled", "Settled"

    PATHS = {("open", "settled")}
    STATE_TONES = {"open": "soon", "settled": "fine"}
    FROZEN = {"document", "key", "why", "revision", "caused_by", "cause", "url"}
    FROZEN_IN = {"open", "settled"}

    document = models.ForeignKey(Document, models.PROTECT, related_name="flags", editable=False)
    revision = models.ForeignKey(Revision, models.PROTECT, related_name="+", editable=False)
    key = models.CharField(max_length=80, editable=False)
    why = models.CharField("what changed", max_length=300, editable=False)
    url = models.CharField("where", max_length=200, blank=True, editable=False)
    cause = models.ForeignKey(
        Revision,
        models.PROTECT,
        null=True,
        related_name="flags_raised",
        editable=False,
        verbose_name="revision that caused it",
    )
    caused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name="changed by",
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN, editable=False)

    objects = ReviewFlagQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "flag for review"
        verbose_name_plural = "flags for review"
        constraints = [
            models.UniqueConstraint(
                fields=["document", "key"],
                condition=Q(status="open"),
                name="documents_flagged_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document.number}: {self.why}"

    def get_absolute_url(self) -> str:
        return page_of("documents:flag_detail", self.pk)

    @property
    def title(self) -> str:
        return self.why


class Opening(models.Model):
    """That a person opened a document, or its PDF, on a day: a log to see what nobody uses."""

    document = models.ForeignKey(Document, models.PROTECT, related_name="openings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    day = models.DateField()

    class Meta:
        verbose_name = "opening of a document"
        verbose_name_plural = "openings of documents"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["document", "person", "day"], name="documents_opened_once_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} opened {self.document.number} on {self.day}"
