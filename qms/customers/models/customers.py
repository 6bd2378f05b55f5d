"""Customers, what they need of us in particular, and how satisfied they were (8.2, 9.1.2).

Of the people who work there nothing is kept but a desk: what stands in a record stays in its
history.
"""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from qms.addresses import page_of
from qms.records import Numbered, RecordQuerySet, StatefulRecord
from qms.recurring import Recurring, RecurringQuerySet


class Verdict(models.TextChoices):
    SATISFIED = "satisfied", "Satisfied"
    PARTLY = "partly", "Partly satisfied"
    NOT = "not", "Not satisfied"


VERDICT_TONES = {"satisfied": "fine", "partly": "soon", "not": "late"}


class CustomerQuerySet(RecurringQuerySet):
    def open(self) -> Self:
        """Whoever we deliver to."""
        return self.filter(status=Customer.Status.ACTIVE)

    def known_as(self, words: str) -> Self:
        """Customers with these words in number, name or what they buy."""
        return self.filter(
            Q(number__icontains=words) | Q(name__icontains=words) | Q(buys__icontains=words)
        )


class Customer(Recurring, Numbered, StatefulRecord):
    """Somebody we deliver to: what they buy, what they ask for in particular, who answers."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        FORMER = "former", "Former"

    SERIES = "CU"
    DIGITS = 4
    FIRST_DAYS = 180
    STATE_TONES = {"active": "fine", "former": "void"}
    PATHS = {("active", "former"), ("former", "active")}
    FROZEN = {"name", "buys", "special", "owner", "every_months"}
    FROZEN_IN = {"former"}

    name = models.CharField("name", max_length=120)
    buys = models.TextField("products and services", max_length=2000)
    special = models.TextField(
        "special requirements",
        blank=True,
        max_length=5000,
        help_text="What they ask for beyond the usual: marking, certificates, notice of changes.",
    )
    contact = models.CharField(
        "contact there",
        max_length=120,
        blank=True,
        help_text="A desk rather than a person: what is written here stays in the history.",
    )
    email = models.EmailField(
        "mail address for surveys",
        blank=True,
        help_text="A desk's, such as quality@…: what is written here stays in the history.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="owner"
    )
    status = models.CharField(
        max_length=8, choices=Status, default=Status.ACTIVE, editable=False, db_index=True
    )
    verdict = models.CharField(
        "last verdict", max_length=10, choices=Verdict, blank=True, editable=False
    )

    objects = CustomerQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "customer"
        indexes = [models.Index(fields=["status", "next_due"], name="customers_due")]
        constraints = [Recurring.interval_constraint("customers_interval_is_some_months")]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    def get_absolute_url(self) -> str:
        return page_of("customers:customer_detail", self.pk)

    @property
    def title(self) -> str:
        return self.name

    @property
    def is_released(self) -> bool:
        return True

    @property
    def is_settled(self) -> bool:
        return self.status == self.Status.FORMER

    @property
    def verdict_tone(self) -> str:
        return VERDICT_TONES.get(self.verdict, "")


class SatisfactionQuerySet(RecordQuerySet):
    def standing(self) -> Self:
        """Not taken back."""
        return self.filter(status=SatisfactionReview.Status.RECORDED)

    def newest_first(self) -> Self:
        return self.order_by("-reviewed_on", "-pk")


class SatisfactionReview(Numbered, StatefulRecord):
    """How satisfied a customer was found on a day, from what, and what follows."""

    class Status(models.TextChoices):
        RECORDED = "recorded", "Recorded"
        VOID = "void", "Void"

    class Source(models.TextChoices):
        TALK = "talk", "Talk or visit"
        SURVEY = "survey", "Survey"
        FIGURES = "figures", "Figures: complaints, delivery, orders"
        RATING = "rating", "Their own rating of us"

    SERIES = "CSR"
    STATE_TONES = {"void": "void"}
    PATHS = {("recorded", "void")}
    FROZEN = {"customer", "reviewed_on", "source", "verdict", "heard", "follows", "next_due"}
    FROZEN_IN = {"recorded", "void"}
    TAKES_PROOF_IN = {"recorded"}

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="reviews")
    reviewed_on = models.DateField("asked on")
    source = models.CharField("how we know", max_length=8, choices=Source, default=Source.TALK)
    verdict = models.CharField("verdict", max_length=10, choices=Verdict)
    heard = models.TextField("what was heard", max_length=5000)
    follows = models.TextField("what follows", blank=True, max_length=5000)
    next_due = models.DateField("next one due")
    status = models.CharField(
        max_length=10, choices=Status, default=Status.RECORDED, editable=False
    )

    objects = SatisfactionQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "satisfaction review"
        indexes = [models.Index(fields=["customer", "-reviewed_on"], name="customers_newest")]
        constraints = [
            models.CheckConstraint(condition=~Q(heard=""), name="customers_review_says_something"),
            models.CheckConstraint(
                condition=~Q(verdict="not") | ~Q(follows=""),
                name="customers_dissatisfied_has_a_follow_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.customer.name}"

    def get_absolute_url(self) -> str:
        return page_of("customers:review_detail", self.pk)

    @property
    def verdict_tone(self) -> str:
        return VERDICT_TONES.get(self.verdict, "")

    @property
    def is_void(self) -> bool:
        return self.status == self.Status.VOID
