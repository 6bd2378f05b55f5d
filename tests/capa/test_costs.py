"""What failures cost is summed as anybody would by hand, and seen by who may see money."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from capa import workflow
from capa.costs import costs_of
from capa.models import CostEntry, Nonconformity
from qms.periods import Period, today
from qms.refusals import Refused
from qms.scope.workflow import create_process, set_up_organisation
from tests import factories
from tests.many import multiply, questions

pytestmark = pytest.mark.django_db


class Books:
    """A Canadian company with two cases of two processes."""

    def __init__(self) -> None:
        self.quality = factories.person("quality_manager")
        set_up_organisation(
            by=self.quality, name="Roy", country="CA", time_zone="America/Toronto", region="ON"
        )
        self.weld = create_process(by=self.quality, code="WE", name="Welding", owner=self.quality)
        self.pack = create_process(by=self.quality, code="PA", name="Packing", owner=self.quality)
        self.first, self.second = (
            workflow.raise_nonconformity(by=self.quality, title=title, process=process)
            for title, process in (("Pores in welds", self.weld), ("Panels broken", self.pack))
        )

    def cost(self, nc: Nonconformity, kind: str, amount: str, **more: Any) -> CostEntry:
        return workflow.enter_cost(
            by=self.quality, nonconformity=nc, kind=kind, amount=Decimal(amount), **more
        )


def test_sums_equal_what_is_added_by_hand_and_what_was_taken_back_counts_no_more() -> None:
    books = Books()
    books.cost(books.first, "scrap", "120.50")
    books.cost(books.first, "rework", "79.50")
    books.cost(books.second, "credit", "1000")
    wrong = books.cost(books.second, "freight", "5000")
    workflow.void_cost(wrong, by=books.quality, reason="Of another case.")
    books.cost(books.second, "recall", "7", arose_on=today() - timedelta(days=800))
    held = workflow.hold_output(
        by=books.quality, what="Bent frames", product="Frame", quantity=Decimal(3)
    )
    workflow.enter_cost(by=books.quality, output=held, kind="rework", amount=Decimal("50.25"))
    found = costs_of(books.quality, Period.year(today().year))
    assert (found.internal, found.external) == (Decimal("250.25"), Decimal(1000))
    assert (found.total, found.currency) == (Decimal("1250.25"), "CAD")
    assert [row[:2] for row in found.processes.rows] == [
        ("Packing", "1,000.00"),
        ("Welding", "200.00"),
    ]
    assert found.processes.headings[1] == "Amount (CAD)"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"amount": Decimal(0)}, "above zero"),
        ({"amount": Decimal(-5)}, "above zero"),
        ({"arose_on": date(2999, 1, 1)}, "in the future"),
    ],
)
def test_what_is_no_cost_is_refused_in_words(said: dict[str, Any], why: str) -> None:
    books = Books()
    given = {"kind": "scrap", "amount": Decimal(5), "nonconformity": books.first} | said
    with pytest.raises(Refused, match=why):
        workflow.enter_cost(by=books.quality, **given)
    workflow.void(books.first, by=factories.person("top_management"), reason="Twice.")
    with pytest.raises(Refused, match="void"):
        books.cost(books.first, "scrap", "5")


@pytest.mark.slow
def test_money_is_seen_by_who_may_see_it_only(client: Any) -> None:
    books = Books()
    entry = books.cost(books.first, "scrap", "987.65")
    pages = (
        "/nonconformities/costs/",
        "/nonconformities/costs/entries/",
        entry.get_absolute_url(),
        books.first.get_absolute_url(),
    )
    client.force_login(books.quality)
    told = [client.get(page).content.decode() for page in pages]
    assert all("987.65" in page for page in told)
    client.force_login(factories.person("lead_auditor"))
    answers = [client.get(page) for page in pages]
    assert [each.status_code for each in answers] == [403, 403, 403, 200]
    assert "987.65" not in answers[-1].content.decode()
    assert "/nonconformities/costs/" not in answers[-1].content.decode()


@pytest.mark.slow
def test_the_page_asks_as_much_for_a_thousand_entries_as_for_two(client: Any) -> None:
    books = Books()
    entry = books.cost(books.first, "scrap", "10")
    books.cost(books.second, "credit", "20")
    client.force_login(books.quality)
    for page in ("/nonconformities/costs/", "/nonconformities/costs/entries/"):
        client.get(page)
        few = questions(lambda page=page: client.get(page))  # type: ignore[misc]
        multiply(entry, 1_000)
        assert questions(lambda page=page: client.get(page)) == few <= 16  # type: ignore[misc]


def test_a_cost_is_entered_on_the_page_of_its_case(client: Any) -> None:
    books = Books()
    client.force_login(books.quality)
    address = f"{books.first.get_absolute_url()}cost/"
    assert "In CAD" in client.get(address).content.decode()
    bad = client.post(address, {"kind": "scrap", "amount": "-1", "arose_on": today()})
    assert bad.status_code == 422
    done = client.post(address, {"kind": "scrap", "amount": "33.30", "arose_on": today()})
    assert (done.status_code, done["Location"]) == (303, books.first.get_absolute_url())
    assert CostEntry.objects.get().amount == Decimal("33.30")


@pytest.mark.slow
def test_what_an_output_cost_follows_the_same_rule_on_every_route(client: Any) -> None:
    books = Books()
    held = workflow.hold_output(
        by=books.quality, what="Bent frames", product="Frame", quantity=Decimal(3)
    )
    client.force_login(books.quality)
    enter = f"{held.get_absolute_url()}cost/"
    said = {"kind": "scrap", "amount": "543.21", "arose_on": today()}
    assert client.post(enter, said)["Location"] == held.get_absolute_url()
    assert "543.21" in client.get(held.get_absolute_url()).content.decode()
    client.force_login(factories.person("lead_auditor"))
    routes = (
        held.get_absolute_url(),
        "/nonconformities/outputs/",
        "/nonconformities/outputs/?export=csv",
        "/api/v1/nonconforming-outputs/",
        f"/api/v1/nonconforming-outputs/{held.pk}/",
        "/search/?q=frames",
    )
    for route in routes:
        answer = client.get(route)
        assert answer.status_code == 200, route
        told = b"".join(answer) if answer.streaming else answer.content
        assert b"543.21" not in told, route
    assert client.get(enter).status_code == 403
    assert client.get("/api/v1/cost-entries/").status_code == 403


def test_an_entry_is_the_cost_of_one_thing(client: Any) -> None:
    books = Books()
    held = workflow.hold_output(
        by=books.quality, what="Bent frames", product="Frame", quantity=Decimal(3)
    )
    for of in ({}, {"nonconformity": books.first, "output": held}):
        with pytest.raises(Refused, match="one nonconformity or one nonconforming output"):
            workflow.enter_cost(by=books.quality, kind="scrap", amount=Decimal(5), **of)
    client.force_login(books.quality)
    body = {"output": held.pk, "kind": "scrap", "amount": "7.50", "arose_on": str(today())}
    made = client.post("/api/v1/cost-entries/", body, content_type="application/json")
    assert (made.status_code, CostEntry.objects.get().subject) == (201, held)
