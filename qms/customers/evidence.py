"""What customers give the pack, readiness and the management review (ISO 9001 9.1.2, 9.3.2)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count
from django.urls import reverse

from qms import contributions
from qms.contributions import Line
from qms.customers.models import Customer, Feedback, SatisfactionReview, Survey, Verdict
from qms.customers.results import answers_in, in_words, invitations_to, result_of
from qms.periods import Period, day_of, start_of
from qms.proofs import Blocker, Proofs, as_it_was, counted, proves


def _made_in(period: Period) -> Any:
    days = (period.start, period.end)
    return SatisfactionReview.objects.standing().filter(reviewed_on__range=days)


@contributions.evidence(
    folder="08-performance",
    title="Customers and their satisfaction",
    clauses=("9.1.2",),
    template="customers/evidence/customers.html",
    order=60,
)
def customer_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """The register at the end of the period, and every review made in it."""
    at = min(as_of, start_of(period.end + timedelta(days=1)))
    reviews = _made_in(period).filter(recorded_at__lte=as_of).select_related("customer")
    return {
        "customers": list(as_it_was(Customer, at).filter(status="active").order_by("number")),
        "reviews": list(reviews.order_by("reviewed_on", "pk")),
        "surveys": _surveys(period, at),
        "feedback": list(_heard_in(period).filter(recorded_at__lte=as_of).order_by("heard_on")),
    }


def _surveys(period: Period, at: datetime) -> list[tuple[Survey, list[tuple[str, str]]]]:
    """The surveys sent in the period, with what had come back by then."""
    rows = Survey.objects.exclude(status="void")
    sent = rows.filter(opened_on__range=(period.start, period.end)).order_by("opened_on", "pk")
    return [
        (
            each,
            in_words(result_of(each.answers.filter(recorded_at__lte=at), invitations_to([each]))),
        )
        for each in sent
    ]


def _heard_in(period: Period) -> Any:
    rows = Feedback.objects.standing().filter(heard_on__range=(period.start, period.end))
    return rows.select_related("customer", "taken_by")


@contributions.register(
    name="customers",
    title="Customers",
    columns=(
        "Number",
        "Customer",
        "Products and services",
        "Special requirements",
        "Owner",
        "Last asked",
        "Verdict",
        "Next review",
        "State",
    ),
)
def customer_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a customer, former ones too."""
    for each in Customer.objects.select_related("owner").order_by("number"):
        yield (
            each.number,
            each.name,
            each.buys,
            each.special,
            each.owner.name,
            each.last_on,
            each.get_verdict_display(),
            each.next_due,
            each.get_status_display(),
        )


@contributions.register(
    name="feedback",
    title="Feedback of customers",
    columns=(
        "Number",
        "Customer",
        "Heard",
        "Kind",
        "How it came",
        "About",
        "Words",
        "Taken by",
        "What follows",
    ),
)
def feedback_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a remark."""
    for each in _heard_in(period).order_by("heard_on", "pk"):
        yield (
            each.number,
            each.from_whom,
            each.heard_on,
            each.get_kind_display(),
            each.get_came_by_display(),
            each.about,
            each.words,
            each.taken_by.name,
            each.follows,
        )


@contributions.review_input(key="c1", title="Satisfaction of customers", order=20)
def customers_for_review(period: Period) -> list[Line]:
    """How satisfied customers were in this period and the one before, and who was not."""
    lines = _reviewed(period) + _surveyed(period) + _heard(period)
    unhappy = _made_in(period).filter(verdict=Verdict.NOT).select_related("customer")
    return lines + [
        Line(f"{each.customer.name}: not satisfied", each.heard, url=each.get_absolute_url())
        for each in unhappy.order_by("reviewed_on", "pk")
    ]


def _reviewed(period: Period) -> list[Line]:
    now, then = _figures(period), _figures(period.previous())
    if not any((*now.values(), *then.values())):
        return []
    url = reverse("customers:review_list")
    return [Line(label, str(now[label] or ""), str(then[label] or ""), url=url) for label in now]


def _surveyed(period: Period) -> list[Line]:
    """What the answers of the period came to; too few say so."""
    now, then = (dict(_answered_in(each)) for each in (period, period.previous()))
    url = reverse("customers:results")
    labels = [label for label in now | then if label != "Answered"]
    return [
        Line(f"Surveys: {label.lower()}", now.get(label, ""), then.get(label, ""), url=url)
        for label in labels
    ]


def _answered_in(period: Period) -> list[tuple[str, str]]:
    return in_words(result_of(answers_in(period.start, period.end), invitations_to(())))


def _heard(period: Period) -> list[Line]:
    """How much praise, how many wishes and complaints."""
    now, then = (
        dict(_heard_in(each).order_by().values_list("kind").annotate(many=Count("pk")))
        for each in (period, period.previous())
    )
    url = reverse("customers:feedback_list")
    return [
        Line(
            f"Feedback: {kind.label.lower()}",
            str(now.get(kind.value, "")),
            str(then.get(kind.value, "")),
            url=url,
        )
        for kind in Feedback.Kind
        if kind.value in now | then
    ]


def _figures(period: Period) -> dict[str, int]:
    rows = _made_in(period)
    found = {"Customers asked": rows.values("customer").distinct().count()}
    for verdict in Verdict:
        found[f"Reviews: {verdict.label.lower()}"] = rows.filter(verdict=verdict).count()
    return found


@proves("9.1.2")
def customers_prove(edition: str, as_of: datetime) -> Proofs | None:
    """Reviews of how satisfied customers are, and those that are late."""
    reviews = list(
        as_it_was(SatisfactionReview, as_of)
        .filter(status="recorded")
        .order_by("-reviewed_on", "-id")
    )
    customers = list(as_it_was(Customer, as_of).filter(status="active").order_by("number"))
    if not reviews and not customers:
        return None
    return counted(
        "reviews of how satisfied customers are",
        SatisfactionReview,
        reviews,
        lambda row: (f"{row.number}: {Verdict(row.verdict).label.lower()}", row.reviewed_on),
        _late(customers, day_of(as_of)),
        shows=("retain",),
    )


def _late(rows: list[Any], day: date) -> Iterable[Blocker]:
    for row in rows:
        if row.next_due < day:
            record = Customer(pk=row.id)
            yield Blocker(
                f"{row.number} {row.name} was to be asked by {row.next_due:%-d %B %Y}.",
                record.get_absolute_url(),
                "Open",
                of=record,
            )
