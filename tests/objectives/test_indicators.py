"""An indicator is measured until it is retired; what its readings mean never changes (9.1.1)."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test import Client

from objectives import evidence, workflow
from objectives.models import Indicator, Measurement, Objective
from objectives.views.objectives import in_order
from objectives.workflow.computing import compute_due
from qms import contributions
from qms.contributions import Figure, IndicatorSource
from qms.people.models import Person
from qms.periods import Period, today
from qms.refusals import Refused
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories
from tests.many import multiply, questions
from tests.objectives.test_views import api, signed_in
from tests.objectives.test_workflow import complete

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.1.1")]
JAN, FEB, MAR = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager")


@pytest.fixture
def owner() -> Person:
    return factories.person("process_owner", name="Olive Owner")


@pytest.fixture
def indicator(manager: Person, owner: Person) -> Indicator:
    return make(manager, owner)


def make(by: Person, responsible: Person, **fields: Any) -> Indicator:
    told = {"title": "Orders on time", "unit": "%", "starts_on": date(2026, 1, 1)} | fields
    return workflow.add_indicator(by=by, responsible=responsible, **told)


def enter(indicator: Indicator, by: Person, day: date, **figures: Any) -> Measurement:
    told = figures or {"value": Decimal(90)}
    return workflow.record_reading(by=by, indicator=indicator, measured_for=day, **told)


def test_who_is_responsible_enters_its_readings_without_any_role(manager: Person) -> None:
    worker = factories.person()
    made = make(manager, worker)
    assert enter(made, worker, JAN).came_by == "hand"
    with pytest.raises(PermissionDenied, match="Only who is responsible"):
        enter(made, factories.person("process_owner"), FEB)


def test_the_owner_of_an_objective_enters_readings_of_its_indicator(
    manager: Person, indicator: Indicator
) -> None:
    aims = factories.person()
    workflow.set_objective(by=manager, **complete(aims) | {"metric": "", "indicator": indicator})
    assert enter(indicator, aims, JAN).created_by == aims


def test_two_readings_of_one_period_are_refused_with_the_way_to_correct(
    indicator: Indicator, owner: Person
) -> None:
    enter(indicator, owner, JAN)
    with pytest.raises(Refused, match=r"reading for Jan 2026 already: 90\.0 %.*correct it"):
        enter(indicator, owner, date(2026, 1, 5))


def test_the_database_keeps_one_reading_a_period_and_a_positive_n(
    indicator: Indicator, owner: Person
) -> None:
    reading = enter(indicator, owner, JAN)
    for change in ("size = 0", "counted = -1"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE objectives_measurement SET {change} WHERE id = %s",  # noqa: S608
                [reading.pk],
            )


@pytest.mark.parametrize("changes", [{"unit": "days"}, {"frequency": "weekly"}, {"per": 100}])
def test_what_readings_stand_on_stays_once_there_is_one(
    indicator: Indicator, owner: Person, changes: dict[str, Any]
) -> None:
    enter(indicator, owner, JAN)
    with pytest.raises(Refused, match=r"stays\. Retire it"):
        amend(indicator, by=owner, changes=changes, reason="Wrong")
    with pytest.raises(Refused, match="another kind"):
        amend(indicator, by=owner, changes={"chart": "p"}, reason="Shares")
    amend(indicator, by=owner, changes={"chart": "i-mr", "decimals": 2}, reason="Clearer")
    assert indicator.chart == "i-mr"


def test_before_the_first_reading_everything_may_change(
    indicator: Indicator, owner: Person
) -> None:
    amend(indicator, by=owner, changes={"unit": "days", "chart": "p"}, reason="Thought again")
    assert (indicator.unit, indicator.asks) == ("days", "count")


def test_what_an_objective_needs_is_not_retired_and_what_was_used_is_no_mistake(
    manager: Person, owner: Person, indicator: Indicator
) -> None:
    objective = workflow.set_objective(
        by=manager, **complete(owner) | {"metric": "", "indicator": indicator}
    )
    with pytest.raises(Refused, match=f"{objective.number} is judged by it"):
        workflow.retire(indicator, by=owner, reason="No longer")
    with pytest.raises(Refused, match="Retire it instead"):
        workflow.void_indicator(indicator, by=manager, reason="Mistake")
    workflow.void(objective, by=manager, reason="Mistake")
    workflow.retire(indicator, by=owner, reason="No longer")
    with pytest.raises(Refused, match="no more readings"):
        enter(indicator, owner, JAN)


def test_an_objective_in_pursuit_stays_with_its_indicator(
    manager: Person, owner: Person, indicator: Indicator
) -> None:
    objective = workflow.set_objective(by=manager, **complete(owner))
    amend(objective, by=manager, changes={"indicator": indicator})
    workflow.activate(objective, by=manager)
    other = make(manager, owner, title="Another")
    with pytest.raises(Refused, match="stays with its indicator"):
        amend(objective, by=manager, changes={"indicator": other}, reason="Nicer")


def test_last_years_objective_is_judged_by_last_years_readings(
    manager: Person, owner: Person, indicator: Indicator
) -> None:
    told = complete(owner) | {"metric": "", "indicator": indicator}
    old = workflow.set_objective(
        by=manager, **told | {"starts_on": date(2025, 1, 1), "deadline": date(2025, 12, 31)}
    )
    new = workflow.set_objective(
        by=manager, **told | {"starts_on": date(2026, 1, 1), "deadline": date(2026, 12, 31)}
    )
    enter(indicator, owner, date(2025, 12, 31), value=Decimal(70))
    enter(indicator, owner, JAN, value=Decimal(95))
    from objectives.models import readings_of

    for rows in (Objective.objects, Objective.objects.with_readings()):
        assert readings_of(rows.get(pk=old.pk)) == [(date(2025, 12, 31), Decimal(70))]
        assert readings_of(rows.get(pk=new.pk)) == [(JAN, Decimal(95))]


def test_interim_targets_bend_the_way_and_lie_on_it(manager: Person, owner: Person) -> None:
    told = complete(owner) | {"starts_on": date(2026, 1, 1), "deadline": date(2026, 12, 31)}
    with pytest.raises(Refused, match="lies outside the way"):
        workflow.set_objective(by=manager, **told, interim=[{"on": "2027-03-31", "value": "85"}])
    made = workflow.set_objective(by=manager, **told, interim=[{"on": "2026-03-31", "value": "81"}])
    from objectives.status import Aim, assess

    assert assess(Aim.of(made), [(MAR, Decimal(81))], date(2026, 4, 2)).state == "on_track"
    made.interim = []
    assert assess(Aim.of(made), [(MAR, Decimal(81))], date(2026, 4, 2)).state != "on_track"


def test_an_objective_is_no_part_of_itself(manager: Person, owner: Person) -> None:
    whole = workflow.set_objective(by=manager, **complete(owner))
    part = workflow.set_objective(by=manager, **complete(owner), parent=whole)
    with pytest.raises(Refused, match="part of itself"):
        amend(whole, by=manager, changes={"parent": part})
    known = list(Objective.objects.order_by("number"))
    assert [(level, each) for level, each, _ in in_order(known)] == [(0, whole), (1, part)]


# Entering and sending


def test_from_my_work_a_reading_is_entered_in_two_clicks(manager: Person, owner: Person) -> None:
    made = make(manager, owner, starts_on=today() - timedelta(days=40))
    [item] = WorkItem.objects.filter(person=owner)
    assert (item.label, item.url) == ("Enter", f"{made.get_absolute_url()}reading/")
    client = signed_in(owner)
    assert item.url in client.get("/").content.decode()
    form = client.get(item.url).context["form"]
    told = {"measured_for": form["measured_for"].value().isoformat(), "value": "91,5"}
    assert client.post(item.url, told).status_code == 303
    assert Measurement.objects.get().value == Decimal("91.5")


def test_many_readings_are_entered_at_once_or_none(manager: Person, owner: Person) -> None:
    one = make(manager, owner, title="One", starts_on=today())
    two = make(manager, owner, title="Two", chart="p", per=100, starts_on=today())
    client = signed_in(owner)
    typed = {f"value-{one.pk}": "12,5 %", f"value-{two.pk}": "7 of 0"}
    typed |= {f"day-{each.pk}": today().isoformat() for each in (one, two)}
    refused = client.post("/objectives/readings/", typed)
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "n is at least 1" in page and "12,5 %" in page
    assert not Measurement.objects.exists()
    assert (
        client.post("/objectives/readings/", typed | {f"value-{two.pk}": "7 of 140"}).status_code
        == 303
    )
    assert Measurement.objects.get(indicator=one).value == Decimal("12.5")
    assert Measurement.objects.get(indicator=two).value == Decimal(5)
    assert {row.due for row in WorkItem.objects.filter(kind="indicator")} == {
        row.due for row in WorkItem.objects.filter(person=owner)
    }


def test_the_page_of_ones_readings_asks_as_much_for_two_as_for_many(
    manager: Person, owner: Person
) -> None:
    made = make(manager, owner)
    make(manager, owner, title="Other")
    client = signed_in(owner)
    client.get("/objectives/readings/")
    few = questions(lambda: client.get("/objectives/readings/"))
    multiply(made, 100)
    assert questions(lambda: client.get("/objectives/readings/")) == few


def test_sending_a_reading_again_changes_nothing_and_another_value_is_refused(
    indicator: Indicator, owner: Person
) -> None:
    client, path = signed_in(owner), f"indicators/{indicator.pk}/measurements/"
    told = {"measured_for": "2026-01-31", "value": "91.5"}
    first = api(client, "POST", path, told)
    assert (first.status_code, first.json()["new"]) == (201, True), first.content
    again = api(client, "POST", path, told | {"value": 91.50})
    assert (again.status_code, again.json()["new"]) == (200, False)
    assert again.json()["id"] == first.json()["id"]
    other = api(client, "POST", path, told | {"value": "92"})
    assert other.status_code == 422
    assert "If it is wrong, correct it" in other.json()["detail"]
    assert Measurement.objects.get().came_by == "api"


def test_several_readings_are_sent_all_or_none(indicator: Indicator, owner: Person) -> None:
    client, path = signed_in(owner), f"indicators/{indicator.pk}/measurements/many/"
    rows = [{"measured_for": f"2026-0{month}-15", "value": str(80 + month)} for month in (1, 2, 3)]
    ahead = {"measured_for": (today() + timedelta(days=400)).isoformat(), "value": "1"}
    bad = api(client, "POST", path, {"readings": [*rows, ahead]})
    assert bad.status_code == 422
    assert bad.json()["detail"].startswith("Reading 4: A reading cannot be of a day to come.")
    assert not Measurement.objects.exists()
    good = api(client, "POST", path, {"readings": rows})
    assert [each["new"] for each in good.json()["readings"]] == [True, True, True]
    more = api(
        client, "POST", path, {"readings": [*rows, {"measured_for": "2026-04-30", "value": "9"}]}
    )
    assert [each["new"] for each in more.json()["readings"]] == [False, False, False, True]
    for value in ("NaN", "Infinity", "1e999"):
        odd = client.generic(
            "POST",
            f"/api/v1/indicators/{indicator.pk}/measurements/",
            json.dumps({"measured_for": "2026-05-31", "value": value}),
            content_type="application/json",
        )
        assert odd.status_code == 422, value


@pytest.mark.parametrize(
    "moment", ["2199-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2026-01-31T10:00:00", "never"]
)
def test_a_reading_is_read_at_an_instant_that_can_be(
    indicator: Indicator, owner: Person, moment: str
) -> None:
    """Neither in the time to come, nor before the year 1900, nor without a zone."""
    told = {"measured_for": "2026-01-31", "value": "91.5", "happened_at": moment}
    path = f"indicators/{indicator.pk}/measurements/"
    assert api(signed_in(owner), "POST", path, told).status_code == 422
    assert not Measurement.objects.exists()


# Computed from our own records


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> dict[date, Figure | None]:
    """A source whose figures a test sets by month."""
    figures: dict[date, Figure | None] = {}
    made = IndicatorSource(
        "test.figures", "Figures", "pieces", lambda period, process: figures.get(period.start)
    )
    monkeypatch.setitem(contributions._sources, "test.figures", made)
    return figures


def computed_one(manager: Person, owner: Person) -> Indicator:
    start = Period.month(today().year, today().month).previous().previous().start
    return make(manager, owner, unit="pieces", computed_by="test.figures", starts_on=start)


def test_what_is_computed_is_computed_once_for_each_period_that_has_ended(
    manager: Person, owner: Person, source: dict[date, Figure | None]
) -> None:
    made = computed_one(manager, owner)
    this = Period.month(today().year, today().month)
    last, before = this.previous(), this.previous().previous()
    source |= {before.start: Figure(Decimal(3)), last.start: None, this.start: Figure(Decimal(9))}
    assert compute_due(today()) == 1
    assert compute_due(today()) == 0
    [reading] = Measurement.objects.filter(indicator=made)
    assert (reading.value, reading.measured_for) == (3, before.end)
    assert (reading.came_by, reading.created_by.is_system) == ("computed", True)
    source[last.start] = Figure(Decimal(4))
    assert compute_due(today()) == 1
    workflow.take_back(reading, by=owner, reason="Of another year")
    assert compute_due(today()) == 0, "what a person took back the clock does not bring again"


def test_nobody_enters_what_is_computed_and_it_is_computed_again_with_a_reason(
    manager: Person, owner: Person, source: dict[date, Figure | None]
) -> None:
    made = computed_one(manager, owner)
    with pytest.raises(Refused, match="nobody enters its readings"):
        enter(made, owner, made.starts_on)
    source[made.starts_on] = Figure(Decimal(3))
    compute_due(today())
    reading = Measurement.objects.get()
    with pytest.raises(Refused, match="Correct those, then compute it again"):
        workflow.correct(
            reading, by=owner, figure="2", measured_for=made.starts_on, because="Nicer"
        )
    with pytest.raises(Refused, match="comes to the same"):
        workflow.recompute(reading, by=owner, because="Just so")
    source[made.starts_on] = Figure(Decimal(5))
    workflow.recompute(reading, by=owner, because="Two were found late")
    live = Measurement.objects.live().get()
    assert (live.value, live.corrects, live.note) == (5, reading, "Two were found late")
    assert WorkItem.objects.filter(kind="indicator").count() == 0


def test_a_source_that_fits_not_is_refused(manager: Person, owner: Person) -> None:
    with pytest.raises(Refused, match="needs a chart p"):
        make(manager, owner, computed_by="actions.in_time")
    with pytest.raises(Refused, match="can no longer be computed"):
        make(manager, owner, computed_by="nobody.knows")
    with pytest.raises(Refused, match="Choose what it is computed from"):
        make(manager, owner, collection="computed")


def test_every_registered_source_computes_an_empty_month() -> None:
    found = contributions.indicator_sources()
    assert {
        "capa.complaints",
        "actions.overdue",
        "audits.nonconformities",
        "documents.overdue",
    } <= {each.key for each in found}
    for each in found:
        figure = each.compute(Period.month(2020, 1), None)
        assert figure is None or figure.value == 0, each.key
        assert contributions.source_named(each.key) is not None


# What others see


def test_lower_chapters_choose_an_indicator_and_read_its_course(
    indicator: Indicator, owner: Person
) -> None:
    enter(indicator, owner, JAN, value=Decimal(88))
    enter(indicator, owner, FEB, value=Decimal(91))
    told = contributions.indicators()
    assert told is not None
    assert told.choose(owner, "orders", 5) == [(indicator.pk, str(indicator))]
    course = told.course(indicator.pk, Period.year(2026), owner)
    assert course is not None
    assert course.shown == ("88.0 %", "91.0 %")
    assert course.sentence == "Orders on time: 2 readings in 2026, from 88.0 % to 91.0 %."
    assert told.course(0, Period.year(2026), owner) is None


def test_the_pack_says_what_was_measured_and_what_is_missing(
    indicator: Indicator, owner: Person
) -> None:
    enter(indicator, owner, JAN)
    section = evidence.indicators_section(Period(date(2026, 1, 1), MAR), None)  # type: ignore[arg-type]
    [row] = section["rows"]
    assert (row["taken"], row["missing"], row["last"]) == (1, 1, "90.0 %"), "March is not due yet"


@pytest.fixture
def client(owner: Person) -> Client:
    return signed_in(owner)


def test_the_page_of_an_indicator_names_corrections_objectives_and_what_is_missing(
    manager: Person, owner: Person, indicator: Indicator, client: Client
) -> None:
    objective = workflow.set_objective(
        by=manager, **complete(owner) | {"metric": "", "indicator": indicator}
    )
    reading = enter(indicator, owner, JAN, value=Decimal(19))
    workflow.correct(reading, by=owner, figure="91", measured_for=JAN, because="Digits swapped")
    page = client.get(indicator.get_absolute_url()).content.decode()
    for words in ("<del", "Digits swapped", objective.number, "is missing", "<svg"):
        assert words in page
    pdf = client.get(f"{indicator.get_absolute_url()}pdf/")
    assert pdf["Content-Type"] == "application/pdf"


@pytest.mark.slow
def test_five_hundred_indicators_and_ten_thousand_readings_ask_as_little_as_a_few(
    manager: Person, owner: Person, indicator: Indicator, client: Client
) -> None:
    reading = enter(indicator, owner, JAN)
    client.get("/objectives/indicators/")
    few = questions(lambda: client.get("/objectives/indicators/"))
    one = questions(lambda: client.get(indicator.get_absolute_url()))
    multiply(indicator, 499)
    multiply(
        reading,
        9_999,
        measured_for="date '2025-12-31' - n::int",
        period_start="date '2025-12-31' - n::int",
    )
    assert few <= 12
    assert questions(lambda: client.get("/objectives/indicators/")) == few
    page = client.get("/objectives/indicators/").content.decode()
    assert page.count("Orders on time") >= 500
    assert questions(lambda: client.get(indicator.get_absolute_url())) == one
