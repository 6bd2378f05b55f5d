"""Who reports to whom, who is away, who takes over, and when an outside auditor's access ends."""

from datetime import timedelta

import pytest
import time_machine
from django.apps import apps
from django.db import IntegrityError, transaction
from django.test import Client

from audits import workflow as audits
from audits.models import Audit
from capa.workflow import raise_nonconformity
from documents.workflow import create_document
from qms import clock
from qms.actions.models import Action
from qms.actions.workflow import plan_action
from qms.changes.workflow import plan_change
from qms.people import workflow
from qms.people.models import Absence, ApiToken, Person
from qms.periods import today
from qms.records import Record
from qms.refusals import Refused
from qms.risks.workflow import identify_opportunity, identify_risk
from qms.scope.models import Process
from qms.scope.turtle import deputies_of
from qms.scope.workflow import (
    activate,
    add_party,
    create_process,
    raise_issue,
    register_requirement,
    staff_process,
)
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("5.3")]
A_DAY = timedelta(days=1)


@pytest.fixture
def manager() -> Person:
    return factories.person("quality_manager", "lead_auditor")


@pytest.fixture
def keeper() -> Person:
    return factories.person("administrator")


@pytest.fixture
def owner() -> Person:
    return factories.person("process_owner", name="Ola Owner")


def a_process(manager: Person, owner: Person, code: str = "BUY") -> Process:
    made = create_process(
        by=manager, code=code, name=f"Process {code}", owner=owner, clauses=["2026:8.4.1"]
    )
    return activate(made, by=manager)


# Managers


def test_a_circle_of_managers_is_refused_in_words_and_by_the_database(manager: Person) -> None:
    first, second, third = (factories.person(name=n) for n in ("Ann", "Bob", "Cem"))
    workflow.place_person(second, by=manager, department="Sales", manager=first)
    workflow.place_person(third, by=manager, manager=second)
    with pytest.raises(Refused, match="That would be a circle: Cem reports to Bob reports to Ann"):
        workflow.place_person(first, by=manager, manager=third)
    with pytest.raises(Refused, match="does not report to themselves"):
        workflow.place_person(first, by=manager, manager=first)
    first.manager = third
    with pytest.raises(IntegrityError, match="report to themselves"), transaction.atomic():
        first.save_because("Around the procedure.", by=manager)


def test_the_department_is_kept_in_history(manager: Person) -> None:
    person = factories.person()
    workflow.place_person(person, by=manager, department="Sales")
    workflow.place_person(person, by=manager, department="Buying")
    rows = person.history.order_by("history_id").values_list("department", flat=True)
    assert list(rows) == ["", "Sales", "Buying"]


def test_the_chart_shows_everybody_once(manager: Person, client: Client) -> None:
    below = factories.person(name="Cem Below")
    workflow.place_person(below, by=manager, manager=manager)
    client.force_login(below)
    page = client.get("/people/chart/").content.decode()
    part = page[page.index('class="org"') :]
    assert part.count("Cem Below") == 1
    assert part.count("<ul") - part.count("</ul>") == -1, "its own list opens before the part"


# Handing over


def test_everything_open_passes_to_the_successor_each_with_its_reason(
    manager: Person, owner: Person
) -> None:
    successor = factories.person("process_owner", name="Sue Successor")
    process = a_process(manager, owner)
    document = create_document(by=manager, title="Buying", kind="procedure", owner=owner)
    nonconformity = raise_nonconformity(by=manager, title="Late", owner=owner, process=process)
    action = plan_action(by=manager, title="Fit a guard", owner=owner, due=today())
    given = workflow.hand_over(owner, by=manager, successor=successor, reason="Retires.")
    assert given >= 4
    for record in (process, document, nonconformity, action):
        record.refresh_from_db()
        assert record.owner == successor
        row = record.history.order_by("-history_id").first()
        assert row.history_change_reason == "Handed over by Ola Owner: Retires."
        assert row.history_user == manager
    assert not WorkItem.objects.filter(person=owner).exists()
    assert workflow.open_of(owner) == []


def test_risks_changes_the_context_and_deputies_pass_on_too(manager: Person, owner: Person) -> None:
    successor = factories.person("process_owner", name="Sue Successor")
    mine, theirs = a_process(manager, owner, "MINE"), a_process(manager, successor, "THEIRS")
    others = a_process(manager, factories.person("process_owner"), "OTHERS")
    staff_process(mine, by=manager, members=[], sites=[], deputies=[successor])
    for each in (theirs, others):
        staff_process(each, by=manager, members=[], sites=[], deputies=[owner])
    owned = [
        identify_risk(by=manager, title="One forge", owner=owner),
        identify_opportunity(by=manager, title="Kits", owner=owner),
        raise_issue(by=manager, what="Steel", category="supply", why="We use it.", owner=owner),
        add_party(by=manager, name="Insurer", why="It pays.", owner=owner),
        register_requirement(by=manager, what="Test it", source="Code 7", owner=owner),
        plan_change(
            by=manager, title="Move", purpose="Room.", owner=owner, starts_on=today(), due=today()
        ),
    ]
    workflow.hand_over(owner, by=manager, successor=successor, reason="Retires.")
    for record in owned:
        record.refresh_from_db()
        assert record.owner == successor, record
    assert deputies_of(others) == [successor]
    assert deputies_of(theirs) == deputies_of(mine) == [], "an owner stands in for nobody there"
    assert workflow.open_of(owner) == []


def test_a_successor_who_may_not_hold_it_is_refused_and_nothing_moves(
    manager: Person, owner: Person
) -> None:
    action = plan_action(by=manager, title="Fit a guard", owner=owner, due=today())
    a_process(manager, owner)
    with pytest.raises(Refused, match="has no role that may take over"):
        workflow.hand_over(owner, by=manager, successor=factories.person(), reason="Leaves.")
    action.refresh_from_db()
    assert action.owner == owner


def test_the_successor_is_somebody_else_who_works_here(manager: Person, owner: Person) -> None:
    gone = factories.person()
    workflow.deactivate(gone, by=manager, reason="Left.")
    gone.refresh_from_db()
    for successor, why in ((owner, "somebody else"), (gone, "does not work here")):
        with pytest.raises(Refused, match=why):
            workflow.hand_over(owner, by=manager, successor=successor, reason="Leaves.")


def test_an_edit_after_the_preview_is_told_and_nothing_is_lost(
    manager: Person, owner: Person
) -> None:
    action = plan_action(by=manager, title="Fit a guard", owner=owner, due=today())
    seen = workflow.seal_of(workflow.open_of(owner))
    amend(action, by=manager, changes={"title": "Fit two guards"}, reason="Two machines.")
    with pytest.raises(Refused, match="changed since you opened this page"):
        workflow.hand_over(owner, by=manager, successor=manager, reason="Leaves.", seen=seen)
    stored = Action.objects.get(pk=action.pk)
    assert (stored.owner, stored.title) == (owner, "Fit two guards")


@pytest.mark.slow
def test_nobody_leaves_with_open_work(manager: Person, owner: Person, client: Client) -> None:
    plan_action(by=manager, title="Fit a guard", owner=owner, due=today())
    with pytest.raises(Refused, match=r"still answers for actions \(1\)"):
        workflow.deactivate(owner, by=manager, reason="Leaves.")
    client.force_login(manager)
    answer = client.get(f"/people/{owner.pk}/deactivate/", follow=True)
    assert answer.redirect_chain[-1][0] == f"/people/{owner.pk}/hand-over/"
    page = answer.content.decode()
    assert "Fit a guard" in page
    seen = page.split('name="seen" value="')[1].split('"')[0]
    data = {"successor": manager.pk, "reason": "Retires.", "seen": seen}
    assert client.post(f"/people/{owner.pk}/hand-over/", data).status_code == 303
    workflow.deactivate(owner, by=manager, reason="Leaves.")


def test_an_audit_passes_only_to_an_independent_lead_auditor(
    manager: Person, owner: Person
) -> None:
    lead = factories.person("lead_auditor")
    process = a_process(manager, owner)
    audits.plan_audit(
        by=manager, process=process, planned_on=today(), lead=lead, clauses=["2026:8.4.1"]
    )
    with pytest.raises(Refused, match="is no lead auditor"):
        workflow.hand_over(lead, by=manager, successor=owner, reason="Leaves.")
    workflow.hand_over(lead, by=manager, successor=manager, reason="Leaves.")
    assert Audit.objects.get().lead == manager


# Being away


def test_the_deputy_sees_the_work_while_somebody_is_away_and_no_longer(
    manager: Person, owner: Person
) -> None:
    deputy = factories.person("process_owner")
    plan_action(by=manager, title="Fit a guard", owner=owner, due=today())
    workflow.plan_absence(
        by=owner, person=owner, deputy=deputy, starts_on=today(), ends_on=today() + A_DAY
    )
    assert WorkItem.objects.of(deputy).filter(person=owner).count() == 1
    with time_machine.travel(clock.now() + 3 * A_DAY):
        assert not WorkItem.objects.of(deputy).filter(person=owner).exists()


def test_an_absence_makes_sense_or_is_refused_in_words(manager: Person, owner: Person) -> None:
    deputy = factories.person()
    week = {"starts_on": today(), "ends_on": today() + 7 * A_DAY}
    for more, why in (
        ({**week, "deputy": owner}, "somebody else"),
        ({"deputy": deputy, "starts_on": today(), "ends_on": today() - A_DAY}, "before it starts"),
    ):
        with pytest.raises(Refused, match=why):
            workflow.plan_absence(by=owner, person=owner, **more)
    workflow.plan_absence(by=owner, person=owner, deputy=deputy, **week)
    with pytest.raises(Refused, match="is away on some of these days, too"):
        workflow.plan_absence(by=manager, person=manager, deputy=owner, **week)
    assert Absence.objects.count() == 1


# Outside auditors


@pytest.mark.slow
def test_an_outside_auditor_sees_their_audits_and_nothing_else(
    manager: Person, keeper: Person, owner: Person, client: Client
) -> None:
    outsider = factories.person(name="Olga Outside")
    outsider = workflow.set_outside_access(
        outsider, by=keeper, until=today() + 30 * A_DAY, reason="Contract 7."
    )
    theirs, other = a_process(manager, owner), a_process(manager, owner, "SEL")
    create_document(by=manager, title="Buying", kind="procedure", owner=owner, process=theirs)
    plan_action(by=manager, title="Fit a guard", owner=owner, due=today())
    mine, foreign = (
        audits.plan_audit(
            by=manager, process=each, planned_on=today(), lead=who, clauses=["2026:8.4.1"]
        )
        for each, who in ((theirs, outsider), (other, manager))
    )
    outsider = Person.objects.get(pk=outsider.pk)
    seen = {
        model._meta.label: set(
            model._default_manager.visible_to(outsider).values_list("pk", flat=True)
        )
        for model in apps.get_models()
        if issubclass(model, Record)
    }
    shown = {label: keys for label, keys in seen.items() if keys}
    assert shown.pop("audits.Audit") == {mine.pk}
    assert shown.pop("scope.Process") == {theirs.pk}
    assert set(shown) <= {"audits.ChecklistItem", "documents.Document"}
    client.force_login(outsider)
    assert client.get(mine.get_absolute_url()).status_code == 200
    assert client.get("/").status_code == 200
    assert client.get("/my-role/").status_code == 200
    for closed in (foreign.get_absolute_url(), other.get_absolute_url()):
        assert client.get(closed).status_code == 404
    for closed in ("/actions/", "/people/", "/competence/", "/suggestions/", "/objectives/"):
        assert client.get(closed).status_code == 403


def test_the_access_of_an_outside_auditor_ends_by_itself(keeper: Person, client: Client) -> None:
    outsider = factories.person()
    outsider = workflow.set_outside_access(outsider, by=keeper, until=today(), reason="One day.")
    _token, secret = ApiToken.issue(outsider, "export", clock.now() + 30 * A_DAY)
    backend = "allauth.account.auth_backends.AuthenticationBackend"
    client.force_login(outsider, backend=backend)
    assert client.get("/my-role/").status_code == 200
    assert ApiToken.person_with(secret) == outsider
    with time_machine.travel(clock.now() + 2 * A_DAY):
        assert ApiToken.person_with(secret) is None
        assert client.get("/my-role/").status_code == 302
        form = {"login": outsider.email, "password": factories.PASSWORD}
        page = client.post("/accounts/login/", form, follow=True)
        assert "Your access ended after" in page.content.decode()
        assert not page.wsgi_request.user.is_authenticated


def test_only_an_administrator_opens_the_house_to_outsiders(manager: Person) -> None:
    from django.core.exceptions import PermissionDenied

    with pytest.raises(PermissionDenied):
        workflow.set_outside_access(
            factories.person(), by=manager, until=today(), reason="Contract."
        )
