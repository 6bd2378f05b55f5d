"""Lists: what may be sorted, what is counted, and what a spreadsheet makes of an export."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import django_filters
import openpyxl
import pytest
from django.apps import apps
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.test import RequestFactory

from qms import listing, pages
from qms.actions.models import Action
from qms.actions.workflow import plan_action
from qms.forms import read_choices_at_once
from qms.listing import Column, harmless
from qms.people.models import Person
from tests.factories import person
from tests.many import questions

COLUMNS = [
    Column("number", "Number", sort="number"),
    Column("title", "Action", sort="title"),
    Column("owner", "Owner", kind="person", sort="owner__name"),
    Column("status", "State", kind="state"),
    Column("due", "Due", kind="due", sort="due"),
    Column("secret", "Never", value=lambda row: "never", export=False),
]
START = date(2026, 3, 2)


@pytest.fixture
def manager(db: None) -> Person:
    return person("quality_manager")


@pytest.fixture
def planned(manager: Person) -> list[Action]:
    """Seven actions, several of them due on the same day."""
    return [
        plan_action(
            by=manager, title=f"Step {n}", owner=manager, due=START + timedelta(days=n // 3)
        )
        for n in range(7)
    ]


def ask(manager: Person, query: str = "", **options: Any) -> Any:
    request = RequestFactory().get(f"/actions/?{query}")
    request.user = manager
    request.htmx = False  # type: ignore[attr-defined]
    options.setdefault("columns", COLUMNS)
    return pages.show_list(
        request,
        Action.objects.select_related("owner"),
        default_sort="due",
        title="A/B: [x]",
        **options,
    )


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", " ="])
def test_a_text_that_begins_like_a_formula_stays_text(start: str) -> None:
    assert harmless(f"{start}cmd|' /C calc'!A0").startswith("'")


def test_ordinary_text_is_not_touched() -> None:
    assert harmless("Torque wrench: 5 = 5") == "Torque wrench: 5 = 5"


def test_csv_holds_what_is_shown_in_words_and_escapes_formulas(
    manager: Person, planned: list[Action]
) -> None:
    plan_action(by=manager, title="=1+1", owner=manager, due=START)
    response = ask(manager, "format=csv&sort=-title")
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["Number", "Action", "Owner", "State", "Due"]
    assert ["'=1+1", manager.name, "Open", "2026-03-02"] in [row[1:] for row in rows]
    assert "never" not in text
    assert len(rows) == 9


def test_workbook_holds_formulas_as_text_and_dates_as_dates(
    manager: Person, planned: list[Action]
) -> None:
    plan_action(by=manager, title="=1+1", owner=manager, due=START)
    content = b"".join(ask(manager, "format=xlsx").streaming_content)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    cells = {cell.value: cell for row in sheet.iter_rows() for cell in row}
    assert cells["=1+1"].data_type == "s"
    assert sheet["E2"].value == datetime(2026, 3, 2)  # noqa: DTZ001 - spreadsheets know no zone
    assert sheet.max_row == 9


def test_only_columns_that_allow_it_are_sorted_by(manager: Person, planned: list[Action]) -> None:
    for asked in ("created_by__password", "-created_by__password", "--due", "status", "pk;drop"):
        _, chosen = listing.sorted_by(Action.objects.all(), COLUMNS, asked, "due")
        assert chosen == "due"
    assert listing.sorted_by(Action.objects.all(), COLUMNS, "-title", "due")[1] == "-title"


def test_a_default_order_without_a_column_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="no sortable column"):
        listing.sorted_by(Action.objects.all(), COLUMNS, "", "status")


@pytest.mark.parametrize("sort", ["due", "-due"])
def test_rows_of_the_same_day_are_shown_once_over_all_pages(
    manager: Person, planned: list[Action], sort: str
) -> None:
    ordered, chosen = listing.sorted_by(Action.objects.all(), COLUMNS, sort, "due")
    seen = [
        row.pk
        for number in (1, 2, 3, 4)
        for row, _, _ in listing.page_of(ordered, COLUMNS, number=number, size=2, sort=chosen).rows
    ]
    assert sorted(seen) == sorted(action.pk for action in planned)


def test_a_page_beyond_the_end_is_the_last_one(manager: Person, planned: list[Action]) -> None:
    ordered, chosen = listing.sorted_by(Action.objects.all(), COLUMNS, "", "due")
    page = listing.page_of(ordered, COLUMNS, number=99, size=2, sort=chosen)
    assert (page.number, len(page.rows), page.has_next, page.count_words) == (4, 1, False, "7")


def test_a_long_list_is_counted_only_to_the_cap(
    manager: Person, planned: list[Action], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "COUNT_CAP", 5)
    ordered, chosen = listing.sorted_by(Action.objects.all(), COLUMNS, "", "due")
    page = listing.page_of(ordered, COLUMNS, number=1, size=2, sort=chosen)
    assert page.count_words == "5+"
    assert page.has_next


def test_a_list_costs_as_many_queries_with_many_rows_as_with_one(
    manager: Person, planned: list[Action], django_assert_num_queries: Any
) -> None:
    ordered, chosen = listing.sorted_by(Action.objects.select_related("owner"), COLUMNS, "", "due")
    for size in (1, 7):
        with django_assert_num_queries(2):
            page = listing.page_of(ordered, COLUMNS, number=1, size=size, sort=chosen)
            drawn = [cell.value for _, _, cells in page.rows for cell in cells]
    assert len(drawn) == 7 * len(COLUMNS)


@pytest.mark.django_db
def test_moments_leave_the_house_in_the_organisations_zone() -> None:
    column = Column("at", "At")
    value = listing.plain(column, type("Row", (), {"at": datetime(2026, 7, 1, 12, tzinfo=UTC)})())
    assert isinstance(value, datetime)
    assert value.tzinfo is None


def test_a_select_names_rows_as_they_name_themselves_and_reads_no_more() -> None:
    named = [model for model in apps.get_models() if getattr(model, "NAMED_BY", ())]
    assert len(named) > 2
    for model in named:
        words = {name: f"a {name}" for name in model.NAMED_BY}
        assert str(model(**words)) == " ".join(words.values())


def test_what_only_a_file_has_is_not_read_for_the_page(
    manager: Person, planned: list[Action]
) -> None:
    columns = [*COLUMNS, Column("twice", "Twice", value="twice", shown=False)]
    add: dict[str, Any] = {"in_file": lambda rows: rows.annotate(twice=F("pk") * 2)}
    text = b"".join(ask(manager, "format=csv", columns=columns, **add).streaming_content).decode()
    assert str(planned[0].pk * 2) in text.splitlines()[1]
    page = ask(manager, columns=columns, **add)
    assert page.status_code == 200
    assert "Twice" not in page.content.decode()


def test_what_rows_are_shown_with_is_read_for_them_alone_and_can_be_sorted_by(
    manager: Person, planned: list[Action]
) -> None:
    columns = [*COLUMNS, Column("told", "Told", sort="told", beside=True)]
    told = Concat(Value("As told: "), F("title"))
    add: dict[str, Any] = {"shown_with": lambda rows: rows.annotate(told=told)}
    for query in ("", "sort=-told"):
        assert "As told: Step 0" in ask(manager, query, columns=columns, **add).content.decode()
    text = b"".join(ask(manager, "format=csv", columns=columns, **add).streaming_content).decode()
    assert text.count("As told: ") == len(planned)
    page = listing.page_of(
        listing.sorted_by(Action.objects.all(), columns, "-told", "title")[0],
        columns,
        number=1,
        size=2,
        sort="-told",
        shown_with=add["shown_with"],
    )
    assert [row.told for row, _, _ in page.rows] == ["As told: Step 6", "As told: Step 5"]


def test_a_select_above_a_list_reads_its_rows_once(manager: Person, planned: list[Action]) -> None:
    class Chosen(django_filters.FilterSet):
        owner = django_filters.ModelChoiceFilter(queryset=Person.objects.people())

    def drawn() -> str:
        field = Chosen(None, queryset=Action.objects.all()).form.fields["owner"]
        read_choices_at_once(field)
        field.widget.use_required_attribute(None)
        return field.widget.render("owner", None)

    assert f'<option value="{manager.pk}">{manager.name}</option>' in drawn()
    assert questions(drawn) == 1
