"""Certificates and the visits of the certification body (ISO/IEC 17021-1)."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from qms.clauses import EDITION_CHOICES
from qms.records import RecordQuerySet, StatefulRecord


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
