"""The context: issues, interested parties, the climate decision, requirements (ISO 9001 4.1, 4.2).

Nothing here is deleted: an issue is closed, a requirement withdrawn, a decision superseded. What
changed in a year is read from the history, so nobody has to keep a second list.
"""

from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from qms.addresses import page_of
from qms.links import Link
from qms.records import Numbered, RecordQuerySet, StatefulRecord
from qms.scope.models.processes import Process


class WatchedQuerySet(RecordQuerySet):
    def live(self) -> Self:
        """What holds now."""
        return self.filter(status=self.model.first_state())

    def review_due(self, on: date) -> Self:
        """What holds and should have been looked at again by a day."""
        return self.live().filter(review_on__lt=on)


class Watched(StatefulRecord):
    """What somebody answers for and looks at again by a day. It is on record from the start."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="owner"
    )
    review_on = models.DateField("look at it again on")
    reviewed_on = models.DateField("looked at on", null=True, editable=False)

    objects = WatchedQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        abstract = True

    @property
    def is_released(self) -> bool:
        """Others rely on it from the first day, so a change says why."""
        return True

    @property
    def is_settled(self) -> bool:
        return self.state != self.first_state()


class Issue(Watched):
    """An internal or external issue that bears on what the organisation wants to achieve (4.1)."""

    class Status(models.TextChoices):
        CURRENT = "current", "Current"
        CLOSED = "closed", "Closed"

    class Kind(models.TextChoices):
        EXTERNAL = "external", "External"
        INTERNAL = "internal", "Internal"

    class Category(models.TextChoices):
        LAW = "law", "Law and regulation"
        TECHNOLOGY = "technology", "Technology"
        MARKET = "market", "Market and competition"
        SUPPLY = "supply", "Suppliers and supply"
        ECONOMY = "economy", "Economy"
        SOCIETY = "society", "Society and culture"
        CLIMATE = "climate", "Climate and environment"
        VALUES = "values", "Values and culture"
        KNOWLEDGE = "knowledge", "Knowledge and skills"
        PEOPLE = "people", "People"
        MEANS = "means", "Equipment and infrastructure"
        PERFORMANCE = "performance", "Performance"

    PATHS = {("current", "current"), ("current", "closed"), ("closed", "current")}
    STATE_TONES = {"current": "info", "closed": "void"}

    what = models.CharField("issue", max_length=200)
    kind = models.CharField("kind", max_length=8, choices=Kind, default=Kind.EXTERNAL)
    category = models.CharField("category", max_length=12, choices=Category)
    why = models.TextField("why it matters")
    effect = models.TextField("what it does to the system", blank=True)
    status = models.CharField(
        max_length=8, choices=Status, default=Status.CURRENT, editable=False, db_index=True
    )

    class Meta(Watched.Meta):
        verbose_name = "issue"
        constraints = [
            models.CheckConstraint(condition=~Q(why=""), name="scope_issue_says_why"),
        ]

    def __str__(self) -> str:
        return self.what

    def get_absolute_url(self) -> str:
        return page_of("scope:issue_detail", self.pk)

    @property
    def title(self) -> str:
        return self.what


class InterestedParty(Watched):
    """Somebody outside or inside who can touch the quality system or is touched by it (4.2)."""

    class Status(models.TextChoices):
        CURRENT = "current", "Current"
        CLOSED = "closed", "No longer relevant"

    class Kind(models.TextChoices):
        CUSTOMER = "customer", "Customers and users"
        EMPLOYEE = "employee", "Employees"
        OWNER = "owner", "Owners and investors"
        SUPPLIER = "supplier", "Suppliers and partners"
        AUTHORITY = "authority", "Authorities and regulators"
        NEIGHBOUR = "neighbour", "Neighbours and society"
        INSURER = "insurer", "Insurers and banks"
        OTHER = "other", "Others"

    PATHS = {("current", "current"), ("current", "closed"), ("closed", "current")}
    STATE_TONES = {"current": "info", "closed": "void"}

    name = models.CharField("interested party", max_length=120)
    kind = models.CharField("kind", max_length=10, choices=Kind, default=Kind.CUSTOMER)
    why = models.TextField("why they are relevant")
    status = models.CharField(
        max_length=8, choices=Status, default=Status.CURRENT, editable=False, db_index=True
    )

    class Meta(Watched.Meta):
        verbose_name = "interested party"
        verbose_name_plural = "interested parties"
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(status="current"),
                name="scope_party_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return page_of("scope:party_detail", self.pk)

    @property
    def title(self) -> str:
        return self.name


class PartyRequirement(StatefulRecord):
    """What an interested party needs or expects, and whether the system takes it up (4.2).

    Not every wish is taken up. Whatever was decided is said, and how where it is.
    """

    class Status(models.TextChoices):
        CURRENT = "current", "Current"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Answer(models.TextChoices):
        OPEN = "open", "Not decided yet"
        YES = "yes", "Taken up by the system"
        NO = "no", "Not taken up"

    PATHS = {("current", "withdrawn"), ("withdrawn", "current")}
    STATE_TONES = {"current": "info", "withdrawn": "void"}

    party = models.ForeignKey(InterestedParty, models.PROTECT, related_name="requirements")
    what = models.CharField("what they need or expect", max_length=300)
    addressed = models.CharField(
        "is it taken up?", max_length=4, choices=Answer, default=Answer.OPEN
    )
    how = models.TextField("how, or why not", blank=True)
    about_climate = models.BooleanField("it is about climate change", default=False)
    review_on = models.DateField("look at it again on")
    status = models.CharField(
        max_length=10, choices=Status, default=Status.CURRENT, editable=False, db_index=True
    )

    objects = WatchedQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "requirement of an interested party"
        verbose_name_plural = "requirements of interested parties"
        constraints = [
            models.CheckConstraint(
                condition=Q(addressed="open") | ~Q(how=""),
                name="scope_party_requirement_says_how",
                violation_error_message="Say how the system takes it up, or why it does not.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.party}: {self.what}"

    def get_absolute_url(self) -> str:
        return page_of("scope:need_detail", self.pk)

    @property
    def title(self) -> str:
        return self.what

    @property
    def is_released(self) -> bool:
        return True

    @property
    def is_settled(self) -> bool:
        return self.status == self.Status.WITHDRAWN


class ClimateDecision(StatefulRecord):
    """Whether climate change is a relevant issue, with the reason (4.1, amendment of 2024).

    “No” is an answer, too. One decision is in force; the one before gives way to it.
    """

    class Status(models.TextChoices):
        IN_FORCE = "in_force", "In force"
        SUPERSEDED = "superseded", "Superseded"

    PATHS = {("in_force", "superseded")}
    STATE_TONES = {"in_force": "fine", "superseded": "void"}
    FROZEN = {"relevant", "reason", "decided_on", "decided_by"}
    FROZEN_IN = {"in_force", "superseded"}

    relevant = models.BooleanField("climate change is a relevant issue")
    reason = models.TextField("reason")
    decided_on = models.DateField("decided on")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="decided by"
    )
    status = models.CharField(
        max_length=10, choices=Status, default=Status.IN_FORCE, editable=False
    )

    objects = WatchedQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "climate decision"
        constraints = [
            models.UniqueConstraint(
                fields=["status"],
                condition=Q(status="in_force"),
                name="scope_one_climate_decision",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="scope_climate_says_why"),
        ]

    def __str__(self) -> str:
        return f"Climate decision of {self.decided_on:%-d %B %Y}"

    def get_absolute_url(self) -> str:
        return page_of("scope:climate_detail", self.pk)

    @property
    def answer(self) -> str:
        """The decision in a word."""
        return "Relevant" if self.relevant else "Not relevant"


class Requirement(Numbered, Watched):
    """A statutory, regulatory or customer requirement that products and services must meet."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Kind(models.TextChoices):
        STATUTORY = "statutory", "Law"
        REGULATORY = "regulatory", "Regulation or permit"
        CUSTOMER = "customer", "Customer or contract"
        STANDARD = "standard", "Standard or code"
        OWN = "own", "Own commitment"

    SERIES = "REQ"
    PATHS = {("active", "active"), ("active", "withdrawn"), ("withdrawn", "active")}
    STATE_TONES = {"active": "info", "withdrawn": "void"}

    what = models.CharField("requirement", max_length=300)
    kind = models.CharField("kind", max_length=10, choices=Kind, default=Kind.STATUTORY)
    source = models.CharField(
        "source", max_length=200, help_text="The law, contract or code, with its section."
    )
    how_met = models.TextField("how it is met", blank=True)
    status = models.CharField(
        max_length=10, choices=Status, default=Status.ACTIVE, editable=False, db_index=True
    )

    class Meta(Watched.Meta):
        verbose_name = "requirement"
        indexes = [models.Index(fields=["status", "review_on"], name="scope_requirement_due")]

    def __str__(self) -> str:
        return f"{self.number} {self.what}"

    def get_absolute_url(self) -> str:
        return page_of("scope:requirement_detail", self.pk)

    @property
    def title(self) -> str:
        return self.what

    def processes(self) -> list[Process]:
        """The processes that must meet it, by code."""
        links = RequirementProcess.objects.live().filter(requirement=self)
        return list(Process.objects.filter(pk__in=links.values("process_id")).order_by("code"))


class RequirementProcess(Link):
    """That a process must meet a requirement."""

    requirement = models.ForeignKey(Requirement, models.PROTECT, related_name="process_links")
    process = models.ForeignKey(Process, models.PROTECT, related_name="requirement_links")

    class Meta(Link.Meta):
        verbose_name = "process of a requirement"
        verbose_name_plural = "processes of requirements"
        constraints = [
            models.UniqueConstraint(
                fields=["requirement", "process"], name="scope_requirement_process_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.requirement.number} for {self.process}"


CONTEXT: tuple[Any, ...] = (Issue, InterestedParty, PartyRequirement, ClimateDecision, Requirement)
