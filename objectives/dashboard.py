"""What the home page, the dashboard, the calendar and the search get from objectives."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models import Count, Q

from objectives.models import Indicator, Objective, SignalAnswer, readings_of
from objectives.status import (
    AT_RISK,
    MISSED,
    NO_DATA,
    OFF_TRACK,
    ON_TRACK,
    TONES,
    WORDS,
    standing_of,
)
from qms import contributions
from qms.contributions import (
    AuditQuestion,
    Entry,
    Holding,
    IndicatorCourse,
    Indicators,
    Related,
    Tile,
    held,
)
from qms.periods import Period
from qms.periods import today as today_here
from qms.scope.models import Process, ProcessMember

contributions.navigation(
    "Plan",
    "Objectives",
    "objectives:objective_list",
    icon="target",
    permission="objectives.view_objective",
    order=40,
)
contributions.navigation(
    "Check",
    "Indicators",
    "objectives:indicator_list",
    icon="chart-line",
    permission="objectives.view_indicator",
    order=5,
    also=("objectives:readings_enter", "objectives:sheet_list"),
)
contributions.navigation(
    "Check",
    "Analyses",
    "objectives:analysis_list",
    icon="chart-histogram",
    permission="objectives.view_analysis",
    order=6,
)
contributions.create_entry(
    "Readings",
    "objectives:readings_enter",
    icon="chart-line",
    permission="objectives.measure_indicator",
    order=45,
)
contributions.create_entry(
    "Objective",
    "objectives:objective_create",
    icon="target",
    permission="objectives.add_objective",
    order=50,
)


@contributions.tile(order=10, permission="objectives.view_objective")
def objectives_tile(today: date, count: Mapping[str, int]) -> Tile:
    """How many of the objectives pursued now are on track, by their readings."""
    active = list(Objective.objects.active().with_readings())
    counts = Counter(standing_of(each, today).state for each in active)
    good = counts[ON_TRACK] + counts["achieved"]
    if not active:
        return Tile("Objectives", "–", "No objective is pursued.", "plain", "/objectives/standing/")
    off = counts[OFF_TRACK] + counts[MISSED]
    blind = counts[NO_DATA]
    note = "Every one is on track." if good == len(active) else "on track by their readings."
    if blind:
        note = f"{blind} cannot be judged: readings are missing."
    tone = "late" if off else "soon" if counts[AT_RISK] or blind else "fine"
    return Tile(
        title="Objectives",
        figure=f"{good} of {len(active)}",
        note=note,
        tone=tone,  # type: ignore[arg-type]
        url="/objectives/standing/",
        rows=[(WORDS[state], str(counts[state])) for state in WORDS if counts[state]],
    )


@contributions.calendar
def deadlines(person: Any, start: date, end: date) -> list[Entry]:
    """When objectives are to be reached."""
    rows = Objective.objects.visible_to(person).active().filter(deadline__range=(start, end))
    return [
        Entry(each.deadline, each.title, "Objective", each.get_absolute_url())
        for each in rows.order_by("deadline", "pk")[:200]
    ]


@contributions.relates(
    Process, "Indicators", permission="objectives.view_objective", add="objectives:objective_create"
)
def indicators_of_processes(ids: Iterable[int], person: Any) -> dict[int, list[Related]]:
    """What a process is measured by: how its objectives stand, and its other indicators."""
    keys, day = list(ids), today_here()
    found: dict[int, list[Related]] = {}
    objectives = Objective.objects.active().filter(process__in=keys).with_readings()
    aimed = set()
    for each in (objectives.visible_to(person) if person else objectives).order_by("number"):
        state = standing_of(each, day).state
        row = Related(
            each.title,
            each.number,
            each.get_absolute_url(),
            f"{each.metric}: {WORDS[state].lower()}",
            TONES[state] or "plain",  # type: ignore[arg-type]
        )
        aimed.add((each.process_id, each.indicator_id))
        found.setdefault(each.process_id or 0, []).append(row)
    indicators = Indicator.objects.in_use().filter(process__in=keys).with_readings(1)
    for each in (indicators.visible_to(person) if person else indicators).order_by("number"):
        if (each.process_id, each.pk) not in aimed:
            note = f"last {each.shown(each.known_values[0])}" if each.known_values else "no reading"
            row = Related(each.title, each.number, each.get_absolute_url(), note)
            found.setdefault(each.process_id or 0, []).append(row)
    return found


@contributions.owns("Objectives", permission="objectives.view_objective", order=40)
def objectives_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many objectives pursued now each person answers for."""
    rows = Objective.objects.active().filter(owner__in=list(ids))
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.owns("Indicators", permission="objectives.view_indicator", order=42)
def indicators_answered_for(ids: Iterable[int]) -> dict[int, int]:
    """How many indicators in use each person is responsible for."""
    rows = Indicator.objects.in_use().filter(responsible__in=list(ids))
    return dict(rows.values_list("responsible").annotate(many=Count("pk")).order_by())


@contributions.hand_over("Indicators", order=42)
def indicators_to_hand_over(person: Any) -> list[Holding]:
    """Indicators somebody enters the readings of."""
    rows = Indicator.objects.in_use().answered_by(person).order_by("title", "pk")
    return held(rows, "responsible", permission="objectives.measure_indicator")


@contributions.hand_over("Objectives", order=40)
def objectives_to_hand_over(person: Any) -> list[Holding]:
    """Objectives somebody pursues."""
    running = (Objective.Status.DRAFT, Objective.Status.ACTIVE)
    rows = Objective.objects.filter(owner=person, status__in=running).order_by("deadline", "pk")
    return held(rows, "owner", permission="objectives.measure_indicator")


@contributions.mine("Objectives I contribute to", order=40)
def my_objectives(person: Any) -> list[Related]:
    """Running objectives of the processes somebody works in, and their own."""
    member = ProcessMember.objects.live().filter(person=person)
    mine = Q(owner=person) | Q(process__owner=person) | Q(process__in=member.values("process_id"))
    rows = Objective.objects.visible_to(person).filter(mine, status=Objective.Status.ACTIVE)
    return [
        Related(str(each.title), "", each.get_absolute_url(), day=each.deadline)
        for each in rows.order_by("deadline", "pk")[:100]
    ]


def _choose(person: Any, query: str, limit: int) -> list[tuple[int, str]]:
    rows = Indicator.objects.visible_to(person).in_use().known_as(query).order_by("title", "pk")
    return [(each.pk, str(each)) for each in rows[:limit]]


def _course(key: int, period: Period, person: Any) -> IndicatorCourse | None:
    rows = Indicator.objects.visible_to(person) if person else Indicator.objects.all()
    indicator = rows.filter(pk=key).first()
    if indicator is None:
        return None
    readings = [each for each in readings_of(indicator) if each[0] in period]
    values = tuple(value for _, value in readings)
    shown = tuple(indicator.shown(value) for value in values)
    said = f"No reading of {indicator.title} in {period}."
    if values:
        count = "1 reading" if len(values) == 1 else f"{len(values)} readings"
        said = f"{indicator.title}: {count} in {period}, from {shown[0]} to {shown[-1]}."
    return IndicatorCourse(
        indicator.title,
        indicator.number,
        indicator.get_absolute_url(),
        indicator.unit,
        tuple(day for day, _ in readings),
        values,
        shown,
        said,
    )


contributions.tells_indicators(Indicators(_choose, _course))


@contributions.audit_factor
def signals_of_processes(since: Mapping[int, date], today: date) -> Iterable[tuple[int, str, int]]:
    """Signals of a process's indicators that meant something, since its last audit."""
    rows = SignalAnswer.objects.filter(indicator__process__in=list(since))
    counted: Counter[int] = Counter()
    for process, day in rows.exclude(found=SignalAnswer.Found.NOTHING).values_list(
        "indicator__process_id", "day"
    ):
        counted[process] += day > since[process]
    return [
        (
            process,
            f"{count} signal{'s' if count > 1 else ''} of its indicators.",
            min(5 * count, 15),
        )
        for process, count in sorted(counted.items())
        if count
    ]


@contributions.audit_question
def questions_about_indicators(
    process: Process, since: date, person: Any
) -> Iterable[AuditQuestion]:
    """Each indicator of a process, first those that showed signals since its last audit."""
    rows = Indicator.objects.visible_to(person).filter(process=process, status="active")
    signals = Count("answers", filter=Q(answers__day__gt=since))
    for each in rows.annotate(signals=signals).order_by("-signals", "number"):
        if each.signals:
            many = f"{each.signals} signal{'s' if each.signals > 1 else ''}"
            words = f"“{each.title}” showed {many}: what was behind, and does what was done work?"
            origin = f"{each.number}, {many} since {since:%-d %B %Y}"
        else:
            words = f"“{each.title}”: who looks at it, and what is done when it drifts?"
            origin = f"{each.number}, no signal since {since:%-d %B %Y}"
        yield AuditQuestion(words, origin, each.get_absolute_url(), is_pressing=bool(each.signals))
