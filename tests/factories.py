"""People and records as tests need them, made by the same functions as everywhere else."""

from itertools import count
from typing import Any

from qms.people.models import Person
from qms.people.workflow import _give, add_person
from qms.signing.workflow import Proof

PASSWORD = "a long enough password"
_names = count(1)


def person(*roles: str, name: str = "") -> Person:
    """An active person holding the roles, who can sign in with `PASSWORD`."""
    number = next(_names)
    label = name or f"{' '.join(roles).replace('_', ' ').title() or 'Employee'} {number}"
    made = Person(name=label, email=f"person{number}@example.com")
    made.set_password(PASSWORD)
    made.save_because("Joined.", by=None)
    for role in roles:
        _give(made, role, made)
    return Person.objects.get(pk=made.pk)


def first_person(**fields: Any) -> Person:
    return add_person(by=None, **fields)


def proof(of: Person) -> Proof:
    """What re-authentication gives, for tests that are about something else."""
    from qms import clock

    return Proof(of.pk, "password", clock.now())
