"""The start-up path: eight stops, one page each, back and forth, left and taken up again."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from qms import pages
from qms.access import needs
from qms.journey import startup
from qms.journey import workflow as journey
from qms.journey.forms import (
    OpeningForm,
    OrganisationForm,
    OwnProcessForm,
    PersonForm,
    PlanForm,
    ProcessesForm,
    ScopeForm,
    SiteForm,
)
from qms.journey.models import Project, guide, starters
from qms.people.models import Person
from qms.people.roles import ROLES
from qms.people.workflow import add_person, give_role
from qms.periods import today
from qms.refusals import Refused
from qms.scope import workflow as scope
from qms.scope.models import Organisation, Process, ScopeStatement, Site

SET_UP = "journey.set_up"
ADDED = "Added. Add another, or go on."


def _frame(request: HttpRequest, key: str) -> dict[str, Any]:
    """What every stop's page shows beside itself: the path, the ways back and on."""
    found = startup.stops()
    at = next(index for index, each in enumerate(found) if each.key == key)
    person: Any = request.user
    stop = found[at]
    following = found[at + 1].url if at + 1 < len(found) else reverse("journey:start_summary")
    return {
        "stops": found,
        "stop": stop,
        "position": at + 1,
        "before_url": found[at - 1].url if at else "",
        "next_url": following,
        "may": person.has_perm(stop.permission),
        "cancel_url": reverse("journey:journey"),
    }


def _page(request: HttpRequest, key: str, **context: Any) -> HttpResponse:
    """A stop without a form of its own, or somebody else's stop."""
    frame = _frame(request, key)
    title = frame["stop"].title
    template = f"journey/start_{key}.html"
    return pages.respond(request, template, template, {"title": title, **frame, **context})


def _form(
    request: HttpRequest,
    key: str,
    *,
    form_class: Any,
    create: Callable[..., Any] | None = None,
    done: Any = None,
    extra: dict[str, Any] | None = None,
    **more: Any,
) -> HttpResponse:
    """A stop with a form; whoever may not fill it in sees whose it is."""
    frame = _frame(request, key)
    if not frame["may"]:
        if request.method == "POST":
            return pages.refused(request, Refused(f"This is done by the {frame['stop'].who}."))
        template = "journey/start_others.html"
        return pages.respond(request, template, template, {"title": frame["stop"].title, **frame})
    return pages.edit(
        request,
        form_class=form_class,
        create=create,
        title=frame["stop"].title,
        template=f"journey/start_{key}.html",
        done=done or (lambda _made: frame["next_url"]),
        context={**frame, **(extra or {})},
        **more,
    )


@needs(SET_UP)
def start(request: HttpRequest) -> HttpResponse:
    """Where the start-up stands: the first stop that is open, or the summary."""
    found = startup.stops()
    following = startup.next_stop(found, request.user)
    if request.GET.get("go") == "on":
        return pages.go_to(
            request, following.url if following else reverse("journey:start_summary")
        )
    return pages.respond(
        request,
        "journey/start.html",
        "journey/start.html",
        {
            "title": "Start here",
            "stops": found,
            "following": following,
            "done": sum(each.is_done for each in found),
            "minutes": sum(each.minutes for each in found if not each.is_done),
        },
    )


@needs(SET_UP)
def start_organisation(request: HttpRequest) -> HttpResponse:
    """Who the organisation is."""
    known = Organisation.objects.current()
    if known is not None:
        return _form(request, "organisation", form_class=OrganisationForm, instance=known)
    return _form(
        request, "organisation", form_class=OrganisationForm, create=scope.set_up_organisation
    )


@needs(SET_UP)
def start_people(request: HttpRequest) -> HttpResponse:
    """Who takes part, and in which role."""

    def add(*, by: Any, roles: Any = (), **fields: Any) -> Person:
        made = add_person(by=by, roles=tuple(roles), invite=True, **fields)
        messages.success(request, f"{made.name} is added and gets a mail. Add another, or go on.")
        return made

    person: Any = request.user
    people = Person.objects.people().prefetch_related("assignments")
    organisation = Organisation.objects.current()
    held = {role for each in people for role in _roles_of(each)}
    return _form(
        request,
        "people",
        form_class=PersonForm,
        create=add,
        done=lambda _made: reverse("journey:start_people"),
        extra={
            "people": [(each, _labels(each)) for each in people],
            "missing": [
                ROLES[name]
                for name in ("quality_manager", "top_management", "lead_auditor", "process_owner")
                if name not in held
            ],
            "own_missing": [
                ROLES[name]
                for name in ("quality_manager", "top_management")
                if name not in person.role_names
            ]
            if person.has_perm("people.assign_role")
            else [],
            "is_small": bool(organisation and organisation.headcount <= startup.FEW),
            "submit": "Add and invite",
        },
    )


def _roles_of(person: Person) -> list[str]:
    return [each.role for each in person.assignments.all() if each.status == "held"]


def _labels(person: Person) -> str:
    held = _roles_of(person)
    return ", ".join(role.label for role in ROLES.values() if role.name in held) or "Employee"


@needs("people.assign_role")
@require_POST
def start_take_role(request: HttpRequest) -> HttpResponse:
    """Take on a role oneself: in a small company one person wears several hats."""
    person: Any = request.user
    role = request.POST.get("role", "")
    try:
        give_role(person, role, by=person, reason="Taken on at the start.")
    except Refused as refusal:
        return pages.refused(request, refusal)
    messages.success(request, f"You are now {ROLES[role].label.lower()}, too.")
    return pages.go_to(request, reverse("journey:start_people"))


@needs(SET_UP)
def start_sites(request: HttpRequest) -> HttpResponse:
    """Where people work."""

    def add(*, by: Any, **fields: Any) -> Site:
        made = scope.add_site(by=by, **fields)
        messages.success(request, f"{made.name} is added. Add another, or go on.")
        return made

    sites = Site.objects.filter(status=Site.Status.ACTIVE).order_by("name")
    organisation = Organisation.objects.current()
    first = {} if sites or not organisation else {"headcount": organisation.headcount}
    return _form(
        request,
        "sites",
        form_class=SiteForm,
        create=add,
        done=lambda _made: reverse("journey:start_sites"),
        initial=first,
        extra={"sites": list(sites), "submit": "Add the site"},
    )


@needs(SET_UP)
def start_opening(request: HttpRequest) -> HttpResponse:
    """What you provide, how, where it goes wrong, what matters to whom."""
    return _form(
        request,
        "opening",
        form_class=OpeningForm,
        create=lambda *, by, **answers: journey.answer_opening(by=by, answers=answers),
        extra={"submit": "Save and go on"},
    )


@needs(SET_UP)
def start_processes(request: HttpRequest) -> HttpResponse:
    """Choose a starter, take its processes with their owners, add your own."""
    project = Project.objects.current()
    asked = request.GET.get("starter", "") or (project.starter if project else "")
    chosen = starters.starter(asked) if asked in starters.ORDER else None
    running = Process.objects.exclude(status=Process.Status.RETIRED).select_related("owner")
    shown = {
        "starters": starters.starters(),
        "chosen": chosen,
        "processes": list(running.order_by("code")),
        "answered": journey.opening_lines("processes"),
    }
    if chosen is None:
        frame = _frame(request, "processes")
        name = "journey/start_starters.html"
        name = name if frame["may"] else "journey/start_others.html"
        return pages.respond(request, name, name, {"title": "Processes", **frame, **shown})
    starter = chosen
    sites = Site.objects.filter(status=Site.Status.ACTIVE)

    def take(*, by: Any, owners: dict[str, Any]) -> Any:
        made = startup.take_processes(by=by, starter=starter, owners=owners, sites=sites)
        messages.success(request, f"{len(made)} processes are there, with what they hand over.")
        return made

    return _form(
        request,
        "processes",
        form_class=ProcessesForm,
        create=take,
        starter=starter,
        done=lambda _made: f"{reverse('journey:start_processes')}?starter={starter.key}",
        extra={**shown, "own": OwnProcessForm(by=request.user), "submit": "Take these"},
    )


@needs("scope.add_process")
@require_POST
def start_own_process(request: HttpRequest) -> HttpResponse:
    """A process of one's own, by its name."""
    form = OwnProcessForm(request.POST, by=request.user)
    back = f"{reverse('journey:start_processes')}?starter={request.POST.get('starter', 'blank')}"
    if not form.is_valid():
        return pages.refused(request, Refused("Give the process a name of at most 120 letters."))
    person: Any = request.user
    sites = Site.objects.filter(status=Site.Status.ACTIVE)
    try:
        made = startup.own_process(by=person, sites=sites, **form.changes())
    except Refused as refusal:
        return pages.refused(request, refusal)
    messages.success(request, f"{made.name} is there as {made.code}. Add another, or go on.")
    return pages.go_to(request, back)


@needs(SET_UP)
def start_documents(request: HttpRequest) -> HttpResponse:
    """Drafts to begin with: documents and objectives, as many as the size calls for."""
    frame = _frame(request, "documents")
    if not frame["may"]:
        name = "journey/start_others.html"
        return pages.respond(request, name, name, {"title": frame["stop"].title, **frame})
    person: Any = request.user
    if request.method == "POST":
        try:
            made = [
                *startup.make_drafts(
                    by=person, what="document", titles=request.POST.getlist("document")
                ),
                *startup.make_drafts(
                    by=person, what="objective", titles=request.POST.getlist("objective")
                ),
            ]
        except Refused as refusal:
            return pages.refused(request, refusal)
        messages.success(request, f"{len(made)} drafts are there; their owners go on with them.")
        return pages.go_to(request, frame["next_url"])
    return _page(
        request,
        "documents",
        documents=startup.proposals("document"),
        objectives=startup.proposals("objective"),
    )


@needs(SET_UP)
def start_scope(request: HttpRequest) -> HttpResponse:
    """The scope as a draft, written from what is known."""
    rows = ScopeStatement.objects.exclude(status=ScopeStatement.Status.VOID)
    existing = rows.order_by("-pk").first()
    if existing is not None:
        if request.method == "POST":
            why = f"{existing} is drafted already. Go back to your words, and edit it with them."
            return pages.refused(request, Refused(why))
        return _page(request, "scope", statement=existing)
    proposal = startup.scope_proposal()
    initial = {
        **proposal,
        "processes": [each.pk for each in proposal["processes"]],
        "sites": [each.pk for each in proposal["sites"]],
    }
    return _form(
        request,
        "scope",
        form_class=ScopeForm,
        create=scope.draft_statement,
        initial=initial,
        extra={"submit": "Save the draft and go on", "statement": None},
    )


@needs(SET_UP)
def start_plan(request: HttpRequest) -> HttpResponse:
    """From when and over how many months; every line gets an owner and a day."""
    project = Project.objects.current()
    if project is not None and project.status != Project.Status.PREPARING:
        if request.method == "POST":
            why = "The plan is laid already. Move it where the journey shows it."
            return pages.refused(request, Refused(why))
        return _page(request, "plan", project=project, rows=journey.planned(project, today()))

    def lay(*, by: Any, starts_on: Any, months: int) -> Project:
        begun: Project = journey.begin(
            journey.the_project(by), by=by, starts_on=starts_on, months=months
        )
        return begun

    return _form(
        request,
        "plan",
        form_class=PlanForm,
        create=lay,
        initial={"starts_on": today(), "months": 9},
        extra={"submit": "Lay the plan", "project": None, "lines": guide.plan_lines()},
    )


@needs(SET_UP)
def start_summary(request: HttpRequest) -> HttpResponse:
    """What there is now, and what comes next."""
    found = startup.stops()
    project = Project.objects.current()
    rows = journey.planned(project, today()) if project else []
    return pages.respond(
        request,
        "journey/start_summary.html",
        "journey/start_summary.html",
        {
            "title": "Where you are now",
            "stops": found,
            "missing": [each for each in found if not each.is_done],
            "project": project,
            "rows": rows[:5],
            "processes": Process.objects.exclude(status=Process.Status.RETIRED).count(),
            "statement": ScopeStatement.objects.exclude(status="void").order_by("-pk").first(),
        },
    )
