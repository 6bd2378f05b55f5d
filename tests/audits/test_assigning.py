"""Each fact that ties an auditor to the work stands alone, and ends with the look-back (9.2.2)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from audits import workflow
from audits.assigning import candidates, exchanges
from audits.independence import facts_about, look_back_months, objections
from capa.workflow import answer, raise_nonconformity
from documents import workflow as documents
from qms.actions.workflow import plan_action
from qms.people.workflow import plan_absence
from qms.periods import add_months, today
from qms.refusals import Refused
from qms.scope.workflow import activate, create_process, retire, staff_process
from qms.workflow import amend
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.2.2")]


class Firm:
    """A process, its owner, and an auditor who has nothing to do with it."""

    def __init__(self) -> None:
        self.quality = factories.person("quality_manager", name="Quinn")
        self.boss = factories.person("top_management", name="Bo")
        self.owner = factories.person("process_owner", name="Olga")
        self.ana = factories.person("lead_auditor", "process_owner", name="Ana")
        self.ben = factories.person("lead_auditor", name="Ben")
        self.process = self.make("PR", self.owner)

    def make(self, code: str, owner: Any, **more: Any) -> Any:
        made = create_process(
            by=self.quality,
            code=code,
            name=f"Process {code}",
            owner=owner,
            clauses=["2026:8.6"],
            **more,
        )
        return activate(made, by=self.quality)

    def audit(self, **more: Any) -> Any:
        facts = {"process": self.process, "planned_on": today(), "lead": self.ana} | more
        return workflow.plan_audit(by=self.quality, **facts)

    def owns(self) -> None:
        amend(self.process, by=self.quality, changes={"owner": self.ana}, reason="New owner.")

    def works_in_it(self) -> None:
        self.staffs(members=[self.ana])

    def stands_in(self) -> None:
        self.staffs(deputies=[self.ana])

    def staffs(self, **who: Any) -> None:
        given = {"members": [], "deputies": [], "sites": []} | who
        staff_process(self.process, by=self.quality, **given)

    def writes(self) -> None:
        documents.create_document(
            by=self.ana, title="Turning", kind="instruction", owner=self.ana, process=self.process
        )

    def answers_a_case(self) -> None:
        raise_nonconformity(
            by=self.quality, title="Burr", process=self.process, owner=self.ana, detected_on=today()
        )

    def carries_out_an_action(self) -> None:
        case = raise_nonconformity(
            by=self.quality, title="Burr", process=self.process, owner=self.owner
        )
        plan_action(by=self.quality, title="Grind", owner=self.ana, due=today(), origin=case)

    def does_a_task_of_a_corrective_action(self) -> None:
        case = raise_nonconformity(
            by=self.quality,
            title="Burr",
            statement="A burr.",
            requirement="None.",
            evidence="Seen.",
            process=self.process,
            owner=self.owner,
        )
        parts = {
            "contain": {"containment": "Held."},
            "find_cause": {"root_cause": "No step.", "category": "method", "similar": "None."},
            "plan": {
                "action": "Grind",
                "action_owner": self.ana,
                "effectiveness_criterion": "No burr.",
            },
        }
        answer(case, by=self.owner, parts=parts)

    def gives_it_away(self) -> None:
        amend(self.process, by=self.quality, changes={"owner": self.owner}, reason="Back.")


@pytest.fixture
def firm() -> Firm:
    return Firm()


FACTS: list[tuple[Callable[[Firm], None], str]] = [
    (Firm.owns, "Ana owns the process."),
    (Firm.works_in_it, "Ana works in the process."),
    (Firm.stands_in, "Ana stands in for the owner of the process."),
    (Firm.writes, "Ana wrote WI-01 of the process."),
    (Firm.answers_a_case, "Ana answers NC-"),
    (Firm.carries_out_an_action, "Ana carries out ACT-"),
    (Firm.does_a_task_of_a_corrective_action, "Ana carries out ACT-"),
]


@pytest.mark.parametrize(("happens", "said"), FACTS)
def test_each_fact_alone_stands_against_an_auditor(
    firm: Firm, happens: Callable[[Firm], None], said: str
) -> None:
    assert objections(firm.ana, firm.process, today()) == []
    happens(firm)
    firm.process.refresh_from_db()
    [fact] = [each for each in facts_about(firm.ana, firm.process, today()) if each.blocks]
    assert fact.sentence.startswith(said)
    assert fact.url.startswith("/")
    assert objections(firm.ben, firm.process, today()) == []
    audit = firm.audit()
    with pytest.raises(Refused, match="Choose another auditor"):
        workflow.confirm(audit, by=firm.quality)


def test_facts_add_up(firm: Firm) -> None:
    for happens, _ in FACTS:
        if happens is not Firm.stands_in:  # nobody stands in for themselves
            happens(firm)
    firm.process.refresh_from_db()
    told = objections(firm.ana, firm.process, today())
    assert {each.split(" ")[1] for each in told} >= {"owns", "wrote", "answers", "carries"}


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (Firm.owns, Firm.gives_it_away),
        (Firm.works_in_it, Firm.staffs),
        (Firm.stands_in, Firm.staffs),
    ],
)
def test_what_ended_counts_until_the_look_back_no_longer_reaches_it(
    firm: Firm, begins: Callable[[Firm], None], ends: Callable[[Firm], None]
) -> None:
    begins(firm)
    firm.process.refresh_from_db()
    ends(firm)
    firm.process.refresh_from_db()
    last = add_months(today(), look_back_months())
    assert objections(firm.ana, firm.process, today())
    assert objections(firm.ana, firm.process, last)
    assert objections(firm.ana, firm.process, last + timedelta(days=1)) == []


def test_what_was_written_long_ago_no_longer_counts(firm: Firm) -> None:
    with time_machine.travel(add_months(today(), -look_back_months() - 1), tick=True):
        firm.writes()
    assert objections(firm.ana, firm.process, today())  # the database's own clock dates a change
    far = add_months(today(), look_back_months() + 1)
    assert objections(firm.ana, firm.process, far) == []


def test_the_look_back_is_a_setting(firm: Firm, settings: Any) -> None:
    firm.owns()
    firm.process.refresh_from_db()
    firm.gives_it_away()
    firm.process.refresh_from_db()
    settings.AUDIT_LOOK_BACK_MONTHS = 12
    assert objections(firm.ana, firm.process, add_months(today(), 13)) == []


def test_having_approved_is_shown_and_does_not_block(firm: Firm) -> None:
    both = factories.person("quality_manager", "lead_auditor", name="Bea")
    writer = factories.person("process_owner", name="Will")
    document = documents.create_document(
        by=writer,
        title="Turning",
        kind="instruction",
        owner=writer,
        process=firm.process,
        text=documents_text(),
        reviewers=[firm.owner],
        approvers=[both],
    )
    revision = document.revisions.get()
    documents.submit(revision, by=writer)
    documents.review(revision, by=firm.owner, proof=factories.proof(firm.owner))
    documents.approve(revision, by=both, proof=factories.proof(both))
    [fact] = facts_about(both, firm.process, today())
    assert fact.sentence == "Bea approved WI-01 of the process."
    assert not fact.blocks
    assert objections(both, firm.process, today()) == []


def documents_text() -> Any:
    from documents.content import from_markdown

    return from_markdown("Turn slowly.")


def test_the_eligible_come_first_and_each_other_one_says_why(firm: Firm) -> None:
    firm.works_in_it()
    firm.process.refresh_from_db()
    cleo = factories.person("auditor", name="Cleo")
    audit = firm.audit(lead=firm.ben)
    plan_absence(by=cleo, person=cleo, deputy=firm.ben, starts_on=today(), ends_on=today())
    found = {each.person.name: each for each in candidates(audit)}
    assert next(iter(found)) == "Ben"
    assert found["Ben"].is_eligible
    assert not found["Ana"].is_eligible
    assert found["Ana"].blocking[0].sentence == "Ana works in the process."
    assert found["Cleo"].is_away
    assert not found["Cleo"].may_lead


def test_nobody_is_in_two_audits_on_one_day(firm: Firm) -> None:
    firm.audit()
    other = firm.audit(process=firm.make("BU", firm.owner))
    with pytest.raises(Refused, match=r"Ana is in IA-.* on that day"):
        workflow.confirm(other, by=firm.quality)
    assert {each.person.name: each.is_busy for each in candidates(other)}["Ana"]


def test_a_process_that_was_retired_after_planning_is_not_audited(firm: Firm) -> None:
    audit = firm.audit()
    retire(firm.process, by=firm.quality, reason="Sold.")
    audit.refresh_from_db()
    with pytest.raises(Refused, match="does not run any more"):
        workflow.confirm(audit, by=firm.quality)


def test_criteria_are_written_from_clauses_and_documents_in_force(firm: Firm) -> None:
    audit = firm.audit()
    assert audit.criteria == "ISO 9001:2026, clauses 8.6."
    amend(audit, by=firm.quality, changes={"criteria": ""})
    with pytest.raises(Refused, match="its criteria"):
        workflow.confirm(audit, by=firm.quality)


def test_a_swap_is_offered_when_nobody_may_lead(firm: Firm) -> None:
    firm.works_in_it()
    firm.process.refresh_from_db()
    audit = firm.audit()
    other = firm.audit(
        process=firm.make("BU", firm.owner), lead=firm.ben, planned_on=today() + timedelta(days=9)
    )
    [offered] = exchanges(audit)
    assert (offered.audit, offered.takes, offered.gives) == (other, firm.ben, firm.ana)


def test_the_page_assigns_and_refuses_in_words(firm: Firm, client: Any) -> None:
    firm.works_in_it()
    firm.process.refresh_from_db()
    audit = firm.audit()
    client.force_login(firm.quality)
    url = f"{audit.get_absolute_url()}team/"
    page = client.get(url)
    assert "Ana works in the process." in page.text
    assert client.post(url, {"team": []}).status_code == 422
    stale = client.post(url, {"lead": firm.ben.pk, "version": audit.version + 1})
    assert stale.status_code == 409
    done = client.post(url, {"lead": firm.ben.pk, "version": audit.version})
    assert done.status_code == 303
    audit.refresh_from_db()
    assert audit.lead == firm.ben
    assert workflow.confirm(audit, by=firm.quality).status == "confirmed"
    with pytest.raises(Refused, match="no lead auditor"):
        workflow.set_team(firm.audit(), by=firm.quality, team=[], lead=firm.owner)


def test_a_competence_that_expires_before_the_day_is_found_on_the_day(firm: Firm) -> None:
    from qms.competence import workflow as competence

    skill = competence.define_competence(
        by=firm.quality,
        name="Internal auditing",
        meaning="Audits.",
        method="observed",
        validity_months=12,
    )
    competence.require(by=firm.quality, competence=skill, role="lead_auditor", level=1)
    competence.record_competence(
        by=firm.quality, person=firm.ben, competence=skill, level=1, evidence="Seen."
    )
    day = add_months(today(), 13)
    now = {each.person.name: each for each in candidates(firm.audit(lead=firm.ben))}
    assert now["Ben"].is_eligible
    assert not now["Ana"].is_eligible
    later = firm.audit(lead=firm.ben, planned_on=day)
    assert not {each.person.name: each for each in candidates(later)}["Ben"].is_eligible
    with pytest.raises(Refused, match="lacks “Internal auditing”"):
        workflow.confirm(later, by=firm.quality)


def test_whoever_chose_the_lead_a_lead_auditor_it_is(firm: Firm) -> None:
    audit = firm.audit(lead=factories.person("auditor", name="Cleo"))
    with pytest.raises(Refused, match="Cleo is no lead auditor"):
        workflow.confirm(audit, by=firm.quality)
