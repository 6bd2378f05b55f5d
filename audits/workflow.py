"""The procedure of an audit: plan, confirm, conduct, report, follow up (ISO 9001 9.2.2)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction as db
from django.db.models import Max

from audits.independence import objections
from audits.models import (
    Audit,
    AuditTeamMember,
    Certificate,
    CertificationAudit,
    ChecklistItem,
    Finding,
    IndependenceException,
)
from capa.models import Nonconformity
from capa.workflow import NonconformityClosed, raise_nonconformity
from qms import clauses, clock, contributions
from qms.competence.workflow import Unmet, unmet_on
from qms.contributions import Step
from qms.events import handles
from qms.files.workflow import guards_attaching
from qms.links import set_links
from qms.people.models import Person
from qms.periods import due_in, today
from qms.records import insert_together
from qms.refusals import Refused, Stale
from qms.scope.models import Process, Site
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition, voids

Status = Audit.Status
REPORT_DAYS = 14


def team_of(audit: Audit) -> list[Person]:
    """The lead auditor and the team, the lead first."""
    links = audit.team_links.live().select_related("person").order_by("pk")
    return [audit.lead, *(link.person for link in links)]


# Guards


def only_the_team(audit: Audit, by: Any) -> str | None:
    if by in team_of(audit):
        return None
    return "Only the audit team conducts the audit."


def only_the_lead(audit: Audit, by: Any) -> str | None:
    return None if by.pk == audit.lead_id else "Only the lead auditor issues the report."


def team_is_independent(audit: Audit, by: Any) -> str | None:
    excused = set(audit.exceptions.values_list("person_id", flat=True))
    said = [
        objection
        for person in team_of(audit)
        if person.pk not in excused
        for objection in objections(person, audit.process, audit.planned_on)
    ]
    if not said:
        return None
    return " ".join(said) + " Choose another auditor, or record an exception."


def team_may_audit(audit: Audit, by: Any) -> str | None:
    untrained = [
        person.name
        for person in team_of(audit)
        if not (person.is_outside or person.holds("auditor", "lead_auditor"))
    ]
    if untrained:
        return f"{', '.join(untrained)} has no auditor's role."
    return None


@dataclass(frozen=True)
class Lacking:
    """A competence that somebody of the team lacks on the day of the audit, with its facts."""

    person: Person
    unmet: Unmet

    def __str__(self) -> str:
        name = self.unmet.requirement.competence.name
        return f"{self.person.name} lacks “{name}” on {self.unmet.day:%-d %B %Y}: {self.unmet.why}."


def what_the_team_lacks(audit: Audit) -> list[Lacking]:
    """What the organisation asks of its auditors and the team lacks on the day of the audit."""
    found = []
    for person in team_of(audit):
        roles = {"lead_auditor", "auditor"} if person.pk == audit.lead_id else {"auditor"}
        asked = roles if person.is_outside else roles & person.role_names
        found += [Lacking(person, each) for each in unmet_on(person, audit.planned_on, asked)]
    return found


def team_is_competent(audit: Audit, by: Any) -> str | None:
    """What the organisation asks of its auditors holds on the day of the audit (7.2, 9.2.2)."""
    said = [str(each) for each in what_the_team_lacks(audit)]
    if not said:
        return None
    return " ".join(said) + " Record a finding under Competence, or choose another auditor."


def there_is_a_checklist(audit: Audit, by: Any) -> str | None:
    return None if audit.items.exists() else "Prepare the checklist first."


def every_question_is_answered(audit: Audit, by: Any) -> str | None:
    left = audit.items.filter(answer="").count()
    if left:
        return f"{left} question{'s are' if left > 1 else ' is'} still open."
    return None


def findings_are_complete(audit: Audit, by: Any) -> str | None:
    """A nonconformity says requirement, evidence and statement; one without is not released."""
    drafts = audit.findings.filter(status=Finding.Status.DRAFT, grade__in=Finding.NONCONFORMITIES)
    missing = [
        str(f.position)
        for f in drafts.order_by("position")
        if not (f.requirement.strip() and f.evidence.strip() and f.statement.strip())
    ]
    if missing:
        return f"Finding {', '.join(missing)} lacks requirement, evidence or statement."
    return None


def nonconforming_answers_have_findings(audit: Audit, by: Any) -> str | None:
    bare = audit.items.filter(answer=ChecklistItem.Answer.NONCONFORMING).exclude(
        pk__in=audit.findings.exclude(status="void").exclude(item=None).values("item_id")
    )
    numbers = [str(n) for n in bare.order_by("position").values_list("position", flat=True)]
    if numbers:
        return f"Question {', '.join(numbers)} is nonconforming but has no finding."
    return None


def nonconformities_are_closed(audit: Audit, by: Any) -> str | None:
    left = nonconformities_of(audit).open().count()
    if left:
        return f"{left} of its nonconformities {'is' if left == 1 else 'are'} still open."
    return None


def nonconformities_of(audit: Audit) -> Any:
    """The nonconformities its findings raised."""
    return Nonconformity.objects.raised_from(*audit.findings.all())


def audit_is_running(finding: Finding, by: Any) -> str | None:
    if finding.audit.status != Status.IN_PROGRESS:
        return "The audit is not in progress."
    return None


def only_its_team(finding: Finding, by: Any) -> str | None:
    return only_the_team(finding.audit, by)


@guards_attaching(Audit)
def until_the_report_is_issued(audit: Audit, by: Any) -> str | None:
    """The signed report stands as it was issued."""
    if audit.status in (Status.PLANNED, Status.CONFIRMED, Status.IN_PROGRESS):
        return None
    return "The report is issued; nothing is added to it. Attach it to the nonconformity."


@guards_attaching(Finding)
def while_it_is_a_draft(finding: Finding, by: Any) -> str | None:
    """Photos belong to the finding as it was released; only the team adds them."""
    if finding.status != Finding.Status.DRAFT:
        return "The finding is released; attach it to its nonconformity."
    return only_the_team(finding.audit, by)


# Factories


@creates(Audit, permission="audits.add_audit")
def plan_audit(
    *,
    by: Person,
    process: Process,
    planned_on: date,
    lead: Person,
    site: Site | None = None,
    edition: str = "2026",
    clauses: list[str] | None = None,
    objectives: str = "",
    criteria: str = "",
    scope: str = "",
    method: str = Audit.Method.ON_SITE,
    auditees: str = "",
    team: Any = (),
) -> Audit:
    """Plan the audit of a process; its questions come from the catalogue for its clauses."""
    if process.status != Process.Status.ACTIVE:
        raise Refused(f"{process.name} does not run; only active processes are audited.")
    references = list(clauses or process.clauses)
    audit = Audit(
        process=process,
        site=site,
        edition=edition,
        clauses=references,
        objectives=objectives,
        criteria=criteria,
        scope=scope,
        method=method,
        planned_on=planned_on,
        originally_planned_on=planned_on,
        lead=lead,
        auditees=auditees,
        created_by=by,
    )
    audit.save()
    set_links(AuditTeamMember, owner={"audit": audit}, target="person", targets=team, by=by)
    draft_checklist(audit, by=by)
    refresh(audit)
    return audit


def set_team(audit: Audit, *, by: Person, team: Any) -> Audit:
    """Choose the team anew, while the audit is planned."""
    if not by.has_perm("audits.change_audit"):
        raise PermissionDenied("Your role does not allow you to change an audit.")
    with db.atomic():
        locked: Audit = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
        if locked.status != Status.PLANNED:
            raise Refused("The team is confirmed. Postpone the audit to change it.")
        others = [person for person in team if person.pk != locked.lead_id]
        set_links(AuditTeamMember, owner={"audit": locked}, target="person", targets=others, by=by)
        refresh(locked)
    return locked


def draft_checklist(audit: Audit, *, by: Person) -> None:
    """One item for each question the catalogue asks for the audit's clauses."""
    asked = [(key, each) for key in audit.clauses for each in clauses.clause(key).questions]
    insert_together(
        [
            ChecklistItem(
                audit=audit, position=position, clause=key, question=question, created_by=by
            )
            for position, (key, question) in enumerate(asked, start=1)
        ]
    )


def add_question(audit: Audit, *, by: Person, question: str, clause: str = "") -> ChecklistItem:
    """Add a question of one's own."""
    if not by.has_perm("audits.conduct_audit"):
        raise PermissionDenied("Your role does not allow you to change a checklist.")
    if not question.strip():
        raise Refused("Write the question.", field="question")
    with db.atomic():
        locked = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
        if locked.status not in (Status.PLANNED, Status.CONFIRMED, Status.IN_PROGRESS):
            raise Refused("The report is issued; its checklist stands.")
        last = locked.items.aggregate(last=Max("position"))["last"] or 0
        item = ChecklistItem(
            audit=locked,
            position=last + 1,
            clause=clause,
            question=question.strip(),
            created_by=by,
        )
        item.save()
    return item


def answer(
    item: ChecklistItem, *, by: Person, answer: str, note: str = "", version: int | None = None
) -> ChecklistItem:
    """Record the answer to a question; only the team, only while the audit is in progress."""
    if not by.has_perm("audits.conduct_audit"):
        raise PermissionDenied("Your role does not allow you to conduct audits.")
    if answer not in ChecklistItem.Answer.values:
        raise Refused("Choose one of the answers.", field="answer")
    with db.atomic():
        audit = Audit._base_manager.select_for_update(of=("self",)).get(pk=item.audit_id)
        if why := only_the_team(audit, by):
            raise PermissionDenied(why)
        if audit.status != Status.IN_PROGRESS:
            raise Refused("Start the audit first; answers are recorded while it is in progress.")
        current = ChecklistItem._base_manager.select_for_update(of=("self",)).get(pk=item.pk)
        if version is not None and current.version != version:
            raise Stale
        current.answer, current.note = answer, note
        current.answered_by, current.happened_at = by, clock.now()
        current.save_because("Answered.", by=by)
    item.refresh_from_db()
    return item


@creates(Finding, permission="audits.conduct_audit")
def record_finding(
    audit: Audit,
    *,
    by: Person,
    grade: str,
    evidence: str = "",
    statement: str = "",
    requirement: str = "",
    clause: str = "",
    item: ChecklistItem | None = None,
) -> Finding:
    """Record a finding as a draft; it may be incomplete until the report is issued."""
    locked = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
    if why := only_the_team(locked, by):
        raise PermissionDenied(why)
    if locked.status != Status.IN_PROGRESS:
        raise Refused("Start the audit first; findings are recorded while it is in progress.")
    if grade not in Finding.Grade.values:
        raise Refused("Choose a grade.", field="grade")
    if item is not None and item.audit_id != locked.pk:
        raise Refused("That question belongs to another audit.", field="item")
    last = locked.findings.aggregate(last=Max("position"))["last"] or 0
    finding = Finding(
        audit=locked,
        item=item,
        position=last + 1,
        grade=grade,
        clause=clause or (item.clause if item else ""),
        requirement=requirement,
        evidence=evidence,
        statement=statement,
        created_by=by,
    )
    finding.save()
    return finding


def answer_of(finding: Finding) -> str:
    """What a finding says about its question, where nobody has answered it otherwise."""
    answers = ChecklistItem.Answer
    if finding.is_nonconformity:
        return answers.NONCONFORMING
    good = finding.grade == Finding.Grade.GOOD
    return answers.CONFORMS if good else answers.OPPORTUNITY


@creates(IndependenceException, permission="audits.change_audit")
def record_exception(
    audit: Audit, *, by: Person, person: Person, reason: str, mitigation: str
) -> IndependenceException:
    """Excuse an auditor who is not independent; somebody else decides, and says why."""
    if by == person:
        raise Refused("Nobody excuses themselves; ask somebody else.", field="person")
    if not by.holds("quality_manager", "top_management"):
        raise PermissionDenied("The quality manager or top management decides on exceptions.")
    if not reason.strip() or not mitigation.strip():
        raise Refused("Say why nobody else can do it, and what balances it.", field="reason")
    if person not in team_of(audit):
        raise Refused(f"{person.name} is not in the team.", field="person")
    said = " ".join(objections(person, audit.process, audit.planned_on))
    if not said:
        raise Refused(f"{person.name} is independent; no exception is needed.", field="person")
    exception = IndependenceException(
        audit=audit,
        person=person,
        objection=said,
        reason=reason,
        mitigation=mitigation,
        created_by=by,
    )
    exception.save()
    return exception


# Transitions of an audit


@transition(
    Audit,
    source=Status.PLANNED,
    target=Status.CONFIRMED,
    permission="audits.change_audit",
    guards=[team_may_audit, team_is_competent, team_is_independent, there_is_a_checklist],
    label="Confirm",
)
def confirm(audit: Audit, *, by: Any) -> None:
    """Confirm team, day and checklist."""


@transition(
    Audit,
    source=Status.CONFIRMED,
    target=Status.PLANNED,
    permission="audits.change_audit",
    reason=True,
    label="Postpone",
    primary=False,
    details={"planned_on": forms.DateField(label="New day")},
)
def postpone(audit: Audit, *, by: Any, planned_on: date) -> None:
    """Plan another day; the reason counts in the programme."""
    audit.planned_on = planned_on


@transition(
    Audit,
    source=Status.CONFIRMED,
    target=Status.IN_PROGRESS,
    permission="audits.conduct_audit",
    only=only_the_team,
    guards=[team_is_competent, team_is_independent],
    label="Start",
)
def start(audit: Audit, *, by: Any) -> None:
    """Start the audit: answers and findings are recorded from now on."""
    audit.conducted_on = today()


@transition(
    Audit,
    source=Status.IN_PROGRESS,
    target=Status.ISSUED,
    permission="audits.report_audit",
    only=only_the_lead,
    guards=[
        every_question_is_answered,
        nonconforming_answers_have_findings,
        findings_are_complete,
    ],
    signs="Issued the report",
    label="Issue the report",
    details={
        "conclusions": forms.CharField(
            label="Conclusions",
            widget=forms.Textarea(attrs={"rows": 5}),
            help_text="How far the criteria are met, what was not covered, where opinions differ.",
        )
    },
    then=lambda audit, by: release_findings(audit, by),
)
def issue(audit: Audit, *, by: Any, conclusions: str) -> None:
    """Issue the report: findings are released, and each nonconformity gets its number."""
    audit.conclusions, audit.issued_on = conclusions, today()


@transition(
    Audit,
    source=Status.ISSUED,
    target=Status.CLOSED,
    permission="audits.report_audit",
    only=only_the_lead,
    guards=[nonconformities_are_closed],
    label="Close",
)
def close(audit: Audit, *, by: Any) -> None:
    """Close the audit: everything it found is settled."""
    audit.closed_on = today()


void = voids(Audit, source=[Status.PLANNED, Status.CONFIRMED], permission="audits.void_audit")


# Transitions of a finding


@transition(
    Finding,
    source=Finding.Status.DRAFT,
    target=Finding.Status.RELEASED,
    permission="audits.report_audit",
    guards=[lambda finding, by: released_with_the_report(finding)],
    label="Release",
    primary=False,
)
def release(finding: Finding, *, by: Any) -> None:
    """Release it with the report."""


void_finding = voids(
    Finding,
    source=Finding.Status.DRAFT,
    permission="audits.conduct_audit",
    guards=[audit_is_running],
)


def released_with_the_report(finding: Finding) -> str | None:
    if Audit._base_manager.get(pk=finding.audit_id).status == Status.ISSUED:
        return None
    return "Findings are released with the report; issue it."


def release_findings(audit: Audit, by: Any) -> None:
    """Release every draft, and raise a nonconformity for each major and minor, once."""
    for finding in audit.findings.filter(status=Finding.Status.DRAFT).order_by("position"):
        release(finding, by=by)
        if finding.is_nonconformity:
            raise_nonconformity(
                by=by,
                title=finding.title.rstrip("."),
                statement=finding.statement,
                requirement=finding.requirement,
                clause=finding.clause,
                evidence=finding.evidence,
                source=Nonconformity.Source.AUDIT,
                grade=finding.grade,
                process=audit.process,
                detected_on=audit.conducted_on,
                origin=finding,
            )
    refresh(audit)


editing = amendment(
    Audit,
    permission="audits.change_audit",
    fields=(
        "process",
        "site",
        "edition",
        "clauses",
        "objectives",
        "criteria",
        "scope",
        "method",
        "planned_on",
        "lead",
        "auditees",
    ),
    states=(Status.PLANNED,),
)
editing_finding = amendment(
    Finding,
    permission="audits.conduct_audit",
    fields=("grade", "clause", "requirement", "evidence", "statement"),
    only=only_its_team,
    guards=[audit_is_running],
    states=(Finding.Status.DRAFT,),
)


# Certificates


@creates(Certificate, permission="audits.change_certificate")
def apply_for_certificate(
    *, by: Person, body: str, scope_text: str, edition: str = "2026", cycle: int = 1
) -> Certificate:
    """Record the application at a certification body."""
    certificate = Certificate(
        body=body, scope_text=scope_text, edition=edition, cycle=cycle, created_by=by
    )
    certificate.save()
    return certificate


@creates(CertificationAudit, permission="audits.change_certificate")
def plan_visit(
    *, by: Person, certificate: Certificate, kind: str, planned_on: date, auditors: str = ""
) -> CertificationAudit:
    """Plan a visit of the certification body."""
    visit = CertificationAudit(
        certificate=certificate,
        kind=kind,
        planned_on=planned_on,
        auditors=auditors,
        created_by=by,
    )
    visit.save()
    return visit


_GRANT = {
    "number": forms.CharField(label="Certificate number", max_length=60),
    "decided_on": forms.DateField(label="Date of the decision"),
    "expires_on": forms.DateField(label="Valid through", help_text="The date as printed on it."),
}


@transition(
    Certificate,
    source=Certificate.Status.APPLIED,
    target=Certificate.Status.CERTIFIED,
    permission="audits.change_certificate",
    guards=[lambda certificate, by: an_audit_was_done(certificate)],
    details=_GRANT,
    label="Certificate received",
)
def grant(
    certificate: Certificate, *, by: Any, number: str, decided_on: date, expires_on: date
) -> None:
    """Record the decision of the certification body."""
    if expires_on <= decided_on:
        raise Refused("A certificate is valid beyond its decision.", field="expires_on")
    if decided_on > today():
        raise Refused("The decision cannot lie in the future.", field="decided_on")
    certificate.number, certificate.decided_on = number, decided_on
    certificate.expires_on = expires_on


def an_audit_was_done(certificate: Certificate) -> str | None:
    kinds = (CertificationAudit.Kind.STAGE2, CertificationAudit.Kind.RECERTIFICATION)
    done = certificate.visits.filter(kind__in=kinds, status="done")
    return None if done.exists() else "Record the stage 2 or recertification audit first."


@transition(
    Certificate,
    source=Certificate.Status.CERTIFIED,
    target=Certificate.Status.SUSPENDED,
    permission="audits.change_certificate",
    reason=True,
    label="Suspended",
    primary=False,
)
def suspend(certificate: Certificate, *, by: Any) -> None:
    """Record that the certification body suspended it."""


@transition(
    Certificate,
    source=Certificate.Status.SUSPENDED,
    target=Certificate.Status.CERTIFIED,
    permission="audits.change_certificate",
    reason=True,
    label="Suspension lifted",
)
def lift(certificate: Certificate, *, by: Any) -> None:
    """Record that the suspension was lifted."""


@transition(
    Certificate,
    source=[
        Certificate.Status.APPLIED,
        Certificate.Status.CERTIFIED,
        Certificate.Status.SUSPENDED,
    ],
    target=Certificate.Status.WITHDRAWN,
    permission="audits.change_certificate",
    reason=True,
    label="Withdrawn",
    primary=False,
)
def withdraw(certificate: Certificate, *, by: Any) -> None:
    """Record that the application or certificate was withdrawn."""


@transition(
    Certificate,
    source=Certificate.Status.CERTIFIED,
    target=Certificate.Status.EXPIRED,
    permission="audits.change_certificate",
    guards=[lambda certificate, by: its_date_is_past(certificate)],
    label="Expired",
    primary=False,
)
def expire(certificate: Certificate, *, by: Any) -> None:
    """Record that it ran out."""


def its_date_is_past(certificate: Certificate) -> str | None:
    if certificate.expires_on and certificate.expires_on >= today():
        return f"It is valid through {certificate.expires_on:%-d %B %Y}."
    return None


@transition(
    CertificationAudit,
    source=CertificationAudit.Status.PLANNED,
    target=CertificationAudit.Status.DONE,
    permission="audits.change_certificate",
    label="Record the result",
    details={
        "done_on": forms.DateField(label="Last day of the audit"),
        "result": forms.CharField(
            label="Result", widget=forms.Textarea(attrs={"rows": 4}), max_length=10_000
        ),
        "majors": forms.IntegerField(label="Major nonconformities", min_value=0, initial=0),
        "minors": forms.IntegerField(label="Minor nonconformities", min_value=0, initial=0),
    },
)
def record_visit(
    visit: CertificationAudit,
    *,
    by: Any,
    done_on: date,
    result: str,
    majors: int = 0,
    minors: int = 0,
) -> None:
    """Record what the certification body concluded."""
    if done_on > today():
        raise Refused("The audit cannot have ended in the future.", field="done_on")
    visit.done_on, visit.result, visit.majors, visit.minors = done_on, result, majors, minors


void_visit = voids(
    CertificationAudit,
    source=CertificationAudit.Status.PLANNED,
    permission="audits.change_certificate",
)


# Who has to do what next


@handles(NonconformityClosed)
def an_audit_may_be_ready_to_close(event: NonconformityClosed) -> None:
    """When the last nonconformity of an audit is closed, its lead learns that it is their turn."""
    if isinstance(event.nonconformity.origin, Finding):
        refresh(event.nonconformity.origin.audit)


@contributions.work(Audit)
def next_steps(audit: Audit) -> list[Step]:
    """The lead confirms, the team conducts, the lead reports and closes."""
    if audit.status == Status.PLANNED:
        return [Step("confirm", "Prepare", person=audit.lead, due=audit.planned_on)]
    if audit.status == Status.CONFIRMED:
        return [
            Step("conduct", "Conduct", person=person, due=audit.planned_on)
            for person in dict.fromkeys(team_of(audit))
        ]
    if audit.status == Status.IN_PROGRESS and audit.conducted_on:
        due = due_in(REPORT_DAYS, audit.conducted_on)
        return [Step("report", "Report", person=audit.lead, due=due)]
    if audit.status == Status.ISSUED and not nonconformities_are_closed(audit, None):
        return [Step("close", "Close", person=audit.lead, remind=False)]
    return []


@contributions.work(CertificationAudit)
def visits_ahead(visit: CertificationAudit) -> list[Step]:
    """The quality manager prepares for the certification body."""
    if visit.status == CertificationAudit.Status.PLANNED:
        return [Step("prepare", "Prepare", role="quality_manager", due=visit.planned_on)]
    return []
