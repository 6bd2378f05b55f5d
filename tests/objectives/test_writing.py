"""The writing help says what an objective does not say yet, and forbids nothing (6.2)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from objectives.forms import ObjectiveForm
from objectives.starters import examples
from objectives.writing import Draft, look_at

pytestmark = pytest.mark.clause("6.2.1")
DAY = date(2026, 3, 1)
GOOD = Draft(
    title="Answer 95 percent of inquiries within 24 hours",
    metric="Inquiries answered within 24 hours",
    unit="%",
    baseline=Decimal(80),
    target=Decimal(95),
    starts_on=date(2026, 1, 1),
    deadline=date(2026, 12, 31),
    has_owner=True,
    plan="Sort inquiries twice a day.",
    resources="Half an hour a day.",
    evaluation="Counted from the inbox.",
)


def said(draft: Draft) -> str:
    return " ".join(sentence for each in look_at(draft, DAY) for sentence in each.sentences)


def test_a_good_objective_gets_no_advice() -> None:
    assert said(GOOD) == ""
    assert [each.label for each in look_at(GOOD, DAY)] == [
        "Specific",
        "Measurable",
        "Realistic",
        "Time-based",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": ""}, "Say in a line"),
        ({"title": "Improve our service quality"}, "“Improve” by how much?"),
        ({"title": "Quality"}, "Say a little more"),
        ({"has_owner": False}, "Name one person"),
        ({"metric": ""}, "Say what is measured"),
        ({"unit": ""}, "in which unit"),
        ({"baseline": None}, "Give the baseline"),
        ({"target": None}, "Give the target"),
        ({"evaluation": ""}, "how the result is evaluated"),
        ({"plan": ""}, "what will be done"),
        ({"resources": ""}, "what it takes"),
        ({"target": Decimal(120)}, "between 0 and 100 %"),
        ({"target": Decimal(75)}, "meets the target of 75 already"),
        ({"baseline": Decimal(40)}, "change of 138 percent"),
        ({"deadline": None}, "by when"),
        ({"deadline": date(2026, 2, 1)}, "has passed already"),
        ({"deadline": date(2025, 12, 31)}, "after the start"),
        ({"deadline": date(2026, 3, 10)}, "about 2 readings"),
        ({"stages": ((date(2026, 6, 1), Decimal(60)),)}, "does not lie between"),
    ],
)
def test_it_says_what_is_missing_or_doubtful(changes: dict[str, object], words: str) -> None:
    assert words in said(replace(GOOD, **changes))  # type: ignore[arg-type]


def test_a_reduction_is_taken_from_the_baseline_and_zero_has_none() -> None:
    draft = replace(
        GOOD,
        title="Reduce defects by 15 percent",
        unit="defects",
        direction="lower",
        relative=True,
        baseline=Decimal(40),
        target=Decimal(15),
    )
    assert draft.goal == 34
    assert said(draft) == ""
    assert "baseline of zero is nothing" in said(replace(draft, baseline=Decimal(0)))
    assert "more than 100 percent" in said(replace(draft, target=Decimal(120)))


def test_a_band_asks_for_its_ends() -> None:
    band = replace(GOOD, direction="within", target=None)
    assert "both ends of the band" in said(band)
    assert "within the band already" in said(replace(band, lower=Decimal(70), upper=Decimal(90)))


def test_every_example_fills_the_form_and_computes_its_target_the_right_way() -> None:
    assert len(examples()) >= 8
    fields = set(ObjectiveForm.base_fields)
    for each in examples():
        assert set(each.values) <= fields, each.key
        assert each.why.endswith(".")
    defects = next(each for each in examples() if each.key == "defects")
    assert defects.values["target_relative_to_baseline"] is True
    assert not any(
        each.values.get("target_relative_to_baseline") for each in examples() if each != defects
    )
