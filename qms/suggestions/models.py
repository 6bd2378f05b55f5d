"""A suggestion: an idea of anybody, in two lines, that gets an answer (ISO 9001 10.3, 7.3)."""

from typing import Self

from django.conf import settings
from django.db import models

from qms.actions.models import Action
from qms.addresses import page_of
from qms.records import Numbered, RecordQuerySet, StatefulRecord


class SuggestionQuerySet(RecordQuerySet):
    def waiting(self) -> Self:
        """Received and not yet decided."""
        return self.filter(status=Suggestion.Status.RECEIVED)


class Suggestion(Numbered, StatefulRecord):
    """An idea for something better; whoever had it sees what became of it."""

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        TAKEN_UP = "taken_up", "Taken up"
        DECLINED = "declined", "Declined"
        DONE = "done", "Done"

    SERIES = "SG"
    PATHS = {("received", "taken_up"), ("received", "declined"), ("taken_up", "done")}
    FROZEN = {"title", "details", "answer"}
    FROZEN_IN = {"taken_up", "declined", "done"}

    title = models.CharField("your idea", max_length=200)
    details = models.TextField("what would get better", blank=True, max_length=5000)
    status = models.CharField(
        max_length=10, choices=Status, default=Status.RECEIVED, editable=False
    )
    answer = models.TextField("the answer", blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    decided_on = models.DateField("decided on", null=True, editable=False)

    objects = SuggestionQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "suggestion"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="received")
                | (
                    models.Q(decided_by__isnull=False, decided_on__isnull=False)
                    & ~models.Q(answer="")
                ),
                name="suggestions_decision_is_whole",
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("suggestions:suggestion_detail", self.pk)

    @property
    def action(self) -> Action | None:
        """The action it became, where it was taken up."""
        found: Action | None = Action.objects.raised_from(self).order_by("pk").first()
        return found
