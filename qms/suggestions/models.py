"""A suggestion: an idea of anybody, in two lines, that gets an answer (ISO 9001 10.3, 7.3)."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce

from qms.actions.models import Action
from qms.addresses import page_of
from qms.links import Link
from qms.records import Numbered, RecordQuerySet, StatefulRecord


class SuggestionQuerySet(RecordQuerySet):
    def waiting(self) -> Self:
        """Received and not yet decided."""
        return self.filter(status=Suggestion.Status.RECEIVED)

    def done_between(self, start: date, end: date) -> Self:
        """Put into practice from `start` to `end`, both inclusive."""
        return self.filter(status=Suggestion.Status.DONE, done_on__range=(start, end))

    def since(self, start: date) -> Self:
        """Not settled before `start`: open then, or decided or put into practice since."""
        rows = self.annotate(last_on=Coalesce("done_on", "decided_on"))
        waits = models.Q(status__in=[Suggestion.Status.RECEIVED, Suggestion.Status.TAKEN_UP])
        return rows.filter(waits | models.Q(last_on__gte=start))

    def with_votes(self) -> Self:
        """Each with `votes`: how many people want it."""
        standing = models.Q(vote_links__ended=False)
        return self.annotate(votes=models.Count("vote_links", filter=standing))


class Suggestion(Numbered, StatefulRecord):
    """An idea for something better; whoever had it sees what became of it."""

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        TAKEN_UP = "taken_up", "Taken up"
        DECLINED = "declined", "Declined"
        DONE = "done", "Done"

    SERIES = "SG"
    PATHS = {
        ("received", "taken_up"),
        ("received", "declined"),
        ("taken_up", "done"),
        ("taken_up", "declined"),  # its action was not done after all
    }
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
    done_on = models.DateField("put into practice on", null=True, editable=False)

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
            ),
            models.CheckConstraint(
                condition=~models.Q(status="done") | models.Q(done_on__isnull=False),
                name="suggestions_done_on_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("suggestions:suggestion_detail", self.pk)

    @property
    def action(self) -> Action | None:
        """The action it became, where it was taken up."""
        rows = Action.objects.raised_from(self).exclude(status=Action.Status.VOID)
        found: Action | None = rows.order_by("pk").first()
        return found


class Vote(Link):
    """That somebody wants an idea to be done; ended when they took it back."""

    suggestion = models.ForeignKey(Suggestion, models.PROTECT, related_name="vote_links")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta(Link.Meta):
        verbose_name = "vote"
        constraints = [
            models.UniqueConstraint(
                fields=["suggestion", "person"], name="suggestions_one_vote_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person.name} wants {self.suggestion.number}"
