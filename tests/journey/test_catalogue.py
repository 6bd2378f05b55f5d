"""The catalogue's pages: everything is there, found by number or by a word with a typing error."""

from decimal import Decimal

import pytest
from django.test import Client

from qms import clauses
from qms.journey import catalogue
from tests import factories

EDITIONS = ["2015", "2026"]


@pytest.mark.parametrize("edition", EDITIONS)
def test_an_edition_has_65_clauses_to_assess_each_explained_and_mapped(edition: str) -> None:
    assessable = clauses.clauses(edition, assessable=True)
    assert len(assessable) == 65
    for each in assessable:
        assert len(each.paraphrase.split()) >= 8, each.number
        assert each.typical_evidence and len(each.questions) >= 1, each.number
        assert clauses.mapping_of(each.ref).refs, each.number


def test_the_mapping_leads_there_and_back() -> None:
    for edition in EDITIONS:
        for row in catalogue.mapping(edition):
            for target in row.targets:
                assert row.clause.ref in clauses.mapping_of(target.ref).refs


def test_every_clause_stands_in_the_tree_once() -> None:
    for edition in EDITIONS:
        seen: list[str] = []

        def walk(branches: tuple[catalogue.Branch, ...], into: list[str] = seen) -> None:
            for each in branches:
                into.append(each.clause.number)
                walk(each.below)

        walk(catalogue.tree(edition))
        assert seen == [each.number for each in clauses.clauses(edition)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [("9.2", "9.2"), ("9.2.", "9.2"), ("calibraton", ""), ("Intenal Audit", ""), ("audit", "")],
)
def test_a_search_finds_the_number_first_and_forgives_a_typing_error(
    typed: str, first: str
) -> None:
    found, _meant = catalogue.find(typed, "2026")
    assert found
    if first:
        assert found[0].number == first
        assert all(each.number.startswith(first) for each in found)


@pytest.mark.parametrize("typed", ["", "99", "4..1", "4.1.", "xyzzyqq", "'; drop", "²", "9" * 400])
def test_whatever_is_typed_the_search_answers(typed: str) -> None:
    found, _meant = catalogue.find(typed, "2015")
    assert (typed == "4.1.") is bool(found)


@pytest.mark.django_db
def test_every_clause_has_a_page_and_an_unknown_one_has_none(client: Client) -> None:
    client.force_login(factories.person(), backend="qms.people.access.RoleBackend")
    for number in ("4", "4.4.1", "9.2.2", "10.3"):
        answer = client.get(f"/clauses/2015/{number}/")
        assert answer.status_code == 200, number
        assert clauses.clause(f"2015:{number}").title.split("(")[0] in answer.content.decode()
    for wrong in (
        "/clauses/2015/10.9/",
        "/clauses/2008/4.1/",
        "/clauses/2008/",
        "/clauses/2026/x/",
    ):
        assert client.get(wrong).status_code == 404
    page = client.get("/clauses/2026/?q=calibraton").content.decode()
    assert "calibration" in page
    assert client.get("/clauses/mapping/?kind=split").status_code == 200


@pytest.mark.django_db
def test_a_clause_page_shows_only_what_the_person_may_see(client: Client) -> None:
    from qms.journey.workflow import record_briefing, sign
    from qms.periods import today

    manager, boss = factories.person("quality_manager"), factories.person("top_management")
    briefing = record_briefing(
        by=manager, held_on=today(), topics="All.", hours=10, budget=Decimal(0), attendees=[boss]
    )
    sign(briefing, by=boss, proof=factories.proof(boss))
    for person, sees in ((manager, True), (factories.person(), False)):
        client.force_login(person, backend="qms.people.access.RoleBackend")
        page = client.get("/clauses/2026/5.1.1/").content.decode()
        assert (briefing.number in page) is sees
