"""Readiness: for each clause the live records that prove it, or what stands in the way, on any day.

Computed from the history tables, so a day in the past shows what was on record at its end; what was
entered later is not there (ISO 9001 7.5.3, 9.1). Counts and blockers, never a share or a score.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse

from qms import clauses, proofs
from qms.actions.models import Action
from qms.clauses import Clause, ClauseRef
from qms.gap.models import Assessment, EvidenceLink, GapAnswer
from qms.people.models import Person, RoleAssignment
from qms.periods import EARLIEST, day_of, start_of
from qms.proofs import Blocker, Example, GapSignal, Proofs, as_it_was, by_clause, counted, proves
from qms.refusals import Refused
from qms.scope.models import NotApplicable, Organisation, Process, ScopeStatement

BLOCKED, SHOWN, QUIET, LEFT_OUT = "blocked", "shown", "quiet", "left_out"
WORDS = {
    BLOCKED: "Blocked",
    SHOWN: "Shown",
    QUIET: "Nothing on record",
    LEFT_OUT: "Not applicable",
}
TONES = {BLOCKED: "late", SHOWN: "fine", QUIET: "", LEFT_OUT: "void"}
LONGEST = 110


@dataclass(frozen=True)
class Standing:
    """One clause on one day: what is shown, what is in the way, or why it does not apply."""

    clause: Clause
    shown: tuple[Proofs, ...]
    blockers: tuple[Blocker, ...]
    why_not: str = ""

    @property
    def status(self) -> str:
        if self.why_not:
            return LEFT_OUT
        if self.blockers:
            return BLOCKED
        return SHOWN if self.count else QUIET

    @property
    def count(self) -> int:
        """How many records are shown, each kind counted on its own."""
        return sum(each.count for each in self.shown)

    @property
    def words(self) -> str:
        return WORDS[self.status]

    @property
    def tone(self) -> str:
        return TONES[self.status] if self.status != LEFT_OUT else ""


@dataclass(frozen=True)
class Chapter:
    """The clauses of one chapter of the standard."""

    clause: Clause
    rows: list[Standing]

    @property
    def blocked(self) -> int:
        return sum(row.status == BLOCKED for row in self.rows)


@dataclass(frozen=True)
class Readiness:
    """Every assessable clause of an edition as the records stood at the end of a day."""

    edition: str
    day: date
    as_of: datetime
    rows: list[Standing] = field(default_factory=list)

    @property
    def counts(self) -> list[tuple[str, str, int, str]]:
        """(status, words, how many clauses, tone), what needs work first."""
        counted_ = Counter(row.status for row in self.rows)
        return [(key, WORDS[key], counted_[key], TONES[key]) for key in WORDS]

    @property
    def blockers(self) -> int:
        return sum(len(row.blockers) for row in self.rows)

    def chapters(self) -> list[Chapter]:
        heads = [each for each in clauses.clauses(self.edition) if each.level == 1]
        return [
            Chapter(head, [r for r in self.rows if r.clause.ref.is_within(head.ref)])
            for head in heads
        ]

    def at(self, number: str) -> Standing:
        return next(row for row in self.rows if row.clause.number == number)


def end_of(day: date) -> datetime:
    """The last instant of a day of the organisation."""
    return start_of(day + timedelta(days=1)) - timedelta(microseconds=1)


def readiness(edition: str, day: date, person: Any = None) -> Readiness:
    """How each clause stands at the end of a day; with a person only what that person may see.

    Counts are the same for everybody, names and links are not. Raises Refused for a day before
    anything could be on record.
    """
    if not day >= EARLIEST:
        raise Refused(f"Nothing is on record from before {EARLIEST.year}. Choose a later day.")
    as_of = end_of(day)
    told = proofs.proofs_for(edition, as_of)
    left_out = _left_out(edition, as_of)
    mend = _where_to_mend(edition)
    rows = [
        _standing(each, told.get(each.number, []), _why_not(each.ref, left_out), mend)
        for each in clauses.clauses(edition, assessable=True)
    ]
    return Readiness(edition, day, as_of, _seen(rows, person))


def edition_in_use(day: date | None = None) -> str:
    """The edition the organisation works to (at the end of a day); the latest before it is set."""
    if day is not None:
        then = as_it_was(Organisation, end_of(day)).first()
        if then is not None:
            return str(then.edition)
    return Organisation.objects.edition()


def _standing(clause: Clause, told: list[Proofs], why_not: str, mend: dict[str, str]) -> Standing:
    blockers = [] if why_not else [each for one in told for each in one.blockers]
    shown = tuple(
        sorted((one for one in told if one.count), key=lambda one: (one.rank, not one.shows))
    )
    if not why_not and not blockers:
        blockers = list(_not_documented(clause, shown, mend))
    return Standing(clause, shown, tuple(blockers), why_not)


def _not_documented(
    clause: Clause, shown: Iterable[Proofs], mend: dict[str, str]
) -> Iterable[Blocker]:
    """What the clause plainly asks to be documented, and no record shows."""
    can = {kind for one in shown for kind in one.shows}
    for each in clause.documented_information:
        if each.obligation == "required" and each.kind not in can:
            url, word = mend.get(clause.number), "Name it"
            if url is None:
                url, word = reverse("gap:assessment_create"), "Assess it"
            yield Blocker(f"Nothing shows this yet: {each.what}.", url, word)


def _where_to_mend(edition: str) -> dict[str, str]:
    """Where evidence is named for a clause: its answer in the assessment that is in progress.

    A completed one takes no answer any more; then a new one is the way, and this is empty.
    """
    going = Assessment.Status.IN_PROGRESS
    rows = GapAnswer.objects.filter(assessment__edition=edition, assessment__status=going)
    return {each.ref.number: each.get_absolute_url() for each in rows}


def _left_out(edition: str, as_of: datetime) -> dict[ClauseRef, str]:
    """The requirements that the scope statement of then left out, with their justification."""
    statement = as_it_was(ScopeStatement, as_of).filter(status="approved").first()
    if statement is None:
        return {}
    lines = as_it_was(NotApplicable, as_of).filter(statement_id=statement.id, ended=False)
    refs = [(ClauseRef.parse(line.clause), line.justification) for line in lines]
    return {ref: why for ref, why in refs if ref.edition == edition}


def _why_not(ref: ClauseRef, left_out: dict[ClauseRef, str]) -> str:
    return next((why for above, why in left_out.items() if ref.is_within(above)), "")


def _seen(rows: list[Standing], person: Any) -> list[Standing]:
    """The same rows without examples and blockers that the person may not see."""
    if person is None:
        return rows
    things = [
        thing
        for row in rows
        for each in (*row.blockers, *(e for one in row.shown for e in one.examples))
        for thing in [each]
    ]
    visible = {id(each) for each in proofs.seen_by(things, person)}
    return [
        Standing(
            row.clause,
            tuple(
                Proofs(
                    one.what,
                    one.count,
                    tuple(each for each in one.examples if id(each) in visible),
                    one.blockers,
                    one.shows,
                    one.rank,
                )
                for one in row.shown
            ),
            tuple(_told_to(each, id(each) in visible) for each in row.blockers),
            row.why_not,
        )
        for row in rows
    ]


def _told_to(blocker: Blocker, visible: bool) -> Blocker:
    if visible:
        return blocker
    return Blocker("A record that not everybody sees is in the way.", "", "")


# What the ground itself proves ------------------------------------------------------------------


@proves()
def scope_proves(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """The scope in force, the processes that ran, and the clauses they serve."""
    approved = as_it_was(ScopeStatement, as_of).filter(status="approved")
    statements = list(approved.order_by("-approved_on", "-id"))
    running = list(as_it_was(Process, as_of).filter(status="active").order_by("code"))
    no_scope = Blocker("No scope statement is approved.", reverse("scope:overview"), "Write it")
    no_process = Blocker("No process runs yet.", reverse("scope:process_list"), "Describe them")
    found = {
        number: counted("processes serve it", Process, some, _process, shows=())
        for number, some in by_clause(running, edition, lambda row: row.clauses).items()
    }
    found["4.3"] = counted(
        "scope statements in force",
        ScopeStatement,
        statements,
        lambda row: (str(row.number), row.approved_on),
        () if statements else (no_scope,),
    )
    found["4.4.1"] = counted(
        "processes with an owner", Process, running, _process, () if running else (no_process,)
    )
    return found


def _process(row: Any) -> tuple[str, date | None]:
    return f"{row.code} {row.name}", None


@proves("5.3")
def roles_prove(edition: str, as_of: datetime) -> Proofs:
    """The roles that people held, and whether anybody answered for quality and for the top."""
    held = as_it_was(RoleAssignment, as_of).filter(status="held")
    people = set(held.values_list("person_id", flat=True))
    roles = set(held.values_list("role", flat=True))
    asked = {"quality_manager": "quality manager", "top_management": "top management"}
    blockers = tuple(
        Blocker(f"Nobody holds the role “{label}”.", reverse("people:person_list"), "Give it")
        for role, label in asked.items()
        if role not in roles
    )
    names = Person.objects.filter(pk__in=people).order_by("name", "pk")[:3]
    examples = tuple(Example(each.name, each.get_absolute_url(), None, each) for each in names)
    return Proofs("people with a role of their own", len(people), examples, blockers)


@proves("5.3")
def owners_prove(edition: str, as_of: datetime) -> Proofs:
    """Processes somebody who worked here then answered for; those without are named."""
    active = set(as_it_was(Person, as_of).filter(is_active=True).values_list("id", flat=True))
    running = list(as_it_was(Process, as_of).filter(status="active").order_by("code"))
    page = reverse("scope:responsibilities")
    blockers = [
        Blocker(
            f"Nobody who works here answers for {row.code} {row.name}.",
            page,
            "Choose an owner",
            Process(pk=row.id),
        )
        for row in running
        if row.owner_id not in active
    ]
    owned = [row for row in running if row.owner_id in active]
    return counted("processes somebody answers for", Process, owned, _process, blockers, shows=())


@proves()
def assessment_proves(edition: str, as_of: datetime) -> dict[str, Proofs]:
    """What the newest completed assessment named as evidence, and its gaps nobody has closed.

    Where none was made to this edition, the one of the other edition tells what did not change.
    """
    done = as_it_was(Assessment, as_of).filter(status="completed").order_by("-completed_on", "-id")
    newest = done.filter(edition=edition).first() or done.first()
    if newest is None:
        return {}
    answers = list(as_it_was(GapAnswer, as_of).filter(assessment_id=newest.id))
    keys = [row.id for row in answers]
    links = as_it_was(EvidenceLink, as_of).filter(ended=False, answer_id__in=keys)
    linked = Counter(links.values_list("answer_id", flat=True))
    actions, mend = _actions_then(answers, as_of), _where_to_mend(newest.edition)
    found: dict[str, Proofs] = {}
    for row in answers:
        told = _told_by(newest, row, linked[row.id], actions, mend)
        if told is not None:
            found |= {ref.number: told for ref in clauses.same_in(row.clause, edition)}
    return found


def _told_by(
    assessment: Any, row: Any, linked: int, actions: dict[int, list[Any]], mend: dict[str, str]
) -> Proofs | None:
    """What one answer of then says: evidence it named, or a gap that is not closed."""
    if row.rating in GapAnswer.GAPS:
        return Proofs("gaps", 0, (), _unclosed(assessment, row, actions, mend))
    if row.rating != GapAnswer.Rating.IN_PLACE:
        return None
    count = linked + bool(row.evidence.strip())
    return Proofs(
        "evidence named in the gap assessment",
        count,
        (_named_by(assessment, row),) if count else (),
        rank=90,
    )


def _named_by(assessment: Any, row: Any) -> Example:
    words = row.evidence.strip().splitlines()[0] if row.evidence.strip() else "linked records"
    short = words if len(words) <= LONGEST else f"{words[:LONGEST].rstrip()} …"
    record = GapAnswer(pk=row.id)
    title = f"{assessment.number}: {short}"
    return Example(title, record.get_absolute_url(), row.answered_on, of=record)


def _actions_then(answers: list[Any], as_of: datetime) -> dict[int, list[Any]]:
    """The actions of gaps as they were then, without void ones, by the answer's key."""
    keys = {row.id for row in answers} | {row.earlier_id for row in answers if row.earlier_id}
    rows = as_it_was(Action, as_of).filter(
        origin_type__app_label="gap", origin_type__model="gapanswer", origin_id__in=keys
    )
    found: dict[int, list[Any]] = {}
    for row in rows.exclude(status=Action.Status.VOID).order_by("due", "id"):
        found.setdefault(row.origin_id, []).append(row)
    return found


def _unclosed(
    assessment: Any, row: Any, actions: dict[int, list[Any]], mend: dict[str, str]
) -> tuple[Blocker, ...]:
    mine = actions.get(row.id, [])
    still = [each for each in actions.get(row.earlier_id, []) if each.status == "open"]
    waiting = [each for each in (*mine, *still) if each.status == Action.Status.OPEN]
    told = GapAnswer.Rating(row.rating).label.lower()
    if waiting:
        return tuple(_promised(assessment, told, each) for each in waiting)
    if mine:
        return ()
    url = mend.get(ClauseRef.parse(row.clause).number) or reverse("gap:assessment_create")
    sentence = f"{assessment.number} found it {told}, and no action is planned."
    return (Blocker(sentence, url, "Assess it again"),)


def _promised(assessment: Any, told: str, action: Any) -> Blocker:
    what = f"{action.number} {action.title.rstrip('.')}"
    record = Action(pk=action.id)
    return Blocker(
        f"{assessment.number} found it {told}; {what} is due {action.due:%-d %B %Y}.",
        record.get_absolute_url(),
        "Do it",
        of=record,
    )


# What the ground itself betrays -----------------------------------------------------------------


@proofs.gap_signal(order=10)
def unclear_ownership(edition: str, today: date) -> list[GapSignal]:
    """Processes without an owner, or whose owner may no longer sign in; and no scope in force."""
    found = []
    if not ScopeStatement.objects.approved().exists():
        found.append(
            GapSignal(
                "scope:none",
                "4.3",
                "No scope statement is approved.",
                reverse("scope:overview"),
                "Write the scope statement and have it approved",
            )
        )
    rows = Process.objects.exclude(status=Process.Status.RETIRED).select_related("owner")
    for process in rows.order_by("code"):
        if process.owner is None or not process.owner.is_active:
            found.append(
                GapSignal(
                    f"scope:owner:{process.pk}",
                    "5.3",
                    f"{process.name} has no owner."
                    if process.owner is None
                    else f"The owner of {process.name}, {process.owner.name}, has left.",
                    process.get_absolute_url(),
                    f"Name an owner of {process.name}",
                )
            )
    return found


def first_day() -> date | None:
    """The day the first record of the organisation was written; before it there is nothing."""
    first = Organisation.history.order_by("history_date").first()
    return day_of(first.history_date) if first else None
