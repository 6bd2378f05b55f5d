"""Limits are frozen by decision, and every signal is explained (9.1.3)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from capa.models import Nonconformity
from objectives import evidence, workflow
from objectives.charts import chart_of_indicator, control_chart_of
from objectives.control import control_of, fit_of
from objectives.models import ControlLimits, Indicator, Measurement, SignalAnswer
from objectives.prints import indicator_context
from objectives.views.indicators import MOST_SIGNALS, _answers
from qms import clock
from qms.periods import Period, add_months, today
from qms.refusals import Refused
from qms.work.models import WorkItem
from tests import factories
from tests.objectives.test_views import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.1.3")]
CALM = [50, 51, 49, 50, 52, 50, 49, 51, 50, 49, 51, 50]


class Firm:
    """Somebody measures a process month by month."""

    def __init__(self) -> None:
        self.quality = factories.person("quality_manager", name="Quinn")
        self.owner = factories.person("process_owner", name="Omar")
        self.other = factories.person("process_owner", name="Olga")

    def indicator(self, values: list[Any], **more: Any) -> Indicator:
        first = add_months(today().replace(day=1), -len(values))
        facts = {
            "title": "Turnaround",
            "unit": "h",
            "chart": "i-mr",
            "rules": "nelson",
            "responsible": self.owner,
        }
        made = workflow.add_indicator(by=self.quality, starts_on=first, **(facts | more))
        for at, value in enumerate(values):
            month = add_months(first, at)
            if value is not None:
                read = {"value": Decimal(str(value))} if not isinstance(value, dict) else value
                self.read(made, Period.month(month.year, month.month).end, **read)
        return made

    def read(self, indicator: Indicator, day: date, **figure: Any) -> None:
        workflow.record_reading(by=self.owner, indicator=indicator, measured_for=day, **figure)

    def explain(self, indicator: Indicator, day: date, **more: Any) -> SignalAnswer:
        facts = {"found": "cause", "words": "A machine stood still."} | more
        return workflow.answer_signal(by=self.owner, indicator=indicator, day=day, **facts)


@pytest.fixture
def firm() -> Firm:
    return Firm()


def test_too_few_readings_make_no_limits(firm: Firm) -> None:
    found = control_of(firm.indicator(CALM[:5]))
    assert found.why_not == "Control limits need at least 8 readings; there are 5."
    assert not found.stretches


@pytest.mark.slow
def test_provisional_limits_stand_still_as_soon_as_there_are_enough(firm: Firm) -> None:
    few = control_of(firm.indicator([*CALM, *CALM]))
    more = control_of(firm.indicator([*CALM, *CALM, 70, 71]))
    assert few.is_provisional
    assert few.stretches[0].chart.baseline == more.stretches[0].chart.baseline
    assert [seen.index for seen in more.open_signals if not seen.of_ranges] == [24, 25]


def test_a_signal_is_asked_of_who_is_responsible_until_it_is_explained(firm: Firm) -> None:
    indicator = firm.indicator([*CALM, *CALM, 75])
    [seen] = [each for each in control_of(indicator).signals if not each.of_ranges]
    item = WorkItem.objects.get(step="explain")
    assert item.person == firm.owner
    assert item.url.endswith(f"/signals/{seen.day}/")
    answer = firm.explain(indicator, seen.day)
    assert answer.rules == "1"
    assert not WorkItem.objects.filter(step="explain").exists()
    assert not control_of(indicator).open_signals


def test_what_corrects_a_reading_is_asked_about_anew(firm: Firm) -> None:
    """The explanation of the wrong value does not pass for one of the right value."""
    indicator = firm.indicator([*CALM, *CALM, 75])
    day = control_of(indicator).signals[0].day
    first = firm.explain(indicator, day, words="Typed wrong.")
    wrong = Measurement.objects.get(value=75)
    workflow.correct(
        wrong, by=firm.owner, figure="85", measured_for=wrong.measured_for, because="Read anew."
    )
    assert [seen.day for seen in control_of(indicator).by_period if seen.is_open] == [day]
    assert WorkItem.objects.get(step="explain").url.endswith(f"/signals/{day}/")
    page = signed_in(firm.owner).get(f"{indicator.get_absolute_url()}signals/{day}/")
    assert page.status_code == 200
    second = firm.explain(indicator, day, words="A pump stood still.")
    found = control_of(indicator)
    assert not found.open_signals
    assert {seen.answer for seen in found.signals} == {second}
    assert found.earlier == (first,)


@pytest.mark.slow
def test_a_period_that_both_charts_mark_is_asked_about_once(firm: Firm) -> None:
    """With the value as it is read, not with every digit that was computed."""
    indicator = firm.indicator([*CALM, *CALM, "75.123456"])
    found = control_of(indicator)
    assert [seen.of_ranges for seen in found.signals] == [False, True]
    [one] = found.by_period
    assert len(one.words) == 2
    page = signed_in(firm.owner).get(indicator.get_absolute_url()).content.decode()
    assert "1 to explain" in page
    assert page.count(f"/signals/{one.day}/") == 1
    assert "75.1 h" in page and "75.123456" not in page


def test_the_pack_has_every_explanation_and_every_decision_about_limits(firm: Firm) -> None:
    indicator = firm.indicator([*CALM, *CALM, 75])
    found = control_of(indicator)
    firm.explain(indicator, found.signals[0].day, found="nonconformity")
    limits = workflow.freeze_limits(
        by=firm.quality,
        indicator=indicator,
        first_on=found.known[0].day,
        last_on=found.known[11].day,
        left_out=[found.known[3].day],
        because="The first year.",
    )
    workflow.take_back_limits(limits, by=firm.quality, reason="Too early.")
    period = Period(found.periods[0][1], today())
    [told] = evidence.signal_register(period, clock.now())
    assert told[:4] == (indicator.number, "Turnaround", found.signals[0].day, "1")
    assert told[5:8] == ("A machine stood still.", Nonconformity.objects.get().number, "Omar")
    [decided] = evidence.limits_register(period, clock.now())
    assert decided[6:10] == (11, found.known[3].day.isoformat(), "The first year.", "Void")
    pdf = indicator_context(indicator)
    assert [seen.answer is not None for seen in pdf["signals"]] == [True]
    assert pdf["control"].decisions == (limits,)


def test_of_signals_that_follow_each_other_the_first_is_asked_about(firm: Firm) -> None:
    """The step back after a value far out is no event of its own: one answer explains both."""
    indicator = firm.indicator([*CALM, *CALM, 75, 50])
    found = control_of(indicator)
    assert [seen.index for seen in found.by_period] == [24, 25]
    assert found.by_period[1].words == (
        "The step from the value before lies beyond the control limit.",
    )
    assert WorkItem.objects.get(step="explain").url.endswith(f"/signals/{found.by_period[0].day}/")
    assert [each.index for each in _answers(found)] == [24, 25]
    assert "Moving range beyond its limit: " in control_chart_of(found).description
    firm.explain(indicator, found.by_period[0].day)
    assert not control_of(indicator).open_signals
    assert not WorkItem.objects.filter(step="explain").exists()


def test_the_same_pattern_going_on_is_answered_with_it(firm: Firm) -> None:
    indicator = firm.indicator([*CALM, *CALM, 75, 75, 50, 75])
    signals = [each for each in control_of(indicator).signals if not each.of_ranges]
    firm.explain(indicator, signals[0].day)
    told = [(each.index, each.goes_on, each.is_open) for each in control_of(indicator).signals]
    values = [each for each in told if each[0] in {24, 25}]
    assert (24, False, False) in values
    assert any(at == 27 and is_open for at, _, is_open in told)


@pytest.mark.slow
def test_what_was_explained_stays_on_the_page_when_its_signal_goes(firm: Firm) -> None:
    """A typing error is explained, then corrected: the explanation is not lost with the signal."""
    indicator = firm.indicator([*CALM, *CALM, 75])
    day = control_of(indicator).signals[0].day
    answer = firm.explain(indicator, day, words="The digits were swapped.")
    wrong = Measurement.objects.get(value=75)
    workflow.correct(
        wrong, by=firm.owner, figure="50", measured_for=wrong.measured_for, because="Swapped."
    )
    found = control_of(indicator)
    assert not found.signals
    assert found.earlier == (answer,)
    page = signed_in(firm.owner).get(indicator.get_absolute_url()).content.decode()
    assert "Explained before" in page and "The digits were swapped." in page


def test_only_who_keeps_it_explains_and_only_what_is_there(firm: Firm) -> None:
    indicator = firm.indicator([*CALM, *CALM, 75])
    day = control_of(indicator).signals[0].day
    with pytest.raises(PermissionDenied):
        workflow.answer_signal(
            by=firm.other, indicator=indicator, day=day, found="cause", words="x"
        )
    with pytest.raises(Refused, match="no signal there"):
        firm.explain(indicator, add_months(day, -3))
    with pytest.raises(Refused, match="in words"):
        firm.explain(indicator, day, words=" ")
    firm.explain(indicator, day)
    with pytest.raises(Refused, match="answered this signal meanwhile"):
        firm.explain(indicator, day)


def test_a_nonconformity_is_raised_once_with_what_the_chart_says(firm: Firm) -> None:
    indicator = firm.indicator([*CALM, *CALM, 75])
    day = control_of(indicator).signals[0].day
    answer = firm.explain(indicator, day, found="nonconformity", grade="major")
    case = Nonconformity.objects.get()
    assert answer.nonconformity == case
    assert case.source == "indicator"
    assert case.grade == "major"
    assert case.origin == indicator
    assert "75.0 h" in case.evidence
    assert "beyond the control limit" in case.evidence


def test_frozen_limits_judge_what_comes_and_are_never_moved_by_it(firm: Firm) -> None:
    indicator = firm.indicator([*CALM, 60, 61, 60, 59, 61, 60, 60, 61])
    days = [each.day for each in control_of(indicator).taken if each]
    old = workflow.freeze_limits(
        by=firm.quality,
        indicator=indicator,
        first_on=days[0],
        last_on=days[11],
        because="The first year.",
    )
    assert len({each.index for each in control_of(indicator).open_signals}) >= 8
    new = workflow.freeze_limits(
        by=firm.quality,
        indicator=indicator,
        first_on=days[12],
        last_on=days[19],
        because="The new line runs since then.",
    )
    found = control_of(indicator)
    assert [each.limits for each in found.stretches] == [old, new]
    assert not [each for each in found.open_signals if each.index >= 12 and not each.of_ranges]
    centre = new.baseline.centre
    [last] = indicator.measurements.live().filter(measured_for=days[19])
    workflow.correct(last, by=firm.owner, figure="80", measured_for=days[19], because="Typed wrong")
    assert ControlLimits.objects.get(pk=new.pk).baseline.centre == centre
    assert control_of(indicator).open_signals[-1].index == 19
    workflow.take_back_limits(new, by=firm.quality, reason="Too early.")
    assert [each.limits for each in control_of(indicator).stretches] == [old]


@pytest.mark.slow
def test_a_missing_period_breaks_the_run_in_the_indicator_too(firm: Firm) -> None:
    broken = control_of(firm.indicator([*CALM, 51, 51, 51, 51, None, 51, 51, 51, 51, 51]))
    whole = control_of(firm.indicator([*CALM, *[51] * 10]))
    assert any(2 in each.rules for each in whole.signals)
    assert not any(2 in each.rules for each in broken.signals)
    assert broken.taken[16] is None


@pytest.mark.slow
def test_limits_need_readings_a_reason_and_a_day_of_their_own(firm: Firm) -> None:
    indicator = firm.indicator([*CALM, *CALM, 75])
    days = [each.day for each in control_of(indicator).taken if each]

    def freeze(**more: Any) -> ControlLimits:
        facts = {"first_on": days[0], "last_on": days[11], "because": "A year."} | more
        return workflow.freeze_limits(by=firm.quality, indicator=indicator, **facts)

    with pytest.raises(Refused, match="at least 8 readings"):
        freeze(last_on=days[3])
    with pytest.raises(Refused, match="Say why"):
        freeze(because=" ")
    with pytest.raises(Refused, match="before the first"):
        freeze(last_on=days[0] - timedelta(days=40))
    without = freeze(last_on=days[12], left_out=[days[12]])
    assert without.periods == 12
    with pytest.raises(Refused, match="already"):
        freeze()
    run = firm.indicator(CALM, title="Other", chart="run")
    with pytest.raises(Refused, match="run chart"):
        workflow.freeze_limits(
            by=firm.quality, indicator=run, first_on=days[0], last_on=days[11], because="x"
        )


def test_shares_are_drawn_in_the_unit_people_read(firm: Firm) -> None:
    counts = [{"counted": Decimal(at % 3 + 1), "size": 50} for at in range(12)]
    indicator = firm.indicator(counts, chart="p", unit="%", per=Decimal(100))
    chart = chart_of_indicator(indicator, today())
    assert chart.rows[0][1] == "2.00 %"
    assert "The centre" in chart.description or "the centre at 4.00 %" in chart.description


def test_picture_table_and_signals_say_the_same(firm: Firm) -> None:
    indicator = firm.indicator([*CALM, *CALM, 75])
    found = control_of(indicator)
    chart = control_chart_of(found)
    assert chart.rows[24][5] == "Rule 1"
    firm.explain(indicator, found.signals[0].day)
    again = control_chart_of(control_of(indicator))
    assert again.rows[24][5] == "Rule 1, answered"
    assert [row[:5] for row in again.rows] == [row[:5] for row in chart.rows]


@pytest.mark.slow
def test_capability_is_shown_only_while_the_process_is_stable(firm: Firm) -> None:
    limits = {"lower_limit": Decimal(44), "upper_limit": Decimal(56)}
    calm = fit_of(control_of(firm.indicator([*CALM, *CALM], **limits)))
    assert calm is not None
    assert calm.capability is not None
    assert calm.capability.values == 24
    wild = fit_of(control_of(firm.indicator([*CALM, *CALM, 75], **limits)))
    assert wild is not None
    assert "stable" in wild.why_not
    assert fit_of(control_of(firm.indicator(CALM))) is None


@pytest.mark.slow
def test_the_pages_explain_and_freeze(firm: Firm, client: Any) -> None:
    limits = {"lower_limit": Decimal(44), "upper_limit": Decimal(56)}
    indicator = firm.indicator([*CALM, *CALM, 75], **limits)
    day = control_of(indicator).signals[0].day
    client.force_login(firm.owner)
    page = client.get(indicator.get_absolute_url())
    assert "to explain" in page.text
    form = f"{indicator.get_absolute_url()}signals/{day}/"
    assert "beyond the control limit" in client.get(form).text
    refused = client.post(form, {"found": "cause", "words": ""})
    assert refused.status_code == 422
    assert client.post(form, {"found": "cause", "words": "A storm."}).status_code == 303
    told = client.get(indicator.get_absolute_url())
    assert "A storm." in told.text
    assert "to explain" not in told.text
    freeze = f"{indicator.get_absolute_url()}limits/"
    typed = client.get(freeze).context["form"].initial
    answer = client.post(freeze, {**typed, "because": "A year.", "left_out": "", "holds_from": ""})
    assert answer.status_code == 303, answer.text[-3000:]
    made = ControlLimits.objects.get()
    assert client.get(made.get_absolute_url()).status_code == 200
    assert client.get(f"{indicator.get_absolute_url()}pdf/").content[:5] == b"%PDF-"


def test_signals_that_meant_something_speak_for_an_audit(firm: Firm) -> None:
    from qms import contributions
    from qms.scope.workflow import activate, create_process

    process = activate(
        create_process(by=firm.quality, code="PR", name="Production", owner=firm.owner),
        by=firm.quality,
    )
    indicator = firm.indicator([*CALM, *CALM, 75], process=process)
    since = {process.pk: add_months(today(), -12)}
    assert contributions.audit_factors(since, today()) == []
    firm.explain(indicator, control_of(indicator).signals[0].day)
    assert contributions.audit_factors(since, today()) == [
        (process.pk, "1 signal of its indicators.", 5)
    ]


def test_provisional_limits_are_those_of_the_very_first_readings(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    indicator = firm.indicator([*CALM, *CALM, 60, 61, 60, 61, 60])
    whole = control_of(indicator).stretches[0].chart.baseline
    monkeypatch.setattr("objectives.control.MOST_JUDGED", 12)
    short = control_of(indicator)
    assert len(short.taken) == 12
    assert short.stretches[0].chart.baseline == whole


def test_what_nobody_explained_is_listed_before_what_somebody_did(firm: Firm) -> None:
    """Ten stand on the page: an open one is never pushed off it by those that are answered."""
    indicator = firm.indicator([*CALM, *[70] * 14])
    seen = [each for each in control_of(indicator).signals if not each.of_ranges]
    firm.explain(indicator, seen[-1].day)
    listed = _answers(control_of(indicator))
    assert len(listed) == MOST_SIGNALS
    opened = [each.is_open for each in listed]
    assert opened == sorted(opened, reverse=True)
    assert opened[0]
