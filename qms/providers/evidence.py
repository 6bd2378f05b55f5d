"""What external providers give the pack, readiness and the management review (8.4, 9.3.2)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse

from qms import contributions
from qms.contributions import Line
from qms.periods import Period, day_of, start_of
from qms.proofs import Blocker, Proofs, as_it_was, counted, proves
from qms.providers.models import FITTING, Provider, ProviderEvaluation, Verdict


def _at_end(period: Period, as_of: datetime) -> datetime:
    return min(as_of, start_of(period.end + timedelta(days=1)))


def _evaluated_in(period: Period) -> Any:
    return ProviderEvaluation.objects.standing().filter(
        evaluated_on__range=(period.start, period.end)
    )


@contributions.evidence(
    folder="07-operation",
    title="External providers",
    clauses=("8.4.1", "8.4.2"),
    template="providers/evidence/providers.html",
    order=10,
)
def provider_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """The register at the end of the period, and every evaluation made in it."""
    rows = as_it_was(Provider, _at_end(period, as_of)).exclude(status="ended")
    evaluations = _evaluated_in(period).filter(recorded_at__lte=as_of)
    return {
        "providers": list(rows.order_by("number")),
        "evaluations": list(
            evaluations.select_related("provider", "created_by").order_by("evaluated_on", "pk")
        ),
    }


@contributions.register(
    name="external-providers",
    title="External providers",
    columns=(
        "Number",
        "Provider",
        "Provides",
        "Kind",
        "Weight",
        "Owner",
        "Certificate",
        "Until",
        "Last evaluated",
        "Verdict",
        "Score",
        "Next evaluation",
        "Conditions",
        "State",
    ),
)
def provider_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a provider, those we ended with too."""
    for each in Provider.objects.select_related("owner").order_by("number"):
        yield (
            each.number,
            each.name,
            each.provides,
            each.get_kind_display(),
            each.get_weight_display(),
            each.owner.name,
            each.certificate,
            each.certificate_until,
            each.last_on,
            each.get_verdict_display(),
            each.score,
            each.next_due,
            each.conditions,
            each.get_status_display(),
        )


@contributions.register(
    name="provider-evaluations",
    title="Evaluations of external providers",
    columns=(
        "Number",
        "Provider",
        "Day",
        "Results",
        "Score",
        "Verdict",
        "Conclusion",
        "By",
        "State",
    ),
)
def evaluation_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """Every evaluation made by the end of the period, the void ones too."""
    rows = ProviderEvaluation.objects.filter(evaluated_on__lte=period.end, recorded_at__lte=as_of)
    for each in rows.select_related("provider", "created_by").order_by("number"):
        yield (
            each.number,
            f"{each.provider.number} {each.provider.name}",
            each.evaluated_on,
            "; ".join(f"{name}: {words}" for name, words in each.result_words),
            each.score,
            each.get_verdict_display(),
            each.conclusion,
            each.created_by.name,
            each.get_status_display(),
        )


# The management review


@contributions.review_input(key="c7", title="Performance of external providers", order=10)
def providers_for_review(period: Period) -> list[Line]:
    """How providers did in this period and the one before; whoever was found wanting by name."""
    now, then = _figures(period), _figures(period.previous())
    if not any((*now.values(), *then.values())):
        return []
    url = reverse("providers:provider_list")
    lines = [Line(label, now[label], then[label], url=url) for label in now]
    wanting = _evaluated_in(period).exclude(verdict=Verdict.SUITABLE).select_related("provider")
    return lines + [
        Line(
            f"{each.provider.name}: {each.get_verdict_display().lower()}",
            each.conclusion,
            url=each.get_absolute_url(),
        )
        for each in wanting.order_by("evaluated_on", "pk")
    ]


def _figures(period: Period) -> dict[str, str]:
    made = list(_evaluated_in(period))
    scores = [each.score for each in made if each.score is not None]
    then = as_it_was(Provider, start_of(period.end + timedelta(days=1)))
    found = {
        "Providers that may be ordered from": then.filter(status__in=Provider.ALLOWED).count(),
        "Providers suspended": then.filter(status="suspended").count(),
        "Evaluations made": len(made),
        "Found not suitable": sum(each.verdict == Verdict.UNSUITABLE for each in made),
        "Evaluations overdue at the end": then.exclude(status="ended")
        .filter(next_due__lt=period.end)
        .count(),
    }
    words = {label: str(count) if count else "" for label, count in found.items()}
    mean = f"{sum(scores) / len(scores):.2f} of 4" if scores else ""
    return {**words, "Mean score": mean}


# Readiness


@proves("8.4.1")
def providers_prove(edition: str, as_of: datetime) -> Proofs:
    """Providers that were approved after an evaluation, and what was late or in doubt."""
    day = day_of(as_of)
    rows = list(as_it_was(Provider, as_of).exclude(status="ended").order_by("-last_on", "number"))
    allowed = [row for row in rows if row.status in Provider.ALLOWED]
    return counted(
        "external providers approved after an evaluation",
        Provider,
        allowed,
        lambda row: (f"{row.number} {row.name}", row.last_on),
        _gaps(rows, day),
        shows=("retain",),
    )


def _gaps(rows: list[Any], day: date) -> Iterable[Blocker]:
    if not rows:
        url = reverse("providers:provider_create")
        yield Blocker("No external provider is entered.", url, "Enter one")
    for row in rows:
        if why := _why_open(row, day):
            record = Provider(pk=row.id)
            yield Blocker(
                f"{row.number} {row.name} {why}.", record.get_absolute_url(), "Open", of=record
            )


def _why_open(row: Any, day: date) -> str:
    if row.next_due < day:
        return f"was to be evaluated by {row.next_due:%-d %B %Y}"
    if row.status in FITTING and row.verdict not in FITTING[row.status]:
        return "is approved, and the last evaluation says otherwise"
    return ""
