"""The start-up path: from an empty installation to a scope, processes, documents and a plan.

Eight stops, each one page. Whether a stop is done is read from the records it makes, so it can be
left at any point, walked back and forth, and nothing is ever asked twice (ISO 9001 4.3, 4.4, 7.5).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction as db
from django.urls import reverse

from qms import contributions
from qms.contributions import Sketch
from qms.journey.models import OpeningAnswer, Project, guide, starters
from qms.journey.models.starters import Starter
from qms.journey.workflow import choose_starter, the_project
from qms.people.models import Person
from qms.people.roles import ROLES
from qms.refusals import Refused
from qms.scope import workflow as scope
from qms.scope.models import Organisation, Process, ScopeStatement, Site

FEW = 10  # people up to whom hats are combined


@dataclass(frozen=True)
class Stop:
    """One stop of the path: its page, how long it takes, and what the records show of it."""

    key: str
    title: str
    minutes: int
    permission: str
    is_done: bool
    note: str

    @property
    def url(self) -> str:
        return reverse(f"journey:start_{self.key}")

    @property
    def who(self) -> str:
        """Whose stop it is, where the person's own roles do not allow it."""
        names = [ROLES[name].label.lower() for name in _holders_of(self.permission)]
        return " or ".join(names)


def _holders_of(permission: str) -> list[str]:
    from qms.people.roles import GRANTS

    return [name for name in GRANTS[permission] if name in ROLES]


def stops() -> list[Stop]:
    """The eight stops as they stand; a constant number of questions to the database."""
    organisation = Organisation.objects.current()
    people, sites = Person.objects.people().count(), Site.objects.filter(status="active").count()
    keepers = Person.objects.holding("quality_manager").count()
    leaders = Person.objects.holding("top_management").count()
    answered = set(OpeningAnswer.objects.values_list("question", flat=True))
    asked = [each.key for each in guide.questions() if each.required]
    processes = Process.objects.exclude(status=Process.Status.RETIRED).count()
    statements = ScopeStatement.objects.exclude(status=ScopeStatement.Status.VOID).count()
    project = Project.objects.current()
    drafted = _drafted(project)
    return [
        _stop(
            "organisation",
            "Your organisation",
            2,
            "scope.change_organisation",
            organisation is not None,
            organisation.name if organisation else "Name, country, time zone and size.",
        ),
        _stop(
            "people",
            "People and roles",
            4,
            "people.add_person",
            bool(keepers and leaders and people > 1),
            _people_note(people, keepers, leaders),
        ),
        _stop("sites", "Sites", 1, "scope.add_site", bool(sites), _count(sites, "site")),
        _stop(
            "opening",
            "Opening questions",
            8,
            "journey.answer_opening",
            set(asked) <= answered,
            f"{len(answered)} of {len(guide.questions())} answered.",
        ),
        _stop(
            "processes",
            "Processes",
            5,
            "scope.add_process",
            processes > 0,
            _count(processes, "process", "processes"),
        ),
        _stop(
            "documents",
            "Documents to begin with",
            3,
            "documents.add_document",
            drafted > 0,
            _count(drafted, "draft"),
        ),
        _stop(
            "scope",
            "The scope, as a draft",
            4,
            "scope.add_scopestatement",
            statements > 0,
            _count(statements, "statement"),
        ),
        _stop(
            "plan",
            "The plan",
            2,
            "journey.change_project",
            project is not None and project.status != Project.Status.PREPARING,
            _plan_note(project),
        ),
    ]


def _stop(*told: Any) -> Stop:
    return Stop(*told)


def _count(count: int, one: str, many: str = "") -> str:
    if not count:
        return "None yet."
    return f"{count} {one if count == 1 else many or one + 's'}."


def _people_note(people: int, keepers: int, leaders: int) -> str:
    missing = []
    if not keepers:
        missing.append("a quality manager")
    if not leaders:
        missing.append("somebody of top management")
    if people < 2:
        missing.append("a second person")
    return f"Missing: {', '.join(missing)}." if missing else f"{people} people."


def _plan_note(project: Project | None) -> str:
    if project is None or project.status == Project.Status.PREPARING:
        return "Six to twelve months, dated."
    return f"{project.months} months from {project.starts_on:%-d %B %Y}."


def _drafted(project: Project | None) -> int:
    """How many of the starter's documents exist."""
    draft = contributions.drafting("document")
    if draft is None or project is None or not project.starter:
        return 0
    titles = [each.title for each in starters.starter(project.starter).documents]
    return len(draft.existing(titles))


def next_stop(found: Iterable[Stop], person: Any) -> Stop | None:
    """The first stop that is not done, the person's own before others'."""
    open_ones = [each for each in found if not each.is_done]
    own = (each for each in open_ones if person.has_perm(each.permission))
    return next(own, next(iter(open_ones), None))


# --- what the stops do --------------------------------------------------------------------------


def take_processes(
    *, by: Person, starter: Starter, owners: Mapping[str, Person | None], sites: Iterable[Site]
) -> list[Process]:
    """Create the chosen processes (code → owner) with their flows; what exists is left alone.

    A process with an owner is put into operation by the owner later, never by this. Raises
    PermissionDenied and Refused.
    """
    if not owners:
        raise Refused("Choose at least one process; you can retire it later.")
    edition = Organisation.objects.edition()
    places = list(sites)
    taken = []
    with db.atomic():
        choose_starter(the_project(by), by=by, key=starter.key)
        present = {code.upper() for code in Process.objects.values_list("code", flat=True)}
        for code, owner in owners.items():
            told = starter.process(code)
            if told is None:
                raise Refused(f"The starter has no process {code}. Choose from the list.")
            if code not in present:
                taken.append(
                    scope.create_process(
                        by=by,
                        code=code,
                        name=told.name,
                        owner=owner,
                        purpose=told.purpose,
                        kind=told.kind,
                        criteria=told.criteria,
                        resources=told.resources,
                        importance=told.importance,
                        clauses=[f"{edition}:{number}" for number in told.clauses],
                        sites=places,
                    )
                )
        scope.draw_flows(starter.flows_between({*owners, *present}), by=by)
    return taken


def own_process(*, by: Person, name: str, owner: Person | None, sites: Iterable[Site]) -> Process:
    """A process of the organisation's own, with a code made from its name."""
    return scope.create_process(
        by=by, code=code_from(name), name=name, owner=owner, sites=list(sites)
    )


def code_from(name: str) -> str:
    """A free code of two letters or more from a name: "Field service" → FS, or FS2."""
    words = [word for word in name.upper().split() if word[0].isalpha()]
    base = "".join(word[0] for word in words[:3]) if len(words) > 1 else "".join(words)[:2]
    base = base or "P"
    known = {code.upper() for code in Process.objects.values_list("code", flat=True)}
    free = (f"{base}{number}" if number > 1 else base for number in range(1, len(known) + 2))
    return next(code for code in free if code not in known)


@dataclass(frozen=True)
class Proposal:
    """A document or objective a starter proposes, and the address of the one there is already."""

    sketch: Sketch
    url: str


def proposals(what: str) -> list[Proposal]:
    """What the chosen starter proposes for the processes there are, in its order."""
    draft, project = contributions.drafting(what), Project.objects.current()
    if draft is None or project is None or not project.starter:
        return []
    chosen = starters.starter(project.starter)
    running = Process.objects.exclude(status=Process.Status.RETIRED).select_related("owner")
    processes = {each.code: each for each in running}
    organisation = Organisation.objects.current()
    edition = organisation.edition if organisation else "2026"
    make = _documents if what == "document" else _objectives
    sketches = make(chosen, processes, organisation.headcount if organisation else 1, edition)
    existing = draft.existing([each.title for each in sketches])
    return [Proposal(each, existing.get(each.title, "")) for each in sketches]


def _documents(
    chosen: Starter, processes: Mapping[str, Process], headcount: int, edition: str
) -> list[Sketch]:
    found = []
    for each in chosen.documents_for(headcount, processes):
        process, told = processes[each.process], chosen.process(each.process)
        found.append(
            Sketch(
                title=each.title,
                kind=each.kind,
                process=process,
                owner=process.owner,
                clauses=tuple(f"{edition}:{number}" for number in each.clauses),
                body=starters.words_for(each, told) if told else each.body,
            )
        )
    return found


def _objectives(
    chosen: Starter, processes: Mapping[str, Process], headcount: int, edition: str
) -> list[Sketch]:
    return [
        Sketch(
            title=told["title"],
            process=processes[told["process"]],
            owner=processes[told["process"]].owner,
            more={k: v for k, v in told.items() if k not in ("title", "process")},
        )
        for told in chosen.objectives
        if told["process"] in processes
    ]


def make_drafts(*, by: Person, what: str, titles: Iterable[str]) -> list[Any]:
    """Draft what was chosen of the proposals; what exists already is left alone."""
    draft = contributions.drafting(what)
    if draft is None:
        return []
    wanted = set(titles)
    with db.atomic():
        return [
            draft.make(each.sketch, by=by)
            for each in proposals(what)
            if not each.url and each.sketch.title in wanted
        ]


def scope_proposal() -> dict[str, Any]:
    """The first words of a scope statement, from the opening answers, sites and processes."""
    organisation = Organisation.objects.current()
    services = OpeningAnswer.objects.filter(question="services").first()
    lines = services.lines if services else []
    sites = list(Site.objects.filter(status="active").order_by("name"))
    processes = Process.objects.exclude(status=Process.Status.RETIRED).order_by("code")
    return {
        "edition": organisation.edition if organisation else "2026",
        "statement": _statement(organisation, lines, sites),
        "products_and_services": "\n".join(lines),
        "processes": list(processes),
        "sites": sites,
    }


def _statement(organisation: Organisation | None, lines: list[str], sites: list[Site]) -> str:
    if organisation is None or not lines:
        return ""
    what = "; ".join(_within(line) for line in lines)
    where = f" at {_in_a_row([site.name for site in sites])}" if sites else ""
    return f"{organisation.name} provides{where}: {what}."


def _within(line: str) -> str:
    """A line as it stands within a sentence; an abbreviation keeps its capitals."""
    is_word = line[:1].isupper() and line[1:2].islower()
    return f"{line[:1].lower() if is_word else line[:1]}{line[1:]}".rstrip(".;")


def _in_a_row(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
