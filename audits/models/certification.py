"""Certificates and the visits of the certification body (ISO/IEC 17021-1)."""

from datetime import date
from decimal import Decimal
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse

from qms.clauses import EDITION_CHOICES
from qms.journey.models import Briefing
from qms.links import Link
from qms.records import Record, RecordQuerySet, StatefulRecord

SOME_DAYS = [MinValueValidator(1), MaxValueValidator(730)]
BY_CONTRACT = "By your contract with the body; the days are not set by the standard."


class CertificationBody(Record):
    """A certification body and its terms: what it was contracted for, how long answers may take.

    Days of answers are set by the contract, not by the standard; the defaults are only usual ones.
    """

    NAMED_BY = ("name",)

    name = models.CharField("name", max_length=120)
    accreditation = models.CharField(
        "accredited by", max_length=120, blank=True, help_text="With its number."
    )
    contact = models.CharField(
        "contact there",
        max_length=120,
        blank=True,
        help_text="A desk rather than a person: what is written here stays in the history.",
    )
    contact_email = models.EmailField("its e-mail", blank=True)
    contract_from = models.DateField("contract from", null=True, blank=True)
    contract_until = models.DateField("contract until", null=True, blank=True)
    currency = models.CharField(
        "currency", max_length=3, choices=Briefing.Currency, default=Briefing.Currency.USD
    )
    plan_days_major = models.PositiveSmallIntegerField(
        "days for the plan on a major", default=30, validators=SOME_DAYS, help_text=BY_CONTRACT
    )
    plan_days_minor = models.PositiveSmallIntegerField(
        "days for the plan on a minor", default=30, validators=SOME_DAYS
    )
    evidence_days_major = models.PositiveSmallIntegerField(
        "days for the evidence on a major", default=90, validators=SOME_DAYS
    )
    evidence_days_minor = models.PositiveSmallIntegerField(
        "days for the evidence on a minor", default=90, validators=SOME_DAYS
    )

    class Meta(Record.Meta):
        verbose_name = "certification body"
        verbose_name_plural = "certification bodies"
        constraints = [
            models.UniqueConstraint(Lower("name"), name="audits_body_named_once"),
            models.CheckConstraint(
                condition=Q(contract_from=None)
                | Q(contract_until=None)
                | Q(contract_until__gte=F("contract_from")),
                name="audits_contract_ends_after",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("audits:body_detail", args=[self.pk])

    @property
    def is_released(self) -> bool:
        """Terms are changed with a reason: deadlines were reckoned by them."""
        return True


class CertificateQuerySet(RecordQuerySet):
    def valid(self, on: date) -> Self:
        """In force and through its printed date."""
        return self.filter(status__in=Certificate.IN_FORCE, expires_on__gte=on)


class Certificate(StatefulRecord):
    """A certificate of the quality system and its cycle (ISO/IEC 17021-1).

    What is printed is typed as it stands there, never computed. `predecessor` is the certificate
    of the cycle before, or of the body it was transferred from; only the first has none.
    """

    class Status(models.TextChoices):
        APPLIED = "applied", "Applied for"
        CERTIFIED = "certified", "Certified"
        SUSPENDED = "suspended", "Suspended"
        RESTORED = "restored", "Restored"
        REDUCED = "reduced", "Scope reduced"
        TRANSFERRED = "transferred", "Transferred"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"

    IN_FORCE = ("certified", "restored", "reduced")
    HELD = (*IN_FORCE, "suspended")
    PATHS = {
        ("applied", "certified"),
        ("applied", "withdrawn"),
        ("suspended", "restored"),
        ("reduced", "reduced"),
        *((each, "suspended") for each in ("certified", "restored", "reduced")),
        *((each, "reduced") for each in ("certified", "restored", "suspended")),
        *((each, "transferred") for each in ("certified", "restored", "reduced")),
        *((each, "withdrawn") for each in ("certified", "restored", "reduced", "suspended")),
        *((each, "expired") for each in ("certified", "restored", "reduced", "suspended")),
    }
    STATE_TONES = {
        "certified": "fine",
        "restored": "fine",
        "reduced": "soon",
        "suspended": "late",
        "transferred": "void",
        "withdrawn": "void",
        "expired": "late",
    }

    predecessor = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="successors",
        verbose_name="follows the certificate",
        help_text="Of the cycle before, or of the body it is transferred from.",
    )
    body = models.ForeignKey(
        CertificationBody,
        models.PROTECT,
        related_name="certificates",
        verbose_name="certification body",
    )
    edition = models.CharField("edition", max_length=4, choices=EDITION_CHOICES, default="2026")
    scope_text = models.TextField("scope on the certificate")
    accreditation = models.CharField(
        "accreditation mark",
        max_length=120,
        blank=True,
        help_text="The mark of the accreditation body on it, with its number.",
    )
    number = models.CharField("certificate number", max_length=60, blank=True)
    cycle = models.PositiveSmallIntegerField(
        "cycle",
        default=1,
        validators=[MinValueValidator(1)],
        help_text="1 for the first. Follows by itself where it follows a certificate.",
    )
    decided_on = models.DateField("decision", null=True, blank=True)
    issued_on = models.DateField("issued", null=True, blank=True)
    expires_on = models.DateField("valid through", null=True, blank=True)
    transferred_to = models.CharField("transferred to", max_length=120, blank=True, editable=False)
    transferred_on = models.DateField("transferred on", null=True, blank=True, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.APPLIED, editable=False)

    objects = CertificateQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "certificate"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["applied", "withdrawn"])
                | (
                    Q(decided_on__isnull=False, issued_on__isnull=False, expires_on__isnull=False)
                    & Q(issued_on__gte=F("decided_on"), expires_on__gt=F("issued_on"))
                    & ~Q(number="")
                ),
                name="audits_certificate_has_dates",
            ),
            models.CheckConstraint(
                condition=~Q(status="transferred")
                | (Q(transferred_on__isnull=False) & ~Q(transferred_to="")),
                name="audits_transferred_somewhere",
            ),
            models.UniqueConstraint(
                fields=["predecessor"],
                condition=~Q(status="withdrawn"),
                name="audits_certificate_followed_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.body} {self.number}".strip()

    def get_absolute_url(self) -> str:
        return reverse("audits:certificate_detail", args=[self.pk])

    @property
    def title(self) -> str:
        return f"Certificate {self.number}" if self.number else f"Application at {self.body}"

    @property
    def is_held(self) -> bool:
        """Whether the cycle goes on: in force, or suspended for a while."""
        return self.status in self.HELD


class CertificateSite(Link):
    """That a site is on a certificate."""

    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="site_links")
    site = models.ForeignKey("scope.Site", models.PROTECT, related_name="certificate_links")

    class Meta(Link.Meta):
        verbose_name = "site on a certificate"
        verbose_name_plural = "sites on certificates"
        constraints = [
            models.UniqueConstraint(
                fields=["certificate", "site"], name="audits_certificate_site_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.site} on {self.certificate}"


class CertificateSuspension(Record):
    """The days on which a certificate was suspended; open while `ended_on` is empty."""

    certificate = models.ForeignKey(
        Certificate, models.PROTECT, related_name="suspensions", editable=False
    )
    began_on = models.DateField("suspended from", editable=False)
    ended_on = models.DateField("until", null=True, blank=True, editable=False)

    class Meta(Record.Meta):
        verbose_name = "suspension"
        constraints = [
            models.UniqueConstraint(
                fields=["certificate"],
                condition=Q(ended_on=None),
                name="audits_suspended_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("began_on")),
                name="audits_suspension_ends_after",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.certificate} suspended from {self.began_on:%-d %B %Y}"


class CertificationAudit(StatefulRecord):
    """One visit of the certification body within a cycle."""

    class Kind(models.TextChoices):
        STAGE1 = "stage1", "Stage 1"
        STAGE2 = "stage2", "Stage 2"
        SURVEILLANCE = "surveillance", "Surveillance"
        RECERTIFICATION = "recertification", "Recertification"
        SPECIAL = "special", "Special"

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
    audit_days = models.DecimalField(
        "audit days",
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.25")), MaxValueValidator(Decimal(200))],
    )
    cost = models.DecimalField(
        "cost",
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text="In the currency of the contract.",
    )
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
        return reverse("audits:visit_detail", args=[self.pk])

    @property
    def title(self) -> str:
        return f"{self.get_kind_display()} by {self.certificate.body}"
