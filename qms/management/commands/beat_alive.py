"""Whether the schedule still runs: for the health check of its container."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max
from django.utils import timezone
from django_celery_beat.models import PeriodicTask


class Command(BaseCommand):
    help = "Fail when beat has sent no task for some minutes (it notes them every three)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--minutes", type=float, default=10.0)

    def handle(self, *args: Any, **options: Any) -> None:
        last = PeriodicTask.objects.aggregate(last=Max("last_run_at"))["last"]
        oldest = timezone.now() - timedelta(minutes=options["minutes"])
        if last is None or last < oldest:
            since = f"since {last:%Y-%m-%d %H:%M} UTC" if last else "yet"
            raise CommandError(f"The schedule has sent no task {since}. Restart beat.")
        self.stdout.write(f"The schedule sent its last task at {last:%Y-%m-%d %H:%M:%S} UTC.")
