"""`manage.py import_register`: take over a spreadsheet, after looking at every problem."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from qms.people.models import Person
from qms.refusals import Refused
from qms.registers import Preview, importers, read


class Command(BaseCommand):
    """Shows what would be imported; writes only with --accept, all rows or none."""

    help = "Import a document master list or a nonconformity log from XLSX or CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("register", choices=sorted(importers()))
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", required=True, help="e-mail of the person who imports")
        parser.add_argument("--accept", action="store_true", help="write what the preview shows")
        parser.add_argument(
            "--skip-problem-rows", action="store_true", help="leave rows with problems out"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        person = Person.objects.people().filter(email__iexact=options["by"]).first()
        if person is None:
            raise CommandError(f"Nobody signs in as {options['by']}. Use --by with an e-mail.")
        importer = importers()[options["register"]]
        if not person.has_perm(importer.permission):
            raise CommandError(f"The roles of {person.name} do not allow this import.")
        try:
            preview = importer.preview(read(options["file"]))
            self._tell(importer.title, preview)
            if not options["accept"]:
                self.stdout.write("Nothing was imported. Run it again with --accept to import.")
                return
            made = importer.accept(preview, by=person, skip=options["skip_problem_rows"])
        except (Refused, PermissionDenied) as refusal:
            raise CommandError(str(refusal)) from refusal
        left_out = len(preview.rows) - len(made)
        self.stdout.write(f"{len(made)} records were imported, {left_out} rows were left out.")

    def _tell(self, title: str, preview: Preview) -> None:
        self.stdout.write(f"{title}: {len(preview.rows)} rows, {len(preview.good)} without error.")
        for name, column in preview.columns.items():
            self.stdout.write(f"  {name.replace('_', ' ')} is read from column {column}")
        for column in preview.unknown:
            self.stdout.write(f"  column {column} is not read")
        for problem in preview.problems:
            kind = "Problem" if problem.is_error else "Note   "
            self.stdout.write(f"{kind}  {problem}")
