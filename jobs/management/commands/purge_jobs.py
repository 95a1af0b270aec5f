"""`manage.py purge_jobs`: what the schedule does every hour, at once or as a dry run."""

import math
from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from jobs import retention

MOST_DAYS = 36_500  # a date before the year 1 does not exist


def some(text: str) -> int:
    """Return a number of trees that fit into one transaction."""
    if not 1 <= (number := int(text)) <= retention.NAMED_AT_MOST:
        raise ArgumentTypeError(f"1 to {retention.NAMED_AT_MOST}")
    return number


def seconds(text: str) -> float:
    """Return a time that is over at some moment."""
    if not 0 <= (number := float(text)) < math.inf:
        raise ArgumentTypeError("a number of seconds from 0 on")
    return number


def days(text: str) -> float:
    """Return a number of days that can be counted back."""
    if not 0 <= (number := float(text)) <= MOST_DAYS:
        raise ArgumentTypeError(f"0 to {MOST_DAYS}")
    return number


class Command(BaseCommand):
    help = "Deletes whole trees of jobs some days after their roots ended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=days,
            default=settings.JOB_RETENTION_DAYS,
            help="how long ago a tree must have ended (default: %(default)s)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument(
            "--batch-size",
            type=some,
            default=retention.BATCH_SIZE,
            help="trees in one transaction (default: %(default)s)",
        )
        parser.add_argument("--max-seconds", type=seconds, help="stop after so long")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            found = retention.count(options["days"])
            self.stdout.write(f"{found.trees} trees of {found.jobs} jobs would be deleted.")
            return
        gone = retention.purge(options["days"], options["batch_size"], options["max_seconds"])
        self.stdout.write(f"{gone.trees} trees of {gone.jobs} jobs were deleted.")
