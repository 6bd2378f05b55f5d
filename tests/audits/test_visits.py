"""The body's visit: its plan, what is asked for, a changed grade, and the pack of then."""

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from audits import workflow
from audits.evidence import body_finding_register, certification
from audits.models import BodyFinding, CertificationAudit, VisitRequest, VisitSlot
from qms import clock
from qms.files.workflow import attachments_of
from qms.periods import Period, add_months, today
from qms.refusals import Refused
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories, scenes
from tests.scenes import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
def visit(cast: Cast) -> CertificationAudit:
    return scenes.a_visit(cast)


def hour(cast: Cast, visit: CertificationAudit, begins: int, ends: int, **more: Any) -> VisitSlot:
    return workflow.plan_hour(
        visit, by=cast.manager, starts_at=time(begins), ends_at=time(ends), **more
    )


# --- the plan -------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["escort", "auditee", "body_auditor"])
def test_nobody_is_planned_in_two_places_of_a_visit(
    who: str, cast: Cast, visit: CertificationAudit
) -> None:
    person: Any = "J. Lavoie" if who == "body_auditor" else cast.member
    again: Any = "j. lavoie " if who == "body_auditor" else cast.member
    hour(cast, visit, 9, 11, what="Stores", **{who: person})
    with pytest.raises(Refused, match="is in “Stores” from 09:00 to 11:00"):
        hour(cast, visit, 10, 12, **{who: again})
    hour(cast, visit, 11, 12, **{who: person})
    hour(cast, visit, 9, 11, day=2, **{who: person})


def test_an_escort_is_not_the_auditee_elsewhere(cast: Cast, visit: CertificationAudit) -> None:
    hour(cast, visit, 9, 11, escort=cast.member)
    with pytest.raises(Refused, match=cast.member.name):
        hour(cast, visit, 10, 12, auditee=cast.member)


def test_the_plan_has_as_many_days_as_audit_days(cast: Cast, visit: CertificationAudit) -> None:
    visit = amend(visit, by=cast.manager, changes={"audit_days": Decimal("1.50")})
    hour(cast, visit, 9, 10, day=2)
    with pytest.raises(Refused, match=r"1\.50 audit days; there is no day 3"):
        hour(cast, visit, 9, 10, day=3)
    with pytest.raises(Refused, match="ends before it begins"):
        hour(cast, visit, 10, 9)


def test_the_plan_moves_with_the_visit_and_stands_once_it_is_done(
    cast: Cast, visit: CertificationAudit
) -> None:
    slot = hour(cast, visit, 9, 10)
    later = today() + timedelta(days=4)
    visit = amend(visit, by=cast.manager, changes={"planned_on": later})
    assert VisitSlot.objects.get().on == later
    workflow.record_visit(visit, by=cast.manager, done_on=today(), result="Good.")
    with pytest.raises(Refused, match="The visit is done"):
        hour(cast, visit, 11, 12)
    with pytest.raises(Refused, match="The visit is done"):
        workflow.void_hour(slot, by=cast.manager, reason="Late.")


# --- requests -------------------------------------------------------------------------------------


def test_a_request_is_asked_with_one_press_and_given_with_another(
    cast: Cast, visit: CertificationAudit, client: Client
) -> None:
    client.force_login(cast.manager, backend="qms.people.access.RoleBackend")
    page = reverse("audits:visit_requests", args=[visit.pk])
    assert client.post(page, {"what": "Calibrations of bench 4"}).status_code == 303
    (asked,) = VisitRequest.objects.all()
    assert asked.asked_at is not None
    assert "Given" in client.get(page).content.decode()
    move = reverse("audits:request_transition", args=[asked.pk, "give"])
    answer = client.post(move, {"version": asked.version})
    assert (answer.status_code, answer["Location"]) == (303, page)
    asked.refresh_from_db()
    assert (asked.status, asked.given_at is not None) == ("given", True)


def test_who_fetches_it_finds_it_in_their_work_and_others_do_not_give_it(
    cast: Cast, visit: CertificationAudit
) -> None:
    clerk = factories.person()
    asked = workflow.note_request(
        by=cast.member, visit=visit, what="Order 7", asked_by_whom="J. Lavoie", fetcher=clerk
    )
    assert [item.label for item in WorkItem.objects.of(clerk)] == ["Bring"]
    with pytest.raises(PermissionDenied, match="Somebody else fetches it"):
        workflow.give(asked, by=factories.person())
    workflow.give(asked, by=clerk, shown="Order 7", link="/documents/")
    assert not WorkItem.objects.of(clerk).exists()
    workflow.ask_again(asked, by=cast.member, reason="The other order 7.")
    asked.refresh_from_db()
    assert (asked.status, asked.given_at) == ("asked", None)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//evil.example", "http://x", "x y"])
def test_a_link_to_evidence_is_an_address(
    link: str, cast: Cast, visit: CertificationAudit, client: Client
) -> None:
    asked = workflow.note_request(by=cast.manager, visit=visit, what="Order 7")
    client.force_login(cast.manager, backend="qms.people.access.RoleBackend")
    move = reverse("audits:request_transition", args=[asked.pk, "give"])
    assert client.post(move, {"version": asked.version, "link": link}).status_code == 422


def test_after_the_visit_nothing_more_is_asked(cast: Cast, visit: CertificationAudit) -> None:
    workflow.record_visit(visit, by=cast.manager, done_on=today(), result="Good.")
    with pytest.raises(Refused, match="stand as they were"):
        workflow.note_request(by=cast.manager, visit=visit, what="Order 7")


# --- a grade the body changed ---------------------------------------------------------------------


def changed(cast: Cast, finding: BodyFinding, becomes: str, **more: Any) -> Any:
    given: dict[str, Any] = {
        "decided_on": today(),
        "by_whom": "J. Lavoie",
        "reason": "Found twice.",
        "letter": [ContentFile(b"Letter.", name="letter.txt")],
    } | more
    return workflow.change_grade(finding, by=cast.manager, becomes=becomes, **given)


def test_the_grade_before_the_letter_and_the_reason_are_kept(cast: Cast) -> None:
    finding = scenes.a_body_finding(cast)
    due = finding.plan_due
    change = changed(cast, finding, "major")
    finding.refresh_from_db()
    assert (change.was, finding.grade, finding.plan_due) == ("minor", "major", due)
    nc = workflow.nonconformity_of(finding)
    assert nc is not None
    assert nc.grade == "major"
    assert [each.name for each in attachments_of(finding)] == ["letter.txt"]
    assert "Found twice." in finding.history.first().history_change_reason


def test_what_becomes_a_nonconformity_gets_days_and_raises_ours_once(cast: Cast) -> None:
    first = scenes.a_body_finding(cast)
    remark = scenes.a_remark(cast, first)
    with pytest.raises(Refused, match="names the requirement and the evidence"):
        changed(cast, remark, "minor")
    amend(remark, by=cast.manager, changes={"requirement": "Boards.", "evidence": "Hall 2."})
    changed(cast, remark, "minor")
    remark.refresh_from_db()
    assert remark.plan_due == today() + timedelta(days=30)
    ours = workflow.nonconformity_of(remark)
    assert ours is not None
    changed(cast, remark, "observation")
    remark.refresh_from_db()
    assert (remark.plan_due, remark.next_due) == (None, None)
    changed(cast, remark, "major")
    assert workflow.nonconformity_of(remark) == ours
    ours.refresh_from_db()
    assert ours.grade == "major"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"becomes": "minor"}, "another one than before"),
        ({"becomes": "grave"}, "another one than before"),
        ({"letter": []}, "Attach its letter"),
        ({"reason": " "}, "Say who at the body decided it"),
        ({"decided_on": None}, "future"),
    ],
)
def test_a_change_without_its_letter_is_refused(cast: Cast, more: dict[str, Any], why: str) -> None:
    if "decided_on" in more:
        more["decided_on"] = today() + timedelta(days=1)
    finding = scenes.a_body_finding(cast)
    with pytest.raises(Refused, match=why):
        changed(cast, finding, **({"becomes": "major"} | more))
    finding.refresh_from_db()
    assert finding.grade == "minor"


def test_evidence_and_letters_are_attached_also_after_the_answer(cast: Cast) -> None:
    finding = scenes.a_body_finding(cast)
    scenes.prepare_its_answer(cast, finding)
    workflow.send_answer(finding, by=cast.manager, answered_on=today())
    changed(cast, finding, "major")
    workflow.extend_deadline(
        finding,
        by=cast.manager,
        deadline="evidence",
        until=today() + timedelta(days=200),
        reason="Holidays.",
        consent=[ContentFile(b"We agree.", name="consent.txt")],
    )
    assert len(attachments_of(finding)) == 2


# --- the pack of a past day -----------------------------------------------------------------------


def test_a_pack_shows_certificates_as_they_stood_at_its_cut_off(cast: Cast) -> None:
    certificate = scenes.an_application(cast)
    scenes.stage_two(cast, certificate)
    day = today()
    printed = {"decided_on": day, "issued_on": day, "expires_on": add_months(day, 36)}
    workflow.grant(certificate, by=cast.manager, number="FM 1", **printed)
    cut_off = clock.now()
    period = Period(day - timedelta(days=30), day)
    with time_machine.travel(clock.now() + timedelta(days=40), tick=True):
        workflow.suspend(certificate, by=cast.manager, reason="No visit.", began_on=today())
        then = certification(period, cut_off)
        (stood,) = then["certificates"]
        assert (stood.get_status_display(), str(stood.body), then["suspensions"]) == (
            "Certified",
            "BSI",
            [],
        )
        later = certification(Period(day, today()), clock.now())
        assert [each.status for each in later["certificates"]] == ["suspended"]
        assert len(later["suspensions"]) == 1


def test_the_register_of_body_findings_is_that_of_the_cut_off(cast: Cast) -> None:
    remark = scenes.a_remark(cast, scenes.a_body_finding(cast))
    cut_off = clock.now()
    workflow.settle_remark(remark, by=cast.manager, reason="The board is lit now.")
    period = Period(today() - timedelta(days=9), today())
    closed = {row[0]: row[-1] for row in body_finding_register(period, cut_off)}
    assert closed == {"NC-1": None, remark.reference: None}
