"""Findings of the certification body: recorded, answered in time, accepted and verified by it.

Each major and minor raises a nonconformity of ours when it is recorded, once and for good. What
the body decides is only recorded here; nothing of it is blocked.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms

from audits.models import (
    BodyFinding,
    CertificationAudit,
    DeadlineExtension,
    GradeChange,
)
from capa.models import Nonconformity
from capa.workflow import actions_of, guards_voiding, raise_nonconformity
from qms import contributions
from qms.actions.models import Action
from qms.contributions import Step
from qms.files.workflow import attach_all, guards_attaching
from qms.people.models import Person
from qms.periods import due_in, today
from qms.refusals import Refused
from qms.scope.models import Process
from qms.workflow import amend, amendment, creates, transition

Status = BodyFinding.Status
MAY = "audits.change_certificate"


@creates(BodyFinding, permission=MAY)
def record_body_finding(
    *,
    by: Person,
    visit: CertificationAudit,
    reference: str,
    grade: str,
    statement: str,
    found_on: date,
    requirement: str = "",
    evidence: str = "",
    clause: str = "",
    process: Process | None = None,
    plan_due: date | None = None,
    evidence_due: date | None = None,
) -> BodyFinding:
    """Record what the body found; its deadlines are those of its terms where it names no other.

    A major or minor raises its nonconformity in the same transaction. Raises Refused.
    """
    if visit.status == CertificationAudit.Status.VOID:
        raise Refused("That visit was voided. Choose the one it was found at.", field="visit")
    if found_on > today():
        raise Refused("It cannot have been handed over in the future.", field="found_on")
    if BodyFinding.objects.filter(visit=visit, reference=reference).exists():
        raise Refused(f"{reference} of this visit is recorded already.", field="reference")
    finding = BodyFinding(
        visit=visit,
        reference=reference,
        grade=grade,
        clause=clause,
        requirement=requirement,
        statement=statement,
        evidence=evidence,
        found_on=found_on,
        created_by=by,
    )
    if finding.is_nonconformity:
        _set_deadlines(finding, plan_due, evidence_due, found_on)
    finding.save()
    if finding.is_nonconformity:
        _raise_for(finding, by, process)
    return finding


def _raise_for(finding: BodyFinding, by: Person, process: Process | None) -> None:
    """Raise our own nonconformity for what the body found."""
    raise_nonconformity(
        by=by,
        title=finding.title.rstrip("."),
        statement=finding.statement,
        requirement=finding.requirement,
        clause=finding.clause,
        evidence=finding.evidence,
        source=Nonconformity.Source.CERTIFICATION,
        grade=finding.grade,
        process=process,
        detected_on=finding.found_on,
        origin=finding,
    )


def _set_deadlines(
    finding: BodyFinding, plan: date | None, evidence: date | None, start: date
) -> None:
    """The days the body named, or those of its terms from a day on."""
    if not (finding.requirement.strip() and finding.evidence.strip()):
        raise Refused(
            "A nonconformity names the requirement and the evidence. Type both as the body wrote"
            " them.",
            field="requirement",
        )
    body, grade = finding.visit.certificate.body, finding.grade
    finding.plan_due = plan or due_in(getattr(body, f"plan_days_{grade}"), start)
    usual = due_in(getattr(body, f"evidence_days_{grade}"), start)
    finding.evidence_due = evidence or max(usual, finding.plan_due)
    if finding.plan_due < start:
        raise Refused(
            "The plan cannot be due before the finding was handed over.", field="plan_due"
        )
    if finding.evidence_due < finding.plan_due:
        raise Refused(
            "The evidence is due after the plan. Compare both days.", field="evidence_due"
        )


def nonconformity_of(finding: BodyFinding) -> Nonconformity | None:
    """The nonconformity it raised; None for an observation or opportunity."""
    found: Nonconformity | None = Nonconformity.objects.raised_from(finding).first()
    return found


@guards_voiding(BodyFinding)
def it_is_the_bodys(finding: BodyFinding, by: Any) -> str | None:
    return f"The certification body raised it as {finding.reference}. It is answered, not voided."


@guards_attaching(BodyFinding)
def while_it_is_open(finding: BodyFinding, by: Any) -> str | None:
    if not by.has_perm(MAY):
        return "The quality manager attaches what goes to the certification body."
    return "It is closed; nothing is added to it." if finding.status == Status.CLOSED else None


def lacking_of(finding: BodyFinding) -> list[str]:
    """What an answer still lacks: correction, cause and action, as sentences."""
    nc = nonconformity_of(finding)
    if nc is None:
        return []
    planned = actions_of(nc).exclude(status=Action.Status.VOID).exists()
    parts = (
        (nc.correction.strip(), f"{nc.number} has no correction yet."),
        (nc.root_cause.strip(), f"{nc.number} has no root cause yet."),
        (planned or nc.no_action_because.strip(), f"{nc.number} has no corrective action yet."),
    )
    return [said for there, said in parts if not there]


# Moves


def it_needs_an_answer(finding: BodyFinding, by: Any) -> str | None:
    if finding.is_nonconformity:
        return None
    return "An observation or opportunity asks for no answer; close it when you have looked at it."


def the_answer_is_whole(finding: BodyFinding, by: Any) -> str | None:
    return " ".join(lacking_of(finding)) or None


def _not_ahead(day: date, field: str, after: date | None, what: str) -> None:
    if day > today():
        raise Refused("That day lies in the future; record it when it has come.", field=field)
    if after and day < after:
        raise Refused(f"It cannot lie before {what}, {after:%-d %B %Y}.", field=field)


@transition(
    BodyFinding,
    source=Status.RECORDED,
    target=Status.ANSWERED,
    permission=MAY,
    guards=[it_needs_an_answer, the_answer_is_whole],
    details={"answered_on": forms.DateField(label="Sent on")},
    label="Answer sent",
)
def send_answer(finding: BodyFinding, *, by: Any, answered_on: date) -> None:
    """Record that correction, cause and planned action went to the certification body."""
    _not_ahead(answered_on, "answered_on", finding.found_on, "the finding")
    finding.answered_on = answered_on


@transition(
    BodyFinding,
    source=Status.ANSWERED,
    target=Status.ACCEPTED,
    permission=MAY,
    details={"accepted_on": forms.DateField(label="Accepted on")},
    label="Plan accepted",
)
def accept_answer(finding: BodyFinding, *, by: Any, accepted_on: date) -> None:
    """Record that the certification body accepted the plan."""
    _not_ahead(accepted_on, "accepted_on", finding.answered_on, "the answer")
    finding.accepted_on = accepted_on


@transition(
    BodyFinding,
    source=Status.ANSWERED,
    target=Status.RECORDED,
    permission=MAY,
    reason=True,
    label="Sent back",
    primary=False,
)
def send_back(finding: BodyFinding, *, by: Any) -> None:
    """Record that the certification body wants another answer, and why."""


@transition(
    BodyFinding,
    source=Status.ACCEPTED,
    target=Status.VERIFIED,
    permission=MAY,
    details={
        "verified_on": forms.DateField(label="Verified on"),
        "verified_by_whom": forms.CharField(label="By whom at the body", max_length=120),
    },
    label="Verified by the body",
)
def verify_answer(
    finding: BodyFinding, *, by: Any, verified_on: date, verified_by_whom: str
) -> None:
    """Record that the certification body verified what was done."""
    _not_ahead(verified_on, "verified_on", finding.accepted_on, "the acceptance")
    finding.verified_on, finding.verified_by_whom = verified_on, verified_by_whom


@transition(
    BodyFinding,
    source=Status.ACCEPTED,
    target=Status.ANSWERED,
    permission=MAY,
    reason=True,
    label="Evidence not enough",
    primary=False,
)
def refuse_evidence(finding: BodyFinding, *, by: Any) -> None:
    """Record that the evidence did not convince the certification body, and why."""


def it_is_settled(finding: BodyFinding, by: Any) -> str | None:
    """What the body verified is closed once our own nonconformity is."""
    nc = nonconformity_of(finding)
    if nc is not None and not nc.is_settled:
        return f"{nc.number} is still open; its effectiveness is to be judged first."
    return None


@transition(
    BodyFinding,
    source=Status.VERIFIED,
    target=Status.CLOSED,
    permission=MAY,
    guards=[it_is_settled],
    label="Close",
)
def close_body_finding(finding: BodyFinding, *, by: Any) -> None:
    """Close it: the body is satisfied, and so are we."""
    finding.closed_on = today()


def it_is_a_remark(finding: BodyFinding, by: Any) -> str | None:
    if finding.is_nonconformity:
        return "A nonconformity is closed after the body has verified what was done."
    return None


@transition(
    BodyFinding,
    source=Status.RECORDED,
    target=Status.CLOSED,
    permission=MAY,
    guards=[it_is_a_remark],
    reason=True,
    label="Looked at",
    primary=False,
)
def settle_remark(finding: BodyFinding, *, by: Any) -> None:
    """Close an observation or opportunity, and say what came of it."""
    finding.closed_on = today()


# Deadlines


@creates(DeadlineExtension, permission=MAY)
def extend_deadline(
    finding: BodyFinding,
    *,
    by: Person,
    deadline: str,
    until: date,
    reason: str,
    consent: Sequence[Any] = (),
) -> DeadlineExtension:
    """Move a deadline of the body with its consent, which is attached; the day before is kept."""
    locked = BodyFinding._base_manager.select_for_update(of=("self",)).get(pk=finding.pk)
    if deadline not in DeadlineExtension.Deadline.values:
        raise Refused("Choose which deadline.", field="deadline")
    field = f"{deadline}_due"
    was: date | None = getattr(locked, field)
    if was is None or locked.next_due is None:
        raise Refused("It has no deadline that is still to be met.", field="deadline")
    if deadline == "plan" and locked.status != Status.RECORDED:
        raise Refused("The plan is sent already; its deadline is met.", field="deadline")
    if until <= was:
        raise Refused(f"It is due on {was:%-d %B %Y}; choose a later day.", field="until")
    if not consent:
        raise Refused(
            "Only the certification body extends its deadline. Attach its consent.",
            field="consent",
        )
    setattr(locked, field, until)
    if locked.evidence_due and locked.plan_due and locked.evidence_due < locked.plan_due:
        raise Refused("Have the deadline of the evidence extended first.", field="until")
    extension = DeadlineExtension(
        finding=locked, deadline=deadline, was=was, until=until, reason=reason, created_by=by
    )
    extension.save()
    words = f"Consent of the certification body: {deadline} until {until:%-d %B %Y}"
    attach_all(locked, list(consent), by=by, caption=words)
    locked.save_because(f"{words}. {reason}", by=by)
    return extension


@creates(GradeChange, permission=MAY)
def change_grade(
    finding: BodyFinding,
    *,
    by: Person,
    becomes: str,
    decided_on: date,
    by_whom: str,
    reason: str,
    letter: Sequence[Any] = (),
    plan_due: date | None = None,
    evidence_due: date | None = None,
) -> GradeChange:
    """Record that the body changed the grade; its letter is attached, the grade before is kept.

    What becomes a nonconformity gets its deadlines and raises ours; what is none any more has no
    deadline, and ours goes on as we decide. Our own nonconformity follows the grade while open.
    """
    locked = BodyFinding._base_manager.select_for_update(of=("self",)).get(pk=finding.pk)
    _fits_a_change(
        locked,
        becomes=becomes,
        decided_on=decided_on,
        by_whom=by_whom,
        reason=reason,
        letter=letter,
    )
    was, locked.grade = locked.grade, becomes
    if not locked.is_nonconformity:
        locked.plan_due = locked.evidence_due = None
    elif was not in BodyFinding.NONCONFORMITIES or plan_due or evidence_due:
        _set_deadlines(
            locked, plan_due or locked.plan_due, evidence_due or locked.evidence_due, decided_on
        )
    change = GradeChange(
        finding=locked,
        was=was,
        becomes=becomes,
        decided_on=decided_on,
        by_whom=by_whom.strip(),
        reason=reason.strip(),
        created_by=by,
    )
    change.save()
    words = f"Letter of the certification body: {locked.get_grade_display().lower()}"
    attach_all(locked, list(letter), by=by, caption=words)
    locked.save_because(f"{change}. {reason}", by=by)
    _our_own_follows(locked, by, f"The certification body changed the grade: {reason}")
    return change


def _fits_a_change(
    finding: BodyFinding,
    *,
    becomes: str,
    decided_on: date,
    by_whom: str,
    reason: str,
    letter: Sequence[Any],
) -> None:
    if finding.status == Status.CLOSED:
        raise Refused("It is closed; its grade stands.")
    if becomes not in BodyFinding.Grade.values or becomes == finding.grade:
        raise Refused("Choose the grade it has now, another one than before.", field="becomes")
    _not_ahead(decided_on, "decided_on", finding.found_on, "the finding")
    if not by_whom.strip() or not reason.strip():
        raise Refused("Say who at the body decided it, and why.", field="reason")
    if not letter:
        raise Refused(
            "Only the certification body changes its grade. Attach its letter.", field="letter"
        )


def _our_own_follows(finding: BodyFinding, by: Person, reason: str) -> None:
    """Our nonconformity is raised where there is none, and has the grade of the finding."""
    if not finding.is_nonconformity:
        return
    nc = nonconformity_of(finding)
    if nc is None:
        _raise_for(finding, by, None)
    elif not nc.is_settled and nc.grade != finding.grade:
        amend(nc, by=by, changes={"grade": finding.grade}, reason=reason)


def may_extend(finding: BodyFinding, by: Any) -> bool:
    """Whether a deadline is still to be met, and this person keeps it."""
    return by.has_perm(MAY) and finding.next_due is not None


def stays_complete(finding: BodyFinding, changed: Mapping[str, Any]) -> str | None:
    stands = {n: changed.get(n, getattr(finding, n)) for n in ("requirement", "evidence")}
    if finding.is_nonconformity and not all(str(said).strip() for said in stands.values()):
        return "A nonconformity names the requirement and the evidence."
    same = BodyFinding.objects.filter(visit=finding.visit_id).exclude(pk=finding.pk)
    if "reference" in changed and same.filter(reference=changed["reference"]).exists():
        return f"{changed['reference']} of this visit is recorded already."
    return None


editing_body_finding = amendment(
    BodyFinding,
    permission=MAY,
    fields=("reference", "clause", "requirement", "statement", "evidence"),
    states=(Status.RECORDED,),
    checks=[stays_complete],
)


def warnings_of(visits: Sequence[CertificationAudit]) -> list[str]:
    """What a body will ask about before it decides; recorded, never blocking."""
    rows = BodyFinding.objects.filter(visit__in=visits).order_by("found_on", "pk")
    majors = [each.reference for each in rows.unverified_majors()]
    minors = [each.reference for each in rows.minors_without_plan()]
    found = []
    if majors:
        found.append(f"Not verified by the body yet, major: {', '.join(majors)}.")
    if minors:
        found.append(f"No plan accepted by the body yet, minor: {', '.join(minors)}.")
    return found


# Who has to do what next


@contributions.work(BodyFinding)
def answers_ahead(finding: BodyFinding) -> list[Step]:
    """The quality manager answers and proves in time, by the days of the body."""
    role = "quality_manager"
    if finding.status == Status.RECORDED:
        name = "Send the answer" if finding.is_nonconformity else "Look at it"
        return [Step("answer", name, role=role, due=finding.plan_due)]
    if finding.status in (Status.ANSWERED, Status.ACCEPTED):
        return [Step("prove", "Send the evidence", role=role, due=finding.evidence_due)]
    if finding.status == Status.VERIFIED:
        return [Step("close", "Close", role=role)]
    return []
