"""Management reviews: what was looked at, who was there, what was decided (ISO 9001 9.3).

The inputs are compiled from live records and then frozen with the review; the minutes are signed
by top management over exactly that content.
"""

import json
from datetime import date
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from qms.addresses import page_of
from qms.clauses import EDITION_CHOICES
from qms.links import Link
from qms.periods import Period
from qms.records import Numbered, Record, RecordQuerySet, StatefulRecord
from qms.refusals import Refused

STANDING_TONES = {
    "On track": "fine",
    "At risk": "soon",
    "Off track": "late",
    "Achieved": "fine",
    "Missed": "late",
}


class StaysWithItsReview(pgtrigger.Trigger):
    """Parts of a review stay as they were once the review has come so far.

    `sealed_in` are the review's states in which nothing is added or changed any more; `columns`
    those that change only in the review's first state (what was compiled).
    """

    when = pgtrigger.Before
    operation = pgtrigger.Insert | pgtrigger.Update
    sealed_in: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[str, ...]] = ()

    def get_declare(self, model: Any) -> list[tuple[str, str]]:
        return [("state", "text")]

    def get_func(self, model: Any) -> str:
        table = model._meta.db_table
        sealed = ", ".join(f"'{state}'" for state in self.sealed_in)
        compiled = " OR ".join(f'OLD."{c}" IS DISTINCT FROM NEW."{c}"' for c in self.columns)
        kept = f"""
            IF TG_OP = 'UPDATE' AND state <> 'planned' AND ({compiled}) THEN
                RAISE EXCEPTION 'A row of {table} keeps what was compiled.'
                  USING ERRCODE = 'integrity_constraint_violation';
            END IF;
        """
        return f"""
            SELECT status INTO state FROM reviews_review WHERE id = NEW.review_id FOR SHARE;
            IF state IN ({sealed}) THEN
                RAISE EXCEPTION 'A row of {table} stays with its review, which is %.', state
                  USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            {kept if self.columns else ""}
            RETURN NEW;
        """  # noqa: S608  (names of our own models only)


class InputStays(StaysWithItsReview):
    """What was compiled stays from then on; every input stays from the meeting on."""

    sealed_in = ("held", "closed", "void")
    columns = ("key", "title", "lines", "trend", "required", "position")


class DecisionStays(StaysWithItsReview):
    """Decisions stay once the minutes are signed."""

    sealed_in = ("closed", "void")


class ObjectiveStays(StaysWithItsReview):
    """How an objective stood stays as compiled; what was said of it stays with the minutes."""

    sealed_in = ("closed", "void")
    columns = ("objective_id", "aim", "standing", "sentence", "seen_version")


class MinutesStay(pgtrigger.Trigger):
    """Signed minutes, and a void review, stay as they are."""

    when = pgtrigger.Before
    operation = pgtrigger.Update

    def get_func(self, model: Any) -> str:
        return f"""
            IF OLD.status IN ('closed', 'void') THEN
                RAISE EXCEPTION 'A row of {model._meta.db_table} that is % stays.', OLD.status
                  USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        """


class ReviewQuerySet(RecordQuerySet):
    def held_by(self, day: date) -> Self:
        """Reviews that were held up to a day (inclusive)."""
        return self.filter(status__in=("held", "closed"), held_on__lte=day)

    def held_between(self, start: date, end: date) -> Self:
        return self.filter(status__in=("held", "closed"), held_on__range=(start, end))

    def ahead(self) -> Self:
        """Planned or prepared, and not held yet."""
        return self.filter(status__in=("planned", "compiled"))


class Review(Numbered, StatefulRecord):
    """One management review of a period: inputs, attendance, decisions, signed minutes."""

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        COMPILED = "compiled", "Inputs compiled"
        HELD = "held", "Held"
        CLOSED = "closed", "Minutes signed"
        VOID = "void", "Void"

    SERIES = "MR"
    STATE_TONES = {"compiled": "info", "held": "info", "closed": "fine", "void": "void"}
    PATHS = {
        ("planned", "compiled"),
        ("compiled", "planned"),
        ("compiled", "held"),
        ("held", "closed"),
        ("planned", "void"),
        ("compiled", "void"),
    }
    DRAFT_STATES = ("planned", "compiled")
    FROZEN = {"edition", "period_start", "period_end"}
    FROZEN_IN = {"compiled", "held", "closed", "void"}
    SIGNED_FIELDS = (
        "number",
        "title",
        "edition",
        "period_start",
        "period_end",
        "held_on",
        "place",
        "chair",
        "guests",
        "conclusions",
    )

    title = models.CharField("title", max_length=200)
    edition = models.CharField("edition", max_length=4, choices=EDITION_CHOICES, default="2026")
    period_start = models.DateField("looks back from")
    period_end = models.DateField("to")
    planned_on = models.DateField("planned for")
    place = models.CharField("place", max_length=120, blank=True)
    chair = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="chaired_reviews",
        verbose_name="chair",
        help_text="Somebody of top management.",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.PLANNED, editable=False)
    compiled_on = models.DateField("inputs compiled on", null=True, editable=False)
    held_on = models.DateField("held on", null=True, editable=False)
    guests = models.TextField("others who took part", blank=True, max_length=2000)
    conclusions = models.TextField("conclusions", blank=True, max_length=10_000)
    closed_on = models.DateField("minutes signed on", null=True, editable=False)

    objects = ReviewQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "management review"
        triggers = [*StatefulRecord.Meta.triggers, MinutesStay(name="minutes_stay")]
        indexes = [models.Index(fields=["status", "planned_on"], name="reviews_status_planned")]
        constraints = [
            models.CheckConstraint(
                condition=Q(period_end__gte=F("period_start")), name="reviews_period_has_days"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["held", "closed"])
                | (Q(held_on__isnull=False, compiled_on__isnull=False) & ~Q(conclusions="")),
                name="reviews_held_with_conclusions",
            ),
            models.CheckConstraint(
                condition=~Q(status="closed") | Q(closed_on__isnull=False),
                name="reviews_closed_on_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("reviews:review_detail", self.pk)

    def number_series(self) -> tuple[str, int | None]:
        return self.SERIES, self.planned_on.year

    @property
    def period(self) -> Period:
        """The days it looks back on."""
        return Period(self.period_start, self.period_end)

    @property
    def is_settled(self) -> bool:
        return self.status in ("closed", "void")

    def check_plan(self) -> None:
        """Refuse a period that runs backwards, and a chair from outside top management."""
        if self.period_end < self.period_start:
            raise Refused(
                "The period ends before it starts. Swap the two dates.", field="period_end"
            )
        if not self.chair.holds("top_management"):
            raise Refused(
                f"{self.chair.name} does not belong to top management, which reviews the system.",
                field="chair",
            )

    def _check_change(self, stored: Self, *, transition: bool) -> None:
        super()._check_change(stored, transition=transition)
        if not transition:
            self.check_plan()

    def signed_content(self) -> str:
        """The minutes: the review's own fields, every input, who was there, every decision."""
        content = json.loads(super().signed_content())
        content["inputs"] = [
            [i.key, i.title, i.lines, i.comment, i.comment_opportunities, i.no_change_because]
            for i in self.inputs.order_by("position")
        ]
        attended = self.attendee_links.filter(ended=False)
        content["attendees"] = [
            [link.person_id, link.as_top_management] for link in attended.order_by("person_id")
        ]
        decided = self.decisions.exclude(status="void")
        content["decisions"] = [
            [d.position, d.kind, d.text, d.action_id, d.none_because]
            for d in decided.order_by("position")
        ]
        answered = self.reviewed_objectives.exclude(answer="")
        if spoken := [
            [o.objective_id, o.aim, o.standing, o.answer, o.because]
            for o in answered.order_by("objective_id")
        ]:  # minutes signed before objectives were answered one by one have none
            content["objectives"] = spoken
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class ReviewAttendee(Link):
    """That a person took part in a review, and whether as one of top management (9.3.1)."""

    review = models.ForeignKey(Review, models.PROTECT, related_name="attendee_links")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="review_links"
    )
    as_top_management = models.BooleanField("as top management", default=False)

    class Meta(Link.Meta):
        verbose_name = "attendance at a review"
        triggers = [
            *Link.Meta.triggers,
            DecisionStays(name="stays_with_its_review"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["review", "person"], name="reviews_attendee_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} at {self.review}"


class ReviewInput(Record):
    """One input of a review: what the records say, and what people add.

    `lines` is a list of mappings with label, value, before and url, written when the review is
    compiled. `required` inputs come from the edition's list; the others are only shown.
    """

    review = models.ForeignKey(Review, models.PROTECT, related_name="inputs")
    position = models.PositiveSmallIntegerField(editable=False)
    key = models.CharField(max_length=20, editable=False)
    title = models.CharField(max_length=200, editable=False)
    trend = models.BooleanField(default=False, editable=False)
    required = models.BooleanField(default=True, editable=False)
    lines = models.JSONField(default=list, editable=False)
    comment = models.TextField("what we see in it", blank=True, max_length=10_000)
    comment_opportunities = models.TextField("and on opportunities", blank=True, max_length=10_000)
    no_change_because = models.TextField("no change, because", blank=True, max_length=5_000)

    class Meta(Record.Meta):
        verbose_name = "input of a review"
        verbose_name_plural = "inputs of reviews"
        triggers = [*Record.Meta.triggers, InputStays(name="stays_with_its_review")]
        constraints = [
            models.UniqueConstraint(fields=["review", "key"], name="reviews_input_once"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.review})"

    def get_absolute_url(self) -> str:
        return f"{reverse('reviews:review_detail', args=[self.review_id])}#input-{self.key}"

    @property
    def asks_twice(self) -> bool:
        """Whether risks and opportunities want an answer each (2026 edition, item g)."""
        return self.key == "g"

    @property
    def compiled_enough(self) -> bool:
        """Whether the records alone answer it; a trend needs a value and the one before."""
        if self.asks_twice:
            return False
        wanted = ("value", "before") if self.trend else ("value",)
        return any(all(line.get(name) for name in wanted) for line in self.lines)

    @property
    def is_answered(self) -> bool:
        """Whether it has content or an explicit reason that nothing changed."""
        if self.no_change_because.strip() or self.compiled_enough:
            return True
        if self.asks_twice:
            return bool(self.comment.strip() and self.comment_opportunities.strip())
        return bool(self.comment.strip())


class ReviewedObjective(Record):
    """An active objective at a review: how it stood, and that it is confirmed, revised or closed.

    How it stood is written when the inputs are compiled and stays; `seen_version` is the version of
    the objective that was looked at.
    """

    class Answer(models.TextChoices):
        CONFIRMED = "confirmed", "Confirmed as it is"
        REVISED = "revised", "To be revised"
        CLOSED = "closed", "To be closed"

    ANSWER_TONES: ClassVar = {"confirmed": "fine", "revised": "soon", "closed": "void"}

    review = models.ForeignKey(
        Review, models.PROTECT, related_name="reviewed_objectives", editable=False
    )
    objective = models.ForeignKey(
        "objectives.Objective", models.PROTECT, related_name="+", editable=False
    )
    aim = models.CharField("target", max_length=200, editable=False)
    standing = models.CharField("how it stood", max_length=20, editable=False)
    sentence = models.TextField("by its readings", editable=False)
    seen_version = models.PositiveIntegerField(editable=False)
    answer = models.CharField("answer", max_length=10, choices=Answer, blank=True)
    because = models.TextField("because", blank=True, max_length=2_000)

    class Meta(Record.Meta):
        verbose_name = "objective at a review"
        verbose_name_plural = "objectives at reviews"
        triggers = [*Record.Meta.triggers, ObjectiveStays(name="stays_with_its_review")]
        constraints = [
            models.UniqueConstraint(fields=["review", "objective"], name="reviews_objective_once"),
            models.CheckConstraint(
                condition=Q(answer="") | ~Q(because=""), name="reviews_objective_answer_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.objective.number} at {self.review.number}"

    def get_absolute_url(self) -> str:
        return f"{reverse('reviews:review_detail', args=[self.review_id])}#objectives"

    @property
    def title(self) -> str:
        return self.objective.title

    @property
    def is_answered(self) -> bool:
        return bool(self.answer)

    @property
    def is_asked(self) -> bool:
        """Whether the review has to answer it; what ended before it was answered is not asked."""
        return self.is_answered or self.objective.status == "active"

    @property
    def standing_tone(self) -> str:
        return STANDING_TONES.get(self.standing, "")

    @property
    def answer_tone(self) -> str:
        return self.ANSWER_TONES.get(self.answer, "")


class Decision(StatefulRecord):
    """Something a review decided: an action with owner and date, or why none is needed (9.3.3)."""

    class Status(models.TextChoices):
        NOTED = "noted", "Noted"
        VOID = "void", "Void"

    class Kind(models.TextChoices):
        IMPROVEMENT = "improvement", "Improvement"
        CHANGE = "change", "Changes to the system"
        RESOURCES = "resources", "Resources"

    PATHS = {("noted", "void")}
    FROZEN = {"review", "position", "kind", "text", "action", "none_because"}
    FROZEN_IN = {"noted", "void"}

    review = models.ForeignKey(Review, models.PROTECT, related_name="decisions")
    position = models.PositiveSmallIntegerField(editable=False)
    kind = models.CharField("about", max_length=12, choices=Kind)
    text = models.TextField("decision", blank=True, max_length=5_000)
    action = models.ForeignKey(
        "actions.Action", models.PROTECT, null=True, related_name="+", editable=False
    )
    none_because = models.TextField("no action, because", blank=True, max_length=5_000)
    status = models.CharField(max_length=10, choices=Status, default=Status.NOTED, editable=False)

    class Meta(StatefulRecord.Meta):
        verbose_name = "decision"
        triggers = [*StatefulRecord.Meta.triggers, DecisionStays(name="stays_with_its_review")]
        constraints = [
            models.UniqueConstraint(
                fields=["review", "position"], name="reviews_decision_position"
            ),
            models.CheckConstraint(
                condition=(Q(action__isnull=False, none_because="") & ~Q(text=""))
                | (Q(action__isnull=True) & ~Q(none_because="")),
                name="reviews_decision_is_owned_or_explained",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.review.number}, decision {self.position}"

    def get_absolute_url(self) -> str:
        return page_of("reviews:decision_detail", self.pk)

    @property
    def title(self) -> str:
        """The decision in a line."""
        return self.text.strip() or f"Nothing needed: {self.none_because.strip()}"

    @property
    def is_released(self) -> bool:
        """A decision is on record from the moment it is noted."""
        return True
