"""Who has which part in which process: the matrix of people and processes (ISO 9001 5.3).

Read from the owners, deputies and members that stand with the processes, in a fixed number of
queries, so that it is never another list to keep.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from qms.people.models import Person
from qms.scope.models import Process, ProcessDeputy, ProcessMember

MOST_CELLS = 10_000
OWNER, DEPUTY, MEMBER = "Owner", "Deputy", "Member"


@dataclass(frozen=True)
class Part:
    """What one person is in one process; empty where they have no part in it."""

    process: Process
    words: str

    @property
    def tone(self) -> str:
        """How it is marked: who answers, who stands in, who takes part."""
        if self.words.startswith(OWNER):
            return "fine"
        return "plain" if self.words else "none"


@dataclass(frozen=True)
class Responsible:
    """One person and their part in each process, in the order of the processes."""

    person: Person
    processes: list[Process]
    words: dict[int, str]

    @property
    def parts(self) -> list[Part]:
        """One for each process, also where there is none."""
        return [Part(each, self.words.get(each.pk, "")) for each in self.processes]

    @property
    def held(self) -> list[Part]:
        """The parts there are."""
        return [Part(each, self.words[each.pk]) for each in self.processes if each.pk in self.words]


@dataclass(frozen=True)
class Responsibilities:
    """The running processes, who has a part in any, and what is not given to anybody."""

    processes: list[Process]
    lines: list[Responsible]
    without: list[Person]
    no_owner: list[Process]
    no_deputy: list[Process]

    @property
    def fits(self) -> bool:
        """Whether a matrix can still be read; a list of what each person has says it otherwise."""
        return len(self.processes) * len(self.lines) <= MOST_CELLS


def responsibilities(viewer: Any) -> Responsibilities:
    """Everybody who works here against every active process the viewer may see."""
    processes = list(Process.objects.visible_to(viewer).active().order_by("code"))
    people = list(Person.objects.visible_to(viewer).people().filter(access_until=None))
    known = {each.pk for each in people}
    words: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for process in processes:
        if process.owner_id:
            words[process.owner_id][process.pk].append(OWNER)
    for link, word in ((ProcessDeputy, DEPUTY), (ProcessMember, MEMBER)):
        rows = link.objects.live().filter(process__in=processes)
        for person, process in rows.values_list("person_id", "process_id"):
            words[person][process].append(word)
    covered = {
        process for person in known for process, said in words[person].items() if DEPUTY in said
    }
    return Responsibilities(
        processes,
        [
            Responsible(each, processes, {pk: _in_one(s) for pk, s in words[each.pk].items()})
            for each in people
            if words[each.pk]
        ],
        [each for each in people if not words[each.pk]],
        [each for each in processes if each.owner_id not in known],
        [each for each in processes if each.pk not in covered],
    )


def _in_one(words: list[str]) -> str:
    """“Owner”, or “Deputy, member”."""
    return ", ".join(words).capitalize()
