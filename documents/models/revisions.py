"""Revisions of documents: what was written, reviewed, approved and in force (ISO 9001 7.5).

One revision of a document is effective at any instant. Who reviews and approves it are its
signatories; what they signed is the content, bound by its hash.
"""

import json
from datetime import date
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from documents import content
from documents.models.documents import Document
from qms.addresses import page_of
from qms.files.models import Attachment
from qms.records import Record, RecordQuerySet, StatefulRecord

_QUORUM = [MinValueValidator(1), MaxValueValidator(20)]


class Pointers(models.Func):
    """The ids of all documents a text points at, as a JSON array."""

    template = "jsonb_path_query_array(%(expressions)s, '$.**.document')"
    output_field = models.JSONField()


def empty_text() -> dict[str, Any]:
    """The text of a new draft."""
    return {"type": "doc", "content": []}


def _in_short(lines: list[str]) -> str:
    words = " / ".join(lines)
    return (words if len(words) <= 300 else f"{words[:300].rstrip()} …") or "\N{EN DASH}"


class RevisionQuerySet(RecordQuerySet):
    def effective(self, at: date | None = None) -> Self:
        """Revisions in force now, or on a day."""
        if at is None:
            return self.filter(status=Revision.Status.EFFECTIVE)
        began = self.filter(effective_from__lte=at, ended_on__isnull=True) | self.filter(
            effective_from__lte=at, ended_on__gt=at
        )
        return began.filter(status__in=Revision.RELEASED_STATES)

    def kept(self) -> Self:
        """Revisions of documents that were not disposed of."""
        return self.exclude(document__dispositions__status="done")

    def released(self) -> Self:
        """Revisions that are or were in force."""
        return self.filter(status__in=Revision.RELEASED_STATES)

    def awaiting(self, person: Any) -> Self:
        """Revisions that wait for this person's review or approval."""
        seats = Signatory.objects.of(person).filter(signed_on=None)
        reviews = Q(status="in_review", pk__in=seats.filter(part="review").values("revision_id"))
        approves = Q(status="reviewed", pk__in=seats.filter(part="approval").values("revision_id"))
        return self.filter(reviews | approves)

    def due_to_take_effect(self, on: date) -> Self:
        return self.filter(status=Revision.Status.APPROVED, effective_from__lte=on)

    def in_force_during(self, start: date, end: date) -> Self:
        """Revisions that were in force at any time in a period (both days inclusive)."""
        return self.kept().filter(
            Q(ended_on__isnull=True) | Q(ended_on__gt=start),
            effective_from__lte=end,
            status__in=Revision.RELEASED_STATES,
        )

    def visible_to(self, person: Any) -> Self:
        """What was in force is for every reader of the document; drafts are for their makers."""
        rows = super().visible_to(person).kept()
        readable = rows.filter(document__in=Document.objects.visible_to(person).values("pk"))
        if person.has_perm("documents.add_revision"):
            return readable
        signs = Q(pk__in=Signatory.objects.of(person).values("revision_id"))
        involved = Q(created_by=person) | signs
        return readable.filter(Q(status__in=Revision.RELEASED_STATES) | involved)


class Revision(StatefulRecord):
    """One revision of a document: its content and the way it took into force.

    `text` is written here (`documents.content`), `source` an uploaded original; of a form `fields`
    are what is filled in. What was reviewed is what is approved: the content is frozen from the
    moment it is sent to review, and a rejection starts the review anew. `number` counts, `label` is
    what people read: a minor revision of 2 is 2.1. `effective_from` is the planned day until the
    revision is approved.
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
        ("draft", "draft"),
        ("draft", "in_review"),
        ("in_review", "in_review"),
        ("in_review", "reviewed"),
        ("in_review", "draft"),
        ("reviewed", "draft"),
        ("reviewed", "reviewed"),
        ("reviewed", "approved"),
        ("approved", "draft"),
        ("approved", "effective"),
        ("effective", "superseded"),
        ("effective", "withdrawn"),
        ("draft", "void"),
    }
    CONTENT = ("title", "text", "source", "fields", "questions", "change_summary")
    READ_WITH = ("document",)
    FROZEN = {"document", "number", "label", "is_minor", "why_minor", *CONTENT}
    UNTOLD = ("questions",)  # they bear the right answers
    FROZEN_IN = {
        "in_review",
        "reviewed",
        "approved",
        "effective",
        "superseded",
        "withdrawn",
        "void",
    }
    SIGNED_FIELDS = ("document", "number", "label", *CONTENT)

    document = models.ForeignKey(Document, models.PROTECT, related_name="revisions", editable=False)
    number = models.PositiveIntegerField("count", editable=False)
    label = models.CharField("revision", max_length=12, editable=False)
    is_minor = models.BooleanField(
        "a minor change",
        default=False,
        help_text="It changes nothing that people do: nobody is asked to read it again.",
    )
    why_minor = models.TextField(
        "why it is a minor change all the same",
        max_length=1000,
        blank=True,
        help_text="Asked where it changes more than a tenth of what people have read.",
    )
    title = models.CharField("title", max_length=200)
    text = models.JSONField("text", default=empty_text, blank=True)
    fields = models.JSONField("fields of the form", default=list, blank=True)
    questions = models.JSONField("questions to the reader", default=list, blank=True)
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
    in_order = models.BooleanField(
        "one after the other",
        default=False,
        help_text="Reviewers, then approvers, sign in the order they are named.",
    )
    review_quorum = models.PositiveSmallIntegerField(
        "reviews needed", null=True, blank=True, validators=_QUORUM, help_text="Empty: all."
    )
    approval_quorum = models.PositiveSmallIntegerField(
        "approvals needed", null=True, blank=True, validators=_QUORUM, help_text="Empty: all."
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
    effective_from = models.DateField(
        "effective from", null=True, blank=True, help_text="Empty: as soon as it is approved."
    )
    ended_on = models.DateField("no longer in force from", null=True, editable=False)

    objects = RevisionQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "revision"
        indexes = [
            models.Index(fields=["status", "effective_from"], name="documents_status_from"),
            # Which texts in force point at a document.
            GinIndex(
                Pointers(F("text")), name="documents_pointers", condition=Q(status="effective")
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["document", "number"], name="documents_revision_number_once"
            ),
            models.UniqueConstraint(
                fields=["document", "label"],
                condition=~Q(status="void"),
                name="documents_revision_label_once",
            ),
            models.UniqueConstraint(
                fields=["document"],
                condition=Q(status__in=["draft", "in_review", "reviewed", "approved"]),
                name="documents_one_open_revision",
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
        return f"{self.document.number} revision {self.label}"

    def get_absolute_url(self) -> str:
        return page_of("documents:revision_detail", self.pk)

    def signed_content(self) -> str:
        """The fields, and the uploaded original and every picture by its own SHA-256."""
        told = json.loads(super().signed_content())
        told["source_sha256"] = self.source.blob.sha256 if self.source else ""
        pictures = Attachment.objects.filter(pk__in=content.pictures_in(self.text)).order_by("pk")
        told["pictures_sha256"] = dict(pictures.values_list("pk", "blob__sha256"))
        if self.why_minor:
            told["why_minor"] = self.why_minor
        return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    def told_change(self, name: str, old: Any, new: Any) -> tuple[str, str] | None:
        """Of a text only the lines that differ; of fields and questions their labels."""
        if name == "text":
            before, after = (
                content.as_text(each or content.EMPTY).splitlines() for each in (old, new)
            )
            gone = [line for line in before if line not in set(after)]
            come = [line for line in after if line not in set(before)]
            return _in_short(gone), _in_short(come)
        if name in ("fields", "questions"):
            return tuple(  # type: ignore[return-value]
                _in_short([str(part.get("label") or part.get("question")) for part in each or ()])
                for each in (old, new)
            )
        return None

    @property
    def is_obsolete(self) -> bool:
        """Whether it must be marked as no longer in force wherever it is shown."""
        return self.status in (self.Status.SUPERSEDED, self.Status.WITHDRAWN, self.Status.VOID)


class SignatoryQuerySet(RecordQuerySet):
    def of(self, person: Any) -> Self:
        """What a person signs, or signed."""
        return self.filter(person=person, ended=False)

    def seated(self) -> Self:
        """Those who are named now, in the order in which they sign."""
        return self.filter(ended=False).order_by("part", "position", "pk")

    def visible_to(self, person: Any) -> Self:
        """Who signs a revision is for those who may see the revision."""
        rows = super().visible_to(person)
        return rows.filter(revision__in=Revision.objects.visible_to(person).values("pk"))


class Signatory(Record):
    """That a person reviews or approves a revision, the how-manieth to do so, and when they did.

    `ended` once the person is no longer named; the row and its history stay.
    """

    class Part(models.TextChoices):
        REVIEW = "review", "Review"
        APPROVAL = "approval", "Approval"

    revision = models.ForeignKey(
        Revision, models.PROTECT, related_name="signatories", editable=False
    )
    part = models.CharField("part", max_length=10, choices=Part, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="person"
    )
    position = models.PositiveSmallIntegerField("position", default=1, editable=False)
    signed_on = models.DateField("signed on", null=True, editable=False)
    ended = models.BooleanField(default=False, editable=False)

    objects = SignatoryQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "signatory"
        verbose_name_plural = "signatories"
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "part", "person"],
                condition=Q(ended=False),
                name="documents_signs_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person.name}, {self.get_part_display().lower()} of {self.revision}"

    def get_absolute_url(self) -> str:
        return self.revision.get_absolute_url()

    @property
    def is_released(self) -> bool:
        """Handing it on while the revision waits asks why."""
        return self.revision.status != Revision.Status.DRAFT
