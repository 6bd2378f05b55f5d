"""The scope of the system (ISO 9001 4.3).

A scope statement is written by one person and approved by another, with a signature that stands
under everything it covers and everything it leaves out; the approved one gives way to its successor
in the same transaction.
"""

import re
from collections.abc import Iterable
from typing import Any

from django.db import transaction as db

from qms import contributions
from qms.clauses import ClauseRef, clause, label
from qms.contributions import Step
from qms.links import refuse_stale, set_links
from qms.people.models import Person
from qms.periods import due_in, today
from qms.records import authors_of
from qms.refusals import Refused
from qms.scope.models import (
    NotApplicable,
    Organisation,
    Process,
    ScopeStatement,
    Site,
    StatementProcess,
    StatementSite,
)
from qms.scope.workflow.permission import check_may
from qms.workflow import amend, amendment, creates, transition, voids

Draft = ScopeStatement.Status
APPROVAL_DAYS = 3
COVERAGE = (StatementProcess, StatementSite)
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
    seen: str | None = None,
) -> ScopeStatement:
    """Say which processes and sites a draft covers; `seen` is the seal of `COVERAGE` on the page.

    Raises PermissionDenied, Refused, Stale.
    """
    with db.atomic():
        locked = _locked_draft(statement, by)
        refuse_stale(seen, {"statement": locked}, *COVERAGE)
        _cover(locked, by=by, processes=processes, sites=sites)
    return statement


def _cover(
    statement: ScopeStatement, *, by: Person, processes: Iterable[Process], sites: Iterable[Site]
) -> None:
    owner = {"statement": statement}
    set_links(StatementProcess, owner=owner, target="process", targets=processes, by=by)
    set_links(StatementSite, owner=owner, target="site", targets=sites, by=by)


def _locked_draft(statement: ScopeStatement, by: Person) -> ScopeStatement:
    check_may(editing_statement, statement, by)
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
