"""What a stranger tried with audits of other kinds, and what holds against it (9.2.2, 8.4)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.urls import reverse
from pypdfium2 import PdfDocument

from audits import coverage, planning, readiness, repeats, workflow
from audits.dashboard import _audits
from audits.evidence import finding_register, programme
from audits.models import Audit, Finding
from audits.prints import report_pdf
from capa.models import Nonconformity
from qms import clock, contributions
from qms.finding.workflow import find
from qms.people.models import Person
from qms.people.workflow import set_outside_access
from qms.periods import Period, today
from qms.providers import workflow as providers
from qms.refusals import Refused, Stale
from qms.scope.models import Process
from qms.workflow import amend
from tests import factories
from tests.audits.test_kinds import House

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.clause("9.2.2")]


@pytest.fixture
def house() -> House:
    return House()


def sent(client: Client, method: str, path: str, body: dict[str, Any]) -> Any:
    return getattr(client, method)(path, body, content_type="application/json")


# No other kind becomes an internal audit


@pytest.mark.parametrize("kind", ["special", "supplier", "customer"])
def test_no_program_and_no_page_makes_an_internal_audit_of_another_kind(
    house: House, client: Client, kind: str
) -> None:
    plan = {
        "special": house.special,
        "supplier": house.of_provider,
        "customer": lambda: house.by_customer(process=house.process),
    }
    audit = plan[kind]()
    factories.sign_in(client, house.lead)
    path = f"/api/v1/audits/{audit.pk}/"
    for more in ({}, {"process": house.process.pk, "provider": None, "customer": None}):
        given = {"version": audit.version, "reason": "x", "kind": "internal"} | more
        sent(client, "patch", path, given)
        audit.refresh_from_db()
        assert audit.kind == kind
    page = reverse("audits:audit_edit", args=[audit.pk])
    client.post(page, {"kind": "internal", "process": house.process.pk, "version": audit.version})
    audit.refresh_from_db()
    assert audit.kind == kind
    assert "Production was never audited." in [each.sentence for each in readiness.never("2026")]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "special"}, "why_now"),
        ({"kind": "supplier"}, "provider"),
        ({"kind": "nonsense"}, "kind"),
        ({"kind": "internal", "provider": True, "process": None}, "process"),
    ],
)
def test_a_program_plans_no_audit_that_does_not_fit_its_kind(
    house: House, client: Client, given: dict[str, Any], field: str
) -> None:
    factories.sign_in(client, house.lead)
    body = {
        "process": house.process.pk,
        "lead": house.lead.pk,
        "planned_on": str(today()),
        "days": 1,
        "edition": "2026",
        "method": "on_site",
    } | given
    if body.get("provider") is True:
        body["provider"] = house.provider.pk
    answer = sent(client, "post", "/api/v1/audits/", body)
    assert answer.status_code == 422, answer.content
    assert field in answer.content.decode()
    assert not Audit.objects.exists()


def test_the_tile_of_internal_audits_counts_no_other_kind_as_late(house: House) -> None:
    for plan in (house.of_provider, house.by_customer, house.special):
        plan(planned_on=today() - timedelta(days=3))
    assert _audits(today())["late"].count() == 0
    workflow.plan_audit(
        by=house.lead,
        process=house.process,
        planned_on=today() - timedelta(days=3),
        lead=house.lead,
    )
    assert _audits(today())["late"].count() == 1


def test_no_clause_of_a_supplier_audit_fills_the_matrix(house: House) -> None:
    year = workflow.create_programme(by=house.quality, title="Year", starts_on=today())
    for plan in (house.of_provider, house.special, house.by_customer):
        plan(clauses=["2026:8.6"])
    found = coverage.matrix(year, house.quality)
    assert not any(line.is_seen for line in found.lines)
    assert len(found.holes) == len(found.lines) + 1


# Years nobody could audit in


def test_no_hole_is_listed_for_a_year_before_the_process_was_there(house: House) -> None:
    start = date(today().year - 2, 1, 1)
    old = workflow.create_programme(by=house.quality, title="Old", starts_on=start, years=3)
    said = [hole.sentence for hole in planning.holes(old, today()) if hole.key]
    assert [str(start.year + 2) in words for words in said] == [True]
    past = coverage.matrix(old, house.quality, Period.year(start.year))
    assert not [hole for hole in past.holes if hole.key]


# Who sees what


def test_whoever_looks_after_a_provider_reads_nothing_before_it_is_released(
    house: House, client: Client
) -> None:
    keeper = factories.person("lead_auditor", "process_owner")
    amend(house.provider, by=house.quality, changes={"owner": keeper})
    audit = house.begun(house.of_provider())
    house.answer(audit)
    draft = house.find(audit, statement="Zirconium pores everywhere.")
    assert not Finding.objects.visible_to(keeper).exists()
    assert not find(keeper, "Zirconium", of=[Finding, Audit], limit=9).hits
    factories.sign_in(client, keeper)
    for page in (
        audit.get_absolute_url(),
        reverse("audits:finding_list"),
        reverse("audits:figures"),
        house.provider.get_absolute_url(),
        f"/api/v1/findings/?audit={audit.pk}",
        f"/api/v1/findings/{draft.pk}/",
    ):
        assert b"Zirconium" not in client.get(page).content
    now = clock.now()
    assert not list(finding_register(Period(today(), today()), now))
    workflow.release(audit, by=house.lead)
    assert Finding.objects.visible_to(keeper).exists()


def test_an_outside_auditor_of_a_provider_sees_that_audit_and_no_other(house: House) -> None:
    outside = set_outside_access(
        factories.person(name="Olga Outside"),
        by=factories.person("administrator"),
        until=today() + timedelta(days=30),
        reason="Contract 7.",
    )
    other = providers.propose_provider(
        by=house.quality, name="Other", provides="Bars", owner=house.owner
    )
    audit = house.of_provider(team=[outside])
    elsewhere = workflow.plan_audit(
        by=house.lead, kind="supplier", provider=other, planned_on=today(), lead=house.lead
    )
    seen = set(Audit.objects.visible_to(outside))
    assert seen == {audit}
    assert elsewhere not in seen
    assert not Process.objects.visible_to(outside).exists()


# Two at the same moment


def at_once(*moves: Callable[[], Any]) -> list[str]:
    start = Barrier(len(moves))

    def press(move: Callable[[], Any]) -> str:
        try:
            start.wait(timeout=10)
            move()
            return "done"
        except (Refused, Stale, PermissionDenied) as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(moves)) as pool:
        return list(pool.map(press, moves))


def fresh(audit: Audit) -> Audit:
    return Audit.objects.get(pk=audit.pk)


def as_(person: Person) -> Person:
    return Person.objects.get(pk=person.pk)


@pytest.mark.django_db(transaction=True)
def test_a_report_acknowledged_and_disagreed_with_at_once_is_answered_once() -> None:
    house = House()
    audit = house.begun(house.special())
    house.answer(audit)
    house.find(audit)
    proof = factories.proof(house.lead)
    workflow.sign_report(audit, by=house.lead, conclusions="Fair.", issues_itself=True, proof=proof)
    outcomes = at_once(
        lambda: workflow.acknowledge(fresh(audit), by=as_(house.owner)),
        lambda: workflow.disagree(fresh(audit), by=as_(house.owner), answer_reason="Wrong lot."),
        lambda: workflow.acknowledge(fresh(audit), by=as_(house.owner)),
    )
    assert outcomes.count("done") == 1, outcomes
    audit.refresh_from_db()
    issued = audit.status in Audit.REPORTED
    assert issued == (audit.answer == "acknowledged")
    assert bool(audit.answer_reason) == (audit.answer == "disagreed")


@pytest.mark.django_db(transaction=True)
def test_a_supplier_audit_released_twice_at_once_raises_each_case_once() -> None:
    house = House()
    audit = house.begun(house.of_provider())
    house.answer(audit)
    house.find(audit)
    house.find(audit, "major")
    outcomes = at_once(
        *[lambda: workflow.release(fresh(audit), by=as_(house.lead)) for _ in range(3)]
    )
    assert outcomes.count("done") == 1, outcomes
    raised = Nonconformity.objects.filter(provider=house.provider)
    assert sorted(raised.values_list("grade", flat=True)) == ["major", "minor"]


@pytest.mark.django_db(transaction=True)
def test_a_customer_is_answered_once_and_their_report_is_recorded_once() -> None:
    house = House()
    audit = house.begun(house.by_customer())
    finding = house.find(audit, "minor", reference="F-1")
    workflow.release(audit, by=house.lead)

    def answer() -> None:
        workflow.answer_customer(
            Finding.objects.get(pk=finding.pk),
            by=as_(house.lead),
            decision_text="Sorted.",
            sent_on=today(),
        )

    def receive() -> None:
        workflow.receive_report(
            fresh(audit), by=as_(house.lead), received_on=today(), conclusions="They may."
        )

    assert at_once(answer, answer).count("done") == 1
    assert at_once(receive, receive).count("done") == 1


# What a customer asks


def test_a_customers_deadline_is_not_before_their_audit(house: House) -> None:
    audit = house.begun(house.by_customer())
    with pytest.raises(Refused, match="before it was found"):
        house.find(audit, reference="F-1", answer_due=today() - timedelta(days=1))
    finding = house.find(audit, reference="F-1", answer_due=today())
    with pytest.raises(Refused, match="before it was found"):
        amend(finding, by=house.lead, changes={"answer_due": date(1999, 1, 1)})


# What comes again


def test_what_a_provider_was_found_wanting_in_before_is_recognised(house: House) -> None:
    def round_of(found_on: str) -> Finding:
        with time_machine.travel(f"{found_on}T12:00Z", tick=False):
            audit = house.begun(house.of_provider())
            house.answer(audit)
            finding = house.find(audit, clause="2026:8.6")
            workflow.release(audit, by=house.lead)
        return Finding.objects.select_related("audit").get(pk=finding.pk)

    year = today().year
    first, second = round_of(f"{year + 1}-02-01"), round_of(f"{year + 2}-02-01")
    special = house.special()
    assert repeats.earlier_of([second]) == {second.pk: [first]}
    assert repeats.earlier_of([first]) == {}
    assert special.process_id is not None


# The year's edge


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-12-31T23:30Z", date(2027, 1, 1)),
        ("2026-12-31T22:30Z", date(2026, 12, 31)),
        ("2027-06-30T22:30Z", date(2027, 7, 1)),
    ],
)
def test_an_audit_takes_place_on_the_organisations_day(
    house: House, monkeypatch: Any, moment: str, day: date
) -> None:
    monkeypatch.setattr(contributions, "zone", lambda: ZoneInfo("Europe/Berlin"))
    with time_machine.travel(moment, tick=False):
        audit = house.begun(
            workflow.plan_audit(
                by=house.lead, process=house.process, planned_on=day, lead=house.lead
            )
        )
        assert audit.conducted_on == day
        year = workflow.create_programme(
            by=house.quality, title="Year", starts_on=date(day.year, 1, 1)
        )
        seen = [on for _audit, on, _clauses in planning.looks_of(year, today())]
        assert seen == [day]


def test_the_pack_says_of_what_kind_each_audit_is(house: House) -> None:
    from django.template.loader import render_to_string

    house.of_provider()
    house.special()
    told = programme(Period(today(), today()), clock.now())
    page = render_to_string("audits/evidence/programme.html", told)
    assert "Supplier audit" in page
    assert "Special audit" in page
    assert [covered for _process, covered in told["coverage"]] == [False]


# What changed since it was confirmed


def test_who_came_to_look_after_the_provider_since_does_not_start_its_audit(house: House) -> None:
    audit = workflow.confirm(house.of_provider(), by=house.lead)
    amend(house.provider, by=house.quality, changes={"owner": house.second})
    with pytest.raises(Refused, match="Sam Cole looks after"):
        workflow.start(audit, by=house.lead)
    other = workflow.confirm(
        house.of_provider(team=[], planned_on=today() + timedelta(days=1)), by=house.lead
    )
    providers.end(house.provider, by=house.quality, reason="Closed down.")
    with pytest.raises(Refused, match="provides nothing any more"):
        workflow.start(other, by=house.lead)


def test_an_exception_for_one_provider_excuses_with_no_other(house: House) -> None:
    amend(house.provider, by=house.quality, changes={"owner": house.lead})
    other = providers.propose_provider(
        by=house.quality, name="Other", provides="Bars", owner=house.lead
    )
    audit = house.of_provider()
    workflow.record_exception(
        audit, by=house.quality, person=house.lead, reason="Nobody else.", mitigation="Two of us."
    )
    with pytest.raises(Refused, match="decided for this provider"):
        amend(audit, by=house.lead, changes={"provider": other})


def test_no_audit_of_any_kind_is_postponed_into_the_past(house: House) -> None:
    for audit in (house.of_provider(), house.by_customer(), house.special()):
        with pytest.raises(Refused, match="That day is past"):
            workflow.postpone(
                audit, by=house.lead, reason="x", planned_on=today() - timedelta(days=1)
            )


def test_an_audit_without_criteria_is_confirmed_of_no_kind(house: House) -> None:
    for audit in (house.of_provider(), house.by_customer(), house.special()):
        amend(audit, by=house.lead, changes={"criteria": " "})
        with pytest.raises(Refused, match="its criteria"):
            workflow.confirm(audit, by=house.lead)


def test_nobody_softens_what_a_supplier_audit_found_by_an_edit(
    house: House, client: Client
) -> None:
    audit = house.begun(house.of_provider())
    finding = house.find(audit, "major")
    factories.sign_in(client, house.second)
    path = f"/api/v1/findings/{finding.pk}/"
    for grade in ("minor", "good"):
        given = {"version": finding.version, "grade": grade, "reason": "x"}
        assert sent(client, "patch", path, given).status_code == 422
    for move, given in (
        ("soften", {"grade": "minor", "softened_because": "x"}),
        ("void", {"reason": "x"}),
        ("merge", {"into": 2}),
    ):
        if move == "merge":
            house.find(audit, "observation")
        answer = sent(client, "post", f"{path}{move}/", {"version": finding.version, **given})
        assert answer.status_code in (403, 422), answer.content
    finding.refresh_from_db()
    assert (finding.grade, finding.status) == ("major", "draft")


# Sentences, never the names of constraints


@pytest.mark.parametrize("route", ["page", "api"])
def test_what_does_not_fit_is_said_in_words_on_every_route(
    house: House, client: Client, route: str
) -> None:
    audit = house.special()
    cases = [
        (
            "audits:slot_create",
            [audit.pk],
            "/api/v1/audit-agenda/",
            {"audit": audit.pk, "day": 1, "kind": "part", "starts_at": "11:00", "ends_at": "10:00"},
            "ends before it begins",
        ),
        (
            "audits:body_create",
            [],
            "/api/v1/certification-bodies/",
            {
                "name": "DNV", "currency": "GBP",
                "contract_from": "2026-05-01", "contract_until": "2026-04-01",
                "plan_days_major": 30, "plan_days_minor": 30,
                "evidence_days_major": 60, "evidence_days_minor": 90,
            },
            "contract ends before it begins",
        ),
    ]  # fmt: skip
    factories.sign_in(client, factories.person("quality_manager", "lead_auditor"))
    for page, of, path, given, words in cases:
        if route == "page":
            answer = client.post(reverse(page, args=of), given)
        else:
            answer = sent(client, "post", path, given)
        said = answer.content.decode()
        assert answer.status_code == 422, said
        assert words in said
        assert "is violated" not in said


def test_the_criteria_stand_line_by_line_on_paper(house: House) -> None:
    audit = house.of_provider()
    found = PdfDocument(report_pdf(audit, house.lead))
    lines = found[0].get_textpage().get_text_range().splitlines()
    assert "Delivery on the agreed day" in [each.strip() for each in lines]
