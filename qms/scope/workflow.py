"""The organisation, its sites and processes, and the scope of the system (ISO 9001 4.3, 4.4, 5.3).

A process that runs has one owner. A scope statement is written by one person and approved by
another, with a signature that stands under everything it covers and everything it leaves out; the
approved one gives way to its successor in the same transaction.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import PermissionDenied
from django.db import transaction as db

from qms import contributions
from qms.clauses import ClauseRef, clause, label
from qms.contributions import Step
from qms.events import handles, publish
from qms.links import set_links
from qms.people.models import Person
from qms.periods import due_in, today
from qms.records import RecordSaved, authors_of
from qms.refusals import Refused
from qms.scope import current
from qms.scope.models import (
    NotApplicable,
    Organisation,
    Process,
    ProcessMember,
    ProcessSite,
    ScopeStatement,
    Site,
    StatementProcess,
    StatementSite,
)
from qms.workflow import Amendment, amend, amendment, creates, transition, voids

Draft = ScopeStatement.Status
APPROVAL_DAYS = 3
# A sentence made of these words alone says who does the work, not why a requirement is left out.
OUTSOURCING = re.compile(
    r"\b(out-?sourc|sub-?contract|third.part|supplier|provider|vendor|partner)"
)
FILLER = frozenset(
    re.findall(
        r"\w+",
        "a an all and any are as at been by do does done for from has have here in is it its not of"
        " on our ours that the them there these they this to us use we which whole with work works"
        " activity activities external externally process processes company completely fully"
        " entirely only service services",
    )
)
REASON_WORDS = 4


@dataclass(frozen=True)
class ProcessChanged:
    """The description of a running process changed; what describes it may need a look."""

    process: Process
    fields: tuple[str, ...]
    by: Any


@dataclass(frozen=True)
class OwnerChanged:
    """A process has another owner than before."""

    process: Process
    before: Person | None
    by: Any


# Guards


def only_owner_or_quality_manager(process: Process, by: Any) -> str | None:
    if by.pk == process.owner_id or by.holds("quality_manager"):
        return None
    return "Only the owner of a process or the quality manager changes it."


def has_an_owner(process: Process, by: Any) -> str | None:
    if process.owner is None:
        return "Give it an owner first; a process that runs has one person who answers for it."
    if not process.owner.is_active:
        return f"{process.owner.name} is no longer active. Give it another owner first."
    return None


def no_process_runs_here(site: Site, by: Any) -> str | None:
    links = ProcessSite.objects.live().filter(site=site, process__status=Process.Status.ACTIVE)
    codes = sorted(links.values_list("process__code", flat=True))
    if codes:
        return f"Processes still run here: {', '.join(codes)}. Take the site from them first."
    return None


def covers_something(statement: ScopeStatement, by: Any) -> str | None:
    if not statement.processes():
        return "Say which processes it covers first."
    if not statement.sites():
        return "Say which sites it covers first."
    return None


def covers_what_runs(statement: ScopeStatement, by: Any) -> str | None:
    asleep = [e.code for e in statement.processes() if e.status != Process.Status.ACTIVE]
    asleep += [e.name for e in statement.sites() if e.status != Site.Status.ACTIVE]
    if asleep:
        return f"These are not active: {', '.join(asleep)}. Activate them or take them out."
    return None


def left_out_of_this_edition(statement: ScopeStatement, by: Any) -> str | None:
    foreign = [e.clause for e in statement.left_out() if e.ref.edition != statement.edition]
    if foreign:
        named = ", ".join(str(ClauseRef.parse(key)) for key in foreign)
        return f"The statement works to edition {statement.edition}; take out {named}."
    return None


def wrote_none_of_it(statement: ScopeStatement, by: Any) -> str | None:
    if by.pk in writers_of(statement):
        return "Who wrote a part of it does not approve it; ask somebody else of top management."
    return None


def is_a_draft(line: NotApplicable, by: Any) -> str | None:
    if line.statement.status != Draft.DRAFT:
        return "The statement is no longer a draft. Send it back or write a new one."
    if line.ended:
        return "It was taken out of the statement."
    return None


def writers_of(statement: ScopeStatement) -> set[int]:
    """The ids of everybody who wrote a part: its words, what it covers, what it leaves out."""
    columns = ("edition", "statement", "products_and_services", "boundaries")
    authors = authors_of(statement, columns)
    for part in (StatementProcess, StatementSite, NotApplicable):
        kept = part.history.filter(statement=statement)
        authors.update(kept.values_list("history_user_id", flat=True))
    return authors


def advice_on(statement: ScopeStatement) -> list[str]:
    """What a careful colleague would say about this scope; none of it stops anything."""
    covered = statement.processes()
    missing = Process.objects.active().exclude(pk__in=[each.pk for each in covered])
    places = {each.pk for each in statement.sites()}
    sites = Site.objects.filter(status=Site.Status.ACTIVE).exclude(pk__in=places)
    found = [f"{each} runs, and the scope does not cover it." for each in missing.order_by("code")]
    found += [f"{each} is a site, and the scope does not name it." for each in sites]
    found += [
        f"{each} is done by others; you answer for it all the same."
        for each in covered
        if each.is_outsourced
    ]
    found += [
        f"{label(line.clause)} applies to practically every organisation; an auditor will ask."
        for line in statement.left_out()
        if line.is_unusual
    ]
    if len(statement.statement.split()) < 8:
        found.append("It is very short. Name what you do, for whom and where.")
    return found


def _may(declared: Amendment, record: Any, by: Any) -> None:
    """The role's answer for what belongs to a record without being a field of it."""
    if not declared.permitted(record, by):
        raise PermissionDenied(
            f"Your role does not allow you to edit this {record._meta.verbose_name}."
        )


# Organisation


@creates(Organisation, permission="scope.change_organisation")
def set_up_organisation(
    *, by: Person, name: str, country: str, time_zone: str, **more: Any
) -> Organisation:
    """The organisation of this installation, once. `more` are its further fields."""
    if Organisation.objects.exists():
        raise Refused("The organisation is set up already. Edit it instead.")
    if not name.strip():
        raise Refused("Give the organisation's name.", field="name")
    made = Organisation(
        name=name.strip(), country=country, time_zone=time_zone, created_by=by, **more
    )
    _check_organisation(made, by)
    made.save()
    return made


def _check_organisation(organisation: Organisation, by: Any) -> None:
    if organisation.time_zone not in available_timezones():
        raise Refused(
            f"“{organisation.time_zone}” is no time zone; write it like America/Toronto.",
            field="time_zone",
        )
    if organisation.preparing == organisation.edition:
        raise Refused(
            "The edition you prepare is the one you work to. Leave it empty.", field="preparing"
        )


ORGANISATION_FIELDS = (
    "name",
    "country",
    "time_zone",
    "edition",
    "preparing",
    "headcount",
    "containment_days",
    "cause_days",
    "action_days",
    "effectiveness_days",
    "approval_days",
)
editing_organisation = amendment(
    Organisation, permission="scope.change_organisation", fields=ORGANISATION_FIELDS
)


@handles(RecordSaved, order=10)
def the_zone_is_read_anew(event: RecordSaved) -> None:
    """A saved organisation is shown at once, here and in every other process."""
    if isinstance(event.record, Organisation):
        current.forget()
        db.on_commit(current.forget)


@contributions.tells_zone
def zone_of_organisation() -> ZoneInfo:
    """The organisation's time zone; the installation's before there is one."""
    return current.zone()


# Sites


@creates(Site, permission="scope.add_site")
def add_site(
    *, by: Person, name: str, address: str = "", headcount: int = 0, shifts: int = 1
) -> Site:
    """A place where the organisation works."""
    if not name.strip():
        raise Refused("Give the site a name.", field="name")
    if Site.objects.filter(name__iexact=name.strip()).exists():
        raise Refused(f"There is a site {name.strip()} already.", field="name")
    site = Site(
        name=name.strip(), address=address, headcount=headcount, shifts=shifts, created_by=by
    )
    site.save()
    return site


@transition(
    Site,
    source=Site.Status.ACTIVE,
    target=Site.Status.CLOSED,
    permission="scope.change_site",
    guards=[no_process_runs_here],
    reason=True,
    label="Close the site",
    primary=False,
)
def close_site(site: Site, *, by: Any) -> None:
    """Close the site; its records stay."""


@transition(
    Site,
    source=Site.Status.CLOSED,
    target=Site.Status.ACTIVE,
    permission="scope.change_site",
    reason=True,
    label="Reopen",
)
def reopen_site(site: Site, *, by: Any) -> None:
    """Open the site again."""


editing_site = amendment(
    Site,
    permission="scope.change_site",
    fields=("name", "address", "headcount", "shifts"),
    states=(Site.Status.ACTIVE,),
)


# Processes


@creates(Process, permission="scope.add_process")
def create_process(
    *,
    by: Person,
    code: str,
    name: str,
    owner: Person | None = None,
    purpose: str = "",
    inputs: str = "",
    outputs: str = "",
    criteria: str = "",
    resources: str = "",
    importance: int = 3,
    is_outsourced: bool = False,
    clauses: Iterable[str] = (),
    members: Iterable[Person] = (),
    sites: Iterable[Site] = (),
) -> Process:
    """A process as a draft, with who works in it and where it runs."""
    code = code.strip().upper()
    if not code or not name.strip():
        raise Refused("Give the process a code and a name.", field="code" if not code else "name")
    if Process.objects.filter(code__iexact=code).exists():
        raise Refused(f"There is a process {code} already.", field="code")
    process = Process(
        code=code,
        name=name.strip(),
        owner=owner,
        purpose=purpose,
        inputs=inputs,
        outputs=outputs,
        criteria=criteria,
        resources=resources,
        importance=importance,
        is_outsourced=is_outsourced,
        clauses=list(clauses),
        created_by=by,
    )
    process.save()
    _link_process(process, by=by, members=members, sites=sites)
    return process


def staff_process(
    process: Process,
    *,
    by: Person,
    members: Iterable[Person],
    sites: Iterable[Site],
    reason: str = "",
) -> Process:
    """Say who works in a process and where it runs; what was there before is ended, not deleted."""
    _may(editing_process, process, by)
    with db.atomic():
        locked = Process._base_manager.select_for_update(of=("self",)).get(pk=process.pk)
        if why := editing_process.obstacles(locked, by):
            raise Refused(" ".join(why))
        _link_process(locked, by=by, members=members, sites=sites, reason=reason)
    return process


def _link_process(
    process: Process,
    *,
    by: Person,
    members: Iterable[Person],
    sites: Iterable[Site],
    reason: str = "",
) -> None:
    owner = {"process": process}
    set_links(ProcessMember, owner=owner, target="person", targets=members, by=by, reason=reason)
    set_links(ProcessSite, owner=owner, target="site", targets=sites, by=by, reason=reason)


@transition(
    Process,
    source=Process.Status.DRAFT,
    target=Process.Status.ACTIVE,
    permission="scope.change_process",
    only=only_owner_or_quality_manager,
    guards=[has_an_owner],
    label="Activate",
)
def activate(process: Process, *, by: Any) -> None:
    """Put it into operation: it is audited, measured and covered from now on."""


@transition(
    Process,
    source=Process.Status.ACTIVE,
    target=Process.Status.RETIRED,
    permission="scope.change_process",
    only=lambda process, by: (
        None if by.holds("quality_manager") else "Only the quality manager retires a process."
    ),
    reason=True,
    label="Retire",
    primary=False,
)
def retire(process: Process, *, by: Any) -> None:
    """Retire it; its records stay and nothing new is planned for it."""


@transition(
    Process,
    source=Process.Status.RETIRED,
    target=Process.Status.ACTIVE,
    permission="scope.change_process",
    only=lambda process, by: (
        None if by.holds("quality_manager") else "Only the quality manager brings it back."
    ),
    guards=[has_an_owner],
    reason=True,
    label="Bring back",
)
def reactivate(process: Process, *, by: Any) -> None:
    """Put it into operation again."""


def keeps_an_owner(process: Process, by: Any) -> str | None:
    return "It was retired. Bring it back first." if process.status == "retired" else None


PROCESS_FIELDS = (
    "code",
    "name",
    "purpose",
    "inputs",
    "outputs",
    "criteria",
    "resources",
    "owner",
    "importance",
    "is_outsourced",
    "clauses",
)
editing_process = amendment(
    Process,
    permission="scope.change_process",
    fields=PROCESS_FIELDS,
    only=only_owner_or_quality_manager,
    guards=[keeps_an_owner],
)


@handles(RecordSaved, order=60)
def a_process_changed(event: RecordSaved) -> None:
    """Tell what a change of a running process may touch: its documents, objectives and audits."""
    process = event.record
    if not isinstance(process, Process) or event.created or process.status != Process.Status.ACTIVE:
        return
    now, before = list(process.history.order_by("-history_id")[:2])
    by = now.history_user
    changed = tuple(n for n in PROCESS_FIELDS if _value(now, n) != _value(before, n))
    if "owner" in changed:
        former = Person.objects.filter(pk=before.owner_id).first()
        publish(OwnerChanged(process, former, by))
    if changed:
        publish(ProcessChanged(process, changed, by))


def _value(row: Any, name: str) -> Any:
    return getattr(row, row._meta.get_field(name).attname)


# Scope statements


@creates(ScopeStatement, permission="scope.add_scopestatement")
def draft_statement(
    *,
    by: Person,
    statement: str,
    products_and_services: str,
    boundaries: str = "",
    edition: str = "",
    processes: Iterable[Process] = (),
    sites: Iterable[Site] = (),
    not_applicable: Iterable[tuple[str, str]] = (),
) -> ScopeStatement:
    """A new statement as a draft. `not_applicable` are (clause key, justification) pairs."""
    organisation = Organisation.objects.current()
    made = ScopeStatement(
        edition=edition or (organisation.edition if organisation else "2026"),
        statement=statement.strip(),
        products_and_services=products_and_services.strip(),
        boundaries=boundaries.strip(),
        created_by=by,
    )
    made.save()
    _cover(made, by=by, processes=processes, sites=sites)
    for key, justification in not_applicable:
        leave_out(made, by=by, clause=key, justification=justification)
    return made


def revise_statement(former: ScopeStatement, *, by: Person) -> ScopeStatement:
    """A new draft that begins as a copy of a statement, with everything it covers."""
    return draft_statement(
        by=by,
        edition=former.edition,
        statement=former.statement,
        products_and_services=former.products_and_services,
        boundaries=former.boundaries,
        processes=former.processes(),
        sites=former.sites(),
        not_applicable=[(line.clause, line.justification) for line in former.left_out()],
    )


def cover(
    statement: ScopeStatement,
    *,
    by: Person,
    processes: Iterable[Process],
    sites: Iterable[Site],
) -> ScopeStatement:
    """Say which processes and sites a draft covers."""
    with db.atomic():
        _cover(_locked_draft(statement, by), by=by, processes=processes, sites=sites)
    return statement


def _cover(
    statement: ScopeStatement, *, by: Person, processes: Iterable[Process], sites: Iterable[Site]
) -> None:
    owner = {"statement": statement}
    set_links(StatementProcess, owner=owner, target="process", targets=processes, by=by)
    set_links(StatementSite, owner=owner, target="site", targets=sites, by=by)


def _locked_draft(statement: ScopeStatement, by: Person) -> ScopeStatement:
    _may(editing_statement, statement, by)
    locked: ScopeStatement = ScopeStatement._base_manager.select_for_update(of=("self",)).get(
        pk=statement.pk
    )
    if why := editing_statement.obstacles(locked, by):
        raise Refused(" ".join(why))
    return locked


@creates(NotApplicable, permission="scope.change_scopestatement")
def leave_out(
    statement: ScopeStatement, *, by: Person, clause: str, justification: str
) -> NotApplicable:
    """Judge a requirement not applicable, with the justification the standard asks for."""
    locked = _locked_draft(statement, by)
    _check_left_out(locked, clause, justification)
    if NotApplicable.objects.filter(statement=locked, clause=clause, ended=False).exists():
        raise Refused(f"{label(clause)} is left out already.", field="clause")
    line = NotApplicable(
        statement=locked, clause=clause, justification=justification.strip(), created_by=by
    )
    line.save()
    return line


def _check_left_out(statement: ScopeStatement, key: str, justification: str) -> None:
    found = clause(key)
    if found.edition != statement.edition:
        raise Refused(
            f"The statement works to edition {statement.edition}. Choose a clause of it.",
            field="clause",
        )
    if not found.assessable:
        raise Refused("Choose the single requirement, not its heading.", field="clause")
    if why := thin_justification(justification):
        raise Refused(why, field="justification")


def thin_justification(text: str) -> str | None:
    """Why a justification is none: it is empty, too short, or only says that others do the work."""
    words = re.findall(r"[a-z][a-z'-]+", text.lower())
    own = [word for word in words if word not in FILLER and not OUTSOURCING.match(word)]
    if OUTSOURCING.search(text.lower()) and len(own) < REASON_WORDS:
        return (
            "Work that others do for you stays your responsibility (8.4), so this is no reason to"
            " leave the requirement out. Give another reason, or keep the requirement."
        )
    if len(words) < REASON_WORDS:
        return "Say in a sentence why it cannot apply to what you do; an auditor reads it."
    return None


def keep_in(line: NotApplicable, *, by: Person) -> NotApplicable:
    """Take a line out of a draft: the requirement applies after all."""
    with db.atomic():
        _locked_draft(line.statement, by)
        current_line: NotApplicable = NotApplicable._base_manager.select_for_update().get(
            pk=line.pk
        )
        if not current_line.ended:
            current_line.ended = True
            current_line.save_because("It applies after all.", by=by)
    return line


@transition(
    ScopeStatement,
    source=Draft.DRAFT,
    target=Draft.IN_REVIEW,
    permission="scope.change_scopestatement",
    guards=[covers_something, covers_what_runs, left_out_of_this_edition],
    label="Send to top management",
)
def submit(statement: ScopeStatement, *, by: Any) -> None:
    """Send it to top management for approval; it can no longer be edited."""


def one_after_the_other(statement: ScopeStatement) -> None:
    """Two approvals never cross: whoever comes second sees what the first has done."""
    rows = ScopeStatement._base_manager.select_for_update(of=("self",))
    list(rows.filter(status__in=[Draft.APPROVED, Draft.IN_REVIEW]).order_by("pk"))


@transition(
    ScopeStatement,
    source=Draft.IN_REVIEW,
    target=Draft.APPROVED,
    permission="scope.approve_scopestatement",
    guards=[wrote_none_of_it, covers_something, covers_what_runs],
    signs="Approved",
    label="Approve",
    locks=one_after_the_other,
)
def approve(statement: ScopeStatement, *, by: Any) -> None:
    """Approve it; it takes the place of the one before."""
    for former in ScopeStatement.objects.approved().exclude(pk=statement.pk):
        supersede(former, by=Person.objects.system(), reason=f"Superseded by {statement.number}.")
    statement.approved_by, statement.approved_on = by, today()


@transition(
    ScopeStatement,
    source=Draft.APPROVED,
    target=Draft.SUPERSEDED,
    permission="scope.supersede_scopestatement",
    reason=True,
    label="Supersede",
    primary=False,
)
def supersede(statement: ScopeStatement, *, by: Any) -> None:
    """Give way to the next statement."""


@transition(
    ScopeStatement,
    source=Draft.IN_REVIEW,
    target=Draft.DRAFT,
    permission="scope.return_scopestatement",
    reason=True,
    label="Send back",
    primary=False,
)
def send_back(statement: ScopeStatement, *, by: Any) -> None:
    """Send it back to be written again."""


void = voids(ScopeStatement, source=Draft.DRAFT, permission="scope.change_scopestatement")

editing_statement = amendment(
    ScopeStatement,
    permission="scope.change_scopestatement",
    fields=("edition", "statement", "products_and_services", "boundaries"),
    states=(Draft.DRAFT,),
)
editing_line = amendment(
    NotApplicable,
    permission="scope.change_scopestatement",
    fields=("justification",),
    guards=[is_a_draft],
)


def justify(line: NotApplicable, *, by: Person, justification: str) -> NotApplicable:
    """Give a better justification, while the statement is a draft."""
    if why := thin_justification(justification):
        raise Refused(why, field="justification")
    with db.atomic():
        _locked_draft(line.statement, by)
        amend(line, by=by, changes={"justification": justification.strip()})
    return line


# Who has to do what next


@contributions.work(ScopeStatement)
def next_steps(statement: ScopeStatement) -> list[Step]:
    """The author writes, top management approves."""
    if statement.status == Draft.DRAFT:
        return [Step("write", "Continue", person=statement.created_by, remind=False)]
    if statement.status == Draft.IN_REVIEW:
        organisation = Organisation.objects.current()
        days = organisation.approval_days if organisation else APPROVAL_DAYS
        return [Step("approve", "Approve", role="top_management", due=due_in(days, today()))]
    return []


@contributions.work(Process)
def processes_without_owner(process: Process) -> list[Step]:
    """A draft needs an owner before it runs."""
    if process.status != Process.Status.DRAFT:
        return []
    if process.owner_id is None:
        return [Step("owner", "Give an owner", role="quality_manager", remind=False)]
    return [Step("activate", "Activate", person=process.owner, remind=False)]
