"""Has a running cluster look for jobs that would wait for ever, so that none waits a minute."""

import logging
import threading
from contextlib import suppress

from django.db import Error, connection

from jobs.recovery import sweep

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 10
LAST_SECONDS = 2  # that a stop waits for a sweep


class Sweeper(threading.Thread):
    """Sweeps in the cluster's main process, which no job keeps busy; what fails is only logged."""

    def __init__(self, seconds: float = SWEEP_SECONDS) -> None:
        super().__init__(name="sweeper", daemon=True)
        self.seconds = seconds
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(self.seconds):
            try:
                sweep()
            except Exception as error:
                logger.warning("no sweep: %s", error)
                with suppress(Error):
                    connection.close()  # the next one opens another
        connection.close()

    def end(self) -> None:
        """Sweep no more; neither database nor queue is waited for."""
        self.ended.set()
        self.join(LAST_SECONDS)
