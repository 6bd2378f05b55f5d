"""`manage.py rebuild_work`: write every work item anew from the records."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from qms.work.workflow import rebuild


class Command(BaseCommand):
    """Safe at any time: work items are derived from records."""

    help = "Write every work item anew from the records."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            count = rebuild()
        self.stdout.write(f"The next steps of {count} records were written anew.")
