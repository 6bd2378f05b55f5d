"""`manage.py rebuild_search`: write the index of the search anew from the records."""

from typing import Any

from django.core.management.base import BaseCommand

from qms.finding.workflow import rebuild


class Command(BaseCommand):
    """Safe at any time: the index is derived from records."""

    help = "Write the index of the search anew from the records."

    def handle(self, *args: Any, **options: Any) -> None:
        count = rebuild()
        self.stdout.write(f"The words of {count} records were indexed anew.")
