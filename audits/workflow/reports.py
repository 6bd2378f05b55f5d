"""From released findings to the closed audit: report, answer of the auditee, addenda (9.2.2).

What ISO 19011 asks of a report is there from the start: what the lead leaves empty is filled in
from the record when the report is signed.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction as db
from django.db.models import Max

from audits.models import (
    Addendum,
    Audit,
    AuditReport,
    Finding,
    FindingResponse,
    MeetingAttendance,
    ReportRecipient,
)
from audits.models.audits import SUBJECTS
from audits.workflow.checklists import every_question_is_answered
from audits.workflow.findings import (
    ANSWER_DAYS as OBSERVATION_DAYS,
)
from audits.workflow.findings import (
    everything_is_settled,
    findings_are_complete,
    lacks,
    nonconforming_answers_have_findings,
    raise_for,
    release_findings,
)
from audits.workflow.teams import (
    THEIR_REPORT,
    answerers_of,
    only_our_auditee,
    only_our_lead,
    only_the_lead,
    only_the_team,
)
from qms import clauses
from qms.clauses import ClauseRef
from qms.events import handles
from qms.links import set_links
from qms.outbox import workflow as outbox
from qms.people.models import Person
from qms.periods import due_in, today
from qms.providers.models import Provider
from qms.records import RecordSaved
from qms.refusals import Refused
from qms.scope.models import Organisation, Process, ProcessDeputy
from qms.scope.workflow import working_days_after
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition, voids

Status = Audit.Status
ANSWER_DAYS = 5  # working days in which the auditee acknowledges the signed report or disagrees
MAY = "audits.conduct_audit"


# What the report says


@creates(AuditReport, permission=MAY)
def draft_report(audit: Audit, *, by: Person) -> AuditReport:
    """Begin the report of an audit that starts; its texts fill themselves until it is signed."""
    report = AuditReport(audit=audit, created_by=by)
    report.save()
    return report


def begin_report(audit: Audit, by: Any) -> None:
    """Every audit that started has a report to write in."""
    draft_report(audit, by=by)


def report_of(audit: Audit) -> AuditReport | None:
    """The report of an audit; None before it starts, and for those of former days."""
    found: AuditReport | None = AuditReport._base_manager.filter(audit=audit).first()
    return found


def usual_texts(audit: Audit) -> dict[str, str]:
    """What each part of the report says where the lead writes nothing: read from the record."""
    return {
        "client": _client(),
        "not_covered": _not_covered(audit),
        "fulfilment": _fulfilment(audit),
        "uncertainty": (
            "The audit looked at samples, on the day and at the places named. What was not looked"
            " at may still be found wanting. Nothing hindered it."
        ),
        "differences": _differences(audit),
        "follow_up": (
            f"{_who_follows_up(audit)} answers each nonconformity with correction, cause and"
            f" action, and accepts or declines each observation within {OBSERVATION_DAYS} days."
            " The audit is closed when all of them are settled."
        ),
        "confidentiality": (
            "For those it is distributed to. It leaves the organisation only with the consent of"
            " the quality manager."
        ),
    }


def _who_follows_up(audit: Audit) -> str:
    if audit.provider is None:
        return "The owner of the process"
    return f"{audit.provider.owner.name}, who looks after {audit.provider.name},"


def texts_of(audit: Audit, report: AuditReport | None) -> dict[str, str]:
    """The parts of the report as they stand: as written, else as they fill themselves."""
    if report is None:
        return {} if audit.is_signed else usual_texts(audit)
    written = {name: getattr(report, name) for name in AuditReport.TEXTS}
    if audit.is_signed:
        return written
    usual = usual_texts(audit)
    return {name: text or usual[name] for name, text in written.items()}


def _client() -> str:
    organisation = Organisation.objects.current()
    return f"Top management of {organisation.name}." if organisation else "Top management."


def _not_covered(audit: Audit) -> str:
    """The questions that did not apply, and the clauses of the process nobody asked about."""
    told = []
    skipped = audit.items.filter(answer="not_applicable").order_by("position")
    if numbers := [str(n) for n in skipped.values_list("position", flat=True)]:
        told.append(f"Not applicable on the day: question {', '.join(numbers)}.")
    seen = set(audit.clauses) | set(audit.items.exclude(clause="").values_list("clause", flat=True))
    own = audit.process.clauses if audit.process else []
    left = [key for key in own if key not in seen]
    left = [key for key in left if ClauseRef.parse(key).edition == audit.edition]
    if left:
        told.append(f"Clauses of the process left for another audit: {_numbers(left)}.")
    return " ".join(told) or "Nothing of the scope was left out."


def _numbers(keys: Sequence[str]) -> str:
    return ", ".join(ClauseRef.parse(key).number for key in clauses.sorted_keys(keys))


def _fulfilment(audit: Audit) -> str:
    asked = audit.items.exclude(answer="").exclude(answer="not_applicable")
    met = asked.exclude(answer="nonconforming").count()
    told = f"{met} of {asked.count()} questions that applied found the criteria fulfilled."
    kept = audit.findings.exclude(status="void").nonconformities()
    keys = [key for key in kept.values_list("clause", flat=True) if key]
    if keys:
        told += f" Not fulfilled in part: clause {_numbers(keys)}."
    elif kept.count():
        told += " In part they are not fulfilled; see the findings."
    return told


def _differences(audit: Audit) -> str:
    """What the auditees did not agree with before the report was signed."""
    rows = FindingResponse.objects.filter(finding__audit=audit, disagrees=True)
    told = [
        f"{each.created_by.name} does not agree with finding {each.finding.position}: {each.text}"
        for each in rows.select_related("created_by", "finding").order_by("finding__position", "pk")
    ]
    return "\n".join(told) or "None were told before the report was signed."


def recipients_of(audit: Audit) -> list[Person]:
    """Who receives the report: whoever the lead chose, else the auditees and the quality manager"""
    links = audit.recipient_links.live().select_related("person").order_by("person__name", "pk")
    return [each.person for each in links] or usual_recipients(audit)


def usual_recipients(audit: Audit) -> list[Person]:
    owner = [audit.subject.owner] if audit.subject.owner else []
    managers = Person.objects.holding("quality_manager").order_by("name", "pk")
    return list(dict.fromkeys([*owner, *answerers_of(audit), *managers]))


def attendance_of(audit: Audit) -> dict[str, list[Person]]:
    """Who was at the opening and at the closing meeting."""
    found: dict[str, list[Person]] = {value: [] for value in MeetingAttendance.Meeting.values}
    links = audit.attendance_links.live().select_related("person")
    for each in links.order_by("person__name", "pk"):
        found[each.meeting].append(each.person)
    return found


def set_people(
    audit: Audit,
    *,
    by: Person,
    opening: Sequence[Person],
    closing: Sequence[Person],
    recipients: Sequence[Person],
) -> None:
    """Record who met and who receives the report; with the report, until it is signed."""
    with db.atomic():
        locked = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
        if not by.has_perm(MAY) or only_the_team(locked, by):
            raise PermissionDenied("Only the audit team writes the report.")
        if why := report_is_open(locked):
            raise Refused(why)
        blind = [each.name for each in recipients if not each.has_perm("audits.view_audit")]
        if blind:
            raise Refused(
                f"{', '.join(blind)} may not read audits. Give them the PDF, or a role that may.",
                field="recipients",
            )
        for meeting, people in (("opening", opening), ("closing", closing)):
            set_links(
                MeetingAttendance,
                owner={"audit": locked, "meeting": meeting},
                target="person",
                targets=people,
                by=by,
            )
        set_links(
            ReportRecipient, owner={"audit": locked}, target="person", targets=recipients, by=by
        )


def report_is_open(audit: Audit) -> str | None:
    if audit.is_theirs:
        return THEIR_REPORT
    if audit.is_signed:
        return "The report is signed. Correct it by an addendum."
    if audit.status not in (Status.IN_PROGRESS, Status.RELEASED):
        return "Start the audit first; its report is written from then on."
    return None


editing_report = amendment(
    AuditReport,
    permission=MAY,
    fields=(
        *AuditReport.TEXTS,
        "opened_at",
        "opening_outsiders",
        "closed_at",
        "closing_outsiders",
    ),
    only=lambda report, by: only_the_team(report.audit, by),
    guards=[lambda report, by: report_is_open(report.audit)],
)


def complete_report(audit: Audit, *, by: Person) -> None:
    """Fill in what was left empty, so that what is signed says everything."""
    # Locked, so that nobody edits it between what is signed and its being signed.
    known = AuditReport._base_manager.select_for_update(of=("self",)).filter(audit=audit)
    report = known.first() or draft_report(audit, by=by)
    empty = {name for name in AuditReport.TEXTS if not getattr(report, name).strip()}
    if empty:
        usual = usual_texts(audit)
        for name in empty:
            setattr(report, name, usual[name])
        report.save_because("What was empty is filled in from the record.", by=by)
    if not audit.recipient_links.live().exists():
        chosen = usual_recipients(audit)
        set_links(ReportRecipient, owner={"audit": audit}, target="person", targets=chosen, by=by)
    audit.report = report


# From the findings to the issued report


RELEASING = [
    every_question_is_answered,
    nonconforming_answers_have_findings,
    findings_are_complete,
]


@transition(
    Audit,
    source=Status.IN_PROGRESS,
    target=Status.RELEASED,
    permission="audits.report_audit",
    only=only_the_lead,
    guards=RELEASING,
    label="Release the findings",
    primary=False,
    then=lambda audit, by: release_findings(audit, by),
)
def release(audit: Audit, *, by: Any) -> None:
    """Show the findings to the auditees before the report; each nonconformity gets its number."""
    audit.released_on = today()


def not_signed_yet(audit: Audit, by: Any) -> str | None:
    return "The report is signed already. It waits for the auditee." if audit.signed_on else None


@transition(
    Audit,
    source=[Status.IN_PROGRESS, Status.RELEASED],
    target=Status.RELEASED,
    permission="audits.report_audit",
    only=only_our_lead,
    guards=[not_signed_yet, *RELEASING],
    signs="Signed the report",
    label="Report to the auditee",
    details={
        "conclusions": forms.CharField(
            label="Conclusions",
            widget=forms.Textarea(attrs={"rows": 5}),
            help_text="Everything else the report asks for is filled in from the record.",
        ),
        "issues_itself": forms.BooleanField(
            label="Issue it as soon as the auditee acknowledges it", required=False
        ),
    },
    then=lambda audit, by: release_findings(audit, by),
)
def sign_report(audit: Audit, *, by: Any, conclusions: str, issues_itself: bool = False) -> None:
    """Release the findings, sign the report and hand it to the auditee for an answer."""
    audit.conclusions, audit.issues_itself = conclusions, issues_itself
    audit.signed_on = today()
    audit.released_on = audit.released_on or audit.signed_on
    audit.answer_due = answer_by(audit, audit.signed_on)
    complete_report(audit, by=by)


def answer_by(audit: Audit, start: date) -> date:
    """The last of the working days the auditee has, by the calendar of the site."""
    return working_days_after(start, ANSWER_DAYS, audit.site_id)


def it_waits_for_the_auditee(audit: Audit, by: Any) -> str | None:
    if not audit.is_signed:
        return "The report is not signed yet."
    if audit.answer:
        return f"It is answered already: {audit.get_answer_display().lower()}."
    return None


def _answer(audit: Audit, by: Any, answer: str, reason: str = "") -> None:
    audit.answer, audit.answer_reason = answer, reason.strip()
    audit.answered_by, audit.answered_on = by, today()


def issue_if_agreed(audit: Audit, by: Any) -> None:
    """The lead decided when signing that an acknowledged report is issued at once.

    The clock acts, and says on whose decision; a lead who has left decides nothing any more.
    """
    if not audit.issues_itself or not audit.lead.is_active or not audit.signed_on:
        return
    why = (
        f"Issued on acknowledgement, as {audit.lead.name} decided when signing it on"
        f" {audit.signed_on:%-d %B %Y}."
    )
    issue_acknowledged(audit, by=Person.objects.system(), reason=why)


@transition(
    Audit,
    source=Status.RELEASED,
    target=Status.RELEASED,
    permission="audits.answer_audit",
    only=only_our_auditee,
    guards=[it_waits_for_the_auditee],
    label="Acknowledge the report",
    then=issue_if_agreed,
)
def acknowledge(audit: Audit, *, by: Any) -> None:
    """Acknowledge the report for the auditees."""
    _answer(audit, by, Audit.Answer.ACKNOWLEDGED)


@transition(
    Audit,
    source=Status.RELEASED,
    target=Status.RELEASED,
    permission="audits.answer_audit",
    only=only_our_auditee,
    guards=[it_waits_for_the_auditee],
    details={
        "answer_reason": forms.CharField(
            label="With what, and why",
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text="It stands in the report as you write it.",
        )
    },
    label="Disagree",
    primary=False,
)
def disagree(audit: Audit, *, by: Any, answer_reason: str) -> None:
    """Disagree with the report; the lead issues it with what you say."""
    if not answer_reason.strip():
        raise Refused("Say with what you disagree, and why.", field="answer_reason")
    _answer(audit, by, Audit.Answer.DISAGREED, answer_reason)


def the_auditee_had_time(audit: Audit, by: Any) -> str | None:
    """It is issued once the auditee answered, or let the days pass."""
    if not audit.is_signed:
        return "Sign the report first."
    if audit.answer or audit.answer_due is None or today() > audit.answer_due:
        return None
    if not (asked := answerers_of(audit)):
        return None
    return (
        f"{' or '.join(each.name for each in asked)} may answer until {audit.answer_due:%-d %B %Y}."
    )


@transition(
    Audit,
    source=Status.RELEASED,
    target=Status.ISSUED,
    permission="audits.report_audit",
    only=only_our_lead,
    guards=[the_auditee_had_time],
    label="Issue the report",
    then=lambda audit, by: distribute(audit, by),
)
def issue(audit: Audit, *, by: Any) -> None:
    """Issue the report to everybody it is distributed to."""
    audit.issued_on = today()


def it_is_acknowledged(audit: Audit, by: Any) -> str | None:
    """Only what the lead signed to be issued so, and the auditee acknowledged, issues itself."""
    if audit.issues_itself and audit.is_signed and audit.answer == Audit.Answer.ACKNOWLEDGED:
        return None
    return "It is issued by itself only once acknowledged, where the lead decided so."


@transition(
    Audit,
    source=Status.RELEASED,
    target=Status.ISSUED,
    permission="audits.issue_acknowledged",
    guards=[it_is_acknowledged],
    label="Issue on acknowledgement",
    primary=False,
    then=lambda audit, by: distribute(audit, by),
)
def issue_acknowledged(audit: Audit, *, by: Any) -> None:
    """Issue the acknowledged report, as the lead decided when signing it."""
    audit.issued_on = today()


def only_the_lead_or_the_clock(audit: Audit, by: Any) -> str | None:
    return None if by.is_system else only_the_lead(audit, by)


def distribute(audit: Audit, by: Any) -> None:
    """Tell the recipients; what is still open is followed up from here on."""
    outbox.add("audits.distribute", f"audit-report:{audit.pk}", audit=audit.pk)
    if everything_is_settled(audit, by):
        begin_follow_up(audit, by=by)


@outbox.effect("audits.distribute", words="Audit report to its recipients")
def send_to_recipients(leased: Any) -> None:
    """A mail to each recipient; nobody gets a second one, however often this runs."""
    audit = Audit.objects.select_related(*SUBJECTS).get(pk=leased.payload["audit"])
    for person in recipients_of(audit):
        outbox.send_mail(
            "notice",
            person,
            key=f"audit-report:{audit.pk}",
            act=audit.get_absolute_url(),
            subject_line=f"Audit report {audit.number}",
            sentence=f"The report of the {_called(audit)} is issued. You receive it"
            " because you are on its distribution list.",
            act_label="Read the report",
        )


def _called(audit: Audit) -> str:
    """An audit as it is named within a sentence."""
    return f"{audit.title[:1].lower()}{audit.title[1:]}"


@transition(
    Audit,
    source=Status.RELEASED,
    target=Status.ISSUED,
    permission="audits.report_audit",
    only=lambda audit, by: only_with_a_customer(audit) or only_the_lead(audit, by),
    details={
        "received_on": forms.DateField(label="Received on", initial=today),
        "conclusions": forms.CharField(
            label="What they conclude",
            widget=forms.Textarea(attrs={"rows": 5}),
            help_text="In their words. Attach their report to this page.",
        ),
    },
    label="Their report is here",
    then=lambda audit, by: distribute(audit, by),
)
def receive_report(audit: Audit, *, by: Any, received_on: date, conclusions: str) -> None:
    """Record the customer's report; what they found is followed up from here on."""
    if received_on > today():
        raise Refused("Record it when it is here.", field="received_on")
    if audit.conducted_on and received_on < audit.conducted_on:
        raise Refused("It cannot be here before the audit.", field="received_on")
    if not conclusions.strip():
        raise Refused("Say what they conclude.", field="conclusions")
    audit.issued_on, audit.conclusions = received_on, conclusions.strip()


def only_with_a_customer(audit: Audit) -> str | None:
    return None if audit.is_theirs else "We report our own audits; sign the report."


@transition(
    Audit,
    source=Status.ISSUED,
    target=Status.FOLLOW_UP,
    permission="audits.follow_up_audit",
    only=only_the_lead_or_the_clock,
    label="Follow up",
    primary=False,
)
def begin_follow_up(audit: Audit, *, by: Any) -> None:
    """Follow up what was agreed; by itself where something it found is still open."""


@transition(
    Audit,
    source=[Status.ISSUED, Status.FOLLOW_UP],
    target=Status.CLOSED,
    permission="audits.report_audit",
    only=only_the_lead,
    guards=[everything_is_settled],
    label="Close",
)
def close(audit: Audit, *, by: Any) -> None:
    """Close the audit: everything it found is settled."""
    audit.closed_on = today()


@handles(RecordSaved, order=95)
def others_answer_now(event: RecordSaved) -> None:
    """Whoever owns or deputises from now on finds in their work what is still to be answered."""
    record = event.record
    if isinstance(record, Process) and not event.created:
        audits = Audit._base_manager.filter(process=record.pk)
    elif isinstance(record, ProcessDeputy):
        audits = Audit._base_manager.filter(process=record.process_id)
    elif isinstance(record, Provider) and not event.created:
        audits = Audit._base_manager.filter(provider=record.pk)
    else:
        return
    for audit in audits.filter(status=Status.RELEASED):
        refresh(audit)
    for finding in Finding.objects.to_answer().filter(audit__in=audits.values("pk")):
        refresh(finding)


# Corrections of an issued report


def only_its_lead(addendum: Addendum, by: Any) -> str | None:
    return only_the_lead(addendum.audit, by)


def lock_its_audit(addendum: Addendum) -> None:
    Audit._base_manager.select_for_update(of=("self",)).get(pk=addendum.audit_id)


def unfit_regrading(audit: Audit, finding: Finding | None, grade: str) -> tuple[str, str] | None:
    """Why a finding cannot get this grade by an addendum, with the field it belongs to."""
    if finding is None:
        return ("Choose the finding whose grade changes.", "finding") if grade else None
    if finding.audit_id != audit.pk or finding.status != Finding.Status.RELEASED:
        return f"{audit.number} has no such finding.", "finding"
    why = ""
    if grade and grade == finding.standing_grade:
        why = "It has that grade already."
    elif grade in Finding.NONCONFORMITIES and audit.status == Status.CLOSED:
        why = "The audit is closed. Raise the nonconformity on its own."
    elif grade and lacks(finding, grade):
        why = "The finding lacks requirement, evidence or statement for that."
    return (why, "grade_after") if why else None


@creates(Addendum, permission="audits.report_audit")
def draft_addendum(
    audit: Audit,
    *,
    by: Person,
    text: str,
    reason: str,
    finding: Finding | None = None,
    grade_after: str = "",
) -> Addendum:
    """Write a correction of an issued report; it counts once the lead has signed it."""
    if why := only_our_lead(audit, by):
        raise PermissionDenied(why)
    if audit.status not in Audit.REPORTED:
        raise Refused("The report is not issued yet. Correct it before.")
    if unfit := unfit_regrading(audit, finding, grade_after):
        raise Refused(unfit[0], field=unfit[1])
    addendum = Addendum(
        audit=audit,
        text=text,
        reason=reason,
        finding=finding,
        grade_after=grade_after,
        created_by=by,
    )
    addendum.save()
    return addendum


def fits_its_report(addendum: Addendum, changed: Mapping[str, Any]) -> str | None:
    finding = changed.get("finding", addendum.finding)
    grade = changed.get("grade_after", addendum.grade_after)
    unfit = unfit_regrading(addendum.audit, finding, grade)
    return unfit[0] if unfit else None


editing_addendum = amendment(
    Addendum,
    permission="audits.report_audit",
    fields=("text", "reason", "finding", "grade_after"),
    only=only_its_lead,
    states=(Addendum.Status.DRAFT,),
    checks=[fits_its_report],
)


@transition(
    Addendum,
    source=Addendum.Status.DRAFT,
    target=Addendum.Status.ISSUED,
    permission="audits.report_audit",
    only=only_its_lead,
    guards=[lambda addendum, by: fits_its_report(addendum, {})],
    locks=lock_its_audit,
    signs="Signed the addendum",
    label="Issue the addendum",
    then=lambda addendum, by: what_it_changes(addendum, by),
)
def issue_addendum(addendum: Addendum, *, by: Any) -> None:
    """Sign the correction; the report keeps it with a number, and itself stays as it was."""
    known = Addendum._base_manager.filter(audit=addendum.audit_id)
    addendum.number = (known.aggregate(last=Max("number"))["last"] or 0) + 1
    addendum.issued_on = today()
    if addendum.grade_after and addendum.finding is not None:
        addendum.grade_before = addendum.finding.standing_grade


void_addendum = voids(
    Addendum,
    source=Addendum.Status.DRAFT,
    permission="audits.report_audit",
    guards=[only_its_lead],
)


def what_it_changes(addendum: Addendum, by: Any) -> None:
    """The finding stands with its other grade; a nonconformity is raised where that asks for it."""
    if not addendum.grade_after or addendum.finding_id is None:
        return
    rows = Finding._base_manager.select_for_update(of=("self",))
    finding = rows.get(pk=addendum.finding_id)
    finding.regraded = addendum.grade_after
    if addendum.grade_after in Finding.ANSWERED and finding.answer_due is None:
        finding.answer_due = due_in(OBSERVATION_DAYS, today())
    finding.save_because(f"{addendum}: {addendum.reason}", by=by)
    if finding.is_nonconformity:
        raise_for(finding, by=by)
    audit = Audit._base_manager.get(pk=addendum.audit_id)
    if audit.status == Status.ISSUED and everything_is_settled(audit, by):
        begin_follow_up(audit, by=by)
    refresh(audit)
