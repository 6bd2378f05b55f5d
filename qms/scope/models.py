"""Organisation, sites, processes and scope statements (ISO 9001 4.3, 4.4)."""

import json
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse

from qms.clauses import EDITION_CHOICES, ClauseField, ClauseRef, ClausesField
from qms.links import Link
from qms.records import Numbered, Record, RecordQuerySet, StatefulRecord

# Clauses that every organisation meets in some way; leaving one out is rarely justified.
ALWAYS_APPLICABLE = ("4", "5", "6", "7.2", "7.3", "7.4", "7.5", "9", "10")
_DAYS = [MinValueValidator(1), MaxValueValidator(730)]


def known_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"“{name}” is no time zone; write it like America/Toronto.")


class FrozenWithStatement(pgtrigger.Trigger):
    """What a scope statement covers changes only while the statement is a draft.

    The row of the statement is locked for it, so that a line and a submission cannot cross.
    """

    when = pgtrigger.Before
    operation = pgtrigger.Insert | pgtrigger.Update

    def get_declare(self, model: Any) -> list[tuple[str, str]]:
        return [("state", "text")]

    def get_func(self, model: Any) -> str:
        table = model._meta.db_table
        return f"""
            SELECT s."status" INTO state FROM "scope_scopestatement" AS s
             WHERE s."id" = NEW."statement_id" FOR SHARE;
            IF state <> 'draft' THEN
                RAISE EXCEPTION 'A row of {table} is as its statement, which is %.',
                  state USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        """  # noqa: S608 - a trigger's text, no value of anybody


class OrganisationQuerySet(RecordQuerySet):
    def current(self) -> "Organisation | None":
        """The organisation of this installation; None before it is set up."""
        return self.first()


class Organisation(Record):
    """The organisation whose quality system this is; there is one in an installation."""

    class Country(models.TextChoices):
        US = "US", "United States"
        GB = "GB", "United Kingdom"
        CA = "CA", "Canada"

    name = models.CharField("name", max_length=120)
    country = models.CharField("country", max_length=2, choices=Country)
    time_zone = models.CharField("time zone", max_length=60, validators=[known_zone])
    edition = models.CharField(
        "edition worked to", max_length=4, choices=EDITION_CHOICES, default="2026"
    )
    preparing = models.CharField(
        "edition being prepared", max_length=4, choices=EDITION_CHOICES, blank=True
    )
    headcount = models.PositiveIntegerField("people", default=1)
    containment_days = models.PositiveIntegerField(
        "containment (days)", default=3, validators=_DAYS
    )
    cause_days = models.PositiveIntegerField("cause (days)", default=14, validators=_DAYS)
    action_days = models.PositiveIntegerField("action (days)", default=30, validators=_DAYS)
    effectiveness_days = models.PositiveIntegerField(
        "effectiveness after the action (days)", default=60, validators=_DAYS
    )
    approval_days = models.PositiveIntegerField(
        "review and approval (days)", default=3, validators=_DAYS
    )
    only_row = models.BooleanField(default=True, editable=False, unique=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "organisation"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(only_row=True), name="scope_one_organisation"
            ),
            models.CheckConstraint(
                condition=~models.Q(preparing=models.F("edition")),
                name="scope_prepares_another_edition",
                violation_error_message=(
                    "The edition you prepare is the one you work to. Leave it empty."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("scope:organisation")

    @property
    def is_released(self) -> bool:
        return True

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def paper(self) -> str:
        """The paper reports are printed on."""
        return "A4" if self.country == "GB" else "Letter"


class Site(StatefulRecord):
    """A place where the organisation works."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        CLOSED = "closed", "Closed"

    PATHS = {("active", "closed"), ("closed", "active")}
    STATE_TONES = {"active": "fine", "closed": "void"}

    name = models.CharField("name", max_length=120, unique=True)
    address = models.CharField("address", max_length=250, blank=True)
    headcount = models.PositiveIntegerField("people", default=0)
    shifts = models.PositiveSmallIntegerField("shifts", default=1)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE, editable=False)

    class Meta(StatefulRecord.Meta):
        verbose_name = "site"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("scope:site_detail", args=[self.pk])

    @property
    def title(self) -> str:
        return self.name


class ProcessQuerySet(RecordQuerySet):
    def active(self) -> Self:
        """Processes that run."""
        return self.filter(status=Process.Status.ACTIVE)

    def owned_by(self, person: Any) -> Self:
        return self.filter(owner=person)

    def named(self, text: str) -> "Process | None":
        """The process with this code or name, without regard to case."""
        word = text.strip()
        return self.filter(code__iexact=word).first() or self.filter(name__iexact=word).first()


class Process(StatefulRecord):
    """A process of the quality system, with one owner who answers for it (4.4)."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"

    PATHS = {("draft", "active"), ("active", "retired"), ("retired", "active")}
    STATE_TONES = {"active": "fine", "retired": "void"}

    code = models.CharField("code", max_length=8, unique=True)
    name = models.CharField("name", max_length=120)
    purpose = models.TextField("purpose", blank=True)
    inputs = models.TextField("inputs", blank=True, help_text="One a line: what, from whom.")
    outputs = models.TextField("outputs", blank=True, help_text="One a line: what, to whom.")
    criteria = models.TextField("criteria and methods", blank=True)
    resources = models.TextField("resources", blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="processes",
        verbose_name="owner",
    )
    importance = models.PositiveSmallIntegerField(
        "importance (1 to 5)",
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
    )
    is_outsourced = models.BooleanField("outsourced", default=False)
    clauses = ClausesField("clauses", blank=True, default=list)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT, editable=False)

    objects = ProcessQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "process"
        verbose_name_plural = "processes"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="active") | models.Q(owner__isnull=False),
                name="scope_active_process_has_owner",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("scope:process_detail", args=[self.pk])

    @property
    def title(self) -> str:
        return self.name


class ProcessMember(Link):
    """That a person works in a process; independence of auditors is computed from it."""

    process = models.ForeignKey(Process, models.PROTECT, related_name="member_links")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="process_links"
    )

    class Meta(Link.Meta):
        verbose_name = "process member"
        constraints = [
            models.UniqueConstraint(fields=["process", "person"], name="scope_member_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.process}"


class ProcessSite(Link):
    """That a process runs at a site."""

    process = models.ForeignKey(Process, models.PROTECT, related_name="site_links")
    site = models.ForeignKey(Site, models.PROTECT, related_name="process_links")

    class Meta(Link.Meta):
        verbose_name = "site of a process"
        constraints = [
            models.UniqueConstraint(fields=["process", "site"], name="scope_process_site_once")
        ]

    def __str__(self) -> str:
        return f"{self.process} at {self.site}"


class ScopeStatementQuerySet(RecordQuerySet):
    def approved(self) -> Self:
        """The statement in force (at most one)."""
        return self.filter(status=ScopeStatement.Status.APPROVED)


class ScopeStatement(Numbered, StatefulRecord):
    """What the quality system covers, approved by top management (4.3)."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "In review"
        APPROVED = "approved", "Approved"
        SUPERSEDED = "superseded", "Superseded"
        VOID = "void", "Void"

    SERIES = "SCOPE"
    STATE_TONES = {"approved": "fine", "void": "void"}
    PATHS = {
        ("draft", "in_review"),
        ("in_review", "draft"),
        ("in_review", "approved"),
        ("approved", "superseded"),
        ("draft", "void"),
    }
    FROZEN = {"edition", "statement", "products_and_services", "boundaries"}
    FROZEN_IN = {"in_review", "approved", "superseded", "void"}
    SIGNED_FIELDS = ("number", "edition", "statement", "products_and_services", "boundaries")

    edition = models.CharField("edition", max_length=4, choices=EDITION_CHOICES, default="2026")
    statement = models.TextField("scope")
    products_and_services = models.TextField("products and services covered")
    boundaries = models.TextField("what is outside, and why", blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    approved_on = models.DateField("approved on", null=True, editable=False)

    objects = ScopeStatementQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "scope statement"
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=models.Q(status="approved"),
                name="scope_one_approved_statement",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=["approved", "superseded"])
                | models.Q(approved_by__isnull=False, approved_on__isnull=False),
                name="scope_approved_by_someone",
            ),
        ]

    def number_series(self) -> tuple[str, int | None]:
        return self.SERIES, None

    def get_absolute_url(self) -> str:
        return reverse("scope:statement_detail", args=[self.pk])

    def __str__(self) -> str:
        return self.number

    @property
    def title(self) -> str:
        return f"Scope statement {self.number}"

    def signed_content(self) -> str:
        """The statement with everything it covers and everything it leaves out."""
        content = json.loads(super().signed_content())
        content["processes"] = [str(each) for each in self.processes()]
        content["sites"] = [str(each) for each in self.sites()]
        content["not_applicable"] = [[e.clause, e.justification] for e in self.left_out()]
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    def processes(self) -> list[Process]:
        """The processes it covers, by code, with their owners."""
        links = StatementProcess.objects.live().filter(statement=self)
        rows = Process.objects.filter(pk__in=links.values("process_id"))
        return list(rows.select_related("owner").order_by("code"))

    def sites(self) -> list[Site]:
        """The sites it covers, by name."""
        links = StatementSite.objects.live().filter(statement=self)
        return list(Site.objects.filter(pk__in=links.values("site_id")).order_by("name"))

    def left_out(self) -> "list[NotApplicable]":
        """The requirements judged not applicable, in the order of the standard."""
        lines = NotApplicable.objects.filter(statement=self, ended=False)
        return sorted(lines, key=lambda line: ClauseRef.parse(line.clause))


class StatementProcess(Link):
    """That a scope statement covers a process."""

    statement = models.ForeignKey(ScopeStatement, models.PROTECT, related_name="process_links")
    process = models.ForeignKey(Process, models.PROTECT, related_name="+")

    class Meta(Link.Meta):
        verbose_name = "process in scope"
        triggers = [*Link.Meta.triggers, FrozenWithStatement(name="frozen_with_statement")]
        constraints = [
            models.UniqueConstraint(fields=["statement", "process"], name="scope_covers_once")
        ]

    def __str__(self) -> str:
        return f"{self.process} in {self.statement}"


class StatementSite(Link):
    """That a scope statement covers a site."""

    statement = models.ForeignKey(ScopeStatement, models.PROTECT, related_name="site_links")
    site = models.ForeignKey(Site, models.PROTECT, related_name="+")

    class Meta(Link.Meta):
        verbose_name = "site in scope"
        triggers = [*Link.Meta.triggers, FrozenWithStatement(name="frozen_with_statement")]
        constraints = [
            models.UniqueConstraint(fields=["statement", "site"], name="scope_covers_site_once")
        ]

    def __str__(self) -> str:
        return f"{self.site} in {self.statement}"


class NotApplicable(Record):
    """A requirement judged not applicable, with the justification it needs (4.3)."""

    statement = models.ForeignKey(ScopeStatement, models.PROTECT, related_name="not_applicable")
    clause = ClauseField("requirement")
    justification = models.TextField("justification")
    ended = models.BooleanField(default=False, editable=False)

    class Meta(Record.Meta):
        verbose_name = "requirement not applicable"
        verbose_name_plural = "requirements not applicable"
        triggers = [*Record.Meta.triggers, FrozenWithStatement(name="frozen_with_statement")]
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "clause"],
                condition=models.Q(ended=False),
                name="scope_not_applicable_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(justification=""), name="scope_not_applicable_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref.number} not applicable"

    def get_absolute_url(self) -> str:
        return reverse("scope:statement_detail", args=[self.statement_id])

    @property
    def ref(self) -> ClauseRef:
        return ClauseRef.parse(self.clause)

    @property
    def is_unusual(self) -> bool:
        """Whether the requirement is one that practically every organisation meets."""
        return any(self.ref.is_within(ClauseRef(self.ref.edition, n)) for n in ALWAYS_APPLICABLE)
