"""`manage.py purge_jobs`: what the schedule does every hour, at once or as a dry run."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from jobs import retention


class Command(BaseCommand):
    help = "Deletes whole trees of jobs some days after their roots ended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=float,
            default=settings.JOB_RETENTION_DAYS,
            help="how long ago a tree must have ended (default: %(default)s)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument(
            "--batch-size",
            type=int,
            default=retention.BATCH_SIZE,
            help="trees in one transaction (default: %(default)s)",
        )
        parser.add_argument("--max-seconds", type=float, help="stop after so long")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            found = retention.count(options["days"])
            self.stdout.write(f"{found.trees} trees of {found.jobs} jobs would be deleted.")
            return
        gone = retention.purge(options["days"], options["batch_size"], options["max_seconds"])
        self.stdout.write(f"{gone.trees} trees of {gone.jobs} jobs were deleted.")
