"""The heat map counts, the timeline is drawn in order, full pages ask no more questions."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from qms.gap import planning, workflow
from qms.gap.drawing import LABELS, WIDTH, timeline
from qms.gap.models import Assessment
from qms.gap.overview import categories_of, chapters_of, heat_of, rows_of
from qms.people.models import Person
from qms.periods import today
from tests.gap.making import all_in_place, at, gap

pytestmark = [pytest.mark.django_db, pytest.mark.clause("4.4")]


def test_chapters_and_kinds_of_work_count_every_clause_once(
    manager: Person, assessment: Assessment
) -> None:
    workflow.answer(at(assessment, "8.3.1"), by=manager, rating="not_applicable", note="No design.")
    workflow.answer(at(assessment, "4.1"), by=manager, rating="largely", note="No dates.")
    rows = rows_of(assessment, manager)
    whole = {cell.rating: cell.count for cell in heat_of(row.answer for row in rows)}
    assert whole == {
        "not_started": 0,
        "partly": 0,
        "largely": 1,
        "in_place": 0,
        "not_applicable": 1,
        "open": 63,
    }
    for bands in ([each.band for each in chapters_of(rows)], categories_of(rows)):
        assert sum(cell.count for band in bands for cell in band.cells) == 65
    assert [each.clause.number for each in chapters_of(rows)] == [str(n) for n in range(4, 11)]


def promises(assessment: Assessment, by: Person, numbers: list[str]) -> None:
    for at_, number in enumerate(numbers):
        gap(
            assessment,
            number,
            by,
            plan=f"Do {number}",
            owner=by,
            due=today() + timedelta(days=20 + at_),
            effort=Decimal(2),
        )


def test_bars_lie_on_the_paper_and_work_never_overlaps_for_one_person(
    manager: Person, assessment: Assessment
) -> None:
    promises(assessment, manager, ["4.1", "4.2", "5.3", "6.3"])
    planned = planning.roadmap_of(assessment)
    picture = timeline(planning.laid_out(planned, today=today()), planned.actions, today=today())
    assert picture is not None
    assert len(picture.bars) == 4
    for bar in picture.bars:
        assert bar.x >= LABELS
        assert bar.x + bar.width <= WIDTH
        assert bar.y < picture.bottom
    ends = [(bar.x, bar.x + bar.width) for bar in picture.bars]
    assert all(before[1] <= after[0] + 1 for before, after in pairwise(ends))
    nothing = planning.Planned([], {}, {}, [], {})
    assert timeline(planning.laid_out(nothing, today=today()), {}, today=today()) is None


@pytest.mark.parametrize("page", ["", "roadmap/", "signals/"])
@pytest.mark.slow
def test_a_page_asks_the_same_for_two_gaps_and_for_forty(
    browser: Client, manager: Person, assessment: Assessment, page: str
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(f"/gap/{assessment.pk}/{page}").status_code == 200
        return len(asked)

    numbers = [each.ref.number for each in assessment.answers.all()]
    promises(assessment, manager, numbers[:2])
    count()
    few = count()
    promises(assessment, manager, numbers[2:40])
    assert count() == few


@pytest.mark.slow
def test_a_clause_asks_the_same_however_much_is_answered(
    browser: Client, manager: Person, assessment: Assessment
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(f"/gap/answers/{at(assessment, '4.1').pk}/").status_code == 200
        return len(asked)

    count()
    few: Any = count()
    all_in_place(assessment, manager)
    assert count() == few
