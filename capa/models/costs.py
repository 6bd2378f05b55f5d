"""What failures cost, inside and at the customer's (ISO 9001 9.1.3, ISO/TR 10014 in spirit)."""

from datetime import date
from decimal import Decimal
from typing import Any, Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from capa.models.nonconformities import Nonconformity
from capa.models.outputs import NonconformingOutput
from qms.addresses import page_of
from qms.records import RecordQuerySet, StatefulRecord


class CostEntryQuerySet(RecordQuerySet):
    def counted(self) -> Self:
        """Entries that were not taken back, of what is not void itself."""
        rows = self.filter(status=CostEntry.Status.COUNTED)
        void = Q(nonconformity__status="void") | Q(output__status="void")
        return rows.exclude(void)

    def between(self, start: date, end: date) -> Self:
        """Costs that arose from `start` to `end`, both inclusive."""
        return self.filter(arose_on__range=(start, end))

    def of(self, record: models.Model) -> Self:
        """Costs of this case or output."""
        case = isinstance(record, Nonconformity)
        return self.filter(nonconformity=record) if case else self.filter(output=record)

    def of_process(self, process: models.Model) -> Self:
        """Costs of the cases and outputs of a process."""
        return self.filter(Q(nonconformity__process=process) | Q(output__process=process))

    def visible_to(self, person: Any) -> Self:
        """Who may see costs sees those of the cases and outputs they may see."""
        rows = super().visible_to(person)
        cases = Nonconformity.objects.visible_to(person).values("pk")
        outputs = NonconformingOutput.objects.visible_to(person).values("pk")
        return rows.filter(Q(nonconformity__in=cases) | Q(output__in=outputs))


class CostEntry(StatefulRecord):
    """An amount a case or a nonconforming output cost; never changed, only taken back.

    The one place for money: whoever may not see entries sees no amount on any page. In the
    organisation's currency.
    """

    class Status(models.TextChoices):
        COUNTED = "counted", "Counted"
        VOID = "void", "Void"

    class Kind(models.TextChoices):
        SCRAP = "scrap", "Scrap"
        REWORK = "rework", "Rework, sorting"
        STANDSTILL = "standstill", "Standstill, extra shifts"
        INSPECTION = "inspection", "Inspection again"
        REPLACEMENT = "replacement", "Replacement, repair"
        FREIGHT = "freight", "Special freight, returns"
        SERVICE = "service", "Visit to the customer"
        CREDIT = "credit", "Credit, penalty"
        RECALL = "recall", "Recall"
        OTHER_INTERNAL = "other_internal", "Other, inside"
        OTHER_EXTERNAL = "other_external", "Other, at the customer"

    # Found before delivery is internal failure, found after it external.
    EXTERNAL = ("replacement", "freight", "service", "credit", "recall", "other_external")
    PATHS = {("counted", "void")}
    FROZEN = {"nonconformity", "output", "kind", "amount", "arose_on", "note"}
    FROZEN_IN = {"counted", "void"}

    nonconformity = models.ForeignKey(
        Nonconformity, models.PROTECT, null=True, related_name="costs", editable=False
    )
    output = models.ForeignKey(
        NonconformingOutput, models.PROTECT, null=True, related_name="costs", editable=False
    )
    kind = models.CharField("kind", max_length=16, choices=Kind)
    amount = models.DecimalField(
        "amount", max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    arose_on = models.DateField("arose on")
    note = models.CharField("note", max_length=300, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.COUNTED, editable=False)

    objects = CostEntryQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "cost"
        indexes = [models.Index(fields=["arose_on"], name="capa_cost_arose")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="capa_cost_above_zero"),
            models.CheckConstraint(
                condition=Q(nonconformity__isnull=False, output__isnull=True)
                | Q(nonconformity__isnull=True, output__isnull=False),
                name="capa_cost_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.subject.number}"

    def get_absolute_url(self) -> str:
        return page_of("capa:cost_detail", self.pk)

    @property
    def subject(self) -> Any:
        """What it is the cost of: a case, or something that was held back."""
        return self.nonconformity or self.output

    @property
    def title(self) -> str:
        return str(self)

    @property
    def is_released(self) -> bool:
        """It counts from the moment it is entered."""
        return True

    @property
    def is_settled(self) -> bool:
        return self.status == self.Status.VOID

    @property
    def is_external(self) -> bool:
        return self.kind in self.EXTERNAL
