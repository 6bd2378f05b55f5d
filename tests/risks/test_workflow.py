"""Risks and opportunities: evaluated before treated, accepted with a reason, judged by another."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from qms import clock, contributions
from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.periods import Period, today
from qms.proofs import proofs_for
from qms.refusals import Refused
from qms.risks import overview, workflow
from qms.risks.models import Opportunity, Risk, RiskEvaluation, RiskLink, level_of
from qms.work.models import WorkItem
from tests import factories
from tests.scope.test_pages import as_, bearer
from tests.scope.test_workflow import Firm

pytestmark = [pytest.mark.django_db, pytest.mark.clause("6.1")]


@pytest.fixture
def firm() -> Firm:
    return Firm()


def a_risk(firm: Firm, first: int = 4, second: int = 4, **more: Any) -> Risk:
    risk = workflow.identify_risk(by=firm.manager, title="One forge", owner=firm.owner, **more)
    return workflow.evaluate_risk(risk, by=firm.owner, first=first, second=second, why="It burned.")


def treated(firm: Firm) -> Risk:
    return workflow.treat_risk(
        a_risk(firm),
        by=firm.owner,
        decision="reduce",
        action="A second forge",
        action_owner=firm.owner,
        action_due=today(),
    )


@given(first=st.integers(1, 5), second=st.integers(1, 5))
def test_the_level_never_falls_when_a_scale_rises(first: int, second: int) -> None:
    level = level_of(first * second)
    assert level == level_of(second * first)
    if first < 5:
        assert level_of((first + 1) * second) >= level


def test_outside_one_to_five_is_refused_in_words_and_by_the_database(firm: Firm) -> None:
    risk = workflow.identify_risk(by=firm.manager, title="X", owner=firm.owner)
    with pytest.raises(Refused, match="Likelihood is a number from 1 to 5"):
        workflow.evaluate_risk(risk, by=firm.owner, first=6, second=1, why="Y")
    answer = as_(firm.owner).post(
        f"/risks/{risk.pk}/do/evaluate_risk/", {"first": 9, "second": 2, "why": "Kept words"}
    )
    assert answer.status_code == 422
    assert b"from 1 to 5" in answer.content
    assert b"Kept words" in answer.content
    row = RiskEvaluation(
        risk=risk, first=7, second=1, score=7, why="Z", evaluated_on=today(), created_by=firm.owner
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_nothing_is_treated_before_it_is_evaluated(firm: Firm) -> None:
    risk = workflow.identify_risk(by=firm.manager, title="X", owner=firm.owner)
    with pytest.raises(Refused, match="already identified"):
        workflow.treat_risk(risk, by=firm.owner, decision="accept", because="Small.")
    with pytest.raises(Refused, match="not evaluated before"):
        workflow.evaluate_risk_again(by=firm.owner, risk=risk, first=1, second=1, why="Y")


def test_a_high_risk_is_accepted_with_a_reason_by_those_who_keep_the_system(firm: Firm) -> None:
    risk = a_risk(firm)
    with pytest.raises(Refused, match="why you accept a high risk"):
        workflow.treat_risk(risk, by=firm.boss, decision="accept", because=" ")
    with pytest.raises(Refused, match="accepted by top management"):
        workflow.treat_risk(risk, by=firm.owner, decision="accept", because="Too dear.")
    workflow.treat_risk(risk, by=firm.boss, decision="accept", because="Too dear.")
    assert risk.decided_by == firm.boss
    with pytest.raises(Refused, match="first action"):
        workflow.treat_risk(a_risk(firm, 1, 2), by=firm.owner, decision="reduce")


def test_the_owner_of_an_action_does_not_judge_it(firm: Firm) -> None:
    risk = treated(firm)
    other = factories.person("quality_manager")
    with pytest.raises(Refused, match="still open"):
        workflow.risk_is_treated(risk, by=other, verdict="Works.")
    action = Action.objects.raised_from(risk).get()
    actions.complete(action, by=firm.owner, result="Done.")
    assert WorkItem.objects.get(record_id=risk.pk, number=risk.number).step == "review"
    with pytest.raises(Refused, match="Evaluate it again first"):
        workflow.risk_is_treated(risk, by=other, verdict="Works.")
    workflow.evaluate_risk_again(by=firm.owner, risk=risk, first=2, second=2, why="Two forges.")
    with pytest.raises(Refused, match="owner does not judge"):
        workflow.risk_is_treated(risk, by=firm.owner, verdict="Works.")
    workflow.risk_is_treated(risk, by=other, verdict="Works.")
    assert [(e.score, e.after) for e in risk.evaluations.order_by("pk")] == [(16, False), (4, True)]
    workflow.reopen_risk(risk, by=firm.owner, reason="One closed.")
    assert risk.status == "identified"


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_the_matrix_counts_and_the_trend_is_what_history_says(settings: Any) -> None:
    settings.DEMO = True
    clock.declare_demo_database()
    firm = Firm()
    with clock.living_at(clock.now() - timedelta(days=100)):
        start = today()
        risk, low = treated(firm), a_risk(firm, 1, 2)
    lines = overview.matrix(Risk, Risk.objects)
    cells = {(cell.first, cell.second): cell for line in lines for cell in line.cells}
    assert len(cells) == 25
    assert cells[4, 4].count == cells[1, 2].count == 1
    assert sum(cell.count for cell in cells.values()) == 2
    client = as_(firm.manager)
    listed = client.get(cells[4, 4].url).content.decode()
    assert risk.number in listed
    assert low.number not in listed
    workflow.evaluate_risk_again(by=firm.owner, risk=risk, first=1, second=3, why="Better.")
    days = [start - timedelta(days=1), start, today()]
    assert overview.levels_over(Risk, days) == [(0, 0, 0), (1, 0, 1), (2, 0, 0)]
    assert overview.levels_at(Risk, start) == (1, 0, 1)
    assert client.get("/risks/matrix/").status_code == 200
    inputs = contributions.review_inputs("e")
    assert len(inputs) == 2
    told = inputs[0].compile(Period(start + timedelta(days=1), today()))
    assert ("Risks, high", "0", "1") in [(e.label, e.value, e.before) for e in told]
    assert inputs[1].compile(Period(start, today())) == []


def test_an_opportunity_is_let_go_with_a_reason_and_has_its_own_scales(firm: Firm) -> None:
    seen = workflow.identify_opportunity(by=firm.manager, title="Kits", owner=firm.owner)
    workflow.evaluate_opportunity(seen, by=firm.owner, first=4, second=4, why="Asked.")
    assert seen.level == "Great"
    assert "Benefit 4" in seen.scores_in_words
    for decision in ("defer", "decline"):
        with pytest.raises(Refused, match="Say why you"):
            workflow.treat_opportunity(seen, by=firm.owner, decision=decision)
    workflow.treat_opportunity(seen, by=firm.owner, decision="defer", because="No money.")
    workflow.close_opportunity(seen, by=firm.owner, reason="Gone.")
    assert Opportunity.objects.open().count() == 0
    assert set(proofs_for("2026", clock.now())) >= {"6.1.1", "6.1.2", "6.1.3"}


def test_a_link_to_what_one_may_not_see_is_refused_and_nothing_is_lost(firm: Firm) -> None:
    form = {"title": "Kept title", "owner": firm.owner.pk, "touches": "/reviews/99/, PR"}
    answer = as_(firm.manager).post("/risks/new/", form)
    assert answer.status_code == 422
    assert "“/reviews/99/” was not found" in answer.content.decode()
    assert b"Kept title" in answer.content
    answer = as_(firm.manager).post("/risks/new/", form | {"touches": "http://[/7"})
    assert answer.status_code == 422, "no address at all"
    assert "“http://[/7” was not found" in answer.content.decode()
    form["touches"] = firm.process.get_absolute_url()
    assert as_(firm.manager).post("/risks/new/", form).status_code == 303
    link = RiskLink.objects.get()
    assert link.record == firm.process
    page = as_(firm.manager).get(firm.process.get_absolute_url()).content.decode()
    assert "Kept title" in page
    page = as_(factories.person()).get(firm.process.get_absolute_url()).content.decode()
    assert "Kept title" not in page


def test_the_api_evaluates_through_the_same_guards(firm: Firm) -> None:
    risk, client = a_risk(firm), as_(factories.person())
    said = {"risk": risk.pk, "first": 1, "second": 1, "why": "Better."}
    auth: Any = bearer(factories.person("process_owner"))
    url = "/api/v1/risk-evaluations/"
    refused = client.post(url, said, content_type="application/json", headers=auth)
    assert refused.status_code == 403
    auth = bearer(firm.owner)
    done = client.post(url, said, content_type="application/json", headers=auth)
    assert done.status_code == 201, done.content
    risk.refresh_from_db()
    assert risk.score == 1
