"""What nonconformities, outputs, complaints, costs and ideas bring into an evidence pack."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client

from capa import workflow
from capa.models import CorrectiveAction
from qms import clock
from qms.actions.models import Action
from qms.files.workflow import attach
from qms.pack import gathering
from qms.pack.models import Pack
from qms.pack.workflow import plan_pack
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused
from qms.suggestions.workflow import suggest
from qms.workflow import amend
from tests import factories
from tests.capa.test_costs import Books
from tests.capa.test_workflow import Case

pytestmark = pytest.mark.django_db

COST = "Cost of poor quality"


def plan_of(pack: Pack) -> dict[str, Any]:
    return gathering.read(pack, f"plan-{uuid.uuid4()}", clock.now())


def section_of(plan: dict[str, Any], title: str) -> str:
    return next((each["html"] for each in plan["sections"] if each["title"] == title), "")


@pytest.mark.slow
def test_money_leaves_only_where_somebody_who_sees_it_chose_so() -> None:
    books = Books()
    books.cost(books.first, "scrap", "120.50", note="Press 7 of Roy")
    books.cost(books.second, "credit", "1000")
    books.cost(books.first, "scrap", "33", arose_on=today() - timedelta(days=400))
    usual = plan_of(plan_pack(by=books.quality, preset="custom"))
    assert section_of(usual, COST) == ""
    assert [each["what"] for each in usual["held_back"]] == [COST]
    chosen = plan_of(plan_pack(by=books.quality, preset="custom", extras=[COST]))
    told = section_of(chosen, COST)
    for said in ("120.50", "1,000", "1,120.50", "CAD", "Scrap", "Credit, penalty", "33"):
        assert said in told, said
    for unsaid in ("Press 7", "Welding", books.first.number, "Pores"):
        assert unsaid not in told, unsaid
    assert COST not in [each["what"] for each in chosen["held_back"]]
    assert not any("cost" in each["name"] for each in chosen["registers"])


def test_a_pack_with_money_is_seen_by_who_sees_money(client: Client) -> None:
    books = Books()
    auditor = factories.person("lead_auditor")
    usual = plan_pack(by=books.quality)
    chosen = plan_pack(by=books.quality, extras=[COST])
    assert set(Pack.objects.visible_to(auditor)) == {usual}
    assert set(Pack.objects.visible_to(books.quality)) == {usual, chosen}
    factories.sign_in(client, auditor)
    for page in ("", "do/build/", "download/", "progress/"):
        assert client.get(f"{chosen.get_absolute_url()}{page}").status_code == 404
    assert client.get(f"/api/v1/packs/{chosen.pk}/").status_code == 404


def test_nobody_asks_for_a_section_they_do_not_see(monkeypatch: pytest.MonkeyPatch) -> None:
    books = Books()
    with pytest.raises(Refused, match="no section"):
        plan_pack(by=books.quality, extras=["Salaries"])
    pack = plan_pack(by=books.quality)
    asked = Person.has_perm
    monkeypatch.setattr(
        Person, "has_perm", lambda self, name: name != "capa.view_costentry" and asked(self, name)
    )
    with pytest.raises(Refused, match="does not see") as refusal:
        amend(pack, by=books.quality, changes={"extras": [COST]})
    assert refusal.value.field == "extras"
    with pytest.raises(Refused, match="does not see"):
        plan_pack(by=books.quality, extras=[COST])


def test_the_choice_stands_in_the_form_and_under_the_signature(client: Client) -> None:
    books = Books()
    factories.sign_in(client, books.quality)
    assert COST in client.get("/packs/new/").content.decode()
    pack = plan_pack(by=books.quality)
    before = pack.content_hash
    said = {"preset": pack.preset, "period_start": pack.period_start, "version": pack.version}
    more = {"period_end": pack.period_end, "extras": [COST]}
    assert client.post(f"{pack.get_absolute_url()}edit/", said | more).status_code == 303
    pack.refresh_from_db()
    assert pack.extras == [COST]
    assert pack.content_hash != before


@pytest.mark.slow
def test_complaints_outputs_and_ideas_stand_in_the_pack() -> None:
    books = Books()
    workflow.hold_output(by=books.quality, what="Bent frames", product="Frame", quantity=Decimal(3))
    report = workflow.tell(by=books.quality, title="The valve of order 77 leaks")
    workflow.sort_as_complaint(report, by=books.quality, came_by="mail")
    suggest(by=factories.person(name="Ida Ideas"), title="Mark the shelves")
    plan = plan_of(plan_pack(by=books.quality, preset="custom"))
    for title, said in (
        ("Nonconforming outputs", "Bent frames"),
        ("Complaints of customers", "The valve of order 77 leaks"),
        ("Ideas of our people", "Mark the shelves"),
    ):
        assert said in section_of(plan, title)
    assert "Ida Ideas" not in section_of(plan, "Ideas of our people")
    counts = {each["name"]: each["population"] for each in plan["registers"]}
    assert (counts["nonconforming-outputs"], counts["complaints"], counts["ideas"]) == (1, 1, 1)


def count_alike(*kinds: Any) -> None:
    """The next keys of two kinds of records, which count apart, are the same."""
    keys = [f"pg_get_serial_sequence('{kind._meta.db_table}', 'id')" for kind in kinds]
    with connection.cursor() as cursor:
        cursor.execute(f"select greatest({', '.join(f'nextval({key})' for key in keys)})")
        [highest] = cursor.fetchone()
        for key in keys:
            cursor.execute(f"select setval({key}, %s)", [highest])


@pytest.mark.slow
def test_files_of_an_action_and_of_a_task_with_the_same_key_both_come_along() -> None:
    case = Case()
    case.analysed()
    count_alike(CorrectiveAction, Action)
    action = workflow.raise_corrective_action(
        by=case.quality, title="Field", owner=case.owner, nonconformities=[case.nc]
    )
    task = workflow.add_task(action, by=case.owner, title="Add it", owner=case.owner, due=today())
    assert action.pk == task.pk
    attach(action, ContentFile(b"Of the action.", "action.txt"), by=case.quality)
    attach(task, ContentFile(b"Of the task.", "task.txt"), by=case.owner)
    assert CorrectiveAction.objects.serving(case.nc).filter(pk=action.pk).exists()
    plan = plan_of(plan_pack(by=case.quality, preset="nc_response"))
    names = {each["path"].rpartition("/")[2] for each in plan["files"]}
    assert {"action.txt", "task.txt"} <= names
