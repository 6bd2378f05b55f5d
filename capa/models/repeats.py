"""Cases by their words, and that the cause of one came again in another (ISO 9001 10.2.1 b)."""

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from capa.models.nonconformities import Nonconformity
from qms.records import RecordQuerySet, StatefulRecord


class CaseWords(models.Model):
    """The stems of a case: of what was told, and of its cause.

    Derived from the case at the version named, with every save of it.
    """

    nonconformity = models.OneToOneField(
        Nonconformity, models.PROTECT, primary_key=True, related_name="case_words"
    )
    version = models.PositiveIntegerField()
    told = SearchVectorField()
    cause = SearchVectorField()
    words = models.GeneratedField(
        expression=models.Func(template="(told || cause)", output_field=SearchVectorField()),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = "words of a case"
        verbose_name_plural = "words of cases"
        default_permissions = ()
        indexes = [GinIndex(fields=["words"], name="capa_case_words")]

    def __str__(self) -> str:
        return f"{self.nonconformity_id}"


class RepeatQuerySet(RecordQuerySet):
    def open(self) -> Self:
        """Nobody has said yet whether it is the same cause."""
        return self.filter(status=Repeat.Status.FOUND)

    def counted(self) -> Self:
        """What is a repeat, or taken for one until somebody says no."""
        return self.exclude(status=Repeat.Status.DISMISSED)

    def visible_to(self, person: Any) -> Self:
        """It tells of two cases, so it is for who may see both."""
        rows = super().visible_to(person)
        seen = Nonconformity.objects.visible_to(person).values("pk")
        return rows.filter(nonconformity__in=seen, earlier__in=seen)


class Repeat(StatefulRecord):
    """That the cause of an earlier case came again: found by comparison, decided by somebody."""

    class Status(models.TextChoices):
        FOUND = "found", "To decide"
        CONFIRMED = "confirmed", "The same cause"
        NOTED = "noted", "The same cause, noted"
        DISMISSED = "dismissed", "Another cause"

    STATE_TONES = {"found": "late", "confirmed": "late", "noted": "soon", "dismissed": "void"}
    PATHS = {("found", "confirmed"), ("found", "dismissed"), ("confirmed", "noted")}
    FROZEN = {"nonconformity", "earlier", "likeness", "in_common"}
    FROZEN_IN = {"confirmed", "noted", "dismissed"}

    nonconformity = models.ForeignKey(
        Nonconformity, models.PROTECT, related_name="repeats", editable=False
    )
    earlier = models.ForeignKey(
        Nonconformity, models.PROTECT, related_name="repeated_by", editable=False
    )
    likeness = models.DecimalField("likeness", max_digits=4, decimal_places=2, editable=False)
    in_common = models.CharField("what both have in common", max_length=300, editable=False)
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name="who is told",
    )
    follows = models.TextField("what follows from it", blank=True, editable=False)
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    due = models.DateField("due", editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.FOUND, editable=False)

    objects = RepeatQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "repeat"
        constraints = [
            models.UniqueConstraint(
                fields=["nonconformity", "earlier"], name="capa_repeat_found_once"
            ),
            models.CheckConstraint(
                condition=~Q(status="noted") | (Q(noted_by__isnull=False) & ~Q(follows="")),
                name="capa_repeat_noted_in_words",
            ),
            models.CheckConstraint(
                condition=Q(nonconformity__gt=F("earlier")), name="capa_repeat_of_an_earlier_case"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.nonconformity.number} repeats {self.earlier.number}"

    def get_absolute_url(self) -> str:
        return reverse("capa:repeat_detail", args=[self.pk])

    @property
    def is_settled(self) -> bool:
        return self.status in (self.Status.NOTED, self.Status.DISMISSED)
