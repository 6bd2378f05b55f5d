"""Who conducts an audit: nobody who audits their own work or lacks the competence (9.2.2)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction as db
from django.db.models import Q

from audits.independence import facts_for, in_words, is_named_in, objections_to
from audits.models import (
    Audit,
    AuditTeamMember,
    IndependenceException,
)
from qms.competence.workflow import Unmet, unmet_on
from qms.links import set_links
from qms.people.models import Absence, Person
from qms.periods import today
from qms.refusals import Refused, Stale
from qms.scope.models import ProcessDeputy
from qms.work.workflow import refresh
from qms.workflow import creates

Status = Audit.Status


def team_of(audit: Audit) -> list[Person]:
    """The lead auditor and the team, the lead first."""
    links = AuditTeamMember.objects.live().filter(audit=audit)
    links = links.select_related("person").order_by("pk")
    return [audit.lead, *(link.person for link in links)]


# Guards


def only_the_team(audit: Audit, by: Any) -> str | None:
    places = AuditTeamMember.objects.live().filter(audit=audit, person=by)
    if by.pk == audit.lead_id or places.exists():
        return None
    return "Only the audit team conducts the audit."


def only_the_lead(audit: Audit, by: Any) -> str | None:
    """The lead; once the findings are out and the lead has left, another lead auditor.

    Such a successor answers for nothing the audit looked at, and is as independent as its team.
    """
    if by.pk == audit.lead_id:
        return None
    left = audit.is_conducted and not audit.lead.is_active
    if left and by.holds("lead_auditor") and by not in answerers_of(audit):
        return " ".join(objections_to(by, audit, today())) or None
    return "Only the lead auditor does this."


def answerers_of(audit: Audit) -> list[Person]:
    """Who answers for the auditees: whoever is named, else the process owner and the deputies.

    For a provider who looks after it here does. Nobody answers an audit of their own; where nobody
    is left the quality managers do. To a customer whoever is responsible for their audit answers.
    """
    if audit.is_theirs:
        return [audit.auditee or audit.lead]
    if audit.auditee is not None:
        named = [audit.auditee]
    elif audit.provider is not None:
        named = [audit.provider.owner]
    else:
        links = ProcessDeputy.objects.live().filter(process=audit.process_id)
        deputies = [each.person for each in links.select_related("person").order_by("pk")]
        owner = audit.process.owner if audit.process else None
        named = [owner, *deputies] if owner else deputies
    team = team_of(audit)
    found = [each for each in dict.fromkeys(named) if each not in team and may_answer(each)]
    managers = Person.objects.holding("quality_manager").order_by("name", "pk")
    return found or [each for each in managers if each not in team]


def may_see_papers(audit: Audit, person: Any) -> bool:
    """Whether answers, notes and the draft of the report are shown: to all once released."""
    if audit.is_conducted:
        return True
    return Audit.objects.papers_shown_to(person).filter(pk=audit.pk).exists()


def may_answer(person: Person) -> bool:
    """Whether the person works here and may read audits."""
    return person.has_perm("audits.answer_audit")


def only_our_lead(audit: Audit, by: Any) -> str | None:
    """The same for what we report ourselves; the report of a customer's audit is theirs."""
    return THEIR_REPORT if audit.is_theirs else only_the_lead(audit, by)


def only_our_auditee(audit: Audit, by: Any) -> str | None:
    return THEIR_REPORT if audit.is_theirs else only_the_auditee(audit, by)


THEIR_REPORT = "The report is the customer's; record it when it arrives."


def only_the_auditee(audit: Audit, by: Any) -> str | None:
    """Those who answer for the auditees, and who stands in for them while they are away."""
    named = answerers_of(audit)
    if by in named:
        return None
    away = Absence.objects.on(today()).filter(person__in=named, deputy=by)
    if by not in team_of(audit) and away.exists():
        return None
    return f"{' or '.join(each.name for each in named) or 'Nobody'} answers for the auditees."


def what_ties_the_team(audit: Audit, day: date) -> list[str]:
    """What ties the team to what is audited, beyond what exceptions name: sentences."""
    excused = dict(audit.exceptions.values_list("person_id", "objection"))
    team = team_of(audit)
    ties = facts_for(audit, team, day)
    return [
        sentence
        for person in team
        for sentence in in_words(
            [
                fact
                for fact in ties[person.pk]
                if fact.blocks and not is_named_in(fact, excused.get(person.pk, ""))
            ]
        )
    ]


def team_is_independent(audit: Audit, by: Any) -> str | None:
    said = what_ties_the_team(audit, audit.planned_on)
    if not said:
        return None
    return " ".join(said) + " Choose another auditor, or record an exception."


def team_is_independent_today(audit: Audit, by: Any) -> str | None:
    """An audit that starts on another day than planned is looked at again, as of that day."""
    said = what_ties_the_team(audit, today())
    if not said:
        return None
    return (
        " ".join(said) + " Postpone the audit to this day again and choose another auditor, or have"
        " the quality manager record an exception."
    )


def team_may_audit(audit: Audit, by: Any) -> str | None:
    """Auditors have an auditor's role; a customer's are theirs, and who walks along needs none."""
    if audit.is_theirs:
        return lead_may_lead(audit.lead)
    untrained = [
        person.name
        for person in team_of(audit)
        if not (person.is_outside or person.holds("auditor", "lead_auditor"))
    ]
    if untrained:
        return f"{', '.join(untrained)} has no auditor's role."
    return lead_may_lead(audit.lead)


def lead_may_lead(lead: Person) -> str | None:
    """However the lead was chosen: on the team page, in the form or by a program."""
    if lead.is_outside or lead.holds("lead_auditor"):
        return None
    return f"{lead.name} is no lead auditor."


@dataclass(frozen=True)
class Lacking:
    """A competence that somebody of the team lacks on the day of the audit, with its facts."""

    person: Person
    unmet: Unmet

    @property
    def what(self) -> str:
        """The competence, as sentences name it."""
        return f"“{self.unmet.requirement.competence.name}”"

    def __str__(self) -> str:
        day = f"{self.unmet.day:%-d %B %Y}"
        return f"{self.person.name} lacks {self.what} on {day}: {self.unmet.why}."


def what_the_team_lacks(audit: Audit, day: date | None = None) -> list[Lacking]:
    """What the organisation asks of its auditors and the team lacks on the day of the audit.

    What an exception names is left out: somebody decided on it. Of a customer's it asks nothing.
    """
    if audit.is_theirs:
        return []
    excused = dict(audit.exceptions.values_list("person_id", "objection"))
    found = []
    for person in team_of(audit):
        roles = {"lead_auditor", "auditor"} if person.pk == audit.lead_id else {"auditor"}
        asked = roles if person.is_outside else roles & person.role_names
        lacks = [Lacking(person, each) for each in unmet_on(person, day or audit.planned_on, asked)]
        found += [each for each in lacks if each.what not in excused.get(person.pk, "")]
    return found


def team_is_competent(audit: Audit, by: Any) -> str | None:
    """What the organisation asks of its auditors holds on the day of the audit (7.2, 9.2.2)."""
    said = [str(each) for each in what_the_team_lacks(audit)]
    if not said:
        return None
    return (
        " ".join(said) + " Record a finding under Competence, choose another auditor, or have an"
        " exception recorded."
    )


def team_is_competent_today(audit: Audit, by: Any) -> str | None:
    """What ran out since the team was confirmed is found on the day; there is still a way out."""
    said = [str(each) for each in what_the_team_lacks(audit, today())]
    if not said:
        return None
    return (
        " ".join(said) + " Postpone the audit to this day again and choose another auditor, or have"
        " the quality manager record an exception."
    )


def team_is_free(audit: Audit, by: Any) -> str | None:
    """Nobody is in two audits on one day; one that runs takes its days until the last."""
    team = [person.pk for person in team_of(audit)]
    others = Audit.objects.exclude(pk=audit.pk).touching(audit.planned_on, audit.ends_on)
    ahead = Q(status__in=(Status.PLANNED, Status.CONFIRMED))
    others = others.filter(ahead | Q(status=Status.IN_PROGRESS, last_day__gt=today()))
    places = AuditTeamMember.objects.live().filter(audit__in=others, person__in=team)
    taken = [
        *others.filter(lead__in=team).values_list("lead__name", "number"),
        *places.values_list("person__name", "audit__number"),
    ]
    if not taken:
        return None
    said = " ".join(f"{name} is in {number} on that day." for name, number in sorted(set(taken)))
    return f"{said} Choose another day, or another auditor."


def set_team(
    audit: Audit, *, by: Person, team: Any, lead: Person | None = None, version: int | None = None
) -> Audit:
    """Choose the lead and the team anew, while the audit is planned."""
    if not by.has_perm("audits.change_audit"):
        raise PermissionDenied("Your role does not allow you to change an audit.")
    with db.atomic():
        locked: Audit = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
        if locked.status != Status.PLANNED:
            raise Refused("The team is confirmed. Postpone the audit to change it.")
        if version is not None and locked.version != version:
            raise Stale
        if lead is not None and lead.pk != locked.lead_id:
            if why := lead_may_lead(lead):
                raise Refused(why, field="lead")
            locked.lead = lead
            locked.save_because("Another lead auditor is assigned.", by=by)
        others = [person for person in team if person.pk != locked.lead_id]
        set_links(AuditTeamMember, owner={"audit": locked}, target="person", targets=others, by=by)
        refresh(locked)
    return locked


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
    locked = Audit._base_manager.select_for_update(of=("self",)).get(pk=audit.pk)
    if locked.status not in (Status.PLANNED, Status.CONFIRMED):
        raise Refused("An exception is decided before the audit starts, never afterwards.")
    if person not in team_of(locked):
        raise Refused(f"{person.name} is not in the team.", field="person")
    is_confirmed = locked.status == Status.CONFIRMED
    day = max(locked.planned_on, today()) if is_confirmed else locked.planned_on
    lacks = [str(each) for each in what_the_team_lacks(locked, day) if each.person == person]
    ties = objections_to(person, locked, locked.planned_on)
    if is_confirmed:  # it may start earlier or later than planned
        ties = list(dict.fromkeys([*ties, *objections_to(person, locked, today())]))
    said = " ".join([*ties, *lacks])
    if not said:
        raise Refused(
            f"{person.name} is independent and competent; no exception is needed.", field="person"
        )
    exception = IndependenceException(
        audit=locked,
        person=person,
        objection=said,
        reason=reason,
        mitigation=mitigation,
        created_by=by,
    )
    exception.save()
    return exception


# Transitions of an audit
