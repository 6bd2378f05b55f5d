"""What an auditor writes down before knowing what it is: the free line of inquiry (ISO 19011)."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from audits.models.audits import Audit, drafts_shown_to
from audits.models.checklists import ChecklistItem
from audits.models.findings import Finding
from qms.clauses import ClauseField
from qms.records import RecordQuerySet, StatefulRecord


class AuditNoteQuerySet(RecordQuerySet):
    def to_place(self) -> Self:
        """Not yet a finding or an answer."""
        return self.filter(status=AuditNote.Status.OPEN)

    def visible_to(self, person: Any) -> Self:
        """Notes are working papers of the team, of lead auditors and of the quality manager."""
        rows = super().visible_to(person)
        if not person.is_authenticated:
            return rows
        return rows.filter(audit__in=drafts_shown_to(person))


class AuditNote(StatefulRecord):
    """Something seen or heard in an audit; tagged afterwards, then a finding or an answer."""

    class Status(models.TextChoices):
        OPEN = "open", "To place"
        FINDING = "finding", "Became a finding"
        ANSWER = "answer", "Became an answer"
        VOID = "void", "Void"

    PATHS = {("open", "finding"), ("open", "answer"), ("open", "void")}
    STATE_TONES = {"open": "soon", "finding": "fine", "answer": "fine", "void": "void"}
    FROZEN = {"audit", "words", "clause", "process"}
    FROZEN_IN = {"finding", "answer", "void"}

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="notes", editable=False)
    words = models.TextField("note", max_length=5000)
    clause = ClauseField("clause", blank=True)
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="process",
        help_text="Where the line of inquiry led, if it left the process audited.",
    )
    finding = models.ForeignKey(
        Finding, models.PROTECT, null=True, related_name="notes", editable=False
    )
    item = models.ForeignKey(
        ChecklistItem, models.PROTECT, null=True, related_name="notes", editable=False
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN, editable=False)

    objects = AuditNoteQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "audit note"
        constraints = [
            models.CheckConstraint(condition=~Q(words=""), name="audits_note_says_something"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "void"], finding=None, item=None)
                | Q(status="finding", finding__isnull=False, item=None)
                | Q(status="answer", item__isnull=False, finding=None),
                name="audits_note_is_placed_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.audit.number} note {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("audits:note_detail", args=[self.pk])

    @property
    def title(self) -> str:
        text = " ".join(self.words.split())
        return text if len(text) <= 120 else text[:119].rstrip() + "…"
