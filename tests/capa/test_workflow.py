"""A nonconformity closes on effectiveness, judged by another, by a criterion set beforehand."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test import Client

from capa import workflow
from capa.models import CorrectiveAction, Nonconformity, Report
from qms import contributions
from qms.actions import workflow as actions
from qms.actions.models import Action
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.risks.workflow import identify_risk
from qms.scope.models import Process
from qms.scope.workflow import activate, create_process, set_up_organisation
from qms.signing.workflow import signatures_of
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

    @property
    def serving(self) -> CorrectiveAction:
        """The newest corrective action that serves the case."""
        return CorrectiveAction.objects.serving(self.nc).order_by("-pk")[0]

    def implemented(self) -> CorrectiveAction:
        self.planned()
        [task] = workflow.actions_of(self.nc)
        actions.complete(task, by=self.other, result="Field added.")
        return self.in_place(by=self.owner)

    def in_place(self, by: Person) -> CorrectiveAction:
        action = workflow.implement_action(self.serving, by=by)
        self.nc.refresh_from_db()
        return action

    def judge(self, by: Person, verdict: str = "612 orders, none.") -> CorrectiveAction:
        proof = factories.proof(by)
        action = workflow.judge_effective(self.serving, by=by, proof=proof, verdict=verdict)
        self.nc.refresh_from_db()
        return action

    def judge_not(self, aftermath: str) -> CorrectiveAction:
        action = workflow.judge_not_effective(
            self.serving,
            by=self.quality,
            proof=factories.proof(self.quality),
            verdict="Repeated on 3 November.",
            aftermath=aftermath,
        )
        self.nc.refresh_from_db()
        return action

    def effective(self) -> Nonconformity:
        self.implemented()
        self.judge(self.quality)
        return self.nc

    @staticmethod
    def another(case: "Case", *, analysed: bool = True) -> Nonconformity:
        """A second case of the same process and owner, contained or with its cause."""
        nc = workflow.raise_nonconformity(
            by=factories.person(),
            title="Torque not recorded again",
            statement="As before.",
            requirement="WI-22 asks for the torque of each bolt.",
            evidence="Traveller 4480.",
            process=case.process,
        )
        workflow.contain(nc, by=case.owner, containment="Held.")
        if analysed:
            said = {"root_cause": "No field.", "category": "method", "similar": "None."}
            workflow.find_cause(nc, by=case.owner, **said)
        return nc


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
    [action] = workflow.actions_of(case.nc)
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
        case.in_place(by=case.owner)
    [item] = WorkItem.objects.filter(number=case.serving.number)
    assert "still open" in item.obstacle
    [action] = workflow.actions_of(case.nc)
    actions.complete(action, by=case.other, result="Done.")
    assert WorkItem.objects.get(number=case.serving.number).obstacle == ""


def test_neither_owner_nor_doer_judges_effectiveness(case: Case) -> None:
    case.implemented()
    with pytest.raises(Refused, match="owner does not judge"):
        case.judge(case.owner)
    with pytest.raises(Refused, match="did one of the actions"):
        case.judge(case.other)


def test_who_completed_an_action_for_its_owner_does_not_judge_it(case: Case) -> None:
    case.planned()
    [action] = workflow.actions_of(case.nc)
    actions.complete(action, by=case.quality, result="Field added.")
    case.in_place(by=case.owner)
    with pytest.raises(Refused, match="did one of the actions"):
        case.judge(case.quality)


def test_passing_the_case_on_makes_nobody_its_judge(case: Case) -> None:
    case.implemented()
    amend(case.nc, by=case.owner, changes={"owner": case.other}, reason="Passing it on.")
    action = case.serving
    action.owner = case.other
    action.save_because("Passing it on.", by=case.owner)
    with pytest.raises(Refused, match="owned or answered the case before"):
        case.judge(case.owner)


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
    [action] = workflow.actions_of(case.nc)
    actions.complete(action, by=case.owner, result="Done.")
    case.in_place(by=case.owner)
    with pytest.raises(Refused, match="needs time"):
        case.judge(case.quality)


def test_a_decision_is_signed(case: Case) -> None:
    case.implemented()
    with pytest.raises(Refused, match="password"):
        workflow.judge_effective(case.serving, by=case.quality, verdict="612 orders, none.")
    action = case.judge(case.quality)
    assert [each.meaning for each in signatures_of(action)] == ["found effective"]


@pytest.mark.slow
def test_what_did_not_work_is_looked_at_again(case: Case) -> None:
    case.implemented()
    action = case.judge_not("cause")
    assert (action.status, case.nc.status, case.nc.reopened) == ("ineffective", "contained", 1)
    with pytest.raises(Refused, match="already"):
        workflow.close(case.nc, by=case.quality)


def test_or_its_successor_is_planned_for_the_same_cases(case: Case) -> None:
    case.implemented()
    first = case.judge_not("successor")
    successor = case.serving
    assert (successor.predecessor, successor.status) == (first, "draft")
    assert (successor.cause, case.nc.status) == (first.cause, "analysed")
    with pytest.raises(Refused, match="serves it"):
        workflow.close_without_action(case.nc, by=case.quality, because="Enough done.")
    with pytest.raises(Refused, match="when it counts as effective"):
        workflow.start_plan(successor, by=case.owner)
    task = {"title": "Refuse a bolt without torque", "owner": case.other, "due": today()}
    workflow.add_task(successor, by=case.owner, **task)
    amend(successor, by=case.owner, changes={"criterion": "No repeat in 500 orders."})
    workflow.start_plan(successor, by=case.owner, check_on=today())
    case.nc.refresh_from_db()
    assert (case.nc.status, case.nc.effectiveness_criterion) == (
        "planned",
        "No repeat in 500 orders.",
    )


def test_it_reaches_no_state_by_hand_that_its_corrective_action_gives_it(case: Case) -> None:
    case.planned()
    for move in (workflow.follow_implemented, workflow.lose_plan):
        with pytest.raises(PermissionDenied):
            move(case.nc, by=case.quality, reason="Because.")


@pytest.mark.slow
def test_one_corrective_action_serves_many_cases(case: Case) -> None:
    case.planned()
    second = Case.another(case)
    workflow.join(second, by=case.owner, corrective_action=case.serving)
    assert second.status == "planned"
    [task] = workflow.tasks_of(case.serving)
    actions.complete(task, by=case.other, result="Field added.")
    case.in_place(by=case.owner)
    case.judge(case.quality)
    second.refresh_from_db()
    assert {case.nc.status, second.status} == {"effective"}
    assert second.verified_by == case.quality


def test_a_case_that_is_taken_away_is_decided_about_anew(case: Case) -> None:
    case.planned()
    workflow.choose_cases(case.serving, by=case.quality, cases=[])
    case.nc.refresh_from_db()
    assert (case.nc.status, case.nc.decision) == ("analysed", "")


def test_a_voided_corrective_action_lets_its_cases_go(case: Case) -> None:
    case.planned()
    workflow.void_action(case.serving, by=case.quality, reason="The wrong cause.")
    case.nc.refresh_from_db()
    assert case.nc.status == "analysed"
    assert Action.objects.get().status == "void"


def test_a_plan_is_approved_by_somebody_else_where_that_is_asked(case: Case) -> None:
    organisation = set_up_organisation(
        by=case.quality, name="Maple", country="CA", time_zone="America/Toronto"
    )
    amend(organisation, by=case.quality, changes={"approves_plans": True}, reason="Our way.")
    case.planned()
    action = case.serving
    assert (action.status, case.nc.status) == ("submitted", "planned")
    with pytest.raises(Refused, match="does not approve it"):
        workflow.approve_plan(action, by=case.owner)
    workflow.send_plan_back(action, by=case.other, reason="That trains people only.")
    workflow.submit_plan(action, by=case.owner)
    workflow.approve_plan(action, by=case.quality, check_on=today() + timedelta(days=90))
    case.nc.refresh_from_db()
    assert (action.status, action.approved_by) == ("planned", case.quality)
    assert case.nc.check_on == action.check_on == today() + timedelta(days=90)


def test_no_plan_starts_without_cause_task_and_criterion(case: Case) -> None:
    action = workflow.raise_corrective_action(
        by=case.owner, title="Torque on paper", owner=case.owner
    )
    with pytest.raises(Refused, match="which cause it removes and what will be done"):
        workflow.start_plan(action, by=case.owner)
    with pytest.raises(PermissionDenied, match="Only the owner"):
        workflow.start_plan(action, by=case.other)
    with pytest.raises(Refused, match="whose cause is known"):
        workflow.serve(action, case.nc, by=case.owner)


def test_correction_only_is_for_what_is_small_and_somebody_else_decides_it(case: Case) -> None:
    case.contained()
    said = {"correction": "Tightened anew.", "similar": "None.", "because": "A single slip."}
    amend(case.nc, by=case.quality, changes={"severity": "serious"}, reason="A customer saw it.")
    with pytest.raises(Refused, match="find its cause"):
        workflow.correct_only(case.nc, by=case.quality, **said)
    amend(case.nc, by=case.quality, changes={"severity": "slight"}, reason="Nobody did.")
    with pytest.raises(PermissionDenied):
        workflow.correct_only(case.nc, by=case.owner, **said)
    workflow.correct_only(case.nc, by=case.quality, **said)
    assert (case.nc.status, case.nc.decision) == ("closed", "correction_only")


def test_what_repeats_is_asked_again(case: Case) -> None:
    case.contained()
    said = {"correction": "Tightened anew.", "similar": "None.", "because": "A single slip."}
    workflow.correct_only(case.nc, by=case.quality, **said)
    again = Case.another(case, analysed=False)
    with pytest.raises(Refused, match=f"It repeats {case.nc.number}"):
        workflow.correct_only(again, by=case.quality, **said)
    said["despite"] = "The new traveller comes next week and has the field."
    workflow.correct_only(again, by=case.quality, **said)
    assert again.despite_repeat == said["despite"]


def test_a_closed_case_is_opened_again_with_its_reason(case: Case) -> None:
    case.effective()
    workflow.close(case.nc, by=case.quality)
    with pytest.raises(Refused, match="Say why"):
        workflow.reopen(case.nc, by=case.quality)
    workflow.reopen(case.nc, by=case.quality, reason="The field is gone from the new form.")
    assert (case.nc.status, case.nc.reopened, case.nc.closed_on) == ("contained", 1, None)
    assert case.nc.verdict == ""


def test_its_owner_neither_closes_nor_cancels_it(case: Case) -> None:
    amend(case.nc, by=case.quality, changes={"owner": case.quality}, reason="Takes it over.")
    with pytest.raises(Refused, match="neither closes nor voids"):
        workflow.void(case.nc, by=case.quality, reason="A mistake.")
    boss = factories.person("top_management")
    assert workflow.void(case.nc, by=boss, reason="A mistake.").status == "void"


def test_an_answer_goes_as_far_as_it_was_written_or_nowhere(case: Case) -> None:
    parts: dict[str, dict[str, object]] = {
        "contain": {"containment": "Held 64 valves.", "told": "The customer, by phone."},
        "find_cause": {"root_cause": "No field.", "category": "method", "similar": "None."},
        "plan": {"action": "Add it.", "effectiveness_criterion": "None in 500.", "check_on": None},
    }
    wrong = {**parts, "plan": {**parts["plan"], "action_due": today() - timedelta(days=1)}}
    with pytest.raises(Refused, match="in the past"):
        workflow.answer(case.nc, by=case.owner, parts=wrong)
    case.nc.refresh_from_db()
    assert case.nc.status == "open"
    workflow.answer(case.nc, by=case.owner, parts=parts)
    case.nc.refresh_from_db()
    assert (case.nc.status, case.nc.told) == ("planned", "The customer, by phone.")


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
    empty = client.post("/nonconformities/report/", {"title": "", "place": "Hall two"})
    assert empty.status_code == 422
    assert b"Hall two" in empty.content
    sent = client.post(
        "/nonconformities/report/",
        {"title": "Oil on the floor", "process": case.process.pk, "detected_on": ""},
    )
    assert sent.status_code == 303
    report = Report.objects.get(title="Oil on the floor")
    assert (report.created_by, report.process) == (employee, case.process)
    assert client.get(sent["Location"]).status_code == 200


def test_the_report_prints(case: Case, client: Client) -> None:
    case.effective()
    reader: Person = factories.person()
    client.force_login(reader, backend="qms.people.access.RoleBackend")
    answer = client.get(f"/nonconformities/{case.nc.pk}/pdf/")
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF")


def test_who_leaves_hands_corrective_actions_over_but_not_to_who_approved_the_plan(
    case: Case,
) -> None:
    organisation = set_up_organisation(
        by=case.quality, name="Maple", country="CA", time_zone="America/Toronto"
    )
    amend(organisation, by=case.quality, changes={"approves_plans": True}, reason="Our way.")
    case.planned()
    workflow.approve_plan(case.serving, by=case.quality)
    held = dict(contributions.holdings_of(case.owner))["Corrective actions"]
    [holding] = held
    assert "approved the plan" in holding.why_not(case.quality)
    assert "no role that may take over" in holding.why_not(factories.person())
    assert holding.why_not(case.other) == ""
    holding.give(case.other, case.quality, "Leaves in May.")
    assert case.serving.owner == case.other


def test_a_risk_or_a_trend_is_answered_without_a_nonconformity(case: Case, client: Client) -> None:
    risk = identify_risk(by=case.quality, title="One supplier", owner=case.owner)
    factories.sign_in(client, case.owner)
    page = client.get(risk.get_absolute_url()).content.decode()
    address = f"/nonconformities/corrective-actions/new/?origin=risks.Risk%3A{risk.pk}"
    assert address in page
    made = client.post(
        address,
        {"title": "A second supplier", "owner": case.owner.pk, "cause": "Only one was asked."},
    )
    assert made.status_code == 303
    action = CorrectiveAction.objects.get()
    assert action.origin == risk
    assert "A second supplier" in client.get(risk.get_absolute_url()).content.decode()
    workflow.add_task(action, by=case.owner, title="Ask", owner=case.other, due=today())
    amend(action, by=case.owner, changes={"criterion": "Two offers for each order."})
    workflow.start_plan(action, by=case.owner, check_on=today())
    [task] = workflow.tasks_of(action)
    actions.complete(task, by=case.other, result="Asked.")
    workflow.implement_action(action, by=case.owner)
    proof = factories.proof(case.quality)
    with pytest.raises(Refused, match="no case to reopen"):
        workflow.judge_not_effective(
            action, by=case.quality, proof=proof, verdict="One offer.", aftermath="cause"
        )
    workflow.judge_not_effective(
        action, by=case.quality, proof=proof, verdict="One offer.", aftermath="successor"
    )
    assert CorrectiveAction.objects.get(predecessor=action).origin == risk
