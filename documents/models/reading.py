"""Who is to read a document, and who has read which revision of it (ISO 9001 7.3, 7.5.3).

The audience is said of the document; a reading task is one person's for one major revision. A minor
revision asks nobody again: what was acknowledged of the major one before it counts.
"""

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from documents.models.documents import Document
from documents.models.revisions import Revision
from qms.addresses import page_of
from qms.links import Link
from qms.people.roles import ROLES
from qms.records import RecordQuerySet, StatefulRecord
from qms.scope.models import ProcessDeputy, ProcessMember

READERS_OF_THE_MATRIX = ("quality_manager", "top_management", "lead_auditor")
_ONE_TARGET = (
    Q(everyone=True, role="", process=None, person=None)
    | (Q(everyone=False, process=None, person=None) & ~Q(role=""))
    | Q(everyone=False, role="", process__isnull=False, person=None)
    | Q(everyone=False, role="", process=None, person__isnull=False)
)


class Audience(Link):
    """That a document is to be read by everyone, by a role, by a process, or by one person.

    Of a process it is the owner, the deputies and the members.
    """

    document = models.ForeignKey(Document, models.PROTECT, related_name="audience", editable=False)
    everyone = models.BooleanField("everyone", default=False)
    role = models.CharField(
        "role",
        max_length=30,
        blank=True,
        choices=[(role.name, role.label) for role in ROLES.values()],
    )
    process = models.ForeignKey(
        "scope.Process", models.PROTECT, null=True, blank=True, related_name="+"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta(Link.Meta):
        verbose_name = "reader of a document"
        verbose_name_plural = "readers of documents"
        constraints = [
            models.UniqueConstraint(
                fields=["document", "everyone", "role", "process", "person"],
                nulls_distinct=False,
                name="documents_reader_once",
            ),
            models.CheckConstraint(condition=_ONE_TARGET, name="documents_reader_is_one"),
        ]

    def __str__(self) -> str:
        return f"{self.whom} of {self.document.number}"

    @classmethod
    def naming(cls, person: Any) -> Any:
        """The lines that name a person: alone, with everyone, by a role or by a process."""
        links = (ProcessMember, ProcessDeputy)
        works_in = (
            link.objects.live().filter(person=person).values("process_id") for link in links
        )
        by_process = Q(process__owner=person)
        for processes in works_in:
            by_process |= Q(process__in=processes)
        by_role = Q(role__in=person.role_names)
        return cls.objects.live().filter(Q(everyone=True) | by_role | by_process | Q(person=person))

    def get_absolute_url(self) -> str:
        return self.document.get_absolute_url()

    @property
    def whom(self) -> str:
        """Who it is, in words."""
        if self.everyone:
            return "Everyone"
        if self.role:
            return str(self.get_role_display())
        return str(self.process or self.person)


class ReadingTaskQuerySet(RecordQuerySet):
    def open(self) -> Self:
        """What is still to be read."""
        return self.filter(status=ReadingTask.Status.OPEN)

    def overdue(self, on: date) -> Self:
        return self.open().filter(due__lt=on)

    def acknowledged(self) -> Self:
        return self.filter(status=ReadingTask.Status.ACKNOWLEDGED)

    def of(self, person: Any) -> Self:
        return self.filter(person=person)

    def visible_to(self, person: Any) -> Self:
        """One's own, those of documents and processes one owns, and all for who keeps the system.

        What was acknowledged of a document one may not see stays hidden with it.
        """
        rows = super().visible_to(person)
        if not person.is_authenticated:
            return rows
        seen = rows.filter(document__in=Document.objects.visible_to(person).values("pk"))
        if person.holds(*READERS_OF_THE_MATRIX):
            return seen
        answers_for = Q(document__owner=person) | Q(document__process__owner=person)
        return seen.filter(Q(person=person) | answers_for)


class ReadingTask(StatefulRecord):
    """That one person is to read one revision of a document, and that they did.

    `revision` is the major revision it was asked for; `read` the one in force when it was
    acknowledged (the same, or a minor one after it), with the hash of its content. `tries` are the
    answers given to its questions, each with the revision and whether it was right.
    """

    class Status(models.TextChoices):
        OPEN = "open", "To be read"
        ACKNOWLEDGED = "acknowledged", "Read and understood"
        LAPSED = "lapsed", "Lapsed"
        ENDED = "ended", "No longer asked"

    PATHS = {
        ("open", "open"),
        ("open", "acknowledged"),
        ("open", "lapsed"),
        ("open", "ended"),
        ("ended", "open"),
    }
    STATE_TONES = {"open": "soon", "acknowledged": "fine", "lapsed": "void", "ended": "void"}
    DRAFT_STATES = ("open",)
    FROZEN = {"document", "revision", "person", "read", "content_hash", "acknowledged_on", "tries"}
    FROZEN_IN = {"acknowledged", "lapsed"}
    UNTOLD = ("tries",)

    document = models.ForeignKey(
        Document, models.PROTECT, related_name="reading_tasks", editable=False
    )
    revision = models.ForeignKey(
        Revision, models.PROTECT, related_name="reading_tasks", editable=False
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="reading_tasks", editable=False
    )
    due = models.DateField("read by", editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN, editable=False)
    read = models.ForeignKey(
        Revision, models.PROTECT, null=True, related_name="+", editable=False, verbose_name="read"
    )
    content_hash = models.CharField("content read", max_length=64, blank=True, editable=False)
    acknowledged_on = models.DateField("acknowledged on", null=True, editable=False)
    tries = models.JSONField("answers given", default=list, blank=True, editable=False)
    why_ended = models.CharField("why it ended", max_length=200, blank=True, editable=False)

    objects = ReadingTaskQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "reading task"
        indexes = [
            models.Index(fields=["document", "status"], name="documents_reading_status"),
            models.Index(fields=["person", "status"], name="documents_reading_person"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["revision", "person"], name="documents_read_once"),
            models.UniqueConstraint(
                fields=["document", "person"],
                condition=Q(status="open"),
                name="documents_one_open_reading",
            ),
            models.CheckConstraint(
                condition=~Q(status="acknowledged")
                | (Q(acknowledged_on__isnull=False, read__isnull=False) & ~Q(content_hash="")),
                name="documents_read_on_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document.number} revision {self.revision.label}, read by {self.person.name}"

    def get_absolute_url(self) -> str:
        return page_of("documents:reading_detail", self.pk)

    @property
    def title(self) -> str:
        return self.document.title

    @property
    def number(self) -> str:
        """The document's number, which is what people say."""
        return self.document.number
