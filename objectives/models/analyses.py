"""Analyses: what the figures of a period showed, and what was concluded and decided (9.1.3)."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from qms.addresses import page_of
from qms.periods import Period
from qms.records import Numbered, RecordQuerySet, StatefulRecord
from qms.refusals import Refused


class AnalysisQuerySet(RecordQuerySet):
    def concluded(self) -> Self:
        return self.filter(status=Analysis.Status.CONCLUDED)

    def ending_in(self, period: Period) -> Self:
        """Those whose own period ends within this one."""
        return self.filter(period_end__range=(period.start, period.end))


class Analysis(Numbered, StatefulRecord):
    """What a process, or the whole system, showed over some months, and what follows.

    While it is a draft its figures are computed when they are looked at; what they were when it
    was concluded is kept in `figures`, under the signature.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        CONCLUDED = "concluded", "Concluded"
        VOID = "void", "Void"

    SERIES = "AN"
    STATE_TONES = {"concluded": "fine", "void": "void"}
    PATHS = {("draft", "concluded"), ("draft", "void")}
    FROZEN = {
        "title",
        "process",
        "period_start",
        "period_end",
        "conclusions",
        "decisions",
        "owner",
        "figures",
        "concluded_by",
        "concluded_on",
    }
    FROZEN_IN = {"concluded", "void"}
    SIGNED_FIELDS = (
        "number",
        "title",
        "process",
        "period_start",
        "period_end",
        "figures",
        "conclusions",
        "decisions",
    )

    title = models.CharField("title", max_length=200)
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="analyses",
        verbose_name="process",
        help_text="Empty: the whole system.",
    )
    period_start = models.DateField("looks at the days from")
    period_end = models.DateField("to")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="analyses", verbose_name="owner"
    )
    conclusions = models.TextField("what it shows", blank=True, max_length=10_000)
    decisions = models.TextField("what is decided", blank=True, max_length=10_000)
    figures = models.JSONField("figures", default=list, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT, editable=False)
    concluded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    concluded_on = models.DateField("concluded on", null=True, editable=False)

    objects = AnalysisQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "analysis"
        verbose_name_plural = "analyses"
        indexes = [models.Index(fields=["status", "period_end"], name="objectives_analysis_end")]
        constraints = [
            models.CheckConstraint(
                condition=Q(period_end__gte=F("period_start")), name="objectives_analysis_has_days"
            ),
            models.CheckConstraint(
                condition=~Q(status="concluded")
                | (
                    ~Q(conclusions="")
                    & ~Q(decisions="")
                    & Q(concluded_by__isnull=False, concluded_on__isnull=False)
                ),
                name="objectives_analysis_concluded_in_words",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("objectives:analysis_detail", self.pk)

    def number_series(self) -> tuple[str, int | None]:
        """Numbered in the year it looks at."""
        return self.SERIES, self.period_end.year

    @property
    def period(self) -> Period:
        return Period(self.period_start, self.period_end)

    @property
    def is_settled(self) -> bool:
        return self.status != self.Status.DRAFT

    @property
    def about(self) -> str:
        return str(self.process) if self.process else "The whole system"

    def check_period(self) -> None:
        """Refuse a period that runs backwards."""
        if self.period_end < self.period_start:
            raise Refused(
                "The period ends before it starts. Swap the two dates.", field="period_end"
            )

    def _check_change(self, stored: Self, *, transition: bool) -> None:
        super()._check_change(stored, transition=transition)
        if not transition:
            self.check_period()

    def lines_of(self, kind: str) -> list[dict[str, Any]]:
        """The kept figures of one kind: "indicator" or "objective"."""
        return [line for line in self.figures if line["kind"] == kind]
