"""What the certification body found, with the days it gives for an answer (ISO/IEC 17021-1)."""

from datetime import date
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from audits.models.certification import CertificationAudit
from qms.clauses import ClauseField
from qms.records import Record, RecordQuerySet, StatefulRecord


class BodyFindingQuerySet(RecordQuerySet):
    def open(self) -> Self:
        """Not closed yet."""
        return self.exclude(status=BodyFinding.Status.CLOSED)

    def unverified_majors(self) -> Self:
        """Majors whose correction and corrective action the body has not verified."""
        return self.filter(grade="major", status__in=("recorded", "answered", "accepted"))

    def minors_without_plan(self) -> Self:
        """Minors for which the body has accepted no plan."""
        return self.filter(grade="minor", status__in=("recorded", "answered"))


class BodyFinding(StatefulRecord):
    """A finding of a visit, answered within the body's own deadlines.

    A major or minor has a nonconformity of ours; only the body says whether its answer is accepted
    and verified.
    """

    class Status(models.TextChoices):
        RECORDED = "recorded", "To answer"
        ANSWERED = "answered", "Answered"
        ACCEPTED = "accepted", "Plan accepted"
        VERIFIED = "verified", "Verified by the body"
        CLOSED = "closed", "Closed"

    class Grade(models.TextChoices):
        MAJOR = "major", "Major nonconformity"
        MINOR = "minor", "Minor nonconformity"
        OBSERVATION = "observation", "Observation"
        OPPORTUNITY = "opportunity", "Opportunity for improvement"

    NONCONFORMITIES = ("major", "minor")
    STATE_TONES = {"recorded": "late", "answered": "soon", "verified": "fine", "closed": "fine"}
    PATHS = {
        ("recorded", "answered"),
        ("answered", "recorded"),
        ("answered", "accepted"),
        ("accepted", "verified"),
        ("accepted", "answered"),
        ("verified", "closed"),
        ("recorded", "closed"),  # observations and opportunities ask for no answer
    }
    FROZEN = {"reference", "clause", "statement", "requirement", "evidence"}
    FROZEN_IN = {"answered", "accepted", "verified", "closed"}
    TAKES_PROOF_IN = {"answered", "accepted", "verified"}  # evidence, consents and letters

    visit = models.ForeignKey(
        CertificationAudit, models.PROTECT, related_name="findings", verbose_name="visit"
    )
    reference = models.CharField(
        "the body's number", max_length=40, help_text="As it stands in the report of the body."
    )
    grade = models.CharField("grade", max_length=12, choices=Grade, default=Grade.MINOR)
    clause = ClauseField("clause", blank=True)
    requirement = models.TextField("requirement", blank=True)
    statement = models.TextField("statement")
    evidence = models.TextField("evidence", blank=True)
    found_on = models.DateField("handed over on")
    plan_due = models.DateField("plan due", null=True, editable=False)
    evidence_due = models.DateField("evidence due", null=True, editable=False)
    answered_on = models.DateField("answer sent", null=True, editable=False)
    accepted_on = models.DateField("plan accepted", null=True, editable=False)
    verified_on = models.DateField("verified", null=True, editable=False)
    verified_by_whom = models.CharField("verified by", max_length=120, blank=True, editable=False)
    closed_on = models.DateField("closed", null=True, editable=False)
    status = models.CharField(
        max_length=10, choices=Status, default=Status.RECORDED, editable=False
    )

    objects = BodyFindingQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "finding of the certification body"
        verbose_name_plural = "findings of the certification body"
        constraints = [
            models.UniqueConstraint(
                fields=["visit", "reference"], name="audits_body_finding_recorded_once"
            ),
            models.CheckConstraint(
                condition=~Q(grade__in=["major", "minor"])
                | (
                    Q(plan_due__isnull=False, evidence_due__isnull=False)
                    & Q(plan_due__gte=F("found_on"), evidence_due__gte=F("plan_due"))
                    & ~Q(requirement="")
                    & ~Q(evidence="")
                ),
                name="audits_body_nc_is_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.get_grade_display().lower()}"

    def get_absolute_url(self) -> str:
        return reverse("audits:body_finding_detail", args=[self.pk])

    @property
    def title(self) -> str:
        text = self.statement
        return text if len(text) <= 120 else text[:119].rstrip() + "…"

    @property
    def is_nonconformity(self) -> bool:
        return self.grade in self.NONCONFORMITIES

    @property
    def next_due(self) -> date | None:
        """The body's next deadline; None where none is left."""
        if self.status == self.Status.RECORDED:
            return self.plan_due
        waiting = (self.Status.ANSWERED, self.Status.ACCEPTED)
        return self.evidence_due if self.status in waiting else None


class DeadlineExtension(Record):
    """That the body agreed to a later day; `was` keeps the day before, the consent is attached."""

    class Deadline(models.TextChoices):
        PLAN = "plan", "Plan"
        EVIDENCE = "evidence", "Evidence"

    finding = models.ForeignKey(
        BodyFinding, models.PROTECT, related_name="extensions", editable=False
    )
    deadline = models.CharField("deadline", max_length=10, choices=Deadline, editable=False)
    was = models.DateField("was due", editable=False)
    until = models.DateField("until", editable=False)
    reason = models.TextField("reason", editable=False)

    class Meta(Record.Meta):
        verbose_name = "extension of a deadline"
        verbose_name_plural = "extensions of deadlines"
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gt=F("was")), name="audits_extension_is_later"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="audits_extension_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.get_deadline_display()} of {self.finding} until {self.until:%-d %B %Y}"


class OfBodyFindingQuerySet(RecordQuerySet):
    def visible_to(self, person: Any) -> Self:
        """Those of findings the person may see."""
        rows = super().visible_to(person)
        findings = BodyFinding.objects.visible_to(person)
        return rows.filter(finding__in=findings.values("pk"))


class GradeChange(Record):
    """That the body changed the grade of a finding: from what to what, when, who and why."""

    finding = models.ForeignKey(
        BodyFinding, models.PROTECT, related_name="grade_changes", editable=False
    )
    was = models.CharField("was", max_length=12, choices=BodyFinding.Grade, editable=False)
    becomes = models.CharField("is now", max_length=12, choices=BodyFinding.Grade, editable=False)
    decided_on = models.DateField("decided on", editable=False)
    by_whom = models.CharField("by whom at the body", max_length=120, editable=False)
    reason = models.TextField("reason", editable=False)

    objects = OfBodyFindingQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "change of a grade"
        verbose_name_plural = "changes of grades"
        constraints = [
            models.CheckConstraint(condition=~Q(was=F("becomes")), name="audits_grade_changes"),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(by_whom=""), name="audits_grade_change_says_why"
            ),
        ]

    def __str__(self) -> str:
        before, after = self.get_was_display(), self.get_becomes_display()
        return f"{self.finding.reference}: {before.lower()} to {after.lower()}"

    def get_absolute_url(self) -> str:
        return self.finding.get_absolute_url()
