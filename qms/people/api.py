"""People at `/api/v1/people/` (to read), oneself at `/api/v1/me/`, and who a token belongs to."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from qms.access import ANYONE_SIGNED_IN
from qms.api import Operation, Resource, api, knows_bearer, operations
from qms.people.models import ApiToken, Person


@knows_bearer
def person_with(secret: str) -> Person | None:
    """The active person a personal token belongs to."""
    return ApiToken.person_with(secret)


people = Resource("people", Person, fields=("name", "email", "job_title", "is_active"))


class Me(Schema):
    """Who asks, and what they may do."""

    id: int
    name: str
    email: str | None
    job_title: str
    roles: list[str]
    permissions: list[str]


router = Router(tags=["people"])


@router.get("/", response=Me, summary="Who I am", operation_id="me")
def me(request: HttpRequest) -> dict[str, Any]:
    """The person whose token or session this is."""
    person: Any = request.user
    return {
        "id": person.pk,
        "name": person.name,
        "email": person.email,
        "job_title": person.job_title,
        "roles": sorted(person.role_names),
        "permissions": sorted(person.permissions),
    }


api.add_router("/me/", router)
operations.append(Operation("GET", "/api/v1/me/", ANYONE_SIGNED_IN, "me"))
