"""Files: stored once by their content, attached to records, never changed (ISO 9001 7.5.3)."""

from typing import Any, NoReturn, Self

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from qms import triggers
from qms.addresses import page_of
from qms.clock import DatabaseNow
from qms.files.inspection import PICTURES
from qms.records import RecordQuerySet, StatefulRecord


class BlobQuerySet(models.QuerySet["Blob"]):
    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Stored content is never changed or deleted.")

    update = bulk_create = bulk_update = delete = _refuse


class Blob(models.Model):
    """One content, kept once however often it is attached; its name in the storage is its hash."""

    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=100)
    recorded_at = models.DateTimeField(db_default=DatabaseNow(), editable=False)

    objects = BlobQuerySet.as_manager()

    class Meta:
        verbose_name = "stored content"
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$"), name="files_sha256_is_hex"
            ),
            models.CheckConstraint(condition=models.Q(size__gt=0), name="files_not_empty"),
        ]
        triggers = [
            triggers.AppendOnly(name="append_only"),
            triggers.KeptWhole(name="never_truncated"),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def path(self) -> str:
        """Where the storage keeps it: ab/cd/abcd…"""
        return f"{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"

    @property
    def is_picture(self) -> bool:
        return self.media_type in PICTURES


class Rendition(models.Model):
    """What was made of a stored content: its words for search, and for office files a PDF.

    Derived and made again at any time, so no record: one for each content, whoever attached it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Being made"
        MADE = "made", "Made"
        NONE = "none", "None"

    blob = models.OneToOneField(Blob, models.PROTECT, related_name="rendition")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    pdf = models.ForeignKey(Blob, models.PROTECT, null=True, related_name="+")
    words = models.TextField(blank=True)
    why = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "rendition"
        default_permissions = ()

    def __str__(self) -> str:
        return f"Rendition of {self.blob}"


class AttachmentQuerySet(RecordQuerySet):
    def of(self, *records: models.Model) -> Self:
        """What is attached to one or more records of one model, in the order it came."""
        if not records:
            return self.none()
        return self.filter(
            record_type=ContentType.objects.get_for_model(records[0]),
            record_id__in=[record.pk for record in records],
        ).order_by("pk")

    def kept(self) -> Self:
        """Those that were not voided."""
        return self.filter(status=Attachment.Status.KEPT)


class Attachment(StatefulRecord):
    """That a file belongs to a record, under a name and a caption; a mistake is voided."""

    class Status(models.TextChoices):
        KEPT = "kept", "Kept"
        VOID = "void", "Void"

    PATHS = {("kept", "void")}
    FROZEN = {"record_type", "record_id", "blob", "name", "caption"}
    FROZEN_IN = {"kept", "void"}
    SIGNED_FIELDS = ("record_type", "record_id", "name", "caption")

    record_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+", editable=False)
    record_id = models.PositiveBigIntegerField(editable=False)
    record = GenericForeignKey("record_type", "record_id")
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="attachments", editable=False)
    name = models.CharField("file name", max_length=140, editable=False)
    caption = models.CharField("caption", max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.KEPT, editable=False)

    objects = AttachmentQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "attachment"
        indexes = [models.Index(fields=["record_type", "record_id"], name="files_of_record")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return page_of("files:download", self.pk)

    @property
    def is_released(self) -> bool:
        """What was attached is evidence from the first moment."""
        return True

    @property
    def size(self) -> int:
        """In bytes."""
        return self.blob.size

    def signed_content(self) -> str:
        """The content's own hash is part of what a signature stands under."""
        return f"{super().signed_content()}\n{self.blob.sha256}"
