"""Processes, who works in them, where they run, and what flows between them (ISO 9001 4.4)."""

from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from qms.addresses import page_of
from qms.clauses import ClausesField
from qms.links import Link
from qms.records import Record, RecordQuerySet, StatefulRecord
from qms.scope.models.organisation import Site


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

    class Kind(models.TextChoices):
        MANAGEMENT = "management", "Management"
        CORE = "core", "Core"
        SUPPORT = "support", "Support"

    PATHS = {("draft", "active"), ("active", "retired"), ("retired", "active")}
    STATE_TONES = {"active": "fine", "retired": "void"}
    NAMED_BY = ("code", "name")

    code = models.CharField("code", max_length=8, unique=True)
    name = models.CharField("name", max_length=120)
    purpose = models.TextField("purpose", blank=True)
    kind = models.CharField("kind", max_length=10, choices=Kind, default=Kind.CORE)
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
    is_regulated = models.BooleanField(
        "bound by law",
        default=False,
        help_text="Statutory or regulatory requirements apply to what it delivers.",
    )
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
            ),
            models.UniqueConstraint(
                Upper("code"),
                name="scope_one_process_a_code",
                violation_error_message="There is a process with this code already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def get_absolute_url(self) -> str:
        return page_of("scope:process_detail", self.pk)

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


class ProcessDeputy(Link):
    """That a person stands in for the owner of a process, and so does its work."""

    process = models.ForeignKey(Process, models.PROTECT, related_name="deputy_links")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="deputy_links"
    )

    class Meta(Link.Meta):
        verbose_name = "deputy of a process owner"
        verbose_name_plural = "deputies of process owners"
        constraints = [
            models.UniqueConstraint(fields=["process", "person"], name="scope_deputy_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} stands in for the owner of {self.process}"


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


EVERY = "all processes"
NO_PROCESS = "Name the process it comes from or goes to."
TO_ITSELF = "A process hands nothing over to itself. Name another end, or split the process."


def _one_end(end: str) -> Q:
    """At most one answer to “who”: a process, all processes, or somebody outside."""
    nobody, every, outside = Q(**{end: None}), Q(**{f"{end}_all": False}), Q(**{f"{end}_party": ""})
    return (nobody & every) | (nobody & outside) | (every & outside)


class FlowQuerySet(RecordQuerySet):
    def live(self) -> Self:
        """Flows that hold now."""
        return self.filter(ended=False)

    def with_ends(self) -> Self:
        return self.select_related("source", "target")


class Flow(Record):
    """What one process hands over: output of one side and input of the other at once (4.4.1).

    Each end is a process, all processes, or a party outside (a customer, a supplier, the law). A
    `source` that nobody named is an input without a source, a `target` that nobody named an output
    nobody receives; both are kept and shown, so that the gap is seen. Nothing flows from outside to
    outside, and nothing from a process to itself. A flow is never deleted: it is `ended`.
    """

    what = models.CharField("what is handed over", max_length=120)
    source = models.ForeignKey(
        Process,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="outflows",
        verbose_name="from the process",
    )
    source_all = models.BooleanField("from all processes", default=False)
    source_party = models.CharField("from outside", max_length=80, blank=True)
    target = models.ForeignKey(
        Process,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="inflows",
        verbose_name="to the process",
    )
    target_all = models.BooleanField("to all processes", default=False)
    target_party = models.CharField("to outside", max_length=80, blank=True)
    ended = models.BooleanField(default=False, editable=False)

    objects = FlowQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "flow"
        constraints = [
            models.CheckConstraint(condition=~Q(what=""), name="scope_flow_says_what"),
            models.CheckConstraint(
                condition=Q(source__isnull=False) | Q(target__isnull=False),
                name="scope_flow_touches_a_process",
                violation_error_message=NO_PROCESS,
            ),
            models.CheckConstraint(
                condition=~Q(source=models.F("target")),
                name="scope_flow_leads_elsewhere",
                violation_error_message=TO_ITSELF,
            ),
            models.CheckConstraint(
                condition=_one_end("source"),
                name="scope_flow_one_source",
                violation_error_message="Say one thing it comes from, not two.",
            ),
            models.CheckConstraint(
                condition=_one_end("target"),
                name="scope_flow_one_target",
                violation_error_message="Say one thing it goes to, not two.",
            ),
            models.UniqueConstraint(
                fields=[
                    "what",
                    "source",
                    "source_all",
                    "source_party",
                    "target",
                    "target_all",
                    "target_party",
                ],
                condition=Q(ended=False),
                nulls_distinct=False,
                name="scope_flow_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what}, {self.giver or 'from nobody named'} to {self.receiver or 'nobody'}"

    def get_absolute_url(self) -> str:
        return page_of("scope:flow_detail", self.pk)

    @property
    def title(self) -> str:
        return self.what

    @property
    def giver(self) -> str:
        """Who hands it over, in words; empty where nobody is named."""
        return str(self.source or (EVERY if self.source_all else self.source_party))

    @property
    def receiver(self) -> str:
        """Who receives it, in words; empty where nobody is named."""
        return str(self.target or (EVERY if self.target_all else self.target_party))
