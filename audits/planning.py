"""The facts a programme is proposed from, and the holes it has as it stands (9.2.1)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import DateField, Value
from django.db.models.functions import Coalesce, Greatest

from audits.factors import factors_of
from audits.independence import Ties, facts_in, in_words, ties_of
from audits.models import Audit, AuditProgramme, AuditTeamMember
from audits.programme import Auditor, Hole, Proposal, Subject, holes_of, propose
from qms import clauses
from qms.clauses import ClauseRef
from qms.competence.models import CompetenceRecord, CompetenceRequirement
from qms.competence.workflow import requirements_of
from qms.people.models import Absence, Person
from qms.periods import Period, day_of
from qms.scope.models import NotApplicable, Process, ProcessSite, ScopeStatement
from qms.scope.workflow import ClosedDays, closed_days

# What keeps an audit from counting for its process: it was called off.
VOID = Audit.Status.VOID
TO_COME = (Audit.Status.PLANNED, Audit.Status.CONFIRMED)
LEAD_ROLES = ("lead_auditor", "auditor")


@dataclass
class Bench:
    """Who may lead an audit, and what stands against whom, read once for a whole programme."""

    people: dict[int, Person]
    processes: dict[int, Process]
    ties: Ties
    asked: Sequence[CompetenceRequirement]
    records: dict[tuple[int, int], CompetenceRecord]
    known: dict[tuple[int, int, date], tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, people: Collection[Person], processes: Collection[Process]) -> "Bench":
        records = CompetenceRecord.objects.newest().of(people)
        return cls(
            {person.pk: person for person in people},
            {process.pk: process for process in processes},
            ties_of(people, processes),
            requirements_of(LEAD_ROLES),
            {(each.person_id, each.competence_id): each for each in records},
        )

    def against(self, person: int, process: int, day: date) -> tuple[str, ...]:
        """Independence and competence on a day: sentences, none if nothing stands against it."""
        key = (person, process, day)
        if key not in self.known:
            facts = facts_in(self.ties, self.people[person], self.processes[process], day)
            blocking = in_words([fact for fact in facts if fact.blocks])
            self.known[key] = (*blocking, *self.lacks(person))
        return self.known[key]

    def lacks(self, person: int) -> list[str]:
        """The competences of a lead auditor that were never found at the level asked for."""
        return [
            f"{self.people[person].name} lacks “{each.competence.name}”."
            for each in self.asked
            if (record := self.records.get((person, each.competence_id))) is None
            or record.level < each.level
        ]

    def lapses(self, person: int, day: date) -> list[str]:
        """The competences that end before a day, and so are to be renewed before."""
        said = []
        for each in self.asked:
            record = self.records.get((person, each.competence_id))
            if record and record.valid_until and record.valid_until < day:
                name, what = self.people[person].name, each.competence.name
                until = f"{record.valid_until:%-d %B %Y}"
                said.append(f"“{what}” of {name} holds until {until}; renew it before.")
        return said


def proposal_for(programme: AuditProgramme, today: date) -> Proposal:
    """What the programme might still plan; audits that are planned already are not proposed."""
    processes = list(Process.objects.active().select_related("owner").order_by("pk"))
    people = list(Person.objects.holding("lead_auditor"))
    years = programme.cycle
    shut = closed_days(programme.period)
    bench = Bench.of(people, processes)
    return propose(
        subjects_of(processes, programme.period, today, shut),
        auditors_of(people, programme.period),
        years=years,
        today=today,
        against=bench.against,
        lapses=bench.lapses,
        holidays=shut.everywhere,
    )


def subjects_of(
    processes: Sequence[Process], period: Period, today: date, shut: ClosedDays | None = None
) -> list[Subject]:
    """The processes with the days of their audits, done and to come, and what weighs on them."""
    places = {process.pk: process for process in processes}
    days = days_of_audits(places, today)
    done = last_audits(places)
    factors = factors_of(places, done, today)
    sites: defaultdict[int, list[int]] = defaultdict(list)
    for key, site in ProcessSite.objects.live().values_list("process_id", "site_id"):
        sites[key].append(site)
    return [
        Subject(
            key,
            process.name,
            process.importance,
            factors.get(key, ()),
            tuple(sorted(days[key])),
            _shut_for(sites[key], shut) if shut else frozenset(),
            since=min(day_of(process.recorded_at), today),
        )
        for key, process in places.items()
    ]


def _shut_for(sites: Sequence[int], shut: ClosedDays) -> frozenset[date]:
    """The days on which none of a process's sites is open."""
    closed = [shut.at(site) for site in sites]
    return frozenset.intersection(*closed) if closed else frozenset()


def last_audits(processes: Collection[int]) -> dict[int, date | None]:
    """The day on which each process was last audited; None where it never was."""
    rows = Audit.objects.counting().filter(process__in=list(processes))
    rows = rows.filter(conducted_on__isnull=False)
    told = rows.exclude(status=VOID).order_by("conducted_on")
    found: dict[int, date | None] = dict.fromkeys(processes)
    return found | dict(told.values_list("process_id", "conducted_on"))


def days_of_audits(processes: Collection[int], today: date) -> dict[int, set[date]]:
    """The days of the audits of each process: when they took place, else when they are planned.

    One that did not take place on its day covers nothing then; it can at the earliest today.
    """
    rows = Audit.objects.counting().filter(process__in=list(processes)).exclude(status=VOID)
    found: dict[int, set[date]] = {key: set() for key in processes}
    for key, planned, conducted in rows.values_list("process_id", "planned_on", "conducted_on"):
        found[key].add(conducted or max(planned, today))
    return found


def auditors_of(people: Sequence[Person], period: Period) -> list[Auditor]:
    """Who may lead, when they are away, and the days they already audit on."""
    away: defaultdict[int, list[Period]] = defaultdict(list)
    absences = Absence.objects.filter(
        person__in=people, starts_on__lte=period.end, ends_on__gte=period.start
    )
    for who, start, end in absences.values_list("person_id", "starts_on", "ends_on"):
        away[who].append(Period(start, end))
    booked = booked_days(people, period)
    return [
        Auditor(person.pk, person.name, tuple(away[person.pk]), frozenset(booked[person.pk]))
        for person in people
    ]


def booked_days(
    people: Collection[Person], period: Period, *, without: Audit | None = None
) -> defaultdict[int, set[date]]:
    """The days on which these people lead or take part in an audit to come."""
    audits = Audit.objects.touching(period.start, period.end).filter(status__in=TO_COME)
    if without is not None:
        audits = audits.exclude(pk=without.pk)
    found: defaultdict[int, set[date]] = defaultdict(set)
    for who, *span in audits.filter(lead__in=people).values_list("lead_id", "planned_on", "days"):
        found[who] |= _days(*span)
    places = AuditTeamMember.objects.live().filter(audit__in=audits, person__in=people)
    for who, *span in places.values_list("person_id", "audit__planned_on", "audit__days"):
        found[who] |= _days(*span)
    return found


def _days(first: date, count: int) -> set[date]:
    return {first + timedelta(days=n) for n in range(count)}


def holes(programme: AuditProgramme, today: date) -> list[Hole]:
    """The holes of the programme as it stands, whoever planned it."""
    processes = list(Process.objects.active().order_by("code"))
    places = {process.pk: process for process in processes}
    days = days_of_audits(places, today)
    subjects = [
        Subject(
            p.pk,
            p.name,
            audited_on=tuple(sorted(days[p.pk])),
            since=min(day_of(p.recorded_at), today),
        )
        for p in processes
    ]
    return holes_of(subjects, {}, programme.cycle, clause_days(programme, today))


def applicable_clauses(edition: str) -> list[ClauseRef]:
    """The clauses to be audited: assessable, and not left out by the scope in force."""
    statement = ScopeStatement.objects.approved().filter(edition=edition)
    rows = NotApplicable.objects.filter(statement__in=statement, ended=False)
    left_out = [ClauseRef.parse(key) for key in rows.values_list("clause", flat=True)]
    return [
        each.ref
        for each in clauses.clauses(edition, assessable=True)
        if not any(each.ref.is_within(other) for other in left_out)
    ]


def clause_days(programme: AuditProgramme, today: date) -> dict[str, set[date]]:
    """For each clause that applies, the days of audits within the cycle that look at it."""
    asked = applicable_clauses(programme.edition)
    found: dict[str, set[date]] = {ref.number: set() for ref in asked}
    for _, day, looked_at in looks_of(programme, today):
        for ref in asked:
            if any(ref.is_within(other) for other in looked_at):
                found[ref.number].add(day)
    return found


def looks_of(programme: AuditProgramme, today: date) -> list[tuple[Audit, date, list[ClauseRef]]]:
    """The audits whose day lies within the cycle, with that day and the clauses they look at."""
    ahead = Greatest("planned_on", Value(today, DateField()))
    rows = (
        Audit.objects.counting().exclude(status=VOID).annotate(day=Coalesce("conducted_on", ahead))
    )
    period = programme.period
    audits = rows.filter(day__range=(period.start, period.end)).order_by("day", "pk")
    return [(audit, audit.day, [ClauseRef.parse(key) for key in audit.clauses]) for audit in audits]
