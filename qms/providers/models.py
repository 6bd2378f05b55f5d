"""External providers, which processes they serve, and how they were evaluated (ISO 9001 8.4).

An evaluation is never edited: a newer one takes its place, or it is voided. It sets the day of the
next one.
"""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from qms.addresses import page_of
from qms.links import Link
from qms.records import Numbered, RecordQuerySet, StatefulRecord
from qms.recurring import Recurring, RecurringQuerySet
from qms.refusals import Refused

MOST_CRITERIA = 20
CRITERIA = "Quality of what was delivered\nDelivery on the agreed day\nAnswers and help"


class Verdict(models.TextChoices):
    SUITABLE = "suitable", "Suitable"
    CONDITIONS = "conditions", "Suitable with conditions"
    UNSUITABLE = "unsuitable", "Not suitable"


VERDICT_TONES = {"suitable": "fine", "conditions": "soon", "unsuitable": "late"}


class Result(models.TextChoices):
    """How a criterion was met: a score, or a plain yes or no."""

    FOUR = "4", "4 – always as agreed"
    THREE = "3", "3 – as agreed with small exceptions"
    TWO = "2", "2 – below what was agreed"
    ONE = "1", "1 – not acceptable"
    MET = "met", "Met"
    NOT_MET = "not_met", "Not met"


class ProviderQuerySet(RecurringQuerySet):
    def open(self) -> Self:
        """Everybody we have not ended with."""
        return self.exclude(status=Provider.Status.ENDED)

    def allowed(self) -> Self:
        """Who may be ordered from."""
        return self.filter(status__in=Provider.ALLOWED)

    def known_as(self, words: str) -> Self:
        """Providers with these words in number, name or what they provide."""
        return self.filter(
            Q(number__icontains=words) | Q(name__icontains=words) | Q(provides__icontains=words)
        )


class Provider(Recurring, Numbered, StatefulRecord):
    """Somebody outside who provides a process, a product or a service, and whether they may."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        APPROVED = "approved", "Approved"
        CONDITIONAL = "conditional", "Conditionally approved"
        SUSPENDED = "suspended", "Suspended"
        ENDED = "ended", "Ended"

    class Kind(models.TextChoices):
        GOODS = "goods", "Goods that go into ours"
        SERVICE = "service", "Services we use"
        DIRECT = "direct", "Delivers to our customers for us"
        PROCESS = "process", "Carries out a process for us"

    class Weight(models.TextChoices):
        HIGH = "high", "High"
        MIDDLE = "middle", "Medium"
        LOW = "low", "Low"

    SERIES = "SP"
    DIGITS = 4
    ALLOWED = ("approved", "conditional")
    STATE_TONES = {
        "approved": "fine",
        "conditional": "soon",
        "suspended": "late",
        "ended": "void",
    }
    PATHS = {
        ("proposed", "approved"),
        ("conditional", "approved"),
        ("suspended", "approved"),
        ("proposed", "conditional"),
        ("approved", "conditional"),
        ("suspended", "conditional"),
        ("approved", "suspended"),
        ("conditional", "suspended"),
        ("proposed", "ended"),
        ("approved", "ended"),
        ("conditional", "ended"),
        ("suspended", "ended"),
        ("ended", "proposed"),
    }
    FROZEN = {"name", "provides", "owner", "every_months"}
    FROZEN_IN = {"ended"}

    name = models.CharField("name", max_length=120)
    kind = models.CharField("kind", max_length=8, choices=Kind, default=Kind.GOODS)
    provides = models.TextField("what they provide", max_length=2000)
    weight = models.CharField(
        "how much our result depends on them", max_length=6, choices=Weight, default=Weight.MIDDLE
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="owner"
    )
    contact = models.CharField(
        "contact there",
        max_length=120,
        blank=True,
        help_text="A desk rather than a person: what is written here stays in the history.",
    )
    contact_email = models.EmailField("its e-mail", blank=True)
    criteria = models.TextField(
        "criteria",
        max_length=2000,
        default=CRITERIA,
        help_text="One a line. Each is scored, or met or not, at every evaluation.",
    )
    certificate = models.CharField(
        "certificate they hold",
        max_length=200,
        blank=True,
        help_text="Of what, from whom, with its number.",
    )
    certificate_until = models.DateField("it ends on", null=True, blank=True)
    status = models.CharField(
        max_length=12, choices=Status, default=Status.PROPOSED, editable=False, db_index=True
    )
    conditions = models.TextField("conditions", blank=True, editable=False)
    verdict = models.CharField(
        "last verdict", max_length=10, choices=Verdict, blank=True, editable=False
    )
    score = models.DecimalField(
        "last score", max_digits=3, decimal_places=2, null=True, editable=False
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False
    )
    approved_on = models.DateField("approved on", null=True, editable=False)

    objects = ProviderQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "external provider"
        indexes = [models.Index(fields=["status", "next_due"], name="providers_due")]
        constraints = [
            Recurring.interval_constraint("providers_interval_is_some_months"),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "conditional"])
                | (
                    Q(last_on__isnull=False, approved_by__isnull=False, approved_on__isnull=False)
                    & ~Q(verdict="")
                ),
                name="providers_evaluated_before_approved",
            ),
            models.CheckConstraint(
                condition=~Q(status="conditional") | ~Q(conditions=""),
                name="providers_conditions_are_said",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    def get_absolute_url(self) -> str:
        return page_of("providers:provider_detail", self.pk)

    def _check_change(self, stored: Any, *, transition: bool) -> None:
        super()._check_change(stored, transition=transition)
        self.check_criteria()

    def check_criteria(self) -> None:
        """Refuse a list of criteria that nobody would work through."""
        if not 1 <= len(self.criteria_list) <= MOST_CRITERIA:
            raise Refused(f"Name 1 to {MOST_CRITERIA} criteria, one a line.", field="criteria")

    @property
    def title(self) -> str:
        return self.name

    @property
    def is_settled(self) -> bool:
        return self.status == self.Status.ENDED

    @property
    def verdict_tone(self) -> str:
        return VERDICT_TONES.get(self.verdict, "")

    @property
    def criteria_list(self) -> list[str]:
        """The criteria, each once, in their order."""
        lines = (" ".join(line.split()) for line in self.criteria.splitlines())
        return list(dict.fromkeys(line for line in lines if line))


class ProviderProcess(Link):
    """That a provider serves a process."""

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="process_links")
    process = models.ForeignKey("scope.Process", models.PROTECT, related_name="provider_links")

    class Meta(Link.Meta):
        verbose_name = "process of a provider"
        verbose_name_plural = "processes of providers"
        constraints = [
            models.UniqueConstraint(fields=["provider", "process"], name="providers_serves_once")
        ]

    def __str__(self) -> str:
        return f"{self.provider.number} for {self.process}"


class EvaluationQuerySet(RecordQuerySet):
    def standing(self) -> Self:
        """Not taken back."""
        return self.filter(status=ProviderEvaluation.Status.RECORDED)

    def newest_first(self) -> Self:
        return self.order_by("-evaluated_on", "-pk")


class ProviderEvaluation(Numbered, StatefulRecord):
    """How a provider was found on a day, criterion by criterion, and what follows from it.

    `results` are pairs of criterion and `Result`; `score` is the mean of those that were scored.
    """

    class Status(models.TextChoices):
        RECORDED = "recorded", "Recorded"
        VOID = "void", "Void"

    SERIES = "SPE"
    STATE_TONES = {"void": "void"}
    PATHS = {("recorded", "void")}
    FROZEN = {"provider", "evaluated_on", "results", "score", "verdict", "conclusion", "next_due"}
    FROZEN_IN = {"recorded", "void"}
    TAKES_PROOF_IN = {"recorded"}

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="evaluations")
    evaluated_on = models.DateField("evaluated on")
    results = models.JSONField("results", default=list)
    score = models.DecimalField("score", max_digits=3, decimal_places=2, null=True)
    verdict = models.CharField("verdict", max_length=10, choices=Verdict)
    conclusion = models.TextField("conclusion", max_length=5000)
    next_due = models.DateField("next one due")
    status = models.CharField(
        max_length=10, choices=Status, default=Status.RECORDED, editable=False
    )

    objects = EvaluationQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "evaluation of a provider"
        verbose_name_plural = "evaluations of providers"
        indexes = [models.Index(fields=["provider", "-evaluated_on"], name="providers_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__range=(1, 4)), name="providers_score_is_1_to_4"
            ),
            models.CheckConstraint(
                condition=Q(next_due__gt=models.F("evaluated_on")),
                name="providers_next_comes_after",
            ),
            models.CheckConstraint(
                condition=~Q(conclusion=""), name="providers_evaluation_concludes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.provider.name}"

    def get_absolute_url(self) -> str:
        return page_of("providers:evaluation_detail", self.pk)

    @property
    def result_words(self) -> list[tuple[str, str]]:
        """Each criterion with its result in words."""
        return [(name, str(Result(result).label)) for name, result in self.results]

    @property
    def verdict_tone(self) -> str:
        return VERDICT_TONES.get(self.verdict, "")

    @property
    def is_void(self) -> bool:
        return self.status == self.Status.VOID


# Which verdicts of the newest evaluation carry an approval.
FITTING: dict[Any, tuple[str, ...]] = {
    "approved": (Verdict.SUITABLE,),
    "conditional": (Verdict.SUITABLE, Verdict.CONDITIONS),
}
