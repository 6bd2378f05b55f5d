"""Audits of other kinds: of a provider, by a customer, for a reason of its own (9.2.2, 8.4, 8.2).

They take the path every audit takes, and count for nothing a programme counts.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from audits import planning, readiness, workflow
from audits.independence import facts_for, objections_to
from audits.models import Audit, Finding
from audits.prints import report_context
from capa.models import Nonconformity
from qms import contributions
from qms.customers.models import Customer
from qms.customers.workflow import enter_customer
from qms.periods import add_months, today
from qms.providers import workflow as providers
from qms.providers.models import Provider
from qms.refusals import Refused
from qms.scope import advice, current, turtle
from qms.scope.models import Process
from qms.scope.workflow import activate, create_process
from qms.work.models import WorkItem
from qms.workflow import amend, available
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.2.2")]


class House:
    """A process, a provider, a customer, and who audits."""

    def __init__(self) -> None:
        self.quality = factories.person("quality_manager")
        self.owner = factories.person("process_owner", name="Olga Stein")
        self.lead = factories.person("lead_auditor", name="Lea Marsh")
        self.second = factories.person("auditor", name="Sam Cole")
        made = create_process(
            by=self.quality, code="PR", name="Production", owner=self.owner, clauses=["2026:8.6"]
        )
        self.process: Process = activate(made, by=self.quality)
        self.provider: Provider = providers.propose_provider(
            by=self.quality,
            name="Acme Castings",
            provides="Castings",
            owner=self.owner,
            criteria="Castings without pores\nDelivery on the agreed day",
        )
        self.customer: Customer = enter_customer(
            by=self.quality, name="Northern Rail", buys="Valves", owner=self.owner
        )

    def of_provider(self, **more: Any) -> Audit:
        given = {"lead": self.lead, "team": [self.second], "planned_on": today()} | more
        return workflow.plan_audit(by=self.lead, kind="supplier", provider=self.provider, **given)

    def by_customer(self, **more: Any) -> Audit:
        given = {"lead": self.lead, "planned_on": today(), "outside_auditors": "R. Novak"} | more
        return workflow.plan_audit(by=self.lead, kind="customer", customer=self.customer, **given)

    def special(self, **more: Any) -> Audit:
        given = {"lead": self.lead, "planned_on": today(), "why_now": "Three complaints."} | more
        return workflow.plan_audit(by=self.lead, kind="special", process=self.process, **given)

    def begun(self, audit: Audit) -> Audit:
        return workflow.start(workflow.confirm(audit, by=self.lead), by=self.lead)

    def answer(self, audit: Audit) -> None:
        for item in audit.items.all():
            workflow.answer(item, by=self.lead, answer="conforms")

    def find(self, audit: Audit, grade: str = "minor", **more: Any) -> Finding:
        said = {"requirement": "No pores.", "evidence": "Lot 7.", "statement": "Pores in lot 7."}
        return workflow.record_finding(audit, by=self.lead, grade=grade, **said | more)

    def sign(self, audit: Audit) -> Audit:
        proof = factories.proof(self.lead)
        return workflow.sign_report(audit, by=self.lead, conclusions="Fair.", proof=proof)


@pytest.fixture
def house() -> House:
    return House()


# What each kind is of


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("internal", (), "process"),
        ("internal", ("process", "provider"), "provider"),
        ("internal", ("process", "customer"), "customer"),
        ("special", (), "process"),
        ("special", ("process",), "why_now"),
        ("supplier", (), "provider"),
        ("supplier", ("provider", "process"), "process"),
        ("supplier", ("provider", "customer"), "customer"),
        ("customer", ("process",), "customer"),
        ("customer", ("customer", "provider"), "provider"),
    ],
)
def test_an_audit_without_its_subject_or_with_another_is_refused(
    house: House, kind: str, given: tuple[str, ...], field: str
) -> None:
    of = {name: getattr(house, name) for name in given}
    with pytest.raises(Refused) as refused:
        workflow.plan_audit(by=house.lead, kind=kind, lead=house.lead, planned_on=today(), **of)
    assert refused.value.field == field
    assert Audit.objects.count() == 0


def test_the_database_holds_which_subject_each_kind_has(house: House) -> None:
    audit = house.of_provider()
    for wrong in (
        {"provider": None},
        {"process": house.process},
        {"customer": house.customer},
        {"kind": "internal"},
        {"kind": "special", "provider": None, "process": house.process},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Audit._base_manager.filter(pk=audit.pk).update(**wrong)


def test_only_internal_audits_stand_in_a_programme(house: House) -> None:
    programme = workflow.create_programme(by=house.quality, title="Year", starts_on=today())
    for plan in (house.of_provider, house.by_customer, house.special):
        with pytest.raises(Refused, match="on top of it"):
            plan(programme=programme)
    special = house.special()
    with pytest.raises(Refused, match="on top of it"):
        amend(special, by=house.lead, changes={"programme": programme})


def test_an_audit_keeps_its_kind_and_a_subject_of_it(house: House) -> None:
    audit = house.of_provider()
    with pytest.raises(Refused, match="cannot be edited: kind"):
        amend(audit, by=house.lead, changes={"kind": "internal"})
    with pytest.raises(Refused, match="of no process"):
        amend(audit, by=house.lead, changes={"process": house.process})
    with pytest.raises(Refused, match="Choose the external provider"):
        amend(audit, by=house.lead, changes={"provider": None})
    with pytest.raises(Refused, match="Say why"):
        amend(house.special(), by=house.lead, changes={"why_now": " "})


def test_numbers_tell_the_kinds_apart(house: House) -> None:
    found = [house.of_provider(), house.by_customer(), house.special()]
    assert [each.number.split("-")[0] for each in found] == ["SA", "CUA", "IA"]


# What counts and what does not


def test_only_an_internal_audit_covers_its_process(house: House) -> None:
    by_them = partial(house.by_customer, process=house.process)
    for plan in (house.special, by_them, house.of_provider):
        audit = plan()
        house.begun(audit)
        house.answer(audit)
        workflow.release(audit, by=house.lead)
    programme = workflow.create_programme(by=house.quality, title="Year", starts_on=today())
    assert planning.last_audits([house.process.pk]) == {house.process.pk: None}
    assert planning.days_of_audits([house.process.pk], today()) == {house.process.pk: set()}
    assert planning.looks_of(programme, today()) == []
    said = [hole.sentence for hole in planning.holes(programme, today())]
    assert any(words.startswith("Production has no audit") for words in said)
    blockers = [each.sentence for each in readiness.never("2026")]
    assert "Production was never audited." in blockers
    beside = contributions.related_to(Process, [house.process.pk])[house.process.pk]["Audits"]
    assert [each.counts for each in beside] == [False, False]
    assert turtle.of(house.process)["last_audit"] is None


def test_the_page_of_a_process_shows_every_audit_of_it_and_which_count(
    house: House, client: Client
) -> None:
    special, theirs = house.special(), house.by_customer(process=house.process)
    counted = workflow.plan_audit(
        by=house.lead, process=house.process, planned_on=today(), lead=house.lead
    )
    house.of_provider()
    before = advice.loads_of([house.process], today())
    factories.sign_in(client, house.quality)
    page = client.get(house.process.get_absolute_url()).content.decode()
    for each in (special, theirs, counted):
        assert each.get_absolute_url() in page
    assert f"Special audit of {today():%-d %B %Y}" in page
    assert page.count("not counted in the programme") == 2
    for each in (special, theirs):
        workflow.void(each, by=house.lead, reason="Settled otherwise.")
    assert advice.loads_of([house.process], today()) == before


def test_whoever_is_in_one_of_them_is_in_no_other_audit_that_day(house: House) -> None:
    house.begun(house.by_customer(days=2))
    other = workflow.plan_audit(
        by=house.lead,
        process=house.process,
        planned_on=today() + timedelta(days=1),
        lead=house.lead,
    )
    with pytest.raises(Refused, match="is in CUA-"):
        workflow.confirm(other, by=house.lead)


def test_every_kind_stands_in_the_year_planner(house: House) -> None:
    for audit in (house.of_provider(), house.by_customer(), house.special()):
        day = audit.planned_on
        found = contributions.calendar_for(house.lead, day, day)
        assert audit.get_absolute_url() in {each.url for each in found}


# Suppliers


def test_a_supplier_audit_asks_what_is_agreed_and_says_so_in_its_criteria(house: House) -> None:
    audit = house.of_provider()
    asked = list(audit.items.order_by("position").values_list("question", flat=True))
    assert [("pores" in asked[0]), ("agreed day" in asked[1])] == [True, True]
    assert "contract" in audit.criteria
    assert "Castings without pores" in audit.criteria


def test_what_a_supplier_audit_finds_is_raised_about_the_provider_once(house: House) -> None:
    audit = house.begun(house.of_provider())
    house.answer(audit)
    finding = house.find(audit)
    house.find(audit, "observation")
    workflow.release(audit, by=house.lead)
    house.sign(audit)
    raised = Nonconformity.objects.get()
    assert (raised.provider, raised.source, raised.owner) == (
        house.provider,
        "supplier",
        house.owner,
    )
    assert raised.origin == finding
    with pytest.raises(PermissionDenied):
        workflow.acknowledge(audit, by=house.second)
    workflow.acknowledge(audit, by=house.owner)


def test_what_was_found_is_weighed_at_the_next_evaluation(house: House, client: Client) -> None:
    audit = house.begun(house.of_provider())
    house.answer(audit)
    house.find(audit)
    workflow.release(audit, by=house.lead)
    factories.sign_in(client, house.quality)
    shown = client.get(reverse("providers:evaluation_create", args=[house.provider.pk]))
    case = Nonconformity.objects.get()
    assert audit.number in shown.content.decode()
    assert case.number in shown.content.decode()
    page = client.get(house.provider.get_absolute_url()).content.decode()
    assert audit.number in page
    assert case.number in page


def looks_after_it(house: House) -> None:
    amend(house.provider, by=house.quality, changes={"owner": house.lead})


def speaks_for_it(house: House) -> None:
    amend(house.provider, by=house.quality, changes={"contact_email": house.lead.email})


def answers_a_case(house: House) -> None:
    from capa.workflow import raise_nonconformity

    raise_nonconformity(by=house.quality, title="Pores", provider=house.provider, owner=house.lead)


@pytest.mark.parametrize(
    ("tie", "words"),
    [
        (looks_after_it, "looks after"),
        (speaks_for_it, "speaks for"),
        (answers_a_case, "answers NC-"),
    ],
)
def test_who_is_tied_to_a_provider_does_not_audit_it(
    house: House, tie: Callable[[House], None], words: str
) -> None:
    tie(house)
    audit = house.of_provider()
    assert [words in said for said in objections_to(house.lead, audit, today())] == [True]
    with pytest.raises(Refused, match=words):
        workflow.confirm(audit, by=house.lead)
    workflow.record_exception(
        audit, by=house.quality, person=house.lead, reason="Nobody else.", mitigation="Two of us."
    )
    workflow.confirm(audit, by=house.lead)


def test_who_evaluated_or_approved_a_provider_is_shown_and_may(house: House) -> None:
    keeper = factories.person("quality_manager", "lead_auditor")
    made = providers.record_evaluation(
        house.provider,
        by=keeper,
        evaluated_on=today(),
        results={"Castings without pores": "3"},
        verdict="suitable",
        conclusion="Good.",
    )
    providers.approve(house.provider, by=keeper)
    audit = house.of_provider(lead=keeper, team=[])
    facts = facts_for(audit, [keeper], today())[keeper.pk]
    assert {fact.kind for fact in facts} == {"judge", "approver"}
    assert made.number in facts[0].sentence
    assert not any(fact.blocks for fact in facts)
    workflow.confirm(audit, by=house.lead)


def test_what_was_given_up_counts_as_long_as_the_look_back_reaches(house: House) -> None:
    looks_after_it(house)
    amend(house.provider, by=house.quality, changes={"owner": house.owner})
    audit = house.of_provider()
    assert "looked after" in objections_to(house.lead, audit, add_months(today(), 24))[0]
    later = add_months(today(), 24) + timedelta(days=1)
    assert objections_to(house.lead, audit, later) == []


def test_nobody_audits_a_provider_we_have_ended_with(house: House) -> None:
    audit = house.of_provider()
    providers.end(house.provider, by=house.quality, reason="Closed down.")
    audit.refresh_from_db()
    with pytest.raises(Refused, match="provides nothing any more"):
        workflow.confirm(audit, by=house.lead)
    with pytest.raises(Refused, match="provides nothing any more"):
        house.of_provider()


# Customers


def test_a_customers_audit_takes_the_path_with_their_findings_and_their_report(
    house: House,
) -> None:
    audit = house.begun(house.by_customer())
    due = today() + timedelta(days=12)
    major = house.find(audit, "major", reference="F-1", answer_due=due)
    house.find(audit, "opportunity")
    workflow.release(audit, by=house.lead)
    major.refresh_from_db()
    raised = Nonconformity.objects.get()
    assert (raised.customer, raised.source, raised.owner) == (
        house.customer,
        "customer_audit",
        house.owner,  # who looks after the customer: the lead has no role that answers it
    )
    assert major.answer_due == due
    names = {each.transition.name for each in available(audit, house.lead)}
    assert names == {"receive_report"}
    workflow.receive_report(
        audit, by=house.lead, received_on=today(), conclusions="They may deliver."
    )
    assert audit.status == "follow_up"
    assert WorkItem.objects.filter(person=house.lead, due=due).exists()
    workflow.answer_customer(
        major, by=house.lead, decision_text="Sorted, cause found.", sent_on=today()
    )
    assert workflow.everything_is_settled(audit, None) == (
        "1 of its nonconformities is still open."
    )
    printed = dict(report_context(audit)["facts"])
    assert printed["Their auditors"] == "R. Novak"


def test_what_they_found_is_neither_accepted_nor_declined_nor_signed_by_us(house: House) -> None:
    audit = house.begun(house.by_customer())
    seen = house.find(audit, "observation")
    workflow.release(audit, by=house.lead)
    seen.refresh_from_db()
    with pytest.raises(PermissionDenied, match="customer's finding"):
        workflow.accept(seen, by=house.lead)
    with pytest.raises(PermissionDenied, match="report is the customer's"):
        house.sign(audit)
    with pytest.raises(Refused, match="Record it when it is sent"):
        workflow.answer_customer(
            seen, by=house.lead, decision_text="Soon.", sent_on=today() + timedelta(days=1)
        )
    with pytest.raises(PermissionDenied, match="customer's"):
        workflow.draft_addendum(audit, by=house.lead, text="It was lot 8.", reason="Misread.")


def test_our_own_finding_has_no_number_or_deadline_of_theirs(house: House) -> None:
    audit = house.begun(house.special())
    with pytest.raises(Refused, match="Only a customer's finding"):
        house.find(audit, reference="F-1")
    finding = house.find(audit)
    with pytest.raises(Refused, match="Only a customer's finding"):
        amend(finding, by=house.lead, changes={"answer_due": today()})
    with pytest.raises(PermissionDenied, match="our own finding"):
        workflow.answer_customer(finding, by=house.lead, decision_text="No.", sent_on=today())


def test_a_customers_audit_of_one_process_gives_its_case_to_the_process_owner(
    house: House,
) -> None:
    audit = house.begun(house.by_customer(process=house.process))
    house.find(audit)
    workflow.release(audit, by=house.lead)
    raised = Nonconformity.objects.get()
    assert (raised.owner, raised.process) == (house.owner, house.process)


# Pages


@pytest.mark.parametrize("kind", Audit.Kind.values)
@pytest.mark.slow
def test_the_form_of_a_kind_asks_for_what_it_needs(house: House, client: Client, kind: str) -> None:
    factories.sign_in(client, house.lead)
    page = f"{reverse('audits:audit_create')}?kind={kind}"
    answer = client.get(page)
    assert answer.context["form"]["edition"].value() == current.edition()
    shown = answer.content.decode()
    asked = {name for name in ("process", "provider", "customer") if f'name="{name}"' in shown}
    wanted = {
        "internal": {"process"},
        "special": {"process"},
        "supplier": {"provider"},
        "customer": {"customer", "process"},
    }
    assert asked == wanted[kind]
    shown_first = str(answer.context["form"].fields["clauses"].choices[0][0])
    assert shown_first.endswith(f"({current.edition()})")
    given = {name: getattr(house, name).pk for name in asked}
    answer = client.post(
        page,
        given
        | {
            "planned_on": today().isoformat(),
            "days": 1,
            "lead": house.lead.pk,
            "edition": "2026",
            "method": "on_site",
            "why_now": "Three complaints.",
        },
    )
    assert answer.status_code == 303, answer.content.decode()
    made = Audit.objects.get()
    assert made.kind == kind
    for page in (made.get_absolute_url(), reverse("audits:audit_list")):
        assert made.subject.name in client.get(page).content.decode()
    assert client.get(reverse("audits:audit_pdf", args=[made.pk])).status_code == 200
