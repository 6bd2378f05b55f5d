"""Working on a draft together: who writes at the moment, and what reviewers say of a passage."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from documents.models.revisions import Revision
from qms.addresses import page_of
from qms.records import RecordQuerySet, StatefulRecord


class Presence(models.Model):
    """That a person has a draft open now, and whether it is they who write.

    One writes at a time. Who says nothing for a while is gone (`documents.workflow.writing`).
    """

    revision = models.ForeignKey(Revision, models.PROTECT, related_name="presences")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    writes = models.BooleanField(default=False)
    token = models.UUIDField()
    since = models.DateTimeField()
    seen_at = models.DateTimeField()
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        verbose_name = "presence"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["revision", "person"], name="documents_present_once"),
            models.UniqueConstraint(
                fields=["revision"], condition=Q(writes=True), name="documents_one_writes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person.name} at {self.revision}"


class CommentQuerySet(RecordQuerySet):
    def open(self) -> Self:
        """Comments that nobody has settled."""
        return self.filter(status=Comment.Status.OPEN)

    def visible_to(self, person: Any) -> Self:
        """What was said of a revision is for those who write, review and approve revisions."""
        rows = super().visible_to(person)
        return rows.filter(revision__in=Revision.objects.visible_to(person).values("pk"))


class Comment(StatefulRecord):
    """What somebody says of a passage of a revision; it stays until it is settled.

    `block` counts the blocks of the text from 0 (None: the revision as a whole), `quote` is the
    passage as it read.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        SETTLED = "settled", "Settled"

    PATHS = {("open", "settled"), ("settled", "open")}
    STATE_TONES = {"open": "soon", "settled": "fine"}
    FROZEN = {"revision", "block", "quote", "words"}
    FROZEN_IN = {"open", "settled"}

    revision = models.ForeignKey(Revision, models.PROTECT, related_name="comments", editable=False)
    block = models.PositiveIntegerField(null=True, blank=True, editable=False)
    quote = models.CharField("passage", max_length=500, blank=True, editable=False)
    words = models.TextField("comment", max_length=4000, editable=False)
    answer = models.TextField("answer", blank=True, editable=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN, editable=False)

    objects = CommentQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "comment"

    def __str__(self) -> str:
        return f"Comment on {self.revision}"

    def get_absolute_url(self) -> str:
        return page_of("documents:comment_detail", self.pk)
