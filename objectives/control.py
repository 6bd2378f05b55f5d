"""An indicator as a control chart: its readings, the limits in force, its signals (9.1.3).

Until somebody freezes limits, the first readings make provisional ones, which stand still as soon
as there are enough. Limits in force hold from their day on; what lies before keeps those it had.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

from objectives import schedule, spc
from objectives.models import ControlLimits, Indicator, SignalAnswer, series_of, series_of_each
from objectives.models.readings import Taken
from objectives.spc import Baseline, ControlChart, Kind, Row
from qms.refusals import Refused

MOST_JUDGED = 150  # readings a chart is computed from, the newest: it draws 120 of them
FEWEST = 8  # readings before limits mean anything
CUSTOMARY = 24  # readings that limits rest on, as a rule

# Exact arithmetic takes its time, and the same readings are looked at again and again.
_charted = lru_cache(maxsize=256)(spc.chart)
_baseline_of = lru_cache(maxsize=256)(spc.baseline_of)
_problems = lru_cache(maxsize=256)(spc.problems)


@dataclass(frozen=True)
class Stretch:
    """Periods that one set of limits holds for; `limits` is None while they are provisional."""

    start: int
    chart: ControlChart
    limits: ControlLimits | None


@dataclass(frozen=True)
class Seen:
    """A signal: at which period, which rules, in which of the two charts, and who answered it."""

    index: int
    day: date
    name: str
    value: Decimal
    shown: str
    words: tuple[str, ...]
    rules: tuple[int, ...]
    of_ranges: bool
    answer: SignalAnswer | None = None
    goes_on: bool = False

    @property
    def is_open(self) -> bool:
        return self.answer is None


@dataclass(frozen=True)
class Control:
    """Everything a page, a print or a reminder needs of an indicator's control chart."""

    indicator: Indicator
    periods: tuple[tuple[str, date], ...]
    taken: tuple[Taken | None, ...]
    stretches: tuple[Stretch, ...]
    signals: tuple[Seen, ...]
    why_not: str = ""
    decisions: tuple[ControlLimits, ...] = ()
    earlier: tuple[SignalAnswer, ...] = ()  # answers where the chart shows no signal any more

    @property
    def last(self) -> ControlLimits | None:
        """The limits in force that were decided last; None while they are provisional."""
        ours = _in_force(self.indicator, self.decisions)
        return ours[-1] if ours else None

    @property
    def known(self) -> list[Taken]:
        """The readings there are, the oldest first."""
        return [each for each in self.taken if each is not None]

    @property
    def open_signals(self) -> list[Seen]:
        """Signals that nobody has answered, the newest last."""
        return [seen for seen in self.signals if seen.is_open]

    @cached_property
    def by_period(self) -> list[Seen]:
        """The signals with both charts of a period as one: one answer explains them."""
        found: dict[int, list[Seen]] = {}
        for seen in self.signals:
            found.setdefault(seen.index, []).append(seen)
        return [_as_one(alike) for alike in found.values()]

    @property
    def to_explain(self) -> Seen | None:
        """The newest open signal, or the first of those that lead up to it without a gap.

        What made the first of them explains the others: the step back after a value far out, or
        a pattern that goes on.
        """
        opened = [seen for seen in self.by_period if seen.is_open]
        if not opened:
            return None
        first = opened.pop()
        while opened and opened[-1].index == first.index - 1:
            first = opened.pop()
        return first

    @property
    def is_stable(self) -> bool:
        """Whether the limits in force show nothing but noise."""
        return bool(self.stretches) and self.stretches[-1].chart.is_stable

    @property
    def is_provisional(self) -> bool:
        return bool(self.stretches) and self.last is None


def control_of(indicator: Indicator, until: date | None = None) -> Control:
    """The control chart of an indicator's newest readings, or why there is none.

    `indicator.chart` must not be a run chart. A fixed number of questions.
    """
    taken = series_of(indicator, until=until, most=MOST_JUDGED)
    decisions, answers = _decided([indicator])
    return _judged(indicator, taken, decisions[indicator.pk], answers[indicator.pk])


def controls_of(indicators: Collection[Indicator], until: date | None = None) -> dict[int, Control]:
    """The same of many indicators by their key, in as few questions as of one.

    One question more for each whose first readings lie far back.
    """
    taken = series_of_each(indicators, until=until, most=MOST_JUDGED)
    decisions, answers = _decided(indicators)
    return {
        each.pk: _judged(each, taken[each.pk], decisions[each.pk], answers[each.pk])
        for each in indicators
    }


def _decided(
    indicators: Collection[Indicator],
) -> tuple[dict[int, list[ControlLimits]], dict[int, list[SignalAnswer]]]:
    """The decisions about limits, in order, and the answers to signals, by indicator."""
    decisions: defaultdict[int, list[ControlLimits]] = defaultdict(list)
    answers: defaultdict[int, list[SignalAnswer]] = defaultdict(list)
    rows = ControlLimits.objects.filter(indicator__in=indicators)
    for limits in rows.prefetch_related("created_by").order_by("holds_from", "pk"):
        decisions[limits.indicator_id].append(limits)
    said = SignalAnswer.objects.filter(indicator__in=indicators)
    for answer in said.prefetch_related("created_by", "nonconformity").order_by("day", "pk"):
        answers[answer.indicator_id].append(answer)
    return decisions, answers


def _judged(
    indicator: Indicator,
    taken: Sequence[Taken],
    decided: Sequence[ControlLimits],
    answers: Sequence[SignalAnswer],
) -> Control:
    periods, slots = _slots(indicator, taken)
    rows = [None if each is None else _row(indicator, each) for each in slots]
    decisions = tuple(decided)
    limits = _in_force(indicator, decisions)
    try:
        first = _first_rows(indicator, rows, len(taken))
        stretches = tuple(_stretches(indicator, periods, rows, limits, first))
    except Refused as refusal:
        why_not = str(refusal)
        return Control(indicator, periods, slots, (), (), why_not=why_not, decisions=decisions)
    counts = {None, *(each.pk for each in taken)}
    standing = {each.day: each for each in answers if each.reading_id in counts}
    signals = tuple(_seen(indicator, stretches, periods, slots, standing))
    begins = periods[0][1] if periods else date.min
    shown = {seen.answer.pk for seen in signals if seen.answer}
    earlier = tuple(each for each in answers if each.day >= begins and each.pk not in shown)
    return Control(indicator, periods, slots, stretches, signals, "", decisions, earlier)


def _in_force(indicator: Indicator, decisions: Sequence[ControlLimits]) -> list[ControlLimits]:
    """The decisions that hold for the indicator's present chart, in order."""
    force = ControlLimits.Status.IN_FORCE
    return [each for each in decisions if each.status == force and each.chart == indicator.chart]


def _first_rows(
    indicator: Indicator, rows: Sequence[Row | None], count: int
) -> Sequence[Row | None]:
    """The rows that provisional limits begin with: the very first, however many came since."""
    if count < MOST_JUDGED:
        return rows
    _, slots = _slots(indicator, series_of(indicator, first=CUSTOMARY))
    return [None if each is None else _row(indicator, each) for each in slots]


def _slots(
    indicator: Indicator, taken: Sequence[Taken]
) -> tuple[tuple[tuple[str, date], ...], tuple[Taken | None, ...]]:
    """Every expected period between the first and the last reading, with its reading or none."""
    if not taken:
        return (), ()
    known = {schedule.period_of(indicator.frequency, each.day).start: each for each in taken}
    periods = list(schedule.periods(indicator.frequency, taken[0].day, taken[-1].day))
    names = tuple((schedule.name_of(indicator.frequency, p), p.start) for p in periods)
    return names, tuple(known.get(period.start) for period in periods)


def _row(indicator: Indicator, taken: Taken) -> Row:
    if indicator.asks == "subgroup":
        return Row(taken.values)
    if indicator.chart == Indicator.Chart.C:
        return Row((taken.value,))
    if indicator.asks == "count":
        counted = taken.value if taken.counted is None else taken.counted
        return Row((counted,), None if taken.size is None else Decimal(taken.size))
    return Row((taken.value,))


def _stretches(
    indicator: Indicator,
    periods: Sequence[tuple[str, date]],
    rows: Sequence[Row | None],
    limits: Sequence[ControlLimits],
    earliest: Sequence[Row | None],
) -> Iterator[Stretch]:
    """The readings cut where other limits begin; before the first frozen ones, provisional."""
    kind = Kind(indicator.chart)
    if problems := _problems(kind, tuple(rows)):
        name = periods[problems[0].index][0]
        raise Refused(f"{name}: {problems[0].sentence}")
    cuts = [
        next((at for at, (_, start) in enumerate(periods) if start >= each.holds_from), None)
        for each in limits
    ]
    begins = [(at, each) for at, each in zip(cuts, limits, strict=True) if at is not None]
    first = begins[0][0] if begins else len(rows)
    if first > 0 or not begins:
        provisional = rows[:first] if earliest is rows else earliest
        found = _provisional(kind, provisional, must=not begins)
        if found is not None:
            yield Stretch(0, _charted(found, tuple(rows[:first]), rules=indicator.rules), None)
    ends = [*[at for at, _ in begins[1:]], len(rows)]
    for (start, each), end in zip(begins, ends, strict=False):
        if start < end:
            chart = _charted(each.baseline, tuple(rows[start:end]), rules=indicator.rules)
            yield Stretch(start, chart, each)


def _provisional(kind: Kind, rows: Sequence[Row | None], *, must: bool) -> Baseline | None:
    """The limits of the first readings; refused, or none where later ones are frozen."""
    count = sum(row is not None for row in rows)
    if count < FEWEST:
        if not must:
            return None
        raise Refused(
            f"Control limits need at least {FEWEST} readings; there "
            f"{'is' if count == 1 else 'are'} {count or 'none'}."
        )
    known = [at for at, row in enumerate(rows) if row is not None]
    return _baseline_of(kind, tuple(rows[: known[:CUSTOMARY][-1] + 1]))


def _seen(
    indicator: Indicator,
    stretches: Sequence[Stretch],
    periods: Sequence[tuple[str, date]],
    slots: Sequence[Taken | None],
    answers: Mapping[date, SignalAnswer],
) -> Iterator[Seen]:
    """Every signal in order, with its answer or that of the pattern it goes on."""
    found: defaultdict[int, dict[bool, list[int]]] = defaultdict(dict)
    words: dict[tuple[bool, int], str] = {}
    for stretch in stretches:
        charts = [(False, stretch.chart)]
        charts += [(True, stretch.chart.ranges)] if stretch.chart.ranges else []
        for of_ranges, chart in charts:
            for signal in chart.signals:
                at = stretch.start + signal.index
                found[at].setdefault(of_ranges, []).append(signal.rule)
                said = spc.words_of(signal, chart.rules)
                words[of_ranges, signal.rule] = _of_ranges(indicator, said) if of_ranges else said
    before: dict[tuple[bool, int], tuple[int, SignalAnswer]] = {}
    for at in sorted(found):
        taken = slots[at]
        if taken is None:
            continue
        own = answers.get(periods[at][1])
        for of_ranges, rules in sorted(found[at].items()):
            carried = [before.get((of_ranges, rule)) for rule in rules]
            goes_on = own is None and all(each and each[0] == at - 1 for each in carried)
            answer = own or (carried[0][1] if goes_on and carried[0] else None)
            if answer is not None:
                before |= {(of_ranges, rule): (at, answer) for rule in rules}
            yield Seen(
                at,
                periods[at][1],
                periods[at][0],
                taken.value,
                indicator.shown(taken.value),
                tuple(words[of_ranges, rule] for rule in rules),
                tuple(rules),
                of_ranges,
                answer,
                goes_on,
            )


def _as_one(alike: Sequence[Seen]) -> Seen:
    """Signals of one period; open as long as one of them is."""
    first = next((seen for seen in alike if seen.is_open), alike[0])
    words = tuple(line for seen in alike for line in seen.words)
    return replace(first, words=words)


def _of_ranges(indicator: Indicator, words: str) -> str:
    what = "The range of the subgroup"
    if indicator.chart == Indicator.Chart.IMR:
        what = "The step from the value before"
    return words.replace("The value", what)


# Freezing ----------------------------------------------------------------------------------


def baseline_between(
    indicator: Indicator, first: date, last: date, left_out: Sequence[date] = ()
) -> Baseline:
    """The baseline of an indicator's readings from one day to another, both included.

    `left_out` are days within periods that do not count. Raises Refused when they are too few.
    """
    taken = [each for each in series_of(indicator, until=last) if each.day >= first]
    periods, slots = _slots(indicator, taken)
    rows = [None if each is None else _row(indicator, each) for each in slots]
    skipped = {schedule.period_of(indicator.frequency, day).start for day in left_out}
    out = {at for at, (_, start) in enumerate(periods) if start in skipped}
    count = sum(row is not None for at, row in enumerate(rows) if at not in out)
    if count < FEWEST:
        raise Refused(
            f"Limits need at least {FEWEST} readings; between these days there "
            f"{'is' if count == 1 else 'are'} {count or 'none'}.",
            field="last_on",
        )
    return spc.baseline_of(Kind(indicator.chart), rows, leaving_out=out)


def scale_of(indicator: Indicator) -> Fraction:
    """What drawn values are multiplied with: shares and rates are given per a number."""
    return Fraction(indicator.per) if indicator.chart in {"p", "u"} else Fraction(1)


@dataclass(frozen=True)
class Fit:
    """How a stable process fits what is acceptable, or why nothing can be said yet."""

    capability: spc.Capability | None = None
    why_not: str = ""
    values: tuple[Decimal, ...] = field(default=())


def fit_of(found: Control) -> Fit | None:
    """The capability by the indicator's acceptable limits; None where it has none, or counts."""
    indicator = found.indicator
    limits = (indicator.lower_limit, indicator.upper_limit)
    if limits == (None, None) or indicator.chart not in {"i-mr", "xbar-r"}:
        return None
    if not found.stretches:
        return Fit(why_not=found.why_not)
    stretch = found.stretches[-1]
    rows = [
        None if each is None else _row(indicator, each) for each in found.taken[stretch.start :]
    ]
    values = tuple(value for row in rows if row is not None for value in row.values)
    try:
        told = spc.capability(stretch.chart, rows, lower=limits[0], upper=limits[1])
    except Refused as refusal:
        return Fit(why_not=str(refusal), values=values)
    return Fit(told, values=values)


def in_figures(value: Any, decimals: int) -> Decimal:
    """A fraction or decimal with so many decimals, for a picture or a page."""
    told = value if isinstance(value, Fraction | Decimal) else Fraction(value)
    exact = told if isinstance(told, Decimal) else Decimal(told.numerator) / told.denominator
    return exact.quantize(Decimal(1).scaleb(-decimals))
