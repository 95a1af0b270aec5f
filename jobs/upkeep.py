"""What a worker does between two jobs: the sweep and the purge, when they are due.

Their messages wait behind those of jobs, so a worker that always finds another job never comes to
them. They may run several at once.
"""

import logging
import time
from collections.abc import Callable

from jobs import recovery, retention

logger = logging.getLogger(__name__)

MINUTE, HOUR = 60, 3600  # as in jobs.schedules
WORKS: dict[Callable[[], object], int] = {recovery.sweep: MINUTE, retention.purge: HOUR}


class Upkeep:
    """Of a worker that goes on from job to job; what it did not come to for so long is due."""

    def __init__(self) -> None:
        self.done_at = dict.fromkeys(WORKS, time.monotonic())

    def due(self) -> list[Callable[[], object]]:
        now = time.monotonic()
        return [work for work, seconds in WORKS.items() if now - self.done_at[work] >= seconds]

    def do_what_is_due(self) -> None:
        """Do it; what fails is logged, and due again later."""
        for work in self.due():
            try:
                work()
            except Exception:
                logger.exception("upkeep broke")
            self.done_at[work] = time.monotonic()
