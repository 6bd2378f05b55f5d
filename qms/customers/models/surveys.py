"""Surveys among customers: what is asked, of whom, and what they answered (9.1.2).

An answer is written once and never changed. The link of an invitation stands nowhere: it follows
from a random number kept here and the program's own secret, and only its digest is looked up.
"""

import hashlib
import secrets
from datetime import date
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Count, F, Q
from django.urls import reverse
from django.utils.crypto import salted_hmac

from qms.addresses import page_of
from qms.customers.models.customers import Customer
from qms.links import Link, LinkQuerySet
from qms.records import Numbered, Record, RecordQuerySet, StatefulRecord

MOST_QUESTIONS = 5
LONGEST_QUESTION = 200


def digest_of(token: str) -> str:
    """What an invitation is looked up by: how long the look takes says nothing of the token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _seed() -> str:
    return secrets.token_hex(16)


class SurveyQuerySet(RecordQuerySet):
    def counting_answers(self) -> Self:
        """With how many were asked and how many answered on board (`asked`, `answered`)."""
        sent = Q(invitations__ended=False, invitations__sent_on__isnull=False)
        return self.annotate(
            asked=Count("invitations", filter=sent, distinct=True),
            answered=Count("answers", distinct=True),
        )


class Survey(Numbered, StatefulRecord):
    """What some customers are asked by a mailed link, about what, and until when."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"
        VOID = "void", "Void"

    SERIES = "CS"
    STATE_TONES = {"open": "info", "closed": "fine", "void": "void"}
    PATHS = {
        ("draft", "open"),
        ("open", "open"),
        ("open", "closed"),
        ("draft", "void"),
        ("open", "void"),
    }
    FROZEN = {"title", "about", "greeting", "asks_satisfaction", "asks_recommendation", "questions"}
    FROZEN_IN = {"open", "closed", "void"}

    title = models.CharField("title", max_length=120)
    about = models.CharField(
        "product or service asked about",
        max_length=120,
        blank=True,
        help_text="Empty: everything. Surveys about the same are compared with each other.",
    )
    greeting = models.TextField(
        "what they read first",
        max_length=1000,
        blank=True,
        help_text="Empty: why we ask, in a sentence.",
    )
    asks_satisfaction = models.BooleanField("ask how satisfied they are (1 to 5)", default=True)
    asks_recommendation = models.BooleanField(
        "ask whether they would recommend us (0 to 10)", default=True
    )
    questions = models.TextField(
        "free questions",
        max_length=1200,
        blank=True,
        help_text="One a line, at most five.",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="owner"
    )
    closes_on = models.DateField("open until")
    status = models.CharField(
        max_length=8, choices=Status, default=Status.DRAFT, editable=False, db_index=True
    )
    opened_on = models.DateField("opened on", null=True, editable=False)
    reminded_on = models.DateField("reminded on", null=True, editable=False)
    closed_on = models.DateField("closed on", null=True, editable=False)

    objects = SurveyQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "survey"
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["open", "closed"]) | Q(opened_on__isnull=False),
                name="customers_survey_opened_on_a_day",
            ),
            models.CheckConstraint(
                condition=Q(opened_on__isnull=True) | Q(closes_on__gte=F("opened_on")),
                name="customers_survey_has_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("customers:survey_detail", self.pk)

    @property
    def is_settled(self) -> bool:
        return self.status in (self.Status.CLOSED, self.Status.VOID)

    @property
    def asked_freely(self) -> list[str]:
        """The free questions, in their order."""
        return [line.strip() for line in self.questions.splitlines() if line.strip()]

    def takes_answers_on(self, day: date) -> bool:
        return self.status == self.Status.OPEN and day <= self.closes_on


class SurveyInvitation(Link):
    """That a customer is asked in a survey, by a link of their own that is used once."""

    UNTOLD = ("seed", "digest")

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="invitations")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invitations")
    address = models.EmailField("sent to", blank=True, editable=False)
    seed = models.CharField(max_length=32, default=_seed, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    sent_on = models.DateField("sent on", null=True, editable=False)

    objects = LinkQuerySet.as_manager()

    class Meta(Link.Meta):
        verbose_name = "invitation to a survey"
        verbose_name_plural = "invitations to surveys"
        constraints = [
            models.UniqueConstraint(fields=["survey", "customer"], name="customers_asked_once")
        ]

    def __str__(self) -> str:
        return f"{self.customer} in {self.survey}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.digest = digest_of(self.token)
        super().save(*args, **kwargs)

    @property
    def token(self) -> str:
        """What the link ends with: the same each time, and not to be found from what is stored."""
        return salted_hmac("customers.survey", self.seed, algorithm="sha256").hexdigest()[:48]


class NeverChanges(pgtrigger.Trigger):
    """What a customer said is not edited by anybody."""

    when = pgtrigger.Before
    operation = pgtrigger.Update
    func = """
        RAISE EXCEPTION 'An answer to a survey never changes; no history row would explain it.'
          USING ERRCODE = 'integrity_constraint_violation';
    """


class AnswerQuerySet(RecordQuerySet):
    def of_customer(self, customer: Any) -> Self:
        return self.filter(invitation__customer=customer)


class SurveyAnswer(Record):
    """What a customer answered; it never changes."""

    TOP_BOXES = (4, 5)
    PROMOTERS, DETRACTORS = (9, 10), tuple(range(7))

    survey = models.ForeignKey(Survey, models.PROTECT, related_name="answers", editable=False)
    invitation = models.OneToOneField(
        SurveyInvitation, models.PROTECT, related_name="answer", editable=False
    )
    answered_on = models.DateField("answered on", editable=False)
    satisfaction = models.PositiveSmallIntegerField(
        "how satisfied, 1 to 5", null=True, editable=False, validators=[MaxValueValidator(5)]
    )
    recommendation = models.PositiveSmallIntegerField(
        "would recommend us, 0 to 10", null=True, editable=False, validators=[MaxValueValidator(10)]
    )
    words = models.JSONField("free answers", default=list, editable=False)
    comment = models.TextField("what else they said", blank=True, editable=False)

    objects = AnswerQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "answer to a survey"
        verbose_name_plural = "answers to surveys"
        triggers = [*Record.Meta.triggers, NeverChanges(name="never_changes")]
        indexes = [models.Index(fields=["answered_on"], name="customers_answered_on")]
        constraints = [
            models.CheckConstraint(
                condition=Q(satisfaction__isnull=True) | Q(satisfaction__range=(1, 5)),
                name="customers_satisfaction_1_to_5",
            ),
            models.CheckConstraint(
                condition=Q(recommendation__isnull=True) | Q(recommendation__lte=10),
                name="customers_recommendation_to_10",
            ),
        ]

    def __str__(self) -> str:
        return f"Answer of {self.invitation.customer.name} to {self.survey.number}"

    def get_absolute_url(self) -> str:
        return f"{reverse('customers:survey_detail', args=[self.survey_id])}#answers"
