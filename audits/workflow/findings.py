"""Findings: recorded as drafts, released with the report, followed to their closure (9.2.2)."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Max

from audits.models import (
    Audit,
    ChecklistItem,
    Finding,
)
from audits.workflow.teams import only_the_team
from capa.models import Nonconformity
from capa.workflow import raise_nonconformity
from qms.files.workflow import guards_attaching
from qms.people.models import Person
from qms.refusals import Refused
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition, voids

Status = Audit.Status


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


@guards_attaching(Finding)
def while_it_is_a_draft(finding: Finding, by: Any) -> str | None:
    """Photos belong to the finding as it was released; only the team adds them."""
    if finding.status != Finding.Status.DRAFT:
        return "The finding is released; attach it to its nonconformity."
    return only_the_team(finding.audit, by)


# Factories


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


editing_finding = amendment(
    Finding,
    permission="audits.conduct_audit",
    fields=("grade", "clause", "requirement", "evidence", "statement"),
    only=only_its_team,
    guards=[audit_is_running],
    states=(Finding.Status.DRAFT,),
)


# Certificates
