"""The procedure of an audit: plan, confirm, conduct, report, follow up (ISO 9001 9.2.2)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django import forms

from audits.models import (
    Audit,
    AuditProgramme,
    AuditTeamMember,
    Finding,
)
from audits.workflow.checklists import (
    draft_checklist,
    every_question_is_answered,
    there_is_a_checklist,
)
from audits.workflow.findings import (
    findings_are_complete,
    nonconforming_answers_have_findings,
    nonconformities_are_closed,
    release_findings,
)
from audits.workflow.teams import (
    only_the_lead,
    only_the_team,
    team_is_competent,
    team_is_free,
    team_is_independent,
    team_may_audit,
    team_of,
)
from capa.workflow import NonconformityClosed
from documents.models import Revision
from qms import contributions
from qms.clauses import ClauseRef, sorted_keys
from qms.contributions import Step
from qms.events import handles
from qms.files.workflow import guards_attaching
from qms.links import set_links
from qms.people.models import Person
from qms.periods import Period, due_in, today
from qms.refusals import Refused
from qms.scope.models import Process, Site
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition, voids

Status = Audit.Status
REPORT_DAYS = 14

REPORT_DAYS = 14


@guards_attaching(Audit)
def until_the_report_is_issued(audit: Audit, by: Any) -> str | None:
    """The signed report stands as it was issued."""
    if audit.status in (Status.PLANNED, Status.CONFIRMED, Status.IN_PROGRESS):
        return None
    return "The report is issued; nothing is added to it. Attach it to the nonconformity."


def it_still_runs(audit: Audit, by: Any) -> str | None:
    """A process that was retired after the audit was planned is not audited any more."""
    if audit.process.status == Process.Status.ACTIVE:
        return None
    return f"{audit.process.name} does not run any more. Void this audit, or audit another process."


def it_says_its_criteria(audit: Audit, by: Any) -> str | None:
    return None if audit.criteria.strip() else "Say against what it audits: its criteria."


def takes_audits(programme: AuditProgramme) -> str | None:
    """Nothing more is planned in a programme that is closed or void."""
    if programme.status in {AuditProgramme.Status.DRAFT, AuditProgramme.Status.APPROVED}:
        return None
    shown = programme.get_status_display().lower()
    return f"{programme.number} is {shown}; nothing more is planned in it."


def stays_in_its_programme(audit: Audit, changed: Mapping[str, Any]) -> str | None:
    """An audit with a window keeps its programme, whose approver alone lets the window pass."""
    if "programme" not in changed:
        return None
    if audit.window_end is not None:
        return "It has a window in its programme and stays in it. Void it to plan another one."
    programme = changed["programme"]
    return takes_audits(programme) if programme is not None else None


def usual_criteria(process: Process, edition: str, references: Sequence[str]) -> str:
    """The clauses, and the documents of the process with the revision in force."""
    keys = sorted_keys(references)
    told = [f"ISO 9001:{edition}, clauses {', '.join(ClauseRef.parse(k).number for k in keys)}."]
    rows = Revision.objects.filter(document__process=process, status=Revision.Status.EFFECTIVE)
    for number, label in rows.order_by("document__number").values_list("document__number", "label"):
        told.append(f"{number}, revision {label}.")
    return "\n".join(told if keys else told[1:]) or "What the process says of itself."


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
    programme: AuditProgramme | None = None,
    window: Period | None = None,
    why_now: str = "",
) -> Audit:
    """Plan the audit of a process; its questions come from the catalogue for its clauses."""
    if process.status != Process.Status.ACTIVE:
        raise Refused(f"{process.name} does not run; only active processes are audited.")
    if programme is not None and (why := takes_audits(programme)):
        raise Refused(why, field="programme")
    references = list(clauses or process.clauses)
    audit = Audit(
        process=process,
        site=site,
        edition=edition,
        clauses=references,
        objectives=objectives,
        criteria=criteria.strip() or usual_criteria(process, edition, references),
        scope=scope,
        method=method,
        planned_on=planned_on,
        originally_planned_on=planned_on,
        lead=lead,
        auditees=auditees,
        programme=programme,
        window_start=window.start if window else None,
        window_end=window.end if window else None,
        why_now=why_now,
        created_by=by,
    )
    audit.save()
    set_links(AuditTeamMember, owner={"audit": audit}, target="person", targets=team, by=by)
    draft_checklist(audit, by=by)
    refresh(audit)
    return audit


@transition(
    Audit,
    source=Status.PLANNED,
    target=Status.CONFIRMED,
    permission="audits.change_audit",
    guards=[
        it_still_runs,
        it_says_its_criteria,
        team_may_audit,
        team_is_free,
        team_is_competent,
        team_is_independent,
        there_is_a_checklist,
    ],
    label="Confirm",
)
def confirm(audit: Audit, *, by: Any) -> None:
    """Confirm team, day and checklist."""


@transition(
    Audit,
    source=[Status.PLANNED, Status.CONFIRMED],
    target=Status.PLANNED,
    permission="audits.postpone_audit",
    reason=True,
    label="Postpone",
    primary=False,
    details={"planned_on": forms.DateField(label="New day")},
)
def postpone(audit: Audit, *, by: Any, planned_on: date) -> None:
    """Plan another day; the reason counts in the programme."""
    if audit.window_end and planned_on > audit.window_end and not agrees(audit, by):
        raise Refused(_beyond(audit), field="planned_on")
    audit.planned_on = planned_on


def agrees(audit: Audit, by: Any) -> bool:
    """Whether this is who approved the programme, and so may let its windows pass."""
    programme = audit.programme
    return programme is not None and (
        by.pk == programme.approved_by_id or by.holds("top_management")
    )


def _beyond(audit: Audit) -> str:
    return (
        f"Its window ends on {audit.window_end:%-d %B %Y}. Beyond it, only who approves the "
        "programme postpones the audit."
    )


def within_its_window(audit: Audit, changed: Mapping[str, Any]) -> str | None:
    """A plan that is edited stays within its window; beyond it, it is postponed with agreement."""
    day = changed.get("planned_on")
    if day is None or audit.window_end is None or day <= audit.window_end:
        return None
    return _beyond(audit)


@transition(
    Audit,
    source=Status.CONFIRMED,
    target=Status.IN_PROGRESS,
    permission="audits.conduct_audit",
    only=only_the_team,
    guards=[it_still_runs, team_is_competent, team_is_independent],
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
        "programme",
        "auditees",
    ),
    states=(Status.PLANNED,),
    checks=[within_its_window, stays_in_its_programme],
)


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
