"""Evidence that lives elsewhere, holds, and the disposition of what was kept enough (7.5.3.2).

What was kept long enough is disposed of only after somebody else has signed it, and the log of it
stays for good.
"""

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from documents.models.documents import Document
from qms.addresses import page_of
from qms.clauses import ClausesField
from qms.records import Numbered, RecordQuerySet, StatefulRecord


class EvidencePointerQuerySet(RecordQuerySet):
    def active(self) -> Self:
        """Pointers that are in use."""
        return self.filter(status=EvidencePointer.Status.ACTIVE)

    def sample_due(self, on: date) -> Self:
        """Pointers of which a sample should have been kept by now."""
        return self.active().filter(next_sample__lte=on)


class EvidencePointer(Numbered, StatefulRecord):
    """Where evidence lives that is not kept here: tickets, a repository, an ERP.

    What the outside system shows can change; so a dated sample of it is kept here now and then.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        ENDED = "ended", "Ended"

    SERIES = "EP"
    PATHS = {("active", "active"), ("active", "ended")}
    STATE_TONES = {"active": "fine", "ended": "void"}

    title = models.CharField("what it shows", max_length=200)
    system = models.CharField("outside system", max_length=120)
    query = models.TextField(
        "where to find it",
        max_length=2000,
        help_text="A link, or the query and filters by which anybody finds it there.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="owner"
    )
    process = models.ForeignKey(
        "scope.Process", models.PROTECT, null=True, blank=True, related_name="+"
    )
    clauses = ClausesField("clauses", blank=True, default=list)
    retention = models.CharField("kept there for", max_length=120)
    sample_months = models.PositiveSmallIntegerField(
        "keep a sample every (months)",
        default=6,
        validators=[MinValueValidator(1), MaxValueValidator(36)],
    )
    sampled_on = models.DateField("last sample", null=True, editable=False)
    next_sample = models.DateField("next sample", null=True, editable=False)
    seen = models.TextField("what the sample shows", blank=True, editable=False)
    sample = models.ForeignKey(
        "files.Attachment", models.PROTECT, null=True, related_name="+", editable=False
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE, editable=False)

    objects = EvidencePointerQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "evidence pointer"
        indexes = [models.Index(fields=["next_sample"], name="documents_next_sample")]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("documents:pointer_detail", self.pk)

    @property
    def is_released(self) -> bool:
        return True

    @property
    def link(self) -> str:
        """The query where it is an address, else nothing: only a web address is ever a link."""
        first = self.query.strip().split()[0] if self.query.strip() else ""
        return first if first.startswith(("https://", "http://")) else ""


class LegalHold(Numbered, StatefulRecord):
    """That nothing it covers is disposed of until it is lifted: a claim, a recall, an authority.

    It covers a process, or everything where none is named.
    """

    class Status(models.TextChoices):
        HOLDS = "holds", "Holds"
        LIFTED = "lifted", "Lifted"

    SERIES = "LH"
    PATHS = {("holds", "lifted")}
    STATE_TONES = {"holds": "soon", "lifted": "void"}
    FROZEN = {"title", "why", "process"}
    FROZEN_IN = {"holds", "lifted"}

    title = models.CharField("title", max_length=200)
    why = models.TextField("why")
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: it covers everything.",
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.HOLDS, editable=False)

    class Meta(StatefulRecord.Meta):
        verbose_name = "legal hold"

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("documents:hold_detail", self.pk)


class DispositionQuerySet(RecordQuerySet):
    def visible_to(self, person: Any) -> Self:
        """Whoever may see the document may see that it was disposed of."""
        rows = super().visible_to(person)
        return rows.filter(document__in=Document.objects.visible_to(person).values("pk"))


class Disposition(Numbered, StatefulRecord):
    """That a withdrawn document was kept long enough and is disposed of.

    Proposed by one person, approved with a signature by another. What it said is then shown to
    nobody and its files are destroyed; that it was, and who decided, stays.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        DONE = "done", "Disposed of"
        DECLINED = "declined", "Declined"

    SERIES = "DSP"
    PATHS = {("proposed", "done"), ("proposed", "declined")}
    STATE_TONES = {"done": "void", "declined": "void"}
    FROZEN = {"document", "why", "kept_until"}
    FROZEN_IN = {"proposed", "done", "declined"}
    SIGNED_FIELDS = ("document", "why", "kept_until")

    document = models.ForeignKey(
        Document, models.PROTECT, related_name="dispositions", editable=False
    )
    why = models.TextField("why it may go", editable=False)
    kept_until = models.DateField("kept until", editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    done_on = models.DateField("disposed of on", null=True, editable=False)
    destroyed = models.PositiveIntegerField("files destroyed", default=0, editable=False)
    status = models.CharField(
        max_length=10, choices=Status, default=Status.PROPOSED, editable=False
    )

    objects = DispositionQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "disposition"
        constraints = [
            models.UniqueConstraint(
                fields=["document"],
                condition=~Q(status="declined"),
                name="documents_disposed_of_once",
            ),
            models.CheckConstraint(
                condition=~Q(status="done") | Q(approved_by__isnull=False, done_on__isnull=False),
                name="documents_disposition_approved",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("created_by")),
                name="documents_disposition_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.document.number}"

    def get_absolute_url(self) -> str:
        return page_of("documents:disposition_detail", self.pk)
