"""`manage.py build_demo`: live through the years of a demo company in an empty database."""

import sys
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import autodiscover_modules

from qms import clock
from qms.demo import beginning, gaps, outlook, people, registers, setup  # noqa: F401 - importing registers stages
from qms.demo.life import MONTHS, Life, companies
from qms.outbox.models import Effect
from qms.people.models import Person
from qms.periods import today


class Command(BaseCommand):
    """Refused unless this is a demo installation with an empty database."""

    help = "Build a demo company with three years of history in an empty database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--company", default="ca-manufacturer", choices=companies())
        parser.add_argument("--seed", type=int, default=9001)
        parser.add_argument("--months", type=int, default=MONTHS, help="how long it has lived")

    def handle(self, *args: Any, **options: Any) -> None:
        if Person.objects.people().exists():
            raise CommandError("There are people already. A demo is built in an empty database.")
        began = time.monotonic()
        clock.declare_demo_database()
        autodiscover_modules("demo")
        life = Life(
            options["company"], today=today(), seed=options["seed"], months=options["months"]
        )
        count = life.run(self._tell)
        # Mails of a time that nobody lived are not sent.
        Effect.objects.filter(kind="mail").exclude(state=Effect.State.DONE).delete()
        self.stdout.write(
            f"{life.told['organisation']['name']}: {count} events of"
            f" {life.months} months, in {time.monotonic() - began:.0f} s."
        )

    def _tell(self, done: int, at: datetime) -> None:
        if sys.stdout.isatty():
            self.stdout.write(f"\r  {at:%B %Y} … {done} events", ending="")
            self.stdout.flush()
        elif done % 100 == 0:
            self.stdout.write(f"  {at:%B %Y} … {done} events")
