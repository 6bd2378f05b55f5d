"""Ways around the procedure of audits, as a cheat, a careless user or an auditee would try them."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import date, time, timedelta
from threading import Event
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.urls import reverse

from audits import planning, workflow
from audits.coverage import matrix
from audits.models import Audit, AuditNote, AuditReport, Finding
from audits.outside import audits_led
from audits.programme import HoleKind
from audits.workflow import reports as report_workflow
from qms.competence import workflow as competence
from qms.people.models import Person, RoleAssignment
from qms.people.workflow import deactivate, end_role
from qms.periods import add_months, today
from qms.refusals import Refused
from qms.scope.workflow import activate, create_process, staff_process
from qms.workflow import amend
from tests import factories
from tests.audits.test_workflow import Round

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.clause("9.2.2")]
WORDS = {"requirement": "Every part bears its number.", "evidence": "Part 7.", "statement": "None."}


@pytest.fixture
def round_() -> Round:
    return Round()


def signed_in(client: Client, person: Person) -> Client:
    client.force_login(person, backend="qms.people.access.RoleBackend")
    return client


def noon(day: date) -> str:
    return f"{day:%Y-%m-%d}T12:00Z"


def another_process(round_: Round, owner: Person, code: str = "PU") -> Any:
    made = create_process(by=round_.quality, code=code, name=f"Process {code}", owner=owner)
    return activate(made, by=round_.quality)


# What is not released is the team's


def half_done(round_: Round) -> Audit:
    audit = round_.started()
    item = audit.items.order_by("position").first()
    workflow.answer(item, by=round_.second, answer="nonconforming", note="The furnace is cold.")
    workflow.record_finding(
        audit, by=round_.second, grade="major", item=item, clause="2026:8.6", **WORDS
    )
    return audit


def test_an_auditee_reads_no_answer_before_the_findings_are_released(
    round_: Round, client: Client
) -> None:
    audit = half_done(round_)
    page = (
        signed_in(client, round_.owner)
        .get(audit.get_absolute_url())
        .content.decode()
        .partition("<main")[2]
    )
    assert "The furnace is cold." not in page
    assert "Nonconforming" not in page
    item = audit.items.order_by("position").first()
    field = client.get(item.get_absolute_url())  # the owner audits elsewhere, and has the role
    assert "The furnace is cold." not in field.content.decode()
    shown = signed_in(client, round_.second).get(audit.get_absolute_url()).content.decode()
    assert "The furnace is cold." in shown


def test_the_draft_of_the_report_on_paper_tells_an_auditee_nothing(
    round_: Round, client: Client
) -> None:
    audit = half_done(round_)
    address = f"{audit.get_absolute_url()}pdf/"

    def told(person: Person) -> str:
        content = signed_in(client, person).get(address).content
        text = subprocess.run(
            ["pdftotext", "-layout", "-", "-"],  # noqa: S607 - wherever poppler is
            input=content,
            capture_output=True,
            check=True,
        )
        return text.stdout.decode()

    drafted = told(round_.lead)
    assert "Not fulfilled in part" in drafted
    assert "The furnace is cold." in drafted
    seen = told(round_.owner)
    assert "fulfilled" not in seen
    assert "furnace" not in seen


def test_a_lead_auditor_reads_no_draft_about_a_process_of_their_own(
    round_: Round, client: Client
) -> None:
    owner = factories.person("lead_auditor", "process_owner")
    deputy, named = factories.person("lead_auditor"), factories.person("quality_manager")
    amend(round_.process, by=round_.quality, changes={"owner": owner}, reason="New owner.")
    staff_process(round_.process, by=round_.quality, deputies=[deputy], members=[], sites=[])
    audit = round_.planned(auditee=named)
    workflow.confirm(audit, by=round_.lead)
    workflow.start(audit, by=round_.lead)
    workflow.record_finding(audit, by=round_.second, grade="major", **WORDS)
    workflow.take_note(audit, by=round_.second, words="A lamp.")
    for answers in (owner, deputy, named):
        for model in (Finding, AuditNote, AuditReport):
            assert not model.objects.visible_to(answers).exists()
        assert not workflow.may_see_papers(audit, answers)
    for watches in (round_.lead, round_.second, round_.quality, factories.person("lead_auditor")):
        assert Finding.objects.visible_to(watches).count() == 1
        assert workflow.may_see_papers(audit, watches)


# Nobody audits their own work


def test_a_day_far_ahead_does_not_outlive_the_look_back(round_: Round) -> None:
    amend(
        round_.process,
        by=round_.quality,
        changes={"owner": factories.person("process_owner")},
        reason="New owner.",
    )
    audit = round_.planned(team=[round_.owner], planned_on=add_months(today(), 30))
    workflow.confirm(audit, by=round_.lead)
    with pytest.raises(Refused, match="owned the process until"):
        workflow.start(audit, by=round_.lead)
    workflow.record_exception(
        audit, by=round_.quality, person=round_.owner, reason="Nobody else.", mitigation="The lead."
    )
    assert workflow.start(audit, by=round_.lead).status == "in_progress"


def test_an_exception_for_one_process_excuses_in_no_other(round_: Round) -> None:
    audit = round_.planned(team=[round_.owner])
    workflow.record_exception(
        audit, by=round_.quality, person=round_.owner, reason="Nobody else.", mitigation="The lead."
    )
    other = another_process(round_, round_.owner)
    with pytest.raises(Refused, match="exception"):
        amend(audit, by=round_.lead, changes={"process": other})


def test_an_exception_excuses_only_from_what_it_names(round_: Round) -> None:
    skill = competence.define_competence(
        by=round_.quality, name="Auditing", meaning="Alone.", method="observed"
    )
    competence.require(by=round_.quality, competence=skill, role="auditor")
    audit = round_.planned()
    workflow.record_exception(
        audit,
        by=round_.quality,
        person=round_.second,
        reason="The course is full.",
        mitigation="The lead reads every note.",
    )
    amend(round_.process, by=round_.quality, changes={"owner": round_.second}, reason="New owner.")
    with pytest.raises(Refused, match="owns the process"):
        workflow.confirm(audit, by=round_.lead)


def test_a_part_in_a_process_of_ones_own_is_refused(round_: Round) -> None:
    own = another_process(round_, round_.second)
    audit = round_.planned()
    hours = {"starts_at": time(9), "ends_at": time(10), "process": own}
    with pytest.raises(Refused, match="owns the process"):
        workflow.add_slot(audit, by=round_.lead, auditor=round_.second, **hours)
    slot = workflow.add_slot(audit, by=round_.lead, auditor=round_.lead, **hours)
    amend(own, by=round_.quality, changes={"owner": round_.lead}, reason="New owner.")
    slot.refresh_from_db()
    with pytest.raises(Refused, match="owns the process"):
        workflow.confirm(audit, by=round_.lead)


def test_who_succeeds_a_lead_answers_for_nothing_of_the_process(round_: Round) -> None:
    owner = factories.person("lead_auditor", "process_owner", name="Olga Owner")
    amend(round_.process, by=round_.quality, changes={"owner": owner}, reason="New owner.")
    audit = round_.planned(auditee=round_.owner)
    workflow.confirm(audit, by=round_.lead)
    workflow.start(audit, by=round_.lead)
    for item in audit.items.all():
        workflow.answer(item, by=round_.lead, answer="conforms")
    round_.sign(audit, issues_itself=False)
    workflow.acknowledge(audit, by=round_.owner)
    deactivate(round_.lead, by=factories.person("administrator"), reason="Left.")
    with pytest.raises(PermissionDenied, match="owns the process"):
        workflow.issue(Audit.objects.get(pk=audit.pk), by=owner)
    other = factories.person("lead_auditor")
    assert workflow.issue(Audit.objects.get(pk=audit.pk), by=other).status == "issued"


def test_who_takes_over_a_running_audit_has_the_competence(round_: Round) -> None:
    skill = competence.define_competence(
        by=round_.quality, name="Leading audits", meaning="Alone.", method="observed"
    )
    competence.require(by=round_.quality, competence=skill, role="lead_auditor")
    competence.record_competence(
        by=round_.quality, person=round_.lead, competence=skill, level=3, evidence="Seen."
    )
    round_.started()
    fresh = factories.person("lead_auditor", name="Nora New")
    [holding] = audits_led(round_.lead)
    assert "Leading audits" in holding.why_not(fresh)


def test_who_lost_the_role_since_it_was_confirmed_does_not_start_as_lead(round_: Round) -> None:
    audit = round_.planned()
    workflow.confirm(audit, by=round_.lead)
    take_role(round_.lead, "lead_auditor")
    with pytest.raises(Refused, match=r"is no lead auditor|no auditor's role"):
        workflow.start(audit, by=round_.second)


def test_who_is_still_in_an_audit_is_in_no_other(round_: Round) -> None:
    running = round_.planned(days=3)
    workflow.confirm(running, by=round_.lead)
    workflow.start(running, by=round_.lead)
    other = round_.planned(planned_on=today() + timedelta(days=1))
    with pytest.raises(Refused, match=running.number):
        workflow.confirm(other, by=round_.lead)


def test_no_edit_moves_an_audit_to_a_later_day_without_a_reason(round_: Round) -> None:
    audit = round_.planned(planned_on=today() + timedelta(days=9))
    with pytest.raises(Refused, match="Postpone it"):
        amend(audit, by=round_.lead, changes={"planned_on": today() + timedelta(days=10)})
    amend(audit, by=round_.lead, changes={"planned_on": today() + timedelta(days=8)})
    workflow.postpone(
        audit, by=round_.lead, planned_on=today() + timedelta(days=20), reason="Stocktaking."
    )
    assert audit.originally_planned_on == today() + timedelta(days=9)


# What is reported stands


def test_no_exception_is_recorded_after_the_audit_began(round_: Round) -> None:
    audit = round_.issue(round_.answered())
    amend(round_.process, by=round_.quality, changes={"owner": round_.second}, reason="New owner.")
    with pytest.raises(Refused, match="before"):
        workflow.record_exception(
            audit, by=round_.quality, person=round_.second, reason="It was so.", mitigation="None."
        )


@pytest.mark.django_db(transaction=True)
def test_the_report_is_not_edited_while_it_is_being_signed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    round_ = Round()
    audit = round_.answered()
    report = AuditReport.objects.get(audit=audit)
    texts = dict.fromkeys(AuditReport.TEXTS, "Written.")
    amend(report, by=round_.lead, changes=texts)
    signing, complete = Event(), report_workflow.complete_report

    def slowly(audit: Audit, *, by: Any) -> None:
        complete(audit, by=by)
        signing.set()
        edited.wait(timeout=2)

    edited = Event()
    monkeypatch.setattr(report_workflow, "complete_report", slowly)

    def edit() -> str:
        signing.wait(timeout=10)
        try:
            amend(
                AuditReport.objects.get(pk=report.pk),
                by=Person.objects.get(pk=round_.second.pk),
                changes={"fulfilment": "Changed."},
            )
            return "changed"
        except Refused as refusal:
            return str(refusal)
        finally:
            edited.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(edit)
        round_.sign(audit)
        assert "signed" in outcome.result(timeout=20)
    report.refresh_from_db()
    assert report.fulfilment == "Written."


def test_only_the_lead_takes_back_the_draft_of_an_addendum(round_: Round) -> None:
    audit = round_.issue(round_.answered())
    addendum = workflow.draft_addendum(audit, by=round_.lead, text="It was line 2.", reason="Typo.")
    other = factories.person("lead_auditor")
    with pytest.raises((PermissionDenied, Refused), match="Only the lead auditor"):
        workflow.void_addendum(addendum, by=other, reason="I would rather not.")


def test_a_softened_finding_stays_told_when_it_is_merged(round_: Round) -> None:
    audit = round_.answered()
    grave = workflow.record_finding(audit, by=round_.second, grade="major", **WORDS)
    kept = workflow.record_finding(audit, by=round_.second, grade="opportunity", **WORDS)
    workflow.soften(
        grave, by=round_.lead, grade="opportunity", softened_because="One part of a hundred."
    )
    workflow.merge(grave, by=round_.lead, into=kept.position)
    kept.refresh_from_db()
    assert (kept.softened_from, kept.softened_because) == ("major", "One part of a hundred.")


def test_a_draft_that_was_softened_is_taken_back_by_the_lead_alone(round_: Round) -> None:
    audit = round_.answered()
    grave = workflow.record_finding(audit, by=round_.second, grade="major", **WORDS)
    workflow.soften(grave, by=round_.lead, grade="observation", softened_because="One of many.")
    with pytest.raises((PermissionDenied, Refused), match="Only the lead auditor"):
        workflow.void_finding(grave, by=round_.second, reason="Gone.")
    assert Finding.objects.get(pk=grave.pk).status == "draft"


# What pages count


def test_the_coverage_counts_no_draft_whoever_looks(round_: Round) -> None:
    programme = workflow.create_programme(
        by=round_.quality, title="The year", starts_on=today() - timedelta(days=30)
    )
    audit = half_done(round_)

    def counted() -> int:
        found = matrix(programme, round_.lead)
        return sum(cell.findings for line in found.lines for cell in line.cells)

    assert counted() == 0
    for item in audit.items.filter(answer=""):
        workflow.answer(item, by=round_.second, answer="conforms")
    workflow.release(audit, by=round_.lead)
    assert counted() > 0


def test_an_audit_that_did_not_take_place_covers_nothing_on_its_day(round_: Round) -> None:
    start = today()
    programme = workflow.create_programme(
        by=round_.quality, title="Three years", starts_on=start, years=3
    )
    round_.planned(planned_on=start + timedelta(days=30))
    first = programme.cycle[0]
    with time_machine.travel(noon(start + timedelta(days=500)), tick=False):
        holes = planning.holes(programme, today())
        found = matrix(programme, round_.quality, first)
    assert first in [hole.window for hole in holes if hole.kind == HoleKind.YEAR]
    assert not any(cell.planned for line in found.lines for cell in line.cells)
    assert planning.last_audits([round_.process.pk]) == {round_.process.pk: None}


def test_an_audit_without_a_window_is_on_time_by_the_day_first_planned(
    round_: Round, client: Client
) -> None:
    programme = workflow.create_programme(
        by=round_.quality, title="The year", starts_on=today() - timedelta(days=30)
    )
    audit = round_.planned(programme=programme, planned_on=today() - timedelta(days=9))
    workflow.postpone(audit, by=round_.lead, planned_on=today(), reason="Stocktaking.")
    workflow.confirm(audit, by=round_.lead)
    workflow.start(audit, by=round_.lead)
    for item in audit.items.all():
        workflow.answer(item, by=round_.lead, answer="conforms")
    round_.issue(audit)
    page = signed_in(client, round_.quality).get(programme.get_absolute_url())
    assert (page.context["reported"], page.context["on_time"]) == (1, 0)


# Editions, links, dates


def test_an_audit_names_clauses_of_its_own_edition(round_: Round) -> None:
    with pytest.raises(Refused, match="edition"):
        round_.planned(edition="2026", clauses=["2015:8.6"])
    audit = round_.planned()
    with pytest.raises(Refused, match="edition"):
        amend(audit, by=round_.lead, changes={"edition": "2015"})
    amend(audit, by=round_.lead, changes={"edition": "2015", "clauses": ["2015:8.6"]})


def test_a_calendar_link_tells_nothing_once_the_role_is_gone(round_: Round, client: Client) -> None:
    round_.planned()
    feed = workflow.open_feed(by=round_.second)
    address = reverse("calendar_feed", args=[feed.token])
    assert b"BEGIN:VEVENT" in client.get(address).content
    take_role(round_.second, "auditor")
    assert b"BEGIN:VEVENT" not in client.get(address).content


def take_role(person: Person, role: str) -> None:
    admin = factories.person("administrator")
    end_role(
        RoleAssignment.objects.get(person=person, role=role, status="held"),
        by=admin,
        reason="Another job.",
    )


def test_only_a_day_that_has_come_is_the_issue_of_a_certificate() -> None:
    with time_machine.travel("2026-02-20T12:00Z", tick=False) as clock:
        quality = factories.person("quality_manager")
        body = workflow.enter_body(by=quality, name="Northern Register")
        certificate = workflow.apply_for_certificate(by=quality, body=body, scope_text="Valves.")
        visit = workflow.plan_visit(
            by=quality, certificate=certificate, kind="stage2", planned_on=today()
        )
        workflow.record_visit(visit, by=quality, done_on=today(), result="Good.")
        clock.move_to(noon(date(2026, 3, 12)))
        workflow.grant(
            certificate,
            by=quality,
            number="NR 77",
            decided_on=date(2026, 3, 10),
            issued_on=date(2026, 3, 12),
            expires_on=date(2029, 3, 9),
        )
        with pytest.raises(Refused, match="future"):
            amend(certificate, by=quality, changes={"issued_on": date(2026, 5, 1)})
