"""Runs one job: claim, work, finish. Whatever the queue delivers, and however often."""

import logging
import os
import socket
import time
from uuid import UUID

from django.db import OperationalError, transaction

from jobs import shutdown
from jobs.exceptions import Draining, LeaseLost, OperationFailed
from jobs.models import Job, Reported
from jobs.progress import Progress
from jobs.registry import get_operation
from jobs.tasks import enqueue

logger = logging.getLogger(__name__)

PAUSES_BEFORE_FINISHING_AGAIN = (0.1, 0.5, 2, 5)  # seconds
UNEXPECTED = "The operation failed unexpectedly; the operator finds the reason in the log."


def run(uuid: UUID) -> None:
    """Run the job if it is there to be claimed; else return quietly, as another one has it."""
    if shutdown.is_draining():
        enqueue(uuid)
        return
    job = Job(pk=uuid)
    if job.claim(worker_name()):
        work(job)
    else:
        logger.info("not claimed", extra={"job": str(uuid)})


def work(job: Job) -> None:
    """Run a claimed job and finish it, or leave it to whoever holds it now."""
    progress = Progress(job)
    try:
        state, error = attempt(job, progress)
        finish_surely(job, state, error, progress.pending)
    except LeaseLost:
        logger.warning("lease lost", extra={"job": str(job.pk)})
    except Draining:
        give_back(job, progress)


def attempt(job: Job, progress: Progress) -> tuple[Job.State, str]:
    """Run the operation and return how it ended, with the sentence that its owner reads."""
    logger.info("started", extra={"job": str(job.pk), "operation": job.operation})
    try:
        get_operation(job.operation).run(job, progress)
    except OperationFailed as failure:
        return Job.State.FAILED, str(failure)
    except (LeaseLost, Draining):
        raise
    except Exception:
        logger.exception("operation broke", extra={"job": str(job.pk)})
        return Job.State.FAILED, UNEXPECTED
    return Job.State.SUCCESS, ""


def finish_surely(job: Job, state: Job.State, error: str, reported: Reported | None) -> None:
    """Finish a job, again if the database was away or broke a deadlock."""
    for pause in PAUSES_BEFORE_FINISHING_AGAIN:
        try:
            return finish(job, state, error, reported)
        except OperationalError:
            logger.warning("finished again", exc_info=True, extra={"job": str(job.pk)})
            time.sleep(pause)
    return finish(job, state, error, reported)


@transaction.atomic
def finish(job: Job, state: Job.State, error: str = "", reported: Reported | None = None) -> None:
    """End a leased job, settle its resources, and end each parent whose last child it was.

    What was `reported` last, and is not yet written, goes into the same statement as the end.

    Raises:
        LeaseLost: the job is no longer this worker's; nothing was changed.
    """
    if job.parent_id:
        lock_tree(job)
    job.end(state, error, reported)
    get_operation(job.operation).settle(job)
    if job.parent_id:
        end_parents(job)
    logger.info("finished", extra={"job": str(job.pk), "outcome": state, "error": error or None})


def end_parents(job: Job) -> None:
    """End the jobs above a job that ended, from below, as far as all of their children have."""
    for parent in job.get_ancestors(ascending=True):
        if not parent.end_with_children():
            break
        get_operation(parent.operation).settle(parent)


def lock_tree(job: Job) -> None:
    """Lock the tree's root until the transaction ends: one end in a tree at a time."""
    Job.objects.select_for_update(no_key=True).roots().get(tree_id=job.tree_id)


def give_back(job: Job, progress: Progress) -> None:
    """Let the job wait for the next worker, which goes on where this one stopped."""
    try:
        progress.flush()
        job.release()
    except LeaseLost:
        return
    enqueue(job.pk)
    logger.info("given back", extra={"job": str(job.pk)})


def worker_name() -> str:
    """Return `host:pid` of this worker."""
    return f"{socket.gethostname()}:{os.getpid()}"
