"""Gap assessments: where the organisation stands against each clause, and why (ISO 9001 4.4, 9.1).

An assessment has one answer for each clause of its edition that can be assessed. It says how many
clauses are met and never how many percent: a share of clauses is no measure of a quality system.
"""

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from qms.clauses import EDITION_CHOICES, Clause, ClauseField, ClauseRef, clause
from qms.records import Numbered, Record, RecordQuerySet, StatefulRecord


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


class AssessmentQuerySet(RecordQuerySet):
    def completed(self) -> Self:
        return self.filter(status=Assessment.Status.COMPLETED)

    def latest_completed(self, edition: str | None = None) -> "Assessment | None":
        """The newest completed assessment, of one edition or of any."""
        rows = self.completed().order_by("-completed_on", "-pk")
        return (rows.filter(edition=edition) if edition else rows).first()


class Assessment(Numbered, StatefulRecord):
    """A look at every clause of one edition."""

    class Status(models.TextChoices):
        IN_PROGRESS = "in_progress", "In progress"
        COMPLETED = "completed", "Completed"
        VOID = "void", "Void"

    SERIES = "GAP"
    STATE_TONES = {"completed": "fine", "void": "void"}
    PATHS = {("in_progress", "completed"), ("in_progress", "void")}
    FROZEN = {"title", "edition"}
    FROZEN_IN = {"completed", "void"}

    title = models.CharField("title", max_length=160)
    edition = models.CharField("edition", max_length=4, choices=EDITION_CHOICES, default="2026")
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
        return reverse("gap:assessment_detail", args=[self.pk])

    def former(self) -> "Assessment | None":
        """The completed assessment before this one; of the same edition where there is one."""
        before = Assessment.objects.filter(pk__lt=self.pk)
        return before.latest_completed(self.edition) or before.latest_completed()


class GapAnswerQuerySet(RecordQuerySet):
    def gaps(self) -> Self:
        """Answers that say something is missing."""
        return self.filter(judgement__in=GapAnswer.GAPS)

    def judged(self) -> Self:
        return self.exclude(judgement=GapAnswer.Judgement.OPEN)


class GapAnswer(Record):
    """What was found for one clause: the judgement, what shows it, and what is missing."""

    class Judgement(models.TextChoices):
        OPEN = "open", "Not assessed"
        MET = "met", "Met"
        PARTLY = "partly", "Partly met"
        NOT_MET = "not_met", "Not met"
        NOT_APPLICABLE = "not_applicable", "Not applicable"

    GAPS = ("partly", "not_met")
    TONES = {"met": "fine", "partly": "soon", "not_met": "late", "not_applicable": "info"}

    assessment = models.ForeignKey(Assessment, models.PROTECT, related_name="answers")
    clause = ClauseField("clause", editable=False)
    judgement = models.CharField(
        "judgement", max_length=14, choices=Judgement, default=Judgement.OPEN
    )
    evidence = models.TextField("what shows it", blank=True)
    note = models.TextField("what is missing, or why it does not apply", blank=True)
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
                condition=~Q(judgement__in=["partly", "not_met", "not_applicable"]) | ~Q(note=""),
                name="gap_what_is_not_met_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(judgement="met") | ~Q(evidence=""), name="gap_met_shows_evidence"
            ),
            models.CheckConstraint(
                condition=Q(judgement="open")
                | Q(answered_by__isnull=False, answered_on__isnull=False),
                name="gap_judged_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"Gap at {self.ref}"

    def get_absolute_url(self) -> str:
        return reverse("gap:answer_edit", args=[self.pk])

    @property
    def ref(self) -> ClauseRef:
        return ClauseRef.parse(self.clause)

    @property
    def about(self) -> Clause:
        """The clause in our own words."""
        return clause(self.ref)

    @property
    def is_gap(self) -> bool:
        return self.judgement in self.GAPS

    @property
    def tone(self) -> str:
        return self.TONES.get(self.judgement, "")
