"""A sheet of readings: every problem named by row and column, the rest kept, or nothing (9.1.1)."""

import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile

from objectives import tasks, workflow
from objectives.models import Indicator, Measurement, ReadingSheet
from objectives.sheets import indicators_in, period_in
from qms.outbox import workflow as outbox
from qms.people.models import Person
from qms.refusals import Refused
from qms.work.models import WorkItem
from tests import factories
from tests.objectives.test_indicators import JAN, enter, make
from tests.objectives.test_views import signed_in
from tests.sampling import PROVING

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.1.1")]


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager")


@pytest.fixture
def indicator(manager: Person) -> Indicator:
    return make(manager, manager)


def bring(by: Person, content: str | bytes, name: str = "readings.csv", **more: Any) -> Any:
    """The sheet after a worker has read it."""
    blob = content.encode() if isinstance(content, str) else content
    sheet = workflow.bring_sheet(by=by, sheet=ContentFile(blob, name=name), **more)
    outbox.drain("default")
    sheet.refresh_from_db()
    return sheet


def problems(sheet: ReadingSheet) -> str:
    return "\n".join(sheet.progress.problems)


def test_every_problem_is_named_by_row_and_column_and_the_rest_can_be_kept(
    manager: Person, indicator: Indicator
) -> None:
    shares = make(manager, manager, title="Rejected", chart="p", per=100)
    enter(indicator, manager, JAN, value=Decimal(88))
    sheet = bring(
        manager,
        "Our figures;;;;\n"
        "Indicator;Month;Value;n;Note\n"
        "Orders on time;2026-01;88;;\n"  # row 3: kept already
        "Orders on time;2026-02;91,5 %;;after the move\n"
        "Orders on time;2026-02;92;;\n"
        "Orders on time;2026-03;12 days;;\n"
        "Orders on time;2199-03-31;90;;\n"
        "Orders on time;someday;90;;\n"
        "Orders on time;03/04/2026;90;;\n"
        "Orders;2026-04;90;;\n"
        f"{shares.number};2026-02;3;120;\n"
        f"{shares.number};2026-03;3;0;\n"
        f"{shares.number};2026-04;NaN;120;\n"
        f"{shares.number};2026-05;3;;\n"
        ";;;;\n"
        "Orders on time;2026-06;;;\n",
    )
    assert sheet.status == "checked", sheet.failure
    told = sheet.progress
    assert (told.total, told.good, told.known, told.bad) == (13, 2, 1, 10)
    said = problems(sheet)
    for words in (
        "Row 5, column B (date or period): Feb 2026 stands in row 4 already.",
        "Row 6, column C (value): “12 days” says “days”, but the unit is %.",
        "Row 7, column B (date or period): A reading cannot be of a day to come.",
        "Row 8, column B (date or period): “someday” is no date.",
        "Row 9, column B (date or period): “03/04/2026” can be read in two ways.",
        "Row 10, column A (indicator): There is no indicator “Orders” in use.",
        "Row 12, column D (n): Of 0 there is no share",
        "Row 13, column C (value): Write a number",
        "Row 14, column D (n): Say of how many (n).",
        "Row 16, column C (value): It is empty.",
    ):
        assert words in said
    assert Measurement.objects.count() == 1, "nothing is written before it is accepted"
    workflow.accept(sheet, by=manager)
    outbox.drain("default")
    sheet.refresh_from_db()
    assert (sheet.status, sheet.written, sheet.left_out) == ("done", 2, 11)
    kept = Measurement.objects.get(indicator=indicator, period_start=date(2026, 2, 1))
    assert (kept.value, kept.note, kept.came_by) == (Decimal("91.5"), "after the move", "sheet")
    assert kept.history.get().history_user == manager
    assert Measurement.objects.get(indicator=shares).value == Decimal("2.5")


def test_another_value_for_a_period_is_a_problem_with_the_way_to_correct_it(
    manager: Person, indicator: Indicator
) -> None:
    enter(indicator, manager, JAN, value=Decimal(88))
    sheet = bring(manager, "Date,Value\n2026-01-31,89\n", indicator=indicator)
    assert "another reading for Jan 2026 already: 88.0 %" in problems(sheet)
    with pytest.raises(Refused, match="No row of the sheet can be kept"):
        workflow.accept(sheet, by=manager)


def test_a_share_that_a_spreadsheet_keeps_as_a_fraction_is_read_as_it_is_shown(
    manager: Person, indicator: Indicator
) -> None:
    from openpyxl import Workbook

    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["Date", "Value"])
    page.append([date(2026, 1, 31), 0.915])
    page.append([date(2026, 2, 28), 92.25])
    page["B2"].number_format = "0.0%"
    blob = io.BytesIO()
    book.save(blob)
    sheet = bring(manager, blob.getvalue(), "readings.xlsx", indicator=indicator)
    workflow.accept(sheet, by=manager)
    outbox.drain("default")
    values = Measurement.objects.order_by("measured_for").values_list("value", flat=True)
    assert list(values) == [Decimal("91.5"), Decimal("92.25")]


def test_what_a_spreadsheet_computed_is_kept_to_six_decimals_and_never_to_nothing(
    manager: Person, indicator: Indicator
) -> None:
    from openpyxl import Workbook

    book = Workbook()
    page: Any = book.active
    page.append(["Date", "Value"])
    page.append([date(2026, 1, 31), 100 / 3])
    page.append([date(2026, 2, 28), 0.1 + 0.2])
    page.append([date(2026, 3, 31), 0.0000001])
    page.append([date(2026, 4, 30), "#DIV/0!"])
    blob = io.BytesIO()
    book.save(blob)
    sheet = bring(manager, blob.getvalue(), "readings.xlsx", indicator=indicator)
    said = problems(sheet)
    assert "Row 4, column B (value)" in said and "Row 5, column B (value)" in said
    workflow.accept(sheet, by=manager)
    outbox.drain("default")
    values = Measurement.objects.order_by("measured_for").values_list("value", flat=True)
    assert list(values) == [Decimal("33.333333"), Decimal("0.3")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "No header row was found"),
        ("Date,Value\n", "no row of values"),
    ],
)
def test_a_sheet_that_cannot_be_read_says_why(
    manager: Person, indicator: Indicator, content: str, words: str
) -> None:
    try:
        sheet = bring(manager, content, indicator=indicator)
    except Refused as refusal:
        assert words in str(refusal)
    else:
        assert (sheet.status, words in sheet.failure) == ("failed", True)


def test_rows_of_what_one_does_not_answer_for_are_problems(indicator: Indicator) -> None:
    other = factories.person("process_owner")
    sheet = bring(other, "Date,Value\n2026-01-31,89\n", indicator=indicator)
    assert "Only who is responsible" in problems(sheet)


def test_what_was_entered_meanwhile_stays_and_counts(manager: Person, indicator: Indicator) -> None:
    sheet = bring(manager, "Date,Value\n2026-01-31,89\n2026-02-28,90\n", indicator=indicator)
    enter(indicator, manager, JAN, value=Decimal(77))
    workflow.accept(sheet, by=manager)
    outbox.drain("default")
    sheet.refresh_from_db()
    assert (sheet.written, sheet.left_out) == (1, 1)
    assert Measurement.objects.get(period_start=date(2026, 1, 1)).value == 77


def many(rows: int) -> str:
    """Days of years with a value each; every 166th is wrong in one of three ways."""
    begin, lines = date(2026, 10, 1), ["Indicator,Date,Value"]
    for at in range(rows):
        series, back = at % 10, at // 10
        value = ("n/a", "12 kg", "NaN")[at % 3] if at % 166 == 0 else f"{at % 97}.5"
        lines.append(f"Series {series},{begin - timedelta(days=back)},{value}")
    return "\n".join(lines)


ROWS, WRONG = (50_000, 302) if PROVING else (5_000, 31)


@pytest.mark.slow
def test_fifty_thousand_rows_with_three_hundred_bad_ones(manager: Person) -> None:
    """A tenth of them in `make test`, all by `make prove`."""
    for at in range(10):
        make(manager, manager, title=f"Series {at}", frequency="daily", starts_on=date(2010, 1, 1))
    sheet = bring(manager, many(ROWS))
    told = sheet.progress
    assert (told.total, told.bad, told.good) == (ROWS, WRONG, ROWS - WRONG), sheet.failure
    assert len(told.problems) == WRONG
    assert told.problems[0].startswith("Row 2, column C (value): ")
    workflow.accept(sheet, by=manager)
    outbox.drain("default")
    sheet.refresh_from_db()
    assert (sheet.status, sheet.written) == ("done", ROWS - WRONG), sheet.failure
    assert Measurement.objects.count() == Measurement.history.count() == ROWS - WRONG
    # Where the newest day was a bad row, the next reading is that day's.
    asked = WorkItem.objects.filter(
        kind="indicator", due__range=(date(2026, 10, 2), date(2026, 10, 3))
    )
    assert asked.count() == 10


def test_a_sheet_holds_up_only_the_indicators_it_names(manager: Person) -> None:
    """Everybody else goes on entering readings while it is written."""
    some = [make(manager, manager, title=f"Series {at}") for at in range(3)]
    rows = [["Indicator", "Date", "Value"], ["series 1", "2026-01", "7"], [some[0].number], []]
    assert indicators_in([["Our figures"], *rows]) == {some[0].pk, some[1].pk}
    assert indicators_in([["Date", "Value"], ["2026-01", "7"]], some[2]) == {some[2].pk}
    with pytest.raises(Refused, match="No header row"):
        indicators_in([["2026-01", "7"]])


def test_who_cancels_while_it_is_written_keeps_nothing_of_it(
    manager: Person, indicator: Indicator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = bring(manager, "Date,Value\n2026-01-31,89\n2026-02-28,90\n", indicator=indicator)
    monkeypatch.setattr(tasks, "AT_ONCE", 1)
    workflow.accept(sheet, by=manager)
    told: list[int] = []
    real = tasks.note_rows

    def cancel_after_the_first(row_of: ReadingSheet, done: int, total: int) -> None:
        real(row_of, done, total)
        told.append(done)
        if len(told) == 1:
            workflow.cancel(ReadingSheet.objects.get(pk=sheet.pk), by=manager)

    monkeypatch.setattr(tasks, "note_rows", cancel_after_the_first)
    outbox.drain("default")
    assert not Measurement.objects.exists()
    assert told == [1]


def test_the_page_shows_progress_problems_and_what_was_kept(
    manager: Person, indicator: Indicator
) -> None:
    client = signed_in(manager)
    answer = client.post(
        "/objectives/imports/new/",
        {
            "sheet": ContentFile(b"Date,Value\n2026-01-31,89\n2026-02-28,x\n", name="a.csv"),
            "indicator": indicator.pk,
        },
    )
    assert answer.status_code == 303, answer.content
    sheet = ReadingSheet.objects.get()
    assert "Reading the sheet" in client.get(sheet.get_absolute_url()).content.decode()
    assert client.get(f"{sheet.get_absolute_url()}progress/").status_code == 200
    outbox.drain("default")
    page = client.get(sheet.get_absolute_url()).content.decode()
    assert "Row 3, column B (value)" in page and "Import the good rows" in page
    assert client.get(f"{sheet.get_absolute_url()}progress/").status_code == 303
    done = client.post(f"{sheet.get_absolute_url()}do/accept/", {"version": 2})
    assert done.status_code == 303, done.content
    outbox.drain("default")
    assert "1 reading is kept" in client.get(sheet.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    ("typed", "start", "end"),
    [
        ("2026", "2026-01-01", "2026-12-31"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("Feb 2026", "2026-02-01", "2026-02-28"),
        ("february 2026", "2026-02-01", "2026-02-28"),
        ("2026-Q3", "2026-07-01", "2026-09-30"),
        ("Q3 2026", "2026-07-01", "2026-09-30"),
        ("2026-W07", "2026-02-09", "2026-02-15"),
        ("Week 7, 2026", "2026-02-09", "2026-02-15"),
    ],
)
def test_periods_are_understood_as_people_write_them(typed: str, start: str, end: str) -> None:
    period = period_in(typed)
    assert period is not None
    assert (period.start.isoformat(), period.end.isoformat()) == (start, end)


@pytest.mark.parametrize("typed", ["2026-13", "0000", "Foo 2026", "2026-Q5", "2026-W60", "26"])
def test_what_is_no_period_is_none(typed: str) -> None:
    assert period_in(typed) is None
