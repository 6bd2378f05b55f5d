"""The context: written with an owner, looked at again, compared with a year ago, never deleted."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from qms import clock, contributions
from qms.journey import workflow as journey
from qms.periods import Period, today
from qms.proofs import proofs_for
from qms.refusals import Refused
from qms.scope import workflow, yearly
from qms.scope.models import ClimateDecision, InterestedParty, Issue, Requirement
from qms.work.models import WorkItem
from qms.workflow import amend
from tests.scope.test_pages import as_
from tests.scope.test_workflow import Firm

pytestmark = [pytest.mark.django_db, pytest.mark.clause("4.1")]


@pytest.fixture
def firm() -> Firm:
    return Firm()


def an_issue(firm: Firm, what: str = "Steel gets scarce") -> Issue:
    return workflow.raise_issue(
        by=firm.manager, what=what, category="supply", why="We live on it.", owner=firm.owner
    )


def leave(firm: Firm) -> None:
    firm.owner.is_active = False
    firm.owner.save_because("Left.", by=None)


def test_an_owner_who_left_is_refused_for_everything(firm: Firm) -> None:
    issue = an_issue(firm)
    leave(firm)
    said = {"by": firm.manager, "owner": firm.owner}
    with pytest.raises(Refused, match="Choose somebody who works here"):
        workflow.raise_issue(what="New", category="law", why="It is.", **said)
    with pytest.raises(Refused, match="Choose somebody who works here"):
        workflow.add_party(name="Bank", why="Money.", **said)
    with pytest.raises(Refused, match="Choose somebody who works here"):
        workflow.register_requirement(what="Test", source="Code", **said)
    with pytest.raises(Refused, match="choose another owner first"):
        workflow.confirm_issue(issue, by=firm.manager, review_on=None)
    answer = as_(firm.manager).post(
        "/scope/issues/new/",
        {
            "what": "Typed",
            "kind": "external",
            "category": "law",
            "why": "X",
            "owner": firm.owner.pk,
        },
    )
    assert answer.status_code == 422
    assert b"no longer works here" in answer.content
    assert b"Typed" in answer.content


def test_what_is_confirmed_is_looked_at_again_in_a_year(firm: Firm) -> None:
    issue = an_issue(firm)
    assert WorkItem.objects.get(record_id=issue.pk, step="confirm_issue").person == firm.owner
    with time_machine.travel(clock.now() + timedelta(days=370)):
        assert list(Issue.objects.review_due(today())) == [issue]
        workflow.confirm_issue(issue, by=firm.owner, review_on=None)
        assert issue.reviewed_on == today()
        assert issue.review_on > today() + timedelta(days=360)
        assert not Issue.objects.review_due(today()).exists()


@pytest.mark.django_db(transaction=True)
def test_a_year_is_compared_from_the_history(settings: Any) -> None:
    settings.DEMO = True
    clock.declare_demo_database()
    firm = Firm()
    then = clock.now() - timedelta(days=300)
    with clock.living_at(then):
        kept, closed = an_issue(firm), an_issue(firm, "An old bench")
        start = today()
    added = an_issue(firm, "A flood")
    amend(kept, by=firm.manager, changes={"effect": "Stock."}, reason="It got worse.")
    workflow.close_issue(closed, by=firm.manager, reason="A new bench.")
    workflow.close_issue(an_issue(firm, "A strike"), by=firm.manager, reason="Over.")
    delta = yearly.between(Issue, start, today())
    assert [each.title for each in delta.added] == [added.what]
    (changed,) = delta.changed
    assert changed.title == kept.what
    assert [(d.before, d.now) for d in changed.differences] == [("nothing", "Stock.")]
    assert [each.title for each in delta.gone] == ["An old bench", "A strike"]
    assert delta.now == 2
    before = yearly.between(Issue, start - timedelta(days=30), start)
    assert (before.now, len(before.added)) == (2, 2)
    page = as_(firm.manager).get(f"/scope/context/?since={start}").content.decode()
    assert "A flood" in page
    assert "nothing → Stock." in page
    period = Period(start + timedelta(days=1), today())
    told = [line for each in contributions.review_inputs("b") for line in each.compile(period)]
    assert any(line.label == "New: A flood" for line in told)


@pytest.mark.clause("4.2")
def test_what_a_party_requires_is_answered_with_how(firm: Firm) -> None:
    party = workflow.add_party(by=firm.manager, name="Bank", why="Money.", owner=firm.owner)
    with pytest.raises(Refused, match="on the list already"):
        workflow.add_party(by=firm.manager, name="BANK", why="Money.", owner=firm.owner)
    with pytest.raises(Refused, match="Say how"):
        workflow.add_need(by=firm.manager, party=party, what="Figures", addressed="yes")
    need = workflow.add_need(by=firm.manager, party=party, what="Figures")
    url = f"/scope/needs/{need.pk}/edit/"
    form = {"what": "Figures", "addressed": "no", "how": "", "reason": "Decided."}
    answer = as_(firm.manager).post(
        url, {**form, "review_on": need.review_on, "version": need.version}
    )
    assert answer.status_code == 422
    assert b"Say how the system takes it up" in answer.content
    later = today() + timedelta(days=200)
    workflow.confirm_party(party, by=firm.manager, review_on=later)
    need.refresh_from_db()
    assert need.review_on == later
    workflow.close_party(party, by=firm.manager, reason="Paid back.")
    with pytest.raises(Refused, match="no longer relevant"):
        workflow.add_need(by=firm.manager, party=party, what="More")


def test_one_climate_decision_is_in_force_and_no_is_an_answer(firm: Firm) -> None:
    def blocked() -> bool:
        shown = proofs_for("2026", clock.now())["4.1"]
        return any("climate" in b.sentence for each in shown for b in each.blockers)

    assert blocked()
    with pytest.raises(Refused, match="needs its reason"):
        workflow.decide_climate(by=firm.boss, relevant=False, reason=" ")
    first = workflow.decide_climate(by=firm.boss, relevant=False, reason="We looked.")
    assert not blocked()
    second = workflow.decide_climate(by=firm.boss, relevant=True, reason="The river.")
    first.refresh_from_db()
    assert first.status == "superseded"
    assert ClimateDecision.objects.live().get() == second
    with pytest.raises(Refused, match="once it was made"):
        workflow.decide_climate(
            by=firm.boss, relevant=True, reason="X.", decided_on=today() + timedelta(days=1)
        )


@pytest.mark.clause("8.2.2")
def test_a_requirement_is_found_by_its_process_and_says_how_it_is_met(firm: Firm) -> None:
    made = workflow.register_requirement(
        by=firm.manager, what="Test", source="Code", owner=firm.owner, processes=[firm.process]
    )
    other = workflow.register_requirement(
        by=firm.manager, what="Other", source="Law", owner=firm.owner
    )
    with pytest.raises(Refused, match="how it is met"):
        workflow.confirm_requirement(made, by=firm.owner, review_on=None)
    page = as_(firm.manager).get(f"/scope/requirements/?process={firm.process.pk}").content.decode()
    assert made.number in page
    assert other.number not in page
    workflow.bind_processes(made, by=firm.manager, processes=[])
    assert made.processes() == []
    assert Requirement.objects.count() == 2


def test_opening_answers_are_proposed_until_they_are_taken_up(firm: Firm) -> None:
    journey.answer_opening(by=firm.manager, answers={"parties": "Insurer: no recall\nOwners"})
    client = as_(firm.manager)
    page = client.get("/scope/parties/").content.decode()
    assert "Insurer: no recall" in page
    assert "name=Insurer&amp;why=no+recall" in page
    workflow.add_party(by=firm.manager, name="insurer", why="No recall.", owner=firm.owner)
    page = client.get("/scope/parties/").content.decode()
    assert "Insurer: no recall" not in page
    assert "Owners" in page
    assert InterestedParty.objects.count() == 1
