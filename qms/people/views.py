"""Pages of people: who works here, what they answer for, their roles, and one's own profile."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import django_filters
from django.contrib import messages
from django.contrib.auth import logout
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from qms import contributions, pages, story
from qms.access import ANYONE_SIGNED_IN, needs
from qms.pages import Column
from qms.people import workflow
from qms.people.forms import (
    AbsenceEndForm,
    AbsenceForm,
    HandOverForm,
    NewPersonForm,
    OutsideForm,
    PersonForm,
    PlaceForm,
    ReasonForm,
    RoleForm,
    TokenForm,
)
from qms.people.models import Absence, ApiToken, Person, RoleAssignment
from qms.people.roles import ROLES
from qms.periods import today
from qms.refusals import Refused, Stale

OWNED_SHOWN = 5
SETTLED = ("closed", "void", "verified", "withdrawn", "retired", "done", "achieved", "not_achieved")


def held_roles(person: Person) -> str:
    """The roles held beyond everybody's, in words; from the prefetched assignments."""
    held = {each.role for each in person.assignments.all() if each.status == "held"}
    return ", ".join(role.label for role in ROLES.values() if role.name in held) or "Employee"


COLUMNS = [
    Column("name", "Name", sort="name", kind="link"),
    Column("job_title", "Job title", sort="job_title"),
    Column("department", "Department", sort="department"),
    Column("roles", "Roles", value=held_roles),
    Column("email", "E-mail", sort="email"),
    Column("phone", "Phone"),
    Column("is_active", "May sign in", sort="is_active", kind="yes_no"),
]


class PersonFilter(django_filters.FilterSet):
    """Filters of the list of people."""

    text = django_filters.CharFilter(method="by_text", label="Text")
    role = django_filters.ChoiceFilter(
        method="by_role", choices=[(r.name, r.label) for r in ROLES.values()], label="Role"
    )
    is_active = django_filters.ChoiceFilter(
        choices=[("True", "May sign in"), ("False", "Left")], label="Account"
    )

    class Meta:
        model = Person
        fields = ("text", "role", "is_active")

    def by_text(self, rows: Any, name: str, value: str) -> Any:
        words = Q(name__icontains=value) | Q(email__icontains=value) | Q(job_title__icontains=value)
        return rows.filter(words)

    def by_role(self, rows: Any, name: str, value: str) -> Any:
        if value == "employee":
            return rows.filter(is_active=True)
        held = RoleAssignment.objects.filter(role=value, status="held")
        return rows.filter(pk__in=held.values("person_id"))


def _people(request: HttpRequest) -> Any:
    return Person.objects.visible_to(request.user).filter(is_system=False)


@needs("people.view_person")
def person_list(request: HttpRequest) -> HttpResponseBase:
    """Who works here, and in which role."""
    return pages.show_list(
        request,
        _people(request).prefetch_related("assignments"),
        columns=COLUMNS,
        filterset=PersonFilter,
        default_sort="name",
        title="People",
        template="people/person_list.html",
        tabs=tabs(request, "people:person_list"),
        create_url="people:person_create",
        create_label="Add a person",
    )


def tabs(request: HttpRequest, current: str) -> list[tuple[str, str, bool]]:
    """The pages about people; responsibilities stand with the processes, one layer above."""
    views = [
        ("List", "people:person_list", "people.view_person"),
        ("Organisation chart", "people:organisation_chart", "people.view_person"),
        ("Responsibilities", "scope:responsibilities", "scope.view_process"),
    ]
    return [
        (label, reverse(name), name == current)
        for label, name, permission in views
        if request.user.has_perm(permission)
    ]


@dataclass(frozen=True)
class Owned:
    """What a person answers for, of one kind: how many, and the latest few."""

    kind: str
    count: int
    latest: list[Any]


def owned_by(person: Person, viewer: Person) -> list[Owned]:
    """Every kind of record with an owner, as far as the viewer sees it and it is not settled."""
    found = []
    for relation in Person._meta.related_objects:
        model: Any = relation.related_model
        if relation.field.name != "owner" or not hasattr(model.objects.all(), "visible_to"):
            continue
        rows = model.objects.visible_to(viewer).filter(owner=person)
        if hasattr(model, "STATE_FIELD"):
            rows = rows.exclude(**{f"{model.STATE_FIELD}__in": SETTLED})
        if count := rows.count():
            kind = str(model._meta.verbose_name_plural).capitalize()
            found.append(Owned(kind, count, list(rows.order_by("-pk")[:OWNED_SHOWN])))
    return sorted(found, key=lambda each: each.kind)


@needs("people.view_person")
def person_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One colleague: how to reach them, their roles, and what they answer for."""
    person = get_object_or_404(_people(request), pk=pk)
    viewer: Any = request.user
    assignments = person.assignments.select_related("created_by", "person").order_by("status", "pk")
    return pages.respond(
        request,
        "people/person_detail.html",
        "people/person_detail.html",
        {
            "record": person,
            "title": person.name,
            "crumbs": [("People", reverse("people:person_list")), (person.name, "")],
            "assignments": list(assignments),
            # Everybody is an employee; who was given the role by name is told so once.
            "told_employee": any(each.role == "employee" for each in assignments),
            "owned": owned_by(person, viewer),
            "story": story.story_of(person),
            "may_edit": viewer.has_perm("people.change_person") and not person.is_erased,
            "may_assign": viewer.has_perm("people.assign_role") and not person.is_erased,
            "may_erase": viewer.has_perm("people.erase_person") and not person.is_erased,
            "may_invite": viewer.has_perm("people.add_person") and person.is_active,
            "is_self": viewer.pk == person.pk,
            "may_hand_over": viewer.has_perm("people.hand_over"),
            "may_be_away": person.is_active
            and not workflow.whose_absence(Absence(person=person), viewer),
            "absences": list(
                person.absences.filter(ends_on__gte=today())
                .select_related("deputy")
                .order_by("starts_on")[:20]
            ),
            "reports": list(person.reports.people()),
            "today": today(),
        },
    )


@needs("people.add_person")
def person_create(request: HttpRequest) -> HttpResponse:
    """Add a person and send them a link to set their password."""

    def add(*, by: Any, roles: Any = (), **fields: Any) -> Person:
        return workflow.add_person(by=by, roles=tuple(roles), invite=True, **fields)

    return pages.edit(
        request,
        form_class=NewPersonForm,
        create=add,
        title="Add a person",
        context={
            "intro": "They get a mail with a link to set their own password.",
            "submit": "Add and invite",
            "cancel_url": "people:person_list",
        },
    )


@needs("people.change_person")
def person_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change who somebody is; their roles are not touched by it."""
    person = get_object_or_404(_people(request), pk=pk)
    names = list(Person.IDENTITY)
    viewer: Any = request.user
    if not viewer.has_perm("people.assign_role"):
        names.remove("email")
    return pages.edit(
        request,
        form_class=PersonForm,
        create=_changing(request, person),
        title=f"Edit {person.name}",
        address="email" in names,
        initial={name: getattr(person, name) for name in names} | {"version": person.version},
        template="people/person_form.html",
        context={"cancel_url": person.get_absolute_url(), "seen": person.version},
    )


def _changing(request: HttpRequest, person: Person) -> Callable[..., Person]:
    """Save a form about a person on the version the page was opened on."""
    text = request.POST.get("seen", "")
    seen = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    def change(*, by: Any, **fields: Any) -> Person:
        try:
            return workflow.change_identity(person, by=by, changes=fields, version=seen)
        except Stale as stale:  # what was typed stays; sending it again is a decision
            raise Refused(str(stale)) from stale

    return change


def _asks_why(
    request: HttpRequest,
    pk: int,
    title: str,
    do: Callable[..., Person],
    *,
    intro: str,
    submit: str,
) -> HttpResponse:
    """A form with nothing but the reason, for what is done to a person."""
    person = get_object_or_404(_people(request), pk=pk)

    def act(*, by: Any) -> Person:
        return do(person, by=by, reason=request.POST.get("reason", ""))

    return pages.edit(
        request,
        form_class=ReasonForm,
        create=act,
        title=f"{title} {person.name}",
        context={"cancel_url": person.get_absolute_url(), "intro": intro, "submit": submit},
    )


@needs("people.change_person")
def person_deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody leaves; who still answers for something is handed over first."""
    if request.method == "GET" and request.user.has_perm("people.hand_over"):
        person = get_object_or_404(_people(request), pk=pk)
        if why := workflow.what_stays_open(person):
            messages.warning(request, why)
            return redirect("people:hand_over", pk=pk)
    intro = "No sign-in and no token from now on. Everything they did stays under their name."
    return _asks_why(
        request, pk, "Deactivate", workflow.deactivate, intro=intro, submit="Deactivate"
    )


@needs("people.assign_role")
def person_reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody comes back."""
    intro = "They sign in again, with the roles they still hold."
    return _asks_why(
        request, pk, "Bring back", workflow.reactivate, intro=intro, submit="Bring back"
    )


@needs("people.erase_person")
def person_erase(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget who somebody who left was."""
    intro = "Name, address, job title and phone are erased for good; signatures keep their names."
    return _asks_why(request, pk, "Erase", workflow.erase, intro=intro, submit="Erase for good")


@needs("people.add_person")
@require_POST
def person_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the link to set a password again."""
    person = get_object_or_404(_people(request), pk=pk)
    try:
        workflow.invite_again(person, by=request.user)  # type: ignore[arg-type]
    except Refused as refusal:
        return pages.refused(request, refusal)
    messages.success(request, f"A new link is on its way to {person.email}.")
    return redirect(person)


@needs("people.assign_role")
def role_give(request: HttpRequest, pk: int) -> HttpResponse:
    """Give somebody a role."""
    person = get_object_or_404(_people(request), pk=pk)

    def give(*, by: Any, role: str) -> RoleAssignment:
        return workflow.give_role(person, role, by=by, reason=request.POST.get("reason", ""))

    return pages.edit(
        request,
        form_class=RoleForm,
        create=give,
        title=f"Give {person.name} a role",
        context={"cancel_url": person.get_absolute_url(), "submit": "Give the role"},
    )


@needs(ANYONE_SIGNED_IN)
def role_transition(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """End a role."""
    assignment = get_object_or_404(RoleAssignment.objects.select_related("person"), pk=pk)
    return pages.do_transition(request, assignment, name)


# Where people work, who is away, who takes over


@needs("people.view_person")
def organisation_chart(request: HttpRequest) -> HttpResponse:
    """Who reports to whom, drawn from what stands with the people."""
    rows = _people(request).filter(is_active=True, access_until=None).order_by("name", "pk")
    everybody = list(rows.prefetch_related("assignments"))
    known = {each.pk for each in everybody}
    below: dict[int | None, list[Person]] = {}
    for each in everybody:
        below.setdefault(each.manager_id if each.manager_id in known else None, []).append(each)
    context = {
        "title": "Organisation chart",
        "crumbs": [("People", reverse("people:person_list")), ("Organisation chart", "")],
        "tabs": tabs(request, "people:organisation_chart"),
        "lines": list(_drawn(below, None)),
        "count": len(everybody),
    }
    return pages.respond(
        request, "people/organisation_chart.html", "people/organisation_chart.html", context
    )


@dataclass(frozen=True)
class ChartLine:
    """One person of the chart; `opens` before it, so many lists are closed after it."""

    person: Person
    roles: str
    opens: bool
    closes: range


def _drawn(below: dict[int | None, list[Person]], root: int | None) -> list[ChartLine]:
    """The chart line by line, without recursion, however deep it is."""
    order: list[tuple[Person, int]] = []
    waiting = [(each, 0) for each in reversed(below.get(root, []))]
    while waiting:
        person, depth = waiting.pop()
        order.append((person, depth))
        waiting += [(each, depth + 1) for each in reversed(below.get(person.pk, []))]
    depths = [depth for _person, depth in order] + [0]
    return [
        ChartLine(person, held_roles(person), depths[at + 1] > depth, range(depth - depths[at + 1]))
        for at, (person, depth) in enumerate(order)
    ]


@needs("people.change_person")
def person_place(request: HttpRequest, pk: int) -> HttpResponse:
    """Say where somebody works and to whom they report."""
    person = get_object_or_404(_people(request), pk=pk)
    text = request.POST.get("seen", "")
    seen = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None

    def place(*, by: Any, **fields: Any) -> Person:
        try:
            return workflow.place_person(person, by=by, version=seen, **fields)
        except Stale as stale:
            raise Refused(str(stale)) from stale

    names = sorted({each for each in _people(request).values_list("department", flat=True) if each})
    return pages.edit(
        request,
        form_class=PlaceForm,
        create=place,
        title=f"Where {person.name} works",
        initial={"department": person.department, "manager": person.manager_id},
        template="people/place_form.html",
        context={
            "cancel_url": person.get_absolute_url(),
            "seen": person.version,
            "departments": names,
        },
    )


@needs("people.hand_over")
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything open of somebody, and who takes it over; all of it or nothing."""
    person = get_object_or_404(_people(request), pk=pk)
    holdings = workflow.open_of(person)

    def give(*, by: Any, successor: Person, reason: str = "") -> Person:
        seen = request.POST.get("seen", "")
        why = reason or request.POST.get("reason", "")
        try:
            workflow.hand_over(person, by=by, successor=successor, reason=why, seen=seen)
        except Stale as stale:
            raise Refused(str(stale)) from stale
        return person

    return pages.edit(
        request,
        form_class=HandOverForm,
        create=give,
        title=f"Hand over from {person.name}",
        template="people/hand_over.html",
        context={
            "cancel_url": person.get_absolute_url(),
            "holdings": holdings,
            "count": sum(len(found) for _kind, found in holdings),
            "seen": workflow.seal_of(holdings),
            "submit": "Hand over",
            "intro": "Everything below passes to one person at once, each with a line in its"
            " history. What was signed stays signed by who signed it.",
        },
    )


@needs("people.add_absence")
def absence_create(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that somebody is away and who gets their work meanwhile."""
    person = get_object_or_404(_people(request), pk=pk)

    def plan(*, by: Any, **fields: Any) -> Absence:
        return workflow.plan_absence(by=by, person=person, **fields)

    return pages.edit(
        request,
        form_class=AbsenceForm,
        create=plan,
        title=f"{person.name} is away",
        context={
            "cancel_url": person.get_absolute_url(),
            "intro": "The deputy sees the open work and is reminded of it; it ends by itself. What"
            " only its owner may decide stays with the owner; hand it over for longer.",
        },
    )


@needs("people.change_absence")
def absence_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Back earlier, or later."""
    rows = Absence.objects.select_related("person", "deputy")
    absence = pages.find(request, rows, pk=pk)
    return pages.edit(
        request,
        form_class=AbsenceEndForm,
        instance=absence,
        title=f"{absence.person.name}'s return",
    )


@needs("people.assign_role")
def outside_access(request: HttpRequest, pk: int) -> HttpResponse:
    """Make somebody an outside auditor until a day, or a colleague again."""
    person = get_object_or_404(_people(request), pk=pk)

    def allow(*, by: Any, until: Any, reason: str = "") -> Person:
        why = reason or request.POST.get("reason", "")
        return workflow.set_outside_access(person, by=by, until=until, reason=why)

    return pages.edit(
        request,
        form_class=OutsideForm,
        create=allow,
        title=f"Outside access of {person.name}",
        initial={"until": person.access_until},
        context={
            "cancel_url": person.get_absolute_url(),
            "intro": "An outside auditor sees the audits they are named in, the process audited and"
            " its documents in force, and nothing else. Access ends by itself after the last day.",
        },
    )


# One's own


@needs(ANYONE_SIGNED_IN)
@never_cache
def profile(request: HttpRequest) -> HttpResponse:
    """My name, my roles, my colours, my tokens, my sessions."""
    return _profile(request)


def _profile(request: HttpRequest, secret: str = "") -> HttpResponse:
    person: Any = request.user
    tokens = ApiToken.objects.filter(person=person).order_by("revoked_at", "-created_at")
    roles = [role for role in ROLES.values() if role.name in person.role_names]
    context = {"person": person, "roles": roles, "tokens": list(tokens[:50]), "secret": secret}
    return pages.respond(request, "people/profile.html", "people/profile.html", context)


@needs(ANYONE_SIGNED_IN)
def profile_edit(request: HttpRequest) -> HttpResponse:
    """Change my name, job title or phone."""
    person: Any = request.user
    return pages.edit(
        request,
        form_class=PersonForm,
        create=_changing(request, person),
        title="My details",
        address=False,
        initial={name: getattr(person, name) for name in workflow.OWN_FIELDS},
        template="people/person_form.html",
        done=lambda _person: reverse("people:profile"),
        context={"cancel_url": "people:profile", "seen": person.version},
    )


@needs(ANYONE_SIGNED_IN)
@never_cache
@sensitive_post_parameters("password")
def token_create(request: HttpRequest) -> HttpResponse:
    """Make a token; its secret is on the page that answers, and nowhere else."""
    made: list[str] = []

    def make(*, by: Any, label: str, days: int) -> Person:
        contributions.prove(request, request.POST)
        made.append(workflow.make_token(by=by, label=label, days=days)[1])
        return by

    answer = pages.edit(
        request,
        form_class=TokenForm,
        create=make,
        title="New token",
        done=lambda _person: reverse("people:profile"),
        context={"cancel_url": "people:profile", "submit": "Make the token"},
    )
    return _profile(request, made[0]) if made else answer


@needs(ANYONE_SIGNED_IN)
@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of my tokens at once."""
    person: Any = request.user
    token = get_object_or_404(ApiToken.objects.filter(person=person), pk=pk)
    workflow.revoke_token(token, by=person)
    messages.success(request, f"The token “{token.label}” has ended.")
    return redirect("people:profile")


@needs(ANYONE_SIGNED_IN)
@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """End every session of mine, this one too."""
    person: Any = request.user
    logout(request)
    workflow.end_sessions_of(person)
    return redirect("account_login")
