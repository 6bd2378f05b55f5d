"""Measuring equipment: in use only while its calibration holds; errors are traced back (7.1.5)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from qms import clock, contributions
from qms.contributions import Related
from qms.equipment import workflow
from qms.equipment.models import Calibration, Equipment, ImpactAssessment
from qms.equipment.tasks import lock_overdue
from qms.forms import NumberField
from qms.periods import add_months, today
from qms.proofs import proofs_for
from qms.refusals import Refused
from qms.signing.models import Signature
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories
from tests.scenes import Cast, a_file, an_instrument, calibrate, say_what_was_measured

pytestmark = [pytest.mark.django_db, pytest.mark.clause("7.1.5.2")]


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


@pytest.fixture
def instrument(cast: Cast) -> Equipment:
    return an_instrument(cast)


def in_use(cast: Cast, instrument: Equipment) -> Equipment:
    calibrate(cast, instrument)
    return workflow.put_into_use(instrument, by=cast.owner)


def test_nothing_is_in_use_before_it_was_calibrated(cast: Cast, instrument: Equipment) -> None:
    assert instrument.why_not_fit(today()) == "It was not calibrated yet."
    with pytest.raises(Refused, match="not calibrated yet"):
        workflow.put_into_use(instrument, by=cast.owner)
    in_use(cast, instrument)
    assert (instrument.why_not_fit(today()), instrument.next_due) == ("", add_months(today(), 1))
    plain = workflow.enter_equipment(
        by=cast.manager, name="Thermal camera", measures="Warm spots", owner=cast.owner
    )
    assert workflow.put_into_use(plain, by=cast.owner).next_due is None
    with pytest.raises(Refused, match="Take it out of use first"):
        amend(plain, by=cast.owner, changes={"every_months": 12}, reason="Traceable from now on.")


def test_an_overdue_instrument_goes_out_of_use_whenever_the_clock_looks(
    cast: Cast, instrument: Equipment
) -> None:
    in_use(cast, instrument)
    with time_machine.travel(clock.now() + timedelta(days=45), tick=True):
        assert "was due on" in instrument.why_not_fit(today()), "even while no clock ran"
        assert not Equipment.objects.fit(today()).exists()
        page = Client()
        page.force_login(cast.owner, backend="qms.people.access.RoleBackend")
        assert (
            "Measure nothing with it." in page.get(instrument.get_absolute_url()).content.decode()
        )
        assert (lock_overdue(), lock_overdue()) == (1, 0)
        instrument.refresh_from_db()
        assert instrument.status == "out_of_use"
        assert instrument.history.first().history_user.is_system
        with pytest.raises(Refused, match="Calibrate it first"):
            workflow.put_into_use(instrument, by=cast.owner)
        blocked = [
            b.sentence for p in proofs_for("2026", clock.now())["7.1.5.2"] for b in p.blockers
        ]
        assert blocked and "was to be calibrated by" in blocked[0]


def test_a_failed_calibration_opens_an_assessment_back_to_the_last_good_result(
    cast: Cast, instrument: Equipment
) -> None:
    with time_machine.travel(clock.now() - timedelta(days=20), tick=True):
        cast.assemble()
        in_use(cast, instrument)
        good = today()
    failed = calibrate(cast, instrument, result="fail", as_found=Decimal("0.05"))
    assert (instrument.status, instrument.last_result) == ("out_of_use", "fail")
    impact = ImpactAssessment.objects.get(calibration=failed)
    assert (impact.since, impact.until, impact.owner) == (good, today(), cast.owner)
    work = WorkItem.objects.get(record_id=impact.pk, step="list")
    assert work.person == cast.owner
    with pytest.raises(Refused, match="what was measured with it"):
        decide(impact, cast.manager)
    say_what_was_measured(cast, impact)
    assert WorkItem.objects.filter(record_id=impact.pk, step="decide").exists()
    with pytest.raises(Refused, match="Who calibrated does not decide"):
        decide(impact, cast.owner)
    decide(impact, cast.manager)
    assert (impact.status, impact.decided_by) == ("valid", cast.manager)
    assert Signature.objects.of(impact)[0].meaning == "Decided"
    with pytest.raises(Refused, match="Its impact was decided"):
        workflow.void_calibration(failed, by=cast.manager, reason="Typed twice.")


def decide(impact: ImpactAssessment, by: Any) -> None:
    proof = factories.proof(by)
    workflow.find_valid(impact, by=by, proof=proof, conclusion="All stems fit.")


def test_the_database_holds_that_another_decides(cast: Cast, instrument: Equipment) -> None:
    failed = calibrate(cast, instrument, result="fail")
    impact = ImpactAssessment.objects.get(calibration=failed)
    say_what_was_measured(cast, impact)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workflow.find_valid, "guards", ())
        with pytest.raises(IntegrityError, match="decided_by_another"), transaction.atomic():
            decide(impact, cast.owner)


def test_an_adjustment_asks_for_an_assessment_only_where_it_was_found_beyond(
    cast: Cast, instrument: Equipment
) -> None:
    """As found within what is accepted, every earlier result held."""
    cases = [("0.01", False), ("0.05", True), ("-0.05", True), (None, True)]
    for found, opens in cases:
        made = calibrate(
            cast,
            instrument,
            result="adjusted",
            as_found=None if found is None else Decimal(found),
            as_left=Decimal(0),
        )
        assert ImpactAssessment.objects.filter(calibration=made).exists() is opens, found


def test_a_calibration_taken_back_leaves_the_one_before(cast: Cast, instrument: Equipment) -> None:
    first = calibrate(cast, instrument)
    failed = calibrate(cast, instrument, result="fail")
    impact = ImpactAssessment.objects.get(calibration=failed)
    workflow.void_calibration(failed, by=cast.manager, reason="The wrong instrument.")
    impact.refresh_from_db()
    instrument.refresh_from_db()
    assert impact.status == "void"
    assert (instrument.last_result, instrument.next_due) == ("pass", first.next_due)
    workflow.put_into_use(instrument, by=cast.owner)
    with pytest.raises(Refused, match="Take it out of use first"):
        workflow.void_calibration(first, by=cast.manager, reason="The wrong instrument.")


def test_bad_input_is_refused_in_words(cast: Cast, instrument: Equipment) -> None:
    day = timedelta(days=1)
    calibrate(cast, instrument)
    said = {"laboratory": "Metrolab", "reference": "Blocks", "result": "pass"}
    said |= {"calibrated_on": today(), "as_found": Decimal("0.01")}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"calibrated_on": today() + day}, "still ahead"),
        ({"calibrated_on": today() - day}, "The last calibration was on"),
        ({"unit": "inch"}, "It measures in mm, not in inch"),
        ({"as_found": Decimal("0.021")}, "beyond ± 0.02 mm"),
        ({"as_found": None}, "Give the deviation"),
        ({"result": "adjusted", "as_left": Decimal("0.03")}, "Choose “failed”"),
        ({"laboratory": ""}, "one of us or a laboratory"),
        ({"calibrated_by": cast.owner}, "one of us or a laboratory"),
        ({"reference": " "}, "compared with"),
        ({"sooner_on": today()}, "comes after this one"),
    ]
    for change, words in wrong:
        with pytest.raises(Refused, match=words):
            workflow.record_calibration(instrument, by=cast.owner, **{**said, **change})
    with pytest.raises(PermissionDenied, match="Only its owner"):
        workflow.record_calibration(instrument, by=cast.newcomer, **said)
    entered = {"by": cast.manager, "name": "Gauge", "measures": "Gaps", "owner": cast.owner}
    for change, words in (
        ({"every_months": 0}, "1 to 120 months"),
        ({"tolerance": Decimal(1)}, "has a unit"),
        ({"tolerance": Decimal(0), "unit": "mm"}, "more than nothing"),
    ):
        with pytest.raises(Refused, match=words):
            workflow.enter_equipment(**{**entered, **change})
    workflow.enter_equipment(**entered, serial="A1")
    with pytest.raises(Refused, match="this serial number"):
        workflow.enter_equipment(**entered, serial="a1")
    assert Calibration.objects.count() == 1


def test_numbers_are_read_with_point_or_comma_and_never_guessed_at() -> None:
    field = NumberField(max_digits=20, decimal_places=8)
    read = {"0,02": "0.02", "0.02": "0.02", "-1,5": "-1.5", "−3": "-3", "0,125": "0.125"}
    for typed, meant in {**read, "12,3456": "12.3456"}.items():
        assert field.clean(typed) == Decimal(meant)
    for typed, words in (
        ("1,234", "two ways"),
        ("1,234.5", "without marks between thousands"),
        ("1,2,3", "without marks between thousands"),
        ("about 3", "Write a number"),
        ("nan", "Write a number"),
    ):
        with pytest.raises(Exception, match=words):
            field.clean(typed)


def test_the_page_records_a_calibration_with_its_certificate(
    cast: Cast, instrument: Equipment
) -> None:
    client = Client()
    client.force_login(cast.owner, backend="qms.people.access.RoleBackend")
    url = reverse("equipment:calibration_create", args=[instrument.pk])
    said = {
        "calibrated_on": str(today()),
        "laboratory": "Metrolab",
        "reference": "Gauge blocks 12, traceable to the national standard",
        "as_found": "0,03",
        "as_left": "0,00",
        "unit": "mm",
        "result": "adjusted",
    }
    answer = client.post(url, {**said, "papers": a_file("certificate.txt")})
    impact = ImpactAssessment.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, impact.get_absolute_url())
    assert impact.calibration.as_found == Decimal("0.03")
    page = client.get(impact.calibration.get_absolute_url()).content.decode()
    assert "certificate.txt" in page
    assert impact.number in page


def test_what_other_chapters_know_was_measured_answers_the_question(
    cast: Cast, instrument: Equipment, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = calibrate(cast, instrument, result="fail")
    impact = ImpactAssessment.objects.get(calibration=failed)
    asked: list[Any] = []

    def known(record: Any, start: Any, end: Any, person: Any) -> list[Related]:
        asked.append((record.pk, end, person))
        return [Related("Inspection of lot 12", "FE-1", "/", day=end)]

    monkeypatch.setitem(contributions._uses, Equipment, [known])
    assert workflow.says_what_was_measured(impact, cast.manager) is None
    assert [each.number for each in workflow.measured_since(impact, cast.manager)] == ["FE-1"]
    assert asked[-1] == (instrument.pk, today(), cast.manager)
