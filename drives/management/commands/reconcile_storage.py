"""`manage.py reconcile_storage`: tells where storage and database disagree; puts it right."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from drives import reconciliation


class Command(BaseCommand):
    help = "Lists images without drives, drives without images, and whatever hangs between them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="put right what is found")

    def handle(self, *args: Any, **options: Any) -> None:
        found = reconciliation.find()
        for finding in found:
            self.stdout.write(str(finding))
        if options["fix"]:
            fixed = sum(reconciliation.fix(finding) for finding in found)
            self.stdout.write(f"{len(found)} found, {fixed} put right.")
        else:
            self.stdout.write(f"{len(found)} found; --fix puts them right.")
