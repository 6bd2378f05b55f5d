"""Who may conduct an audit: the eligible first, and why each other one is not (9.2.2)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q

from audits.independence import Fact, facts_for, is_named_in
from audits.models import Audit, AuditTeamMember
from audits.planning import LEAD_ROLES, TO_COME, Bench, booked_days
from audits.programme import swaps
from qms.competence.models import CompetenceRecord
from qms.competence.workflow import Unmet, requirements_of
from qms.people.models import Absence, Person
from qms.periods import Period, add_months

SWAP_WITHIN = timedelta(days=120)  # days between two audits that may exchange auditors


@dataclass(frozen=True)
class Candidate:
    """Somebody who might audit: what stands against it, what is only shown, and their load."""

    person: Person
    may_lead: bool
    blocking: tuple[Fact, ...]
    shown: tuple[Fact, ...]
    lacking: tuple[Unmet, ...]
    is_busy: bool
    is_away: bool
    audits: int
    is_excused: bool

    @property
    def is_eligible(self) -> bool:
        """Whether nothing stands against this person on the day of the audit."""
        blocked = self.blocking and not self.is_excused
        return not (blocked or self.lacking or self.is_busy or self.is_away)


@dataclass(frozen=True)
class Exchange:
    """Another audit whose lead auditor could take this one, while this one's takes that."""

    audit: Audit
    gives: Person
    takes: Person


def candidates(audit: Audit) -> list[Candidate]:
    """Every auditor and outside auditor, the eligible with the least to do first."""
    known = Q(pk__in=Person.objects.holding(*LEAD_ROLES).values("pk"))
    people = list(Person.objects.people().filter(known | Q(access_until__isnull=False)))
    people = [person for person in people if not person.access_has_ended]
    day = audit.planned_on
    ties = facts_for(audit, people, day)
    asked = {role: requirements_of([role]) for role in LEAD_ROLES}
    newest = CompetenceRecord.objects.newest(day).of(people)
    records = {(each.person_id, each.competence_id): each for each in newest}
    others = booked_days(people, Period(day, audit.ends_on), without=audit)
    away = set(
        Absence.objects.on(day).filter(person__in=people).values_list("person_id", flat=True)
    )
    excused = dict(audit.exceptions.values_list("person_id", "objection"))
    load = _load(people, audit)
    found = []
    for person in people:
        may_lead = person.is_outside or person.holds("lead_auditor")
        facts = ties[person.pk]
        needs = {each.competence_id: each for role in _roles(person) for each in asked[role]}
        lacking = [
            Unmet(each, record, day)
            for each in needs.values()
            if (record := records.get((person.pk, each.competence_id))) is None
            or not record.holds_on(day, each.level)
        ]
        found.append(
            Candidate(
                person,
                may_lead,
                tuple(fact for fact in facts if fact.blocks),
                tuple(fact for fact in facts if not fact.blocks),
                tuple(lacking),
                any(day <= each <= audit.ends_on for each in others[person.pk]),
                person.pk in away,
                load[person.pk],
                person.pk in excused
                and all(is_named_in(fact, excused[person.pk]) for fact in facts if fact.blocks),
            )
        )
    return sorted(found, key=lambda c: (not c.is_eligible, not c.may_lead, c.audits, c.person.name))


def _roles(person: Person) -> Sequence[str]:
    return LEAD_ROLES if person.is_outside else [r for r in LEAD_ROLES if r in person.role_names]


def _load(people: Sequence[Person], audit: Audit) -> Counter[int]:
    """How many audits each of them has in the year around this one."""
    year = (add_months(audit.planned_on, -6), add_months(audit.planned_on, 6))
    audits = Audit.objects.planned_between(*year).exclude(pk=audit.pk)
    counted = Counter(audits.filter(lead__in=people).values_list("lead_id", flat=True))
    places = AuditTeamMember.objects.live().filter(audit__in=audits, person__in=people)
    counted.update(places.values_list("person_id", flat=True))
    return counted


def exchanges(audit: Audit) -> list[Exchange]:
    """Audits to swap lead auditors with, so that nothing stands against either of them.

    Between audits of processes: what ties somebody to a provider is another question.
    """
    if audit.kind not in Audit.OF_PROCESSES:
        return []
    day = audit.planned_on
    near = Audit.objects.filter(kind__in=Audit.OF_PROCESSES)
    near = near.planned_between(day - SWAP_WITHIN, day + SWAP_WITHIN)
    rows = near.filter(status__in=TO_COME).select_related("lead", "process")
    audits = {each.pk: each for each in [*rows.order_by("planned_on", "pk")[:60], audit]}
    bench = Bench.of(
        list({each.lead for each in audits.values()}),
        list({each.process for each in audits.values()}),
    )

    def against(person: int, process: int, on: object) -> Sequence[str]:
        said = bench.against(person, process, on)  # type: ignore[arg-type]
        return (*said, *bench.lapses(person, on))  # type: ignore[arg-type]

    assigned = {pk: (each.lead_id, each.process_id, each.planned_on) for pk, each in audits.items()}
    return [
        Exchange(audits[swap.other], audit.lead, audits[swap.other].lead)
        for swap in swaps(audit.pk, assigned, against)
    ][:3]
