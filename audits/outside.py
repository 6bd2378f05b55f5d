"""What an outside auditor sees, and what a leaver's successor takes over, of audits (9.2.2).

An outside auditor sees the audits they are named in, the process audited with its documents in
force, and nothing else; whatever is not named here is not there for them.
"""

from typing import Any

from django.db.models import Q

from audits.independence import objections_to
from audits.models import (
    Addendum,
    Audit,
    AuditNote,
    AuditReport,
    AuditSlot,
    AuditTeamMember,
    CalendarFeed,
    ChecklistItem,
    Finding,
    FindingResponse,
    MeetingAttendance,
    ReportRecipient,
)
from audits.models.audits import SUBJECTS, SUBJECTS_OF_AUDIT
from capa.models import CaseAction, CorrectiveAction, Nonconformity
from documents.models import Document, Revision
from qms import contributions
from qms.competence.workflow import unmet_on
from qms.contributions import Holding, held
from qms.periods import today
from qms.providers.models import Provider
from qms.scope.models import Process

NOT_REPORTED = (Audit.Status.PLANNED, Audit.Status.CONFIRMED, Audit.Status.IN_PROGRESS)
BEFORE_START = (Audit.Status.PLANNED, Audit.Status.CONFIRMED)


def _theirs(person: Any) -> Any:
    return Audit.objects.of_team(person).exclude(status=Audit.Status.VOID)


@contributions.shows_outsiders(Audit)
def audits_of(person: Any) -> Q:
    return Q(pk__in=_theirs(person).values("pk"))


@contributions.shows_outsiders(ChecklistItem)
def questions_of(person: Any) -> Q:
    return Q(audit__in=_theirs(person).values("pk"))


@contributions.shows_outsiders(AuditSlot)
def agendas_of(person: Any) -> Q:
    return Q(audit__in=_theirs(person).values("pk"))


@contributions.shows_outsiders(CalendarFeed)
def feeds_of(person: Any) -> Q:
    return Q(person=person)


@contributions.shows_outsiders(AuditNote)
def notes_of(person: Any) -> Q:
    return Q(audit__in=_theirs(person).values("pk"))


@contributions.shows_outsiders(Finding)
def findings_of(person: Any) -> Q:
    return Q(audit__in=_theirs(person).values("pk"))


@contributions.shows_outsiders(FindingResponse)
def responses_of(person: Any) -> Q:
    return Q(finding__audit__in=_theirs(person).values("pk"))


@contributions.shows_outsiders(AuditReport)
def reports_of(person: Any) -> Q:
    return Q(audit__in=_theirs(person).values("pk"))


@contributions.shows_outsiders(MeetingAttendance)
def attendance_of(person: Any) -> Q:
    return Q(audit__in=_theirs(person).values("pk"))


@contributions.shows_outsiders(ReportRecipient)
def recipients_of(person: Any) -> Q:
    return Q(audit__in=_theirs(person).values("pk"))


@contributions.shows_outsiders(Addendum)
def addenda_of(person: Any) -> Q:
    return Q(audit__in=_theirs(person).values("pk"))


@contributions.shows_outsiders(Process)
def processes_of(person: Any) -> Q:
    return Q(pk__in=_theirs(person).values("process_id"))


@contributions.shows_outsiders(Provider)
def providers_of(person: Any) -> Q:
    return Q(pk__in=_theirs(person).values("provider_id"))


@contributions.shows_outsiders(Document)
def documents_of(person: Any) -> Q:
    return Q(process__in=_theirs(person).values("process_id"), status=Document.Status.ACTIVE)


@contributions.shows_outsiders(Revision)
def revisions_of(person: Any) -> Q:
    return Q(
        document__process__in=_theirs(person).values("process_id"),
        status=Revision.Status.EFFECTIVE,
    )


@contributions.shows_outsiders(Nonconformity)
def nonconformities_of(person: Any) -> Q:
    """Those their own reports raised."""
    return Q(created_by=person)


@contributions.shows_outsiders(CorrectiveAction)
def corrective_actions_of(person: Any) -> Q:
    """Those that serve the cases they see: what became of their findings."""
    links = CaseAction.objects.live().filter(nonconformity__created_by=person)
    return Q(pk__in=links.values("corrective_action_id"))


def may_lead(audit: Audit, successor: Any) -> str:
    """Why somebody cannot take over an audit as its lead; empty when they can."""
    if not successor.holds("lead_auditor"):
        return f"{successor.name} is no lead auditor and cannot lead {audit.number}."
    said = objections_to(successor, audit, audit.planned_on)
    if audit.status not in BEFORE_START:  # before, this is found when it is confirmed and started
        roles = {"auditor", "lead_auditor"} & successor.role_names
        said += [
            f"{successor.name} lacks “{each.requirement.competence.name}”: {each.why}."
            for each in unmet_on(successor, today(), roles)
        ]
    return " ".join(said)


@contributions.hand_over("Audits to lead", order=60)
def audits_led(person: Any) -> list[Holding]:
    unsigned = Q(status=Audit.Status.RELEASED, signed_on=None)
    rows = Audit.objects.filter(Q(status__in=NOT_REPORTED) | unsigned, lead=person)
    rows = rows.select_related(*SUBJECTS)
    return held(rows.order_by("planned_on", "pk"), "lead", why_not=may_lead)


@contributions.hand_over("Audit teams", order=61)
def teams_of(person: Any) -> list[Holding]:
    """Places in teams of audits that have not begun."""
    links = AuditTeamMember.objects.live().filter(person=person, audit__status__in=BEFORE_START)
    return [_place(each) for each in links.select_related(*SUBJECTS_OF_AUDIT).order_by("pk")]


def _place(link: AuditTeamMember) -> Holding:
    audit = link.audit

    def refuses(successor: Any) -> str:
        if not successor.holds("auditor", "lead_auditor"):
            return f"{successor.name} is no auditor and cannot take part in {audit.number}."
        return " ".join(objections_to(successor, audit, audit.planned_on))

    def give(successor: Any, by: Any, reason: str) -> None:
        link.ended = True
        link.save_because(reason, by=by)
        known = AuditTeamMember._base_manager.filter(audit=audit, person=successor).first()
        if successor.pk == audit.lead_id or (known and not known.ended):
            return
        if known:
            known.ended = False
            known.save_because(reason, by=by)
        else:
            AuditTeamMember(audit=audit, person=successor, created_by=by).save()

    return Holding(audit, f"{audit.number} {audit.subject.name}", refuses, give)
