"""Independence of auditors, computed from what they own, do and wrote (ISO 9001 9.2.2, ISO 19011).

What ties somebody to an external provider counts for supplier audits in the same way; a customer's
auditors are the customer's to judge. Each fact stands for itself, with the record that shows it.
Owning, deputising, performing and authoring block, as long as the look-back reaches; having
approved something as quality manager or top management is shown and does not block. An exception
needs a reason, a mitigation and somebody else's approval.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.urls import reverse

from audits.models import Audit
from capa.models import Nonconformity
from capa.workflow import tasks_with_cases
from documents.models import Revision
from qms.people.models import Person
from qms.periods import add_months, day_of
from qms.providers.models import Provider, ProviderEvaluation
from qms.providers.workflow import is_contact
from qms.scope.models import Process, ProcessDeputy, ProcessMember

WRITTEN = ("title", "text", "source_id", "fields", "questions", "change_summary")


def look_back_months() -> int:
    """How many months back somebody's own work counts (setting AUDIT_LOOK_BACK_MONTHS)."""
    return int(settings.AUDIT_LOOK_BACK_MONTHS)


@dataclass(frozen=True)
class Fact:
    """One thing that ties a person to the work of a process.

    `day` is the last day of it, None while it still holds. `url` leads to the record that shows
    it; `blocks` is false for what is only shown.
    """

    kind: str
    sentence: str
    url: str
    day: date | None = None
    blocks: bool = True

    def counts_on(self, on: date) -> bool:
        """Whether the look-back from a day reaches it; the day that closes it still counts."""
        return self.day is None or on <= add_months(self.day, look_back_months())


Ties = dict[tuple[int, int], list[Fact]]  # by (person, process)


def ties_of(people: Collection[Person], processes: Collection[Process]) -> Ties:
    """Everything that ties these people to these processes, in a fixed number of questions."""
    names = {person.pk: person.name for person in people}
    places = {process.pk: process for process in processes}
    found: Ties = defaultdict(list)
    for who, where, fact in _every(names, places):
        found[who, where].append(fact)
    return found


def facts_about(person: Person, process: Process, on: date) -> list[Fact]:
    """What ties a person to a process on a day, blocking and shown."""
    return facts_in(ties_of([person], [process]), person, process, on)


def facts_in(ties: Ties, person: Person, process: Process, on: date) -> list[Fact]:
    """The same out of what was read for many."""
    return [fact for fact in ties.get((person.pk, process.pk), ()) if fact.counts_on(on)]


# How a fact of each kind is worded, while it holds and after: an exception names it by these.
NAMED = {
    "owner": ("owns the process", "owned the process"),
    "member": ("works in the process", "worked in the process"),
    "deputy": ("stands in for the owner", "stood in for its owner"),
    "author": (" wrote ",),
    "corrective": (" answers ", " carries out "),
    "keeper": (" looks after ", " looked after "),
    "contact": (" speaks for ", " spoke for "),
}


def is_named_in(fact: Fact, objection: str) -> bool:
    """Whether an exception that states this objection was decided knowing facts of this kind."""
    return any(words in objection for words in NAMED.get(fact.kind, ()))


def objections(person: Person, process: Process, on: date) -> list[str]:
    """What stands against this person auditing this process on a day: sentences, none if free."""
    return in_words([fact for fact in facts_about(person, process, on) if fact.blocks])


def facts_for(audit: Audit, people: Collection[Person], on: date) -> dict[int, list[Fact]]:
    """What ties each of these people, by key, to what an audit looks at; nothing to a customer's.

    In a fixed number of questions, however many people.
    """
    if audit.is_theirs:
        return {person.pk: [] for person in people}
    if audit.provider is not None:
        found = _ties_to(audit.provider, {person.pk: person for person in people})
        return {key: [fact for fact in facts if fact.counts_on(on)] for key, facts in found.items()}
    ties = ties_of(people, [audit.process])  # type: ignore[list-item]
    return {each.pk: facts_in(ties, each, audit.process, on) for each in people}  # type: ignore[arg-type]


def objections_to(person: Person, audit: Audit, on: date) -> list[str]:
    """What stands against this person in an audit on a day: sentences, none if free."""
    return in_words([fact for fact in facts_for(audit, [person], on)[person.pk] if fact.blocks])


# What there is to know ---------------------------------------------------------------------

Found = Iterator[tuple[int, int, Fact]]
Names = dict[int, str]
Places = dict[int, Process]


def _every(names: Names, places: Places) -> Found:
    yield from _owners(names, places)
    yield from _places(ProcessMember, "member", "works in the process", names, places)
    stands_in = "stands in for the owner of the process"
    yield from _places(ProcessDeputy, "deputy", stands_in, names, places)
    yield from _writers(names, places)
    yield from _approvers(names, places)
    yield from _answerers(names, places)
    yield from _actors(names, places)


def _owners(names: Names, places: Places) -> Found:
    """Who owns it, and who owned it before: the day the ownership passed on."""
    for process in places.values():
        if process.owner_id in names:
            said = f"{names[process.owner_id]} owns the process."
            yield process.owner_id, process.pk, Fact("owner", said, process.get_absolute_url())
    rows = Process.history.filter(id__in=list(places)).order_by("id", "history_id")
    held = rows.values_list("id", "owner_id", "history_date")
    last: dict[tuple[int, int], date] = {}
    for (pk, owner, _), (other, heir, until) in pairwise(held):
        if pk == other and owner in names and heir != owner:
            last[owner, pk] = day_of(until)
    for (owner, pk), day in last.items():
        if places[pk].owner_id != owner:
            said = f"{names[owner]} owned the process until {day:%-d %B %Y}."
            yield owner, pk, Fact("owner", said, places[pk].get_absolute_url(), day)


def _places(link: Any, kind: str, words: str, names: Names, places: Places) -> Found:
    """Who works in it or stands in for its owner, and until when those did who no longer do."""
    rows = link.objects.filter(process__in=list(places), person__in=list(names))
    ended = [pk for pk, is_ended in rows.values_list("pk", "ended") if is_ended]
    days: dict[int, date] = {}
    if ended:
        history = link.history.filter(id__in=ended, ended=True).order_by("history_id")
        for pk, moment in history.values_list("id", "history_date"):
            days[pk] = day_of(moment)
    for each in rows.order_by("pk"):
        url = places[each.process_id].get_absolute_url()
        name, day = names[each.person_id], days.get(each.pk)
        said = f"{name} {words}."
        if each.ended and day:
            past = "worked in the process" if kind == "member" else "stood in for its owner"
            said = f"{name} {past} until {day:%-d %B %Y}."
        if not each.ended or day:
            yield each.person_id, each.process_id, Fact(kind, said, url, day)


def _writers(names: Names, places: Places) -> Found:
    """Who wrote documents of the process: who began a revision, and who changed its words."""
    revisions = Revision.objects.filter(document__process__in=list(places)).exclude(status="void")
    known = {
        pk: facts
        for pk, *facts in revisions.values_list(
            "pk", "document__process_id", "document__number", "document_id"
        )
    }
    rows = Revision.history.filter(id__in=list(known)).order_by("id", "history_id")
    columns = ("id", "history_user_id", "history_date", "created_by_id", *WRITTEN)
    last: dict[tuple[int, int], dict[str, tuple[date, int]]] = defaultdict(dict)
    before: tuple[Any, ...] | None = None
    for pk, user, moment, author, *words in rows.values_list(*columns):
        is_first = before is None or before[0] != pk
        if is_first or tuple(words) != before[1:]:  # type: ignore[index]
            place, number, document = known[pk]
            for who in {user, author} if is_first else {user}:
                if who in names:
                    last[who, place][number] = (day_of(moment), document)
        before = (pk, *words)
    for (who, place), numbers in last.items():
        for number, (day, document) in sorted(numbers.items()):
            said = f"{names[who]} wrote {number} of the process."
            yield who, place, Fact("author", said, _document_url(document), day)


def _document_url(pk: int) -> str:
    return reverse("documents:document_detail", args=[pk])


def _approvers(names: Names, places: Places) -> Found:
    rows = Revision.objects.filter(
        document__process__in=list(places), approved_by__in=list(names), approved_on__isnull=False
    ).exclude(status="void")
    told = rows.order_by("approved_on").values_list(
        "approved_by_id", "document__process_id", "document__number", "document_id", "approved_on"
    )
    newest = {(who, place, number): (document, day) for who, place, number, document, day in told}
    for (who, place, number), (document, day) in newest.items():
        said = f"{names[who]} approved {number} of the process."
        fact = Fact("approver", said, _document_url(document), day, blocks=False)
        yield who, place, fact


def _answerers(names: Names, places: Places) -> Found:
    """Who answers nonconformities of the process."""
    rows = Nonconformity.objects.filter(process__in=list(places), owner__in=list(names))
    for each in rows.exclude(status="void").order_by("-pk"):
        said = f"{names[each.owner_id]} answers {each.number} of the process."
        day = each.closed_on if each.is_settled else None
        fact = Fact("corrective", said, each.get_absolute_url(), day)
        yield each.owner_id, each.process_id, fact


def _actors(names: Names, places: Places) -> Found:
    """Who carries out actions that nonconformities of the process asked for."""
    cases = Nonconformity.objects.filter(process__in=list(places)).exclude(status="void")
    asked = list(cases.only("pk", "process_id", "owner_id"))
    for case, each in reversed(tasks_with_cases(asked)):
        process = case.process_id
        if process is None or each.owner_id not in names or case.owner_id == each.owner_id:
            continue  # said already
        said = f"{names[each.owner_id]} carries out {each.number} of the process."
        fact = Fact("corrective", said, each.get_absolute_url(), each.done_on)
        yield each.owner_id, process, fact


# The same of an external provider -------------------------------------------------------------


def _ties_to(provider: Provider, people: dict[int, Person]) -> dict[int, list[Fact]]:
    """Looking after a provider, speaking for it and answering what it did wrong block.

    Having evaluated or approved it is shown.
    """
    found: dict[int, list[Fact]] = {key: [] for key in people}
    url, said = provider.get_absolute_url(), str(provider)
    rows = Provider.history.filter(id=provider.pk).order_by("history_id")
    held = list(rows.values_list("owner_id", "contact", "contact_email", "history_date"))
    until = [day_of(later[-1]) for _row, later in pairwise(held)]
    for key, person in people.items():
        for kind, now, past, holds in (
            ("keeper", "looks after", "looked after", lambda row, key=key: row[0] == key),
            (
                "contact",
                "speaks for",
                "spoke for",
                lambda row, person=person: is_contact(person, row[1], row[2]),
            ),
        ):
            if held and holds(held[-1]):
                found[key].append(Fact(kind, f"{person.name} {now} {said}.", url))
            elif days := [day for row, day in zip(held, until, strict=False) if holds(row)]:
                words = f"{person.name} {past} {said} until {days[-1]:%-d %B %Y}."
                found[key].append(Fact(kind, words, url, days[-1]))
    cases = Nonconformity.objects.about_provider(provider).exclude(status="void")
    for case in cases.filter(owner__in=list(people)).order_by("-pk"):
        words = f"{people[case.owner_id].name} answers {case.number} of {said}."
        day = case.closed_on if case.is_settled else None
        found[case.owner_id].append(Fact("corrective", words, case.get_absolute_url(), day))
    judged = ProviderEvaluation.objects.standing().filter(provider=provider.pk)
    judged = judged.filter(created_by__in=list(people)).newest_first()
    for each in judged:
        words = f"{people[each.created_by_id].name} evaluated {said} with {each.number}."
        fact = Fact("judge", words, each.get_absolute_url(), each.evaluated_on, blocks=False)
        found[each.created_by_id].append(fact)
    if provider.approved_by_id in people:
        words = f"{people[provider.approved_by_id].name} approved {said}."
        found[provider.approved_by_id].append(
            Fact("approver", words, url, provider.approved_on, blocks=False)
        )
    return found


def in_words(facts: Sequence[Fact], most: int = 3) -> list[str]:
    """The sentences of facts, alike ones cut after a few so that a list stays a list."""
    said: list[str] = []
    for kind in dict.fromkeys(fact.kind for fact in facts):
        alike = [fact.sentence for fact in facts if fact.kind == kind]
        said += alike[:most]
        if len(alike) > most:
            said.append(f"And {len(alike) - most} more like it.")
    return said
