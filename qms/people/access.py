"""What a person may do comes from the roles in code; an outside auditor's access ends by itself."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest, HttpResponseBase

from qms.people.models import Person


class RoleBackend(BaseBackend):
    """Permissions come from roles (`qms/people/roles.py`); signing in is allauth's."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        return None

    def get_user(self, user_id: int) -> Person | None:
        found = Person.objects.filter(pk=user_id, is_active=True).with_roles().first()
        return None if found is not None and found.access_has_ended else found

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return bool(isinstance(user_obj, Person) and user_obj.has_perm(perm, obj))


class AccessEnds:
    """Middleware: a session of an outside auditor whose last day has passed is over."""

    def __init__(self, answer: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        person: Any = request.user
        if "_auth_user_id" in request.session and getattr(person, "access_has_ended", False):
            logout(request)
        return self.answer(request)
