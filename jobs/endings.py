"""How jobs end: by their worker, or from outside; what they worked on is settled with them.

Everything that ends a job locks the root of its tree first, so one end in a tree happens at a time.
"""

import logging

from django.db import transaction

from jobs.models import Job
from jobs.registry import get_operation
from jobs.reports import NO_FAILURE, Failure, Reported

logger = logging.getLogger(__name__)

WORKER_LOST = Failure(
    "Every worker that ran it ended in the middle of the work, without getting on.",
    "worker_lost",
    "Retry it; if it happens again, the operator finds the reason in the log of the workers.",
)


@transaction.atomic(savepoint=False)  # who runs jobs has begun one already
def finish(
    job: Job,
    state: Job.State,
    failure: Failure = NO_FAILURE,
    reported: Reported | None = None,
) -> None:
    """End a leased job, settle its resources, and end each parent whose last child it was.

    What was `reported` last, and is not yet written, goes into the same statement as the end.

    Raises:
        LeaseLost: the job is no longer this worker's; nothing was changed.
    """
    if job.parent_id:
        lock_tree(job)
    job.end(state, failure, reported)
    settle(job)


def settle(job: Job) -> None:
    """Settle the resources of a job that ended, and end the jobs above it."""
    settle_work(job)
    end_parents(job)


def settle_work(job: Job) -> None:
    """Settle the resources of a job that ended."""
    get_operation(job.operation).settle(job)
    outcome = {"job": str(job.pk), "outcome": job.state, "error": job.error or None}
    logger.info("finished", extra=outcome)


def end_parents(job: Job) -> None:
    """End the jobs above a job that ended, from below, as far as all of their children have."""
    if not job.parent_id:
        return
    for parent in job.get_ancestors(ascending=True):
        if not parent.end_with_children():
            break
        get_operation(parent.operation).settle(parent)


def lock_tree(job: Job) -> Job:
    """Lock the tree's root until the transaction ends, and return it."""
    root: Job = Job.objects.select_for_update(no_key=True).roots().get(tree_id=job.tree_id)
    return root


def cancel(job: Job) -> None:
    """End every unfinished leaf of a job whose tree is locked.

    Who runs one learns it from its next report, and then frees what it has written meanwhile.
    """
    unfinished = Job.objects.inside(job).leaves().unfinished().order_by("lft")
    leaves = list(unfinished.select_for_update(no_key=True))  # none is claimed meanwhile
    lock_resources(leaves)
    ended = [leaf for leaf in leaves if leaf.end_from_outside(Job.State.CANCELLED)]
    for leaf in ended:
        settle_work(leaf)
        discard_after_commit(leaf)
    for one_of_its_children in {leaf.parent_id: leaf for leaf in ended}.values():
        end_parents(one_of_its_children)


def lock_resources(jobs: list[Job]) -> None:
    """Lock what several jobs work on, in the order that everybody keeps to."""
    for name in sorted({job.operation for job in jobs}):
        get_operation(name).lock_resources([job for job in jobs if job.operation == name])


def discard_after_commit(job: Job) -> None:
    """Free what a cancelled job has left, once the cancel is sure; a failure is only logged."""

    def discard() -> None:  # Django logs a callback by its name, which a partial does not have
        discard_cancelled(job)

    transaction.on_commit(discard, robust=True)


@transaction.atomic
def give_up(job: Job) -> None:
    """Fail a waiting job that has cost too many workers."""
    lock_tree(job)
    exhausted = Job.objects.exhausted().filter(pk=job.pk).first()
    if exhausted and exhausted.end_from_outside(Job.State.FAILED, WORKER_LOST):
        settle(exhausted)


def discard_cancelled(job: Job) -> None:
    """Free what a job has left if it was cancelled; a retry waits until that is done."""
    cancelled = Job.objects.filter(pk=job.pk, state=Job.State.CANCELLED)
    for one in cancelled:
        get_operation(one.operation).ask(one)
    with transaction.atomic():
        for one in cancelled.select_for_update(no_key=True):
            get_operation(one.operation).discard(one)
