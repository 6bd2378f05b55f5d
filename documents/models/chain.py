"""What a revision sets in motion elsewhere: a question, a training that names the document."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from documents.models.documents import Document
from documents.models.reading import READERS_OF_THE_MATRIX
from documents.models.revisions import Revision
from qms.addresses import page_of
from qms.records import RecordQuerySet, StatefulRecord


class FollowUpQuerySet(RecordQuerySet):
    def open(self) -> Self:
        """What nobody has brought into line yet."""
        return self.filter(status=FollowUp.Status.OPEN)

    def visible_to(self, person: Any) -> Self:
        """One's own, those of documents one owns, and all for who keeps the system."""
        rows = super().visible_to(person)
        if not person.is_authenticated:
            return rows
        seen = rows.filter(document__in=Document.objects.visible_to(person).values("pk"))
        if person.holds(*READERS_OF_THE_MATRIX):
            return seen
        return seen.filter(Q(person=person) | Q(document__owner=person))


class FollowUp(StatefulRecord):
    """That something names a document whose new revision took effect, and somebody looks at it."""

    class Status(models.TextChoices):
        OPEN = "open", "To look at"
        DONE = "done", "In line"

    PATHS = {("open", "done")}
    STATE_TONES = {"open": "soon", "done": "fine"}
    FROZEN = {"document", "revision", "kind", "title", "url", "key"}
    FROZEN_IN = {"open", "done"}

    document = models.ForeignKey(
        Document, models.PROTECT, related_name="follow_ups", editable=False
    )
    revision = models.ForeignKey(
        Revision, models.PROTECT, related_name="follow_ups", editable=False
    )
    kind = models.CharField("what it is", max_length=40, editable=False)
    title = models.CharField("which", max_length=200, editable=False)
    url = models.CharField("where", max_length=200, editable=False)
    key = models.CharField(max_length=80, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        editable=False,
        verbose_name="who looks at it",
    )
    due = models.DateField("by", editable=False)
    note = models.TextField("what was done", max_length=1000, blank=True, editable=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN, editable=False)

    objects = FollowUpQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "follow-up of a revision"
        verbose_name_plural = "follow-ups of revisions"
        constraints = [
            models.UniqueConstraint(fields=["revision", "key"], name="documents_followed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.title}, after {self.revision}"

    def get_absolute_url(self) -> str:
        return page_of("documents:followup_detail", self.pk)
