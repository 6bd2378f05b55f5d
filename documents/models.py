"""Controlled documents and their revisions (ISO 9001 7.5).

A document is the lasting thing (a number, an owner); its revisions are what was written, reviewed,
approved and in force. One revision of a document is effective at any instant.
"""

import json
from datetime import date
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.urls import reverse

from qms.clauses import ClausesField
from qms.records import Numbered, RecordQuerySet, StatefulRecord

READERS_OF_RESTRICTED = ("quality_manager", "top_management")


class DocumentQuerySet(RecordQuerySet):
    def current(self) -> Self:
        """Documents that were not withdrawn."""
        return self.exclude(status=Document.Status.WITHDRAWN)

    def review_due(self, on: date) -> Self:
        """Documents whose periodic review is past."""
        return self.current().filter(next_review__lt=on)

    def with_effective(self) -> Self:
        """Adds `effective_id`, `effective_number`, `effective_from` of the revision in force."""
        in_force = Revision.objects.filter(
            document=OuterRef("pk"), status=Revision.Status.EFFECTIVE
        )
        return self.annotate(
            effective_id=Subquery(in_force.values("pk")[:1]),
            effective_number=Subquery(in_force.values("number")[:1]),
            effective_from=Subquery(in_force.values("effective_from")[:1]),
            is_in_work=Exists(
                Revision.objects.filter(document=OuterRef("pk"), status__in=Revision.OPEN_STATES)
            ),
        )

    def visible_to(self, person: Any) -> Self:
        """Restricted documents are for their owner, their process and the top of the system."""
        rows = super().visible_to(person)
        if not person.is_authenticated or person.holds(*READERS_OF_RESTRICTED):
            return rows
        mine = Q(owner=person) | Q(created_by=person) | Q(process__owner=person)
        named = Q(
            pk__in=Revision.objects.filter(
                Q(reviewer=person) | Q(approver=person) | Q(created_by=person)
            ).values("document_id")
        )
        return rows.filter(Q(confidentiality=Document.Confidentiality.OPEN) | mine | named)


class Document(Numbered, StatefulRecord):
    """A controlled document: what it is called, what it serves and who keeps it current."""

    class Kind(models.TextChoices):
        POLICY = "policy", "Quality policy"
        MANUAL = "manual", "Manual"
        PROCEDURE = "procedure", "Procedure"
        INSTRUCTION = "instruction", "Work instruction"
        FORM = "form", "Form"
        TEMPLATE = "template", "Template"
        EXTERNAL = "external", "External document"

    class Confidentiality(models.TextChoices):
        OPEN = "open", "Everyone in the organisation"
        RESTRICTED = "restricted", "Restricted"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        WITHDRAWN = "withdrawn", "Withdrawn"

    SERIES_OF_KIND = {
        "policy": "POL",
        "manual": "QM",
        "procedure": "QP",
        "instruction": "WI",
        "form": "FR",
        "template": "TP",
        "external": "EX",
    }
    PATHS = {("active", "withdrawn")}

    title = models.CharField("title", max_length=200)
    kind = models.CharField("kind", max_length=12, choices=Kind, default=Kind.PROCEDURE)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="documents", verbose_name="owner"
    )
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="documents",
        verbose_name="process",
    )
    clauses = ClausesField("clauses", blank=True, default=list)
    confidentiality = models.CharField(
        "who may read it", max_length=12, choices=Confidentiality, default=Confidentiality.OPEN
    )
    language = models.CharField("language", max_length=8, default="en")
    review_months = models.PositiveSmallIntegerField(
        "review every (months)",
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
    )
    next_review = models.DateField("next review", null=True, blank=True, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE, editable=False)

    objects = DocumentQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "document"
        indexes = [
            models.Index(fields=["kind", "number"], name="documents_kind_number"),
            models.Index(fields=["next_review"], name="documents_next_review"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def number_series(self) -> tuple[str, int | None]:
        return self.SERIES_OF_KIND[self.kind], None

    def get_absolute_url(self) -> str:
        return reverse("documents:document_detail", args=[self.pk])

    @property
    def is_released(self) -> bool:
        """What a document is for is asked about once a revision of it was in force."""
        return self.next_review is not None


class RevisionQuerySet(RecordQuerySet):
    def effective(self, at: date | None = None) -> Self:
        """Revisions in force now, or on a day."""
        if at is None:
            return self.filter(status=Revision.Status.EFFECTIVE)
        began = self.filter(effective_from__lte=at, ended_on__isnull=True) | self.filter(
            effective_from__lte=at, ended_on__gt=at
        )
        return began.filter(status__in=Revision.RELEASED_STATES)

    def awaiting(self, person: Any) -> Self:
        """Revisions that wait for this person's review or approval."""
        return self.filter(
            Q(status=Revision.Status.IN_REVIEW, reviewer=person)
            | Q(status=Revision.Status.REVIEWED, approver=person)
        )

    def due_to_take_effect(self, on: date) -> Self:
        return self.filter(status=Revision.Status.APPROVED, effective_from__lte=on)

    def in_force_during(self, start: date, end: date) -> Self:
        """Revisions that were in force at any time in a period (both days inclusive)."""
        return self.filter(
            Q(ended_on__isnull=True) | Q(ended_on__gt=start),
            effective_from__lte=end,
            status__in=Revision.RELEASED_STATES,
        )

    def visible_to(self, person: Any) -> Self:
        """What was in force is for every reader of the document; drafts are for their makers."""
        rows = super().visible_to(person)
        readable = rows.filter(document__in=Document.objects.visible_to(person).values("pk"))
        if person.has_perm("documents.add_revision"):
            return readable
        involved = Q(reviewer=person) | Q(approver=person) | Q(created_by=person)
        return readable.filter(Q(status__in=Revision.RELEASED_STATES) | involved)


class Revision(StatefulRecord):
    """One revision of a document: its content and the way it took into force.

    `body` is Markdown; `source` an uploaded original. What was reviewed is what is approved: the
    content is frozen from the moment it is sent to review, and a rejection starts the review anew.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        REVIEWED = "reviewed", "Reviewed"
        APPROVED = "approved", "Approved"
        EFFECTIVE = "effective", "Effective"
        SUPERSEDED = "superseded", "Superseded"
        WITHDRAWN = "withdrawn", "Withdrawn"
        VOID = "void", "Void"

    OPEN_STATES = ("draft", "in_review", "reviewed", "approved")
    RELEASED_STATES = ("effective", "superseded", "withdrawn")
    STATE_TONES = {"effective": "fine", "superseded": "void", "withdrawn": "void"}
    PATHS = {
        ("draft", "in_review"),
        ("in_review", "reviewed"),
        ("in_review", "draft"),
        ("reviewed", "draft"),
        ("reviewed", "approved"),
        ("approved", "draft"),
        ("approved", "effective"),
        ("effective", "superseded"),
        ("effective", "withdrawn"),
        ("draft", "void"),
    }
    CONTENT = ("title", "body", "source", "change_summary")
    FROZEN = {"document", "number", *CONTENT}
    FROZEN_IN = {
        "in_review",
        "reviewed",
        "approved",
        "effective",
        "superseded",
        "withdrawn",
        "void",
    }
    SIGNED_FIELDS = ("document", "number", *CONTENT)

    document = models.ForeignKey(Document, models.PROTECT, related_name="revisions", editable=False)
    number = models.PositiveIntegerField("revision", editable=False)
    title = models.CharField("title", max_length=200)
    body = models.TextField(
        "text",
        blank=True,
        help_text="A heading begins with #, a list item with -, a blank line ends a paragraph.",
    )
    source = models.ForeignKey(
        "files.Attachment",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name="uploaded original",
    )
    change_summary = models.TextField("what changes, and why", blank=True)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="reviewer",
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="approver",
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT, editable=False)
    submitted_on = models.DateField("sent to review", null=True, editable=False)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    reviewed_on = models.DateField("reviewed on", null=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    approved_on = models.DateField("approved on", null=True, editable=False)
    effective_from = models.DateField("effective from", null=True, editable=False)
    ended_on = models.DateField("no longer in force from", null=True, editable=False)

    objects = RevisionQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "revision"
        indexes = [
            models.Index(fields=["status", "effective_from"], name="documents_status_from"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["document", "number"], name="documents_revision_number_once"
            ),
            models.UniqueConstraint(
                fields=["document"],
                condition=Q(status="effective"),
                name="documents_one_effective_revision",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["reviewed", "approved", "effective", "superseded"])
                | Q(reviewed_by__isnull=False, reviewed_on__isnull=False),
                name="documents_reviewed_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "effective", "superseded", "withdrawn"])
                | Q(
                    approved_by__isnull=False,
                    approved_on__isnull=False,
                    effective_from__isnull=False,
                ),
                name="documents_approved_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("created_by")),
                name="documents_author_does_not_review",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["superseded", "withdrawn"]) | Q(ended_on__isnull=False),
                name="documents_ended_on_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document.number} revision {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("documents:revision_detail", args=[self.pk])

    def signed_content(self) -> str:
        """The fields, and the uploaded original by its own SHA-256."""
        content = json.loads(super().signed_content())
        content["source_sha256"] = self.source.blob.sha256 if self.source else ""
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def is_obsolete(self) -> bool:
        """Whether it must be marked as no longer in force wherever it is shown."""
        return self.status in (self.Status.SUPERSEDED, self.Status.WITHDRAWN, self.Status.VOID)
