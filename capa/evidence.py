"""What the evidence pack and the management review get from nonconformities (10.2)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from typing import Any

from django.contrib.contenttypes.models import ContentType

from capa import output_prints
from capa.costs import summed_up
from capa.models import (
    CaseAction,
    Complaint,
    CorrectiveAction,
    CostEntry,
    NonconformingOutput,
    Nonconformity,
    Report,
)
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
        .select_related("site", "customer", "cause_analysis", "eight_d__created_by")
        .order_by("number")
    )


@contributions.evidence(
    folder="11-nonconformities",
    title="Nonconformities and corrective action",
    clauses=("10.2", "10.2.1", "10.2.2"),
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


def what_it_rests_on(records: Sequence[Nonconformity]) -> Iterable[tuple[Nonconformity, Any]]:
    """Its corrective actions and their tasks: what shows that they were done."""
    by_key = {each.pk: each for each in records}
    own = Action.objects.raised_from(*records).exclude(status=Action.Status.VOID).order_by("pk")
    found: list[tuple[Nonconformity, Any]] = [(by_key[each.origin_id], each) for each in own]
    links = CaseAction.objects.live().filter(nonconformity__in=records).order_by("pk")
    serving: dict[int, Nonconformity] = {}
    for link in links.select_related("corrective_action"):
        first = serving.setdefault(link.corrective_action_id, by_key[link.nonconformity_id])
        if first is by_key[link.nonconformity_id]:
            found.append((first, link.corrective_action))
    actions = CorrectiveAction.objects.filter(pk__in=list(serving))
    tasks = Action.objects.raised_from(*actions).exclude(status=Action.Status.VOID)
    kind = ContentType.objects.get_for_model(Nonconformity)
    told = Report.objects.filter(became_id__in=list(by_key), became_type=kind)
    found += [(by_key[each.became_id], each) for each in told.order_by("pk")]
    return [*found, *((serving[each.origin_id or 0], each) for each in tasks.order_by("pk"))]


@contributions.register(
    name="corrective-actions",
    title="Corrective actions",
    columns=(
        "Number",
        "What it changes",
        "Cause",
        "Nonconformities",
        "Owner",
        "State",
        "Effective when",
        "Checked on",
        "Decision",
        "Decided by",
        "Decided on",
        "Successor of",
    ),
)
def register_of_actions(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row for each corrective action that was open at any time in the period."""
    rows = CorrectiveAction.objects.standing().exclude(verified_on__lt=period.start)
    rows = rows.select_related("owner", "verified_by", "predecessor").order_by("number")
    served: dict[int, list[str]] = {}
    links = CaseAction.objects.live().select_related("nonconformity").order_by("pk")
    for link in links:
        served.setdefault(link.corrective_action_id, []).append(link.nonconformity.number)
    for action in rows:
        if day_of(action.recorded_at) > period.end:
            continue
        yield (
            action.number,
            action.title,
            action.cause,
            ", ".join(served.get(action.pk, ())),
            action.owner.name,
            action.get_status_display(),
            action.criterion,
            action.check_on,
            action.verdict,
            action.verified_by.name if action.verified_by else "",
            action.verified_on,
            action.predecessor.number if action.predecessor else "",
        )


@contributions.printed(
    folder="11-nonconformities",
    model_label="capa.Nonconformity",
    template=TEMPLATE,
    context=nc_context,
    brings=what_it_rests_on,
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
        "effective": _effective(period),
    }


def _effective(period: Period) -> str:
    """Found effective of all whose effectiveness was decided in the period."""
    judged = CorrectiveAction.objects.judged_between(period.start, period.end)
    count = judged.count()
    good = judged.filter(status=CorrectiveAction.Status.EFFECTIVE).count()
    return f"{good} of {count}" if count else "–"


@contributions.review_input(key="c4", title="Nonconformities and corrective actions", order=10)
def review_input(period: Period) -> list[Line]:
    """This period beside the one before, so that a trend can be seen."""
    now, before = figures(period), figures(period.previous())
    labels = {
        "raised": "Nonconformities raised",
        "closed": "Nonconformities closed",
        "median": "Median days to close",
        "open": "Open at the end of the period",
        "effective": "Corrective actions found effective, of those judged",
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
    return {
        "10.2.1": counted("nonconformities on record", Nonconformity, rows, _told, blockers),
        "10.2.2": counted("nonconformities on record", Nonconformity, rows, _told),
    }


def _told(row: Any) -> tuple[str, date | None]:
    return f"{row.number} {row.title}", row.detected_on


# Nonconforming outputs --------------------------------------------------------------------------


def outputs_of(period: Period) -> Any:
    """Every nonconforming output that was open at any time in the period, void ones left out."""
    rows = NonconformingOutput.objects.standing().filter(found_on__lte=period.end)
    related = ("process", "site", "customer", "nonconformity", "decided_by", "created_by")
    people = ("reworked_by", "verified_by", "made_by")
    rows = rows.exclude(settled_on__lt=period.start).select_related(*related, *people)
    return rows.order_by("number")


@contributions.evidence(
    folder="11-nonconformities",
    title="Nonconforming outputs",
    clauses=("8.7", "8.7.1", "8.7.2"),
    template="capa/evidence/outputs.html",
    order=60,
)
def outputs_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """What was held, what was decided, by whose authority."""
    return {"outputs": list(outputs_of(period)), "period": period}


@contributions.register(
    name="nonconforming-outputs",
    title="Nonconforming outputs",
    columns=(
        "Number",
        "What is wrong",
        "Product",
        "Lot",
        "Quantity",
        "Unit",
        "Process",
        "Found",
        "State",
        "Disposition",
        "Because",
        "Decided by",
        "Decided on",
        "Customer's agreement",
        "Rework",
        "Verified again",
        "Verified by",
        "Settled on",
        "Nonconformity",
    ),
)
def register_of_outputs(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a nonconforming output."""
    for each in outputs_of(period):
        yield (
            each.number,
            each.what,
            each.product,
            each.lot,
            each.quantity,
            each.unit,
            str(each.process or ""),
            each.found_on,
            each.get_status_display(),
            each.get_disposition_display(),
            each.because,
            each.decided_by.name if each.decided_by else "",
            each.decided_on,
            each.agreement,
            each.rework,
            each.result,
            each.verified_by.name if each.verified_by else "",
            each.settled_on,
            each.nonconformity.number if each.nonconformity else "",
        )


@contributions.printed(
    folder="11-nonconformities",
    model_label="capa.NonconformingOutput",
    template=output_prints.TEMPLATE,
    context=output_prints.output_context,
)
def printed_outputs(period: Period, as_of: datetime) -> Iterable[tuple[NonconformingOutput, str]]:
    """One sheet each."""
    for each in outputs_of(period):
        yield each, each.number


@proves()
def outputs_prove(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """What was held, and what nobody has decided about in its days."""
    rows = list(as_it_was(NonconformingOutput, as_of).exclude(status="void").order_by("-number"))
    late = [
        row
        for row in rows
        if row.status not in NonconformingOutput.SETTLED and row.due and row.due < day_of(as_of)
    ]
    blockers = [
        Blocker(
            f"{row.number} is held past its day: {row.what}.",
            NonconformingOutput(pk=row.id).get_absolute_url(),
            "Go on",
            of=NonconformingOutput(pk=row.id),
        )
        for row in late
    ]
    said = "nonconforming outputs on record"
    return {
        "8.7.1": counted(said, NonconformingOutput, rows, _told_output, blockers),
        "8.7.2": counted(said, NonconformingOutput, rows, _told_output),
    }


def _told_output(row: Any) -> tuple[str, date | None]:
    return f"{row.number} {row.what}", row.found_on


# Complaints -------------------------------------------------------------------------------------


def complaints_of(period: Period) -> Any:
    """Every complaint that was open at any time in the period, void ones left out."""
    rows = Complaint.objects.standing().filter(feedback__heard_on__lte=period.end)
    rows = rows.exclude(closed_on__lt=period.start)
    return rows.select_related("feedback__customer", "owner", "closed_by").order_by("number")


@contributions.evidence(
    folder="11-nonconformities",
    title="Complaints of customers",
    clauses=("8.2.1", "9.1.2"),
    template="capa/evidence/complaints.html",
    order=70,
)
def complaints_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """What was complained of, when it was answered, what the customer said to it."""
    return {"complaints": list(complaints_of(period)), "period": period}


@contributions.register(
    name="complaints",
    title="Complaints of customers",
    columns=(
        "Number",
        "Feedback",
        "Customer",
        "About",
        "What they said",
        "Heard",
        "Who answers",
        "State",
        "Acknowledged",
        "Answered",
        "In time",
        "Justified",
        "Why",
        "What they get",
        "Verdict",
        "What was done then",
        "Closed",
    ),
)
def register_of_complaints(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a complaint."""
    for each in complaints_of(period):
        in_time = {True: "yes", False: "no", None: ""}[each.answered_in_time]
        yield (
            each.number,
            each.feedback.number,
            each.feedback.from_whom,
            each.feedback.about,
            each.feedback.words,
            each.feedback.heard_on,
            each.owner.name,
            each.get_status_display(),
            each.acknowledged_on,
            each.answered_on,
            in_time,
            each.get_justified_display(),
            each.justified_because,
            each.outcome,
            each.get_verdict_display(),
            each.what_then,
            each.closed_on,
        )


# Cost of poor quality ----------------------------------------------------------------------------


@contributions.evidence(
    folder="08-performance",
    title="Cost of poor quality",
    clauses=("9.1.3",),
    template="capa/evidence/costs.html",
    order=80,
    permission="capa.view_costentry",
)
def costs_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """What failures cost, by kind, beside as many days before; no case and no customer."""
    now, before = (summed_up(CostEntry.objects.all(), each) for each in (period, period.previous()))
    kinds = sorted({*now.by_kind, *before.by_kind}, key=lambda each: (each[0], each[1]))
    nothing = Decimal(0)
    return {
        "now": now,
        "before": before,
        "period": period,
        "earlier": period.previous(),
        "rows": [
            (
                "external" if external else "internal",
                kind,
                now.by_kind.get((external, kind), nothing),
                before.by_kind.get((external, kind), nothing),
            )
            for external, kind in kinds
        ],
    }


@contributions.preflight
def complaints_that_wait(period: Period) -> list[Concern]:
    """Complaints past the day of their step."""
    late = Complaint.objects.overdue(period.end).count()
    if not late:
        return []
    words = "complaint is" if late == 1 else "complaints are"
    return [Concern(f"{late} {words} past the day.", "/nonconformities/complaints/", "soon")]
