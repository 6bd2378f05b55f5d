"""The pages of the journey open for whoever may see them; the start-up path can be walked."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from documents.content import as_text
from documents.models import Document
from objectives.models import Objective
from qms.journey import startup, workflow
from qms.journey.models import Briefing, OpeningAnswer, PlanStep, PrincipleAnswer, Project, guide
from qms.people.models import Person
from qms.people.roles import ROLES
from qms.periods import today
from qms.scope.models import Flow, Organisation, Process, ScopeStatement, Site
from qms.scope.workflow import set_up_organisation
from tests import factories
from tests.many import questions
from tests.sampling import spread

pytestmark = pytest.mark.django_db
PAGES = [
    "/clauses/",
    "/clauses/2015/",
    "/clauses/mapping/?from=2026",
    "/journey/",
    "/journey/compact/",
    "/journey/momentum/",
    "/journey/opening/",
    "/journey/opening/edit/",
    "/journey/principles/",
    "/journey/principles/leadership/",
    "/journey/briefings/",
    "/journey/briefings/new/",
    "/start/",
    *(f"/start/{stop}/" for stop in ("organisation", "people", "sites", "questions")),
    *(f"/start/{stop}/" for stop in ("processes", "documents", "scope", "plan", "summary")),
]


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


@pytest.mark.parametrize("role", spread(sorted(ROLES), quick=1))
def test_every_page_opens_or_is_refused_in_words_before_anything_is_set_up(role: str) -> None:
    client = signed_in(factories.person(role))
    for address in PAGES:
        answer = client.get(address)
        assert answer.status_code in (200, 403), address
        assert b"<h1" in answer.content or b"<section" in answer.content, address
    assert client.get("/journey/principles/luck/").status_code in (403, 404)


@pytest.mark.slow
def test_looking_at_the_start_makes_nothing() -> None:
    client = signed_in(factories.person("quality_manager"))
    for address in PAGES:
        client.get(address)
    for model in (Project, Organisation, OpeningAnswer, PrincipleAnswer, Briefing):
        assert not model._default_manager.exists()


def test_the_home_page_of_an_empty_installation_leads_to_the_start() -> None:
    keeper, worker = factories.person("administrator"), factories.person()
    assert "/start/" in signed_in(keeper).get("/").content.decode()
    assert "/start/" not in signed_in(worker).get("/").content.decode()


@pytest.fixture
def _one_by_one(settings: Any) -> None:
    """A stop writes a dozen records, each with its own checks and history: that is no list."""
    settings.ZEAL_NPLUSONE_THRESHOLD = 60


class Path:
    """Somebody who walks the start-up path with a browser's forms."""

    def __init__(self, person: Person) -> None:
        self.client = signed_in(person)

    def fill(self, stop: str, query: str = "", **data: Any) -> Any:
        answer = self.client.post(f"/start/{stop}/{query}", data)
        assert answer.status_code == 303, answer.content.decode()
        return answer


@pytest.mark.usefixtures("_one_by_one")
@pytest.mark.slow
def test_the_path_from_an_empty_installation_to_a_plan() -> None:
    admin = factories.person("administrator", name="Ada First")
    path = Path(admin)
    path.fill(
        "organisation",
        name="Acme Tools",
        country="CA",
        time_zone="America/Toronto",
        headcount=8,
        edition="2026",
    )
    # The administrator keeps the system, too: one press.
    path.fill("people/me", role="quality_manager")
    path.fill("people", name="Bo Leader", email="bo@example.com", roles=["top_management"])
    path = Path(Person.objects.get(pk=admin.pk))
    path.fill("sites", name="Main works", address="1 Mill Road", headcount=8)
    path.fill("questions", services="Hand tools\nRepairs", processes="Make", problems="Late")
    path.fill("questions", customers="Speed")
    assert workflow.opening_lines("services") == ["Hand tools", "Repairs"]
    taken = {f"take_{code}": "on" for code in ("SA", "PR", "IN", "MG", "IM")}
    path.fill("processes", "?starter=manufacturing", **taken, owner_PR=admin.pk, owner_SA=admin.pk)
    path.fill("processes/own", name="Field service", owner=admin.pk, starter="manufacturing")
    codes = set(Process.objects.values_list("code", flat=True))
    assert codes == {"SA", "PR", "IN", "MG", "IM", "FS"}
    assert Flow.objects.live().filter(source__code="PR", target__code="IN").exists()
    assert Flow.objects.live().filter(target_party="Customers").exists()
    assert not Flow.objects.filter(target_party__in=["PL", "FU"]).exists()
    proposed = startup.proposals("document")
    path.fill(
        "documents",
        document=[each.sketch.title for each in proposed],
        objective=["Reduce defects by 15 percent"],
    )
    assert Document.objects.count() == len(proposed) >= 5
    assert Objective.objects.filter(process__code="PR").count() == 1
    assert all("Decide:" in as_text(each.revisions.get().text) for each in Document.objects.all())
    page = path.client.get("/start/scope/").content.decode()
    assert "Acme Tools provides at Main works: hand tools; repairs." in page
    path.fill(
        "scope",
        edition="2026",
        statement="Acme Tools makes and repairs hand tools.",
        products_and_services="Hand tools",
        processes=list(Process.objects.values_list("pk", flat=True)),
        sites=list(Site.objects.values_list("pk", flat=True)),
    )
    assert ScopeStatement.objects.get().status == "draft"
    answer = path.fill("plan", starts_on=str(today()), months=9)
    assert answer.headers["Location"] == "/start/summary/"
    assert Project.objects.get().status == "running"
    assert all(stop.is_done or stop.key == "opening" for stop in startup.stops()), startup.stops()
    assert "Your system has begun" in path.client.get("/start/summary/").content.decode()


@pytest.mark.usefixtures("_one_by_one")
def test_going_back_on_the_path_makes_nothing_twice() -> None:
    manager = factories.person("quality_manager")
    path = Path(manager)
    for _ in range(2):
        answer = path.client.post("/start/processes/?starter=software", {"take_DV": "on"})
        assert answer.status_code in (303, 422)
    assert Process.objects.count() == 1
    for _ in range(2):
        path.fill("documents", document=["Development and review", "Quality policy"])
    # The policy belongs to a process that was not taken.
    assert [each.title for each in Document.objects.all()] == [] or Document.objects.count() == 1


def test_whose_stop_it_is_not_is_told_whose_it_is() -> None:
    admin = signed_in(factories.person("administrator"))
    page = admin.get("/start/sites/").content.decode()
    assert "quality manager" in page and "<form" not in page.split("<main")[1].split("</main")[0]
    assert admin.post("/start/sites/", {"name": "X"}).status_code == 422
    assert not Site.objects.exists()


def test_nobody_takes_a_role_on_who_may_not_give_roles() -> None:
    manager = factories.person("quality_manager")
    answer = signed_in(manager).post("/start/people/me/", {"role": "administrator"})
    assert answer.status_code == 403
    admin = signed_in(factories.person("administrator"))
    assert admin.post("/start/people/me/", {"role": "emperor"}).status_code == 422


@pytest.mark.slow
def test_the_journeys_pages_ask_the_same_however_much_there_is() -> None:
    pages = ("/journey/", "/journey/compact/", "/start/", "/clauses/2026/9.2.2/")
    manager = factories.person("quality_manager", "top_management")
    client = signed_in(manager)
    workflow.answer_opening(by=manager, answers={"services": "One"})
    workflow.choose_starter(workflow.the_project(manager), by=manager, key="software")

    def look() -> dict[str, int]:
        """How many questions each page asks."""
        return {address: questions(lambda at=address: opened(at)) for address in pages}

    def opened(address: str) -> None:
        assert client.get(address).status_code == 200, address

    def add(first: int, last: int) -> None:
        for at in range(first, last):
            factories.person("quality_manager", "top_management", "lead_auditor")
            startup.own_process(by=manager, name=f"Process {at}", owner=manager, sites=[])
            workflow.record_briefing(
                by=manager,
                held_on=today(),
                topics="x",
                hours=1,
                budget=Decimal(0),
                attendees=[manager],
            )

    add(0, 2)
    look()
    few = look()
    add(2, 14)
    assert look() == few


def test_the_api_reads_the_clauses_and_records_a_briefing() -> None:
    client = signed_in(factories.person("quality_manager"))
    rows = client.get("/api/v1/clauses/2026/").json()
    assert sum(row["assessable"] for row in rows) == 65
    assert next(r for r in rows if r["number"] == "4.1")["counterparts"] == ["2015:4.1"]
    assert client.get("/api/v1/clauses/2008/").status_code == 404
    body = {
        "held_on": str(today()),
        "topics": "All.",
        "hours": 10,
        "budget": "100.00",
        "currency": "GBP",
        "decision": "not_yet",
    }
    answer = client.post("/api/v1/briefings/", body, content_type="application/json")
    assert answer.status_code == 422 and "conditions" in answer.json()["detail"]
    body["conditions"] = "After the move."
    answer = client.post("/api/v1/briefings/", body, content_type="application/json")
    assert answer.status_code == 201, answer.content


def test_the_principles_page_leads_through_all_seven() -> None:
    client = signed_in(factories.person("quality_manager"))
    order = [each.key for each in guide.principles()]
    for at, key in enumerate(order):
        data = {"answer_1": "We do.", "go_on": "1"}
        answer = client.post(f"/journey/principles/{key}/", data)
        after = f"/journey/principles/{order[at + 1]}/" if at < 6 else "/journey/principles/"
        assert (answer.status_code, answer.headers["Location"]) == (303, after)
    assert PrincipleAnswer.objects.count() == 7
    assert client.get("/journey/principles/").content.decode().count("We do.") == 7
    row = PrincipleAnswer.objects.order_by("pk").first()
    assert row is not None
    assert client.get(f"/journey/principles/answers/{row.pk}/").status_code == 200


# Two at once, and what no form offers


def seen_on(client: Client, address: str) -> str:
    [found] = re.findall(r'name="seen"[^>]* value="([^"]*)"', client.get(address).content.decode())
    return str(found)


@pytest.mark.usefixtures("_one_by_one")
@pytest.mark.parametrize(
    ("address", "mine", "other"),
    [
        ("/start/questions/", "services", "problems"),
        ("/journey/opening/edit/", "services", "problems"),
        ("/journey/principles/leadership/", "answer_1", "answer_2"),
    ],
)
def test_who_answers_at_the_same_time_overwrites_nothing(
    address: str, mine: str, other: str
) -> None:
    keeper = factories.person("quality_manager", name="Quinn Keeper")
    client = signed_in(keeper)
    assert client.post(address, {mine: "Pumps", other: "Late"}).status_code == 303
    seen = seen_on(client, address)
    assert client.post(address, {mine: "Pumps and valves", other: "Late"}).status_code == 303
    # The second person had the older page: what they did not touch stays as it is now.
    sent = {"seen": seen, mine: "Pumps", other: "Late, dented"}
    assert client.post(address, sent).status_code == 303
    texts = _answers()
    assert {"Pumps and valves", "Late, dented"} <= texts
    # What both wrote is shown with the other's words, and kept when it is sent again.
    answer = client.post(address, sent | {mine: "Repairs"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Quinn Keeper answered while you wrote" in page
    assert "Pumps and valves" in page
    assert "Repairs" in page
    [again] = re.findall(r'name="seen"[^>]* value="([^"]*)"', page)
    sent = {"seen": again, mine: "Pumps, valves and repairs", other: "Late, dented"}
    assert client.post(address, sent).status_code == 303
    assert "Pumps, valves and repairs" in _answers()


def _answers() -> set[str]:
    return {
        *OpeningAnswer.objects.values_list("text", flat=True),
        *PrincipleAnswer.objects.values_list("answer", flat=True),
    }


@pytest.mark.parametrize("day", ["0001-01-01", "1900-01-01", "2099-01-01", "9999-12-31"])
def test_a_plan_begins_within_a_year_of_today(day: str) -> None:
    keeper = factories.person("quality_manager", "administrator")
    set_up_organisation(by=keeper, name="Acme", country="CA", time_zone="America/Toronto")
    answer = signed_in(keeper).post("/start/plan/", {"starts_on": day, "months": 9})
    assert answer.status_code == 422
    assert not PlanStep.objects.exists()


def test_an_address_longer_than_addresses_are_is_refused() -> None:
    client = signed_in(factories.person("administrator"))
    sent = {"name": "Bo", "email": f"{'x' * 60}@{'y.' * 120}co"}
    assert client.post("/start/people/", sent).status_code == 422


def test_a_scope_sent_again_from_an_old_page_is_refused_in_words() -> None:
    client = signed_in(factories.person("quality_manager"))
    sent = {"edition": "2026", "statement": "Pumps, made here.", "products_and_services": "Pumps"}
    assert client.post("/start/scope/", sent).status_code == 303
    answer = client.post("/start/scope/", sent | {"statement": "Other words."})
    assert answer.status_code == 422
    assert "is drafted already" in answer.content.decode()
