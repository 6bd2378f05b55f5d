"""Persons, the roles they hold and the tokens their programs use (ISO 9001 5.3).

A person is an account with a key. What identifies the human being (`Person.IDENTITY`) stands in
columns that history never copies, so it can be erased while every history row keeps its key.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, ClassVar, NoReturn, Self

import pgtrigger
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.expressions import ArraySubquery
from django.db import IntegrityError, models, transaction
from django.db.models import OuterRef
from django.db.models.functions import Lower
from django.utils.functional import cached_property

from qms import triggers
from qms.addresses import page_of
from qms.clock import DatabaseNow, now
from qms.people.roles import (
    EMPLOYEE,
    OUTSIDE_AUDITOR,
    ROLES,
    Role,
    permissions_of,
    permissions_of_system,
)
from qms.periods import today
from qms.records import History, Record, RecordQuerySet, StatefulRecord

SYSTEM_NAME = "The system"
LINE_LOCK = 7_302_003  # one line of managers is written at a time, so that no circle closes


class PersonQuerySet(models.QuerySet["Person"]):
    """Persons; they are kept for ever, so bulk changes are refused as for records."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Persons are changed one by one, through qms.people.workflow.")

    update = bulk_create = bulk_update = delete = _refuse

    def people(self) -> Self:
        """Human beings who may sign in, by name."""
        return self.filter(is_active=True, is_system=False).order_by("name", "pk")

    def holding(self, *roles: str) -> Self:
        """Active people who hold one of the roles now."""
        held = RoleAssignment.objects.filter(status=RoleAssignment.Status.HELD, role__in=roles)
        return self.people().filter(pk__in=held.values("person_id"))

    def with_roles(self) -> Self:
        """With the names of the roles they hold now, for who is asked what they may do."""
        held = RoleAssignment.objects.filter(person=OuterRef("pk"))
        held = held.filter(status=RoleAssignment.Status.HELD).order_by("role")
        return self.annotate(roles_held=ArraySubquery(held.values("role")))

    def visible_to(self, person: Any) -> Self:
        """Every colleague sees every colleague's name and roles; an outside auditor only itself."""
        if not (person.is_authenticated and person.is_active):
            return self.none()
        return self.filter(pk=person.pk) if person.is_outside else self


class PersonManager(BaseUserManager["Person"].from_queryset(PersonQuerySet)):
    """Finds persons by e-mail without regard to case."""

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email__iexact=(username or "").strip())

    def system(self) -> "Person":
        """The person by whom the clock acts; made when first asked for."""
        found = self.filter(is_system=True).first()
        if found is not None:
            return found
        made = Person(is_system=True, name=SYSTEM_NAME, email=None)
        made.set_unusable_password()
        try:
            with transaction.atomic():
                made.save_because("The clock needs a name to act under.", by=None)
        except IntegrityError:  # another was quicker
            return self.get(is_system=True)
        return made


class NoCircleOfManagers(pgtrigger.Trigger):
    """Nobody reports to themselves, not even through others; one line is written at a time."""

    when = pgtrigger.Before
    operation = pgtrigger.Insert | pgtrigger.Update

    def get_func(self, model: Any) -> str:
        return f"""
            IF NEW."manager_id" IS NULL THEN RETURN NEW; END IF;
            PERFORM pg_advisory_xact_lock({LINE_LOCK});
            IF EXISTS (
                WITH RECURSIVE above(id) AS (
                    SELECT NEW."manager_id"
                    UNION
                    SELECT p."manager_id" FROM "people_person" AS p
                      JOIN above AS a ON p."id" = a.id
                     WHERE p."manager_id" IS NOT NULL
                )
                SELECT 1 FROM above WHERE id = NEW."id"
            ) THEN
                RAISE EXCEPTION 'A person would report to themselves.'
                  USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        """  # noqa: S608 - a trigger's text, no value of anybody


class Person(AbstractBaseUser):
    """Somebody who acts in the quality system; the account and, erasable, who it is.

    `department` and `manager` say where they stand in the organisation and are kept in history.
    Who has `access_until` is an outside auditor: they see their audits, to the end of that day.
    """

    NAMED_BY: ClassVar[tuple[str, ...]] = ("name",)
    IDENTITY: ClassVar[tuple[str, ...]] = ("email", "name", "job_title", "phone")
    UNTRACKED: ClassVar[tuple[str, ...]] = (*IDENTITY, "password", "last_login")

    email = models.EmailField("e-mail", null=True, blank=True, unique=True)
    name = models.CharField("name", max_length=120)
    job_title = models.CharField("job title", max_length=120, blank=True)
    phone = models.CharField("phone", max_length=40, blank=True)
    department = models.CharField("department", max_length=80, blank=True)
    manager = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="reports"
    )
    access_until = models.DateField("outside auditor until", null=True, blank=True)
    is_active = models.BooleanField("may sign in", default=True)
    is_system = models.BooleanField(default=False, editable=False)
    is_erased = models.BooleanField(default=False, editable=False)
    created_by = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="+", editable=False
    )
    recorded_at = models.DateTimeField(db_default=DatabaseNow(), editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    history = History(
        excluded_fields=["email", "name", "job_title", "phone", "password", "last_login"]
    )
    objects = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        default_permissions = ("add", "change", "view")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="people_one_account_per_email"),
            models.UniqueConstraint(
                fields=["is_system"], condition=models.Q(is_system=True), name="people_one_system"
            ),
        ]
        triggers = [
            triggers.Kept(name="kept"),
            triggers.KeptWhole(name="never_truncated"),
            triggers.NeedsHistory(name="needs_history"),
            NoCircleOfManagers(name="no_circle_of_managers"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:

        return page_of("people:person_detail", self.pk)

    def clean(self) -> None:
        self.email = (self.email or "").strip().lower() or None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save identity, password or last sign-in; anything history keeps needs `save_because`."""
        explained = getattr(self, "_change_reason", None) is not None
        only = kwargs.get("update_fields")
        self.email = (self.email or "").strip().lower() or None
        if not explained:
            if self._state.adding or only is None or set(only) - set(self.UNTRACKED):
                raise TypeError("Changing a Person needs a reason; use qms.people.workflow.")
            self.skip_history_when_saving = True
        try:
            with transaction.atomic(savepoint=False):
                super().save(*args, **kwargs)
        finally:
            self.__dict__.pop("skip_history_when_saving", None)

    def save_because(self, reason: str, *, by: "Person | None") -> None:
        """Save with the person and the reason in the history row (`by` None: the system itself)."""
        if self._state.adding:
            self.created_by = by
        else:
            self.version += 1
        self._change_reason, self._history_user = reason, by
        try:
            self.save()
        finally:
            del self._change_reason, self._history_user

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("Persons are kept; deactivate or erase them instead.")

    # What the person may do ---------------------------------------------------------------------

    @cached_property
    def role_names(self) -> frozenset[str]:
        """The names of the roles held now; everybody active is an employee."""
        if not self.is_active or self.is_system or self.access_has_ended:
            return frozenset()
        if self.is_outside:
            return frozenset({OUTSIDE_AUDITOR.name})
        if (known := self.__dict__.get("roles_held")) is not None:  # read with the person
            return frozenset({EMPLOYEE.name, *known})
        held = RoleAssignment.objects.filter(person=self, status=RoleAssignment.Status.HELD)
        return frozenset({EMPLOYEE.name, *held.values_list("role", flat=True)})

    @property
    def is_outside(self) -> bool:
        """Whether this is an outside auditor on contract, who sees only their own audits."""
        return self.access_until is not None

    @property
    def access_has_ended(self) -> bool:
        """Whether an outside auditor's last day has passed; access ends by itself."""
        return self.access_until is not None and self.access_until < today()

    @property
    def roles(self) -> list[Role]:
        if self.is_outside:
            return [OUTSIDE_AUDITOR]
        return [role for role in ROLES.values() if role.name in self.role_names]

    @property
    def role_label(self) -> str:
        """The highest role, for the top bar."""
        return self.roles[-1].label if self.roles else ""

    @cached_property
    def permissions(self) -> frozenset[str]:
        if self.is_system:
            return permissions_of_system()
        return permissions_of(self.role_names)

    def has_perm(self, permission: str, obj: Any = None) -> bool:
        """Whether one of the person's roles grants it; inactive people may nothing."""
        return self.is_active and not self.access_has_ended and permission in self.permissions

    def has_perms(self, permissions: Iterable[str], obj: Any = None) -> bool:
        return all(self.has_perm(each, obj) for each in permissions)

    def has_module_perms(self, app_label: str) -> bool:
        return any(each.startswith(f"{app_label}.") for each in self.permissions)

    def holds(self, *roles: str) -> bool:
        return bool(self.role_names.intersection(roles))

    @property
    def is_staff(self) -> bool:
        """Who may open the read-only admin site."""
        return self.has_perm("people.open_admin")

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]

    @property
    def initials(self) -> str:
        words = [word for word in self.name.split() if word[:1].isalnum()]
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words))


class RoleAssignment(StatefulRecord):
    """That a person holds a role, from when, until when (5.3)."""

    class Status(models.TextChoices):
        HELD = "held", "Held"
        ENDED = "ended", "Ended"

    PATHS = {("held", "ended")}

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assignments")
    role = models.CharField("role", max_length=30)
    status = models.CharField(max_length=10, choices=Status, default=Status.HELD, editable=False)

    objects = RecordQuerySet.as_manager()

    class Meta(StatefulRecord.Meta):
        verbose_name = "role assignment"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "role"],
                condition=models.Q(status="held"),
                name="people_role_held_once",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=sorted(ROLES)),
                name="people_role_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.about.label}"

    def get_absolute_url(self) -> str:
        return self.person.get_absolute_url()

    @property
    def about(self) -> Role:
        """The role as the code describes it."""
        return ROLES[self.role]


class AbsenceQuerySet(RecordQuerySet):
    """Absences of everybody; who stands in for whom is no secret among colleagues."""

    def on(self, day: date) -> Self:
        """Absences that hold on a day (both ends inclusive)."""
        return self.filter(starts_on__lte=day, ends_on__gte=day)


class Absence(Record):
    """That somebody is away from a day to a day, and who does their work meanwhile (5.3).

    It begins and ends by itself; ending it earlier moves `ends_on`.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="absences", verbose_name="who"
    )
    deputy = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="stands_in", verbose_name="deputy"
    )
    starts_on = models.DateField("first day away")
    ends_on = models.DateField("last day away")

    objects = AbsenceQuerySet.as_manager()

    class Meta(Record.Meta):
        verbose_name = "absence"
        indexes = [models.Index(fields=["deputy", "starts_on", "ends_on"], name="people_standing")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(deputy=models.F("person")), name="people_deputy_is_another"
            ),
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="people_absence_ends_after_it_starts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}, away {self.starts_on:%-d %b %Y} to {self.ends_on:%-d %b %Y}"

    def get_absolute_url(self) -> str:
        return self.person.get_absolute_url()

    @property
    def is_released(self) -> bool:
        """Others count on it: moving it asks for the reason."""
        return True


class ApiToken(models.Model):
    """A personal token for programs. Only its hash is kept; it acts as the person who made it."""

    PREFIX: ClassVar[str] = "qms_"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="api_tokens")
    label = models.CharField("what it is for", max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False)
    created_at = models.DateTimeField(db_default=DatabaseNow(), editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.label

    @classmethod
    def issue(cls, person: Person, label: str, expires_at: datetime) -> tuple["ApiToken", str]:
        """A new token and its secret, which is shown once and never again."""
        secret = cls.PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(
            person=person,
            label=label,
            digest=cls.hash(secret),
            hint=secret[:10],
            expires_at=expires_at,
        )
        return token, secret

    @staticmethod
    def hash(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()

    @classmethod
    def person_with(cls, secret: str) -> Person | None:
        """The active person a valid secret belongs to; None when expired, revoked or unknown."""
        token = (
            cls.objects.select_related("person")
            .filter(digest=cls.hash(secret), revoked_at=None, expires_at__gt=now())
            .first()
        )
        if token is None or not token.person.is_active or token.person.access_has_ended:
            return None
        cls.objects.filter(pk=token.pk).update(last_used_at=now())
        return token.person

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.expires_at > now()
