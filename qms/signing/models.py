"""Signatures, each bound to the exact content it was given for."""

from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from qms import triggers
from qms.clock import DatabaseNow


class SignatureQuerySet(models.QuerySet["Signature"]):
    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("A signature is never changed or taken back.")

    update = bulk_create = bulk_update = delete = _refuse

    def of(self, record: models.Model) -> "SignatureQuerySet":
        """The signatures under a record, oldest first."""
        return self.filter(
            record_type=ContentType.objects.get_for_model(record), record_id=record.pk
        ).order_by("pk")


class Signature(models.Model):
    """That a person signed a record's content, with a meaning, at a time; never changed.

    `content_hash` is the SHA-256 of what was signed (`Record.signed_content`), `record_version`
    the version the record had with it. `printed_name` is the name as it was then and stays when
    the person leaves or is erased.
    """

    METHODS: ClassVar[list[tuple[str, str]]] = [
        ("password", "password"),
        ("totp", "one-time code"),
        ("demo", "demo data"),
    ]

    record_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    record_id = models.PositiveBigIntegerField()
    record = GenericForeignKey("record_type", "record_id")
    record_version = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64)
    meaning = models.CharField(max_length=60)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="signatures")
    printed_name = models.CharField(max_length=120)
    method = models.CharField(max_length=20, choices=METHODS)
    signed_at = models.DateTimeField(db_default=DatabaseNow(), editable=False)

    objects = SignatureQuerySet.as_manager()

    class Meta:
        verbose_name = "signature"
        default_permissions = ("view",)
        indexes = [models.Index(fields=["record_type", "record_id"], name="signing_of_record")]
        constraints = [
            models.UniqueConstraint(
                fields=["record_type", "record_id", "record_version", "person", "meaning"],
                name="signing_once_each",
            )
        ]
        triggers = [
            triggers.AppendOnly(name="append_only"),
            triggers.KeptWhole(name="never_truncated"),
        ]

    def __str__(self) -> str:
        return f"{self.meaning} by {self.printed_name}"

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("A signature is never taken back.")

    @property
    def still_fits(self) -> bool:
        """Whether the record's content is still what was signed."""
        return bool(self.record and self.record.content_hash == self.content_hash)
