"""Wait for the database and the broker, so that a container starts in any order."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from qms.local.processes import NotReady
from qms.local.stack import look_at_broker, look_at_database


class Command(BaseCommand):
    help = "Wait until database and broker answer; with --migrated until no migration is missing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=60.0, help="how long to wait")
        parser.add_argument("--migrated", action="store_true", help="wait for the tables too")

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["seconds"]
        while True:
            try:
                self._look(migrated=options["migrated"])
            except NotReady as problem:
                if time.monotonic() >= deadline:
                    raise CommandError(str(problem)) from problem
                time.sleep(0.5)
            else:
                return

    def _look(self, *, migrated: bool) -> None:
        look_at_database(settings.DATABASE_URL)
        look_at_broker(settings.REDIS_URL)
        if migrated:
            executor = MigrationExecutor(connections["default"])
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                raise NotReady(
                    "The tables are not up to date. Run `manage.py migrate` and try again."
                )
