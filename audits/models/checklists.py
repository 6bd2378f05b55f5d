"""The questions of an audit and their answers, and templates of questions (9.2.2)."""

import re
from collections.abc import Iterator

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse

from audits.models.audits import Audit
from qms.clauses import EDITION_CHOICES, ClauseField, ClauseRef
from qms.records import Record, RecordQuerySet, StatefulRecord
from qms.scope.models import Process


class ChecklistItem(Record):
    """A question of an audit and its answer."""

    class Answer(models.TextChoices):
        OPEN = "", "Open"
        CONFORMS = "conforms", "Conforms"
        NONCONFORMING = "nonconforming", "Nonconforming"
        OPPORTUNITY = "opportunity", "Opportunity"
        NOT_APPLICABLE = "not_applicable", "Not applicable"

    class Source(models.TextChoices):
        """Where a question comes from, in the order in which a page groups them."""

        AGREED = "agreed", "What is agreed"
        FINDING = "finding", "Earlier findings"
        RISK = "risk", "Open risks"
        SIGNAL = "signal", "Indicators"
        DOCUMENT = "document", "Documents in force"
        SHEET = "sheet", "Process sheet"
        TEMPLATE = "template", "Templates"
        LAST = "last", "Last audit"
        CLAUSE = "clause", "Clauses"
        OWN = "own", "Added by hand"

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField("position")
    clause = ClauseField("clause", blank=True)
    question = models.TextField("question")
    answer = models.CharField(
        "answer", max_length=16, choices=Answer, default=Answer.OPEN, blank=True
    )
    note = models.TextField("note", blank=True)
    source = models.CharField(
        "comes from", max_length=10, choices=Source, blank=True, default="", editable=False
    )
    origin = models.CharField("which", max_length=200, blank=True, default="", editable=False)
    origin_url = models.CharField(max_length=200, blank=True, default="", editable=False)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    happened_at = models.DateTimeField("answered at", null=True, editable=False)

    class Meta(Record.Meta):
        verbose_name = "checklist question"
        constraints = [
            models.UniqueConstraint(fields=["audit", "position"], name="audits_item_position_once"),
            models.CheckConstraint(
                condition=Q(answer="") | Q(answered_by__isnull=False),
                name="audits_answered_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.audit.number} question {self.position}"

    def get_absolute_url(self) -> str:
        return reverse("audits:field_question", args=[self.audit_id, self.position])


LINE = re.compile(r"(?P<number>\d{1,2}(?:\.\d{1,2})+)[.:)]?\s+(?P<words>\S.*)")


class ChecklistTemplateQuerySet(RecordQuerySet):
    def fitting(self, kind: str, edition: str) -> "ChecklistTemplateQuerySet":
        """Those in use for a kind of process, or for all, in an edition."""
        rows = self.filter(status=ChecklistTemplate.Status.IN_USE, edition=edition)
        return rows.filter(process_kind__in=("", kind))


class ChecklistTemplate(StatefulRecord):
    """Questions that audits of a kind of process ask again and again, one a line."""

    class Status(models.TextChoices):
        IN_USE = "in_use", "In use"
        RETIRED = "retired", "Retired"

    PATHS = {("in_use", "retired"), ("retired", "in_use")}
    STATE_TONES = {"in_use": "fine", "retired": "void"}
    NAMED_BY = ("name",)

    name = models.CharField("name", max_length=120)
    edition = models.CharField("edition", max_length=4, choices=EDITION_CHOICES, default="2026")
    process_kind = models.CharField(
        "kind of process",
        max_length=10,
        choices=Process.Kind,
        blank=True,
        help_text="Left empty, it fits every process.",
    )
    questions = models.TextField(
        "questions",
        max_length=20_000,
        help_text="One a line. It may begin with the number of its clause: “8.4.1 How …”.",
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.IN_USE, editable=False)

    objects = ChecklistTemplateQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "checklist template"
        constraints = [
            models.UniqueConstraint(Lower("name"), name="audits_template_named_once"),
            models.CheckConstraint(condition=~Q(questions=""), name="audits_template_asks"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("audits:template_detail", args=[self.pk])

    @property
    def title(self) -> str:
        return self.name

    def lines(self) -> Iterator[tuple[str, str]]:
        """(clause key or nothing, question) of each line."""
        for number, words in numbered_lines(self.questions):
            yield ClauseRef(self.edition, number).key if number else "", words


def numbered_lines(text: str) -> Iterator[tuple[str, str]]:
    """(clause number or nothing, words) of each line that says something."""
    for line in text.splitlines():
        if found := LINE.fullmatch(line.strip()):
            yield found["number"], found["words"].strip()
        elif line.strip():
            yield "", line.strip()
