"""Ways around outputs, complaints, reports, ideas and costs: each ends in a word."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.test import Client

from capa import workflow
from capa.models import NonconformingOutput, Nonconformity, Report
from qms.actions import workflow as actions
from qms.files.workflow import attach
from qms.people.models import Person
from qms.people.workflow import set_outside_access
from qms.periods import Period, today
from qms.refusals import Refused
from qms.scope.workflow import activate, create_process, retire
from qms.suggestions.models import Suggestion
from qms.suggestions.workflow import finish, give_up, suggest, take_up
from qms.workflow import amend
from tests import factories
from tests.capa.test_costs import Books

pytestmark = [pytest.mark.django_db, pytest.mark.clause("8.7.1")]


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager", name="Mia Manager")


@pytest.fixture
def maker() -> Person:
    return factories.person("process_owner", name="Max Maker")


@pytest.fixture
def held(maker: Person) -> NonconformingOutput:
    made: NonconformingOutput = workflow.hold_output(
        by=maker, what="Bore too wide", product="Valve", quantity=Decimal(12)
    )
    return made


def decided(output: NonconformingOutput, by: Person, how: str) -> None:
    workflow.decide_output(output, by=by, disposition=how, because="Fit for the purpose.")


# Outputs


@pytest.mark.parametrize(
    "change", [{"quantity": Decimal(1200)}, {"lot": "Another"}, {"product": "Pump"}]
)
def test_a_decision_is_about_what_stood_there_and_no_more(
    held: NonconformingOutput, manager: Person, change: dict[str, Any]
) -> None:
    decided(held, manager, "use_as_is")
    with pytest.raises(Refused, match="Take the decision back"):
        amend(held, by=manager, changes=change, reason="More of it.")
    workflow.decide_anew(held, by=manager, reason="There is more of it.")
    amend(held, by=manager, changes=change, reason="More of it.")


def test_whoever_reworked_it_the_first_time_does_not_verify_the_second(
    held: NonconformingOutput, manager: Person, maker: Person
) -> None:
    other = factories.person("process_owner")
    decided(held, manager, "rework")
    workflow.rework_output(held, by=maker, rework="Sleeves.")
    workflow.fail_output(held, by=other, result="Still too wide.")
    decided(held, manager, "rework")
    workflow.rework_output(held, by=factories.person(), rework="New sleeves.")
    with pytest.raises(PermissionDenied, match="does not verify"):
        workflow.pass_output(held, by=maker, result="Fine.")
    assert workflow.pass_output(held, by=other, result="12 of 12 within.").status == "released"


# Complaints


@pytest.mark.parametrize("letter", ["Ask MIA MANAGER.", "Ask Mia\nManager.", "ask mia  manager"])
def test_a_name_is_found_in_a_letter_however_it_is_written(manager: Person, letter: str) -> None:
    from capa.workflow.complaints import fit_to_send

    assert "Mia Manager" in (fit_to_send(letter, with_name=False) or "")
    assert fit_to_send(letter, with_name=True) is None
    assert fit_to_send("We replace the valve.", with_name=False) is None


# Reports


def test_nothing_is_added_to_the_evidence_of_a_settled_case_by_way_of_its_report(
    manager: Person,
) -> None:
    worker = factories.person()
    report = workflow.tell(by=worker, title="Oil on the floor")
    workflow.sort_as_nonconformity(report, by=manager)
    attach(report, ContentFile(b"More.", "more.txt"), by=worker)
    [nc] = Nonconformity.objects.all()
    workflow.void(nc, by=manager, reason="Reported twice.")
    report = Report.objects.get()
    with pytest.raises(Refused, match="is settled; tell it anew"):
        attach(report, ContentFile(b"Late.", "late.txt"), by=worker)


def test_an_idea_of_an_outside_auditor_is_sorted_too(manager: Person) -> None:
    outsider = set_outside_access(
        factories.person(), by=factories.person("administrator"), until=today(), reason="One day."
    )
    report = workflow.tell(by=Person.objects.get(pk=outsider.pk), title="Mark the shelves")
    workflow.sort_as_idea(report, by=manager)
    assert Suggestion.objects.get().created_by == manager
    with pytest.raises(Refused, match="takes no files"):
        files = [ContentFile(b"What I saw.", "saw.txt")]
        workflow.tell(by=report.created_by, title="Oil", papers=files)


def test_the_code_of_a_workplace_that_is_gone_still_opens_the_report(
    manager: Person, client: Client
) -> None:
    gone = activate(
        create_process(by=manager, code="OL", name="Old hall", owner=manager), by=manager
    )
    retire(gone, by=manager, reason="Closed.")
    client.force_login(factories.person())
    for query in (f"process={gone.pk}&site=999999", "process=x", "process=-1&site=", "process=1e9"):
        page = client.get(f"/nonconformities/report/?{query}")
        assert page.status_code == 200
        assert b'name="title"' in page.content
    said = {"title": "Oil", "process": "999999"}
    refused = client.post("/nonconformities/report/", said)
    assert refused.status_code == 422
    assert b"Oil" in refused.content


def test_who_sees_no_case_reads_nothing_of_it_on_the_page_of_their_report(
    manager: Person, client: Client
) -> None:
    outsider = set_outside_access(
        factories.person(), by=factories.person("administrator"), until=today(), reason="One day."
    )
    outsider = Person.objects.get(pk=outsider.pk)
    report = workflow.tell(by=outsider, title="Oil on the floor")
    workflow.sort_as_nonconformity(report, by=manager)
    [nc] = Nonconformity.objects.all()
    amend(nc, by=manager, changes={"title": "A secret of the press"}, reason="Clearer.")
    client.force_login(outsider, backend="qms.people.access.RoleBackend")
    told = client.get(report.get_absolute_url()).content.decode()
    assert "secret" not in told
    assert nc.number not in told
    assert "To contain" in told
    assert client.get(nc.get_absolute_url()).status_code == 404


# Ideas


def an_idea_taken_up(manager: Person) -> Suggestion:
    idea = suggest(by=factories.person(), title="Mark the shelves")
    return take_up(idea, by=manager, answer="Good.", owner=manager, due=today())


def test_an_idea_whose_action_was_voided_is_no_improvement(manager: Person) -> None:
    idea = an_idea_taken_up(manager)
    with pytest.raises(Refused, match="void that first"):
        give_up(idea, by=manager, reason="No room.")
    action = idea.action
    assert action is not None
    actions.void(action, by=factories.person("quality_manager"), reason="No room.")
    with pytest.raises(Refused, match="nothing was put into practice"):
        finish(idea, by=manager)
    with pytest.raises(Refused, match="Say why"):
        give_up(idea, by=manager)
    give_up(idea, by=manager, reason="There is no room for it.")
    assert (idea.status, idea.done_on) == ("declined", None)
    assert not Suggestion.objects.done_between(today(), today()).exists()


# Costs


def test_what_a_void_case_was_said_to_cost_is_not_counted() -> None:
    from capa.costs import costs_of

    books = Books()
    books.cost(books.first, "scrap", "120")
    books.cost(books.second, "scrap", "80")
    workflow.void(books.first, by=factories.person("top_management"), reason="Twice.")
    assert costs_of(books.quality, Period.year(today().year)).total == Decimal(80)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e400", "0", "-1", "9999999999999", "1,5x"])
def test_an_amount_is_a_number_that_a_cost_may_have(client: Client, amount: str) -> None:
    books = Books()
    client.force_login(books.quality)
    said = {"kind": "scrap", "amount": amount, "arose_on": today()}
    assert client.post(f"{books.first.get_absolute_url()}cost/", said).status_code == 422
    body = {"nonconformity": books.first.pk, "kind": "scrap", "amount": amount}
    told = client.post("/api/v1/cost-entries/", body, content_type="application/json")
    assert told.status_code == 422
