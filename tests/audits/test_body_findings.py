"""Findings of the certification body: answered within its days, accepted and verified by it."""

import io
import zipfile
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from audits import workflow
from audits.models import BodyFinding
from capa import workflow as capa
from capa.models import CorrectiveAction, Nonconformity
from qms.actions import workflow as actions
from qms.files.workflow import attach, attachments_of
from qms.periods import today
from qms.refusals import Refused
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)


class Visit:
    """A stage 2 that ended on 2 March 2026, at a body that gives 20 and 60 days on a major."""

    def __init__(self, clock: time_machine.Traveller) -> None:
        self.clock = clock
        self.quality = factories.person("quality_manager")
        self.boss = factories.person("quality_manager")
        self.owner = factories.person("process_owner")
        body = workflow.enter_body(
            by=self.quality, name="Northern Register", plan_days_major=20, evidence_days_major=60
        )
        self.certificate = workflow.apply_for_certificate(
            by=self.quality, body=body, scope_text="Making valves."
        )
        planned = workflow.plan_visit(
            by=self.quality, certificate=self.certificate, kind="stage2", planned_on=DAY
        )
        self.visit = workflow.record_visit(
            planned, by=self.quality, done_on=DAY, result="One major."
        )

    def finding(self, reference: str = "NR-1", **more: Any) -> BodyFinding:
        given = {
            "visit": self.visit,
            "grade": "major",
            "requirement": "Instruments are calibrated.",
            "statement": "Two instruments were used beyond their date.",
            "evidence": "Gauges 4 and 9 in hall 2.",
            "found_on": DAY,
        } | more
        return workflow.record_body_finding(by=self.quality, reference=reference, **given)

    def prepared(self, finding: BodyFinding) -> Nonconformity:
        nc = workflow.nonconformity_of(finding)
        assert nc is not None
        amend(nc, by=self.quality, changes={"owner": self.owner}, reason="It is theirs.")
        capa.contain(nc, by=self.owner, containment="Taken away.", correction="Calibrated.")
        said = {"category": "method", "similar": "None.", "method": "whys", "why_chain": ""}
        capa.find_cause(nc, by=self.owner, root_cause="No list of gauges.", **said)
        capa.plan(
            nc,
            by=self.owner,
            action="Keep one list",
            action_owner=self.owner,
            action_due=today(),
            effectiveness_criterion="No gauge beyond its date in May.",
            check_on=today(),
        )
        return nc

    def page(self, of: Any) -> str:
        client = Client()
        client.force_login(self.quality, backend="qms.people.access.RoleBackend")
        answer = client.get(of.get_absolute_url())
        assert answer.status_code == 200
        return " ".join(answer.content.decode().split())


@pytest.fixture
def visit() -> Iterator[Visit]:
    with time_machine.travel(f"{DAY:%Y-%m-%d}T15:00Z", tick=False) as clock:
        yield Visit(clock)


def test_a_major_raises_its_nonconformity_once_with_the_days_of_the_body(visit: Visit) -> None:
    finding = visit.finding()
    nc = Nonconformity.objects.raised_from(finding).get()
    assert (nc.source, nc.grade, nc.detected_on) == ("certification", "major", DAY)
    assert (finding.plan_due, finding.evidence_due) == (date(2026, 3, 22), date(2026, 5, 1))
    with pytest.raises(Refused, match="recorded already"):
        visit.finding()
    assert Nonconformity.objects.raised_from(finding).count() == 1


def test_the_nonconformity_of_a_body_cannot_be_voided(visit: Visit) -> None:
    nc = workflow.nonconformity_of(visit.finding())
    with pytest.raises(Refused, match="answered, not voided"):
        capa.void(nc, by=visit.quality, reason="We do not agree.")


def test_an_observation_raises_nothing_and_is_closed_when_it_was_looked_at(visit: Visit) -> None:
    finding = visit.finding(grade="observation", requirement="", evidence="")
    assert workflow.nonconformity_of(finding) is None
    assert finding.plan_due is None
    with pytest.raises(Refused, match="asks for no answer"):
        workflow.send_answer(finding, by=visit.quality, answered_on=DAY)
    closed = workflow.settle_remark(finding, by=visit.quality, reason="A larger board is there.")
    assert closed.closed_on == DAY
    with pytest.raises(Refused, match="after the body has verified"):
        workflow.settle_remark(visit.finding("NR-2"), by=visit.quality, reason="Done.")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"requirement": ""}, "names the requirement and the evidence"),
        ({"found_on": date(2026, 3, 3)}, "in the future"),
        ({"plan_due": date(2026, 3, 1)}, "before the finding"),
        ({"evidence_due": date(2026, 3, 10)}, "after the plan"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    visit: Visit, said: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        visit.finding(**said)
    assert not Nonconformity.objects.exists()


def test_an_answer_is_sent_when_it_has_correction_cause_and_action(visit: Visit) -> None:
    finding = visit.finding()
    with pytest.raises(Refused, match="no correction yet"):
        workflow.send_answer(finding, by=visit.quality, answered_on=DAY)
    assert "has no corrective action yet." in visit.page(finding)
    visit.prepared(finding)
    assert workflow.lacking_of(finding) == []
    workflow.send_answer(finding, by=visit.quality, answered_on=DAY)
    assert finding.status == "answered"


def test_the_way_to_closure_warns_until_the_body_is_satisfied(visit: Visit) -> None:
    finding = visit.finding()
    minor = visit.finding("NR-2", grade="minor")
    page = visit.page(visit.certificate)
    assert "Not verified by the body yet, major: NR-1." in page
    assert "No plan accepted by the body yet, minor: NR-2." in page
    assert "2 Sep 2026" in visit.page(visit.visit)
    nc = visit.prepared(finding)
    by = visit.quality
    workflow.send_answer(finding, by=by, answered_on=DAY)
    workflow.send_back(finding, by=by, reason="The cause is not the cause.")
    workflow.send_answer(finding, by=by, answered_on=DAY)
    workflow.accept_answer(finding, by=by, accepted_on=DAY)
    workflow.refuse_evidence(finding, by=by, reason="One gauge is missing.")
    workflow.accept_answer(finding, by=by, accepted_on=DAY)
    assert workflow.warnings_of([visit.visit])[0].endswith("major: NR-1.")
    workflow.verify_answer(finding, by=by, verified_on=DAY, verified_by_whom="J. Lavoie")
    assert workflow.warnings_of([visit.visit]) == ["No plan accepted by the body yet, minor: NR-2."]
    with pytest.raises(Refused, match="still open"):
        workflow.close_body_finding(finding, by=by)
    for each in capa.actions_of(nc):
        actions.complete(each, by=visit.owner, result="One list.")
    [serving] = CorrectiveAction.objects.serving(nc)
    capa.implement_action(serving, by=visit.owner)
    proof = factories.proof(visit.boss)
    capa.judge_effective(serving, by=visit.boss, proof=proof, verdict="None in May.")
    nc.refresh_from_db()
    because = "The register was the cause; a team would add nothing."
    capa.omit_8d(nc, by=visit.quality, because=because)
    nc = Nonconformity.objects.get(pk=nc.pk)
    capa.close(nc, by=visit.quality)
    assert workflow.close_body_finding(finding, by=by).status == "closed"
    assert minor.status == "recorded"


def test_the_quality_manager_is_reminded_by_the_days_of_the_body(visit: Visit) -> None:
    finding = visit.finding()
    rows = WorkItem.objects.filter(record_type__model="bodyfinding")
    assert list(rows.values_list("step", "due")) == [("answer", date(2026, 3, 22))]
    visit.prepared(finding)
    workflow.send_answer(finding, by=visit.quality, answered_on=DAY)
    assert list(rows.values_list("step", "due")) == [("prove", date(2026, 5, 1))]


def test_a_deadline_moves_only_with_the_consent_and_keeps_the_day_before(visit: Visit) -> None:
    finding = visit.finding()
    said = {"deadline": "plan", "until": date(2026, 4, 1), "reason": "Holidays."}
    with pytest.raises(Refused, match="Attach its consent"):
        workflow.extend_deadline(finding, by=visit.quality, **said)
    mail = SimpleUploadedFile("consent.txt", b"We agree to 1 April.")
    workflow.extend_deadline(finding, by=visit.quality, consent=[mail], **said)
    finding.refresh_from_db()
    assert finding.plan_due == date(2026, 4, 1)
    assert finding.extensions.get().was == date(2026, 3, 22)
    assert attachments_of(finding).count() == 1
    page = visit.page(finding)
    assert "22 Mar 2026" in page
    assert "1 Apr 2026" in page
    with pytest.raises(Refused, match="choose a later day"):
        workflow.extend_deadline(finding, by=visit.quality, consent=[mail], **said)
    with pytest.raises(PermissionDenied):
        workflow.extend_deadline(finding, by=visit.owner, consent=[mail], **said)


def test_the_bundle_holds_the_answer_and_its_evidence(visit: Visit) -> None:
    finding = visit.finding()
    nc = visit.prepared(finding)
    attach(nc, SimpleUploadedFile("list.txt", b"Gauge 4, gauge 9"), by=visit.owner)
    client = Client()
    client.force_login(visit.quality, backend="qms.people.access.RoleBackend")
    answer = client.get(f"{finding.get_absolute_url()}answer/")
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as inside:
        assert inside.read("answer.pdf").startswith(b"%PDF")
        assert inside.read("evidence/01-list.txt") == b"Gauge 4, gauge 9"


def test_a_finding_is_recorded_from_its_visit(visit: Visit) -> None:
    client = Client()
    client.force_login(visit.quality, backend="qms.people.access.RoleBackend")
    url = f"{visit.visit.get_absolute_url()}finding/"
    assert client.get(url).status_code == 200
    typed = {
        "visit": visit.visit.pk,
        "reference": "NR-7",
        "grade": "minor",
        "requirement": "Records are kept.",
        "statement": "Two records were not kept.",
        "evidence": "Orders 4 and 9.",
        "found_on": "2026-03-02",
    }
    assert client.post(url, typed).status_code == 303
    assert BodyFinding.objects.get().plan_due == date(2026, 4, 1)
    listed = client.get("/audits/body-findings/").content.decode()
    assert "NR-7" in listed
