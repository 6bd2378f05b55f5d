"""An objective in a browser: written with help, fed from a sheet, its signal explained (9.1)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from objectives.models import Indicator, Objective, ReadingSheet, SignalAnswer
from qms.outbox import workflow as outbox
from qms.periods import Period, add_months, today
from reviews.models import ReviewedObjective
from reviews.workflow import compile_inputs, plan_review
from tests.factories import person
from tests.journeys.desk import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.clause("9.1.3"),
]
CALM = [82, 84, 83, 85, 82, 84, 86, 83, 85, 84, 83, 85, 84, 86, 85, 83, 84, 85, 86, 84, 85, 84]


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """Two years of months, decimal commas, one row that is wrong; the last month falls far out."""
    first = add_months(today().replace(day=1), -24)
    lines = ["date;value"]
    for at, value in enumerate([*CALM, 85, 61]):
        month = add_months(first, at)
        lines.append(f"{Period.month(month.year, month.month).end};{value},5")
    lines.append(f"{first};n/k")
    path = tmp_path / "on-time.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_from_a_wish_to_an_explained_signal(
    transactional_db: None, sits_down: Callable[..., Desk], sheet: Path
) -> None:
    owner = person("process_owner", name="Olga Owner")
    desk = sits_down(person("quality_manager", name="Quinn Quality"))
    objective = it_is_written_with_help(desk)
    its_readings_come_from_a_sheet(desk, objective, sheet)
    at_owner = sits_down(owner)
    the_signal_is_seen_and_explained(at_owner, objective.indicator)
    desk.open_record(objective)
    desk.reads("A straight line through the")
    the_review_confirms_it(desk, objective)


def it_is_written_with_help(desk: Desk) -> Objective:
    desk.open("/objectives/new/")
    desk.write(title="Deliver better")
    desk.page.wait_for_selector("#advice li")
    desk.reads("what is measured")
    first = add_months(today().replace(day=1), -24)
    desk.write(
        title="Deliver 90 percent of orders on time",
        owner="Olga Owner",
        metric="Orders on time",
        unit="%",
        baseline="82",
        target="90",
        starts_on=first.isoformat(),
        deadline=add_months(today(), 6).isoformat(),
        evaluation="From the order book, counted each month by the planner.",
        plan="A weekly look at late orders.",
    )
    desk.confirm()
    desk.reads("Deliver 90 percent of orders on time")
    desk.press("Activate", within=".next-steps")
    desk.reads("is now “Active”.")
    found: Objective = Objective.objects.get()
    return found


def its_readings_come_from_a_sheet(desk: Desk, objective: Objective, sheet: Path) -> None:
    desk.open(f"/objectives/imports/new/?indicator={objective.indicator_id}")
    desk.add_file("sheet", sheet)
    desk.confirm()
    outbox.drain("default")
    brought = ReadingSheet.objects.get()
    desk.open_record(brought)
    desk.reads("Row 26, column B (value): Write a number, like 12.5.")
    desk.press("Import the good rows", within=".next-steps")
    outbox.drain("default")
    desk.open_record(brought)
    desk.reads("24 readings are kept; 1 row was left out.")
    desk.open(f"{objective.indicator.get_absolute_url()}edit/")
    desk.press("Limits and chart")
    desk.write(chart="Individual values", rules="Nelson", reason="To tell noise from change.")
    desk.confirm()
    desk.reads("to explain")


def the_signal_is_seen_and_explained(desk: Desk, indicator: Indicator) -> None:
    desk.open("/")
    with desk.counted("explain a signal", 3):
        desk.press("Explain")
        desk.reads("beyond the control limit")
        desk.write(
            found="A cause we have acted on", words="The lorry fleet stood still; hired one."
        )
        desk.confirm()
    desk.reads("The lorry fleet stood still")
    assert SignalAnswer.objects.get().indicator == indicator
    picture = desk.page.locator("svg.chart").first.get_attribute("aria-label")
    table: Any = desk.page.locator("figure table").first
    assert "Rule 1" in (picture or "")
    assert "answered" in table.text_content()


def the_review_confirms_it(desk: Desk, objective: Objective) -> None:
    chair = person("top_management", name="Bo Boss")
    review = plan_review(by=desk.who, chair=chair, planned_on=today())
    compile_inputs(review, by=desk.who)
    desk.open_record(review)
    desk.reads(objective.number)
    form = desk.page.locator("form[action$='/objectives/']")
    form.locator("select").first.select_option(value="confirmed")
    form.locator("textarea").first.fill("The lorries are hired until spring.")
    desk.press("Keep the answers")
    desk.reads("The lorries are hired until spring.")
    row = ReviewedObjective.objects.get(objective=objective)
    assert row.answer == "confirmed"
    desk.open_record(objective)
    desk.reads("Confirmed")
