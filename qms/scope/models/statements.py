"""Scope statements: what they cover, what they leave out, what comes later (ISO 9001 4.3)."""

import json
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from qms.addresses import page_of
from qms.clauses import EDITION_CHOICES, ClauseField, ClauseRef
from qms.links import Link
from qms.records import Numbered, Record, RecordQuerySet, StatefulRecord
from qms.scope.models.organisation import Site
from qms.scope.models.processes import Process

# Clauses that every organisation meets in some way; leaving one out is rarely justified.
WARNINGS = {
    "4": "Every organisation has a context, parties, a scope and processes; leaving this out leaves"
    " nothing to certify.",
    "5": "Every organisation is led by somebody; an auditor will ask who leads this one.",
    "6": "Every organisation plans: risks, objectives, changes. Say less, but do not leave it out.",
    "7.2": "Everybody's work needs some competence; an auditor will ask how you know it is there.",
    "7.3": "Whoever works for you needs to know what their work is for; it costs a talk, no paper.",
    "7.4": "Something is always said to somebody; decide what, when and by whom instead.",
    "7.5": "The system needs some documents; keep fewer, but keep them.",
    "9": "Without measuring, auditing and reviewing, nobody knows whether the system works.",
    "10": "Something goes wrong everywhere; an auditor will ask what you do then.",
}
ALWAYS_APPLICABLE = tuple(WARNINGS)


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
        return page_of("scope:statement_detail", self.pk)

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
        return page_of("scope:statement_detail", self.statement_id)

    @property
    def ref(self) -> ClauseRef:
        return ClauseRef.parse(self.clause)

    @property
    def warning(self) -> str:
        """What an auditor will ask about a requirement that everybody meets; else empty."""
        return next((said for n, said in WARNINGS.items() if self._within(n)), "")

    def _within(self, number: str) -> bool:
        return self.ref.is_within(ClauseRef(self.ref.edition, number))

    @property
    def is_unusual(self) -> bool:
        """Whether the requirement is one that practically every organisation meets."""
        return any(self._within(number) for number in ALWAYS_APPLICABLE)


class PlannedExtension(StatefulRecord):
    """What the scope does not cover yet and is to cover in a later cycle, with the reason."""

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        DONE = "done", "Done"
        DROPPED = "dropped", "Dropped"

    PATHS = {("planned", "done"), ("planned", "dropped"), ("dropped", "planned")}
    STATE_TONES = {"done": "fine", "dropped": "void"}

    what = models.CharField("what comes in later", max_length=200)
    why_later = models.TextField("why not now")
    process = models.ForeignKey(
        Process, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="process"
    )
    site = models.ForeignKey(
        Site, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="site"
    )
    cycle = models.PositiveSmallIntegerField(
        "certification cycle", null=True, blank=True, help_text="1 is the first three years."
    )
    target_on = models.DateField("planned for", db_index=True)
    status = models.CharField(
        max_length=8, choices=Status, default=Status.PLANNED, editable=False, db_index=True
    )

    class Meta(StatefulRecord.Meta):
        verbose_name = "planned extension"
        constraints = [
            models.CheckConstraint(condition=~Q(why_later=""), name="scope_extension_says_why")
        ]

    def __str__(self) -> str:
        return self.what

    def get_absolute_url(self) -> str:
        return page_of("scope:extension_detail", self.pk)

    @property
    def title(self) -> str:
        return self.what
