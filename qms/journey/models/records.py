"""What the building of the system itself leaves behind (ISO 9001 4.1, 4.2, 5.1.1, 6.2.2).

The project with its dated plan, the opening questions, how the organisation lives the seven quality
management principles, and the briefing at which top management gave the go-ahead. How far the ten
steps are is kept nowhere: it is read from the records of every chapter.
"""

import json
from datetime import date
from decimal import Decimal
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from qms.addresses import page_of
from qms.links import Link
from qms.records import Numbered, Record, RecordQuerySet, StatefulRecord
from qms.refusals import Refused

SHORTEST, LONGEST = 6, 12  # months of a plan


class ProjectQuerySet(RecordQuerySet):
    def current(self) -> "Project | None":
        """The project of this installation; None before anybody has started."""
        return self.first()


class Project(StatefulRecord):
    """The building of the quality system: from which starter, from when, within how many months."""

    class Status(models.TextChoices):
        PREPARING = "preparing", "Being prepared"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"

    PATHS = {("preparing", "running"), ("running", "completed"), ("completed", "running")}
    STATE_TONES = {"running": "info", "completed": "fine"}
    DRAFT_STATES = ("preparing", "running")

    starter = models.CharField("starter", max_length=30, blank=True)
    starts_on = models.DateField("first day")
    months = models.PositiveSmallIntegerField(
        "months",
        default=9,
        validators=[MinValueValidator(SHORTEST), MaxValueValidator(LONGEST)],
    )
    status = models.CharField(
        max_length=10, choices=Status, default=Status.PREPARING, editable=False
    )
    only_row = models.BooleanField(default=True, editable=False, unique=True)

    objects = ProjectQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "project"
        constraints = [
            models.CheckConstraint(condition=Q(only_row=True), name="journey_one_project"),
            models.CheckConstraint(
                condition=Q(months__gte=SHORTEST, months__lte=LONGEST),
                name="journey_six_to_twelve_months",
                violation_error_message="A plan lasts from 6 to 12 months.",
            ),
        ]

    def __str__(self) -> str:
        return "Building the quality system"

    def get_absolute_url(self) -> str:
        return page_of("journey:project_detail", self.pk)

    @property
    def title(self) -> str:
        return str(self)


class PlanStep(Record):
    """One line of the project's plan; the action promised for it bears its dates.

    `share` says where in the project it ends, in thousandths of its length.
    """

    project = models.ForeignKey(Project, models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField("position")
    step = models.PositiveSmallIntegerField(
        "step of the journey", validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    share = models.PositiveSmallIntegerField("share of the length (thousandths)")

    objects = RecordQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "step of the plan"
        verbose_name_plural = "steps of the plan"
        constraints = [
            models.UniqueConstraint(fields=["project", "position"], name="journey_plan_in_order"),
            models.CheckConstraint(
                condition=Q(step__gte=1, step__lte=10), name="journey_plan_has_ten_steps"
            ),
            models.CheckConstraint(
                condition=Q(share__gte=1, share__lte=1000), name="journey_plan_within_its_length"
            ),
        ]

    def __str__(self) -> str:
        return f"Step {self.step} of the plan"

    def get_absolute_url(self) -> str:
        return page_of("journey:project_detail", self.project_id)


class OpeningAnswer(Record):
    """The answer to one of the opening questions, one thing a line; asked once, used everywhere."""

    question = models.CharField("question", max_length=20, unique=True, editable=False)
    text = models.TextField("answer", max_length=6000)

    objects = RecordQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "opening answer"

    def __str__(self) -> str:
        return f"Opening answer: {self.question}"

    def get_absolute_url(self) -> str:
        return reverse("journey:opening")

    @property
    def is_released(self) -> bool:
        return False

    @property
    def lines(self) -> list[str]:
        """What was answered, one thing each, without signs of a list."""
        return [text for line in self.text.splitlines() if (text := line.strip(" \t-*•·"))]


class PrincipleQuerySet(RecordQuerySet):
    def due(self, on: date) -> Self:
        """Answers nobody has looked at for a year."""
        return self.filter(review_on__lte=on)


class PrincipleAnswer(Record):
    """How the organisation lives one of the seven principles, looked at again every year."""

    question = models.CharField("question", max_length=40, unique=True, editable=False)
    answer = models.TextField("answer", max_length=6000)
    looked_at_on = models.DateField("looked at on", editable=False)
    looked_at_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False
    )
    review_on = models.DateField("look at it again on", editable=False)

    objects = PrincipleQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "answer to a principle"
        verbose_name_plural = "answers to the principles"
        constraints = [
            models.CheckConstraint(
                condition=Q(review_on__gt=models.F("looked_at_on")),
                name="journey_principle_looked_at_again",
            )
        ]

    def __str__(self) -> str:
        return f"Principle: {self.question.replace('-', ' ').replace('.', ', question ')}"

    @property
    def title(self) -> str:
        """What stands in somebody's work: one line for the whole principle."""
        return f"How we live: {self.question.partition('.')[0].replace('-', ' ')}"

    def get_absolute_url(self) -> str:
        return reverse("journey:principle", args=[self.question.partition(".")[0]])


class FrozenWithBriefing(pgtrigger.Trigger):
    """Who attended changes only while the briefing is a draft; its row is locked for it."""

    when = pgtrigger.Before
    operation = pgtrigger.Insert | pgtrigger.Update

    def get_declare(self, model: Any) -> list[tuple[str, str]]:
        return [("state", "text")]

    def get_func(self, model: Any) -> str:
        return """
            SELECT b."status" INTO state FROM "journey_briefing" AS b
             WHERE b."id" = NEW."briefing_id" FOR SHARE;
            IF state <> 'draft' THEN
                RAISE EXCEPTION 'Who attended stays as the briefing, which is %.', state
                  USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        """


class BriefingQuerySet(RecordQuerySet):
    def signed(self) -> Self:
        return self.filter(status=Briefing.Status.SIGNED)

    def go_ahead(self) -> Self:
        """Signed briefings at which top management let the work begin."""
        return self.signed().exclude(decision=Briefing.Decision.NOT_YET)


class Briefing(Numbered, StatefulRecord):
    """What top management was told about the project, and what it decided and gave (5.1.1)."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SIGNED = "signed", "Signed"
        VOID = "void", "Void"

    class Decision(models.TextChoices):
        GO_AHEAD = "go_ahead", "Go ahead"
        CONDITIONAL = "conditional", "Go ahead, with conditions"
        NOT_YET = "not_yet", "Not yet"

    class Currency(models.TextChoices):
        USD = "USD", "US dollars"
        GBP = "GBP", "Pounds sterling"
        CAD = "CAD", "Canadian dollars"

    SERIES = "BRIEF"
    STATE_TONES = {"signed": "fine", "void": "void"}
    PATHS = {("draft", "signed"), ("draft", "void")}
    SIGNED_FIELDS = (
        "number",
        "held_on",
        "guests",
        "topics",
        "hours",
        "budget",
        "currency",
        "decision",
        "conditions",
    )
    FROZEN = {
        "held_on",
        "guests",
        "topics",
        "hours",
        "budget",
        "currency",
        "decision",
        "conditions",
    }
    FROZEN_IN = {"signed", "void"}

    held_on = models.DateField("held on")
    guests = models.CharField("others who were there", max_length=250, blank=True)
    topics = models.TextField("what was explained and asked", max_length=10_000)
    hours = models.PositiveIntegerField(
        "working hours granted",
        help_text="Of all people together, up to the certificate.",
        validators=[MaxValueValidator(100_000)],
    )
    budget = models.DecimalField(
        "budget granted",
        max_digits=12,
        decimal_places=2,
        help_text="For training, tools, outside help and the certification body.",
        validators=[MinValueValidator(Decimal(0))],
    )
    currency = models.CharField("currency", max_length=3, choices=Currency, default=Currency.USD)
    decision = models.CharField(
        "decision", max_length=12, choices=Decision, default=Decision.GO_AHEAD
    )
    conditions = models.TextField("conditions, or why not yet", max_length=5000, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT, editable=False)
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    signed_on = models.DateField("signed on", null=True, editable=False)

    objects = BriefingQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "briefing of top management"
        verbose_name_plural = "briefings of top management"
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="signed") | Q(signed_by__isnull=False, signed_on__isnull=False),
                name="journey_briefing_signed_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(decision="go_ahead") | ~Q(conditions=""),
                name="journey_briefing_says_its_conditions",
                violation_error_message="Say the conditions, or why it is not yet decided.",
            ),
            models.CheckConstraint(
                condition=Q(budget__gte=0), name="journey_briefing_budget_is_no_debt"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return page_of("journey:briefing_detail", self.pk)

    @property
    def title(self) -> str:
        return f"Briefing of top management on {self.held_on:%-d %B %Y}"

    def check_conditions(self) -> None:
        """Refuse a decision that is no plain yes and does not say why."""
        if self.decision != self.Decision.GO_AHEAD and not self.conditions.strip():
            raise Refused("Say the conditions, or why it is not yet decided.", field="conditions")

    def _check_change(self, stored: Self, *, transition: bool) -> None:
        super()._check_change(stored, transition=transition)
        self.check_conditions()

    def signed_content(self) -> str:
        """The briefing with everybody who attended."""
        content = json.loads(super().signed_content())
        links = self.attendee_links.filter(ended=False).order_by("person_id")
        content["attendees"] = list(links.values_list("person_id", flat=True))
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class BriefingAttendee(Link):
    """That a person was at a briefing."""

    briefing = models.ForeignKey(Briefing, models.PROTECT, related_name="attendee_links")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="briefing_links"
    )

    class Meta(Link.Meta):
        verbose_name = "attendee of a briefing"
        triggers = [*Link.Meta.triggers, FrozenWithBriefing(name="frozen_with_briefing")]
        constraints = [
            models.UniqueConstraint(fields=["briefing", "person"], name="journey_attended_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} at {self.briefing}"
