"""Competences, what a role or job asks for, who was found able, and trainings (ISO 9001 7.2).

A finding about somebody's competence is never edited: a newer one replaces it, or it is voided.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from qms.addresses import page_of
from qms.links import Link
from qms.people.roles import ROLES
from qms.records import Numbered, RecordQuerySet, StatefulRecord

LONGEST_MONTHS = 120


class Method(models.TextChoices):
    OBSERVED = "observed", "Observed at work"
    TESTED = "tested", "Test or exam"
    CERTIFICATE = "certificate", "Certificate from outside"
    INTERVIEW = "interview", "Talk about the work"
    RECORD = "record", "Training and experience on record"


class Level(models.IntegerChoices):
    LEARNING = 1, "1 – learning"
    GUIDED = 2, "2 – with guidance"
    ALONE = 3, "3 – works alone"
    TEACHES = 4, "4 – teaches others"


class Competence(StatefulRecord):
    """Something people must be able to do, how it is found out, and how long that holds."""

    class Status(models.TextChoices):
        IN_USE = "in_use", "In use"
        RETIRED = "retired", "Retired"

    PATHS = {("in_use", "retired"), ("retired", "in_use")}

    name = models.CharField("name", max_length=100)
    meaning = models.TextField("what somebody can do who has it", max_length=2000)
    method = models.CharField("how it is assessed", max_length=12, choices=Method)
    validity_months = models.PositiveSmallIntegerField(
        "holds for (months)",
        null=True,
        blank=True,
        help_text="Left empty, a finding holds until it is taken back.",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.IN_USE, editable=False)

    class Meta(StatefulRecord.Meta):
        verbose_name = "competence"
        constraints = [
            models.UniqueConstraint(Lower("name"), name="competence_one_of_a_name"),
            models.CheckConstraint(
                condition=Q(validity_months=None) | Q(validity_months__range=(1, LONGEST_MONTHS)),
                name="competence_holds_for_some_months",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return page_of("competence:competence_detail", self.pk)


class CompetenceRequirement(StatefulRecord):
    """That everybody with a role, or with a job title, needs a competence at some level."""

    class Status(models.TextChoices):
        IN_FORCE = "in_force", "In force"
        ENDED = "ended", "Ended"

    PATHS = {("in_force", "ended")}

    competence = models.ForeignKey(Competence, models.PROTECT, related_name="requirements")
    role = models.CharField(
        "role",
        max_length=30,
        blank=True,
        choices=[(role.name, role.label) for role in ROLES.values()],
    )
    job_title = models.CharField("job title", max_length=120, blank=True)
    level = models.PositiveSmallIntegerField("at least", choices=Level, default=Level.ALONE)
    status = models.CharField(
        max_length=10, choices=Status, default=Status.IN_FORCE, editable=False
    )

    class Meta(StatefulRecord.Meta):
        verbose_name = "competence requirement"
        constraints = [
            models.CheckConstraint(
                condition=(~Q(role="") & Q(job_title="")) | (Q(role="") & ~Q(job_title="")),
                name="competence_for_a_role_or_a_job",
            ),
            models.CheckConstraint(
                condition=Q(level__range=(1, 4)), name="competence_required_level_is_known"
            ),
            models.UniqueConstraint(
                "competence",
                "role",
                Lower("job_title"),
                condition=Q(status="in_force"),
                name="competence_required_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.competence}, level {self.level}, for {self.whom}"

    def get_absolute_url(self) -> str:
        return self.competence.get_absolute_url()

    @property
    def whom(self) -> str:
        """The role's label or the job title."""
        return ROLES[self.role].label if self.role else self.job_title


class Training(Numbered, StatefulRecord):
    """A training or other measure towards a competence, and whether it worked."""

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        DONE = "done", "Held"
        EFFECTIVE = "effective", "Effective"
        NOT_EFFECTIVE = "not_effective", "Not effective"
        CANCELLED = "cancelled", "Cancelled"

    SERIES = "TR"
    PATHS = {
        ("planned", "done"),
        ("done", "effective"),
        ("done", "not_effective"),
        ("planned", "cancelled"),
    }
    FROZEN = {"title", "content", "competence", "owner", "planned_on", "done_on", "result"}
    FROZEN_IN = {"effective", "not_effective", "cancelled"}

    title = models.CharField("what", max_length=200)
    content = models.TextField("content", blank=True, max_length=5000)
    competence = models.ForeignKey(
        Competence,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="trainings",
        verbose_name="competence aimed at",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="trainings", verbose_name="organiser"
    )
    planned_on = models.DateField("planned on")
    done_on = models.DateField("held on", null=True, editable=False)
    status = models.CharField(max_length=15, choices=Status, default=Status.PLANNED, editable=False)
    result = models.TextField("how it worked", blank=True, editable=False)
    judged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    judged_on = models.DateField("judged on", null=True, editable=False)

    class Meta(StatefulRecord.Meta):
        verbose_name = "training"
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=["effective", "not_effective"])
                | (Q(judged_by__isnull=False, judged_on__isnull=False) & ~Q(result="")),
                name="competence_judgement_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["planned", "cancelled"]) | Q(done_on__isnull=False),
                name="competence_training_held_on_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return page_of("competence:training_detail", self.pk)


class Trainee(Link):
    """That somebody takes part in a training."""

    training = models.ForeignKey(Training, models.PROTECT, related_name="trainee_links")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="trainee_links"
    )

    class Meta(Link.Meta):
        verbose_name = "participant of a training"
        constraints = [
            models.UniqueConstraint(fields=["training", "person"], name="competence_trainee_once")
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.training}"


class CompetenceRecordQuerySet(RecordQuerySet):
    def standing(self) -> Self:
        """Findings that were not taken back."""
        return self.filter(status=CompetenceRecord.Status.RECORDED)

    def newest(self, on: date | None = None) -> Self:
        """The newest finding for each person and competence, of those made by a day."""
        rows = self.standing()
        if on is not None:
            rows = rows.filter(assessed_on__lte=on)
        newest = rows.order_by("person_id", "competence_id", "-assessed_on", "-pk")
        newest = newest.distinct("person_id", "competence_id")
        return self.filter(pk__in=newest.values("pk"))

    def of(self, people: Iterable[Any]) -> Self:
        return self.filter(person__in=list(people))


class CompetenceRecord(StatefulRecord):
    """That somebody was found to have a competence at a level, by somebody else, until a day."""

    class Status(models.TextChoices):
        RECORDED = "recorded", "Recorded"
        VOID = "void", "Void"

    PATHS = {("recorded", "void")}
    FROZEN = {
        "person",
        "competence",
        "level",
        "assessed_by",
        "method",
        "assessed_on",
        "valid_until",
        "evidence",
        "training",
    }
    FROZEN_IN = {"recorded", "void"}

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="competences", verbose_name="who"
    )
    competence = models.ForeignKey(Competence, models.PROTECT, related_name="records")
    level = models.PositiveSmallIntegerField("level", choices=Level, default=Level.ALONE)
    assessed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="assessed by"
    )
    method = models.CharField("how", max_length=12, choices=Method)
    assessed_on = models.DateField("assessed on")
    valid_until = models.DateField("holds until", null=True, blank=True)
    evidence = models.TextField("what shows it", max_length=2000)
    training = models.ForeignKey(
        Training, models.PROTECT, null=True, blank=True, related_name="records"
    )
    status = models.CharField(
        max_length=10, choices=Status, default=Status.RECORDED, editable=False
    )

    objects = CompetenceRecordQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "competence record"
        indexes = [
            models.Index(
                fields=["person", "competence", "-assessed_on"], name="competence_newest_first"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(assessed_by=models.F("person")),
                name="competence_assessed_by_another",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=models.F("assessed_on")),
                name="competence_holds_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(level__range=(1, 4)), name="competence_level_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.competence}, level {self.level}"

    def get_absolute_url(self) -> str:
        return page_of("competence:record_detail", self.pk)

    def holds_on(self, day: date, level: int = 1) -> bool:
        """Whether it counts on a day at a level."""
        in_time = self.assessed_on <= day and (not self.valid_until or day <= self.valid_until)
        return in_time and self.level >= level and self.status == self.Status.RECORDED
