"""What surveys came to: response, satisfaction and recommendation, each with how sure it is.

Shares and scores of groups do not add up, so a result of several surveys, customers or products is
always counted from the answers themselves.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from qms.customers.models import SurveyAnswer, SurveyInvitation

FEWEST = 5  # answers; below, one customer more or less turns the result round
Z95 = Decimal("1.959964")  # two-sided 95 % quantile of the normal distribution
TENTH = Decimal("0.1")
Interval = tuple[Decimal, Decimal]


@dataclass(frozen=True)
class Result:
    """Counts of answers, and what follows from them."""

    asked: int = 0
    answered: int = 0
    rated: int = 0
    top: int = 0
    stars: int = 0
    scored: int = 0
    promoters: int = 0
    detractors: int = 0

    @property
    def is_thin(self) -> bool:
        return self.answered < FEWEST

    @property
    def response(self) -> Decimal | None:
        """Answers of those asked, in percent."""
        return _percent(self.answered, self.asked)

    @property
    def satisfied(self) -> Decimal | None:
        """The top-two-box share: answers of 4 or 5, of all that rated, in percent."""
        return _percent(self.top, self.rated)

    @property
    def satisfied_between(self) -> Interval | None:
        return share_interval(self.top, self.rated)

    @property
    def mean(self) -> Decimal | None:
        """The mean of the ratings, 1 to 5."""
        return (Decimal(self.stars) / self.rated).quantize(Decimal("0.01")) if self.rated else None

    @property
    def score(self) -> Decimal | None:
        """The recommendation score: percent of 9 and 10 less percent of 0 to 6; -100 to 100."""
        if not self.scored:
            return None
        return (Decimal(100) * (self.promoters - self.detractors) / self.scored).quantize(TENTH)

    @property
    def score_between(self) -> Interval | None:
        return score_interval(self.promoters, self.detractors, self.scored)


def _percent(part: int, whole: int) -> Decimal | None:
    return (Decimal(100) * part / whole).quantize(TENTH) if whole else None


def share_interval(part: int, whole: int) -> Interval | None:
    """The 95 % interval of a share in percent, after Wilson (1927).

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
    the American Statistical Association 22, 209-212. It stays within 0 and 100 and holds for few.
    """
    if not whole:
        return None
    n, share, square = Decimal(whole), Decimal(part) / whole, Z95 * Z95
    centre = share + square / (2 * n)
    margin = Z95 * (share * (1 - share) / n + square / (4 * n * n)).sqrt()
    bottom = 1 + square / n
    low, high = (centre - margin) / bottom, (centre + margin) / bottom
    return _within(100 * low, Decimal(0)), _within(100 * high, Decimal(0))


def score_interval(promoters: int, detractors: int, whole: int) -> Interval | None:
    """The 95 % interval of a recommendation score: the adjusted Wald interval.

    Three answers are added, three quarters each to those who would and would not recommend; then
    the variance of a difference of two shares of one sample. B. Rocks, "Interval estimation for
    the Net Promoter Score", The American Statistician 70 (2016), 365-372, found it the best kept of
    six. (The score is known under a registered mark, which is why it has another name here.)
    """
    if not whole:
        return None
    n = Decimal(whole) + 3
    yes, no = (promoters + Decimal("0.75")) / n, (detractors + Decimal("0.75")) / n
    centre = yes - no
    margin = Z95 * ((yes + no - centre * centre) / n).sqrt()
    least = Decimal(-100)
    return _within(100 * (centre - margin), least), _within(100 * (centre + margin), least)


def _within(value: Decimal, least: Decimal) -> Decimal:
    return min(max(value, least), Decimal(100)).quantize(TENTH)


COUNTED = {
    "answered": Count("pk"),
    "rated": Count("satisfaction"),
    "top": Count("pk", filter=Q(satisfaction__in=SurveyAnswer.TOP_BOXES)),
    "stars": Sum("satisfaction", default=0),
    "scored": Count("recommendation"),
    "promoters": Count("pk", filter=Q(recommendation__in=SurveyAnswer.PROMOTERS)),
    "detractors": Count("pk", filter=Q(recommendation__in=SurveyAnswer.DETRACTORS)),
}


def result_of(answers: QuerySet[Any], invitations: QuerySet[Any]) -> Result:
    """What these answers of these invitations came to, counted one by one."""
    asked = invitations.filter(ended=False, sent_on__isnull=False).count()
    return Result(asked=asked, **answers.order_by().aggregate(**COUNTED))


def results_by(key: str, answers: QuerySet[Any], invitations: QuerySet[Any]) -> dict[Any, Result]:
    """The same for each value of `survey`, `survey__about` or `customer`."""
    field = f"invitation__{key}" if key == "customer" else key
    sent = invitations.filter(ended=False, sent_on__isnull=False).order_by()
    asked = dict(sent.values_list(key).annotate(many=Count("pk")))
    found = {row.pop(field): row for row in answers.order_by().values(field).annotate(**COUNTED)}
    return {
        each: Result(asked=asked.get(each, 0), **found.get(each, {})) for each in {**asked, **found}
    }


def together(groups: Iterable[Result]) -> Result:
    """Several groups as one: counts add up, and shares follow from their sums."""
    known = list(groups)
    return Result(
        **{each.name: sum(getattr(one, each.name) for one in known) for each in fields(Result)}
    )


def answers_in(start: Any, end: Any) -> QuerySet[Any]:
    """The answers given between two days, of surveys that stand."""
    rows = SurveyAnswer.objects.exclude(survey__status="void")
    return rows.filter(answered_on__range=(start, end))


def invitations_to(surveys: Iterable[Any]) -> QuerySet[Any]:
    return SurveyInvitation.objects.filter(survey__in=list(surveys))


def in_words(result: Result) -> list[tuple[str, str]]:
    """(what, what it came to) as people read it, with n beside each figure."""
    said = [("Answered", f"{result.answered} of {result.asked}{_of(result.response)}")]
    if result.rated:
        between = _between(result.satisfied_between, " %")
        share = f"{_number(result.satisfied)} % ({result.top} of {result.rated}{between})"
        counts = f"{result.top} of {result.rated}"
        said += [("Satisfied (4 or 5)", counts if result.is_thin else share)]
        said += [("Mean rating", f"{result.mean} of 5 (n = {result.rated})")]
    if result.scored and not result.is_thin:
        between = _between(result.score_between, "")
        words = f"{_signed(result.score)} (n = {result.scored}{between})"
        said += [("Recommendation score", words)]
    if result.answered and result.is_thin:
        said += [("Reading it", f"Fewer than {FEWEST} answers: too few to say more.")]
    return said


def _number(value: Decimal | None) -> str:
    return f"{value.normalize():f}" if value is not None else "–"


def _signed(value: Decimal | None) -> str:
    return f"{value.normalize():+f}" if value is not None else "–"


def _of(share: Decimal | None) -> str:
    return f", {_number(share)} %" if share is not None else ""


def _between(interval: Interval | None, unit: str) -> str:
    if interval is None:
        return ""
    return f", 95 % between {_number(interval[0])} and {_number(interval[1])}{unit}"
