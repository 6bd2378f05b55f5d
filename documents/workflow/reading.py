"""Read and understood: who is asked to read what, and that they did (ISO 9001 7.3, 7.5.3).

Everybody in the audience of a document has exactly one task for the major revision in force.
`settle_reading` makes it so: after every change that may concern it, and each night once more.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db import transaction as db

from documents import questions
from documents.models import Audience, Document, KindRule, ReadingTask, Revision
from documents.workflow.documents import DocumentWithdrawn
from documents.workflow.revisions import RevisionBecameEffective
from qms import contributions
from qms.contributions import Step
from qms.events import handles
from qms.forms import JsonField
from qms.links import refuse_stale
from qms.people.models import Person, RoleAssignment
from qms.people.roles import EMPLOYEE, ROLES
from qms.people.workflow import PersonMoved
from qms.periods import due_in, today
from qms.records import RecordSaved
from qms.refusals import Refused, Stale
from qms.scope.models import Process, ProcessDeputy, ProcessMember
from qms.scope.workflow import OwnerChanged
from qms.workflow import creates, one_of_two, transition

LOCK = 7_302_011  # who is asked is settled by one at a time
MOST_TRIES = 100
Status = ReadingTask.Status
NOT_WHAT_WAS_ASKED = "Say which revision of this document you have read: the one in force."
Pair = tuple[int, int]  # document, person


# The audience


@dataclass(frozen=True)
class Readers:
    """Who is to read a document: everyone, or the roles, processes and people named."""

    everyone: bool = False
    roles: tuple[str, ...] = ()
    processes: tuple[Process, ...] = ()
    people: tuple[Person, ...] = ()

    @property
    def named(self) -> list[str]:
        """Roles, processes and people, in words."""
        labels = [ROLES[role].label for role in self.roles]
        return [*labels, *map(str, self.processes), *map(str, self.people)]

    def targets(self) -> set[tuple[bool, str, int | None, int | None]]:
        """Each as the columns of an `Audience`; everyone is everyone, whoever else is named."""
        if self.everyone:
            return {(True, "", None, None)}
        return {
            *((False, role, None, None) for role in self.roles),
            *((False, "", process.pk, None) for process in self.processes),
            *((False, "", None, person.pk) for person in self.people),
        }


def set_audience(
    document: Document, readers: Readers, *, by: Person, reason: str = "", seen: str | None = None
) -> None:
    """Make the audience of a document exactly this; who comes in is asked, who goes is not.

    `seen` is the seal of the audience on the page. Raises PermissionDenied, Refused, Stale.
    """
    if not by.has_perm("documents.change_audience"):
        raise PermissionDenied("Your role does not allow you to choose who reads a document.")
    _check_readers(readers)
    with one_of_two():
        locked = Document._base_manager.select_for_update(of=("self",)).get(pk=document.pk)
        if locked.status != Document.Status.ACTIVE:
            raise Refused("The document was withdrawn; nobody is asked to read it.")
        refuse_stale(seen, {"document": locked}, Audience)
        _write_audience(locked, readers, by=by, reason=reason)
        settle_reading(documents=[locked.pk])


def _check_readers(readers: Readers) -> None:
    if unknown := set(readers.roles) - set(ROLES):
        raise Refused(f"There is no role called {sorted(unknown)[0]}.", field="roles")
    for person in readers.people:
        if not person.is_active or person.is_system or person.is_outside:
            raise Refused(
                f"{person.name} does not work here now. Choose somebody else.", field="people"
            )


def _write_audience(document: Document, readers: Readers, *, by: Person, reason: str) -> None:
    wanted = readers.targets()
    stored = Audience._base_manager.filter(document=document).select_for_update(of=("self",))
    for each in stored:
        target = (each.everyone, each.role, each.process_id, each.person_id)
        keep = target in wanted
        wanted.discard(target)
        if each.ended == keep:
            each.ended = not keep
            each.save_because(reason or ("Asked again." if keep else "No longer asked."), by=by)
    for everyone, role, process, person in sorted(wanted, key=str):
        Audience(
            document=document,
            everyone=everyone,
            role=role,
            process_id=process,
            person_id=person,
            created_by=by,
        ).save()


def audience_of(document: Document) -> Readers:
    """Who is to read a document now."""
    rows = Audience.objects.live().filter(document=document).select_related("process", "person")
    found = list(rows.order_by("role", "process__code", "person__name", "pk"))
    return Readers(
        any(each.everyone for each in found),
        tuple(each.role for each in found if each.role),
        tuple(each.process for each in found if each.process),
        tuple(each.person for each in found if each.person),
    )


def readers_wanted(
    documents: Iterable[int] | None = None, person: Person | None = None
) -> set[Pair]:
    """(document, person) of everybody in the audience of a document that is not withdrawn.

    Asked in a fixed number of questions, however many documents and people there are.
    """
    lines = Audience.objects.live().filter(document__status=Document.Status.ACTIVE)
    if documents is not None:
        lines = lines.filter(document__in=list(documents))
    told = list(lines.values_list("document_id", "everyone", "role", "process_id", "person_id"))
    people = Person.objects.people().filter(access_until=None)
    if person is not None:
        people = people.filter(pk=person.pk)
    here = set(people.values_list("pk", flat=True))
    by_role = _by_role({role for _, _, role, _, _ in told if role})
    by_process = _by_process({process for _, _, _, process, _ in told if process})
    found: set[Pair] = set()
    for document, everyone, role, process, single in told:
        if everyone or role == EMPLOYEE.name:
            named = here
        else:
            named = (by_role[role] | by_process[process] | {single}) & here
        found.update((document, each) for each in named)
    return found


def _by_role(roles: set[str]) -> defaultdict[str, set[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    held = RoleAssignment.objects.filter(status=RoleAssignment.Status.HELD, role__in=roles)
    for role, person in held.values_list("role", "person_id"):
        found[role].add(person)
    return found


def _by_process(processes: set[int]) -> defaultdict[int | None, set[int]]:
    """The owner, the deputies and the members of each process."""
    found: defaultdict[int | None, set[int]] = defaultdict(set)
    owned = Process.objects.filter(pk__in=processes).exclude(owner=None)
    for process, person in owned.values_list("pk", "owner_id"):
        found[process].add(person)
    for link in (ProcessMember, ProcessDeputy):
        rows = link.objects.live().filter(process__in=processes)
        for process, person in rows.values_list("process_id", "person_id"):
            found[process].add(person)
    return found


# Which revision is asked for


def asked_revisions(documents: Iterable[int] | None = None) -> dict[int, Revision]:
    """The revision people are asked to read, by document: the major one that is in force.

    While a minor revision is in force it is the major one before it.
    """
    rows = Revision.objects.released().filter(document__status=Document.Status.ACTIVE)
    if documents is not None:
        rows = rows.filter(document__in=list(documents))
    in_force = rows.filter(status=Revision.Status.EFFECTIVE).values("document_id")
    rows = rows.filter(document__in=in_force).defer("text", "fields", "questions")
    found: dict[int, list[Revision]] = {}
    for each in rows.select_related("document").order_by("document_id", "number"):
        found.setdefault(each.document_id, []).append(each)
    return {key: asked for key, many in found.items() if (asked := asked_among(many))}


def asked_among(released: Iterable[Revision]) -> Revision | None:
    """Of the released revisions of one document, the oldest first, the one people are to read."""
    asked: Revision | None = None
    for each in released:
        if asked is None or not each.is_minor:
            asked = each
    return asked


def in_force_for(task: ReadingTask) -> Revision | None:
    """The revision its reader reads now: in force, and not newer than what they were asked."""
    rows = Revision.objects.effective().filter(document=task.document_id)
    found: Revision | None = rows.select_related("document", "source__blob").first()
    asked = asked_revisions([task.document_id]).get(task.document_id)
    return found if found and asked and asked.pk == task.revision_id else None


# Asking


@creates(ReadingTask, permission="documents.keep_reading")
def ask_to_read(*, by: Person, revision: Revision, person: Person, due: date) -> ReadingTask:
    """Ask one person to read one revision."""
    task = ReadingTask(
        document=revision.document, revision=revision, person=person, due=due, created_by=by
    )
    task.save()
    return task


@dataclass
class Settled:
    """What `settle_reading` did."""

    asked: int = 0
    ended: int = 0


def settle_reading(
    *, documents: Iterable[int] | None = None, person: Person | None = None
) -> Settled:
    """Ask who is in the audience and was not asked; end what nobody is asked any more.

    Twice is once, and two at the same moment are one after the other.
    """
    chosen = None if documents is None else list(documents)
    if chosen is None and not _concerns_anybody(chosen, person):
        return Settled()
    with db.atomic(savepoint=False):
        _one_at_a_time()
        if chosen is not None and not _concerns_anybody(chosen, person):
            return Settled()
        asked = asked_revisions(chosen)
        wanted = readers_wanted(chosen, person)
        done = Settled(ended=_end_what_is_over(chosen, person, asked, wanted))
        done.asked = _ask_who_is_missing(asked, wanted, person)
    return done


def _concerns_anybody(documents: list[int] | None, person: Person | None) -> bool:
    """Whether there is anything to settle; most moves of people concern no document."""
    tasks = ReadingTask.objects.open()
    if person is not None:
        tasks = tasks.of(person)
    audience = Audience.objects.live().filter(document__status=Document.Status.ACTIVE)
    if documents is not None:
        tasks = tasks.filter(document__in=documents)
        audience = audience.filter(document__in=documents)
    named = audience.values("pk")
    return bool(named.union(tasks.values("pk"), all=True).exists())


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _end_what_is_over(
    documents: list[int] | None,
    person: Person | None,
    asked: dict[int, Revision],
    wanted: set[Pair],
) -> int:
    rows = ReadingTask.objects.open()
    if documents is not None:
        rows = rows.filter(document__in=documents)
    if person is not None:
        rows = rows.of(person)
    count = 0
    heavy = ("revision__text", "revision__fields", "revision__questions")
    open_ones = list(rows.select_related("document", "revision", "person").defer(*heavy))
    clockwork = Person.objects.system() if open_ones else None
    for task in open_ones:
        revision = asked.get(task.document_id)
        over = _why_over(task, revision)
        if not over and (task.document_id, task.person_id) in wanted:
            continue
        move, why = (lapse, over) if over else (end_asking, _why_not_asked(task))
        try:
            move(task, by=clockwork, reason=why)
        except Refused:  # acknowledged at the same moment
            continue
        count += 1
    return count


def _why_over(task: ReadingTask, asked: Revision | None) -> str:
    if task.document.status != Document.Status.ACTIVE or asked is None:
        return "The document was withdrawn."
    return "" if asked.pk == task.revision_id else f"Revision {asked.label} took effect."


def _why_not_asked(task: ReadingTask) -> str:
    if task.person.is_active and not task.person.is_outside:
        return "No longer among the readers of the document."
    return "Left the organisation."


def _ask_who_is_missing(
    asked: dict[int, Revision], wanted: set[Pair], person: Person | None
) -> int:
    tasks = ReadingTask.objects.filter(revision__in=[each.pk for each in asked.values()])
    if person is not None:
        tasks = tasks.of(person)
    rows = tasks.values_list("document_id", "person_id", "status", "pk")
    known = {(document, who): (status, key) for document, who, status, key in rows}
    missing = sorted(
        pair
        for pair in wanted
        if pair[0] in asked and known.get(pair, (Status.ENDED, 0))[0] == Status.ENDED
    )
    if not missing:
        return 0
    people = Person.objects.in_bulk({who for _document, who in missing})
    days = {kind: KindRule.objects.of(kind).reading_days for kind in _kinds(asked, missing)}
    clockwork = Person.objects.system()
    for document, who in missing:
        revision = asked[document]
        due = due_in(days[revision.document.kind], today())
        if (document, who) in known:
            task = ReadingTask.objects.get(pk=known[document, who][1])
            ask_again(task, by=clockwork, reason="Among the readers again.")
        else:
            ask_to_read(by=clockwork, revision=revision, person=people[who], due=due)
    return len(missing)


def _kinds(asked: dict[int, Revision], missing: list[Pair]) -> set[str]:
    return {asked[document].document.kind for document, _person in missing}


# What the reader does


def only_the_reader(task: ReadingTask, by: Any) -> str | None:
    if by.pk == task.person_id:
        return None
    return "Only the person who was asked says that they have read it."


def it_is_what_is_in_force(task: ReadingTask, by: Any) -> str | None:
    if in_force_for(task) is not None:
        return None
    return "This revision is no longer in force. Read the one that is; you are asked for it."


def it_asks_questions(task: ReadingTask, by: Any) -> str | None:
    return None if questions_of(task) else "This document asks no questions."


def they_are_answered(task: ReadingTask, by: Any) -> str | None:
    asked = questions_of(task)
    if not asked:
        return None
    if not task.tries:
        return "Answer the questions first."
    last = task.tries[-1]
    revision = in_force_for(task)
    if revision is None or last["revision"] != revision.label:
        return "The questions are new. Answer them first."
    wrong = [at for at, each in enumerate(last["answers"], start=1) if not each["right"]]
    return questions.in_words(wrong, len(asked)) if wrong else None


def questions_of(task: ReadingTask) -> list[dict[str, Any]]:
    """What its reader is asked, of the revision in force."""
    revision = in_force_for(task)
    return list(revision.questions) if revision else []


def _what_was_read(task: ReadingTask, read: Revision) -> Revision:
    """The revision in force, when that is what the reader says to have read; else Stale."""
    if read.document_id != task.document_id:
        raise Refused(NOT_WHAT_WAS_ASKED, field="read")
    stands = in_force_for(task)
    if stands is None:
        raise RuntimeError("Only what is in force is acknowledged; a guard must have said so.")
    if stands.pk != read.pk:
        raise Stale(f"Revision {stands.label} took effect while you read. Read what it says now.")
    return stands


READ: dict[str, forms.Field] = {
    "read": forms.ModelChoiceField(
        Revision.objects.released(),
        label="What you have read",
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid_choice"), NOT_WHAT_WAS_ASKED),
    )
}


@transition(
    ReadingTask,
    source=Status.OPEN,
    target=Status.OPEN,
    permission="documents.acknowledge_reading",
    only=only_the_reader,
    guards=[it_is_what_is_in_force, it_asks_questions],
    details=READ
    | {
        "answers": JsonField(
            label="Answers", help_text="The places chosen, from 0, for each question: [[0], [1, 2]]"
        )
    },
    label="Answer the questions",
    primary=False,
)
def answer(task: ReadingTask, *, by: Any, read: Revision, answers: Any) -> None:
    """Answer the questions; each try is kept."""
    revision = _what_was_read(task, read)
    asked = list(revision.questions)
    if len(task.tries) >= MOST_TRIES:
        raise Refused(
            "You have tried very often. Ask the owner of the document to explain it to you."
        )
    if not isinstance(answers, list) or len(answers) != len(asked):
        raise Refused(f"Answer all {len(asked)} questions.", field="answers")
    told = {"revision": revision.label, "answers": questions.told(asked, answers)}
    task.tries = [*task.tries, told]


@transition(
    ReadingTask,
    source=Status.OPEN,
    target=Status.ACKNOWLEDGED,
    permission="documents.acknowledge_reading",
    only=only_the_reader,
    guards=[it_is_what_is_in_force, they_are_answered],
    details=READ,
    label="I have read and understood it",
)
def acknowledge(task: ReadingTask, *, by: Any, read: Revision) -> None:
    """Say that you have read this revision and understood it."""
    revision = _what_was_read(task, read)
    task.read, task.content_hash = revision, revision.content_hash
    task.acknowledged_on = today()


@transition(
    ReadingTask,
    source=Status.OPEN,
    target=Status.LAPSED,
    permission="documents.keep_reading",
    guards=[lambda task, by: _still_in_force(task)],
    reason=True,
    label="Let it lapse",
    primary=False,
)
def lapse(task: ReadingTask, *, by: Any) -> None:
    """The revision is no longer in force; a newer one is asked for instead."""
    asked = asked_revisions([task.document_id]).get(task.document_id)
    task.why_ended = _why_over(task, asked)


def _still_in_force(task: ReadingTask) -> str | None:
    asked = asked_revisions([task.document_id]).get(task.document_id)
    return None if _why_over(task, asked) else "The revision is still in force."


def _is_wanted(task: ReadingTask) -> bool:
    return (task.document_id, task.person_id) in readers_wanted([task.document_id], task.person)


@transition(
    ReadingTask,
    source=Status.OPEN,
    target=Status.ENDED,
    permission="documents.keep_reading",
    guards=[lambda task, by: "They are still asked." if _is_wanted(task) else None],
    reason=True,
    label="End it",
    primary=False,
)
def end_asking(task: ReadingTask, *, by: Any) -> None:
    """The person is no longer asked."""
    task.why_ended = _why_not_asked(task)


@transition(
    ReadingTask,
    source=Status.ENDED,
    target=Status.OPEN,
    permission="documents.keep_reading",
    guards=[lambda task, by: None if _is_wanted(task) else "They are not among the readers."],
    reason=True,
    label="Ask again",
)
def ask_again(task: ReadingTask, *, by: Any) -> None:
    """The person is among the readers again."""
    task.why_ended = ""
    task.due = due_in(KindRule.objects.of(task.document.kind).reading_days, today())


# What makes it so


@handles(RevisionBecameEffective, order=40)
def ask_the_readers(event: RevisionBecameEffective) -> None:
    """Who is in the audience is asked to read what took effect."""
    settle_reading(documents=[event.revision.document_id])


@handles(DocumentWithdrawn, order=40)
def ask_no_more(event: DocumentWithdrawn) -> None:
    """Nobody reads what is withdrawn."""
    settle_reading(documents=[event.document.pk])


@handles(PersonMoved, order=60)
def follow_the_person(event: PersonMoved) -> None:
    """Who joins is asked, who leaves is not."""
    settle_reading(person=event.person)


@handles(OwnerChanged, order=60)
def follow_the_owner(event: OwnerChanged) -> None:
    """A process's owner is one of its readers."""
    for person in (event.before, event.process.owner):
        if person is not None:
            settle_reading(person=person)


@handles(RecordSaved, order=85)
def follow_roles_and_processes(event: RecordSaved) -> None:
    """Who gets a role or joins a process gets its reading; who gives it up is no longer asked."""
    if isinstance(event.record, RoleAssignment | ProcessMember | ProcessDeputy):
        settle_reading(person=event.record.person)


@contributions.work(ReadingTask)
def read_it(task: ReadingTask) -> list[Step]:
    """The person reads it by its day."""
    if task.status != Status.OPEN:
        return []
    return [Step("read", "Read", person=task.person, due=task.due)]
