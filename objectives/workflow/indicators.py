"""An indicator is measured from the day it is there until it is retired (9.1.1)."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.db.models import Max

from objectives import schedule
from objectives.control import control_of
from objectives.models import Indicator, Measurement, Objective
from qms import contributions
from qms.contributions import Step
from qms.people.models import Person
from qms.refusals import Refused
from qms.workflow import amendment, creates, transition, voids

Status = Indicator.Status
EXPLAIN_WITHIN = 14  # days after a reading is due
PURSUED = (Objective.Status.DRAFT, Objective.Status.ACTIVE)


# Guards


def only_who_keeps_it(indicator: Indicator, by: Any) -> str | None:
    """Who is responsible, the owner of the process, and who keeps or leads the system."""
    process = indicator.process
    known = {indicator.responsible_id, indicator.created_by_id}
    if by.pk in known or (process is not None and by.pk == process.owner_id):
        return None
    if by.holds("quality_manager", "top_management"):
        return None
    return "Only who is responsible for an indicator or the quality manager does this."


def only_who_measures(indicator: Indicator, by: Any) -> str | None:
    """Those, and the owners of the objectives that are judged by it."""
    if not only_who_keeps_it(indicator, by):
        return None
    if Objective.objects.filter(indicator=indicator, owner=by, status__in=PURSUED).exists():
        return None
    return "Only who is responsible for an indicator or the quality manager enters its readings."


def nothing_is_judged_by_it(indicator: Indicator, by: Any) -> str | None:
    """What is pursued needs its readings to the end."""
    pursued = Objective.objects.filter(indicator=indicator, status__in=PURSUED).order_by("number")
    numbers = pursued.values_list("number", flat=True)[:3]
    if not numbers:
        return None
    return f"{' and '.join(numbers)} is judged by it. Conclude or change that objective first."


def nothing_stands_on_it(indicator: Indicator, by: Any) -> str | None:
    """What was used is retired, not taken back."""
    on_board = getattr(indicator, "known_days", ())  # readings that the page has read already
    used = bool(on_board) or Measurement.objects.filter(indicator=indicator).exists()
    if used or Objective.objects.filter(indicator=indicator).exists():
        return "It has readings or objectives, so it was no mistake. Retire it instead."
    return None


def it_means_the_same(indicator: Indicator, changed: Mapping[str, Any]) -> str | None:
    """Readings in percent do not become readings in days by an edit."""
    now = Indicator(chart=changed.get("chart", indicator.chart)).asks
    meant = [name for name in Indicator.MEANING if name in changed]
    if not meant and now == indicator.asks:
        return None
    if not Measurement.objects.filter(indicator=indicator).exists():
        return None
    if meant:
        label = Indicator.column(meant[0]).verbose_name
        return f"It has readings, so the {label} stays. Retire it and measure a new indicator."
    return "Its readings are of another kind than this chart needs. Measure a new indicator."


def its_source_fits(indicator: Indicator, changed: Mapping[str, Any]) -> str | None:
    told = {name: changed.get(name, getattr(indicator, name)) for name in _SOURCED}
    try:
        _check_source(**told)
    except Refused as refusal:
        return str(refusal)
    return None


_SOURCED = ("collection", "computed_by", "chart", "process")


def _check_source(*, collection: str, computed_by: str, chart: str, process: Any) -> None:
    """Refuse what cannot be computed: from nothing, of another kind, or for one process."""
    computed = collection == Indicator.Collection.COMPUTED
    if computed != bool(computed_by):
        raise Refused(
            "Choose what it is computed from."
            if computed
            else "It is computed from our records only where it is collected so.",
            field="computed_by",
        )
    if not computed:
        return
    source = contributions.source_named(computed_by)
    if source is None:
        raise Refused("These figures can no longer be computed.", field="computed_by")
    if process is not None and not source.per_process:
        raise Refused(
            f"“{source.words}” is computed for the whole organisation. Leave the process empty.",
            field="process",
        )
    if Indicator(chart=chart).asks != source.asks:
        kind = "p, np or u" if source.asks == "count" else "of plain values"
        raise Refused(f"“{source.words}” needs a chart {kind}.", field="chart")


# Factory and amendment


@creates(Indicator, permission="objectives.add_indicator")
def add_indicator(
    *,
    by: Person,
    title: str,
    unit: str,
    starts_on: date,
    responsible: Person | None = None,
    **fields: Any,
) -> Indicator:
    """Measure something from now on; who is responsible is asked for every period's reading."""
    if not title.strip():
        raise Refused("Say what is measured.", field="title")
    if not unit.strip():
        raise Refused("Say in which unit, like % or days.", field="unit")
    process = fields.get("process")
    if fields.get("computed_by"):
        fields["collection"] = Indicator.Collection.COMPUTED
    indicator = Indicator(
        title=title.strip(),
        unit=unit.strip(),
        starts_on=starts_on,
        responsible=responsible or (process.owner if process else None) or by,
        created_by=by,
        **fields,
    )
    indicator.check_order()
    _check_source(**{name: getattr(indicator, name) for name in _SOURCED})
    indicator.save()
    return indicator


editing = amendment(
    Indicator,
    permission="objectives.change_indicator",
    fields=Indicator.DEFINITION,
    only=only_who_keeps_it,
    states=(Status.ACTIVE,),
    checks=[it_means_the_same, its_source_fits],
)


# Transitions


@transition(
    Indicator,
    source=Status.ACTIVE,
    target=Status.RETIRED,
    permission="objectives.change_indicator",
    only=only_who_keeps_it,
    guards=[nothing_is_judged_by_it],
    reason=True,
    primary=False,
)
def retire(indicator: Indicator, *, by: Any) -> None:
    """Measure it no more; its readings stay."""


@transition(
    Indicator,
    source=Status.RETIRED,
    target=Status.ACTIVE,
    permission="objectives.change_indicator",
    only=only_who_keeps_it,
    reason=True,
    label="Measure again",
    primary=False,
)
def resume(indicator: Indicator, *, by: Any) -> None:
    """Measure it again from now on."""


void_indicator = voids(
    Indicator,
    source=Status.ACTIVE,
    permission="objectives.void_indicator",
    guards=[nothing_stands_on_it],
)


# Who has to do what next


@contributions.work(Indicator)
def next_steps(indicator: Indicator) -> list[Step]:
    """Who is responsible enters the next reading, and explains what the chart signals."""
    if indicator.status != Status.ACTIVE:
        return []
    asked = [] if indicator.is_computed else _next_reading(indicator)
    return asked + _to_explain(indicator)


def _next_reading(indicator: Indicator) -> list[Step]:
    last = Measurement.objects.live().filter(indicator=indicator).aggregate(day=Max("measured_for"))
    days = [last["day"]] if last["day"] else []
    period = schedule.next_reading(indicator.frequency, indicator.starts_on, None, days)
    if period is None:
        return []
    due = schedule.due_on(indicator.frequency, period)
    url = f"{indicator.get_absolute_url()}reading/"
    return [Step("measure", "Enter", person=indicator.responsible, due=due, url=url)]


def _to_explain(indicator: Indicator) -> list[Step]:
    """The newest signal that nobody answered, by what began it; older ones stand on the page."""
    if indicator.chart == Indicator.Chart.RUN:
        return []
    seen = control_of(indicator).to_explain
    if seen is None:
        return []
    period = schedule.period_of(indicator.frequency, seen.day)
    due = schedule.due_on(indicator.frequency, period) + timedelta(days=EXPLAIN_WITHIN)
    url = f"{indicator.get_absolute_url()}signals/{seen.day.isoformat()}/"
    return [Step("explain", "Explain", person=indicator.responsible, due=due, url=url)]
