"""What audits found (9.2.2)."""

from datetime import date
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from audits.models.audits import Audit
from audits.models.checklists import ChecklistItem
from qms.clauses import ClauseField
from qms.records import RecordQuerySet, StatefulRecord


class FindingQuerySet(RecordQuerySet):
    def released(self) -> Self:
        """Findings of issued reports."""
        return self.filter(status=Finding.Status.RELEASED)

    def nonconformities(self) -> Self:
        return self.filter(grade__in=Finding.NONCONFORMITIES)

    def released_between(self, start: date, end: date) -> Self:
        return self.released().filter(audit__issued_on__range=(start, end))

    def visible_to(self, person: Any) -> Self:
        """Drafts are the team's own until the lead auditor releases them with the report."""
        rows = super().visible_to(person)
        if not person.is_authenticated or person.holds("lead_auditor", "quality_manager"):
            return rows
        own = Audit.objects.of_team(person).values("pk")
        return rows.filter(Q(status=Finding.Status.RELEASED) | Q(audit__in=own))


class Finding(StatefulRecord):
    """What an audit found, graded; numbered within its audit."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        RELEASED = "released", "Released"
        VOID = "void", "Void"

    class Grade(models.TextChoices):
        MAJOR = "major", "Major nonconformity"
        MINOR = "minor", "Minor nonconformity"
        OBSERVATION = "observation", "Observation"
        OPPORTUNITY = "opportunity", "Opportunity for improvement"
        GOOD = "good", "Good practice"

    NONCONFORMITIES = ("major", "minor")
    PATHS = {("draft", "released"), ("draft", "void")}
    FROZEN = {"audit", "grade", "clause", "requirement", "evidence", "statement"}
    FROZEN_IN = {"released", "void"}
    SIGNED_FIELDS = ("audit", "position", "grade", "clause", "requirement", "evidence", "statement")

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="findings", editable=False)
    item = models.ForeignKey(
        ChecklistItem, models.PROTECT, null=True, related_name="findings", editable=False
    )
    position = models.PositiveSmallIntegerField("finding", editable=False)
    grade = models.CharField("grade", max_length=12, choices=Grade, default=Grade.MINOR)
    clause = ClauseField("clause", blank=True)
    requirement = models.TextField("requirement", blank=True)
    evidence = models.TextField("evidence", blank=True)
    statement = models.TextField("statement", blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT, editable=False)

    objects = FindingQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "finding"
        indexes = [models.Index(fields=["grade", "status"], name="audits_finding_grade")]
        constraints = [
            models.UniqueConstraint(
                fields=["audit", "position"], name="audits_finding_position_once"
            ),
            models.CheckConstraint(
                condition=~Q(status="released")
                | ~Q(grade__in=["major", "minor"])
                | (~Q(requirement="") & ~Q(evidence="") & ~Q(statement="")),
                name="audits_released_nc_is_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.audit.number} finding {self.position}"

    def get_absolute_url(self) -> str:
        return reverse("audits:finding_detail", args=[self.pk])

    @property
    def number(self) -> str:
        return f"{self.audit.number}/{self.position}"

    @property
    def title(self) -> str:
        text = self.statement or self.evidence or self.get_grade_display()
        return text if len(text) <= 120 else text[:119].rstrip() + "…"

    @property
    def is_nonconformity(self) -> bool:
        return self.grade in self.NONCONFORMITIES
