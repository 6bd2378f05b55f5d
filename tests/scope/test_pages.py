"""The pages, API, search and evidence of the scope say the same as its procedure."""

import json
import subprocess
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from qms import clock, contributions, pages
from qms.contributions import find_everywhere, tiles_for
from qms.people.models import ApiToken, Person
from qms.periods import Period, today
from qms.refusals import Refused
from qms.scope import evidence, prints, workflow
from qms.scope.models import NotApplicable, Organisation, Process, ScopeStatement
from qms.workflow import amend
from tests import factories
from tests.scope.test_workflow import DESIGN, WHY, Firm

pytestmark = [pytest.mark.django_db, pytest.mark.clause("4.3")]
BACKEND = "qms.people.access.RoleBackend"


@pytest.fixture
def firm() -> Firm:
    return Firm()


def as_(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


def bearer(person: Person) -> dict[str, str]:
    _token, secret = ApiToken.issue(person, "Test", clock.now() + timedelta(days=1))
    return {"Authorization": f"Bearer {secret}"}


def text_of(pdf: bytes) -> str:
    done = subprocess.run(
        ["pdftotext", "-layout", "-", "-"],  # noqa: S607
        input=pdf,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


@pytest.mark.slow
def test_the_pages_open_empty_and_full() -> None:
    manager = factories.person("quality_manager")
    client = as_(manager)
    lists = ["/scope/", "/scope/sites/", "/scope/processes/", "/scope/statements/"]
    forms = ["/scope/organisation/new/", "/scope/sites/new/", "/scope/processes/new/"]
    for address in (*lists, *forms, "/scope/statements/new/"):
        assert client.get(address).status_code == 200, address
    firm = Firm()
    firm.organisation()
    approved = firm.approved(not_applicable=[(DESIGN, WHY)])
    draft = workflow.revise_statement(approved, by=firm.manager)
    line = draft.left_out()[0]
    for address in (
        *lists,
        "/scope/organisation/",
        "/scope/organisation/edit/",
        f"/scope/sites/{firm.site.pk}/",
        f"/scope/sites/{firm.site.pk}/edit/",
        f"/scope/processes/{firm.process.pk}/",
        f"/scope/processes/{firm.process.pk}/edit/",
        f"/scope/processes/{firm.process.pk}/people/",
        f"/scope/statements/{approved.pk}/",
        f"/scope/statements/{draft.pk}/",
        f"/scope/statements/{draft.pk}/edit/",
        f"/scope/statements/{draft.pk}/covers/",
        f"/scope/statements/{draft.pk}/leave-out/",
        f"/scope/statements/{draft.pk}/do/submit/",
        f"/scope/not-applicable/{line.pk}/edit/",
    ):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert b"<h1" in answer.content


def test_an_employee_reads_the_scope_and_changes_nothing(firm: Firm) -> None:
    organisation, draft = firm.organisation(), firm.draft(not_applicable=[(DESIGN, WHY)])
    line = draft.left_out()[0]
    client = as_(factories.person())
    assert client.get("/scope/").status_code == 200
    assert client.get(f"/scope/statements/{draft.pk}/").status_code == 200
    for address in (
        "/scope/organisation/edit/",
        "/scope/sites/new/",
        "/scope/processes/new/",
        f"/scope/processes/{firm.process.pk}/edit/",
        f"/scope/processes/{firm.process.pk}/people/",
        "/scope/statements/new/",
        f"/scope/statements/{draft.pk}/edit/",
        f"/scope/statements/{draft.pk}/covers/",
        f"/scope/statements/{draft.pk}/leave-out/",
        f"/scope/statements/{draft.pk}/revise/",
        f"/scope/statements/{draft.pk}/do/submit/",
        f"/scope/not-applicable/{line.pk}/edit/",
        f"/scope/not-applicable/{line.pk}/keep-in/",
        f"/scope/sites/{firm.site.pk}/do/close_site/",
    ):
        assert client.post(address, {"reason": "x"}).status_code == 403, address
    organisation.refresh_from_db()
    assert organisation.version == 1


def test_a_process_owner_edits_only_their_own(firm: Firm) -> None:
    other = factories.person("process_owner")
    address = f"/scope/processes/{firm.process.pk}/edit/"
    assert as_(other).get(address).status_code == 403
    assert as_(firm.owner).get(address).status_code == 200


def test_an_organisation_is_set_up_once_on_the_page(firm: Firm) -> None:
    client = as_(firm.manager)
    form = client.get("/scope/organisation/new/").context["form"]
    values = {n: form.get_initial_for_field(f, n) for n, f in form.fields.items()}
    body = {n: v for n, v in values.items() if v is not None}
    body |= {"name": "Maple Parts", "country": "CA", "time_zone": "Nowhere/Land"}
    wrong = client.post("/scope/organisation/new/", body)
    assert wrong.status_code == 422
    assert b"America/Toronto" in wrong.content
    body["time_zone"] = "America/Toronto"
    assert client.post("/scope/organisation/new/", body).status_code == 303
    assert client.get("/scope/organisation/new/").status_code == 303
    assert Organisation.objects.get().name == "Maple Parts"


def test_the_edition_prepared_is_another_one(firm: Firm) -> None:
    organisation, client = firm.organisation(), as_(firm.manager)
    form = client.get("/scope/organisation/edit/").context["form"]
    values = {n: form.get_initial_for_field(f, n) for n, f in form.fields.items()}
    body = {n: v for n, v in values.items() if v is not None}
    body |= {"preparing": organisation.edition, "reason": "Transition."}
    wrong = client.post("/scope/organisation/edit/", body)
    assert wrong.status_code == 422
    assert b"Leave it empty" in wrong.content
    body["preparing"] = "2015"
    assert client.post("/scope/organisation/edit/", body).status_code == 303


def test_every_page_bears_the_name_and_tells_the_organisations_time(firm: Firm) -> None:
    firm.organisation("Pacific/Kiritimati")
    page = as_(firm.manager).get(f"/scope/processes/{firm.process.pk}/").content.decode()
    assert "Maple Parts" in page
    assert "+14:00" in page
    assert pages._organisation_name() == "Maple Parts"


def test_a_page_asks_for_the_organisation_once(firm: Firm) -> None:
    firm.organisation()
    client = as_(firm.manager)
    with CaptureQueriesContext(connection) as asked:
        client.get(f"/scope/processes/{firm.process.pk}/")
    rows = [q for q in asked.captured_queries if 'FROM "scope_organisation"' in q["sql"]]
    assert len(rows) == 1


def test_a_draft_is_filled_on_its_pages(firm: Firm) -> None:
    client, draft = as_(firm.manager), firm.draft(processes=[], sites=[])
    address = f"/scope/statements/{draft.pk}"
    covers = {"processes": [firm.process.pk], "sites": [firm.site.pk]}
    assert client.post(f"{address}/covers/", covers).status_code == 303
    thin = {"clause": DESIGN, "justification": "It is outsourced to a supplier."}
    refused = client.post(f"{address}/leave-out/", thin)
    assert refused.status_code == 422
    assert b"your responsibility" in refused.content
    assert client.post(f"{address}/leave-out/", {**thin, "clause": ""}).status_code == 422
    assert client.post(f"{address}/leave-out/", {**thin, "justification": WHY}).status_code == 303
    line = NotApplicable.objects.get(statement=draft, ended=False)
    better = {"justification": WHY + " It is in every contract."}
    assert client.post(f"/scope/not-applicable/{line.pk}/edit/", better).status_code == 303
    assert client.post(f"/scope/not-applicable/{line.pk}/keep-in/").status_code == 302
    assert draft.left_out() == []
    assert draft.processes() == [firm.process]


def test_top_management_approves_on_the_page_with_its_password(firm: Firm) -> None:
    statement = workflow.submit(firm.draft(), by=firm.manager)
    client, address = as_(firm.boss), f"/scope/statements/{statement.pk}/do/approve/"
    assert client.post(address, {"password": "wrong"}).status_code == 422
    body = {"password": factories.PASSWORD, "version": statement.version}
    assert client.post(address, body).status_code == 303
    assert ScopeStatement.objects.approved().get() == statement


def test_the_api_follows_the_same_procedure(firm: Firm) -> None:
    key = bearer(firm.manager)

    def send(method: str, address: str, **body: Any) -> Any:
        call = getattr(Client(), method)
        return call(address, json.dumps(body), content_type="application/json", headers=key)

    made = send(
        "post",
        "/api/v1/scope-statements/",
        edition="2026",
        statement="Parts for vehicles.",
        products_and_services="Parts.",
        processes=[firm.process.pk],
        sites=[firm.site.pk],
    )
    assert made.status_code == 201, made.content
    address = f"/api/v1/scope-statements/{made.json()['id']}/"
    assert send("post", f"{address}submit/", version=1).json()["status"] == "in_review"
    assert send("post", f"{address}approve/", version=2, password="x").status_code == 403
    assert send("patch", address, version=2, statement="Else.").status_code == 422
    assert send("post", f"{address}supersede/", version=2, reason="x").status_code == 403
    again = {"code": "PR", "name": "Again", "importance": 3, "kind": "core"}
    code = send("post", "/api/v1/processes/", **again)
    assert code.status_code == 422
    assert "already" in code.json()["detail"]
    assert send("post", "/api/v1/organisation/", name="x").status_code == 405
    reader = bearer(factories.person())
    assert Client().get("/api/v1/processes/", headers=reader).status_code == 200
    denied = Client().post(
        "/api/v1/sites/", '{"name": "x"}', content_type="application/json", headers=reader
    )
    assert denied.status_code in (403, 422)
    assert not any(site.name == "x" for site in [firm.site])


@pytest.mark.slow
def test_the_statement_on_paper_says_all_of_it(firm: Firm) -> None:
    firm.organisation()
    statement = firm.approved(not_applicable=[(DESIGN, WHY)])
    text = text_of(prints.statement_pdf(statement))
    for words in (
        "Maple Parts",
        statement.number,
        "Main plant",
        "Production",
        "Bo Boss",
        "develop",
    ):
        assert words in text
    assert statement.content_hash[:12] in text.replace(" ", "").replace("\n", "")
    assert "Draft: not in force." in text_of(prints.statement_pdf(firm.draft()))
    sheet = text_of(prints.process_pdf(firm.process, firm.manager))
    assert "Ola Owner" in sheet
    answer = as_(firm.manager).get(f"/scope/statements/{statement.pk}/pdf/")
    assert answer["Content-Type"] == "application/pdf"


def test_the_pack_gets_the_statement_that_was_in_force(firm: Firm) -> None:
    first, second = firm.approved(), firm.approved()
    period = Period(today() - timedelta(days=30), today())
    assert evidence.statements_of(period) == [first, second]
    context = evidence.scope_and_processes(period, clock.now())
    assert context["statement"] == second
    assert context["covered"] == {firm.process.pk}
    before = Period(today() - timedelta(days=60), today() - timedelta(days=31))
    assert evidence.statements_of(before) == []
    assert [row[0] for row in evidence.process_register(period, clock.now())] == ["PR"]


def test_a_running_process_speaks_for_its_clauses(firm: Firm) -> None:
    workflow.create_process(
        by=firm.manager, code="BUY", name="Buying", owner=firm.owner, clauses=["2026:8.4.1"]
    )
    assert not contributions.evidence_for("2026").get("8.4.1")
    workflow.activate(Process.objects.get(code="BUY"), by=firm.manager)
    [line] = contributions.evidence_for("2026")["8.4.1"]
    assert (line.record_number, line.person) == ("BUY", "Ola Owner")
    assert not contributions.evidence_for("2015").get("8.4.1")


def test_the_scope_is_found_and_shown_to_leadership(firm: Firm) -> None:
    hits = dict(find_everywhere(firm.manager, "production", 5))
    assert hits["Processes"][0].number == "PR"

    def tile() -> Any:
        return next(each for each in tiles_for(firm.boss, today()) if each.title == "Scope")

    assert (tile().tone, "No scope" in tile().note) == ("soon", True)
    firm.approved()
    assert tile().tone == "fine"
    other = workflow.create_process(by=firm.manager, code="X", name="New", owner=firm.owner)
    workflow.activate(other, by=firm.manager)
    assert "1 outside" in tile().note


# What no form offers


def edited(person: Person, record: Any, kind: str, **changes: Any) -> Any:
    """What the API answers to an edit."""
    body = {"version": record.version, **changes}
    url = f"/api/v1/{kind}/{record.pk}/"
    return as_(person).patch(url, body, content_type="application/json")


@pytest.mark.parametrize("code", ["PU", "pu", " Pu "])
def test_two_processes_never_share_a_code_not_even_by_an_edit(code: str) -> None:
    manager = factories.person("quality_manager")
    workflow.create_process(by=manager, code="PU", name="Purchasing")
    other = workflow.create_process(by=manager, code="SA", name="Sales")
    assert edited(manager, other, "processes", code=code).status_code == 422
    with pytest.raises(Refused, match="at the same moment"):
        amend(other, by=manager, changes={"code": code.strip()})
    other.refresh_from_db()
    assert other.code == "SA"


def test_two_sites_never_share_a_name_not_even_by_an_edit() -> None:
    manager = factories.person("quality_manager")
    workflow.add_site(by=manager, name="Main plant")
    other = workflow.add_site(by=manager, name="Annex")
    assert edited(manager, other, "sites", name="MAIN plant").status_code == 422
    other.refresh_from_db()
    assert other.name == "Annex"


def test_a_process_that_runs_is_not_left_without_an_owner() -> None:
    manager = factories.person("quality_manager")
    process = workflow.create_process(by=manager, code="SA", name="Sales", owner=manager)
    workflow.activate(process, by=manager)
    answer = edited(manager, process, "processes", owner=None)
    assert answer.status_code == 422
    assert "one person answers for it" in answer.content.decode()
