"""Flows: one line for both sides, open ends that are seen, checks that warn and lose nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from audits.independence import objections
from qms import events
from qms.periods import today
from qms.refusals import Refused
from qms.scope import checks, workflow
from qms.scope.checks import System, circles
from qms.scope.models import Flow, Process
from qms.workflow import amend
from tests import factories
from tests.scope.test_pages import as_, bearer, text_of
from tests.scope.test_workflow import Firm

pytestmark = [pytest.mark.django_db, pytest.mark.clause("4.4.1")]


@pytest.fixture
def firm() -> Firm:
    return Firm()


@pytest.fixture
def sales(firm: Firm) -> Process:
    return workflow.create_process(by=firm.manager, code="SA", name="Sales", owner=firm.manager)


def ends(flow: Flow) -> tuple[str, str, str]:
    return flow.what, flow.giver, flow.receiver


# Drawing


def test_what_one_gives_is_what_the_other_takes(firm: Firm, sales: Process) -> None:
    told = {
        "SA": {
            "inputs": [{"what": "Orders", "from": "Customers"}, {"what": "Prices"}],
            "outputs": [{"what": "Reviewed orders", "to": "pr"}, {"what": "Rules", "to": "all"}],
        },
        "Production": {"inputs": [{"what": "reviewed orders", "from": "Sales"}]},
    }
    drawn = workflow.draw_flows(told, by=firm.manager)
    assert [ends(flow) for flow in drawn[:4]] == [
        ("Orders", "Customers", "SA Sales"),
        ("Prices", "", "SA Sales"),
        ("Reviewed orders", "SA Sales", "PR Production"),
        ("Rules", "SA Sales", "all processes"),
    ]
    assert drawn[4] == drawn[2]
    assert workflow.draw_flows(told, by=firm.manager) == drawn
    assert Flow.objects.count() == 4


def test_a_list_that_names_an_unknown_process_is_refused(firm: Firm) -> None:
    with pytest.raises(Refused, match="no process XX"):
        workflow.draw_flows({"XX": {}}, by=firm.manager)


REFUSED: list[tuple[Callable[[Process, Process], dict[str, Any]], str]] = [
    (lambda a, b: {"what": " ", "source": a}, "what is handed over"),
    (lambda a, b: {"what": "X", "source_party": "Customers"}, "Name the process"),
    (lambda a, b: {"what": "X", "source": a, "target": a}, "to itself"),
    (lambda a, b: {"what": "X", "source": a, "target": b, "target_party": "We"}, "not two"),
    (lambda a, b: {"what": "X", "source": a, "source_all": True}, "not two"),
    (lambda a, b: {"what": "orders", "source": a, "target": b}, "flows there already"),
]


@pytest.mark.parametrize(("fields", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_flow_that_says_too_little_or_too_much_is_refused(
    firm: Firm,
    sales: Process,
    fields: Callable[[Process, Process], dict[str, Any]],
    said: str,
) -> None:
    workflow.add_flow(by=firm.manager, what="Orders", source=sales, target=firm.process)
    with pytest.raises(Refused, match=said):
        workflow.add_flow(by=firm.manager, **fields(sales, firm.process))


def test_the_database_refuses_a_flow_to_itself_and_one_without_a_process(firm: Firm) -> None:
    for bad in ({"source": firm.process, "target": firm.process}, {"source_party": "Customers"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Flow(what="X", created_by=firm.manager, **bad).save()


def test_nothing_new_flows_to_a_retired_process(firm: Firm, sales: Process) -> None:
    workflow.activate(sales, by=firm.manager)
    workflow.retire(sales, by=firm.manager, reason="Merged.")
    with pytest.raises(Refused, match="was retired"):
        workflow.add_flow(by=firm.manager, what="Orders", source=sales, target=firm.process)


def test_owners_draw_at_their_own_process_only(firm: Firm, sales: Process) -> None:
    drawn = workflow.add_flow(by=firm.owner, what="Orders", source=sales, target=firm.process)
    other = factories.person("process_owner")
    for attempt in (
        lambda: workflow.add_flow(by=other, what="Plans", source=sales),
        lambda: workflow.end_flow(drawn, by=other),
        lambda: amend(drawn, by=other, changes={"what": "Else"}),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
    assert workflow.end_flow(drawn, by=firm.owner).ended
    with pytest.raises(Refused, match="was ended"):
        amend(drawn, by=firm.owner, changes={"what": "Else"})
    assert drawn.history.count() == 2


def test_a_changed_flow_tells_the_running_process(
    firm: Firm, sales: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    heard = [events.Registered(1, "ProcessChanged", told.append)]
    monkeypatch.setitem(events._handlers, workflow.ProcessChanged, heard)
    workflow.add_flow(by=firm.manager, what="Orders", source=sales, target=firm.process)
    assert [(each.process.code, each.fields) for each in told] == [("PR", ("inputs",))]


# Deputies


def test_a_deputy_edits_the_process_and_does_not_audit_it(firm: Firm) -> None:
    deputy = factories.person("process_owner", "auditor", name="Dee Deputy")
    with pytest.raises(PermissionDenied):
        amend(firm.process, by=deputy, changes={"purpose": "Make."}, reason="Clearer.")
    workflow.staff_process(
        firm.process, by=firm.manager, members=[], deputies=[deputy], sites=[firm.site]
    )
    amend(firm.process, by=deputy, changes={"purpose": "Make."}, reason="Clearer.")
    said = objections(deputy, firm.process, today())
    assert said == ["Dee Deputy stands in for the owner of the process."]


def test_nobody_is_the_deputy_of_themselves(firm: Firm) -> None:
    with pytest.raises(Refused, match="owns it already"):
        workflow.staff_process(
            firm.process, by=firm.manager, members=[], deputies=[firm.owner], sites=[]
        )


def test_who_left_is_not_made_the_owner(firm: Firm) -> None:
    firm.owner.is_active = False
    firm.owner.save_because("Left.", by=None)
    with pytest.raises(Refused, match="no longer active"):
        workflow.create_process(by=firm.manager, code="HR", name="People", owner=firm.owner)


# Checks


def said_of(check: Callable[[System], list[checks.Found]]) -> list[str]:
    return [found.sentence for found in check(checks.of_system())]


def test_each_check_says_what_is_missing_and_leads_where_it_is_mended(
    firm: Firm, sales: Process
) -> None:
    orphan = workflow.create_process(by=firm.manager, code="HR", name="People")
    lonely = workflow.add_flow(by=firm.manager, what="Needs", target=sales)
    scrap = workflow.add_flow(by=firm.manager, what="Scrap", source=firm.process)
    assert said_of(checks.without_owner) == ["HR People has no owner."]
    assert said_of(checks.orphans) == [
        "HR People stands alone: nothing goes in and nothing comes out."
    ]
    assert said_of(checks.inputs_without_source) == ["SA Sales needs “Needs”; nobody provides it."]
    assert said_of(checks.outputs_nobody_receives) == [
        "PR Production gives “Scrap”; nobody receives it."
    ]
    assert said_of(checks.without_indicator) == [
        "PR Production has no indicator; nobody can say how well it runs."
    ]
    client = as_(firm.manager)
    for found in checks.everything(checks.of_system()):
        assert client.get(found.url).status_code == 200, found
    workflow.add_flow(by=firm.manager, what="People", source=orphan, target_all=True)
    amend(lonely, by=firm.manager, changes={"source_party": "Customers"})
    amend(scrap, by=firm.manager, changes={"target_party": "Scrap dealer"})
    for check in (checks.orphans, checks.inputs_without_source, checks.outputs_nobody_receives):
        assert said_of(check) == []


@pytest.mark.clause("5.3")
def test_an_owner_who_left_is_named(firm: Firm) -> None:
    firm.owner.is_active = False
    firm.owner.save_because("Left.", by=None)
    assert said_of(checks.owner_left) == ["Ola Owner owned PR Production and is no longer active."]


def test_a_circle_needs_a_start_from_elsewhere(firm: Firm, sales: Process) -> None:
    workflow.add_flow(by=firm.manager, what="Orders", source=sales, target=firm.process)
    workflow.add_flow(by=firm.manager, what="Capacity", source=firm.process, target=sales)
    [said] = said_of(checks.circles_without_start)
    assert "PR Production, SA Sales feed each other in a circle" in said
    workflow.add_flow(by=firm.manager, what="Inquiries", target=sales, source_party="Customers")
    assert said_of(checks.circles_without_start) == []


def test_a_flow_of_a_retired_process_is_named(firm: Firm, sales: Process) -> None:
    workflow.activate(sales, by=firm.manager)
    workflow.add_flow(by=firm.manager, what="Orders", source=sales, target=firm.process)
    workflow.retire(sales, by=firm.manager, reason="Merged.")
    assert said_of(checks.flows_of_retired) == [
        "“Orders” of PR Production comes from SA Sales, which was retired."
    ]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_circles_are_the_groups_that_reach_each_other(pairs: list[tuple[int, int]]) -> None:
    keys = list(range(13))
    follow = {key: {b for a, b in pairs if a == key} for key in keys}

    def reached(start: int) -> set[int]:
        seen: set[int] = set()
        todo = list(follow[start])
        while todo:
            key = todo.pop()
            if key not in seen:
                seen.add(key)
                todo += follow[key]
        return seen

    reach = {key: reached(key) for key in keys}
    together = {frozenset({k for k in keys if k in reach[key] and key in reach[k]}) for key in keys}
    expected = {group for group in together if len(group) > 1}
    assert {frozenset(group) for group in circles(keys, pairs)} == expected


# Pages, API and paper


def test_inputs_and_outputs_are_entered_where_they_belong(firm: Firm, sales: Process) -> None:
    client = as_(firm.manager)
    address = reverse("scope:process_input", args=[firm.process.pk])
    answer = client.post(address, {"what": "Orders", "source": sales.pk, "source_party": "We"})
    assert answer.status_code == 422 and "not two" in answer.content.decode()
    assert client.post(address, {"what": "Orders", "source": sales.pk}).status_code == 303
    address = reverse("scope:process_output", args=[firm.process.pk])
    assert client.post(address, {"what": "Parts", "target_party": "Customers"}).status_code == 303
    assert [ends(each) for each in Flow.objects.with_ends().order_by("pk")] == [
        ("Orders", "SA Sales", "PR Production"),
        ("Parts", "PR Production", "Customers"),
    ]
    page = client.get(firm.process.get_absolute_url()).content.decode()
    assert "Orders" in page and "Customers" in page and "has no indicator" in page
    first = Flow.objects.get(what="Orders")
    edit = f"{first.get_absolute_url()}edit/"
    again = {"what": "Orders", "source": sales.pk, "target": sales.pk, "version": first.version}
    answer = client.post(edit, again)
    assert answer.status_code == 422 and "to itself" in answer.content.decode()
    assert client.post(f"{first.get_absolute_url()}end/").status_code == 302
    assert client.get("/scope/processes/flows/?format=csv").status_code == 200


@pytest.mark.slow
def test_the_map_is_drawn_linked_and_said_in_words(firm: Firm, sales: Process) -> None:
    hostile = workflow.create_process(by=firm.manager, code="X", name="<script>alert(1)</script>")
    workflow.add_flow(by=firm.manager, what="Orders & “more”", source=sales, target=firm.process)
    workflow.add_flow(by=firm.manager, what="Help", source=hostile, target=sales)
    page = as_(firm.owner).get("/scope/processes/map/").content.decode()
    assert page.count('class="map-line map-core') == 2 and page.count('class="map-box') == 3
    assert f'href="{firm.process.get_absolute_url()}"' in page
    assert "SA Sales gives PR Production: Orders &amp; “more”" in page
    assert "<script>alert(1)" not in page and " style=" not in page
    printed = as_(firm.owner).get("/scope/processes/map/pdf/")
    said = text_of(printed.content)
    assert "Process map" in said and "Orders & “more”, from SA Sales" in said


def test_the_turtle_sheet_shows_people_only_what_they_may_see(firm: Firm) -> None:
    from documents.workflow import create_document

    create_document(
        by=firm.manager,
        title="Open way of working",
        kind="procedure",
        owner=firm.owner,
        process=firm.process,
    )
    create_document(
        by=firm.manager,
        title="Secret recipe",
        kind="procedure",
        owner=firm.owner,
        process=firm.process,
        confidentiality="confidential",
    )
    employee = as_(factories.person())
    page = employee.get(firm.process.get_absolute_url()).content.decode()
    sheet = text_of(employee.get(f"{firm.process.get_absolute_url()}pdf/").content)
    for text in (page, sheet):
        assert "Secret recipe" not in text
    assert "<h2>Audits</h2>" not in page
    assert "Secret recipe" in as_(firm.owner).get(firm.process.get_absolute_url()).content.decode()


def test_the_api_draws_flows_by_the_same_rules(firm: Firm, sales: Process) -> None:
    from django.test import Client

    def send(**body: Any) -> Any:
        return Client().post(
            "/api/v1/flows/", body, content_type="application/json", headers=bearer(firm.manager)
        )

    made = send(what="Orders", source=sales.pk, target=firm.process.pk)
    assert made.status_code == 201, made.content
    again = send(what="Orders", source=sales.pk, target=firm.process.pk)
    assert again.status_code == 422 and "already" in again.json()["detail"]
    assert send(what="X", source=sales.pk, target=sales.pk).status_code == 422
