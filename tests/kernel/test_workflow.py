"""Transitions are the only way a record changes state, and they are refused in words."""

import threading
from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.utils import timezone

from qms.actions import workflow
from qms.actions.models import Action
from qms.people.models import Person
from qms.refusals import Refused, Stale
from qms.workflow import all_transitions, amend, available, transition_named
from tests import factories


@pytest.fixture
def manager(db: None) -> Person:
    return factories.person("quality_manager")


@pytest.fixture
def doer(db: None) -> Person:
    return factories.person()


def plan(by: Person, owner: Person) -> Action:
    return workflow.plan_action(by=by, title="Fit a guard", owner=owner, due=timezone.localdate())


def test_the_way_through_leaves_a_row_for_each_move(manager: Person, doer: Person) -> None:
    action = plan(manager, doer)
    workflow.complete(action, by=doer, result="Fitted")
    workflow.verify(action, by=manager)
    assert action.status == Action.Status.VERIFIED
    assert [row.status for row in action.history.all()] == ["verified", "done", "open"]
    assert action.history.first().history_change_reason == "Confirm that the result is there."


def test_a_wrong_role_is_denied_and_a_wrong_state_is_refused(manager: Person, doer: Person) -> None:
    action = plan(manager, doer)
    with pytest.raises(PermissionDenied):
        workflow.void(action, by=doer, reason="x")
    with pytest.raises(Refused, match="already open"):
        workflow.verify(action, by=manager)
    with pytest.raises(PermissionDenied, match="Only the owner"):
        workflow.complete(action, by=factories.person(), result="x")


def test_a_reason_is_asked_where_it_is_declared(manager: Person, doer: Person) -> None:
    action = plan(manager, doer)
    with pytest.raises(Refused, match="Say why"):
        workflow.void(action, by=manager, reason="  ")
    workflow.void(action, by=manager, reason="Planned twice")
    assert action.history.first().history_change_reason == "Planned twice"


def test_who_did_it_does_not_verify_it(manager: Person) -> None:
    action = plan(manager, manager)
    workflow.complete(action, by=manager, result="Done")
    [verify, *_] = available(action, manager)
    assert verify.transition.name == "verify"
    assert "somebody else" in verify.obstacles[0]
    with pytest.raises(Refused, match="somebody else"):
        workflow.verify(action, by=manager)


def test_a_move_from_a_stale_page_is_refused(manager: Person, doer: Person) -> None:
    action = plan(manager, doer)
    action.title = "Fit a better guard"
    action.save_because("Better", by=manager)
    with pytest.raises(Stale):
        workflow.void(action, by=manager, reason="x", version=1)


def test_a_move_never_writes_over_what_another_copy_saved_meanwhile(
    manager: Person, doer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = plan(manager, doer)

    def saves_it_twice(moved: Action, *, by: Person, result: str) -> None:
        """Save it through another copy."""
        other = Action.objects.get(pk=moved.pk)
        other.title = "Fit two guards"
        other.save_because("Two", by=by)

    monkeypatch.setattr(workflow.complete, "effect", saves_it_twice)
    with pytest.raises(Stale):
        workflow.complete(action, by=doer, result="Fitted")
    action.refresh_from_db()
    assert (action.title, action.status, action.history.count()) == ("Fit a guard", "open", 1)


def test_nothing_is_changed_when_a_move_is_refused(manager: Person) -> None:
    action = plan(manager, manager)
    workflow.complete(action, by=manager, result="Done")
    rows = action.history.count()
    with pytest.raises(Refused):
        workflow.verify(action, by=manager)
    action.refresh_from_db()
    assert (action.status, action.verified_by, action.history.count()) == ("done", None, rows)


def test_somebody_inactive_may_nothing(manager: Person, doer: Person) -> None:
    from qms.people.workflow import deactivate, hand_over

    action = plan(manager, doer)
    admin = factories.person("administrator")
    hand_over(doer, by=admin, successor=manager, reason="Leaves.")
    gone = deactivate(doer, by=admin, reason="Left")
    gone = Person.objects.get(pk=gone.pk)
    with pytest.raises(PermissionDenied):
        workflow.complete(action, by=gone, result="x")


def test_the_declared_paths_are_exactly_the_transitions() -> None:
    for model, moves in all_transitions().items():
        declared = {(str(a), str(b)) for a, b in model.PATHS}  # type: ignore[attr-defined]
        made = {(source, move.target) for move in moves.values() for source in move.source}
        assert made == declared, f"{model.__name__}: {made ^ declared}"


def test_every_transition_tells_people_what_it_does() -> None:
    for moves in all_transitions().values():
        for move in moves.values():
            assert move.sentence.endswith("."), f"{move.model.__name__}.{move.name}"


def test_a_transition_is_found_by_name() -> None:
    assert transition_named(Action, "verify") is workflow.verify
    assert transition_named(Action, "no_such") is None


def at_once(*calls: Callable[[], object]) -> list[str]:
    """Run the calls in threads of their own, started together; what each answered."""
    answers: list[str] = []
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        gate.wait()
        try:
            call()
            answers.append("ok")
        except Refused as refusal:
            answers.append(str(refusal))
        except Exception as error:  # the point of the test is which ones
            answers.append(repr(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", range(5))
def test_of_two_people_pressing_at_once_one_wins(run: int) -> None:
    manager, doer = factories.person("quality_manager"), factories.person()
    other = factories.person("lead_auditor")
    action = plan(manager, doer)
    workflow.complete(action, by=doer, result="Done")
    answers = at_once(
        lambda: workflow.verify(Action.objects.get(pk=action.pk), by=manager),
        lambda: workflow.verify(Action.objects.get(pk=action.pk), by=other),
    )
    assert answers == ["ok", "“Verify” is not possible: it is already verified."]
    assert action.history.filter(status="verified").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_edits_and_a_move_at_once_none_is_lost_and_each_has_its_row() -> None:
    manager, doer = factories.person("quality_manager"), factories.person()
    action = plan(manager, doer)

    def edit(words: str) -> None:
        for turn in range(5):
            changes = {"title": f"{words} {turn}"}
            amend(Action.objects.get(pk=action.pk), by=manager, changes=changes, reason="Clearer.")

    answers = at_once(
        *[lambda words=words: edit(words) for words in "ABCDEF"],
        lambda: workflow.complete(Action.objects.get(pk=action.pk), by=doer, result="Fitted"),
    )
    assert set(answers) == {"ok", "It cannot be edited: it is already done."} or set(answers) == {
        "ok"
    }
    rows = list(action.history.order_by("version").values_list("version", "title", "status"))
    assert [version for version, *_rest in rows] == list(range(1, len(rows) + 1))
    assert [status for *_rest, status in rows].count("done") == 1
    action.refresh_from_db()
    assert (action.version, action.title, action.result) == (len(rows), rows[-1][1], "Fitted")


def test_a_new_record_is_never_written_over_an_old_one(manager: Person) -> None:
    action = plan(manager, manager)
    known = {"owner": manager, "due": action.due, "original_due": action.due}
    with pytest.raises(Stale):
        Action(pk=action.pk, title="Another", created_by=manager, **known).save()


@pytest.mark.django_db(transaction=True)
def test_200_concurrent_creations_give_200_consecutive_numbers() -> None:
    manager = factories.person("quality_manager")
    failed = threading.Event()

    def create() -> None:
        for _ in range(25):
            try:
                plan(manager, manager)
            except Exception:
                failed.set()
                raise

    first = plan(manager, manager)
    assert at_once(*[create] * 8) == ["ok"] * 8
    assert not failed.is_set()
    numbers = sorted(
        int(n.rsplit("-", 1)[1]) for n in Action.objects.values_list("number", flat=True)
    )
    start = int(first.number.rsplit("-", 1)[1])
    assert numbers == list(range(start, start + 201))


@pytest.mark.django_db(transaction=True)
def test_a_failed_creation_gives_its_number_back() -> None:
    manager = factories.person("quality_manager")
    before = plan(manager, manager)
    broken = Action(title="x" * 300, owner=manager, created_by=manager)
    broken.due = broken.original_due = timezone.localdate()
    with pytest.raises(Exception, match="too long"):
        broken.save()
    after = plan(manager, manager)
    assert int(after.number[-4:]) == int(before.number[-4:]) + 1
