"""What the evidence pack and the management review get from objectives (6.2, 9.1)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from objectives import schedule
from objectives.models import (
    Analysis,
    ControlLimits,
    Indicator,
    Measurement,
    Objective,
    SignalAnswer,
    readings_of,
)
from objectives.prints import (
    ANALYSIS,
    INDICATOR,
    TEMPLATE,
    analysis_context,
    indicator_context,
    objective_context,
)
from objectives.status import NO_DATA, standing_of
from qms import contributions
from qms.contributions import Line
from qms.periods import Period, add_months, day_of, today
from qms.proofs import (
    Blocker,
    Example,
    GapSignal,
    Proofs,
    as_it_was,
    counted,
    example,
    gap_signal,
    proves,
)
from qms.scope.models import Process


def objectives_of(period: Period) -> Any:
    """Every objective pursued at any time in the period."""
    rows = Objective.objects.pursued_between(period.start, period.end).with_readings()
    people = ("owner", "process", "site", "parent", "concluded_by", "created_by")
    return rows.select_related(*people).order_by("number")


def _until(period: Period) -> Any:
    """The day a period is judged on: its last, or today while it runs."""
    return min(period.end, today())


@contributions.evidence(
    folder="04-risks-objectives",
    title="Quality objectives and how they stand",
    clauses=("6.2", "6.2.1", "6.2.2", "9.1.1", "9.1.3"),
    template="objectives/evidence/objectives.html",
    order=60,
)
def objectives_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """Each objective with target, last value and status at the end of the period."""
    day = _until(period)
    return {
        "rows": [(each, standing_of(each, day)) for each in objectives_of(period)],
        "period": period,
    }


def indicators_of(period: Period) -> Any:
    """Every indicator in use, and those retired since that have readings in the period."""
    read = Measurement.objects.live().between(period.start, period.end)
    used = Q(status=Indicator.Status.ACTIVE) | Q(Exists(read.filter(indicator=OuterRef("pk"))))
    rows = Indicator.objects.exclude(status=Indicator.Status.VOID).filter(used)
    return rows.select_related("responsible", "process", "site", "created_by").order_by("number")


@contributions.evidence(
    folder="04-risks-objectives",
    title="Indicators and whether they were measured",
    clauses=("9.1.1", "9.1.3"),
    template="objectives/evidence/indicators.html",
    order=65,
)
def indicators_section(period: Period, as_of: datetime) -> dict[str, Any]:
    """Each indicator with how many readings were expected and taken, and its last value."""
    rows = list(indicators_of(period))
    taken: dict[int, list[tuple[date, Any]]] = defaultdict(list)
    live = Measurement.objects.live().between(period.start, _until(period))
    names = ("indicator_id", "measured_for", "value")
    for key, day, value in live.order_by("measured_for").values_list(*names):
        taken[key].append((day, value))
    return {"rows": [_taken(each, taken[each.pk], period) for each in rows], "period": period}


def _taken(indicator: Any, readings: list[tuple[date, Any]], period: Period) -> dict[str, Any]:
    due = schedule.expected_by(
        indicator.frequency, max(indicator.starts_on, period.start), None, _until(period)
    )
    missing = schedule.without_reading(due, [day for day, _ in readings])
    return {
        "indicator": indicator,
        "taken": len(readings),
        "missing": len(missing),
        "last": indicator.shown(readings[-1][1]) if readings else "–",
    }


@contributions.register(
    name="indicators",
    title="Indicators",
    columns=(
        "Number",
        "Indicator",
        "Unit",
        "Measured",
        "Responsible",
        "Process",
        "Site",
        "From",
        "Collected",
        "Chart",
        "Since",
        "State",
    ),
)
def indicator_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row an indicator."""
    for each in indicators_of(period):
        yield (
            each.number,
            each.title,
            each.unit,
            each.get_frequency_display(),
            each.responsible.name,
            str(each.process or ""),
            str(each.site or ""),
            each.source,
            each.get_collection_display(),
            each.get_chart_display(),
            each.starts_on,
            each.get_status_display(),
        )


@contributions.register(
    name="objectives",
    title="Quality objectives",
    columns=(
        "Number",
        "Objective",
        "Process",
        "Owner",
        "Measured",
        "Baseline",
        "Target",
        "Unit",
        "Starts",
        "Deadline",
        "Last value",
        "Status by the readings",
        "State",
        "Verdict",
    ),
)
def objective_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row an objective."""
    day = _until(period)
    for each in objectives_of(period):
        standing = standing_of(each, day)
        yield (
            each.number,
            each.title,
            str(each.process or ""),
            each.owner.name if each.owner else "",
            each.metric,
            each.baseline,
            each.aim_in_words,
            each.unit,
            each.starts_on,
            each.deadline,
            standing.value,
            standing.words,
            each.get_status_display(),
            each.verdict,
        )


@contributions.register(
    name="measurements",
    title="Readings of indicators",
    columns=(
        "Indicator",
        "Value of",
        "Value",
        "Unit",
        "Behind it",
        "Note",
        "Came",
        "State",
        "Entered by",
        "Entered",
    ),
)
def measurement_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a reading, corrected and void ones too, marked."""
    rows = Measurement.objects.between(period.start, period.end)
    for each in rows.select_related("indicator", "created_by").order_by(
        "indicator__number", "measured_for", "pk"
    ):
        yield (
            each.indicator.number,
            each.measured_for,
            each.value,
            each.indicator.unit,
            each.behind,
            each.note,
            each.get_came_by_display(),
            each.get_status_display(),
            each.created_by.name,
            each.recorded_at,
        )


@contributions.register(
    name="signals",
    title="Signals of indicators and what was found",
    columns=(
        "Indicator",
        "Measured",
        "Reading of",
        "Rules",
        "What was found",
        "In words",
        "Nonconformity",
        "Explained by",
        "Explained",
    ),
)
def signal_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row an explained signal of the period."""
    rows = SignalAnswer.objects.filter(day__range=(period.start, period.end))
    for each in rows.select_related("indicator", "nonconformity", "created_by").order_by(
        "indicator__number", "day", "pk"
    ):
        yield (
            each.indicator.number,
            each.indicator.title,
            each.day,
            each.rules,
            each.get_found_display(),
            each.words,
            each.nonconformity.number if each.nonconformity else "",
            each.created_by.name,
            each.recorded_at,
        )


@contributions.register(
    name="control-limits",
    title="Decisions about control limits",
    columns=(
        "Indicator",
        "Measured",
        "Chart",
        "Hold from",
        "From the reading of",
        "To the reading of",
        "Readings",
        "Left out",
        "Why",
        "State",
        "Decided by",
        "Decided",
    ),
)
def limits_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row a decision that had been made by the end of the period, taken back ones too."""
    rows = ControlLimits.objects.filter(holds_from__lte=period.end)
    for each in rows.select_related("indicator", "created_by").order_by(
        "indicator__number", "holds_from", "pk"
    ):
        yield (
            each.indicator.number,
            each.indicator.title,
            each.get_chart_display(),
            each.holds_from,
            each.first_on,
            each.last_on,
            each.periods,
            ", ".join(each.left_out),
            each.because,
            each.get_status_display(),
            each.created_by.name,
            each.recorded_at,
        )


@contributions.printed(
    folder="04-risks-objectives",
    model_label="objectives.Objective",
    template=TEMPLATE,
    context=objective_context,
)
def printed_objectives(period: Period, as_of: datetime) -> Iterable[tuple[Objective, str]]:
    """One page each, with its chart."""
    for each in objectives_of(period):
        yield each, each.number


@contributions.printed(
    folder="04-risks-objectives",
    model_label="objectives.Indicator",
    template=INDICATOR,
    context=indicator_context,
)
def printed_indicators(period: Period, as_of: datetime) -> Iterable[tuple[Indicator, str]]:
    """One page each, with its chart."""
    for each in indicators_of(period):
        yield each, each.number


@contributions.review_input(key="c2", title="Achievement of quality objectives", order=10)
def achievement(period: Period) -> list[Line]:
    """Each objective at the end of this period beside the end of the one before."""
    before = period.previous()
    lines = []
    for each in objectives_of(period):
        now, then = _at_end(each, period), _at_end(each, before)
        label = f"{each.number} {each.title} ({each.aim_in_words})"
        lines.append(Line(label, now, then, url=each.get_absolute_url()))
    return lines


def _at_end(objective: Any, period: Period) -> str:
    """The value and status at the end of a period; what had not begun says so."""
    day = _until(period)
    if objective.starts_on > period.end:
        return "not begun"
    standing = standing_of(objective, day)
    words = standing.words.lower()
    if standing.value is None:
        return words
    return f"{objective.shown(standing.value)}, {words}"


@contributions.review_input(key="c5", title="Monitoring and measurement results", order=10)
def monitoring(period: Period) -> list[Line]:
    """Whether what is to be measured was measured, and how many objectives can be judged."""
    now, before = _counts(period), _counts(period.previous())
    if not any((*now, *before)):
        return []
    labels = (
        "Objectives measured",
        "Readings expected",
        "Periods without a reading",
        "Objectives that cannot be judged for want of data",
    )
    return [
        Line(label, str(n), str(b), url="/objectives/")
        for label, n, b in zip(labels, now, before, strict=True)
    ]


def _counts(period: Period) -> tuple[int, int, int, int]:
    """(measured, expected, missing, without data) of a period."""
    day, measured, expected, missing, blind = _until(period), 0, 0, 0, 0
    for each in objectives_of(period):
        days = [day_ for day_, _ in readings_of(each, until=day)]
        due = schedule.expected_by(each.frequency, each.starts_on, each.deadline, day)
        due = [p for p in due if p.start >= period.start]
        expected += len(due)
        missing += len(schedule.without_reading(due, days))
        measured += any(day_ in period for day_ in days)
        blind += standing_of(each, day).state == NO_DATA
    return measured, expected, missing, blind


# What the records prove, and what they betray -------------------------------------------------


@proves()
def objectives_prove(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """The objectives that were pursued, and their readings of the twelve months before."""
    day = day_of(as_of)
    known = as_it_was(Objective, as_of).filter(status="active").select_related("indicator")
    rows = list(known.order_by("number"))
    readings = as_it_was(Measurement, as_of).filter(
        status=Measurement.Status.LIVE, measured_for__range=(add_months(day, -12), day)
    )
    days: dict[int, list[date]] = defaultdict(list)
    for indicator, measured in readings.values_list("indicator_id", "measured_for"):
        days[indicator].append(measured)
    begin = Blocker("No objective is pursued.", reverse("objectives:objective_create"), "Set one")
    none = () if rows else (begin,)
    return {
        "6.2.1": counted("objectives pursued", Objective, rows, _named, none),
        "6.2.2": counted(
            "objectives with a plan", Objective, [row for row in rows if row.plan], _named
        ),
        "9.1.1": Proofs(
            "readings in the twelve months before",
            sum(map(len, days.values())),
            _measured(rows, days),
            tuple(_behind(rows, days, day)),
        ),
        "9.1.3": counted(
            "objectives with readings",
            Objective,
            [row for row in rows if days[row.indicator_id]],
            _named,
        ),
    }


def _named(row: Any) -> tuple[str, date | None]:
    return f"{row.number} {row.title}", row.activated_on


def _measured(rows: list[Any], days: dict[int, list[date]]) -> tuple[Example, ...]:
    told = [row for row in rows if days[row.indicator_id]][:3]
    return tuple(
        example(Objective, row, str(row.number), max(days[row.indicator_id])) for row in told
    )


def _behind(rows: list[Any], days: dict[int, list[date]], day: date) -> Iterable[Blocker]:
    """Objectives without the reading of their last period."""
    for row in rows:
        rhythm = row.indicator.frequency
        due = schedule.latest_expected(rhythm, row.starts_on, row.deadline, day)
        if due is not None and schedule.without_reading([due], days[row.indicator_id]):
            record = Indicator(pk=row.indicator_id)
            name = schedule.name_of(rhythm, due)
            yield Blocker(
                f"{row.number} {row.title} has no reading for {name}.",
                record.get_absolute_url(),
                "Enter it",
                of=record,
            )


@gap_signal(order=30)
def objectives_missing(edition: str, today: date) -> list[GapSignal]:
    """No objective at all, running processes without one, and readings that were not taken."""
    pursued = list(Objective.objects.active().with_readings().select_related("owner"))
    if not pursued:
        return [
            GapSignal(
                "objectives:none",
                "6.2.1",
                "No quality objective is pursued.",
                reverse("objectives:objective_list"),
                "Set quality objectives with baseline, target and owner",
            )
        ]
    return [*_processes_without(), *_readings_missing(pursued, today)]


def _processes_without() -> Iterable[GapSignal]:
    aimed = Objective.objects.active().filter(process=OuterRef("pk"))
    bare = Process.objects.active().filter(~Exists(aimed)).select_related("owner")
    for process in bare.order_by("code"):
        yield GapSignal(
            f"objectives:process:{process.pk}",
            "6.2.1",
            f"{process.name} has no objective.",
            process.get_absolute_url(),
            f"Set an objective for {process.name}",
            process.owner,
        )


def _readings_missing(pursued: list[Any], today: date) -> Iterable[GapSignal]:
    for each in sorted(pursued, key=lambda one: one.number):
        due = schedule.expected_by(each.frequency, each.starts_on, each.deadline, today)
        missing = len(schedule.without_reading(due, [day for day, _ in readings_of(each)]))
        if missing:
            word = "reading is" if missing == 1 else "readings are"
            yield GapSignal(
                f"objectives:readings:{each.pk}",
                "9.1.1",
                f"{missing} {word} missing for {each.number} {each.title}.",
                each.get_absolute_url(),
                f"Make sure that {each.title} is measured on time",
                each.owner,
                of=each,
            )


# What was concluded from the figures


def analyses_of(period: Period) -> Any:
    """The analyses concluded in the period."""
    rows = Analysis.objects.concluded().filter(concluded_on__range=(period.start, period.end))
    people = ("process", "owner", "concluded_by", "created_by")
    return rows.select_related(*people).order_by("concluded_on", "pk")


@contributions.register(
    name="analyses",
    title="Analyses",
    columns=("Number", "About", "From", "To", "It shows", "Decided", "Concluded", "By"),
)
def analysis_register(period: Period, as_of: datetime) -> Iterable[tuple[Any, ...]]:
    """One row an analysis."""
    for each in analyses_of(period):
        yield (
            each.number,
            each.about,
            each.period_start,
            each.period_end,
            each.conclusions,
            each.decisions,
            each.concluded_on,
            each.concluded_by.name,
        )


@contributions.printed(
    folder="08-performance",
    model_label="objectives.Analysis",
    template=ANALYSIS,
    context=analysis_context,
)
def printed_analyses(period: Period, as_of: datetime) -> Iterable[tuple[Analysis, str]]:
    """Each analysis concluded in the period, with its figures."""
    for each in analyses_of(period):
        yield each, each.number


@contributions.review_input(key="c3", title="Performance of processes", order=30)
def what_was_concluded(period: Period) -> list[Line]:
    """What the analyses of the period show, beside what they showed before."""
    before = {each.process_id: each.conclusions for each in analyses_of(period.previous())}
    return [
        Line(
            f"{each.number} {each.about}",
            f"{each.conclusions} Decided: {each.decisions}",
            before.get(each.process_id, ""),
            url=each.get_absolute_url(),
        )
        for each in analyses_of(period)
    ]


@proves("9.1.3")
def analyses_prove(edition: str, as_of: datetime) -> Proofs | None:
    """Analyses that were concluded."""
    rows = list(
        as_it_was(Analysis, as_of).filter(status="concluded").order_by("-concluded_on", "-id")
    )
    if not rows:
        return None
    return counted(
        "analyses concluded",
        Analysis,
        rows,
        lambda row: (f"{row.number} {row.title}", row.concluded_on),
        shows=("retain",),
    )
