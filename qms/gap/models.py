"""Gap assessments: where the organisation stands against each clause, and why (ISO 9001 4.4, 9.1).

An assessment has one answer for each clause of its edition that can be assessed. It says how many
clauses are in place and never how many percent: a share of clauses is no measure of a quality
system. A delta assessment looks at a later edition with an earlier assessment in hand.
"""

from decimal import Decimal
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from qms.addresses import page_of
from qms.clauses import EDITION_CHOICES, Clause, ClauseField, ClauseRef, Mapped, clause, mapping_of
from qms.links import Link
from qms.records import Numbered, Record, RecordQuerySet, StatefulRecord

LEAST_DAYS, MOST_DAYS = Decimal("0.5"), Decimal(5)


class FrozenWithAssessment(pgtrigger.Trigger):
    """Answers change only while their assessment is in progress; its row is locked for it."""

    when = pgtrigger.Before
    operation = pgtrigger.Insert | pgtrigger.Update

    def get_declare(self, model: Any) -> list[tuple[str, str]]:
        return [("state", "text")]

    def get_func(self, model: Any) -> str:
        return """
            SELECT a."status" INTO state FROM "gap_assessment" AS a
             WHERE a."id" = NEW."assessment_id" FOR SHARE;
            IF state <> 'in_progress' THEN
                RAISE EXCEPTION 'An answer stays as its assessment, which is %.', state
                  USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        """


class FrozenWithAnswer(FrozenWithAssessment):
    """What an answer points to changes only while the assessment is in progress."""

    def get_func(self, model: Any) -> str:
        return """
            SELECT a."status" INTO state FROM "gap_assessment" AS a
              JOIN "gap_gapanswer" AS g ON g."assessment_id" = a."id"
             WHERE g."id" = NEW."answer_id" FOR SHARE OF a;
            IF state <> 'in_progress' THEN
                RAISE EXCEPTION 'Evidence stays as its assessment, which is %.', state
                  USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        """


class AssessmentQuerySet(RecordQuerySet):
    def completed(self) -> Self:
        return self.filter(status=Assessment.Status.COMPLETED)

    def latest_completed(self, edition: str | None = None) -> "Assessment | None":
        """The newest completed assessment, of one edition or of any."""
        rows = self.completed().order_by("-completed_on", "-pk")
        return (rows.filter(edition=edition) if edition else rows).first()


class Assessment(Numbered, StatefulRecord):
    """A look at every clause of one edition; a delta one begins from an earlier assessment."""

    class Status(models.TextChoices):
        IN_PROGRESS = "in_progress", "In progress"
        COMPLETED = "completed", "Completed"
        VOID = "void", "Void"

    SERIES = "GAP"
    STATE_TONES = {"completed": "fine", "void": "void"}
    PATHS = {("in_progress", "completed"), ("in_progress", "void")}
    FROZEN = {"title", "edition", "delta_from"}
    FROZEN_IN = {"completed", "void"}

    title = models.CharField("title", max_length=160)
    edition = models.CharField("edition", max_length=4, choices=EDITION_CHOICES, default="2026")
    delta_from = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="deltas",
        editable=False,
        verbose_name="begins from",
    )
    status = models.CharField(
        max_length=12, choices=Status, default=Status.IN_PROGRESS, editable=False
    )
    completed_on = models.DateField("completed on", null=True, editable=False)

    objects = AssessmentQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "gap assessment"
        constraints = [
            models.UniqueConstraint(
                fields=["edition"],
                condition=Q(status="in_progress"),
                name="gap_one_in_progress_for_each_edition",
            ),
            models.CheckConstraint(
                condition=~Q(status="completed") | Q(completed_on__isnull=False),
                name="gap_completed_on_a_day",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return page_of("gap:assessment_detail", self.pk)

    def former(self) -> "Assessment | None":
        """What it began from; else the completed one before it, of the same edition if any."""
        if self.delta_from:
            return self.delta_from
        before = Assessment.objects.filter(pk__lt=self.pk)
        return before.latest_completed(self.edition) or before.latest_completed()


class GapAnswerQuerySet(RecordQuerySet):
    def gaps(self) -> Self:
        """Answers that say something is missing."""
        return self.filter(rating__in=GapAnswer.GAPS)

    def rated(self) -> Self:
        return self.exclude(rating=GapAnswer.Rating.OPEN)


class GapAnswer(Record):
    """What was found for one clause: the rating, what shows it, and what is missing.

    In a delta assessment `earlier` is the answer to the clause it comes from, and `taken_over`
    says that it stands as it was given then.
    """

    class Rating(models.TextChoices):
        OPEN = "open", "Not assessed"
        NOT_STARTED = "not_started", "Not started"
        PARTLY = "partly", "Partly"
        LARGELY = "largely", "Largely"
        IN_PLACE = "in_place", "In place"
        NOT_APPLICABLE = "not_applicable", "Not applicable"

    GAPS = ("not_started", "partly", "largely")
    TONES = {
        "not_started": "late",
        "partly": "soon",
        "largely": "info",
        "in_place": "fine",
    }

    assessment = models.ForeignKey(Assessment, models.PROTECT, related_name="answers")
    clause = ClauseField("clause", editable=False)
    rating = models.CharField("rating", max_length=14, choices=Rating, default=Rating.OPEN)
    evidence = models.TextField("what shows it", blank=True)
    linked = models.PositiveSmallIntegerField("linked records", default=0, editable=False)
    note = models.TextField("what is missing, or why it does not apply", blank=True)
    copy_checked = models.BooleanField("checked in our own copy of the standard", default=False)
    assessor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name="assessor",
    )
    earlier = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    taken_over = models.BooleanField("taken over", default=False, editable=False)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    answered_on = models.DateField("answered on", null=True, editable=False)

    objects = GapAnswerQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "gap answer"
        triggers = [*Record.Meta.triggers, FrozenWithAssessment(name="frozen_with_assessment")]
        constraints = [
            models.UniqueConstraint(
                fields=["assessment", "clause"], name="gap_one_answer_a_clause"
            ),
            models.CheckConstraint(
                condition=~Q(rating__in=["not_started", "partly", "largely", "not_applicable"])
                | ~Q(note=""),
                name="gap_what_is_missing_is_said",
            ),
            models.CheckConstraint(
                condition=~Q(rating="in_place") | ~Q(evidence="") | Q(linked__gt=0),
                name="gap_in_place_shows_evidence",
            ),
            models.CheckConstraint(
                condition=Q(rating="open")
                | Q(answered_by__isnull=False, answered_on__isnull=False),
                name="gap_rated_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(taken_over=False) | (Q(earlier__isnull=False) & ~Q(rating="open")),
                name="gap_taken_over_from_an_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"Gap at {self.ref}"

    def get_absolute_url(self) -> str:
        return page_of("gap:answer_edit", self.pk)

    @property
    def ref(self) -> ClauseRef:
        return ClauseRef.parse(self.clause)

    @property
    def about(self) -> Clause:
        """The clause in our own words."""
        return clause(self.ref)

    @property
    def mapped(self) -> Mapped:
        """Where the clause is found in the other edition, and how much changed."""
        return mapping_of(self.ref)

    @property
    def is_gap(self) -> bool:
        return self.rating in self.GAPS

    @property
    def tone(self) -> str:
        return self.TONES.get(self.rating, "")


class EvidenceLink(Link):
    """That a record shows how a clause is met: a document, a process, an audit, anything kept."""

    answer = models.ForeignKey(GapAnswer, models.PROTECT, related_name="evidence_links")
    record_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    record_id = models.PositiveBigIntegerField()
    record = GenericForeignKey("record_type", "record_id")

    class Meta(Link.Meta):
        verbose_name = "evidence of an answer"
        triggers = [*Link.Meta.triggers, FrozenWithAnswer(name="frozen_with_answer")]
        constraints = [
            models.UniqueConstraint(
                fields=["answer", "record_type", "record_id"], name="gap_evidence_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.record_type.name} {self.record_id} for {self.answer}"


class Capacity(Record):
    """How many days a week a person has for the roadmap; one row a person."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False
    )
    days_a_week = models.DecimalField(
        "days a week",
        max_digits=2,
        decimal_places=1,
        validators=[MinValueValidator(LEAST_DAYS), MaxValueValidator(MOST_DAYS)],
    )

    class Meta(Record.Meta):
        verbose_name = "capacity"
        verbose_name_plural = "capacities"
        constraints = [
            models.UniqueConstraint(fields=["person"], name="gap_one_capacity_a_person"),
            models.CheckConstraint(
                condition=Q(days_a_week__range=(LEAST_DAYS, MOST_DAYS)),
                name="gap_capacity_is_days_of_a_week",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.days_a_week} days a week"
