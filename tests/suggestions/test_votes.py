"""Ideas: one vote a person, taken back at will; done ideas count as improvement."""

import pytest
from django.test import Client

from qms import contributions
from qms.actions.workflow import complete
from qms.people.models import Person
from qms.periods import Period, today
from qms.refusals import Refused
from qms.suggestions import workflow
from qms.suggestions.evidence import ideas_for_review
from qms.suggestions.models import Suggestion, Vote
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("10.3")]


@pytest.fixture
def author() -> Person:
    return factories.person()


@pytest.fixture
def idea(author: Person) -> Suggestion:
    return workflow.suggest(by=author, title="Label the shelves")


def votes(idea: Suggestion) -> int:
    return int(Suggestion.objects.with_votes().get(pk=idea.pk).votes)


def test_one_vote_a_person_and_it_can_be_taken_back(idea: Suggestion) -> None:
    first, second = factories.person(), factories.person()
    for _ in range(2):
        workflow.vote(idea, by=first)
        workflow.vote(idea, by=second)
    assert votes(idea) == 2
    workflow.vote(idea, by=first, wants=False)
    workflow.vote(idea, by=first, wants=False)
    assert votes(idea) == 1
    workflow.vote(idea, by=first)
    assert (votes(idea), Vote.objects.count()) == (2, 2)


def test_nobody_votes_for_their_own_idea_or_a_decided_one(idea: Suggestion, author: Person) -> None:
    with pytest.raises(Refused, match="Your own idea"):
        workflow.vote(idea, by=author)
    workflow.decline(idea, by=factories.person("quality_manager"), answer="Next year.")
    with pytest.raises(Refused, match="decided"):
        workflow.vote(idea, by=factories.person())
    assert votes(idea) == 0


def test_one_click_on_the_page_votes_and_one_takes_it_back(
    idea: Suggestion, client: Client
) -> None:
    factories.sign_in(client, factories.person())
    page = idea.get_absolute_url()
    assert "I want it too" in client.get(page).content.decode()
    client.post(f"{page}vote/", {"wants": "1"})
    assert "I no longer want it" in client.get(page).content.decode()
    client.post(f"{page}vote/", {"wants": "0"})
    assert votes(idea) == 0


def test_an_idea_put_into_practice_counts_as_improvement(idea: Suggestion, author: Person) -> None:
    manager = factories.person("quality_manager")
    said = {"answer": "Yes, thank you.", "owner": author, "due": today()}
    workflow.take_up(idea, by=manager, **said)
    assert idea.action is not None
    complete(idea.action, by=author, result="Labelled.")
    workflow.finish(idea, by=manager)
    assert idea.done_on == today()
    [tile] = [each for each in contributions.tiles_for(manager, today()) if "Ideas" in each.title]
    assert tile.figure == "1 in a year"
    received, done = ideas_for_review(Period(today(), today()))
    assert (received.value, done.value) == ("1", "1")
