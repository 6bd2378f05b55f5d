"""Of two people who do the same at once, one does it and the other is told (9.1.1, 9.1.3)."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile

from capa.models import Nonconformity
from objectives import workflow
from objectives.control import control_of
from objectives.models import ControlLimits, Indicator, Measurement, ReadingSheet, SignalAnswer
from qms.outbox import workflow as outbox
from qms.periods import today
from tests.kernel.test_workflow import at_once
from tests.objectives.test_control import CALM, Firm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.clause("9.1.3")]


@pytest.fixture
def firm() -> Firm:
    return Firm()


@pytest.mark.slow
def test_a_signal_is_answered_once_and_raises_one_nonconformity(firm: Firm) -> None:
    indicator = firm.indicator([*CALM, *CALM, 75])
    day = control_of(indicator).signals[0].day

    def answer() -> None:
        held = Indicator.objects.get(pk=indicator.pk)
        firm.explain(held, day, found="nonconformity", grade="minor")

    told = at_once(answer, answer)
    assert told[1:] == ["ok"]
    assert "answered this signal meanwhile" in told[0]
    assert SignalAnswer.objects.count() == Nonconformity.objects.count() == 1


@pytest.mark.slow
def test_limits_from_one_day_are_decided_once(firm: Firm) -> None:
    indicator = firm.indicator([*CALM, *CALM])
    days = [each.day for each in control_of(indicator).known]

    def freeze() -> None:
        workflow.freeze_limits(
            by=firm.quality,
            indicator=Indicator.objects.get(pk=indicator.pk),
            first_on=days[0],
            last_on=days[11],
            because="The first year.",
        )

    told = at_once(freeze, freeze)
    assert "There are limits from that day already" in told[0] and told[1:] == ["ok"]
    assert ControlLimits.objects.count() == 1


def test_a_sheet_is_accepted_once_and_not_cancelled_too(firm: Firm) -> None:
    indicator = firm.indicator([])
    days = [today() - timedelta(days=31 * back) for back in (3, 2, 1)]
    text = "Date,Value\n" + "\n".join(f"{day},{50 + at}" for at, day in enumerate(days))
    sheet = workflow.bring_sheet(
        by=firm.owner, sheet=ContentFile(text.encode(), name="a.csv"), indicator=indicator
    )
    outbox.drain("default")

    def accept() -> None:
        workflow.accept(ReadingSheet.objects.get(pk=sheet.pk), by=firm.owner)

    told = at_once(accept, accept)
    assert told.count("ok") == 1
    outbox.drain("default")
    outbox.drain("default")
    sheet.refresh_from_db()
    assert (sheet.status, Measurement.objects.count()) == ("done", sheet.written)
    late = at_once(lambda: workflow.cancel(ReadingSheet.objects.get(pk=sheet.pk), by=firm.owner))
    assert late != ["ok"]
    assert Measurement.objects.count() == sheet.written
