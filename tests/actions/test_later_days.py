"""More time is granted by somebody else; what is late reaches the manager once."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from documents.models import Document
from qms.actions import workflow
from qms.actions.models import Action, Extension
from qms.competence.workflow import hold, plan_training
from qms.outbox.models import Effect
from qms.people.models import Person
from qms.people.workflow import place_person
from qms.periods import today
from qms.refusals import Refused
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories, scenes

pytestmark = [pytest.mark.django_db, pytest.mark.clause("10.2.1")]
A_WEEK = timedelta(days=7)


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager", name="Mia Manager")


@pytest.fixture
def owner() -> Person:
    return factories.person("process_owner", name="Ola Owner")


@pytest.fixture
def action(manager: Person, owner: Person) -> Action:
    return workflow.plan_action(by=manager, title="Fit a guard", owner=owner, due=today())


@pytest.mark.slow
def test_a_later_day_is_asked_by_the_owner_and_granted_by_somebody_else(
    action: Action, owner: Person, manager: Person
) -> None:
    until = today() + A_WEEK
    with pytest.raises(PermissionDenied, match="Only the owner"):
        workflow.ask_extension(action, by=manager, until=until, reason="The guard is late.")
    extension = workflow.ask_extension(action, by=owner, until=until, reason="It comes late.")
    [item] = WorkItem.objects.filter(step="decide")
    assert item.person == manager
    with pytest.raises(Refused, match="somebody else does"):
        workflow.grant_extension(extension, by=owner)
    workflow.grant_extension(extension, by=manager)
    action.refresh_from_db()
    assert (action.due, action.original_due) == (until, today())
    assert action.history.first().history_change_reason == "Extended: It comes late."


def test_nobody_moves_their_own_day(action: Action, owner: Person, manager: Person) -> None:
    later = {"due": today() + A_WEEK}
    with pytest.raises(Refused, match="Ask for an extension"):
        amend(action, by=owner, changes=later, reason="No time.")
    amend(action, by=owner, changes={"due": today() - A_WEEK}, reason="Sooner.")
    amend(action, by=manager, changes=later, reason="The board decided.")
    assert action.due == later["due"]


def test_what_was_asked_lapses_when_it_is_done(action: Action, owner: Person) -> None:
    extension = workflow.ask_extension(
        action, by=owner, until=today() + A_WEEK, reason="It comes late."
    )
    with pytest.raises(Refused, match="wait for the answer"):
        workflow.ask_extension(action, by=owner, until=today() + A_WEEK * 2, reason="Later.")
    workflow.complete(action, by=owner, result="It came in time.")
    extension.refresh_from_db()
    assert extension.status == "lapsed"


def test_bad_days_and_no_reason_are_refused_in_words(action: Action, owner: Person) -> None:
    with pytest.raises(Refused, match="choose a later day"):
        workflow.ask_extension(action, by=owner, until=today(), reason="x")
    with pytest.raises(Refused, match="Say why"):
        workflow.ask_extension(action, by=owner, until=today() + A_WEEK, reason=" ")


def test_the_page_keeps_both_days(action: Action, owner: Person, client: Client) -> None:
    factories.sign_in(client, owner)
    url = action.get_absolute_url()
    assert "Ask for a later day" in client.get(url).content.decode()
    until = today() + A_WEEK
    asked = {"until": until.isoformat(), "reason_to_extend": "It comes late."}
    assert client.post(f"{url}extend/", asked).status_code == 303
    extension = Extension.objects.get()
    workflow.grant_extension(extension, by=action.created_by)
    page = client.get(url).content.decode()
    assert "First promised" in page
    assert "It comes late." in page
    assert client.get(extension.get_absolute_url()).status_code == 200


def test_what_is_late_beyond_the_limit_reaches_the_manager_exactly_once(
    action: Action, owner: Person, manager: Person
) -> None:
    boss = factories.person("top_management", name="Bo Boss")
    place_person(owner, by=manager, manager=boss)
    assert workflow.escalate(today() + timedelta(days=14)) == 0
    late = today() + timedelta(days=15)
    assert workflow.escalate(late) == 1
    assert workflow.escalate(late + A_WEEK) == 0
    told = Effect.objects.filter(key__startswith="mail:escalated:")
    assert [each.payload["to"] for each in told] == [boss.pk]
    assert WorkItem.objects.get(step="escalated").person == boss
    action.refresh_from_db()
    assert "told Bo Boss" in action.history.first().history_change_reason
    amend(action, by=manager, changes={"due": late}, reason="A new day.")
    assert not WorkItem.objects.filter(step="escalated").exists()
    assert workflow.escalate(late + timedelta(days=15)) == 1


def test_without_a_manager_the_quality_manager_is_told(action: Action, manager: Person) -> None:
    workflow.escalate(today() + timedelta(days=15))
    [told] = Effect.objects.filter(key__startswith="mail:escalated:")
    assert told.payload["to"] == manager.pk


def test_an_action_to_train_is_done_by_the_training_and_verified_by_a_person(
    owner: Person, manager: Person
) -> None:
    training = plan_training(
        by=manager, title="Torque", owner=owner, planned_on=today(), participants=[owner]
    )
    with pytest.raises(Refused, match="Choose the training"):
        workflow.plan_action(by=manager, title="Train", owner=owner, due=today(), kind="train")
    action = workflow.plan_action(
        by=manager, title="Train", owner=owner, due=today(), kind="train", about=training
    )
    with pytest.raises(Refused, match="done by itself"):
        workflow.complete(action, by=owner, result="Trained.")
    hold(training, by=owner, done_on=today())
    action.refresh_from_db()
    assert (action.status, action.done_by) == ("done", Person.objects.system())
    assert "Torque was held on" in action.result
    with pytest.raises(Refused, match="does not verify it"):
        workflow.verify(action, by=owner)
    assert workflow.verify(action, by=manager).status == "verified"


def test_an_action_to_revise_is_done_when_the_revision_takes_effect() -> None:
    cast = scenes.Cast()
    revision = scenes.a_draft(cast)
    document: Document = revision.document
    action = workflow.plan_action(
        by=cast.manager,
        title="Say the torque",
        owner=cast.owner,
        due=today(),
        kind="revise",
        about=document,
    )
    scenes.approve(cast, revision)
    action.refresh_from_db()
    assert action.status == "done"
    assert document.number in action.result
