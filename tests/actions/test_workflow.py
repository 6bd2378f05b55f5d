"""The procedure of an action: whoever did it does not judge it, whoever it belongs to."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from qms.actions.models import Action
from qms.actions.workflow import complete, plan_action, send_back, verify
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.workflow import available
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager")


@pytest.fixture
def action(manager: Person) -> Action:
    made: Action = plan_action(
        by=manager,
        title="Fit a guard",
        owner=factories.person("process_owner"),
        due=today() + timedelta(days=5),
    )
    return made


@pytest.mark.clause("10.2.1")
def test_who_did_an_action_for_its_owner_does_not_verify_it(
    action: Action, manager: Person
) -> None:
    """The quality manager may say it is done for somebody; then somebody else must look."""
    complete(action, by=manager, result="Fitted.")
    with pytest.raises(Refused, match="does not verify"):
        verify(action, by=manager)
    (step,) = [each for each in available(action, manager) if each.transition is verify]
    assert step.obstacles
    another = factories.person("quality_manager")
    assert verify(action, by=another).verified_by == another


def test_the_owner_does_not_verify_what_somebody_else_did_for_them(
    action: Action, manager: Person
) -> None:
    complete(action, by=manager, result="Fitted.")
    with pytest.raises(Refused, match="does not verify"):
        verify(action, by=action.owner)


def test_what_is_sent_back_was_done_by_nobody(action: Action, manager: Person) -> None:
    complete(action, by=action.owner, result="Fitted.")
    assert (action.done_by, action.done_on) == (action.owner, today())
    send_back(action, by=manager, reason="It rattles.")
    assert (action.done_by, action.done_on) == (None, None)


def test_the_database_refuses_a_judge_who_did_it(action: Action, manager: Person) -> None:
    complete(action, by=manager, result="Fitted.")
    with (
        pytest.raises(IntegrityError, match="verified_by_somebody_else"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "update actions_action set status = 'verified', verified_by_id = %s where id = %s",
            [manager.pk, action.pk],
        )
