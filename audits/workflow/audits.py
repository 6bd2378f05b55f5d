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
from audits.models.audits import SUBJECTS
from audits.workflow.agenda import the_agenda_holds
from audits.workflow.checklists import (
    draft_checklist,
    there_is_a_checklist,
)
from audits.workflow.findings import everything_is_settled
from audits.workflow.reports import begin_report
from audits.workflow.teams import (
    answerers_of,
    may_answer,
    only_the_team,
    team_is_competent,
    team_is_competent_today,
    team_is_free,
    team_is_independent,
    team_is_independent_today,
    team_may_audit,
    team_of,
)
from capa.workflow import NonconformityClosed
from documents.models import Revision
from qms import contributions
from qms.clauses import ClauseRef, sorted_keys
from qms.contributions import Step
from qms.customers.models import Customer
from qms.events import handles
from qms.files.workflow import guards_attaching
from qms.links import set_links
from qms.people.models import Person
from qms.periods import Period, due_in, today
from qms.providers.models import Provider
from qms.refusals import Refused
from qms.scope.models import Process, Site
from qms.work.workflow import refresh
from qms.workflow import amendment, creates, transition, voids

Status = Audit.Status
REPORT_DAYS = 14


@guards_attaching(Audit)
def until_the_report_is_issued(audit: Audit, by: Any) -> str | None:
    """The signed report stands as it was signed; a customer's report is attached when it is here"""
    if audit.is_theirs and audit.status not in (Status.CLOSED, Status.VOID):
        return None
    if not audit.is_signed:
        return None
    return "The report is signed; nothing is added to it. Attach it to the nonconformity."


def it_still_runs(audit: Audit, by: Any) -> str | None:
    """A process that was retired after the audit was planned is not audited any more.

    Neither is a provider we have ended with.
    """
    if audit.provider is not None and audit.provider.is_settled:
        return f"{audit.provider.name} provides nothing any more. Void this audit."
    if audit.is_theirs or audit.process is None or audit.process.status == Process.Status.ACTIVE:
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


def keeps_its_process(audit: Audit, changed: Mapping[str, Any]) -> str | None:
    """An exception was decided for one process or provider; it excuses nobody in another."""
    if {"process", "provider"} & set(changed) and audit.exceptions.exists():
        said = "provider" if audit.provider_id else "process"
        return f"An exception was decided for this {said}. Void the audit and plan another one."
    return None


ASKED_OF = {
    Audit.Kind.INTERNAL: ("process", "Choose the process that is audited."),
    Audit.Kind.SPECIAL: ("process", "Choose the process that is audited."),
    Audit.Kind.SUPPLIER: ("provider", "Choose the external provider that is audited."),
    Audit.Kind.CUSTOMER: ("customer", "Choose the customer that audits you."),
}


def unfit_subject(kind: str, given: Mapping[str, Any]) -> tuple[str, str] | None:
    """What an audit of a kind lacks or has too much of: (field, sentence); None when it fits.

    Each kind has one subject; a customer may look at one process alone.
    """
    wanted, missing = ASKED_OF[Audit.Kind(kind)]
    if not given.get(wanted):
        return wanted, missing
    allowed = {wanted, "process"} if kind == Audit.Kind.CUSTOMER else {wanted}
    words = Audit.Kind(kind).label.lower()
    for name in SUBJECTS:
        if given.get(name) and name not in allowed:
            return name, f"A {words} is of no {Audit.column(name).verbose_name}. Leave it empty."
    if kind == Audit.Kind.SPECIAL and not str(given.get("why_now") or "").strip():
        return "why_now", "Say why it is audited now; a special audit has a reason of its own."
    if kind != Audit.Kind.INTERNAL and given.get("programme"):
        return "programme", f"A programme plans internal audits; a {words} comes on top of it."
    return None


def fits_its_kind(audit: Audit, changed: Mapping[str, Any]) -> str | None:
    if not {*SUBJECTS, "why_now", "programme"} & set(changed):
        return None
    named = (*SUBJECTS, "why_now", "programme")
    unfit = unfit_subject(audit.kind, {n: changed.get(n, getattr(audit, n)) for n in named})
    return unfit[1] if unfit else None


def other_clauses(edition: str, references: Sequence[str]) -> str | None:
    """Clauses of another edition than the one audited against."""
    foreign = [key for key in references if ClauseRef.parse(key).edition != edition]
    if not foreign:
        return None
    shown = ", ".join(ClauseRef.parse(key).number for key in sorted_keys(foreign))
    return (
        f"The audit is by the {edition} edition, and clause {shown} is of the other one. Choose"
        " clauses of that edition."
    )


def clauses_fit_the_edition(audit: Audit, changed: Mapping[str, Any]) -> str | None:
    if not {"edition", "clauses"} & set(changed):
        return None
    edition = changed.get("edition", audit.edition)
    return other_clauses(edition, changed.get("clauses", audit.clauses))


def cannot_answer(auditee: Person) -> str | None:
    """Who answers for the auditees must be able to read the audit."""
    if may_answer(auditee):
        return None
    return f"{auditee.name} may not read audits. Give them a role that does, or name another."


def somebody_can_answer(audit: Audit, changed: Mapping[str, Any]) -> str | None:
    named = changed.get("auditee")
    return cannot_answer(named) if named is not None else None


def usual_criteria(process: Process, edition: str, references: Sequence[str]) -> str:
    """The clauses, and the documents of the process with the revision in force."""
    keys = sorted_keys(references)
    told = [f"ISO 9001:{edition}, clauses {', '.join(ClauseRef.parse(k).number for k in keys)}."]
    rows = Revision.objects.filter(document__process=process, status=Revision.Status.EFFECTIVE)
    for number, label in rows.order_by("document__number").values_list("document__number", "label"):
        told.append(f"{number}, revision {label}.")
    return "\n".join(told if keys else told[1:]) or "What the process says of itself."


def agreed_criteria(provider: Provider, edition: str, references: Sequence[str]) -> str:
    """What is agreed with a provider and what it is evaluated by; clauses where they are named."""
    told = [f"The contract and the orders that hold with {provider.name}.", *provider.criteria_list]
    if numbers := [ClauseRef.parse(key).number for key in sorted_keys(references)]:
        told.append(f"ISO 9001:{edition}, clauses {', '.join(numbers)}.")
    return "\n".join(told)


def criteria_of(customer: Customer) -> str:
    """What a customer audits us against, as far as we know before."""
    told = [f"What is agreed with {customer.name}.", customer.special.strip()]
    return "\n".join(each for each in told if each)


@creates(Audit, permission="audits.add_audit")
def plan_audit(  # noqa: PLR0913 - what a plan says, each by its name
    *,
    by: Person,
    planned_on: date,
    lead: Person,
    process: Process | None = None,
    kind: str = Audit.Kind.INTERNAL,
    provider: Provider | None = None,
    customer: Customer | None = None,
    outside_auditors: str = "",
    site: Site | None = None,
    edition: str = "2026",
    clauses: list[str] | None = None,
    objectives: str = "",
    criteria: str = "",
    scope: str = "",
    days: int = 1,
    method: str = Audit.Method.ON_SITE,
    auditees: str = "",
    auditee: Person | None = None,
    team: Any = (),
    programme: AuditProgramme | None = None,
    window: Period | None = None,
    why_now: str = "",
) -> Audit:
    """Plan an audit; its questions come from the catalogue for its clauses.

    Those of a supplier audit come from what is agreed with the provider, too.
    """
    said = {"process": process, "provider": provider, "customer": customer, "why_now": why_now}
    if unfit := unfit_subject(kind, said | {"programme": programme}):
        raise Refused(unfit[1], field=unfit[0])
    if process is not None and process.status != Process.Status.ACTIVE:
        raise Refused(f"{process.name} does not run; only active processes are audited.")
    if provider is not None and provider.is_settled:
        raise Refused(f"{provider.name} provides nothing any more.", field="provider")
    if programme is not None and (why := takes_audits(programme)):
        raise Refused(why, field="programme")
    if auditee is not None and (why := cannot_answer(auditee)):
        raise Refused(why, field="auditee")
    if why := other_clauses(edition, clauses or ()):
        raise Refused(why, field="clauses")
    own = process.clauses if process is not None and kind in Audit.OF_PROCESSES else []
    own = [key for key in own if ClauseRef.parse(key).edition == edition]
    references = list(clauses or own)
    audit = Audit(
        kind=kind,
        process=process,
        provider=provider,
        customer=customer,
        outside_auditors=outside_auditors,
        site=site,
        edition=edition,
        clauses=references,
        objectives=objectives,
        criteria=criteria.strip() or _usual(process, provider, customer, edition, references),
        scope=scope,
        method=method,
        planned_on=planned_on,
        days=days,
        originally_planned_on=planned_on,
        lead=lead,
        auditees=auditees,
        auditee=auditee,
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


def _usual(
    process: Process | None,
    provider: Provider | None,
    customer: Customer | None,
    edition: str,
    references: Sequence[str],
) -> str:
    """The criteria where nobody wrote any."""
    if provider is not None:
        return agreed_criteria(provider, edition, references)
    if customer is not None:
        return criteria_of(customer)
    return usual_criteria(process, edition, references) if process is not None else ""


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
        the_agenda_holds,
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
    if planned_on < today():
        raise Refused("That day is past. Choose one to come.", field="planned_on")
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
    """A plan that is edited stays within its window, or before the day it was first planned for.

    Beyond that it is postponed: with a reason, and past the window with agreement.
    """
    day = changed.get("planned_on")
    if day is None or day <= (audit.window_end or audit.originally_planned_on):
        return None
    return _beyond(audit) if audit.window_end else "Postpone it to a later day, with the reason."


@transition(
    Audit,
    source=Status.CONFIRMED,
    target=Status.IN_PROGRESS,
    permission="audits.conduct_audit",
    only=only_the_team,
    guards=[it_still_runs, team_may_audit, team_is_competent_today, team_is_independent_today],
    label="Start",
    then=lambda audit, by: None if audit.is_theirs else begin_report(audit, by),
)
def start(audit: Audit, *, by: Any) -> None:
    """Start the audit: answers and findings are recorded from now on."""
    audit.conducted_on = today()


void = voids(Audit, source=[Status.PLANNED, Status.CONFIRMED], permission="audits.void_audit")

editing = amendment(
    Audit,
    permission="audits.change_audit",
    fields=(
        *SUBJECTS,
        "outside_auditors",
        "why_now",
        "site",
        "edition",
        "clauses",
        "objectives",
        "criteria",
        "scope",
        "method",
        "planned_on",
        "days",
        "lead",
        "programme",
        "auditees",
        "auditee",
    ),
    states=(Status.PLANNED,),
    checks=[
        within_its_window,
        stays_in_its_programme,
        somebody_can_answer,
        keeps_its_process,
        clauses_fit_the_edition,
        fits_its_kind,
    ],
)


@handles(NonconformityClosed)
def an_audit_may_be_ready_to_close(event: NonconformityClosed) -> None:
    """When the last nonconformity of an audit is closed, its lead learns that it is their turn."""
    if isinstance(event.nonconformity.origin, Finding):
        refresh(event.nonconformity.origin.audit)


@contributions.work(Audit)
def next_steps(audit: Audit) -> list[Step]:
    """The lead confirms, the team conducts, the lead reports, the auditee answers, all settle."""
    lead = audit.lead
    if audit.status == Status.PLANNED:
        return [Step("confirm", "Prepare", person=lead, due=audit.planned_on)]
    if audit.status == Status.CONFIRMED:
        words = "Receive them" if audit.is_theirs else "Conduct"
        return [
            Step("conduct", words, person=person, due=audit.planned_on)
            for person in dict.fromkeys(team_of(audit))
        ]
    if audit.status == Status.IN_PROGRESS and audit.conducted_on:
        due = due_in(REPORT_DAYS, audit.conducted_on)
        words = "Write down what they found" if audit.is_theirs else "Report"
        return [Step("report", words, person=lead, due=due)]
    if audit.status == Status.RELEASED:
        return steps_of_the_report(audit)
    if audit.status in (Status.ISSUED, Status.FOLLOW_UP) and not everything_is_settled(audit, None):
        return [Step("close", "Close", person=lead, remind=False)]
    return []


def steps_of_the_report(audit: Audit) -> list[Step]:
    """Released findings are reported, the signed report is answered, the answered one issued."""
    if audit.is_theirs:
        return [Step("receive", "Record their report", person=audit.lead, remind=False)]
    if not audit.is_signed:
        report_due = due_in(REPORT_DAYS, audit.conducted_on or today())
        return [Step("report", "Sign the report", person=audit.lead, due=report_due)]
    if audit.answer:
        return [Step("issue", "Issue the report", person=audit.lead, due=audit.answered_on)]
    due = audit.answer_due
    asked = [
        Step("answer", "Acknowledge or disagree", person=each, due=due)
        for each in answerers_of(audit)
    ]
    late = Step(
        "issue",
        "Issue the report",
        person=audit.lead,
        due=due_in(1, due) if due else None,
        obstacle="The auditee may answer until the day before.",
    )
    return [*asked, late]
