"""Who has which part in which process is read from the processes, never kept twice (5.3)."""

import pytest

from qms import clock
from qms.people.models import Person
from qms.people.workflow import place_person
from qms.proofs import Proofs, proofs_for
from qms.scope import workflow
from qms.scope.responsibilities import responsibilities
from tests import factories
from tests.scope.test_pages import as_
from tests.scope.test_workflow import Firm

pytestmark = [pytest.mark.django_db, pytest.mark.clause("5.3")]
PAGE = "/scope/processes/responsibilities/"


@pytest.fixture
def firm() -> Firm:
    firm = Firm()
    place_person(firm.owner, by=firm.manager, department="Workshop")
    return firm


def owned_in_proof() -> Proofs:
    told = proofs_for("2026", clock.now())["5.3"]
    return next(each for each in told if each.what == "processes somebody answers for")


def test_each_part_stands_once_with_its_person_and_department(firm: Firm) -> None:
    both = factories.person(name="Dee Deputy")
    workflow.staff_process(
        firm.process, by=firm.manager, members=[both], deputies=[both], sites=[firm.site]
    )
    found = responsibilities(firm.manager)
    words = {line.person.name: [part.words for part in line.parts] for line in found.lines}
    assert words == {"Ola Owner": ["Owner"], "Dee Deputy": ["Deputy, member"]}
    assert firm.boss in found.without
    assert (found.no_owner, found.no_deputy) == ([], [])
    page = as_(both).get(PAGE).content.decode()
    assert "Deputy, member" in page and "Workshop" in page
    file = as_(both).get(f"{PAGE}?format=csv")
    told = b"".join(file) if file.streaming else file.content  # type: ignore[arg-type,unused-ignore]
    assert "Ola Owner,Workshop,Owner" in told.decode("utf-8-sig").replace('"', "").replace(";", ",")


def test_a_process_nobody_stands_in_for_is_named(firm: Firm) -> None:
    assert responsibilities(firm.manager).no_deputy == [firm.process]
    assert "Nobody stands in" in as_(firm.manager).get(PAGE).content.decode()


def test_an_owner_who_left_answers_for_nothing_and_the_clause_says_so(firm: Firm) -> None:
    assert (owned_in_proof().count, owned_in_proof().blockers) == (1, ())
    owner = Person.objects.get(pk=firm.owner.pk)
    owner.is_active = False  # past the procedure, which would ask for a hand-over
    owner.save_because("Left.", by=firm.manager)
    found = owned_in_proof()
    assert found.count == 0
    assert [each.sentence for each in found.blockers] == [
        "Nobody who works here answers for PR Production."
    ]
    assert responsibilities(firm.manager).no_owner == [firm.process]
    assert "has no owner who works here" in as_(firm.manager).get(PAGE).content.decode()


def test_people_lead_to_the_chart_and_to_the_responsibilities(firm: Firm) -> None:
    client = as_(firm.boss)
    for address in ("/people/", "/people/chart/"):
        page = client.get(address).content.decode()
        assert "/people/chart/" in page and PAGE in page
