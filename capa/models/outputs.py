"""Nonconforming outputs (ISO 9001 8.7): what was held, what was decided, how it was settled."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from qms.records import Numbered, RecordQuerySet, StatefulRecord


class NonconformingOutputQuerySet(RecordQuerySet):
    def open(self) -> Self:
        """Neither settled nor void."""
        return self.exclude(status__in=NonconformingOutput.SETTLED)

    def standing(self) -> Self:
        """Not void."""
        return self.exclude(status=NonconformingOutput.Status.VOID)

    def overdue(self, on: date) -> Self:
        """Open, and the present step's day is past."""
        return self.open().filter(due__lt=on)

    def found_between(self, start: date, end: date) -> Self:
        """Found from `start` to `end`, both inclusive, without void ones."""
        return self.standing().filter(found_on__range=(start, end))


class NonconformingOutput(Numbered, StatefulRecord):
    """A product or service that is not as required: held, decided about, released or removed."""

    class Status(models.TextChoices):
        HELD = "held", "Held"
        DECIDED = "decided", "Decided"
        REWORKED = "reworked", "To verify again"
        RELEASED = "released", "Released"
        REMOVED = "removed", "Removed"
        VOID = "void", "Void"

    class Disposition(models.TextChoices):
        REWORK = "rework", "Rework"
        USE_AS_IS = "use_as_is", "Use as is, with a concession"
        REGRADE = "regrade", "Regrade"
        RETURN = "return", "Return to the supplier"
        SCRAP = "scrap", "Scrap"

    class FoundAt(models.TextChoices):
        RECEIPT = "receipt", "On receipt"
        PROCESS = "process", "During the work"
        FINAL = "final", "At the final check"
        STORE = "store", "In store"
        CUSTOMER = "customer", "At the customer"

    SERIES = "NO"
    SETTLED = ("released", "removed", "void")
    STATE_TONES = {"held": "late", "released": "fine", "removed": "fine", "void": "void"}
    PATHS = {
        ("held", "decided"),
        ("held", "void"),
        ("decided", "held"),
        ("decided", "reworked"),
        ("decided", "released"),
        ("decided", "removed"),
        ("reworked", "released"),
        ("reworked", "held"),
    }
    WHAT = (
        "what",
        "product",
        "lot",
        "quantity",
        "unit",
        "requirement",
        "process",
        "site",
        "customer",
        "found_at",
        "found_on",
        "made_by",
    )
    FROZEN = {
        *WHAT,
        "disposition",
        "because",
        "agreement_needed",
        "decided_by",
        "agreement",
        "rework",
        "reworked_by",
        "result",
        "verified_by",
    }
    FROZEN_IN = {"released", "removed", "void"}
    TAKES_PROOF_IN = {"released", "removed"}

    what = models.CharField("what is wrong with it, in a line", max_length=200)
    product = models.CharField("product or service", max_length=120)
    lot = models.CharField("lot, batch or order", max_length=80, blank=True)
    quantity = models.DecimalField("quantity", max_digits=12, decimal_places=3)
    unit = models.CharField("unit", max_length=20, default="pieces")
    requirement = models.TextField("requirement it does not meet", blank=True)
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="nonconforming_outputs",
        verbose_name="process",
    )
    site = models.ForeignKey(
        "scope.Site",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="nonconforming_outputs",
        verbose_name="site",
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="nonconforming_outputs",
        verbose_name="customer it is for",
    )
    found_at = models.CharField(
        "where it was found", max_length=8, choices=FoundAt, default=FoundAt.PROCESS
    )
    found_on = models.DateField("found on")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="who made it",
        help_text="They do not decide about it.",
    )
    nonconformity = models.ForeignKey(
        "capa.Nonconformity",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="outputs",
        verbose_name="nonconformity it belongs to",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.HELD, editable=False)
    due = models.DateField("due", null=True, editable=False)

    disposition = models.CharField(
        "disposition", max_length=10, choices=Disposition, blank=True, editable=False
    )
    because = models.TextField("why, and within which bounds", blank=True, editable=False)
    agreement_needed = models.BooleanField("the customer must agree", default=False, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    decided_on = models.DateField(null=True, editable=False)
    agreement = models.TextField("the customer's agreement", blank=True, editable=False)
    rework = models.TextField("what was reworked", blank=True, editable=False)
    reworked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    result = models.TextField("what the verification showed", blank=True, editable=False)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    settled_how = models.TextField("how it was settled", blank=True, editable=False)
    settled_on = models.DateField(null=True, editable=False)

    objects = NonconformingOutputQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "nonconforming output"
        indexes = [
            models.Index(fields=["status", "due"], name="capa_output_due"),
            models.Index(fields=["found_on"], name="capa_output_found"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0),
                name="capa_output_some_quantity",
                violation_error_message="The quantity is more than nothing.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["held", "void"])
                | (
                    ~Q(disposition="")
                    & ~Q(because="")
                    & Q(decided_by__isnull=False, decided_on__isnull=False)
                ),
                name="capa_output_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | Q(made_by__isnull=True)
                | ~Q(decided_by=F("made_by")),
                name="capa_output_maker_does_not_decide",
            ),
            models.CheckConstraint(
                condition=~Q(status="released", disposition="use_as_is", agreement_needed=True)
                | ~Q(agreement=""),
                name="capa_output_agreed_before_release",
            ),
            models.CheckConstraint(
                condition=~Q(status="released", disposition="rework")
                | (~Q(result="") & Q(verified_by__isnull=False)),
                name="capa_output_verified_again",
            ),
            models.CheckConstraint(
                condition=Q(verified_by__isnull=True)
                | Q(reworked_by__isnull=True)
                | ~Q(verified_by=F("reworked_by")),
                name="capa_output_reworker_does_not_verify",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.what}"

    def get_absolute_url(self) -> str:
        return reverse("capa:output_detail", args=[self.pk])

    @property
    def title(self) -> str:
        return self.what

    @property
    def is_released(self) -> bool:
        """What was found is on record from its first moment."""
        return True

    @property
    def is_settled(self) -> bool:
        return self.status in self.SETTLED

    @property
    def amount(self) -> str:
        """The quantity with its unit, without idle zeros: 12 pieces, 0.5 kg."""
        return f"{self.quantity.normalize():f} {self.unit}"
