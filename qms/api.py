"""The API under `/api/v1/`: the same forms, factories, amendments and transitions as the pages.

A chapter's `api.py` declares a `Resource`; it answers list, read, create, edit and transitions.
What a page refuses is refused here with the same sentence: 422, or 409 for a stale version.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Query, Router, Schema, Status
from ninja.errors import ValidationError as Misread
from ninja.operation import Operation as NinjaOperation
from ninja.orm import create_schema
from ninja.params.models import BodyModel, PathModel, QueryModel
from ninja.security import HttpBearer, SessionAuth
from pydantic import Field, create_model

from qms import contributions
from qms.forms import transition_form
from qms.refusals import Refused, Stale
from qms.workflow import Transition, amend, amendment_of, transitions_of

PAGE_MAX = 100
_bearers: list[Callable[[str], Any]] = []


def knows_bearer(find: Callable[[str], Any]) -> Callable[[str], Any]:
    """Register the one function (secret) → person or None that knows personal tokens."""
    _bearers[:] = [find]
    return find


# A thousand shapes are built when the first request asks for one, not while each process starts.
for _shape in (Schema, BodyModel, PathModel, QueryModel):
    _shape.model_config["defer_build"] = True

wrap_answer = NinjaOperation._create_response_model


@cache
def answer_model(schema: Any) -> Any:
    """Ninja's wrapper of an answer, made once for each schema and not once for each operation."""
    return wrap_answer(None, schema)  # type: ignore[arg-type]


NinjaOperation._create_response_model = (  # type: ignore[method-assign]
    lambda self, response_param: answer_model(response_param)
)


class TokenAuth(HttpBearer):
    """A personal token, made on the profile page; what is done with it is done by its owner."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        person = _bearers[0](token) if _bearers else None
        if person is not None:
            request.user = person
        return person


class PageSession(SessionAuth):
    """The session of somebody signed in on the pages, with their CSRF token."""


api = NinjaAPI(
    title="Quality management system",
    version="1",
    description="Records, their procedures and their history. Sign in with a personal token.",
    urls_namespace="api",
    auth=[TokenAuth(), PageSession()],
)


class Message(Schema):
    """Why something was refused, in words; `field` where it belongs to one."""

    detail: str
    field: str | None = None
    errors: dict[str, list[str]] | None = None


@api.exception_handler(Refused)
def _refused(request: HttpRequest, refusal: Any) -> HttpResponse:
    status = 409 if isinstance(refusal, Stale) else 422
    return api.create_response(
        request, {"detail": str(refusal), "field": refusal.field}, status=status
    )


@api.exception_handler(PermissionDenied)
def _denied(request: HttpRequest, denied: Any) -> HttpResponse:
    why = str(denied) or "Your role does not allow this."
    return api.create_response(request, {"detail": why}, status=403)


class Invalid(Exception):
    """A form did not take the values; carries its errors by field."""

    def __init__(self, form: forms.BaseForm) -> None:
        super().__init__("invalid")
        self.errors = {name: [str(e) for e in errors] for name, errors in form.errors.items()}


@api.exception_handler(Invalid)
def _invalid(request: HttpRequest, invalid: Any) -> HttpResponse:
    first = next(iter(invalid.errors.values()))[0]
    return api.create_response(request, {"detail": first, "errors": invalid.errors}, status=422)


@api.exception_handler(Misread)
def _misread(request: HttpRequest, misread: Any) -> HttpResponse:
    """A body that is not of the declared shape: which field, and what is wrong with it."""
    errors: dict[str, list[str]] = {}
    for each in misread.errors:
        name = str(each["loc"][-1]) if each["loc"] else ""
        errors.setdefault(name, []).append(_say(each))
    named, said = next(iter(errors.items()), ("", ["The request cannot be read."]))
    detail = f"{named}: {said[0]}" if named else said[0]
    return api.create_response(request, {"detail": detail, "errors": errors}, status=422)


def _say(error: Mapping[str, Any]) -> str:
    """What pydantic says, as a sentence."""
    if error["type"] == "missing":
        return "It is missing; this request needs it."
    said = str(error["msg"]).rstrip(".")
    return f"{said[:1].upper()}{said[1:]}."


@api.exception_handler(ValidationError)
def _not_valid(request: HttpRequest, error: Any) -> HttpResponse:
    return api.create_response(request, {"detail": " ".join(error.messages)}, status=422)


# --- from a form's fields to a schema -----------------------------------------------------------


def _type_of(field: forms.Field) -> Any:
    """The JSON type of a form field; records are named by their id."""
    pairs: tuple[tuple[type[forms.Field], Any], ...] = (
        (forms.ModelMultipleChoiceField, list[int]),
        (forms.ModelChoiceField, int),
        (forms.TypedMultipleChoiceField, list[str]),
        (forms.MultipleChoiceField, list[str]),
        (forms.BooleanField, bool),
        (forms.DecimalField, Decimal),
        (forms.FloatField, Decimal),
        (forms.IntegerField, int),
        (forms.DateTimeField, datetime),
        (forms.DateField, date),
        (forms.TimeField, time),
        (forms.JSONField, Any),
    )
    for kind, answer in pairs:
        if isinstance(field, kind):
            return answer
    return _choices_of(field) if isinstance(field, forms.ChoiceField) else str


def _choices_of(field: Any) -> Any:
    values = [str(value) for value, _label in field.choices if value not in ("", None)]
    if not 0 < len(values) <= 30 or any(isinstance(label, list) for _v, label in field.choices):
        return str
    return Literal[tuple(values)]


def schema_of(name: str, fields: Mapping[str, forms.Field], *, partial: bool = False) -> Any:
    """A schema that asks for what the form asks for; `partial` makes every field optional."""
    asked: dict[str, Any] = {}
    for key, field in fields.items():
        if isinstance(field, forms.FileField):
            continue
        kind = _type_of(field)
        label = str(field.label or key.replace("_", " "))
        if partial or not field.required:
            asked[key] = (kind | None, Field(None, description=label))
        else:
            asked[key] = (kind, Field(..., description=label))
    return create_model(name, __base__=Schema, **asked)


def _bound(values: dict[str, Any]) -> dict[str, Any]:
    """Values as a browser would post them: None as not given."""
    return {name: value for name, value in values.items() if value is not None}


class ListQuery(Schema):
    """Which part of a list: at most `limit` records with an id above `after`."""

    after: int = Field(0, ge=0, le=2**62)
    limit: int = Field(50, ge=1, le=PAGE_MAX)


class Resource:
    """One kind of record at `/api/v1/<path>/`.

    `fields` are what reading shows, `form` what creating asks (handed to `create`), `related`
    what lists join. Every route asks `visible_to`, so what a page hides is not found here.
    """

    def __init__(
        self,
        path: str,
        model: type[Any],
        *,
        fields: Iterable[str],
        form: type[Any] | None = None,
        create: Callable[..., Any] | None = None,
        edit_form: type[Any] | None = None,
        related: Iterable[str] = (),
        filters: Callable[[Any, HttpRequest], Any] | None = None,
    ) -> None:
        self.path, self.model = path, model
        self.form, self.create = form, create
        self.edit_form = edit_form or form
        self.related, self.filters = tuple(related), filters
        self.router = Router(tags=[str(model._meta.verbose_name_plural)])
        name = model.__name__
        self.read_schema = create_schema(
            model,
            name=f"{name}Read",
            fields=["id", "version", *fields],
            custom_fields=[
                ("url", str, ""),
                *([("state", str, "")] if hasattr(model, "STATE_FIELD") else []),
            ],
        )
        self._reading(name)
        if form is not None and create is not None:
            self._creating(name)
        if self.edit_form is not None and amendment_of(model):
            self._editing(name)
        for each in transitions_of(model):
            self._moving(name, each)
        api.add_router(f"/{path}/", self.router)

    def found(self, request: HttpRequest, pk: int) -> Any:
        """The record, if this person may see it; else the same 404 as for none."""
        record = self._visible(request).filter(pk=pk).first()
        if record is None:
            raise NotThere(self.model)
        return record

    def _visible(self, request: HttpRequest) -> Any:
        rows = self.model.objects.visible_to(request.user)
        return rows.select_related(*self.related) if self.related else rows

    def _shown(self, record: Any) -> Any:
        record.url = record.get_absolute_url()
        return record

    def _permission(self, verb: str) -> str:
        return f"{self.model._meta.app_label}.{verb}_{self.model._meta.model_name}"

    def _declare(self, method: str, path: str, view: Any, needs: str, **options: Any) -> None:
        view.needs = needs
        self.router.add_api_operation(path, [method], view, **options)
        operations.append(Operation(method, f"/api/v1/{self.path}{path}", needs, view.__name__))

    def _reading(self, name: str) -> None:
        page = create_model(
            f"{name}Page",
            __base__=Schema,
            items=(list[self.read_schema], ...),  # type: ignore[name-defined]
            next=(int | None, None),
        )

        def list_records(request: HttpRequest, query: Query[ListQuery]) -> Any:
            _check(request, self._permission("view"))
            rows = self._visible(request).filter(pk__gt=query.after).order_by("pk")
            if self.filters:
                rows = self.filters(rows, request)
            items = [self._shown(row) for row in rows[: query.limit + 1]]
            more = len(items) > query.limit
            items = items[: query.limit]
            return {"items": items, "next": items[-1].pk if more else None}

        def read_record(request: HttpRequest, pk: int) -> Any:
            _check(request, self._permission("view"))
            return self._shown(self.found(request, pk))

        self._declare(
            "GET",
            "/",
            list_records,
            self._permission("view"),
            response={200: page, 403: Message},
            summary=f"List {self.model._meta.verbose_name_plural}",
            operation_id=f"{self.path}_list",
        )
        self._declare(
            "GET",
            "/{int:pk}/",
            read_record,
            self._permission("view"),
            response={200: self.read_schema, 403: Message, 404: Message},
            summary=f"Read one {self.model._meta.verbose_name}",
            operation_id=f"{self.path}_read",
        )

    def _creating(self, name: str) -> None:
        body = schema_of(f"{name}Create", self.form.base_fields)  # type: ignore[union-attr]
        creation = getattr(self.create, "creation", None)
        needs = creation.permission if creation else self._permission("add")

        def create_record(request: HttpRequest, values: body) -> Any:  # type: ignore[valid-type]
            _check(request, needs)
            form = self.form(_bound(values.dict()), by=request.user)  # type: ignore[misc,attr-defined]
            if not form.is_valid():
                raise Invalid(form)
            record = self.create(by=request.user, **form.changes())  # type: ignore[misc]
            return Status(201, self._shown(record))

        self._declare(
            "POST",
            "/",
            create_record,
            needs,
            response={201: self.read_schema, 403: Message, 422: Message},
            summary=f"Add a {self.model._meta.verbose_name}",
            operation_id=f"{self.path}_create",
        )

    def _editing(self, name: str) -> None:
        declared = amendment_of(self.model)
        fields = {
            key: field
            for key, field in self.edit_form.base_fields.items()  # type: ignore[union-attr]
            if key in declared.fields  # type: ignore[union-attr]
        }
        changes = schema_of(f"{name}Edit", fields, partial=True)
        body = create_model(
            f"{name}EditRequest", __base__=changes, version=(int, ...), reason=(str, "")
        )

        def edit_record(request: HttpRequest, pk: int, values: body) -> Any:  # type: ignore[valid-type]
            _check(request, declared.permission)  # type: ignore[union-attr]
            record = self.found(request, pk)
            given = values.dict(exclude_unset=True)  # type: ignore[attr-defined]
            cleaned = self._clean_edit(request, record, given)
            amended = amend(
                record,
                by=request.user,
                changes=cleaned,
                reason=values.reason,  # type: ignore[attr-defined]
                version=values.version,  # type: ignore[attr-defined]
            )
            return self._shown(amended)

        self._declare(
            "PATCH",
            "/{int:pk}/",
            edit_record,
            declared.permission,  # type: ignore[union-attr]
            response={
                200: self.read_schema,
                403: Message,
                404: Message,
                409: Message,
                422: Message,
            },
            summary=f"Edit a {self.model._meta.verbose_name}",
            operation_id=f"{self.path}_edit",
        )

    def _clean_edit(self, request: HttpRequest, record: Any, given: dict[str, Any]) -> Any:
        """The given fields through the edit form; those not given keep their values."""
        form = self.edit_form(None, instance=record, by=request.user)  # type: ignore[misc]
        stored = {
            name: form.get_initial_for_field(field, name) for name, field in form.fields.items()
        }
        data = _bound({**{n: getattr(v, "pk", v) for n, v in stored.items()}, **given})
        form = self.edit_form(data, instance=record, by=request.user)  # type: ignore[misc]
        names = set(given) - {"version", "reason"}
        if not form.is_valid() and any(name in names or name == "__all__" for name in form.errors):
            raise Invalid(form)
        record.refresh_from_db()  # a bound model form has written into it
        return {name: form.cleaned_data[name] for name in names if name in form.cleaned_data}

    def _moving(self, name: str, each: Transition) -> None:
        asked: dict[str, Any] = dict(each.details)
        base = schema_of(f"{name}{each.name.title().replace('_', '')}Details", asked)
        extra: dict[str, Any] = {"version": (int, ...)}
        extra["reason"] = (str, ...) if each.needs_reason else (str, "")
        if each.signs:
            extra["password"] = (str, Field(..., description="Signs in your name"))
        body = create_model(f"{name}{each.name.title().replace('_', '')}", __base__=base, **extra)

        def move_record(request: HttpRequest, pk: int, values: body) -> Any:  # type: ignore[valid-type]
            _check(request, each.permission)
            record = self.found(request, pk)
            given = values.dict()  # type: ignore[attr-defined]
            form = transition_form(each, record, by=request.user, data=_bound(given))
            if not form.is_valid():
                raise Invalid(form)
            proof = contributions.prove(request, given) if each.signs else None
            moved = each(
                record,
                by=request.user,
                reason=given.get("reason") or "",
                version=given["version"],
                proof=proof,
                **form.changes(),
            )
            return self._shown(moved)

        move_record.__name__ = f"{each.name}_record"
        self._declare(
            "POST",
            f"/{{int:pk}}/{each.name}/",
            move_record,
            each.permission,
            response={
                200: self.read_schema,
                403: Message,
                404: Message,
                409: Message,
                422: Message,
            },
            summary=each.sentence,
            operation_id=f"{self.path}_{each.name}",
        )


class Operation:
    """One operation of the API and the permission it needs; a row of the permission table."""

    def __init__(self, method: str, path: str, needs: str, name: str) -> None:
        self.method, self.path, self.needs, self.name = method, path, needs, name


operations: list[Operation] = []


class NotThere(Exception):
    """There is no such record, or this person may not see it: the same answer."""

    def __init__(self, model: type[models.Model]) -> None:
        super().__init__(f"There is no such {model._meta.verbose_name}.")


@api.exception_handler(NotThere)
def _not_there(request: HttpRequest, missing: Any) -> HttpResponse:
    return api.create_response(request, {"detail": str(missing)}, status=404)


def _check(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied
