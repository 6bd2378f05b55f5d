"""What is told of the demo companies fits together: every name, process and clause exists.

Building one takes minutes; these rules find what would stop it in a moment.
"""

from decimal import Decimal
from typing import Any

import pytest

from qms import clauses
from qms.demo.life import companies, company
from qms.journey.models import guide, starters
from qms.people.roles import ROLES

SHORTEST_STORY = 15  # problems, so that three years do not repeat themselves all the time


@pytest.fixture(params=companies())
def told(request: pytest.FixtureRequest) -> dict[str, Any]:
    return company(request.param)


@pytest.mark.slow
def test_there_are_three_companies_of_three_countries_and_sizes() -> None:
    known = [company(name)["organisation"] for name in companies()]
    assert {each["country"] for each in known} == {"CA", "GB", "US"}
    sizes = {starters.size_of(each["headcount"]) for each in known}
    assert sizes == {"middle", "large"} and min(each["headcount"] for each in known) <= 12


def test_everybody_who_is_named_works_there(told: dict[str, Any]) -> None:
    people, processes = told["people"], told["processes"]
    named = [key for part in told["cast"].values() if isinstance(part, list) for key in part]
    for each in processes.values():
        named += [each["owner"], *each["members"], *each.get("deputies", [])]
    named += [each[3] for each in told["documents"]]
    named += [each["owner"] for each in told["objectives"]]
    named += [each[4] for each in told["gaps"]]
    named += [d[2] for review in told["reviews"] for d in review["decisions"]]
    named += told["journey"]["briefing"]["attendees"]
    named += [each["owner"] for each in told["evidence"]]
    assert set(named) <= set(people)
    assert {"quality", "ceo", "operations", "lead"} <= set(people)
    assert {role for each in people.values() for role in each["roles"]} <= set(ROLES)


def test_every_process_and_clause_that_is_named_exists(told: dict[str, Any]) -> None:
    edition, processes = told["organisation"]["edition"], told["processes"]
    numbers = [number for each in processes.values() for number in each["clauses"]]
    numbers += [number for each in told["documents"] for number in each[4]]
    numbers += [each[1] for each in told["problems"]] + [each[0] for each in told["gaps"]]
    numbers += [number for each in told["evidence"] for number in each["clauses"]]
    for number in numbers:
        clauses.clause(f"{edition}:{number}")
    for key in (k for statement in told["scope"] for k in statement["not_applicable"]):
        assert clauses.clause(key).edition == edition
    named = [each[2] for each in told["documents"]] + [each[0] for each in told["problems"]]
    kept = [*told["evidence"], *told.get("holds", [])]
    named += [each["process"] for each in kept if "process" in each]
    named += [each["process"] for each in told["objectives"]] + [told["cast"]["going_on"]]
    assert set(named) <= set(processes)
    assert {code for code, each in processes.items() if not each["sites"]} == set()


def test_texts_can_be_filled_in_and_are_not_cut_by_a_comma(told: dict[str, Any]) -> None:
    for each in told["problems"]:
        assert len(each) == 10 and isinstance(each[5], list), each
        for text in (each[3], each[8], each[9]):
            text.format(n=1, m=2, d=3, o=4)
    for _grade, text in told["remarks"]:
        text.format(p="planning")
    for principle in guide.principles():
        answers = told["journey"]["principles"][principle.key]
        assert len(answers) == len(principle.questions), principle.key
    for each in told["objectives"]:
        Decimal(each["target"]), Decimal(each["baseline"])


def test_registers_are_told_whole(told: dict[str, Any]) -> None:
    """A comma too many would make a key of a text; a score too few would stop the life."""
    asked = {
        "providers": {"month", "name", "provides", "owner", "processes", "scores"},
        "equipment": {"month", "name", "measures", "owner", "site"},
        "customers": {"month", "name", "buys", "owner", "heard"},
    }
    for register, needed in asked.items():
        for each in told[register]:
            assert needed <= set(each) and None not in each.values(), each
            assert each["owner"] in told["people"]
            assert set(each.get("processes", [])) <= set(told["processes"])
            assert not each.get("every") or "found" in each or register != "equipment"
            assert all(len(str(turn[0])) == 3 for turn in each.get("scores", []))
            assert all(len(turn) > 3 for turn in each.get("heard", []) if turn[0] == "not")
            for found in each.get("found", []):
                assert len(found) > 1 or abs(found[0]) <= each["tolerance"], each


def test_a_company_has_its_own_words(told: dict[str, Any]) -> None:
    others = [company(n) for n in companies() if company(n) is not told]
    own = {each[4] for each in told["problems"]}
    assert len(own) == len(told["problems"]) >= SHORTEST_STORY
    for other in others:
        assert not own & {each[4] for each in other["problems"]}
        assert not {p["name"] for p in told["people"].values()} & {
            p["name"] for p in other["people"].values()
        }
        assert told["voice"]["audits"]["conclusions"] != other["voice"]["audits"]["conclusions"]


def test_cases_told_in_full_name_what_there_is(told: dict[str, Any]) -> None:
    cases, edition = told["cases"], told["organisation"]["edition"]
    assert set(cases) == {"eight_d", "successor", "many", "figure"}
    assert {each["process"] for each in cases.values()} <= set(told["processes"])
    assert set(cases["eight_d"]["team"]) <= set(told["people"])
    assert cases["eight_d"]["customer"] in {each["name"] for each in told["customers"]}
    for each in cases.values():
        if "clause" in each:
            clauses.clause(f"{edition}:{each['clause']}")
    metrics = [each["metric"] for each in (*told["objectives"], *told.get("indicators", []))]
    assert cases["figure"]["indicator"] in metrics
