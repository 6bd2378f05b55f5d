"""The report of an audit beside its findings, who met, who receives it, and its corrections."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from audits.models.audits import Audit, drafts_shown_to
from audits.models.findings import Finding
from qms.links import Link, LinkQuerySet
from qms.records import Record, RecordQuerySet, StatefulRecord


class ReportQuerySet(RecordQuerySet):
    def visible_to(self, person: Any) -> Self:
        """Those of audits the person may see; before the findings are released, the team's own."""
        rows = super().visible_to(person)
        audits = Audit.objects.visible_to(person)
        if person.is_authenticated:
            out = Q(status__in=(Audit.Status.RELEASED, *Audit.REPORTED))
            audits = audits.filter(out | Q(pk__in=drafts_shown_to(person)))
        return rows.filter(audit__in=audits.values("pk"))


class AuditReport(Record):
    """What the report says beside plan, findings and conclusions; empty parts fill themselves."""

    TEXTS = (
        "client",
        "not_covered",
        "fulfilment",
        "uncertainty",
        "differences",
        "follow_up",
        "confidentiality",
    )
    SIGNED_FIELDS = (
        *TEXTS,
        "opened_at",
        "opening_outsiders",
        "closed_at",
        "closing_outsiders",
    )

    audit = models.OneToOneField(Audit, models.PROTECT, related_name="report", editable=False)
    client = models.TextField("for whom the audit was made", blank=True)
    not_covered = models.TextField("what of the scope was not covered", blank=True)
    fulfilment = models.TextField("how far the criteria are fulfilled", blank=True)
    uncertainty = models.TextField("obstacles, sampling and what stays uncertain", blank=True)
    differences = models.TextField("opinions that stayed apart", blank=True)
    follow_up = models.TextField("what was agreed to follow", blank=True)
    confidentiality = models.TextField("confidentiality", blank=True)
    opened_at = models.DateTimeField("opening meeting", null=True, blank=True)
    opening_outsiders = models.TextField(
        "others at the opening meeting", blank=True, help_text="Names of people without an account."
    )
    closed_at = models.DateTimeField("closing meeting", null=True, blank=True)
    closing_outsiders = models.TextField(
        "others at the closing meeting", blank=True, help_text="Names of people without an account."
    )

    objects = ReportQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "audit report"
        constraints = [
            models.CheckConstraint(
                condition=Q(opened_at=None)
                | Q(closed_at=None)
                | Q(closed_at__gte=models.F("opened_at")),
                name="audits_meetings_in_order",
            )
        ]

    def __str__(self) -> str:
        return f"Report of {self.audit.number}"

    def get_absolute_url(self) -> str:
        return self.audit.get_absolute_url()


class OfReportQuerySet(LinkQuerySet):
    def visible_to(self, person: Any) -> Self:
        """Those of reports the person may see."""
        rows = super().visible_to(person)
        reports = AuditReport.objects.visible_to(person)
        return rows.filter(audit__in=reports.values("audit_id"))


class MeetingAttendance(Link):
    """That somebody was at the opening or the closing meeting of an audit."""

    class Meeting(models.TextChoices):
        OPENING = "opening", "Opening meeting"
        CLOSING = "closing", "Closing meeting"

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="attendance_links")
    meeting = models.CharField("meeting", max_length=10, choices=Meeting)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = OfReportQuerySet.as_manager()

    class Meta(Link.Meta):
        verbose_name = "attendance of an audit's meeting"
        verbose_name_plural = "attendances of audits' meetings"
        constraints = [
            models.UniqueConstraint(
                fields=["audit", "meeting", "person"], name="audits_attended_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} at the {self.get_meeting_display().lower()} of {self.audit.number}"

    def get_absolute_url(self) -> str:
        return self.audit.get_absolute_url()


class ReportRecipient(Link):
    """That somebody receives the report of an audit when it is issued."""

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="recipient_links")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = OfReportQuerySet.as_manager()

    class Meta(Link.Meta):
        verbose_name = "recipient of an audit report"
        constraints = [
            models.UniqueConstraint(fields=["audit", "person"], name="audits_recipient_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} receives {self.audit.number}"

    def get_absolute_url(self) -> str:
        return self.audit.get_absolute_url()


class AddendumQuerySet(RecordQuerySet):
    def issued(self) -> Self:
        return self.filter(status=Addendum.Status.ISSUED)

    def visible_to(self, person: Any) -> Self:
        """Those of audits the person may see; drafts are the team's own."""
        rows = super().visible_to(person)
        rows = rows.filter(audit__in=Audit.objects.visible_to(person).values("pk"))
        if not person.is_authenticated:
            return rows
        drafts = drafts_shown_to(person)
        return rows.filter(Q(status=Addendum.Status.ISSUED) | Q(audit__in=drafts))


class Addendum(StatefulRecord):
    """A correction of an issued report: numbered, signed by the lead; the report itself stands."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ISSUED = "issued", "Issued"
        VOID = "void", "Void"

    STATE_TONES = {"issued": "fine", "void": "void"}
    PATHS = {("draft", "issued"), ("draft", "void")}
    FROZEN = {"audit", "number", "text", "reason", "finding", "grade_before", "grade_after"}
    FROZEN_IN = {"issued", "void"}
    SIGNED_FIELDS = (
        "audit",
        "number",
        "text",
        "reason",
        "finding",
        "grade_before",
        "grade_after",
    )

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="addenda", editable=False)
    number = models.PositiveSmallIntegerField("addendum", null=True, editable=False)
    text = models.TextField("what it corrects", help_text="What the report said, and what holds.")
    reason = models.TextField("why")
    finding = models.ForeignKey(
        Finding,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="addenda",
        verbose_name="finding",
        help_text="Only where a finding is corrected.",
    )
    grade_before = models.CharField(
        "grade until then", max_length=12, choices=Finding.Grade, blank=True, editable=False
    )
    grade_after = models.CharField(
        "grade from then on",
        max_length=12,
        choices=Finding.Grade,
        blank=True,
        help_text="Only where the grade changes.",
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT, editable=False)
    issued_on = models.DateField("issued on", null=True, editable=False)

    objects = AddendumQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "addendum to an audit report"
        verbose_name_plural = "addenda to audit reports"
        constraints = [
            models.UniqueConstraint(fields=["audit", "number"], name="audits_addendum_number_once"),
            models.CheckConstraint(
                condition=~Q(status="issued") | Q(number__isnull=False, issued_on__isnull=False),
                name="audits_addendum_is_numbered",
            ),
            models.CheckConstraint(
                condition=Q(grade_after="") | Q(finding__isnull=False),
                name="audits_regrades_a_finding",
            ),
        ]

    def __str__(self) -> str:
        if self.number is None:
            return f"Draft of an addendum to {self.audit.number}"
        return f"Addendum {self.number} to {self.audit.number}"

    def get_absolute_url(self) -> str:
        return reverse("audits:addendum_detail", args=[self.pk])

    @property
    def title(self) -> str:
        return self.text if len(self.text) <= 120 else self.text[:119].rstrip() + "…"
