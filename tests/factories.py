"""People and records as tests need them, made by the same functions as everywhere else."""

from functools import cache
from itertools import count
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore
from django.db import models, transaction
from django.test import Client
from django.utils.crypto import get_random_string

from qms.people.models import Person, RoleAssignment
from qms.people.roles import EMPLOYEE
from qms.people.workflow import add_person
from qms.records import insert_together
from qms.signing.workflow import Proof

PASSWORD = "a long enough password"
_names = count(1)


def person(*roles: str, name: str = "") -> Person:
    """An active person holding the roles, who can sign in with `PASSWORD`.

    The rows are those that joining and getting roles leave; how people do is tested in `people/`.
    """
    number = next(_names)
    label = name or f"{' '.join(roles).replace('_', ' ').title() or 'Employee'} {number}"
    made = Person(name=label, email=f"person{number}@example.com", password=_hashed())
    held = [
        RoleAssignment(person=made, role=role, created_by=made) for role in dict.fromkeys(roles)
    ]
    with transaction.atomic(savepoint=False):
        models.QuerySet(Person).bulk_create([made])
        made._change_reason, made._history_user = "Joined.", None
        Person.history.bulk_history_create([made])
        insert_together(held)
    del made._change_reason, made._history_user
    made.__dict__["role_names"] = frozenset({EMPLOYEE.name, *roles})
    return made


@cache
def _hashed() -> str:
    return make_password(PASSWORD)


def sign_in(client: Client, user: Person, backend: str | None = None) -> None:
    """The session that signing in leaves; the page where people sign in has tests of its own.

    Stands in for Django's `force_login`, which tells everybody who listens to a sign-in.
    """
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = backend or settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session._session_key = get_random_string(32, VALID_KEY_CHARS)
    session.create_model_instance(session._session).save(force_insert=True)
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key


def first_person(**fields: Any) -> Person:
    return add_person(by=None, **fields)


def proof(of: Person) -> Proof:
    """What re-authentication gives, for tests that are about something else."""
    from qms import clock

    return Proof(of.pk, "password", clock.now())
