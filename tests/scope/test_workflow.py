"""Scope: one owner for a process that runs, one approved statement, nothing left out lightly."""

from functools import partial
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from qms import contributions, events
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused, Stale
from qms.scope import workflow
from qms.scope.models import (
    NotApplicable,
    Organisation,
    Process,
    ProcessMember,
    ScopeStatement,
    Site,
    StatementSite,
)
from qms.signing.models import Signature
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories
from tests.kernel.test_workflow import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.clause("4.3")]
DESIGN = "2026:8.3.1"
WHY = "We build to the drawings of our customers and develop nothing of our own."


class Firm:
    """A small firm with a process, a site and the people of a scope statement."""

    def __init__(self) -> None:
        self.manager = factories.person("quality_manager", name="Quinn Manager")
        self.boss = factories.person("top_management", name="Bo Boss")
        self.owner = factories.person("process_owner", name="Ola Owner")
        self.site = workflow.add_site(by=self.manager, name="Main plant", headcount=40)
        self.process = workflow.create_process(
            by=self.manager, code="pr", name="Production", owner=self.owner, sites=[self.site]
        )
        workflow.activate(self.process, by=self.manager)

    def organisation(self, zone: str = "America/Toronto") -> Organisation:
        return workflow.set_up_organisation(
            by=self.manager, name="Maple Parts", country="CA", time_zone=zone
        )

    def draft(self, **more: Any) -> ScopeStatement:
        fields: dict[str, Any] = {
            "by": self.manager,
            "statement": "Machined parts for vehicles, made in Hamilton.",
            "products_and_services": "Turned and milled parts.",
            "processes": [self.process],
            "sites": [self.site],
        }
        return workflow.draft_statement(**{**fields, **more})

    def approved(self, **more: Any) -> ScopeStatement:
        statement = workflow.submit(self.draft(**more), by=self.manager)
        return workflow.approve(statement, by=self.boss, proof=factories.proof(self.boss))


@pytest.fixture
def firm() -> Firm:
    return Firm()


# The organisation


def test_the_organisation_is_set_up_once_and_gives_the_zone(firm: Firm) -> None:
    firm.organisation()
    assert str(contributions.zone()) == "America/Toronto"
    with pytest.raises(Refused, match="already"):
        firm.organisation()


def test_a_changed_zone_is_seen_at_once(firm: Firm) -> None:
    organisation = firm.organisation()
    assert str(contributions.zone()) == "America/Toronto"
    amend(organisation, by=firm.manager, changes={"time_zone": "Europe/London"}, reason="Moved.")
    assert str(contributions.zone()) == "Europe/London"


def test_a_wrong_zone_is_refused_with_an_example(firm: Firm) -> None:
    with pytest.raises(Refused, match="America/Toronto"):
        firm.organisation("Toronto")


def test_only_the_quality_manager_or_an_administrator_sets_it_up(firm: Firm) -> None:
    for role in ("employee", "process_owner", "top_management", "lead_auditor"):
        with pytest.raises(PermissionDenied):
            workflow.set_up_organisation(
                by=factories.person(role), name="X", country="GB", time_zone="Europe/London"
            )


# Sites and processes


@pytest.mark.clause("4.4")
def test_a_process_runs_only_with_an_owner(firm: Firm) -> None:
    process = workflow.create_process(by=firm.manager, code="HR", name="People")
    with pytest.raises(Refused, match="owner first"):
        workflow.activate(process, by=firm.manager)
    amend(process, by=firm.manager, changes={"owner": firm.owner})
    assert workflow.activate(process, by=firm.manager).status == "active"


@pytest.mark.clause("4.4")
def test_the_database_holds_a_running_process_to_an_owner(firm: Firm) -> None:
    firm.process.owner = None
    with pytest.raises(IntegrityError), transaction.atomic():
        firm.process.save_because("Nobody", by=firm.manager)


def test_who_answers_for_another_process_does_not_change_this_one(firm: Firm) -> None:
    other = factories.person("process_owner")
    with pytest.raises(PermissionDenied):
        amend(firm.process, by=other, changes={"name": "Mine"}, reason="x")
    with pytest.raises(PermissionDenied):
        workflow.staff_process(firm.process, by=other, members=[other], sites=[])


def test_codes_are_given_once_whatever_their_case(firm: Firm) -> None:
    with pytest.raises(Refused, match="PR already"):
        workflow.create_process(by=firm.manager, code="Pr", name="Again")


def test_who_works_in_a_process_is_ended_and_kept(firm: Firm) -> None:
    worker = factories.person()
    workflow.staff_process(firm.process, by=firm.owner, members=[worker], sites=[firm.site])
    workflow.staff_process(firm.process, by=firm.owner, members=[], sites=[firm.site])
    link = ProcessMember.objects.get(process=firm.process, person=worker)
    assert link.ended
    assert link.history.count() == 2


def test_a_site_closes_when_nothing_runs_there(firm: Firm) -> None:
    with pytest.raises(Refused, match="PR"):
        workflow.close_site(firm.site, by=firm.manager, reason="Sold")
    workflow.staff_process(firm.process, by=firm.owner, members=[], sites=[])
    assert workflow.close_site(firm.site, by=firm.manager, reason="Sold").status == "closed"
    assert workflow.reopen_site(firm.site, by=firm.manager, reason="Kept").status == "active"


def test_a_change_of_owner_is_told_with_who_it_was(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    for event in (workflow.ProcessChanged, workflow.OwnerChanged):
        heard = [
            *events._handlers.get(event, []),
            events.Registered(1, event.__name__, told.append),
        ]
        monkeypatch.setitem(events._handlers, event, heard)
    heir = factories.person("process_owner")
    amend(firm.process, by=firm.manager, changes={"owner": heir}, reason="Ola retires.")
    owner, changed = told
    assert (owner.before, owner.process.owner, owner.by) == (firm.owner, heir, firm.manager)
    assert changed.fields == ("owner",)


# Statements


def test_a_statement_is_approved_with_a_signature_and_takes_over(firm: Firm) -> None:
    first = firm.approved()
    assert (first.status, first.approved_by, first.approved_on) == ("approved", firm.boss, today())
    [signature] = Signature.objects.of(first)
    assert (signature.meaning, signature.content_hash) == ("Approved", first.content_hash)
    second = firm.approved()
    first.refresh_from_db()
    assert (first.status, second.status) == ("superseded", "approved")
    assert first.history.first().history_change_reason == f"Superseded by {second.number}."


def test_the_signature_stands_under_what_it_covers_and_leaves_out(firm: Firm) -> None:
    bare = firm.draft()
    plain = bare.content_hash
    workflow.leave_out(bare, by=firm.manager, clause=DESIGN, justification=WHY)
    without_design = bare.content_hash
    workflow.cover(bare, by=firm.manager, processes=[firm.process], sites=[])
    assert len({plain, without_design, bare.content_hash}) == 3


def test_its_author_does_not_approve_it(firm: Firm) -> None:
    both = factories.person("quality_manager", "top_management")
    statement = workflow.submit(firm.draft(by=both), by=both)
    with pytest.raises(Refused, match="wrote a part"):
        workflow.approve(statement, by=both, proof=factories.proof(both))


def test_who_only_left_something_out_wrote_a_part(firm: Firm) -> None:
    both = factories.person("quality_manager", "top_management")
    statement = firm.draft()
    workflow.leave_out(statement, by=both, clause=DESIGN, justification=WHY)
    workflow.submit(statement, by=firm.manager)
    with pytest.raises(Refused, match="wrote a part"):
        workflow.approve(statement, by=both, proof=factories.proof(both))


def test_only_top_management_approves_and_only_with_a_password(firm: Firm) -> None:
    statement = workflow.submit(firm.draft(), by=firm.manager)
    other = factories.person("quality_manager")
    with pytest.raises(PermissionDenied):
        workflow.approve(statement, by=other, proof=factories.proof(other))
    with pytest.raises(Refused, match="password"):
        workflow.approve(statement, by=firm.boss)


def test_nobody_supersedes_a_statement_by_hand(firm: Firm) -> None:
    statement = firm.approved()
    for person in (firm.boss, firm.manager):
        with pytest.raises(PermissionDenied):
            workflow.supersede(statement, by=person, reason="x")


def test_a_statement_covers_something_before_it_is_sent(firm: Firm) -> None:
    with pytest.raises(Refused, match="processes"):
        workflow.submit(firm.draft(processes=[]), by=firm.manager)
    with pytest.raises(Refused, match="sites"):
        workflow.submit(firm.draft(sites=[]), by=firm.manager)
    asleep = workflow.create_process(by=firm.manager, code="X", name="Idea", owner=firm.owner)
    with pytest.raises(Refused, match="not active: X"):
        workflow.submit(firm.draft(processes=[asleep]), by=firm.manager)


def test_what_was_sent_is_frozen_in_the_program(firm: Firm) -> None:
    statement = firm.draft()
    line = workflow.leave_out(statement, by=firm.manager, clause=DESIGN, justification=WHY)
    workflow.submit(statement, by=firm.manager)
    before = statement.content_hash
    with pytest.raises(Refused, match="cannot be edited"):
        workflow.cover(statement, by=firm.manager, processes=[], sites=[])
    with pytest.raises(Refused, match="cannot be edited"):
        workflow.leave_out(statement, by=firm.manager, clause="2026:8.5.3", justification=WHY)
    with pytest.raises(Refused, match="cannot be edited"):
        workflow.keep_in(line, by=firm.manager)
    with pytest.raises(Refused, match="no longer a draft"):
        amend(line, by=firm.manager, changes={"justification": "Something else altogether."})
    statement.refresh_from_db()
    assert statement.content_hash == before


def test_what_was_sent_is_frozen_in_the_database(firm: Firm) -> None:
    statement = firm.draft()
    line = workflow.leave_out(statement, by=firm.manager, clause=DESIGN, justification=WHY)
    workflow.submit(statement, by=firm.manager)
    line.justification = "Changed behind the program's back."
    with pytest.raises(IntegrityError), transaction.atomic():
        line.save_because("x", by=firm.manager)
    link = StatementSite.objects.get(statement=statement)
    link.ended = True
    with pytest.raises(IntegrityError), transaction.atomic():
        link.save_because("x", by=firm.manager)
    with pytest.raises(IntegrityError), transaction.atomic():
        NotApplicable(
            statement=statement, clause="2026:8.5.3", justification=WHY, created_by=firm.manager
        ).save()


def test_what_is_sent_back_can_be_written_again(firm: Firm) -> None:
    statement = workflow.submit(firm.draft(), by=firm.manager)
    workflow.send_back(statement, by=firm.boss, reason="Name the second shift.")
    amend(statement, by=firm.manager, changes={"boundaries": "Without the canteen."})
    assert workflow.submit(statement, by=firm.manager).status == "in_review"


def test_a_stale_statement_is_not_sent(firm: Firm) -> None:
    statement = firm.draft()
    amend(statement, by=firm.manager, changes={"boundaries": "None."})
    with pytest.raises(Stale):
        workflow.submit(statement, by=firm.manager, version=1)


def test_a_copy_begins_with_everything_the_former_covers(firm: Firm) -> None:
    former = firm.approved(not_applicable=[(DESIGN, WHY)])
    copy = workflow.revise_statement(former, by=firm.manager)
    assert copy.processes() == [firm.process]
    assert copy.sites() == [firm.site]
    assert [(e.clause, e.justification) for e in copy.left_out()] == [(DESIGN, WHY)]


@pytest.mark.parametrize(
    "text",
    [
        "Outsourced.",
        "It is outsourced to a supplier.",
        "This work is completely subcontracted to an external provider.",
        "We outsource all of this process to our partner company",
    ],
)
def test_outsourcing_alone_is_no_reason_to_leave_something_out(firm: Firm, text: str) -> None:
    with pytest.raises(Refused, match="your responsibility"):
        workflow.leave_out(firm.draft(), by=firm.manager, clause=DESIGN, justification=text)


@pytest.mark.parametrize(
    "text",
    [
        WHY,
        "Customers own every design; our supplier of castings only follows their drawings.",
        "No measuring equipment is needed to judge whether our translations read well.",
    ],
)
def test_a_reason_of_its_own_is_taken(firm: Firm, text: str) -> None:
    line = workflow.leave_out(firm.draft(), by=firm.manager, clause=DESIGN, justification=text)
    assert line.justification == text


def test_leaving_out_what_everybody_meets_is_advised_against_and_allowed(firm: Firm) -> None:
    statement = firm.draft(not_applicable=[("2026:9.2.1", WHY)])
    assert any("an auditor will ask" in each for each in workflow.advice_on(statement))
    assert workflow.submit(statement, by=firm.manager).status == "in_review"
    design = firm.draft(not_applicable=[(DESIGN, WHY)])
    assert not any("an auditor will ask" in each for each in workflow.advice_on(design))


def test_a_requirement_is_left_out_once_and_of_the_same_edition(firm: Firm) -> None:
    statement = firm.draft(not_applicable=[(DESIGN, WHY)])
    with pytest.raises(Refused, match="already"):
        workflow.leave_out(statement, by=firm.manager, clause=DESIGN, justification=WHY)
    with pytest.raises(Refused, match="edition 2026"):
        workflow.leave_out(statement, by=firm.manager, clause="2015:8.3.1", justification=WHY)


def test_top_management_is_asked_for_its_approval(firm: Firm) -> None:
    statement = workflow.submit(firm.draft(), by=firm.manager)
    [item] = WorkItem.objects.filter(title=statement.title)
    assert (item.step, item.role) == ("approve", "top_management")
    workflow.approve(statement, by=firm.boss, proof=factories.proof(firm.boss))
    assert not WorkItem.objects.filter(title=statement.title).exists()


@pytest.mark.django_db(transaction=True)
def test_two_approvals_at_once_leave_one_statement_in_force() -> None:
    firm = Firm()
    statements = [workflow.submit(firm.draft(), by=firm.manager) for _ in range(2)]

    def approve(statement: ScopeStatement) -> None:
        boss = Person.objects.get(pk=firm.boss.pk)
        workflow.approve(statement, by=boss, proof=factories.proof(boss))

    at_once(*[partial(approve, each) for each in statements])
    states = sorted(ScopeStatement.objects.values_list("status", flat=True))
    assert states == ["approved", "superseded"]


@pytest.mark.django_db(transaction=True)
def test_a_line_and_a_submission_never_cross() -> None:
    firm = Firm()

    def submit(statement: ScopeStatement) -> None:
        workflow.submit(statement, by=Person.objects.get(pk=firm.manager.pk))

    def keep_in(line: NotApplicable) -> None:
        workflow.keep_in(line, by=Person.objects.get(pk=firm.manager.pk))

    for _ in range(5):
        statement = firm.draft(not_applicable=[(DESIGN, WHY)])
        line = statement.left_out()[0]
        answers = at_once(partial(submit, statement), partial(keep_in, line))
        assert "ok" in answers
        refused = [each for each in answers if each != "ok"]
        assert all("cannot be edited" in each for each in refused)
        line.refresh_from_db()
        assert line.ended is (not refused)
        assert ScopeStatement.objects.get(pk=statement.pk).status == "in_review"


def test_the_names_others_rely_on_stay(firm: Firm) -> None:
    assert list(Process.objects.active().owned_by(firm.owner)) == [firm.process]
    assert list(Site.objects.values_list("name", flat=True)) == ["Main plant"]
