"""From findings to the closed audit: released once, answered, issued, corrected by addenda."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
import time_machine
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from pypdfium2 import PdfDocument

from audits import grades, repeats, workflow
from audits.evidence import concerns
from audits.factors import factors_of
from audits.models import Audit, Finding
from audits.prints import TEMPLATE, report_context
from capa.models import Nonconformity
from qms import pdf
from qms.competence import workflow as competence
from qms.outbox.models import Effect
from qms.outbox.workflow import drain
from qms.people.models import Person
from qms.periods import Period, today
from qms.refusals import Refused
from qms.scope.models import ProcessDeputy
from qms.scope.workflow import close_for
from qms.signing.models import Signature
from qms.work.models import WorkItem
from qms.workflow import amend
from tests import factories
from tests.audits.test_workflow import Round

pytestmark = [pytest.mark.django_db, pytest.mark.clause("9.2.2")]

WORDS = {"requirement": "Every part bears its number.", "evidence": "Part 7.", "statement": "None."}


@pytest.fixture
def round_() -> Round:
    return Round()


def found(round_: Round, grade: str = "minor", **more: object) -> Finding:
    audit = round_.answered()
    given = WORDS | {"grade": grade, "clause": "2026:8.6"} | more
    return workflow.record_finding(audit, by=round_.second, **given)


def audit_of(finding: Finding) -> Audit:
    found: Audit = Audit.objects.get(pk=finding.audit_id)
    return found


# Releasing


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_whoever_releases_at_the_same_moment_raises_each_nonconformity_once() -> None:
    round_ = Round()
    audit = audit_of(found(round_, "major"))
    workflow.record_finding(audit, by=round_.second, grade="minor", **WORDS)
    start = Barrier(4)

    def press(number: int) -> str:
        try:
            start.wait(timeout=10)
            mine = Audit.objects.get(pk=audit.pk)
            by = Person.objects.get(pk=round_.lead.pk)
            if number % 2:
                workflow.release(mine, by=by)
            else:
                proof = factories.proof(by)
                workflow.sign_report(mine, by=by, conclusions="It works.", proof=proof)
            return "done"
        except Refused as refusal:
            return str(refusal)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(press, range(4)))
    raised = Nonconformity.objects.raised_from(*audit.findings.all())
    assert sorted(raised.values_list("grade", flat=True)) == ["major", "minor"], outcomes
    assert set(audit.findings.values_list("status", flat=True)) == {"released"}
    audit.refresh_from_db()
    assert audit.status == "released"
    assert Signature.objects.of(audit).count() <= 1
    assert "done" in outcomes


def test_the_lead_may_release_first_and_sign_later(round_: Round) -> None:
    finding = found(round_)
    audit = workflow.release(audit_of(finding), by=round_.lead)
    assert Finding.objects.visible_to(round_.owner).get() == finding
    assert Nonconformity.objects.count() == 1
    with pytest.raises(Refused, match="Sign the report first"):
        workflow.issue(audit, by=round_.lead)
    with pytest.raises(Refused, match="not signed yet"):
        workflow.acknowledge(audit, by=round_.owner)
    round_.sign(audit)
    assert Nonconformity.objects.count() == 1
    with pytest.raises(Refused, match="signed already"):
        round_.sign(audit)


def test_an_observation_needs_evidence_and_statement_and_an_idea_something(
    round_: Round,
) -> None:
    audit = round_.answered()
    workflow.record_finding(audit, by=round_.second, grade="opportunity", statement="A lamp.")
    bare = workflow.record_finding(audit, by=round_.second, grade="observation", statement="Dim.")
    with pytest.raises(Refused, match="Finding 2 lacks"):
        workflow.release(audit, by=round_.lead)
    amend(bare, by=round_.second, changes={"evidence": "20 lux."})
    workflow.release(audit, by=round_.lead)


# The answer of the auditee


def test_the_auditee_has_five_working_days_by_the_calendar_of_the_site(
    round_: Round,
) -> None:
    thursday = date(2026, 6, 4)
    audit = round_.planned()
    assert workflow.answer_by(audit, thursday) == date(2026, 6, 11)
    close_for(
        by=round_.quality,
        why="Stocktaking",
        starts_on=date(2026, 6, 8),
        ends_on=date(2026, 6, 9),
    )
    assert workflow.answer_by(audit, thursday) == date(2026, 6, 15)


def test_an_acknowledged_report_is_issued_at_once_where_the_lead_decided_so(
    round_: Round,
) -> None:
    audit = round_.sign(round_.answered())
    [asked] = WorkItem.objects.filter(step="answer", record_id=audit.pk)
    assert (asked.person, asked.due) == (round_.owner, audit.answer_due)
    with pytest.raises(PermissionDenied, match="answers for the auditees"):
        workflow.acknowledge(audit, by=round_.quality)
    workflow.acknowledge(audit, by=round_.owner)
    assert (audit.status, audit.answer, audit.issued_on) == ("issued", "acknowledged", today())
    assert Effect.objects.filter(key=f"audit-report:{audit.pk}").count() == 1
    [signature] = Signature.objects.of(audit)
    assert signature.still_fits


def test_else_the_lead_issues_what_is_acknowledged(round_: Round) -> None:
    audit = round_.sign(round_.answered(), issues_itself=False)
    workflow.acknowledge(audit, by=round_.owner)
    assert audit.status == "released"
    [mine] = WorkItem.objects.filter(record_id=audit.pk, number=audit.number)
    assert (mine.person, mine.label) == (round_.lead, "Issue the report")
    assert workflow.issue(audit, by=round_.lead).status == "issued"


def test_who_disagrees_says_why_and_the_report_says_it(round_: Round) -> None:
    audit = round_.sign(round_.answered())
    with pytest.raises(Refused, match="Say with what"):
        workflow.disagree(audit, by=round_.owner, answer_reason=" ")
    workflow.disagree(audit, by=round_.owner, answer_reason="The sample was too small.")
    assert audit.status == "released"  # the lead looks at it before it goes out
    workflow.issue(audit, by=round_.lead)
    told = report_context(audit)
    assert "disagreed on" in told["answer"]
    assert told["audit"].answer_reason == "The sample was too small."


def test_silence_holds_a_report_up_for_five_working_days_only(round_: Round) -> None:
    audit = round_.sign(round_.answered())
    with pytest.raises(Refused, match="may answer until"):
        workflow.issue(audit, by=round_.lead)
    assert audit.answer_due is not None
    ahead = (audit.answer_due - today()).days
    with time_machine.travel(_noon(audit.answer_due), tick=False), pytest.raises(Refused):
        workflow.issue(audit, by=round_.lead)
    with time_machine.travel(_noon(audit.answer_due + timedelta(days=1)), tick=False):
        workflow.issue(audit, by=round_.lead)
    assert ahead >= 7
    assert report_context(audit)["answer"].startswith("Nobody answered until")


def _noon(day: date) -> str:
    return f"{day.isoformat()}T16:00:00Z"


def test_a_deputy_or_whoever_is_named_answers_but_nobody_of_the_team(
    round_: Round,
) -> None:
    deputy = factories.person("process_owner")
    ProcessDeputy(process=round_.process, person=deputy, created_by=round_.quality).save()
    audit = round_.sign(round_.answered())
    assert workflow.answerers_of(audit) == [round_.owner, deputy]
    workflow.acknowledge(audit, by=deputy)
    named = factories.person("process_owner")
    other = round_.planned(auditee=named)
    assert workflow.answerers_of(other) == [named]
    with pytest.raises(Refused, match="may not read audits"):
        round_.planned(auditee=factories.person())
    assert workflow.answerers_of(round_.planned(auditee=round_.second)) == [round_.quality]


def test_a_new_owner_finds_what_is_to_be_answered(round_: Round) -> None:
    audit = round_.sign(audit_of(found(round_, "observation")))
    new = factories.person("process_owner")
    amend(round_.process, by=round_.quality, changes={"owner": new}, reason="Another owner.")
    asked = WorkItem.objects.filter(step="answer")
    assert {(each.person, each.label) for each in asked} == {
        (new, "Acknowledge or disagree"),
        (new, "Accept or decline"),
    }
    with pytest.raises(PermissionDenied):
        workflow.acknowledge(audit, by=round_.owner)


def test_a_report_not_signed_within_fourteen_days_is_a_concern(round_: Round) -> None:
    audit = round_.answered()
    year = Period(today(), today() + timedelta(days=14))
    assert not [each for each in concerns(year) if audit.number in each.title]
    later = Period(today(), today() + timedelta(days=15))
    [said] = [each for each in concerns(later) if audit.number in each.title]
    assert "its report is not signed" in said.title


# Grades


def test_only_the_lead_softens_a_grade_and_says_why(round_: Round) -> None:
    finding = found(round_, "major")
    for who in (round_.second, round_.lead):
        with pytest.raises(Refused, match="not softened by an edit"):
            amend(finding, by=who, changes={"grade": "minor"})
    with pytest.raises(PermissionDenied):
        workflow.soften(finding, by=round_.second, grade="minor", softened_because="Nicer.")
    with pytest.raises(Refused, match="no softer grade"):
        workflow.soften(finding, by=round_.lead, grade="major", softened_because="Same.")
    workflow.soften(finding, by=round_.lead, grade="minor", softened_because="One part only.")
    workflow.soften(finding, by=round_.lead, grade="observation", softened_because="It was found.")
    assert (finding.grade, finding.softened_from) == ("observation", "major")
    assert finding.softened_because == "One part only.\nIt was found."
    amend(finding, by=round_.second, changes={"grade": "minor"})  # graver is an edit


def test_no_page_and_no_program_softens_by_an_edit(round_: Round, client: Client) -> None:
    finding = found(round_, "major")
    client.force_login(round_.second, backend="qms.people.access.RoleBackend")
    answer = client.post(
        f"{finding.get_absolute_url()}edit/",
        WORDS | {"grade": "observation", "clause": "", "version": finding.version},
    )
    assert answer.status_code == 422
    assert b"not softened by an edit" in answer.content
    sent = client.patch(
        f"/api/v1/findings/{finding.pk}/",
        {"grade": "observation", "version": finding.version},
        content_type="application/json",
    )
    assert sent.status_code == 422
    with pytest.raises(Refused, match="lead auditor"):
        workflow.void_finding(finding, by=round_.second, reason="Gone.")
    finding.refresh_from_db()
    assert finding.grade == "major"


def test_notes_are_merged_and_nothing_of_them_is_lost(round_: Round) -> None:
    first = found(round_, "observation", evidence="Part 7 in hall 2.", requirement="")
    second = workflow.record_finding(
        first.audit, by=round_.second, grade="minor", evidence="Part 9 in hall 3."
    )
    with pytest.raises(Refused, match="graded softer"):
        workflow.merge(second, by=round_.second, into=first.position)
    with pytest.raises(Refused, match="no other draft"):
        workflow.merge(first, by=round_.second, into=first.position)
    workflow.merge(first, by=round_.second, into=second.position)
    second.refresh_from_db()
    assert (first.status, first.merged_into) == ("void", second)
    assert second.evidence == "Part 9 in hall 3.\nPart 7 in hall 2."
    assert second.clause == "2026:8.6"
    assert first.evidence == "Part 7 in hall 2."


def test_grades_are_named_anew_but_mean_the_same(round_: Round, client: Client) -> None:
    workflow.word_grade(by=round_.quality, grade="minor", label="Weakness B")
    workflow.word_grade(by=round_.quality, grade="major", label="Weakness A", is_used=False)
    assert ("major", "Weakness A") not in grades.choices()
    minor = grades.FindingGrade.objects.get(grade="minor")
    with pytest.raises(Refused, match="must be left"):
        amend(minor, by=round_.quality, changes={"is_used": False}, reason="Not used.")
    finding = found(round_, "minor")
    workflow.release(audit_of(finding), by=round_.lead)
    assert Nonconformity.objects.get().grade == "minor"
    client.force_login(round_.owner, backend="qms.people.access.RoleBackend")
    assert b"Weakness B" in client.get(finding.get_absolute_url()).content
    assert b"Weakness B" in client.get("/audits/findings/").content


def test_a_clause_of_the_other_edition_is_refused_with_the_way_out(round_: Round) -> None:
    with pytest.raises(Refused, match=r"clause 10\.3 is of edition 2015.*found in 10\.1 there"):
        found(round_, clause="2015:10.3")
    finding = found(round_)
    with pytest.raises(Refused, match="audits against edition 2026"):
        amend(finding, by=round_.second, changes={"clause": "2015:8.6"})


# Observations, responses, repeats


def test_an_observation_is_accepted_or_declined_by_its_owner_in_thirty_days(
    round_: Round,
) -> None:
    finding = found(round_, "observation")
    audit = audit_of(finding)
    round_.issue(audit)
    finding.refresh_from_db()
    assert (audit.status, finding.answer_due) == ("follow_up", today() + timedelta(days=30))
    [asked] = WorkItem.objects.filter(label="Accept or decline")
    assert (asked.person, asked.due) == (round_.owner, finding.answer_due)
    with pytest.raises(Refused, match="1 observation is not answered yet"):
        workflow.close(audit, by=round_.lead)
    with pytest.raises(PermissionDenied):
        workflow.decline(finding, by=round_.lead, decision_text="No.")
    with pytest.raises(Refused, match="why nothing is done"):
        workflow.decline(finding, by=round_.owner, decision_text=" ")
    workflow.decline(finding, by=round_.owner, decision_text="The hall is given up.")
    assert not WorkItem.objects.filter(label="Accept or decline").exists()
    [mine] = WorkItem.objects.filter(number=audit.number)
    assert (mine.person, mine.label) == (round_.lead, "Close")
    assert workflow.close(audit, by=round_.lead).status == "closed"


def test_only_observations_are_accepted_or_declined(round_: Round) -> None:
    finding = found(round_, "minor")
    round_.issue(audit_of(finding))
    with pytest.raises(Refused, match="Only an observation"):
        workflow.accept(finding, by=round_.owner)


def test_auditees_respond_to_released_findings_and_it_stands_in_the_report(
    round_: Round,
) -> None:
    finding = found(round_)
    with pytest.raises(Refused, match="not released"):
        workflow.respond(finding, by=round_.owner, text="Wrong.")
    workflow.release(audit_of(finding), by=round_.lead)
    finding.refresh_from_db()
    with pytest.raises(PermissionDenied):
        workflow.respond(finding, by=round_.quality, text="Wrong.")
    workflow.respond(finding, by=round_.owner, text="It is part 8.", disagrees=True)
    [told] = report_context(audit_of(finding))["findings"]
    assert [(r.text, r.disagrees) for r in told.responses.all()] == [("It is part 8.", True)]


@pytest.mark.slow
def test_what_was_found_before_is_recognised_for_thirty_six_months(round_: Round) -> None:
    first = found(round_, "observation")
    round_.issue(audit_of(first))
    second, other = found(round_), found(round_, clause="2026:8.5.1")
    later = list(Finding.objects.filter(pk__in=[second.pk, other.pk]).select_related("audit"))
    assert repeats.earlier_of(later) == {second.pk: [first]}
    assert repeats.earlier_of([first]) == {}
    for each in later:
        each.audit.conducted_on = today() + timedelta(days=1200)
    assert repeats.earlier_of(later) == {}
    round_.issue(audit_of(second))
    assert repeats.repeated_in([round_.process.pk]) == {round_.process.pk: 1}
    processes = {round_.process.pk: round_.process}
    told = factors_of(processes, {round_.process.pk: today()}, today())[round_.process.pk]
    assert "1 finding came again within three years." in [each.words for each in told]


# Addenda


def test_an_issued_report_is_corrected_only_by_numbered_signed_addenda(
    round_: Round,
) -> None:
    finding = found(round_, "observation")
    audit = audit_of(finding)
    said = {"by": round_.lead, "text": "It is part 8.", "reason": "Misread."}
    with pytest.raises(Refused, match="not issued yet"):
        workflow.draft_addendum(audit, **said)
    round_.issue(audit)
    with pytest.raises(PermissionDenied):
        workflow.draft_addendum(audit, **said | {"by": factories.person("lead_auditor")})
    for number in (1, 2):
        addendum = workflow.draft_addendum(audit, **said)
        with pytest.raises(Refused, match="password"):
            workflow.issue_addendum(addendum, by=round_.lead)
        workflow.issue_addendum(addendum, by=round_.lead, proof=factories.proof(round_.lead))
        assert addendum.number == number
        assert Signature.objects.of(addendum).get().still_fits
    assert [each.number for each in report_context(audit)["addenda"]] == [1, 2]
    assert Signature.objects.of(audit).get().still_fits


def test_an_addendum_shows_both_grades_and_raises_what_was_missed(round_: Round) -> None:
    finding = found(round_, "observation")
    audit = audit_of(finding)
    round_.issue(audit)
    finding.refresh_from_db()
    assert not Nonconformity.objects.exists()
    addendum = workflow.draft_addendum(
        audit,
        by=round_.lead,
        text="It breaks the requirement.",
        reason="The drawing asks for the number.",
        finding=finding,
        grade_after="minor",
    )
    assert not Nonconformity.objects.exists()
    workflow.issue_addendum(addendum, by=round_.lead, proof=factories.proof(round_.lead))
    finding.refresh_from_db()
    assert (addendum.grade_before, addendum.grade_after) == ("observation", "minor")
    assert (finding.grade, finding.regraded, finding.wants_answer) == (
        "observation",
        "minor",
        False,
    )
    assert Nonconformity.objects.raised_from(finding).get().grade == "minor"
    assert Finding.objects.nonconformities().get() == finding
    with pytest.raises(Refused, match="has that grade already"):
        workflow.draft_addendum(
            audit,
            by=round_.lead,
            text="Again.",
            reason="Again.",
            finding=finding,
            grade_after="minor",
        )


# The report


def test_the_report_says_everything_though_the_lead_types_only_conclusions(
    round_: Round,
) -> None:
    audit = audit_of(found(round_))
    round_.sign(audit)
    told = dict(report_context(audit)["sections"])
    assert len(told) == 7
    assert all(told.values())
    assert "clause 8.6" in told["How far the criteria are fulfilled"]
    assert {each.pk for each in workflow.recipients_of(audit)} == {
        round_.owner.pk,
        round_.quality.pk,
    }


def test_who_met_and_who_receives_it_is_recorded_until_it_is_signed(
    round_: Round,
    client: Client,
) -> None:
    audit = round_.answered()
    client.force_login(round_.lead, backend="qms.people.access.RoleBackend")
    page = f"/audits/reports/{audit.report.pk}/edit/"
    assert b"Left empty:" in client.get(page).content
    sent = {
        "opened_at": "2026-06-01T09:00",
        "closed_at": "2026-06-01T15:30",
        "opening": [round_.owner.pk],
        "closing": [round_.owner.pk, round_.lead.pk],
        "closing_outsiders": "Ms Grey of the cleaning firm",
        "recipients": [round_.quality.pk],
        "version": audit.report.version,
    }
    assert client.post(page, sent).status_code == 303
    round_.sign(audit)
    meetings = {name: who for name, _moment, who in report_context(audit)["meetings"]}
    assert meetings["Opening meeting"] == round_.owner.name
    assert "Ms Grey of the cleaning firm" in meetings["Closing meeting"]
    assert workflow.recipients_of(audit) == [round_.quality]
    assert client.post(page, sent).status_code == 422
    with pytest.raises(Refused, match="Correct it by an addendum"):
        workflow.set_people(audit, by=round_.lead, opening=[], closing=[], recipients=[])


@pytest.mark.slow
def test_pages_and_pdf_show_answers_repeats_merges_and_addenda(
    round_: Round, client: Client
) -> None:
    earlier = [found(round_, "observation"), found(round_, "observation")]
    for each in earlier:
        round_.issue(audit_of(each))
    finding = found(round_, "observation")
    audit = audit_of(finding)
    for number in range(3):
        more = {"statement": f"Also {number}.", "clause": "2026:8.6"}
        note = workflow.record_finding(audit, by=round_.second, grade="observation", **more)
        workflow.merge(note, by=round_.second, into=finding.position)
    for number in range(2):
        more = {"statement": f"Lamp {number}.", "clause": "2026:8.6"}
        workflow.record_finding(audit, by=round_.second, grade="opportunity", **more)
    round_.issue(audit)
    finding.refresh_from_db()
    for number in range(2):
        workflow.respond(finding, by=round_.owner, text=f"No {number}.", disagrees=True)
    for grade in ("minor", "opportunity"):
        addendum = workflow.draft_addendum(
            audit,
            by=round_.lead,
            text=f"It is a {grade}.",
            reason="We looked again.",
            finding=finding,
            grade_after=grade,
        )
        workflow.issue_addendum(addendum, by=round_.lead, proof=factories.proof(round_.lead))
        finding.refresh_from_db()
    for who in (round_.lead, round_.owner, round_.quality):
        client.force_login(who, backend="qms.people.access.RoleBackend")
        page = client.get(audit.get_absolute_url()).content.decode()
        assert "found before" in page
        assert page.count("merged into") == (3 if who != round_.owner else 0)
        told = client.get(finding.get_absolute_url()).content.decode()
        assert told.count("No 1.") == 1
        assert "Minor nonconformity became opportunity for improvement" in told
        assert all(each.number in told for each in earlier)
        shown = client.get(addendum.get_absolute_url()).content.decode()
        assert "Opportunity for improvement" in shown
        assert client.get(f"{audit.get_absolute_url()}pdf/").content.startswith(b"%PDF")
        listed = client.get("/audits/findings/", {"grade": "observation"})
        assert listed.status_code == 200


def test_the_recipients_get_one_mail_when_it_is_issued(round_: Round) -> None:
    audit = round_.sign(round_.answered())
    drain("default")
    assert mail.outbox == []
    workflow.acknowledge(audit, by=round_.owner)
    drain("default")
    sent = [each for each in mail.outbox if audit.number in each.subject]
    assert {each.to[0].rsplit("<", 1)[-1].rstrip(">") for each in sent} == {
        round_.owner.email,
        round_.quality.email,
    }
    assert audit.get_absolute_url() in str(sent[0].body)


def test_who_may_not_read_audits_is_no_recipient(round_: Round) -> None:
    audit = round_.answered()
    blind = factories.person(name="Nora New")
    with pytest.raises(Refused, match="Nora New may not read audits"):
        workflow.set_people(audit, by=round_.lead, opening=[], closing=[], recipients=[blind])


# On the day


def test_a_competence_that_ran_out_is_found_on_the_day_and_there_is_a_way_out(
    round_: Round,
) -> None:
    skill = competence.define_competence(
        by=round_.quality, name="Auditing", meaning="Alone.", method="observed", validity_months=12
    )
    competence.require(by=round_.quality, competence=skill, role="auditor")
    competence.record_competence(
        by=round_.quality, person=round_.second, competence=skill, level=3, evidence="Seen."
    )
    audit = round_.planned()
    workflow.confirm(audit, by=round_.lead)
    with time_machine.travel(_noon(today() + timedelta(days=400)), tick=False):
        with pytest.raises(Refused, match=r"lacks “Auditing”.*choose another auditor.*exception"):
            workflow.start(audit, by=round_.second)
        exception = workflow.record_exception(
            audit,
            by=round_.quality,
            person=round_.second,
            reason="The course is full.",
            mitigation="The lead reads every note.",
        )
        assert "“Auditing”" in exception.objection
        assert workflow.start(audit, by=round_.second).status == "in_progress"


# What comes after


def test_an_acknowledged_report_is_issued_by_the_clock_on_the_decision_of_its_lead(
    round_: Round,
) -> None:
    audit = round_.issue(round_.answered())
    row = audit.history.filter(status="issued").order_by("history_id").first()
    assert row is not None
    assert row.history_user == Person.objects.system()
    assert row.history_change_reason == (
        f"Issued on acknowledgement, as {round_.lead.name} decided when signing it on"
        f" {today():%-d %B %Y}."
    )
    with pytest.raises(PermissionDenied):
        workflow.issue_acknowledged(audit, by=round_.lead)


@pytest.mark.slow
def test_what_is_said_after_the_issue_stands_apart_and_the_report_as_it_was(round_: Round) -> None:
    seen = found(round_, "observation")
    audit = workflow.release(audit_of(seen), by=round_.lead)
    seen.refresh_from_db()
    workflow.respond(seen, by=round_.owner, text="Seen before the issue.")
    round_.issue(audit)
    before = report_context(audit)
    workflow.respond(seen, by=round_.owner, text="Thought of later.", disagrees=True)
    workflow.accept(seen, by=round_.owner, decision_text="It gets a label.")
    after = report_context(audit)
    assert [each.text for each in before["findings"][0].said] == ["Seen before the issue."]
    assert [each.text for each in after["findings"][0].said] == ["Seen before the issue."]
    assert before["said_later"] == []
    assert [(each.what, each.text) for each in after["said_later"]] == [
        ("Disagreement", "Thought of later."),
        ("Accepted", "It gets a label."),
    ]
    pages = [pdf.render(TEMPLATE, each, paper=each["paper"]) for each in (before, after)]
    said = [_words_of(each) for each in pages]
    assert "Said after the report was issued" not in said[0]
    assert said[1].index("Thought of later.") > said[1].index("Said after the report was issued")


def _words_of(paper: bytes) -> str:
    return " ".join(page.get_textpage().get_text_range() for page in PdfDocument(paper))


def test_a_finding_regraded_to_an_observation_after_closing_asks_its_owner(round_: Round) -> None:
    seen = found(round_, "opportunity")
    audit = round_.issue(audit_of(seen))
    workflow.close(audit, by=round_.lead)
    seen.refresh_from_db()
    addendum = workflow.draft_addendum(
        audit,
        by=round_.lead,
        text="It is more.",
        reason="Seen again.",
        finding=seen,
        grade_after="observation",
    )
    workflow.issue_addendum(addendum, by=round_.lead, proof=factories.proof(round_.lead))
    seen.refresh_from_db()
    assert seen.wants_answer
    assert WorkItem.objects.filter(person=round_.owner, due=seen.answer_due).exists()
    workflow.accept(seen, by=round_.owner, decision_text="Done within the month.")
    assert not WorkItem.objects.filter(person=round_.owner, due=seen.answer_due).exists()


def test_attendance_distribution_and_grades_the_body_changed_are_read_by_programs(
    round_: Round, client: Client
) -> None:
    audit = round_.answered()
    met = [round_.lead, round_.owner]
    workflow.set_people(audit, by=round_.lead, opening=met, closing=met, recipients=[round_.owner])
    factories.sign_in(client, round_.quality)
    for name, count in (("audit-attendance", 4), ("audit-recipients", 1)):
        assert len(client.get(f"/api/v1/{name}/").json()["items"]) == count
    factories.sign_in(client, round_.owner)  # the report is the team's until its findings are out
    assert client.get("/api/v1/audit-attendance/").json()["items"] == []
    assert client.get("/api/v1/body-grade-changes/").status_code == 200
