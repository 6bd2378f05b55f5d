"""Pages and API of objectives: for whom they open, what they refuse, and in how many queries."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from objectives import evidence, workflow
from objectives.charts import chart_of, points_of
from objectives.models import Indicator, Objective
from objectives.prints import objective_pdf
from qms import contributions
from qms.people.models import Person
from qms.periods import Period, today
from tests import factories
from tests.many import multiply
from tests.objectives.test_workflow import complete, enter

pytestmark = [pytest.mark.django_db, pytest.mark.clause("6.2.2")]


BARE = {
    "title": "Fewer defects",
    "starts_on": "2026-01-01",
    "decimals": 1,
    "direction": "lower",
    "judged_by": "last",
    "edition": "2026",
}


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager")


@pytest.fixture
def owner() -> Person:
    return factories.person()


@pytest.fixture
def objective(manager: Person, owner: Person) -> Objective:
    made = workflow.set_objective(by=manager, **complete(owner))
    return workflow.activate(made, by=manager)


def test_the_empty_list_teaches(manager: Person) -> None:
    page = signed_in(manager).get("/objectives/")
    assert "No objective is set yet" in page.content.decode()


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


@pytest.mark.slow
def test_a_list_of_a_thousand_takes_as_many_queries_as_one_of_ten(
    manager: Person, owner: Person
) -> None:
    client = signed_in(manager)

    for at in range(10):
        made = workflow.set_objective(by=manager, **complete(owner))
        if at % 2 == 0:
            workflow.activate(made, by=manager)
            enter(made, manager, 81)
    few = queries_of(client, "/objectives/")
    multiply(made, 990)
    assert queries_of(client, "/objectives/") == few
    assert "1,000" in client.get("/objectives/").content.decode()
    sheet = b"".join(client.get("/objectives/?format=csv")).decode()  # type: ignore[arg-type]
    assert sheet.count("Answer inquiries") == 1000
    assert "<span" not in sheet


@pytest.mark.slow
def test_the_record_shows_where_it_stands_the_chart_and_its_numbers(
    objective: Objective, owner: Person
) -> None:
    enter(objective, owner, 91)
    page = signed_in(owner).get(objective.get_absolute_url()).content.decode()
    assert "reaches the target of 90.0 %" in page
    assert "On track" in page
    assert "<svg" in page
    assert "A forecast needs 5 readings; there are 1." in page


def test_an_owner_without_any_role_enters_a_reading_on_the_page(
    objective: Objective, owner: Person
) -> None:
    client = signed_in(owner)
    address = f"{indicator_of(objective).get_absolute_url()}reading/"
    assert client.get(address).status_code == 200
    answer = client.post(address, {"measured_for": today().isoformat(), "value": "84.5"})
    assert answer.status_code == 303
    again = client.post(address, {"measured_for": today().isoformat(), "value": "85"})
    assert again.status_code == 422
    assert "If it is wrong, correct it" in again.content.decode()
    assert indicator_of(objective).measurements.get().value == Decimal("84.5")


def test_a_stranger_enters_nothing_by_page_or_api(objective: Objective) -> None:
    client = signed_in(factories.person("auditor"))
    indicator = indicator_of(objective)
    address = f"{indicator.get_absolute_url()}reading/"
    values = {"measured_for": today().isoformat(), "value": "99"}
    assert client.post(address, values).status_code == 403
    answer = api(client, "POST", "measurements/", values | {"indicator": indicator.pk})
    assert answer.status_code == 403
    sent = api(client, "POST", f"indicators/{indicator.pk}/measurements/", values)
    assert sent.status_code == 403
    assert not indicator.measurements.exists()


def indicator_of(objective: Objective) -> Indicator:
    assert objective.indicator is not None
    return objective.indicator


def api(client: Client, method: str, path: str, values: dict[str, Any]) -> Any:
    return client.generic(
        method, f"/api/v1/{path}", json.dumps(values), content_type="application/json"
    )


def test_the_api_refuses_what_the_page_refuses_with_the_same_words(
    manager: Person, objective: Objective
) -> None:
    client = signed_in(manager)
    made = api(client, "POST", "objectives/", BARE)
    assert made.status_code == 201, made.content
    path = f"objectives/{made.json()['id']}/activate/"
    answer = api(client, "POST", path, {"version": made.json()["version"]})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("Before it starts, say what is measured")
    early = api(
        client,
        "POST",
        f"objectives/{objective.pk}/miss/",
        {"version": objective.version, "verdict": "No"},
    )
    assert (early.status_code, "It runs until" in early.json()["detail"]) == (422, True)
    stale = api(
        client,
        "PATCH",
        f"objectives/{objective.pk}/",
        {"target": "95", "version": 1, "reason": "Too easy"},
    )
    assert stale.status_code == 409


def test_an_employee_sets_no_objective(owner: Person) -> None:
    client = signed_in(owner)
    assert client.get("/objectives/new/").status_code == 403
    answer = api(client, "POST", "objectives/", BARE)
    assert answer.status_code == 403


def test_a_reading_is_corrected_on_its_page(objective: Objective, owner: Person) -> None:
    reading = enter(objective, owner, 28)
    client = signed_in(owner)
    address = f"{reading.get_absolute_url()}do/correct/"
    assert "Digits" not in client.get(address).content.decode()
    answer = client.post(
        address,
        {
            "figure": "82",
            "measured_for": today().isoformat(),
            "because": "Digits swapped",
            "version": reading.version,
        },
    )
    assert answer.status_code == 303
    page = client.get(indicator_of(objective).get_absolute_url()).content.decode()
    assert ">28.0 %</del>" in page
    assert "Digits swapped" in page
    shown = client.get(reading.get_absolute_url()).content.decode()
    assert "Corrected by" in shown


def test_a_missing_month_is_a_gap_in_the_chart(manager: Person, owner: Person) -> None:
    made = workflow.set_objective(by=manager, **complete(owner) | {"starts_on": date(2026, 1, 1)})
    enter(made, owner, 81, date(2026, 1, 31))
    enter(made, owner, 83, date(2026, 3, 31))
    points = points_of(made, date(2026, 4, 2))
    assert points == [("Jan 2026", 81), ("Feb 2026", None), ("Mar 2026", 83)]


def test_the_way_to_the_target_is_drawn_and_told(manager: Person, owner: Person) -> None:
    """What a status compares with can be seen: from 80 in January to 90 at the year's end."""
    way = {"starts_on": date(2026, 1, 1), "deadline": date(2026, 12, 31)}
    made = workflow.set_objective(by=manager, **(complete(owner) | way))
    enter(made, owner, 81, date(2026, 1, 31))
    chart = chart_of(made, date(2026, 3, 2))
    assert chart.headings == ("Period", "Value", "Signal", "On the way")
    assert chart.rows[0] == ("Jan 2026", "81.0 %", "", "80.8 %")
    assert "On the way it would be at 80.8 % by now." in chart.description
    assert "The way" in chart.svg


def test_the_band_an_objective_stays_within_is_drawn_and_told(
    manager: Person, owner: Person
) -> None:
    band = {
        "direction": "within",
        "target": None,
        "lower_band": Decimal(2),
        "upper_band": Decimal(4),
    }
    made = workflow.set_objective(by=manager, **(complete(owner) | band))
    enter(workflow.activate(made, by=manager), owner, 3)
    chart = chart_of(made, today())
    assert "Band from 2.0 %. Band to 4.0 %." in chart.description
    assert {"Band from 2.0 %", "Band to 4.0 %"} <= set(re.findall("Band [^<]*%", chart.svg))


@pytest.mark.slow
def test_it_prints_with_its_chart(objective: Objective, owner: Person) -> None:
    enter(objective, owner, 84)
    assert objective_pdf(objective).startswith(b"%PDF")
    answer = signed_in(owner).get(f"{objective.get_absolute_url()}pdf/")
    assert answer["Content-Type"] == "application/pdf"


@pytest.mark.clause("9.3.2")
def test_the_review_gets_each_objective_now_and_before(objective: Objective, owner: Person) -> None:
    now = Period(today() - timedelta(days=20), today())
    assert evidence.monitoring(Period(date(2020, 1, 1), date(2020, 12, 31))) == []
    enter(objective, owner, 82, today() - timedelta(days=30))
    enter(objective, owner, 91)
    [line] = evidence.achievement(now)
    assert line.value == "91.0 %, on track"
    assert line.before.startswith("82.0 %")
    measured = evidence.monitoring(now)[0]
    assert (measured.value, measured.before) == ("1", "1")


def test_the_pack_gets_the_register_and_a_page_each(objective: Objective) -> None:
    period = Period(today() - timedelta(days=20), today())
    [row] = evidence.objective_register(period, None)  # type: ignore[arg-type]
    assert row[0] == objective.number
    assert "No data" in row
    assert list(evidence.printed_objectives(period, None)) == [(objective, objective.number)]  # type: ignore[arg-type]
    section = evidence.objectives_section(period, None)  # type: ignore[arg-type]
    assert section["rows"][0][1].state == "no_data"


def test_it_is_found_and_stands_in_the_calendar_and_on_the_dashboard(
    objective: Objective, owner: Person, manager: Person
) -> None:
    found = dict(contributions.find_everywhere(owner, "inquiries", 5))
    assert found["Objectives"][0].number == objective.number
    deadline = objective.deadline
    assert deadline is not None
    entries = contributions.calendar_for(owner, deadline, deadline)
    assert [each.title for each in entries] == [objective.title]
    [tile] = [t for t in contributions.tiles_for(manager, today()) if t.title == "Objectives"]
    assert (tile.figure, tile.tone) == ("0 of 1", "soon")
    assert "readings are missing" in tile.note


# Writing, and how all stand


FULL = BARE | {
    "title": "Answer 95 percent of inquiries within a day",
    "direction": "higher",
    "metric": "Inquiries answered within a day",
    "unit": "%",
    "baseline": "80,5",
    "target": "95 %",
    "deadline": "2027-06-30",
    "interim": "2026-12-31  88",
    "plan": "Sort twice a day.",
    "resources": "Half an hour a day.",
    "evaluation": "Counted from the inbox.",
}


def test_an_objective_and_its_indicator_are_made_on_one_page(manager: Person) -> None:
    client = signed_in(manager)
    answer = client.post("/objectives/new/", FULL | {"owner": manager.pk})
    assert answer.status_code == 303, answer.content
    made = Objective.objects.select_related("indicator").get()
    indicator = indicator_of(made)
    assert (indicator.title, indicator.responsible) == (FULL["metric"], manager)
    assert (made.baseline, made.target) == (Decimal("80.5"), Decimal(95))
    assert made.stages == [(date(2026, 12, 31), Decimal(88))]
    page = client.get(made.get_absolute_url()).content.decode()
    assert "88 %" in page and "Specific" in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": "95 days"}, "the unit is %"),
        ({"target": "1,234"}, "can be read in two ways"),
        ({"unit": ""}, "in which unit"),
        ({"interim": "soon 88"}, "no day and value"),
        ({"interim": "2026-12-31 1 000"}, "Write a number"),
        ({"interim": "2026-12-31 88 days"}, "says “days”, but the unit is %"),
        ({"interim": "2026-12-31 88\n2026-12-31 89"}, "Two interim targets"),
        ({"interim": "2029-12-31 88"}, "lies outside the way"),
        ({"target": "NaN"}, "Write a number"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field_and_nothing_is_kept(
    manager: Person, changes: dict[str, str], words: str
) -> None:
    answer = signed_in(manager).post("/objectives/new/", FULL | changes)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Objective.objects.exists() and not Indicator.objects.exists()


def test_the_helper_speaks_while_one_writes_and_saves_nothing(manager: Person) -> None:
    client = signed_in(manager)
    said = client.post("/objectives/help/", {"title": "Improve quality", "target": "x"})
    assert "“Improve” by how much?" in said.content.decode() or "Say a little more" in (
        said.content.decode()
    )
    looked = client.post("/objectives/new/", FULL | {"look": "1"})
    assert looked.status_code == 200
    assert "Is it a good objective?" in looked.content.decode()
    assert "Name one person" in looked.content.decode()
    assert not Objective.objects.exists()


def test_every_example_begins_the_form(manager: Person) -> None:
    client = signed_in(manager)
    from objectives.starters import examples

    for each in examples():
        page = client.get(f"/objectives/new/?example={each.key}").content.decode()
        assert str(each.values["metric"]) in page


def test_the_table_of_standings_asks_as_little_for_many_as_for_one(
    objective: Objective, manager: Person, owner: Person
) -> None:
    enter(objective, owner, 91)
    client = signed_in(manager)
    client.get("/objectives/standing/")
    few = queries_of(client, "/objectives/standing/")
    tree = queries_of(client, "/objectives/tree/")
    multiply(objective, 60)
    assert queries_of(client, "/objectives/standing/") == few
    assert queries_of(client, "/objectives/tree/") == tree
    page = client.get("/objectives/standing/").content.decode()
    assert "On track" in page and "Too few readings" in page
    assert client.get("/objectives/standing/?print=1").status_code == 200


def test_an_action_of_the_plan_is_promised_on_its_page(
    objective: Objective, manager: Person
) -> None:
    client = signed_in(manager)
    told = {"title": "Train the desk", "owner": manager.pk, "due": "2027-01-31"}
    answer = client.post(f"{objective.get_absolute_url()}action/", told)
    assert answer.status_code == 303, answer.content
    assert "Train the desk" in client.get(objective.get_absolute_url()).content.decode()


def test_a_trend_is_named_only_where_chance_does_not_explain_it() -> None:
    from objectives.status import trend_in_words

    days = [date(2026, month, 1) for month in range(1, 9)]
    rising = [(day, Decimal(at)) for at, day in enumerate(days)]
    noise = [(day, Decimal((7, 3, 9, 2, 8, 4, 6, 5)[at])) for at, day in enumerate(days)]
    assert trend_in_words("higher", rising) == "Rising, better"
    assert trend_in_words("lower", rising) == "Rising, worse"
    assert trend_in_words("within", rising) == "Rising"
    assert trend_in_words("higher", noise) == "No trend"
    assert trend_in_words("higher", rising[:4]) == ""
