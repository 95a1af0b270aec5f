"""`manage.py sweep_jobs`: what the schedule does every minute, at once."""

from typing import Any

import redis
from django.core.management.base import BaseCommand, CommandError

from jobs.recovery import sweep


class Command(BaseCommand):
    help = "Queues a message for each job that waits without one."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            queued = sweep()
        except redis.RedisError as error:
            raise CommandError(
                f"The queue does not answer, so nothing was queued: {error}"
            ) from error
        self.stdout.write(f"{queued} jobs were queued again.")
