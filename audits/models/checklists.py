"""The questions of an audit and their answers (9.2.2)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from audits.models.audits import Audit
from qms.clauses import ClauseField
from qms.records import Record


class ChecklistItem(Record):
    """A question of an audit and its answer."""

    class Answer(models.TextChoices):
        OPEN = "", "Open"
        CONFORMS = "conforms", "Conforms"
        NONCONFORMING = "nonconforming", "Nonconforming"
        OPPORTUNITY = "opportunity", "Opportunity"
        NOT_APPLICABLE = "not_applicable", "Not applicable"

    audit = models.ForeignKey(Audit, models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField("position")
    clause = ClauseField("clause", blank=True)
    question = models.TextField("question")
    answer = models.CharField(
        "answer", max_length=16, choices=Answer, default=Answer.OPEN, blank=True
    )
    note = models.TextField("note", blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    happened_at = models.DateTimeField("answered at", null=True, editable=False)

    class Meta(Record.Meta):
        verbose_name = "checklist question"
        constraints = [
            models.UniqueConstraint(fields=["audit", "position"], name="audits_item_position_once"),
            models.CheckConstraint(
                condition=Q(answer="") | Q(answered_by__isnull=False),
                name="audits_answered_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.audit.number} question {self.position}"

    def get_absolute_url(self) -> str:
        return reverse("audits:field_question", args=[self.audit_id, self.position])
