"""Ways around the procedure that somebody in a hurry or a cheat would try: each ends in a word."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.test import Client

from capa import workflow
from capa.models import CorrectiveAction, Nonconformity, Repeat
from capa.recurrence import alike, shared, told_in_words
from capa.whys import from_lines
from capa.workflow.repeats import look_for_repeats
from qms.actions import workflow as actions
from qms.periods import today
from qms.refusals import Refused
from qms.risks.workflow import identify_risk
from qms.scope.workflow import set_up_organisation
from qms.workflow import amend
from tests import factories
from tests.capa.test_workflow import Case

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.clause("10.2.1")]


@pytest.fixture
def case() -> Case:
    return Case()


def pass_on(nc: Nonconformity, by: Any, to: Any) -> None:
    amend(nc, by=by, changes={"owner": to}, reason="Passing it on.")


# The owner passes it on and comes back under another hat


def test_who_passed_a_case_on_neither_closes_nor_cancels_nor_excuses_it(case: Case) -> None:
    pass_on(case.nc, case.quality, case.quality)
    pass_on(case.nc, case.quality, case.owner)
    with pytest.raises(Refused, match="passed it on"):
        workflow.void(case.nc, by=case.quality, reason="A mistake.")
    case.contained()
    said = {"correction": "Tightened.", "similar": "None.", "because": "A slip."}
    with pytest.raises(Refused, match="passed it on"):
        workflow.correct_only(case.nc, by=case.quality, **said)
    workflow.find_cause(
        case.nc, by=case.owner, root_cause="No field.", category="method", similar="None."
    )
    with pytest.raises(Refused, match="passed it on"):
        workflow.close_without_action(case.nc, by=case.quality, because="Fine.")
    boss = factories.person("top_management")
    assert workflow.void(case.nc, by=boss, reason="Reported twice.").status == "void"


def test_who_owned_a_case_when_it_was_answered_does_not_close_it_after_passing_it_on(
    case: Case,
) -> None:
    case.owner = factories.person("quality_manager", "process_owner")
    pass_on(case.nc, case.quality, case.owner)
    case.effective()
    pass_on(case.nc, case.owner, case.other)
    with pytest.raises(Refused, match="passed it on"):
        workflow.close(case.nc, by=case.owner)
    assert workflow.close(case.nc, by=case.quality).status == "closed"


def test_who_judged_a_case_does_not_become_its_owner(case: Case) -> None:
    case.effective()
    with pytest.raises(Refused, match="judged its effect") as refusal:
        pass_on(case.nc, case.owner, case.quality)
    assert refusal.value.field == "owner"


def test_more_time_is_not_given_by_passing_a_case_on_and_taking_it_back(case: Case) -> None:
    pass_on(case.nc, case.owner, case.other)
    later = {"close_by": case.nc.close_by + timedelta(days=90)}
    with pytest.raises(Refused, match="ask the quality manager"):
        amend(case.nc, by=case.owner, changes=later, reason="Busy.")


def test_nor_to_a_task_by_passing_it_on(case: Case) -> None:
    case.planned()
    [task] = workflow.actions_of(case.nc)
    amend(task, by=case.other, changes={"owner": case.owner}, reason="Please.")
    with pytest.raises(Refused, match="own day"):
        amend(
            task,
            by=case.other,
            changes={"due": task.due + timedelta(days=30)},
            reason="Later.",
        )


def test_whoever_did_a_task_that_was_sent_back_does_not_judge_it(case: Case) -> None:
    judge = factories.person("process_owner")
    case.planned()
    [task] = workflow.actions_of(case.nc)
    amend(task, by=case.other, changes={"owner": judge}, reason="Passing it on.")
    actions.complete(task, by=judge, result="Field added.")
    actions.send_back(task, by=judge, reason="For the form.")
    amend(task, by=case.quality, changes={"owner": case.other}, reason="Passing it on.")
    actions.complete(task, by=case.other, result="Field added.")
    case.in_place(by=case.owner)
    with pytest.raises(Refused, match="did one of the actions"):
        case.judge(judge)
    with pytest.raises(Refused, match="does not verify"):
        actions.verify(task, by=judge)


def test_voiding_the_task_makes_nobody_a_judge(case: Case) -> None:
    case.planned()
    [task] = workflow.actions_of(case.nc)
    workflow.add_task(case.serving, by=case.owner, title="Tell", owner=case.owner, due=today())
    for each in workflow.actions_of(case.nc):
        actions.complete(each, by=each.owner, result="Done.")
    actions.void(task, by=case.quality, reason="Twice.")
    case.in_place(by=case.owner)
    with pytest.raises(Refused, match="did one of the actions"):
        case.judge(case.other)


def test_who_submitted_a_plan_once_does_not_approve_it_when_somebody_else_submits_it_again(
    case: Case,
) -> None:
    organisation = set_up_organisation(
        by=case.quality, name="Maple", country="CA", time_zone="America/Toronto"
    )
    amend(organisation, by=case.quality, changes={"approves_plans": True}, reason="Our way.")
    case.analysed()
    action = workflow.raise_corrective_action(
        by=case.quality,
        title="Field",
        owner=case.owner,
        cause="No field.",
        criterion="None.",
        nonconformities=[case.nc],
    )
    workflow.add_task(action, by=case.quality, title="Add", owner=case.other, due=today())
    workflow.submit_plan(action, by=case.quality)
    workflow.send_plan_back(action, by=case.other, reason="Say more.")
    workflow.submit_plan(action, by=case.owner)
    with pytest.raises(Refused, match="does not approve it"):
        workflow.approve_plan(action, by=case.quality)


# What the certification body found


def test_a_finding_of_the_certification_body_typed_by_hand_is_not_cancelled(case: Case) -> None:
    amend(case.nc, by=case.quality, changes={"source": "certification"}, reason="From the body.")
    with pytest.raises(Refused, match="certification body"):
        workflow.void(case.nc, by=case.quality, reason="A mistake.")


def test_nor_after_it_was_called_something_else(case: Case) -> None:
    amend(case.nc, by=case.quality, changes={"source": "certification"}, reason="From the body.")
    with pytest.raises(Refused, match="stays one"):
        amend(case.nc, by=case.owner, changes={"source": "process"}, reason="Ours.")
    amend(case.nc, by=case.quality, changes={"source": "audit"}, reason="The wrong line chosen.")
    with pytest.raises(Refused, match="certification body"):
        workflow.void(case.nc, by=case.quality, reason="A mistake.")
    amend(case.nc, by=case.quality, changes={"source": "certification"}, reason="It was.")
    case.contained()
    with pytest.raises(Refused, match="stays one"):
        amend(case.nc, by=case.quality, changes={"source": "process"}, reason="Ours.")


# A criterion that was promised


def replanned(case: Case) -> CorrectiveAction:
    case.planned()
    action: CorrectiveAction = workflow.plan_anew(
        case.serving, by=case.owner, reason="The measure was not right."
    )
    return action


@pytest.mark.parametrize(
    "change", [{"criterion": "Nobody complains."}, {"measure": "By eye."}, {"count_target": 5}]
)
def test_a_criterion_once_taken_on_is_not_changed_by_its_owner(
    case: Case, change: dict[str, Any]
) -> None:
    action = replanned(case)
    with pytest.raises(Refused, match="The owner does not change them") as refusal:
        amend(action, by=case.owner, changes=change, reason="Easier.")
    assert refusal.value.field in change
    with pytest.raises(Refused, match="Say why"):
        amend(action, by=case.quality, changes=change)
    amend(action, by=case.quality, changes=change, reason="Better measured so.")
    assert action.criterion_was == "No repeat in 500 orders."
    workflow.start_plan(action, by=case.owner)
    assert action.first_criterion == "No repeat in 500 orders."


def test_nor_by_passing_the_action_on_and_changing_it_then(case: Case) -> None:
    action = replanned(case)
    amend(action, by=case.owner, changes={"owner": case.quality}, reason="Passing it on.")
    with pytest.raises(Refused, match="The owner does not"):
        amend(action, by=case.quality, changes={"criterion": "Fine."}, reason="Easier.")
    boss = factories.person("top_management")
    amend(action, by=boss, changes={"criterion": "No repeat in 900."}, reason="More is made.")


def test_the_day_of_the_check_is_not_moved_by_starting_again(case: Case) -> None:
    action = replanned(case)
    with pytest.raises(Refused, match="by somebody other than its owner") as refusal:
        workflow.start_plan(action, by=case.owner, check_on=today() + timedelta(days=400))
    assert refusal.value.field == "check_on"


def test_a_case_is_not_taken_out_of_its_plan_to_promise_something_easier(case: Case) -> None:
    case.planned()
    with pytest.raises(Refused, match="promised its effect"):
        workflow.choose_cases(case.serving, by=case.owner, cases=[])
    case.nc.refresh_from_db()
    assert case.nc.status == "planned"
    workflow.choose_cases(case.serving, by=case.quality, cases=[])
    case.nc.refresh_from_db()
    assert case.nc.status == "analysed"


# What is serious


@pytest.mark.parametrize("change", [{"grade": "major"}, {"severity": "serious"}])
def test_a_serious_case_without_an_8d_closes_on_no_route(
    case: Case, change: dict[str, str], client: Client
) -> None:
    amend(case.nc, by=case.quality, changes=change, reason="A customer stands still.")
    case.analysed()
    with pytest.raises(Refused, match="has no 8D"):
        workflow.close_without_action(case.nc, by=case.quality, because="Fine.")
    workflow.plan(
        case.nc,
        by=case.owner,
        action="Add the field.",
        action_owner=case.other,
        action_due=today(),
        check_on=today(),
        effectiveness_criterion="No repeat in 500 orders.",
    )
    [task] = workflow.actions_of(case.nc)
    actions.complete(task, by=case.other, result="Field added.")
    case.in_place(by=case.owner)
    case.judge(case.quality)
    with pytest.raises(Refused, match="has no 8D"):
        workflow.close(case.nc, by=case.quality)
    factories.sign_in(client, case.quality)
    page = client.post(f"{case.nc.get_absolute_url()}do/close/", {"version": case.nc.version})
    assert page.status_code == 422
    told = client.post(
        f"/api/v1/nonconformities/{case.nc.pk}/close/",
        json.dumps({"version": case.nc.version}),
        content_type="application/json",
    )
    assert (told.status_code, "has no 8D" in told.json()["detail"]) == (422, True)
    omit = f"{case.nc.get_absolute_url()}8d/omit/"
    assert client.post(omit, {"because": " "}).status_code == 422
    assert client.post(omit, {"because": "One cause, found at once."}).status_code == 303
    case.nc.refresh_from_db()
    case.nc = Nonconformity.objects.get(pk=case.nc.pk)
    assert workflow.close(case.nc, by=case.quality).status == "closed"


def test_its_owner_neither_decides_that_it_needs_no_8d_nor_makes_it_smaller(case: Case) -> None:
    changes = {"severity": "serious", "grade": "major"}
    amend(case.nc, by=case.quality, changes=changes, reason="A customer stands still.")
    with pytest.raises(PermissionDenied):
        workflow.omit_8d(case.nc, by=case.owner, because="Too much work.")
    for smaller in ({"severity": "slight"}, {"severity": ""}, {"grade": "minor"}):
        with pytest.raises(Refused, match="own case smaller"):
            amend(case.nc, by=case.owner, changes=smaller, reason="Not that bad.")
    pass_on(case.nc, case.quality, case.quality)
    with pytest.raises(PermissionDenied, match="owner of a case"):
        workflow.omit_8d(case.nc, by=case.quality, because="Too much work.")


def test_an_8d_that_was_omitted_is_begun_all_the_same_and_then_finished(case: Case) -> None:
    with pytest.raises(Refused, match="neither major nor serious"):
        workflow.omit_8d(case.nc, by=case.quality, because="Small.")
    amend(case.nc, by=case.quality, changes={"grade": "major"}, reason="Many orders.")
    omitted = workflow.omit_8d(case.nc, by=case.quality, because="One cause.")
    with pytest.raises(Refused, match="begin it first"):
        amend(omitted, by=case.owner, changes={"chosen": "So."}, reason="So.")
    begun = workflow.begin_8d(case.nc, by=case.owner, leader=case.owner)
    assert (begun.pk, begun.omitted_because, len(begun.lacking())) == (omitted.pk, "", 5)
    with pytest.raises(Refused, match="was begun"):
        workflow.omit_8d(case.nc, by=case.quality, because="One cause.")


# Softened, emptied, hurried


def test_what_is_wrong_is_not_emptied_once_it_was_contained(case: Case) -> None:
    case.contained()
    with pytest.raises(Refused, match="which requirement is not met"):
        amend(case.nc, by=case.owner, changes={"evidence": " "}, reason="Shorter.")


def test_an_action_that_comes_late_gets_the_same_time_to_show_its_effect(case: Case) -> None:
    case.analysed()
    workflow.plan(
        case.nc,
        by=case.owner,
        action="Add the field.",
        action_owner=case.other,
        action_due=today() + timedelta(days=10),
        check_on=today() + timedelta(days=70),
        effectiveness_criterion="No repeat in 60 days.",
    )
    [task] = workflow.actions_of(case.nc)
    with time_machine.travel(today() + timedelta(days=80)):
        actions.complete(task, by=case.other, result="Done.")
        action = case.in_place(by=case.owner)
        assert action.check_day == today() + timedelta(days=60)
        assert case.nc.check_on == case.nc.due == action.check_day
        with pytest.raises(Refused, match="needs time"):
            case.judge(case.quality)


# What was not effective


def test_after_an_action_that_did_not_work_a_correction_alone_closes_nothing(case: Case) -> None:
    case.implemented()
    case.judge_not("cause")
    said = {"correction": "Tightened.", "similar": "None.", "because": "A slip."}
    with pytest.raises(Refused, match="was not effective"):
        workflow.correct_only(case.nc, by=case.quality, **said)
    with pytest.raises(Refused, match="was judged"):
        workflow.void(case.nc, by=case.quality, reason="A mistake.")
    said = {"root_cause": "The form is not used.", "category": "method", "similar": "None."}
    workflow.find_cause(case.nc, by=case.owner, **said)
    with pytest.raises(Refused, match="was not effective") as refusal:
        workflow.close_without_action(case.nc, by=case.quality, because="Enough.")
    assert refusal.value.field == "despite"
    workflow.close_without_action(
        case.nc, by=case.quality, because="Enough.", despite="The line is shut down."
    )
    assert case.nc.despite_repeat == "The line is shut down."


def test_the_successor_of_an_action_for_a_risk_is_not_voided_away(case: Case) -> None:
    risk = identify_risk(by=case.quality, title="One supplier", owner=case.owner)
    action = workflow.raise_corrective_action(
        by=case.owner,
        title="A second supplier",
        owner=case.owner,
        cause="Only one was asked.",
        criterion="Two offers.",
        origin=risk,
    )
    workflow.add_task(action, by=case.owner, title="Ask", owner=case.other, due=today())
    workflow.start_plan(action, by=case.owner, check_on=today())
    [task] = workflow.tasks_of(action)
    actions.complete(task, by=case.other, result="Asked.")
    workflow.implement_action(action, by=case.owner)
    workflow.judge_not_effective(
        action,
        by=case.quality,
        proof=factories.proof(case.quality),
        verdict="One offer.",
        aftermath="successor",
    )
    successor = CorrectiveAction.objects.get(predecessor=action)
    with pytest.raises(Refused, match="was not effective"):
        workflow.void_action(successor, by=case.quality, reason="Not needed.")


def test_an_8d_that_was_begun_is_finished_however_the_case_is_closed(case: Case) -> None:
    workflow.begin_8d(case.nc, by=case.owner, leader=case.owner)
    case.contained()
    said = {"correction": "Tightened.", "similar": "None.", "because": "A slip."}
    with pytest.raises(Refused, match="Its 8D lacks"):
        workflow.correct_only(case.nc, by=case.quality, **said)
    workflow.find_cause(
        case.nc, by=case.owner, root_cause="No field.", category="method", similar="None."
    )
    with pytest.raises(Refused, match="Its 8D lacks"):
        workflow.close_without_action(case.nc, by=case.quality, because="Fine.")


# A former register


def test_what_was_taken_over_open_is_not_closed_elsewhere_later(case: Case) -> None:
    nc = workflow.raise_nonconformity(
        by=case.quality, title="Old", number="NCR-7", taken_over="Taken over as NCR-7."
    )
    with (
        time_machine.travel(today() + timedelta(days=3)),
        pytest.raises(Refused, match="closed here"),
    ):
        workflow.take_over_closed(nc, by=case.quality, action="Done there.")


# Repeats


class Twice:
    """The same cause in two cases of one owner, who is the only quality manager."""

    def __init__(self) -> None:
        self.quality = factories.person("quality_manager")
        self.owner = factories.person("process_owner")
        for _ in range(2):
            nc = workflow.raise_nonconformity(
                by=self.quality,
                title="Pores in the welds of brackets",
                statement="Pores.",
                requirement="None.",
                evidence="Photo.",
                owner=self.quality,
            )
            workflow.contain(nc, by=self.quality, containment="Sorted.")
            self.nc = workflow.find_cause(
                nc,
                by=self.quality,
                root_cause="Gas hose leaked, the flow was low.",
                category="method",
                similar="None.",
            )
        self.repeat = Repeat.objects.get()


def test_who_passed_a_case_on_does_not_dismiss_its_repeat() -> None:
    twice = Twice()
    pass_on(twice.nc, twice.quality, twice.owner)
    with pytest.raises(Refused, match="does not decide"):
        workflow.dismiss_repeat(twice.repeat, by=twice.quality, reason="Another machine.")


def test_a_repeat_of_the_only_quality_managers_own_case_is_decided_by_top_management() -> None:
    from qms.work.models import WorkItem

    boss = factories.person("top_management")
    twice = Twice()
    item = WorkItem.objects.get(record_id=twice.repeat.pk, record_type__model="repeat")
    assert item.role == "top_management"
    assert workflow.confirm_repeat(twice.repeat, by=boss).status == "confirmed"
    look_for_repeats(twice.nc, twice.quality)
    assert Repeat.objects.count() == 1


# Hostile and careless input


def test_a_megabyte_of_words_in_one_case_stops_no_comparison(case: Case) -> None:
    words = " ".join(f"w{number:x}x" for number in range(250_000))
    case.nc.evidence = words
    case.nc.save_because("Pasted.", by=case.quality)
    assert alike(told_in_words("Torque not recorded"), Nonconformity.objects.all())


def test_one_rare_word_alone_is_not_more_than_alike() -> None:
    class Known:
        def weight(self, word: str) -> float:
            return 8.5 if word == "rare" else 0.7

    one = {"rare", *(f"common{number}" for number in range(100))}
    assert shared(one, {"rare"}, Known()) <= 1  # type: ignore[arg-type]


def test_whys_beyond_the_last_row_are_refused_not_dropped() -> None:
    with pytest.raises(Refused, match="Up to 40 whys"):
        from_lines("\n".join(f"Why {number}" for number in range(41)))


@pytest.mark.parametrize(
    "said",
    [
        {"whys": "abc"},
        {"whys": [1, "two", None]},
        {"whys": [{"foo": 1}]},
        {"whys": {"why": "x"}},
        {"whys": [{"key": [1], "parent": 0, "why": "x", "evidence": "", "root": False}]},
        {"whys": [{"key": 1, "parent": "0", "why": "x", "evidence": "", "root": False}]},
        {"whys": [{"key": 1, "parent": 0, "why": 7, "evidence": "", "root": False}]},
        {"fishbone": ["People"]},
        {"fishbone": {"People": "New"}},
        {"fishbone": {"People": [1]}},
        {"is_is_not": "x"},
        {"is_is_not": [1]},
        {"is_is_not": [{"is": 4}]},
        {"is_is_not": [{"is": "x" * 10_001}]},
    ],
)
def test_tables_of_another_shape_are_refused_with_a_sentence(
    case: Case, client: Client, said: dict[str, Any]
) -> None:
    analysis = workflow.begin_analysis(case.nc, by=case.owner)
    factories.sign_in(client, case.owner)
    answer = client.patch(
        f"/api/v1/cause-analyses/{analysis.pk}/",
        json.dumps(said | {"version": analysis.version}),
        content_type="application/json",
    )
    assert answer.status_code in (409, 422), answer.content
    assert client.get(case.nc.get_absolute_url()).status_code == 200
