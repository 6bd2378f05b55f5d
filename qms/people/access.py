"""The authentication backend that answers what a person may do, from the roles in code."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from qms.people.models import Person


class RoleBackend(BaseBackend):
    """Permissions come from roles (`qms/people/roles.py`); signing in is allauth's."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        return None

    def get_user(self, user_id: int) -> Person | None:
        return Person.objects.filter(pk=user_id, is_active=True).first()

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return bool(isinstance(user_obj, Person) and user_obj.has_perm(perm, obj))
