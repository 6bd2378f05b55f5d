"""Risks and opportunities: two kinds of record, each with its own scales and its own answers (6.1).

They share a path, from seen to judged, and nothing of how they are judged. Every evaluation is a
row that stays, so the trend is what was said at the time.
"""

from datetime import date
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from qms.addresses import page_of
from qms.origins import FromOrigin, OriginQuerySet
from qms.picking import AnyLink
from qms.records import Numbered, Record, StatefulRecord

LEAST, MOST = 1, 5
MIDDLE_FROM, HIGH_FROM = 5, 10  # products of the two scales; 25 is the most there is
ONE_TO_FIVE = [MinValueValidator(LEAST), MaxValueValidator(MOST)]


class OutlookQuerySet(OriginQuerySet):
    def open(self) -> Self:
        """Everything that is still looked after."""
        return self.exclude(status=Outlook.Status.CLOSED)

    def review_due(self, on: date) -> Self:
        """Open, and to be looked at again before a day."""
        return self.open().filter(review_on__lt=on)

    def high(self) -> Self:
        """Open, and high by the newest evaluation."""
        return self.open().filter(score__gte=HIGH_FROM)


class Outlook(FromOrigin, Numbered, StatefulRecord):
    """What a risk and an opportunity have in common: a path, an owner, a day to look again."""

    class Status(models.TextChoices):
        IDENTIFIED = "identified", "Identified"
        EVALUATED = "evaluated", "Evaluated"
        TREATED = "treated", "Treatment decided"
        EFFECTIVE = "effective", "Effective"
        CLOSED = "closed", "Closed"

    SCALES: ClassVar[tuple[str, str]] = ("", "")
    FIRST: ClassVar[dict[int, str]] = {}
    SECOND: ClassVar[dict[int, str]] = {}
    LEVELS: ClassVar[tuple[str, str, str]] = ("Low", "Medium", "High")
    TONES: ClassVar[tuple[str, str, str]] = ("fine", "soon", "late")
    STATE_TONES = {"effective": "fine", "closed": "void", "treated": "info"}
    PATHS = {
        ("identified", "evaluated"),
        ("evaluated", "treated"),
        ("treated", "effective"),
        ("treated", "evaluated"),
        ("identified", "closed"),
        ("evaluated", "closed"),
        ("treated", "closed"),
        ("effective", "closed"),
        ("effective", "identified"),
        ("closed", "identified"),
    }
    FROZEN = {"title", "description", "owner", "process", "review_on"}
    FROZEN_IN = {"closed"}

    title = models.CharField("in a line", max_length=200)
    description = models.TextField("what may happen, from what, with which effect", blank=True)
    process = models.ForeignKey(
        "scope.Process",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="%(class)s_set",
        verbose_name="process",
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="owner"
    )
    review_on = models.DateField("look at it again on")
    status = models.CharField(
        max_length=10, choices=Status, default=Status.IDENTIFIED, editable=False
    )
    first = models.PositiveSmallIntegerField(null=True, editable=False, validators=ONE_TO_FIVE)
    second = models.PositiveSmallIntegerField(null=True, editable=False, validators=ONE_TO_FIVE)
    score = models.PositiveSmallIntegerField(null=True, editable=False)
    evaluated_on = models.DateField("evaluated on", null=True, editable=False)
    because = models.TextField("why this treatment", blank=True, editable=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    decided_on = models.DateField("decided on", null=True, editable=False)
    verdict = models.TextField("effectiveness decision", blank=True, editable=False)
    judged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    judged_on = models.DateField("judged on", null=True, editable=False)
    closed_on = models.DateField("closed on", null=True, editable=False)

    objects = OutlookQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        abstract = True

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def is_released(self) -> bool:
        return True

    @property
    def is_settled(self) -> bool:
        return self.status == self.Status.CLOSED

    @property
    def level(self) -> str:
        """The newest evaluation in a word; empty before the first."""
        return "" if self.score is None else self.LEVELS[level_of(self.score)]

    @property
    def level_tone(self) -> str:
        return "" if self.score is None else self.TONES[level_of(self.score)]

    @property
    def is_high(self) -> bool:
        return self.score is not None and level_of(self.score) == 2

    @property
    def scores_in_words(self) -> str:
        """Both scales of the newest evaluation, with their words."""
        return scales_in_words(type(self), self.first, self.second)


def level_of(score: int) -> int:
    """0, 1 or 2 for a product of the two scales (1 to 25)."""
    return 0 if score < MIDDLE_FROM else 1 if score < HIGH_FROM else 2


def scales_in_words(kind: type[Outlook], first: int | None, second: int | None) -> str:
    """The two values with their words; empty before there are any."""
    if first is None or second is None:
        return ""
    one, two = kind.SCALES
    words = (kind.FIRST[first].lower(), kind.SECOND[second].lower())
    return f"{one} {first} ({words[0]}) × {two.lower()} {second} ({words[1]})"


def _judged(name: str) -> list[models.CheckConstraint]:
    """What the database promises of both kinds; `name` begins the constraints' names."""
    beyond = ["evaluated", "treated", "effective"]
    return [
        FromOrigin.origin_constraint(f"risks_{name}_origin_is_whole"),
        models.CheckConstraint(
            condition=(
                Q(first__isnull=True, second__isnull=True, score__isnull=True)
                | Q(
                    first__range=(LEAST, MOST),
                    second__range=(LEAST, MOST),
                    score=F("first") * F("second"),
                )
            ),
            name=f"risks_{name}_is_one_to_five",
        ),
        models.CheckConstraint(
            condition=~Q(status__in=beyond) | Q(score__isnull=False, evaluated_on__isnull=False),
            name=f"risks_{name}_evaluated_before_treated",
        ),
        models.CheckConstraint(
            condition=~Q(status__in=["treated", "effective"])
            | (~Q(decision="") & Q(decided_by__isnull=False, decided_on__isnull=False)),
            name=f"risks_{name}_treated_by_decision",
        ),
        models.CheckConstraint(
            condition=~Q(status="effective")
            | (~Q(verdict="") & Q(judged_by__isnull=False) & ~Q(judged_by=F("owner"))),
            name=f"risks_{name}_judged_by_another",
        ),
        models.CheckConstraint(
            condition=~Q(status="closed") | Q(closed_on__isnull=False),
            name=f"risks_{name}_closed_on_a_day",
        ),
    ]


class Risk(Outlook):
    """Something uncertain that would keep the system from what it is for (6.1)."""

    class Decision(models.TextChoices):
        REDUCE = "reduce", "Reduce it"
        AVOID = "avoid", "Avoid it"
        SHARE = "share", "Share it"
        ACCEPT = "accept", "Accept it"

    SERIES = "RISK"
    SCALES = ("Likelihood", "Consequence")
    FIRST = {
        1: "Hardly ever, less than once in ten years",
        2: "Rarely, once in some years",
        3: "Now and then, once a year",
        4: "Often, several times a year",
        5: "Almost always, every month",
    }
    SECOND = {
        1: "Nobody outside notices",
        2: "A nuisance for one customer",
        3: "Late or wrong for some customers",
        4: "A customer lost, or a legal duty missed",
        5: "Somebody is hurt, or business stops",
    }

    decision = models.CharField(
        "treatment", max_length=8, choices=Decision, blank=True, editable=False
    )

    class Meta(Outlook.Meta):
        verbose_name = "risk"
        indexes = [
            models.Index(fields=["status", "review_on"], name="risks_risk_due"),
            models.Index(fields=["origin_type", "origin_id"], name="risks_risk_origin"),
        ]
        constraints = [
            *_judged("risk"),
            models.CheckConstraint(
                condition=~Q(decision="accept") | ~Q(because=""), name="risks_accepted_with_reason"
            ),
        ]

    def get_absolute_url(self) -> str:
        return page_of("risks:risk_detail", self.pk)


class Opportunity(Outlook):
    """Something uncertain that would help the system to do more or better (6.1)."""

    class Decision(models.TextChoices):
        PURSUE = "pursue", "Pursue it"
        DEFER = "defer", "Defer it"
        DECLINE = "decline", "Decline it"

    SERIES = "OPP"
    SCALES = ("Benefit", "Feasibility")
    LEVELS = ("Small", "Worthwhile", "Great")
    TONES = ("void", "info", "fine")
    FIRST = {
        1: "Hardly noticed",
        2: "Makes one task easier",
        3: "Customers or a process notice",
        4: "Wins customers or frees much time",
        5: "Changes what we can offer",
    }
    SECOND = {
        1: "Beyond our means for years",
        2: "Needs money or people we lack",
        3: "Possible with some effort",
        4: "Possible with what we have",
        5: "Can begin tomorrow",
    }

    decision = models.CharField(
        "decision", max_length=8, choices=Decision, blank=True, editable=False
    )

    class Meta(Outlook.Meta):
        verbose_name = "opportunity"
        verbose_name_plural = "opportunities"
        indexes = [
            models.Index(fields=["status", "review_on"], name="risks_opportunity_due"),
            models.Index(fields=["origin_type", "origin_id"], name="risks_opportunity_origin"),
        ]
        constraints = [
            *_judged("opportunity"),
            models.CheckConstraint(
                condition=~Q(decision__in=["defer", "decline"]) | ~Q(because=""),
                name="risks_let_go_with_reason",
            ),
        ]

    def get_absolute_url(self) -> str:
        return page_of("risks:opportunity_detail", self.pk)


class Evaluation(Record):
    """One evaluation, kept as it was said: two scales, the reason, and whether it came after.

    `after` says that the treatment was decided already: what is left of a risk, what is still to
    gain from an opportunity.
    """

    first = models.PositiveSmallIntegerField(validators=ONE_TO_FIVE)
    second = models.PositiveSmallIntegerField(validators=ONE_TO_FIVE)
    score = models.PositiveSmallIntegerField(editable=False)
    why = models.TextField("why")
    after = models.BooleanField("after the treatment", default=False, editable=False)
    evaluated_on = models.DateField("evaluated on")

    class Meta(Record.Meta):
        abstract = True


def _within(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(
            first__range=(LEAST, MOST),
            second__range=(LEAST, MOST),
            score=F("first") * F("second"),
        )
        & ~Q(why=""),
        name=name,
    )


class RiskEvaluation(Evaluation):
    """How likely and how grave a risk was found."""

    risk = models.ForeignKey(Risk, models.PROTECT, related_name="evaluations")

    class Meta(Evaluation.Meta):
        verbose_name = "evaluation of a risk"
        verbose_name_plural = "evaluations of risks"
        constraints = [_within("risks_evaluation_is_one_to_five")]

    def __str__(self) -> str:
        return f"{self.risk.number} {self.first} × {self.second}"

    def get_absolute_url(self) -> str:
        return page_of("risks:risk_detail", self.risk_id)

    @property
    def about(self) -> Outlook:
        return self.risk

    @property
    def words(self) -> str:
        return scales_in_words(Risk, self.first, self.second)


class OpportunityEvaluation(Evaluation):
    """How useful and how feasible an opportunity was found."""

    opportunity = models.ForeignKey(Opportunity, models.PROTECT, related_name="evaluations")

    class Meta(Evaluation.Meta):
        verbose_name = "evaluation of an opportunity"
        verbose_name_plural = "evaluations of opportunities"
        constraints = [_within("risks_weighing_is_one_to_five")]

    def __str__(self) -> str:
        return f"{self.opportunity.number} {self.first} × {self.second}"

    def get_absolute_url(self) -> str:
        return page_of("risks:opportunity_detail", self.opportunity_id)

    @property
    def about(self) -> Outlook:
        return self.opportunity

    @property
    def words(self) -> str:
        return scales_in_words(Opportunity, self.first, self.second)


class RiskLink(AnyLink):
    """That a risk touches an objective, a document or any other record."""

    OWNER = "risk"

    risk = models.ForeignKey(Risk, models.PROTECT, related_name="links")

    class Meta(AnyLink.Meta):
        verbose_name = "what a risk touches"
        verbose_name_plural = "what risks touch"
        constraints = [
            models.UniqueConstraint(
                fields=["risk", "record_type", "record_id"], name="risks_risk_touches_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.risk.number} touches {self.record_type.name} {self.record_id}"


class OpportunityLink(AnyLink):
    """That an opportunity touches an objective, a document or any other record."""

    OWNER = "opportunity"

    opportunity = models.ForeignKey(Opportunity, models.PROTECT, related_name="links")

    class Meta(AnyLink.Meta):
        verbose_name = "what an opportunity touches"
        verbose_name_plural = "what opportunities touch"
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity", "record_type", "record_id"],
                name="risks_opportunity_touches_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.opportunity.number} touches {self.record_type.name} {self.record_id}"


# Evaluations and links of a kind, with the name of their side that points to it.
PARTS: dict[type[Any], tuple[type[Any], type[AnyLink], str]] = {
    Risk: (RiskEvaluation, RiskLink, "risk"),
    Opportunity: (OpportunityEvaluation, OpportunityLink, "opportunity"),
}
