"""Corrective action: what removes a cause, when it counts as effective, and whether it was.

A record of its own: it serves one nonconformity or many, or answers a trend or a risk. Its tasks
are actions (`qms.actions`) raised from it.
"""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from qms.addresses import page_of
from qms.links import Link
from qms.origins import FromOrigin, OriginQuerySet
from qms.records import Numbered, StatefulRecord


class CorrectiveActionQuerySet(OriginQuerySet):
    def open(self) -> Self:
        """Neither judged nor void."""
        return self.exclude(status__in=CorrectiveAction.SETTLED)

    def standing(self) -> Self:
        """Not void."""
        return self.exclude(status=CorrectiveAction.Status.VOID)

    def judged(self) -> Self:
        """Found effective or not."""
        return self.filter(
            status__in=[CorrectiveAction.Status.EFFECTIVE, CorrectiveAction.Status.INEFFECTIVE]
        )

    def overdue(self, on: date) -> Self:
        """Open, and the present step's day is past."""
        return self.open().filter(due__lt=on)

    def serving(self, *cases: models.Model) -> Self:
        """The corrective actions that serve these nonconformities."""
        links = CaseAction.objects.live().filter(nonconformity__in=cases)
        return self.filter(pk__in=links.values("corrective_action_id"))

    def judged_between(self, start: date, end: date) -> Self:
        """Whose effectiveness was decided from `start` to `end`, both inclusive."""
        return self.filter(verified_on__range=(start, end))


class CorrectiveAction(FromOrigin, Numbered, StatefulRecord):
    """What removes a cause: its tasks, when it counts as effective, and the decision whether."""

    class Status(models.TextChoices):
        DRAFT = "draft", "To plan"
        SUBMITTED = "submitted", "To approve"
        PLANNED = "planned", "In action"
        IMPLEMENTED = "implemented", "Effectiveness check"
        EFFECTIVE = "effective", "Effective"
        INEFFECTIVE = "ineffective", "Not effective"
        VOID = "void", "Void"

    class Counts(models.TextChoices):
        VALUES = "values", "the sum of its values"
        READINGS = "readings", "its readings"

    class Aftermath(models.TextChoices):
        CAUSE = "cause", "Look for the cause again"
        SUCCESSOR = "successor", "Plan a successor for the same cause"

    class Bound(models.TextChoices):
        AT_MOST = "at_most", "at most"
        AT_LEAST = "at_least", "at least"

    SERIES = "CA"
    SETTLED = ("effective", "ineffective", "void")
    STATE_TONES = {"effective": "fine", "ineffective": "late", "void": "void"}
    PATHS = {
        ("draft", "submitted"),
        ("draft", "planned"),
        ("submitted", "planned"),
        ("submitted", "draft"),
        ("planned", "draft"),
        ("planned", "implemented"),
        ("implemented", "effective"),
        ("implemented", "ineffective"),
        ("draft", "void"),
        ("submitted", "void"),
        ("planned", "void"),
    }
    CRITERION = (
        "criterion",
        "measure",
        "check_on",
        "indicator",
        "counts",
        "count_target",
        "count_of",
        "bound",
        "limit",
    )
    PLAN = ("title", "cause", "owner", *CRITERION)
    SIGNED_FIELDS = (*PLAN, "verdict", "verified_on")
    FROZEN = {"title", "cause", *CRITERION, "first_criterion", "first_check_on"}
    FROZEN_IN = {"planned", "implemented", "effective", "ineffective", "void"}

    title = models.CharField("what it changes, in a line", max_length=200)
    cause = models.TextField("the cause it removes", blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="corrective_actions",
        verbose_name="owner",
    )
    criterion = models.TextField("effective when", blank=True)
    measure = models.TextField("how that is measured", blank=True)
    check_on = models.DateField("effectiveness checked on", null=True, blank=True)
    # The indicator is kept by a chapter above; `qms.contributions.indicators()` knows it by key.
    indicator = models.PositiveBigIntegerField("indicator", null=True, blank=True)
    counts = models.CharField(
        "what is counted of it", max_length=8, choices=Counts, default=Counts.VALUES
    )
    count_target = models.PositiveIntegerField("how many there must be", null=True, blank=True)
    count_of = models.CharField("of what", max_length=40, blank=True, help_text="Orders, lots.")
    bound = models.CharField("each value is", max_length=8, choices=Bound, blank=True)
    limit = models.DecimalField(
        "this value", max_digits=16, decimal_places=4, null=True, blank=True
    )
    first_criterion = models.TextField(
        "effective when, as first taken on", blank=True, editable=False
    )
    first_check_on = models.DateField("checked on, as first taken on", null=True, editable=False)
    predecessor = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="successors", editable=False
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT, editable=False)
    due = models.DateField("due", null=True, editable=False)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    approved_on = models.DateField(null=True, editable=False)
    planned_on = models.DateField(null=True, editable=False)
    implemented_on = models.DateField(null=True, editable=False)
    verdict = models.TextField("effectiveness decision", blank=True, editable=False)
    aftermath = models.CharField(
        "what follows", max_length=9, choices=Aftermath, blank=True, editable=False
    )
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    verified_on = models.DateField(null=True, editable=False)

    objects = CorrectiveActionQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "corrective action"
        indexes = [
            models.Index(fields=["origin_type", "origin_id"], name="capa_ca_origin"),
            models.Index(fields=["status", "due"], name="capa_ca_status_due"),
            models.Index(fields=["verified_on"], name="capa_ca_verified"),
        ]
        constraints = [
            FromOrigin.origin_constraint("capa_ca_origin_is_whole"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "void"])
                | (~Q(criterion="") & Q(check_on__isnull=False)),
                name="capa_ca_criterion_beforehand",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["effective", "ineffective"])
                | (~Q(verdict="") & Q(verified_by__isnull=False, verified_on__isnull=False)),
                name="capa_ca_judged_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(status="ineffective") | ~Q(aftermath=""),
                name="capa_ca_never_closes_quietly",
            ),
            models.CheckConstraint(
                condition=Q(verified_by__isnull=True) | ~Q(verified_by=F("owner")),
                name="capa_ca_owner_does_not_judge",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | (~Q(approved_by=F("owner")) & ~Q(approved_by=F("submitted_by"))),
                name="capa_ca_owner_does_not_approve",
            ),
            models.CheckConstraint(
                condition=Q(bound="", limit__isnull=True) | (~Q(bound="") & Q(limit__isnull=False)),
                name="capa_ca_limit_is_whole",
                violation_error_message="Say both: at most or at least, and which value.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("capa:corrective_action_detail", self.pk)

    @property
    def is_released(self) -> bool:
        """Once taken on, a plan is changed with a reason, also while it is planned anew."""
        return super().is_released or bool(self.first_criterion)

    @property
    def is_taken_on(self) -> bool:
        """Whether its criterion stands: it was started once, or approved."""
        waits = (self.Status.DRAFT, self.Status.SUBMITTED, self.Status.VOID)
        return bool(self.first_criterion) or self.status not in waits

    @property
    def is_settled(self) -> bool:
        return self.status in self.SETTLED

    @property
    def criterion_in_words(self) -> str:
        """Everything it is judged by beside the day, as one text."""
        said = [self.criterion, self.measure]
        if self.count_target is not None:
            said.append(f"{self.count_target} {self.count_of}".strip())
        if self.limit is not None:
            said.append(f"Each value {self.get_bound_display()} {self.limit.normalize():f}")
        return "\n".join(each.strip() for each in said if each.strip())

    @property
    def criterion_was(self) -> str:
        """The criterion as it was first taken on, where it says something else now."""
        first = self.first_criterion
        return "" if first == self.criterion_in_words else first

    @property
    def check_was_on(self) -> date | None:
        """The day of the check as first taken on, where it is another now."""
        return None if self.first_check_on == self.check_on else self.first_check_on

    @property
    def check_day(self) -> date | None:
        """The day of the check: as planned, or later where it was put in place late."""
        waits = self.status == self.Status.IMPLEMENTED
        return self.due if waits and self.due else self.check_on


class CaseAction(Link):
    """That a corrective action serves a nonconformity."""

    nonconformity = models.ForeignKey(
        "capa.Nonconformity", models.PROTECT, related_name="action_links"
    )
    corrective_action = models.ForeignKey(
        CorrectiveAction, models.PROTECT, related_name="case_links"
    )

    class Meta(Link.Meta):
        verbose_name = "case of a corrective action"
        constraints = [
            models.UniqueConstraint(
                fields=["nonconformity", "corrective_action"], name="capa_serves_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.corrective_action.number} serves {self.nonconformity.number}"
