"""Changes: thought through before, approved by another, judged by somebody who did not do them."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from qms import clock, contributions
from qms.actions import workflow as actions
from qms.changes import workflow
from qms.changes.models import Change, ChangeLink
from qms.periods import Period, today
from qms.proofs import proofs_for
from qms.refusals import Refused
from qms.signing.models import Signature
from qms.workflow import amend
from tests import factories
from tests.scope.test_pages import as_
from tests.scope.test_workflow import Firm

pytestmark = [pytest.mark.django_db, pytest.mark.clause("6.3")]
PLAN = {
    "what": "A bench.",
    "consequences": "More calibration.",
    "integrity": "The old one stays.",
    "resources": "Money.",
    "communication": "Shift meetings.",
    "criterion": "Nobody waits.",
}


@pytest.fixture
def firm() -> Firm:
    return Firm()


def a_change(firm: Firm, by: Any = None, **more: Any) -> Change:
    said = {"starts_on": today(), "due": today() + timedelta(days=20), **PLAN, **more}
    return workflow.plan_change(
        by=by or firm.manager, title="A bench", purpose="Less waiting.", owner=firm.owner, **said
    )


def approved(firm: Firm) -> Change:
    return workflow.approve(a_change(firm), by=firm.boss, proof=factories.proof(firm.boss))


def test_nobody_approves_their_own_change_also_not_after_editing_it(firm: Firm) -> None:
    change = a_change(firm)
    with pytest.raises(Refused, match="does not approve it"):
        workflow.approve(change, by=firm.manager, proof=factories.proof(firm.manager))
    amend(change, by=firm.boss, changes={"resources": "More money."}, reason="")
    with pytest.raises(Refused, match="does not approve it"):
        workflow.approve(change, by=firm.boss, proof=factories.proof(firm.boss))
    other = factories.person("top_management")
    workflow.approve(change, by=other, proof=factories.proof(other))
    assert Signature.objects.get().person == other
    change.refresh_from_db()
    with pytest.raises(IntegrityError), transaction.atomic():
        change.approved_by = firm.manager
        change.save_because("Around the guard.", by=firm.manager)


def test_what_is_missing_is_named_before_approval(firm: Firm) -> None:
    change = a_change(firm, consequences="", criterion=" ")
    with pytest.raises(Refused, match="what else it may cause; when it has worked"):
        workflow.approve(change, by=firm.boss, proof=factories.proof(firm.boss))


def test_the_days_stand_in_order(firm: Firm) -> None:
    with pytest.raises(Refused, match="finished before it begins"):
        a_change(firm, due=today() - timedelta(days=1))
    with pytest.raises(Refused, match="after it is finished"):
        a_change(firm, check_on=today())
    assert a_change(firm).check_on == today() + timedelta(days=80)
    form = {"title": "Kept", "purpose": "P", "owner": firm.owner.pk, "starts_on": today()}
    form["due"] = today() - timedelta(days=3)
    answer = as_(firm.manager).post("/changes/new/", form)
    assert answer.status_code == 422
    assert b"Kept" in answer.content


def test_what_was_approved_stays_until_it_goes_back(firm: Firm) -> None:
    change = approved(firm)
    with pytest.raises(Refused, match="stays as it was approved"):
        amend(change, by=firm.manager, changes={"what": "Two benches."}, reason="Better.")
    workflow.plan_anew(change, by=firm.owner, reason="Two benches.")
    amend(change, by=firm.manager, changes={"what": "Two benches."}, reason="Better.")
    assert change.approved_by is None


def test_who_carried_it_out_does_not_judge_it(firm: Firm) -> None:
    change = workflow.begin(approved(firm), by=firm.owner)
    doer = factories.person("lead_auditor")
    action = workflow.plan_step(change, by=firm.owner, title="Buy it", owner=doer, due=today())
    with pytest.raises(Refused, match="still open"):
        workflow.finish(change, by=firm.owner, result="Done.")
    actions.complete(action, by=doer, result="Bought.")
    workflow.finish(change, by=firm.owner, result="Done.")
    for somebody in (firm.owner, doer):
        with pytest.raises(Refused, match="does not judge"):
            workflow.confirm_effective(change, by=somebody, verdict="Fine.")
    workflow.confirm_effective(change, by=firm.manager, verdict="Nobody waits.")
    assert change.is_settled
    (input_,) = contributions.review_inputs("changes")
    lines = input_.compile(Period(today(), today()))
    assert ("Changes that worked", "1") in [(line.label, line.value) for line in lines]
    (shown,) = [e for e in proofs_for("2026", clock.now())["6.3"] if e.what == "changes planned"]
    assert (shown.count, shown.blockers) == (1, ())


def test_an_owner_who_left_is_refused_and_replaced(firm: Firm) -> None:
    change = a_change(firm)
    firm.owner.is_active = False
    firm.owner.save_because("Left.", by=None)
    with pytest.raises(Refused, match="Choose somebody who works here"):
        a_change(firm)
    with pytest.raises(Refused, match="choose another owner first"):
        workflow.approve(change, by=firm.boss, proof=factories.proof(firm.boss))


@pytest.mark.slow
def test_what_it_touches_is_found_typed_and_shown_on_the_other_side(firm: Firm) -> None:
    client = as_(firm.manager)
    found = client.get("/changes/find/", {"touches": "Prod"}).content.decode()
    assert firm.process.get_absolute_url() in found
    change = a_change(firm, touches=[firm.process])
    address = f"{change.get_absolute_url()}touches/"
    assert firm.process.get_absolute_url() in client.get(address).content.decode()
    assert "A bench" in client.get(firm.process.get_absolute_url()).content.decode()
    answer = client.post(address, {"touches": "nowhere-1"})
    assert answer.status_code == 422
    assert client.post(address, {"touches": ""}).status_code == 303
    assert ChangeLink.objects.get().ended
    assert client.get(change.get_absolute_url()).status_code == 200
