"""What audits found (9.2.2)."""

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, When
from django.urls import reverse

from audits.models.audits import Audit, drafts_shown_to
from audits.models.checklists import ChecklistItem
from qms.clauses import ClauseField
from qms.records import Record, RecordQuerySet, StatefulRecord


def _stands_as(grades: tuple[str, ...]) -> Q:
    return Q(regraded__in=grades) | Q(regraded="", grade__in=grades)


class FindingQuerySet(RecordQuerySet):
    def released(self) -> Self:
        """Findings the lead auditor has released."""
        return self.filter(status=Finding.Status.RELEASED)

    def standing(self) -> Self:
        """With the grade that stands: as released, or as an addendum corrected it."""
        stands = Case(When(regraded="", then=F("grade")), default=F("regraded"))
        return self.annotate(stands=stands)

    def nonconformities(self) -> Self:
        return self.filter(_stands_as(Finding.NONCONFORMITIES))

    def of_processes(self) -> Self:
        """Those of internal and special audits."""
        return self.filter(audit__kind__in=Audit.OF_PROCESSES)

    def to_answer(self) -> Self:
        """Released observations nobody has accepted or declined; what a customer waits for."""
        rows = self.released().filter(decision="")
        ours = _stands_as(Finding.ANSWERED) & ~Q(audit__kind=Audit.Kind.CUSTOMER)
        theirs = _stands_as(Finding.CUSTOMERS_ASK) & Q(audit__kind=Audit.Kind.CUSTOMER)
        return rows.filter(ours | theirs)

    def released_between(self, start: date, end: date) -> Self:
        return self.released().filter(audit__issued_on__range=(start, end))

    def visible_to(self, person: Any) -> Self:
        """Drafts are the team's own until the lead auditor releases them with the report."""
        rows = super().visible_to(person)
        if not person.is_authenticated:
            return rows
        drafts = drafts_shown_to(person)
        return rows.filter(Q(status=Finding.Status.RELEASED) | Q(audit__in=drafts))


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
        CONFORMITY = "conformity", "Conformity"
        GOOD = "good", "Good practice"

    class Decision(models.TextChoices):
        """What the owner says to an observation, or we to a customer's finding."""

        NONE = "", "Not answered"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        ANSWERED = "answered", "Answered to the customer"

    # What a grade means is fixed; what it is called is the organisation's (FindingGrade).
    NONCONFORMITIES = ("major", "minor")
    ANSWERED = ("observation",)
    CUSTOMERS_ASK = ("major", "minor", "observation")
    GRAVITY = {
        "major": 4,
        "minor": 3,
        "observation": 2,
        "opportunity": 1,
        "conformity": 0,
        "good": 0,
    }
    PATHS = {
        ("draft", "released"),
        ("draft", "draft"),  # softened
        ("draft", "void"),
        ("released", "released"),  # accepted, declined
    }
    FROZEN = {"audit", "grade", "clause", "requirement", "evidence", "statement"}
    FROZEN_IN = {"released", "void"}
    SIGNED_FIELDS = ("audit", "position", "grade", "clause", "requirement", "evidence", "statement")

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="findings", editable=False)
    item = models.ForeignKey(
        ChecklistItem, models.PROTECT, null=True, related_name="findings", editable=False
    )
    position = models.PositiveSmallIntegerField("finding", editable=False)
    reference = models.CharField(
        "their number", max_length=40, blank=True, help_text="As the customer's report has it."
    )
    grade = models.CharField("grade", max_length=12, choices=Grade, default=Grade.MINOR)
    clause = ClauseField("clause", blank=True)
    requirement = models.TextField("requirement", blank=True)
    evidence = models.TextField("evidence", blank=True)
    statement = models.TextField("statement", blank=True)
    softened_from = models.CharField(
        "first graded", max_length=12, choices=Grade, blank=True, editable=False
    )
    softened_because = models.TextField("why it was softened", blank=True, editable=False)
    regraded = models.CharField(
        "grade by addendum", max_length=12, choices=Grade, blank=True, editable=False
    )
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="merged", editable=False
    )
    answer_due = models.DateField("to be answered by", null=True, blank=True)
    decision = models.CharField(
        "answer of its owner", max_length=10, choices=Decision, blank=True, editable=False
    )
    decision_text = models.TextField("what its owner says", blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    decided_on = models.DateField("answered on", null=True, editable=False)
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
            models.CheckConstraint(
                condition=Q(softened_from="") | ~Q(softened_because=""),
                name="audits_softened_because",
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(status="void"), name="audits_merged_is_void"
            ),
            models.CheckConstraint(
                condition=Q(decision="") | Q(decided_by__isnull=False, decided_on__isnull=False),
                name="audits_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(decision="declined") | ~Q(decision_text=""),
                name="audits_declined_because",
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
    def standing_grade(self) -> str:
        """The grade that counts: as released, or as an addendum corrected it."""
        return self.regraded or self.grade

    @property
    def is_nonconformity(self) -> bool:
        return self.standing_grade in self.NONCONFORMITIES

    @property
    def wants_answer(self) -> bool:
        """Whether its owner has still to accept or decline it, or we to answer the customer."""
        asked = self.CUSTOMERS_ASK if self.audit.is_theirs else self.ANSWERED
        return (
            self.status == self.Status.RELEASED
            and self.standing_grade in asked
            and not self.decision
        )


class ResponseQuerySet(RecordQuerySet):
    def visible_to(self, person: Any) -> Self:
        """Those to findings the person may see."""
        rows = super().visible_to(person)
        return rows.filter(finding__in=Finding.objects.visible_to(person).values("pk"))


class FindingResponse(Record):
    """What an auditee says to a finding; kept as it was said."""

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="responses", editable=False)
    text = models.TextField("response")
    disagrees = models.BooleanField("does not agree with the finding", default=False)

    objects = ResponseQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "response to a finding"
        verbose_name_plural = "responses to findings"
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="audits_response_says_something")
        ]

    def __str__(self) -> str:
        return f"Response to {self.finding}"

    @property
    def is_released(self) -> bool:
        return True

    def get_absolute_url(self) -> str:
        return self.finding.get_absolute_url()
