"""The first months of a demo company: people, organisation, sites, processes, scope."""

from functools import partial
from typing import Any

from django.contrib.auth.hashers import make_password

from qms.demo.life import Life, stage
from qms.people.models import Person
from qms.people.workflow import add_person
from qms.scope import workflow as scope

PASSWORD = "demo-password"  # noqa: S105 - printed on the screen; in demo installations only


@stage(10)
def people_join(life: Life) -> None:
    """Everybody joins on the first morning; the administrator adds the others."""
    life.at(life.moment(life.start, 8), lambda: _join(life))


def _join(life: Life) -> None:
    told = life.told["people"]
    first = next(key for key, each in told.items() if "administrator" in each["roles"])
    secret = make_password(PASSWORD)  # once: the hash takes its time by design
    by: Any = None
    for key in [first, *(each for each in told if each != first)]:
        each = told[key]
        person = add_person(
            by=by,
            name=each["name"],
            email=f"{key}@{life.told['organisation']['domain']}",
            job_title=each["job"],
            roles=tuple(each["roles"]),
        )
        person.password = secret
        person.save(update_fields=["password"])
        life.people[key] = Person.objects.get(pk=person.pk)
        by = by or life.people[key]


@stage(20)
def the_organisation_is_set_up(life: Life) -> None:
    """The quality manager describes the organisation, its sites and processes."""
    life.at(life.moment(life.start, 10), lambda: _describe(life))
    life.on(life.month(0.2), lambda: _draw_processes(life))


def _describe(life: Life) -> None:
    quality, told = life.who("quality"), life.told["organisation"]
    fields = ("name", "country", "time_zone", "edition", "preparing", "headcount")
    scope.set_up_organisation(by=quality, **{name: told[name] for name in fields})
    for key, each in life.told["sites"].items():
        life.sites[key] = scope.add_site(by=quality, **each)


def _draw_processes(life: Life) -> None:
    quality = life.who("quality")
    edition = life.told["organisation"]["edition"]
    for code, each in life.told["processes"].items():
        process = scope.create_process(
            by=quality,
            code=code,
            name=each["name"],
            owner=life.who(each["owner"]),
            purpose=each["purpose"],
            kind=each.get("kind", "core"),
            criteria=each.get("criteria", ""),
            resources=each.get("resources", ""),
            importance=each["importance"],
            clauses=[f"{edition}:{number}" for number in each["clauses"]],
            members=[life.who(key) for key in each["members"]],
            deputies=[life.who(key) for key in each.get("deputies", [])],
            sites=[life.sites[key] for key in each["sites"]],
        )
        life.processes[code] = process
    scope.draw_flows(life.told["processes"], by=quality)
    for process in life.processes.values():
        scope.activate(process, by=quality)


@stage(25)
def the_scope_is_approved(life: Life) -> None:
    """Each scope statement is drafted, looked at, and signed by top management."""
    for told in life.told["scope"]:
        life.on(life.month(told["month"]), partial(_draft_scope, life, told))


def _draft_scope(life: Life, told: dict[str, Any]) -> None:
    statement = scope.draft_statement(
        by=life.who("quality"),
        statement=told["statement"],
        products_and_services=told["products"],
        boundaries=told["boundaries"],
        processes=list(life.processes.values()),
        sites=[life.sites[key] for key in told["sites"]],
        not_applicable=list(told["not_applicable"].items()),
    )
    chief = life.who("ceo")
    life.after(3, lambda: scope.submit(statement, by=life.who("quality")))
    life.after(9, lambda: scope.approve(statement, by=chief, proof=life.sign(chief)))


@stage(26)
def the_scope_grows(life: Life) -> None:
    """What is left for a later cycle is planned, and taken in once the scope covers it."""
    for told in life.told.get("extensions", []):
        life.on(life.month(told[0]), partial(_plan_extension, life, told))


def _plan_extension(life: Life, told: list[Any]) -> None:
    _month, what, why, site, target, cycle, taken_in = told
    planned = scope.plan_extension(
        by=life.who("quality"),
        what=what,
        why_later=why,
        site=life.sites.get(site),
        cycle=cycle,
        target_on=life.month(target),
    )
    if taken_in:
        life.on(life.month(taken_in), lambda: scope.take_in(planned, by=life.who("ceo")))
