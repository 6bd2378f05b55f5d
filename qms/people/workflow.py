"""How people join, get and lose roles, leave, and are forgotten (ISO 9001 5.3, 7.2).

Who somebody is and what they may do are kept apart: no edit of a name or an address gives a role,
and the address, by which an account is recovered, is changed by administrators only.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.core.validators import validate_email
from django.db import transaction
from django.forms import ValidationError

from qms.clock import now
from qms.outbox import workflow as outbox
from qms.people.models import ApiToken, Person, RoleAssignment
from qms.people.roles import ADMINISTRATOR, ROLES
from qms.refusals import Refused, Stale
from qms.workflow import transition

OWN_FIELDS = ("name", "job_title", "phone")
LONGEST_TOKEN_DAYS, MOST_TOKENS = 365, 20


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
        for held in current.assignments.filter(role=ADMINISTRATOR.name, status="held"):
            if why := somebody_stays(held):
                raise Refused(why)
        current.is_active = False
        current.save_because(reason, by=by)
        ApiToken.objects.filter(person=current, revoked_at=None).update(revoked_at=now())
        end_sessions_of(current)
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
