"""Audits, who conducts them, and why somebody may although they are not independent (9.2)."""

import json
from datetime import date, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import ExpressionWrapper, F, Q
from django.urls import reverse

from audits.models.programme import AuditProgramme
from qms.clauses import EDITION_CHOICES, ClausesField
from qms.links import Link
from qms.records import Numbered, Record, RecordQuerySet, StatefulRecord
from qms.scope.models import ProcessDeputy

MOST_DAYS = 10  # of one audit, one after the other
SUBJECTS = ("process", "provider", "customer")  # what an audit is named by; read them with it
SUBJECTS_OF_AUDIT = tuple(f"audit__{each}" for each in SUBJECTS)


class AuditQuerySet(RecordQuerySet):
    def counting(self) -> Self:
        """Internal audits alone: what a programme and its coverage count."""
        return self.filter(kind=Audit.Kind.INTERNAL)

    def ours(self) -> Self:
        """Audits our auditors make, without those customers make of us."""
        return self.exclude(kind=Audit.Kind.CUSTOMER)

    def planned_between(self, start: date, end: date) -> Self:
        return self.filter(planned_on__range=(start, end)).exclude(status=Audit.Status.VOID)

    def touching(self, start: date, end: date) -> Self:
        """Audits of which at least one day lies between two days, void ones too."""
        last = ExpressionWrapper(F("planned_on") + F("days") - 1, output_field=models.DateField())
        return self.filter(planned_on__lte=end).annotate(last_day=last).filter(last_day__gte=start)

    def reported_between(self, start: date, end: date) -> Self:
        return self.filter(issued_on__range=(start, end), status__in=Audit.REPORTED)

    def overdue(self, on: date) -> Self:
        """Audits whose day is past and whose report is not issued."""
        return self.filter(
            planned_on__lt=on, status__in=(Audit.Status.PLANNED, Audit.Status.CONFIRMED)
        )

    def unreported(self, before: date) -> Self:
        """Audits conducted before a day whose report the lead has not signed."""
        begun = (Audit.Status.IN_PROGRESS, Audit.Status.RELEASED)
        return self.filter(status__in=begun, conducted_on__lt=before, signed_on=None)

    def of_team(self, person: Any) -> Self:
        """Audits this person leads or takes part in."""
        member = AuditTeamMember.objects.live().filter(person=person)
        return self.filter(Q(lead=person) | Q(pk__in=member.values("audit_id")))

    def papers_shown_to(self, person: Any) -> Self:
        """Audits whose drafts a person sees: the team, and who watches over audits.

        Lead auditors and quality managers see none of a process they answer for themselves.
        """
        own = self.of_team(person)
        if not person.holds("lead_auditor", "quality_manager"):
            return own
        deputies = ProcessDeputy.objects.live().filter(person=person)
        theirs = Q(process__owner=person) | Q(process__in=deputies.values("process_id"))
        answers = self.filter(theirs | Q(provider__owner=person) | Q(auditee=person))
        return self.filter(Q(pk__in=own.values("pk")) | ~Q(pk__in=answers.values("pk")))


def drafts_shown_to(person: Any) -> Any:
    """The keys of the audits whose drafts a person sees, as a part of other questions.

    Of whoever asks for a page, read with their roles, it is put together once.
    """
    known = person.__dict__
    if "roles_held" not in known:
        return Audit.objects.papers_shown_to(person).values("pk")
    if "_drafts_shown" not in known:
        known["_drafts_shown"] = Audit.objects.papers_shown_to(person).values("pk")
    return known["_drafts_shown"]


class Audit(Numbered, StatefulRecord):
    """An audit: what is audited, by whom, and what came of it.

    Of a process, planned (internal) or for a reason of its own (special); of an external provider;
    or by a customer, whose auditors, findings and report are theirs.
    """

    class Kind(models.TextChoices):
        """What an audit is; the meaning is fixed, and only internal ones count for coverage."""

        INTERNAL = "internal", "Internal audit"
        SPECIAL = "special", "Special audit"
        SUPPLIER = "supplier", "Supplier audit"
        CUSTOMER = "customer", "Customer audit"

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        CONFIRMED = "confirmed", "Confirmed"
        IN_PROGRESS = "in_progress", "In progress"
        RELEASED = "released", "Findings released"
        ISSUED = "issued", "Report issued"
        FOLLOW_UP = "follow_up", "Follow-up"
        CLOSED = "closed", "Closed"
        VOID = "void", "Void"

    class Method(models.TextChoices):
        ON_SITE = "on_site", "On site"
        REMOTE = "remote", "Remote"
        MIXED = "mixed", "On site and remote"

    class Answer(models.TextChoices):
        """What the auditee says to the signed report."""

        NONE = "", "Not answered"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        DISAGREED = "disagreed", "Disagreed"

    SERIES = "IA"
    SERIES_OF = {"supplier": "SA", "customer": "CUA"}
    OF_PROCESSES = ("internal", "special")
    # The report is out; whether everything it found is settled is another question.
    REPORTED = ("issued", "follow_up", "closed")
    STATE_TONES = {"issued": "info", "follow_up": "info", "closed": "fine", "void": "void"}
    PATHS = {
        ("planned", "confirmed"),
        ("planned", "planned"),  # postponed before it was confirmed
        ("confirmed", "planned"),
        ("confirmed", "in_progress"),
        ("in_progress", "released"),
        ("released", "released"),  # signed, acknowledged, disagreed with
        ("released", "issued"),
        ("issued", "follow_up"),
        ("issued", "closed"),
        ("follow_up", "closed"),
        ("planned", "void"),
        ("confirmed", "void"),
    }
    DRAFT_STATES = ("planned", "in_progress")
    FROZEN = {
        "kind",
        "process",
        "provider",
        "customer",
        "lead",
        "edition",
        "criteria",
        "objectives",
        "scope",
        "conclusions",
        "auditees",
    }
    FROZEN_IN = {"issued", "follow_up", "closed", "void"}
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

    kind = models.CharField("kind", max_length=10, choices=Kind, default=Kind.INTERNAL)
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="audits",
        verbose_name="process",
    )
    provider = models.ForeignKey(
        "providers.Provider",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="audits",
        verbose_name="external provider",
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="audits",
        verbose_name="customer",
    )
    outside_auditors = models.CharField(
        "their auditors", max_length=200, blank=True, help_text="Names of who comes to audit us."
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
    programme = models.ForeignKey(
        AuditProgramme,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="audits",
        verbose_name="programme",
    )
    window_start = models.DateField("not before", null=True, editable=False)
    window_end = models.DateField("not after", null=True, editable=False)
    why_now = models.TextField("why it is audited now", blank=True)
    method = models.CharField("method", max_length=10, choices=Method, default=Method.ON_SITE)
    planned_on = models.DateField("planned for")
    days = models.PositiveSmallIntegerField(
        "days",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        help_text="One after the other, from the day it is planned for.",
    )
    originally_planned_on = models.DateField(editable=False)
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="led_audits",
        verbose_name="lead auditor",
    )
    auditees = models.TextField("auditees", blank=True, help_text="Names and functions.")
    auditee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="who answers for the auditees",
        help_text="Left empty, the process owner and the deputies do.",
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.PLANNED, editable=False)
    conducted_on = models.DateField("conducted on", null=True, editable=False)
    conclusions = models.TextField("conclusions", blank=True, editable=False)
    released_on = models.DateField("findings released on", null=True, editable=False)
    signed_on = models.DateField("report signed on", null=True, editable=False)
    issues_itself = models.BooleanField("issue it once acknowledged", default=True, editable=False)
    answer_due = models.DateField("auditee answers by", null=True, editable=False)
    answer = models.CharField(
        "answer of the auditee", max_length=12, choices=Answer, blank=True, editable=False
    )
    answer_reason = models.TextField("why the auditee disagrees", blank=True, editable=False)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    answered_on = models.DateField("answered on", null=True, editable=False)
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
                condition=~Q(status__in=["issued", "follow_up", "closed"])
                | (Q(issued_on__isnull=False, conducted_on__isnull=False) & ~Q(conclusions="")),
                name="audits_issued_with_conclusions",
            ),
            models.CheckConstraint(
                condition=Q(window_start=None, window_end=None)
                | Q(window_end__gte=F("window_start"), programme__isnull=False),
                name="audits_window_of_a_programme",
            ),
            models.CheckConstraint(
                condition=~Q(status="released") | Q(released_on__isnull=False),
                name="audits_released_on_a_day",
            ),
            models.CheckConstraint(
                condition=Q(answer="")
                | Q(answered_by__isnull=False, answered_on__isnull=False, signed_on__isnull=False),
                name="audits_answered_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(answer="disagreed") | ~Q(answer_reason=""),
                name="audits_disagreed_because",
            ),
            models.CheckConstraint(
                condition=~Q(status="closed") | Q(closed_on__isnull=False),
                name="audits_closed_on_a_day",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["internal", "special"],
                    process__isnull=False,
                    provider=None,
                    customer=None,
                )
                | Q(kind="supplier", provider__isnull=False, process=None, customer=None)
                | Q(kind="customer", customer__isnull=False, provider=None),
                name="audits_subject_of_its_kind",
            ),
            models.CheckConstraint(
                condition=~Q(kind="special") | ~Q(why_now=""), name="audits_special_says_why"
            ),
            models.CheckConstraint(
                condition=Q(kind="internal") | Q(programme=None),
                name="audits_programme_is_internal",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.subject.name}"

    def get_absolute_url(self) -> str:
        return reverse("audits:audit_detail", args=[self.pk])

    def number_series(self) -> tuple[str, int | None]:
        return self.SERIES_OF.get(self.kind, self.SERIES), self.planned_on.year

    @property
    def subject(self) -> Any:
        """What is audited: the process, the provider; of a customer's audit, who audits us."""
        return self.provider or self.customer or self.process

    @property
    def is_theirs(self) -> bool:
        """Whether a customer makes it, so that auditors, findings and report are theirs."""
        return self.kind == self.Kind.CUSTOMER

    @property
    def title(self) -> str:
        words = "Audit" if self.kind == self.Kind.INTERNAL else self.get_kind_display()
        return f"{words} {'by' if self.is_theirs else 'of'} {self.subject.name}"

    @property
    def ends_on(self) -> date:
        """Its last day."""
        return self.planned_on + timedelta(days=self.days - 1)

    @property
    def is_beyond_window(self) -> bool:
        """Whether it is planned for a day after its window."""
        return self.window_end is not None and self.planned_on > self.window_end

    @property
    def is_settled(self) -> bool:
        return self.status in (*self.REPORTED, self.Status.VOID)

    @property
    def is_signed(self) -> bool:
        """Whether the lead has signed the report, so that nothing of it changes any more."""
        return self.signed_on is not None or self.is_settled

    @property
    def is_conducted(self) -> bool:
        """Whether its findings are released, so that they are seen beyond the team."""
        return self.status in (self.Status.RELEASED, *self.REPORTED)

    def signed_content(self) -> str:
        """The report: the audit's own fields, every answer, every finding, what it says beside."""
        content = json.loads(super().signed_content())
        if self.kind != self.Kind.INTERNAL:  # those signed before there were others go without
            content["of"] = [self.kind, str(self.subject), self.why_now]
        answers = self.items.order_by("position", "pk")
        content["answers"] = [[i.clause, i.question, i.answer, i.note] for i in answers]
        findings = self.findings.exclude(status="void").order_by("position")
        content["findings"] = [
            [f.position, f.grade, f.clause, f.requirement, f.evidence, f.statement]
            for f in findings
        ]
        report = getattr(self, "report", None)  # those signed before there was one go without
        if report is not None:
            content["report"] = json.loads(report.signed_content())
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
