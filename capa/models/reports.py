"""What anybody reports, before somebody said what it is: one screen, sorted by one click."""

from typing import Any, Self

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.urls import reverse

from capa.models.nonconformities import Nonconformity
from qms.records import Numbered, RecordQuerySet, StatefulRecord


class ReportQuerySet(RecordQuerySet):
    def open(self) -> Self:
        """Nobody has sorted them yet."""
        return self.filter(status=Report.Status.OPEN)

    def visible_to(self, person: Any) -> Self:
        """One's own, and of the cases one answers; all of them for whoever sorts them."""
        if not (person.is_authenticated and person.has_perm("capa.view_report")):
            return self.none()
        if person.has_perm("capa.sort_report"):
            return self
        kind = ContentType.objects.get_for_model(Nonconformity)
        answered = Nonconformity.objects.filter(owner=person).values("pk")
        return self.filter(Q(created_by=person) | Q(became_type=kind, became_id__in=answered))


class Report(Numbered, StatefulRecord):
    """What somebody saw or was told, where; it becomes a case, or is answered in a sentence."""

    class Status(models.TextChoices):
        OPEN = "open", "To sort"
        SORTED = "sorted", "Taken up"
        ANSWERED = "answered", "Answered"

    class Kind(models.TextChoices):
        NONCONFORMITY = "nonconformity", "Nonconformity"
        COMPLAINT = "complaint", "Complaint"
        OUTPUT = "output", "Nonconforming output"
        SUPPLIER = "supplier", "Supplier issue"
        INCIDENT = "incident", "Incident"
        IDEA = "idea", "Idea"

    class CameBy(models.TextChoices):
        PAGE = "page", "On the page"
        MAIL = "mail", "By e-mail"

    SERIES = "RP"
    STATE_TONES = {"open": "soon", "sorted": "fine"}
    PATHS = {("open", "sorted"), ("open", "answered")}
    FROZEN = {
        "title",
        "evidence",
        "place",
        "process",
        "site",
        "detected_on",
        "came_by",
        "sender",
        "mail_key",
    }
    FROZEN_IN = {"open", "sorted", "answered"}
    TAKES_PROOF_IN = {"open", "sorted"}

    title = models.CharField("what happened, in a line", max_length=200, blank=True)
    evidence = models.TextField(
        "more about it",
        blank=True,
        max_length=10_000,
        help_text="What you saw or were told. A mail may be pasted here.",
    )
    place = models.CharField("where", max_length=120, blank=True)
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="process, if you know it",
    )
    site = models.ForeignKey(
        "scope.Site", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="site"
    )
    detected_on = models.DateField("when")
    came_by = models.CharField(
        "how it came", max_length=4, choices=CameBy, default=CameBy.PAGE, editable=False
    )
    sender = models.CharField("who wrote, from outside", max_length=400, blank=True, editable=False)
    # What names the mail it came by for good, so that none is taken up twice.
    mail_key = models.CharField(max_length=64, blank=True, editable=False)
    status = models.CharField(
        max_length=10, choices=Status, default=Status.OPEN, editable=False, db_index=True
    )
    due = models.DateField("due", null=True, editable=False)
    kind = models.CharField("what it is", max_length=14, choices=Kind, blank=True, editable=False)
    became_type = models.ForeignKey(
        ContentType, models.PROTECT, null=True, related_name="+", editable=False
    )
    became_id = models.PositiveBigIntegerField(null=True, editable=False)
    became = GenericForeignKey("became_type", "became_id")
    answer = models.TextField("the answer", blank=True, editable=False)
    sorted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    sorted_on = models.DateField(null=True, editable=False)

    objects = ReportQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "report"
        indexes = [models.Index(fields=["became_type", "became_id"], name="capa_report_became")]
        constraints = [
            models.UniqueConstraint(
                fields=["mail_key"], condition=~Q(mail_key=""), name="capa_report_a_mail_once"
            ),
            models.CheckConstraint(condition=~Q(title=""), name="capa_report_says_something"),
            models.CheckConstraint(
                condition=~Q(status="sorted")
                | (~Q(kind="") & Q(became_type__isnull=False, became_id__isnull=False)),
                name="capa_report_became_something",
            ),
            models.CheckConstraint(
                condition=~Q(status="answered") | ~Q(answer=""),
                name="capa_report_answered_in_words",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("capa:report_detail", args=[self.pk])

    @property
    def is_released(self) -> bool:
        """What was reported stays as it was reported."""
        return True

    @property
    def is_settled(self) -> bool:
        return self.status != self.Status.OPEN
