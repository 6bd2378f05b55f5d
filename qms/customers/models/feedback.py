"""What customers say without being asked: praise, wishes, complaints (9.1.2, 8.2.1)."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from qms.addresses import page_of
from qms.customers.models.customers import Customer
from qms.records import Numbered, RecordQuerySet, StatefulRecord


class FeedbackQuerySet(RecordQuerySet):
    def standing(self) -> Self:
        """Not taken back."""
        return self.exclude(status=Feedback.Status.VOID)

    def complaints(self) -> Self:
        return self.standing().filter(kind=Feedback.Kind.COMPLAINT)


class Feedback(Numbered, StatefulRecord):
    """What somebody heard a customer say: when, how it came, about what, and what follows."""

    class Status(models.TextChoices):
        HEARD = "heard", "Written down"
        ANSWERED = "answered", "Answered"
        VOID = "void", "Void"

    class Kind(models.TextChoices):
        COMPLAINT = "complaint", "Complaint"
        WISH = "wish", "Wish"
        PRAISE = "praise", "Praise"
        NEUTRAL = "neutral", "Neutral"

    class CameBy(models.TextChoices):
        PHONE = "phone", "Telephone"
        VISIT = "visit", "Visit or talk"
        MAIL = "mail", "E-mail or letter"
        REVIEW = "review", "Public review"
        SURVEY = "survey", "Answer to a survey"
        OTHER = "other", "Another way"

    SERIES = "FB"
    DIGITS = 4
    KIND_TONES = {"complaint": "late", "wish": "info", "praise": "fine", "neutral": ""}
    STATE_TONES = {"answered": "fine", "void": "void"}
    PATHS = {("heard", "answered"), ("heard", "void"), ("answered", "void")}
    FROZEN = {"customer", "said_by", "heard_on", "kind", "came_by", "about", "words"}
    FROZEN_IN = {"heard", "answered", "void"}
    TAKES_PROOF_IN = {"heard", "answered"}

    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="feedback"
    )
    said_by = models.CharField(
        "or who said it",
        max_length=120,
        blank=True,
        help_text="Where they are in no register: a desk or a firm rather than a person.",
    )
    heard_on = models.DateField("heard on")
    kind = models.CharField("kind", max_length=10, choices=Kind)
    came_by = models.CharField("how it came", max_length=8, choices=CameBy)
    about = models.CharField("product or service", max_length=120, blank=True)
    words = models.TextField("what they said", max_length=5000)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name="taken by",
        editable=False,
    )
    follows = models.TextField("what follows", blank=True, editable=False)
    status = models.CharField(
        max_length=10, choices=Status, default=Status.HEARD, editable=False, db_index=True
    )

    objects = FeedbackQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "feedback"
        verbose_name_plural = "feedback"
        indexes = [
            models.Index(fields=["kind", "-heard_on"], name="customers_feedback_kind"),
            models.Index(fields=["customer", "-heard_on"], name="customers_feedback_newest"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(words=""), name="customers_feedback_says_something"
            ),
            models.CheckConstraint(
                condition=~Q(status="answered") | ~Q(follows=""),
                name="customers_feedback_answered_in_words",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("customers:feedback_detail", self.pk)

    @property
    def is_released(self) -> bool:
        return True

    @property
    def title(self) -> str:
        """Its first words, in a line."""
        line = " ".join(self.words.split())
        return line if len(line) <= 80 else f"{line[:79]}…"

    @property
    def from_whom(self) -> str:
        return self.customer.name if self.customer else self.said_by or "–"

    @property
    def kind_tone(self) -> str:
        return self.KIND_TONES.get(self.kind, "")

    @property
    def is_settled(self) -> bool:
        return self.status != self.Status.HEARD
