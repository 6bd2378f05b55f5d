"""Audits: by somebody else, answered in full, reported with a signature, followed to closure."""

import io
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from audits import workflow
from audits.independence import objections
from audits.models import Audit, ChecklistItem, Finding
from capa.models import Nonconformity
from documents.workflow import create_document
from qms.files.workflow import attach, attachments_of
from qms.files.workflow import void as void_attachment
from qms.periods import today
from qms.refusals import Refused, Stale
from qms.scope.models import Process
from qms.scope.workflow import activate, create_process
from qms.signing.models import Signature
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.2.2")]


class Round:
    """An audit of Production and its people."""

    def __init__(self) -> None:
        self.quality = factories.person("quality_manager")
        self.owner = factories.person("process_owner", "auditor")
        self.lead = factories.person("lead_auditor")
        self.second = factories.person("auditor")
        made = create_process(
            by=self.quality,
            code="PR",
            name="Production",
            owner=self.owner,
            clauses=["2026:8.6"],
        )
        self.process: Process = activate(made, by=self.quality)

    def planned(self, **more: object) -> Audit:
        given = {"lead": self.lead, "team": [self.second], "planned_on": today()} | more
        return workflow.plan_audit(by=self.lead, process=self.process, **given)

    def started(self) -> Audit:
        audit = self.planned()
        workflow.confirm(audit, by=self.lead)
        return workflow.start(audit, by=self.second)

    def answered(self) -> Audit:
        audit = self.started()
        for item in audit.items.all():
            workflow.answer(item, by=self.second, answer="conforms")
        return audit

    def sign(self, audit: Audit, *, issues_itself: bool = True) -> Audit:
        return workflow.sign_report(
            audit,
            by=self.lead,
            conclusions="It works.",
            issues_itself=issues_itself,
            proof=factories.proof(self.lead),
        )

    def issue(self, audit: Audit) -> Audit:
        return workflow.acknowledge(self.sign(audit), by=self.owner)


@pytest.fixture
def round_() -> Round:
    return Round()


def test_the_questions_come_from_the_clauses(round_: Round) -> None:
    audit = round_.planned()
    questions = list(audit.items.order_by("position"))
    assert questions
    assert {item.clause for item in questions} == {"2026:8.6"}


def test_a_new_audit_copies_no_answers(round_: Round) -> None:
    round_.issue(round_.answered())
    assert set(round_.planned().items.values_list("answer", "note")) == {("", "")}


def test_who_owns_works_wrote_or_answers_does_not_audit(round_: Round) -> None:
    audit = round_.planned(team=[round_.owner])
    with pytest.raises(Refused, match="owns the process"):
        workflow.confirm(audit, by=round_.lead)
    assert objections(round_.lead, round_.process, today()) == []
    writer = factories.person("lead_auditor", "process_owner", name="Will Writer")
    create_document(
        by=writer, title="Turning", kind="instruction", owner=writer, process=round_.process
    )
    assert objections(writer, round_.process, today()) == [
        "Will Writer wrote WI-01 of the process."
    ]


def test_a_former_owner_is_not_independent_for_two_years(round_: Round) -> None:
    amend(
        round_.process,
        by=round_.quality,
        changes={"owner": factories.person("process_owner")},
        reason="New owner.",
    )
    [said] = objections(round_.owner, round_.process, today())
    assert "owned the process until" in said
    assert objections(round_.owner, round_.process, today() + timedelta(days=900)) == []


def test_an_exception_needs_somebody_else_a_reason_and_a_balance(round_: Round) -> None:
    audit = round_.planned(team=[round_.owner])
    with pytest.raises(Refused, match="balances"):
        workflow.record_exception(
            audit, by=round_.quality, person=round_.owner, reason="x", mitigation=""
        )
    with pytest.raises(PermissionDenied):
        workflow.record_exception(
            audit, by=round_.lead, person=round_.owner, reason="x", mitigation="y"
        )
    with pytest.raises(Refused, match="is independent and competent"):
        workflow.record_exception(
            audit, by=round_.quality, person=round_.lead, reason="x", mitigation="y"
        )
    workflow.record_exception(
        audit,
        by=round_.quality,
        person=round_.owner,
        reason="Nobody else knows the furnace.",
        mitigation="The lead reviews every answer.",
    )
    assert workflow.confirm(audit, by=round_.lead).status == "confirmed"


def test_without_an_auditors_role_nobody_audits(round_: Round) -> None:
    audit = round_.planned(team=[factories.person(name="Nora New")])
    with pytest.raises(Refused, match="Nora New has no auditor's role"):
        workflow.confirm(audit, by=round_.lead)


def test_only_the_team_answers_and_only_while_it_runs(round_: Round) -> None:
    audit = round_.planned()
    item: ChecklistItem = audit.items.order_by("position").first()
    with pytest.raises(Refused, match="Start the audit"):
        workflow.answer(item, by=round_.lead, answer="conforms")
    workflow.confirm(audit, by=round_.lead)
    workflow.start(audit, by=round_.lead)
    with pytest.raises(PermissionDenied, match="Only the audit team"):
        workflow.answer(item, by=factories.person("auditor"), answer="conforms")
    workflow.answer(item, by=round_.lead, answer="conforms", version=1)
    with pytest.raises(Stale):
        workflow.answer(item, by=round_.second, answer="nonconforming", version=1)


def test_a_report_waits_for_answers_findings_and_their_evidence(round_: Round) -> None:
    audit = round_.answered()
    item = audit.items.order_by("position").first()
    workflow.answer(item, by=round_.second, answer="nonconforming")
    with pytest.raises(Refused, match="Question 1 is nonconforming but has no finding"):
        round_.issue(audit)
    finding = workflow.record_finding(audit, by=round_.second, item=item, grade="minor")
    with pytest.raises(Refused, match="Finding 1 lacks requirement, evidence or statement"):
        round_.issue(audit)
    amend(
        finding,
        by=round_.second,
        changes={"requirement": "r", "evidence": "e", "statement": "s"},
    )
    workflow.add_question(audit, by=round_.lead, question="And the night shift?")
    with pytest.raises(Refused, match="1 question is still open"):
        round_.issue(audit)


@pytest.mark.slow
def test_the_report_raises_each_nonconformity_once(round_: Round) -> None:
    audit = round_.answered()
    for grade in ("major", "minor", "observation", "good"):
        workflow.record_finding(
            audit, by=round_.second, grade=grade, requirement="r", evidence="e", statement=grade
        )
    round_.issue(audit)
    assert audit.status == "follow_up"
    raised = Nonconformity.objects.raised_from(*audit.findings.all()).order_by("number")
    assert [(nc.grade, nc.owner, nc.source) for nc in raised] == [
        ("major", round_.owner, "audit"),
        ("minor", round_.owner, "audit"),
    ]
    with pytest.raises(Refused, match="already follow-up"):
        round_.sign(audit)
    assert Nonconformity.objects.count() == 2
    [signature] = Signature.objects.of(audit)
    assert signature.content_hash == audit.content_hash
    with pytest.raises(Refused, match="2 of its nonconformities are still open"):
        workflow.close(audit, by=round_.lead)


def test_only_the_lead_signs_the_report(round_: Round) -> None:
    audit = round_.answered()
    other = factories.person("lead_auditor")
    with pytest.raises(PermissionDenied, match="Only the lead auditor"):
        workflow.sign_report(audit, by=other, conclusions="x", proof=factories.proof(other))
    with pytest.raises(Refused, match="password"):
        workflow.sign_report(audit, by=round_.lead, conclusions="x")


def test_draft_findings_are_the_teams_own(round_: Round) -> None:
    audit = round_.answered()
    finding = workflow.record_finding(
        audit, by=round_.second, grade="observation", statement="s", evidence="e"
    )
    assert not Finding.objects.visible_to(round_.owner).exists()
    assert not Finding.objects.visible_to(factories.person("auditor")).exists()
    assert Finding.objects.visible_to(round_.second).get() == finding
    round_.issue(audit)
    assert Finding.objects.visible_to(round_.owner).get() == finding


def test_the_team_is_told_until_the_day_and_the_lead_until_the_report(round_: Round) -> None:
    audit = round_.planned()
    workflow.confirm(audit, by=round_.lead)
    items = WorkItem.objects.filter(number=audit.number)
    assert {(item.person, item.label, item.due) for item in items} == {
        (round_.lead, "Conduct", today()),
        (round_.second, "Conduct", today()),
    }
    workflow.start(audit, by=round_.lead)
    [item] = WorkItem.objects.filter(number=audit.number)
    assert (item.person, item.label) == (round_.lead, "Report")


def test_the_team_changes_only_while_the_audit_is_planned(round_: Round) -> None:
    audit = round_.planned()
    third = factories.person("auditor")
    workflow.set_team(audit, by=round_.lead, team=[third, round_.lead])
    assert workflow.team_of(audit) == [round_.lead, third]
    workflow.confirm(audit, by=round_.lead)
    with pytest.raises(Refused, match="team is confirmed"):
        workflow.set_team(audit, by=round_.lead, team=[])


def test_what_a_report_stands_on_stays_attached(round_: Round) -> None:
    audit = round_.answered()
    finding = workflow.record_finding(
        audit, by=round_.second, grade="observation", statement="s", evidence="e"
    )
    photo = attach(finding, SimpleUploadedFile("a.png", _picture()), by=round_.second)
    round_.issue(audit)
    with pytest.raises(Refused, match="released"):
        attach(finding, SimpleUploadedFile("b.png", _picture()), by=round_.second)
    with pytest.raises(Refused, match="released"):
        void_attachment(photo, by=round_.quality, reason="Not nice.")


def test_a_postponement_keeps_the_first_day_and_its_reason(round_: Round) -> None:
    audit = round_.planned()
    first = audit.planned_on
    workflow.confirm(audit, by=round_.lead)
    later = today() + timedelta(days=14)
    with pytest.raises(Refused, match="Say why"):
        workflow.postpone(audit, by=round_.lead, planned_on=later)
    workflow.postpone(audit, by=round_.lead, planned_on=later, reason="Stocktaking.")
    assert (audit.planned_on, audit.originally_planned_on) == (later, first)


@pytest.mark.clause("9.2.2")
def test_an_audit_is_recorded_on_the_phone_with_photos(round_: Round, client: Client) -> None:
    audit = round_.started()
    client.force_login(round_.second, backend="qms.people.access.RoleBackend")
    start = client.get(f"/audits/{audit.pk}/field/")
    assert start.status_code == 303
    question = client.get(start["Location"])
    assert b"Conforms" in question.content
    item = audit.items.order_by("position").first()
    sent = client.post(
        start["Location"],
        {"answer": "nonconforming", "note": "Seen", "version": item.version, "go": "finding"},
    )
    assert sent["Location"].endswith(f"/audits/{audit.pk}/finding/?question=1")
    photo = SimpleUploadedFile("wrench.png", _picture(), "image/png")
    recorded = client.post(
        sent["Location"],
        {
            "grade": "minor",
            "clause": "2026:8.6",
            "evidence": "Delivery 8812.",
            "photos": [photo],
        },
    )
    assert recorded.status_code == 303, recorded.content.decode()[-3000:]
    [finding] = Finding.objects.filter(audit=audit)
    assert (finding.item, finding.created_by) == (item, round_.second)
    assert attachments_of(finding).count() == 1
    assert b"Finding 1" in client.get(recorded["Location"]).content


def test_a_wrong_photo_loses_neither_text_nor_makes_half_a_finding(
    round_: Round, client: Client
) -> None:
    audit = round_.started()
    client.force_login(round_.second, backend="qms.people.access.RoleBackend")
    answer = client.post(
        f"/audits/{audit.pk}/finding/",
        {
            "grade": "minor",
            "evidence": "Typed with cold fingers.",
            "photos": [SimpleUploadedFile("a.png", b"<script>alert(1)</script>", "image/png")],
        },
    )
    assert answer.status_code == 422
    assert b"Typed with cold fingers." in answer.content
    assert not Finding.objects.exists()


def test_a_stale_answer_on_the_phone_keeps_what_was_typed(round_: Round, client: Client) -> None:
    audit = round_.started()
    item = audit.items.order_by("position").first()
    workflow.answer(item, by=round_.lead, answer="conforms")
    client.force_login(round_.second, backend="qms.people.access.RoleBackend")
    answer = client.post(
        item.get_absolute_url(), {"answer": "opportunity", "note": "My own note", "version": 1}
    )
    assert answer.status_code == 409
    assert b"My own note" in answer.content
    item.refresh_from_db()
    assert item.answer == "conforms"


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (120, 140, 130)).save(out, "PNG")
    return out.getvalue()
