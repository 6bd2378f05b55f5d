"""A nonconformity closes on effectiveness, judged by another, by a criterion set beforehand."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test import Client

from capa import workflow
from capa.models import Nonconformity
from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.scope.models import Process
from qms.scope.workflow import activate, create_process
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("10.2.1")]


class Case:
    """A nonconformity and its people."""

    def __init__(self) -> None:
        self.quality = factories.person("quality_manager")
        self.owner = factories.person("process_owner")
        self.other = factories.person("process_owner")
        made = create_process(by=self.quality, code="PR", name="Production", owner=self.owner)
        self.process: Process = activate(made, by=self.quality)
        self.nc = workflow.raise_nonconformity(
            by=factories.person(),
            title="Torque not recorded",
            statement="Bolts were tightened without a recorded torque.",
            requirement="WI-22 asks for the torque of each bolt.",
            evidence="Traveller 4471.",
            process=self.process,
        )

    def contained(self) -> Nonconformity:
        return workflow.contain(self.nc, by=self.owner, containment="Held 64 valves.")

    def analysed(self) -> Nonconformity:
        self.contained()
        return workflow.find_cause(
            self.nc,
            by=self.owner,
            root_cause="The traveller has no field.",
            category="method",
            similar="Searched line 1: none.",
            why_chain="Not written down\nNo field on the traveller",
        )

    def planned(self) -> Nonconformity:
        self.analysed()
        return workflow.plan(
            self.nc,
            by=self.owner,
            action="Add the field.",
            action_owner=self.other,
            action_due=today(),
            check_on=today(),
            effectiveness_criterion="No repeat in 500 orders.",
        )

    def implemented(self) -> Nonconformity:
        self.planned()
        [action] = Action.objects.raised_from(self.nc)
        actions.complete(action, by=self.other, result="Field added.")
        return workflow.implement(self.nc, by=self.owner)

    def effective(self) -> Nonconformity:
        self.implemented()
        return workflow.confirm_effective(self.nc, by=self.quality, verdict="612 orders, none.")


@pytest.fixture
def case() -> Case:
    return Case()


def test_the_way_from_report_to_closure(case: Case) -> None:
    case.effective()
    workflow.close(case.nc, by=case.quality)
    assert (case.nc.status, case.nc.closed_on, case.nc.due) == ("closed", today(), None)
    assert [each["why"] for each in case.nc.why_chain()] == [
        "Not written down",
        "No field on the traveller",
    ]
    [action] = Action.objects.raised_from(case.nc)
    assert (action.status, action.verified_by) == ("verified", case.quality)
    assert not WorkItem.objects.filter(record_id=case.nc.pk, number=case.nc.number).exists()


def test_without_requirement_evidence_and_statement_it_goes_nowhere(case: Case) -> None:
    bare = workflow.report_problem(by=factories.person(), title="Noise", process=case.process)
    with pytest.raises(Refused, match="which requirement"):
        workflow.contain(bare, by=case.owner, containment="Stopped.")


def test_a_problem_without_a_process_waits_for_an_owner(case: Case) -> None:
    lost = workflow.report_problem(by=factories.person(), title="Noise")
    [item] = WorkItem.objects.filter(number=lost.number)
    assert (item.role, item.label) == ("quality_manager", "Give an owner")
    amend(
        lost,
        by=case.quality,
        changes={"statement": "s", "requirement": "r", "evidence": "e"},
        reason="Completed.",
    )
    with pytest.raises(Refused, match="owner first"):
        workflow.contain(lost, by=case.quality, containment="Stopped.")


def test_only_the_owner_or_the_quality_manager_answers(case: Case) -> None:
    with pytest.raises(PermissionDenied, match="Only the owner"):
        workflow.contain(case.nc, by=case.other, containment="x")
    assert workflow.contain(case.nc, by=case.quality, containment="x").status == "contained"


def test_open_actions_hold_it_up(case: Case) -> None:
    case.planned()
    with pytest.raises(Refused, match="1 of its actions is still open"):
        workflow.implement(case.nc, by=case.owner)
    [item] = WorkItem.objects.filter(number=case.nc.number)
    assert "still open" in item.obstacle
    [action] = Action.objects.raised_from(case.nc)
    actions.complete(action, by=case.other, result="Done.")
    assert WorkItem.objects.get(number=case.nc.number).obstacle == ""


def test_neither_owner_nor_doer_judges_effectiveness(case: Case) -> None:
    case.implemented()
    with pytest.raises(Refused, match="owner does not judge"):
        workflow.confirm_effective(case.nc, by=case.owner, verdict="Fine.")
    with pytest.raises(Refused, match="did one of the actions"):
        workflow.confirm_effective(case.nc, by=case.other, verdict="Fine.")


def test_who_completed_an_action_for_its_owner_does_not_judge_it(case: Case) -> None:
    case.planned()
    [action] = Action.objects.raised_from(case.nc)
    actions.complete(action, by=case.quality, result="Field added.")
    workflow.implement(case.nc, by=case.owner)
    with pytest.raises(Refused, match="did one of the actions"):
        workflow.confirm_effective(case.nc, by=case.quality, verdict="Fine.")


def test_passing_the_case_on_makes_nobody_its_judge(case: Case) -> None:
    case.implemented()
    amend(case.nc, by=case.owner, changes={"owner": case.other}, reason="Passing it on.")
    with pytest.raises(Refused, match="owned or answered the case before"):
        workflow.confirm_effective(case.nc, by=case.owner, verdict="Fine.")


def test_the_criterion_needs_its_time(case: Case) -> None:
    case.analysed()
    workflow.plan(
        case.nc,
        by=case.owner,
        action="Add the field.",
        effectiveness_criterion="No repeat in 90 days.",
        action_due=today(),
    )
    assert case.nc.check_on == today() + timedelta(days=60)
    [action] = Action.objects.raised_from(case.nc)
    actions.complete(action, by=case.owner, result="Done.")
    workflow.implement(case.nc, by=case.owner)
    with pytest.raises(Refused, match="needs time"):
        workflow.confirm_effective(case.nc, by=case.quality, verdict="Fine.")


def test_what_did_not_work_is_looked_at_again(case: Case) -> None:
    case.implemented()
    workflow.reopen(case.nc, by=case.quality, reason="Repeated on 3 November.")
    assert (case.nc.status, case.nc.reopened) == ("contained", 1)
    with pytest.raises(Refused, match="already"):
        workflow.close(case.nc, by=case.quality)


def test_no_action_is_a_reasoned_decision_of_somebody_else(case: Case) -> None:
    case.analysed()
    with pytest.raises(PermissionDenied):
        workflow.close_without_action(case.nc, by=case.owner, because="Single slip.")
    workflow.close_without_action(case.nc, by=case.quality, because="Single slip without effect.")
    assert case.nc.status == "closed"


def test_the_quality_manager_does_not_excuse_their_own_case(case: Case) -> None:
    amend(case.nc, by=case.quality, changes={"owner": case.quality}, reason="Takes it over.")
    workflow.contain(case.nc, by=case.quality, containment="x")
    workflow.find_cause(case.nc, by=case.quality, root_cause="x", category="method", similar="none")
    with pytest.raises(Refused, match="does not decide alone"):
        workflow.close_without_action(case.nc, by=case.quality, because="x")


def test_a_downgrade_is_on_record_with_its_reason(case: Case) -> None:
    amend(case.nc, by=case.quality, changes={"grade": "major"}, reason="Several orders.")
    with pytest.raises(Refused, match="Say why"):
        amend(case.nc, by=case.quality, changes={"grade": "minor"})
    amend(case.nc, by=case.quality, changes={"grade": "minor"}, reason="Only one order after all.")
    assert case.nc.history.first().history_change_reason == "Only one order after all."


def test_days_to_close_are_never_below_zero(case: Case) -> None:
    assert case.nc.days_open(case.nc.detected_on - timedelta(days=3)) == 0
    with pytest.raises(Refused, match="future"):
        workflow.raise_nonconformity(
            by=case.owner, title="Tomorrow", detected_on=today() + timedelta(days=1)
        )


def test_the_database_closes_nothing_without_proof(case: Case) -> None:
    case.contained()
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE capa_nonconformity SET status = 'analysed' WHERE id = %s", [case.nc.pk]
        )
        cursor.execute(
            "UPDATE capa_nonconformity SET status = 'closed', closed_on = detected_on,"
            " closed_by_id = owner_id WHERE id = %s",
            [case.nc.pk],
        )


def test_numbers_belong_to_the_year_it_was_detected_in(case: Case) -> None:
    old = workflow.raise_nonconformity(
        by=case.quality, title="Found in the drawer", detected_on=today().replace(year=2021, day=1)
    )
    assert old.number == "NC-2021-0001"


def test_an_employee_reports_a_problem_on_one_page(case: Case, client: Client) -> None:
    employee = factories.person()
    client.force_login(employee, backend="qms.people.access.RoleBackend")
    page = client.get("/nonconformities/report/")
    assert page.status_code == 200
    empty = client.post("/nonconformities/report/", {"title": "", "evidence": "Typed a lot"})
    assert empty.status_code == 422
    assert b"Typed a lot" in empty.content
    sent = client.post(
        "/nonconformities/report/",
        {"title": "Oil on the floor", "process": case.process.pk, "detected_on": ""},
    )
    assert sent.status_code == 303
    nc = Nonconformity.objects.get(title="Oil on the floor")
    assert (nc.created_by, nc.owner) == (employee, case.owner)
    assert client.get(sent["Location"]).status_code == 200


def test_the_report_prints(case: Case, client: Client) -> None:
    case.effective()
    reader: Person = factories.person()
    client.force_login(reader, backend="qms.people.access.RoleBackend")
    answer = client.get(f"/nonconformities/{case.nc.pk}/pdf/")
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF")
