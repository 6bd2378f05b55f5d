"""Sheets of readings that somebody brought from elsewhere, and what became of them (9.1.1)."""

from django.db import models

from objectives.models.indicators import Indicator
from qms.addresses import page_of
from qms.clock import DatabaseNow
from qms.records import Numbered, StatefulRecord


class ReadingSheet(Numbered, StatefulRecord):
    """A CSV or Excel sheet of readings: read, shown with every problem, and accepted or not.

    `indicator` is set where the sheet holds the values of one indicator only. The sheet itself is
    attached, so that it can be seen later what came from where.
    """

    class Status(models.TextChoices):
        READING = "reading", "Being read"
        CHECKED = "checked", "To accept"
        WRITING = "writing", "Being written"
        DONE = "done", "Imported"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    SERIES = "RS"
    UNDER_WAY = ("reading", "writing")
    STATE_TONES = {
        "reading": "info",
        "checked": "soon",
        "writing": "info",
        "done": "fine",
        "failed": "late",
        "cancelled": "void",
    }
    PATHS = {
        ("reading", "checked"),
        ("reading", "failed"),
        ("checked", "writing"),
        ("writing", "done"),
        ("writing", "failed"),
        ("reading", "cancelled"),
        ("checked", "cancelled"),
        ("writing", "cancelled"),
    }
    FROZEN = {"indicator", "name", "written", "left_out", "failure"}
    FROZEN_IN = {"done", "failed", "cancelled"}

    indicator = models.ForeignKey(
        Indicator,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sheets",
        verbose_name="indicator",
        help_text="Empty: a column of the sheet names the indicator of each row.",
    )
    name = models.CharField("sheet", max_length=200, editable=False)
    written = models.PositiveIntegerField("readings imported", null=True, editable=False)
    left_out = models.PositiveIntegerField("rows left out", null=True, editable=False)
    failure = models.TextField("why it failed", blank=True, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.READING, editable=False)

    class Meta(StatefulRecord.Meta):
        verbose_name = "import of readings"
        verbose_name_plural = "imports of readings"
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(status="done")
                | models.Q(written__isnull=False, left_out__isnull=False),
                name="objectives_import_says_what_it_wrote",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    def get_absolute_url(self) -> str:
        return page_of("objectives:sheet_detail", self.pk)

    @property
    def title(self) -> str:
        return self.name

    @property
    def is_under_way(self) -> bool:
        return self.status in self.UNDER_WAY

    def progress_or_none(self) -> "SheetProgress | None":
        """How far it is; None before it was handed to a worker."""
        return SheetProgress.objects.filter(sheet=self).first()


class SheetProgress(models.Model):
    """How far the reading of a sheet is and what was found in it; written often, outside the
    history. `problems` are the first of them, in words; `bad` counts the rows they keep out."""

    sheet = models.OneToOneField(ReadingSheet, models.PROTECT, related_name="progress")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=200, blank=True)
    good = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    columns = models.JSONField(default=list)
    problems = models.JSONField(default=list)
    problem_count = models.PositiveIntegerField(default=0)
    sample = models.JSONField(default=list)
    updated_at = models.DateTimeField(db_default=DatabaseNow())

    class Meta:
        verbose_name = "progress of an import"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.sheet_id}: {self.message}"
