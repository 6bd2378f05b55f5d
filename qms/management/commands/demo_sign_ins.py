"""`manage.py demo_sign_ins`: who may sign in to the demo, by role, with which password."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from qms import clock
from qms.demo.setup import PASSWORD
from qms.people.models import Person
from qms.people.roles import ROLES


class Command(BaseCommand):
    """One line a role; refused outside a demo."""

    help = "Print the demo's sign-ins by role."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO or not clock.is_demo_database():
            raise CommandError("This is no demo; its people have their own passwords.")
        shown: set[int] = set()
        for role in reversed(ROLES.values()):
            holders = Person.objects.people() if role.name == "employee" else None
            people = holders if holders is not None else Person.objects.holding(role.name)
            person = next((each for each in people if each.pk not in shown), None)
            if person is not None:
                shown.add(person.pk)
                self.stdout.write(f"  {role.label:<16} {person.email:<32} {PASSWORD}")
