"""Progress, as an operation reports it while it works."""

import logging
import time

from jobs import shutdown
from jobs.exceptions import Draining
from jobs.models import Job
from jobs.outages import AWAY, drop_broken_connection
from jobs.reports import Reported
from jobs.speed import Speed
from jobs.tally import count_copied

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.95  # between two writes; a caller that reports once a second is never skipped


class Progress:
    """Writes a job's progress at most once a second; each write is fenced by the job's lease.

    An operation has to report at least every `JOB_LEASE_SECONDS / 3`, whether it got on or not:
    the report is also the heartbeat, and the moment at which it learns that it has to stop. While
    the database is away the work goes on; what is reported then is written when it is back.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.written_at = time.monotonic()  # the claim was the first sign of life
        self.pending: Reported | None = None
        self.counted = job.bytes_done
        self.bytes_verified = 0
        self.speed = Speed(job.samples)

    def verified(self, count: int) -> None:
        """Note how many bytes were compared with their source; the next report tells it."""
        self.bytes_verified = count

    def report(self, bytes_done: int, cursor: int, method: str = "") -> None:
        """Tell how far the work is: bytes moved, and the offset below which all is durable.

        Raises:
            Draining: the cluster stops, the job is to be given back.
            LeaseLost: the job is no longer this worker's.
        """
        self.pending = Reported(bytes_done, cursor, method, verified=self.bytes_verified)
        self.count(bytes_done, method)
        if shutdown.is_draining():
            raise Draining
        went_back = cursor < self.job.cursor  # what was durable is not there any more
        if went_back or time.monotonic() - self.written_at >= INTERVAL_SECONDS:
            self.flush_if_possible()

    def count(self, bytes_done: int, method: str) -> None:
        """Count what was copied since the last report; blocks that are shared are not."""
        if bytes_done > self.counted and method != "reflink":
            count_copied(bytes_done - self.counted)
        self.counted = bytes_done

    def flush_if_possible(self) -> None:
        """Write what is pending; a database that is away is no reason to stop working."""
        try:
            self.flush()
        except AWAY:
            logger.warning("not reported", exc_info=True, extra={"job": str(self.job.pk)})
            drop_broken_connection()
            self.written_at = time.monotonic()

    def flush(self) -> None:
        """Write what was reported last and is not yet written."""
        if self.pending is not None:
            self.speed.add(self.pending.bytes_done + self.pending.verified)
            rate, samples = self.speed.rate, self.speed.samples
            self.job.report(self.pending._replace(rate=rate, samples=samples))
            self.pending = None
            self.written_at = time.monotonic()
