"""An audit programme: proposed, planned, approved by signature, revised, closed (9.2.1)."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from audits import planning
from audits.models import Audit, AuditProgramme
from audits.programme import Proposal, Proposed
from audits.workflow.audits import plan_audit, takes_audits
from qms import contributions
from qms.contributions import Step
from qms.people.models import Person
from qms.periods import today
from qms.refusals import Refused, Stale
from qms.scope.models import Process
from qms.workflow import amendment, creates, transition, voids

Status = AuditProgramme.Status
MISSING = {
    "objectives": "its objectives",
    "risks": "the risks of the programme",
    "methods": "the methods",
    "resources": "the resources",
}


# Guards


def only_top_management(programme: AuditProgramme, by: Any) -> str | None:
    if by.holds("top_management"):
        return None
    return "Top management approves the audit programme."


def says_everything(programme: AuditProgramme, by: Any) -> str | None:
    left = [words for name, words in MISSING.items() if not getattr(programme, name).strip()]
    if not left:
        return None
    return f"It does not say {', '.join(left[:-1])}{' and ' if len(left) > 1 else ''}{left[-1]}."


def plans_an_audit(programme: AuditProgramme, by: Any) -> str | None:
    if programme.audits.exclude(status=Audit.Status.VOID).exists():
        return None
    return "It plans no audit yet. Take over the proposal, or plan audits by hand."


def nothing_is_to_come(programme: AuditProgramme, by: Any) -> str | None:
    reported = (*Audit.REPORTED, Audit.Status.VOID)
    left = programme.audits.exclude(status__in=reported).count()
    if left:
        return f"{left} of its audits {'is' if left == 1 else 'are'} not reported yet."
    return None


# Factories


@creates(AuditProgramme, permission="audits.add_auditprogramme")
def create_programme(
    *,
    by: Person,
    title: str,
    starts_on: date,
    years: int = 1,
    edition: str = "2026",
    objectives: str = "",
    risks: str = "",
    methods: str = "",
    resources: str = "",
) -> AuditProgramme:
    """Begin the programme of one to three years."""
    if not title.strip():
        raise Refused("Give the programme a title.", field="title")
    programme = AuditProgramme(
        title=title.strip(),
        starts_on=starts_on,
        years=years,
        edition=edition,
        objectives=objectives,
        risks=risks,
        methods=methods,
        resources=resources,
        created_by=by,
    )
    programme.save()
    return programme


def seal_of(proposal: Proposal) -> str:
    """The proposal in one word: another word means that the facts changed meanwhile."""
    told = "|".join(
        f"{each.subject.key}/{each.window.start}/{each.day}/{each.auditor and each.auditor.key}"
        for each in proposal.audits
    )
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def key_of(proposed: Proposed) -> str:
    """How a page names a proposed audit."""
    return f"{proposed.subject.key}-{proposed.window.start:%Y%m%d}"


def take_over(
    programme: AuditProgramme, *, by: Person, chosen: Collection[str], seen: str
) -> list[Audit]:
    """Plan the chosen audits of the proposal that was shown; all of them or none.

    `chosen` are `key_of` proposed audits, `seen` the `seal_of` the proposal on the page. Raises
    Stale when the facts changed meanwhile, Refused and PermissionDenied in words.
    """
    if not by.has_perm("audits.add_audit"):
        raise PermissionDenied("Your role does not allow you to plan audits.")
    with db.atomic():
        locked = AuditProgramme._base_manager.select_for_update(of=("self",)).get(pk=programme.pk)
        if why := takes_audits(locked):
            raise Refused(why)
        proposal = planning.proposal_for(locked, today())
        if seen != seal_of(proposal):
            raise Stale("The facts changed meanwhile, and so did the proposal. Look at it again.")
        taken = [each for each in proposal.audits if key_of(each) in set(chosen)]
        if not taken:
            raise Refused("Choose the audits to take over.")
        processes = Process.objects.in_bulk({each.subject.key for each in taken})
        leads = Person.objects.in_bulk({each.auditor.key for each in taken if each.auditor})
        return [_plan(locked, each, by, processes, leads) for each in taken]


def _plan(
    programme: AuditProgramme,
    proposed: Proposed,
    by: Person,
    processes: Mapping[int, Process],
    leads: Mapping[int, Person],
) -> Audit:
    if proposed.day is None or proposed.auditor is None:
        raise Refused(f"{proposed.subject.name} has no auditor: {proposed.problem}")
    return plan_audit(
        by=by,
        process=processes[proposed.subject.key],
        planned_on=proposed.day,
        lead=leads[proposed.auditor.key],
        edition=programme.edition,
        objectives=programme.objectives,
        programme=programme,
        window=proposed.window,
        why_now=" ".join(proposed.priority.why),
    )


# Transitions


@transition(
    AuditProgramme,
    source=Status.DRAFT,
    target=Status.APPROVED,
    permission="audits.approve_auditprogramme",
    only=only_top_management,
    guards=[says_everything, plans_an_audit],
    signs="Approved the audit programme",
    label="Approve",
)
def approve(programme: AuditProgramme, *, by: Any) -> None:
    """Approve the programme with its objectives, risks, methods and means."""
    programme.approved_by, programme.approved_on = by, today()


@transition(
    AuditProgramme,
    source=Status.APPROVED,
    target=Status.DRAFT,
    permission="audits.change_auditprogramme",
    reason=True,
    label="Revise",
    primary=False,
)
def revise(programme: AuditProgramme, *, by: Any) -> None:
    """Take it back to change it; it needs approval again."""


@transition(
    AuditProgramme,
    source=Status.APPROVED,
    target=Status.CLOSED,
    permission="audits.change_auditprogramme",
    guards=[nothing_is_to_come],
    label="Close",
    primary=False,
)
def close_programme(programme: AuditProgramme, *, by: Any) -> None:
    """Close it: every audit it planned is reported."""


void_programme = voids(
    AuditProgramme, source=Status.DRAFT, permission="audits.change_auditprogramme"
)
PROGRAMME_FIELDS = ("title", "edition", "objectives", "risks", "methods", "resources")
editing_programme = amendment(
    AuditProgramme,
    permission="audits.change_auditprogramme",
    fields=PROGRAMME_FIELDS,
    states=(Status.DRAFT,),
)


@contributions.work(AuditProgramme)
def steps_of_a_programme(programme: AuditProgramme) -> list[Step]:
    """The quality manager plans it, top management approves it."""
    if programme.status != Status.DRAFT:
        return []
    why = says_everything(programme, None) or plans_an_audit(programme, None)
    if why:
        return [Step("plan", "Plan", role="quality_manager", obstacle=why, remind=False)]
    return [Step("approve", "Approve", role="top_management", due=programme.starts_on)]
