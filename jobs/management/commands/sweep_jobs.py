"""`manage.py sweep_jobs`: what the schedule does every minute, at once."""

from typing import Any

from django.core.management.base import BaseCommand

from jobs.recovery import sweep


class Command(BaseCommand):
    help = "Queues a message for each job that waits without one."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{sweep()} jobs were queued again.")
