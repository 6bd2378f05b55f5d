"""What entries of forms propose as nonconformities."""

from typing import Any, Self

from django.conf import settings
from django.db import models

from documents.models import Entry
from qms.addresses import page_of
from qms.records import RecordQuerySet, StatefulRecord


class ProposalQuerySet(RecordQuerySet):
    def open(self) -> Self:
        """Nobody has decided about them yet."""
        return self.filter(status=Proposal.Status.OPEN)

    def visible_to(self, person: Any) -> Self:
        """A proposal says what an entry says: it is for the readers of the entry."""
        rows = super().visible_to(person)
        return rows.filter(entry__in=Entry.objects.visible_to(person).values("pk"))


class Proposal(StatefulRecord):
    """That something in an entry lies beyond a limit: taken up as a nonconformity, or declined."""

    class Status(models.TextChoices):
        OPEN = "open", "To decide"
        TAKEN_UP = "taken_up", "Taken up"
        DECLINED = "declined", "Declined"
        LAPSED = "lapsed", "Lapsed"

    STATE_TONES = {"open": "late", "taken_up": "fine", "lapsed": "void"}
    PATHS = {("open", "taken_up"), ("open", "declined"), ("open", "lapsed")}
    FROZEN = {"entry", "found", "owner"}
    FROZEN_IN = {"taken_up", "declined", "lapsed"}

    entry = models.ForeignKey(
        "documents.Entry", models.PROTECT, related_name="proposals", editable=False
    )
    found = models.TextField("what was found", editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="who decides"
    )
    due = models.DateField("due", editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN, editable=False)

    objects = ProposalQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "proposed nonconformity"
        verbose_name_plural = "proposed nonconformities"
        constraints = [
            models.UniqueConstraint(fields=["entry"], name="capa_one_proposal_an_entry"),
        ]

    def __str__(self) -> str:
        return f"Proposal from {self.entry.number}"

    def get_absolute_url(self) -> str:
        return page_of("capa:proposal_detail", self.pk)

    @property
    def title(self) -> str:
        return self.found.partition("\n")[0]

    @property
    def is_settled(self) -> bool:
        return self.status != self.Status.OPEN
