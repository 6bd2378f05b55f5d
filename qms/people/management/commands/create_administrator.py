"""The first account of an installation: made on the server, its password set in the browser."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from qms.mail import full_address
from qms.people.models import Person
from qms.people.roles import ADMINISTRATOR, ROLES
from qms.people.tasks import password_link
from qms.people.workflow import _give, _remember_address, add_person
from qms.refusals import Refused


class Command(BaseCommand):
    help = "Make the first administrator and print a link that sets the password, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", required=True, help="the address to sign in with")
        parser.add_argument("--name", required=True, help="the person's name")
        parser.add_argument(
            "--role",
            action="append",
            default=[],
            choices=sorted(ROLES),
            help="a further role, for instance quality_manager; may be given several times",
        )
        parser.add_argument(
            "--another",
            action="store_true",
            help="make one although there is an administrator, for instance when nobody gets in",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if Person.objects.holding(ADMINISTRATOR.name).exists() and not options["another"]:
            raise CommandError(
                "There is an administrator already, who adds people under People."
                " Give --another if nobody can sign in."
            )
        roles = (ADMINISTRATOR.name, *options["role"])
        try:
            person = self._make(options["email"], options["name"], roles)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"{person.name} is administrator. Set the password here; the link works once, for"
            f" three days:\n\n  {full_address(password_link(person))}\n"
        )

    def _make(self, email: str, name: str, roles: tuple[str, ...]) -> Person:
        """The first person joins by themselves; a later one joins by the clock's hand."""
        if not Person.objects.people().exists():
            return add_person(by=None, name=name, email=email, roles=roles)
        with transaction.atomic():
            known = Person.objects.filter(email__iexact=email.strip(), is_active=True).first()
            person = known or self._join(email, name)
            for role in roles:
                _give(person, role, Person.objects.system(), "Given on the server.")
        return person

    def _join(self, email: str, name: str) -> Person:
        from qms.people.workflow import _clean_email, _clean_name

        person = Person(name=_clean_name(name), email=_clean_email(email))
        person.set_unusable_password()
        person.save_because("Joined on the server.", by=Person.objects.system())
        _remember_address(person)
        return person
