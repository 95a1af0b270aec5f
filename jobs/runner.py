"""Runs the next job: claim, work, finish. Whatever the queue delivers, how often."""

import logging
import os
import socket
import time
from collections.abc import Iterator

from django.db import Error, transaction

from cloudjobs.logs import every_line_tells
from jobs import shutdown
from jobs.endings import discard_cancelled, finish
from jobs.exceptions import Draining, LeaseLost, OperationFailed
from jobs.heartbeat import cluster_name
from jobs.limits import next_within_limits
from jobs.models import Job
from jobs.outages import AWAY, drop_broken_connection
from jobs.progress import Progress
from jobs.registry import get_operation
from jobs.reports import NO_FAILURE, Failure, Reported
from jobs.tasks import enqueue
from jobs.upkeep import Upkeep

logger = logging.getLogger(__name__)

PAUSES_BEFORE_RUNNING_AGAIN = (0.1, 0.5, 2, 5, 5, 5)  # seconds; all of them less than a lease
PAUSES_BEFORE_FINISHING_AGAIN = (0.1, 0.5, 2, 5)  # seconds; the last one again and again
UNEXPECTED = Failure(
    "The operation failed unexpectedly; the operator finds the reason in the log.",
    "unexpected",
    "Retry it; if it fails again, tell the operator.",
)


def run_waiting() -> None:
    """Run the jobs whose turn it is, one after the other, until none waits or the cluster stops.

    Nothing is claimed while there is upkeep to do, as its lease would not be renewed.
    """
    upkeep = Upkeep()
    job = claim_next()
    while job:
        job = work(job, goes_on=not upkeep.due())
        if job is None:
            upkeep.do_what_is_due()
            job = claim_next()


def run_next() -> bool:
    """Run the one job whose turn it is; False if none waits, or the cluster stops."""
    job = claim_next()
    if job:
        work(job)
    return job is not None


@transaction.atomic(savepoint=False)
def claim_next() -> Job | None:
    """Claim the next job and return it, if there is one."""
    job = None if shutdown.is_draining() else next_within_limits()
    if job:
        job.claim(worker_name())
    return job


def work(job: Job, *, goes_on: bool = False) -> Job | None:
    """Run a claimed job and finish it, or leave it to whoever holds it now.

    Return the next job, which a worker that goes on claims in the transaction that ends this one:
    half as many transactions then wait for each other.
    """
    with every_line_tells(job.request_id, job=str(job.pk), worker=job.worker):
        progress = Progress(job)
        try:
            state, failure = attempt(job, progress)
            return finish_surely(job, state, failure, progress.pending, goes_on=goes_on)
        except LeaseLost:
            leave(job)
        except Draining:
            give_back(job, progress)
        return None


def attempt(job: Job, progress: Progress) -> tuple[Job.State, Failure]:
    """Run the operation; again, for less than a lease, while it cannot ask the database.

    Raises:
        LeaseLost: that took so long that others may take the job; the attempt counts.
        Draining: the cluster stops.
    """
    logger.info("started", extra={"job": str(job.pk), "operation": job.operation})
    for pause in PAUSES_BEFORE_RUNNING_AGAIN:
        try:
            return run_operation(job, progress)
        except AWAY:
            logger.warning("run again", exc_info=True, extra={"job": str(job.pk)})
            drop_broken_connection()
        if shutdown.is_draining():
            raise Draining
        time.sleep(pause)
    raise LeaseLost(f"{job} could not ask the database for too long")


def run_operation(job: Job, progress: Progress) -> tuple[Job.State, Failure]:
    """Run the operation and return how it ended, with the sentence that its owner reads."""
    try:
        get_operation(job.operation).run(job, progress)
    except OperationFailed as failed:
        return Job.State.FAILED, Failure(str(failed), failed.code, failed.hint)
    except (LeaseLost, Draining, *AWAY):
        raise
    except Exception:
        logger.exception("operation broke", extra={"job": str(job.pk)})
        return Job.State.FAILED, UNEXPECTED
    return Job.State.SUCCESS, NO_FAILURE


def finish_surely(
    job: Job,
    state: Job.State,
    failure: Failure,
    reported: Reported | None,
    *,
    goes_on: bool = False,
) -> Job | None:
    """Finish a job, again and again while the database is away or breaks a deadlock.

    Return the next job, if the worker goes on and one waits.

    Raises:
        LeaseLost: the job is no longer this worker's.
        Draining: the cluster stops; the next attempt finds the work done.
    """
    for pause in pauses():
        try:
            with transaction.atomic():
                finish(job, state, failure, reported)
                return claim_next() if goes_on else None
        except AWAY:
            logger.warning("finished again", exc_info=True, extra={"job": str(job.pk)})
            drop_broken_connection()
            time.sleep(pause)
    raise Draining


def pauses() -> Iterator[float]:
    """Yield the seconds before each further try, until the cluster stops."""
    yield from PAUSES_BEFORE_FINISHING_AGAIN
    while not shutdown.is_draining():
        yield PAUSES_BEFORE_FINISHING_AGAIN[-1]


def leave(job: Job) -> None:
    """Touch nothing more of a job that is not ours, unless it was cancelled and left something.

    If that cannot be freed, the worker goes on to other jobs; `reconcile_storage` frees it.
    """
    logger.info("lease lost", extra={"job": str(job.pk)})
    try:
        discard_cancelled(job)
    except Exception:
        logger.exception("what it left was not freed", extra={"job": str(job.pk)})


def give_back(job: Job, progress: Progress) -> None:
    """Let the job wait for the next worker, which goes on where this one stopped."""
    try:
        progress.flush()
        job.release()
        enqueue(job.pk)
        logger.info("given back", extra={"job": str(job.pk)})
    except LeaseLost:
        leave(job)
    except Error:
        logger.warning("not given back", exc_info=True, extra={"job": str(job.pk)})


def worker_name() -> str:
    """Return `cluster:pid` of this worker; of a process in no cluster its host's name."""
    return f"{cluster_name() or socket.gethostname()}:{os.getpid()}"
