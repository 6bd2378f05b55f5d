"""Certificates and their cycles: what the page says on a day, and what the body decided."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client

from audits import workflow
from audits.models import Certificate, CertificationAudit, CertificationBody
from audits.readiness import asked_at
from qms import clock
from qms.periods import today
from qms.refusals import Refused
from qms.scope.workflow import activate, add_site, create_process
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories

pytestmark = pytest.mark.django_db
EARLIER = "What the body found before"
DECIDED, ISSUED, EXPIRES = date(2026, 3, 10), date(2026, 3, 12), date(2029, 3, 10)


class Office:
    """A quality manager with a certificate that was decided on 10 March 2026."""

    def __init__(self, clock: time_machine.Traveller) -> None:
        self.clock = clock
        self.quality = factories.person("quality_manager")
        self.certificate = self.apply()
        self.visit("stage2", date(2026, 2, 20))
        self.at(ISSUED)
        self.grant(self.certificate)

    def at(self, day: date) -> None:
        self.clock.move_to(f"{day:%Y-%m-%d}T15:00Z")

    def apply(self, **more: object) -> Certificate:
        given = {"body": self.body(), "scope_text": "Making valves."} | more
        return workflow.apply_for_certificate(by=self.quality, **given)

    def body(self, name: str = "Northern Register", **terms: object) -> CertificationBody:
        known = CertificationBody.objects.filter(name=name).first()
        return known or workflow.enter_body(by=self.quality, name=name, **terms)

    def grant(self, certificate: Certificate, **more: object) -> Certificate:
        printed = {"decided_on": DECIDED, "issued_on": ISSUED, "expires_on": EXPIRES} | more
        return workflow.grant(certificate, by=self.quality, number="NR 77", **printed)

    def plan(self, kind: str, day: date) -> CertificationAudit:
        return workflow.plan_visit(
            by=self.quality, certificate=self.certificate, kind=kind, planned_on=day
        )

    def visit(self, kind: str, day: date) -> CertificationAudit:
        self.at(day)
        return workflow.record_visit(
            self.plan(kind, day), by=self.quality, done_on=day, result="Continued."
        )

    def steps(self, certificate: Certificate | None = None) -> dict[str, date]:
        found = (certificate or self.certificate).pk
        rows = WorkItem.objects.filter(record_type__model="certificate", record_id=found)
        return dict(rows.values_list("step", "due"))

    def page(self, certificate: Certificate | None = None) -> str:
        client = Client()
        client.force_login(self.quality, backend="qms.people.access.RoleBackend")
        answer = client.get((certificate or self.certificate).get_absolute_url())
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())


@pytest.fixture
def office() -> Iterator[Office]:
    with time_machine.travel("2026-02-01T15:00Z", tick=False) as clock:
        yield Office(clock)


def test_the_page_shows_every_day_of_the_cycle(office: Office) -> None:
    page = office.page()
    assert "The first surveillance is due by 10 March 2027, 12 months after the decision." in page
    assert "A surveillance is due in 2027, as in each calendar year." in page
    assert "A surveillance is due in 2028, as in each calendar year." in page
    assert "The recertification is decided before 10 March 2029, or the certificate" in page
    assert page.count("A surveillance is due in") == 2
    assert "It is valid through 10 March 2029." in page
    assert "10 Sep 2029" in page
    assert page.count(">Next<") == 1
    assert page.count(">Later<") == 3


def test_a_visit_is_shown_at_each_duty_it_met(office: Office) -> None:
    office.visit("surveillance", date(2027, 3, 10))
    page = office.page()
    assert page.count(">Met<") == 2
    office.at(date(2029, 1, 1))
    assert "Missed" in office.page()


def test_a_surveillance_after_twelve_months_is_met_late_and_serves_its_year(office: Office) -> None:
    office.visit("surveillance", date(2027, 3, 11))
    page = office.page()
    assert page.count(">Met late<") == page.count(">Met<") == 1


def test_the_quality_manager_agrees_on_visits_and_prepares_the_next_cycle(office: Office) -> None:
    assert office.steps() == {"agree": date(2026, 12, 10), "renew": date(2028, 11, 10)}
    planned = office.plan("surveillance", date(2027, 2, 15))
    assert office.steps()["agree"] == date(2028, 9, 30)
    workflow.void_visit(planned, by=office.quality, reason="The body moved it.")
    assert office.steps()["agree"] == date(2026, 12, 10)
    office.visit("surveillance", date(2027, 3, 1))
    office.visit("surveillance", date(2028, 3, 1))
    assert office.steps() == {"renew": date(2028, 11, 10)}
    following = office.apply(predecessor=office.certificate)
    assert office.steps() == {}
    workflow.withdraw(following, by=office.quality, reason="Another body.")
    assert office.steps() == {"renew": date(2028, 11, 10)}


def test_a_suspension_is_known_by_its_days_and_has_to_be_ended(office: Office) -> None:
    office.at(date(2027, 4, 1))
    workflow.suspend(
        office.certificate, by=office.quality, reason="No visit.", began_on=date(2027, 3, 31)
    )
    assert office.steps()["end_suspension"] == date(2027, 9, 30)
    page = office.page()
    assert "It is not valid while it is suspended." in page
    assert "do not advertise" in page
    assert not Certificate.objects.valid(today()).exists()
    with pytest.raises(Refused, match="ends after"):
        workflow.lift(
            office.certificate, by=office.quality, reason="Back.", ended_on=date(2027, 3, 30)
        )
    office.at(date(2027, 6, 1))
    workflow.lift(office.certificate, by=office.quality, reason="Back.", ended_on=date(2027, 6, 1))
    assert office.certificate.status == "restored"
    assert office.certificate.expires_on == EXPIRES
    page = office.page()
    assert "31 Mar 2027" in page
    assert "1 Jun 2027" in page
    with pytest.raises(Refused, match="this one begins later"):
        workflow.suspend(
            office.certificate, by=office.quality, reason="Again.", began_on=date(2027, 5, 1)
        )


def test_the_next_cycle_follows_and_the_twelve_months_are_the_first_ones_alone(
    office: Office,
) -> None:
    office.visit("recertification", date(2029, 1, 15))
    assert "Decision awaited" in office.page()
    following = office.apply(predecessor=office.certificate)
    assert following.cycle == 2
    office.at(date(2029, 2, 20))
    days = {"decided_on": date(2029, 2, 20), "issued_on": date(2029, 2, 20)}
    office.grant(following, expires_on=date(2032, 3, 10), **days)
    page = office.page(following)
    assert "The first surveillance" not in page
    assert [f"due in {year}" in page for year in (2030, 2031, 2032)] == [True, True, False]
    assert "usually it would be" not in page
    assert "Recertification, " in office.page()
    assert "20 Feb 2029" in office.page()
    with pytest.raises(Refused, match="followed already"):
        office.apply(predecessor=office.certificate)


def test_after_the_restoration_window_a_cycle_begins_with_a_stage_2(office: Office) -> None:
    office.visit("recertification", date(2029, 3, 1))
    office.at(date(2029, 9, 11))
    assert "could be restored until 10 September 2029" in office.page()
    workflow.expire(office.certificate, by=office.quality)
    following = office.apply(predecessor=office.certificate)
    late = {"issued_on": date(2029, 9, 11), "expires_on": date(2032, 3, 10)}
    with pytest.raises(Refused, match="a stage 2 is needed"):
        office.grant(following, decided_on=date(2029, 9, 11), **late)
    office.grant(following, decided_on=date(2029, 9, 10), **late)


def test_an_expired_certificate_is_restorable_through_the_last_day(office: Office) -> None:
    office.at(date(2029, 9, 10))
    assert "It can be restored until 10 September 2029" in office.page()


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ({"expires_on": ISSUED}, "valid beyond the day it was issued"),
        ({"expires_on": date(2026, 3, 1)}, "Type the last day it is valid through"),
        ({"issued_on": date(2026, 3, 9)}, "not issued before it was decided"),
        ({"issued_on": date(2026, 3, 13)}, "cannot be issued in the future"),
    ],
)
def test_days_that_no_certificate_bears_are_refused(
    office: Office, days: dict[str, date], said: str
) -> None:
    other = office.apply(body=office.body("Another body"))
    visit = workflow.plan_visit(
        by=office.quality, certificate=other, kind="stage2", planned_on=today()
    )
    workflow.record_visit(visit, by=office.quality, done_on=today(), result="Recommended.")
    with pytest.raises(Refused, match=said):
        office.grant(other, **days)
    other.refresh_from_db()
    assert other.status == "applied"


def test_a_certificate_that_expires_before_its_issue_is_a_sentence_at_its_field(
    office: Office,
) -> None:
    client = Client()
    client.force_login(office.quality, backend="qms.people.access.RoleBackend")
    answer = client.post(
        f"{office.certificate.get_absolute_url()}edit/",
        {
            "edition": "2026",
            "scope_text": "Making valves.",
            "number": "NR 77",
            "decided_on": "2026-03-10",
            "issued_on": "2026-03-12",
            "expires_on": "2026-03-11",
            "reason": "A slip.",
            "version": office.certificate.version,
        },
    )
    assert answer.status_code == 422
    assert "Type the last day it is valid through" in answer.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        office.certificate.expires_on = ISSUED
        office.certificate.save_because("Around the check.", by=office.quality)


def test_a_longer_validity_than_usual_is_a_hint_and_blocks_nothing(office: Office) -> None:
    amend(
        office.certificate,
        by=office.quality,
        changes={"expires_on": date(2029, 4, 10)},
        reason="As printed.",
    )
    assert "usually it would be through 10 March 2029" in office.page()


def test_the_2015_edition_tells_when_it_ends(office: Office) -> None:
    changes = {"edition": "2015", "expires_on": date(2029, 10, 1)}
    amend(office.certificate, by=office.quality, changes=changes, reason="As printed.")
    page = office.page()
    assert "end on <time" in page
    assert "Confirm both days with your certification body." in page
    assert "is printed valid beyond" in page


def test_a_transfer_goes_on_in_the_same_cycle_at_the_other_body(office: Office) -> None:
    office.at(date(2027, 5, 1))
    workflow.transfer(
        office.certificate,
        by=office.quality,
        reason="They no longer come here.",
        transferred_to="Southern Register",
        transferred_on=date(2027, 5, 1),
    )
    page = office.page()
    assert "Southern Register took it over on 1 May 2027." in page
    assert "No longer due" in page
    following = office.apply(predecessor=office.certificate, body=office.body("Southern Register"))
    assert following.cycle == 1
    days = {"decided_on": date(2027, 5, 1), "issued_on": date(2027, 5, 1)}
    office.grant(following, **days)
    assert "The first surveillance" not in office.page(following)


def test_sites_stand_on_the_certificate_and_go_with_the_next(office: Office) -> None:
    site = add_site(by=office.quality, name="Mill Road")
    workflow.cover_sites(office.certificate, by=office.quality, sites=[site])
    assert "Mill Road" in office.page()
    client = Client()
    client.force_login(office.quality, backend="qms.people.access.RoleBackend")
    form = client.get("/audits/certificates/new/", {"predecessor": office.certificate.pk})
    assert "Northern Register" in form.content.decode()
    assert "checked" in form.content.decode()


def test_a_reduced_scope_can_be_reduced_again_and_says_what_remains(office: Office) -> None:
    for left in ("Making small valves.", "Making gate valves."):
        workflow.reduce_scope(
            office.certificate, by=office.quality, reason="Sold a line.", scope_text=left
        )
    with pytest.raises(Refused, match="as it was"):
        workflow.reduce_scope(
            office.certificate, by=office.quality, reason="Again.", scope_text=left
        )
    assert "Making gate valves." in office.page()
    assert Certificate.objects.valid(today() + timedelta(days=1)).exists()


def test_a_body_stands_with_its_terms_and_what_its_visits_come_to(office: Office) -> None:
    body = office.body()
    planned = office.plan("surveillance", date(2027, 2, 15))
    changes = {"audit_days": Decimal("2.5"), "cost": Decimal("4200.00")}
    amend(planned, by=office.quality, changes=changes)
    client = Client()
    client.force_login(office.quality, backend="qms.people.access.RoleBackend")
    page = client.get(body.get_absolute_url()).content.decode()
    assert "2.5" in page
    assert "4,200" in page
    assert "30 days" in page
    assert "90 days" in page
    amend(body, by=office.quality, changes={"plan_days_major": 14}, reason="New contract.")
    assert "14 days" in client.get(body.get_absolute_url()).content.decode()


def test_a_body_is_entered_once_and_its_contract_ends_after_it_begins(office: Office) -> None:
    with pytest.raises(Refused, match="here already"):
        workflow.enter_body(by=office.quality, name="northern register")
    other = office.body("Southern Register", contract_from=date(2026, 1, 1))
    with pytest.raises(Refused, match="ends before it begins"):
        changes = {"contract_until": date(2025, 12, 31)}
        amend(other, by=office.quality, changes=changes, reason="Signed.")


def test_a_visit_that_moves_out_of_its_window_is_to_be_agreed_on_again(office: Office) -> None:
    planned = office.plan("surveillance", date(2027, 3, 10))
    assert office.steps()["agree"] == date(2028, 9, 30)
    amend(planned, by=office.quality, changes={"planned_on": date(2027, 3, 11)})
    assert office.steps()["agree"] == date(2026, 12, 10)


def test_before_stage_2_what_was_never_audited_or_reviewed_is_in_the_way(office: Office) -> None:
    owner = factories.person("process_owner")
    made = create_process(by=office.quality, code="PR", name="Production", owner=owner)
    activate(made, by=office.quality)
    office.at(date(2026, 4, 1))
    planned = office.plan("stage2", date(2026, 5, 1))
    client = Client()
    client.force_login(office.quality, backend="qms.people.access.RoleBackend")
    page = client.get(f"{planned.get_absolute_url()}readiness/").content.decode()
    assert "Production was never audited." in page
    assert "No audit ever looked at 4.1" in page
    found = {each.question: each for each in asked_at(planned, clock.now(), office.quality)}
    assert found["The management review"].blockers
    assert found["Every process and clause was audited"].blockers
    assert "%" not in page.split("<main", 1)[1].split("</main>", 1)[0]


@pytest.mark.slow
def test_each_stage_asks_its_own_questions(office: Office) -> None:
    office.at(date(2026, 4, 1))
    for kind in CertificationAudit.Kind.values:
        planned = office.plan(kind, date(2026, 5, 1))
        asked = asked_at(planned, clock.now(), office.quality)
        assert len({each.question for each in asked}) == len(asked) >= 2
        assert all(each.counts or each.blockers for each in asked if each.question != EARLIER)
