"""Evidence packs: what was put together for the certification body, when, and who took it along.

A built pack never changes; a correction is a new pack that names the one it replaces (7.5.3).
"""

from datetime import date
from typing import Any, ClassVar, NoReturn, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from qms import contributions, triggers
from qms.addresses import page_of
from qms.clock import DatabaseNow
from qms.periods import Period
from qms.records import Numbered, RecordQuerySet, StatefulRecord


class PackQuerySet(RecordQuerySet):
    def ready(self) -> Self:
        """Packs that can be downloaded."""
        return self.filter(status=Pack.Status.READY)

    def visible_to(self, person: Any) -> Self:
        """One that holds a section not everybody sees is seen by those who see all of it."""
        rows = super().visible_to(person)
        for each in contributions.restricted_sections():
            if not person.has_perm(each.permission):
                rows = rows.exclude(extras__contains=[each.title])
        return rows


class Pack(Numbered, StatefulRecord):
    """One evidence pack: for which visit, of which days, as of which instant, with which content.

    `as_of` is the instant of the one snapshot everything was read in. `sha256` is that of the
    whole file, `manifest_sha256` that of its manifest, which the signature stands under.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "To check"
        REQUESTED = "requested", "Requested"
        BUILDING = "building", "Building"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Preset(models.TextChoices):
        STAGE1 = "stage1", "Stage 1"
        STAGE2 = "stage2", "Stage 2 or recertification"
        SURVEILLANCE = "surveillance", "Surveillance"
        NC_RESPONSE = "nc_response", "Answer to nonconformities"
        CUSTOM = "custom", "Everything, other days"

    SERIES = "PACK"
    UNDER_WAY = ("requested", "building")
    DRAFT_STATES = ("draft",)
    STATE_TONES = {
        "requested": "info",
        "building": "info",
        "ready": "fine",
        "failed": "late",
        "cancelled": "void",
    }
    PATHS = {
        ("draft", "requested"),
        ("requested", "building"),
        ("building", "ready"),
        ("requested", "failed"),
        ("building", "failed"),
        ("failed", "requested"),
        ("draft", "cancelled"),
        ("requested", "cancelled"),
        ("building", "cancelled"),
        ("failed", "cancelled"),
    }
    ASKED = ("preset", "period_start", "period_end", "replaces", "accepted_because")
    MADE = ("as_of", "path", "size", "sha256", "manifest_sha256", "key_fingerprint", "left_out")
    FROZEN = {*ASKED, *MADE, "extras"}
    FROZEN_IN = {"ready", "cancelled"}
    SIGNED_FIELDS = ("number", *ASKED)

    preset = models.CharField("for", max_length=12, choices=Preset, default=Preset.STAGE1)
    period_start = models.DateField("from")
    period_end = models.DateField("to")
    replaces = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="replaced_by",
        verbose_name="replaces",
    )
    extras = models.JSONField("also holds", default=list, blank=True)
    accepted_because = models.TextField(
        "why it leaves without the missing files", blank=True, editable=False
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT, editable=False)
    as_of = models.DateTimeField("as of", null=True, editable=False)
    path = models.CharField(max_length=200, blank=True, editable=False)
    size = models.PositiveBigIntegerField("size in bytes", null=True, editable=False)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, editable=False)
    manifest_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    key_fingerprint = models.CharField("key", max_length=64, blank=True, editable=False)
    left_out = models.JSONField("left out", default=list, blank=True, editable=False)
    failure = models.TextField("why it failed", blank=True, editable=False)

    objects = PackQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "evidence pack"
        constraints = [
            models.CheckConstraint(
                condition=Q(period_end__gte=F("period_start")),
                name="pack_period_in_order",
                violation_error_message="The period ends before it starts. Swap the two dates.",
            ),
            models.CheckConstraint(
                condition=~Q(status="ready")
                | (
                    Q(as_of__isnull=False, size__gt=0)
                    & Q(sha256__regex=r"^[0-9a-f]{64}$", manifest_sha256__regex=r"^[0-9a-f]{64}$")
                    & ~Q(path="")
                ),
                name="pack_ready_has_content",
            ),
        ]

    def get_absolute_url(self) -> str:
        return page_of("pack:pack_detail", self.pk)

    @property
    def title(self) -> str:
        return f"Evidence pack for {self.get_preset_display().lower()}"

    @property
    def period(self) -> Period:
        """Its days, both included."""
        return Period(self.period_start, self.period_end)

    @property
    def file_name(self) -> str:
        return f"{self.number}.zip"

    def signed_content(self) -> str:
        """What it holds beside the usual is signed for as well."""
        content = super().signed_content()
        return f"{content}\n{', '.join(self.extras)}" if self.extras else content

    @property
    def is_under_way(self) -> bool:
        return self.status in self.UNDER_WAY

    def covers(self, day: date) -> bool:
        return day in self.period


class PackProgress(models.Model):
    """How far the building of a pack is; written often, outside the history, and worth nothing
    once it is over. `plan` is where the worker keeps what it gathered; `seen_at` is when whoever
    asked for the pack last looked."""

    pack = models.OneToOneField(Pack, models.PROTECT, related_name="progress")
    step = models.CharField(max_length=20, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=200, blank=True)
    plan = models.CharField(max_length=200, blank=True)
    updated_at = models.DateTimeField(db_default=DatabaseNow())
    seen_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "progress of a pack"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.pack_id}: {self.message}"


class RenderedPart(models.Model):
    """A drawn page that is kept: the same HTML, style and engine give it without drawing again.

    The row is written after the file, and its hash is compared when it is read, so that a write
    that was cut off is drawn anew.
    """

    fingerprint = models.CharField(max_length=64, unique=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    made_at = models.DateTimeField(db_default=DatabaseNow(), editable=False)

    class Meta:
        verbose_name = "drawn page"
        default_permissions = ()

    def __str__(self) -> str:
        return self.fingerprint[:12]

    @property
    def path(self) -> str:
        """Where the storage keeps it."""
        return f"packs/parts/{self.sha256[:2]}/{self.sha256}.pdf"


class DownloadQuerySet(models.QuerySet["PackDownload"]):
    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("The log of downloads is never changed.")

    update = bulk_create = bulk_update = delete = _refuse


class PackDownload(models.Model):
    """That a person took a pack along: when, and to which address; never changed."""

    pack = models.ForeignKey(Pack, models.PROTECT, related_name="downloads")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="pack_downloads"
    )
    address = models.GenericIPAddressField("address", null=True)
    at = models.DateTimeField(db_default=DatabaseNow(), editable=False)

    objects = DownloadQuerySet.as_manager()

    class Meta:
        verbose_name = "download of a pack"
        default_permissions = ("view",)
        triggers: ClassVar[list[Any]] = [
            triggers.AppendOnly(name="append_only"),
            triggers.KeptWhole(name="never_truncated"),
        ]

    def __str__(self) -> str:
        return f"{self.pack} by {self.person}"
