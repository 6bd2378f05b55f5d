"""Control limits are frozen by decision, and every signal gets an answer in words (9.1.3)."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied

from capa.models import Nonconformity
from capa.workflow import raise_nonconformity
from objectives import schedule
from objectives.control import baseline_between, control_of
from objectives.models import ControlLimits, Indicator, SignalAnswer
from objectives.workflow.indicators import only_who_keeps_it
from objectives.workflow.readings import hold, live_reading
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.work.workflow import refresh
from qms.workflow import creates, transition

Found = SignalAnswer.Found


def only_its_keeper(limits: ControlLimits, by: Any) -> str | None:
    return only_who_keeps_it(limits.indicator, by)


def _held(indicator: Indicator, by: Any) -> Indicator:
    """The indicator, locked, if this person may decide about its chart."""
    locked = hold(indicator)
    if why := only_who_keeps_it(locked, by):
        raise PermissionDenied(why)
    if locked.chart == Indicator.Chart.RUN:
        raise Refused("A run chart has no control limits. Choose a control chart first.")
    return locked


@creates(ControlLimits, permission="objectives.change_indicator")
def freeze_limits(
    *,
    by: Person,
    indicator: Indicator,
    first_on: date,
    last_on: date,
    because: str,
    holds_from: date | None = None,
    left_out: Iterable[date] = (),
) -> ControlLimits:
    """Judge the indicator from a day on by the limits of these readings.

    Without `holds_from` they hold from the first of these readings on. Raises Refused when the
    readings are too few or do not fit the chart.
    """
    locked = _held(indicator, by)
    if last_on < first_on:
        raise Refused("The last reading does not lie before the first.", field="last_on")
    if not because.strip():
        raise Refused("Say why these limits: what changed, or why these readings.", field="because")
    begins = schedule.period_of(locked.frequency, holds_from or first_on).start
    if begins > today():
        raise Refused("Limits hold from today at the latest.", field="holds_from")
    same = ControlLimits.objects.in_force().filter(indicator=locked, holds_from=begins)
    if same.exists():
        raise Refused(
            "There are limits from that day already. Take those back first.", field="holds_from"
        )
    skipped = sorted(set(left_out))
    baseline = baseline_between(locked, first_on, last_on, skipped)
    limits = ControlLimits(
        indicator=locked,
        chart=locked.chart,
        holds_from=begins,
        first_on=first_on,
        last_on=last_on,
        left_out=[day.isoformat() for day in skipped],
        because=because.strip(),
        centre=str(baseline.centre),
        spread=str(baseline.spread),
        size=str(baseline.size),
        periods=baseline.periods,
        created_by=by,
    )
    limits.save()
    refresh(locked)
    return limits


@creates(SignalAnswer, permission="objectives.measure_indicator")
def answer_signal(
    *,
    by: Person,
    indicator: Indicator,
    day: date,
    found: str,
    words: str,
    grade: str = Nonconformity.Grade.MINOR,
) -> SignalAnswer:
    """Say what is behind the signal at a reading; a nonconformity is raised at once, and once."""
    locked = _held(indicator, by)
    start = schedule.period_of(locked.frequency, day).start
    seen = [each for each in control_of(locked).signals if each.day == start]
    if not seen:
        raise Refused("The chart shows no signal there any more. Look at it again.")
    if all(each.answer and each.answer.day == start for each in seen):
        raise Refused("Somebody answered this signal meanwhile. Look at it again.")
    if found not in Found.values:
        raise Refused("Choose what was found.", field="found")
    if not words.strip():
        raise Refused("Say in words what it was; the chart keeps it.", field="words")
    case = None
    if found == Found.NONCONFORMITY:
        case = _case(locked, seen, words=words, grade=grade, by=by)
    answer = SignalAnswer(
        indicator=locked,
        day=start,
        reading=live_reading(locked, start),
        rules=", ".join(sorted({str(rule) for each in seen for rule in each.rules})),
        found=found,
        words=words.strip(),
        nonconformity=case,
        created_by=by,
    )
    answer.save()
    refresh(locked)
    return answer


def _case(indicator: Indicator, seen: Any, *, words: str, grade: str, by: Person) -> Nonconformity:
    said = " ".join(dict.fromkeys(line for each in seen for line in each.words))
    shown = indicator.shown(seen[0].value)
    return raise_nonconformity(
        by=by,
        title=f"Signal of {indicator.title}, {seen[0].name}"[:200],
        statement=words.strip(),
        requirement="The process runs within its usual variation.",
        evidence=f"{seen[0].name}: {shown}. {said}",
        source=Nonconformity.Source.INDICATOR,
        grade=grade,
        process=indicator.process,
        origin=indicator,
    )


@transition(
    ControlLimits,
    source=ControlLimits.Status.IN_FORCE,
    target=ControlLimits.Status.VOID,
    permission="objectives.change_indicator",
    only=only_its_keeper,
    reason=True,
    label="Take back",
    primary=False,
)
def take_back_limits(limits: ControlLimits, *, by: Any) -> None:
    """Take them back: those before hold again. They stay visible, with the reason."""
