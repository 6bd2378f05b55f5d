"""Internal audits, their checklists and findings (ISO 9001 9.2), and certificates."""

import json
from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from qms.clauses import EDITION_CHOICES, ClauseField, ClausesField
from qms.links import Link
from qms.records import Numbered, Record, RecordQuerySet, StatefulRecord


class AuditQuerySet(RecordQuerySet):
    def planned_between(self, start: date, end: date) -> Self:
        return self.filter(planned_on__range=(start, end)).exclude(status=Audit.Status.VOID)

    def reported_between(self, start: date, end: date) -> Self:
        return self.filter(
            issued_on__range=(start, end), status__in=(Audit.Status.ISSUED, Audit.Status.CLOSED)
        )

    def overdue(self, on: date) -> Self:
        """Audits whose day is past and whose report is not issued."""
        return self.filter(
            planned_on__lt=on, status__in=(Audit.Status.PLANNED, Audit.Status.CONFIRMED)
        )

    def of_team(self, person: Any) -> Self:
        """Audits this person leads or takes part in."""
        member = AuditTeamMember.objects.live().filter(person=person)
        return self.filter(Q(lead=person) | Q(pk__in=member.values("audit_id")))


class Audit(Numbered, StatefulRecord):
    """An internal audit of one process: what is audited, by whom, and what came of it."""

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        CONFIRMED = "confirmed", "Confirmed"
        IN_PROGRESS = "in_progress", "In progress"
        ISSUED = "issued", "Report issued"
        CLOSED = "closed", "Closed"
        VOID = "void", "Void"

    class Method(models.TextChoices):
        ON_SITE = "on_site", "On site"
        REMOTE = "remote", "Remote"
        MIXED = "mixed", "On site and remote"

    SERIES = "IA"
    STATE_TONES = {"issued": "info", "closed": "fine", "void": "void"}
    PATHS = {
        ("planned", "confirmed"),
        ("confirmed", "planned"),
        ("confirmed", "in_progress"),
        ("in_progress", "issued"),
        ("issued", "closed"),
        ("planned", "void"),
        ("confirmed", "void"),
    }
    DRAFT_STATES = ("planned", "in_progress")
    FROZEN = {
        "process",
        "lead",
        "edition",
        "criteria",
        "objectives",
        "scope",
        "conclusions",
        "auditees",
    }
    FROZEN_IN = {"issued", "closed", "void"}
    SIGNED_FIELDS = (
        "number",
        "process",
        "lead",
        "edition",
        "criteria",
        "objectives",
        "scope",
        "auditees",
        "planned_on",
        "conducted_on",
        "conclusions",
    )

    process = models.ForeignKey(
        "scope.Process", models.PROTECT, related_name="audits", verbose_name="process"
    )
    site = models.ForeignKey(
        "scope.Site",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="audits",
        verbose_name="site",
    )
    edition = models.CharField("edition", max_length=4, choices=EDITION_CHOICES, default="2026")
    clauses = ClausesField("clauses", blank=True, default=list)
    objectives = models.TextField("objectives", blank=True)
    criteria = models.TextField("criteria", blank=True)
    scope = models.TextField("scope", blank=True)
    method = models.CharField("method", max_length=10, choices=Method, default=Method.ON_SITE)
    planned_on = models.DateField("planned for")
    originally_planned_on = models.DateField(editable=False)
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="led_audits",
        verbose_name="lead auditor",
    )
    auditees = models.TextField("auditees", blank=True, help_text="Names and functions.")
    status = models.CharField(max_length=12, choices=Status, default=Status.PLANNED, editable=False)
    conducted_on = models.DateField("conducted on", null=True, editable=False)
    conclusions = models.TextField("conclusions", blank=True, editable=False)
    issued_on = models.DateField("report issued on", null=True, editable=False)
    closed_on = models.DateField("closed on", null=True, editable=False)

    objects = AuditQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "audit"
        indexes = [
            models.Index(fields=["planned_on"], name="audits_planned_on"),
            models.Index(fields=["process", "planned_on"], name="audits_process_planned"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["issued", "closed"])
                | (Q(issued_on__isnull=False, conducted_on__isnull=False) & ~Q(conclusions="")),
                name="audits_issued_with_conclusions",
            ),
            models.CheckConstraint(
                condition=~Q(status="closed") | Q(closed_on__isnull=False),
                name="audits_closed_on_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.process.name}"

    def get_absolute_url(self) -> str:
        return reverse("audits:audit_detail", args=[self.pk])

    def number_series(self) -> tuple[str, int | None]:
        return self.SERIES, self.planned_on.year

    @property
    def title(self) -> str:
        return f"Audit of {self.process.name}"

    @property
    def is_settled(self) -> bool:
        return self.status in (self.Status.ISSUED, self.Status.CLOSED, self.Status.VOID)

    def signed_content(self) -> str:
        """The report: the audit's own fields, every answer and every finding."""
        content = json.loads(super().signed_content())
        answers = self.items.order_by("position", "pk")
        content["answers"] = [[i.clause, i.question, i.answer, i.note] for i in answers]
        findings = self.findings.exclude(status="void").order_by("position")
        content["findings"] = [
            [f.position, f.grade, f.clause, f.requirement, f.evidence, f.statement]
            for f in findings
        ]
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class AuditTeamMember(Link):
    """That an auditor belongs to the team of an audit (the lead is named on the audit)."""

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="team_links")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="audit_links")

    class Meta(Link.Meta):
        verbose_name = "audit team member"
        constraints = [
            models.UniqueConstraint(fields=["audit", "person"], name="audits_member_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.audit}"


class IndependenceException(Record):
    """That an auditor may audit although they are not independent: why, and what balances it."""

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="exceptions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    objection = models.TextField("what stands against it", editable=False)
    reason = models.TextField("why nobody else can do it")
    mitigation = models.TextField("what balances it")

    class Meta(Record.Meta):
        verbose_name = "independence exception"
        constraints = [
            models.UniqueConstraint(fields=["audit", "person"], name="audits_exception_once"),
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(mitigation=""), name="audits_exception_says_why"
            ),
            models.CheckConstraint(
                condition=~Q(person=F("created_by")), name="audits_exception_by_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.audit}"

    @property
    def is_released(self) -> bool:
        return True


class ChecklistItem(Record):
    """A question of an audit and its answer."""

    class Answer(models.TextChoices):
        OPEN = "", "Open"
        CONFORMS = "conforms", "Conforms"
        NONCONFORMING = "nonconforming", "Nonconforming"
        OPPORTUNITY = "opportunity", "Opportunity"
        NOT_APPLICABLE = "not_applicable", "Not applicable"

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField("position")
    clause = ClauseField("clause", blank=True)
    question = models.TextField("question")
    answer = models.CharField(
        "answer", max_length=16, choices=Answer, default=Answer.OPEN, blank=True
    )
    note = models.TextField("note", blank=True)
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


class CertificateQuerySet(RecordQuerySet):
    def valid(self, on: date) -> Self:
        """Certified and through its printed date."""
        return self.filter(status=Certificate.Status.CERTIFIED, expires_on__gte=on)


class Certificate(StatefulRecord):
    """A certificate of the quality system and its cycle (ISO/IEC 17021-1)."""

    class Status(models.TextChoices):
        APPLIED = "applied", "Applied for"
        CERTIFIED = "certified", "Certified"
        SUSPENDED = "suspended", "Suspended"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"

    PATHS = {
        ("applied", "certified"),
        ("applied", "withdrawn"),
        ("certified", "suspended"),
        ("suspended", "certified"),
        ("suspended", "withdrawn"),
        ("certified", "withdrawn"),
        ("certified", "expired"),
    }
    STATE_TONES = {"certified": "fine", "suspended": "late", "withdrawn": "void", "expired": "late"}

    body = models.CharField("certification body", max_length=120)
    edition = models.CharField("edition", max_length=4, choices=EDITION_CHOICES, default="2026")
    scope_text = models.TextField("scope on the certificate")
    number = models.CharField("certificate number", max_length=60, blank=True)
    cycle = models.PositiveSmallIntegerField("cycle", default=1)
    decided_on = models.DateField("decision", null=True, blank=True, editable=False)
    expires_on = models.DateField("valid through", null=True, blank=True, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.APPLIED, editable=False)

    objects = CertificateQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "certificate"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["applied", "withdrawn"])
                | (
                    Q(decided_on__isnull=False, expires_on__isnull=False)
                    & Q(expires_on__gt=F("decided_on"))
                    & ~Q(number="")
                ),
                name="audits_certificate_has_dates",
            )
        ]

    def __str__(self) -> str:
        return f"{self.body} {self.number}".strip()

    def get_absolute_url(self) -> str:
        return reverse("audits:certificate_detail", args=[self.pk])

    @property
    def title(self) -> str:
        return f"Certificate {self.number}" if self.number else f"Application at {self.body}"


class CertificationAudit(StatefulRecord):
    """One visit of the certification body within a cycle."""

    class Kind(models.TextChoices):
        STAGE1 = "stage1", "Stage 1"
        STAGE2 = "stage2", "Stage 2"
        SURVEILLANCE = "surveillance", "Surveillance"
        RECERTIFICATION = "recertification", "Recertification"

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        DONE = "done", "Done"
        VOID = "void", "Void"

    PATHS = {("planned", "done"), ("planned", "void")}

    certificate = models.ForeignKey(
        Certificate, models.PROTECT, related_name="visits", verbose_name="certificate"
    )
    kind = models.CharField("kind", max_length=16, choices=Kind)
    planned_on = models.DateField("planned for")
    done_on = models.DateField("last day", null=True, blank=True, editable=False)
    auditors = models.CharField("auditors", max_length=200, blank=True)
    result = models.TextField("result", blank=True, editable=False)
    majors = models.PositiveSmallIntegerField("majors", default=0, editable=False)
    minors = models.PositiveSmallIntegerField("minors", default=0, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.PLANNED, editable=False)

    class Meta(StatefulRecord.Meta):
        verbose_name = "certification audit"
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="done") | (Q(done_on__isnull=False) & ~Q(result="")),
                name="audits_visit_done_with_result",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.planned_on:%Y}"

    def get_absolute_url(self) -> str:
        return reverse("audits:certificate_detail", args=[self.certificate_id])

    @property
    def title(self) -> str:
        return f"{self.get_kind_display()} by {self.certificate.body}"
