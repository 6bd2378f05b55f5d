"""How people join, get and lose roles, leave, and are forgotten (ISO 9001 5.3, 7.2).

Who somebody is and what they may do are kept apart: no edit of a name or an address gives a role,
and the address, by which an account is recovered, is changed by administrators only.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.core.validators import validate_email
from django.db import connection, transaction
from django.forms import ValidationError

from qms import contributions
from qms.clock import now
from qms.contributions import Holding
from qms.events import publish
from qms.outbox import workflow as outbox
from qms.people.models import LINE_LOCK, Absence, ApiToken, Person, RoleAssignment
from qms.people.roles import ADMINISTRATOR, ROLES
from qms.periods import today
from qms.refusals import Refused, Stale
from qms.workflow import amendment, creates, transition

OWN_FIELDS = ("name", "job_title", "phone")
LONGEST_ABSENCE = timedelta(days=3 * 366)
LONGEST_TOKEN_DAYS, MOST_TOKENS = 365, 20


@dataclass(frozen=True)
class PersonMoved:
    """Somebody joined, or their department, manager or account changed; work follows them."""

    person: Person


def add_person(
    *,
    by: Person | None,
    name: str,
    email: str,
    job_title: str = "",
    phone: str = "",
    roles: tuple[str, ...] = (),
    invite: bool = False,
) -> Person:
    """Add a person, give them roles, and with `invite` send a link to set a password.

    `by` is None only for the very first one. Roles are given by whoever may assign them.
    """
    if by is not None and not by.has_perm("people.add_person"):
        raise PermissionDenied("Your role does not allow you to add people.")
    if by is None and Person.objects.people().exists():
        raise Refused("There are people already; sign in to add another.")
    if by is not None and roles:
        _may_assign(by)
    with transaction.atomic():
        person = Person(
            name=_clean_name(name), email=_clean_email(email), job_title=job_title, phone=phone
        )
        person.set_unusable_password()
        person.save_because("Joined.", by=by)
        _remember_address(person)
        for role in roles:
            _give(person, role, by or person)
        publish(PersonMoved(person))
        if invite:
            send_invitation(person, by=by or person)
    return person


def _clean_name(name: str) -> str:
    if not name.strip():
        raise Refused("Give the person's name.", field="name")
    return name.strip()


def _clean_email(email: str, *, of: Person | None = None) -> str:
    """The address in its one spelling; refuses what is no address or another person's."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise Refused(f"“{email}” is not an e-mail address.", field="email") from None
    if len(email) > 254:
        raise Refused("An e-mail address has at most 254 characters.", field="email")
    others = Person.objects.exclude(pk=of.pk) if of else Person.objects.all()
    if others.filter(email__iexact=email).exists():
        raise Refused(f"{email} has an account already.", field="email")
    return email


def send_invitation(person: Person, *, by: Person) -> None:
    """Send a link to set a password; the link itself is made when the mail is sent."""
    if not person.is_active or not person.email:
        raise Refused(f"{person.name} has no account to sign in with.")
    key = f"invite:{person.pk}:{now().isoformat()}"
    outbox.add("people.invite", key, person=person.pk, by=by.name)


def invite_again(person: Person, *, by: Person) -> None:
    """The same for somebody whose link has ended."""
    if not by.has_perm("people.add_person"):
        raise PermissionDenied("Your role does not allow you to invite people.")
    with transaction.atomic():
        send_invitation(person, by=by)


def change_identity(
    person: Person, *, by: Person, changes: Mapping[str, Any], version: int | None = None
) -> Person:
    """Change who somebody is: name, job title, phone; the address by administrators only.

    Nothing else can be changed by it, whatever `changes` holds. Raises PermissionDenied, Stale,
    Refused.
    """
    if foreign := set(changes) - set(Person.IDENTITY):
        raise Refused(f"These cannot be edited: {', '.join(sorted(foreign))}.")
    own = by.pk == person.pk and set(changes) <= set(OWN_FIELDS)
    if not own and not by.has_perm("people.change_person"):
        raise PermissionDenied("Your role does not allow you to edit people.")
    with transaction.atomic():
        current: Person = Person.objects.select_for_update().get(pk=person.pk)
        if current.is_erased or current.is_system:
            raise Refused(f"{current.name} is not edited.")
        if version is not None and current.version != version:
            raise Stale
        changed = {n: v for n, v in _cleaned(current, changes).items() if getattr(current, n) != v}
        if "email" in changed:
            _move_account(current, str(changed["email"]), by)
        for name, value in changed.items():
            setattr(current, name, value)
        if changed:
            named = " and ".join(sorted(name.replace("_", " ") for name in changed))
            current.save_because(f"Changed {named}.", by=by)
    return current


def _cleaned(person: Person, changes: Mapping[str, Any]) -> dict[str, Any]:
    clean = {name: str(value or "").strip() for name, value in changes.items()}
    if "name" in clean:
        clean["name"] = _clean_name(clean["name"])
    if "email" in clean and clean["email"].lower() != (person.email or ""):
        clean["email"] = _clean_email(clean["email"], of=person)
    return clean


def _move_account(person: Person, email: str, by: Person) -> None:
    """The address is the account: who could redirect it could become that person."""
    _may_assign(by)
    EmailAddress.objects.filter(user=person).delete()
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    end_sessions_of(person)


def _remember_address(person: Person) -> None:
    """allauth sends recovery mail to addresses it knows; an administrator vouches for this one."""
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)


def give_role(person: Person, role: str, *, by: Person, reason: str = "") -> RoleAssignment:
    """Give a person a role."""
    _may_assign(by)
    return _give(person, role, by, reason)


def _give(person: Person, role: str, by: Person, reason: str = "") -> RoleAssignment:
    if role not in ROLES:
        raise Refused(f"There is no role called {role}.", field="role")
    held = RoleAssignment.objects.filter(person=person, role=role, status="held")
    existing: RoleAssignment | None = held.first()
    if existing is not None:
        return existing
    assignment = RoleAssignment(person=person, role=role, created_by=by)
    if reason:
        assignment._change_reason = reason
    assignment.save()
    _forget_cached_roles(person)
    return assignment


@transition(
    RoleAssignment,
    source=RoleAssignment.Status.HELD,
    target=RoleAssignment.Status.ENDED,
    permission="people.assign_role",
    reason=True,
    label="End the role",
    guards=[lambda assignment, by: somebody_stays(assignment)],
    locks=lambda assignment: administrators_stand_still(),
    then=lambda assignment, by: _forget_cached_roles(assignment.person),
)
def end_role(assignment: RoleAssignment, *, by: Person) -> None:
    """End the role."""


def administrators_stand_still() -> None:
    """Two administrators never end each other at once: whoever is second sees the first."""
    held = RoleAssignment._base_manager.filter(role=ADMINISTRATOR.name, status="held")
    list(held.select_for_update(of=("self",)).order_by("pk"))


def somebody_stays(assignment: RoleAssignment) -> str | None:
    """Why the role cannot end: it is the last administrator's."""
    if assignment.role != ADMINISTRATOR.name or not assignment.person.is_active:
        return None
    if Person.objects.holding(ADMINISTRATOR.name).exclude(pk=assignment.person_id).exists():
        return None
    return "Somebody must stay administrator. Give another person the role first."


def _check_administrators_stay(person: Person) -> None:
    for held in person.assignments.filter(role=ADMINISTRATOR.name, status="held"):
        if why := somebody_stays(held):
            raise Refused(why)


def deactivate(person: Person, *, by: Person, reason: str) -> Person:
    """A person leaves: no sign-in, no token; everything they did stays under their name."""
    if not by.has_perm("people.change_person"):
        raise PermissionDenied("Your role does not allow you to deactivate people.")
    if person == by:
        raise Refused("Ask a colleague to deactivate your own account.")
    if not reason.strip():
        raise Refused("Say why; the reason is kept.", field="reason")
    with transaction.atomic():
        administrators_stand_still()
        current: Person = Person.objects.select_for_update().get(pk=person.pk)
        if not current.is_active:
            raise Refused(f"{current.name} is inactive already.")
        if current.is_system:
            raise Refused("The clock acts under this name; it stays.")
        _check_administrators_stay(current)
        if why := what_stays_open(current):
            raise Refused(why)
        current.is_active = False
        current.save_because(reason, by=by)
        ApiToken.objects.filter(person=current, revoked_at=None).update(revoked_at=now())
        end_sessions_of(current)
        publish(PersonMoved(current))
    return current


def reactivate(person: Person, *, by: Person, reason: str) -> Person:
    """Somebody comes back: they sign in again, with the roles they still hold."""
    if not by.has_perm("people.assign_role"):
        raise PermissionDenied("Your role does not allow you to bring people back.")
    if not reason.strip():
        raise Refused("Say why; the reason is kept.", field="reason")
    with transaction.atomic():
        current: Person = Person.objects.select_for_update().get(pk=person.pk)
        if current.is_active or current.is_erased:
            state = "was erased" if current.is_erased else "is active"
            raise Refused(f"{current.name} {state}.")
        current.is_active = True
        current.save_because(reason, by=by)
        publish(PersonMoved(current))
    return current


def erase(person: Person, *, by: Person, reason: str) -> Person:
    """Forget who a person who left was; history keeps the key, signatures their printed name."""
    if not by.has_perm("people.erase_person"):
        raise PermissionDenied("Your role does not allow you to erase people.")
    if person.is_active:
        raise Refused(f"Deactivate {person.name} first.")
    if person.is_erased:
        raise Refused(f"{person.name} was erased already.")
    with transaction.atomic():
        current: Person = Person.objects.select_for_update().get(pk=person.pk)
        current.name = f"Former person {current.pk}"
        current.email, current.job_title, current.phone = None, "", ""
        current.is_erased = True
        current.set_unusable_password()
        current.save_because(reason or "Personal data erased on request.", by=by)
        EmailAddress.objects.filter(user=current).delete()
    return current


# Where somebody stands, and until when


def place_person(
    person: Person,
    *,
    by: Person,
    department: str = "",
    manager: Person | None = None,
    reason: str = "",
    version: int | None = None,
) -> Person:
    """Say in which department somebody works and to whom they report; kept in history.

    Raises PermissionDenied, Stale, and Refused for a circle or a manager who left.
    """
    if not by.has_perm("people.change_person"):
        raise PermissionDenied("Your role does not allow you to say where people work.")
    with transaction.atomic():
        with connection.cursor() as cursor:  # one line is written at a time, as in the trigger
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LINE_LOCK])
        current: Person = Person.objects.select_for_update().get(pk=person.pk)
        if version is not None and current.version != version:
            raise Stale
        if current.is_erased or current.is_system:
            raise Refused(f"{current.name} is not edited.")
        if manager is not None and manager.pk != current.manager_id:
            _check_line(current, manager)
        wanted = (department.strip(), manager.pk if manager else None)
        if (current.department, current.manager_id) != wanted:
            current.department, current.manager_id = wanted
            words = f"Reports to {manager.name}." if manager else "Reports to nobody."
            where = f"Works in {wanted[0]}. " if wanted[0] else ""
            current.save_because(reason.strip() or where + words, by=by)
            publish(PersonMoved(current))
    return current


def _check_line(person: Person, manager: Person) -> None:
    """Refuse a manager who left, is no colleague, or already reports to the person."""
    if not manager.is_active or manager.is_outside or manager.is_system:
        raise Refused(f"{manager.name} does not work here now.", field="manager")
    above = Person.objects.get(pk=manager.pk)  # as it stands now, not as the form saw it
    line = [above.name]
    while above.pk != person.pk and above.manager is not None:
        above = above.manager
        line.append(above.name)
    if above.pk == person.pk:
        told = " reports to ".join(line)
        raise Refused(
            f"That would be a circle: {told}."
            if len(line) > 1
            else f"{person.name} does not report to themselves.",
            field="manager",
        )


def set_outside_access(person: Person, *, by: Person, until: date | None, reason: str) -> Person:
    """Make somebody an outside auditor up to a day (inclusive), or a colleague again (None).

    Administrators only: it decides what an account may see. Raises PermissionDenied, Refused.
    """
    _may_assign(by)
    if by.pk == person.pk:
        raise Refused("Ask another administrator to change your own access.")
    if not reason.strip():
        raise Refused("Say why; the reason is kept.", field="reason")
    if until is not None and until < today():
        raise Refused("That day has passed; give the last day of access.", field="until")
    with transaction.atomic():
        administrators_stand_still()
        current: Person = Person.objects.select_for_update().get(pk=person.pk)
        if until is not None:
            _check_administrators_stay(current)
        if current.access_until != until:
            current.access_until = until
            current.save_because(reason, by=by)
            publish(PersonMoved(current))
            end_sessions_of(current)
    return current


# Leaving and being away


def open_of(person: Person) -> list[tuple[str, list[Holding]]]:
    """Everything open that a person answers for, by kind."""
    return contributions.holdings_of(person)


def seal_of(holdings: list[tuple[str, list[Holding]]]) -> str:
    """What a preview showed, in one word: another word means that something changed since."""
    marks = sorted(f"{kind} {each.mark}" for kind, found in holdings for each in found)
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()


def what_stays_open(person: Person) -> str:
    """Why somebody cannot leave yet: what they still answer for; empty when nothing."""
    told = [f"{kind.lower()} ({len(found)})" for kind, found in open_of(person)]
    if not told:
        return ""
    return (
        f"{person.name} still answers for {', '.join(told)}."
        " Open “Hand over” on their page and pass everything on first."
    )


def hand_over(
    person: Person, *, by: Person, successor: Person, reason: str, seen: str | None = None
) -> int:
    """Pass everything open to a successor, each with its own history row; returns how many.

    All or nothing. `seen` is the seal of the preview. What somebody signed stays theirs. Raises
    PermissionDenied, Refused, and Stale where an edit was faster.
    """
    if not by.has_perm("people.hand_over"):
        raise PermissionDenied("Your role does not allow you to hand over other people's work.")
    if not reason.strip():
        raise Refused("Say why; the reason is kept with each record.", field="reason")
    _check_successor(person, successor)
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person.pk)
        holdings = open_of(person)
        if seen is not None and seal_of(holdings) != seen:
            raise Refused("Something changed since you opened this page. Look at the list again.")
        everything = [each for _kind, found in holdings for each in found]
        if not everything:
            raise Refused(f"{person.name} answers for nothing that is open.")
        if obstacles := [why for each in everything if (why := each.why_not(successor))]:
            raise Refused(" ".join(obstacles), field="successor")
        for each in everything:
            each.give(successor, by, f"Handed over by {person.name}: {reason.strip()}")
    return len(everything)


def _check_successor(person: Person, successor: Person) -> None:
    if successor.pk == person.pk:
        raise Refused("The successor must be somebody else.", field="successor")
    if not successor.is_active or successor.is_outside or successor.is_system:
        raise Refused(f"{successor.name} does not work here now.", field="successor")


@contributions.hand_over("People they lead", order=90)
def people_led(person: Person) -> list[Holding]:
    """Who reports to a leaver reports to the successor."""

    def one(report: Person) -> Holding:
        def refuses(successor: Person) -> str:
            if successor.pk == report.pk:
                return f"{report.name} cannot lead themselves; choose their next manager first."
            return ""

        def give(successor: Person, by: Person, reason: str) -> None:
            current = Person.objects.select_for_update().get(pk=report.pk)
            if current.version != report.version:
                raise Stale
            _check_line(current, successor)
            current.manager = successor
            current.save_because(reason, by=by)
            publish(PersonMoved(current))

        return Holding(report, report.name, refuses, give)

    rows = Person.objects.filter(manager=person, is_active=True).order_by("name", "pk")
    return [one(report) for report in rows]


def whose_absence(absence: Absence, by: Any) -> str | None:
    """Who may say that somebody is away: they themselves, their manager, or who keeps people."""
    if by.pk in (absence.person_id, absence.person.manager_id) or by.has_perm("people.hand_over"):
        return None
    return "Only the person, their manager or the quality manager says that somebody is away."


@creates(Absence, permission="people.add_absence")
def plan_absence(
    *, by: Person, person: Person, deputy: Person, starts_on: date, ends_on: date
) -> Absence:
    """Say that somebody is away and who gets their work meanwhile; it ends by itself."""
    absence = Absence(
        person=person, deputy=deputy, starts_on=starts_on, ends_on=ends_on, created_by=by
    )
    if why := whose_absence(absence, by):
        raise PermissionDenied(why)
    if ends_on < starts_on:
        raise Refused("The absence ends before it starts.", field="ends_on")
    if ends_on < today():
        raise Refused("That absence is over already.", field="ends_on")
    if ends_on - starts_on > LONGEST_ABSENCE:
        raise Refused("Longer than three years is no absence; hand over.", field="ends_on")
    if deputy.pk == person.pk:
        raise Refused("The deputy must be somebody else.", field="deputy")
    if not deputy.is_active or deputy.is_outside:
        raise Refused(f"{deputy.name} does not work here now.", field="deputy")
    Person.objects.select_for_update().get(pk=person.pk)
    _nobody_is_away_twice(absence)
    absence.save()
    return absence


def _nobody_is_away_twice(absence: Absence) -> None:
    overlapping = Absence.objects.filter(
        starts_on__lte=absence.ends_on, ends_on__gte=absence.starts_on
    ).exclude(pk=absence.pk)
    if overlapping.filter(person=absence.person).exists():
        raise Refused(
            f"{absence.person.name} is away on some of these days already.", field="starts_on"
        )
    if overlapping.filter(person=absence.deputy).exists():
        raise Refused(f"{absence.deputy.name} is away on some of these days, too.", field="deputy")


amendment(
    Absence,
    permission="people.change_absence",
    fields=("ends_on",),
    only=whose_absence,
    guards=[
        lambda absence, by: "The absence is over." if absence.ends_on < today() else None,
    ],
)


@contributions.tells_departments
def departments(ids: Any) -> dict[int, str]:
    """The department of each person who has one."""
    rows = Person.objects.filter(pk__in=list(ids)).exclude(department="")
    return dict(rows.values_list("pk", "department"))


def end_sessions_of(person: Person) -> None:
    """Sign the person out everywhere."""
    for session in Session.objects.filter(expire_date__gt=now()).iterator():
        if session.get_decoded().get("_auth_user_id") == str(person.pk):
            session.delete()


def make_token(*, by: Person, label: str, days: int) -> tuple[ApiToken, str]:
    """A token for one's own programs, and its secret, which is told once and not kept."""
    if not label.strip():
        raise Refused("Say what the token is for.", field="label")
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise Refused(f"A token lasts 1 to {LONGEST_TOKEN_DAYS} days.", field="days")
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=by.pk)
        live = ApiToken.objects.filter(person=by, revoked_at=None, expires_at__gt=now())
        if live.count() >= MOST_TOKENS:
            raise Refused(f"You have {MOST_TOKENS} tokens. Revoke one that is no longer used.")
        return ApiToken.issue(by, label.strip(), now() + timedelta(days=days))


def revoke_token(token: ApiToken, *, by: Person) -> None:
    """End a token at once; its own person may, and whoever may change people."""
    if by.pk != token.person_id and not by.has_perm("people.change_person"):
        raise PermissionDenied("Only its owner or an administrator revokes a token.")
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now())


def _may_assign(by: Person) -> None:
    if not by.has_perm("people.assign_role"):
        raise PermissionDenied("Your role does not allow you to assign roles.")


def _forget_cached_roles(person: Any) -> None:
    for name in ("role_names", "permissions"):
        person.__dict__.pop(name, None)
