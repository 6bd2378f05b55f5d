"""How people join, get and lose roles, leave, and are forgotten (ISO 9001 5.3, 7.2)."""

from typing import Any

from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.db import transaction

from qms import contributions
from qms.clock import now
from qms.people.models import ApiToken, Person, RoleAssignment
from qms.people.roles import ROLES
from qms.refusals import Refused
from qms.workflow import creates, transition


def add_person(
    *,
    by: Person | None,
    name: str,
    email: str,
    job_title: str = "",
    phone: str = "",
    roles: tuple[str, ...] = (),
) -> Person:
    """Add a person and give them roles. `by` is None only for the very first one."""
    if by is not None and not by.has_perm("people.add_person"):
        raise PermissionDenied("Your role does not allow you to add people.")
    if by is None and Person.objects.people().exists():
        raise Refused("There are people already; sign in to add another.")
    with transaction.atomic():
        email = email.strip().lower()
        if not name.strip():
            raise Refused("Give the person's name.", field="name")
        if Person.objects.filter(email__iexact=email).exists():
            raise Refused(f"{email} has an account already.", field="email")
        person = Person(name=name.strip(), email=email, job_title=job_title, phone=phone)
        person.set_unusable_password()
        person.save_because("Joined.", by=by)
        _remember_address(person)
        for role in roles:
            _give(person, role, by or person)
    return person


def _remember_address(person: Person) -> None:
    """allauth sends recovery mail to addresses it knows; an administrator vouches for this one."""
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)


def give_role(person: Person, role: str, *, by: Person, reason: str = "") -> RoleAssignment:
    """Give a person a role."""
    _may_assign(by)
    return _give(person, role, by, reason)


def _give(person: Person, role: str, by: Person, reason: str = "") -> RoleAssignment:
    if role not in ROLES:
        raise Refused(f"There is no role called {role}.", field="role")
    held = RoleAssignment.objects.filter(person=person, role=role, status="held")
    if existing := held.first():
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
)
def end_role(assignment: RoleAssignment, *, by: Person) -> None:
    """End the role."""
    if assignment.role == "administrator":
        others = RoleAssignment.objects.filter(role="administrator", status="held")
        if not others.exclude(pk=assignment.pk).filter(person__is_active=True).exists():
            raise Refused("Somebody must stay administrator. Give another person the role first.")


def deactivate(person: Person, *, by: Person, reason: str) -> Person:
    """A person leaves: no sign-in, no token; everything they did stays under their name."""
    if not by.has_perm("people.change_person"):
        raise PermissionDenied("Your role does not allow you to deactivate people.")
    if person == by:
        raise Refused("Ask a colleague to deactivate your own account.")
    if not reason.strip():
        raise Refused("Say why; the reason is kept.", field="reason")
    with transaction.atomic():
        current = Person.objects.select_for_update().get(pk=person.pk)
        if not current.is_active:
            raise Refused(f"{current.name} is inactive already.")
        current.is_active = False
        current.save_because(reason, by=by)
        ApiToken.objects.filter(person=current, revoked_at=None).update(revoked_at=now())
        end_sessions_of(current)
    return current


def erase(person: Person, *, by: Person, reason: str) -> Person:
    """Forget who a person who left was; history keeps the key, signatures their printed name."""
    if not by.has_perm("people.erase_person"):
        raise PermissionDenied("Your role does not allow you to erase people.")
    if person.is_active:
        raise Refused(f"Deactivate {person.name} first.")
    from allauth.account.models import EmailAddress

    with transaction.atomic():
        current = Person.objects.select_for_update().get(pk=person.pk)
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


def _may_assign(by: Person) -> None:
    if not by.has_perm("people.assign_role"):
        raise PermissionDenied("Your role does not allow you to assign roles.")


def _forget_cached_roles(person: Any) -> None:
    for name in ("role_names", "permissions"):
        person.__dict__.pop(name, None)


contributions.navigation(
    "Do", "People", "people:person_list", icon="users", permission="people.view_person", order=70
)
