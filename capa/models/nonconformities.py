"""Nonconformities and their corrective action (ISO 9001 10.2, 8.7).

A nonconformity is closed when its corrective action (a record of its own) was shown to work by a
criterion set beforehand, or when somebody decided, with a reason, that none is needed. What the
corrective action came to is written on the case as well, so that each can be read alone.
"""

from datetime import date
from typing import Any, Self

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from capa.models.corrective_actions import CaseAction
from qms.addresses import page_of
from qms.clauses import ClauseField
from qms.origins import FromOrigin, OriginQuerySet
from qms.records import Numbered, StatefulRecord


class NonconformityQuerySet(OriginQuerySet):
    def served_by(self, *actions: models.Model) -> Self:
        """The cases these corrective actions serve."""
        links = CaseAction.objects.live().filter(corrective_action__in=actions)
        return self.filter(pk__in=links.values("nonconformity_id"))

    def waiting_for_action(self) -> Self:
        """Whose cause is known; planned ones may get one more, unserved ones their first."""
        served = CaseAction.objects.live().filter(nonconformity=models.OuterRef("pk"))
        bare = Q(status="implemented") & ~models.Exists(served)
        return self.filter(Q(status__in=["analysed", "planned"]) | bare)

    def open(self) -> Self:
        """Neither closed nor voided."""
        return self.exclude(status__in=Nonconformity.SETTLED)

    def overdue(self, on: date) -> Self:
        """Open, and the present step's day is past."""
        return self.open().filter(due__lt=on)

    def raised_between(self, start: date, end: date) -> Self:
        """Detected from `start` to `end`, both inclusive, without voided ones."""
        return self.filter(detected_on__range=(start, end)).exclude(status="void")

    def closed_between(self, start: date, end: date) -> Self:
        return self.filter(closed_on__range=(start, end), status="closed")

    def with_repeats(self) -> Self:
        """With `again` on board: whether an earlier cause came again, or seems to have."""
        repeat = apps.get_model("capa", "Repeat")
        found = repeat.objects.counted().filter(nonconformity=OuterRef("pk"))
        return self.annotate(again=Exists(found))

    def about_provider(self, provider: Any) -> Self:
        """Those raised about an external provider."""
        return self.filter(provider=provider)

    def majors(self) -> Self:
        return self.filter(grade=Nonconformity.Grade.MAJOR)


class Nonconformity(FromOrigin, Numbered, StatefulRecord):
    """A requirement that was not met, and everything done about it."""

    class Status(models.TextChoices):
        OPEN = "open", "To contain"
        CONTAINED = "contained", "Cause analysis"
        ANALYSED = "analysed", "To plan"
        PLANNED = "planned", "In action"
        IMPLEMENTED = "implemented", "Verification"
        EFFECTIVE = "effective", "Effective"
        CLOSED = "closed", "Closed"
        VOID = "void", "Void"

    class Grade(models.TextChoices):
        MAJOR = "major", "Major"
        MINOR = "minor", "Minor"

    class Source(models.TextChoices):
        AUDIT = "audit", "Internal audit"
        CUSTOMER_AUDIT = "customer_audit", "Customer audit"
        CERTIFICATION = "certification", "Certification body"
        COMPLAINT = "complaint", "Customer complaint"
        PROCESS = "process", "Process"
        PRODUCT = "product", "Product or service"
        SUPPLIER = "supplier", "Supplier"
        INDICATOR = "indicator", "Indicator"
        INCIDENT = "incident", "Incident"

    class Severity(models.TextChoices):
        SLIGHT = "slight", "Slight: a nuisance"
        MODERATE = "moderate", "Moderate: noticed, no harm done"
        SERIOUS = "serious", "Serious: a customer or a delivery is hit"
        CRITICAL = "critical", "Critical: safety, law or the contract is at stake"

    class Decision(models.TextChoices):
        ACTION = "action", "Corrective action"
        CORRECTION_ONLY = "correction_only", "Correction only"
        NONE = "none", "No corrective action"

    class Method(models.TextChoices):
        WHYS = "whys", "5 whys"
        ISHIKAWA = "ishikawa", "Ishikawa"
        EIGHT_D = "8d", "8D"
        OTHER = "other", "Other"

    class Category(models.TextChoices):
        PEOPLE = "people", "People"
        MACHINE = "machine", "Machine, tool"
        METHOD = "method", "Method, procedure"
        MATERIAL = "material", "Material, input"
        MEASUREMENT = "measurement", "Measurement"
        ENVIRONMENT = "environment", "Environment"
        SUPPLIER = "supplier", "Supplier"

    SERIES = "NC"
    SETTLED = ("closed", "void")
    STATE_TONES = {"closed": "fine", "effective": "fine", "void": "void"}
    PATHS = {
        ("open", "contained"),
        ("open", "closed"),  # only what a former register says was closed there
        ("contained", "analysed"),
        ("contained", "closed"),  # correction only, because
        ("analysed", "planned"),
        ("analysed", "closed"),
        ("planned", "implemented"),
        ("planned", "contained"),  # its corrective action did not work, the cause is looked for
        ("planned", "analysed"),  # its corrective action was voided
        ("implemented", "effective"),
        ("implemented", "contained"),
        ("implemented", "analysed"),  # a successor of its corrective action is to be planned
        ("effective", "closed"),
        ("closed", "contained"),
        ("open", "void"),
        ("contained", "void"),
        ("analysed", "void"),
    }
    FACTS = ("product", "lot", "customer", "provider", "site", "detected_by", "severity")
    EXTENT = ("extent", "extent_from", "extent_to", "checked")
    WHAT = (
        "title",
        "statement",
        "requirement",
        "clause",
        "evidence",
        "detected_on",
        *FACTS,
        *EXTENT,
    )
    FROZEN = {*WHAT, "grade", "root_cause", "effectiveness_criterion", "owner", "close_by"}
    FROZEN_IN = {"closed", "void"}

    title = models.CharField("what is wrong, in a line", max_length=200)
    statement = models.TextField("nonconformity", blank=True)
    requirement = models.TextField("requirement that is not met", blank=True)
    clause = ClauseField("clause", blank=True)
    evidence = models.TextField("evidence", blank=True)
    extent = models.TextField("what was affected", blank=True)
    extent_from = models.DateField("affected from", null=True, blank=True)
    extent_to = models.DateField("affected until", null=True, blank=True)
    checked = models.TextField("what was checked", blank=True)
    product = models.CharField("product or service", max_length=120, blank=True)
    lot = models.CharField("lot, batch or order", max_length=80, blank=True)
    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="nonconformities",
        verbose_name="customer affected",
    )
    provider = models.ForeignKey(
        "providers.Provider",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="nonconformities",
        verbose_name="external provider",
    )
    site = models.ForeignKey(
        "scope.Site",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="nonconformities",
        verbose_name="site",
    )
    detected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="detected by",
    )
    severity = models.CharField("severity", max_length=8, choices=Severity, blank=True)
    source = models.CharField("source", max_length=14, choices=Source, default=Source.PROCESS)
    grade = models.CharField("grade", max_length=6, choices=Grade, default=Grade.MINOR)
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="nonconformities",
        verbose_name="process",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="nonconformities",
        verbose_name="owner",
    )
    detected_on = models.DateField("detected on")
    due = models.DateField("due", null=True, editable=False)
    first_close_by = models.DateField("to be closed by, at first", null=True, editable=False)
    close_by = models.DateField("to be closed by", null=True, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.OPEN, editable=False)

    containment = models.TextField("containment", blank=True, editable=False)
    correction = models.TextField("correction", blank=True, editable=False)
    delivered = models.TextField("what was already delivered", blank=True, editable=False)
    told = models.TextField("who was told", blank=True, editable=False)
    contained_on = models.DateField(null=True, editable=False)

    method = models.CharField(
        "method", max_length=10, choices=Method, default=Method.WHYS, editable=False
    )
    whys = models.JSONField("whys", default=list, editable=False)
    root_cause = models.TextField("root cause", blank=True, editable=False)
    escape_cause = models.TextField("why it was not noticed", blank=True, editable=False)
    category = models.CharField(
        "cause category", max_length=12, choices=Category, blank=True, editable=False
    )
    similar = models.TextField("similar cases", blank=True, editable=False)
    analysed_on = models.DateField(null=True, editable=False)

    decision = models.CharField(
        "decision", max_length=15, choices=Decision, blank=True, editable=False
    )
    no_action_because = models.TextField(
        "why no corrective action is needed", blank=True, editable=False
    )
    despite_repeat = models.TextField("why none although it repeats", blank=True, editable=False)
    taken_over = models.TextField("taken over from a former register", blank=True, editable=False)
    effectiveness_criterion = models.TextField("effective when", blank=True, editable=False)
    check_on = models.DateField("effectiveness checked on", null=True, editable=False)
    implemented_on = models.DateField(null=True, editable=False)
    verdict = models.TextField("effectiveness decision", blank=True, editable=False)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    verified_on = models.DateField(null=True, editable=False)
    reopened = models.PositiveSmallIntegerField(default=0, editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    closed_on = models.DateField(null=True, editable=False)

    objects = NonconformityQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "nonconformity"
        verbose_name_plural = "nonconformities"
        indexes = [
            models.Index(fields=["origin_type", "origin_id"], name="capa_nc_origin"),
            models.Index(fields=["status", "due"], name="capa_nc_status_due"),
            models.Index(fields=["detected_on"], name="capa_nc_detected"),
            models.Index(fields=["closed_on"], name="capa_nc_closed"),
        ]
        constraints = [
            FromOrigin.origin_constraint("capa_nc_origin_is_whole"),
            models.CheckConstraint(
                condition=~Q(status="closed")
                | ~Q(no_action_because="")
                | (~Q(taken_over="") & Q(containment=""))
                | (
                    ~Q(root_cause="")
                    & ~Q(similar="")
                    & ~Q(verdict="")
                    & Q(verified_by__isnull=False, verified_on__isnull=False)
                ),
                name="capa_nc_closed_with_proof",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["planned", "implemented", "effective"])
                | (~Q(effectiveness_criterion="") & Q(check_on__isnull=False)),
                name="capa_nc_criterion_beforehand",
            ),
            models.CheckConstraint(
                condition=Q(verified_by__isnull=True) | ~Q(verified_by=F("owner")),
                name="capa_nc_owner_does_not_verify",
            ),
            models.CheckConstraint(
                condition=Q(extent_from__isnull=True)
                | Q(extent_to__isnull=True)
                | Q(extent_to__gte=F("extent_from")),
                name="capa_nc_extent_in_order",
                violation_error_message="“Affected until” lies before “affected from”.",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=F("detected_on")),
                name="capa_nc_closed_after_detected",
            ),
            models.CheckConstraint(
                condition=~Q(status="closed") | Q(closed_by__isnull=False, closed_on__isnull=False),
                name="capa_nc_closed_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("capa:nc_detail", self.pk)

    @property
    def is_released(self) -> bool:
        """A nonconformity is on record from the moment it is raised."""
        return True

    @property
    def is_settled(self) -> bool:
        return self.status in self.SETTLED

    def days_open(self, on: date) -> int:
        """Days from detection to closure, or to `on` while it is open; never below zero."""
        return max(0, ((self.closed_on or on) - self.detected_on).days)

    def days_late(self, on: date, by: date | None) -> int:
        """Days that it was or is closed after a day, up to `on`; never below zero."""
        return 0 if by is None else max(0, ((self.closed_on or on) - by).days)

    def number_series(self) -> tuple[str, int | None]:
        """Numbered in the year it was detected in: an old one entered late stands with its year."""
        return self.SERIES, self.detected_on.year

    @property
    def severity_word(self) -> str:
        """The severity without what it means."""
        return self.get_severity_display().partition(":")[0]

    @property
    def wants_8d(self) -> bool:
        """Whether its severity asks for the full 8D."""
        return self.severity in (self.Severity.SERIOUS, self.Severity.CRITICAL)

    @property
    def asks_for_8d(self) -> bool:
        """Whether it is closed with an 8D only, or by the decision that it needs none."""
        return self.grade == self.Grade.MAJOR or self.wants_8d

    def why_chain(self) -> list[dict[str, Any]]:
        return [each for each in self.whys if isinstance(each, dict)]
