"""A programme proposes, is taken over, approved, moved; and its holes stay visible (9.2.1)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from audits import coverage, planning, workflow
from audits.models import Audit, AuditProgramme
from audits.prints import coverage_pdf
from audits.programme import HoleKind
from qms.periods import Period, today
from qms.refusals import Refused, Stale
from qms.scope.models import Process
from qms.scope.workflow import activate, close_for, closed_days, create_process, set_up_organisation
from qms.workflow import amend
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.2.1")]


class Firm:
    """Two processes, two lead auditors, who lead what they do not own."""

    def __init__(self) -> None:
        self.quality = factories.person("quality_manager", "lead_auditor", name="Quinn")
        self.boss = factories.person("top_management", name="Bo")
        self.lead = factories.person("lead_auditor", name="Lea")
        self.other = factories.person("lead_auditor", "process_owner", name="Omar")
        self.casting = self.process("CA", self.other, clauses=["2026:8.5.1"], importance=5)
        self.buying = self.process("BU", self.quality, clauses=["2026:8.4.1"])

    def process(self, code: str, owner: Any, **more: Any) -> Any:
        made = create_process(
            by=self.quality, code=code, name=f"Process {code}", owner=owner, **more
        )
        return activate(made, by=self.quality)

    def programme(self, **more: Any) -> AuditProgramme:
        facts = {
            "title": "Audits",
            "starts_on": today(),
            "objectives": "Find out.",
            "risks": "Illness.",
            "methods": "On site.",
            "resources": "Two auditors.",
        }
        return workflow.create_programme(by=self.quality, **(facts | more))

    def taken_over(self, programme: AuditProgramme) -> list[Audit]:
        found = planning.proposal_for(programme, today())
        chosen = [workflow.key_of(each) for each in found.audits if each.auditor]
        return workflow.take_over(
            programme, by=self.quality, chosen=chosen, seen=workflow.seal_of(found)
        )

    def approved(self, programme: AuditProgramme) -> AuditProgramme:
        return workflow.approve(programme, by=self.boss, proof=factories.proof(self.boss))


@pytest.fixture
def firm() -> Firm:
    return Firm()


def test_the_proposal_becomes_planned_audits_without_holes(firm: Firm) -> None:
    programme = firm.programme()
    made = firm.taken_over(programme)
    assert {audit.process for audit in made} == {firm.casting, firm.buying}
    assert firm.other not in {a.lead for a in made if a.process == firm.casting}
    assert firm.quality not in {a.lead for a in made if a.process == firm.buying}
    for audit in made:
        assert audit.window_start <= audit.planned_on <= audit.window_end
        assert "importance" in audit.why_now
    kinds = {hole.kind for hole in planning.holes(programme, today())}
    assert kinds <= {HoleKind.CLAUSE}
    assert not planning.proposal_for(programme, today()).audits


def test_the_same_facts_give_the_same_proposal_and_others_refuse_what_was_seen(firm: Firm) -> None:
    programme = firm.programme()
    seen = workflow.seal_of(planning.proposal_for(programme, today()))
    assert seen == workflow.seal_of(planning.proposal_for(programme, today()))
    firm.process("NEW", firm.other)
    with pytest.raises(Stale, match="Look at it again"):
        workflow.take_over(programme, by=firm.quality, chosen=["x"], seen=seen)
    assert not Audit.objects.exists()


def test_nobody_else_takes_over_or_approves(firm: Firm) -> None:
    programme = firm.programme()
    with pytest.raises(PermissionDenied):
        workflow.take_over(programme, by=firm.boss, chosen=[], seen="")
    with pytest.raises(Refused, match="plans no audit"):
        firm.approved(programme)
    firm.taken_over(programme)
    with pytest.raises(PermissionDenied):
        workflow.approve(programme, by=firm.quality, proof=factories.proof(firm.quality))
    assert firm.approved(programme).approved_by == firm.boss


def test_a_programme_that_does_not_say_its_risks_is_not_approved(firm: Firm) -> None:
    programme = firm.programme(risks="")
    firm.taken_over(programme)
    with pytest.raises(Refused, match="risks of the programme"):
        firm.approved(programme)


def test_beyond_the_window_only_who_approves_the_programme_postpones(firm: Firm) -> None:
    programme = firm.programme()
    audit = firm.taken_over(programme)[0]
    firm.approved(programme)
    beyond = audit.window_end + timedelta(days=1)
    with pytest.raises(Refused, match="Beyond it"):
        workflow.postpone(audit, by=firm.lead, planned_on=beyond, reason="Illness.")
    with pytest.raises(Refused, match="Beyond it"):
        amend(audit, by=firm.quality, changes={"planned_on": beyond})
    workflow.postpone(audit, by=firm.lead, planned_on=audit.window_end, reason="Illness.")
    workflow.postpone(audit, by=firm.boss, planned_on=beyond, reason="Agreed.")
    audit.refresh_from_db()
    assert audit.is_beyond_window
    assert audit.planned_on != audit.originally_planned_on


def test_an_audit_with_a_window_stays_in_its_programme_on_every_route(
    firm: Firm, client: Any
) -> None:
    audit = firm.taken_over(firm.programme())[0]
    other = firm.programme(title="Other")
    for programme in (None, other):
        with pytest.raises(Refused, match="stays in it"):
            amend(audit, by=firm.quality, changes={"programme": programme})
    client.force_login(firm.quality)
    page = client.get(f"{audit.get_absolute_url()}edit/")
    form = page.context["form"]
    typed = {name: form[name].value() or "" for name in form.fields} | {"programme": ""}
    assert client.post(f"{audit.get_absolute_url()}edit/", typed).status_code == 422
    audit.refresh_from_db()
    assert audit.programme is not None


def test_nothing_is_planned_in_a_programme_that_is_void(firm: Firm) -> None:
    gone = workflow.void_programme(firm.programme(), by=firm.quality, reason="A mistake.")
    facts = {"process": firm.casting, "planned_on": today(), "lead": firm.lead}
    with pytest.raises(Refused, match="nothing more is planned"):
        workflow.plan_audit(by=firm.quality, programme=gone, **facts)
    audit = workflow.plan_audit(by=firm.quality, **facts)
    with pytest.raises(Refused, match="nothing more is planned"):
        amend(audit, by=firm.quality, changes={"programme": gone})


def test_closed_days_and_absences_keep_audits_away(firm: Firm) -> None:
    set_up_organisation(by=firm.quality, name="Firm", country="CA", time_zone="UTC", region="ON")
    start = today()
    close_for(by=firm.quality, starts_on=start, ends_on=start + timedelta(days=80), why="Rebuild")
    found = planning.proposal_for(firm.programme(), start)
    days = [each.day for each in found.audits if each.day]
    assert days
    assert min(days) > start + timedelta(days=80)
    year = Period(date(2027, 1, 1), date(2027, 12, 31))
    assert date(2027, 7, 1) in closed_days(year).everywhere
    with pytest.raises(Refused, match="does not lie before"):
        close_for(by=firm.quality, starts_on=start, ends_on=start - timedelta(days=1), why="x")


def test_the_matrix_shows_what_is_planned_audited_and_missing(firm: Firm) -> None:
    programme = firm.programme()
    empty = coverage.matrix(programme, firm.boss)
    at = [process.pk for process in empty.processes].index(firm.casting.pk)
    line = next(each for each in empty.lines if each.ref.number == "8.5.1")
    assert line.cells[at].state == "missing"
    firm.taken_over(programme)
    found = coverage.matrix(programme, firm.boss)
    line = next(each for each in found.lines if each.ref.number == "8.5.1")
    assert line.cells[at].state == "planned"
    assert [row.state for row in coverage.rows_of(found) if row.clause == "8.5.1"] == ["planned"]
    assert any("Clause 9.2.1" in hole.sentence for hole in found.holes)
    assert not any("8.5.1" in hole.sentence for hole in found.holes)


@pytest.mark.slow
def test_the_pages_open_and_take_over(firm: Firm, client: Any) -> None:
    programme = firm.programme()
    client.force_login(firm.quality)
    page = client.get(f"{programme.get_absolute_url()}proposal/")
    assert "Never a" not in page.text
    assert "Its importance is 5 of 5." in page.text
    seen = page.context["seen"]
    keys = [row["key"] for _, rows in page.context["years"] for row in rows if row["chosen"]]
    refused = client.post(f"{programme.get_absolute_url()}proposal/", {"seen": seen})
    assert refused.status_code == 422
    assert "Choose the audits" in refused.text
    stale = client.post(f"{programme.get_absolute_url()}proposal/", {"seen": "x", "chosen": keys})
    assert stale.status_code == 409
    done = client.post(f"{programme.get_absolute_url()}proposal/", {"seen": seen, "chosen": keys})
    assert done.status_code in {302, 303}
    assert programme.audits.count() == len(keys)
    detail = client.get(programme.get_absolute_url())
    assert firm.casting.name in detail.text
    matrix = client.get(f"{programme.get_absolute_url()}coverage/")
    assert "8.5.1" in matrix.text
    assert client.get(f"{programme.get_absolute_url()}coverage/?format=xlsx").status_code == 200
    printed = client.get(f"{programme.get_absolute_url()}coverage/?format=pdf")
    assert printed.content[:5] == b"%PDF-"


@pytest.mark.slow
def test_questions_of_proposal_and_matrix_do_not_grow_with_processes(
    firm: Firm, django_assert_max_num_queries: Any
) -> None:
    programme = firm.programme()
    for number in range(12):
        firm.process(f"P{number}", firm.other, clauses=["2026:8.5.1", "2026:8.6"])
    with django_assert_max_num_queries(40):
        planning.proposal_for(programme, today())
    firm.taken_over(programme)
    with django_assert_max_num_queries(8):
        coverage.matrix(programme, firm.boss)


@pytest.mark.slow
def test_forty_processes_and_every_clause_are_printed_on_one_page(firm: Firm) -> None:
    from pypdfium2 import PdfDocument

    programme = firm.programme(years=3)
    found = coverage.matrix(programme, firm.boss)
    many = tuple(Process(code=f"P{number}", name="Process") for number in range(40))
    cell = coverage.Cell("done", 1, 0, 2, 1)
    lines = tuple(replace(line, cells=(cell,) * 40) for line in found.lines)
    assert len(lines) >= 60
    document = PdfDocument(coverage_pdf(programme, replace(found, processes=many, lines=lines)))
    assert len(document) == 1
    assert "P39" in document[0].get_textpage().get_text_range()
