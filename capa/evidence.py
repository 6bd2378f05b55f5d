"""What the evidence pack and the management review get from nonconformities (10.2)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from statistics import median
from typing import Any

from capa.models import Nonconformity
from capa.prints import TEMPLATE, nc_context
from qms import contributions
from qms.actions.models import Action
from qms.clauses import ClauseRef
from qms.contributions import ClauseLine, Concern, Line
from qms.periods import Period, day_of
from qms.proofs import Blocker, Proofs, as_it_was, counted, proves


def log_of(period: Period) -> Any:
    """Every nonconformity that was open at any time in the period, void ones left out."""
    rows = Nonconformity.objects.exclude(status="void").filter(detected_on__lte=period.end)
    return (
        rows.exclude(closed_on__lt=period.start)
        .select_related("process", "owner", "verified_by", "closed_by", "created_by")
        .order_by("number")
    )


@contributions.evidence(
    folder="11-nonconformities",
    title="Nonconformities and corrective action",
    clauses=("10.2", "10.2.1", "10.2.2", "8.7.1", "8.7.2"),
    template="capa/evidence/log.html",
)
def log(period: Period, as_of: datetime) -> dict[str, Any]:
    """The log with grade, state and verdict."""
    return {"nonconformities": list(log_of(period)), "period": period}


@contributions.register(
    name="nonconformities",
    title="Nonconformities",
    columns=(
        "Number",
        "Title",
        "Grade",
        "Source",
        "Clause",
        "Process",
        "Owner",
        "Detected",
        "State",
        "Root cause",
        "Criterion",
        "Verdict",
        "Verified by",
        "Closed on",
    ),
)
def register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a nonconformity."""
    for nc in log_of(period):
        yield (
            nc.number,
            nc.title,
            nc.get_grade_display(),
            nc.get_source_display(),
            nc.clause,
            str(nc.process or ""),
            nc.owner.name if nc.owner else "",
            nc.detected_on,
            nc.get_status_display(),
            nc.root_cause,
            nc.effectiveness_criterion,
            nc.verdict or nc.no_action_because,
            nc.verified_by.name if nc.verified_by else "",
            nc.closed_on,
        )


def actions_of(records: Sequence[Nonconformity]) -> Iterable[tuple[Nonconformity, Action]]:
    """Its actions: what shows that they were done belongs to the nonconformity."""
    by_key = {each.pk: each for each in records}
    rows = Action.objects.raised_from(*records).exclude(status=Action.Status.VOID).order_by("pk")
    return [(by_key[each.origin_id], each) for each in rows]


@contributions.printed(
    folder="11-nonconformities",
    model_label="capa.Nonconformity",
    template=TEMPLATE,
    context=nc_context,
    brings=actions_of,
)
def printed(period: Period, as_of: datetime) -> Iterable[tuple[Nonconformity, str]]:
    """One report each."""
    for nc in log_of(period):
        yield nc, nc.number


def figures(period: Period) -> dict[str, str]:
    """Raised, closed, median days to close, and what is open at the end of the period."""
    closed = Nonconformity.objects.closed_between(period.start, period.end)
    days = [nc.days_open(period.end) for nc in closed.only("detected_on", "closed_on")]
    open_at_end = (
        Nonconformity.objects.exclude(status="void")
        .filter(detected_on__lte=period.end)
        .exclude(closed_on__lte=period.end)
    )
    return {
        "raised": str(Nonconformity.objects.raised_between(period.start, period.end).count()),
        "closed": str(len(days)),
        "median": f"{median(days):g} days" if days else "–",
        "open": str(open_at_end.count()),
    }


@contributions.review_input(key="c4", title="Nonconformities and corrective actions", order=10)
def review_input(period: Period) -> list[Line]:
    """This period beside the one before, so that a trend can be seen."""
    now, before = figures(period), figures(period.previous())
    labels = {
        "raised": "Nonconformities raised",
        "closed": "Nonconformities closed",
        "median": "Median days to close",
        "open": "Open at the end of the period",
    }
    return [
        Line(label, now[key], before[key], url="/nonconformities/") for key, label in labels.items()
    ]


@contributions.clause_evidence
def clause_lines(edition: str) -> list[ClauseLine]:
    """What is open on a clause; without a day, because an open one is no evidence."""
    rows = Nonconformity.objects.open().exclude(clause="").select_related("owner")
    return [
        ClauseLine(
            ref.number,
            f"Open {nc.get_grade_display().lower()} nonconformity",
            nc.title + (f", due {nc.due:%-d %b %Y}" if nc.due else ""),
            nc.number,
            nc.owner.name if nc.owner else "",
            None,
            nc.get_absolute_url(),
        )
        for nc in rows.order_by("number")
        if (ref := ClauseRef.parse(nc.clause)).edition == edition
    ]


@contributions.preflight
def concerns(period: Period) -> list[Concern]:
    """Open majors, and steps that are late."""
    majors = Nonconformity.objects.open().majors().order_by("number")
    found = [
        Concern(f"{nc.number} is a major and open: {nc.title}.", nc.get_absolute_url(), "late")
        for nc in majors[:20]
    ]
    late = Nonconformity.objects.overdue(period.end).exclude(grade="major").count()
    if late:
        words = "minor nonconformity is" if late == 1 else "minor nonconformities are"
        found.append(
            Concern(f"{late} {words} past the day of a step.", "/nonconformities/", "soon")
        )
    return found


# What the records prove -----------------------------------------------------------------------


@proves()
def nonconformities_prove(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """The log as it was, and what in it was past its day."""
    rows = list(as_it_was(Nonconformity, as_of).exclude(status="void").order_by("-number"))
    late = [
        row
        for row in rows
        if row.status not in Nonconformity.SETTLED and row.due and row.due < day_of(as_of)
    ]
    blockers = [
        Blocker(
            f"{row.number} is past its day: {row.title}.",
            Nonconformity(pk=row.id).get_absolute_url(),
            "Go on",
            of=Nonconformity(pk=row.id),
        )
        for row in late
    ]
    products = [row for row in rows if row.source == Nonconformity.Source.PRODUCT]
    return {
        "10.2.1": counted("nonconformities on record", Nonconformity, rows, _told, blockers),
        "10.2.2": counted("nonconformities on record", Nonconformity, rows, _told),
        "8.7.1": counted("of products and services", Nonconformity, products, _told),
        "8.7.2": counted("of products and services", Nonconformity, products, _told),
    }


def _told(row: Any) -> tuple[str, date | None]:
    return f"{row.number} {row.title}", row.detected_on
