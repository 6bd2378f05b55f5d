"""From 2015 to 2026: what changed is assessed again, the rest is taken over with its reference."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from qms import clauses
from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.gap import workflow
from qms.gap.models import Assessment, EvidenceLink
from qms.gap.overview import delta_of
from qms.people.models import Person
from qms.refusals import Refused
from qms.scope.workflow import create_process
from tests import factories
from tests.gap.making import all_in_place, at, gap, planned

pytestmark = [pytest.mark.django_db, pytest.mark.clause("4.4")]


@pytest.fixture
def earlier(manager: Person) -> Assessment:
    """A completed assessment of 2015 with a gap at 8.4.1 and a linked record at 7.5.2."""
    made = workflow.start_assessment(by=manager, edition="2015")
    process = create_process(by=manager, code="BUY", name="Buying", owner=manager)
    workflow.answer(at(made, "7.5.2"), by=manager, rating="in_place", links=[process])
    gap(made, "8.4.1", manager, **planned(manager))
    all_in_place(made, manager)
    done: Assessment = workflow.complete(made, by=manager)
    return done


@pytest.fixture
def delta(manager: Person, earlier: Assessment) -> Assessment:
    return workflow.start_delta(by=manager, earlier=earlier)


def kinds(*wanted: str) -> set[str]:
    every = clauses.clauses("2026", assessable=True)
    return {each.key for each in every if clauses.mapping_of(each.ref).kind in wanted}


def test_changed_split_merged_and_moved_clauses_are_open_and_so_is_what_nobody_confirmed(
    delta: Assessment,
) -> None:
    left = set(delta.answers.filter(rating="open").values_list("clause", flat=True))
    assert left == kinds("changed", "split", "merged", "moved", "unverified")
    assert {"2026:6.1.2", "2026:6.1.3", "2026:10.1", "2026:8.3.1"} <= left
    assert delta.answers.count() == 65


def test_editorial_clauses_are_taken_over_with_reference_evidence_and_links(
    delta: Assessment, earlier: Assessment
) -> None:
    parts = {part.key: part for part in delta_of(delta)}
    editorial = {each.answer.clause for each in parts["editorial"].rows}
    assert editorial == kinds("wording", "retitled", "note_only")
    assert {each.answer.clause for each in parts["check"].rows} == kinds("unverified")
    for each in (*parts["editorial"].rows, *parts["same"].rows):
        assert each.answer.taken_over
        assert each.answer.earlier.assessment_id == earlier.pk
        assert each.answer.answered_by == each.answer.earlier.answered_by
    assert at(delta, "7.5.2").linked == 1
    assert EvidenceLink.objects.get(answer=at(delta, "7.5.2")).record.code == "BUY"
    assert sum(len(part.rows) for part in parts.values()) == 65


def test_two_old_clauses_meet_in_one_and_one_becomes_two(delta: Assessment) -> None:
    rows = {each.answer.ref.number: each for part in delta_of(delta) for each in part.rows}
    assert [each.ref.number for each in rows["10.1"].before] == ["10.1", "10.3"]
    assert [rows[n].before[0].ref.number for n in ("6.1.2", "6.1.3")] == ["6.1.2", "6.1.2"]


def test_what_is_not_confirmed_asks_for_the_own_copy(manager: Person, delta: Assessment) -> None:
    asked = at(delta, "8.3.1")
    with pytest.raises(Refused, match="own copy") as refused:
        workflow.answer(asked, by=manager, rating="in_place", evidence="Seen.")
    assert refused.value.field == "copy_checked"
    workflow.answer(asked, by=manager, rating="in_place", evidence="Seen.", copy_checked=True)
    workflow.answer(at(delta, "4.1"), by=manager, rating="in_place", evidence="Seen.")


def test_a_gap_taken_over_keeps_its_open_action_and_asks_again_once_it_is_done(
    manager: Person, delta: Assessment
) -> None:
    all_in_place(delta, manager)
    assert workflow.gaps_without_action(delta) == []
    actions.complete(Action.objects.get(), by=manager, result="Done.")
    assert [each.ref.number for each in workflow.gaps_without_action(delta)] == ["8.4.1"]
    [again] = [each for part in delta_of(delta) for each in part.rows if each.look_again]
    workflow.answer(again.answer, by=manager, rating="in_place", evidence="The list is kept.")
    assert not at(delta, "8.4.1").taken_over
    assert workflow.complete(delta, by=manager).status == "completed"


def test_only_a_completed_assessment_of_the_edition_before_can_be_begun_from(
    manager: Person, earlier: Assessment, delta: Assessment
) -> None:
    with pytest.raises(Refused, match="not completed"):
        workflow.start_delta(by=manager, earlier=delta)
    with pytest.raises(Refused, match="in progress"):
        workflow.start_delta(by=manager, earlier=earlier)
    all_in_place(delta, manager)
    workflow.complete(delta, by=manager)
    with pytest.raises(Refused, match="no edition after 2026"):
        workflow.start_delta(by=manager, earlier=delta)
    with pytest.raises(PermissionDenied):
        workflow.start_delta(by=factories.person("process_owner"), earlier=earlier)


@pytest.mark.slow
def test_the_pages_lead_from_one_edition_to_the_next(
    browser: Client, manager: Person, earlier: Assessment
) -> None:
    assert b"What the 2026 edition changes" in browser.get("/gap/").content
    made = browser.post("/gap/delta/", {"earlier": earlier.pk})
    delta = Assessment.objects.get(edition="2026")
    assert (made.status_code, made["Location"]) == (303, f"/gap/{delta.pk}/delta/")
    page = browser.get(f"/gap/{delta.pk}/delta/").content.decode()
    for words in ("To assess again", "To check in your own copy", "Editorial", "taken over"):
        assert words in page
    assert f"from {earlier.number}" in page
    clause = browser.get(f"/gap/answers/{at(delta, '8.3.1').pk}/").content.decode()
    assert "What changed here is not confirmed" in clause
    assert 'name="copy_checked"' in clause
    assert browser.get(f"/gap/{earlier.pk}/delta/").status_code == 404


def test_every_clause_stands_in_one_category() -> None:
    for edition in clauses.EDITIONS:
        sorted_in = [ref for each in clauses.categories(edition) for ref in each.refs]
        assessable = [each.ref for each in clauses.clauses(edition, assessable=True)]
        assert sorted(sorted_in) == sorted(assessable), "each once, and none forgotten"
        assert len(assessable) == 65
    with pytest.raises(Refused, match="heading"):
        clauses.category_of("2026:4")


@pytest.mark.parametrize(
    ("ref", "edition", "same"),
    [
        ("2015:8.4.1", "2026", ["8.4.1"]),
        ("2015:7.2", "2026", ["7.2"]),
        ("2015:6.1.2", "2026", []),
        ("2015:10.3", "2026", []),
        ("2015:8.3.1", "2026", []),
        ("2026:4.1", "2026", ["4.1"]),
    ],
)
def test_what_serves_a_clause_serves_it_in_the_other_edition_only_if_it_did_not_change(
    ref: str, edition: str, same: list[str]
) -> None:
    assert [each.number for each in clauses.same_in(ref, edition)] == same
