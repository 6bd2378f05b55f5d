"""What the frame, the leadership's screen and the search get from the scope."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models import Count

from qms import contributions, pages
from qms.actions.models import Action
from qms.contributions import Holding, Related, Tile, held
from qms.scope import current
from qms.scope.models import (
    InterestedParty,
    Issue,
    Process,
    ProcessDeputy,
    ProcessMember,
    Requirement,
    ScopeStatement,
    StatementProcess,
)

contributions.navigation(
    "Plan",
    "Scope",
    "scope:overview",
    icon="target",
    permission="scope.view_scopestatement",
    order=10,
)
contributions.navigation(
    "Plan",
    "Processes",
    "scope:process_list",
    icon="sitemap",
    permission="scope.view_process",
    order=20,
)
contributions.navigation(
    "Plan",
    "Context",
    "scope:context",
    icon="world",
    permission="scope.view_issue",
    order=12,
    also=(
        "scope:issue_list",
        "scope:party_list",
        "scope:need_list",
        "scope:climate_list",
        "scope:requirement_list",
    ),
)
contributions.navigation(
    "Settings",
    "Sites",
    "scope:site_list",
    icon="building",
    permission="scope.change_site",
    order=20,
)
contributions.navigation(
    "Settings",
    "Organisation",
    "scope:organisation",
    icon="settings",
    permission="scope.change_organisation",
    order=10,
)
contributions.create_entry(
    "Process", "scope:process_create", icon="sitemap", permission="scope.add_process", order=80
)


@pages.tells_organisation
def organisation_name() -> str:
    """The name every page bears."""
    return current.name()


def _processes(today: date) -> dict[str, Any]:
    in_force = ScopeStatement.objects.approved().values("pk")
    covered = StatementProcess.objects.live().filter(statement__in=in_force).values("process_id")
    running = Process.objects.active()
    return {"running": running, "missing": running.exclude(pk__in=covered)}


@contributions.tile(order=10, permission="scope.view_scopestatement", counts=_processes)
def scope_tile(today: date, count: Mapping[str, int]) -> Tile:
    """Whether there is a scope in force, and whether it covers what runs."""
    statement = ScopeStatement.objects.approved().first()
    running, missing = f"{count['running']} processes", count["missing"]
    if statement is None:
        note = "No scope statement is approved yet."
        return Tile("Scope", running, note, "soon", "/scope/")
    return Tile(
        title="Scope",
        figure=running,
        note=f"{missing} outside the approved scope." if missing else "The scope covers them all.",
        tone="soon" if missing else "fine",
        url="/scope/",
        rows=[("Statement", statement.number), ("Edition", statement.edition)],
    )


@contributions.owns("Processes", permission="scope.view_process", order=10)
def processes_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many processes that run each person answers for."""
    rows = Process.objects.active().filter(owner__in=list(ids))
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.owns("Actions", permission="actions.view_action", order=30)
def actions_owned(ids: Iterable[int]) -> dict[int, int]:
    """How many open actions each person has promised."""
    rows = Action.objects.open().filter(owner__in=list(ids))
    return dict(rows.values_list("owner").annotate(many=Count("pk")).order_by())


@contributions.hand_over("Processes", order=10)
def processes_to_hand_over(person: Any) -> list[Holding]:
    """Processes somebody owns that are not retired."""
    rows = Process.objects.filter(owner=person).exclude(status=Process.Status.RETIRED)
    return held(rows.order_by("code"), "owner", permission="scope.change_process")


@contributions.hand_over("Processes as deputy", order=11)
def deputies_to_hand_over(person: Any) -> list[Holding]:
    """Where somebody stands in for the owner of a process that is not retired."""
    rows = ProcessDeputy.objects.live().filter(person=person)
    rows = rows.exclude(process__status=Process.Status.RETIRED).select_related("process")
    return [_standing_in(each) for each in rows.order_by("process__code")]


def _standing_in(link: ProcessDeputy) -> Holding:
    process = link.process

    def give(successor: Any, by: Any, reason: str) -> None:
        link.refresh_from_db()
        if not link.ended:  # it may have ended with the process itself, just before
            link.ended = True
            link.save_because(reason, by=by)
        now = Process.objects.get(pk=process.pk)
        known = ProcessDeputy._base_manager.filter(process=process, person=successor).first()
        if now.owner_id == successor.pk or (known and not known.ended):
            return
        if known:
            known.ended = False
            known.save_because(reason, by=by)
        else:
            ProcessDeputy(process=process, person=successor, created_by=by).save()

    return Holding(process, str(process), lambda successor: "", give)


def _of_the_context(model: type[Any], kind: str, permission: str, order: int) -> None:
    """Register what an owner of one register of the context passes on."""

    def owned(person: Any) -> list[Holding]:
        rows = model.objects.filter(owner=person, status=model.first_state())
        return held(rows.order_by("pk"), "owner", permission=permission)

    contributions.hand_over(kind, order=order)(owned)


_of_the_context(Issue, "Issues", "scope.change_context", 12)
_of_the_context(InterestedParty, "Interested parties", "scope.change_context", 13)
_of_the_context(Requirement, "Requirements", "scope.change_requirement", 14)


@contributions.hand_over("Actions", order=30)
def actions_to_hand_over(person: Any) -> list[Holding]:
    """Promises that are not kept yet."""
    rows = Action.objects.open().filter(owner=person).order_by("due", "pk")
    return held(rows, "owner", permission="actions.do_action")


@contributions.mine("My processes", order=10)
def my_processes(person: Any) -> list[Related]:
    """The processes somebody owns, stands in for, or works in."""
    parts: dict[int, list[str]] = {}
    for key in Process.objects.filter(owner=person).values_list("pk", flat=True):
        parts.setdefault(key, []).append("owner")
    for link, word in ((ProcessDeputy, "deputy"), (ProcessMember, "member")):
        links = link.objects.live().filter(person=person)
        for key in links.values_list("process_id", flat=True):
            parts.setdefault(key, []).append(word)
    rows = Process.objects.visible_to(person).filter(pk__in=parts)
    rows = rows.exclude(status=Process.Status.RETIRED).order_by("code")
    return [
        Related(each.name, each.code, each.get_absolute_url(), ", ".join(parts[each.pk]))
        for each in rows
    ]
