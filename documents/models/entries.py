"""Entries of forms: the evidence that work was done (ISO 9001 7.5.3).

An entry keeps the revision of the form it was filled in on. From its submission it never changes:
a mistake is corrected by a new entry that names it.
"""

import json
from typing import Any, ClassVar, Self
from uuid import uuid4

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from documents import answers, design, subjects
from documents.models.documents import Document
from documents.models.revisions import Revision
from qms.addresses import page_of
from qms.files.models import Attachment
from qms.records import Numbered, RecordQuerySet, StatefulRecord


class EntryQuerySet(RecordQuerySet):
    def standing(self) -> Self:
        """Submitted, and neither corrected nor voided since."""
        return self.filter(status=Entry.Status.SUBMITTED)

    def evidence(self) -> Self:
        """Everything that was ever submitted."""
        return self.exclude(submitted_on=None)

    def happened_between(self, start: Any, end: Any) -> Self:
        """What happened between two instants, the second not included."""
        return self.filter(happened_at__gte=start, happened_at__lt=end)

    def naming(self, register: str, key: int) -> Self:
        """Entries that name a record of a register in any of their fields."""
        return self.filter(mentions__contains=[f"{register}:{key}"])

    def visible_to(self, person: Any) -> Self:
        """Entries are for the readers of their form; drafts are for who writes them."""
        rows = super().visible_to(person)
        readable = rows.filter(form__in=Document.objects.visible_to(person).values("pk"))
        return readable.filter(Q(submitted_on__isnull=False) | Q(created_by_id=person.pk))


class Entry(Numbered, StatefulRecord):
    """A form, filled in once.

    `happened_at` is what people say, `recorded_at` the database's clock. `values` are the answers
    by the keys of the revision's fields (`documents.answers`), `subject` the record it is about,
    `mentions` every record it names. `signed` holds who signed which signature field, and
    `outcome` is what a register made of it. `once` makes two clicks one entry.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted"
        CORRECTED = "corrected", "Corrected"
        VOID = "void", "Void"

    class Worst(models.TextChoices):
        NONE = "", "Within the limits"
        WARNING = "warning", "Warning"
        LIMIT = "limit", "Beyond a limit"

    DIGITS = 4
    STATE_TONES: ClassVar[dict[str, str]] = {
        "draft": "soon",
        "submitted": "fine",
        "corrected": "void",
        "void": "void",
    }
    PATHS = {
        ("draft", "draft"),
        ("draft", "submitted"),
        ("draft", "void"),
        ("submitted", "submitted"),
        ("submitted", "corrected"),
        ("submitted", "void"),
        ("corrected", "void"),
    }
    CONTENT = (
        "form",
        "revision",
        "number",
        "happened_at",
        "values",
        "subject_type",
        "subject_id",
        "corrects",
        "why",
    )
    FROZEN = {*CONTENT, "mentions", "worst", "submitted_on", "once"}
    FROZEN_IN = {"submitted", "corrected", "void"}
    SIGNED_FIELDS = CONTENT

    number = models.CharField(max_length=60, unique=True, editable=False)
    form = models.ForeignKey(Document, models.PROTECT, related_name="entries", editable=False)
    revision = models.ForeignKey(Revision, models.PROTECT, related_name="entries", editable=False)
    happened_at = models.DateTimeField(
        "when it happened", help_text="Not when it is written down; the program knows that itself."
    )
    values = models.JSONField("answers", default=dict, blank=True)
    subject_type = models.ForeignKey(
        ContentType, models.PROTECT, null=True, related_name="+", editable=False
    )
    subject_id = models.PositiveBigIntegerField(null=True, editable=False)
    subject = GenericForeignKey("subject_type", "subject_id")
    mentions = models.JSONField(default=list, editable=False)
    corrects = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="corrections", editable=False
    )
    why = models.TextField("why it is corrected", blank=True, max_length=2000, editable=False)
    worst = models.CharField(
        "limits", max_length=8, choices=Worst, default=Worst.NONE, blank=True, editable=False
    )
    submitted_on = models.DateField("submitted", null=True, editable=False)
    signed = models.JSONField("signatures", default=dict, editable=False)
    outcome_type = models.ForeignKey(
        ContentType, models.PROTECT, null=True, related_name="+", editable=False
    )
    outcome_id = models.PositiveBigIntegerField(null=True, editable=False)
    outcome = GenericForeignKey("outcome_type", "outcome_id")
    once = models.UUIDField(default=uuid4, unique=True, editable=False)
    status = models.CharField(
        max_length=10, choices=Status, default=Status.DRAFT, editable=False, db_index=True
    )

    objects = EntryQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "entry"
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["form", "-happened_at"], name="documents_entry_happened"),
            models.Index(fields=["subject_type", "subject_id"], name="documents_entry_about"),
            GinIndex(fields=["mentions"], name="documents_entry_mentions"),
        ]
        constraints = [
            models.CheckConstraint(
                name="documents_entry_about_one",
                condition=Q(subject_type__isnull=True, subject_id__isnull=True)
                | Q(subject_type__isnull=False, subject_id__isnull=False),
            ),
            models.CheckConstraint(
                name="documents_entry_submitted_on",
                condition=~Q(status__in=["submitted", "corrected"]) | Q(submitted_on__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["corrects"],
                condition=~Q(status="void"),
                name="documents_entry_corrected_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.form.title}"

    @property
    def called_outside(self) -> str:
        """That of a restricted form goes by its number."""
        return str(self) if self.form.is_open else self.number

    def get_absolute_url(self) -> str:
        return page_of("documents:entry_detail", self.pk)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """With what it is about and everything it names, as the answers say."""
        self.subject_type, self.subject_id = subjects.reference(self.parts, self.values)
        pairs = answers.records_in(self.parts, self.values)
        self.mentions = [f"{register}:{key}" for register, key in pairs]
        super().save(*args, **kwargs)

    def number_series(self) -> tuple[str, int | None]:
        """Behind the number of its form: FR-03-0007."""
        return self.form.number, None

    @property
    def title(self) -> str:
        return str(self.form.title)

    @property
    def is_settled(self) -> bool:
        return self.status != self.Status.DRAFT

    @property
    def parts(self) -> list[design.Part]:
        """The fields it was filled in on."""
        fields: list[design.Part] = self.revision.fields
        return fields

    @property
    def unsigned(self) -> list[design.Part]:
        """Signature fields nobody has signed yet."""
        return [p for p in design.of_kind(self.parts, "signature") if p["key"] not in self.signed]

    @property
    def signers(self) -> set[int]:
        """The keys of the people who signed it so far."""
        return {given["person"] for given in self.signed.values()}

    def told_change(self, name: str, before: Any, after: Any) -> tuple[str, str] | None:
        """Of the answers only those that differ, in words; of signatures their fields."""
        if name == "signed":
            was, now = (", ".join(map(self._label, signed or ())) for signed in (before, after))
            return was or "–", now or "–"
        if name != "values":
            return None
        old, new = before or {}, after or {}
        keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        return self._told(old, keys), self._told(new, keys)

    def _label(self, key: str) -> str:
        part = design.part_with(self.parts, key)
        return str(part["label"]) if part else key

    def _told(self, values: dict[str, Any], keys: list[str]) -> str:
        names = subjects.Names(subjects.ids_in(self.parts, values))
        told = []
        for key in keys:
            part, value = design.part_with(self.parts, key), values.get(key)
            words = answers.in_words(part, value, names) if part else str(value or "")
            told.append(f"{self._label(key)}: {words or '–'}")
        return "; ".join(told) or "–"

    def signed_content(self) -> str:
        """The answers, and every file and photo by its own SHA-256."""
        told = json.loads(super().signed_content())
        keys = answers.attachments_in(self.parts, self.values)
        files = Attachment.objects.filter(pk__in=keys).order_by("pk")
        told["files_sha256"] = dict(files.values_list("pk", "blob__sha256"))
        return json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
