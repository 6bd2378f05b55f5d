"""What each chapter shows on the pages that belong to no chapter.

The kernel and the ground may not import the chapters, so the chapters come to them: `workflow.py`,
`evidence.py` and `dashboard.py` of every installed app are imported at start-up (`qms/apps.py`)
and register plain functions here. Nothing is registered twice; order is said, not found.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from qms.periods import Period
from qms.refusals import Refused

Function = TypeVar("Function", bound=Callable[..., Any])
Named = TypeVar("Named", "ClauseLine", "Mention")


# --- the evidence pack and the management review -------------------------------------------------


@dataclass(frozen=True)
class Section:
    """One section of the evidence pack: what the clause asks, and what we can show for it.

    `folder` is the numbered folder of the pack (`05-documents`); `clauses` are numbers that are
    the same in both editions or a mapping edition → numbers; `gather(period, as_of)` returns the
    context of `template`. One with a `permission` comes in only where somebody who holds it asks
    for it, and such a pack is seen only by those who hold it.
    """

    folder: str
    title: str
    clauses: tuple[str, ...]
    template: str
    gather: Callable[..., dict[str, Any]]
    order: int
    permission: str = ""


@dataclass(frozen=True)
class Register:
    """A complete register for the sampling auditor: columns and rows of plain values."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: Callable[..., Iterable[Sequence[Any]]]


@dataclass(frozen=True)
class RecordPrint:
    """Records of one kind that enter the pack as a page of their own.

    `select(period, as_of)` yields (record, file name without ending); `template` prints one, with
    `context(record, as_of)`. What is attached to a record comes along; so does what is attached to
    its parts without a page of their own: `brings(records)` yields (record, part).
    """

    folder: str
    model_label: str
    template: str
    select: Callable[..., Iterable[tuple[Any, str]]]
    context: Callable[..., dict[str, Any]]
    brings: Callable[[Sequence[Any]], Iterable[tuple[Any, Any]]] = lambda records: ()


@dataclass(frozen=True)
class ReviewInput:
    """One compiled input of the management review.

    `compile(period)` returns a list of `Line`s; an empty list is an empty input, which a person
    must then explain.
    """

    key: str
    title: str
    compile: Callable[[Period], list["Line"]]
    order: int


@dataclass(frozen=True)
class Line:
    """A sentence or figure of a compiled input: label, value now, value before, link."""

    label: str
    value: str
    before: str = ""
    url: str = ""


_sections: list[Section] = []
_registers: list[Register] = []
_prints: list[RecordPrint] = []
_inputs: list[ReviewInput] = []


def evidence(
    *,
    folder: str,
    title: str,
    clauses: Iterable[str],
    template: str,
    order: int = 50,
    permission: str = "",
) -> Callable[[Function], Function]:
    """Register `(period, as_of) -> template context` as a section of the evidence pack."""

    def register(gather: Function) -> Function:
        found = Section(folder, title, tuple(clauses), template, gather, order, permission)
        _sections.append(found)
        return gather

    return register


def register(*, name: str, title: str, columns: Iterable[str]) -> Callable[[Function], Function]:
    """Register `(period, as_of) -> rows` as a register (CSV and XLSX) of the pack."""

    def keep(rows: Function) -> Function:
        _registers.append(Register(name, title, tuple(columns), rows))
        return rows

    return keep


def printed(
    *,
    folder: str,
    model_label: str,
    template: str,
    context: Callable[..., dict[str, Any]],
    **more: Any,
) -> Callable[[Function], Function]:
    """Register `(period, as_of) -> (record, file name) pairs` printed one by one in the pack."""

    def keep(select: Function) -> Function:
        _prints.append(RecordPrint(folder, model_label, template, select, context, **more))
        return select

    return keep


def review_input(*, key: str, title: str, order: int = 50) -> Callable[[Function], Function]:
    """Register `(period) -> list[Line]` for the review input `key` of the checklist."""

    def keep(compile_: Function) -> Function:
        _inputs.append(ReviewInput(key, title, compile_, order))
        return compile_

    return keep


def sections() -> list[Section]:
    return sorted(_sections, key=lambda each: (each.folder, each.order, each.title))


def restricted_sections() -> list[Section]:
    """Those that come in only where they are asked for."""
    return [each for each in sections() if each.permission]


def registers() -> list[Register]:
    return sorted(_registers, key=lambda each: each.name)


def prints() -> list[RecordPrint]:
    return sorted(_prints, key=lambda each: (each.folder, each.model_label))


def review_inputs(key: str | None = None) -> list[ReviewInput]:
    """The compiled inputs, of one checklist key or all, in order."""
    found = [each for each in _inputs if key in (None, each.key)]
    return sorted(found, key=lambda each: (each.key, each.order, each.title))


# --- home, navigation, search, calendar ---------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """One entry of the navigation or of the “+ New” menu."""

    group: str
    label: str
    url_name: str
    icon: str
    permission: str
    order: int
    count: Callable[[Any], Any] | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tile:
    """One figure of the leadership dashboard.

    `figure` is the big number with its unit, `note` one sentence, `tone` says how it stands,
    `spark` is a short series for the small line, `rows` a table behind it.
    """

    title: str
    figure: str
    note: str
    tone: Literal["fine", "soon", "late", "plain"] = "plain"
    url: str = ""
    spark: Sequence[float | None] = ()
    rows: Sequence[tuple[str, str]] = ()


Counts = Callable[[date], Mapping[str, Any]]


@dataclass(frozen=True)
class Hit:
    """One result of the search over everything."""

    title: str
    kind: str
    number: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """One entry of the calendar."""

    day: date
    title: str
    kind: str
    url: str
    tone: Literal["fine", "soon", "late", "plain"] = "plain"


@dataclass(frozen=True)
class Everything:
    """What was found: (order, kind, hits), and what mistyped words were taken for."""

    groups: list[tuple[int, str, list[Hit]]]
    taken_for: Mapping[str, str]


@dataclass(frozen=True)
class Live:
    """A table that is asked itself, in the same question as the index."""

    model: type[models.Model]
    group: str
    order: int
    title: str
    note: str
    rows: Callable[..., Any]


_navigation: list[Item] = []
_creating: list[Item] = []
_tiles: list[tuple[int, str, Counts, Callable[..., Tile]]] = []
_searches: list[tuple[int, str, Callable[..., list[Hit]]]] = []
_live: list[Live] = []
_finder: list[Callable[..., Everything]] = []
_calendars: list[Callable[..., list[Entry]]] = []

GROUPS = ("", "Plan", "Do", "Check", "Act", "Certify", "Settings")


def navigation(
    group: str,
    label: str,
    url_name: str,
    *,
    icon: str,
    permission: str,
    order: int = 50,
    count: Callable[[Any], Any] | None = None,
    also: tuple[str, ...] = (),
) -> None:
    """Add an entry to the navigation under one of `GROUPS`; `count(person)` are rows to count.

    All are counted in one question. `also` names further pages below which one is at this entry.
    """
    if group not in GROUPS:
        raise ValueError(f"{group} is no group of the navigation.")
    _navigation.append(Item(group, label, url_name, icon, permission, order, count, also))


def create_entry(label: str, url_name: str, *, icon: str, permission: str, order: int = 50) -> None:
    """Add an entry to the “+ New” menu."""
    _creating.append(Item("", label, url_name, icon, permission, order))


def tile(
    *, order: int, permission: str, counts: Counts = lambda today: {}
) -> Callable[[Function], Function]:
    """Register `(today, count) -> Tile` for the leadership dashboard.

    `counts(today)` are rows by name; `count` has how many there are of each. Those of all tiles
    are counted in one question.
    """

    def keep(make: Function) -> Function:
        _tiles.append((order, permission, counts, make))
        return make

    return keep


def search(kind: str, *, order: int = 50) -> Callable[[Function], Function]:
    """Register `(person, query, limit) -> list[Hit]` for what is no record, as the clauses.

    Records are found by the index (`qms/finding`).
    """

    def keep(find: Function) -> Function:
        _searches.append((order, kind, find))
        return find

    return keep


def asks_live(
    model: type[models.Model], group: str, *, title: str, note: str, order: int = 50
) -> Callable[[Function], Function]:
    """Register `(person, query) -> rows`: found in the table itself, for what no index may keep.

    `title` and `note` are its columns; the rows must honour `visible_to(person)`.
    """

    def keep(rows: Function) -> Function:
        _live.append(Live(model, group, order, title, note, rows))
        return rows

    return keep


def asked_live() -> list[Live]:
    return list(_live)


def finds(find: Function) -> Function:
    """Register the one `(person, query, limit) -> Everything` that asks the index."""
    _finder[:] = [find]
    return find


def calendar(find: Function) -> Function:
    """Register `(person, start, end) -> list[Entry]` for the calendar."""
    _calendars.append(find)
    return find


def navigation_for(person: Any) -> list[tuple[str, list[Item]]]:
    """The navigation's groups with the entries this person may open."""
    return [
        (group, items)
        for group in GROUPS
        if (items := [i for i in _allowed(_navigation, person) if i.group == group])
    ]


def counts_for(person: Any, items: Iterable[Item]) -> dict[str, int]:
    """How many rows stand behind each entry that shows a number."""
    return counted({item.url_name: item.count(person) for item in items if item.count})


def counted(rows: Mapping[str, Any]) -> dict[str, int]:
    """How many rows there are of each, in one question."""
    many = [
        each.order_by()
        .annotate(counted_as=models.Value(name))
        .values("counted_as")
        .annotate(many=models.Count("pk"))
        .values_list("counted_as", "many")
        for name, each in rows.items()
    ]
    found = dict(many[0].union(*many[1:], all=True)) if many else {}
    return {name: found.get(name, 0) for name in rows}


def creating_for(person: Any) -> list[Item]:
    """The entries of “+ New” for this person."""
    return _allowed(_creating, person)


def tiles_for(person: Any, today: date) -> list[Tile]:
    """The leadership dashboard's tiles this person may see, computed now."""
    ordered = sorted(_tiles, key=lambda each: each[0])
    mine = [each for each in ordered if person.has_perm(each[1])]
    asked = [(make, counts(today)) for _order, _permission, counts, make in mine]
    known = counted(
        {f"{at}:{name}": rows for at, (_, each) in enumerate(asked) for name, rows in each.items()}
    )
    return [
        make(today, {name: known[f"{at}:{name}"] for name in each})
        for at, (make, each) in enumerate(asked)
    ]


def search_everywhere(person: Any, query: str, limit: int) -> Everything:
    """What fits a query, at most `limit` of every kind, in the order of the kinds."""
    if not query.strip():
        return Everything([], {})
    found = _finder[0](person, query, limit) if _finder else Everything([], {})
    rest = [(order, kind, find(person, query, limit)) for order, kind, find in _searches]
    groups = sorted([*found.groups, *rest], key=lambda each: each[:2])
    return Everything([each for each in groups if each[2]], found.taken_for)


def find_everywhere(person: Any, query: str, limit: int) -> list[tuple[str, list[Hit]]]:
    """(kind, hits) for every kind with hits, at most `limit` of each."""
    found = search_everywhere(person, query, limit)
    return [(kind, hits) for _order, kind, hits in found.groups]


def calendar_for(person: Any, start: date, end: date) -> list[Entry]:
    """Every entry between two days (both inclusive), by day."""
    entries = [entry for find in _calendars for entry in find(person, start, end)]
    return sorted(entries, key=lambda entry: (entry.day, entry.kind, entry.title))


def _allowed(items: list[Item], person: Any) -> list[Item]:
    ordered = sorted(items, key=lambda item: (item.order, item.label))
    return [item for item in ordered if person.has_perm(item.permission)]


# --- records: work, panels, signatures, the zone ------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One thing somebody has to do next with a record.

    Either `person` or `role` is set. `name` is the button's word ("Find cause"), `key` the stable
    name of the step, `due` a day of the organisation, `waiting` marks work that others hold up.
    """

    key: str
    name: str
    person: Any = None
    role: str = ""
    due: date | None = None
    obstacle: str = ""
    remind: bool = True
    url: str = ""


@dataclass(frozen=True)
class Panel:
    """A part of the record page contributed by another chapter (attachments, signatures)."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)
    order: int = 50


_work: dict[type[models.Model], Callable[[Any], list[Step]]] = {}
_panels: list[Callable[..., Panel | None]] = []
_prover: list[Callable[..., Any]] = []
_zone: list[Callable[[], ZoneInfo]] = []


def work(model: type[models.Model]) -> Callable[[Function], Function]:
    """Register `(record) -> list[Step]`: who has to do what next; written at every save."""

    def keep(steps: Function) -> Function:
        if model in _work:
            raise RuntimeError(f"The work of {model.__name__} is declared already.")
        _work[model] = steps
        return steps

    return keep


def work_of(model: type[models.Model]) -> Callable[[Any], list[Step]] | None:
    return _work.get(model)


def models_with_work() -> list[type[models.Model]]:
    return list(_work)


def record_panel(make: Function) -> Function:
    """Register `(record, person) -> Panel or None` for every record page."""
    _panels.append(make)
    return make


def panels_of(record: Any, person: Any) -> list[Panel]:
    found = [panel for make in _panels if (panel := make(record, person))]
    return sorted(found, key=lambda panel: panel.order)


def proves(prove: Function) -> Function:
    """Register the one `(request, data) -> proof` by which a person re-authenticates to sign."""
    _prover[:] = [prove]
    return prove


def prove(request: Any, data: Any) -> Any:
    """The proof for a signature from the posted form; raises Refused when it does not hold."""
    return _prover[0](request, data)


def tells_zone(zone_of_organisation: Function) -> Function:
    """Register the one function that knows the organisation's time zone."""
    _zone[:] = [zone_of_organisation]
    return zone_of_organisation


def zone() -> ZoneInfo:
    """The organisation's time zone; the setting TIME_ZONE before there is an organisation."""
    return _zone[0]() if _zone else ZoneInfo(settings.TIME_ZONE)


_days: list[Callable[[str], int | None]] = []


def tells_days(find: Function) -> Function:
    """Register the one `(name) -> days or None` of what the organisation set as its usual times."""
    _days[:] = [find]
    return find


def usual_days(name: str, otherwise: int) -> int:
    """A time the organisation set, in days; `otherwise` before there is an organisation."""
    found = _days[0](name) if _days else None
    return otherwise if found is None else found


@dataclass(frozen=True)
class Fulfilment:
    """A kind of action that another record fulfils: a revision that takes effect, a training held.

    `choose(person)` gives the first records of `model` it may be about, as (key, words), and
    `choose(person, name)` those that are called exactly so, by their number or title; `happened`
    says of one of them whether it took effect or was held.
    """

    kind: str
    label: str
    model: type[models.Model]
    choose: Callable[..., Iterable[tuple[int, str]]]
    happened: Callable[[Any], bool]


_fulfilments: dict[str, Fulfilment] = {}


def fulfils(
    kind: str,
    label: str,
    model: type[models.Model],
    choose: Callable[..., Iterable[tuple[int, str]]],
    happened: Callable[[Any], bool],
) -> None:
    """Say what fulfils actions of a kind; `qms.actions.workflow.fulfil` is called when it did."""
    _fulfilments[kind] = Fulfilment(kind, label, model, choose, happened)


def fulfilment_of(kind: str) -> Fulfilment | None:
    return _fulfilments.get(kind)


def fulfilments() -> list[Fulfilment]:
    return list(_fulfilments.values())


_letterheads: list[Callable[..., dict[str, Any]]] = []


def writes_letterhead(write: Function) -> Function:
    """Register the one `(record, as_of, **more) -> context` every printed record shares."""
    _letterheads[:] = [write]
    return write


def letterhead(record: Any, *, as_of: datetime | None = None, **more: Any) -> dict[str, Any]:
    """The context of `layouts/document.html` for a record: organisation, paper, signatures.

    `as_of` leaves out signatures given later; `more` is added. Same record and instant, same
    context, so that a drawn page can be kept.
    """
    return _letterheads[0](record, as_of=as_of, **more)


# --- what leaves the building: clauses, gaps before a pack, what stays on site --------------------


GAP = "gap"


@dataclass(frozen=True)
class ClauseLine:
    """One thing that can be shown for a clause, or that is open on it.

    `kind` says in words what it is ("Document", "evidence"); `GAP` marks something that is missing,
    with what is done about it. `record_number` is the record, `person` and `day` who checked it
    last and when: a link alone is no evidence. `of` is the record whose readers may see the line;
    None where everybody who sees the page may. `outside` is what stands instead of the title where
    not only its readers look; empty where the title may.
    """

    number: str
    kind: str
    title: str
    record_number: str
    person: str
    day: date | None
    url: str
    of: Any = None
    outside: str = ""


@dataclass(frozen=True)
class Concern:
    """Something a person should know before a pack leaves: a sentence, a link, how grave."""

    title: str
    url: str
    severity: Literal["late", "soon", "plain"] = "soon"


@dataclass(frozen=True)
class Withheld:
    """A record that is named in the pack but not part of it, and why."""

    folder: str
    name: str
    why: str


_clause_lines: list[Callable[[str], list[ClauseLine]]] = []
_preflights: list[Callable[[Period], list[Concern]]] = []
_withholding: list[Callable[..., Iterable[Withheld]]] = []
_visits: list[Callable[[date], date | None]] = []


def clause_evidence(find: Function) -> Function:
    """Register `(edition) -> list[ClauseLine]`: what a chapter can show for which clause."""
    _clause_lines.append(find)
    return find


def evidence_for(edition: str, person: Any = None) -> dict[str, list[ClauseLine]]:
    """What every chapter can show, by clause number, in a lasting order.

    With a `person` only what that person may see; without one everything, for the pack, with
    titles that may leave the house.
    """
    lines = [line for find in _clause_lines for line in find(edition)]
    if person is None:
        shown = [replace(line, title=line.outside or line.title) for line in lines]
    else:
        shown = _visible(lines, person)
    found: dict[str, list[ClauseLine]] = {}
    for line in shown:
        found.setdefault(line.number, []).append(line)
    for lines in found.values():
        lines.sort(key=lambda line: (line.kind, line.record_number, line.title))
    return found


def _visible(lines: list[Named], person: Any) -> list[Named]:
    """The lines whose record the person may see; each model is asked once."""
    keys: dict[type[models.Model], set[int]] = {}
    for line in lines:
        if line.of is not None:
            keys.setdefault(type(line.of), set()).add(line.of.pk)
    seen = {
        (model, pk)
        for model, known in keys.items()
        for pk in model._default_manager.visible_to(person)  # type: ignore[attr-defined]
        .filter(pk__in=known)
        .values_list("pk", flat=True)
    }
    return [line for line in lines if line.of is None or (type(line.of), line.of.pk) in seen]


def preflight(find: Function) -> Function:
    """Register `(period) -> list[Concern]`: what to look at before a pack is built."""
    _preflights.append(find)
    return find


def concerns_in(period: Period) -> list[Concern]:
    """Every concern of every chapter, the gravest first."""
    order = {"late": 0, "soon": 1, "plain": 2}
    found = [concern for find in _preflights for concern in find(period)]
    return sorted(found, key=lambda concern: (order[concern.severity], concern.title))


def withholds(find: Function) -> Function:
    """Register `(period, as_of) -> Withheld`s: what an auditor may see on site only."""
    _withholding.append(find)
    return find


def withheld_in(period: Period, as_of: datetime) -> list[Withheld]:
    """What stays on site, by folder and name."""
    found = [each for find in _withholding for each in find(period, as_of)]
    return sorted(found, key=lambda each: (each.folder, each.name))


def tells_last_visit(find: Function) -> Function:
    """Register `(before) -> date or None`: the last day the certification body was here."""
    _visits.append(find)
    return find


def last_visit(before: date) -> date | None:
    """The last day of the certification body's latest visit before a day; None when unknown."""
    days = [day for find in _visits if (day := find(before)) is not None]
    return max(days, default=None)


# --- the audit programme: what makes a process want an audit sooner -------------------------------

_audit_factors: list[Callable[..., Iterable[tuple[int, str, int]]]] = []


def audit_factor(find: Function) -> Function:
    """Register `(since, today) -> (process key, words, points)` rows for the audit programme.

    `since` maps the key of each process to the day of its last audit. Points go from 0 to 30.
    """
    _audit_factors.append(find)
    return find


def audit_factors(since: Mapping[int, date], today: date) -> list[tuple[int, str, int]]:
    """What the chapters say about processes since their last audits."""
    return [row for find in _audit_factors for row in find(since, today)]


@dataclass(frozen=True)
class AuditQuestion:
    """A question that a chapter would have the audit of a process ask.

    `origin` says what it comes from, `url` leads there; a pressing one has a reason of today.
    """

    words: str
    origin: str
    url: str = ""
    clause: str = ""
    is_pressing: bool = False


_audit_questions: list[Callable[..., Iterable[AuditQuestion]]] = []


def audit_question(find: Function) -> Function:
    """Register `(process, since, person) -> AuditQuestions` for the checklist of an audit.

    `since` is the day of its last audit; only what the person may see is asked about.
    """
    _audit_questions.append(find)
    return find


def audit_questions(process: Any, since: date, person: Any) -> list[AuditQuestion]:
    """What the chapters above would have asked of a process, in a lasting order."""
    return [each for find in _audit_questions for each in find(process, since, person)]


# --- the journey: how far the organisation is, and whether it keeps going -------------------------


@dataclass(frozen=True)
class Milestone:
    """One thing a step of the journey needs, as the records show it; nobody ticks it by hand.

    `note` says in words what there is or what is missing; `url` with `label` is the one click that
    goes on with it, for whoever holds `permission`. `started` marks what is begun and not done.
    """

    title: str
    done: bool
    note: str = ""
    url: str = ""
    label: str = ""
    permission: str = ""
    started: bool = False


@dataclass(frozen=True)
class Beat:
    """Something that a living system does again and again, counted for a period."""

    label: str
    url: str
    permission: str
    count: Callable[[Period], int]
    order: int


_milestones: list[tuple[int, int, Callable[[date], list[Milestone]]]] = []
_beats: list[Beat] = []


def journey_step(step: int, *, order: int = 50) -> Callable[[Function], Function]:
    """Register `(today) -> list[Milestone]` for one of the ten steps (1 to 10)."""
    if not 1 <= step <= 10:
        raise ValueError(f"The journey has ten steps; there is no step {step}.")

    def keep(find: Function) -> Function:
        _milestones.append((step, order, find))
        return find

    return keep


def milestones_of(step: int, today: date) -> list[Milestone]:
    """What one step of the journey needs, from every chapter, in order."""
    found = sorted((each for each in _milestones if each[0] == step), key=lambda each: each[1])
    return [milestone for _step, _order, find in found for milestone in find(today)]


def momentum(
    label: str, *, url: str, permission: str, order: int = 50
) -> Callable[[Function], Function]:
    """Register `(period) -> int`: how often something was done that keeps the system alive."""

    def keep(count: Function) -> Function:
        _beats.append(Beat(label, url, permission, count, order))
        return count

    return keep


def beats_for(person: Any) -> list[Beat]:
    """What is counted for the momentum, as far as this person may see it, in order."""
    seen = (each for each in _beats if person.has_perm(each.permission))
    return sorted(seen, key=lambda each: (each.order, each.label))


# --- starters: drafts that a chapter above makes for a new organisation ---------------------------


@dataclass(frozen=True)
class Sketch:
    """Something a starter proposes: enough for a chapter to make a draft of it.

    `kind` is the chapter's own word ("procedure"); `more` holds what only that chapter reads.
    `clauses` are keys with their edition.
    """

    title: str
    kind: str = ""
    process: Any = None
    owner: Any = None
    clauses: tuple[str, ...] = ()
    body: str = ""
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Drafting:
    """How a chapter drafts: which of the titles exist already (title → address), and the making."""

    existing: Callable[[Sequence[str]], dict[str, str]]
    make: Callable[..., Any]


_draftings: dict[str, Drafting] = {}


def drafts(
    what: str, *, existing: Callable[[Sequence[str]], dict[str, str]]
) -> Callable[[Function], Function]:
    """Register `(sketch, *, by) -> record` as the one way to draft a "document", an "objective"."""

    def keep(make: Function) -> Function:
        _draftings[what] = Drafting(existing, make)
        return make

    return keep


def drafting(what: str) -> Drafting | None:
    """How something is drafted; None where the chapter is not installed."""
    return _draftings.get(what)


# --- what belongs to a record, who answers for how much, what the world says of the scope ---------


@dataclass(frozen=True)
class Related:
    """Something another chapter keeps for a record: an indicator, a document, an audit, a risk.

    `counts` is false for what is shown with the others and left out where they are counted.
    """

    title: str
    number: str = ""
    url: str = ""
    note: str = ""
    tone: Literal["fine", "soon", "late", "plain"] = "plain"
    day: date | None = None
    counts: bool = True


@dataclass(frozen=True)
class Need:
    """What a customer, another party or top management said they need; `source` says where."""

    text: str
    source: str = ""
    url: str = ""


@dataclass(frozen=True)
class CertifiedScope:
    """What a certificate in force names as its scope, and which sites its cycle looked at.

    `site_ids` are the sites audited within the cycle, None where that is not known.
    """

    name: str
    text: str
    url: str
    site_ids: frozenset[int] | None = None


RELATED_KINDS = (
    "Documents",
    "Indicators",
    "Risks",
    "Audits",
    "Nonconformities",
    "Changes",
    "External providers",
)
_related: list[tuple[type[models.Model], str, str, Callable[..., dict[int, list[Related]]]]] = []
_adding: dict[tuple[type[models.Model], str], tuple[str, str]] = {}
_owned: list[tuple[int, str, str, Callable[..., dict[int, int]]]] = []
_departments: list[Callable[[Iterable[int]], dict[int, str]]] = []
_needs: list[Callable[[], list[Need]]] = []
_certified: list[Callable[[], list[CertifiedScope]]] = []


def relates(
    model: type[models.Model], kind: str, *, permission: str, add: str = "", adding: str = ""
) -> Callable[[Function], Function]:
    """Register `(ids, person) -> {id: [Related]}`: what belongs to records of `model`.

    `add` is the name of the page on which one more is made, `adding` the permission it asks for.

    One call answers for many records. `person` None asks for everything, for the pack; else only
    people with `permission` are answered at all.
    """
    if kind not in RELATED_KINDS:
        raise ValueError(f"{kind} is none of RELATED_KINDS.")

    def keep(find: Function) -> Function:
        _related.append((model, kind, permission, find))
        if add:
            _adding[model, kind] = (add, adding)
        return find

    return keep


def page_to_add(model: type[models.Model], kind: str, person: Any = None) -> str:
    """The name of the page on which one more of a kind is made; empty where there is none.

    Empty, too, for a person whose roles do not allow it.
    """
    name, permission = _adding.get((model, kind), ("", ""))
    lacks = person is not None and permission and not person.has_perm(permission)
    return "" if lacks else name


def related_to(
    model: type[models.Model],
    ids: Iterable[int],
    person: Any = None,
    *,
    kinds: Sequence[str] = RELATED_KINDS,
) -> dict[int, dict[str, list[Related]]]:
    """What every chapter keeps for these records: id → kind → rows, kinds in a lasting order.

    Kinds that nobody registered, or that the person may not see, are missing; kinds without rows
    are there and empty.
    """
    keys = list(ids)
    found: dict[int, dict[str, list[Related]]] = {key: {} for key in keys}
    for of, kind, permission, find in sorted(_related, key=lambda e: RELATED_KINDS.index(e[1])):
        allowed = person is None or person.has_perm(permission)
        if of is model and kind in kinds and allowed:
            rows = find(keys, person)
            for key in keys:
                found[key].setdefault(kind, []).extend(rows.get(key, []))
    return found


def owns(kind: str, *, permission: str, order: int = 50) -> Callable[[Function], Function]:
    """Register `(person ids) -> {id: how many}`: what people answer for, of one kind."""

    def keep(count: Function) -> Function:
        _owned.append((order, kind, permission, count))
        return count

    return keep


def owned_by(ids: Iterable[int], person: Any) -> list[tuple[str, dict[int, int]]]:
    """(kind, id → count) of every kind the asking person may see, in order."""
    keys = list(ids)
    return [
        (kind, count(keys))
        for _order, kind, permission, count in sorted(_owned, key=lambda each: each[:2])
        if person.has_perm(permission)
    ]


def tells_departments(find: Function) -> Function:
    """Register the one `(person ids) -> {id: department}`; people without one are left out."""
    _departments[:] = [find]
    return find


def departments_of(ids: Iterable[int]) -> dict[int, str]:
    """The department of each person, as far as somebody tells it."""
    return _departments[0](list(ids)) if _departments else {}


def states_needs(find: Function) -> Function:
    """Register `() -> list[Need]`: what the scope should answer to."""
    _needs.append(find)
    return find


def stated_needs() -> list[Need]:
    return [need for find in _needs for need in find()]


# --- registers: what a form may be about, and what was done with something --------------------


@dataclass(frozen=True)
class FormSubject:
    """A register whose rows a form may be filled in for: a provider, an instrument, a customer.

    `find(person, query, limit)` gives the rows a person may choose, `takes` what of an entry the
    register understands: name → form field. `receives(subject, *, by, **values)` makes a record
    of the clean values and returns it.
    """

    kind: str
    label: str
    model: type[models.Model]
    find: Callable[[Any, str, int], Iterable[Any]]
    takes: Mapping[str, forms.Field]
    receives: Callable[..., Any]


_subjects: dict[str, FormSubject] = {}
_uses: dict[type[models.Model], list[Callable[..., list[Related]]]] = {}


def form_subject(
    kind: str,
    label: str,
    model: type[models.Model],
    *,
    find: Callable[[Any, str, int], Iterable[Any]],
    takes: Mapping[str, forms.Field],
) -> Callable[[Function], Function]:
    """Register `(subject, *, by, **values) -> record`: what an entry of a form becomes."""

    def keep(receives: Function) -> Function:
        if kind in _subjects:
            raise RuntimeError(f"Forms can be about a {kind} already.")
        _subjects[kind] = FormSubject(kind, label, model, find, dict(takes), receives)
        return receives

    return keep


def form_subjects() -> list[FormSubject]:
    """Everything a form may be about, by label."""
    return sorted(_subjects.values(), key=lambda each: each.label)


def receive_entry(kind: str, subject: Any, values: Mapping[str, Any], *, by: Any) -> Any:
    """Hand the values of a form's entry to the register its subject stands in.

    `values` are as typed, by the names of `takes`. Raises Refused with the field that is wrong.
    """
    known = _subjects[kind]
    if foreign := set(values) - set(known.takes):
        raise Refused(f"{known.label} does not take: {', '.join(sorted(foreign))}.")
    clean = {}
    for name, asked in known.takes.items():
        try:
            clean[name] = asked.clean(values.get(name))
        except ValidationError as error:
            label = asked.label or name.replace("_", " ")
            raise Refused(f"{label}: {' '.join(error.messages)}", field=name) from error
    return known.receives(subject, by=by, **clean)


def tells_use(model: type[models.Model]) -> Callable[[Function], Function]:
    """Register `(record, start, end, person) -> list[Related]`: what was done with a record.

    `start` and `end` are days, both included; `person` None asks for everything, for the pack.
    """

    def keep(find: Function) -> Function:
        _uses.setdefault(model, []).append(find)
        return find

    return keep


def use_of(record: Any, start: date, end: date, person: Any = None) -> list[Related]:
    """What every chapter knows was done with a record between two days, the latest first."""
    found = [
        each for find in _uses.get(type(record), []) for each in find(record, start, end, person)
    ]
    return sorted(found, key=lambda each: (each.day or date.min, each.number), reverse=True)


@dataclass(frozen=True)
class Mention:
    """Something that names a document: an audit question, a training. `person` looks after it.

    `key` names it for good; `of` is the record whose readers may see it.
    """

    kind: str
    title: str
    url: str
    person: Any
    key: str
    of: Any


_mentioning: list[Callable[[str], list[Mention]]] = []


def mentions(find: Function) -> Function:
    """Register `(number) -> list[Mention]`: what is still to be used and names a document."""
    _mentioning.append(find)
    return find


def mentions_of(number: str, person: Any = None) -> list[Mention]:
    """Everything that names a document by its number; with a `person` what that person may see."""
    found = [each for find in _mentioning for each in find(number)]
    seen = found if person is None else _visible(found, person)
    return sorted(seen, key=lambda each: (each.kind, each.title))


PROPOSED = ("issue", "party", "need", "requirement", "risk")
_proposals: list[tuple[str, Callable[[], list[Need]]]] = []


def proposes(kind: str) -> Callable[[Function], Function]:
    """Register `() -> list[Need]`: lines somebody wrote already, to begin a register with."""
    if kind not in PROPOSED:
        raise ValueError(f"{kind} is none of PROPOSED.")

    def keep(find: Function) -> Function:
        _proposals.append((kind, find))
        return find

    return keep


def proposals(kind: str) -> list[Need]:
    """What was written elsewhere and may be taken into a register, in the order of the chapters."""
    return [need for of, find in _proposals if of == kind for need in find()]


def certifies(find: Function) -> Function:
    """Register `() -> list[CertifiedScope]`: what the certificates in force say."""
    _certified.append(find)
    return find


def certified_scopes() -> list[CertifiedScope]:
    return [scope for find in _certified for scope in find()]


# --- indicators: what can be computed from our own records, and what is measured ------------------


@dataclass(frozen=True)
class Figure:
    """What a period came to: a value, with what was counted of how many, or a subgroup's values."""

    value: Decimal
    counted: Decimal | None = None
    size: int | None = None
    values: tuple[Decimal, ...] = ()


@dataclass(frozen=True)
class IndicatorSource:
    """Figures that a chapter computes from its own records.

    `compute(period, process)` gives the figure of whole days, of one process or (None) of all; None
    where there was nothing to measure. `asks` is what a reading is made of: a "value" or a "count"
    of n. `per_process` is false where the records belong to no process.
    """

    key: str
    words: str
    unit: str
    compute: Callable[[Period, Any], Figure | None]
    asks: Literal["value", "count"] = "value"
    direction: Literal["higher", "lower"] = "lower"
    decimals: int = 0
    per: Decimal = Decimal(1)
    per_process: bool = True
    group: str = ""


@dataclass(frozen=True)
class IndicatorCourse:
    """What an indicator shows over some days, for whoever named it: readings by day, in words.

    `shown` are the values as people read them; `sentence` says what they came to.
    """

    title: str
    number: str
    url: str
    unit: str
    days: tuple[date, ...]
    values: tuple[Decimal, ...]
    shown: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class Indicators:
    """How other chapters name an indicator: choose one by words, and read its course.

    `choose(person, query, limit)` gives (key, words) pairs; `course(key, period, person)` is None
    where there is no such indicator or the person may not see it (None asks for everything).
    """

    choose: Callable[[Any, str, int], list[tuple[int, str]]]
    course: Callable[[int, Period, Any], IndicatorCourse | None]


_sources: dict[str, IndicatorSource] = {}
_more_sources: dict[str, Callable[[], Iterable[IndicatorSource]]] = {}
_indicators: list[Indicators] = []


def indicator_source(
    key: str, words: str, unit: str, **more: Any
) -> Callable[[Function], Function]:
    """Register `(period, process) -> Figure or None` as figures an indicator may be computed from.

    `more` are the further fields of `IndicatorSource`.
    """

    def keep(compute: Function) -> Function:
        if key in _sources:
            raise RuntimeError(f"Somebody computes {key} already.")
        _sources[key] = IndicatorSource(key, words, unit, compute, **more)
        return compute

    return keep


def more_indicator_sources(prefix: str) -> Callable[[Function], Function]:
    """Register `() -> IndicatorSources` that people make as they work; keys begin with `prefix`."""

    def keep(find: Function) -> Function:
        _more_sources[prefix] = find
        return find

    return keep


def indicator_sources() -> list[IndicatorSource]:
    """Everything an indicator may be computed from, by group and words."""
    found = [*_sources.values(), *(each for find in _more_sources.values() for each in find())]
    return sorted(found, key=lambda each: (each.group, each.words))


def source_named(key: str) -> IndicatorSource | None:
    """The source of that key; None where it is gone, with its form for instance."""
    if key in _sources:
        return _sources[key]
    for prefix, find in _more_sources.items():
        if key.startswith(prefix):
            return next((each for each in find() if each.key == key), None)
    return None


def tells_indicators(told: Indicators) -> None:
    """Make the one chapter that keeps indicators known to the chapters below it."""
    _indicators[:] = [told]


def indicators() -> Indicators | None:
    """How to choose an indicator and read its course; None where nobody keeps any."""
    return _indicators[0] if _indicators else None


# --- handing over: what passes to a successor, what concerns me, what outsiders see ---------------


@dataclass(frozen=True)
class Holding:
    """One open thing somebody answers for, and how it passes to a successor.

    `why_not(successor)` is a sentence where that person may not hold it, else empty;
    `give(successor, by, reason)` passes it on with a history row of its own.
    """

    record: Any
    title: str
    why_not: Callable[[Any], str]
    give: Callable[[Any, Any, str], None]

    @property
    def url(self) -> str:
        return str(self.record.get_absolute_url())

    @property
    def mark(self) -> str:
        """What the preview showed: the record and its version."""
        return f"{self.record._meta.label_lower}:{self.record.pk}:{self.record.version}"


_hand_overs: list[tuple[int, str, Callable[[Any], Iterable[Holding]]]] = []
_mine: list[tuple[int, str, Callable[[Any], list[Related]]]] = []
_outside: dict[type[models.Model], Callable[[Any], models.Q]] = {}


def hand_over(kind: str, *, order: int = 50) -> Callable[[Function], Function]:
    """Register `(person) -> Holdings`: the open things of one kind a leaver must pass on."""

    def keep(find: Function) -> Function:
        _hand_overs.append((order, kind, find))
        return find

    return keep


def holdings_of(person: Any) -> list[tuple[str, list[Holding]]]:
    """(kind, holdings) of everything open that a person answers for; kinds without are left out."""
    found = [
        (kind, list(find(person)))
        for _order, kind, find in sorted(_hand_overs, key=lambda each: each[:2])
    ]
    return [(kind, holdings) for kind, holdings in found if holdings]


def held(
    rows: Iterable[Any],
    name: str,
    *,
    permission: str = "",
    why_not: Callable[[Any, Any], str] = lambda record, successor: "",
) -> list[Holding]:
    """Holdings of records whose field `name` is the person; the successor needs `permission`.

    `why_not(record, successor)` may refuse a successor for one record.
    """

    def one(record: Any) -> Holding:
        def refuses(successor: Any) -> str:
            if permission and not successor.has_perm(permission):
                return f"{successor.name} has no role that may take over {record}."
            return why_not(record, successor)

        def give(successor: Any, by: Any, reason: str) -> None:
            setattr(record, name, successor)
            record.save_because(reason, by=by)

        return Holding(record, str(record), refuses, give)

    return [one(record) for record in rows]


def mine(title: str, *, order: int = 50) -> Callable[[Function], Function]:
    """Register `(person) -> list[Related]`: a part of everybody's own page, “My role”."""

    def keep(find: Function) -> Function:
        _mine.append((order, title, find))
        return find

    return keep


def all_mine(person: Any) -> list[tuple[str, list[Related]]]:
    """(title, rows) of every part of “My role”, in order; empty parts are left out."""
    found = [(title, find(person)) for _order, title, find in sorted(_mine, key=lambda e: e[:2])]
    return [(title, rows) for title, rows in found if rows]


def shows_outsiders(model: type[models.Model]) -> Callable[[Function], Function]:
    """Register `(person) -> Q`: which rows an outside auditor sees; without it they see none."""

    def keep(narrow: Function) -> Function:
        if model in _outside:
            raise RuntimeError(f"What outsiders see of {model.__name__} is declared already.")
        _outside[model] = narrow
        return narrow

    return keep


def for_outsiders(model: type[models.Model], person: Any) -> models.Q:
    """The rows of a model an outside auditor sees: nothing where no chapter said otherwise."""
    narrow = _outside.get(model)
    return narrow(person) if narrow else models.Q(pk__in=())
